/// What stands around the values of a row in NDJSON, for those who write and those who read it.
struct RowLayout {
    /// What comes before each value: `{"id":` and `,"name":`.
    let keys: [[UInt8]]

    init(_ table: ExportManifest.Table) {
        keys = table.fields.enumerated().map { index, field in
            Array((index == 0 ? "{" : ",").utf8) + JSONEscape.string(field.name) + Array(":".utf8)
        }
    }
}

extension ExportManifest.Table {
    /// The columns, after the rowid where that is a field of its own.
    var fields: [ExportColumn] { (rowid.map { [.rowid($0)] } ?? []) + columns }
}

/// How strings are escaped in JSON: only what must be (https://www.rfc-editor.org/rfc/rfc8259#section-7).
enum JSONEscape {
    /// By byte; nil stands for itself.
    static let written: [[UInt8]?] = (0..<256).map { byte in
        switch byte {
        case 0x08: Array("\\b".utf8)
        case 0x09: Array("\\t".utf8)
        case 0x0A: Array("\\n".utf8)
        case 0x0C: Array("\\f".utf8)
        case 0x0D: Array("\\r".utf8)
        case 0x22: Array("\\\"".utf8)
        case 0x5C: Array("\\\\".utf8)
        case 0..<0x20: Array("\\u00\([UInt8(byte)].hexadecimal)".utf8)
        default: nil
        }
    }

    /// A string with its quotes.
    static func string(_ text: String) -> [UInt8] {
        [0x22] + text.utf8.flatMap { written[Int($0)] ?? [$0] } + [0x22]
    }
}

/// Base64 with its padding (https://www.rfc-editor.org/rfc/rfc4648#section-4).
enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
        return values
    }()

    static func write(_ bytes: UnsafeRawBufferPointer, to buffer: inout RawBuffer) {
        buffer.ensure((bytes.count + 2) / 3 * 4)
        digits.withUnsafeBufferPointer { digits in
            var index = 0
            while index < bytes.count {
                let count = min(3, bytes.count - index)
                let first = Int(bytes[index])
                let second = count > 1 ? Int(bytes[index + 1]) : 0
                let third = count > 2 ? Int(bytes[index + 2]) : 0
                buffer.append(digits[first >> 2])
                buffer.append(digits[(first & 3) << 4 | second >> 4])
                buffer.append(count > 1 ? digits[(second & 15) << 2 | third >> 6] : UInt8(ascii: "="))
                buffer.append(count > 2 ? digits[third & 63] : UInt8(ascii: "="))
                index += 3
            }
        }
    }

    /// Decodes in place; nil where the digits are not exactly what `write` writes.
    static func read(_ text: UnsafeMutableBufferPointer<UInt8>) -> Int? {
        guard text.count % 4 == 0 else { return nil }
        let padding = text.reversed().prefix(2).prefix { $0 == UInt8(ascii: "=") }.count
        return values.withUnsafeBufferPointer { values in
            var written = 0
            var bits: UInt32 = 0
            for index in 0..<text.count - padding {
                let value = values[Int(text[index])]
                guard value != 0xFF else { return nil }
                bits = bits << 6 | UInt32(value)
                guard index & 3 == 3 else { continue }
                text[written] = UInt8(truncatingIfNeeded: bits >> 16)
                text[written + 1] = UInt8(truncatingIfNeeded: bits >> 8)
                text[written + 2] = UInt8(truncatingIfNeeded: bits)
                written += 3
                bits = 0
            }
            switch padding {
            case 1:
                guard bits & 3 == 0 else { return nil }
                text[written] = UInt8(truncatingIfNeeded: bits >> 10)
                text[written + 1] = UInt8(truncatingIfNeeded: bits >> 2)
            case 2:
                guard bits & 15 == 0 else { return nil }
                text[written] = UInt8(truncatingIfNeeded: bits >> 4)
            default: break
            }
            return written + (3 - padding) % 3
        }
    }
}
