/// A piece of a schema file. Newlines are tokens, for they end an entry; comments are none.
struct PrismaToken: Equatable {
    enum Kind: Equatable {
        /// A name, a keyword or a number's part: letters, digits, `_`, `-` and everything beyond ASCII.
        case word(String)
        /// A string's value, escapes resolved.
        case string(String)
        case symbol(Character)
        case newline
    }

    let kind: Kind
    let line: Int
    /// Its bytes in the file, a string's with the quotes.
    let range: Range<Int>
}

/// Something that was not understood, with its line from 1.
struct PrismaProblem: Equatable {
    let line: Int
    let text: String
}

/// Cuts a schema file into tokens; what is no part of the language becomes a problem and is passed over.
struct PrismaLexer {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private(set) var tokens: [PrismaToken] = []
    private(set) var problems: [PrismaProblem] = []

    init(_ text: String) {
        self.init(Array(text.utf8))
    }

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        while position < bytes.count { scan() }
    }

    private func byte(ahead offset: Int = 0) -> UInt8? {
        position + offset < bytes.count ? bytes[position + offset] : nil
    }

    /// Adds what lies between `start` and the position.
    private mutating func add(_ kind: PrismaToken.Kind, from start: Int) {
        tokens.append(PrismaToken(kind: kind, line: line, range: start..<position))
    }

    private mutating func scan() {
        let first = bytes[position]
        switch first {
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
            let (start, line) = (position, line)
            skipNewline()
            tokens.append(PrismaToken(kind: .newline, line: line, range: start..<position))
        case UInt8(ascii: " "), UInt8(ascii: "\t"):
            position += 1
        case UInt8(ascii: "/") where byte(ahead: 1) == UInt8(ascii: "/"):
            while let next = byte(), !Self.isNewline(next) { position += 1 }
        case UInt8(ascii: "/") where byte(ahead: 1) == UInt8(ascii: "*"):
            skipBlockComment()
        case UInt8(ascii: "\""):
            scanString()
        case _ where Self.isWord(first):
            let start = position
            while let next = byte(), Self.isWord(next) { position += 1 }
            add(.word(String(decoding: bytes[start..<position], as: UTF8.self)), from: start)
        case _ where Self.symbols.contains(first):
            position += 1
            add(.symbol(Character(Unicode.Scalar(first))), from: position - 1)
        default:
            let problem = PrismaProblem(line: line, text: "an unexpected character")
            if problems.last != problem { problems.append(problem) }
            position += 1
        }
    }

    private mutating func skipNewline() {
        position += byte() == UInt8(ascii: "\r") && byte(ahead: 1) == UInt8(ascii: "\n") ? 2 : 1
        line += 1
    }

    private mutating func skipBlockComment() {
        let start = line
        position += 2
        while let next = byte() {
            if next == UInt8(ascii: "*"), byte(ahead: 1) == UInt8(ascii: "/") {
                position += 2
                return
            }
            if Self.isNewline(next) { skipNewline() } else { position += 1 }
        }
        problems.append(PrismaProblem(line: start, text: "a comment that is not closed"))
    }

    /// A string ends on its line; one that does not is taken up to there.
    private mutating func scanString() {
        let start = position
        position += 1
        var value: [UInt8] = []
        while let next = byte(), !Self.isNewline(next) {
            position += 1
            switch next {
            case UInt8(ascii: "\""):
                add(.string(String(decoding: value, as: UTF8.self)), from: start)
                return
            case UInt8(ascii: "\\"):
                value += escape()
            default:
                value.append(next)
            }
        }
        problems.append(PrismaProblem(line: line, text: "a string that is not closed"))
        add(.string(String(decoding: value, as: UTF8.self)), from: start)
    }

    /// The bytes that a backslash and what follows it stand for.
    private mutating func escape() -> [UInt8] {
        guard let letter = byte(), !Self.isNewline(letter) else { return [UInt8(ascii: "\\")] }
        position += 1
        switch letter {
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "u"):
            guard var code = hexadecimal() else { return [UInt8(ascii: "u")] }
            if (0xD800..<0xDC00).contains(code), byte() == UInt8(ascii: "\\"),
                byte(ahead: 1) == UInt8(ascii: "u")
            {
                let before = position
                position += 2
                if let low = hexadecimal(), (0xDC00..<0xE000).contains(low) {
                    code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
                } else {
                    position = before
                }
            }
            return Array(String(Character(Unicode.Scalar(code) ?? "\u{FFFD}")).utf8)
        default: return [letter]
        }
    }

    private mutating func hexadecimal() -> UInt32? {
        guard position + 4 <= bytes.count,
            let code = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { return nil }
        position += 4
        return code
    }

    private static let symbols = Set("{}()[],:=?!@.".utf8)

    private static func isNewline(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), 0x80...:
            true
        default: false
        }
    }
}
