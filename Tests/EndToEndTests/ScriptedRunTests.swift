import DemoProject
import Foundation
import Postgres
import SQLite
import TestSupport
import Testing

/// The screens run by scripts on real databases.
@Suite struct ScriptedRunTests {
    private static let enter = "Enter\n:wait-idle\n"

    private func screens(
        _ arguments: [String], _ script: String, _ folder: String, size: String = "100x30"
    ) throws -> Howdah.Outcome {
        let file = "\(folder)/keys-\(UUID().uuidString)"
        try script.write(toFile: file, atomically: true, encoding: .utf8)
        return try Howdah.run(
            arguments + ["--script", file, "--size", size],
            environment: ["XDG_CONFIG_HOME": "\(folder)/c", "XDG_STATE_HOME": "\(folder)/s"])
    }

    private func states(_ project: String) throws -> [String: String] {
        let status = try Howdah.run(["status", project, "--json"]).json()
        let phases = status["phases"] as? [[String: Any]] ?? []
        let steps = phases.flatMap { $0["steps"] as? [[String: Any]] ?? [] }
        return Dictionary(steps.map { ($0["id"] as? String ?? "", $0["state"] as? String ?? "") }) {
            first, _ in first
        }
    }

    /// What howdah does with any file.
    private static let engine = ["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8", "3.2", "3.3", "3.4"]
    /// Up to the proof with the demo's project, whose settings it knows too.
    private static let automatic = [
        "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "2.1", "2.2", "2.3", "3.2", "3.3", "3.4",
    ]

    @Test(arguments: ["60x15", "80x24", "120x40"]) func enterAloneTakesTheDemoToProven(_ size: String) throws
    {
        try withTemporaryFolder { folder in
            let script =
                ":wait-idle\n" + String(repeating: Self.enter, count: 29)
                + ":wait-for every cell is equal\n"
            let outcome = try screens(
                ["demo", "\(folder)/app", "--messages", "2000"], script, folder, size: size)
            #expect(outcome.exit == 0, "\(outcome.errors)")
            let states = try states("\(folder)/app")
            #expect(Self.automatic.allSatisfy { states[$0] == "done" }, "\(states)")
            _ = try Howdah.run(["rehearsal", "remove", "\(folder)/app"])
        }
    }

    /// `C` in LIVE: each step after its preview, whose focus is on Cancel, and `u` on C.2 is the way back.
    @Test func theScreensTakeAnApplicationOverAndBack() throws {
        try withTemporaryFolder { folder in
            let project = "\(folder)/app"
            _ = try DemoProject.make(in: project, options: .init(messages: 300))
            let environment = try String(contentsOfFile: "\(project)/.env", encoding: .utf8)
            try TestServer.withDatabase { target in
                #expect(try Howdah.run(["migrate", project, target.url, "--yes"]).exit == 0)
                let database = target["dbname"] ?? ""
                let confirmed = "Enter\n:wait-idle\nTab\nEnter\n:wait-idle\n"
                let script = """
                    :wait-idle
                    Esc
                    C
                    :save-display \(folder)/too-early
                    L
                    :wait-idle
                    :text \(database)
                    Enter
                    :wait-idle
                    C
                    :wait-idle
                    \(confirmed)\(confirmed):wait-for nobody could write
                    Esc
                    \(confirmed):wait-idle
                    :save-display \(folder)/tried
                    k
                    k
                    u
                    :wait-idle
                    Tab
                    Enter
                    :wait-idle
                    :save-display \(folder)/back

                    """
                let outcome = try screens([project, target.url], script, folder)
                #expect(outcome.exit == 0, "\(outcome.errors)")
                func display(_ name: String) throws -> String {
                    try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
                }
                #expect(try display("too-early").contains("L goes live first"))
                let tried = try display("tried")
                #expect(tried.contains("LIVE") && tried.contains("C Cutover"), "\(tried)")
                #expect(tried.contains("✔ C.2 switch over") && tried.contains("✔ C.3 smoke test"), "\(tried)")
                let back = try display("back")
                #expect(back.contains("undone: C.2"), "\(back)")
                #expect(try String(contentsOfFile: "\(project)/.env", encoding: .utf8) == environment)
            }
        }
    }

