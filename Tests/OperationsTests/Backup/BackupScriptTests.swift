import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

@testable import Operations

/// The script by itself, as cron runs it.
@Suite struct BackupScriptTests {
    @Test func aBackupOfAHostileNameLiesInItsFolderWithSha256AndRoles() throws {
        try BackupFixture.with { fixture in
            try fixture.plant("crontab", "exit 0")
            let settings = try fixture.install(
                BackupOptions(folder: "\(fixture.root)/back ups $(touch x) 'q'")
            ).settings
            let dump = try #require(fixture.dumps(settings).first)
            let stem = dump.dropLast(5)
            #expect(
                fixture.files(settings.folder)
                    == [
                        ".\(settings.name).lock", "RESTORE.md", "\(dump)", "\(dump).sha256",
                        "\(stem).globals.sql",
                    ].sorted())
            var facts = stat()
            stat("\(settings.folder)/\(dump)", &facts)
            #expect(facts.st_mode & 0o777 == 0o600)
            let check = Command(
                "/bin/sh", ["-c", "sha256sum -c *.sha256"], in: settings.folder,
                environment: ["PATH": "/usr/bin:/bin"])
            #expect(try check.run(cancellation: Cancellation()).status == 0)
            let roles = try String(contentsOfFile: "\(settings.folder)/\(stem).globals.sql", encoding: .utf8)
            #expect(roles.contains("CREATE ROLE rehearsal") && !roles.contains("PASSWORD '"))
        }
    }

    @Test func onlyTheOldestOfItsOwnNamesGoAndOnlyAfterANewGoodOne() throws {
        try BackupFixture.with { fixture in
            try fixture.plant("crontab", "exit 0")
            let settings = try fixture.install(BackupOptions(keep: 2)).settings
            let first = try #require(fixture.dumps(settings).first)
            let old = (1...3).map { "\(settings.name)-2020010\($0)T000000Z.dump" }
            let others = [
                "other-20200101T000000Z.dump", "\(settings.name)-20200101T000000Z.dump.bak",
                "\(settings.name)-2020.dump", "\(settings.name)-20200101T000000Z.dump.d", "x\(old[0])",
            ]
            for file in old + others {
                try "x".write(toFile: "\(settings.folder)/\(file)", atomically: true, encoding: .utf8)
            }
            // One that fails removes nothing.
            try TestServer.execute(
                "ALTER DATABASE \(quoteIdentifier(settings.database)) ALLOW_CONNECTIONS false",
                in: TestServer.conninfo())
            let failed = try fixture.runScript(settings)
            #expect(failed.exit == 1 && failed.output.contains("the server cannot be reached"), "\(failed)")
            #expect(failed.output.contains("what to do: "))
            #expect(fixture.dumps(settings).count == 4)
            try TestServer.execute(
                "ALTER DATABASE \(quoteIdentifier(settings.database)) ALLOW_CONNECTIONS true",
                in: TestServer.conninfo())
            #expect(try fixture.runScript(settings).exit == 0)
            let kept = fixture.dumps(settings)
            #expect(kept.count == 2 && kept.last == first)
            #expect(Set(fixture.files(settings.folder)).isSuperset(of: others))
        }
    }

    @Test(arguments: [true, false]) func aSecondRunAtTheSameTimeDoesNothing(hasFlock: Bool) throws {
        try BackupFixture.with { fixture in
            try fixture.plant("crontab", "exit 0")
            let settings = try fixture.install().settings
            let bin = "\(fixture.root)/bin"
            try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
            for name in [
                "sh", "cat", "rm", "ln", "mv", "sed", "date", "sha256sum", "sync", "ps", "wc", "tr", "sleep",
            ]
                + (hasFlock ? ["flock"] : [])
            {
                let places = ["/bin/\(name)", "/usr/bin/\(name)"]
                let path = try #require(places.first(where: FileManager.default.isExecutableFile))
                // No link: what a test's folder is given to remove must not lead to the machine's own programs.
                let stand = "\(bin)/\(name)"
                try "#!/bin/sh\nexec \(path) \"$@\"\n".write(toFile: stand, atomically: true, encoding: .utf8)
                chmod(stand, 0o755)
            }
            // The dump waits for a table that somebody else has locked.
            let blocker = try TestServer.connect(fixture.conninfo)
            try blocker.execute("BEGIN; LOCK TABLE keyless")
            let first = Runner()
            first.start { try fixture.runScript(settings, environment: ["PATH": bin]).exit }
            let waits =
                "SELECT EXISTS (SELECT FROM pg_locks AS l JOIN pg_stat_activity USING (pid) WHERE NOT granted AND application_name = 'pg_dump' AND datname = current_database())"
            #expect(waitUntil { (try? TestServer.value(waits, in: fixture.conninfo)) == "t" })
            let second = try fixture.runScript(settings, environment: ["PATH": bin])
            #expect(second.exit == 3 && second.output.contains("another run is at work"), "\(second)")
            try blocker.execute("ROLLBACK")
            #expect(waitUntil { first.exit != nil })
            #expect(first.exit == 0)
            // A lock that a crashed run has left is none.
            if !hasFlock {
                try "999999 Mon Jan  1 00:00:00 2024\n".write(
                    toFile: "\(settings.folder)/.\(settings.name).lock.held", atomically: true,
                    encoding: .utf8)
            }
            try "x".write(
                toFile: "\(settings.folder)/.\(settings.name)-20200101T000000Z.part", atomically: true,
                encoding: .utf8)
            #expect(try fixture.runScript(settings, environment: ["PATH": bin]).exit == 0)
            #expect(
                !fixture.files(settings.folder).contains { $0.hasSuffix(".part") || $0.hasSuffix(".held") })
        }
    }

    @Test func whatIsMissingIsSaidWithWhatToDo() throws {
        try BackupFixture.with { fixture in
            try fixture.plant("crontab", "exit 0")
            let settings = try fixture.install().settings
            // A server that is newer than every pg_dump here.
            let script = try String(contentsOfFile: settings.scriptPath, encoding: .utf8)
            try script.replacing("server=$((version / 10000))", with: "server=99").write(
                toFile: settings.scriptPath, atomically: true, encoding: .utf8)
            let newer = try fixture.runScript(settings)
            #expect(
                newer.exit == 2
                    && newer.output.contains("the server is PostgreSQL 99, and the newest pg_dump here"))
            try script.write(toFile: settings.scriptPath, atomically: true, encoding: .utf8)
            try FileManager.default.moveItem(atPath: settings.folder, toPath: settings.folder + ".away")
            let away = try fixture.runScript(settings)
            #expect(away.exit == 2 && away.output.contains("is not there, or cannot be written to"))
        }
    }

    @Test func whatTheCallerHasSetDoesNotLeadItElsewhere() throws {
        try BackupFixture.with { fixture in
            try fixture.plant("crontab", "exit 0")
            let settings = try fixture.install().settings
            let outcome = try fixture.runScript(
                settings,
                environment: [
                    "PGDATABASE": "postgres", "PGHOST": "/nowhere", "PGSERVICE": "no", "PGOPTIONS": "-c no=1",
                ])
            #expect(outcome.exit == 0, "\(outcome.output)")
        }
    }

    @Test func aPasswordStandsInItsOwnFileAlone() throws {
        try BackupFixture.with { fixture in
            try fixture.plant("crontab", "exit 0")
            let secret = "s3cr:e\\t p'w"
            let desk = fixture.desk(fixture.conninfo.setting("password", to: secret), program: "/opt/how dah")
            let outline = try desk.outline(.init(), before: nil)
            var records: [BackupRecord] = []
            _ = try desk.install(outline, before: nil) { records.append($0) }
            let record = try #require(records.last)
            let holders = record.files.filter { file in
                (try? String(contentsOfFile: file.path, encoding: .utf8))?.contains("s3cr") ?? false
            }
            #expect(holders.map(\.path) == [record.settings.passwordFile])
            let line = try String(contentsOfFile: holders[0].path, encoding: .utf8).split(separator: "\n")
                .last
            #expect(line == "*:*:*:rehearsal:s3cr\\:e\\\\t p'w")
            var facts = stat()
            stat(holders[0].path, &facts)
            #expect(facts.st_mode & 0o777 == 0o600)
            #expect(!outline.files.flatMap(\.shown).contains { $0.contains("s3cr") })
            #expect(try !String(decoding: JSONEncoder().encode(records), as: UTF8.self).contains("s3cr"))
        }
    }
}

/// A script that runs on a thread of its own.
private final class Runner: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Int32?

    var exit: Int32? { lock.withLock { value } }

    func start(_ body: @escaping @Sendable () throws -> Int32) {
        Thread {
            let result = (try? body()) ?? -1
            self.lock.withLock { self.value = result }
        }.start()
    }
}
