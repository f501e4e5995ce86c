import MigrationEngine
import TerminalUI
import TestSupport
import Testing

@testable import HowdahUI
@testable import Playbook

/// What the screens look like, against files that a person has looked at.
@Suite struct ScreenTests {
    private static let look = Look(theme: Themes.shipped.standard, symbols: .unicode)
    private static let sizes = [Size(60, 15), Size(80, 24), Size(120, 40)]

    private static func lines(_ model: AppModel, _ look: Look = look) -> [String] {
        Screen(model, look, keys: Bindings.standard).draw().buffer.lines
    }

    private func pressed(_ model: AppModel, _ names: String) -> AppModel {
        var model = model
        let update = Update(keys: Bindings.standard)
        for name in names.split(separator: " ") {
            if let key = Key(String(name)) { _ = update(&model, .event(.key(key), time: 0)) }
        }
        return model
    }

    @Test func aLostConnectionIsSaidWhereTheRowsAreCounted() {
        var work = SampleBook.work
        work.waiting = "trying again in 0.5 s: the connection was lost"
        #expect(Progress.words(work) == work.waiting)
        work.waiting = nil
        #expect(Progress.words(work).contains("652,113 of 1,020,000 rows"))
    }

    struct View: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let book: BookState?
        var keys = ""
        var work: WorkView?
        var overlay: Overlay?
        var source: CodeSource?
        var files: [ProjectFile]?
        var feeds: [CommandFeed] = []

