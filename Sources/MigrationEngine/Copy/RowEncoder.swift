import CSQLite

/// Writes rows of a stepped SQLite statement in PostgreSQL's binary COPY format, into memory of its own.
///
/// https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4. The hot loop of the copy: raw memory, one
/// capacity check a field, no objects for the common types. Reads each value by its storage class. Used by one
/// thread; `RowEncoderTests` compares it with a plain encoder on random rows.
struct RowEncoder: ~Copyable {
    private let codes: UnsafeMutablePointer<ColumnCode>
    private let columnCount: Int
    private var out = RawBuffer()
    /// Values that stay where SQLite holds them, with their place among `bytes`.
    private var borrowed: [(place: Int, value: UnsafeRawBufferPointer)] = []
    /// Bytes from which on a value is not copied.
    private static let borrowing = 1 << 18
    /// The column, from 0, at which `encodeRow` met a misfit.
    private(set) var misfitColumn = 0

    private let borrowsLargeValues: Bool

    /// With `borrowsLargeValues`, large texts and BLOBs are not copied, and `bytes` alone is not everything.
    init(_ columns: [ColumnCode], borrowsLargeValues: Bool = false) {
        self.borrowsLargeValues = borrowsLargeValues
        columnCount = columns.count
        codes = .allocate(capacity: max(1, columns.count))
        codes.initialize(from: columns, count: columns.count)
    }

    deinit {
        codes.deinitialize(count: columnCount)
        codes.deallocate()
    }

    /// What has been written since the last `removeAll`, without large values; valid until the next call.
    var bytes: UnsafeRawBufferPointer { out.bytes }

    /// Whether a large value lies where SQLite holds it: until the statement's next step.
    var hasBorrowed: Bool { !borrowed.isEmpty }

    /// Hands out everything that has been written, in order.
    func forEachPart(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        var place = 0
        for (next, value) in borrowed {
            try body(UnsafeRawBufferPointer(rebasing: out.bytes[place..<next]))
            try body(value)
            place = next
        }
        try body(UnsafeRawBufferPointer(rebasing: out.bytes[place...]))
    }

    mutating func removeAll() {
        out.removeAll()
        borrowed.removeAll(keepingCapacity: true)
    }

    /// Signature, flags and extension length.
    mutating func appendHeader() { Self.appendHeader(to: &out) }

    static func appendHeader(to out: inout RawBuffer) {
        out.ensure(19)
        let signature: [UInt8] = [0x50, 0x47, 0x43, 0x4F, 0x50, 0x59, 0x0A, 0xFF, 0x0D, 0x0A, 0x00]
        for byte in signature { out.append(byte) }
        out.append(Int32(0))
        out.append(Int32(0))
    }

    mutating func appendTrailer() {
        out.ensure(2)
        out.append(Int16(-1))
    }

    /// Writes the row on which the statement stands. A misfit leaves nothing of the row behind.
    mutating func encodeRow(_ statement: OpaquePointer) -> Misfit? {
        let start = out.count
        let large = borrowed.count
        out.ensure(2)
        out.append(Int16(truncatingIfNeeded: columnCount))
        for column in 0..<columnCount {
            if let misfit = encodeCell(statement, column) {
                out.truncate(to: start)
                borrowed.removeSubrange(large...)
                misfitColumn = column
                return misfit
            }
        }
        return nil
    }

