import Postgres

/// The columns that a table or view of the target really has, in its own order.
struct TargetColumns: Sendable {
    let columns: [Column]
    /// As `pg_class.relkind` has it: r is a table, p one in partitions, v a view, m a materialized one, f a foreign table.
    let kind: String
    /// Whether a policy hides rows from us.
    let hidesRows: Bool

    struct Column: Sendable {
        let name: String
        /// A domain's base.
        let type: PostgresType
        let isNotNull: Bool
        let isGenerated: Bool
        let mayBeRead: Bool
    }

    var types: [String: PostgresType] {
        Dictionary(columns.map { ($0.name, $0.type) }) { first, _ in first }
    }

    /// Whether its rows lie in one file: no view, no partitions.
    var isPlain: Bool { kind == "r" }

    /// A WITH term: the columns with the types that their values are of, a domain's being those of its base.
    static let baseTypes = """
        base AS (
            SELECT attrelid, attnum, atttypid AS type, atttypmod AS typmod, false AS refuses_null
            FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped
            UNION ALL
            SELECT b.attrelid, b.attnum, t.typbasetype, t.typtypmod, b.refuses_null OR t.typnotnull
            FROM base AS b JOIN pg_type AS t ON t.oid = b.type WHERE t.typtype = 'd')
        """

    /// The name of type t of `base` b. An enum's comes without its schema and quoted, which PostgresType reads as an enum.
    static let typeName = """
        CASE WHEN t.typtype = 'e' THEN '"' || replace(t.typname, '"', '""') || '"' ELSE format_type(b.type, b.typmod) END
        """

    /// nil where the schema has no such table.
    static func read(
        _ table: String, schema: String, _ connection: borrowing Postgres.Connection
    ) throws -> TargetColumns? {
        let name = quoteIdentifier(schema, table)
        let relation = try connection.query(
            "SELECT relkind, row_security_active(oid) FROM pg_class WHERE oid = to_regclass($1)", [name])
        guard relation.count > 0 else { return nil }
        let result = try connection.query(
            """
            WITH RECURSIVE \(baseTypes) SELECT a.attname, \(typeName), a.attnotnull OR b.refuses_null, a.attgenerated <> '',
                has_column_privilege(a.attrelid, a.attnum, 'SELECT')
            FROM base AS b JOIN pg_type AS t ON t.oid = b.type AND t.typtype <> 'd'
                JOIN pg_attribute AS a ON a.attrelid = b.attrelid AND a.attnum = b.attnum
            WHERE a.attrelid = to_regclass($1) ORDER BY a.attnum
            """, [name])
        let columns = (0..<result.count).map { row in
            Column(
                name: result.text(row, 0) ?? "", type: PostgresType(formatted: result.text(row, 1) ?? ""),
                isNotNull: result.bool(row, 2), isGenerated: result.bool(row, 3),
                mayBeRead: result.bool(row, 4))
        }
        return TargetColumns(
            columns: columns, kind: relation.text(0, 0) ?? "", hidesRows: relation.bool(0, 1))
    }
}

extension PostgresType {
    /// Reads what `format_type` writes: `timestamp(3) without time zone`, `character varying(160)`.
    init(formatted text: String) {
        for zone in [" without time zone", " with time zone"] where text.hasSuffix(zone) {
            let base = String(text.dropLast(zone.count))
            if base.hasPrefix("time"), !base.hasPrefix("timestamp"), zone == " with time zone" {
                self = .other("timetz" + base.dropFirst(4))
                return
            }
            self.init(
                base.hasPrefix("timestamp") && zone.hasPrefix(" with ")
                    ? "timestamptz" + base.dropFirst(9) : base)
            return
        }
        self.init(text)
    }
}
