/// A piece of text of one role.
public struct Span: Equatable, Sendable {
    public var text: String
    public var role: Role
    public var showsSpaces: Bool

    public init(_ text: String, _ role: Role = .text, showsSpaces: Bool = false) {
        self.text = text
        self.role = role
        self.showsSpaces = showsSpaces
    }
}

/// One line of spans.
public struct Line: Equatable, Sendable, ExpressibleByStringInterpolation {
    public var spans: [Span]

    public init(_ spans: [Span] = []) {
        self.spans = spans
    }

    public init(_ text: String, _ role: Role = .text) {
        spans = [Span(text, role)]
    }

    public init(stringLiteral value: String) {
        spans = [Span(value)]
    }

    public static func + (one: Line, other: Line) -> Line {
        Line(one.spans + other.spans)
    }

    /// Text without roles.
    public var text: String { spans.map(\.text).joined() }

    public var cells: Int { spans.reduce(0) { $0 + TextWidth.cells($1.text) } }

    /// The line cut into lines of at most `width` cells, at spaces where it can be.
    public func wrapped(to width: Int) -> [Line] {
        guard width > 0 else { return [] }
        var lines: [Line] = []
        var current = Line()
        var used = 0
        func isEmpty(_ line: Line) -> Bool { line.spans.allSatisfy(\.text.isEmpty) }
        for span in spans {
            for word in Self.words(of: span.text) {
                let cells = TextWidth.cells(word)
                if used + cells > width, used > 0 {
                    lines.append(current.trimmed)
                    current = Line()
                    used = 0
                    if word == " " { continue }
                }
                for piece in Self.pieces(of: word, width: width) {
                    let size = TextWidth.cells(piece)
                    if used + size > width {
                        lines.append(current.trimmed)
                        current = Line()
                        used = 0
                    }
                    current.spans.append(Span(piece, span.role, showsSpaces: span.showsSpaces))
                    used += size
                }
            }
        }
        if !isEmpty(current) || lines.isEmpty { lines.append(current.joined) }
        return lines.map(\.joined)
    }

    /// The line cut into lines of at most `width` cells wherever an edge is, with every sign that a line without a cut would show:
    /// of a value nothing may vanish.
    public func cut(to width: Int) -> [Line] {
        guard width > 0 else { return [] }
        var lines = [Line()]
        var used = 0
        for span in spans {
            for glyph in Glyphs(span.text, showsSpaces: span.showsSpaces) {
                if used + glyph.width > width, used > 0 {
                    lines.append(Line())
                    used = 0
                }
                lines[lines.count - 1].spans.append(
                    Span(glyph.text, span.role, showsSpaces: span.showsSpaces))
                used += glyph.width
            }
        }
        return lines.map(\.joined)
    }

    private static func words(of text: String) -> [String] {
        var words: [String] = []
        var word = ""
        for scalar in text.unicodeScalars {
            if scalar == " " || scalar == "\n" {
                if !word.isEmpty { words.append(word) }
                words.append(" ")
                word = ""
            } else {
                word.unicodeScalars.append(scalar)
            }
        }
        if !word.isEmpty { words.append(word) }
        return words
    }

    /// A word cut where it is wider than a line.
    private static func pieces(of word: String, width: Int) -> [String] {
        guard TextWidth.cells(word) > width else { return [word] }
        var pieces: [String] = []
        var piece = ""
        var used = 0
        for glyph in Glyphs(word) {
            if used + glyph.width > width, !piece.isEmpty {
                pieces.append(piece)
                piece = ""
                used = 0
            }
            piece += glyph.text
            used += glyph.width
        }
        return pieces + [piece]
    }

    private var trimmed: Line {
        var line = self
        while line.spans.last?.text == " " { line.spans.removeLast() }
        return line
    }

    /// Neighbours of one role as one span.
    private var joined: Line {
        var line = Line()
        for span in spans {
            if let last = line.spans.last, last.role == span.role, last.showsSpaces == span.showsSpaces {
                line.spans[line.spans.count - 1].text += span.text
            } else {
                line.spans.append(span)
            }
        }
        return line
    }
}

extension Buffer {
    /// Writes a line into the first row of a rectangle, cut with a sign where it is too long; returns the cells used.
    @discardableResult
    public mutating func write(_ line: Line, in rect: Rect, _ look: Look) -> Int {
        var rest = rect
        for (index, span) in line.spans.enumerated() {
            let isLast = line.spans[(index + 1)...].allSatisfy(\.text.isEmpty)
            // A span that ends at the edge would hide that more follows.
            let fits = TextWidth.cells(span.text, limit: rest.width + 1) < rest.width || isLast
            let used = write(
                fits ? span.text : span.text + " \u{2026}", in: rest, style: look.style(span.role),
                showsSpaces: span.showsSpaces, ellipsis: look.symbols.ellipsis)
            rest = rest.splitLeft(used).rest
            if rest.isEmpty { break }
        }
        return rect.width - rest.width
    }
}
