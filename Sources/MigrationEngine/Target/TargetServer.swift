import Foundation
import Postgres

/// What a run needs to know of the server, and how it connects.
///
/// Values of this type are shared by all workers; each opens connections of its own.
public struct TargetServer: Sendable {
    /// The oldest version that is supported: its numeric holds infinities.
    public static let oldestVersion = 140_000

    public let conninfo: Conninfo
    let cancellation: Cancellation

    public init(_ conninfo: Conninfo, cancellation: Cancellation) {
        self.conninfo = conninfo
        self.cancellation = cancellation
    }

    /// Opens a connection whose session loads, reads and compares as howdah expects; a policy that would hide rows from it
    /// is an error of the server's, never a smaller count.
    func connect(purpose: String) throws -> Postgres.Connection {
        do {
            let connection = try Postgres.Connection(
                conninfo, applicationName: "howdah \(purpose) (\(NSUserName()), process \(getpid()))",
                isCancelled: { cancellation.isCancelled })
            try connection.execute(
                """
                SET timezone = 'UTC'; SET datestyle = 'ISO'; SET intervalstyle = 'postgres'; SET extra_float_digits = 1; SET standard_conforming_strings = on;
                SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;
                SET lock_timeout = '30s'; SET search_path = pg_catalog, public; SET row_security = off
                """)
            return connection
        } catch let error {
            throw Self.explained(error, conninfo)
        }
    }

    /// Runs `body` with a connection that the run's cancellation stops.
    public func withConnection<T>(purpose: String, _ body: (borrowing Postgres.Connection) throws -> T) throws
        -> T
    {
        let connection = try connect(purpose: purpose)
        let canceller = connection.canceller
        do {
            return try cancellation.whileRegistered({ canceller.cancel() }) { try body(connection) }
        } catch let error as PostgresError where error.code == .cancelled {
            // Another may have ended the statement: that is an error.
            try cancellation.check()
            throw error
        }
    }

    /// What a server's refusal means, without a password; any thread.
    public static func explained(_ error: PostgresError, _ conninfo: Conninfo) -> MigrationError {
        switch error.code {
        case .cancelled: .cancelled
        case .connectionString:
            MigrationError(
                .connection, error.description,
                remedy:
                    "Write it as postgresql://user@host:5432/database; percent-encode special characters.",
                exit: .usage)
        case .connectionLost:
            MigrationError(
                .connection, "the connection to \(conninfo.url) was lost: \(error.message)",
                remedy: "Look whether the server runs; then run this again.", mayPass: true)
        case .passwordNeeded:
            MigrationError(
                .connection, "\(conninfo.url) asks for a password",
                remedy: "Set PGPASSWORD, or put the password into ~/.pgpass (mode 0600) or a service file.")
        default:
            MigrationError(
                .connection, "\(conninfo.url) cannot be reached: \(error.message)",
                remedy: "Check host, port, user and database, and that the server runs and lets you in; "
                    + "psql with the same target shows the same.", mayPass: error.mayPass)
        }
    }

    // MARK: Fitness

    /// Connects and checks that the server can take a migration into `schema`; returns the database's name.
    ///
    /// `makesTables` is false where tables are there already.
    public func check(schema: String, makesTables: Bool = true) throws -> String {
        let connection = try connect(purpose: "check")
        try checkFitness(connection, schema: schema, makesTables: makesTables)
        return connection.database
    }

    /// The name of the database that a connection is on.
    public func databaseName() throws -> String {
        try connect(purpose: "check").database
    }

    /// Whether the server asks for a password that nothing supplies.
    public func asksForPassword() -> Bool {
        do {
            _ = try Postgres.Connection(conninfo, applicationName: "howdah check")
            return false
        } catch {
            return error.code == .passwordNeeded
        }
    }

