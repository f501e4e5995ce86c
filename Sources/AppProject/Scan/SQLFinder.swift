import SQLDialect

/// A statement of SQL in source code.
public struct CodeSQL: Sendable {
    /// As SQLite would read it; an expression of the code around is a `?`.
    public let sql: String
    /// Where each byte of `sql` comes from.
    let text: StringText
    /// What it is given to: `$queryRaw`, `prepare`; empty where nothing tells.
    public let callee: String
    /// Whether it is a statement, and not a part of one.
    public let isWhole: Bool
    /// The bytes of `sql` that stand for expressions.
    let holes: Set<Int>
    let start: Int
}

/// Finds SQL in the strings of a file: by what it is given to, and by what it says.
struct SQLFinder {
    let code: CodeContext

    /// Functions, methods and tags whose text is SQL.
    private static let callees: Set = [
        "$queryRaw", "$executeRaw", "$queryRawUnsafe", "$executeRawUnsafe", "$queryRawTyped", "sql", "SQL",
        "raw", "query",
        "exec", "execute", "executemany", "executescript", "prepare", "run", "all", "get", "each", "iterate",
        "rawQuery",
        "find_by_sql", "select_all", "execute_query", "exec_query", "Query", "QueryRow", "Exec",
        "QueryContext",
        "QueryRowContext", "ExecContext", "Prepare", "Raw", "prepareStatement", "executeQuery",
        "executeUpdate",
        "createNativeQuery", "queryForObject", "createQuery", "text", "unsafe", "Unsafe", "queryRawUnsafe",
    ]
    /// Tags whose templates may be parts of statements.
    private static let tags: Set = ["sql", "SQL", "$queryRaw", "$executeRaw"]

    /// The statements, in order; `taken` are the tokens that belong to them.
    func statements() -> (found: [CodeSQL], taken: Set<Int>) {
        var found: [CodeSQL] = []
        var taken: Set<Int> = []
        for index in code.tokens.indices where code.tokens[index].kind == .string && !taken.contains(index) {
            let verb = Self.verb(code.bytes[code.tokens[index].inside])
            let isTemplate = code.bytes[code.tokens[index].range.lowerBound] == UInt8(ascii: "`")
            guard verb != nil || isTemplate else { continue }
            let callee = callee(index)
            guard let verb else {
                if Self.tags.contains(callee), let part = part(index, callee) {
                    found.append(part)
                    taken.insert(index)
                }
                continue
            }
            var text = StringText(code.tokens[index], in: code.bytes)
            var parts: Set = [index]
            let isOpen = join(from: index, &text, &parts)
            let statement = make(text, callee, isWhole: !isOpen && !isAddedTo(index))
            guard Self.callees.contains(callee) || Self.isConvincing(verb, statement) else { continue }
            found.append(statement)
            taken.formUnion(parts)
        }
        return (found, taken)
    }

    private func make(_ text: StringText, _ callee: String, isWhole: Bool) -> CodeSQL {
        var bytes = text.bytes
        var holes: Set<Int> = []
        for index in bytes.indices where bytes[index] == StringText.hole {
            bytes[index] = UInt8(ascii: "?")
            holes.insert(index)
        }
        return CodeSQL(
            sql: String(decoding: bytes, as: UTF8.self), text: text, callee: callee, isWhole: isWhole,
            holes: holes,
            start: text.offsets.first ?? 0)
    }

    /// A tagged template that begins in the midst of a statement.
    private func part(_ index: Int, _ callee: String) -> CodeSQL? {
        let text = StringText(code.tokens[index], in: code.bytes)
        guard text.bytes.contains(where: { !" \n\t\r".utf8.contains($0) }) else { return nil }
        return make(text, callee, isWhole: false)
    }

    /// What a string is given to, or tagged by.
    private func callee(_ index: Int) -> String {
        var place = index - 1
        // `$queryRaw<Row[]>`…``
        if code.isSymbol(place, ">") {
            var depth = 0
            while place >= 0, index - place < 60 {
                if code.isSymbol(place, ">") { depth += 1 }
                if code.isSymbol(place, "<") { depth -= 1 }
                place -= 1
                if depth == 0 { break }
            }
            return code.tokens.indices.contains(place) && code.tokens[place].kind == .word
                ? code.text(place) : ""
        }
        if code.isSymbol(place, "(") {
            place -= 1
            if code.isSymbol(place, ">") {
                while place >= 0, !code.isSymbol(place, "<"), index - place < 60 { place -= 1 }
                place -= 1
            }
        } else if !(code.tokens.indices.contains(place) && code.tokens[place].kind == .word) {
            return ""
        }
        return code.tokens.indices.contains(place) && code.tokens[place].kind == .word ? code.text(place) : ""
    }

    /// Adds strings that are joined to the first: by `+`, `.`, `~`, or nothing; an expression between two is a hole.
    /// Returns whether it goes on with something that is not understood.
    private func join(from index: Int, _ text: inout StringText, _ parts: inout Set<Int>) -> Bool {
        let depth = code.tokens[index].depth
        var place = next(index, depth)
        while let sign = place, code.tokens.indices.contains(sign) {
            var operand = sign
            if code.tokens[sign].kind == .symbol {
                guard code.isSymbol(sign, "+") || code.isSymbol(sign, ".") else { return false }
                guard let after = next(sign, depth), code.tokens.indices.contains(after) else { return true }
                operand = after
            } else if code.tokens[sign].kind != .string {
                return false
            }
            switch code.tokens[operand].kind {
            case .string:
                text.append(code.tokens[operand], in: code.bytes)
                parts.insert(operand)
                place = next(operand, depth)
            case .word, .number:
                // A name, and what is called on it, up to the next sign.
                var last = operand
                while let after = next(last, depth), code.tokens.indices.contains(after),
                    code.isSymbol(after, ".") || code.isSymbol(after, "("), !code.isSymbol(operand, "+")
                {
                    if code.isSymbol(after, "(") {
                        guard let close = code.closing(after) else { return true }
                        last = close
                    } else {
                        guard let name = next(after, depth), code.tokens.indices.contains(name),
                            code.tokens[name].kind == .word
                        else { return true }
                        last = name
                    }
                }
                text.append(code.tokens[operand], in: code.bytes)
                place = next(last, depth)
            // `"…".join(x)`, `"…" + (a ? b : c)`: a call on the string, or what only runs can tell.
            default: return true
            }
        }
        return false
    }

