import Postgres

/// The columns that a table of the target really has, in its own order.
struct TargetColumns: Sendable {
    let types: [String: PostgresType]

    /// nil where the schema has no such table.
    static func read(
        _ table: String, schema: String, _ connection: borrowing Postgres.Connection
    ) throws -> TargetColumns? {
        let name = quoteIdentifier(schema, table)
        guard try connection.query("SELECT to_regclass($1) IS NOT NULL", [name]).bool(0, 0) else {
            return nil
        }
        // An enum's name comes without its schema and quoted, which PostgresType reads as an enum.
        let result = try connection.query(
            """
            SELECT a.attname, CASE WHEN t.typtype = 'e' THEN '"' || replace(t.typname, '"', '""') || '"'
                ELSE format_type(a.atttypid, a.atttypmod) END
            FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
            WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
            """, [name])
        var types: [String: PostgresType] = [:]
        for row in 0..<result.count {
            types[result.text(row, 0) ?? ""] = PostgresType(formatted: result.text(row, 1) ?? "")
        }
        return TargetColumns(types: types)
    }
}

extension PostgresType {
    /// Reads what `format_type` writes: `timestamp(3) without time zone`, `character varying(160)`.
    init(formatted text: String) {
        for zone in [" without time zone", " with time zone"] where text.hasSuffix(zone) {
            let base = String(text.dropLast(zone.count))
            self.init(
                base.hasPrefix("timestamp") && zone.hasPrefix(" with ")
                    ? "timestamptz" + base.dropFirst(9) : base)
            return
        }
        self.init(text)
    }
}
