import SQLite

extension RowRecord {
    /// One value of a record, as SQLite stores it.
    enum Value: Equatable, Sendable, Codable {
        case null
        case integer(Int64)
        case real(Double)
        case text([UInt8])
        case blob([UInt8])
    }

    /// The values of a record by column; nil where the bytes are no record.
    static func values(of bytes: [UInt8]) -> [String: Value]? {
        var reader = Reader(bytes: bytes)
        guard reader.number(1) == UInt64(version), let count = reader.number(2) else { return nil }
        var values: [String: Value] = [:]
        for _ in 0..<count {
            guard let length = reader.number(2), let name = reader.take(Int(length)),
                let storage = reader.number(1), let size = reader.number(4), let data = reader.take(Int(size))
            else { return nil }
            let number = data.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let value: Value
            switch StorageClass(rawValue: Int32(storage)) {
            case .integer: value = .integer(Int64(bitPattern: number))
            case .real: value = .real(Double(bitPattern: number))
            case .text: value = .text(Array(data))
            case .blob: value = .blob(Array(data))
            case .null: value = .null
            case nil: return nil
            }
            values[String(decoding: name, as: UTF8.self)] = value
        }
        return values
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count >= 0, count <= bytes.count - position else { return nil }
            defer { position += count }
            return bytes[position..<position + count]
        }

        /// A number of so many bytes, the most significant first.
        mutating func number(_ count: Int) -> UInt64? {
            take(count)?.reduce(0) { $0 << 8 | UInt64($1) }
        }
    }
}

extension SQLite.Statement {
    /// The value of a column, with its storage class.
    borrowing func value(_ column: Int32) -> RowRecord.Value {
        switch storageClass(column) {
        case .null: .null
        case .integer: .integer(int64(column))
        case .real: .real(double(column))
        case .text: .text(Array(bytes(column)))
        case .blob: .blob(Array(bytes(column)))
        }
    }

    borrowing func bind(_ value: RowRecord.Value, at position: Int32) throws {
        switch value {
        case .null: try bindNull(at: position)
        case .integer(let number): try bind(number, at: position)
        case .real(let number): try bind(number, at: position)
        case .text(let bytes): try bind(text: bytes, at: position)
        case .blob(let bytes):
            try bytes.withUnsafeBytes { (buffer) throws in try bind(blob: buffer, at: position) }
        }
    }
}
