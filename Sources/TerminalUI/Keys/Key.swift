/// A key as a terminal reports it.
public enum Key: Hashable, Sendable {
    case character(Character)
    /// With Ctrl; a lower-case letter.
    case control(Character)
    case enter, escape, tab, backTab, backspace, delete
    case up, down, left, right, pageUp, pageDown, home, end
    case function(Int)

    private static let named: KeyValuePairs<String, Key> = [
        "Enter": .enter, "Esc": .escape, "Tab": .tab, "Shift-Tab": .backTab, "Backspace": .backspace,
        "Del": .delete, "Up": .up, "Down": .down, "Left": .left, "Right": .right, "PgUp": .pageUp,
        "PgDn": .pageDown, "Home": .home, "End": .end, "Space": .character(" "),
    ]

    private static let arrows: KeyValuePairs<String, Key> = [
        "↑": .up, "↓": .down, "←": .left, "→": .right,
    ]

    /// Reads a name as help and key files write it: `q`, `Space`, `Ctrl-L`, `F5`, `PgUp`.
    public init?(_ name: String) {
        let folded = name.lowercased()
        if let key = Self.named.first(where: { $0.key.lowercased() == folded })?.value {
            self = key
        } else if let key = Self.arrows.first(where: { $0.key == name })?.value {
            self = key
        } else if folded.hasPrefix("ctrl-"), folded.count == 6, let letter = folded.last, letter.isLetter {
            self = .control(letter)
        } else if folded.first == "f", let number = Int(folded.dropFirst()), (1...12).contains(number) {
            self = .function(number)
        } else if name.count == 1, let character = name.first {
            self = .character(character)
        } else {
            return nil
        }
    }

    /// As help writes it.
    public var name: String {
        if let name = Self.named.first(where: { $0.value == self })?.key { return name }
        switch self {
        case .character(let character): return String(character)
        case .control(let letter): return "Ctrl-\(letter.uppercased())"
        case .function(let number): return "F\(number)"
        default: return "?"
        }
    }
}

/// What a terminal tells.
public enum Event: Equatable, Sendable {
    case key(Key)
    /// Text that was pasted at once.
    case paste(String)
    case click(x: Int, y: Int, isDouble: Bool)
    /// Rows, down is positive.
    case wheel(Int, x: Int, y: Int)
    case resize(Size)
    /// The terminal is there again after a suspension.
    case resumed
}
