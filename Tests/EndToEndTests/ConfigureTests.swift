import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

/// Phase 2 on a demo's project: what changes, what stays, and that all of it comes back.
@Suite struct ConfigureTests {
    private static let secret = "s3cr3t/@:x"

    /// Every file of a project but for its database and howdah's state, by path.
    private func files(_ project: String) throws -> [String: Data] {
        var files: [String: Data] = [:]
        let names = FileManager.default.enumerator(atPath: project)
        while let name = names?.nextObject() as? String {
            guard !name.hasPrefix(".howdah"), !name.contains("dev.db"),
                let data = FileManager.default.contents(atPath: "\(project)/\(name)"),
                (try? FileManager.default.contentsOfDirectory(atPath: "\(project)/\(name)")) == nil
            else { continue }
            files[name] = data
        }
        return files
    }

    private func text(_ files: [String: Data], _ name: String) -> String {
        String(decoding: files[name] ?? Data(), as: UTF8.self)
    }

    private func withDemo(_ body: (_ project: String) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let project = "\(folder)/app"
            #expect(try Howdah.run(["demo", project, "--messages", "200", "--no-open"]).exit == 0)
            defer { _ = try? Howdah.run(["rehearsal", "remove", project]) }
            for step in ["1.1", "1.2", "1.3", "1.4", "1.6", "1.7"] {
                #expect(try Howdah.run(["step", project, step, "run"]).exit == 0)
            }
            try body(project)
        }
    }

    @Test func aRehearsalChangesACopyAndNothingElse() throws {
        try withDemo { project in
            let before = try files(project)
            let outcome = try Howdah.run(["configure", project, "--json"])
            #expect(outcome.exit == 0, "\(outcome.errors)")
            #expect(try files(project) == before)
            let copy = try files("\(project)/.howdah/rehearsal/project")
            #expect(text(copy, ".env").contains("DATABASE_URL=\"postgresql://"))
            // All other lines are as they were, the secret among them.
            let lines = { (text: String) in
                text.split(separator: "\n").filter { !$0.hasPrefix("DATABASE_URL") }
            }
            #expect(lines(text(copy, ".env")) == lines(text(before, ".env")))
            #expect(
                text(copy, "prisma/schema.prisma")
                    == text(before, "prisma/schema.prisma").replacing(
                        "provider = \"sqlite\"", with: "provider = \"postgresql\""))
            #expect(text(copy, "prisma/migrations/migration_lock.toml").contains("provider = \"postgresql\""))
            #expect(text(copy, "prisma/migrations/0_init/migration.sql").hasPrefix("-- Create"))
            let archived = "20250101000000_init/migration.sql"
            #expect(copy["prisma/migrations_sqlite/\(archived)"] == before["prisma/migrations/\(archived)"])
            #expect(copy["prisma/migrations/\(archived)"] == nil)
            let back = try Howdah.run(["rollback", project])
            #expect(back.exit == 0, "\(back.errors)")
            #expect(try files("\(project)/.howdah/rehearsal/project") == before)
        }
    }

    /// The baseline makes what howdah made, and Prisma's list of migrations knows it.
    @Test func theBaselineMakesTheSchemaThatHowdahMakes() throws {
        try withDemo { project in
            for step in ["1.8", "2.1", "2.2", "2.3", "3.2", "3.3"] {
                let outcome = try Howdah.run(["step", project, step, "run"])
                #expect(outcome.exit == 0, "\(step): \(outcome.errors)")
            }
            #expect(try Howdah.run(["rehearsal", "start", project]).exit == 0)
            let url = try Howdah.run(["rehearsal", "url", project]).output.trimmingCharacters(
                in: .whitespacesAndNewlines)
            let made = try Conninfo(url)
            let script = try Data(
                contentsOf: URL(
                    fileURLWithPath:
                        "\(project)/.howdah/rehearsal/project/prisma/migrations/0_init/migration.sql"))
            let checksum = try TestServer.value("SELECT checksum FROM _prisma_migrations", in: made)
            #expect(checksum == sha256(of: script))
            try TestServer.withDatabase { scratch in
                try TestServer.execute(String(decoding: script, as: UTF8.self), in: scratch)
                #expect(try catalog(scratch) == catalog(made))
            }
        }
    }

    /// Columns, constraints and indexes, but for Prisma's own table.
    private func catalog(_ conninfo: Conninfo) throws -> [String] {
        try TestServer.rows(
            """
            SELECT 'column', table_name, column_name, data_type, udt_name, datetime_precision, numeric_precision,
                is_nullable, column_default FROM information_schema.columns
            WHERE table_schema = 'public' AND table_name <> '_prisma_migrations' ORDER BY 2, 3
            """, in: conninfo)
            + TestServer.rows(
                """
                SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint
                WHERE connamespace = 'public'::regnamespace AND conrelid <> coalesce(to_regclass('_prisma_migrations'), 0)
                ORDER BY 1, 2
                """, in: conninfo)
            + TestServer.rows(
                """
                SELECT indexname, indexdef FROM pg_indexes
                WHERE schemaname = 'public' AND tablename <> '_prisma_migrations' ORDER BY 1
                """, in: conninfo)
    }

    @Test func thePreviewHidesSecretsAndChangesNothing() throws {
        try withDemo { project in
            let environment = "JWT_SECRET='demo-only-not-a-secret'\nDATABASE_URL=\"file:./dev.db\"\n"
            try environment.write(toFile: "\(project)/.env", atomically: true, encoding: .utf8)
            let before = try files(project)
            try TestServer.withDatabase { target in
                let url =
                    "postgresql://\(target["user"] ?? ""):\(Self.secret.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")@/"
                    + "\(target["dbname"] ?? "")?host=\(target["host"] ?? "")&port=\(target["port"] ?? "5432")"
                for arguments in [["--preview"], ["--preview", "--json"]] {
                    let outcome = try Howdah.run(
                        ["configure", project, "--rehearsal", "--target", url] + arguments)
                    #expect(outcome.exit == 0, "\(outcome.errors)")
                    #expect(outcome.output.contains("JWT_SECRET='••••'"))
                    for text in [outcome.output, outcome.errors] {
                        #expect(!text.contains("demo-only-not-a-secret") && !text.contains("s3cr3t"))
                    }
                }
            }
            #expect(try files(project) == before)
        }
    }

    /// Live, the environment waits until every row is proven to be there.
    @Test func theApplicationIsNotSentToADatabaseWithoutItsRows() throws {
        try withDemo { project in
            try TestServer.withDatabase { target in
                let state = try Howdah.run([
                    "step", project, "2.1", "run", "--live", "--target", target.url, "--yes",
                ])
                #expect(state.exit == 3)
                #expect(state.errors.contains("3.4"))
                #expect(try text(files(project), ".env").contains("file:./dev.db"))
            }
        }
    }

    /// Changed, the project no longer leads to SQLite; howdah finds its way back all the same.
    @Test func aLiveProjectIsChangedAndComesBack() throws {
        try withDemo { project in
            try TestServer.withDatabase { target in
                let live = ["--live", "--target", target.url, "--yes"]
                for step in ["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8", "3.2", "3.3", "3.4"] {
                    let outcome = try Howdah.run(["step", project, step, "run"] + live)
                    #expect(outcome.exit == 0, "\(step): \(outcome.errors)")
                }
                let before = try files(project)
                let unconfirmed = try Howdah.run(["configure", project, "--live", "--target", target.url])
                #expect(unconfirmed.exit == 2)
                #expect(try files(project) == before)
                let outcome = try Howdah.run(["configure", project] + live)
                #expect(outcome.exit == 0, "\(outcome.errors)")
                let after = try files(project)
                #expect(text(after, ".env").contains("/\(target["dbname"] ?? "")?schema=public"))
                #expect(text(after, "prisma/schema.prisma").contains("provider = \"postgresql\""))
                #expect(text(after, "package.json").contains("\"pg\": "))
                let status = try Howdah.run(["status", project, "--live", "--json"])
                #expect(status.exit == 0, "\(status.errors)")
                let again = try Howdah.run(["step", project, "3.4", "run"] + live)
                #expect(again.exit == 0, "what the project said before still counts: \(again.errors)")
                try "mine".write(toFile: "\(project)/.env", atomically: true, encoding: .utf8)
                #expect(try Howdah.run(["rollback", project, "--live"]).exit != 0)
                #expect(try text(files(project), ".env") == "mine")
                // Nothing comes back before it is clear that all may.
                let refused = try Howdah.run(["rollback", project, "--live", "--yes"])
                #expect(refused.exit == 3 && refused.errors.contains(".env"), "\(refused.errors)")
                #expect(try text(files(project), "package.json") == text(after, "package.json"))
                let back = try Howdah.run(["rollback", project, "--live", "--yes", "--overwrite"])
                #expect(back.exit == 0, "\(back.errors)")
                // The URL with its password is kept nowhere.
                let kept = try FileManager.default.contentsOfDirectory(atPath: "\(project)/.howdah/originals")
                    .map { try String(contentsOfFile: "\(project)/.howdah/originals/\($0)", encoding: .utf8) }
                #expect(!kept.contains { $0.contains("DATABASE_URL=\"postgresql:") })
                #expect(try files(project) == before)
                #expect(try Howdah.run(["status", project]).exit == 0)
            }
        }
    }

    /// Killed at any moment, what was begun is undone to the byte.
    @Test func aKillAtAnyMomentLosesNoByte() throws {
        try withDemo { project in
            let copy = "\(project)/.howdah/rehearsal/project"
            _ = try Howdah.run(["configure", project])
            _ = try Howdah.run(["rollback", project])
            let before = try files(copy)
            for number in 0..<8 {
                let null = try #require(FileHandle(forWritingAtPath: "/dev/null"))
                let process = try Howdah.start(["configure", project], output: null, errors: null)
                let moment = Double(number) * 0.08
                _ = waitUntil(seconds: moment) { !process.isRunning }
                kill(process.processIdentifier, SIGKILL)
                #expect(waitUntil { !process.isRunning })
                let back = try Howdah.run(["rollback", project])
                #expect(back.exit == 0, "\(back.errors)")
                #expect(try files(copy) == before, "after \(moment) s")
            }
        }
    }

    @Test func whatCannotBeChangedYetIsSaidBeforeAnythingIs() throws {
        try withTemporaryFolder { folder in
            let project = "\(folder)/app"
            #expect(try Howdah.run(["demo", project, "--messages", "50", "--no-open"]).exit == 0)
            defer { _ = try? Howdah.run(["rehearsal", "remove", project]) }
            let preview = try Howdah.run(["configure", project, "--preview"])
            #expect(preview.exit == 0 && preview.output.contains("waits for 1.7"), "\(preview.errors)")
            #expect(preview.output.contains("+  provider = \"postgresql\""))
            let outcome = try Howdah.run(["configure", project])
            #expect(outcome.exit == 3)
            #expect(outcome.errors.contains("nothing was changed"))
            #expect(try Howdah.run(["rollback", project]).output.contains("nothing to bring back"))
        }
    }

    /// The target tells that its rows are proven, whichever command has loaded them; and to look changes no mode.
    @Test func aDatabaseThatMigrateHasProvenIsGoodForTheLiveSettings() throws {
        try withDemo { project in
            try TestServer.withDatabase { target in
                let live = ["--live", "--target", target.url]
                let waiting = try Howdah.run(["configure", project, "--yes"] + live)
                #expect(
                    waiting.exit == 3 && waiting.errors.contains("2.1 waits for 3.4"), "\(waiting.errors)")
                #expect(try Howdah.run(["migrate", project, target.url, "--yes"]).exit == 0)
                let before = try files(project)
                let preview = try Howdah.run(["configure", project, "--preview"] + live)
                #expect(preview.exit == 0 && preview.output.contains("+DATABASE_URL"), "\(preview.errors)")
                #expect(try Howdah.run(["configure", project]).exit == 0)
                #expect(try files(project) == before)
                let outcome = try Howdah.run(["configure", project, "--yes"] + live)
                #expect(outcome.exit == 0, "\(outcome.errors)")
                #expect(try text(files(project), ".env").contains("DATABASE_URL=\"postgresql://"))
            }
        }
    }

    /// The first migration, and the schema, of databases that genuine Prisma has made, against what it makes of the same schema
    /// for PostgreSQL. What differs must: lists, which SQLite has not, a default that is another function's, and a name over 63
    /// bytes, which the server would cut by itself.
    @Test(.enabled(if: Golden.isThere), arguments: ["e2ee", "alltypes"])
    func theBaselineIsPrismasOwn(name: String) throws {
        try withTemporaryFolder { folder in
            try FileManager.default.createDirectory(
                atPath: "\(folder)/prisma/migrations/1_init", withIntermediateDirectories: true)
            // The default of a Json field is known to come without its quotes.
            let statements = try Golden.text("\(name).sqlite.sql").replacing(/DEFAULT (\{.*\})/) {
                "DEFAULT '\($0.1)'"
            }
            try makeDatabase("\(folder)/prisma/dev.db", statements)
            let files = [
                "prisma/schema.prisma": try Golden.text("\(name).sqlite.prisma"),
                ".env": "DATABASE_URL=\"file:./dev.db\"\n",
                "package.json": "{\"name\": \"x\", \"dependencies\": {\"@prisma/client\": \"6.19.0\"}}\n",
                "prisma/migrations/1_init/migration.sql": statements,
                "prisma/migrations/migration_lock.toml": "provider = \"sqlite\"\n",
            ]
            for (path, text) in files {
                try text.write(toFile: "\(folder)/\(path)", atomically: true, encoding: .utf8)
            }
            defer { _ = try? Howdah.run(["rehearsal", "remove", folder]) }
            #expect(try Howdah.run(["plan", folder, "--decide", "recommended"]).exit == 0)
            for step in ["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8"] {
                let outcome = try Howdah.run(["step", folder, step, "run"])
                #expect(outcome.exit == 0, "\(step): \(outcome.errors)")
            }
            #expect(try Howdah.run(["configure", folder]).exit == 0)
            func different(_ path: String, _ golden: String) throws -> [String] {
                let made = try String(
                    contentsOfFile: "\(folder)/.howdah/rehearsal/project/\(path)", encoding: .utf8)
                let wanted = try Golden.text(golden)
                func lines(_ text: String) -> [Substring] {
                    text.split(separator: "\n", omittingEmptySubsequences: false)
                }
                return lines(wanted).difference(from: lines(made)).insertions.compactMap { change in
                    if case .insert(_, let line, _) = change { String(line) } else { nil }
                }
            }
            let baseline = try different("prisma/migrations/0_init/migration.sql", "\(name).postgresql.sql")
            let schema = try different("prisma/schema.prisma", "\(name).postgresql.prisma")
            let intended = ["labels", "roles", "gen", "AVeryLongModelName"]
            #expect(
                (baseline + schema).allSatisfy { line in intended.contains(where: line.contains) },
                "\(baseline + schema)")
            #expect(name != "e2ee" || (baseline + schema).isEmpty)
        }
    }

    /// `translate`, `review` and `rollback` on a rehearsal's copy.
    @Test func translatedSourcesComeBackByteForByte() throws {
        try withDemo { project in
            #expect(try Howdah.run(["step", project, "1.8", "run"]).exit == 0)
            let before = try files(project)
            let preview = try Howdah.run([
                "translate", project, "--preview", "--only", "src/services/users.ts",
            ])
            #expect(preview.exit == 0, "\(preview.errors)")
            #expect(
                preview.output.contains("+++ b/src/services/users.ts")
                    && !preview.output.contains("messages.ts"))
            let outcome = try Howdah.run(["translate", project, "--json"])
            // What has no equal waits for somebody.
            #expect(outcome.exit == 3, "\(outcome.errors)")
            #expect(try files(project) == before)
            let copy = try files("\(project)/.howdah/rehearsal/project")
            #expect(text(copy, "src/services/users.ts").contains("FROM \"User\" WHERE \"isOnline\" = true"))
            let review = try Howdah.run(["review", project, "--json"])
            let places = try review.json()["places"] as? [[String: Any]] ?? []
            let open = try #require(places.first { $0["state"] as? String == "open" })
            let key = try #require(open["key"] as? String)
            #expect(
                try Howdah.run(["review", project, key, "--decide", "accepted", "--note", "as it is"]).exit
                    == 0)
            #expect(try Howdah.run(["review", project]).output.contains("(as it is)"))
            #expect(try Howdah.run(["review", project, "zzz", "--decide", "accepted"]).exit == 2)
            #expect(try Howdah.run(["review", project, key]).exit == 2)
            let back = try Howdah.run(["rollback", project])
            #expect(back.exit == 0, "\(back.errors)")
            #expect(try files("\(project)/.howdah/rehearsal/project") == before)
        }
    }
}
