/// Whether a run is tried in a private PostgreSQL, or done on the real target. Each has its own state of every step.
public enum Mode: String, Codable, Sendable, CaseIterable {
    case rehearsal
    case live
}
