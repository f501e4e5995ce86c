import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

@testable import Operations

/// The roles on a real server: what each may do, and what it may not.
@Suite struct RoleMakerTests {
    private static let source = """
        CREATE TABLE "User" (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
        CREATE TABLE "Message" (id INTEGER PRIMARY KEY, "userId" INTEGER NOT NULL REFERENCES "User"(id), body BLOB);
        INSERT INTO "User" VALUES (1, 'ann'), (2, 'bob');
        INSERT INTO "Message" VALUES (1, 1, x'00ff'), (2, 2, NULL);
        """

    /// A database with the roles made in it, and what the undo needs to know.
    private struct Fixture {
        let admin: Conninfo
        let plan: RolePlan
        let record: RoleRecord
        let folder: String

        func conninfo(_ role: DatabaseRole) -> Conninfo { admin.setting("user", to: plan.name(role)) }

        func maker(_ options: RoleOptions = RoleOptions()) -> RoleMaker {
            RoleMakerTests.maker(admin, options, earlier: record)
        }

        func migrate(as conninfo: Conninfo) throws {
            let path = "\(folder)/source.db"
            try makeDatabase(path, RoleMakerTests.source)
            let report = try TestMigration().run(path, state: "\(folder)/state", into: conninfo)
            #expect(report.outcome == .proven)
        }

        /// The SQLSTATE that a statement ends with; nil where the role may do it.
        func refusal(_ sql: String, as role: DatabaseRole) throws -> String? {
            let connection = try TestServer.connect(conninfo(role))
            do {
                _ = try connection.query(sql)
                return nil
            } catch {
                return error.sqlState ?? "none"
            }
        }
    }

    private static func maker(
        _ admin: Conninfo, _ options: RoleOptions = RoleOptions(), schema: String = "public",
        earlier: RoleRecord? = nil
    ) -> RoleMaker {
        RoleMaker(
            TargetServer(admin, cancellation: Cancellation()), schema: schema, options: options,
            earlier: earlier)
    }

    /// Makes the roles with `options`, by whoever `admin` connects as.
    private func apply(
        _ admin: Conninfo, _ options: RoleOptions = RoleOptions(), passwords: [String: String] = [:],
        schema: String = "public", earlier: RoleRecord? = nil
    ) throws -> (RolePlan, RoleRecord) {
        let maker = Self.maker(admin, options, schema: schema, earlier: earlier)
        let plan = try maker.plan()
        var record = RoleRecord(database: plan.database)
        try maker.apply(plan, passwords: passwords) { record = $0 }
        return (plan, record)
    }