    /// Writes one field: its length and its bytes.
    private mutating func encodeCell(_ statement: OpaquePointer, _ column: Int) -> Misfit? {
        let index = Int32(truncatingIfNeeded: column)
        let storage = sqlite3_column_type(statement, index)
        if storage == SQLITE_NULL {
            out.ensure(4)
            out.append(Int32(-1))
            return nil
        }
        switch codes[column].operation {
        case .int8:
            guard storage == SQLITE_INTEGER else { return .storageClass }
            out.ensure(12)
            out.append(Int32(8))
            out.append(sqlite3_column_int64(statement, index))
        case .int4:
            guard storage == SQLITE_INTEGER else { return .storageClass }
            guard let value = Int32(exactly: sqlite3_column_int64(statement, index)) else {
                return .outOfRange
            }
            out.ensure(8)
            out.append(Int32(4))
            out.append(value)
        case .text:
            if storage == SQLITE_TEXT { return copyBytes(statement, index, isText: true) }
            return appendRendered(statement, index, storage)
        case .bytea:
            guard storage == SQLITE_BLOB || storage == SQLITE_TEXT else { return .storageClass }
            return copyBytes(statement, index, isText: storage == SQLITE_TEXT)
        case .timestamp: return encodeTimestamp(statement, index, storage, column)
        case .boolean: return encodeBoolean(statement, index, storage)
        case .double: return encodeDouble(statement, index, storage)
        case .int2:
            guard storage == SQLITE_INTEGER else { return .storageClass }
            guard let value = Int16(exactly: sqlite3_column_int64(statement, index)) else {
                return .outOfRange
            }
            out.ensure(6)
            out.append(Int32(2))
            out.append(value)
        case .numeric: return encodeNumeric(statement, index, storage, column)
        case .varchar: return encodeVarchar(statement, index, storage, column)
        case .date, .time: return encodeCalendar(statement, index, storage, column)
        case .json, .jsonb:
            return encodeJSON(statement, index, storage, isBinary: codes[column].operation == .jsonb)
        case .interval: return encodeInterval(statement, index, storage, column)
        case .uuid: return encodeUUID(statement, index, storage)
        case .enumeration: return encodeLabel(statement, index, storage, column)
        case .real: return encodeReal(statement, index, storage)
        case .char: return encodeChar(statement, index, storage, column)
        case .money: return encodeMoney(statement, index, storage, column)
        case .array: return encodeArray(statement, index, storage, column)
        }
        return nil
    }

    // MARK: The common types

    private mutating func copyBytes(_ statement: OpaquePointer, _ index: Int32, isText: Bool) -> Misfit? {
        // column_text first: it may convert, and the length is that of the converted text.
        let start =
            isText
            ? UnsafeRawPointer(sqlite3_column_text(statement, index)) : sqlite3_column_blob(statement, index)
        let length = Int(sqlite3_column_bytes(statement, index))
        guard length <= TypeFit.largestValue else { return .tooLarge }
        guard let start, length < Self.borrowing || !borrowsLargeValues else {
            out.ensure(4)
            out.append(Int32(truncatingIfNeeded: length))
            if let start { borrowed.append((out.count, UnsafeRawBufferPointer(start: start, count: length))) }
            return nil
        }
        out.ensure(4 + length)
        out.append(Int32(truncatingIfNeeded: length))
        out.append(from: start, count: length)
        return nil
    }

    private mutating func encodeBoolean(_ statement: OpaquePointer, _ index: Int32, _ storage: Int32)
        -> Misfit?
    {
        let value: Bool
        if storage == SQLITE_INTEGER {
            let number = sqlite3_column_int64(statement, index)
            guard number == 0 || number == 1 else { return .notBoolean }
            value = number == 1
        } else if storage == SQLITE_TEXT, let parsed = text(statement, index).flatMap(BooleanText.parse) {
            value = parsed
        } else {
            return .notBoolean
        }
        out.ensure(5)
        out.append(Int32(1))
        out.append(value ? UInt8(1) : 0)
        return nil
    }

    private mutating func encodeDouble(_ statement: OpaquePointer, _ index: Int32, _ storage: Int32)
        -> Misfit?
    {
        guard storage == SQLITE_FLOAT || storage == SQLITE_INTEGER else { return .storageClass }
        let value = sqlite3_column_double(statement, index)
        if storage == SQLITE_INTEGER, Int64(exactly: value) != sqlite3_column_int64(statement, index) {
            return .outOfRange
        }
        out.ensure(12)
        out.append(Int32(8))
        out.append(Int64(bitPattern: value.bitPattern))
        return nil
    }

