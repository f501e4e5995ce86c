/// Lines from an offset on, wrapped or cut.
public struct TextView {
    public var lines: [Line]
    public var top: Int
    public var wraps: Bool

    public init(_ lines: [Line], top: Int = 0, wraps: Bool = true) {
        self.lines = lines
        self.top = top
        self.wraps = wraps
    }

    /// The lines as they are laid out in a width.
    public func laidOut(width: Int) -> [Line] {
        wraps ? lines.flatMap { $0.wrapped(to: width) } : lines
    }

    public func draw(in rect: Rect, on buffer: inout Buffer, _ look: Look) {
        guard rect.width > 1, rect.height > 0 else { return }
        let text = rect.splitLeft(rect.width - 1).left
        let all = laidOut(width: text.width)
        let first = max(0, min(top, all.count - rect.height))
        for (row, line) in all.dropFirst(first).prefix(rect.height).enumerated() {
            buffer.write(line, in: text.row(row), look)
        }
        let edge = Rect(x: rect.maxX - 1, y: rect.y, width: 1, height: rect.height)
        if first > 0 {
            buffer.write(look.symbols.isASCII ? "^" : "▴", in: edge.row(0), style: look.style(.muted))
        }
        if first + rect.height < all.count {
            buffer.write(
                look.symbols.isASCII ? "v" : "▾", in: edge.row(rect.height - 1), style: look.style(.muted))
        }
    }
}
