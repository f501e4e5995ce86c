import Foundation
import Postgres

/// What the server says of a table whose rows are to be replaced, whoever made it.
struct RepairTarget: Sendable {
    struct Column: Sendable {
        let name: String
        let type: String
        /// PostgreSQL computes it.
        let isGenerated: Bool
    }

    let relation: Int
    let isTable: Bool
    let hasRules: Bool
    let columns: [Column]
    /// The columns of each key that holds for all rows.
    let keys: [Set<String>]

    /// Those that hold what was written into them.
    var stored: [Column] { columns.filter { !$0.isGenerated } }

    /// `name` is qualified and quoted.
    init(_ name: String, _ connection: borrowing Postgres.Connection) throws {
        let kind = try connection.query(
            "SELECT relkind IN ('r', 'p'), relhasrules, oid FROM pg_class WHERE oid = $1::regclass", [name])
        relation = kind.int(0, 2) ?? 0
        isTable = kind.bool(0, 0)
        hasRules = kind.bool(0, 1)
        let found = try connection.query(
            """
            SELECT attname, format_type(atttypid, atttypmod), attgenerated <> '' FROM pg_attribute
            WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
            """, [name])
        columns = (0..<found.count).map {
            Column(
                name: found.text($0, 0) ?? "", type: found.text($0, 1) ?? "", isGenerated: found.bool($0, 2))
        }
        let indexes = try connection.query(
            """
            SELECT (SELECT json_agg(a.attname) FROM pg_attribute AS a
                WHERE a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
            FROM pg_index AS i WHERE i.indrelid = $1::regclass AND i.indisunique AND i.indisvalid
                AND i.indpred IS NULL AND i.indexprs IS NULL
            """, [name])
        keys = (0..<indexes.count).compactMap { row in
            indexes.text(row, 0).flatMap { try? JSONDecoder().decode(Set<String>.self, from: Data($0.utf8)) }
        }
    }
}

/// A table of the target whose rows are replaced, with all that the statements about it name.
struct RepairTable: Sendable {
    let number: Int
    let preview: RepairPreview.Table
    let proof: ProofTable
    let plan: MigrationPlan.Table
    let facts: RepairTarget
    /// Qualified and quoted.
    let name: String

    /// Temporary tables: keys of the chosen rows, the source's rows, and what is kept of the target's.
    var keys: String { "pg_temp.howdah_repair_keys_\(number)" }
    var fresh: String { "pg_temp.howdah_repair_new_\(number)" }
    var old: String { "pg_temp.howdah_repair_old_\(number)" }
    /// The chosen rows of the source, in SQLite.
    var chosen: String { "temp.howdah_repair_\(number)" }

    var stored: [String] { facts.stored.map { quoteIdentifier($0.name) } }

    /// The key's columns in its order, as the target spells them.
    var keyNames: [String] { proof.keyColumns.map { proof.targetColumns[$0] } }
    var quotedKey: [String] { keyNames.map { quoteIdentifier($0) } }

    /// Whether rows of both aliases have one key.
    func matches(_ one: String, _ other: String) -> String { Self.matches(one, other, quotedKey) }

    static func matches(_ one: String, _ other: String, _ key: [String]) -> String {
        key.map { "\(one).\($0) = \(other).\($0)" }.joined(separator: " AND ")
    }

    /// A clause for the rows of `alias` that the keys name.
    func isChosen(_ alias: String) -> String {
        "EXISTS (SELECT FROM \(keys) AS k WHERE \(matches("k", alias)))"
    }

    /// A row's content in 32 bytes, whatever it holds.
    static func digest(_ columns: [String], of alias: String) -> String {
        "sha256(record_send(ROW(\(columns.map { "\(alias).\($0)" }.joined(separator: ", ")))))"
    }

    /// Columns that are sent, of those that are compared: as the target's types want them.
    func load(_ isWanted: (String) -> Bool) -> Loader.LoadTable {
        let written = Set(facts.stored.map(\.name))
        let places = proof.actual.indices.filter {
            written.contains(proof.targetColumns[$0]) && isWanted(proof.columns[$0])
        }
        return Loader.LoadTable(
            source: proof.source, plan: plan, columns: places.map { proof.actual[$0] },
            codes: places.map { proof.codes[$0] }, maySkipLog: false,
            counters: RunProgress.Table(name: plan.name, rows: 0))
    }
}
