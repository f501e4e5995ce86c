import Foundation
import MigrationEngine
import Postgres

/// What has to be known of a database to back it up, and to bring it back somewhere else.
struct DatabaseFacts: Sendable {
    let version: String
    let major: Int
    let bytes: Int64
    let tables: [Table]
    let extensions: [(name: String, version: String)]
    let traits: DatabaseTraits
    /// Statements that give another database what belongs to the database itself, which no dump of it holds: settings and
    /// rights. In them the database is called `placeholder`.
    let properties: [String]
    /// Where the server keeps its data, where it is on this machine and lets that be seen.
    let dataFolder: String?
    /// Whether what was asked for could not be seen: which rights are missing.
    let unseen: [String]

    struct Table: Sendable, Hashable {
        let schema: String
        let name: String
        /// Whether it has rows of its own, and a dump a part for them.
        let hasRows: Bool

        var words: String { "\(schema).\(name)" }
    }

    static let placeholder = "howdah_database"
    /// Schemas of the server's own.
    static let noSystemSchemas =
        "nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_(toast|temp)'"

    init(_ connection: borrowing Postgres.Connection) throws {
        try connection.execute("SET statement_timeout = '60s'")
        let row = try connection.query(
            """
            SELECT current_setting('server_version'), pg_database_size(current_database()),
                pg_has_role('pg_read_all_settings', 'USAGE') OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
                coalesce(host(inet_server_addr()), '')
            """)
        version = row.text(0, 0) ?? ""
        major = connection.serverVersion / 10000
        bytes = Int64(row.int(0, 1) ?? 0)
        traits = try DatabaseTraits(connection)
        tables = try Self.tables(connection)
        let found = try connection.query(
            "SELECT extname, extversion FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1")
        extensions = (0..<found.count).map { (found.text($0, 0) ?? "", found.text($0, 1) ?? "") }
        properties = try Self.properties(connection)
        let isLocal = ["", "127.0.0.1", "::1"].contains(row.text(0, 3) ?? "")
        if isLocal, row.bool(0, 2) {
            dataFolder = try connection.query("SELECT current_setting('data_directory')").text(0, 0)
            unseen = []
        } else {
            dataFolder = nil
            unseen =
                isLocal
                ? [
                    "whether the backups lie on the server's own disk cannot be seen: that needs pg_read_all_settings"
                ] : []
        }
    }

    /// Tables that belong to the database, and not to an extension; those of other servers are no part of a dump's rows.
    static func tables(_ connection: borrowing Postgres.Connection) throws -> [Table] {
        let result = try connection.query(
            """
            SELECT nspname, relname, relkind = 'r' FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
            WHERE relkind IN ('r', 'p') AND \(noSystemSchemas) AND relpersistence <> 't' AND NOT EXISTS (
                SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
            ORDER BY 1, 2
            """)
        return (0..<result.count).map {
            Table(
                schema: result.text($0, 0) ?? "", name: result.text($0, 1) ?? "", hasRows: result.bool($0, 2))
        }
    }

    /// Settings that are lists of names: each is a value by itself (`GUC_LIST_QUOTE` in the server's guc_tables.c).
    private static let lists: Set<String> = [
        "local_preload_libraries", "search_path", "session_preload_libraries", "shared_preload_libraries",
        "temp_tablespaces", "unix_socket_directories",
    ]

    /// The names of a list as the server keeps it: between commas, some in double quotes.
    private static func elements(_ text: String) -> [String] {
        var elements: [String] = []
        var current = ""
        var isQuoted = false
        for character in text.unicodeScalars {
            switch character {
            case "\"": isQuoted.toggle()
            case "," where !isQuoted:
                elements.append(current)
                current = ""
            case " " where !isQuoted: break
            default: current.unicodeScalars.append(character)
            }
        }
        elements.append(current)
        return elements.filter { !$0.isEmpty }
    }

    private static func properties(_ connection: borrowing Postgres.Connection) throws -> [String] {
        let settings = try connection.query(
            """
            SELECT pg_get_userbyid(nullif(setrole, 0)), split_part(setting, '=', 1),
                substr(setting, strpos(setting, '=') + 1)
            FROM pg_db_role_setting, unnest(setconfig) AS setting
            WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1, 2
            """)
        let place = quoteIdentifier(placeholder)
        var statements = (0..<settings.count).map { row -> String in
            let name = settings.text(row, 1) ?? ""
            let setting = quoteIdentifier(name)
            let text = settings.text(row, 2) ?? ""
            let values = lists.contains(name.lowercased()) ? elements(text) : [text]
            let value = values.isEmpty ? "''" : values.map { quoteLiteral($0) }.joined(separator: ", ")
            let role = settings.text(row, 0).map { "ROLE \(quoteIdentifier($0)) IN " } ?? ""
            return "ALTER \(role)DATABASE \(place) SET \(setting) TO \(value)"
        }
        let rights = try connection.query(
            """
            SELECT privilege_type, CASE grantee WHEN 0 THEN NULL ELSE pg_get_userbyid(grantee) END
            FROM pg_database, aclexplode(datacl) WHERE datname = current_database() AND grantee <> datdba ORDER BY 2, 1
            """)
        let isLimited = try connection.query(
            "SELECT datacl IS NOT NULL FROM pg_database WHERE datname = current_database()"
        ).bool(0, 0)
        if isLimited { statements.append("REVOKE ALL ON DATABASE \(place) FROM PUBLIC") }
        for row in 0..<rights.count {
            let grantee = rights.text(row, 1).map { quoteIdentifier($0) } ?? "PUBLIC"
            statements.append("GRANT \(rights.text(row, 0) ?? "") ON DATABASE \(place) TO \(grantee)")
        }
        return statements
    }
}
