/// A target that the application writes to since a cutover has led it there: rows that differ are the application's until shown otherwise.
public struct TargetInUse: Sendable, Equatable {
    /// When the settings were led to it, UTC, ISO 8601.
    public let since: String
    /// When the cutover ended; nil while it is open.
    public let end: String?

    public init(since: String, end: String?) {
        self.since = since
        self.end = end
    }

    /// As a clause: `the application has written to it since …`.
    public var words: String {
        "the application has used it since the switch of \(since)"
            + (end.map { "; the cutover ended at \($0)" } ?? "; the cutover is open")
    }

    /// What is said before rows are replaced that were named.
    var warning: String { "\(words): it may have written what is replaced." }

    /// What is said before the rows of an undo come back.
    public var undoWarning: String {
        "\(words): rows that differed come back; where one of them was written since, none does."
    }

    /// Why rows that nobody has named stay as they are.
    func refusal(_ target: String) -> MigrationError {
        MigrationError(
            .targetNotEmpty,
            "rows of \(target) that differ may be the application's: \(words)",
            remedy:
                "Nothing was changed. Add --never-right for the rows that were wrong before the switch and still are, or name single rows "
                + "with --table NAME --key KEY; howdah validate --watch tells which are which.",
            exit: .undecided)
    }
}
