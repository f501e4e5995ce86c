import Foundation
import MigrationEngine
import Postgres
import SQLite
import TestSupport
import Testing

/// Backups and restore drills as commands, by the built program. HOWDAH_ROOT stands for `/`: nothing is installed on this machine.
@Suite struct BackupCommandTests {
    private static let script = """
        CREATE TABLE "User" (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
        CREATE TABLE "Message" (id INTEGER PRIMARY KEY, "userId" INTEGER NOT NULL REFERENCES "User"(id), body TEXT);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
        INSERT INTO "User" SELECT i, 'user ' || i FROM n;
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
        INSERT INTO "Message" SELECT i, i % 40 + 1, 'text ' || i FROM n;
        """

    private func withProject(_ body: (_ folder: String, _ project: String) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let project = "\(folder)/my app"
            try FileManager.default.createDirectory(atPath: project, withIntermediateDirectories: true)
            try makeDatabase("\(project)/app.db", Self.script)
            defer { _ = try? Howdah.run(["rehearsal", "remove", project]) }
            try body(folder, project)
        }
    }

    /// A live target that was migrated to, and a machine of its own.
    private func withLive(
        _ body: (
            _ target: Conninfo, _ root: String, _ howdah: (_ arguments: [String]) throws -> Howdah.Outcome,
            _ project: String
        ) throws -> Void
    ) throws {
        try withProject { folder, project in
            try TestServer.withDatabase { target in
                #expect(try Howdah.run(["migrate", project, target.url, "--yes"]).exit == 0)
                let root = "\(folder)/root"
                for path in ["etc/cron.d", "usr/bin", "var"] {
                    try FileManager.default.createDirectory(
                        atPath: "\(root)/\(path)", withIntermediateDirectories: true)
                }
                // For one who is not root: a crontab that forgets.
                try "#!/bin/sh\nexit 0\n".write(
                    toFile: "\(root)/usr/bin/crontab", atomically: true, encoding: .utf8)
                chmod("\(root)/usr/bin/crontab", 0o755)
                try body(
                    target, root,
                    { arguments in
                        try Howdah.run(
                            arguments,
                            environment: ["HOWDAH_ROOT": root, "HOME": "/home/x", "XDG_CONFIG_HOME": ""])
                    }, project)
            }
        }
    }

    @Test func aRehearsalWritesTheSameFilesRunsThemAndIsDrilled() throws {
        try withProject { _, project in
            #expect(try Howdah.run(["backup", project]).exit == 3, "there is nothing to back up yet")
            #expect(try Howdah.run(["migrate", project]).exit == 0)
            #expect(try Howdah.run(["drill", project]).exit == 3, "there are no backups yet")
            #expect(try Howdah.run(["backup", project, "--check"]).exit == 3)
            let preview = try Howdah.run(["backup", project, "--preview", "--schedule", "04:30"])
            #expect(
                preview.exit == 0 && preview.output.contains("OnCalendar=*-*-* 04:30:00"), "\(preview.errors)"
            )
            #expect(preview.output.contains("nothing is installed, and nothing is started every day"))
            let made = try Howdah.run(["step", project, "6.4", "run"])
            #expect(made.exit == 0 && made.output.contains("✔ 6.4 backups"), "\(made.errors)\(made.output)")
            let folder = "\(project)/.howdah/rehearsal/production/backup"
            #expect(
                access("\(folder)/backup.sh", X_OK) == 0 && access("\(folder)/dumps/RESTORE.md", R_OK) == 0)
            // The private server has another address each time, and the script follows.
            let drill = try Howdah.run(["drill", project, "--json"])
            #expect(drill.exit == 0, "\(drill.errors)\(drill.output)")
            let report = try #require(try drill.json()["report"] as? [String: Any])
            #expect(report["verdict"] as? String == "proven" && report["isFresh"] as? Bool == true)
            let check = try Howdah.run(["backup", project, "--check"])
            #expect(check.exit == 0 && check.output.hasPrefix("good\n"), "\(check.output)")
            #expect(try Howdah.run(["backup", project, "--check", "--max-age", "0.000001"]).exit == 3)
            let guide = try String(contentsOfFile: "\(folder)/dumps/RESTORE.md", encoding: .utf8)
            #expect(!guide.contains("not measured yet"))
            let status = try Howdah.run(["status", project]).output
            #expect(status.contains("✔ 6.5 restore drill") && status.contains("next drill by "))
            #expect(try Howdah.run(["checklist", project]).output.contains("backups"))
            // Undone in their order; the dumps stay.
            #expect(try Howdah.run(["step", project, "6.4", "undo"]).exit == 3)
            let removed = try Howdah.run(["backup", project, "--remove"])
            #expect(removed.exit == 0 && removed.output.contains("2 backups stay in "), "\(removed.errors)")
            #expect(access("\(folder)/backup.sh", F_OK) != 0)
            #expect(try !Howdah.run(["status", project]).output.contains("✔ 6.4 backups"))
        }
    }

    /// A released program knows nothing of HOWDAH_ROOT, and would install on this machine.
    static let isHarmless: Bool = {
        #if DEBUG
            return ProcessInfo.processInfo.environment["HOWDAH"] == nil
        #else
            return false
        #endif
    }()

    @Test(.enabled(if: isHarmless)) func aLiveTargetIsInstalledOnTheOperatorsWordAndDrilled() throws {
        try withLive { target, root, howdah, project in
            let refused = try howdah(["backup", project, target.url])
            #expect(refused.exit == 2 && refused.errors.contains("nobody has confirmed it"))
            let dumps = "\(root)/back ups"
            let made = try howdah([
                "backup", project, target.url, "--yes", "--to", dumps, "--keep", "2", "--as", "ann", "--json",
            ])
            #expect(made.exit == 0, "\(made.errors)\(made.output)")
            let settings = try #require(try made.json()["settings"] as? [String: Any])
            #expect(settings["folder"] as? String == dumps && settings["keep"] as? Int == 2)
            #expect(try howdah(["drill", project, target.url]).exit == 2)
            let drill = try howdah(["drill", project, target.url, "--yes"])
            #expect(drill.exit == 0 && drill.output.hasPrefix("PROVEN\n"), "\(drill.errors)\(drill.output)")
            let recent = try howdah(["drill", project, target.url, "--if-older", "7"])
            #expect(recent.exit == 0 && recent.output.hasPrefix("the last drill was 0 days ago"))
            // The operator's own howdah is at work: a timer's drill waits, as long as the last one counts.
            do {
                let state = try StateFolder.opening(
                    source: "\(project)/app.db", override: "\(project)/.howdah", environment: [:]
                ).folder
                let lock = try WriterLock(state)
                let waits = try howdah(["drill", project, target.url, "--if-older", "0", "--yes"])
                #expect(
                    waits.exit == 0 && waits.errors.contains("the drill waits for another day"), "\(waits)")
                #expect(try howdah(["drill", project, target.url, "--yes"]).exit == 1)
                _ = consume lock
            }
            // A dump of other content: nothing beside it says that it is one of ours.
            let name = try #require(
                FileManager.default.contentsOfDirectory(atPath: dumps).filter { $0.hasSuffix(".dump") }.max())
            try FileManager.default.copyItem(atPath: "\(dumps)/\(name)", toPath: "\(root)/other.dump")
            try TestServer.execute("UPDATE \"Message\" SET body = 'x' WHERE id = 7", in: target)
            let other = try howdah(["drill", project, target.url, "--yes", "--file", "\(root)/other.dump"])
            #expect(
                other.exit == 4 && other.output.contains("public.Message: row 7 differs in body"),
                "\(other.output)")
            #expect(
                try howdah(["status", project, "--live"]).output.contains("✔ 6.5 restore drill"),
                "it is none of the backups")
            // One of ours is older: what was written since is listed.
            let older = try howdah(["drill", project, target.url, "--yes", "--file", "\(dumps)/\(name)"])
            #expect(older.exit == 0 && older.output.contains("1 table written to since"), "\(older.output)")
            #expect(
                try howdah(["drill", project, target.url, "--yes", "--file", "\(root)/no.dump"]).exit == 3)
            #expect(try howdah(["backup", project, target.url, "--now", "--yes"]).exit == 0)
            // A look takes no lock, and needs no word.
            #expect(try howdah(["backup", project, target.url, "--check"]).exit == 0)
            let newest = try #require(
                FileManager.default.contentsOfDirectory(atPath: dumps).filter { $0.hasSuffix(".dump") }.max())
            truncate("\(dumps)/\(newest)", 100)
            let damaged = try howdah(["backup", project, target.url, "--check", "--json"])
            let finding = try #require(try damaged.json()["finding"] as? [String: Any])
            #expect(damaged.exit == 3 && finding["state"] as? String == "damaged")
            #expect(
                try howdah(["backup", project, target.url, "--check"]).output.contains(
                    "--now makes a new one"))
            #expect(
                try howdah(["drill", project, target.url, "--yes", "--file", "\(dumps)/\(newest)"]).exit == 4)
            #expect(
                try howdah(["status", project, "--live"]).output.contains("✘ 6.5 restore drill  failed: "))
            let removed = try howdah(["backup", project, target.url, "--remove", "--yes"])
            #expect(
                removed.exit == 0 && removed.output.contains("2 backups stay in \(dumps)"),
                "\(removed.errors)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(root)/etc/cron.d").isEmpty)
        }
    }

    /// The last scratch database that the journal knows of.
    private func madeDatabase(_ project: String) throws -> String {
        let journal = try SQLite.Connection(path: "\(project)/.howdah/journal.db", mode: .readOnly)
        let made = try journal.prepare(
            """
            SELECT json_extract(data, '$.copy') FROM entry WHERE subject = '6.5' AND kind = 'note' ORDER BY id DESC LIMIT 1
            """)
        return try made.step() ? made.text(0) : ""
    }

    @Test(.enabled(if: isHarmless)) func aDrillThatIsKilledLeavesADatabaseThatTheNextOneDrops() throws {
        try withLive { target, root, howdah, project in
            #expect(try howdah(["backup", project, target.url, "--yes"]).exit == 0)
            let killed = try Howdah.run(
                ["drill", project, target.url, "--yes"],
                environment: ["HOWDAH_ROOT": root, "HOWDAH_CRASH": "drill restored"])
            #expect(killed.exit == SIGKILL)
            let name = try madeDatabase(project)
            let scratch = "SELECT count(*) FROM pg_database WHERE datname = '\(name)'"
            #expect(try TestServer.value(scratch, in: target) == "1", "it is written down, and left")
            #expect(
                try howdah(["status", project, "--live"]).output.contains(
                    "6.5 restore drill  failed: it was interrupted"))
            let next = try howdah(["drill", project, target.url, "--yes"])
            #expect(next.exit == 0, "\(next.errors)")
            #expect(try TestServer.value(scratch, in: target) == "0")
        }
    }

    @Test(.enabled(if: isHarmless)) func aWishToStopDropsTheScratchDatabaseAtOnce() throws {
        try withLive { target, root, howdah, project in
            #expect(try howdah(["backup", project, target.url, "--yes"]).exit == 0)
            // A check that sleeps where a backup is restored.
            try TestServer.execute(
                """
                CREATE FUNCTION slow() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
                    IF current_database() LIKE 'howdah%' THEN PERFORM pg_sleep(600); END IF; RETURN true; END $$;
                ALTER TABLE "User" ADD CHECK (slow())
                """, in: target)
            let process = try Howdah.start(
                ["drill", project, target.url, "--yes"], output: .nullDevice, errors: .nullDevice,
                environment: ["HOWDAH_ROOT": root])
            let name = "howdah\\_drill\\_%"
            let copying =
                "SELECT max(datname) FROM pg_stat_activity WHERE datname LIKE '\(name)' AND application_name = 'pg_restore' AND wait_event = 'PgSleep'"
            var scratch = ""
            #expect(
                waitUntil(seconds: 60) {
                    scratch = (try? TestServer.value(copying, in: target)) ?? ""
                    return !scratch.isEmpty
                })
            kill(process.processIdentifier, SIGTERM)
            #expect(waitUntil(seconds: 30) { !process.isRunning })
            #expect(process.terminationStatus == 130)
            let left = "SELECT count(*) FROM pg_database WHERE datname = '\(scratch)'"
            #expect(try TestServer.value(left, in: target) == "0")
        }
    }

    @Test(arguments: [
        ["--schedule", "hourly"], ["--keep", "0"], ["--max-age", "nan"], ["--now", "--check"],
        ["--now", "--preview"],
    ])
    func whatCannotBeMeantIsWrongUsage(arguments: [String]) throws {
        #expect(try Howdah.run(["backup", "/tmp"] + arguments).exit == 2)
    }
}
