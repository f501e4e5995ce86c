import SQLDialect

/// Something in an application's code that SQLite takes and PostgreSQL does not, or takes otherwise.
///
/// A class, since the index hands them around at every token.
public final class CodeRule: Sendable {
    public enum Severity: String, Sendable, Codable, CaseIterable, Comparable {
        /// It fails.
        case breaks
        /// It goes on, with another result.
        case silent
        /// It gets slow, or runs out of connections.
        case performance
        case info

        public static func < (one: Severity, other: Severity) -> Bool {
            (allCases.firstIndex(of: one) ?? 0) < (allCases.firstIndex(of: other) ?? 0)
        }
    }

    /// What is looked for; SQL is cut by SQLite's own rules, and words are compared without regard to case.
    enum Pattern: Sendable {
        /// Words in a row, each one of several: `["insert"], ["or"], ["replace"]`.
        case words([[String]])
        /// A function's call with at least so many arguments.
        case call([String], arguments: Int)
        /// A name, also in quotes, that is no text.
        case name([String])
        /// A place in a statement that a closure judges: the tokens, and the index of one.
        case sql(@Sendable (SQLContext, Int) -> Bool)
        /// A package that is imported, required, or named in a manifest's or a setting's text.
        case package([String])
        /// Words and signs of code in a row: `["$transaction", "("]`.
        case code([String])
        /// A text that holds a part, outside of SQL.
        case text([String])
        /// A place in code that a closure judges: where one of these words stands.
        case place([String], @Sendable (CodeContext, Int) -> Bool)
        /// A string in code, outside of SQL, that a closure judges.
        case string(@Sendable (CodeContext, Int) -> Bool)
    }

    public let id: String
    public let severity: Severity
    /// What was found, in a few words.
    public let title: String
    /// What PostgreSQL takes in its stead.
    public let equal: String
    public let why: String
    /// Where it is written.
    public let link: String
    /// nil for every language.
    let languages: Set<String>?
    let patterns: [Pattern]

    init(
        _ id: String, _ severity: Severity, _ title: String, _ equal: String, why: String, link: String,
        languages: Set<String>? = nil, _ patterns: [Pattern]
    ) {
        self.id = id
        self.severity = severity
        self.title = title
        self.equal = equal
        self.why = why
        self.link = link
        self.languages = languages
        self.patterns = patterns
    }
}

/// A statement that was found in code, for rules to look at.
final class SQLContext: Sendable {
    let tokens: [SQLToken]
    /// Places of expressions of the code around; a token that begins at one is no part of the SQL.
    let holes: Set<Int>
    /// What the database has, so that a text in double quotes is told from a name; nil where it is not known.
    let schema: SchemaNames?
    /// The tokens that are words, in small letters; empty for the others.
    private let words: [String]

    init(tokens: [SQLToken], holes: Set<Int>, schema: SchemaNames?) {
        self.tokens = tokens
        self.holes = holes
        self.schema = schema
        words = tokens.map { $0.kind == .word ? $0.source.lowercased() : "" }
    }

    func isHole(_ index: Int) -> Bool { holes.contains(tokens[index].range.lowerBound) }

    func word(_ index: Int) -> String {
        words.indices.contains(index) ? words[index] : ""
    }

    func isSymbol(_ index: Int, _ symbols: String...) -> Bool {
        tokens.indices.contains(index) && tokens[index].kind == .symbol
            && symbols.contains(tokens[index].source)
    }

    /// How many arguments a call has whose name is at `index`; nil where it is none.
    func arguments(_ index: Int) -> Int? {
        guard isSymbol(index + 1, "(") else { return nil }
        if isSymbol(index + 2, ")") { return 0 }
        var (depth, count) = (0, 1)
        for position in (index + 1)..<tokens.count {
            if isSymbol(position, "(") { depth += 1 }
            if isSymbol(position, ")") {
                depth -= 1
                if depth == 0 { return count }
            }
            if isSymbol(position, ","), depth == 1 { count += 1 }
        }
        return count
    }
}

/// A file of code, for rules to look at.
final class CodeContext: Sendable {
    let bytes: [UInt8]
    let tokens: [CodeToken]

    init(bytes: [UInt8], tokens: [CodeToken]) {
        self.bytes = bytes
        self.tokens = tokens
    }

    func text(_ index: Int) -> String {
        guard tokens.indices.contains(index) else { return "" }
        return String(decoding: bytes[tokens[index].range], as: UTF8.self)
    }

    func isWord(_ index: Int, _ word: StaticString) -> Bool {
        guard tokens.indices.contains(index), tokens[index].kind == .word else { return false }
        return bytes[tokens[index].range].elementsEqual(
            UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }

    func isSymbol(_ index: Int, _ symbol: Unicode.Scalar) -> Bool {
        tokens.indices.contains(index) && tokens[index].kind == .symbol
            && bytes[tokens[index].range.lowerBound] == UInt8(symbol.value & 0x7F)
    }

    /// The index of what closes the bracket at `index`; nil where nothing does.
    func closing(_ index: Int) -> Int? {
        var depth = 0
        for position in index..<tokens.count where tokens[position].kind == .symbol {
            switch bytes[tokens[position].range.lowerBound] {
            case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth -= 1
                if depth == 0 { return position }
            default: break
            }
        }
        return nil
    }

    /// The index of what opens the bracket that closes at `index`.
    func opening(_ index: Int) -> Int? {
        var depth = 0
        for position in stride(from: index, through: 0, by: -1) where tokens[position].kind == .symbol {
            switch bytes[tokens[position].range.lowerBound] {
            case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"): depth += 1
            case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"):
                depth -= 1
                if depth == 0 { return position }
            default: break
            }
        }
        return nil
    }

    /// Whether a word is among the tokens of a range.
    func has(_ word: StaticString, in range: Range<Int>) -> Bool { range.contains { isWord($0, word) } }
}
