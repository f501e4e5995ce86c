import Foundation
import Postgres

/// What keeps rows of one of the target's tables apart, and in order: its whole indexes, those of keys among them.
struct TargetKeys: Sendable {
    /// The columns of each unique one.
    private(set) var unique: [[String]] = []
    /// Columns by which one gives the rows in order.
    private(set) var ordered: Set<String> = []

    /// Whether no two rows can have the same values there.
    func isUnique(_ columns: [String]) -> Bool {
        unique.contains { Set($0).isSubset(of: columns) }
    }

    static func read(
        _ table: String, schema: String, _ connection: borrowing Postgres.Connection
    ) throws -> TargetKeys {
        let result = try connection.query(
            """
            SELECT i.indisunique, m.amname = 'btree', (SELECT json_agg(a.attname ORDER BY k.place)
                FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place)
                    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number
                WHERE k.place <= i.indnkeyatts)
            FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS m ON m.oid = c.relam
            WHERE i.indrelid = to_regclass($1) AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
            """, [quoteIdentifier(schema, table)])
        var keys = TargetKeys()
        for row in 0..<result.count {
            let json = Data((result.text(row, 2) ?? "[]").utf8)
            let columns = (try? JSONDecoder().decode([String].self, from: json)) ?? []
            if result.bool(row, 0) { keys.unique.append(columns) }
            if result.bool(row, 1), let first = columns.first { keys.ordered.insert(first) }
        }
        return keys
    }
}
