import SQLDialect

/// The rules by what they begin with, so that few are tried at each place.
struct RuleIndex: Sendable {
    static let shared = RuleIndex(CodeScan.rules)

    private typealias Judge = @Sendable (CodeContext, Int) -> Bool

    private typealias SQLJudge = @Sendable (SQLContext, Int) -> Bool

    /// Rules that begin with a word, by it; the others are tried everywhere.
    private var sqlWords: [String: [(rule: CodeRule, matches: SQLJudge)]] = [:]
    private var sqlNames: [String: CodeRule] = [:]
    private var sql: [(rule: CodeRule, matches: SQLJudge)] = []
    private var words: [String: [(rule: CodeRule, matches: Judge)]] = [:]
    private var strings: [(rule: CodeRule, matches: Judge)] = []
    private var texts: [(rule: CodeRule, parts: [[UInt8]])] = []
    private var packages: [String: CodeRule] = [:]
    private let wordLengths: ClosedRange<Int>

    init(_ rules: [CodeRule]) {
        for rule in rules {
            for pattern in rule.patterns {
                switch pattern {
                case .words(let row):
                    for word in row[0] {
                        sqlWords[word, default: []].append((rule, { Self.matches(row, $0, $1) }))
                    }
                case .call(let names, let least):
                    for name in names {
                        sqlWords[name, default: []].append(
                            (rule, { $0.arguments($1).map { $0 >= least } ?? false }))
                    }
                case .name(let names): for name in names { sqlNames[name] = rule }
                case .sql(let judge): sql.append((rule, judge))
                case .package(let names): for name in names { packages[name] = rule }
                case .code(let row):
                    words[row[0], default: []].append(
                        (rule, { code, index in row.indices.allSatisfy { code.text(index + $0) == row[$0] } })
                    )
                case .place(let anchors, let judge):
                    for anchor in anchors { words[anchor, default: []].append((rule, judge)) }
                case .string(let judge): strings.append((rule, judge))
                case .text(let parts):
                    texts.append((rule, parts.map { Array($0.utf8) }))
                    for part in parts where part.wholeMatch(of: /[A-Z][A-Z0-9_]+/) != nil {
                        words[part, default: []].append((rule, { _, _ in true }))
                    }
                }
            }
        }
        let lengths = words.keys.map(\.utf8.count)
        wordLengths = (lengths.min() ?? 1)...(lengths.max() ?? 1)
    }

    private static func matches(_ row: [[String]], _ sql: SQLContext, _ index: Int) -> Bool {
        row.indices.allSatisfy { row[$0].contains(sql.word(index + $0)) }
    }

    // MARK: SQL

    /// The rules that speak of a statement, each with the first token that it speaks of.
    func matches(
        _ context: SQLContext, _ language: Language, callee: String
    ) -> [(rule: CodeRule, index: Int)] {
        var found: [(rule: CodeRule, index: Int)] = []
        func take(_ rule: CodeRule, _ index: Int, _ matches: SQLJudge) {
            guard rule.languages?.contains(language.name) ?? true,
                !found.contains(where: { $0.rule === rule })
            else { return }
            if matches(context, index) { found.append((rule, index)) }
        }
        for (index, token) in context.tokens.enumerated() {
            if token.kind == .word || token.kind == .quotedName {
                let name = token.kind == .word ? context.word(index) : token.value.lowercased()
                if let rule = sqlNames[name] { take(rule, index) { _, _ in true } }
                if token.kind == .word {
                    for (rule, matches) in sqlWords[name] ?? [] { take(rule, index, matches) }
                }
            }
        }
        // Rule by rule, and not token by token: each is held once a statement.
        for (rule, matches) in sql
        where rule.languages?.contains(language.name) ?? true
            && !(rule.id == "question-parameter" && (callee == "raw" || callee == "Raw"))
            && !found.contains(where: { $0.rule === rule })
        {
            // Query builders number the parameters of their raw SQL themselves.
            if let index = context.tokens.indices.first(where: { matches(context, $0) }) {
                found.append((rule, index))
            }
        }
        return found
    }

    // MARK: Code

    /// Tries the rules about code at every token but those of SQL.
    func judge(
        _ code: CodeContext, _ language: Language, _ taken: Set<Int>, found: (CodeRule, _ offset: Int) -> Void
    ) {
        for index in code.tokens.indices {
            let token = code.tokens[index]
            switch token.kind {
            case .word:
                guard
                    wordLengths.contains(token.range.count) || packages.count > 0 && language.name == "Python"
                else { continue }
                let text = code.text(index)
                for (rule, matches) in words[text] ?? []
                where rule.languages?.contains(language.name) ?? true && matches(code, index) {
                    found(rule, token.range.lowerBound)
                }
                // `import sqlite3`
                if language.name == "Python", let rule = packages[text],
                    code.isWord(index - 1, "import") || code.isWord(index - 1, "from")
                {
                    found(rule, token.range.lowerBound)
                }
            case .string where !taken.contains(index):
                if let rule = package(code, index, language) { found(rule, token.range.lowerBound) }
                judge(text: code.bytes[token.inside], language) { found($0, token.range.lowerBound) }
                for (rule, matches) in strings
                where rule.languages?.contains(language.name) ?? true && matches(code, index) {
                    found(rule, token.range.lowerBound)
                }
            default: break
            }
        }
    }

    /// Tries the rules about what texts hold.
    private func judge(text: ArraySlice<UInt8>, _ language: Language, found: (CodeRule) -> Void) {
        guard (5..<4000).contains(text.count) else { return }
        for (rule, parts) in texts where rule.languages?.contains(language.name) ?? true {
            if parts.contains(where: { Self.holds(text, $0) }) { found(rule) }
        }
    }

    private static func holds(_ text: ArraySlice<UInt8>, _ part: [UInt8]) -> Bool {
        guard let first = part.first, text.count >= part.count else { return false }
        return text.withUnsafeBufferPointer { text in
            for start in 0...(text.count - part.count) where text[start] == first {
                if part.indices.allSatisfy({ text[start + $0] == part[$0] }) { return true }
            }
            return false
        }
    }

    /// The rule about a package that is named where packages, drivers and dialects are.
    private func package(_ code: CodeContext, _ index: Int, _ language: Language) -> CodeRule? {
        let inside = code.tokens[index].inside
        guard (5...60).contains(inside.count) else { return nil }
        guard let rule = packages[String(decoding: code.bytes[inside], as: UTF8.self)] else { return nil }
        if language.name == Language.go.name { return rule }
        let before = code.isSymbol(index - 1, "(") || code.isSymbol(index - 1, ":") ? index - 2 : index - 1
        let places: Set = [
            "from", "import", "require", "gem", "client", "dialect", "type", "driver", "adapter", "forName",
        ]
        return places.contains(code.text(before)) ? rule : nil
    }
}
