import CLibPQ

/// A failure of a PostgreSQL connection or statement.
///
/// Holds the server's words and the SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html),
/// never a password; `statement` is the start of what was run.
public struct PostgresError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Code: String, Sendable {
        /// The connection string cannot be read.
        case connectionString
        /// No connection could be made.
        case connect
        /// The server asks for a password and none was given.
        case passwordNeeded
        /// The connection was lost; what a running COMMIT did is not known.
        case connectionLost
        /// The server refused a statement; `sqlState` says why.
        case server
        /// `Canceller.cancel()` was called.
        case cancelled
        /// libpq was used out of order, or ran out of memory.
        case client
    }

    public let code: Code
    public let sqlState: String?
    public let message: String
    public let detail: String?
    public let hint: String?
    public let statement: String?
    /// Where in the statement the server stopped, in characters from 1.
    public let position: Int?

    public init(
        _ code: Code, _ message: String, sqlState: String? = nil, detail: String? = nil, hint: String? = nil,
        statement: String? = nil, position: Int? = nil
    ) {
        self.code = code
        self.sqlState = sqlState
        self.message = message
        self.detail = detail
        self.hint = hint
        self.statement = statement
        self.position = position
    }

    public var description: String {
        var text = message
        if let sqlState { text += " (SQLSTATE \(sqlState))" }
        if let detail { text += "; \(detail)" }
        if let hint { text += "; \(hint)" }
        if let statement { text += ", in: \(statement)" }
        return text
    }

    static func fromResult(_ result: OpaquePointer?, connection: OpaquePointer, statement: String)
        -> PostgresError
    {
        func field(_ code: Character) -> String? {
            guard let result, let scalar = code.asciiValue else { return nil }
            return PQresultErrorField(result, Int32(scalar)).map { String(cString: $0) }
        }
        let summary = PostgresError.summary(of: statement)
        // The letters are libpq's PG_DIAG_ constants, which are character macros.
        guard let primary = field("M") else {
            let code: Code = PQstatus(connection) == CONNECTION_BAD ? .connectionLost : .client
            let text = result.map { String(cString: PQresultErrorMessage($0)) } ?? ""
            return PostgresError(
                code, trimmed(text.isEmpty ? String(cString: PQerrorMessage(connection)) : text),
                statement: summary)
        }
        let state = field("C")
        let code: Code =
            if PQstatus(connection) == CONNECTION_BAD { .connectionLost } else if state == "57014" {
                .cancelled
            } else {
                .server
            }
        return PostgresError(
            code, primary, sqlState: state, detail: field("D"), hint: field("H"), statement: summary,
            position: field("P").flatMap { Int($0) })
    }

    static func fromConnection(_ connection: OpaquePointer, _ code: Code, statement: String? = nil)
        -> PostgresError
    {
        PostgresError(
            code, trimmed(String(cString: PQerrorMessage(connection))), statement: statement.map(summary(of:))
        )
    }

    /// Why no connection was made, from libpq's verbose words: the SQLSTATE is taken out of them, and where in the
    /// server's source it was said is left out.
    static func ofConnecting(_ connection: OpaquePointer, _ code: Code) -> PostgresError {
        let lines = trimmed(String(cString: PQerrorMessage(connection)))
            .split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("LOCATION:  ") }
        let text = lines.joined(separator: "\n")
        let state = #/:  ([0-9A-Z]{5}): /#
        return PostgresError(
            code, text.replacing(state) { _ in ":  " },
            sqlState: text.matches(of: state).last.map { String($0.1) })
    }

    static func trimmed(_ text: String) -> String {
        var text = text
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text.isEmpty ? "no message from libpq" : text
    }

    static func summary(of sql: String) -> String {
        sql.count <= 160 ? sql : String(sql.prefix(157)) + "…"
    }
}
