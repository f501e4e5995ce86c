import CSQLite

/// Writes rows of the source in PostgreSQL's binary COPY format, into memory of its own.
///
/// https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4. The hot loop of the copy: raw memory, one
/// capacity check a field, no objects for the common types. Reads each value by its storage class. Used by one
/// thread; `RowEncoderTests` compares it with a plain encoder on random rows.
struct RowEncoder: ~Copyable {
    private let codes: UnsafeMutablePointer<ColumnCode>
    private let columnCount: Int
    private var out = RawBuffer()
    /// Values that stay where they were read, with their place among `bytes`.
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

    /// Whether a large value lies where it was read: until the next row.
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

    /// Writes a row of the source. A misfit leaves nothing of the row behind.
    mutating func encodeRow(_ rows: borrowing SourceRows) -> Misfit? {
        let (start, large) = beginRow()
        for column in 0..<columnCount {
            if let misfit = encodeCell(rows.value(column), column) {
                return takeBack(misfit, column, start, large)
            }
        }
        return nil
    }

    /// Writes the row on which the statement stands. A misfit leaves nothing of the row behind.
    mutating func encodeRow(_ statement: OpaquePointer) -> Misfit? {
        let (start, large) = beginRow()
        for column in 0..<columnCount {
            let value = SourceValue(statement, Int32(truncatingIfNeeded: column))
            if let misfit = encodeCell(value, column) { return takeBack(misfit, column, start, large) }
        }
        return nil
    }

    @inline(__always)
    private mutating func beginRow() -> (start: Int, large: Int) {
        let start = out.count
        out.ensure(2)
        out.append(Int16(truncatingIfNeeded: columnCount))
        return (start, borrowed.count)
    }

    private mutating func takeBack(_ misfit: Misfit, _ column: Int, _ start: Int, _ large: Int) -> Misfit {
        out.truncate(to: start)
        borrowed.removeSubrange(large...)
        misfitColumn = column
        return misfit
    }

