import CSQLite
import Foundation

/// When a value of SQLite's and a value of PostgreSQL's are equal: for each target type, both sides are brought
/// into one form, and equal forms are equal values. The README has the same as a table.
///
/// | target type | form |
/// |---|---|
/// | smallint, integer, bigint | the number; only of storage class integer |
/// | real | the float that the value is exactly, or whose shortest digits are the value's |
/// | double precision | the 64 bits; an integer that a double holds exactly counts as that double |
/// | numeric | sign, digits, exponent; of a real the shortest digits that give it back |
/// | boolean | 0 and 1, or t, f, true, false |
/// | text, varchar, enum, json | the bytes; a number in a text column is its shortest text |
/// | char(n) | the bytes without the spaces at their end |
/// | bytea | the bytes, of a BLOB or of a text |
/// | timestamp, timestamptz, date, time | the calendar's fields in UTC, whole milliseconds in Prisma's style; a text without a zone is UTC |
/// | time in Rails' style | the same; a text may have `2000-01-01` before it |
/// | interval of integers (Django's DurationField) | the microseconds, a day being 24 hours; no months |
/// | jsonb | the JSON value; an object with a key twice has none: one of its values is lost |
/// | uuid | the 16 bytes, of a BLOB or of 32 hexadecimal digits with the dashes or without |
/// | money | the number in the server's currency |
/// | arrays | the JSON value; of elements that JSON does not have, their texts |
/// | any other | the text that PostgreSQL gives |
///
/// What has no form under its type (a text in an integer column) equals nothing. Reads what the server sent, never
/// what the encoder made. https://www.postgresql.org/docs/current/datatype.html
struct Relation {
    private let codes: [ColumnCode]

    init(_ codes: [ColumnCode]) {
        self.codes = codes
    }

    var columnCount: Int { codes.count }

    /// Marks in front of each form.
    enum Mark: UInt8 {
        case null, value, unrepresentable
    }

    // MARK: The fast way, for the types of most columns

    /// Whether two values are equal, without writing them out where the type allows.
    @inline(__always)
    func isEqual(
        _ statement: OpaquePointer, _ column: Int, _ field: BinaryRow.Field, _ scratch: inout Scratch
    ) -> Bool {
        let index = Int32(truncatingIfNeeded: column)
        let storage = sqlite3_column_type(statement, index)
        if storage == SQLITE_NULL || field.isNull { return storage == SQLITE_NULL && field.isNull }
        switch codes[column].operation {
        case .int8 where storage == SQLITE_INTEGER && field.count == 8:
            return field.integer(Int64.self) == sqlite3_column_int64(statement, index)
        case .int4 where storage == SQLITE_INTEGER && field.count == 4:
            return Int64(field.integer(Int32.self)) == sqlite3_column_int64(statement, index)
        case .double where storage == SQLITE_FLOAT && field.count == 8:
            return field.integer(UInt64.self) == sqlite3_column_double(statement, index).bitPattern
        case .boolean where storage == SQLITE_INTEGER && field.count == 1:
            let value = sqlite3_column_int64(statement, index)
            return value == Int64(field.integer(UInt8.self)) && (value == 0 || value == 1)
        case .timestamp where storage == SQLITE_INTEGER && field.count == 8:
            let count = sqlite3_column_int64(statement, index)
            return isSameInstant(count, column, field.integer(Int64.self))
                || hasSameForm(statement, column, field, &scratch)
        case .text where storage == SQLITE_TEXT, .varchar where storage == SQLITE_TEXT,
            .enumeration where storage == SQLITE_TEXT, .json where storage == SQLITE_TEXT:
            let start = UnsafeRawPointer(sqlite3_column_text(statement, index))
            return field.hasSameBytes(as: start, count: Int(sqlite3_column_bytes(statement, index)))
        case .bytea where storage == SQLITE_BLOB:
            let start = sqlite3_column_blob(statement, index)
            return field.hasSameBytes(as: start, count: Int(sqlite3_column_bytes(statement, index)))
        default: return hasSameForm(statement, column, field, &scratch)
        }
    }

