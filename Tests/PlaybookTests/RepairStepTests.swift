import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

@testable import Playbook

/// Rows that differ, copied again from a project's playbook.
@Suite struct RepairStepTests {
    private static let script = """
        CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
        CREATE TABLE pet (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES person, name TEXT);
        INSERT INTO person VALUES (1, 'Ann'), (2, 'Bob'); INSERT INTO pet VALUES (1, 1, 'x'), (2, 2, 'y')
        """

    private func withDamage(_ damage: String, _ body: (Playbook, TargetServer) throws -> Void) throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", Self.script)
            let workspace = try Workspace("\(folder)/a.db", state: nil)
            let book = try Playbook(workspace, target: nil, who: "ann")
            defer {
                var cluster = try? RehearsalCluster(workspace.state, cancellation: Cancellation())
                try? cluster?.remove()
            }
            try run(PlaybookTests.rehearsed, book)
            let server = try book.server(.rehearsal, cancellation: Cancellation())
            try TestServer.execute(damage, in: server.conninfo)
            try body(book, server)
        }
    }

    private func run(_ steps: [String], _ book: Playbook) throws {
        for step in steps { try working(book, step) { try book.run(step, $0) } }
    }

    private func working<T>(_ book: Playbook, _ step: String?, _ body: (Activity) throws -> T) throws -> T {
        let activity = try #require(book.begin(step))
        defer { book.end(activity) }
        return try body(activity)
    }

    private static let damage =
        "UPDATE person SET name = 'B' WHERE id = 2; DELETE FROM pet WHERE id = 1; INSERT INTO person VALUES (9, 'new')"

    @Test func withoutADifferenceTheStepHasNothingToDo() throws {
        try withDamage("SELECT 1") { book, _ in
            try run(["3.5"], book)
            #expect(book.stepState("3.5", .rehearsal) == .done)
            #expect(Repair.records(book.workspace.state).isEmpty)
        }
    }

    @Test func theStepCopiesRowsAgainProvesThemAndPutsThemBack() throws {
        try withDamage("UPDATE person SET name = 'B' WHERE id = 2; DELETE FROM pet WHERE id = 1") {
            book, server in
            try run(["3.4"], book)
            #expect(book.stepState("3.4", .rehearsal) == .failed("2 rows differ in person, pet"))
            let preview = try working(book, nil) { try book.preview("3.5", $0) }
            #expect(preview.sections.first?.lines.count == 3)
            try run(["3.5"], book)
            #expect(book.stepState("3.5", .rehearsal) == .done)
            #expect(book.stepState("3.4", .rehearsal) == .done)
            let undo = try working(book, nil) { try book.undoPreview("3.5", $0) }
            #expect(undo.sections.first?.lines == ["person (1 changed), pet (1 missing)"])
            try working(book, "3.5") { try book.undo("3.5", $0) }
            #expect(
                book.undone("3.5") == [
                    "put back: person (1 changed), pet (1 missing)",
                    "step 3.4, run anew, has failed: 2 rows differ in person, pet",
                ])
            #expect(try TestServer.value("SELECT name FROM person WHERE id = 2", in: server.conninfo) == "B")
            #expect(book.stepState("3.5", .rehearsal) == .ready)
            #expect(book.stepState("3.4", .rehearsal) == .failed("2 rows differ in person, pet"))
        }
    }

    @Test func rowsThatOnlyTheTargetHasLeaveTheStepFailed() throws {
        try withDamage(Self.damage) { book, _ in
            try run(["3.4"], book)
            let preview = try working(book, nil) { try book.preview("3.5", $0) }
            #expect(preview.warning?.contains("1 row is in the target only") ?? false)
            try run(["3.5"], book)
            guard case .failed(let why) = book.stepState("3.5", .rehearsal) else {
                Issue.record("3.5 is \(book.stepState("3.5", .rehearsal))")
                return
            }
            #expect(why.hasPrefix("1 row differs in person; rows that only the target has stay"))
            #expect(why.contains("howdah repair \(book.workspace.openPath) rehearsal --all --extra"))
            // It may be accepted with a note.
            try book.tick("3.5", note: "the application's own")
            #expect(book.stepState("3.5", .rehearsal) == .done)
        }
    }

    /// By a command, or on the screens: without a run of step 3.5.
    @Test func aRepairWhoseProofFindsAllEqualSettlesTheSteps() throws {
        try withDamage(Self.damage) { book, _ in
            try run(["3.4"], book)
            #expect(book.overview().next?.step == "3.5", "it mends what the proof has found")
            try run(["3.5"], book)
            #expect(book.stepState("3.5", .rehearsal).name == "failed")
            let request = RepairRequest(removesExtra: true)
            let outcome = try working(book, nil) {
                try book.repair(book.previewRepair(request, $0), $0)
            }
            #expect(outcome.report.outcome == .proven)
            #expect(["3.4", "3.5"].map { book.stepState($0, .rehearsal) } == [.done, .done])
            #expect(book.overview().isProven)
            let report = try working(book, nil) {
                try book.report(ReportOptions(computesDigests: false), $0)
            }
            #expect(report.verdict == .proven)
            #expect(report.text(.markdown).contains("differs when it was loaded; repaired since, proven at"))
            #expect(!report.open.contains { $0.hasPrefix("step 3.") }, "\(report.open)")
            _ = try working(book, nil) { try book.undoRepair(nil, $0) }
            #expect(book.stepState("3.5", .rehearsal) == .ready)
            #expect(book.stepState("3.4", .rehearsal).name == "failed")
        }
    }

    @Test func whereOnlyTheTargetHasMoreNothingIsToBeCopied() throws {
        try withDamage("INSERT INTO person VALUES (9, 'new')") { book, _ in
            try run(["3.4"], book)
            let preview = try working(book, nil) { try book.preview("3.5", $0) }
            let section = try #require(preview.sections.first)
            #expect(section.title == "Nothing is to be copied")
            #expect(section.lines.first == "1 row of person is in the target only and stays")
            #expect(section.lines[1].hasSuffix("--all --extra removes what only the target has"))
        }
    }

    @Test func whatWasCopiedAndWhatWasRemovedIsToldApart() throws {
        try withDamage(Self.damage) { book, _ in
            try run(["3.4"], book)
            func done(_ request: RepairRequest) throws -> String? {
                try working(book, "3.5") { try book.copyAgain(request, $0) }
                return book.overview().step("3.5")?.evidence.first
            }
            let removed = try done(RepairRequest(tables: ["person"], keys: ["9"], removesExtra: true))
            #expect(removed == "removed: 1 row of person")
            let copied = try done(RepairRequest(tables: ["pet"]))
            #expect(copied == "copied again: pet (1 missing)")
        }
    }

    @Test func aTableThatIsLoadedAgainAsAWholeIsToldBefore() throws {
        try withDamage(
            "CREATE TABLE kept AS TABLE pet; ALTER TABLE pet DROP CONSTRAINT pet_pkey; DELETE FROM pet WHERE id = 1"
        ) {
            book, _ in
            try run(["3.4"], book)
            let preview = try working(book, nil) { try book.preview("3.5", $0) }
            let lines = preview.sections.first?.lines.joined(separator: "\n") ?? ""
            #expect(lines.contains("loaded again as a whole"))
            #expect(lines.contains("1 row goes, 2 come"))
        }
    }

    /// By a command, or on the screens: without a run of step 3.5.
    @Test func anUndoneRepairTakesTheProofsWordBack() throws {
        try withDamage("UPDATE person SET name = 'B' WHERE id = 2") { book, _ in
            _ = try working(book, nil) { activity in
                try book.repair(book.previewRepair(RepairRequest(), activity), activity)
            }
            try run(["3.4"], book)
            #expect(book.stepState("3.4", .rehearsal) == .done)
            _ = try working(book, nil) { try book.undoRepair(nil, $0) }
            #expect(book.stepState("3.4", .rehearsal) == .failed("1 row differs in person"))
        }
    }

    @Test func chosenRowsAreRepairedForTheScreensAndJournalled() throws {
        try withDamage(Self.damage) { book, server in
            let request = RepairRequest(tables: ["person"], keys: ["9"], removesExtra: true)
            let outcome = try working(book, nil) { activity in
                try book.repair(book.previewRepair(request, activity), activity)
            }
            #expect(outcome.record?.words == "person (1 removed)")
            #expect(outcome.report.outcome == .differs)
            let undone = try working(book, nil) { try book.undoRepair(nil, $0) }
            #expect(undone.record?.state == .undone)
            #expect(try TestServer.value("SELECT count(*) FROM person", in: server.conninfo) == "3")
            let notes = book.journal.entries.filter { $0.subject == "3.5" }.map(\.text)
            #expect(notes.count == 4)
            #expect(notes[1] == "repaired: person (1 removed)")
            #expect(notes[3] == "undone: person (1 removed)")
            let records = try working(book, nil) { try book.repairs($0) }
            #expect(records.map(\.state) == [.undone])
            // What fails is in the journal too.
            #expect(throws: MigrationError.self) {
                try working(book, nil) { try book.undoRepair(nil, $0) }
            }
        }
    }

    // MARK: After the switch of a cutover

    /// A live target that was wrong in two rows when it was first proven, and that the application has written to since.
    private func withSwitched(
        isOver: Bool = true, isIdentified: Bool = true, _ body: (Playbook, Conninfo) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", Self.script)
            try TestServer.withDatabase { target in
                let book = try Playbook(Workspace("\(folder)/a.db", state: nil), target: target, who: "ann")
                defer { book.close() }
                try book.setMode(.live)
                try run(PlaybookTests.rehearsed.filter { $0 != "3.4" }, book)
                try TestServer.execute(
                    "UPDATE person SET name = 'B' WHERE id = 2; INSERT INTO person VALUES (8, 'stranger')",
                    in: target)
                try run(["3.4"], book)
                let snapshot = try #require(try book.snapshot(.live))
                let identity = try #require(
                    try TargetServer(target, cancellation: Cancellation()).identity())
                let database = isIdentified ? ",\"database\":\"\(identity)\"" : ""
                let record = """
                    {"snapshot":"\(snapshot.sha256)","time":"2999-01-01T00:00:00Z","standstill":1,"parts":[],
                    "carried":{"tables":[],"seconds":1}\(database)}
                    """
                try book.journal.add(.note, "C.2", .live, "switched", data: record)
                if isOver { try book.journal.add(.done, "C.4", .live) }
                try TestServer.execute(
                    "UPDATE person SET name = 'theirs' WHERE id = 1; INSERT INTO person VALUES (9, 'new')",
                    in: target)
                try body(book, target)
            }
        }
    }

    private static let names = "SELECT string_agg(name, ' ' ORDER BY id) FROM person"

    @Test(arguments: [true, false]) func theStepCopiesOnlyWhatWasNeverRightOnceTheApplicationUsesTheTarget(
        _ isOver: Bool
    ) throws {
        try withSwitched(isOver: isOver) { book, target in
            let before = book.stepState("3.4", .live)
            let preview = try working(book, nil) { try book.preview("3.5", $0) }
            let lines = preview.sections.flatMap(\.lines).joined(separator: "\n")
            #expect(lines.contains("never right"))
            #expect(lines.contains("2 rows are left alone"))
            #expect(preview.warning?.contains("--all --extra --never-right") ?? false)
            try run(["3.5"], book)
            #expect(book.stepState("3.5", .live) == .done)
            #expect(book.stepState("3.4", .live) == before, "others differ because they should")
            #expect(try TestServer.value(Self.names, in: target) == "theirs Bob stranger new")
            #expect(lines.contains("--undo puts them back"))
            _ = try working(book, nil) { try book.undoRepair(nil, $0) }
            #expect(book.stepState("3.4", .live) == before)
            #expect(try TestServer.value(Self.names, in: target) == "theirs B stranger new")
            let remark = try #require(book.journal.last("3.4", .live))
            #expect(remark.kind == .note && remark.text.contains("has put back rows that differed"))
        }
    }

    /// A command that was refused has looked at a later state of SQLite.
    @Test func aLaterSnapshotThanThatOfTheFirstProofDoesNotStopTheStep() throws {
        try withSwitched { book, target in
            try makeDatabase(book.workspace.source.path, "UPDATE person SET name = 'later' WHERE id = 1")
            let store = try SnapshotStore(book.workspace.state, cancellation: Cancellation())
            let later = try store.take(of: book.workspace.source)
            try book.journal.add(.done, "1.2", .live, data: later.sha256)
            let preview = try working(book, nil) { try book.preview("3.5", $0) }
            let lines = preview.sections.flatMap(\.lines).joined(separator: "\n")
            #expect(lines.contains("never right"))
            let request = RepairRequest(onlyNeverRight: true)
            try working(book, "3.5") { try book.copyAgain(request, $0) }
            #expect(try TestServer.value(Self.names, in: target) == "theirs Bob stranger new")
        }
    }

    @Test func aRowThatIsNamedOnTheScreensIsCopiedAfterAWarning() throws {
        try withSwitched { book, target in
            let request = RepairRequest(tables: ["person"], keys: ["1"])
            let preview = try working(book, nil) { try book.previewCopyAgain(request, $0) }
            #expect(preview.warning?.contains("it may have written") ?? false)
            try working(book, "3.5") { try book.copyAgain(request, $0) }
            #expect(try TestServer.value(Self.names, in: target) == "Ann B stranger new")
        }
    }

    @Test func anotherDatabaseIsNotTheOneThatWasSwitchedTo() throws {
        try withSwitched { book, target in
            #expect(book.targetInUse(.live)?.end != nil)
            #expect(book.targetInUse(.rehearsal) == nil)
            #expect(book.overview().isTargetInUse)
            try TestServer.withDatabase { other in
                let cancellation = Cancellation()
                let ofOther = try book.targetInUse(TargetServer(other, cancellation: cancellation))
                #expect(ofOther == nil)
                let same = target.setting("application_name", to: "another")
                let ofSame = try book.targetInUse(TargetServer(same, cancellation: cancellation))
                #expect(ofSame != nil)
            }
        }
    }

    /// Neither another way to its server, nor a ledger that `finish` has removed, hides whose database it is.
    @Test(arguments: [true, false]) func theDatabaseThatWasSwitchedToIsKnownHoweverItIsSpelled(
        _ isIdentified: Bool
    ) throws {
        try withSwitched(isIdentified: isIdentified) { book, target in
            try TestServer.execute("DROP SCHEMA howdah CASCADE", in: target)
            let host = try #require(target["host"])
            let same = target.setting("host", to: "/.\(host)")
            let cancellation = Cancellation()
            let ofSame = try book.targetInUse(TargetServer(same, cancellation: cancellation))
            #expect(ofSame != nil)
        }
    }
}