    /// Throws `.targetUnfit` with the reason where the server cannot take a migration.
    func checkFitness(
        _ connection: borrowing Postgres.Connection, schema: String, makesTables: Bool = true
    ) throws {
        func unfit(_ message: String, _ remedy: String) -> MigrationError {
            MigrationError(.targetUnfit, "\(conninfo.url): \(message)", remedy: remedy)
        }
        guard connection.serverVersion >= Self.oldestVersion else {
            throw unfit(
                "the server is PostgreSQL \(connection.serverVersion / 10000)",
                "PostgreSQL 14 or later is needed.")
        }
        guard connection.parameter("server_encoding") == "UTF8" else {
            throw unfit(
                "the database's encoding is \(connection.parameter("server_encoding") ?? "unknown"), not UTF8",
                "Make one with CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'.")
        }
        let facts = try connection.query(
            """
            SELECT pg_is_in_recovery(), to_regnamespace($1) IS NOT NULL,
                CASE WHEN to_regnamespace($1) IS NULL THEN has_database_privilege(current_database(), 'CREATE')
                     ELSE has_schema_privilege(to_regnamespace($1)::oid, 'CREATE') END,
                has_database_privilege(current_database(), 'CREATE'),
                current_setting('default_transaction_read_only')::boolean
            """, [quoteIdentifier(schema)])
        guard !facts.bool(0, 0) else {
            throw unfit("the server is a standby and read only", "Name the primary server.")
        }
        guard !facts.bool(0, 4) else {
            throw unfit(
                "its transactions are read only (default_transaction_read_only is on)",
                "Set it to off for the role, the database or the server.")
        }
        guard facts.bool(0, 2) || !makesTables else {
            throw unfit(
                "\(connection.user) may not create tables in schema \(schema)",
                "Since PostgreSQL 15 the database's owner must allow it: "
                    + "GRANT CREATE ON SCHEMA \(quoteIdentifier(schema)) TO \(quoteIdentifier(connection.user)), "
                    + "or make the user the database's owner.")
        }
        guard facts.bool(0, 3) else {
            throw unfit(
                "\(connection.user) may not create a schema, and howdah keeps its ledger in one of its own",
                "GRANT CREATE ON DATABASE \(quoteIdentifier(connection.database)) TO \(quoteIdentifier(connection.user))."
            )
        }
    }

    // MARK: One writer at a time

    private static let lockClass = 0x686F_7764

    /// Takes the advisory lock that lasts as long as the connection; throws `.locked` with who holds it since when.
    ///
    /// A session that this process has just closed may hold it a little longer: that one is waited for.
    func takeLock(_ connection: borrowing Postgres.Connection) throws {
        let deadline = ContinuousClock.now.advanced(by: .seconds(3))
        while true {
            let taken = try connection.query("SELECT pg_try_advisory_lock(\(Self.lockClass), 1)")
            if taken.bool(0, 0) { return }
            let holder = try connection.query(
                """
                SELECT a.application_name, a.usename, to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
                WHERE l.locktype = 'advisory' AND l.classid = \(Self.lockClass) AND l.objid = 1 AND l.granted
                    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                """)
            let name = holder.text(0, 0)
            let isOver = name.map { $0.hasSuffix("process \(getpid()))") } ?? true
            if isOver, ContinuousClock.now < deadline {
                try cancellation.check()
                _ = try connection.query("SELECT pg_sleep(0.02)")
                continue
            }
            let who =
                name.map { name in
                    "\(name), as \(holder.text(0, 1) ?? "an unknown user"), since \(holder.text(0, 2) ?? "an unknown time")"
                } ?? "it does not say who"
            throw MigrationError(
                .locked, "another howdah works on \(conninfo.url): \(who)",
                remedy: "Wait until it has ended, or stop it, and run this again.")
        }
    }

    /// Ends what a killed howdah left running on the server: such a session would go on making what is made anew.
    ///
    /// Called with the lock held, so that none of them belongs to a howdah that is at work.
    func endLeftovers(_ connection: borrowing Postgres.Connection) throws {
        let sql = """
            FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                AND application_name LIKE 'howdah work (%' AND usename = current_user
            """
        guard try connection.query("SELECT count(pg_terminate_backend(pid)) \(sql)").int(0, 0) ?? 0 > 0 else {
            return
        }
        let deadline = ContinuousClock.now.advanced(by: .seconds(20))
        while try connection.query("SELECT EXISTS (SELECT \(sql))").bool(0, 0) {
            try cancellation.check()
            guard ContinuousClock.now < deadline else {
                throw MigrationError(
                    .locked, "sessions of a howdah that was killed are still at work on \(conninfo.url)",
                    remedy:
                        "Wait until they have ended, or end them with pg_terminate_backend, and run this again."
                )
            }
            _ = try connection.query("SELECT pg_sleep(0.05)")
        }
    }

    /// Tables, views and the like of those names that are in the schema already.
    func existing(_ names: [String], schema: String, _ connection: borrowing Postgres.Connection) throws
        -> [String]
    {
        let result = try connection.query(
            """
            SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = to_regnamespace($1)
                AND c.relkind NOT IN ('i', 'I', 't') ORDER BY 1
            """, [quoteIdentifier(schema)])
        let wanted = Set(names)
        return (0..<result.count).compactMap { result.text($0, 0) }.filter { wanted.contains($0) }
    }
}
