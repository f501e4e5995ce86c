import SQLDialect

/// A CREATE TABLE statement that takes every row that its original can hold, and lays them down in the same way.
///
/// A file may hold rows that its own schema refuses: NULLs under a NOT NULL that came later, texts under a type that was changed. The
/// rows are put in under this statement, and then the original takes its place. Columns keep their types where SQLite works with
/// them: the key that is the rowid, STRICT tables, and tables with columns that are computed.
enum LoosenedDDL {
    private static let ends = [
        "CONSTRAINT", "PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE", "REFERENCES",
        "GENERATED", "AS",
    ]

    static func text(of table: Catalog.Table) -> String {
        let tokens = SQLLexer.tokens(of: table.sql)
        let keepsTypes = table.isStrict || table.columns.contains { $0.generation != nil }
        var cuts: [Range<Int>] = []
        var depth = 0
        var isColumn = true
        var index = 0
        while index < tokens.count {
            let token = tokens[index]
            index += 1
            if token.isSymbol(")") { depth -= 1 }
            let begins = depth == 0 && token.isSymbol("(") || depth == 1 && token.isSymbol(",")
            if token.isSymbol("(") { depth += 1 }
            if depth == 1, isColumn, token.isWord("NOT"), index < tokens.count, tokens[index].isWord("NULL") {
                cuts.append(token.range)
            }
            guard begins, index < tokens.count else { continue }
            isColumn = !["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"].contains(
                where: tokens[index].isWord)
            guard isColumn, !keepsTypes, tokens[index].value != table.rowidAlias else { continue }
            let start = index + 1
            var end = start
            var inner = 0
            while end < tokens.count {
                let next = tokens[end]
                if inner == 0, next.isSymbol(",") || next.isSymbol(")") || ends.contains(where: next.isWord) {
                    break
                }
                if next.isSymbol("(") { inner += 1 }
                if next.isSymbol(")") { inner -= 1 }
                end += 1
            }
            if end > start { cuts.append(tokens[start].range.lowerBound..<tokens[end - 1].range.upperBound) }
            index = end
        }
        var bytes = Array(table.sql.utf8)
        for cut in cuts.sorted(by: { $0.lowerBound > $1.lowerBound }) {
            bytes.replaceSubrange(cut, with: [0x20])
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
