import Foundation
import MigrationEngine
import Operations
import Postgres
import TestSupport
import Testing

@testable import Playbook

/// Steps 6.1 and 6.2 of a project's playbook, in its rehearsal.
@Suite struct AdviceTests {
    private static let script = """
        CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
        CREATE TABLE pet (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES person, sitter INTEGER REFERENCES person);
        INSERT INTO person VALUES (1, 'Ann'), (2, 'Bob'); INSERT INTO pet VALUES (1, 1, 2), (2, 2, 1)
        """

    private func withBook(_ body: (Playbook, Conninfo) throws -> Void) throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", Self.script)
            let workspace = try Workspace("\(folder)/a.db", state: nil)
            let book = try Playbook(workspace, target: nil, who: "ann")
            defer {
                var cluster = try? RehearsalCluster(workspace.state, cancellation: Cancellation())
                try? cluster?.remove()
            }
            for step in PlaybookTests.rehearsed { try working(book, step) { try book.run(step, $0) } }
            try body(book, try book.server(.rehearsal, cancellation: Cancellation()).conninfo)
        }
    }

    private func working<T>(_ book: Playbook, _ step: String?, _ body: (Activity) throws -> T) throws -> T {
        let activity = try #require(book.begin(step))
        defer { book.end(activity) }
        return try body(activity)
    }

    private static let made =
        "SELECT string_agg(indexname, ' ' ORDER BY 1) FROM pg_indexes WHERE indexname LIKE 'pet%idx'"

    @Test func whatIsChosenIsMadeWhatIsLeftOutIsNotAndTheUndoTakesItBack() throws {
        try withBook { book, target in
            let preview = try working(book, nil) { try book.preview("6.1", $0) }
            #expect(preview.sections.first?.lines.count == 2)
            #expect(book.indexAdvice().map(\.state) == [.chosen, .chosen])
            try book.choose(advice: "index:pet.sitter", false, note: "nobody deletes persons")
            #expect(book.indexAdvice().map(\.note) == ["", "nobody deletes persons"])
            try working(book, "6.1") { try book.run("6.1", $0) }
            #expect(try TestServer.value(Self.made, in: target) == "pet_owner_idx")
            let line = try #require(book.overview().step("6.1"))
            #expect(line.state == .done)
            #expect(line.evidence.first == "1 index made; 1 of 2 foreign keys have an index")
            #expect(book.overview().advice.map(\.state) == [.leftOut, .done])
            let undo = try working(book, nil) { try book.undoPreview("6.1", $0) }
            #expect(undo.sections.first?.lines == [#"DROP INDEX CONCURRENTLY "public"."pet_owner_idx""#])
            try working(book, "6.1") { try book.undo("6.1", $0) }
            #expect(try TestServer.value(Self.made, in: target) == nil)
            #expect(book.stepState("6.1", .rehearsal) == .ready)
            // Chosen again, it is made with the other.
            try book.choose(advice: "index:pet.sitter", true, note: "")
            try working(book, "6.1") { try book.run("6.1", $0) }
            #expect(try TestServer.value(Self.made, in: target) == "pet_owner_idx pet_sitter_idx")
        }
    }

    @Test func adviceThatIsNotThereCannotBeChosen() throws {
        try withBook { book, _ in
            let error = #expect(throws: MigrationError.self) {
                try book.choose(advice: "index:pet.owner", true, note: "")
            }
            #expect(error?.exit == .usage, "nothing was looked at yet")
        }
    }

    @Test func thePoolsEvidenceIsItsSizeAndASettingIsPutBack() throws {
        try withBook { book, target in
            try working(book, "6.2") {
                try book.followPool(
                    PoolOptions(cores: 4), settings: ["setting:jit"], editsURL: true, $0)
            }
            let line = try #require(book.overview().step("6.2"))
            #expect(line.evidence.first?.hasPrefix("pool of 9 of ") ?? false)
            #expect(line.evidence.contains { $0.hasPrefix("jit is off in new sessions of ") })
            #expect(try TestServer.value("SHOW jit", in: target) == "off")
            #expect(book.settingRecords(.rehearsal).map(\.name) == ["jit"])
            try working(book, "6.2") { try book.undo("6.2", $0) }
            #expect(try TestServer.value("SHOW jit", in: target) == "on")
            #expect(book.settingRecords(.rehearsal).isEmpty)
        }
    }

    @Test func thePoolsParametersGoIntoTheURLAloneAndOutOfItByteForByte() throws {
        let tests = PlaybookTests()
        try tests.withBook { book, _ in
            try tests.run(PlaybookTests.rehearsed + ["2.1"], book)
            let path = "\(book.rehearsalFolder)/.env"
            let before = try String(contentsOfFile: path, encoding: .utf8)
            try tests.run(["6.2"], book)
            let after = try String(contentsOfFile: path, encoding: .utf8)
            let changed = zip(before.split(separator: "\n"), after.split(separator: "\n")).filter { $0 != $1 }
            #expect(changed.count == 1 && changed.allSatisfy { $1.contains("&connection_limit=") })
            #expect(book.changedSteps == ["2.1", "6.2"])
            try tests.undo("6.2", book)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == before)
            try tests.undo("2.1", book)
            #expect(book.changedSteps.isEmpty)
        }
    }
}
