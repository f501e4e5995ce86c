import AppProject
import MigrationEngine
import Postgres

/// Connects as the application does, and looks whether it can do its work.
struct SmokeTest {
    private let context: StepContext

    init(_ context: StepContext) {
        self.context = context
    }

    /// Which database of which server a connection leads to. Where the server does not tell a role, the name has to do.
    private struct Place {
        let identity: String?
        let name: String

        init(_ connection: borrowing Postgres.Connection) throws {
            identity = try TargetServer.identity(connection)
            name = connection.database
        }

        func isSame(as other: Place) -> Bool {
            guard let identity, let others = other.identity else { return name == other.name }
            return identity == others
        }
    }

    /// What was found, line by line; throws where the application could not work.
    func run() throws -> [String] {
        let (conninfo, place) = try applicationConninfo()
        let expected = try context.server().withConnection(purpose: "smoke test") { try Place($0) }
        let server = TargetServer(conninfo, cancellation: context.cancellation)
        let found = try server.withConnection(purpose: "smoke test") { connection in
            let database = connection.database
            guard try Place(connection).isSame(as: expected) else {
                throw MigrationError(
                    .connection,
                    "\(place) leads to another database than the one that was proven: \(conninfo.url)",
                    remedy: "Correct the URL, or go back: undo C.2.")
            }
            guard try !connection.query("SELECT pg_is_in_recovery()").bool(0, 0) else {
                throw MigrationError(
                    .targetUnfit, "\(place) leads to a standby, which takes no writes",
                    remedy: "Name the primary server.")
            }
            let plan = try context.book.planIfAny()
            let tables = (plan?.tables ?? []).filter { !$0.isSkipped }.map {
                quoteIdentifier(context.book.schema, $0.targetName)
            }
            var read = 0
            for table in tables {
                try context.cancellation.check()
                try refuseMissing(table, connection)
                read += try connection.query("SELECT * FROM \(table) LIMIT 1").count
            }
            return [
                "\(place) leads to \(database) as \(connection.user), the database that was proven",
                "it may read and write \(Format.count(tables.count, "table", "tables")); \(Format.count(read)) of them gave a row",
            ]
        }
        let others = try Self.othersConnected(context.server())
        return found + [
            others > 0
                ? "\(Format.count(others, "connection", "connections")) of others to the database: the application's, probably"
                : "nobody else is connected yet: start the application, and look again with r"
        ]
    }

    /// How many others are connected to a database at this moment, howdah's own left out.
    static func othersConnected(_ server: TargetServer) throws -> Int {
        try server.withConnection(purpose: "smoke test") { connection in
            try connection.query(
                """
                SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                    AND coalesce(backend_type, 'client backend') = 'client backend' AND application_name NOT LIKE 'howdah %'
                """
            ).int(0, 0) ?? 0
        }
    }

    /// Throws where the application's role may not do with a table what applications do.
    private func refuseMissing(_ table: String, _ connection: borrowing Postgres.Connection) throws {
        let rights = try connection.query(
            """
            SELECT string_agg(r, ', ') FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS r
            WHERE NOT has_table_privilege($1, r)
            """, [table])
        let sequences = try connection.query(
            """
            SELECT string_agg(quote_ident(s.relname), ', ') FROM pg_depend AS d JOIN pg_class AS s ON s.oid = d.objid
            WHERE d.refobjid = $1::regclass AND CASE s.relkind WHEN 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE') END
            """, [table])
        guard let missing = rights.text(0, 0) ?? sequences.text(0, 0).map({ "USAGE on \($0)" }) else {
            return
        }
        throw MigrationError(
            .targetUnfit, "\(connection.user) lacks \(missing) on \(table)",
            remedy: "GRANT it, or make the application's role the owner of the tables; then run this again.")
    }

    /// Where the application connects to, by its own settings; the target's own where it has none that howdah reads.
    private func applicationConninfo() throws -> (Conninfo, place: String) {
        if let directory = context.workspace.location.projectDirectory,
            let found = ProjectEditor(directory: directory).databaseURL
        {
            do {
                return (try Conninfo(clientURL: found.url), found.path)
            } catch {
                throw MigrationError(
                    .projectFile, "\(found.path): the database's URL does not lead to PostgreSQL",
                    remedy: "Run step 2.1, or set it by hand.", exit: .undecided)
            }
        }
        return (try context.server().conninfo, "the target's own URL")
    }
}
