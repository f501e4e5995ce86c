/// A border with a title, around what the rectangle that it returns shows.
public struct Frame {
    public var title: Line
    public var footer: Line
    public var isFocused: Bool

    public init(_ title: Line = Line(), footer: Line = Line(), isFocused: Bool = false) {
        self.title = title
        self.footer = footer
        self.isFocused = isFocused
    }

    @discardableResult
    public func draw(in rect: Rect, on buffer: inout Buffer, _ look: Look) -> Rect {
        guard rect.width >= 2, rect.height >= 2 else {
            return Rect(x: rect.x, y: rect.y, width: 0, height: 0)
        }
        let style = look.style(isFocused ? .focusedBorder : .border)
        let symbols = look.symbols
        let edge = String(repeating: symbols.horizontal, count: rect.width - 2)
        buffer.write(symbols.topLeft + edge + symbols.topRight, in: rect.row(0), style: style)
        buffer.write(
            symbols.bottomLeft + edge + symbols.bottomRight, in: rect.row(rect.height - 1), style: style)
        for y in 1..<max(1, rect.height - 1) {
            let row = rect.row(y)
            buffer.write(symbols.vertical, in: row, style: style)
            buffer.write(symbols.vertical, in: row.splitLeft(row.width - 1).rest, style: style)
        }
        if !title.spans.isEmpty, rect.width > 6 {
            let place = Rect(x: rect.x + 1, y: rect.y, width: rect.width - 2, height: 1)
            buffer.write(Line(" ") + title + Line(" "), in: place, look)
        }
        if !footer.spans.isEmpty, rect.width > 6 {
            let line = Line(" ") + footer + Line(" ")
            let width = min(line.cells, rect.width - 4)
            let place = Rect(x: rect.maxX - 2 - width, y: rect.maxY - 1, width: width, height: 1)
            buffer.write(line, in: place, look)
        }
        return rect.inset(1, 1)
    }

    /// A line across a frame, joined with its sides.
    public static func divide(_ rect: Rect, row: Int, isFocused: Bool, on buffer: inout Buffer, _ look: Look)
    {
        guard rect.width >= 2, row < rect.height else { return }
        let symbols = look.symbols
        buffer.write(
            symbols.teeLeft + String(repeating: symbols.horizontal, count: rect.width - 2) + symbols.teeRight,
            in: rect.row(row), style: look.style(isFocused ? .focusedBorder : .border))
    }
}