    /// Whether whole counts since 1970 and microseconds since 2000 are one instant by their distance alone; where a column
    /// keeps less of them, or they are no instant, their forms decide.
    @inline(__always)
    private func isSameInstant(_ count: Int64, _ column: Int, _ target: Int64) -> Bool {
        let (product, overflow) = count.multipliedReportingOverflow(by: codes[column].microsecondsPerInteger)
        guard !overflow, codes[column].microsecondsPerInteger % codes[column].dates.smallestStep == 0,
            target != .max, target != .min
        else { return false }
        let sum = target.addingReportingOverflow(Self.postgresEpoch)
        return !sum.overflow && sum.partialValue == product && codes[column].microsecondsPerInteger > 0
    }

    private func hasSameForm(
        _ statement: OpaquePointer, _ column: Int, _ field: BinaryRow.Field, _ scratch: inout Scratch
    ) -> Bool {
        scratch.source.truncate(to: 0)
        scratch.target.truncate(to: 0)
        appendSource(statement, column, &scratch.source)
        appendTarget(field, column, &scratch.target)
        let source = scratch.source.bytes
        let target = scratch.target.bytes
        guard let first = source.baseAddress, let second = target.baseAddress else { return false }
        return source.count == target.count && memcmp(first, second, source.count) == 0
    }

    /// 2000-01-01, from which PostgreSQL counts, in microseconds since 1970.
    private static let postgresEpoch: Int64 = 946_684_800_000_000

    /// Memory for the two forms of one value.
    struct Scratch: ~Copyable {
        var source = RawBuffer()
        var target = RawBuffer()
    }

    // MARK: The form of SQLite's value

    func appendSource(_ statement: OpaquePointer, _ column: Int, _ out: inout RawBuffer) {
        let index = Int32(truncatingIfNeeded: column)
        let storage = sqlite3_column_type(statement, index)
        out.ensure(32)
        if storage == SQLITE_NULL {
            out.append(Mark.null.rawValue)
            return
        }
        let start = out.count
        out.append(Mark.value.rawValue)
        guard appendSourceValue(statement, index, storage, codes[column], &out) else {
            out.truncate(to: start)
            out.ensure(2)
            out.append(Mark.unrepresentable.rawValue)
            out.append(UInt8(truncatingIfNeeded: storage))
            return
        }
    }

    private func appendSourceValue(
        _ statement: OpaquePointer, _ index: Int32, _ storage: Int32, _ code: ColumnCode,
        _ out: inout RawBuffer
    ) -> Bool {
        let integer = sqlite3_column_int64
        let real = sqlite3_column_double
        switch (code.operation, storage) {
        case (.int2, SQLITE_INTEGER), (.int4, SQLITE_INTEGER), (.int8, SQLITE_INTEGER):
            out.append(integer(statement, index))
        case (.double, SQLITE_FLOAT): out.append(real(statement, index).bitPattern)
        case (.double, SQLITE_INTEGER):
            let value = integer(statement, index)
            guard Int64(exactly: Double(value)) == value else { return false }
            out.append(Double(value).bitPattern)
        case (.real, SQLITE_FLOAT), (.real, SQLITE_INTEGER):
            let value = real(statement, index)
            guard storage == SQLITE_FLOAT || Int64(exactly: value) == integer(statement, index),
                let nearest = Self.float(value)
            else { return false }
            out.append(nearest.bitPattern)
        case (.char, SQLITE_TEXT):
            Self.append(unpadded: UnsafeRawBufferPointer(Self.text(statement, index)), &out)
        case (.array, SQLITE_TEXT):
            let text = Self.text(statement, index)
            if ArrayText.isLiteral(text) {
                guard let json = ArrayText.json(text, code.element) else { return false }
                return Self.appendJSON(json, &out)
            }
            return ArrayText.isJSON(text) && Self.appendJSON(text, &out)
        case (.money, SQLITE_TEXT):
            guard let digits = MoneyText.digits(Self.text(statement, index)) else { return false }
            Self.append(digits, &out)
        case (.numeric, SQLITE_INTEGER), (.money, SQLITE_INTEGER):
            Self.append(DecimalDigits(integer(statement, index)), &out)
        case (.numeric, SQLITE_FLOAT), (.money, SQLITE_FLOAT):
            return Self.append(real: real(statement, index), &out)
        case (.boolean, SQLITE_INTEGER):
            let value = integer(statement, index)
            guard value == 0 || value == 1 else { return false }
            out.append(UInt8(value))
        case (.boolean, SQLITE_TEXT):
            switch Self.string(statement, index).lowercased() {
            case "t", "true": out.append(UInt8(1))
            case "f", "false": out.append(UInt8(0))
            default: return false
            }
        case (.timestamp, _): return appendInstant(statement, index, storage, code, &out)
        case (.date, SQLITE_TEXT):
            guard let civil = CivilTime(text: Self.text(statement, index)) else { return false }
            Self.append(civil, &out)
        case (.time, SQLITE_TEXT):
            var text = Self.string(statement, index)
            if code.dates.takesTimesOnFirstDay,
                ["2000-01-01 ", "2000-01-01T", "2000-01-01t"].contains(where: text.hasPrefix)
            {
                text.removeFirst(11)
            }
            guard let time = Self.time(text) else { return false }
            out.append(time)
        case (.interval, SQLITE_INTEGER):
            let product = integer(statement, index).multipliedReportingOverflow(
                by: code.microsecondsPerInteger)
            guard !product.overflow else { return false }
            Self.append(duration: product.partialValue, days: 0, &out)
        case (.jsonb, SQLITE_TEXT):
            return Self.appendJSON(Self.text(statement, index), refusesTwins: true, &out)
        case (.jsonb, SQLITE_INTEGER):
            return Self.appendJSON(integer(statement, index).description.utf8, &out)
        case (.jsonb, SQLITE_FLOAT): return Self.appendJSON(real(statement, index).description.utf8, &out)
        case (.uuid, SQLITE_TEXT):
            return Self.append(uuid: Self.text(statement, index), &out)
        case (.text, _) where storage != SQLITE_BLOB, (.varchar, SQLITE_TEXT), (.enumeration, SQLITE_TEXT),
            (.json, _) where storage != SQLITE_BLOB, (.bytea, SQLITE_BLOB), (.bytea, SQLITE_TEXT),
            (.uuid, SQLITE_BLOB):
            appendBytes(statement, index, storage, &out)
        default: return false
        }
        return true
    }

