import DemoProject
import Foundation
import MigrationEngine
import TestSupport
import Testing

@testable import Playbook

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite struct ChecklistTests {
    private static func line(
        _ id: String, _ state: StepState, isManual: Bool = true, evidence: [String] = [], note: String = ""
    ) -> BookState.StepLine {
        BookState.StepLine(
            step: id, title: Phases.step(id)?.title ?? "", state: state, evidence: evidence, when: "",
            who: "", note: note,
            isManual: isManual, canSkip: true, byHand: [], undoObstacle: nil)
    }

    private static func tick(_ basis: [String: String], note: String = "", id: Int = 10) -> JournalEntry {
        JournalEntry(
            id: id, time: "2026-01-01T00:00:00Z", who: "ann", mode: .live, subject: "item:x", kind: .ticked,
            text: note,
            evidence: [], basis: basis, data: nil)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let steps: [BookState.StepLine]
        var tick: JournalEntry?
        var newest: [String: Int] = [:]
        var isProposed = false
        var obstacles: [String] = []
        var objections: [String] = []
        var doubts: [String] = []
    }

    static let cases = [
        Case(
            testDescription: "nothing was done",
            steps: [line("6.4", .ready), line("6.5", .waiting("waits for 6.4"))],
            obstacles: [
                "waits for 6.4 backups: by hand, not done",
                "waits for 6.5 restore drill, which waits for 6.4",
            ]),
        Case(
            testDescription: "howdah has not run it",
            steps: [line("6.4", .ready, isManual: false), line("6.5", .running)],
            obstacles: ["waits for 6.4 backups: not run yet", "6.5 restore drill runs"]),
        Case(
            testDescription: "all is done", steps: [line("6.4", .done), line("6.5", .done)], isProposed: true),
        Case(
            testDescription: "what does not apply is settled",
            steps: [line("6.4", .done), line("6.5", .skipped("no"))],
            isProposed: true),
        Case(
            testDescription: "nothing applies",
            steps: [line("6.4", .skipped("no")), line("6.5", .skipped("no"))]),
        Case(
            testDescription: "one has failed",
            steps: [line("6.4", .failed("2 of 3 commands")), line("6.5", .done)],
            obstacles: ["6.4 backups failed: 2 of 3 commands"],
            objections: ["6.4 backups failed: 2 of 3 commands"]),
        Case(
            testDescription: "one is stale, one has open findings",
            steps: [line("6.4", .stale("old", blocks: true)), line("6.5", .undecided(2))],
            obstacles: ["6.4 backups is stale: old", "6.5 restore drill: 2 open"],
            objections: ["6.4 backups is stale: old", "6.5 restore drill: 2 open"]),
        Case(
            testDescription: "ticked, and still done", steps: [line("6.4", .done), line("6.5", .done)],
            tick: tick(["6.4": "done", "6.5": "done"]), newest: ["6.4": 12, "6.5": 9], isProposed: true),
        Case(
            testDescription: "ticked before the steps were done",
            steps: [line("6.4", .ready), line("6.5", .done)],
            tick: tick(["6.4": "ready", "6.5": "ready"]), newest: ["6.4": 0, "6.5": 12],
            obstacles: ["waits for 6.4 backups: by hand, not done"]),
        Case(
            testDescription: "failed after the tick",
            steps: [line("6.4", .failed("disk full")), line("6.5", .done)],
            tick: tick(["6.4": "done", "6.5": "done"]), newest: ["6.4": 11, "6.5": 9],
            obstacles: ["6.4 backups failed: disk full"], objections: ["6.4 backups failed: disk full"],
            doubts: ["since the tick 6.4 backups failed: disk full"]),
        Case(
            testDescription: "failed before and again since",
            steps: [line("6.4", .failed("disk full")), line("6.5", .done)],
            tick: tick(["6.4": "failed", "6.5": "done"]), newest: ["6.4": 11, "6.5": 9],
            obstacles: ["6.4 backups failed: disk full"], objections: ["6.4 backups failed: disk full"],
            doubts: ["since the tick 6.4 backups failed: disk full"]),
        Case(
            testDescription: "ticked against a failure",
            steps: [line("6.4", .failed("disk full")), line("6.5", .done)],
            tick: tick(["6.4": "failed", "6.5": "done"], note: "known"), newest: ["6.4": 8, "6.5": 9],
            obstacles: ["6.4 backups failed: disk full"], objections: ["6.4 backups failed: disk full"],
            doubts: ["ticked although 6.4 backups failed: disk full"]),
        Case(
            testDescription: "went stale after the tick",
            steps: [line("6.4", .done), line("6.5", .stale("old", blocks: true))],
            tick: tick(["6.4": "done", "6.5": "done"]), newest: ["6.4": 8, "6.5": 9],
            obstacles: ["6.5 restore drill is stale: old"], objections: ["6.5 restore drill is stale: old"],
            doubts: ["since the tick 6.5 restore drill is stale: old"]),
        Case(
            testDescription: "taken back after the tick", steps: [line("6.4", .ready), line("6.5", .done)],
            tick: tick(["6.4": "done", "6.5": "done"]), newest: ["6.4": 11, "6.5": 9],
            obstacles: ["waits for 6.4 backups: by hand, not done"],
            doubts: ["since the tick 6.4 backups was taken back"]),
    ]

    @Test(arguments: cases) func anItemIsWhatItsStepsAndItsTickSay(example: Case) {
        let item = Checklist.Item(id: "backups", title: "Backups", links: ["6.4", "6.5"])
        let line = Checklist.line(
            item, isOwn: false, steps: example.steps, entry: example.tick, newest: example.newest)
        #expect(line.isTicked == (example.tick != nil))
        #expect(line.isProposed == example.isProposed)
        #expect(line.obstacles == example.obstacles)
        #expect(line.objections == example.objections)
        #expect(line.doubts == example.doubts)
    }

    @Test func evidenceIsShownWithItsFirstLines() {
        let item = Checklist.Item(id: "x", title: "x", links: ["5.10"])
        let line = Checklist.line(
            item, isOwn: false,
            steps: [Self.line("5.10", .done, evidence: (1...12).map { "line \($0)" }, note: "fine")],
            entry: nil,
            newest: [:])
        #expect(line.evidence == ["5.10 concurrent users: done — fine"] + (1...9).map { "  line \($0)" })
    }

    // MARK: Ticks in a project

    private func withBook(_ body: (Playbook, _ folder: String) throws -> Void) throws {
        try withTemporaryFolder { folder in
            try FileManager.default.createDirectory(
                atPath: "\(folder)/app/uploads", withIntermediateDirectories: true)
            try "x".write(toFile: "\(folder)/app/uploads/a.png", atomically: true, encoding: .utf8)
            try makeDatabase(
                "\(folder)/app/app.db",
                "CREATE TABLE user (id INTEGER PRIMARY KEY, avatar TEXT); INSERT INTO user (avatar) VALUES ('uploads/a.png')"
            )
            let book = try Playbook(Workspace("\(folder)/app", state: nil), target: nil, who: "ann")
            try body(book, folder)
        }
    }

    private func run(_ steps: [String], _ book: Playbook) throws {
        for step in steps {
            let activity = try #require(book.begin(step))
            defer { book.end(activity) }
            try book.run(step, activity)
        }
    }

    @Test func aTickAgainstTheEvidenceNeedsANoteAndKeepsIt() throws {
        try withBook { book, folder in
            try run(["1.1", "1.2", "5.11"], book)
            #expect(book.stepState("5.11", .rehearsal) == .done)
            try book.tick("5.4", note: "tried")
            #expect(book.overview().checklist.first { $0.id == "files" }?.isProposed == true)
            try book.tick("files", note: "")

            // The evidence goes bad after the tick, and the item says so.
            try FileManager.default.removeItem(atPath: "\(folder)/app/uploads/a.png")
            try run(["5.11"], book)
            let failed = "5.11 file paths failed: 1 path leads to no file: user.avatar"
            var item = try #require(book.overview().checklist.first { $0.id == "files" })
            #expect(item.isTicked && item.doubts == ["since the tick \(failed)"])

            try book.untick("files")
            let error = #expect(throws: MigrationError.self) { try book.tick("files", note: "  ") }
            #expect(error?.message == "a tick against the evidence needs a note: \(failed)")
            #expect(error?.exit == .undecided)
            try book.tick("files", note: "old avatars are gone on purpose")
            item = try #require(book.overview().checklist.first { $0.id == "files" })
            #expect(
                item.doubts == ["ticked although \(failed)"] && item.note == "old avatars are gone on purpose"
            )

            // The step itself may be accepted too, and keeps what it had found.
            #expect(throws: MigrationError.self) { try book.tick("5.11", note: "") }
            try book.tick("5.11", note: "as said")
            let step = try #require(book.overview().step("5.11"))
            #expect(step.state == .done && step.note == "as said")
            #expect(step.evidence.first == "accepted by hand, though: 1 path leads to no file: user.avatar")
            #expect(step.evidence.contains("user 1 avatar: uploads/a.png — no such file"))
            #expect(book.overview().checklist.first { $0.id == "files" }?.doubts == [])
        }
    }

    @Test func aProjectWithoutPathsIsSettledWithThatReason() throws {
        try withTemporaryFolder { folder in
            try makeDatabase(
                "\(folder)/a.db",
                "CREATE TABLE t (id INTEGER PRIMARY KEY, n TEXT); INSERT INTO t (n) VALUES ('x')")
            let book = try Playbook(Workspace("\(folder)/a.db", state: nil), target: nil, who: nil)
            try run(["1.1", "1.2", "5.11"], book)
            #expect(book.stepState("5.11", .rehearsal) == .skipped("no column holds paths"))
        }
    }

    // MARK: Documents

    private static let hostile =
        "<script>alert(\"1\")</script>&amp; 'x' ]]> `a` \u{202E}evil\u{1B}[2J\r\nnext | # *b*"

    private func hostileState(_ book: Playbook) throws -> BookState {
        let id = try book.addItem(Self.hostile)
        try book.tick(id, note: Self.hostile)
        try book.tick("5.1", note: Self.hostile)
        return book.overview()
    }

    @Test func theHTMLPageIsWellFormedAndHoldsHostileTextAsText() throws {
        try withBook { book, folder in
            let state = try hostileState(book)
            let path = "\(folder)/list.html"
            try Checklist.export(state, to: path)
            try Checklist.export(state, to: path)
            let page = try String(contentsOfFile: path, encoding: .utf8)
            let reader = PageReader()
            let parser = XMLParser(data: Data(page.utf8))
            parser.delegate = reader
            #expect(parser.parse(), "\(String(describing: parser.parserError))")
            #expect(reader.elements.contains("li") && !reader.elements.contains("script"))
            #expect(reader.text.contains("<script>alert(\"1\")</script>&amp; 'x' ]]>"))
            #expect(reader.elements.isDisjoint(with: ["link", "img", "iframe", "a", "object", "form"]))
            #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("url("))
            #expect(page.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && $0 != "\u{202E}" })
            #expect(page.contains("prefers-color-scheme: dark") && page.contains("@media print"))
            #expect(reader.text.contains("waits for 6.4 backups, which waits for 3.3"))
        }
    }

    @Test func theMarkdownHoldsHostileTextAsText() throws {
        try withBook { book, folder in
            let path = "\(folder)/list.md"
            try Checklist.export(try hostileState(book), to: path)
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text.contains("\\<script\\>alert"))
            #expect(!text.contains("\u{1B}") && !text.contains("\u{202E}") && !text.contains("\r"))
            let lines = text.split(separator: "\n")
            #expect(lines.allSatisfy { !$0.hasPrefix("next") })
        }
    }

    @Test(arguments: ["a.md", "a.html", "folder", "pipe", "link", "missing/a.md"])
    func whatIsNoChecklistIsLeftAlone(name: String) throws {
        try withBook { book, folder in
            let path = "\(folder)/\(name)"
            switch name {
            case "folder":
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            case "pipe": mkfifo(path, 0o600)
            case "link": symlink("/nowhere", path)
            case "missing/a.md": break
            default: try "<!DOCTYPE html><p>mine".write(toFile: path, atomically: true, encoding: .utf8)
            }
            let error = #expect(throws: MigrationError.self) {
                try Checklist.export(book.overview(), to: path)
            }
            #expect(error?.exit == .usage)
            if name.hasPrefix("a.") {
                #expect(try String(contentsOfFile: path, encoding: .utf8) == "<!DOCTYPE html><p>mine")
            }
        }
    }
}

/// The elements and the text of a page.
private final class PageReader: NSObject, XMLParserDelegate {
    var elements: Set<String> = []
    var text = ""

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String] = [:]
    ) {
        elements.insert(name)
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
        text += string
    }
}