    private mutating func encodeTimestamp(
        _ statement: OpaquePointer, _ index: Int32, _ storage: Int32, _ column: Int
    ) -> Misfit? {
        var micros: Int64
        switch storage {
        case SQLITE_INTEGER:
            let unit = codes[column].microsecondsPerInteger
            guard unit > 0 else { return .storageClass }
            let product = sqlite3_column_int64(statement, index).multipliedReportingOverflow(by: unit)
            guard !product.overflow else { return .outOfRange }
            micros = product.partialValue
        case SQLITE_TEXT:
            guard let date = text(statement, index).flatMap(DateText.parse) else { return .notADate }
            micros = date.microseconds
            if !codes[column].dates.takesEveryForm {
                let isLocal = date.form == .local || date.form == .day || date.form == .minute
                let isTaken =
                    codes[column].isZoned
                    ? date.form == .utc || (isLocal && codes[column].dates.takesLocalAsUTC) : isLocal
                guard isTaken else { return .zone }
            }
            if date.fractionDigits > 6, codes[column].dates.smallestStep == 1 { return .finerThanColumn }
        case SQLITE_FLOAT:
            // A real counts like an integer, with a fraction.
            guard codes[column].dates.takesEveryForm, codes[column].microsecondsPerInteger > 0 else {
                return .storageClass
            }
            let scaled =
                (sqlite3_column_double(statement, index) * Double(codes[column].microsecondsPerInteger))
                .rounded(.down)
            guard let value = Int64(exactly: scaled) else { return .outOfRange }
            micros = value
        default: return .storageClass
        }
        guard TypeFit.timestampRange.contains(micros) else { return .outOfRange }
        let smallest = codes[column].dates.smallestStep
        if smallest > 1 {
            // Toward the past, before 1970 too.
            let rest = micros % smallest
            micros -= rest < 0 ? rest + smallest : rest
        }
        guard micros % codes[column].step == 0 else { return .finerThanColumn }
        out.ensure(12)
        out.append(Int32(8))
        out.append(micros - TypeFit.postgresEpoch)
        return nil
    }

    private mutating func encodeVarchar(
        _ statement: OpaquePointer, _ index: Int32, _ storage: Int32, _ column: Int
    ) -> Misfit? {
        guard storage == SQLITE_TEXT, let text = text(statement, index) else { return .storageClass }
        guard let start = text.baseAddress, text.count > codes[column].maxCharacters else {
            return copyBytes(statement, index, isText: true)
        }
        guard TextScan(start, count: text.count).characters <= codes[column].maxCharacters else {
            return .tooLong
        }
        return copyBytes(statement, index, isText: true)
    }

    // MARK: The others

    /// Integers and reals in a text column: as the shortest decimal text.
    private mutating func appendRendered(_ statement: OpaquePointer, _ index: Int32, _ storage: Int32)
        -> Misfit?
    {
        switch storage {
        case SQLITE_INTEGER: append(field: sqlite3_column_int64(statement, index).description.utf8)
        case SQLITE_FLOAT: append(field: sqlite3_column_double(statement, index).description.utf8)
        default: return .storageClass
        }
        return nil
    }

    /// Base-10,000 digits, https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/numeric.c
    private mutating func encodeNumeric(
        _ statement: OpaquePointer, _ index: Int32, _ storage: Int32, _ column: Int
    ) -> Misfit? {
        let digits: DecimalDigits
        switch storage {
        case SQLITE_INTEGER: digits = DecimalDigits(sqlite3_column_int64(statement, index))
        case SQLITE_FLOAT:
            let value = sqlite3_column_double(statement, index)
            if value == 0, value.sign == .minus { return .negativeZero }
            if value.isInfinite {
                guard codes[column].numericLimit == nil else { return .infinite }
                out.ensure(12)
                out.append(Int32(8))
                out.append(Int32(0))
                out.append(UInt16(value < 0 ? 0xF000 : 0xD000))
                out.append(Int16(0))
                return nil
            }
            digits = DecimalDigits(value)
        default: return .storageClass
        }
        if let limit = codes[column].numericLimit,
            digits.scale > limit.scale || digits.integralDigits > limit.integral
        {
            return .digits
        }
        append(numeric: digits)
        return nil
    }

