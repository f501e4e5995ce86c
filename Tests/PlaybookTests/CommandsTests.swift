import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

@testable import AppProject
@testable import Playbook

/// Step 5.1: the application's commands, run for real; shell scripts stand in for test runners.
@Suite struct CommandsTests {
    /// A project beside a server's database, with the mode live: it needs no cluster of its own.
    ///
    /// `password` is one that the server does not ask for, and the URL has.
    func withProject(
        _ files: [String: String] = [:], folder name: String = "app", password: String? = nil,
        _ body: (Playbook, _ project: String) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            let project = "\(folder)/\(name)"
            try write(files.merging(["\(name)/readme.md": ""]) { one, _ in one }, in: folder)
            try makeDatabase("\(project)/app.db", "CREATE TABLE t (id INTEGER PRIMARY KEY)")
            try TestServer.withDatabase { conninfo in
                let target = password.map { conninfo.setting("password", to: $0) } ?? conninfo
                let book = try Playbook(Workspace(project, state: nil), target: target, who: "ann")
                try book.setMode(.live)
                defer { book.close() }
                try body(book, project)
            }
        }
    }

    private func write(_ files: [String: String], in folder: String) throws {
        for (path, text) in files {
            let file = URL(fileURLWithPath: "\(folder)/\(path)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
            if text.hasPrefix("#!") { chmod(file.path, 0o755) }
        }
    }

    @discardableResult
    func run(
        _ names: String..., book: Playbook, timeout: Duration = .seconds(60),
        cancellation: Cancellation = Cancellation()
    ) throws -> [CommandResult] {
        let activity = try #require(book.begin("5.1", cancellation: cancellation))
        defer { book.end(activity) }
        return try book.runCommands(names, timeout: timeout, activity)
    }

    private func start(_ name: String, _ book: Playbook) throws {
        let activity = try #require(book.begin(nil))
        defer { book.end(activity) }
        try book.startService(name, activity)
    }

    /// What node's runner prints in the end.
    static func counts(_ passed: Int, _ failed: Int = 0) -> String {
        "printf '# tests \(passed + failed)\\n# pass \(passed)\\n# fail \(failed)\\n# duration_ms 1\\n'"
    }

    private func add(_ name: String, _ run: String, _ book: Playbook, kind: AppCommand.Kind = .test) throws {
        try book.addCommand(OwnCommand(name: name, run: run, kind: kind))
    }

    private func step(_ id: String, _ book: Playbook) throws -> BookState.StepLine {
        try #require(book.overview().step(id))
    }

    // MARK: The step

    @Test func withoutACommandTheStepStaysByHand() throws {
        try withProject { book, _ in
            #expect(try step("5.1", book).isManual)
            let error = #expect(throws: MigrationError.self) { try run(book: book) }
            #expect(error?.exit == .undecided)
            #expect(!book.journal.entries.contains { $0.subject == "5.1" })
            try add("one", "true", book)
            #expect(try !step("5.1", book).isManual)
        }
    }

    @Test func allCommandsAreRunWhateverOneComesTo() throws {
        try withProject { book, _ in
            try add("a", Self.counts(3), book)
            try add("b", "echo no; exit 4", book)
            try add("c", "echo built", book)
            let results = try run(book: book)
            #expect(results.map(\.name) == ["a", "b", "c"])
            #expect(results.map(\.outcome) == [.passed, .failed, .passed])
            #expect(results.map(\.status) == [0, 4, 0])
            #expect(results[0].counts == TestCounts(runner: "node", passed: 3))
            #expect(results[2].counts == nil)
            #expect(results[2].reason == "by its exit status: its output tells no counts")
            let line = try step("5.1", book)
            #expect(line.state == .failed("b failed"))
            #expect(line.evidence.first == "2 of 3 commands passed: tests 3 passed")
            let log = try #require(results[1].log)
            #expect(
                try String(contentsOfFile: "\(book.workspace.state.path)/\(log)", encoding: .utf8) == "no\n")
            #expect(book.feed(of: "b")?.output.lines == ["no"])
        }
    }

    @Test func aRunWithoutATestIsNeverAPass() throws {
        try withProject { book, _ in
            try add("a", Self.counts(2), book)
            try add("empty", Self.counts(0), book)
            #expect(try run(book: book).map(\.outcome) == [.passed, .empty])
            #expect(try step("5.1", book).state == .undecided(1))
            #expect(try step("5.1", book).evidence.contains { $0.contains("empty: ran no test") })
        }
    }

    @Test func failuresThatARunnerHidesBehindItsStatusCount() throws {
        try withProject { book, _ in
            try add("a", Self.counts(2, 1), book)
            #expect(try run("a", book: book).first?.outcome == .failed)
        }
    }

    @Test func commandsGetTheTargetAndTheProjectsFolder() throws {
        try withProject(["app/api/here": ""]) { book, project in
            try book.addCommand(
                OwnCommand(
                    name: "a",
                    run:
                        "[ \"$CI\" = 1 ] && [ -e here ] && pwd && psql \"$DATABASE_URL\" -Atc 'SELECT current_database()'",
                    folder: "api"))
            let result = try #require(try run("a", book: book).first)
            let lines = book.feed(of: "a")?.output.lines ?? []
            #expect(result.outcome == .passed, "\(lines)")
            #expect(
                lines == [
                    URL(fileURLWithPath: "\(project)/api").resolvingSymlinksInPath().path,
                    book.liveTarget?["dbname"] ?? "",
                ]
                    || lines.last == book.liveTarget?["dbname"])
        }
    }

    @Test func aRehearsalRunsInItsCopyAndOnItsOwnServer() throws {
        try withProject(
            [
                "one/part/mine": "first", "two/part/mine": "second",
                "chat-backend/package.json": "{\"scripts\": {}}", "chat-backend/value": "old",
                "chat-frontend/package.json": "{\"scripts\": {\"start\": \"x\"}}",
                "chat-frontend/mine": "front",
            ], folder: "chat-backend"
        ) { book, project in
            try book.setMode(.rehearsal)
            defer {
                var cluster = try? RehearsalCluster(book.workspace.state, cancellation: Cancellation())
                try? cluster?.remove()
            }
            try add(
                "a", "cat value; echo new > value; psql \"$DATABASE_URL\" -Atc 'SELECT current_database()'",
                book)
            try book.addCommand(
                OwnCommand(
                    name: "b", run: "cat mine ../chat-backend/value; echo changed > mine",
                    folder: "../chat-frontend"))
            for name in ["one", "two"] {
                try book.addCommand(OwnCommand(name: name, run: "cat mine", folder: "../\(name)/part"))
            }
            let results = try run(book: book)
            #expect(
                results.map(\.outcome) == [.passed, .passed, .passed, .passed],
                "\(book.feed(of: "a")?.output.lines ?? [])")
            #expect(["one", "two"].map { book.feed(of: $0)?.output.lines } == [["first"], ["second"]])
            #expect(book.feed(of: "a")?.output.lines == ["oldrehearsal"])
            #expect(book.feed(of: "b")?.output.lines == ["frontnew"])
            #expect(try String(contentsOfFile: "\(project)/value", encoding: .utf8) == "old")
            #expect(
                try String(contentsOfFile: "\(project)/../chat-frontend/mine", encoding: .utf8) == "front")
            // What was run in a rehearsal says nothing of the live target.
            try book.setMode(.live)
            #expect(try step("5.1", book).state == .ready)
            #expect(book.commandStates(.live).allSatisfy { $0.last == nil })
            #expect(book.feed(of: "a") == nil)
        }
    }

    @Test func aPasswordReachesNeitherLogNorJournalNorScreen() throws {
        let script = """
            echo "$DATABASE_URL postgresql://chat:tr0ub4%20dor%263@db/chat"; echo 'tr0ub4 dor&3'
            printf 'tr0ub4 \\033[31mdor&3\\n'; cat .env; env; exit 3
            """
        let files = ["app/.env": "JWT_SECRET=very-very-secret\n", "app/leak.sh": script]
        try withProject(files, password: "tr0ub4 dor&3") { book, project in
            try add("leak", "sh leak.sh", book)
            let lines = Lines()
            book.onCommandLine { lines.add($1) }
            let result = try #require(try run(book: book).first)
            #expect(result.outcome == .failed)
            #expect(lines.all.contains("••••"))
            #expect(lines.all.contains { $0.hasSuffix("postgresql://chat:••••@db/chat") })
            #expect(lines.all.contains("JWT_SECRET=••••"))
            let state = book.workspace.state.path
            let journal = try Data(contentsOf: URL(fileURLWithPath: "\(state)/journal.db"))
            let places = [
                ("log", try String(contentsOfFile: "\(state)/\(result.log ?? "")", encoding: .utf8)),
                ("listeners", lines.all.joined(separator: "\n")),
                ("screen", book.feed(of: "leak")?.output.lines.joined(separator: "\n") ?? ""),
                ("state", "\(book.overview())"), ("journal", String(decoding: journal, as: UTF8.self)),
            ]
            for (name, text) in places {
                #expect(!text.isEmpty)
                for secret in ["tr0ub4", "dor&3", "dor%263", "very-very-secret"] {
                    #expect(!text.contains(secret), "\(secret) in \(name)")
                }
            }
        }
    }

    /// Lines that come from other threads.
    private final class Lines: @unchecked Sendable {
        private let lock = NSLock()
        private var lines: [String] = []

        func add(_ line: String) { lock.withLock { lines.append(line) } }
        var all: [String] { lock.withLock { lines } }
    }

    @Test func aProgramThatIsMissingIsToldWithWhatToDo() throws {
        try withProject(["app/bin/rails": "", "app/test/a_test.rb": ""]) { book, _ in
            let result = try #require(try run("rails", book: book).first)
            #expect(result.outcome == .unable)
            #expect(result.reason.contains("bin/rails is not installed"))
        }
    }

    @Test func aWishToCancelEndsTheRestToo() throws {
        try withProject { book, project in
            try add("slow", "echo $$ > \(project)/pid; sleep 600", book)
            try add("next", "touch \(project)/next", book)
            let cancellation = Cancellation()
            let canceller = Thread {
                _ = waitUntil { access("\(project)/pid", F_OK) == 0 }
                cancellation.cancel()
            }
            canceller.start()
            let error = #expect(throws: MigrationError.self) {
                try run(book: book, cancellation: cancellation)
            }
            #expect(error?.code == .cancelled)
            #expect(access("\(project)/next", F_OK) != 0)
            #expect(book.commandStates(.live).map(\.last?.outcome) == [.cancelled, nil])
            #expect(try step("5.1", book).state == .ready)
        }
    }

    @Test func aCommandThatTakesTooLongIsEnded() throws {
        try withProject { book, _ in
            try add("slow", "sleep 600", book)
            let result = try #require(try run("slow", book: book, timeout: .seconds(1)).first)
            #expect(result.outcome == .late)
            #expect(result.reason.contains("--timeout"))
        }
    }

    @Test func whatWasBegunAndNeverEndedIsShownAsInterrupted() throws {
        try withProject { book, _ in
            try add("a", "true", book)
            try run("a", book: book)
            try book.journal.add(.launched, "command:a", .live, "true")
            let state = try #require(book.commandStates(.live).first)
            #expect(state.isInterrupted)
            #expect(state.last?.outcome == .passed)
        }
    }

    // MARK: What the operator says

    @Test func aCommandThatIsAddedMakesNothingStale() throws {
        try PlaybookTests().withBook { book, _ in
            try PlaybookTests().run(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8"], book)
            let before = book.overview().steps.filter { $0.step < "5" }.map(\.state)
            try book.addCommand(OwnCommand(name: "smoke", run: "true"))
            try book.leaveOut("test", true)
            #expect(book.overview().steps.filter { $0.step < "5" }.map(\.state) == before)
            // And what is done to the plan leaves them.
            try PlaybookTests().undo("1.8", book)
            try PlaybookTests().undo("1.7", book)
            #expect(try book.appCommand("smoke").isOwn)
        }
    }

    @Test func whatIsLeftOutIsPassedOverAndSaidSo() throws {
        try withProject { book, _ in
            try add("a", Self.counts(1), book)
            try add("bad", "false", book)
            try run(book: book)
            #expect(try step("5.1", book).state == .failed("bad failed"))
            try book.leaveOut("bad", true)
            #expect(try step("5.1", book).state == .done)
            #expect(try run(book: book).map(\.name) == ["a"])
            #expect(try step("5.1", book).evidence.last == "left out: bad")
            try book.leaveOut("bad", false)
            #expect(try step("5.1", book).state == .failed("bad failed"))
            #expect(throws: MigrationError.self) { try book.leaveOut("nobody", true) }
        }
    }

    @Test func singleRunsCountForAStepThatWasRunWholeAndNoOther() throws {
        try withProject { book, project in
            try add("a", "true", book)
            try add("b", "[ -e \(project)/mended ]", book)
            try run("a", book: book)
            #expect(try step("5.1", book).state == .ready, "parts do not make the whole")
            try run(book: book)
            #expect(try step("5.1", book).state == .failed("b failed"))
            _ = FileManager.default.createFile(atPath: "\(project)/mended", contents: nil)
            try run("b", book: book)
            #expect(try step("5.1", book).state == .done)
        }
    }

    @Test func namesThatAreNotThereAreRefusedBeforeAnythingRuns() throws {
        try withProject { book, project in
            try add("a", "touch \(project)/ran", book)
            try add("dev", "sleep 1", book, kind: .service)
            for names in [["a", "nobody"], ["a", "dev"]] {
                let activity = try #require(book.begin("5.1"))
                defer { book.end(activity) }
                let error = #expect(throws: MigrationError.self) { try book.runCommands(names, activity) }
                #expect(error?.exit == .usage)
            }
            #expect(access("\(project)/ran", F_OK) != 0)
            #expect(throws: MigrationError.self) {
                try book.addCommand(OwnCommand(name: "x", run: "y", folder: "nowhere"))
            }
            #expect(throws: MigrationError.self) { try book.removeCommand("nobody") }
        }
    }

    // MARK: Links

    @Test func linksAreProposedByNameAndByNothingElse() throws {
        let cases: [(String, String, [String])] = [
            ("test:encryption-api", "", ["5.2"]), ("test:socket", "", ["5.3"]),
            ("test:file-upload", "", ["5.4"]),
            ("test:conversations", "", ["5.5"]), ("test:auth", "", ["5.6"]),
            ("services/x:test", "services/x", []),
            ("test:services", "", ["5.7"]), ("test:message.history", "", ["5.8"]),
            ("test:key-rotation", "", ["5.9"]),
            ("test:profile", "", []), ("test", "", []), ("chat:test:pqc-rotation", "chat", ["5.2", "5.9"]),
            ("db:test", "../db", []), ("test:dashboard", "", []),
        ]
        for (name, folder, items) in cases {
            let command = AppCommand(name: name, kind: .test, run: "", words: [], folder: folder, foundIn: "")
            #expect(LinkRule.items(for: command) == items, "\(name)")
        }
        let service = AppCommand(
            name: "test:auth", kind: .service, run: "", words: [], folder: "", foundIn: "")
        #expect(LinkRule.items(for: service).isEmpty)
    }

    @Test func aGreenRunTicksAnItemAndARedOneTakesTheTickAway() throws {
        try withProject { book, project in
            try add("test:encryption", "[ ! -e \(project)/broken ] && \(Self.counts(2))", book)
            try add("test:ratchet", "true", book)
            try book.link("5.2", to: "test:encryption")
            try book.link("5.2", to: "test:ratchet")
            try run("test:encryption", book: book)
            #expect(try step("5.2", book).state == .ready, "one of two is not enough")
            try run("test:ratchet", book: book)
            var line = try step("5.2", book)
            #expect(line.state == .done)
            #expect(line.who == "ann")
            #expect(line.evidence.count == 2)
            #expect(line.evidence.first?.contains("by test:encryption: passed — 2 passed") ?? false)
            #expect(line.evidence.first?.contains("log/tests/") ?? false)

            _ = FileManager.default.createFile(atPath: "\(project)/broken", contents: nil)
            try run("test:encryption", book: book)
            line = try step("5.2", book)
            #expect(line.state == .ready)
            #expect(line.evidence.contains { $0.contains("linked to test:encryption: failed") })
            #expect(book.journal.last("5.2", .live)?.kind == .unticked)
        }
    }

    @Test func whatTheOperatorHasSaidStays() throws {
        try withProject { book, _ in
            try add("bad", "false", book)
            for item in ["5.3", "5.4"] { try book.link(item, to: "bad") }
            try book.tick("5.3", note: "tried with two telephones")
            try book.skip("5.4", reason: "it has no files")
            try run("bad", book: book)
            let line = try step("5.3", book)
            #expect(line.state == .done)
            #expect(line.note == "tried with two telephones")
            #expect(line.contradiction == "ticked by ann, though bad failed")
            #expect(try step("5.4", book).state == .skipped("it has no files"))

            try add("good", "true", book)
            try book.unlink("5.3")
            try book.link("5.3", to: "good")
            try run("good", book: book)
            #expect(try step("5.3", book).note == "tried with two telephones")
            #expect(try step("5.3", book).contradiction == nil)
        }
    }

    @Test func aLinkToWhatHasPassedTicksAtOnceAndGoesWithTheLink() throws {
        try withProject { book, _ in
            try add("good", "true", book)
            try run("good", book: book)
            try book.link("5.6", to: "good")
            #expect(try step("5.6", book).state == .done)
            try book.unlink("5.6", from: "good")
            #expect(try step("5.6", book).state == .ready)
            #expect(book.links.isEmpty)
            #expect(throws: MigrationError.self) { try book.unlink("5.6") }
            #expect(throws: MigrationError.self) { try book.link("5.1", to: "good") }
            #expect(throws: MigrationError.self) { try book.link("5.6", to: "nobody") }
        }
    }

    @Test func aRunWithoutATestTicksNothing() throws {
        try withProject { book, _ in
            try add("empty", Self.counts(0), book)
            try book.link("5.8", to: "empty")
            try run("empty", book: book)
            #expect(try step("5.8", book).state == .ready)
        }
    }

    @Test func anotherReaderSeesTheSame() throws {
        try withProject { book, project in
            try add("a", Self.counts(1), book)
            try book.link("5.7", to: "a")
            try run(book: book)
            let reader = try Playbook(
                Workspace(project, state: nil, isWriter: false), target: nil, who: nil, isWriter: false)
            #expect(reader.commandStates(.live) == book.commandStates(.live))
            #expect(reader.feed(of: "a")?.output.lines == book.feed(of: "a")?.output.lines)
            #expect(reader.links == ["5.7": ["a"]])
        }
    }

    // MARK: Services

    private func lines(_ name: String, _ book: Playbook) -> [String] {
        book.feed(of: name)?.output.lines ?? []
    }

    @Test func aServiceRunsUntilItIsStoppedAndIsThereOnce() throws {
        try withProject { book, _ in
            try add(
                "dev",
                "trap 'echo bye; exit 0' TERM; echo \"up ${CI:-by hand} $$\"; while :; do sleep 0.05; done",
                book, kind: .service)
            try start("dev", book)
            // A service gets no CI of howdah's own: what the operator has, or none.
            let own = ProcessInfo.processInfo.environment["CI"] ?? ""
            #expect(
                waitUntil {
                    lines("dev", book).first?.hasPrefix("up \(own.isEmpty ? "by hand" : own)") ?? false
                })
            #expect(book.runningServices == ["dev"])
            let error = #expect(throws: MigrationError.self) { try start("dev", book) }
            #expect(error?.code == .locked)
            #expect(book.staleServices().isEmpty, "it is our own")
            try book.stopService("dev")
            #expect(book.runningServices.isEmpty)
            #expect(lines("dev", book).last == "bye")
            #expect(book.feed(of: "dev")?.end == "it was stopped")
            #expect(throws: MigrationError.self) { try book.stopService("dev") }
            #expect(access("\(book.workspace.state.path)/services.json", F_OK) != 0)
            // Stopped, it can be started again.
            try start("dev", book)
            book.close()
            #expect(book.runningServices.isEmpty)
        }
    }

    @Test func aServiceThatIgnoresSIGTERMIsKilledWithWhatItStarted() throws {
        try withProject { book, _ in
            try add(
                "dev",
                "trap '' TERM; (trap '' TERM; while :; do sleep 600; done) & echo $! $$; while :; do sleep 600; done",
                book, kind: .service)
            try start("dev", book)
            #expect(waitUntil { !lines("dev", book).isEmpty })
            let processes = (lines("dev", book).first ?? "").split(separator: " ").compactMap { Int32($0) }
            #expect(processes.count == 2)
            try book.stopService("dev")
            #expect(waitUntil { processes.allSatisfy { ProcessIdentity.of($0) == nil } })
        }
    }

    @Test func aServiceThatEndsByItselfSaysSo() throws {
        try withProject { book, _ in
            try add("dev", "echo broken; exit 9", book, kind: .service)
            try start("dev", book)
            let result = try #require(book.waitForService("dev", Cancellation()))
            #expect(result.outcome == .failed)
            #expect(result.reason == "it ended by itself: exit status 9")
            #expect(book.journal.last("command:dev", .live)?.kind == .ran)
            #expect(book.links.isEmpty && book.overview().step("5.1")?.state == .ready)
        }
    }

    @Test func oneThatAKilledHowdahHasLeftIsToldAndCanBeEnded() throws {
        try withProject { book, _ in
            try add("dev", "sleep 600", book, kind: .service)
            // As a howdah leaves it that is killed together with its watchdog.
            let shell = Command(
                "/bin/sh", ["-c", "setsid sleep 600 > /dev/null 2>&1 & echo $!"], in: "/tmp",
                environment: ["PATH": "/usr/bin:/bin"])
            let said = try shell.run(cancellation: Cancellation()).output
            let number = try #require(Int32(said.trimmingCharacters(in: .whitespacesAndNewlines)))
            defer { kill(number, SIGKILL) }
            let identity = try #require(ProcessIdentity.of(number))
            func record(_ identity: String, howdah: Int32 = 1, _ howdahIdentity: String = "gone") throws {
                try book.workspace.state.write(
                    "{\"entries\":[{\"name\":\"dev\",\"process\":\(number),\"identity\":\"\(identity)\",\"howdah\":\(howdah),\"howdahIdentity\":\"\(howdahIdentity)\",\"since\":\"2026-01-02T03:04:05Z\"}]}",
                    to: "services.json")
            }
            // Another howdah, which runs, has it.
            let owner = try #require(ProcessIdentity.of(getppid()))
            try record(identity, howdah: getppid(), owner)
            #expect(book.staleServices().isEmpty)
            #expect(book.commandStates(.live).first?.stale == nil)
            // A later process that got that howdah's number has not.
            try record(identity, howdah: getppid(), "another start")
            #expect(book.staleServices().map(\.process) == [number])
            // Another process that got the number is none of ours.
            try record("someone else")
            #expect(book.staleServices().isEmpty)
            try record(identity)
            #expect(
                book.staleServices() == [
                    StaleService(name: "dev", process: number, since: "2026-01-02T03:04:05Z")
                ])
            #expect(book.commandStates(.live).first?.stale?.process == number)
            let error = #expect(throws: MigrationError.self) { try start("dev", book) }
            #expect(error?.message.contains("process \(number)") ?? false)
            try book.endStale("dev")
            #expect(ProcessIdentity.of(number) == nil)
            try start("dev", book)
            #expect(book.runningServices == ["dev"])
        }
    }
}
