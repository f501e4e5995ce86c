import Foundation
import Postgres

/// Reads a schema's catalog (https://www.postgresql.org/docs/current/catalogs.html); system views would hide what the user
/// has no rights on.
struct TargetCatalogReader {
    private let schema: String
    private var catalog = TargetCatalog()

    static func read(
        schema: String, _ connection: borrowing Postgres.Connection
    ) throws -> TargetCatalog {
        var reader = TargetCatalogReader(schema: quoteIdentifier(schema))
        reader.catalog.mayReplicate = try mayReplicate(connection)
        try reader.readTables(connection)
        try reader.readColumns(connection)
        try reader.readKeys(connection)
        try reader.readForeignKeys(connection)
        try reader.readTriggers(connection)
        try reader.readEnums(connection)
        return reader.catalog
    }

    /// Whether we may set session_replication_role: superusers, and since 15 who was granted it.
    static func mayReplicate(_ connection: borrowing Postgres.Connection) throws -> Bool {
        let sql =
            connection.serverVersion >= 150_000
            ? "has_parameter_privilege('session_replication_role', 'SET')"
            : "current_setting('is_superuser')::boolean"
        return try connection.query("SELECT \(sql)").bool(0, 0)
    }

    private init(schema: String) {
        self.schema = schema
    }

    private mutating func change(_ table: String?, _ body: (inout TargetCatalog.Table) -> Void) {
        guard let index = catalog.tables.firstIndex(where: { $0.name == table }) else { return }
        body(&catalog.tables[index])
    }

    /// Names as a list, which JSON keeps whatever they hold.
    private static func names(_ json: String?) -> [String] {
        (try? JSONDecoder().decode([String].self, from: Data((json ?? "").utf8))) ?? []
    }

    private mutating func readTables(_ connection: borrowing Postgres.Connection) throws {
        let result = try connection.query(
            """
            SELECT relname, relkind, pg_get_userbyid(relowner), pg_has_role(relowner, 'USAGE'), row_security_active(oid),
                (SELECT coalesce(json_agg(r), '[]') FROM unnest(ARRAY['SELECT', 'INSERT', 'DELETE']) AS r
                    WHERE NOT has_table_privilege(c.oid, r))
            FROM pg_class AS c WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p', 'v', 'm', 'f')
            ORDER BY relname
            """, [schema])
        let words = ["v": "a view", "m": "a materialized view", "f": "a foreign table"]
        for row in 0..<result.count {
            let name = result.text(row, 0) ?? ""
            if let other = words[result.text(row, 1) ?? ""] {
                catalog.others[name] = other
                continue
            }
            catalog.tables.append(
                .init(
                    name: name, owner: result.text(row, 2) ?? "", isOwned: result.bool(row, 3),
                    hidesRows: result.bool(row, 4), missingRights: Self.names(result.text(row, 5))))
        }
    }

    private mutating func readColumns(_ connection: borrowing Postgres.Connection) throws {
        // An enum of another schema goes by its full name.
        let result = try connection.query(
            """
            WITH RECURSIVE \(TargetColumns.baseTypes), found AS (
                SELECT c.relname, a.attname, a.attnum,
                    CASE WHEN t.typtype = 'e' AND t.typnamespace <> to_regnamespace($1)
                        THEN format('%s.%I', t.typnamespace::regnamespace, t.typname) ELSE \(TargetColumns.typeName) END
                        AS type,
                    CASE WHEN a.atttypid <> b.type THEN format_type(a.atttypid, NULL) END AS domain,
                    a.attnotnull OR b.refuses_null AS is_not_null, d.oid IS NOT NULL OR h.typdefault IS NOT NULL AS has_default,
                    CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END AS generated,
                    a.attidentity <> '' AS is_identity,
                    coalesce(pg_get_serial_sequence(format('%s.%I', c.relnamespace::regnamespace, c.relname), a.attname),
                        \(Self.sequenceOfDefault)) AS sequence
                FROM base AS b JOIN pg_type AS t ON t.oid = b.type AND t.typtype <> 'd'
                    JOIN pg_attribute AS a ON a.attrelid = b.attrelid AND a.attnum = b.attnum
                    JOIN pg_type AS h ON h.oid = a.atttypid
                    JOIN pg_class AS c ON c.oid = a.attrelid
                    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p'))
            SELECT relname, attname, type, domain, is_not_null, has_default, generated, is_identity, sequence,
                coalesce(has_sequence_privilege(sequence::regclass, 'UPDATE')
                    AND has_sequence_privilege(sequence::regclass, 'SELECT'), true)
            FROM found ORDER BY relname, attnum
            """, [schema])
        for row in 0..<result.count {
            let column = TargetCatalog.Column(
                name: result.text(row, 1) ?? "", type: PostgresType(formatted: result.text(row, 2) ?? "").sql,
                domain: result.text(row, 3), isNotNull: result.bool(row, 4), hasDefault: result.bool(row, 5),
                generated: result.text(row, 6), isIdentity: result.bool(row, 7),
                sequence: result.text(row, 8),
                maySetSequence: result.bool(row, 9))
            change(result.text(row, 0)) { $0.columns.append(column) }
        }
    }

