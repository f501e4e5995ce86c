import MigrationEngine
import Postgres

/// The tables of a database, as a drill compares them.
struct RestoredTables {
    struct Table: Sendable {
        let relation: TwinRelation
        let estimate: Int
        var words: String { "\(relation.schema).\(relation.name)" }
    }

    /// Tables with rows of their own.
    var tables: [Table] = []
    /// Relations whose rows are not compared, each with the reason.
    var left: [(name: String, reason: String)] = []

    /// Reads them in the transaction of the moment.
    ///
    /// A column whose binary form has numbers of types in it, which two databases give anew, is compared by its text, which is
    /// what a dump holds: composite types, arrays of types of the database's own, `reg…` types, and those without a binary form.
    init(_ connection: borrowing Postgres.Connection) throws {
        let columns = try connection.query(
            """
            WITH RECURSIVE base(type, oid) AS (
                SELECT oid, oid FROM pg_type
                UNION ALL SELECT base.type, t.typbasetype FROM base JOIN pg_type AS t ON t.oid = base.oid WHERE t.typtype = 'd'
            ), textual AS (
                SELECT DISTINCT base.type FROM base JOIN pg_type AS t ON t.oid = base.oid
                WHERE t.typtype <> 'd' AND (
                    t.typsend = 0 OR t.typtype = 'c' OR t.typtype IN ('r', 'm') AND t.oid >= 16384
                    OR t.typelem >= 16384 AND t.typsend = 'array_send(anyarray)'::regprocedure
                    OR t.typelem < 16384 AND t.typelem <> 0 AND t.typsend = 'array_send(anyarray)'::regprocedure
                        AND t.typelem IN (SELECT oid FROM pg_type WHERE typtype = 'c' OR typsend = 0)
                    OR t.typnamespace = 'pg_catalog'::regnamespace AND t.typname ~ '^_?reg')
            )
            SELECT n.nspname, c.relname, c.relkind, c.reltuples::bigint, a.attname, a.atttypid IN (SELECT type FROM textual),
                a.attnum = ANY (i.indkey::smallint[])
            FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
            WHERE c.relkind IN ('r', 'm', 'f') AND c.relpersistence <> 't' AND \(DatabaseFacts.noSystemSchemas)
                AND NOT EXISTS (
                    SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
            ORDER BY 1, 2, a.attnum
            """)
        var row = 0
        while row < columns.count {
            let schema = columns.text(row, 0) ?? ""
            let name = columns.text(row, 1) ?? ""
            let kind = columns.text(row, 2)
            let estimate = columns.int(row, 3) ?? 0
            var list: [(name: String, expression: String)] = []
            var key: [Int] = []
            while row < columns.count, columns.text(row, 0)?.utf8.elementsEqual(schema.utf8) ?? false,
                columns.text(row, 1)?.utf8.elementsEqual(name.utf8) ?? false
            {
                if let column = columns.text(row, 4) {
                    if columns.bool(row, 6) { key.append(list.count) }
                    let quoted = "howdah_row.\(quoteIdentifier(column))"
                    list.append((column, columns.bool(row, 5) ? "\(quoted)::pg_catalog.text" : quoted))
                }
                row += 1
            }
            switch kind {
            case "m": left.append(("\(schema).\(name)", "a materialized view is filled anew by a restore"))
            case "f": left.append(("\(schema).\(name)", "the rows of a foreign table are another server's"))
            default:
                tables.append(
                    Table(
                        relation: TwinRelation(schema: schema, name: name, columns: list, key: key),
                        estimate: max(0, estimate)))
            }
        }
        try addLargeObjects(connection)
    }

    /// Large objects are no table's, and are compared as if they were one: number, and sha256 of the content.
    private mutating func addLargeObjects(_ connection: borrowing Postgres.Connection) throws {
        let count = try connection.query("SELECT count(*) FROM pg_largeobject_metadata").int(0, 0) ?? 0
        guard count > 0 else { return }
        tables.append(
            Table(
                relation: TwinRelation(
                    schema: "pg_catalog", name: "large objects",
                    columns: [
                        ("number", "howdah_row.oid"),
                        ("content", "pg_catalog.sha256(pg_catalog.lo_get(howdah_row.oid))"),
                    ],
                    key: [0], from: "pg_catalog.pg_largeobject_metadata"), estimate: count))
    }
}
