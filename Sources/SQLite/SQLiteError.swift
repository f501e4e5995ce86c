import CSQLite

/// A failure that SQLite reported.
///
/// `code` is the primary result code, `extendedCode` the extended one (https://sqlite.org/rescode.html).
/// `message` is SQLite's own text; `context` says what was being done, never a row's value.
public struct SQLiteError: Error, Equatable, Sendable, CustomStringConvertible {
    public let extendedCode: Int32
    public let message: String
    public let context: String

    public init(extendedCode: Int32, message: String, context: String) {
        self.extendedCode = extendedCode
        self.message = message
        self.context = context
    }

    /// The primary result code.
    public var code: Int32 { extendedCode & 0xFF }

    /// Whether `Interrupter.interrupt()` ended the call.
    public var isInterrupted: Bool { code == SQLITE_INTERRUPT }

    /// Whether the file's content, not the call, is at fault: corrupt, truncated, or no database at all.
    public var isCorruption: Bool { code == SQLITE_CORRUPT || code == SQLITE_NOTADB }

    public var description: String {
        let name = String(cString: sqlite3_errstr(extendedCode))
        return name == message ? "\(context): \(message)" : "\(context): \(message) (\(name))"
    }

    static func last(of handle: OpaquePointer?, context: String) -> SQLiteError {
        guard let handle else {
            return SQLiteError(extendedCode: SQLITE_NOMEM, message: "out of memory", context: context)
        }
        return SQLiteError(
            extendedCode: sqlite3_extended_errcode(handle), message: String(cString: sqlite3_errmsg(handle)),
            context: context)
    }
}
