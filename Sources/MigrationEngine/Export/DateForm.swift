/// Date texts of one form, and ISO 8601 in UTC: turned into each other without loss.
///
/// A stored text is `YYYY-MM-DD`, a separator, `HH:MM:SS` with any fraction, and the zone's text; the exported one has `T` and `Z`
/// in their places, and every digit as it was.
struct DateForm {
    let separator: UInt8
    let zone: [UInt8]

    static let all: [DateForm] = [" ", "T"].flatMap { separator in
        ["", "Z", "+00:00", " +00:00", "+00", "+0000"].map { DateForm(separator: separator, zone: $0) }
    }
    /// How exports write dates.
    static let iso8601 = DateForm(separator: "T", zone: "Z")

    init(separator: String, zone: String) {
        self.separator = separator.utf8.first ?? UInt8(ascii: "T")
        self.zone = Array(zone.utf8)
    }

    var separatorText: String { String(decoding: [separator], as: UTF8.self) }
    var zoneText: String { String(decoding: zone, as: UTF8.self) }

    /// Whether a text is a date of this form that the calendar has.
    func reads(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let end = text.count - zone.count
        guard end >= 19, text[10] == separator, Self.day(text) != nil, Self.second(text) != nil else {
            return false
        }
        for index in zone.indices where text[end + index] != zone[index] { return false }
        guard end > 19 else { return true }
        return text[19] == UInt8(ascii: ".") && end > 20 && text[20..<end].allSatisfy { $0 &- 48 < 10 }
    }

    private static func number(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int? {
        var value = 0
        for index in range {
            guard text[index] &- 48 < 10 else { return nil }
            value = value * 10 + Int(text[index] &- 48)
        }
        return value
    }

    /// Days since 1970 of the first ten bytes.
    private static func day(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        let dash = UInt8(ascii: "-")
        guard text[4] == dash, text[7] == dash, let year = number(text, 0..<4),
            let month = number(text, 5..<7), let day = number(text, 8..<10), (1...12).contains(month),
            day >= 1,
            day <= DateText.daysInMonth(month, year: year)
        else { return nil }
        return DateText.days(year: year, month: month, day: day)
    }

    /// Seconds since midnight of the eight bytes behind the separator.
    private static func second(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        let colon = UInt8(ascii: ":")
        guard text[13] == colon, text[16] == colon, let hour = number(text, 11..<13),
            let minute = number(text, 14..<16), let second = number(text, 17..<19), hour < 24, minute < 60,
            second < 60
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }
}

// MARK: Integers

extension EpochUnit {
    /// Digits of a second's fraction.
    private var digits: Int {
        switch self {
        case .seconds: 0
        case .milliseconds: 3
        case .microseconds: 6
        }
    }

    private var perSecond: Int64 { 1_000_000 / microseconds }

    /// Writes a count since 1970 as ISO 8601; false where its year has not four digits.
    func writeISO8601(_ count: Int64, to buffer: inout RawBuffer) -> Bool {
        let perDay = 86_400 * perSecond
        let days = count >= 0 ? count / perDay : -((-(count + 1)) / perDay) - 1
        // 0000-01-01 to 9999-12-31.
        guard (-719_528...2_932_896).contains(days) else { return false }
        let date = CivilTime(days: Int(days))
        let rest = count - days * perDay
        let second = Int(rest / perSecond)
        buffer.ensure(28)
        buffer.append(digits: date.year, 4)
        buffer.append(UInt8(ascii: "-"))
        buffer.append(digits: date.month, 2)
        buffer.append(UInt8(ascii: "-"))
        buffer.append(digits: date.day, 2)
        buffer.append(UInt8(ascii: "T"))
        buffer.append(digits: second / 3600, 2)
        buffer.append(UInt8(ascii: ":"))
        buffer.append(digits: second / 60 % 60, 2)
        buffer.append(UInt8(ascii: ":"))
        buffer.append(digits: second % 60, 2)
        if digits > 0 {
            buffer.append(UInt8(ascii: "."))
            buffer.append(digits: Int(rest % perSecond), digits)
        }
        buffer.append(UInt8(ascii: "Z"))
        return true
    }

    /// The count since 1970 that `writeISO8601` has written so; nil for any other text.
    func readISO8601(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard text.count == (digits == 0 ? 20 : 21 + digits), DateForm.iso8601.reads(text),
            let seconds = DateForm.seconds(text)
        else { return nil }
        var fraction: Int64 = 0
        if digits > 0 {
            for index in 20..<20 + digits { fraction = fraction * 10 + Int64(text[index] &- 48) }
        }
        return seconds * perSecond + fraction
    }
}

extension DateForm {
    /// Seconds since 1970 of a text that a form reads.
    fileprivate static func seconds(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard let day = day(text), let second = second(text) else { return nil }
        return Int64(day) * 86_400 + Int64(second)
    }
}

extension RawBuffer {
    /// Writes a number with zeros before it.
    fileprivate mutating func append(digits value: Int, _ count: Int) {
        var power = 1
        for _ in 1..<count { power *= 10 }
        while power > 0 {
            append(UInt8(48 + value / power % 10))
            power /= 10
        }
    }
}
