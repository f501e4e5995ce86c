/// Quoting, in one place: no other code puts a name or a text into SQL.

/// A name as a delimited identifier (https://www.postgresql.org/docs/current/sql-syntax-lexical.html).
public func quoteIdentifier(_ name: String) -> String {
    quoted(name, doubling: [UInt8(ascii: "\"")], by: UInt8(ascii: "\""))
}

/// Schema and name, both delimited.
public func quoteIdentifier(_ schema: String, _ name: String) -> String {
    quoteIdentifier(schema) + "." + quoteIdentifier(name)
}

/// A name as it stands in SQL that people read: in quotes only where PostgreSQL would read it otherwise without them.
public func quoteIdentifierWhereNeeded(_ name: String) -> String {
    let isPlain =
        name.utf8.first.map { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
        && name.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "_")
        }
    return isPlain && !reservedWords.contains(name) ? name : quoteIdentifier(name)
}

/// Words that are no name of a table or a column without quotes
/// (https://www.postgresql.org/docs/current/sql-keywords-appendix.html).
public let reservedWords: Set<String> = [
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "binary",
    "both", "case", "cast", "check", "collate", "collation", "column", "concurrently", "constraint", "create",
    "cross", "current_catalog", "current_date", "current_role", "current_schema", "current_time",
    "current_timestamp", "current_user", "default", "deferrable", "desc", "distinct", "do", "else", "end",
    "except", "false", "fetch", "for", "foreign", "freeze", "from", "full", "grant", "group", "having",
    "ilike", "in", "initially", "inner", "intersect", "into", "is", "isnull", "join", "lateral", "leading",
    "left", "like", "limit", "localtime", "localtimestamp", "natural", "not", "notnull", "null", "offset",
    "on", "only", "or", "order", "outer", "overlaps", "placing", "primary", "references", "returning",
    "right", "select", "session_user", "similar", "some", "symmetric", "system_user", "table", "tablesample",
    "then", "to", "trailing", "true", "union", "unique", "user", "using", "variadic", "verbose", "when",
    "where", "window", "with",
]

/// A text as a string constant; correct whatever `standard_conforming_strings` is.
public func quoteLiteral(_ text: String) -> String {
    let quote = UInt8(ascii: "'")
    let backslash = UInt8(ascii: "\\")
    guard text.utf8.contains(backslash) else { return quoted(text, doubling: [quote], by: quote) }
    return " E" + quoted(text, doubling: [quote, backslash], by: quote)
}

/// By bytes: to Swift a quote and a mark that joins it are one `Character`, to PostgreSQL the quote ends the text.
private func quoted(_ text: String, doubling doubled: [UInt8], by quote: UInt8) -> String {
    var bytes = [quote]
    for byte in text.utf8 {
        if doubled.contains(byte) { bytes.append(byte) }
        bytes.append(byte)
    }
    bytes.append(quote)
    return String(decoding: bytes, as: UTF8.self)
}
