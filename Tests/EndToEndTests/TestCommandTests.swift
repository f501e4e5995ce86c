import DemoProject
import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

/// `howdah test` and `howdah serve`, as a user runs them.
@Suite struct TestCommandTests {
    private func withProject(_ body: (_ project: String, _ target: [String]) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let project = "\(folder)/app"
            try FileManager.default.createDirectory(atPath: project, withIntermediateDirectories: true)
            try makeDatabase("\(project)/app.db", "CREATE TABLE t (id INTEGER PRIMARY KEY)")
            try TestServer.withDatabase { conninfo in
                try body(project, ["--live", "--target", conninfo.url])
            }
        }
    }

    private func add(_ project: String, _ commands: String..., service: Bool = false) throws {
        let options = commands.flatMap { ["--add", $0] } + (service ? ["--service"] : [])
        let outcome = try Howdah.run(["test", project] + options)
        #expect(outcome.exit == 0, "\(outcome.errors)")
    }

    /// Starts howdah with its errors in a file; `body` gets a function that reads them.
    private func started(
        _ arguments: [String], _ folder: String, _ body: (Process, () -> String) throws -> Void
    ) throws {
        let path = "\(folder)/errors-\(UUID().uuidString)"
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let errors = try #require(FileHandle(forWritingAtPath: path))
        let process = try Howdah.start(arguments, output: .nullDevice, errors: errors)
        defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
        try body(process) { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
    }

    /// The numbers in a line that begins with a word.
    private func numbers(_ text: String, after word: String) -> [Int32] {
        text.split(separator: "\n").first { $0.hasPrefix(word) }?.split(separator: " ").compactMap {
            Int32($0)
        } ?? []
    }

    @Test func exitCodesAndTheDocumentSayWhatCameOfIt() throws {
        try withProject { project, target in
            try add(
                project, "good=printf '# tests 2\\n# pass 2\\n# fail 0\\n# duration_ms 1\\n'",
                "bad=echo oh no >&2; exit 3", "empty=echo 'Ran 0 tests in 0.000s'; echo; echo OK")
            let run = { (names: [String]) in
                try Howdah.run(["test", project] + names + target + ["--yes", "--json"])
            }
            let good = try run(["good"])
            #expect(good.exit == 0, "\(good.errors)")
            #expect(good.errors.contains("# pass 2"), "output is live on stderr")
            let document = try good.json()
            #expect(document["outcome"] as? String == "passed")
            #expect(document["mode"] as? String == "live")
            let command = try #require((document["commands"] as? [[String: Any]])?.first)
            #expect(command["name"] as? String == "good")
            #expect(command["passed"] as? Int == 2)
            #expect(command["status"] as? Int == 0)
            #expect((command["log"] as? String)?.hasPrefix("log/tests/good-") ?? false)
            #expect((document["commands"] as? [Any])?.count == 1)

            #expect(try run(["bad"]).exit == 1)
            #expect(try run(["bad"]).errors.contains("oh no"))
            #expect(try run(["empty"]).exit == 3)
            #expect(try run(["empty"]).json()["outcome"] as? String == "undecided")
            #expect(try run(["good", "empty", "bad"]).exit == 1)
            #expect(try run([]).exit == 1)
            let unknown = try run(["goode"])
            #expect(unknown.exit == 2)
            #expect(unknown.output.contains("good, bad, empty"))
            let status = try Howdah.run(["status", project] + target)
            #expect(status.output.contains("✘ 5.1 test commands  failed: bad failed"), "\(status.output)")
        }
    }

    @Test func theLiveTargetIsTestedOnYourWordOnly() throws {
        try withProject { project, target in
            try add(project, "a=touch ran")
            let outcome = try Howdah.run(["test", project] + target)
            #expect(outcome.exit == 2)
            #expect(outcome.errors.contains("--yes"))
            #expect(access("\(project)/ran", F_OK) != 0)
            try add(project, "dev=touch ran", service: true)
            let service = try Howdah.run(["serve", project, "dev"] + target)
            #expect(service.exit == 2)
            #expect(service.errors.contains("--yes"))
            #expect(access("\(project)/ran", F_OK) != 0)
        }
    }

    /// A pager that is not read on, or a terminal that is stopped, must keep neither limit nor wish from being heard.
    @Test(arguments: ["late", "cancelled"]) func whoStopsReadingStderrStopsNothingElse(_ end: String) throws {
        try withProject { project, target in
            try add(project, "flood=echo $$ > pid; yes 'a line of output' & wait; sleep 600")
            let pipe = Pipe()
            let limit = end == "late" ? ["--timeout", "3"] : []
            let process = try Howdah.start(
                ["test", project, "--yes"] + limit + target, output: .nullDevice,
                errors: pipe.fileHandleForWriting)
            defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
            #expect(waitUntil { access("\(project)/pid", F_OK) == 0 })
            if end == "cancelled" {
                // More than the pipe takes was written once the log is as long.
                let logs = "\(project)/.howdah/log/tests"
                #expect(
                    waitUntil {
                        let name = (try? FileManager.default.contentsOfDirectory(atPath: logs))?.first ?? ""
                        let size = (try? FileManager.default.attributesOfItem(atPath: "\(logs)/\(name)"))?[
                            .size]
                        return size as? Int ?? 0 > 1 << 20
                    })
                kill(process.processIdentifier, SIGINT)
            }
            let hasEnded = waitUntil(seconds: 60) { !process.isRunning }
            try #require(hasEnded)
            #expect(process.terminationStatus == (end == "late" ? 1 : 130))
            let list = try Howdah.run(["test", project, "--list", "--json"] + target).json()
            #expect((list["commands"] as? [[String: Any]])?.first?["outcome"] as? String == end)
            try pipe.fileHandleForReading.close()
        }
    }

    @Test func linksAreListedProposedAndTaken() throws {
        try withProject { project, target in
            try add(project, "test:encryption=true", "unrelated=true")
            let list = try Howdah.run(["test", project, "--list"] + target)
            #expect(list.output.contains("could tick 5.2 encryption: --link 5.2=test:encryption"))
            #expect(try Howdah.run(["test", project, "--link", "proposed"] + target).exit == 0)
            #expect(try Howdah.run(["test", project, "--link", "5.3=unrelated"] + target).exit == 0)
            let ran = try Howdah.run(["test", project, "--yes", "--json"] + target)
            let items = try ran.json()["items"] as? [[String: Any]] ?? []
            let states = items.map { "\($0["id"] as? String ?? "") \($0["state"] as? String ?? "")" }
            #expect(states.prefix(3) == ["5.2 done", "5.3 done", "5.4 ready"])
            #expect(try Howdah.run(["test", project, "--unlink", "5.3"] + target).exit == 0)
            #expect(try Howdah.run(["test", project, "--unlink", "5.3"] + target).exit == 2)
            for wrong in [
                ["--link", "5.2"], ["--link", "9.9=unrelated"], ["--link", "5.2=nobody"],
                ["--add", "no command"],
            ] {
                #expect(try Howdah.run(["test", project] + wrong + target).exit == 2, "\(wrong)")
            }
            #expect(try Howdah.run(["test", project, "unrelated", "--list"] + target).exit == 2)
            #expect(try Howdah.run(["test", project, "--remove", "unrelated"] + target).exit == 0)
            #expect(try Howdah.run(["test", project, "unrelated", "--yes"] + target).exit == 2)
        }
    }

    @Test func controlCEndsTheCommandWithAllThatItStarted() throws {
        try withProject { project, target in
            try add(project, "slow=trap '' TERM; sleep 600 & echo pids $! $$; sleep 600; sleep 600")
            try started(["test", project, "--yes"] + target, project) { process, errors in
                #expect(waitUntil { !numbers(errors(), after: "pids").isEmpty })
                let processes = numbers(errors(), after: "pids")
                kill(process.processIdentifier, SIGINT)
                #expect(waitUntil(seconds: 60) { !process.isRunning })
                #expect(process.terminationStatus == 130)
                #expect(waitUntil { processes.allSatisfy { ProcessIdentity.of($0) == nil } })
            }
            let list = try Howdah.run(["test", project, "--list", "--json"] + target).json()
            let command = (list["commands"] as? [[String: Any]])?.first
            #expect(command?["outcome"] as? String == "cancelled")
        }
    }

    /// The kernel tells the watchdog, whatever has become of howdah.
    @Test(arguments: ["test", "serve"]) func whatRunsEndsWhenHowdahIsKilled(_ command: String) throws {
        try withProject { project, target in
            try add(
                project, "slow=trap '' TERM; sleep 600 & echo pids $! $$; sleep 600; sleep 600",
                service: command == "serve")
            let words = command == "test" ? ["test", project, "--yes"] : ["serve", project, "slow", "--yes"]
            try started(words + target, project) { process, errors in
                #expect(waitUntil { !numbers(errors(), after: "pids").isEmpty })
                let processes = numbers(errors(), after: "pids")
                #expect(processes.count == 2)
                kill(process.processIdentifier, SIGKILL)
                #expect(waitUntil { processes.allSatisfy { ProcessIdentity.of($0) == nil } })
            }
            let list = try Howdah.run(["test", project, "--list", "--json"] + target).json()
            let state = (list["commands"] as? [[String: Any]])?.first
            #expect(state?["interrupted"] as? Bool == true)
            #expect(state?["stale_process"] == nil)
        }
    }

    @Test func aServiceRunsInTheForegroundUntilItIsStopped() throws {
        try withProject { project, target in
            try add(project, "dev=echo pids $$; sleep 600", "broken=exit 5", service: true)
            try started(["serve", project, "dev", "--yes"] + target, project) { process, errors in
                #expect(waitUntil { !numbers(errors(), after: "pids").isEmpty })
                kill(process.processIdentifier, SIGTERM)
                #expect(waitUntil { !process.isRunning })
                #expect(process.terminationStatus == 0)
                let processes = numbers(errors(), after: "pids")
                #expect(waitUntil { processes.allSatisfy { ProcessIdentity.of($0) == nil } })
            }
            let broken = try Howdah.run(["serve", project, "broken", "--yes"] + target)
            #expect(broken.exit == 1)
            #expect(broken.output.contains("exit status 5"))
            #expect(try Howdah.run(["serve", project, "nobody"] + target).exit == 2)
        }
    }

    @Test func aFloodOfOutputTakesNoMemory() throws {
        try withProject { project, target in
            try add(project, "flood=head -c 200000000 /dev/zero | tr '\\0' 'x' | fold -w 1000")
            try started(["test", project, "--yes"] + target, project) { process, _ in
                var most = 0
                #expect(
                    waitUntil(seconds: 300) {
                        let status =
                            (try? String(
                                contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8))
                            ?? ""
                        let peak = status.firstMatch(of: /VmHWM:\s+(\d+) kB/).flatMap { Int($0.1) } ?? 0
                        most = max(most, peak)
                        return !process.isRunning
                    })
                #expect(process.terminationStatus == 0)
                #if os(Linux)
                    #expect(most > 1000 && most < 150_000, "\(most) kB at most")
                #endif
            }
            let logs = try FileManager.default.contentsOfDirectory(atPath: "\(project)/.howdah/log/tests")
            let size = try FileManager.default.attributesOfItem(
                atPath: "\(project)/.howdah/log/tests/\(logs[0])")[.size]
            #expect((size as? Int ?? .max) < 40 << 20)
        }
    }

    private static let hasNode = ["node", "npm", "psql"].allSatisfy { name in
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
        }
    }

    /// The demo's own tests mean something: they fail on an empty database, and pass on the migrated one.
    @Test(.enabled(if: hasNode)) func theDemosTestsTellAMigratedDatabaseFromAnEmptyOne() throws {
        try withTemporaryFolder { folder in
            let project = "\(folder)/app"
            _ = try DemoProject.make(in: project, options: .init(messages: 500))
            defer { _ = try? Howdah.run(["rehearsal", "remove", project]) }
            let early = try Howdah.run(["test", project, "test:history"])
            #expect(early.exit == 1)
            #expect(early.errors.contains("does not exist"))
            #expect(try Howdah.run(["migrate", project]).exit == 0)
            let outcome = try Howdah.run(["test", project, "--json"])
            #expect(outcome.exit == 0, "\(outcome.errors)")
            let commands = try outcome.json()["commands"] as? [[String: Any]] ?? []
            #expect(
                commands.map { $0["name"] as? String } == [
                    "test", "test:conversations", "test:encryption", "test:history",
                ])
            #expect(commands.map { $0["passed"] as? Int } == [7, 2, 3, 1])
            #expect(commands.allSatisfy { $0["skipped"] as? Int == 0 })
            // One byte of what was sealed.
            let url = try Howdah.run(["rehearsal", "start", project]).output.trimmingCharacters(
                in: .whitespacesAndNewlines)
            let psql = Process()
            psql.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            psql.arguments = [
                "psql", url, "-q", "-c",
                "UPDATE \"Message\" SET \"encryptedContent\" = set_byte(\"encryptedContent\", 0, 1) WHERE id = 1",
            ]
            try psql.run()
            psql.waitUntilExit()
            #expect(psql.terminationStatus == 0)
            #expect(try Howdah.run(["test", project, "test:encryption"]).exit == 1)
        }
    }
}
