/// What the proof says of one table.
public struct TableVerdict: Sendable, Equatable {
    public enum Verdict: String, Codable, Sendable {
        case equal, differs, skipped
    }

    public var verdict: Verdict
    public var sourceRows = 0
    public var targetRows = 0
    /// Rows that are missing, extra or changed; exact unless `isTruncated`.
    public var differences = 0
    public var isTruncated = false
    /// How many rows that are on both sides differ in a column, by column.
    public var changedColumns: [String: Int] = [:]
    /// The first of them.
    public var samples: [RowDifference] = []
    /// Why there is no verdict on the rows: the table is missing, a column is, and the like.
    public var obstacle: String?
    public var seconds = 0.0

    static let mostSamples = 10

    init(_ verdict: Verdict, obstacle: String? = nil) {
        self.verdict = verdict
        self.obstacle = obstacle
    }

    mutating func add(_ difference: RowDifference) {
        verdict = .differs
        differences += 1
        for column in difference.columns { changedColumns[column, default: 0] += 1 }
        if samples.count < Self.mostSamples { samples.append(difference) }
    }

    mutating func merge(_ other: TableVerdict) {
        if other.verdict == .differs { verdict = .differs }
        sourceRows += other.sourceRows
        targetRows += other.targetRows
        differences += other.differences
        isTruncated = isTruncated || other.isTruncated
        changedColumns.merge(other.changedColumns, uniquingKeysWith: +)
        samples = Array((samples + other.samples).prefix(Self.mostSamples))
        obstacle = obstacle ?? other.obstacle
    }
}

/// One row that is not the same on both sides; names the row and the columns, not their values.
public struct RowDifference: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable {
        /// In the source only.
        case missing
        /// In the target only.
        case extra
        case changed
    }

    public let kind: Kind
    public let key: String
    /// The columns that differ, where the row is on both sides.
    public let columns: [String]
    /// By which both sides find the row; in no document.
    let place: Place?

    /// Where a row is: its rowid in the source, and its key as both databases read it.
    struct Place: Sendable, Equatable {
        var rowid: Int64?
        /// The key's columns in their order, as PostgreSQL reads their texts; nil where a type has no such text here.
        var keys: [String]?
        /// Where the row lies in the target, where its key does not tell, see `RowPlace`: good until it is written again.
        var ctid: String?
    }

    public init(kind: Kind, key: String, columns: [String]) {
        self.init(kind: kind, key: key, columns: columns, place: nil)
    }

    init(kind: Kind, key: String, columns: [String], place: Place?) {
        self.kind = kind
        self.key = key
        self.columns = columns
        self.place = place
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            kind: container.decode(Kind.self, forKey: .kind),
            key: container.decode(String.self, forKey: .key),
            columns: container.decode([String].self, forKey: .columns))
    }

    enum CodingKeys: String, CodingKey {
        case kind, key, columns
    }

    public static func == (one: RowDifference, other: RowDifference) -> Bool {
        one.kind == other.kind && one.key == other.key && one.columns == other.columns
    }
}
