/// A point in time read from text.
struct DateText: Equatable {
    /// The forms that applications write; see the table in the README.
    enum Form: Int, CaseIterable, Sendable {
        /// `2024-05-06 07:08:09` or with a `T`, with or without a fraction, no zone.
        case local
        /// The same with `Z` or an offset of zero.
        case utc
        /// The same with another offset.
        case offset
        /// `2024-05-06`
        case day
        /// `2024-05-06 07:08` or with a `T`, no seconds.
        case minute
        /// `Mon, 06 May 2024 07:08:09 +0200`
        case rfc2822
    }

    var form: Form
    /// Microseconds since 1970-01-01 00:00:00 UTC; digits beyond are cut, toward the past.
    var microseconds: Int64
    /// Digits after the second, without trailing zeros.
    var fractionDigits: Int

    /// The years whose microseconds since 1970 surely fit 64 bits; PostgreSQL's timestamps end within them.
    static let years = -290_000...294_246

    /// 2000-01-01, the day that Rails puts before a time of day
    /// (https://api.rubyonrails.org/classes/ActiveRecord/ConnectionAdapters/Quoting.html#method-i-quoted_time).
    static let firstDay: Range<Int64> = 946_684_800_000_000..<946_771_200_000_000

    /// Reads the whole of `bytes`; nil where they are no date, or one that no calendar has.
    static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> DateText? {
        var scanner = Scanner(bytes)
        guard let first = bytes.first, bytes.count > 2 else { return nil }
        let isDayFirst = bytes[1] == UInt8(ascii: " ") || bytes[2] == UInt8(ascii: " ")
        let isISO8601 = Scanner.isDigit(first) || first == UInt8(ascii: "+") || first == UInt8(ascii: "-")
        return isISO8601 && !isDayFirst ? scanner.iso8601() : scanner.rfc2822()
    }

    /// A time of day, `07:08`, `07:08:09` or with a fraction: microseconds since midnight and digits.
    static func parseTime(_ bytes: UnsafeBufferPointer<UInt8>) -> (microseconds: Int64, fractionDigits: Int)?
    {
        var scanner = Scanner(bytes)
        guard let time = scanner.time(), scanner.isAtEnd else { return nil }
        return (time.microseconds, time.fractionDigits)
    }

    /// The same, also behind the day that Rails puts before it: `2000-01-01 07:08:09`.
    static func parseTimeOnFirstDay(_ bytes: UnsafeBufferPointer<UInt8>) -> (
        microseconds: Int64, fractionDigits: Int
    )? {
        if let time = parseTime(bytes) { return time }
        guard let date = parse(bytes), date.form == .local, firstDay.contains(date.microseconds) else {
            return nil
        }
        return (date.microseconds - firstDay.lowerBound, date.fractionDigits)
    }