    private func withRoles(
        _ options: RoleOptions = RoleOptions(), _ body: (Fixture) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            try TestServer.withDatabase { admin in
                let (plan, record) = try apply(admin, options)
                try body(Fixture(admin: admin, plan: plan, record: record, folder: folder))
            }
        }
    }

    private func isThere(_ role: String, _ admin: Conninfo) throws -> Bool {
        try TestServer.connect(admin).query("SELECT FROM pg_roles WHERE rolname = $1", [role]).count == 1
    }

    @Test func theWholeMigrationRunsAsTheMigrateRoleAlone() throws {
        try withRoles { fixture in
            try fixture.migrate(as: fixture.conninfo(.migrate))
            let attributes = try TestServer.rows(
                """
                SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles
                WHERE rolname = '\(fixture.plan.name(.migrate))'
                """, in: fixture.admin)
            #expect(attributes == ["f|f|f|f|f"])
        }
    }

    @Test func theApplicationChangesRowsAndNothingElse() throws {
        try withRoles { fixture in
            try fixture.migrate(as: fixture.conninfo(.migrate))
            let allowed = [
                #"SELECT count(*) FROM "User" JOIN "Message" ON "userId" = "User".id"#,
                #"INSERT INTO "User" (name) VALUES ('eve')"#,
                #"UPDATE "User" SET name = 'Eve' WHERE name = 'eve'"#,
                #"DELETE FROM "User" WHERE name = 'Eve'"#,
            ]
            for sql in allowed { #expect(try fixture.refusal(sql, as: .app) == nil, "\(sql)") }
            let refused = [
                #"CREATE TABLE public.x (id int)"#, #"ALTER TABLE "User" ADD COLUMN x int"#,
                #"DROP TABLE "Message""#, #"TRUNCATE "Message""#, #"CREATE INDEX ON "User" (name)"#,
                #"CREATE SCHEMA x"#, #"CREATE ROLE x"#,
                #"CREATE FUNCTION public.x() RETURNS int LANGUAGE sql AS 'SELECT 1'"#,
                #"SELECT * FROM howdah.run"#, #"SELECT * FROM howdah.quarantine"#,
                #"SELECT setval(pg_get_serial_sequence('"User"', 'id'), 1)"#,
                #"COPY "User" TO PROGRAM 'cat'"#,
            ]
            for sql in refused {
                let state = try fixture.refusal(sql, as: .app)
                #expect(state == "42501", "\(sql): \(state ?? "it may")")
            }
        }
    }

    @Test func tablesThatAreMadeLaterAreReachedAsPromised() throws {
        try withRoles { fixture in
            let migrate = try TestServer.connect(fixture.conninfo(.migrate))
            try migrate.execute(
                """
                CREATE TABLE public.later (id serial PRIMARY KEY, x text); INSERT INTO later (x) VALUES ('a');
                CREATE FUNCTION public.twice(n int) RETURNS int LANGUAGE sql AS 'SELECT 2 * n';
                REVOKE EXECUTE ON FUNCTION public.twice FROM PUBLIC
                """)
            let may: [(String, Set<DatabaseRole>)] = [
                ("INSERT INTO public.later (x) VALUES ('b')", [.migrate, .app]),
                ("SELECT * FROM public.later", [.migrate, .app, .backup]),
                ("SELECT last_value FROM public.later_id_seq", [.migrate, .app, .backup]),
                ("SELECT public.twice(2)", [.migrate, .app]),
                ("ALTER TABLE public.later ADD COLUMN y int", [.migrate]),
            ]
            for (sql, allowed) in may {
                for role in DatabaseRole.allCases {
                    let state = try fixture.refusal(sql, as: role)
                    #expect((state == nil) == allowed.contains(role), "\(role): \(sql): \(state ?? "it may")")
                }
            }
        }
    }

    @Test func theBackupRolesDumpIsRestoredWhole() throws {
        try withRoles { fixture in
            try fixture.migrate(as: fixture.conninfo(.migrate))
            let dump = "\(fixture.folder)/dump"
            func run(_ program: String, _ arguments: [String]) throws {
                let outcome = try Command(
                    "/usr/bin/env", [program] + arguments, in: "/",
                    environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"]
                ).run(cancellation: Cancellation())
                #expect(outcome.status == 0, "\(outcome.output)")
            }
            try run("pg_dump", ["-Fc", "-f", dump, "-d", fixture.conninfo(.backup).url])
            try TestServer.withDatabase { other in
                try run("pg_restore", ["--exit-on-error", "-d", other.url, dump])
                for sql in [#"SELECT * FROM "User" ORDER BY 1"#, #"SELECT * FROM "Message" ORDER BY 1"#] {
                    #expect(try TestServer.rows(sql, in: other) == TestServer.rows(sql, in: fixture.admin))
                }
                #expect(try TestServer.value("SELECT count(*) FROM howdah.run", in: other) == "1")
            }
            #expect(try fixture.refusal(#"DELETE FROM "Message""#, as: .backup) == "25006")
        }
    }

    @Test func rowLevelSecurityHidesNothingFromABackup() throws {
        try TestServer.withDatabase { admin in
            try TestServer.execute(
                """
                CREATE TABLE public.t (id int); INSERT INTO t VALUES (1);
                ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (false)
                """, in: admin)
            let (plan, _) = try apply(admin)
            let backup = admin.setting("user", to: plan.name(.backup))
            #expect(try TestServer.value("SELECT count(*) FROM public.t", in: backup) == "1")
            let app = admin.setting("user", to: plan.name(.app))
            #expect(try TestServer.value("SELECT count(*) FROM public.t", in: app) == "0")
        }
    }

    @Test func monitoringSeesOthersQueriesAndNoRow() throws {
        try withRoles { fixture in
            try fixture.migrate(as: fixture.conninfo(.migrate))
            let app = try TestServer.connect(fixture.conninfo(.app))
            _ = try app.query("SELECT 'what the application asks'")
            let query = "SELECT query FROM pg_stat_activity WHERE pid = \(app.backendProcess)"
            #expect(
                try TestServer.value(query, in: fixture.conninfo(.watch))
                    == "SELECT 'what the application asks'")
            #expect(try TestServer.value(query, in: fixture.conninfo(.backup)) == "<insufficient privilege>")
            #expect(try fixture.refusal(#"SELECT * FROM public."User""#, as: .watch) == "42501")
            #expect(try fixture.refusal("SELECT * FROM howdah.run", as: .watch) == "42501")
            #expect(try fixture.refusal(#"SELECT pg_database_size(current_database())"#, as: .watch) == nil)
        }
    }

    @Test func runAgainItChangesNothingAndTheScriptRunsTwiceToo() throws {
        try withRoles { fixture in
            // Everybody's rights hang on who else is on the server at the moment.
            let acl = """
                SELECT 'database', grantee::regrole, privilege_type FROM pg_database, aclexplode(datacl)
                    WHERE datname = current_database() AND grantee <> 0
                UNION ALL SELECT 'schema', grantee::regrole, privilege_type FROM pg_namespace, aclexplode(nspacl)
                    WHERE nspname = 'public' AND grantee <> 0
                UNION ALL SELECT 'later', grantee::regrole, privilege_type FROM pg_default_acl, aclexplode(defaclacl)
                ORDER BY 1, 2, 3
                """
            let before = try TestServer.rows(acl, in: fixture.admin)
            let (again, record) = try apply(fixture.admin, earlier: fixture.record)
            #expect(again.accounts.allSatisfy { !$0.isNew })
            #expect(Set(record.made) == Set(fixture.record.made))
            for _ in 1...2 { try TestServer.execute(again.script, in: fixture.admin) }
            #expect(try TestServer.rows(acl, in: fixture.admin) == before)
        }
    }

    @Test func theUndoLeavesEverythingAsItWas() throws {
        try TestServer.withDatabase { admin in
            let state = """
                SELECT (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(datacl) AS a)::text
                    FROM pg_database WHERE datname = current_database()
                UNION ALL SELECT count(*)::text FROM pg_default_acl
                UNION ALL SELECT count(*)::text FROM pg_db_role_setting WHERE setdatabase = (
                    SELECT oid FROM pg_database WHERE datname = current_database())
                UNION ALL SELECT (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(nspacl) AS a)::text
                    FROM pg_namespace WHERE nspname = 'public'
                UNION ALL SELECT has_database_privilege('public', current_database(), 'CONNECT')::text
                """
            try TestServer.execute("CREATE TABLE public.t (id serial)", in: admin)
            // What a GRANT to the owner spells out was true before.
            try TestServer.execute("GRANT CONNECT ON DATABASE \(admin["dbname"] ?? "") TO PUBLIC", in: admin)
            let before = try TestServer.rows(state, in: admin)
            let (plan, record) = try apply(admin)
            _ = try Self.maker(admin).undo(record)
            #expect(try TestServer.rows(state, in: admin) == before)
            #expect(
                try TestServer.value("SELECT relacl FROM pg_class WHERE relname = 't'", in: admin)?
                    .contains(plan.name(.app)) != true)
            for account in plan.accounts { #expect(try !isThere(account.name, admin)) }
            #expect(try Self.maker(admin).undo(record).allSatisfy { !$0.contains("_app") }, "again, nothing")
        }
    }

    @Test func aRoleThatIsUsedIsNotDropped() throws {
        try withRoles { fixture in
            func refused(_ words: String) throws {
                let error = #expect(throws: MigrationError.self) {
                    _ = try fixture.maker().undo(fixture.record)
                }
                #expect(
                    error?.exit == .undecided && error?.message.contains(words) ?? false, "\(error as Any)")
                for account in fixture.plan.accounts { #expect(try isThere(account.name, fixture.admin)) }
                #expect(try fixture.refusal("SELECT 1", as: .app) == nil, "it may still connect")
            }
            do {
                let session = try TestServer.connect(fixture.conninfo(.app))
                try refused("session of \(fixture.plan.name(.app)) is connected")
                _ = try session.query("SELECT 1")
            }
            #expect(
                waitUntil {
                    let sql =
                        "SELECT count(*) FROM pg_stat_activity WHERE usename = '\(fixture.plan.name(.app))'"
                    return (try? TestServer.value(sql, in: fixture.admin)) == "0"
                })
            let migrate = fixture.plan.name(.migrate)
            try TestServer.execute("CREATE TABLE public.t (id int)", in: fixture.conninfo(.migrate))
            #expect(
                waitUntil {
                    let sql = "SELECT count(*) FROM pg_stat_activity WHERE usename = '\(migrate)'"
                    return (try? TestServer.value(sql, in: fixture.admin)) == "0"
                })
            try refused("owner of table t")
            try TestServer.execute(
                "CREATE ROLE \(migrate)_friend; GRANT \(fixture.plan.name(.watch)) TO \(migrate)_friend",
                in: fixture.admin)
            try refused("\(fixture.plan.name(.watch)) was given to \(migrate)_friend")
            try TestServer.execute(
                "DROP ROLE \(migrate)_friend; REASSIGN OWNED BY \(migrate) TO CURRENT_USER",
                in: fixture.admin)
            _ = try fixture.maker().undo(fixture.record)
            #expect(try TestServer.value("SELECT count(*) FROM public.t", in: fixture.admin) == "0")
        }
    }

    @Test func tablesOfASuperuserAreHandedOverAndBack() throws {
        try withTemporaryFolder { folder in
            try TestServer.withDatabase { admin in
                let path = "\(folder)/source.db"
                try makeDatabase(path, Self.source)
                _ = try TestMigration().run(path, state: "\(folder)/state", into: admin)
                try TestServer.execute(
                    """
                    CREATE VIEW public.v AS SELECT 1 AS x; CREATE SEQUENCE public.s;
                    CREATE TYPE public.mood AS ENUM ('fine'); CREATE DOMAIN public.d AS int;
                    CREATE FUNCTION public.f(a int, b text) RETURNS int LANGUAGE sql AS 'SELECT 1'
                    """, in: admin)
                let owners = """
                    SELECT relname, pg_get_userbyid(relowner) FROM pg_class
                    WHERE relnamespace IN ('public'::regnamespace, 'howdah'::regnamespace) ORDER BY 1
                    """
                let before = try TestServer.rows(owners, in: admin)
                let (plan, record) = try apply(admin, RoleOptions(takesOwnership: true))
                let migrate = plan.name(.migrate)
                #expect(try TestServer.rows(owners, in: admin).allSatisfy { $0.hasSuffix("|\(migrate)") })
                let asMigrate = admin.setting("user", to: migrate)
                try TestServer.execute(
                    "ALTER TABLE \"User\" ADD COLUMN x int; DROP FUNCTION public.f; DROP TYPE public.mood; DROP VIEW public.v",
                    in: asMigrate)
                let app = admin.setting("user", to: plan.name(.app))
                #expect(try TestServer.value("SELECT count(*) FROM \"User\"", in: app) == "2")
                try TestServer.execute(
                    """
                    CREATE VIEW public.v AS SELECT 1 AS x; CREATE TYPE public.mood AS ENUM ('fine');
                    CREATE FUNCTION public.f(a int, b text) RETURNS int LANGUAGE sql AS 'SELECT 1'
                    """, in: admin)
                let gone =
                    "SELECT count(*) FROM pg_stat_activity WHERE usename IN ('\(migrate)', '\(plan.name(.app))')"
                #expect(waitUntil { (try? TestServer.value(gone, in: admin)) == "0" })
                _ = try Self.maker(admin).undo(record)
                #expect(try TestServer.rows(owners, in: admin) == before)
            }
        }
    }

    @Test func anOwnerWhoMayMakeRolesNeedsNoSuperuser() throws {
        try TestServer.withDatabase { admin in
            let name = admin["dbname"] ?? ""
            let dba = "\(name)_dba"
            try TestServer.execute(
                "CREATE ROLE \(dba) LOGIN CREATEROLE; ALTER DATABASE \(name) OWNER TO \(dba)", in: admin)
            defer {
                try? TestServer.execute(
                    "ALTER DATABASE \(name) OWNER TO CURRENT_USER; DROP OWNED BY \(dba); DROP ROLE \(dba)",
                    in: admin)
            }
            let owner = admin.setting("user", to: dba)
            try TestServer.execute("CREATE TABLE public.t (id int)", in: owner)
            let (plan, record) = try apply(owner)
            let app = admin.setting("user", to: plan.name(.app))
            #expect(try TestServer.value("SELECT count(*) FROM public.t", in: app) == "0")
            let members = try TestServer.value(
                "SELECT count(*) FROM pg_auth_members WHERE member = '\(dba)'::regrole", in: admin)
            #expect(members == "0", "the membership was for the work alone")
            let sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = '\(plan.name(.app))'"
            #expect(waitUntil { (try? TestServer.value(sessions, in: admin)) == "0" })
            _ = try Self.maker(owner).undo(record)
            #expect(try !isThere(plan.name(.migrate), admin))
        }
    }

    @Test func aRoleWithoutTheRightChangesNothingAndIsToldWhoCan() throws {
        try TestServer.withDatabase { admin in
            let name = "\(admin["dbname"] ?? "")_plain"
            try TestServer.execute("CREATE ROLE \(name) LOGIN", in: admin)
            defer { try? TestServer.execute("DROP ROLE \(name)", in: admin) }
            let error = #expect(throws: MigrationError.self) {
                _ = try apply(admin.setting("user", to: name))
            }
            #expect(error?.remedy.contains("--admin URL") ?? false)
            #expect(try !isThere("\(admin["dbname"] ?? "")_app", admin))
        }
    }

    @Test func aSchemaThatIsNotThereYetIsTheMigrateRolesAndItsTablesAreFound() throws {
        try TestServer.withDatabase { admin in
            let (plan, record) = try apply(admin, schema: "Chat App")
            try TestServer.execute(
                "CREATE TABLE t (id int)", in: admin.setting("user", to: plan.name(.migrate)))
            let app = admin.setting("user", to: plan.name(.app))
            #expect(try TestServer.value("SELECT count(*) FROM t", in: app) == "0")
            #expect(try TestServer.value(#"SELECT count(*) FROM "Chat App".t"#, in: admin) == "0")
            _ = record
        }
    }

    @Test func hostileNamesMakeRolesOfThoseNames() throws {
        try TestServer.withDatabase { admin in
            let prefix = #"x'"$howdah$;--"# + String((admin["dbname"] ?? "").suffix(12))
            let (plan, record) = try apply(admin, RoleOptions(prefix: prefix))
            for account in plan.accounts { #expect(try isThere(account.name, admin)) }
            try TestServer.execute(plan.script, in: admin)
            _ = try Self.maker(admin).undo(record)
            for account in plan.accounts { #expect(try !isThere(account.name, admin)) }
        }
    }

    @Test func anApplicationsOwnRoleKeepsWhatItHasAfterTheUndo() throws {
        try TestServer.withDatabase { admin in
            let name = "\(admin["dbname"] ?? "")_own"
            try TestServer.execute("CREATE ROLE \(name) LOGIN; CREATE TABLE public.t (id int)", in: admin)
            let (plan, record) = try apply(admin, RoleOptions(app: name))
            #expect(plan.name(.app) == name)
            #expect(
                try TestServer.value("SELECT count(*) FROM public.t", in: admin.setting("user", to: name))
                    == "0")
            let sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = '\(name)'"
            #expect(waitUntil { (try? TestServer.value(sessions, in: admin)) == "0" })
            _ = try Self.maker(admin).undo(record)
            #expect(
                try TestServer.value("SELECT count(*) FROM public.t", in: admin.setting("user", to: name))
                    == "0")
            #expect(try !isThere(plan.name(.migrate), admin))
            try TestServer.execute("DROP OWNED BY \(name); DROP ROLE \(name)", in: admin)
        }
    }

    /// The server is told to ask these roles for their passwords, in this database alone.
    @Test func aNewRoleComesInByItsPasswordWhichTheServerNeverSaw() throws {
        try TestServer.withDatabase { admin in
            let name = admin["dbname"] ?? ""
            let password = DatabaseMaker.password()
            let (plan, _) = try apply(admin, passwords: ["\(name)_app": password])
            let stored = try TestServer.value(
                "SELECT rolpassword FROM pg_authid WHERE rolname = '\(name)_app'", in: admin)
            #expect(stored?.hasPrefix("SCRAM-SHA-256$") ?? false)
            let file = try #require(try TestServer.value("SHOW hba_file", in: admin))
            let rules = try String(contentsOfFile: file, encoding: .utf8)
            let handle = try #require(FileHandle(forUpdatingAtPath: file))
            try handle.write(contentsOf: Data("local \(name) \(name)_app scram-sha-256\n\(rules)".utf8))
            try handle.close()
            try TestServer.execute("SELECT pg_reload_conf()", in: admin)
            let app = admin.setting("user", to: plan.name(.app)).setting("passfile", to: "/dev/null")
            func code(_ password: String?) -> PostgresError.Code? {
                do {
                    _ = try TestServer.connect(password.map { app.setting("password", to: $0) } ?? app)
                    return nil
                } catch {
                    return (error as? PostgresError)?.code
                }
            }
            #expect(waitUntil { code(nil) == .passwordNeeded })
            #expect(code("another") == .connect)
            #expect(code(password) == nil)
        }
    }
}
