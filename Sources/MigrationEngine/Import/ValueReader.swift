import CSQLite
import SQLite

/// Turns the values of an export back into those of SQLite.
enum ValueReader {
    /// Binds a value to a statement, for as long as the record stays where it is; throws `RecordFault` where it is none of the column's.
    static func bind(
        _ token: FieldToken, of column: ExportColumn, to statement: borrowing SQLite.Statement,
        at place: Int32
    ) throws {
        let value = try value(token, of: column)
        let bytes = value.bytes
        switch value.storage {
        case SQLITE_INTEGER: try statement.bind(value.integer, at: place)
        case SQLITE_FLOAT: try statement.bind(value.real, at: place)
        case SQLITE_TEXT:
            // The zone takes the place of a Z, and may be longer.
            if let zone = column.dates?.zone, zone.utf8.count > 1, isPlainDate(token, column) {
                try statement.bind(text: bytes.dropLast() + Array(zone.utf8), at: place)
            } else {
                try statement.bind(staying: bytes, asText: true, at: place)
            }
        case SQLITE_BLOB: try statement.bind(staying: bytes, asText: false, at: place)
        default: try statement.bindNull(at: place)
        }
    }

    private static func isPlainDate(_ token: FieldToken, _ column: ExportColumn) -> Bool {
        switch token {
        case .tagged, .null: false
        case .bare, .string: column.encoding == .date
        }
    }

    private static func value(_ token: FieldToken, of column: ExportColumn) throws -> SourceValue {
        switch token {
        case .null: return .null
        case .tagged(let tag, let text): return try tagged(tag, text, column)
        case .bare(let text):
            switch column.encoding {
            case .number:
                return try text.contains { $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") }
                    ? SourceValue(real: real(text, column)) : SourceValue(integer: integer(text, column))
            case .boolean where text.elementsEqual("true".utf8): return SourceValue(integer: 1)
            case .boolean where text.elementsEqual("false".utf8): return SourceValue(integer: 0)
            case .base64: return try bytes(text, column)
            case .date: return try date(text, column)
            default: throw misfit(column)
            }
        case .string(let text):
            switch column.encoding {
            case .number: return SourceValue(integer: try integer(text, column))
            case .text: return try self.text(text, column)
            case .base64: return try bytes(text, column)
            case .date: return try date(text, column)
            case .boolean: throw misfit(column)
            }
        }
    }

    private static func misfit(_ column: ExportColumn) -> RecordFault {
        RecordFault(what: "the value of “\(column.name)” is no \(column.encoding.rawValue)")
    }

    private static func tagged(
        _ tag: ValueTag, _ text: UnsafeMutableBufferPointer<UInt8>, _ column: ExportColumn
    ) throws -> SourceValue {
        switch tag {
        case .integer: return SourceValue(integer: try integer(text, column))
        case .real:
            if text.elementsEqual("Infinity".utf8) { return SourceValue(real: .infinity) }
            if text.elementsEqual("-Infinity".utf8) { return SourceValue(real: -.infinity) }
            return SourceValue(real: try real(text, column))
        case .text: return try self.text(text, column)
        case .blob: return try bytes(text, column)
        case .text64:
            guard let count = Base64.read(text) else { throw misfit(column) }
            return SourceValue(text: text.baseAddress, count: count)
        }
    }

    private static func integer(
        _ text: UnsafeMutableBufferPointer<UInt8>, _ column: ExportColumn
    ) throws -> Int64 {
        let isNegative = text.first == UInt8(ascii: "-")
        let digits = text.dropFirst(isNegative ? 1 : 0)
        guard !digits.isEmpty else { throw misfit(column) }
        var value: Int64 = 0
        for digit in digits {
            guard digit &- 48 < 10 else { throw misfit(column) }
            // Counted below zero, where there is one number more.
            let (tens, isOver) = value.multipliedReportingOverflow(by: 10)
            let (next, isUnder) = tens.subtractingReportingOverflow(Int64(digit &- 48))
            guard !isOver, !isUnder else { throw misfit(column) }
            value = next
        }
        if isNegative { return value }
        guard value != .min else { throw misfit(column) }
        return -value
    }

    private static func real(
        _ text: UnsafeMutableBufferPointer<UInt8>, _ column: ExportColumn
    ) throws -> Double {
        let isNumber = text.allSatisfy { byte in
            byte &- 48 < 10 || [0x2B, 0x2D, 0x2E, 0x65].contains(byte)
        }
        guard isNumber, let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else {
            throw misfit(column)
        }
        return value
    }

    private static func text(
        _ text: UnsafeMutableBufferPointer<UInt8>, _ column: ExportColumn
    ) throws -> SourceValue {
        guard let start = text.baseAddress, TextScan(start, count: text.count).isValid else {
            throw RecordFault(what: "the text of “\(column.name)” is no UTF-8")
        }
        return SourceValue(text: start, count: text.count)
    }

    private static func bytes(
        _ text: UnsafeMutableBufferPointer<UInt8>, _ column: ExportColumn
    ) throws -> SourceValue {
        guard let count = Base64.read(text) else {
            throw RecordFault(what: "the value of “\(column.name)” is no base64")
        }
        return SourceValue(blob: text.baseAddress, count: count)
    }

    private static func date(
        _ text: UnsafeMutableBufferPointer<UInt8>, _ column: ExportColumn
    ) throws -> SourceValue {
        guard let dates = column.dates else { throw misfit(column) }
        if let unit = dates.unit {
            guard let count = unit.readISO8601(UnsafeBufferPointer(text)) else { throw misfit(column) }
            return SourceValue(integer: count)
        }
        guard DateForm.iso8601.reads(UnsafeBufferPointer(text)), let form = dates.form else {
            throw misfit(column)
        }
        text[10] = form.separator
        if let zone = form.zone.first { text[text.count - 1] = zone }
        return SourceValue(text: text.baseAddress, count: text.count - (form.zone.isEmpty ? 1 : 0))
    }
}