    /// Whether the variable that a string goes into is added to somewhere: `sql = "…"; sql += " AND …"`.
    private func isAddedTo(_ index: Int) -> Bool {
        guard code.isSymbol(index - 1, "="), code.tokens.indices.contains(index - 2),
            code.tokens[index - 2].kind == .word
        else { return false }
        let name = code.text(index - 2)
        return code.tokens.indices.contains { place in
            guard place != index - 2, code.tokens[place].kind == .word, code.text(place) == name else {
                return false
            }
            let next = place + 1
            if code.isSymbol(next, "+") { return true }
            // `.=` in PHP, `<<` in Ruby, `sql = sql + …` is found by its plus.
            return code.isSymbol(next, ".") && code.isSymbol(next + 1, "=")
                || code.isSymbol(next, "<") && code.isSymbol(next + 1, "<")
        }
    }

    /// The next token that stands as deep; what is in a string's expressions is passed over.
    private func next(_ index: Int, _ depth: Int) -> Int? {
        var place = index + 1
        while code.tokens.indices.contains(place), code.tokens[place].depth > depth { place += 1 }
        return code.tokens.indices.contains(place) && code.tokens[place].depth == depth ? place : nil
    }

    // MARK: What looks like SQL

    private static let verbs: Set = [
        "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "CREATE", "ALTER", "DROP", "PRAGMA",
        "VACUUM", "ATTACH",
        "DETACH", "BEGIN", "EXPLAIN", "REINDEX", "ANALYZE",
    ]

    /// The verb that a text begins with, in capitals; nil where it begins with none.
    static func verb(_ inside: ArraySlice<UInt8>) -> String? {
        var rest = inside
        while let first = rest.first {
            if first == UInt8(ascii: " ") || first == UInt8(ascii: "\n") || first == UInt8(ascii: "\t")
                || first == UInt8(ascii: "\r") || first == UInt8(ascii: "(")
            {
                rest = rest.dropFirst()
            } else if first == UInt8(ascii: "-"), rest.dropFirst().first == UInt8(ascii: "-") {
                rest = afterLine(rest)
            } else if first == UInt8(ascii: "/"), rest.dropFirst().first == UInt8(ascii: "*") {
                rest = rest.dropFirst(2)
                while !rest.isEmpty, !rest.starts(with: Array("*/".utf8)) { rest = rest.dropFirst() }
                rest = rest.dropFirst(2)
            } else {
                break
            }
        }
        let word = rest.prefix { $0 | 0x20 >= UInt8(ascii: "a") && $0 | 0x20 <= UInt8(ascii: "z") }
        guard (4...8).contains(word.count) else { return nil }
        let text = String(decoding: word, as: UTF8.self).uppercased()
        return verbs.contains(text) ? text : nil
    }

    /// What follows a line's end, which in source code may be an escape.
    private static func afterLine(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var rest = text
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\n") { return rest }
            if byte == UInt8(ascii: "\\"), rest.first == UInt8(ascii: "n") { return rest.dropFirst() }
        }
        return rest
    }

    /// What must stand in a text that begins with a verb, so that it is a statement and no sentence.
    private static let marks: [String: [String]] = [
        "SELECT": [" FROM ", "*", "("], "INSERT": ["INTO "], "UPDATE": [" SET "], "DELETE": ["FROM "],
        "REPLACE": ["INTO "],
        "WITH": [" AS ("], "CREATE": ["TABLE ", "INDEX ", "VIEW ", "TRIGGER "], "ALTER": ["TABLE "],
        "DROP": ["TABLE ", "INDEX ", "VIEW ", "TRIGGER "], "PRAGMA": [], "VACUUM": [],
        "ATTACH": ["DATABASE", "'"],
        "DETACH": ["DATABASE"], "BEGIN": ["IMMEDIATE", "EXCLUSIVE", "TRANSACTION"],
        "EXPLAIN": ["SELECT", "QUERY PLAN"],
        "REINDEX": [], "ANALYZE": [],
    ]

    /// Sentences begin with verbs too: `Select a file from the list`, `Update your profile`.
    private static func isConvincing(_ verb: String, _ statement: CodeSQL) -> Bool {
        let text = statement.sql
        let upper = " " + text.uppercased().split(whereSeparator: \.isWhitespace).joined(separator: " ") + " "
        let marks = marks[verb] ?? []
        if marks.isEmpty {
            return text.hasPrefix(verb) && text.split(whereSeparator: \.isWhitespace).count <= 4
        }
        guard marks.contains(where: upper.contains) else { return false }
        if text.contains(verb) { return true }
        // A question ends with the sign that also stands for a parameter.
        if text.hasSuffix("?"), text.dropLast().last?.isLetter ?? false { return false }
        // In small letters a sign of SQL's must be there too.
        return text.contains { "*=?(;".contains($0) } && !text.hasSuffix(".") && !text.hasSuffix("!")
    }
}