    /// Writes one field: its length and its bytes.
    @inline(__always)
    private mutating func encodeCell(_ value: SourceValue, _ column: Int) -> Misfit? {
        let storage = value.storage
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
            out.append(value.integer)
        case .int4:
            guard storage == SQLITE_INTEGER else { return .storageClass }
            guard let number = Int32(exactly: value.integer) else { return .outOfRange }
            out.ensure(8)
            out.append(Int32(4))
            out.append(number)
        case .text:
            if storage == SQLITE_TEXT { return copyBytes(value) }
            return appendRendered(value)
        case .bytea:
            guard storage == SQLITE_BLOB || storage == SQLITE_TEXT else { return .storageClass }
            return copyBytes(value)
        case .timestamp: return encodeTimestamp(value, column)
        case .boolean: return encodeBoolean(value)
        case .double: return encodeDouble(value)
        case .int2:
            guard storage == SQLITE_INTEGER else { return .storageClass }
            guard let number = Int16(exactly: value.integer) else { return .outOfRange }
            out.ensure(6)
            out.append(Int32(2))
            out.append(number)
        case .numeric: return encodeNumeric(value, column)
        case .varchar: return encodeVarchar(value, column)
        case .date, .time: return encodeCalendar(value, column)
        case .json, .jsonb:
            return encodeJSON(value, isBinary: codes[column].operation == .jsonb)
        case .interval: return encodeInterval(value, column)
        case .uuid: return encodeUUID(value)
        case .enumeration: return encodeLabel(value, column)
        case .real: return encodeReal(value)
        case .char: return encodeChar(value, column)
        case .money: return encodeMoney(value, column)
        case .array: return encodeArray(value, column)
        }
        return nil
    }

    // MARK: The common types

    @inline(__always)
    private mutating func copyBytes(_ value: SourceValue) -> Misfit? {
        let bytes = value.bytes
        let length = bytes.count
        guard !value.isLost, length <= TypeFit.largestValue else { return .tooLarge }
        guard let start = bytes.baseAddress, length < Self.borrowing || !borrowsLargeValues else {
            out.ensure(4)
            out.append(Int32(truncatingIfNeeded: length))
            if length > 0 { borrowed.append((out.count, bytes)) }
            return nil
        }
        out.ensure(4 + length)
        out.append(Int32(truncatingIfNeeded: length))
        out.append(from: start, count: length)
        return nil
    }

    private mutating func encodeBoolean(_ value: SourceValue) -> Misfit? {
        let isTrue: Bool
        if value.storage == SQLITE_INTEGER {
            let number = value.integer
            guard number == 0 || number == 1 else { return .notBoolean }
            isTrue = number == 1
        } else if value.storage == SQLITE_TEXT, let parsed = value.text.flatMap(BooleanText.parse) {
            isTrue = parsed
        } else {
            return .notBoolean
        }
        out.ensure(5)
        out.append(Int32(1))
        out.append(isTrue ? UInt8(1) : 0)
        return nil
    }

    private mutating func encodeDouble(_ value: SourceValue) -> Misfit? {
        guard value.storage == SQLITE_FLOAT || value.storage == SQLITE_INTEGER else { return .storageClass }
        let real = value.real
        if value.storage == SQLITE_INTEGER, Int64(exactly: real) != value.integer { return .outOfRange }
        out.ensure(12)
        out.append(Int32(8))
        out.append(Int64(bitPattern: real.bitPattern))
        return nil
    }

    private mutating func encodeTimestamp(_ value: SourceValue, _ column: Int) -> Misfit? {
        var micros: Int64
        switch value.storage {
        case SQLITE_INTEGER:
            let unit = codes[column].microsecondsPerInteger
            guard unit > 0 else { return .storageClass }
            let product = value.integer.multipliedReportingOverflow(by: unit)
            guard !product.overflow else { return .outOfRange }
            micros = product.partialValue
        case SQLITE_TEXT:
            guard let date = value.text.flatMap(DateText.parse) else { return .notADate }
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
            let scaled = (value.real * Double(codes[column].microsecondsPerInteger)).rounded(.down)
            guard let whole = Int64(exactly: scaled) else { return .outOfRange }
            micros = whole
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

    private mutating func encodeVarchar(_ value: SourceValue, _ column: Int) -> Misfit? {
        guard value.storage == SQLITE_TEXT, let text = value.text else { return .storageClass }
        guard let start = text.baseAddress, text.count > codes[column].maxCharacters else {
            return copyBytes(value)
        }
        guard TextScan(start, count: text.count).characters <= codes[column].maxCharacters else {
            return .tooLong
        }
        return copyBytes(value)
    }

    // MARK: The others

    /// Integers and reals in a text column: as the shortest decimal text.
    private mutating func appendRendered(_ value: SourceValue) -> Misfit? {
        switch value.storage {
        case SQLITE_INTEGER: append(field: value.integer.description.utf8)
        case SQLITE_FLOAT: append(field: value.real.description.utf8)
        default: return .storageClass
        }
        return nil
    }

    /// Base-10,000 digits, https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/numeric.c
    private mutating func encodeNumeric(_ value: SourceValue, _ column: Int) -> Misfit? {
        let digits: DecimalDigits
        switch value.storage {
        case SQLITE_INTEGER: digits = DecimalDigits(value.integer)
        case SQLITE_FLOAT:
            let real = value.real
            if real == 0, real.sign == .minus { return .negativeZero }
            if real.isInfinite {
                guard codes[column].numericLimit == nil else { return .infinite }
                out.ensure(12)
                out.append(Int32(8))
                out.append(Int32(0))
                out.append(UInt16(real < 0 ? 0xF000 : 0xD000))
                out.append(Int16(0))
                return nil
            }
            digits = DecimalDigits(real)
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

    private mutating func encodeCalendar(_ value: SourceValue, _ column: Int) -> Misfit? {
        guard value.storage == SQLITE_TEXT, let text = value.text else { return .storageClass }
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
    private mutating func encodeInterval(_ value: SourceValue, _ column: Int) -> Misfit? {
        guard value.storage == SQLITE_INTEGER else { return .storageClass }
        let product = value.integer
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

    private mutating func encodeJSON(_ value: SourceValue, isBinary: Bool) -> Misfit? {
        let version: [UInt8] = isBinary ? [1] : []
        switch value.storage {
        case SQLITE_TEXT:
            guard let text = value.text, let start = text.baseAddress else { return .json }
            let verdict = JSONText.check(text)
            guard verdict == .valid || (verdict == .textOnly && !isBinary) else { return .json }
            let scan = TextScan(start, count: text.count)
            guard scan.isValid, !scan.hasNUL else { return .encoding }
            if !isBinary { return copyBytes(value) }
            guard text.count < TypeFit.largestValue else { return .tooLarge }
            out.ensure(5 + text.count)
            out.append(Int32(truncatingIfNeeded: 1 + text.count))
            out.append(UInt8(1))
            out.append(from: start, count: text.count)
        case SQLITE_INTEGER: append(field: version + value.integer.description.utf8)
        case SQLITE_FLOAT:
            let real = value.real
            guard real.isFinite else { return .json }
            append(field: version + real.description.utf8)
        default: return .storageClass
        }
        return nil
    }

    /// The nearest float, where it is the value exactly or has the same shortest digits.
    private mutating func encodeReal(_ value: SourceValue) -> Misfit? {
        guard value.storage == SQLITE_FLOAT || value.storage == SQLITE_INTEGER else { return .storageClass }
        let real = value.real
        if value.storage == SQLITE_INTEGER, Int64(exactly: real) != value.integer { return .digits }
        let nearest = Float(real)
        guard Double(nearest) == real || Double(nearest.description) == real else { return .digits }
        out.ensure(8)
        out.append(Int32(4))
        out.append(nearest.bitPattern)
        return nil
    }

    private mutating func encodeChar(_ value: SourceValue, _ column: Int) -> Misfit? {
        guard value.storage == SQLITE_TEXT, let text = value.text else { return .storageClass }
        let characters = text.baseAddress.map { TextScan($0, count: text.count).characters } ?? 0
        if characters < codes[column].maxCharacters {
            if codes[column].mustBeFull { return .notFull }
            if text.last == UInt8(ascii: " ") { return .endsInSpaces }
        }
        return encodeVarchar(value, column)
    }

    private mutating func encodeMoney(_ value: SourceValue, _ column: Int) -> Misfit? {
        guard value.storage == SQLITE_TEXT else { return encodeNumeric(value, column) }
        guard let digits = value.text.flatMap(MoneyText.digits) else { return .storageClass }
        append(numeric: digits)
        return nil
    }

    /// As jsonb, of which the server makes the array.
    private mutating func encodeArray(_ value: SourceValue, _ column: Int) -> Misfit? {
        guard value.storage == SQLITE_TEXT, let text = value.text, let start = text.baseAddress else {
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
        return encodeJSON(value, isBinary: true)
    }

    private mutating func encodeUUID(_ value: SourceValue) -> Misfit? {
        if value.storage == SQLITE_BLOB, value.bytes.count == 16 {
            return copyBytes(value)
        }
        guard value.storage == SQLITE_TEXT, let text = value.text, let form = UUIDText.form(text) else {
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

    private mutating func encodeLabel(_ value: SourceValue, _ column: Int) -> Misfit? {
        guard value.storage == SQLITE_TEXT, let text = value.text else { return .storageClass }
        guard codes[column].labels.contains(where: { $0.elementsEqual(text) }) else { return .label }
        return copyBytes(value)
    }

    // MARK: Memory

    private mutating func append(field bytes: some Collection<UInt8>) {
        out.ensure(4 + bytes.count)
        out.append(Int32(truncatingIfNeeded: bytes.count))
        for byte in bytes { out.append(byte) }
    }
}
