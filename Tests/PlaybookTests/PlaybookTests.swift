import DemoProject
import Foundation
import MigrationEngine
import Postgres
import SQLite
import TestSupport
import Testing

@testable import Playbook

@Suite struct PlaybookTests {
    static let rehearsed = ["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8", "3.2", "3.3", "3.4"]

    /// Makes a project and opens its playbook; the private PostgreSQL is removed afterwards.
    func withBook(
        _ options: DemoProject.Options = .init(messages: 300), target: Conninfo? = nil,
        admin: Conninfo? = nil,
        _ body: (Playbook, _ folder: String) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            _ = try DemoProject.make(in: "\(folder)/app", options: options)
            let workspace = try Workspace("\(folder)/app", state: nil)
            let book = try Playbook(workspace, target: target, admin: admin, who: "ann")
            defer {
                if RehearsalCluster.exists(workspace.state) {
                    var cluster = try? RehearsalCluster(workspace.state, cancellation: Cancellation())
                    try? cluster?.remove()
                }
            }
            try body(book, folder)
        }
    }

    func run(_ steps: [String], _ book: Playbook) throws {
        for step in steps {
            let activity = try #require(book.begin(step))
            defer { book.end(activity) }
            try book.run(step, activity)
        }
    }

    func undo(_ step: String, _ book: Playbook) throws {
        let activity = try #require(book.begin(step, isUndo: true))
        defer { book.end(activity) }
        try book.undo(step, activity)
    }

    func psql(_ book: Playbook, _ mode: Mode, _ sql: String) throws {
        let server = try book.server(mode, cancellation: Cancellation())
        try Postgres.Connection(server.conninfo, applicationName: "test").execute(sql)
    }

    @Test func aRehearsalGoesStepByStepToProvenAndBack() throws {
        try withBook { book, _ in
            try run(Self.rehearsed, book)
            var state = book.overview()
            #expect(state.isProven)
            #expect(Self.rehearsed.allSatisfy { state.step($0)?.state == .done })
            #expect(state.tables.allSatisfy { $0.verdict == "equal" && $0.loaded == $0.rows })
            #expect(state.next?.step == "3.5", "what stands before the rows is not gone back to")

            #expect(throws: MigrationError.self) { try undo("3.2", book) }
            for step in ["3.3", "3.2", "1.8", "1.7", "1.4", "1.2"] { try undo(step, book) }
            state = book.overview()
            #expect(state.step("1.2")?.state == .ready)
            #expect(state.step("3.4")?.state.isSettled == false)
            #expect(!FileManager.default.fileExists(atPath: book.workspace.state.planPath))
        }
    }

    @Test func aSourceWithoutRowsIsProvenToo() throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)")
            let workspace = try Workspace("\(folder)/a.db", state: nil)
            let book = try Playbook(workspace, target: nil, who: nil)
            try run(Self.rehearsed, book)
            #expect(book.overview().isProven)
            #expect(book.stepState("3.2", .rehearsal) == .done)
            var cluster = try RehearsalCluster(workspace.state, cancellation: Cancellation())
            try cluster.remove()
        }
    }

    @Test func aStepThatHasNotItsNeedsIsRefusedAndNothingIsWrittenDown() throws {
        try withBook { book, _ in
            #expect(throws: MigrationError.self) { try run(["3.2"], book) }
            #expect(book.journal.entries.isEmpty)
            #expect(book.stepState("3.2", .rehearsal) == .waiting("waits for 1.8"))
        }
    }

    @Test func findingsStopThePlanUntilTheyAreDecided() throws {
        try withBook(.init(messages: 300, isDirty: true)) { book, _ in
            try run(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7"], book)
            var state = book.overview()
            #expect(state.openFindings == 4)
            #expect(state.step("1.7")?.state == .undecided(4))
            #expect(state.step("1.8")?.state == .waiting("waits for 1.7"))

            // The last choice that the plan can take, for each finding.
            while let finding = book.overview().findings.first(where: \.blocking) {
                let edits = finding.choices.compactMap { PlanEdit($0.word, of: finding) }
                let edit = try #require(edits.last, "\(finding.choices)")
                let activity = try #require(book.begin(nil))
                try book.edit(edit, activity)
                book.end(activity)
                #expect(book.stepState("1.7", .rehearsal) == .ready)
                try run(["1.7"], book)
            }
            try run(["1.8", "3.2", "3.3", "3.4"], book)
            state = book.overview()
            #expect(state.step("3.4")?.state == .done)
        }
    }

    @Test func rowsThatDifferAreShownWithBothValues() throws {
        try withBook { book, _ in
            try run(Self.rehearsed, book)
            try psql(
                book, .rehearsal,
                """
                UPDATE "Message" SET "content" = 'other' WHERE "id" = 3; DELETE FROM "Message" WHERE "id" = 250;
                UPDATE "DeviceIdentity" SET "deviceId" = 'changed' WHERE "id" = (SELECT min("id") FROM "DeviceIdentity")
                """)
            try run(["3.4"], book)
            let state = book.overview()
            #expect(state.step("3.4")?.state == .failed("3 rows differ in DeviceIdentity, Message"))
            #expect(state.tables.first { $0.name == "Message" }?.differences == 2)
            let activity = try #require(book.begin(nil))
            defer { book.end(activity) }
            let page = try book.differences("Message", from: 0, count: 10, activity)
            #expect(page.kept == 2)
            #expect(page.rows.map(\.difference.kind) == [.changed, .missing])
            #expect(page.rows[0].cells.map(\.column) == ["content"])
            #expect(page.rows[0].cells[0].target == .text("other"))
            #expect(page.rows[0].cells[0].source != .text("other"))
            #expect(page.rows[1].cells.count == 12)
            // A key that is no integer is found again too.
            let devices = try book.differences("DeviceIdentity", from: 0, count: 10, activity)
            #expect(devices.rows.first?.cells.first?.target == .text("changed"))
            #expect(devices.rows.first?.cells.first?.source != nil)
        }
    }

    @Test func aSourceThatChangesMakesItsStepsStaleAndLaterOnesMayGoOn() throws {
        try withBook { book, _ in
            try run(["1.1", "1.2"], book)
            do {
                let connection = try SQLite.Connection(path: book.workspace.source.path, mode: .readWrite)
                try connection.execute("UPDATE \"User\" SET \"username\" = 'another' WHERE \"id\" = 1")
            }
            guard case .stale(_, blocks: false) = book.stepState("1.2", .rehearsal) else {
                Issue.record("1.2 is \(book.stepState("1.2", .rehearsal))")
                return
            }
            #expect(book.stepState("1.6", .rehearsal) == .ready)
        }
    }

    @Test func aPlanThatIsEditedMustBeTakenAgain() throws {
        try withBook { book, _ in
            try run(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8"], book)
            let path = book.workspace.state.planPath
            let text = try String(contentsOfFile: path, encoding: .utf8)
            try (text + "# mine\n").write(toFile: path, atomically: true, encoding: .utf8)
            #expect(book.stepState("1.7", .rehearsal) == .stale("plan.yaml has changed since", blocks: true))
            #expect(book.stepState("3.2", .rehearsal) == .waiting("waits for 1.8"))
        }
    }

    @Test func aLoadThatIsCancelledGoesOnAndDoublesNothing() throws {
        try withBook(.init(messages: 60_000)) { book, _ in
            try run(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8"], book)
            let activity = try #require(book.begin("3.2"))
            activity.gate.close()
            let thread = Thread {
                _ = waitUntil(seconds: 20) { activity.progress.phase == .copy };
                activity.cancellation.cancel()
            }
            thread.start()
            #expect(throws: MigrationError.self) { try book.run("3.2", activity) }
            book.end(activity)
            #expect(book.overview().step("3.2")?.state.isSettled == false)
            try run(["3.2", "3.3", "3.4"], book)
            #expect(book.overview().isProven)
        }
    }

    @Test func aLoadThatIsPausedGoesOn() throws {
        try withBook(.init(messages: 20_000)) { book, _ in
            try run(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8"], book)
            let activity = try #require(book.begin("3.2"))
            activity.gate.close()
            let failure = Failure()
            let done = DispatchSemaphore(value: 0)
            let thread = Thread {
                do { try book.run("3.2", activity) } catch { failure.set("\(error)") }
                done.signal()
            }
            thread.start()
            #expect(waitUntil(seconds: 20) { activity.progress.phase == .copy })
            #expect(
                done.wait(timeout: .now() + .milliseconds(300)) == .timedOut, "a closed gate holds the load")
            activity.togglePause()
            #expect(done.wait(timeout: .now() + .seconds(60)) == .success)
            book.end(activity)
            #expect(failure.text == nil)
            #expect(book.overview().step("3.2")?.state == .done)
        }
    }

    private final class Failure: @unchecked Sendable {
        private let lock = NSLock()
        private var value: String?
        var text: String? { lock.withLock { value } }
        func set(_ text: String) { lock.withLock { value = text } }
    }

    @Test func ticksAndItemsAreWrittenDownWithWhoAndNote() throws {
        try withBook { book, _ in
            try book.tick("2.1", note: "by hand")
            try book.tick("tests", note: "")
            let own = try book.addItem("Tell the users")
            try book.tick(own, note: "mailed")
            try book.skip("1.5", reason: "none")
            var state = book.overview()
            #expect(state.step("2.1")?.state == .done)
            #expect(state.step("2.1")?.note == "by hand")
            #expect(state.step("2.1")?.who == "ann")
            #expect(state.step("1.5")?.state == .skipped("none"))
            #expect(state.checklist.first { $0.id == "tests" }?.isTicked == true)
            #expect(state.checklist.last?.title == "Tell the users")
            try book.untick("tests")
            try book.removeItem(own)
            state = book.overview()
            #expect(state.checklist.count == 8)
            #expect(state.checklist.allSatisfy { !$0.isTicked })
            #expect(throws: MigrationError.self) { try book.tick("1.1", note: "") }
            #expect(throws: MigrationError.self) { try book.skip("3.2", reason: "no") }
            #expect(throws: MigrationError.self) { try book.tick("nothing", note: "") }
        }
    }

    @Test func aRemarkChangesNothingOfAStep() throws {
        try withBook { book, _ in
            try run(["1.1", "1.2", "1.6"], book)
            let before = try book.snapshot(.rehearsal)
            try book.addNote("1.2", "looked at by two")
            #expect(try book.snapshot(.rehearsal) == before)
            #expect(book.overview().step("1.6")?.state == .done)
        }
    }

    @Test func evidenceProposesATick() throws {
        try withBook { book, _ in
            #expect(book.overview().checklist.first { $0.id == "tests" }?.isProposed == false)
            try book.tick("5.1", note: "all pass")
            let item = book.overview().checklist.first { $0.id == "tests" }
            #expect(item?.isProposed == true)
            #expect(item?.isTicked == false)
            #expect(item?.evidence == ["5.1 test commands: done — all pass"])
        }
    }

    @Test func rehearsalAndLiveHaveTheirOwnStates() throws {
        try withBook { book, _ in
            try run(["1.1"], book)
            try book.setMode(.live)
            #expect(book.overview().step("1.1")?.state == .ready)
            try book.setMode(.rehearsal)
            #expect(book.overview().step("1.1")?.state == .done)
        }
    }

    @Test func aLiveRunMakesDatabaseAndRoleAndKeepsThePasswordOutOfTheJournal() throws {
        try TestServer.withDatabase { admin in
            let name = "live_" + UUID().uuidString.prefix(8).lowercased()
            let target = admin.setting("dbname", to: name).setting("user", to: "role_\(name)")
            try withBook(.init(messages: 200), target: target, admin: admin) { book, _ in
                try book.setMode(.live)
                try run(
                    Self.rehearsed.filter { $0 != "1.3" && $0 < "1.8" } + [
                        "1.3", "1.8", "3.2", "3.3", "3.4",
                    ], book)
                #expect(book.overview().isProven)
                let state = book.workspace.state.path
                let passwords = try String(contentsOfFile: "\(state)/pgpass", encoding: .utf8)
                let password = try #require(
                    passwords.split(separator: "\n").first?.split(separator: ":").last)
                let journal = try Data(contentsOf: URL(fileURLWithPath: "\(state)/journal.db"))
                #expect(journal.range(of: Data(password.utf8)) == nil)
                // What holds tables is not dropped.
                #expect(throws: MigrationError.self) { try undo("1.4", book) }
                for step in ["3.3", "3.2", "1.8", "1.4"] { try undo(step, book) }
                let check = try Postgres.Connection(admin, applicationName: "test")
                let rest = try check.query(
                    "SELECT count(*) FROM pg_database WHERE datname = $1", [name]
                ).int(0, 0)
                #expect(rest == 0)
            }
        }
    }

    @Test func anotherOnesRowsStopAnUndo() throws {
        try withBook { book, _ in
            try run(Self.rehearsed, book)
            try psql(book, .rehearsal, "DELETE FROM \"_StarredMessages\"")
            try undo("3.3", book)
            #expect(throws: MigrationError.self) { try undo("3.2", book) }
            #expect(book.overview().tables.first { $0.name == "Message" }?.loaded == 300)
            #expect(book.stepState("3.2", .rehearsal) == .done, "what was not undone is still done")
        }
    }

    @Test func aSecondWriterIsToldWhoWorks() throws {
        try withBook { book, folder in
            _ = book
            do {
                _ = try Workspace("\(folder)/app", state: nil)
                Issue.record("two writers")
            } catch let error as MigrationError {
                #expect(error.code == .locked)
                #expect(error.message.contains("process \(getpid())"))
            }
        }
    }
}
