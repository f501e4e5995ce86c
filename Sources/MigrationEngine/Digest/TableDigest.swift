/// The digests of one table on both sides.
public struct TableDigest: Codable, Sendable, Equatable {
    /// SHA-256 of lines, as lower-case hexadecimal digits; nil of a side that has no such table.
    public struct Pair: Codable, Sendable, Equatable {
        public var source: String?
        public var target: String?

        public var isEqual: Bool { source != nil && source == target }
    }

    public struct Column: Codable, Sendable, Equatable {
        public let name: String
        public var digests = Pair()
    }

    /// A column that is in no digest: the proof compares it all the same.
    public struct LeftOut: Codable, Sendable, Equatable {
        public let column: String
        public let reason: String
    }

    public let name: String
    /// Lines of either side.
    public internal(set) var sourceRows = 0
    public internal(set) var targetRows = 0
    /// Rows of the source that decisions keep out of the target, and values that others take the place of.
    public let quarantinedRows: Int
    public let replacedValues: Int
    public internal(set) var digests = Pair()
    /// Every column that holds bytes, by itself.
    public internal(set) var columns: [Column]
    public let leftOut: [LeftOut]
    /// Columns that are in the table's digest.
    public let digestedColumns: Int
    /// What the lines are ordered by.
    public let order: String
    /// Why there is no digest of the target.
    public internal(set) var obstacle: String?

    enum CodingKeys: String, CodingKey {
        case name, digests, columns, order, obstacle
        case sourceRows = "source_rows"
        case targetRows = "target_rows"
        case quarantinedRows = "quarantined_rows"
        case replacedValues = "replaced_values"
        case leftOut = "left_out"
        case digestedColumns = "digested_columns"
    }

    /// Whether nothing that is digested differs; of a table none of whose columns can be, the rows are counted.
    public var isEqual: Bool {
        obstacle == nil && (digestedColumns == 0 ? sourceRows == targetRows : digests.isEqual)
            && columns.allSatisfy(\.digests.isEqual)
    }

    /// What the digest is of, where that is not every row as SQLite has it.
    public var scope: String? {
        guard quarantinedRows + replacedValues > 0 else { return nil }
        let kept =
            "\(Format.count(sourceRows)) of \(Format.count(sourceRows + quarantinedRows, "row", "rows"))"
        let replaced =
            replacedValues > 0 ? ", \(Format.count(replacedValues, "value", "values")) as decided" : ""
        return quarantinedRows > 0
            ? "of \(kept): the rest is in quarantine by decision\(replaced)" : "with\(replaced.dropFirst())"
    }
}

/// Digests of a source and of its target, table by table.
public struct DigestReport: Codable, Sendable {
    public enum Outcome: String, Codable, Sendable {
        case equal, differs
        /// No column of any table has a digest.
        case nothing
    }

    public let command: String
    public let outcome: Outcome
    public let exit: Int32
    public let seconds: Double
    /// UTC, ISO 8601.
    public let time: String
    /// Without a password.
    public let target: String?
    public let snapshot: MigrationReport.SnapshotFacts
    public let tables: [TableDigest]
    /// Columns that are in no digest, `TABLE.COLUMN`: the outcome says nothing of them. nil in files of before this was kept.
    public let leftOut: [String]?
    /// Tables that the plan leaves out.
    public let leftOutTables: [String]

    enum CodingKeys: String, CodingKey {
        case command, outcome, exit, seconds, time, target, snapshot, tables
        case leftOut = "left_out"
        case leftOutTables = "left_out_tables"
    }

    init(
        seconds: Double, time: String, target: String?, snapshot: Snapshot, tables: [TableDigest],
        leftOutTables: [String]
    ) {
        command = "digest"
        let isEqual = tables.allSatisfy(\.isEqual)
        let isNone = !tables.isEmpty && tables.allSatisfy { $0.digestedColumns == 0 }
        outcome = !isEqual ? .differs : isNone ? .nothing : .equal
        exit = (!isEqual ? ExitCode.differs : isNone ? .undecided : .success).rawValue
        self.seconds = rounded(seconds)
        self.time = time
        self.target = target
        self.snapshot = .init(path: snapshot.path, sha256: snapshot.sha256, time: snapshot.time)
        self.tables = tables
        leftOut = tables.flatMap { table in table.leftOut.map { "\(table.name).\($0.column)" } }
        self.leftOutTables = leftOutTables
    }
}

extension DigestReport {
    private static func path(_ name: String) -> String { "reports/digests-\(name).json" }

    /// Keeps the digests until the next ones of the same target, for which `name` stands.
    public func keep(in state: StateFolder, name: String) throws {
        _ = try state.folder("reports")
        try state.write(jsonText(self), to: Self.path(name))
    }

    /// Those that were kept; nil without any.
    public static func kept(in state: StateFolder, name: String) -> DigestReport? {
        readJSON(DigestReport.self, "\(state.path)/\(path(name))")
    }
}
