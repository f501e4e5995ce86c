import Postgres
import SQLite

/// What errors of a load are called, and what may be shown of them.
enum FailureWords {
    /// Names of the conditions that concurrent users meet
    /// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
    private static let names = [
        "40001": "serialization failure", "40P01": "deadlock", "55P03": "lock timeout",
        "57014": "statement timeout", "53300": "too many connections", "23505": "unique violation",
        "23503": "foreign key violation", "23502": "not-null violation", "23514": "check violation",
        "23P01": "exclusion violation", "42501": "insufficient privilege", "57P01": "server shutting down",
        "57P03": "server not ready", "P0001": "raised by a trigger or function", "53100": "disk full",
        "53200": "out of memory", "25006": "read-only transaction", "connect": "no connection",
        "lost": "connection lost", "SQLITE_BUSY": "database is locked", "SQLITE_9": "statement timeout",
    ]

    static func name(_ state: String) -> String {
        if let name = names[state] { return name }
        return switch state.prefix(2) {
        case "08": "connection failure"
        case "22": "data exception"
        case "23": "integrity constraint violation"
        case "53": "insufficient resources"
        default: state.hasPrefix("SQLITE") ? "error of SQLite's" : "server error"
        }
    }

    /// In one line, without what was asked for, and without what a terminal would obey.
    static func sanitised(_ message: String, state: String, values: [LoadValue]) -> String {
        var text = message
        for value in values {
            switch value {
            case .text(let value) where value.count > 2: text = text.replacing(value, with: "…")
            case .integer(let value) where value.magnitude > 99: text = text.replacing("\(value)", with: "…")
            default: break
            }
        }
        // Data exceptions quote the value that they are about.
        if state.hasPrefix("22") { text = text.replacing(/"[^"]*"/) { _ in "\"…\"" } }
        let line = text.unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
                ? " " : Character(scalar)
        }
        return String(line.prefix(200))
    }
}

extension LoadFailure {
    /// Of an error that came while queries were made; nil where it is neither database's.
    init?(preparing error: any Error) {
        switch error {
        case let error as PostgresError: self.init(error)
        case let error as SQLiteError: self.init(error)
        default: return nil
        }
    }

    init(_ error: PostgresError, values: [LoadValue] = []) {
        let state =
            error.sqlState
            ?? (error.code == .connectionLost
                ? "lost" : error.code == .connect ? "connect" : error.code.rawValue)
        self.init(
            state: state, message: FailureWords.sanitised(error.message, state: state, values: values),
            isLost: error.code == .connectionLost || error.code == .client)
    }

    init(_ error: SQLiteError, values: [LoadValue] = []) {
        let state = error.code == 5 || error.code == 6 ? "SQLITE_BUSY" : "SQLITE_\(error.code)"
        self.init(
            state: state, message: FailureWords.sanitised(error.message, state: state, values: values))
    }
}
