import CSQLite

/// One value of a source row, by its storage class, whoever reads the row.
///
/// Bytes lie where they were read and are valid until the row is left.
struct SourceValue {
    /// SQLITE_INTEGER, SQLITE_FLOAT, SQLITE_TEXT, SQLITE_BLOB or SQLITE_NULL.
    let storage: Int32
    /// An integer, or the bits of a real.
    private let bits: Int64
    private let start: UnsafeRawPointer?
    private let count: Int

    static var null: SourceValue { SourceValue(storage: SQLITE_NULL, bits: 0, start: nil, count: 0) }

    private init(storage: Int32, bits: Int64, start: UnsafeRawPointer?, count: Int) {
        self.storage = storage
        self.bits = bits
        self.start = start
        self.count = count
    }

    @inline(__always)
    init(integer: Int64) {
        self.init(storage: SQLITE_INTEGER, bits: integer, start: nil, count: 0)
    }

    /// SQLite knows no NaN: it reads one as NULL.
    @inline(__always)
    init(real: Double) {
        self.init(
            storage: real.isNaN ? SQLITE_NULL : SQLITE_FLOAT, bits: Int64(bitPattern: real.bitPattern),
            start: nil, count: 0)
    }

    @inline(__always)
    init(text start: UnsafeRawPointer?, count: Int) {
        self.init(storage: SQLITE_TEXT, bits: 0, start: start, count: count)
    }

    @inline(__always)
    init(blob start: UnsafeRawPointer?, count: Int) {
        self.init(storage: SQLITE_BLOB, bits: 0, start: start, count: count)
    }

    /// A column of the row on which a statement stands.
    @inline(__always)
    init(_ statement: OpaquePointer, _ column: Int32) {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: self.init(integer: sqlite3_column_int64(statement, column))
        case SQLITE_FLOAT: self.init(real: sqlite3_column_double(statement, column))
        case SQLITE_TEXT:
            // column_text first: it may convert, and the length is that of the converted text.
            let start = UnsafeRawPointer(sqlite3_column_text(statement, column))
            self.init(text: start, count: Int(sqlite3_column_bytes(statement, column)))
        case SQLITE_BLOB:
            let start = sqlite3_column_blob(statement, column)
            self.init(blob: start, count: Int(sqlite3_column_bytes(statement, column)))
        default: self = .null
        }
    }

    /// An integer; 0 for any other class.
    @inline(__always)
    var integer: Int64 { storage == SQLITE_INTEGER ? bits : 0 }

    /// A real, or an integer as the nearest one; 0 for any other class.
    @inline(__always)
    var real: Double {
        switch storage {
        case SQLITE_FLOAT: Double(bitPattern: UInt64(bitPattern: bits))
        case SQLITE_INTEGER: Double(bits)
        default: 0
        }
    }

    /// The UTF-8 of a text; nil for any other class.
    @inline(__always)
    var text: UnsafeBufferPointer<UInt8>? {
        guard storage == SQLITE_TEXT, let start else { return nil }
        return UnsafeBufferPointer(start: start.assumingMemoryBound(to: UInt8.self), count: count)
    }

    /// Whether SQLite had no memory to hand out its bytes.
    @inline(__always)
    var isLost: Bool { start == nil && count > 0 }

    /// The bytes of a text or a BLOB; the empty one may have no address.
    @inline(__always)
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count)
    }
}
