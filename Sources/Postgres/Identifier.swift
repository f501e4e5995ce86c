/// Quoting, in one place: no other code puts a name or a text into SQL.

/// A name as a delimited identifier (https://www.postgresql.org/docs/current/sql-syntax-lexical.html).
public func quoteIdentifier(_ name: String) -> String {
    "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
}

/// Schema and name, both delimited.
public func quoteIdentifier(_ schema: String, _ name: String) -> String {
    quoteIdentifier(schema) + "." + quoteIdentifier(name)
}

/// A text as a string constant; correct whatever `standard_conforming_strings` is.
public func quoteLiteral(_ text: String) -> String {
    let doubled = text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
    guard doubled.contains("\\") else { return "'" + doubled + "'" }
    return " E'" + doubled.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\")
        + "'"
}
