import CSQLite

/// One connection to a SQLite file, closed when the value goes away.
///
/// Used by one thread at a time; `interrupter` may be used from any other.
public struct Connection: ~Copyable {
    /// How a file is opened (https://sqlite.org/uri.html).
    public enum Mode: Sendable {
        /// For reading. A WAL database may get `-wal` and `-shm` files beside it, see `SourceReader`.
        case readOnly
        /// For reading a file that nobody writes: no locks, no files beside it.
        case immutable
        /// For reading and writing an existing file.
        case readWrite
        /// For writing; made when absent.
        case create
    }

    /// The raw handle, for the loops that step it themselves. It lives as long as this value.
    public let handle: OpaquePointer
    public let interrupter: Interrupter
    public let path: String

    /// Opens `path`.
    ///
    /// SQLite looks at the file only when the first statement runs: an error in its content comes then.
    public init(path: String, mode: Mode) throws(SQLiteError) {
        let flags: Int32 =
            switch mode {
            case .readOnly, .immutable: SQLITE_OPEN_READONLY
            case .readWrite: SQLITE_OPEN_READWRITE
            case .create: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            }
        var opened: OpaquePointer?
        let result = sqlite3_open_v2(
            Self.uri(path: path, immutable: mode == .immutable), &opened,
            flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard result == SQLITE_OK, let handle = opened else {
            let error = SQLiteError.last(of: opened, context: "opening \(path)")
            sqlite3_close_v2(opened)
            throw error
        }
        self.handle = handle
        self.path = path
        interrupter = Interrupter(handle)
    }

    deinit {
        interrupter.invalidate()
        sqlite3_close_v2(handle)
    }

    /// Runs statements that return nothing of interest; several may be separated by semicolons.
    public borrowing func execute(_ sql: String) throws(SQLiteError) {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else {
            throw SQLiteError.last(of: handle, context: "running \(Self.summary(of: sql))")
        }
    }

    /// Compiles one statement.
    public borrowing func prepare(_ sql: String) throws(SQLiteError) -> Statement {
        var compiled: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &compiled, nil) == SQLITE_OK, let compiled else {
            throw SQLiteError.last(of: handle, context: "preparing \(Self.summary(of: sql))")
        }
        return Statement(handle: compiled, connection: handle, summary: Self.summary(of: sql))
    }

    /// Waits up to `milliseconds` where another process holds a lock, before SQLITE_BUSY.
    public borrowing func setBusyTimeout(milliseconds: Int32) {
        sqlite3_busy_timeout(handle, milliseconds)
    }

    /// The declared details of a column that no PRAGMA tells (https://sqlite.org/c3ref/table_column_metadata.html).
    public borrowing func columnMetadata(table: String, column: String) throws(SQLiteError) -> ColumnMetadata
    {
        var collation: UnsafePointer<CChar>?
        var notNull: Int32 = 0
        var primaryKey: Int32 = 0
        var autoincrement: Int32 = 0
        guard
            sqlite3_table_column_metadata(
                handle, "main", table, column, nil, &collation, &notNull, &primaryKey, &autoincrement)
                == SQLITE_OK
        else { throw SQLiteError.last(of: handle, context: "reading column \(table).\(column)") }
        return ColumnMetadata(
            collation: collation.map { String(cString: $0) } ?? "BINARY", isAutoincrement: autoincrement != 0)
    }

    public struct ColumnMetadata: Sendable {
        public let collation: String
        public let isAutoincrement: Bool
    }

    /// The `file:` URI of a path; every byte that a URI gives a meaning is escaped.
    public static func uri(path: String, immutable: Bool) -> String {
        var escaped = "file:"
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."),
                UInt8(ascii: "-"),
                UInt8(ascii: "_"):
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                escaped += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return immutable ? escaped + "?immutable=1" : escaped
    }

    /// The start of a statement, for messages.
    static func summary(of sql: String) -> String {
        sql.count <= 80 ? sql : String(sql.prefix(77)) + "…"
    }
}