    /// The sequence that the default d takes numbers from, whoever owns it.
    static let sequenceOfDefault = """
        (SELECT s.oid::regclass::text FROM pg_depend AS p JOIN pg_class AS s ON s.oid = p.refobjid AND s.relkind = 'S'
            WHERE p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass LIMIT 1)
        """

    /// The names of a constraint's columns, in its order.
    private static func columns(_ table: String, _ numbers: String) -> String {
        """
        (SELECT json_agg(a.attname ORDER BY n.place) FROM unnest(\(numbers)) WITH ORDINALITY AS n (number, place)
            JOIN pg_attribute AS a ON a.attrelid = \(table) AND a.attnum = n.number)
        """
    }

    private mutating func readKeys(_ connection: borrowing Postgres.Connection) throws {
        let result = try connection.query(
            """
            SELECT c.relname, k.conname, k.contype = 'p', \(Self.columns("k.conrelid", "k.conkey"))
            FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
            WHERE c.relnamespace = to_regnamespace($1) AND k.contype IN ('p', 'u') ORDER BY k.contype, k.conname
            """, [schema])
        for row in 0..<result.count {
            let key = TargetCatalog.Key(
                name: result.text(row, 1) ?? "", isPrimary: result.bool(row, 2),
                columns: Self.names(result.text(row, 3)))
            change(result.text(row, 0)) { $0.keys.append(key) }
        }
    }

    private mutating func readForeignKeys(_ connection: borrowing Postgres.Connection) throws {
        let result = try connection.query(
            """
            SELECT c.relname, k.conname, \(Self.columns("k.conrelid", "k.conkey")),
                CASE WHEN p.relnamespace = c.relnamespace THEN p.relname END, \(Self.columns("k.confrelid", "k.confkey")),
                k.confdeltype, k.confupdtype
            FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_class AS p ON p.oid = k.confrelid
            WHERE c.relnamespace = to_regnamespace($1) AND k.contype = 'f' AND k.conparentid = 0 ORDER BY k.conname
            """, [schema])
        let actions = ["r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"]
        for row in 0..<result.count {
            let key = TargetCatalog.ForeignKey(
                name: result.text(row, 1) ?? "", columns: Self.names(result.text(row, 2)),
                parent: result.text(row, 3), parentColumns: Self.names(result.text(row, 4)),
                onDelete: actions[result.text(row, 5) ?? ""], onUpdate: actions[result.text(row, 6) ?? ""])
            change(result.text(row, 0)) { $0.foreignKeys.append(key) }
        }
    }

    private mutating func readTriggers(_ connection: borrowing Postgres.Connection) throws {
        // Bits of tgtype: 4 INSERT, 8 DELETE, 32 TRUNCATE.
        let result = try connection.query(
            """
            SELECT c.relname, t.tgname, t.tgenabled, t.tgtype & 4 <> 0, t.tgtype & 40 <> 0
            FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
            WHERE c.relnamespace = to_regnamespace($1) AND NOT t.tgisinternal ORDER BY t.tgname
            """, [schema])
        for row in 0..<result.count {
            let trigger = TargetCatalog.Trigger(
                name: result.text(row, 1) ?? "", state: result.text(row, 2) ?? "",
                firesOnInsert: result.bool(row, 3), firesOnDelete: result.bool(row, 4))
            catalog.triggers.insert(trigger.name)
            change(result.text(row, 0)) { $0.triggers.append(trigger) }
        }
    }

    private mutating func readEnums(_ connection: borrowing Postgres.Connection) throws {
        let result = try connection.query(
            """
            SELECT t.typname, json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_type AS t
                JOIN pg_enum AS e ON e.enumtypid = t.oid
            WHERE t.typnamespace = to_regnamespace($1) GROUP BY 1 ORDER BY 1
            """, [schema])
        for row in 0..<result.count {
            catalog.enums[result.text(row, 0) ?? ""] = Self.names(result.text(row, 1))
        }
    }
}