        init(
            _ name: String, _ book: BookState?, _ keys: String = "", work: WorkView? = nil,
            overlay: Overlay? = nil, source: CodeSource? = nil, files: [ProjectFile]? = nil,
            feeds: [CommandFeed] = []
        ) {
            self.feeds = feeds
            self.files = files
            self.source = source
            testDescription = name
            self.book = book
            self.keys = keys
            self.work = work
            self.overlay = overlay
        }
    }

    private static let preview = Preview(
        [
            .init(
                "Makes",
                [
                    "CREATE ROLE \"chat\" LOGIN PASSWORD '••••••••'",
                    "CREATE DATABASE \"chat\" OWNER \"chat\"",
                ], .sql),
            .init("Then", ["looks at it"]),
        ], warning: "The password goes into a file of mode 0600.")

    private static let differences = DifferenceBox(
        table: "Message", differences: 3, kept: 3, first: 0,
        rows: [
            RowPair(
                difference: RowDifference(kind: .changed, key: "412", columns: ["content"]),
                cells: [
                    .init(
                        column: "content", source: .text("naïve 東京·tab\there"),
                        target: .text("naïve 東京·tab here"))
                ]),
            RowPair(
                difference: RowDifference(
                    kind: .changed, key: "977", columns: ["encryptedContent", "content"]),
                cells: [
                    .init(
                        column: "encryptedContent",
                        source: .bytes([0x3F, 0x2A, 0, 0x91] + Array(repeating: 7, count: 308)),
                        target: .bytes([0x3F, 0x2A, 0, 0x90] + Array(repeating: 7, count: 308))),
                    .init(column: "content", source: .null, target: .text("NULL")),
                ]),
            RowPair(
                difference: RowDifference(kind: .missing, key: "1203", columns: []),
                cells: [.init(column: "id", source: .number("1203"), target: nil)]),
        ], isLoading: false, summary: summary)

    private static let summary: DifferenceSummary = {
        var summary = DifferenceSummary()
        summary.changed = 2
        summary.missing = 1
        summary.columns = [
            .init(column: "encryptedContent", groups: [.init(nature: .oneBit, rows: 1)]),
            .init(
                column: "content",
                groups: [.init(nature: .gained, rows: 1), .init(nature: .sameLength, rows: 1)]),
        ]
        return summary
    }()

    private static let commandsLive: BookState = {
        var state = SampleBook.live
        state.commands = SampleBook.commands
        return state
    }()

    static let views = [
        View("start", SampleBook.start), View("plan", SampleBook.planned, "1 k"),
        View("columns", SampleBook.planned, "1 k Tab Tab"),
        View("live", SampleBook.live), View("running", SampleBook.running, "3", work: SampleBook.work),
        View("running-tables", SampleBook.running, "3 Tab", work: SampleBook.work),
        View("failed", SampleBook.failed),
        View("failure", SampleBook.failed, "Enter"), View("undecided", SampleBook.undecided),
        View("findings", SampleBook.undecided, "8"), View("finding", SampleBook.undecided, "8 Enter"),
        View("decide", SampleBook.undecided, "8 o"), View("differing", SampleBook.differing, "3"),
        View("proven", SampleBook.proven, "3"), View("checklist", SampleBook.proven, "7"),
        View("item", SampleBook.proven, "7 Enter"), View("checklist-doubts", SampleBook.doubted, "7"),
        View("tick-against", SampleBook.doubted, "7 j j j j Space"),
        View("load", SampleBook.loading, "5 G k", work: SampleBook.load),
        View("journal", SampleBook.differing, "9"), View("rollback", SampleBook.proven, "0"),
        View("cutover", SampleBook.cutover, "C j j"), View("cutover-leave", SampleBook.cutover, "C q"),
        View("rollback-live", SampleBook.cutover, "0"),
        View("environment", SampleBook.start, "2"),
        View("files", SampleBook.start, "2 Tab", files: SampleBook.files),
        View("file", SampleBook.start, "2 Tab j Enter", files: SampleBook.files),
        View("file-back", SampleBook.live, "2 Tab j u", files: SampleBook.files),
        View("by-hand", SampleBook.start, "2 Enter"), View("code", SampleBook.start, "4"),
        View("places", SampleBook.scanned, "4 Tab", source: SampleBook.source),
        View("place", SampleBook.scanned, "4 Tab Enter", source: SampleBook.source),
        View("settle", SampleBook.scanned, "4 Tab Space", source: SampleBook.source),
        View("tests", SampleBook.start, "5"),
        View("commands", SampleBook.tested, "5 k Tab", feeds: SampleBook.feeds),
        View("commands-service", SampleBook.tested, "5 Tab G", feeds: SampleBook.feeds),
        View("commands-output", SampleBook.tested, "5 Tab Tab PgUp", feeds: SampleBook.feeds),
        View("commands-link", SampleBook.tested, "5 Tab j j c", feeds: SampleBook.feeds),
        View("commands-live", commandsLive, "5 Tab Enter", feeds: SampleBook.feeds),
        View("advice", SampleBook.advised, "6 Tab"),
        View("advice-whole", SampleBook.advised, "6 Tab Enter"),
        View("advice-leave", SampleBook.advised, "6 Tab Space"),
        View("production", SampleBook.start, "6"), View("note", SampleBook.start, "2 Space"),
        View("command", SampleBook.start, ":"),
        View("theme", SampleBook.start, ": t h e m e Enter"), View("help", SampleBook.start, "?"),
        View("ddl", SampleBook.planned, "d"),
        View("quit", SampleBook.running, "q", work: SampleBook.work), View("picker", nil),
        View(
            "preview", SampleBook.start,
            overlay: .preview(PreviewBox(step: "1.4", isUndo: false, preview: preview, focused: 0))),
        View(
            "preview-live", SampleBook.live,
            overlay: .preview(PreviewBox(step: "1.4", isUndo: false, preview: preview, focused: 1))),
        View("differences", SampleBook.differing, overlay: .proof(differences)),
        View("differences-digests", SampleBook.digested, overlay: .proof(differences)),
        View("equal-digests", SampleBook.digested, "3 Tab Enter"),
        View(
            "bytes", SampleBook.differing,
            overlay: .bytes(
                HexBox(
                    title: "Message 977, encryptedContent", left: Array(0..<40),
                    right: Array(0..<38) + [9, 9]))),
        View("proven-box", SampleBook.proven, overlay: .text(Words.proven(SampleBook.proven))),
        View("going-live", SampleBook.live, "L"),
        View("welcome", SampleBook.start, overlay: .text(Words.welcome(SampleBook.start))),
    ]

    @Test(arguments: views) func looksAsItDid(_ view: View) {
        var shown: [String] = []
        for size in Self.sizes {
            var model = SampleBook.model(view.book, size)
            model.work = view.work
            model.source = view.source
            model.files = view.files
            for feed in view.feeds { model.feeds[feed.name] = feed }
            model = pressed(model, view.keys)
            if let overlay = view.overlay { model.overlays.append(overlay) }
            let lines = Self.lines(model)
            #expect(lines.count == size.height)
            for line in lines { #expect(TextWidth.cells(line) <= size.width, "\(line)") }
            shown += ["== \(size.width)x\(size.height)"] + lines
        }
        #expect(goldenMismatch(shown, view.testDescription) == nil)
    }

    @Test func theWholeHelpIsMadeFromTheTable() {
        let lines = HelpText.lines(Bindings.standard, "", SampleBook.model(SampleBook.start, Size(100, 30)))
        #expect(goldenMismatch(lines.map(\.text), "help-whole") == nil)
    }

    @Test(arguments: [Size(59, 24), Size(80, 14), Size(20, 2), Size(1, 1), Size(0, 0)])
    func belowTheLeastSizeOneLineSaysSo(_ size: Size) {
        let lines = Self.lines(SampleBook.model(SampleBook.start, size))
        #expect(lines.filter { !$0.isEmpty }.count <= 1)
        if size.width > 40 { #expect(lines[0].contains("howdah needs 60×15")) }
    }

    @Test func helpQuitAndTheModeAreAlwaysToBeSeen() {
        for width in 60...130 {
            for book in [SampleBook.start, SampleBook.live, SampleBook.made] {
                let lines = Self.lines(SampleBook.model(book, Size(width, 24)))
                #expect(lines[23].contains("? help") && lines[23].contains("q quit"), "\(width)")
                #expect(lines[0].contains(book.mode == .live ? "LIVE" : "REHEARSAL"), "\(width)")
            }
        }
    }

    @Test func asciiTerminalsGetAsciiOnly() {
        let look = Look(theme: Themes.shipped.standard, symbols: .ascii)
        for keys in ["", "3", "7", "8", "9", "0", "?", ":"] {
            let lines = Self.lines(pressed(SampleBook.model(SampleBook.undecided, Size(80, 24)), keys), look)
            for line in lines {
                let foreign = line.filter { !$0.isASCII && Symbols.asciiStandIns[String($0)] == nil }
                #expect(foreign.isEmpty, "\(line)")
            }
        }
    }

    /// Names and values of a database may hold anything.
    @Test func hostileNamesDisturbNothing() {
        let names = [
            "\u{1B}[2J\u{1B}]0;x\u{7}", "\u{202E}evil", "👨‍👩‍👧‍👦", String(repeating: "x", count: 1 << 20),
            "a\nb\tc",
        ]
        let tables = names.map { SampleBook.table($0, 10, loaded: 5) }
        var book = SampleBook.book(
            SampleBook.done(["1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.8"]), hasPlan: true, tables: tables,
            title: names[0])
        book.plan = names.map { name in
            BookState.PlanTable(
                name: name, isSkipped: false,
                columns: names.map {
                    .init(
                        name: $0, declared: $0, type: $0, reason: $0, isNotNull: true, held: nil,
                        alternatives: [])
                }, sourceSQL: names, targetSQL: names)
        }
        for keys in ["3", "1 G Tab", "1 G Tab Tab", "1 G d"] {
            let model = pressed(SampleBook.model(book, Size(100, 30)), keys)
            let buffer = Screen(model, Self.look, keys: Bindings.standard).draw().buffer
            for line in buffer.lines {
                #expect(
                    !line.unicodeScalars.contains {
                        $0.value < 0x20 || $0.value == 0x202E || (0x7F...0x9F).contains($0.value)
                    })
                #expect(TextWidth.cells(line) <= 100)
            }
        }
    }

    /// Seeded walks of keys and sizes: nothing traps or overlaps, and Esc always leads back.
    @Test(arguments: 1...12) func randomWalksEndWhereTheyCanGoBack(_ seed: UInt64) {
        var random = Numbers(state: seed)
        let update = Update(keys: Bindings.standard)
        let books = [
            SampleBook.start, SampleBook.made, SampleBook.undecided, SampleBook.differing, SampleBook.live,
            SampleBook.proven,
        ]
        var model = SampleBook.model(books[Int(seed) % books.count], Size(80, 24))
        let keys =
            Bindings.standard.bindings.flatMap(\.keys) + [.character("a"), .character("ß"), .backspace]
        for _ in 0..<700 {
            var effects: [Effect] = []
            switch Int.random(in: 0..<20, using: &random) {
            case 0:
                effects = update(
                    &model,
                    .event(
                        .resize(
                            Size(
                                Int.random(in: 1...200, using: &random),
                                Int.random(in: 1...60, using: &random))), time: 0))
            case 1: effects = update(&model, .event(.paste("東京 \u{1B}[31m"), time: 0))
            case 2:
                let x = Int.random(in: 0..<max(1, model.size.width), using: &random)
                effects = update(
                    &model,
                    .event(
                        .click(
                            x: x, y: Int.random(in: 0..<max(1, model.size.height), using: &random),
                            isDouble: Bool.random(using: &random)), time: 0))
            case 3: effects = update(&model, .book(books[Int.random(in: 0..<books.count, using: &random)]))
            case 4: model.work = model.work == nil ? SampleBook.work : nil
            default:
                let key = keys[Int.random(in: 0..<keys.count, using: &random)]
                effects = update(
                    &model, .event(.key(key), time: Double(Int.random(in: 0...1_000_000, using: &random))))
            }
            for effect in effects {
                if case .preview(let step, let isUndo) = effect {
                    _ = update(&model, .previewed(step: step, isUndo: isUndo, Self.preview))
                }
                if case .page(let table, let filter, let first) = effect {
                    let page = DifferencePage(
                        table: table, filter: filter, first: first, rows: Self.differences.rows, kept: 3,
                        summary: Self.differences.summary)
                    _ = update(&model, .page(page))
                }
                if case .findDifference(let table, _, _, let number, _) = effect {
                    _ = update(&model, .foundDifference(table: table, (number + 1) % 4))
                }
            }
            let buffer = Screen(model, Self.look, keys: Bindings.standard).draw().buffer
            #expect(buffer.size == Size(max(0, model.size.width), max(0, model.size.height)))
            #expect(model.overlays.count < 40)
        }
        model.size = Size(80, 24)
        for _ in 0..<80 { _ = update(&model, .event(.key(.escape), time: 0)) }
        #expect(model.overlays.isEmpty, "Esc leads out of every box")
        model.work = nil
        #expect(update(&model, .event(.key(.character("q")), time: 0)) == [.quit(0)])
    }

    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }
}
