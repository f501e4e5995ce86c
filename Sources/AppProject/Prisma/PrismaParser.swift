/// Reads blocks from a schema file.
///
/// An entry that cannot be read becomes a problem and is passed over to the end of its line, so that the rest of the
/// file counts all the same.
struct PrismaParser {
    private let tokens: [PrismaToken]
    private var position = 0
    private(set) var blocks: [PrismaBlock] = []
    private(set) var problems: [PrismaProblem]

    /// Beyond this, nesting is nobody's schema.
    private static let deepest = 32
    private static let keywords: Set = ["model", "view", "type", "enum", "datasource", "generator"]

    private struct Unreadable: Error {
        let text: String
    }

    init(_ text: String) {
        self.init(Array(text.utf8))
    }

    init(_ bytes: [UInt8]) {
        let lexer = PrismaLexer(bytes)
        tokens = lexer.tokens
        problems = lexer.problems
        while position < tokens.count {
            if accept(.newline) { continue }
            let line = self.line
            do {
                blocks.append(try block())
            } catch {
                note(error, line)
                skipLine()
            }
        }
        problems.sort { $0.line < $1.line }
    }

    // MARK: Tokens

    private var kind: PrismaToken.Kind? { position < tokens.count ? tokens[position].kind : nil }
    private var line: Int { tokens[min(position, tokens.count - 1)].line }

    /// The bytes from a token to the one before the position.
    private func range(from first: Int) -> Range<Int> {
        first < position ? tokens[first].range.lowerBound..<tokens[position - 1].range.upperBound : 0..<0
    }

    private mutating func accept(_ kind: PrismaToken.Kind) -> Bool {
        guard self.kind == kind else { return false }
        position += 1
        return true
    }

    private mutating func acceptWord() -> String? {
        guard case .word(let word) = kind else { return nil }
        position += 1
        return word
    }

    private mutating func expect(_ symbol: Character) throws(Unreadable) {
        guard accept(.symbol(symbol)) else { throw Unreadable(text: "\(symbol) is missing") }
    }

    /// Names joined by dots: `db.Text`.
    private mutating func dottedName() throws(Unreadable) -> String {
        guard var name = acceptWord() else { throw Unreadable(text: "a name is missing") }
        while accept(.symbol(".")) {
            guard let part = acceptWord() else { throw Unreadable(text: "a name is missing after a dot") }
            name += "." + part
        }
        return name
    }

    private mutating func note(_ error: Unreadable, _ line: Int) {
        problems.append(PrismaProblem(line: line, text: "not understood and passed over: \(error.text)"))
    }

    private mutating func skipLine() {
        while let kind, kind != .newline { position += 1 }
    }

    // MARK: Blocks

    private mutating func block() throws(Unreadable) -> PrismaBlock {
        let start = line
        guard let keyword = acceptWord() else { throw Unreadable(text: "a block is expected here") }
        guard Self.keywords.contains(keyword) else { throw Unreadable(text: "\(keyword) begins no block") }
        guard let name = acceptWord() else { throw Unreadable(text: "the \(keyword) has no name") }
        while accept(.newline) {}
        try expect("{")
        var block = PrismaBlock(keyword: keyword, name: name, line: start)
        while true {
            if accept(.newline) { continue }
            if accept(.symbol("}")) {
                block.end = tokens[position - 1].range.lowerBound
                return block
            }
            if kind == nil || isBlockStart {
                problems.append(PrismaProblem(line: start, text: "\(keyword) \(name) is not closed"))
                return block
            }
            let line = self.line
            do {
                try entry(into: &block)
            } catch {
                note(error, line)
                skipLine()
            }
        }
    }

    /// Whether a block begins here, inside of one whose brace is missing.
    private var isBlockStart: Bool {
        guard position + 2 < tokens.count, case .word(let keyword) = tokens[position].kind,
            case .word = tokens[position + 1].kind
        else { return false }
        return tokens[position + 2].kind == .symbol("{") && Self.keywords.contains(keyword)
    }

    private mutating func entry(into block: inout PrismaBlock) throws(Unreadable) {
        if accept(.symbol("@")) {
            try expect("@")
            block.attributes.append(try attribute())
            return
        }
        let start = line
        guard let name = acceptWord() else { throw Unreadable(text: "a name is expected here") }
        var entry = PrismaEntry(name: name, line: start)
        if accept(.symbol("=")) {
            let first = position
            entry.value = try value(depth: 0)
            entry.range = range(from: first)
        } else if case .word = kind {
            let first = position
            entry.type = try type()
            entry.range = range(from: first)
        }
        while accept(.symbol("@")) { entry.attributes.append(try attribute()) }
        guard kind == nil || kind == .newline || kind == .symbol("}") else {
            throw Unreadable(text: "what follows \(name)")
        }
        block.entries.append(entry)
    }

    private mutating func type() throws(Unreadable) -> PrismaType {
        var type = PrismaType(name: try dottedName())
        if kind == .symbol("(") { _ = try arguments(depth: 0) }
        while true {
            if accept(.symbol("?")) {
                type.isOptional = true
            } else if accept(.symbol("[")) {
                try expect("]")
                type.isList = true
            } else if !accept(.symbol("!")) {
                return type
            }
        }
    }

    private mutating func attribute() throws(Unreadable) -> PrismaAttribute {
        let first = position
        var attribute = PrismaAttribute(name: try dottedName())
        if kind == .symbol("(") { attribute.arguments = try arguments(depth: 0) }
        attribute.range = range(from: first)
        return attribute
    }

    // MARK: Values

    private mutating func arguments(depth: Int) throws(Unreadable) -> [PrismaArgument] {
        try expect("(")
        var arguments: [PrismaArgument] = []
        while !accept(.symbol(")")) {
            var name: String?
            if case .word(let word) = kind, position + 1 < tokens.count,
                tokens[position + 1].kind == .symbol(":")
            {
                name = word
                position += 2
            }
            arguments.append(PrismaArgument(name: name, value: try value(depth: depth + 1)))
            if !accept(.symbol(",")), kind != .symbol(")") {
                throw Unreadable(text: "a parenthesis is not closed")
            }
        }
        return arguments
    }

    private mutating func value(depth: Int) throws(Unreadable) -> PrismaValue {
        guard depth < Self.deepest else { throw Unreadable(text: "nested too deeply") }
        if case .string(let text) = kind {
            position += 1
            return .string(text)
        }
        if accept(.symbol("[")) {
            var values: [PrismaValue] = []
            while !accept(.symbol("]")) {
                values.append(try value(depth: depth + 1))
                if !accept(.symbol(",")), kind != .symbol("]") {
                    throw Unreadable(text: "a bracket is not closed")
                }
            }
            return .list(values)
        }
        let name = try dottedName()
        return kind == .symbol("(") ? .call(name, try arguments(depth: depth)) : .word(name)
    }
}
