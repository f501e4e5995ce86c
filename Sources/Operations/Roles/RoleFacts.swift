import Postgres

/// What a server has that decides which statements make the roles.
struct RoleFacts: Sendable {
    struct Object: Sendable, Equatable {
        /// As ALTER takes it: TABLE, SEQUENCE, ROUTINE.
        let kind: String
        /// Quoted, with the schema before it.
        let name: String
        let owner: String
    }

    var version: Int
    var database: String
    var databaseOwner: String
    var user: String
    var isSuperuser: Bool
    /// Whether this user may give another one BYPASSRLS.
    var mayBypass: Bool
    /// Every role with whether it is a superuser.
    var roles: [String: Bool]
    var hasSchema: Bool
    /// howdah's own ledger is there.
    var hasLedger: Bool
    var publicMayCreate: Bool
    var publicMayConnect: Bool
    /// Who may connect only because everybody may.
    var connecting: [String]
    /// Who owns objects in the schema, and may make more only because everybody may.
    var creating: [String]
    /// Tables with row level security.
    var secured: [String]
    /// What is in the schema, and in howdah's.
    var objects: [Object]
    /// Roles that this user has the rights of.
    var memberships: Set<String>
    var largeObjects: Int
}

extension RoleFacts {
    /// Asks the server, as seen from one connection; `names` are the four roles'.
    static func read(
        schema: String, names: [String], _ connection: borrowing Postgres.Connection
    ) throws -> RoleFacts {
        let own = try connection.query(
            """
            SELECT current_user, r.rolsuper, r.rolsuper OR r.rolbypassrls AND r.rolcreaterole AND $1::int >= 160000,
                pg_get_userbyid(d.datdba), to_regnamespace($2) IS NOT NULL, to_regclass('howdah.run') IS NOT NULL,
                EXISTS (SELECT FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
                    WHERE a.grantee = 0 AND a.privilege_type = 'CONNECT'),
                EXISTS (SELECT FROM pg_namespace AS n,
                        aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS a
                    WHERE n.nspname = $3 AND a.grantee = 0 AND a.privilege_type = 'CREATE'),
                (SELECT count(*) FROM pg_largeobject_metadata)
            FROM pg_roles AS r, pg_database AS d WHERE r.rolname = current_user AND d.datname = current_database()
            """, ["\(connection.serverVersion)", quoteIdentifier(schema), schema])
        let roles = try connection.query("SELECT rolname, rolsuper FROM pg_roles")
        return RoleFacts(
            version: connection.serverVersion, database: connection.database,
            databaseOwner: own.text(0, 3) ?? "", user: own.text(0, 0) ?? "", isSuperuser: own.bool(0, 1),
            mayBypass: own.bool(0, 2),
            roles: Dictionary(
                uniqueKeysWithValues: (0..<roles.count).map { (roles.text($0, 0) ?? "", roles.bool($0, 1)) }),
            hasSchema: own.bool(0, 4), hasLedger: own.bool(0, 5), publicMayCreate: own.bool(0, 7),
            publicMayConnect: own.bool(0, 6), connecting: try connecting(names, connection),
            creating: try list(creatingSQL, [schema], connection).filter { !names.contains($0) },
            secured: try list(securedSQL, [], connection), objects: try objects(schema, connection),
            memberships: Set(try list(membershipsSQL, [], connection)), largeObjects: own.int(0, 8) ?? 0)
    }

    private static func list(
        _ sql: String, _ parameters: [String?], _ connection: borrowing Postgres.Connection
    ) throws -> [String] {
        let result = try connection.query(sql, parameters)
        return (0..<result.count).compactMap { result.text($0, 0) }
    }

    private static func connecting(
        _ names: [String], _ connection: borrowing Postgres.Connection
    ) throws -> [String] {
        try list(
            """
            SELECT r.rolname FROM pg_roles AS r, pg_database AS d
            WHERE d.datname = current_database() AND r.rolcanlogin AND NOT r.rolsuper
                AND NOT pg_has_role(r.oid, d.datdba, 'USAGE')
                AND NOT EXISTS (SELECT FROM aclexplode(d.datacl) AS a
                    WHERE a.grantee <> 0 AND a.privilege_type = 'CONNECT' AND pg_has_role(r.oid, a.grantee, 'USAGE'))
            ORDER BY 1
            """, [], connection
        ).filter { !names.contains($0) }
    }

    private static let creatingSQL = """
        SELECT DISTINCT pg_get_userbyid(c.relowner) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_roles AS r ON r.oid = c.relowner
        WHERE n.nspname = $1 AND NOT r.rolsuper AND NOT pg_has_role(c.relowner, n.nspowner, 'USAGE')
            AND NOT EXISTS (SELECT FROM aclexplode(n.nspacl) AS a
                WHERE a.grantee <> 0 AND a.privilege_type = 'CREATE' AND pg_has_role(c.relowner, a.grantee, 'USAGE'))
        ORDER BY 1
        """

    private static let securedSQL = """
        SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relrowsecurity ORDER BY 1
        """

    private static let membershipsSQL = """
        SELECT rolname FROM pg_roles WHERE pg_has_role(oid, 'USAGE')
        """

    /// Without members of extensions, and without sequences that belong to a column: those follow their table.
    private static func objects(
        _ schema: String, _ connection: borrowing Postgres.Connection
    ) throws -> [Object] {
        let result = try connection.query(
            """
            SELECT o.kind, o.name, pg_get_userbyid(o.owner) FROM (
                SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                        WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END AS kind,
                    format('%I.%I', n.nspname, c.relname) AS name, c.relowner AS owner, 1 AS rank
                FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                WHERE n.nspname IN ($1, 'howdah') AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
                    AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                        AND (d.deptype = 'e' OR c.relkind = 'S' AND d.deptype IN ('a', 'i')))
                UNION ALL
                SELECT CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, format('%I.%I', n.nspname, t.typname),
                    t.typowner, 2
                FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace LEFT JOIN pg_class AS c ON c.oid = t.typrelid
                WHERE n.nspname = $1 AND (t.typtype IN ('d', 'e', 'r') OR t.typtype = 'c' AND c.relkind = 'c')
                    AND NOT EXISTS (SELECT FROM pg_depend AS d
                        WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
                UNION ALL
                SELECT 'ROUTINE', format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
                    p.proowner, 3
                FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
                WHERE n.nspname = $1 AND p.prokind IN ('f', 'p', 'w')
                    AND NOT EXISTS (SELECT FROM pg_depend AS d
                        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
                UNION ALL
                SELECT 'SCHEMA', quote_ident(n.nspname), n.nspowner, 0 FROM pg_namespace AS n
                WHERE n.nspname IN ($1, 'howdah') AND n.nspname <> 'public'
            ) AS o ORDER BY o.rank, o.name
            """, [schema])
        return (0..<result.count).map {
            Object(
                kind: result.text($0, 0) ?? "", name: result.text($0, 1) ?? "",
                owner: result.text($0, 2) ?? "")
        }
    }
}
