import TestSupport
import Testing

@testable import TerminalUI

@Suite struct WidgetTests {
    private let look = Look(theme: Themes.shipped.standard, symbols: .unicode)

    private func drawn(
        _ width: Int, _ height: Int, _ look: Look? = nil, _ body: (Rect, inout Buffer, Look) -> Void
    ) -> [String] {
        var buffer = Buffer(Size(width, height))
        body(buffer.bounds, &buffer, look ?? self.look)
        return buffer.lines
    }

    private static let hostile = [
        "\u{1B}[2Jclear", "👨‍👩‍👧‍👦 family", "\u{202E}right to left", "東京都庁", String(repeating: "long ", count: 50),
    ]

    @Test func aListShowsTheSelectionAndThatThereIsMore() {
        let names = ["one", "two", "three", "four", "five", "six"]
        let lines = drawn(12, 3) { rect, buffer, look in
            ScrollList(count: names.count, state: ListState(selected: 3), isFocused: true) { Line(names[$0]) }
                .draw(in: rect, on: &buffer, look)
        }
        #expect(lines == [" two       ▴", " three", "▌four      ▾"])
    }

    @Test func anEmptyListSaysSo() {
        let lines = drawn(20, 2) { rect, buffer, look in
            ScrollList(count: 0, state: ListState(), isFocused: true) { _ in Line() }.draw(
                in: rect, on: &buffer, look)
        }
        #expect(lines[0] == " nothing here")
    }

    @Test func aTableKeepsItsFrozenColumnAndSaysWhatIsMissing() {
        func table(_ width: Int, first: Int) -> [String] {
            drawn(width, 3) { rect, buffer, look in
                Table(
                    columns: [
                        .init("key", .fixed(4)), .init("a", .fixed(6)), .init("b", .fixed(6), isRight: true),
                    ], count: 2,
                    state: ListState(), isFocused: true, frozen: 1, firstColumn: first
                ) { [Line("k\($0)"), Line("a\($0)"), Line("b\($0)")] }.draw(in: rect, on: &buffer, look)
            }
        }
        #expect(table(20, first: 0) == [" key  a           b", "▌k0   a0         b0", " k1   a1         b1"])
        #expect(table(13, first: 0)[0] == " key  a     ›")
        #expect(table(13, first: 1)[1] == "▌k0       b0")
    }

    @Test(arguments: [
        (0.0, "··········"), (0.05, "▌·········"), (0.5, "█████·····"), (1.0, "██████████"),
        (7, "██████████"), (-1, "··········"), (.nan, "··········"),
    ])
    func aBarFillsFromTheLeft(_ fraction: Double, _ shown: String) {
        #expect(Gauge.line(fraction, width: 10, .unicode).text == shown)
    }

    @Test func aSparklineShowsTheLastValues() {
        #expect(Sparkline.line([0, 1, 2, 4, 8], width: 4, .unicode).text == "▂▃▅█")
        #expect(Sparkline.line([], width: 4, .unicode).text.isEmpty)
    }

    @Test func boxesHoldTheirTextAtEverySize() {
        for (width, height) in [(60, 15), (80, 24), (30, 8)] {
            let lines = drawn(width, height) { rect, buffer, look in
                Dialog(
                    Line("A title"),
                    ["A sentence that is long enough to be wrapped on a narrow screen.", "", "Another."].map {
                        Line($0)
                    },
                    buttons: ["run", "cancel"], focused: 1, field: TextField("typed")
                ).draw(on: rect, &buffer, look)
            }
            #expect(goldenMismatch(lines, "dialog-\(width)x\(height)") == nil)
        }
    }

