import Foundation
import MigrationEngine
import Postgres

/// Reads the migrated tables of a schema from the target's catalog.
struct LoadCatalog {
    let schema: String

    /// The tables of those names that are there, in the order of their names.
    func tables(_ names: [String], _ connection: borrowing Postgres.Connection) throws -> [LoadTable] {
        var tables = try kinds(names, connection)
        try addColumns(to: &tables, connection)
        try addIndexes(to: &tables, connection)
        try addForeignKeys(to: &tables, connection)
        return tables.values.sorted { $0.name < $1.name }
    }

    /// Names travel as JSON: they may hold anything.
    private static func names(_ text: String?) -> [String] {
        text.flatMap { try? JSONDecoder().decode([String].self, from: Data($0.utf8)) } ?? []
    }

    /// A partition's own triggers run too, and those of tables that inherit.
    private func kinds(
        _ names: [String], _ connection: borrowing Postgres.Connection
    ) throws -> [String: LoadTable] {
        let result = try connection.query(
            """
            WITH RECURSIVE family (head, member) AS (
                SELECT oid, oid FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p')
                UNION SELECT f.head, i.inhrelid FROM family AS f JOIN pg_inherits AS i ON i.inhparent = f.member)
            SELECT c.relname, c.relkind = 'p', c.reltuples, EXISTS (
                SELECT FROM family AS f JOIN pg_class AS m ON m.oid = f.member WHERE f.head = c.oid
                    AND (m.relhasrules OR EXISTS (SELECT FROM pg_trigger AS t
                        WHERE t.tgrelid = m.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D')))
            FROM pg_class AS c WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p')
            """, [quoteIdentifier(schema)])
        let wanted = Set(names)
        var tables: [String: LoadTable] = [:]
        for row in 0..<result.count {
            guard let name = result.text(row, 0), wanted.contains(name) else { continue }
            var table = LoadTable(name: name)
            table.isPartitioned = result.bool(row, 1)
            table.estimatedRows = max(0, Double(result.text(row, 2) ?? "") ?? 0)
            table.hasTriggers = result.bool(row, 3)
            tables[name] = table
        }
        return tables
    }

    private func addColumns(
        to tables: inout [String: LoadTable], _ connection: borrowing Postgres.Connection
    ) throws {
        let result = try connection.query(
            """
            SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), coalesce(b.typname, t.typname),
                coalesce(b.typcategory, t.typcategory),
                CASE WHEN coalesce(b.typname, t.typname) IN ('varchar', 'bpchar')
                    THEN nullif(CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END, -1) - 4 END,
                a.attnotnull OR t.typnotnull, a.attgenerated <> '', a.attlen = -1
            FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid JOIN pg_type AS t ON t.oid = a.atttypid
                LEFT JOIN pg_type AS b ON t.typtype = 'd' AND b.oid = t.typbasetype
            WHERE c.relnamespace = to_regnamespace($1) AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY c.relname, a.attnum
            """, [quoteIdentifier(schema)])
        for row in 0..<result.count {
            tables[result.text(row, 0) ?? ""]?.columns.append(
                LoadTable.Column(
                    name: result.text(row, 1) ?? "", type: result.text(row, 2) ?? "",
                    base: result.text(row, 3) ?? "", category: result.text(row, 4) ?? "",
                    maxLength: result.int(row, 5), isNotNull: result.bool(row, 6),
                    isGenerated: result.bool(row, 7), isVariable: result.bool(row, 8)))
        }
    }

    private func addIndexes(
        to tables: inout [String: LoadTable], _ connection: borrowing Postgres.Connection
    ) throws {
        let result = try connection.query(
            """
            SELECT c.relname, i.indisunique, i.indisprimary, i.indpred IS NOT NULL,
                (SELECT json_agg(a.attname ORDER BY k.place) FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place)
                    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.number
                    WHERE k.place <= i.indnkeyatts
                        AND k.place < coalesce((SELECT min(e.place) FROM unnest(i.indkey) WITH ORDINALITY
                            AS e (number, place) WHERE e.number = 0), 1000)),
                (SELECT json_agg(DISTINCT a.attname) FROM pg_depend AS d
                    JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                    WHERE i.indexprs IS NOT NULL AND d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
                        AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid)
            FROM pg_class AS c JOIN pg_index AS i ON i.indrelid = c.oid
            WHERE c.relnamespace = to_regnamespace($1) AND i.indisvalid
            ORDER BY c.relname, i.indisprimary DESC, i.indexrelid
            """, [quoteIdentifier(schema)])
        for row in 0..<result.count {
            let leading = Self.names(result.text(row, 4))
            let more = Self.names(result.text(row, 5)).filter { !leading.contains($0) }
            tables[result.text(row, 0) ?? ""]?.indexes.append(
                LoadTable.Index(
                    isUnique: result.bool(row, 1), isPrimary: result.bool(row, 2),
                    isPartial: result.bool(row, 3), columns: leading + more, leading: leading))
        }
    }

    private func addForeignKeys(
        to tables: inout [String: LoadTable], _ connection: borrowing Postgres.Connection
    ) throws {
        func columns(_ table: String, _ numbers: String) -> String {
            """
            (SELECT json_agg(a.attname ORDER BY k.place) FROM unnest(f.\(numbers)) WITH ORDINALITY AS k (number, place)
                JOIN pg_attribute AS a ON a.attrelid = \(table).oid AND a.attnum = k.number)
            """
        }
        let result = try connection.query(
            """
            SELECT c.relname, f.conname, p.relname, \(columns("c", "conkey")), \(columns("p", "confkey"))
            FROM pg_constraint AS f JOIN pg_class AS c ON c.oid = f.conrelid JOIN pg_class AS p ON p.oid = f.confrelid
            WHERE f.contype = 'f' AND f.conparentid = 0 AND c.relnamespace = to_regnamespace($1)
                AND p.relnamespace = c.relnamespace
            ORDER BY c.relname, f.conname
            """, [quoteIdentifier(schema)])
        for row in 0..<result.count {
            tables[result.text(row, 0) ?? ""]?.foreignKeys.append(
                LoadTable.ForeignKey(
                    name: result.text(row, 1) ?? "", columns: Self.names(result.text(row, 3)),
                    parent: result.text(row, 2) ?? "", parentColumns: Self.names(result.text(row, 4))))
        }
    }
}
