import CSQLite
import SQLite

/// A row as howdah.quarantine and howdah.replaced keep it: every value with its storage class and every byte.
///
/// Layout, numbers with the most significant byte first: one byte 1 (the version), two bytes count of columns; then per
/// column two bytes length of its name, the name in UTF-8, one byte storage class as SQLite numbers it (1 integer,
/// 2 real, 3 text, 4 BLOB, 5 NULL), four bytes length, the value: an integer in 8 bytes, a real as the 8 bytes of its
/// double, text and BLOB as stored, NULL with no byte.
enum RowRecord {
    static let version: UInt8 = 1

    /// Appends the record of the row that the statement stands on; its first columns are `names`.
    static func append(_ row: borrowing SQLite.Statement, names: [String], to out: inout RawBuffer) {
        out.ensure(3)
        out.append(version)
        out.append(UInt16(truncatingIfNeeded: names.count))
        for (index, name) in names.enumerated() {
            out.ensure(2 + name.utf8.count + 13)
            out.append(UInt16(truncatingIfNeeded: name.utf8.count))
            out.append(contentsOf: name.utf8)
            append(row.handle, Int32(index), to: &out)
        }
    }

    private static func append(_ row: OpaquePointer, _ column: Int32, to out: inout RawBuffer) {
        let storage = sqlite3_column_type(row, column)
        out.ensure(13)
        out.append(UInt8(truncatingIfNeeded: storage))
        switch storage {
        case SQLITE_INTEGER:
            out.append(Int32(8))
            out.append(sqlite3_column_int64(row, column))
        case SQLITE_FLOAT:
            out.append(Int32(8))
            out.append(Int64(bitPattern: sqlite3_column_double(row, column).bitPattern))
        case SQLITE_TEXT, SQLITE_BLOB:
            let start =
                storage == SQLITE_TEXT
                ? UnsafeRawPointer(sqlite3_column_text(row, column)) : sqlite3_column_blob(row, column)
            let count = Int(sqlite3_column_bytes(row, column))
            out.append(Int32(truncatingIfNeeded: count))
            out.ensure(count)
            if let start, count > 0 { out.append(from: start, count: count) }
        default: out.append(Int32(0))
        }
    }

    /// One value of a record.
    public struct Cell: Equatable {
        public var name: String
        public var storage: StorageClass
        public var bytes: [UInt8]
    }

    /// Reads a record; nil where the bytes are none. Written for the proof: it shares nothing with `append`.
    static func cells(_ record: [UInt8]) -> [Cell]? {
        var rest = record[...]
        func number(_ count: Int) -> Int? {
            guard rest.count >= count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
        }
        func bytes(_ count: Int) -> [UInt8]? {
            guard rest.count >= count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        guard number(1) == 1, let count = number(2) else { return nil }
        var cells: [Cell] = []
        for _ in 0..<count {
            guard let length = number(2), let name = bytes(length), let code = number(1),
                let storage = StorageClass(rawValue: Int32(code)), let size = number(4),
                let value = bytes(size)
            else { return nil }
            cells.append(Cell(name: String(decoding: name, as: UTF8.self), storage: storage, bytes: value))
        }
        return rest.isEmpty ? cells : nil
    }
}