    private mutating func append(numeric value: DecimalDigits) {
        // Groups of four are aligned at the point.
        let firstGroup = value.digits.isEmpty ? 0 : Self.floorDivide(value.exponent - 1, 4)
        let leading = value.digits.isEmpty ? 0 : 4 * (firstGroup + 1) - value.exponent
        let groups = (leading + value.digits.count + 3) / 4
        out.ensure(12 + groups * 2)
        out.append(Int32(truncatingIfNeeded: 8 + groups * 2))
        out.append(Int16(truncatingIfNeeded: groups))
        out.append(Int16(truncatingIfNeeded: firstGroup))
        out.append(UInt16(value.isNegative && !value.digits.isEmpty ? 0x4000 : 0))
        out.append(Int16(truncatingIfNeeded: value.scale))
        for group in 0..<groups {
            var number: Int16 = 0
            for place in 0..<4 {
                let position = group * 4 + place - leading
                let digit = position >= 0 && position < value.digits.count ? Int16(value.digits[position]) : 0
                number = number * 10 + digit
            }
            out.append(number)
        }
    }

    private static func floorDivide(_ value: Int, _ divisor: Int) -> Int {
        value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
    }

    private mutating func encodeCalendar(
        _ statement: OpaquePointer, _ index: Int32, _ storage: Int32, _ column: Int
    ) -> Misfit? {
        guard storage == SQLITE_TEXT, let text = text(statement, index) else { return .storageClass }
        if codes[column].operation == .date {
            guard let date = DateText.parse(text), date.form == .day else { return .notADate }
            out.ensure(8)
            out.append(Int32(4))
            out.append(
                Int32(truncatingIfNeeded: (date.microseconds - TypeFit.postgresEpoch) / 86_400_000_000))
            return nil
        }
        let read =
            codes[column].dates.takesTimesOnFirstDay
            ? DateText.parseTimeOnFirstDay(text) : DateText.parseTime(text)
        guard let time = read else { return .notATime }
        guard time.fractionDigits <= 6, time.microseconds % codes[column].step == 0 else {
            return .finerThanColumn
        }
        out.ensure(12)
        out.append(Int32(8))
        out.append(time.microseconds)
        return nil
    }

    /// Microseconds, days and months, as Python's timedelta and so Django's driver split a length of time: whole days
    /// toward the past and the rest, no months.
    private mutating func encodeInterval(
        _ statement: OpaquePointer, _ index: Int32, _ storage: Int32, _ column: Int
    ) -> Misfit? {
        guard storage == SQLITE_INTEGER else { return .storageClass }
        let product = sqlite3_column_int64(statement, index)
            .multipliedReportingOverflow(by: codes[column].microsecondsPerInteger)
        guard !product.overflow else { return .outOfRange }
        let day: Int64 = 86_400_000_000
        let days = product.partialValue / day
        let rest = product.partialValue % day
        out.ensure(20)
        out.append(Int32(16))
        out.append(rest < 0 ? rest + day : rest)
        out.append(Int32(truncatingIfNeeded: rest < 0 ? days - 1 : days))
        out.append(Int32(0))
        return nil
    }

    private mutating func encodeJSON(
        _ statement: OpaquePointer, _ index: Int32, _ storage: Int32, isBinary: Bool
    ) -> Misfit? {
        var rendered: [UInt8] = isBinary ? [1] : []
        switch storage {
        case SQLITE_TEXT:
            guard let text = text(statement, index), let start = text.baseAddress else { return .json }
            let verdict = JSONText.check(text)
            guard verdict == .valid || (verdict == .textOnly && !isBinary) else { return .json }
            let scan = TextScan(start, count: text.count)
            guard scan.isValid, !scan.hasNUL else { return .encoding }
            if !isBinary { return copyBytes(statement, index, isText: true) }
            rendered.append(contentsOf: text)
        case SQLITE_INTEGER:
            rendered.append(contentsOf: sqlite3_column_int64(statement, index).description.utf8)
        case SQLITE_FLOAT:
            let value = sqlite3_column_double(statement, index)
            guard value.isFinite else { return .json }
            rendered.append(contentsOf: value.description.utf8)
        default: return .storageClass
        }
        append(field: rendered)
        return nil
    }

