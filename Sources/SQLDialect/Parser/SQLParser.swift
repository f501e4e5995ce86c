/// Reads SQLite's SQL into a tree, by recursive descent (https://sqlite.org/lang.html).
///
/// Each reading takes the whole text, but for a semicolon at its end, or throws a `SyntaxError`; no text makes it recurse
/// without bound.
public struct SQLParser {
    let tokens: [SQLToken]
    let bytes: [UInt8]
    var position = 0
    private var depth = 0

    /// Nesting beyond it is refused; SQLite's own limit is 1,000 (https://sqlite.org/limits.html).
    static let deepest = 100
    /// Terms of one chain such as `a AND b AND …`, each of which is a level of the tree.
    static let longestChain = 500

    init(_ sql: String) {
        tokens = SQLLexer.tokens(of: sql)
        bytes = Array(sql.utf8)
    }

    public static func expression(_ sql: String) throws(SyntaxError) -> Expression {
        var parser = SQLParser(sql)
        let expression = try parser.expression()
        try parser.end()
        return expression
    }

    public static func select(_ sql: String) throws(SyntaxError) -> Select {
        var parser = SQLParser(sql)
        let select = try parser.select()
        try parser.end()
        return select
    }

    public static func statement(_ sql: String) throws(SyntaxError) -> Statement {
        var parser = SQLParser(sql)
        let statement = try parser.statement()
        try parser.end()
        return statement
    }

    /// CREATE VIEW.
    public static func view(_ sql: String) throws(SyntaxError) -> CreateView {
        var parser = SQLParser(sql)
        let view = try parser.createView()
        try parser.end()
        return view
    }

    /// CREATE TRIGGER.
    public static func trigger(_ sql: String) throws(SyntaxError) -> CreateTrigger {
        var parser = SQLParser(sql)
        let trigger = try parser.createTrigger()
        try parser.end()
        return trigger
    }

    /// CREATE INDEX.
    public static func index(_ sql: String) throws(SyntaxError) -> CreateIndex {
        var parser = SQLParser(sql)
        let index = try parser.createIndex()
        try parser.end()
        return index
    }

    // MARK: Tokens

    var current: SQLToken? { position < tokens.count ? tokens[position] : nil }

    func token(ahead offset: Int) -> SQLToken? {
        position + offset < tokens.count ? tokens[position + offset] : nil
    }

    func at(_ keyword: String) -> Bool { current?.isWord(keyword) ?? false }

    func at(_ first: String, _ second: String) -> Bool {
        at(first) && (token(ahead: 1)?.isWord(second) ?? false)
    }

    func at(symbol: String) -> Bool { current?.isSymbol(symbol) ?? false }

    mutating func take(_ keywords: String...) -> Bool {
        for (offset, keyword) in keywords.enumerated() {
            guard token(ahead: offset)?.isWord(keyword) ?? false else { return false }
        }
        position += keywords.count
        return true
    }

    mutating func take(symbol: String) -> Bool {
        guard at(symbol: symbol) else { return false }
        position += 1
        return true
    }

    mutating func expect(_ keywords: String...) throws(SyntaxError) {
        for keyword in keywords where !take(keyword) { throw unexpected("\(keyword) is wanted") }
    }

    mutating func expect(symbol: String) throws(SyntaxError) {
        if !take(symbol: symbol) { throw unexpected("\(symbol) is wanted") }
    }

    mutating func end() throws(SyntaxError) {
        while take(symbol: ";") {}
        if current != nil { throw unexpected("nothing is wanted") }
    }

    func unexpected(_ why: String) -> SyntaxError {
        guard let token = current else {
            return SyntaxError(message: "\(why) at the end", range: bytes.count..<bytes.count)
        }
        return SyntaxError(message: "\(why) at \(token.source)", range: token.range)
    }

    /// Where the next token begins.
    var start: Int { current?.range.lowerBound ?? bytes.count }

