import Foundation

/// Finds the fields of one row in a message of a binary COPY.
///
/// https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4. The first message begins with the header,
/// the last one ends with a trailer. Fields are valid as long as the message.
struct BinaryRow: ~Copyable {
    struct Field {
        /// nil is NULL.
        let start: UnsafeRawPointer?
        let count: Int

        var isNull: Bool { start == nil }

        /// The field as a number; its count must be that of the type.
        @inline(__always)
        func integer<T: FixedWidthInteger>(_ type: T.Type) -> T {
            guard let start else { return 0 }
            return T(bigEndian: start.loadUnaligned(as: T.self))
        }

        @inline(__always)
        func hasSameBytes(as other: UnsafeRawPointer?, count otherCount: Int) -> Bool {
            guard count == otherCount else { return false }
            guard count > 0, let start, let other else { return count == 0 }
            return memcmp(start, other, count) == 0
        }

        /// The field's bytes as text, for a key column of text.
        var text: String {
            String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
        }
    }

    private let fields: UnsafeMutablePointer<Field>
    let columnCount: Int
    private var isFirst = true

    init(columnCount: Int) {
        self.columnCount = columnCount
        fields = .allocate(capacity: max(1, columnCount))
        fields.initialize(repeating: Field(start: nil, count: 0), count: max(1, columnCount))
    }

    deinit {
        fields.deallocate()
    }

    subscript(column: Int) -> Field { fields[column] }

    /// Reads a message; false at the trailer. Throws where the bytes are no row of this many columns.
    mutating func read(_ message: UnsafeRawBufferPointer) throws -> Bool {
        guard let start = message.baseAddress else { throw MalformedCopy() }
        var offset = 0
        func number<T: FixedWidthInteger>(_ type: T.Type) throws -> T {
            guard offset + MemoryLayout<T>.size <= message.count else { throw MalformedCopy() }
            defer { offset += MemoryLayout<T>.size }
            return T(bigEndian: (start + offset).loadUnaligned(as: T.self))
        }
        if isFirst {
            isFirst = false
            offset = 15
            offset += Int(try number(Int32.self))
        }
        let count = try number(Int16.self)
        if count == -1 { return false }
        guard Int(count) == columnCount else { throw MalformedCopy() }
        for column in 0..<columnCount {
            let length = Int(try number(Int32.self))
            if length < 0 {
                fields[column] = Field(start: nil, count: 0)
            } else {
                guard offset + length <= message.count else { throw MalformedCopy() }
                fields[column] = Field(start: start + offset, count: length)
                offset += length
            }
        }
        return true
    }

    struct MalformedCopy: Error, CustomStringConvertible {
        let description = "the server's COPY data is not what the format says"
    }
}
