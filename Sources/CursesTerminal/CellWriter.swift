import CNCurses
import TerminalUI

/// Hands the cells of a buffer to curses, which sends what has changed.
struct CellWriter {
    let depth: ColorDepth
    let isUTF8: Bool

    /// Writes every cell, or those that differ from what is shown already.
    func write(_ buffer: Buffer, over shown: Buffer?) {
        for y in 0..<buffer.size.height {
            for x in 0..<buffer.size.width {
                let cell = buffer[x, y]
                // A wide glyph has written its right half.
                if cell.text.isEmpty { continue }
                if let shown, shown[x, y] == cell, !isNeighbourChanged(buffer, shown, x, y) { continue }
                put(cell, x, y)
            }
        }
    }

    /// What was wide and is narrow now has taken the cell behind it along.
    private func isNeighbourChanged(_ buffer: Buffer, _ shown: Buffer, _ x: Int, _ y: Int) -> Bool {
        (x > 0 && shown[x - 1, y] != buffer[x - 1, y])
            || (x + 1 < buffer.size.width && shown[x + 1, y] != buffer[x + 1, y])
    }

    private func put(_ cell: Cell, _ x: Int, _ y: Int) {
        let text = isUTF8 ? cell.text : Symbols.asciiStandIns[cell.text] ?? cell.text
        var scalars = text.unicodeScalars.map(\.value)
        let isPlain = scalars.count == 1 && scalars[0] < 0x80
        if !isPlain, !isUTF8 || !isPlaceable(scalars, cell) { scalars = [UInt32(UInt8(ascii: "?"))] }
        let style = cell.style
        howdah_put(
            Int32(y), Int32(x), scalars, Int32(scalars.count), Int32(style.attributes.rawValue),
            Int32(style.foreground.index(at: depth)), Int32(style.background.index(at: depth)))
    }

    /// Curses places by the C library's widths; where they are not ours, what follows would shift.
    private func isPlaceable(_ scalars: [UInt32], _ cell: Cell) -> Bool {
        guard let base = scalars.first else { return false }
        let width = TextWidth.cells(cell.text)
        return Int(howdah_width(base)) == width && scalars.dropFirst().allSatisfy { howdah_width($0) == 0 }
    }
}
