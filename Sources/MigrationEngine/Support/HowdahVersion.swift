/// What this howdah calls itself, on the command line and in what it writes.
public enum HowdahVersion {
    public static let text = "0.1.0"
}
