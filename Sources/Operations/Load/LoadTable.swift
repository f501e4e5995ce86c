/// A table as the target's own catalog has it: what queries of a load test are made from. Names are the target's.
struct LoadTable: Sendable {
    struct Column: Sendable {
        let name: String
        /// As PostgreSQL spells it, with its parameters.
        let type: String
        /// The type under a domain, as `pg_type` names it: `int4`, `varchar`.
        let base: String
        /// `pg_type.typcategory`: N for numbers, S for texts, D for times.
        let category: String
        /// Characters that a `varchar(n)` or `char(n)` holds at most.
        let maxLength: Int?
        let isNotNull: Bool
        let isGenerated: Bool
        let isVariable: Bool

        /// Whether one value may be as large as all of a list: of such only the beginning is selected.
        var isUnbounded: Bool {
            isVariable && maxLength == nil
                && ["text", "bytea", "json", "jsonb", "xml", "varchar"].contains(base)
        }
    }

    struct Index: Sendable {
        let isUnique: Bool
        let isPrimary: Bool
        let isPartial: Bool
        /// Columns that it is made of, those of its expressions too.
        let columns: [String]
        /// Columns at its beginning, up to the first expression.
        let leading: [String]

        /// Whether its columns alone tell rows apart.
        var isPlain: Bool { !isPartial && leading.count == columns.count }
    }

    struct ForeignKey: Sendable {
        let name: String
        let columns: [String]
        let parent: String
        let parentColumns: [String]
    }

    let name: String
    var columns: [Column] = []
    var indexes: [Index] = []
    /// Those whose parent is in the same schema.
    var foreignKeys: [ForeignKey] = []
    var isPartitioned = false
    /// Whether triggers of the application's, or rules, do more than a statement says.
    var hasTriggers = false
    /// Why nothing can be asked of it; nil where it can.
    var problem: String?
    var estimatedRows = 0.0
    /// A value of more bytes is in no list of an application's.
    static let mostBytes = 64 << 10

    /// Columns with values so large that no list would show them; found by looking at some rows.
    var wide: Set<String> = []

    func column(_ name: String) -> Column? { columns.first { $0.name == name } }

    /// The columns that name one row: the primary key, or a unique index over columns that are never NULL.
    var key: [String]? {
        let candidates = indexes.filter { $0.isUnique && $0.isPlain }
        if let primary = candidates.first(where: \.isPrimary) { return primary.columns }
        return candidates.first { index in
            index.columns.allSatisfy { column($0)?.isNotNull ?? false }
        }?.columns
    }

    /// What a query selects.
    var listed: [String] { columns.map(\.name).filter { !wide.contains($0) } }

    /// What an insert gives values for.
    var written: [String] { columns.filter { !$0.isGenerated }.map(\.name) }

    /// Whether an index begins with these columns, in any order.
    func isIndexed(_ names: [String]) -> Bool {
        indexes.contains { !$0.isPartial && Set($0.leading.prefix(names.count)) == Set(names) }
    }

    /// By what rows come newest first: an indexed time, or the key.
    var pageColumn: String? {
        let leading = indexes.filter { !$0.isPartial }.compactMap(\.leading.first)
        let times = columns.filter { $0.category == "D" || Self.timeWords.contains($0.name.lowercased()) }
        if let time = times.first(where: { leading.contains($0.name) }) { return time.name }
        return key?.count == 1 ? key?.first : nil
    }

    /// What follows a foreign key's column in an index: a conversation's messages by their time.
    func orderColumn(after name: String) -> String? {
        let index = indexes.first { !$0.isPartial && $0.leading.count > 1 && $0.leading.first == name }
        return index?.leading[1] ?? (key?.count == 1 ? key?.first : nil)
    }

    private static let timeWords: Set<String> = [
        "timestamp", "time", "date", "created", "createdat", "created_at", "created_on", "createdon", "sent",
        "sentat", "sent_at", "updatedat", "updated_at",
    ]
}
