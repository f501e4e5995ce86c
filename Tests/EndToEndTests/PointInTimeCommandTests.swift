import Foundation
import Postgres
import TestSupport
import Testing

/// The way back to a moment as a command.
@Suite(.serialized) struct PointInTimeCommandTests {
    private func withSource(_ body: (_ source: String) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/app.db"
            try makeDatabase(
                source,
                "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b');"
                    + "CREATE TABLE u (id INTEGER PRIMARY KEY); INSERT INTO u VALUES (1)")
            defer { _ = try? Howdah.run(["rehearsal", "remove", source]) }
            try body(source)
        }
    }

    @Test func theRehearsalIsSetBackOnACopyAndStaysAsItIs() throws {
        try withSource { source in
            let early = try Howdah.run(["pitr", source, "--drill"])
            #expect(early.exit == 3 && early.output.contains("no drill yet"), "\(early.errors)")
            #expect(try Howdah.run(["migrate", source]).exit == 0)
            let untried = try Howdah.run(["pitr", source])
            #expect(untried.exit == 3 && untried.output.contains("not tried yet"))
            let outcome = try Howdah.run(["pitr", source, "--drill", "--as", "ann", "--json"])
            #expect(outcome.exit == 0, "\(outcome.errors)\(outcome.output)")
            let document = try outcome.json()
            #expect(document["outcome"] as? String == "done")
            let drill = try #require(document["drill"] as? [String: Any])
            #expect(drill["problems"] as? [String] == [] && drill["rows"] as? Int == 3)
            let status = try Howdah.run(["status", source]).output
            #expect(status.contains("✔ 6.6 point in time  (ann, "))
            #expect(status.contains("2 tables, 3 rows equal to SQLite"))
            let folder = "\(source).howdah/rehearsal/production/point-in-time"
            let text = try String(contentsOfFile: "\(folder)/RESTORE-TO-A-MOMENT.md", encoding: .utf8)
            #expect(
                text.contains("recovery_target_time") && text.contains("equal to SQLite, on a private copy"))
            #expect(try Howdah.run(["validate", source]).exit == 0)

            try "mine".write(toFile: "\(folder)/basebackup.sh", atomically: true, encoding: .utf8)
            #expect(try Howdah.run(["step", source, "6.6", "undo", "--yes"]).exit == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["basebackup.sh"])
        }
    }

    @Test(arguments: ["pitr", "rehearsal"]) func whatAKilledDrillLeftIsRemovedByTheNext(command: String)
        throws
    {
        try withSource { source in
            #expect(try Howdah.run(["migrate", source]).exit == 0)
            let killed = try Howdah.run(
                ["pitr", source, "--drill"], environment: ["HOWDAH_CRASH": "pitr damaged"])
            #expect(killed.exit != 0)
            let ledger = "\(source).howdah/point-in-time-drill.json"
            let data = try #require(FileManager.default.contents(atPath: ledger))
            let left = try JSONSerialization.jsonObject(with: data) as? [String: Any]
            let folder = try #require(left?["folder"] as? String)
            #expect(FileManager.default.fileExists(atPath: "\(folder)/server/postmaster.pid"))
            let again = try Howdah.run(
                command == "pitr" ? ["pitr", source, "--drill"] : ["rehearsal", "remove", source])
            #expect(again.exit == 0, "\(again.errors)\(again.output)")
            #expect(!FileManager.default.fileExists(atPath: folder))
            #expect(!FileManager.default.fileExists(atPath: ledger))
        }
    }

    @Test func aWishToStopLeavesNothingOfTheDrillAndTheRehearsalAsItWas() throws {
        try withSource { source in
            #expect(try Howdah.run(["migrate", source]).exit == 0)
            let process = try Howdah.start(
                ["pitr", source, "--drill"], output: .nullDevice, errors: .nullDevice)
            let ledger = "\(source).howdah/point-in-time-drill.json"
            var folder = ""
            let isAtWork = waitUntil {
                let data = FileManager.default.contents(atPath: ledger) ?? Data()
                let left = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
                folder = left?["folder"] as? String ?? ""
                return FileManager.default.fileExists(atPath: "\(folder)/bases")
            }
            #expect(isAtWork)
            kill(process.processIdentifier, SIGINT)
            #expect(waitUntil(seconds: 60) { !process.isRunning })
            #expect(process.terminationStatus == 130)
            #expect(!FileManager.default.fileExists(atPath: folder))
            #expect(!FileManager.default.fileExists(atPath: ledger))
            #expect(try Howdah.run(["validate", source]).exit == 0)
        }
    }

    @Test func aLiveServerIsLookedAtAndLeftAsItIs() throws {
        try withSource { source in
            try TestServer.withDatabase { target in
                let settings = "SELECT count(*) FROM pg_file_settings WHERE sourcefile LIKE '%auto.conf'"
                let before = try TestServer.value(settings, in: target)
                let shown = try Howdah.run(["pitr", source, target.url, "--preview"])
                #expect(
                    shown.exit == 0 && shown.output.contains("set: wal_level = 'replica'   # needs a restart")
                )
                #expect(!FileManager.default.fileExists(atPath: "\(source).howdah/production"))
                let outcome = try Howdah.run(["pitr", source, target.url])
                #expect(outcome.exit == 3, "\(outcome.errors)")
                #expect(outcome.output.contains("! 6.6 point in time"))
                let text = try String(
                    contentsOfFile: "\(source).howdah/production/point-in-time/RESTORE-TO-A-MOMENT.md",
                    encoding: .utf8)
                #expect(text.contains("ALTER SYSTEM SET archive_mode = 'on';"))
                #expect(try TestServer.value(settings, in: target) == before)
                // The operator knows, and settles it with a note.
                #expect(
                    try Howdah.run(["step", source, "6.6", "skip", "--live", "--note", "the provider's"]).exit
                        == 0)
            }
        }
    }

    @Test func aLiveTargetIsNeverDrilled() throws {
        let outcome = try Howdah.run(["pitr", "/tmp", "postgresql://ann@localhost/chat", "--drill"])
        #expect(outcome.exit == 2 && outcome.errors.contains("never done with a live target"))
    }

    @Test(arguments: [["--keep", "0"], ["--keep", "x"]]) func whatCannotBeMeantIsWrongUsage(
        arguments: [String]
    ) throws {
        #expect(try Howdah.run(["pitr", "/tmp"] + arguments).exit == 2)
    }
}
