/// Why a record is none of its table's.
struct RecordFault: Error {
    let what: String
}

/// One value as it stands in a record.
enum FieldToken {
    case null
    /// Without quotes: a number, a word, and in CSV what is in base64 or a date.
    case bare(UnsafeMutableBufferPointer<UInt8>)
    /// A string without its quotes and escapes.
    case string(UnsafeMutableBufferPointer<UInt8>)
    case tagged(ValueTag, UnsafeMutableBufferPointer<UInt8>)
}

/// Reads the values of a record one after the other, in the place where it lies: what is unescaped is written over it.
///
/// Takes exactly what `RowWriter` writes, and no other way of writing the same.
struct FieldReader {
    private let record: UnsafeMutableBufferPointer<UInt8>
    private var position = 0
    private let form: ExportForm

    init(_ record: UnsafeMutableBufferPointer<UInt8>, _ form: ExportForm) {
        self.record = record
        self.form = form
    }

    private var byte: UInt8? { position < record.count ? record[position] : nil }

    private func at(_ character: Unicode.Scalar) -> Bool { byte == UInt8(ascii: character) }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard at(character) else { return false }
        position += 1
        return true
    }

    private mutating func take(_ bytes: [UInt8]) -> Bool {
        guard position + bytes.count <= record.count else { return false }
        for index in bytes.indices where record[position + index] != bytes[index] { return false }
        position += bytes.count
        return true
    }

    private func piece(_ range: Range<Int>) -> UnsafeMutableBufferPointer<UInt8> {
        UnsafeMutableBufferPointer(rebasing: record[range])
    }

    /// The value of a field; `key` is what stands before it in NDJSON.
    mutating func next(isFirst: Bool, key: [UInt8], name: String) throws -> FieldToken {
        if form == .ndjson {
            guard take(key) else { throw RecordFault(what: "the field “\(name)” is not where it belongs") }
            return try json()
        }
        guard isFirst || take(",") else {
            throw RecordFault(what: "it has fewer fields than the table has columns")
        }
        return try csv()
    }

    /// Looks whether the record ends here.
    mutating func end() throws {
        let isClosed = form == .csv || take("}")
        guard isClosed, position == record.count else {
            throw RecordFault(
                what: record.last == 0x0D
                    ? "it ends with a carriage return: the file's line ends were converted"
                    : "something stands behind its last field")
        }
    }

    // MARK: NDJSON

    private mutating func json() throws -> FieldToken {
        switch byte {
        case UInt8(ascii: "\""): return .string(try jsonString())
        case UInt8(ascii: "{"):
            position += 1
            guard take("\""), take("$") else { throw RecordFault(what: "a value is no JSON of an export's") }
            let tag = try tag(endsWith: "\"")
            guard take(":"), at("\"") else { throw RecordFault(what: "a value is no JSON of an export's") }
            let text = try jsonString()
            guard take("}") else { throw RecordFault(what: "a value is no JSON of an export's") }
            return .tagged(tag, text)
        default:
            let start = position
            while let byte, byte != UInt8(ascii: ","), byte != UInt8(ascii: "}") { position += 1 }
            let text = piece(start..<position)
            guard !text.isEmpty else { throw RecordFault(what: "a value is missing") }
            return text.elementsEqual("null".utf8) ? .null : .bare(text)
        }
    }

    private mutating func tag(endsWith end: Unicode.Scalar) throws -> ValueTag {
        let start = position
        while let byte, byte != UInt8(ascii: end), position - start < 8 { position += 1 }
        let word = String(decoding: piece(start..<position), as: UTF8.self)
        guard let tag = ValueTag(rawValue: word), take(end) else {
            throw RecordFault(what: "a value has a storage class that there is not")
        }
        return tag
    }

    private static let escapes: [UInt8: UInt8] = [
        UInt8(ascii: "b"): 0x08, UInt8(ascii: "t"): 0x09, UInt8(ascii: "n"): 0x0A, UInt8(ascii: "f"): 0x0C,
        UInt8(ascii: "r"): 0x0D, UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5C,
    ]

    private mutating func jsonString() throws -> UnsafeMutableBufferPointer<UInt8> {
        position += 1
        let start = position
        while let byte, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { position += 1 }
        var written = position
        while let byte, byte != UInt8(ascii: "\"") {
            position += 1
            guard byte == UInt8(ascii: "\\") else {
                record[written] = byte
                written += 1
                continue
            }
            guard let escape = self.byte else { break }
            position += 1
            if escape == UInt8(ascii: "u") {
                record[written] = try hexadecimalEscape()
            } else if let byte = Self.escapes[escape] {
                record[written] = byte
            } else {
                throw RecordFault(what: "a string has an escape that no export has")
            }
            written += 1
        }
        guard take("\"") else { throw RecordFault(what: "a string does not end") }
        return piece(start..<written)
    }

    /// `00` and two digits: only what is below a blank is escaped so.
    private mutating func hexadecimalEscape() throws -> UInt8 {
        guard position + 4 <= record.count,
            let code = UInt8(String(decoding: piece(position..<position + 4), as: UTF8.self), radix: 16),
            code < 0x20
        else { throw RecordFault(what: "a string has an escape that no export has") }
        position += 4
        return code
    }

    // MARK: CSV

    private mutating func csv() throws -> FieldToken {
        guard take("\"") else {
            let start = position
            while let byte, byte != UInt8(ascii: ",") { position += 1 }
            let text = piece(start..<position)
            return text.isEmpty ? .null : try tagged(text) ?? .bare(text)
        }
        let start = position
        var written = position
        while let byte {
            position += 1
            if byte == UInt8(ascii: "\""), !take("\"") {
                guard self.byte == nil || at(",") else {
                    throw RecordFault(what: "something stands between a quote and the next comma")
                }
                let text = piece(start..<written)
                guard text.first == UInt8(ascii: "$") else { return .string(text) }
                if text.count > 1, text[1] == UInt8(ascii: "$") { return .string(piece(start + 1..<written)) }
                guard let tagged = try tagged(text) else {
                    throw RecordFault(what: "a value has a storage class that there is not")
                }
                return tagged
            }
            record[written] = byte
            written += 1
        }
        throw RecordFault(what: "a quote does not end")
    }

    /// `$integer:5` and the like; nil for a field without a storage class.
    private func tagged(_ text: UnsafeMutableBufferPointer<UInt8>) throws -> FieldToken? {
        guard text.first == UInt8(ascii: "$") else { return nil }
        var inner = FieldReader(text, .csv)
        inner.position = 1
        let tag = try inner.tag(endsWith: ":")
        return .tagged(tag, inner.piece(inner.position..<text.count))
    }
}