    /// The nearest float, where it is the value exactly or has the same shortest digits.
    private mutating func encodeReal(_ statement: OpaquePointer, _ index: Int32, _ storage: Int32) -> Misfit?
    {
        guard storage == SQLITE_FLOAT || storage == SQLITE_INTEGER else { return .storageClass }
        let value = sqlite3_column_double(statement, index)
        if storage == SQLITE_INTEGER, Int64(exactly: value) != sqlite3_column_int64(statement, index) {
            return .digits
        }
        let nearest = Float(value)
        guard Double(nearest) == value || Double(nearest.description) == value else { return .digits }
        out.ensure(8)
        out.append(Int32(4))
        out.append(nearest.bitPattern)
        return nil
    }

    private mutating func encodeChar(
        _ statement: OpaquePointer, _ index: Int32, _ storage: Int32, _ column: Int
    ) -> Misfit? {
        guard storage == SQLITE_TEXT, let text = text(statement, index) else { return .storageClass }
        let characters = text.baseAddress.map { TextScan($0, count: text.count).characters } ?? 0
        if characters < codes[column].maxCharacters {
            if codes[column].mustBeFull { return .notFull }
            if text.last == UInt8(ascii: " ") { return .endsInSpaces }
        }
        return encodeVarchar(statement, index, storage, column)
    }

    private mutating func encodeMoney(
        _ statement: OpaquePointer, _ index: Int32, _ storage: Int32, _ column: Int
    ) -> Misfit? {
        guard storage == SQLITE_TEXT else { return encodeNumeric(statement, index, storage, column) }
        guard let digits = text(statement, index).flatMap(MoneyText.digits) else { return .storageClass }
        append(numeric: digits)
        return nil
    }

    /// As jsonb, of which the server makes the array.
    private mutating func encodeArray(
        _ statement: OpaquePointer, _ index: Int32, _ storage: Int32, _ column: Int
    ) -> Misfit? {
        guard storage == SQLITE_TEXT, let text = text(statement, index), let start = text.baseAddress else {
            return .array
        }
        let scan = TextScan(start, count: text.count)
        guard scan.isValid, !scan.hasNUL else { return .encoding }
        if ArrayText.isLiteral(text) {
            guard let json = ArrayText.json(text, codes[column].element) else { return .array }
            let isValid = json.withUnsafeBufferPointer { JSONText.check($0) == .valid }
            guard isValid else { return .array }
            append(field: [1] + json)
            return nil
        }
        guard ArrayText.isJSON(text) else { return .array }
        return encodeJSON(statement, index, storage, isBinary: true)
    }

    private mutating func encodeUUID(_ statement: OpaquePointer, _ index: Int32, _ storage: Int32) -> Misfit?
    {
        if storage == SQLITE_BLOB, sqlite3_column_bytes(statement, index) == 16 {
            return copyBytes(statement, index, isText: false)
        }
        guard storage == SQLITE_TEXT, let text = text(statement, index), let form = UUIDText.form(text) else {
            return .uuid
        }
        var bytes: [UInt8] = []
        var high: UInt8?
        for (position, character) in text.enumerated() {
            if form == .dashed, UUIDText.isDash(at: position) { continue }
            guard let digit = UUIDText.digit(character) else { return .uuid }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        append(field: bytes)
        return nil
    }

    private mutating func encodeLabel(
        _ statement: OpaquePointer, _ index: Int32, _ storage: Int32, _ column: Int
    ) -> Misfit? {
        guard storage == SQLITE_TEXT, let text = text(statement, index) else { return .storageClass }
        guard codes[column].labels.contains(where: { $0.elementsEqual(text) }) else { return .label }
        return copyBytes(statement, index, isText: true)
    }

    // MARK: Memory

    private func text(_ statement: OpaquePointer, _ index: Int32) -> UnsafeBufferPointer<UInt8>? {
        guard let start = sqlite3_column_text(statement, index) else { return nil }
        return UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, index)))
    }

    private mutating func append(field bytes: some Collection<UInt8>) {
        out.ensure(4 + bytes.count)
        out.append(Int32(truncatingIfNeeded: bytes.count))
        for byte in bytes { out.append(byte) }
    }
}
