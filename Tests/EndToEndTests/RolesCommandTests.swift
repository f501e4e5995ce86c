import Foundation
import Postgres
import TestSupport
import Testing

/// The four roles as a command.
@Suite struct RolesCommandTests {
    private func withTarget(_ body: (_ project: String, _ target: Conninfo, _ name: String) throws -> Void)
        throws
    {
        try withTemporaryFolder { folder in
            let project = "\(folder)/app.db"
            try makeDatabase(
                project,
                "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b')")
            defer { _ = try? Howdah.run(["rehearsal", "remove", project]) }
            try TestServer.withDatabase { target in
                try body(project, target, target["dbname"] ?? "")
            }
        }
    }

    @Test func rolesAreShownMadeUsedAndTakenBack() throws {
        try withTarget { project, target, name in
            let count = "SELECT count(*) FROM pg_roles WHERE rolname LIKE '\(name)\\_%'"
            let shown = try Howdah.run(["roles", project, target.url])
            #expect(shown.exit == 0, "\(shown.errors)")
            #expect(shown.output.contains("GRANT USAGE ON SCHEMA \"public\" TO \"\(name)_app\";"))
            #expect(try TestServer.value(count, in: target) == "0", "showing makes nothing")
            let refused = try Howdah.run(["roles", project, target.url, "--apply"])
            #expect(refused.exit == 2 && refused.errors.contains("nobody has confirmed it"))
            #expect(try TestServer.value(count, in: target) == "0")

            // An attempt that fails leaves no password beside the true one.
            try TestServer.execute("CREATE ROLE \(name)_nobody LOGIN", in: target)
            let nobody = target.setting("user", to: "\(name)_nobody")
            #expect(try Howdah.run(["roles", project, nobody.url, "--apply", "--yes"]).exit == 1)
            try TestServer.execute("DROP ROLE \(name)_nobody", in: target)

            let made = try Howdah.run(["roles", project, target.url, "--apply", "--yes", "--as", "ann"])
            #expect(made.exit == 0, "\(made.errors)")
            #expect(try TestServer.value(count, in: target) == "4")
            let passwords = try String(contentsOfFile: "\(project).howdah/pgpass", encoding: .utf8)
                .split(separator: "\n").map(String.init)
            #expect(passwords.count == 4)
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(project).howdah/pgpass")
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            let secrets = passwords.compactMap { $0.split(separator: ":").last.map(String.init) }
            let journal = try Data(contentsOf: URL(fileURLWithPath: "\(project).howdah/journal.db"))
            for secret in secrets {
                #expect(!made.output.contains(secret) && !made.errors.contains(secret))
                #expect(journal.range(of: Data(secret.utf8)) == nil)
            }

            let migrate = target.setting("user", to: "\(name)_migrate")
            let migrated = try Howdah.run(["migrate", project, migrate.url, "--yes"])
            #expect(migrated.exit == 0, "\(migrated.errors)")
            #expect(
                try TestServer.value("SELECT count(*) FROM t", in: target.setting("user", to: "\(name)_app"))
                    == "2")

            let used = try Howdah.run(["roles", project, target.url, "--undo", "--yes"])
            #expect(used.exit == 3 && used.errors.contains("owner of"), "\(used.errors)")
            try TestServer.execute("REASSIGN OWNED BY \(name)_migrate TO CURRENT_USER", in: target)
            let preview = try Howdah.run(["roles", project, target.url, "--undo", "--preview", "--json"])
            let statements = try #require(preview.json()["statements"] as? [String])
            #expect(statements.last == "DROP ROLE \"\(name)_watch\"")
            #expect(try TestServer.value(count, in: target) == "4")
            let undone = try Howdah.run(["roles", project, target.url, "--undo", "--yes"])
            #expect(undone.exit == 0 && undone.output.hasPrefix("undone"), "\(undone.errors)")
            #expect(try TestServer.value(count, in: target) == "0")
            let rest = try String(contentsOfFile: "\(project).howdah/pgpass", encoding: .utf8)
            #expect(secrets.allSatisfy { !rest.contains($0) })
            #expect(
                try Howdah.run(["roles", project, target.url, "--undo", "--yes"]).exit == 3, "once is all")
        }
    }

    @Test func aRehearsalTriesThemInItsOwnPostgreSQL() throws {
        try withTarget { project, _, _ in
            #expect(try Howdah.run(["migrate", project]).exit == 0)
            let outcome = try Howdah.run(["roles", project, "--apply", "--own", "--json"])
            #expect(outcome.exit == 0, "\(outcome.errors)")
            let document = try outcome.json()
            #expect(document["outcome"] as? String == "done")
            let roles = document["roles"] as? [[String: Any]] ?? []
            #expect(
                roles.compactMap { $0["name"] as? String } == [
                    "rehearsal_migrate", "rehearsal_app", "rehearsal_backup", "rehearsal_watch",
                ])
            #expect(!FileManager.default.fileExists(atPath: "\(project).howdah/pgpass"))
            #expect(try Howdah.run(["roles", project, "--undo"]).exit == 0)
            // What is proven is as it was.
            #expect(try Howdah.run(["validate", project]).exit == 0)
        }
    }

    @Test func anAdministratorsConnectionMakesWhatTheTargetsRoleMayNot() throws {
        try withTarget { project, admin, name in
            try TestServer.execute("CREATE ROLE \(name)_me LOGIN", in: admin)
            defer { try? TestServer.execute("DROP ROLE \(name)_me", in: admin) }
            let target = admin.setting("user", to: "\(name)_me").url
            let refused = try Howdah.run(["roles", project, target, "--apply", "--yes"])
            #expect(refused.exit == 1 && refused.errors.contains("--admin URL"))
            let arguments = [
                "roles", project, target, "--yes", "--admin", admin.setting("dbname", to: "postgres").url,
            ]
            let made = try Howdah.run(arguments + ["--apply"])
            #expect(made.exit == 0, "\(made.errors)")
            #expect(made.output.contains("DATABASE_URL=\"postgresql://\(name)_app@"))
            #expect(try Howdah.run(arguments + ["--undo"]).exit == 0)
        }
    }

    @Test(arguments: [["--apply", "--undo"], ["--prefix", ""], ["--app", ""]])
    func whatCannotBeMeantIsWrongUsage(arguments: [String]) throws {
        #expect(try Howdah.run(["roles", "/tmp"] + arguments).exit == 2)
    }
}
