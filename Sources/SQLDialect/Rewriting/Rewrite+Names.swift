import Postgres

/// Names, hints and parameters, token by token: what the tree of the statement has no places for.
extension Rewrite {
    private static let beforeTable: Set<String> = ["FROM", "INTO", "JOIN", "UPDATE", "TABLE", "WITH"]
    /// Words that are never names here, whatever tables and columns are called.
    private static let keywords: Set<String> = [
        "ALL", "AND", "AS", "ASC", "BETWEEN", "BY", "CASE", "CAST", "COLLATE", "CONFLICT", "CROSS", "DEFAULT",
        "DELETE", "DESC", "DISTINCT", "DO", "ELSE", "END", "ESCAPE", "EXCEPT", "EXISTS", "FROM", "FULL",
        "GLOB", "GROUP", "HAVING", "IN", "INNER", "INSERT", "INTERSECT", "INTO", "IS", "ISNULL", "JOIN",
        "LEFT", "LIKE", "LIMIT", "NATURAL", "NOT", "NOTHING", "NOTNULL", "NULL", "OFFSET", "ON", "OR",
        "ORDER",
        "OUTER", "OVER", "PARTITION", "RECURSIVE", "REGEXP", "REPLACE", "RETURNING", "RIGHT", "SELECT", "SET",
        "THEN", "UNION", "UPDATE", "USING", "VALUES", "WHEN", "WHERE", "WINDOW", "WITH",
    ]

    /// Spells every name as the target does, and in quotes where PostgreSQL would read it otherwise.
    mutating func spellNames() {
        for (index, token) in tokens.enumerated()
        where !isTaken(token.range) && !resolved.contains(token.range.lowerBound) {
            switch token.kind {
            case .text:
                if index > 0, tokens[index - 1].isWord("AS") {
                    replace(token.range, quoteIdentifier(token.value))
                }
            case .word, .quotedName:
                if isOwnSchema(index) {
                    replace(token.range.lowerBound..<tokens[index + 2].range.lowerBound, "")
                } else if let target = target(of: index) {
                    spell(token, target)
                }
            default: continue
            }
        }
    }

    /// `main.` before a table, which is SQLite's name for the file itself.
    private func isOwnSchema(_ index: Int) -> Bool {
        tokens[index].value.lowercased() == "main" && index + 2 < tokens.count
            && tokens[index + 1].isSymbol(".")
            && aliases["main".foldedName] == nil && table(tokens[index + 2].value) != nil
    }

    /// What a token is called in the target; nil where it is no name, or none that is known.
    private func target(of index: Int) -> String? {
        let token = tokens[index]
        let before = index > 0 ? tokens[index - 1] : nil
        let after = index + 1 < tokens.count ? tokens[index + 1] : nil
        if token.kind == .word, Self.keywords.contains(token.source.uppercased()) { return nil }
        let folded = token.value.foldedName
        let isTablePlace =
            before.map { $0.kind == .word && Self.beforeTable.contains($0.source.uppercased()) } ?? false
        if token.kind == .word, after?.isSymbol("(") ?? false, !isTablePlace, before?.isWord("AS") != true,
            aliases[folded] == nil
        {
            return nil
        }
        if before?.isWord("AS") ?? false, let alias = aliases[folded] { return alias }
        if before?.isSymbol(".") ?? false, index >= 2 {
            return column(folded, of: tokens[index - 2]) ?? fallback(token)
        }
        if isTablePlace || after?.isSymbol(".") ?? false {
            if let alias = aliases[folded] { return alias }
            if let table = table(token.value) { return table.target }
            return fallback(token)
        }
        if let column = written?.relation.column(named: token.value) { return column.target }
        let columns = Set(mentioned.compactMap { $0.relation.column(named: token.value)?.target })
        if columns.count == 1 { return columns.first }
        if let alias = aliases[folded] { return alias }
        // Of a list `FROM a, b` the later ones.
        return table(token.value)?.target ?? fallback(token)
    }

    /// A name in backticks or brackets is a name, known or not.
    private func fallback(_ token: SQLToken) -> String? {
        token.kind == .quotedName ? token.value : nil
    }

    private func column(_ folded: [UInt8], of qualifier: SQLToken) -> String? {
        let name = String(decoding: folded, as: UTF8.self)
        let named = mentioned.filter { $0.relation.name.foldedName == qualifier.value.foldedName }
        let targets = Set(
            (named.isEmpty ? mentioned : named).compactMap { $0.relation.column(named: name)?.target })
        return targets.count == 1 ? targets.first : aliases[folded]
    }

    // MARK: Hints and parameters

    /// INDEXED BY and NOT INDEXED, which bind SQLite's planner and mean nothing else.
    mutating func dropHints() {
        for index in tokens.indices where tokens[index].isWord("INDEXED") && index > 0 {
            let isNot = tokens[index - 1].isWord("NOT")
            let isBy = index + 2 < tokens.count && tokens[index + 1].isWord("BY")
            guard isNot || isBy else { continue }
            let first = isNot ? index - 1 : index
            let start = first > 0 ? tokens[first - 1].range.upperBound : tokens[first].range.lowerBound
            replace(start..<tokens[isBy ? index + 2 : index].range.upperBound, "")
        }
    }

    mutating func numberParameters() {
        var number = 0
        let isMixed = !holes.isEmpty
        for token in tokens where token.kind == .parameter && !holes.contains(token.range.lowerBound) {
            guard token.source.hasPrefix("?") else {
                refuse(
                    "the parameter \(token.source) has a name, and PostgreSQL numbers its own", token.range)
                return
            }
            if isMixed {
                refuse("parameters of two kinds in one statement", token.range)
                return
            }
            if let given = Int(token.source.dropFirst()) {
                replace(token.range, "$\(given)")
            } else {
                number += 1
                replace(token.range, "$\(number)")
            }
        }
    }
}