    private func appendBytes(
        _ statement: OpaquePointer, _ index: Int32, _ storage: Int32, _ out: inout RawBuffer
    ) {
        switch storage {
        case SQLITE_INTEGER: out.append(contentsOf: sqlite3_column_int64(statement, index).description.utf8)
        case SQLITE_FLOAT: out.append(contentsOf: sqlite3_column_double(statement, index).description.utf8)
        default:
            let start =
                storage == SQLITE_TEXT
                ? UnsafeRawPointer(sqlite3_column_text(statement, index))
                : sqlite3_column_blob(statement, index)
            let count = Int(sqlite3_column_bytes(statement, index))
            out.ensure(count)
            if let start, count > 0 { out.append(from: start, count: count) }
        }
    }

    private func appendInstant(
        _ statement: OpaquePointer, _ index: Int32, _ storage: Int32, _ code: ColumnCode,
        _ out: inout RawBuffer
    ) -> Bool {
        var civil: CivilTime
        let perSecond = code.microsecondsPerInteger == 0 ? 0 : 1_000_000 / code.microsecondsPerInteger
        switch storage {
        case SQLITE_INTEGER where perSecond > 0:
            civil = Self.civil(count: sqlite3_column_int64(statement, index), perSecond: perSecond)
        case SQLITE_FLOAT where perSecond > 0:
            // Whole counts first, then the fraction of one, so that no precision goes into the product.
            let micros = (sqlite3_column_double(statement, index) * Double(code.microsecondsPerInteger))
                .rounded(.down)
            guard let value = Int64(exactly: micros) else { return false }
            civil = Self.civil(count: value, perSecond: 1_000_000)
        case SQLITE_TEXT:
            let text = Self.text(statement, index)
            guard let read = CivilTime(text: text) else { return false }
            // Digits that no column of PostgreSQL's has room for are lost where the application reads them.
            if code.dates.smallestStep == 1, DateText.parse(text)?.fractionDigits ?? 0 > 6 { return false }
            civil = read
        default: return false
        }
        civil.cut(step: Int(code.dates.smallestStep))
        Self.append(civil, &out)
        return true
    }

