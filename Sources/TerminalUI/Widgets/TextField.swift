/// One line of text that is being edited.
public struct TextField: Equatable, Sendable {
    public private(set) var text: String
    /// Characters before the cursor.
    public private(set) var cursor: Int
    /// Shows dots instead of what is typed.
    public var isSecret: Bool

    public init(_ text: String = "", isSecret: Bool = false) {
        self.text = text
        self.isSecret = isSecret
        cursor = text.count
    }

    /// Takes an editing key; false where the key edits nothing.
    public mutating func take(_ key: Key) -> Bool {
        switch key {
        case .character(let character): insert(String(character))
        case .backspace, .control("h"): if cursor > 0 { remove(cursor - 1..<cursor) }
        case .delete, .control("d"): if cursor < text.count { remove(cursor..<cursor + 1) }
        case .left, .control("b"): cursor = max(0, cursor - 1)
        case .right, .control("f"): cursor = min(text.count, cursor + 1)
        case .home, .control("a"): cursor = 0
        case .end, .control("e"): cursor = text.count
        case .control("u"): remove(0..<cursor)
        case .control("k"): remove(cursor..<text.count)
        case .control("w"): remove(wordStart..<cursor)
        default: return false
        }
        return true
    }

    /// Inserts text at the cursor; line breaks become spaces.
    public mutating func insert(_ added: String) {
        let line = String(added.map { $0.isNewline ? " " : $0 })
        let index = text.index(text.startIndex, offsetBy: cursor)
        text.insert(contentsOf: line, at: index)
        // What is added may join with what was there.
        cursor = min(text.count, cursor + line.count)
    }

    private var wordStart: Int {
        let before = Array(text.prefix(cursor))
        var index = before.count
        while index > 0, before[index - 1] == " " { index -= 1 }
        while index > 0, before[index - 1] != " " { index -= 1 }
        return index
    }

    private mutating func remove(_ range: Range<Int>) {
        let start = text.index(text.startIndex, offsetBy: range.lowerBound)
        let end = text.index(text.startIndex, offsetBy: range.upperBound)
        text.removeSubrange(start..<end)
        cursor = range.lowerBound
    }

    /// Draws the part around the cursor; returns where the cursor stands.
    @discardableResult
    public func draw(in rect: Rect, on buffer: inout Buffer, _ look: Look) -> (x: Int, y: Int) {
        let shown = isSecret ? String(repeating: look.symbols.isASCII ? "*" : "•", count: text.count) : text
        var start = shown.startIndex
        let before = shown.prefix(cursor)
        while TextWidth.cells(String(before[start...])) >= rect.width, start < before.endIndex {
            start = shown.index(after: start)
        }
        buffer.clear(rect.row(0))
        buffer.write(
            String(shown[start...]), in: rect, style: Style(attributes: .underline),
            ellipsis: look.symbols.ellipsis)
        return (rect.x + TextWidth.cells(String(before[start...])), rect.y)
    }
}