    @Test func theScreensAskByManyUsersAndShowTheFigures() throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/a.db"
            try makeDatabase(
                source,
                """
                CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT);
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 99) INSERT INTO t SELECT i, 'x' || i FROM n
                """)
            for step in Self.engine { #expect(try Howdah.run(["step", source, step, "run"]).exit == 0) }
            let script = """
                :wait-idle
                5
                G
                k
                Enter
                :wait-idle
                :save-display \(folder)/preview
                Enter
                :wait-for queries
                :wait-idle
                k
                :save-display \(folder)/end
                7
                :
                :text export \(folder)/list.html
                Enter
                :wait-idle

                """
            let outcome = try screens([source], script, folder, size: "140x50")
            #expect(outcome.exit == 0, "\(outcome.errors)")
            let preview = try String(contentsOfFile: "\(folder)/preview", encoding: .utf8)
            #expect(
                preview.contains("by 8 connections for") && preview.contains("Queries of t"), "\(preview)")
            let end = try String(contentsOfFile: "\(folder)/end", encoding: .utf8)
            #expect(end.contains("of 8 users at once in") && end.contains("one row by its key"), "\(end)")
            #expect(try states(source)["5.10"] == "done")
            #expect(
                try String(contentsOfFile: "\(folder)/list.html", encoding: .utf8).hasPrefix(
                    "<!DOCTYPE html>"))
            _ = try Howdah.run(["rehearsal", "remove", source])
        }
    }

    @Test(
        .enabled(
            if: FileManager.default.fileExists(atPath: packageFolder() + "/../shared/data/chinook.sqlite")))
    func enterAloneTakesChinookToProven() throws {
        try withTemporaryFolder { folder in
            try FileManager.default.copyItem(
                atPath: packageFolder() + "/../shared/data/chinook.sqlite", toPath: "\(folder)/chinook.sqlite"
            )
            let script =
                ":wait-idle\n" + String(repeating: Self.enter, count: 21) + ":wait-for every cell is equal\n"
            #expect(try screens(["\(folder)/chinook.sqlite"], script, folder).exit == 0)
            #expect(try states("\(folder)/chinook.sqlite")["3.4"] == "done")
            _ = try Howdah.run(["rehearsal", "remove", "\(folder)/chinook.sqlite"])
        }
    }

    @Test func enterAloneDecidesNothingAboutDirtyRows() throws {
        try withTemporaryFolder { folder in
            let script =
                ":wait-idle\n" + String(repeating: Self.enter, count: 40) + ":save-display \(folder)/end\n"
            #expect(
                try screens(["demo", "\(folder)/app", "--messages", "500", "--dirty"], script, folder).exit
                    == 0)
            let states = try states("\(folder)/app")
            #expect(states["1.7"] == "undecided")
            #expect(states["1.8"] == "waiting")
            #expect(try String(contentsOfFile: "\(folder)/end", encoding: .utf8).contains("4 to decide"))
            _ = try Howdah.run(["rehearsal", "remove", "\(folder)/app"])
        }
    }

    @Test func afterAKillTheTruthIsShownAndEnterGoesOn() throws {
        try withTemporaryFolder { folder in
            _ = try DemoProject.make(in: "\(folder)/app", options: .init(messages: 150_000))
            let project = "\(folder)/app"
            for step in Self.automatic.prefix(while: { $0 != "3.2" }) {
                #expect(try Howdah.run(["step", project, step, "run"]).exit == 0)
            }
            try (":wait-idle\n" + Self.enter + Self.enter).write(
                toFile: "\(folder)/keys", atomically: true, encoding: .utf8)
            let process = try Howdah.start(
                [project, "--script", "\(folder)/keys"], output: .nullDevice, errors: .nullDevice,
                environment: ["XDG_CONFIG_HOME": "\(folder)/c", "XDG_STATE_HOME": "\(folder)/s"])
            let isCopying = waitUntil { (try? states(project)["3.2"] == "running") ?? false }
            #expect(isCopying)
            kill(process.processIdentifier, SIGKILL)
            #expect(waitUntil { !process.isRunning })
            #expect(try states(project)["3.2"] == "failed")

            let script =
                ":wait-idle\n3\n:save-display \(folder)/reopened\n" + String(repeating: Self.enter, count: 7)
                + ":wait-for every cell is equal\n"
            let outcome = try screens([project], script, folder)
            #expect(outcome.exit == 0, "\(outcome.errors)")
            #expect(try String(contentsOfFile: "\(folder)/reopened", encoding: .utf8).contains("interrupted"))
            #expect(try states(project)["3.4"] == "done")
            _ = try Howdah.run(["rehearsal", "remove", project])
        }
    }

    /// A session that outlives its howdah goes on making an index that the next run makes anew.
    @Test func afterAKillWhileKeysAreMadeTheRestIsMadeAndProven() throws {
        try withTemporaryFolder { folder in
            _ = try DemoProject.make(in: "\(folder)/app", options: .init(messages: 150_000))
            let project = "\(folder)/app"
            for step in Self.automatic.prefix(while: { $0 != "3.3" }) {
                #expect(try Howdah.run(["step", project, step, "run"]).exit == 0)
            }
            let process = try Howdah.start(
                ["step", project, "3.3", "run"], output: .nullDevice, errors: .nullDevice)
            #expect(waitUntil { (try? states(project)["3.3"] == "running") ?? false })
            kill(process.processIdentifier, SIGKILL)
            #expect(waitUntil { !process.isRunning })
            for step in ["3.3", "3.4"] {
                let outcome = try Howdah.run(["step", project, step, "run"])
                #expect(outcome.exit == 0, "\(step): \(outcome.output) \(outcome.errors)")
            }
            _ = try Howdah.run(["rehearsal", "remove", project])
        }
    }

    @Test func phase5RunsATestAndAServiceAndLeavesNothingRunning() throws {
        try withTemporaryFolder { folder in
            let project = "\(folder)/app"
            try FileManager.default.createDirectory(atPath: project, withIntermediateDirectories: true)
            try makeDatabase("\(project)/app.db", "CREATE TABLE t (id INTEGER PRIMARY KEY)")
            let smoke =
                "smoke=psql \"$DATABASE_URL\" -Atc 'SELECT 40 + 2'; echo 'Ran 3 tests in 0.1s'; echo OK"
            #expect(try Howdah.run(["test", project, "--add", smoke]).exit == 0)
            try "echo \"listening as $$\"; sleep 600".write(
                toFile: "\(project)/dev.sh", atomically: true, encoding: .utf8)
            #expect(try Howdah.run(["test", project, "--add", "dev=sh dev.sh", "--service"]).exit == 0)
            let script = """
                :wait-idle
                Esc
                5
                Tab
                :wait-for not run yet
                Enter
                :wait-for smoke: passed, 3 passed
                :save-display \(folder)/tested
                j
                s
                :wait-for listening
                :save-display \(folder)/serving
                q
                :wait-for Services run
                Tab
                Enter
                """
            let outcome = try screens([project], script, folder)
            #expect(outcome.exit == 0, "\(outcome.errors)")
            let tested = try String(contentsOfFile: "\(folder)/tested", encoding: .utf8)
            #expect(tested.contains("│ 42"), "\(tested)")
            let serving = try String(contentsOfFile: "\(folder)/serving", encoding: .utf8)
            let number = serving.firstMatch(of: /listening as (\d+)/).flatMap { Int32($0.1) }
            let process = try #require(number)
            #expect(waitUntil { kill(process, 0) != 0 })
            _ = try Howdah.run(["rehearsal", "remove", project])
        }
    }

    @Test func aScriptThatWaitsInVainEndsWithAnError() throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", "CREATE TABLE t (id INTEGER PRIMARY KEY)")
            let outcome = try screens(["\(folder)/a.db"], "NoKey\n", folder)
            #expect(outcome.exit == 2)
            #expect(outcome.errors.contains("line 1 of the script"))
        }
    }

    @Test func commandsTickUndoAndAnswerWithTheDocumentedCodes() throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/a.db"
            try makeDatabase(
                source, "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT); INSERT INTO t VALUES (1, 'one')")
            #expect(try Howdah.run(["step", source, "3.2", "run"]).exit == 3)
            #expect(try Howdah.run(["step", source, "9.9", "run"]).exit == 2)
            #expect(try Howdah.run(["step", source, "2.1", "run"]).exit == 3)
            for step in Self.engine {
                #expect(try Howdah.run(["step", source, step, "run"]).exit == 0, "\(step)")
            }
            #expect(try Howdah.run(["step", source, "3.2", "undo"]).exit == 3)
            #expect(try Howdah.run(["step", source, "3.3", "undo"]).exit == 0)
            #expect(try Howdah.run(["step", source, "3.2", "undo"]).exit == 2)
            #expect(try Howdah.run(["step", source, "3.2", "undo", "--yes"]).exit == 0)
            #expect(
                try Howdah.run(["step", source, "2.1", "tick", "--note", "by hand", "--as", "ann"]).exit == 0)
            let item = try Howdah.run(["checklist", source, "tick", "tests", "--as", "ann", "--json"]).json()
            let items = item["items"] as? [[String: Any]] ?? []
            #expect(items.first?["ticked"] as? Bool == true)
            #expect(items.first?["who"] as? String == "ann")
            let file = "\(folder)/list.md"
            #expect(try Howdah.run(["checklist", source, "export", file]).exit == 0)
            #expect(
                try String(contentsOfFile: file, encoding: .utf8).contains("- [x] All tests passing (ann"))
            #expect(
                try Howdah.run(["checklist", source, "export", file]).exit == 0, "an earlier one is replaced")
            #expect(
                try Howdah.run(["checklist", source, "export", source]).exit == 2,
                "any other file is left alone")
            #expect(try Howdah.run(["checklist", source, "tick", "nothing"]).exit == 2)
            let status = try Howdah.run(["status", source])
            #expect(status.output.contains("✔ 2.1 .env"))
            #expect(status.output.contains("note: by hand"))
            _ = try Howdah.run(["rehearsal", "remove", source])
        }
    }
}
