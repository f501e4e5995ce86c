/// One token of SQLite's SQL (https://sqlite.org/lang.html, src/tokenize.c's rules).
public struct SQLToken: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        /// A bare word: keyword or name.
        case word
        /// A name in "double quotes", `backticks` or [brackets]; double quotes may also hold a text.
        case quotedName
        case text
        case blob
        case number
        case parameter
        /// An operator or a punctuation mark.
        case symbol
        /// What no rule reads, such as an unterminated text.
        case invalid
    }

    public let kind: Kind
    /// The token as written.
    public let source: String
    /// Byte range in the source text.
    public let range: Range<Int>

    /// The name or text without its quotes; other tokens as written.
    public var value: String {
        switch kind {
        case .quotedName where source.utf8.first == UInt8(ascii: "["):
            String(decoding: source.utf8.dropFirst().dropLast(), as: UTF8.self)
        case .quotedName, .text: source.unquoted
        default: source
        }
    }

    public func isWord(_ keyword: String) -> Bool {
        kind == .word && source.uppercased() == keyword
    }

    public func isSymbol(_ symbol: String) -> Bool {
        kind == .symbol && source == symbol
    }
}

/// Cuts SQL into tokens; white space and comments are left out. Reads any input to its end.
public struct SQLLexer {
    private let bytes: [UInt8]
    private var position = 0

    public init(_ sql: String) {
        bytes = Array(sql.utf8)
    }

    public static func tokens(of sql: String) -> [SQLToken] {
        var lexer = SQLLexer(sql)
        var tokens: [SQLToken] = []
        while let token = lexer.next() { tokens.append(token) }
        return tokens
    }

    public mutating func next() -> SQLToken? {
        skipSpaceAndComments()
        guard position < bytes.count else { return nil }
        let start = position
        let kind = scan()
        return SQLToken(
            kind: kind, source: String(decoding: bytes[start..<position], as: UTF8.self),
            range: start..<position)
    }

    private func peek(_ offset: Int = 0) -> UInt8 {
        position + offset < bytes.count ? bytes[position + offset] : 0
    }

    private mutating func skipSpaceAndComments() {
        while position < bytes.count {
            let byte = bytes[position]
            if byte == 0x20 || (0x09...0x0D).contains(byte) {
                position += 1
            } else if byte == UInt8(ascii: "-"), peek(1) == UInt8(ascii: "-") {
                while position < bytes.count, bytes[position] != 0x0A { position += 1 }
            } else if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                position += 2
                while position < bytes.count, !(peek() == UInt8(ascii: "*") && peek(1) == UInt8(ascii: "/")) {
                    position += 1
                }
                position = min(position + 2, bytes.count)
            } else {
                return
            }
        }
    }

    private mutating func scan() -> SQLToken.Kind {
        let byte = peek()
        switch byte {
        case UInt8(ascii: "'"): return scanQuoted(byte) ? .text : .invalid
        case UInt8(ascii: "\""), UInt8(ascii: "`"): return scanQuoted(byte) ? .quotedName : .invalid
        case UInt8(ascii: "["):
            while position < bytes.count, bytes[position] != UInt8(ascii: "]") { position += 1 }
            guard position < bytes.count else { return .invalid }
            position += 1
            return .quotedName
        case UInt8(ascii: "x"), UInt8(ascii: "X"):
            guard peek(1) == UInt8(ascii: "'") else { return scanWord() }
            position += 1
            return scanQuoted(UInt8(ascii: "'")) ? .blob : .invalid
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return scanNumber()
        case UInt8(ascii: ".") where Self.isDigit(peek(1)): return scanNumber()
        case UInt8(ascii: "?"), UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "$"):
            position += 1
            while Self.isWordByte(peek()) { position += 1 }
            return .parameter
        case _ where Self.isWordByte(byte): return scanWord()
        default: return scanSymbol()
        }
    }

    private mutating func scanQuoted(_ quote: UInt8) -> Bool {
        position += 1
        while position < bytes.count {
            if bytes[position] == quote {
                position += 1
                if peek() != quote { return true }
            }
            position += 1
        }
        return false
    }

    private mutating func scanWord() -> SQLToken.Kind {
        while Self.isWordByte(peek()) { position += 1 }
        return .word
    }

    private mutating func scanNumber() -> SQLToken.Kind {
        if peek() == UInt8(ascii: "0"), peek(1) | 0x20 == UInt8(ascii: "x") {
            position += 2
            while Self.isWordByte(peek()) { position += 1 }
            return .number
        }
        func isDigitOrSeparator(_ byte: UInt8) -> Bool { Self.isDigit(byte) || byte == UInt8(ascii: "_") }
        while isDigitOrSeparator(peek()) { position += 1 }
        if peek() == UInt8(ascii: ".") {
            position += 1
            while isDigitOrSeparator(peek()) { position += 1 }
        }
        if peek() | 0x20 == UInt8(ascii: "e") {
            let signed = peek(1) == UInt8(ascii: "+") || peek(1) == UInt8(ascii: "-")
            if Self.isDigit(peek(signed ? 2 : 1)) {
                position += signed ? 2 : 1
                while isDigitOrSeparator(peek()) { position += 1 }
            }
        }
        return .number
    }

    private static let longSymbols = ["->>", "||", "<<", ">>", "<=", ">=", "<>", "!=", "==", "->"]

    private mutating func scanSymbol() -> SQLToken.Kind {
        for symbol in Self.longSymbols where bytes[position...].starts(with: symbol.utf8) {
            position += symbol.utf8.count
            return .symbol
        }
        position += 1
        return .symbol
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: "$") || byte >= 0x80
    }
}
