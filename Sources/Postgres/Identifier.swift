/// Quoting, in one place: no other code puts a name or a text into SQL.

/// A name as a delimited identifier (https://www.postgresql.org/docs/current/sql-syntax-lexical.html).
public func quoteIdentifier(_ name: String) -> String {
    quoted(name, doubling: [UInt8(ascii: "\"")], by: UInt8(ascii: "\""))
}

/// Schema and name, both delimited.
public func quoteIdentifier(_ schema: String, _ name: String) -> String {
    quoteIdentifier(schema) + "." + quoteIdentifier(name)
}

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
