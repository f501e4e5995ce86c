/// One cell of the screen.
public struct Cell: Equatable, Sendable {
    /// What it shows; empty in the right half of a wide glyph.
    public var text: String
    public var style: Style

    public static let blank = Cell(text: " ", style: .standard)
}

/// A screen's content, drawn from the top left; what lies outside is not drawn.
public struct Buffer: Equatable, Sendable {
    public let size: Size
    public private(set) var cells: [Cell]

    public init(_ size: Size) {
        self.size = Size(max(0, size.width), max(0, size.height))
        cells = Array(repeating: .blank, count: self.size.width * self.size.height)
    }

    public var bounds: Rect { Rect(size) }

    public subscript(x: Int, y: Int) -> Cell {
        cells[y * size.width + x]
    }

    /// Blanks a rectangle.
    public mutating func clear(_ rect: Rect, style: Style = .standard) {
        let rect = rect.intersection(bounds)
        guard !rect.isEmpty else { return }
        for y in rect.y..<rect.maxY {
            for x in rect.x..<rect.maxX { set(Glyph(text: " ", width: 1), x, y, style) }
        }
    }

    /// Lays a style over what a rectangle shows.
    public mutating func restyle(_ rect: Rect, _ style: Style) {
        let rect = rect.intersection(bounds)
        guard !rect.isEmpty else { return }
        for y in rect.y..<rect.maxY {
            for index in y * size.width + rect.x..<y * size.width + rect.maxX {
                cells[index].style = style.over(cells[index].style)
            }
        }
    }

    /// Writes text into the first row of a rectangle, cut with `…` where it is too long; returns the cells used.
    @discardableResult
    public mutating func write(
        _ text: String, in rect: Rect, style: Style = .standard, showsSpaces: Bool = false,
        ellipsis: String = "…"
    ) -> Int {
        guard rect.height > 0, rect.width > 0, rect.y >= 0, rect.y < size.height else { return 0 }
        var x = rect.x
        var last: (x: Int, width: Int)?
        for glyph in Glyphs(text, showsSpaces: showsSpaces) {
            guard x + glyph.width <= rect.maxX else {
                // The sign takes the place of the last glyph where nothing is left for it.
                let place = x < rect.maxX ? x : last?.x ?? rect.x
                set(Glyph(text: ellipsis, width: 1), place, rect.y, style)
                if let last, place == last.x, last.width == 2 {
                    set(Glyph(text: " ", width: 1), place + 1, rect.y, style)
                }
                return rect.width
            }
            set(glyph, x, rect.y, style)
            last = (x, glyph.width)
            x += glyph.width
        }
        return x - rect.x
    }

    /// Puts one glyph; halves of wide glyphs that it covers are blanked.
    public mutating func set(_ glyph: Glyph, _ x: Int, _ y: Int, _ style: Style) {
        guard y >= 0, y < size.height, x >= 0, x + glyph.width <= size.width else { return }
        let index = y * size.width + x
        // The left half of what this cell was the right half of.
        if cells[index].text.isEmpty, x > 0 { cells[index - 1].text = " " }
        let after = index + glyph.width
        if x + glyph.width < size.width, cells[after].text.isEmpty { cells[after].text = " " }
        cells[index] = Cell(text: glyph.text, style: style)
        if glyph.width == 2 { cells[index + 1] = Cell(text: "", style: style) }
    }

    /// The text of every row, without spaces at its end: what golden tests hold.
    public var lines: [String] {
        (0..<size.height).map { y in
            var line = cells[y * size.width..<(y + 1) * size.width].map(\.text).joined()
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