    /// Days from 1970-01-01 to a date of the proleptic Gregorian calendar.
    static func days(year: Int, month: Int, day: Int) -> Int {
        // Counted in 400-year eras that begin in March, so that the leap day is the last day of a year.
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    static func daysInMonth(_ month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    // MARK: Reading

    private struct Scanner {
        let bytes: UnsafeBufferPointer<UInt8>
        var position = 0

        init(_ bytes: UnsafeBufferPointer<UInt8>) {
            self.bytes = bytes
        }

        var isAtEnd: Bool { position == bytes.count }

        static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

        var next: UInt8 { position < bytes.count ? bytes[position] : 0 }

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard next == UInt8(ascii: character), !isAtEnd else { return false }
            position += 1
            return true
        }

        mutating func digits(_ count: Int) -> Int? {
            guard position + count <= bytes.count else { return nil }
            var value = 0
            for index in position..<position + count {
                guard Self.isDigit(bytes[index]) else { return nil }
                value = value * 10 + Int(bytes[index] &- 48)
            }
            position += count
            return value
        }

        mutating func iso8601() -> DateText? {
            guard let date = date() else { return nil }
            let midnight =
                Int64(DateText.days(year: date.year, month: date.month, day: date.day)) * 86_400_000_000
            if isAtEnd { return DateText(form: .day, microseconds: midnight, fractionDigits: 0) }
            guard take("T") || take(" ") || take("t") else { return nil }
            guard let time = time() else { return nil }
            let instant = midnight + time.microseconds
            if isAtEnd {
                return DateText(
                    form: time.hasSeconds ? .local : .minute, microseconds: instant,
                    fractionDigits: time.fractionDigits)
            }
            _ = take(" ")
            guard let offset = zone(), isAtEnd else { return nil }
            return DateText(
                form: offset == 0 ? .utc : .offset, microseconds: instant - Int64(offset) * 60_000_000,
                fractionDigits: time.fractionDigits)
        }

        mutating func date() -> (year: Int, month: Int, day: Int)? {
            // Years beyond four digits have a sign and six, as ECMAScript writes them.
            let isNegative = take("-")
            let isExtended = isNegative || take("+")
            guard let year = digits(isExtended ? 6 : 4), take("-"), let month = digits(2), take("-"),
                let day = digits(2)
            else { return nil }
            return checked(isNegative ? -year : year, month, day)
        }

        func checked(_ year: Int, _ month: Int, _ day: Int) -> (year: Int, month: Int, day: Int)? {
            guard DateText.years.contains(year), (1...12).contains(month), day >= 1,
                day <= DateText.daysInMonth(month, year: year)
            else { return nil }
            return (year, month, day)
        }

        mutating func time() -> (microseconds: Int64, fractionDigits: Int, hasSeconds: Bool)? {
            guard let hour = digits(2), hour < 24, take(":"), let minute = digits(2), minute < 60 else {
                return nil
            }
            let base = Int64(hour * 3600 + minute * 60) * 1_000_000
            guard take(":") else { return (base, 0, false) }
            guard let second = digits(2), second < 60 else { return nil }
            var micros: Int64 = 0
            var significant = 0
            if take(".") || take(",") {
                var count = 0
                while Self.isDigit(next), !isAtEnd {
                    let digit = Int64(bytes[position] &- 48)
                    count += 1
                    if count <= 6 { micros = micros * 10 + digit }
                    if digit != 0 { significant = count }
                    position += 1
                }
                guard count > 0 else { return nil }
                for _ in min(count, 6)..<6 { micros *= 10 }
            }
            return (base + Int64(second) * 1_000_000 + micros, significant, true)
        }

        /// Minutes east of UTC: `Z`, `+02`, `+0200` or `+02:00`.
        mutating func zone() -> Int? {
            if take("Z") || take("z") { return 0 }
            let isWest = take("-")
            guard isWest || take("+"), let hours = digits(2), hours < 24 else { return nil }
            var minutes = 0
            if !isAtEnd {
                _ = take(":")
                guard let read = digits(2), read < 60 else { return nil }
                minutes = read
            }
            let offset = hours * 60 + minutes
            return isWest ? -offset : offset
        }

        /// `[Mon, ]06 May 2024 07:08[:09] (+0200|GMT|UT|UTC|Z)`, https://www.rfc-editor.org/rfc/rfc2822#section-3.3
        mutating func rfc2822() -> DateText? {
            var words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
            if words.count == 6 {
                guard words[0].utf8.count == 4, words.removeFirst().hasSuffix(",") else { return nil }
            }
            guard words.count == 5 else { return nil }
            let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
            func number(_ word: Substring) -> Int? { word.utf8.allSatisfy(Self.isDigit) ? Int(word) : nil }
            guard (1...2).contains(words[0].utf8.count), words[2].utf8.count == 4, let day = number(words[0]),
                let month = months.firstIndex(of: String(words[1])), let year = number(words[2]),
                let date = checked(year, month + 1, day)
            else { return nil }
            let midnight =
                Int64(DateText.days(year: date.year, month: date.month, day: date.day)) * 86_400_000_000
            let time = Array(words[3].utf8).withUnsafeBufferPointer { DateText.parseTime($0) }
            let zone = Array(words[4].utf8)
            let offset: Int? =
                ["GMT", "UT", "UTC", "Z"].contains(words[4])
                ? 0
                : zone.withUnsafeBufferPointer { buffer in
                    var scanner = Scanner(buffer)
                    let offset = scanner.zone()
                    return scanner.isAtEnd ? offset : nil
                }
            guard let time, let offset else { return nil }
            return DateText(
                form: .rfc2822, microseconds: midnight + time.microseconds - Int64(offset) * 60_000_000,
                fractionDigits: time.fractionDigits)
        }
    }
}