    private static func civil(count: Int64, perSecond: Int64) -> CivilTime {
        let (seconds, rest) = CivilTime.divide(count, by: perSecond)
        let (days, second) = CivilTime.divide(seconds, by: 86400)
        var civil = CivilTime(days: Int(days))
        civil.hour = Int(second / 3600)
        civil.minute = Int(second / 60 % 60)
        civil.second = Int(second % 60)
        civil.microsecond = Int(rest * (1_000_000 / perSecond))
        return civil
    }

    // MARK: The form of PostgreSQL's value

    func appendTarget(_ field: BinaryRow.Field, _ column: Int, _ out: inout RawBuffer) {
        out.ensure(32)
        guard let start = field.start else {
            out.append(Mark.null.rawValue)
            return
        }
        out.append(Mark.value.rawValue)
        let code = codes[column]
        switch (code.operation, field.count) {
        case (.int2, 2): out.append(Int64(field.integer(Int16.self)))
        case (.int4, 4): out.append(Int64(field.integer(Int32.self)))
        case (.timestamp, 8):
            let micros = field.integer(Int64.self)
            // The two infinities of PostgreSQL's are no instant that SQLite can hold.
            guard micros != .max, micros != .min else { return }
            let sum = micros.addingReportingOverflow(Self.postgresEpoch)
            guard !sum.overflow else { return }
            Self.append(CivilTime(microseconds: sum.partialValue), &out)
        case (.date, 4): Self.append(CivilTime(days: Int(field.integer(Int32.self)) + 10957), &out)
        case (.interval, 16):
            let days = Int64(Int32(bigEndian: (start + 8).loadUnaligned(as: Int32.self)))
            let months = Int32(bigEndian: (start + 12).loadUnaligned(as: Int32.self))
            // A month is no number of days.
            guard months == 0 else { return }
            Self.append(duration: field.integer(Int64.self), days: days, &out)
        case (.numeric, _), (.money, _): Self.append(NumericField(field), &out)
        case (.char, _): Self.append(unpadded: UnsafeRawBufferPointer(start: start, count: field.count), &out)
        case (.jsonb, 1...), (.array, 1...):
            let text = UnsafeRawBufferPointer(start: start + 1, count: field.count - 1)
            _ = Self.appendJSON(text, &out)
        default:
            out.ensure(field.count)
            if field.count > 0 { out.append(from: start, count: field.count) }
        }
    }

    // MARK: Shared forms