    /// From a place to the end of the last token that was taken.
    func range(from start: Int) -> Range<Int> {
        let end = position > 0 ? tokens[position - 1].range.upperBound : 0
        return start..<max(start, end)
    }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// Goes one level deeper for `body`.
    mutating func nested<T>(
        _ body: (inout SQLParser) throws(SyntaxError) -> T
    ) throws(SyntaxError) -> T {
        depth += 1
        defer { depth -= 1 }
        if depth > Self.deepest { throw unexpected("less nesting is wanted") }
        return try body(&self)
    }

    /// One or more, with commas between.
    mutating func list<T>(
        _ item: (inout SQLParser) throws(SyntaxError) -> T
    ) throws(SyntaxError) -> [T] {
        var items = [try item(&self)]
        while take(symbol: ",") { items.append(try item(&self)) }
        return items
    }

    /// A list in parentheses, which may be empty.
    mutating func parenthesised<T>(
        _ item: (inout SQLParser) throws(SyntaxError) -> T
    ) throws(SyntaxError) -> [T] {
        try expect(symbol: "(")
        if take(symbol: ")") { return [] }
        let items = try list(item)
        try expect(symbol: ")")
        return items
    }

    // MARK: Names

    /// Keywords that are no names without quotes (https://sqlite.org/lang_keywords.html, less those of the fallback).
    private static let reserved: Set<String> = [
        "ADD", "ALL", "ALTER", "AND", "AS", "AUTOINCREMENT", "BETWEEN", "CASE", "CHECK", "COLLATE", "COMMIT",
        "CONSTRAINT", "CREATE", "DEFAULT", "DEFERRABLE", "DELETE", "DISTINCT", "DROP", "ELSE", "ESCAPE",
        "EXCEPT", "EXISTS", "FOREIGN", "FROM", "GROUP", "HAVING", "IN", "INDEX", "INSERT", "INTERSECT",
        "INTO", "IS", "ISNULL", "JOIN", "LIMIT", "NOT", "NOTHING", "NOTNULL", "NULL", "ON", "OR", "ORDER",
        "PRIMARY", "REFERENCES", "RETURNING", "SELECT", "SET", "TABLE", "THEN", "TO", "TRANSACTION", "UNION",
        "UNIQUE", "UPDATE", "USING", "VALUES", "WHEN", "WHERE",
    ]
    /// Words that may be names, but not an alias without AS: they begin the next clause.
    private static let clauseWords: Set<String> = [
        "CROSS", "FULL", "INNER", "LEFT", "NATURAL", "OUTER", "RIGHT", "WINDOW", "INDEXED", "FILTER", "OVER",
        "OFFSET", "END", "BEGIN", "DO",
    ]

    func isName(_ token: SQLToken?) -> Bool {
        guard let token else { return false }
        switch token.kind {
        case .quotedName: return true
        case .word: return !Self.reserved.contains(token.source.uppercased())
        default: return false
        }
    }

    mutating func name() throws(SyntaxError) -> Expression.Name {
        guard let token = current else { throw unexpected("a name is wanted") }
        // SQLite takes a text for a name wherever only a name can stand.
        guard isName(token) || token.kind == .text else { throw unexpected("a name is wanted") }
        position += 1
        return .init(token.value, isDoubleQuoted: token.source.utf8.first == UInt8(ascii: "\""))
    }

    /// `name` or `schema.name`.
    mutating func qualifiedName() throws(SyntaxError) -> [Expression.Name] {
        var names = [try name()]
        while names.count < 2, take(symbol: ".") { names.append(try name()) }
        return names
    }

    /// `[AS] alias`, or none.
    mutating func alias() throws(SyntaxError) -> String? {
        if take("AS") { return try name().text }
        guard let token = current else { return nil }
        switch token.kind {
        case .quotedName, .text: break
        case .word:
            guard isName(token), !Self.clauseWords.contains(token.source.uppercased()) else { return nil }
        default: return nil
        }
        position += 1
        return token.value
    }
}
