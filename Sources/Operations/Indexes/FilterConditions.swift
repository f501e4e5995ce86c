/// The columns that a plan's filter compares, read from the server's own spelling of it:
/// `((m."roomId" = $1) AND (m.at > $2))`. What is not understood is left out.
struct FilterConditions {
    enum Comparison: Equatable {
        case equal, range
    }

    struct Condition: Equatable {
        let column: String
        let comparison: Comparison
        /// Whether it is compared as a text: an index of a varchar serves for that, one of a number does not.
        var isCast = false
    }

    let conditions: [Condition]

    /// `alias` is what the plan calls the table.
    init(_ text: String, alias: String) {
        let tokens = FilterLexer.tokens(of: text)
        conditions = Self.conjuncts(tokens[...]).compactMap { Self.condition($0, alias) }
    }

    /// The column of a sort key such as `m."timestamp" DESC`; nil for an expression.
    static func column(ofSortKey text: String, alias: String) -> String? {
        let tokens = FilterLexer.tokens(of: text)
        guard tokens.count >= 3, tokens[0] == .name(alias), tokens[1] == .sign("."),
            case .name(let column) = tokens[2],
            tokens.dropFirst(3).allSatisfy({
                if case .name(let word) = $0 {
                    ["ASC", "DESC", "NULLS", "FIRST", "LAST"].contains(word)
                } else {
                    false
                }
            })
        else { return nil }
        return column
    }

    private typealias Tokens = ArraySlice<FilterLexer.Token>

    /// The parts between ANDs; an OR around them leaves nothing, since no part holds by itself.
    private static func conjuncts(_ tokens: Tokens) -> [Tokens] {
        let tokens = bare(tokens)
        var parts: [Tokens] = []
        var (depth, start) = (0, tokens.startIndex)
        for index in tokens.indices {
            switch tokens[index] {
            case .sign("("), .sign("["): depth += 1
            case .sign(")"), .sign("]"): depth -= 1
            case .name("AND") where depth == 0:
                parts.append(tokens[start..<index])
                start = index + 1
            case .name("OR") where depth == 0: return []
            default: break
            }
        }
        guard start > tokens.startIndex else { return [tokens] }
        return (parts + [tokens[start...]]).flatMap(conjuncts)
    }

    /// Without the parentheses around all of it.
    private static func bare(_ tokens: Tokens) -> Tokens {
        var tokens = tokens
        while tokens.first == .sign("("), let end = partner(of: tokens), end == tokens.endIndex - 1 {
            tokens = tokens.dropFirst().dropLast()
        }
        return tokens
    }

    /// Where the parenthesis at the beginning is closed.
    private static func partner(of tokens: Tokens) -> Int? {
        var depth = 0
        for index in tokens.indices {
            if tokens[index] == .sign("(") { depth += 1 }
            if tokens[index] == .sign(")") {
                depth -= 1
                if depth == 0 { return index }
            }
        }
        return nil
    }

    private static let ranges: Set<String> = ["<", ">", "<=", ">="]

    private static func condition(_ tokens: Tokens, _ alias: String) -> Condition? {
        var depth = 0
        for index in tokens.indices {
            switch tokens[index] {
            case .sign("("), .sign("["): depth += 1
            case .sign(")"), .sign("]"): depth -= 1
            case .sign(let sign) where depth == 0 && (sign == "=" || ranges.contains(sign)):
                let (left, right) = (tokens[..<index], tokens[(index + 1)...])
                let isArray = right.first == .name("ANY")
                guard !isArray || sign == "=" else { return nil }
                for (side, other) in [(left, right), (right, left)] {
                    if let (column, isCast) = column(side, alias), !names(other, alias) {
                        return Condition(
                            column: column, comparison: sign == "=" ? .equal : .range, isCast: isCast)
                    }
                }
                return nil
            default: break
            }
        }
        return nil
    }

    /// A column by itself: `m.name`, or `(m.name)::text`.
    private static func column(_ tokens: Tokens, _ alias: String) -> (name: String, isCast: Bool)? {
        let isCast = tokens.suffix(2) == [.sign("::"), .name("text")]
        let tokens = bare(isCast ? tokens.dropLast(2) : tokens)
        guard tokens.count == 3, let first = tokens.first, first == .name(alias),
            tokens[tokens.startIndex + 1] == .sign("."), case .name(let column)? = tokens.last
        else { return nil }
        return (column, isCast)
    }

    /// Whether something speaks of the same table.
    private static func names(_ tokens: Tokens, _ alias: String) -> Bool {
        tokens.indices.dropLast().contains { tokens[$0] == .name(alias) && tokens[$0 + 1] == .sign(".") }
    }
}

/// The words of an expression as PostgreSQL prints it.
enum FilterLexer {
    enum Token: Equatable {
        /// A name without its quotes, or a word of SQL.
        case name(String)
        /// A text, a number or a parameter.
        case value
        case sign(String)
    }

    static func tokens(of text: String) -> [Token] {
        var tokens: [Token] = []
        let bytes = Array(text.utf8)
        var index = 0
        func word(_ byte: UInt8) -> Bool {
            byte >= 0x80 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$")
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        func quoted(_ quote: UInt8) -> String {
            var content: [UInt8] = []
            index += 1
            while index < bytes.count {
                if bytes[index] == quote {
                    guard index + 1 < bytes.count, bytes[index + 1] == quote else { break }
                    index += 1
                }
                content.append(bytes[index])
                index += 1
            }
            index += 1
            return String(decoding: content, as: UTF8.self)
        }
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: " "), 0x0A, 0x09: index += 1
            case UInt8(ascii: "\""): tokens.append(.name(quoted(byte)))
            case UInt8(ascii: "'"):
                _ = quoted(byte)
                tokens.append(.value)
            case _ where word(byte):
                let start = index
                while index < bytes.count, word(bytes[index]) { index += 1 }
                let text = String(decoding: bytes[start..<index], as: UTF8.self)
                let isValue =
                    byte == UInt8(ascii: "$") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                tokens.append(isValue ? .value : .name(text))
            case _ where "()[],.".utf8.contains(byte):
                tokens.append(.sign(String(Unicode.Scalar(byte))))
                index += 1
            default:
                let start = index
                while index < bytes.count, !word(bytes[index]), !"()[],. \"'".utf8.contains(bytes[index]) {
                    index += 1
                }
                if index == start { index += 1 }
                tokens.append(.sign(String(decoding: bytes[start..<index], as: UTF8.self)))
            }
        }
        return tokens
    }
}
