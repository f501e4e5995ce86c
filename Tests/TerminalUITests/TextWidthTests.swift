import Testing

@testable import TerminalUI

@Suite struct TextWidthTests {
    @Test(arguments: [
        ("", 0), ("abc", 3), ("東京", 4), ("e\u{301}", 1), ("👍", 2), ("한", 2), ("ﬁ", 1), ("à la", 4),
    ]) func cellsOfAText(_ text: String, _ cells: Int) {
        #expect(TextWidth.cells(text) == cells)
    }

    /// Nothing of these may reach a terminal as it is.
    @Test(arguments: [
        "\u{1B}[31mred", "\u{1B}]0;title\u{7}", "a\rb", "a\u{8}b", "\u{9B}31m", "\u{202E}abc",
        "\u{2066}x\u{2069}",
        "a\u{0}b", "\u{FEFF}x", "\u{200F}x", "a\u{7F}b", "x\u{AD}y", "line\nbreak", "tab\there",
    ]) func whatATerminalObeysIsShownAsSomethingElse(_ text: String) {
        let shown = Glyphs(text).map(\.text).joined()
        for scalar in shown.unicodeScalars {
            #expect(!(scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)), "\(scalar.value)")
            #expect(![0x202E, 0x2066, 0x2069, 0x200F, 0xFEFF].contains(scalar.value), "\(scalar.value)")
        }
    }

    @Test func everyGlyphHasTheWidthThatItSays() {
        for glyph in Glyphs("a👨‍👩‍👧‍👦b🇩🇪c東e\u{301}\u{1B}\u{202E}z") {
            #expect(glyph.width == 1 || glyph.width == 2)
            #expect(!glyph.text.isEmpty)
        }
    }

    @Test func aMegabyteIsCutWithoutBeingReadToItsEnd() {
        let text = String(repeating: "x東", count: 500_000)
        var buffer = Buffer(Size(20, 1))
        let start = ContinuousClock.now
        for _ in 0..<200 { buffer.write(text, in: buffer.bounds) }
        #expect(ContinuousClock.now - start < .seconds(2))
        #expect(buffer.lines[0].hasSuffix("…"))
    }
}

@Suite struct BufferTests {
    @Test(arguments: [
        ("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("abcdef", 1, "…"), ("東京都", 6, "東京都"),
        ("東京都", 5, "東京…"),
        ("東京都", 4, "東…"), ("東京都", 3, "東…"), ("東京都", 2, "…"),
    ]) func textThatIsTooLongIsCutWithASign(_ text: String, _ width: Int, _ shown: String) {
        var buffer = Buffer(Size(10, 1))
        buffer.write(text, in: Rect(x: 0, y: 0, width: width, height: 1))
        #expect(buffer.lines[0] == shown)
    }

    @Test func aWideGlyphThatIsCoveredLeavesNoHalf() {
        var buffer = Buffer(Size(4, 1))
        buffer.write("東京", in: buffer.bounds)
        buffer.write("x", in: Rect(x: 1, y: 0, width: 1, height: 1))
        #expect(buffer.lines[0] == " x京")
        buffer.write("y", in: Rect(x: 2, y: 0, width: 1, height: 1))
        #expect(buffer.lines[0] == " xy")
    }

    @Test func whatLiesOutsideIsNotDrawn() {
        var buffer = Buffer(Size(3, 2))
        for rect in [
            Rect(x: -5, y: 0, width: 3, height: 1), Rect(x: 2, y: 5, width: 3, height: 1),
            Rect(x: 0, y: -1, width: 3, height: 1),
            Rect(x: 9, y: 0, width: 3, height: 1),
        ] {
            buffer.write("abc", in: rect)
            buffer.clear(rect)
            buffer.restyle(rect, Style(attributes: .bold))
        }
        #expect(buffer.lines.count == 2)
    }

    /// Random rectangles and texts: nothing traps, and no half of a wide glyph is left alone.
    @Test func randomWritesLeaveEveryWideGlyphWhole() {
        var random = SystemRandomNumberGenerator.seeded(7)
        let texts = ["東京", "a", "👍🏽x", "e\u{301}é", "\u{1B}[2J", "🇩🇪🇫🇷", "\u{202E}abc", "ｗｉｄｅ", ""]
        var buffer = Buffer(Size(23, 7))
        for _ in 0..<3000 {
            let rect = Rect(
                x: Int.random(in: -4...25, using: &random), y: Int.random(in: -2...8, using: &random),
                width: Int.random(in: 0...26, using: &random), height: Int.random(in: 0...3, using: &random))
            switch Int.random(in: 0...3, using: &random) {
            case 0: buffer.clear(rect)
            case 1: buffer.restyle(rect, Style(attributes: .reverse))
            default: buffer.write(texts[Int.random(in: 0..<texts.count, using: &random)], in: rect)
            }
        }
        for y in 0..<7 {
            for x in 0..<23 where buffer[x, y].text.isEmpty {
                #expect(x > 0 && TextWidth.cells(buffer[x - 1, y].text) == 2)
            }
            for x in 0..<23 where TextWidth.cells(buffer[x, y].text) == 2 {
                #expect(x + 1 < 23 && buffer[x + 1, y].text.isEmpty)
            }
        }
    }
}

/// A generator whose numbers are the same in every run.
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension SystemRandomNumberGenerator {
    static func seeded(_ seed: UInt64) -> SeededNumbers { SeededNumbers(state: seed) }
}
