import CNCurses
import TerminalUI
import TestSupport
import Testing

@testable import CursesTerminal

/// What curses holds after drawing, read back from a screen on a null device. One screen a process.
@Suite(.serialized) struct CellWriterTests {
    private func withScreen(_ terminal: String = "xterm-256color", _ body: () throws -> Void) rethrows {
        _ = howdah_locale()
        guard howdah_open_null(terminal, 20, 4) != 0 else {
            Issue.record("no screen for \(terminal)")
            return
        }
        defer { howdah_close() }
        try body()
    }

    private func cell(_ x: Int, _ y: Int) -> String {
        var scalars = [UInt32](repeating: 0, count: 8)
        let count = Int(howdah_cell(Int32(y), Int32(x), &scalars, 8))
        return String(String.UnicodeScalarView(scalars.prefix(count).compactMap(Unicode.Scalar.init)))
    }

    private func draw(_ text: String, at x: Int = 0, _ y: Int = 0, isUTF8: Bool = true) {
        var buffer = Buffer(Size(20, 4))
        buffer.write(text, in: Rect(x: x, y: y, width: 20 - x, height: 1))
        CellWriter(depth: .indexed, isUTF8: isUTF8).write(buffer, over: nil)
    }

    private var isUTF8: Bool { howdah_locale() != 0 }

    @Test func textArrivesCellByCell() {
        withScreen {
            draw("abc", at: 2, 1)
            #expect(cell(2, 1) == "a" && cell(3, 1) == "b" && cell(4, 1) == "c")
        }
    }

    @Test func theLastCellOfTheScreenCanBeDrawn() {
        withScreen {
            draw("z", at: 19, 3)
            #expect(cell(19, 3) == "z")
        }
    }

    @Test func whatATerminalWithoutUnicodeCannotShowIsAQuestionMark() {
        withScreen {
            draw("é東", isUTF8: false)
            #expect(cell(0, 0) == "?")
        }
    }

    @Test func escapesNeverReachCurses() {
        withScreen {
            draw("\u{1B}[2J")
            for x in 0..<20 { #expect(!cell(x, 0).unicodeScalars.contains { $0.value < 0x20 }) }
        }
    }

    @Test func anOldWideGlyphLeavesNoHalf() {
        withScreen {
            guard isUTF8 else { return }
            var before = Buffer(Size(20, 4))
            before.write("東京", in: before.bounds)
            let writer = CellWriter(depth: .indexed, isUTF8: true)
            writer.write(before, over: nil)
            #expect(cell(0, 0) == "東")
            var after = Buffer(Size(20, 4))
            after.write("ab", in: after.bounds)
            writer.write(after, over: before)
            #expect(cell(0, 0) == "a" && cell(1, 0) == "b" && cell(2, 0) == " ")
        }
    }

    @Test(arguments: ["xterm-256color", "screen", "tmux-256color", "linux", "vt100"])
    func commonTerminalsAreKnown(_ terminal: String) {
        withScreen(terminal) {
            draw("ok")
            #expect(cell(0, 0) == "o")
        }
    }

    @Test func aDumbTerminalIsRefused() {
        #expect(howdah_open_null("dumb", 20, 4) == 0)
        #expect(howdah_open_null("no-such-terminal", 20, 4) == 0)
    }
}
