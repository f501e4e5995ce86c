/// The tables of one schema with their columns, keys, indexes and statistics, as the target's catalog has them.
struct IndexCatalog {
    struct Column: Decodable {
        let table: String
        let name: String
        /// The type under a domain, as `pg_type` names it.
        let type: String
        /// `pg_type.typcategory`: D for times.
        let category: String
        /// `pg_stats.n_distinct`: a number of values, or below zero a part of the rows; nil where nothing is known.
        let distinct: Double?
        /// Bytes of a value; nil where nothing is known.
        let width: Int?

        /// Types whose values have no order that a btree keeps.
        private static let unordered: Set<String> = [
            "json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle",
        ]

        var isIndexable: Bool { !Self.unordered.contains(type) }

        /// How many values a table of `rows` rows has in this column.
        func values(of rows: Double) -> Double? {
            distinct.map { $0 < 0 ? -$0 * rows : $0 }.flatMap { $0 > 0 ? $0 : nil }
        }
    }

    struct Key: Decodable, Equatable {
        /// nil for an expression.
        let column: String?
        let expression: String?
        /// The operator class.
        let operators: Int
        let collation: Int
        /// DESC and NULLS FIRST.
        let order: Int
    }

    struct Index: Decodable {
        let table: String
        let name: String
        let method: String
        let isUnique: Bool
        let isPrimary: Bool
        /// Whether it serves queries.
        let isValid: Bool
        /// Whether a session is at work on it.
        let isBuilding: Bool
        /// Whether a constraint rests on it.
        let isConstraint: Bool
        /// Whether something else rests on it: a replica's identity, the table's order, a partitioned parent.
        let isPinned: Bool
        let keys: [Key]
        let included: [String]
        let predicate: String?
        let definition: String
        let bytes: Int64?
        let scans: Int?

        /// Columns at its beginning, up to the first expression.
        var leading: [String] { keys.prefix { $0.column != nil }.compactMap(\.column) }

        /// Whether it answers for any row that is asked for by its leading columns; one of hashes by all of them.
        func isGeneral(for count: Int) -> Bool {
            isValid && predicate == nil && (method == "btree" || method == "hash" && keys.count == count)
        }
    }

    struct ForeignKey: Decodable {
        let table: String
        let name: String
        let columns: [String]
        let parent: String
    }

    struct Table: Decodable {
        let name: String
        let isPartitioned: Bool
        /// The partitioned table that it is a part of.
        let parent: String?
        /// Whether the role may make indexes on it.
        let isOwned: Bool
        let owner: String
        /// As ANALYZE left it; below zero where it never ran.
        let estimate: Double
        /// As the server counts them; nil where it does not.
        let live: Double?
        /// Pages of the table now, and when the planner was last told.
        let pages: Double?
        let pagesThen: Double
        let isAnalysed: Bool
        /// Reads and writes since the server counts.
        let reads: Int?
        let writes: Int?
        let bytes: Int64?

        var rows: Double { estimate > 0 ? estimate : live ?? 0 }
        var isPartition: Bool { parent != nil }
    }

    let schema: String
    let tables: [Table]
    let columns: [String: [Column]]
    let indexes: [String: [Index]]
    let foreignKeys: [String: [ForeignKey]]
    /// Since when the server counts, in seconds; nil where it does not say.
    let statisticsAge: Double?
    /// Names of relations, which no new index may have.
    let taken: Set<String>

    func table(_ name: String) -> Table? { tables.first { $0.name == name } }

    func column(_ name: String, of table: String) -> Column? {
        columns[table]?.first { $0.name == name }
    }

    /// Whether a valid index over all rows begins with these columns, in any order.
    func isIndexed(_ names: [String], of table: String) -> Bool {
        (indexes[table] ?? []).contains { index in
            index.isGeneral(for: names.count) && Set(index.leading.prefix(names.count)) == Set(names)
        }
    }

    /// Whether one begins with the columns that are compared, in any order, and goes on with the others in theirs.
    func isIndexed(_ names: [String], compared: Int, of table: String) -> Bool {
        (indexes[table] ?? []).contains { index in
            let leading = Array(index.leading.prefix(names.count))
            return index.isGeneral(for: names.count) && leading.count == names.count
                && Set(leading.prefix(compared)) == Set(names.prefix(compared))
                && Array(leading.dropFirst(compared)) == Array(names.dropFirst(compared))
        }
    }

    /// About how large an index over these columns would be, in bytes.
    func estimatedBytes(_ names: [String], of table: String) -> Int64? {
        guard let rows = self.table(table)?.rows, rows > 0 else { return nil }
        let widths = names.compactMap { column($0, of: table)?.width }
        guard widths.count == names.count else { return nil }
        // A row of a btree: its header, its pointer in the page, and the values to a multiple of 8; pages are 90 % full.
        let row = 12 + (widths.reduce(0, +) + 7) / 8 * 8
        return Int64(rows * Double(row) / 0.9)
    }
}