    @Test func hostileNamesDisturbNothing() {
        let lines = drawn(40, 8) { rect, buffer, look in
            let inner = Frame(Line(Self.hostile[0]), footer: Line(Self.hostile[3])).draw(
                in: rect, on: &buffer, look)
            ScrollList(count: Self.hostile.count, state: ListState(), isFocused: false) {
                Line(Self.hostile[$0])
            }
            .draw(in: inner, on: &buffer, look)
        }
        #expect(goldenMismatch(lines, "hostile") == nil)
        for line in lines { #expect(TextWidth.cells(line) <= 40) }
    }

    @Test func bytesAreAlignedAndTheFirstDifferenceIsFound() {
        let view = HexView(left: Array(0..<20), right: Array(0..<17) + [0xFF])
        #expect(view.firstDifference == 17)
        let lines = drawn(70, 4) { rect, buffer, look in view.draw(in: rect, on: &buffer, look) }
        #expect(goldenMismatch(lines, "hex") == nil)
        #expect(HexView(left: nil, right: []).firstDifference == 0)
        #expect(HexView(left: [1], right: [1]).firstDifference == nil)
    }

    @Test func aDiffPairsLinesThatChanged() {
        let changes = TextDiff.changes(["a", "b", "c"], ["a", "x", "c", "d"])
        #expect(changes == [.same("a", "a"), .changed("b", "x"), .same("c", "c"), .added("d")])
        #expect(TextDiff.unified(changes).map(\.text) == ["  a", "- b", "+ x", "  c", "+ d"])
    }

    @Test(arguments: [
        ("one two three", 7, ["one two", "three"]), ("abcdefghij", 4, ["abcd", "efgh", "ij"]), ("", 5, [""]),
        ("東京都庁", 5, ["東京", "都庁"]), ("a b", 1, ["a", "b"]),
    ]) func linesAreWrappedAtSpacesWhereTheyCanBe(_ text: String, _ width: Int, _ lines: [String]) {
        #expect(Line(text).wrapped(to: width).map(\.text) == lines)
    }

    @Test(arguments: [
        ("a\nb c", false, 3, ["a␊b", " c"]), ("\r\n\t", true, 2, ["␍␊", "⇥"]), ("a  ", true, 2, ["a·", "·"]),
        ("東京都庁", false, 5, ["東京", "都庁"]), ("", false, 5, [""]),
    ]) func cutLinesKeepEverySign(_ text: String, _ showsSpaces: Bool, _ width: Int, _ lines: [String]) {
        let line = Line([Span(text, showsSpaces: showsSpaces)])
        #expect(line.cut(to: width).map(\.text) == lines)
    }

    @Test func bytesThatAreNotThereHaveAWordInTheirPlace() {
        var view = HexView(left: [1], right: nil)
        view.rightWord = "no such row"
        var buffer = Buffer(Size(60, 1))
        view.draw(in: buffer.bounds, on: &buffer, Look(theme: Themes.shipped.standard, symbols: .unicode))
        #expect(buffer.lines[0].contains("no such row") && !buffer.lines[0].contains("NULL"))
    }

    @Test func aFieldEditsAtItsCursor() {
        var field = TextField("abc")
        for key in [Key.left, .character("x"), .home, .delete, .end, .backspace] {
            let isTaken = field.take(key)
            #expect(isTaken)
        }
        #expect(field.text == "bx")
        field.insert("two\nlines")
        #expect(field.text == "bxtwo lines")
        _ = field.take(.control("w"))
        #expect(field.text == "bxtwo ")
        let isTaken = field.take(.enter)
        #expect(!isTaken)
    }

    @Test func aSecretIsNeverDrawn() {
        let lines = drawn(20, 1) { rect, buffer, look in
            TextField("hunter2", isSecret: true).draw(in: rect, on: &buffer, look)
        }
        #expect(lines == ["•••••••"])
    }

    @Test func asciiTerminalsGetNoOtherSigns() {
        let ascii = Look(theme: Themes.shipped.standard, symbols: .ascii)
        let lines = drawn(30, 4, ascii) { rect, buffer, look in
            let inner = Frame(Line("title")).draw(in: rect, on: &buffer, look)
            Table(columns: [.init("t", .fixed(40))], count: 9, state: ListState(), isFocused: true) { _ in
                [Gauge.line(0.5, width: 8, look.symbols)]
            }.draw(in: inner, on: &buffer, look)
        }
        for line in lines { #expect(!line.contains { !$0.isASCII }, "\(line)") }
    }
}

@Suite struct KeyTests {
    @Test(arguments: [
        ("q", Key.character("q")), ("Space", .character(" ")), ("enter", .enter), ("Ctrl-L", .control("l")),
        ("F5", .function(5)),
        ("PgDn", .pageDown), ("?", .character("?")), ("↑", .up),
    ]) func namesOfKeys(_ name: String, _ key: Key) {
        #expect(Key(name) == key)
        #expect(Key(key.name) == key)
    }

    @Test(arguments: ["", "Ctrl-", "Ctrl-é1", "F13", "hello"]) func whatIsNoKey(_ name: String) {
        #expect(Key(name) == nil)
    }
}