    private static func text(_ statement: OpaquePointer, _ index: Int32) -> UnsafeBufferPointer<UInt8> {
        let start = sqlite3_column_text(statement, index)
        return UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, index)))
    }

    private static func string(_ statement: OpaquePointer, _ index: Int32) -> String {
        String(decoding: text(statement, index), as: UTF8.self)
    }

    private static func append(_ civil: CivilTime, _ out: inout RawBuffer) {
        out.ensure(32)
        out.append(Int32(truncatingIfNeeded: civil.year))
        out.append(UInt8(truncatingIfNeeded: civil.month))
        out.append(UInt8(truncatingIfNeeded: civil.day))
        out.append(UInt8(truncatingIfNeeded: civil.hour))
        out.append(UInt8(truncatingIfNeeded: civil.minute))
        out.append(UInt8(truncatingIfNeeded: civil.second))
        out.append(Int32(truncatingIfNeeded: civil.microsecond))
    }

    /// A length of time as whole days toward the past and the microseconds beyond.
    private static func append(duration microseconds: Int64, days: Int64, _ out: inout RawBuffer) {
        let (whole, rest) = CivilTime.divide(microseconds, by: 86_400_000_000)
        out.ensure(16)
        out.append(days + whole)
        out.append(rest)
    }

    /// The 16 bytes of `8-4-4-4-12` digits, or of 32 digits in a row; false where the text is neither.
    private static func append(uuid text: UnsafeBufferPointer<UInt8>, _ out: inout RawBuffer) -> Bool {
        let groups = text.count == 32 ? [0..<32] : [0..<8, 9..<13, 14..<18, 19..<23, 24..<36]
        guard groups.last?.upperBound == text.count else { return false }
        for dash in groups.dropFirst() where text[dash.lowerBound - 1] != UInt8(ascii: "-") { return false }
        for group in groups {
            for index in stride(from: group.lowerBound, to: group.upperBound, by: 2) {
                let pair = String(decoding: text[index..<index + 2], as: UTF8.self)
                guard pair.utf8.allSatisfy({ isxdigit(Int32($0)) != 0 }), let byte = UInt8(pair, radix: 16)
                else {
                    return false
                }
                out.append(byte)
            }
        }
        return true
    }

    /// Microseconds since midnight of a text that the encoder took.
    private static func time(_ text: String) -> Int64? {
        let parts = text.split(separator: ":")
        guard parts.count >= 2, let hour = Int64(parts[0]), let minute = Int64(parts[1]) else { return nil }
        var total = (hour * 3600 + minute * 60) * 1_000_000
        guard parts.count > 2 else { return total }
        let second = parts[2].split(whereSeparator: { $0 == "." || $0 == "," })
        guard let whole = Int64(second[0]) else { return nil }
        total += whole * 1_000_000
        if second.count > 1 {
            guard let fraction = Int64((second[1] + "000000").prefix(6)) else { return nil }
            total += fraction
        }
        return total
    }

    private static func append(_ digits: DecimalDigits, _ out: inout RawBuffer) {
        out.append(contentsOf: digits.isNegative && !digits.digits.isEmpty ? [UInt8(1)] : [0])
        out.append(contentsOf: digits.digits)
        out.append(contentsOf: "e\(digits.exponent)".utf8)
    }

    private static func append(_ field: NumericField, _ out: inout RawBuffer) {
        switch field {
        case .finite(let digits): append(digits, &out)
        case .special(let name): out.append(contentsOf: name.utf8)
        }
    }

    /// The shortest digits of a real, found with the C library by trying: not with what the encoder uses.
    private static func append(real value: Double, _ out: inout RawBuffer) -> Bool {
        if value.isInfinite {
            out.append(contentsOf: (value < 0 ? "-inf" : "inf").utf8)
            return true
        }
        for precision in 0..<17 {
            let text = String(format: "%.\(precision)e", value)
            if strtod(text, nil) == value, let digits = DecimalDigits(decimal: text.utf8) {
                append(digits, &out)
                return !(value == 0 && value.sign == .minus)
            }
        }
        return false
    }

    /// The float that a double is exactly, or whose shortest digits it has; found with the C library, not as the encoder does.
    private static func float(_ value: Double) -> Float? {
        let nearest = strtof(String(format: "%.17g", value), nil)
        if Double(nearest) == value { return nearest }
        for precision in 1...9 {
            let text = String(format: "%.\(precision)g", Double(nearest))
            if strtof(text, nil) == nearest { return strtod(text, nil) == value ? nearest : nil }
        }
        return nil
    }

    private static func append(unpadded text: UnsafeRawBufferPointer, _ out: inout RawBuffer) {
        let count = (text.lastIndex { $0 != UInt8(ascii: " ") } ?? -1) + 1
        out.ensure(count)
        if count > 0, let start = text.baseAddress { out.append(from: start, count: count) }
    }

    private static func appendJSON(
        _ text: some Sequence<UInt8>, refusesTwins: Bool = false, _ out: inout RawBuffer
    ) -> Bool {
        guard let canonical = CanonicalJSON.bytes(of: text, refusesTwins: refusesTwins) else { return false }
        out.append(contentsOf: canonical)
        return true
    }
}

/// A numeric as the server sends it: base-10,000 digits with a weight, or a special value.
enum NumericField {
    case finite(DecimalDigits)
    case special(String)

    init(_ field: BinaryRow.Field) {
        guard let start = field.start, field.count >= 8 else {
            self = .special("unreadable")
            return
        }
        func word(_ index: Int) -> UInt16 {
            UInt16(bigEndian: (start + index * 2).loadUnaligned(as: UInt16.self))
        }
        switch word(2) {
        case 0xD000: self = .special("inf")
        case 0xF000: self = .special("-inf")
        case 0xC000: self = .special("nan")
        default:
            let groups = min(Int(word(0)), (field.count - 8) / 2)
            let weight = Int(Int16(bitPattern: word(1)))
            var text = word(2) == 0x4000 ? "-0." : "0."
            for group in 0..<groups {
                let digits = String(word(4 + group))
                text += String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            }
            text += groups == 0 ? "0" : "e\((weight + 1) * 4)"
            self = DecimalDigits(decimal: text.utf8).map { .finite($0) } ?? .special("unreadable")
        }
    }
}
