import CSQLite

/// The class in which SQLite holds a value, whatever its column's declared type (https://sqlite.org/datatype3.html).
public enum StorageClass: Int32, CaseIterable, Sendable {
    case integer = 1
    case real = 2
    case text = 3
    case blob = 4
    case null = 5
}

/// One compiled statement, finalized when the value goes away.
///
/// Used by the thread that uses its connection, which must outlive it: keep the connection in a variable.
public struct Statement: ~Copyable {
    /// The raw handle, for the loops that step it themselves. It lives as long as this value.
    public let handle: OpaquePointer
    private let connection: OpaquePointer
    private let summary: String

    init(handle: OpaquePointer, connection: OpaquePointer, summary: String) {
        self.handle = handle
        self.connection = connection
        self.summary = summary
    }

    deinit {
        sqlite3_finalize(handle)
    }

    /// Goes to the next row; false after the last one.
    public borrowing func step() throws(SQLiteError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw SQLiteError.last(of: connection, context: "running \(summary)")
        }
    }

    /// Steps a statement that returns no row, and makes it ready to run again.
    public borrowing func run() throws(SQLiteError) {
        while try step() {}
        reset()
    }

    /// Makes the statement ready to run again; bound values stay.
    public borrowing func reset() {
        sqlite3_reset(handle)
    }

    // MARK: Binding, positions from 1

    public borrowing func bind(_ value: Int64, at position: Int32) throws(SQLiteError) {
        try check(sqlite3_bind_int64(handle, position, value))
    }

    public borrowing func bind(_ value: Double, at position: Int32) throws(SQLiteError) {
        try check(sqlite3_bind_double(handle, position, value))
    }

    public borrowing func bind(_ value: String, at position: Int32) throws(SQLiteError) {
        var value = value
        let result = value.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                sqlite3_bind_text64(
                    handle, position, characters.baseAddress ?? Self.empty, UInt64(characters.count),
                    howdah_sqlite_transient(), UInt8(SQLITE_UTF8))
            }
        }
        try check(result)
    }

    /// Binds bytes as a text, whether they are UTF-8 or not.
    public borrowing func bind(text bytes: [UInt8], at position: Int32) throws(SQLiteError) {
        let result = bytes.withUnsafeBytes { buffer in
            sqlite3_bind_text64(
                handle, position, buffer.baseAddress?.assumingMemoryBound(to: CChar.self) ?? Self.empty,
                UInt64(buffer.count), howdah_sqlite_transient(), UInt8(SQLITE_UTF8))
        }
        try check(result)
    }

    /// Binds bytes as a BLOB; an empty buffer is an empty BLOB, not NULL.
    public borrowing func bind(blob: UnsafeRawBufferPointer, at position: Int32) throws(SQLiteError) {
        let result =
            blob.isEmpty
            ? sqlite3_bind_zeroblob(handle, position, 0)
            : sqlite3_bind_blob64(
                handle, position, blob.baseAddress, UInt64(blob.count), howdah_sqlite_transient())
        try check(result)
    }

    /// Binds bytes that stay where they are until the statement has run: they are not copied.
    public borrowing func bind(
        staying bytes: UnsafeRawBufferPointer, asText: Bool, at position: Int32
    ) throws(SQLiteError) {
        guard asText else {
            try check(
                bytes.isEmpty
                    ? sqlite3_bind_zeroblob(handle, position, 0)
                    : sqlite3_bind_blob64(handle, position, bytes.baseAddress, UInt64(bytes.count), nil))
            return
        }
        let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self) ?? Self.empty
        try check(
            sqlite3_bind_text64(
                handle, position, start, UInt64(bytes.count), nil, UInt8(SQLITE_UTF8)))
    }

    public borrowing func bindNull(at position: Int32) throws(SQLiteError) {
        try check(sqlite3_bind_null(handle, position))
    }

    /// Binds a value, or NULL where there is none.
    public borrowing func bind(_ value: Int64?, at position: Int32) throws(SQLiteError) {
        guard let value else { return try bindNull(at: position) }
        try bind(value, at: position)
    }

    /// Binds a value, or NULL where there is none.
    public borrowing func bind(_ value: Double?, at position: Int32) throws(SQLiteError) {
        guard let value else { return try bindNull(at: position) }
        try bind(value, at: position)
    }

    /// Binds a value, or NULL where there is none.
    public borrowing func bind(_ value: String?, at position: Int32) throws(SQLiteError) {
        guard let value else { return try bindNull(at: position) }
        try bind(value, at: position)
    }

    // MARK: Reading, columns from 0

    /// Columns of a row.
    public var columnCount: Int { Int(sqlite3_column_count(handle)) }

    public borrowing func storageClass(_ column: Int32) -> StorageClass {
        StorageClass(rawValue: sqlite3_column_type(handle, column)) ?? .null
    }

    public borrowing func int64(_ column: Int32) -> Int64 {
        sqlite3_column_int64(handle, column)
    }

    public borrowing func double(_ column: Int32) -> Double {
        sqlite3_column_double(handle, column)
    }

    /// nil for NULL.
    public borrowing func optionalInt64(_ column: Int32) -> Int64? {
        isNull(column) ? nil : int64(column)
    }

    /// nil for NULL.
    public borrowing func optionalDouble(_ column: Int32) -> Double? {
        isNull(column) ? nil : double(column)
    }

    public borrowing func isNull(_ column: Int32) -> Bool {
        storageClass(column) == .null
    }

    /// The value as text; NULL gives the empty text.
    public borrowing func text(_ column: Int32) -> String {
        optionalText(column) ?? ""
    }

    /// The value as text, up to its length: a NUL inside does not end it. Invalid UTF-8 is repaired.
    public borrowing func optionalText(_ column: Int32) -> String? {
        guard let bytes = sqlite3_column_text(handle, column) else { return nil }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    /// The bytes of a BLOB, or of a text's UTF-8; empty for NULL and for an empty value.
    public borrowing func bytes(_ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(handle, column) else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
    }

    fileprivate borrowing func check(_ result: Int32) throws(SQLiteError) {
        guard result == SQLITE_OK else {
            throw SQLiteError.last(of: connection, context: "binding to \(summary)")
        }
    }

    /// A pointer that is not NULL, so that an empty text is not bound as NULL.
    nonisolated(unsafe) private static let empty: UnsafePointer<CChar> = {
        let byte = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        byte.initialize(to: 0)
        return UnsafePointer(byte)
    }()
}

extension Statement {
    /// Binds the value of another statement's column, with its storage class and every byte.
    public borrowing func bind(
        valueOf other: borrowing Statement, column: Int32, at position: Int32
    ) throws(SQLiteError) {
        try check(sqlite3_bind_value(handle, position, sqlite3_column_value(other.handle, column)))
    }
}
