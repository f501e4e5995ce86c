/// A date and a time of day in UTC, as a calendar has them: the proof's own form of an instant.
///
/// Worked out apart from the encoder, which counts days: a text's fields are taken as they stand, an offset moves
/// them by the calendar, and what PostgreSQL holds is turned into fields in the other direction.
struct CivilTime: Equatable {
    var year = 1970
    var month = 1
    var day = 1
    var hour = 0
    var minute = 0
    var second = 0
    var microsecond = 0

    /// From microseconds since 1970-01-01 00:00:00 UTC.
    init(microseconds: Int64) {
        let (days, rest) = Self.divide(microseconds, by: 86_400_000_000)
        self.init(days: Int(days))
        hour = Int(rest / 3_600_000_000)
        minute = Int(rest / 60_000_000 % 60)
        second = Int(rest / 1_000_000 % 60)
        microsecond = Int(rest % 1_000_000)
    }

    /// From days since 1970-01-01: whole cycles of 400, 100, 4 and 1 years, then the months.
    init(days: Int) {
        // From 0001-01-01, whose year begins a cycle of 400.
        let (cycles, rest) = Self.divide(Int64(days) + 719_162, by: 146_097)
        var remaining = Int(rest)
        let centuries = min(remaining / 36_524, 3)
        remaining -= centuries * 36_524
        let fours = remaining / 1461
        remaining -= fours * 1461
        let years = min(remaining / 365, 3)
        remaining -= years * 365
        year = Int(cycles) * 400 + centuries * 100 + fours * 4 + years + 1
        month = 1
        while remaining >= DateText.daysInMonth(month, year: year) {
            remaining -= DateText.daysInMonth(month, year: year)
            month += 1
        }
        day = remaining + 1
    }

    /// From a text of any form that `DateText` reads; nil for others.
    init?(text: UnsafeBufferPointer<UInt8>) {
        guard let date = DateText.parse(text) else { return nil }
        if date.form == .rfc2822 {
            // Months are words there; the reader's instant is taken.
            self.init(microseconds: date.microseconds)
            return
        }
        self.init(days: 0)
        var numbers: [Int] = []
        var fraction = 0
        var digitsOfFraction = 0
        var index = 0
        let isNegative = text[0] == UInt8(ascii: "-")
        let timeStart =
            (text.firstIndex { $0 | 0x20 == UInt8(ascii: "t") || $0 == UInt8(ascii: " ") }) ?? text.count
        func isDigit(_ position: Int) -> Bool { position < text.count && text[position] &- 48 < 10 }
        // Year, month, day, hour, minute, second: up to the fraction or the zone.
        while numbers.count < 6, index < text.count {
            let isZone = index > timeStart && [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(text[index])
            if isZone { break }
            guard isDigit(index) else {
                index += 1
                continue
            }
            var number = 0
            while isDigit(index) {
                number = number * 10 + Int(text[index] &- 48)
                index += 1
            }
            numbers.append(number)
        }
        if index < text.count, text[index] == UInt8(ascii: ".") || text[index] == UInt8(ascii: ",") {
            index += 1
            while isDigit(index) {
                if digitsOfFraction < 6 {
                    fraction = fraction * 10 + Int(text[index] &- 48)
                    digitsOfFraction += 1
                }
                index += 1
            }
        }
        while digitsOfFraction > 0, digitsOfFraction < 6 {
            fraction *= 10
            digitsOfFraction += 1
        }
        numbers += [Int](repeating: 0, count: max(0, 6 - numbers.count))
        year = isNegative ? -numbers[0] : numbers[0]
        month = numbers[1]
        day = numbers[2]
        hour = numbers[3]
        minute = numbers[4]
        second = numbers[5]
        microsecond = fraction
        if index > timeStart { move(byZone: text[index...]) }
    }

    /// Takes the zone's offset off: `Z`, `+02`, `-0730`, `+02:00`, spaces before it.
    private mutating func move(byZone zone: Slice<UnsafeBufferPointer<UInt8>>) {
        let signed = zone.drop { $0 == UInt8(ascii: " ") }
        guard let sign = signed.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return }
        let digits = signed.filter { $0 &- 48 < 10 }.map { Int($0 &- 48) }
        guard digits.count >= 2 else { return }
        let minutes = (digits[0] * 10 + digits[1]) * 60 + (digits.count >= 4 ? digits[2] * 10 + digits[3] : 0)
        var total = hour * 60 + minute + (sign == UInt8(ascii: "-") ? minutes : -minutes)
        if total < 0 {
            total += 1440
            goToPreviousDay()
        } else if total >= 1440 {
            total -= 1440
            goToNextDay()
        }
        hour = total / 60
        minute = total % 60
    }

    private mutating func goToPreviousDay() {
        day -= 1
        guard day == 0 else { return }
        month -= 1
        if month == 0 {
            month = 12
            year -= 1
        }
        day = DateText.daysInMonth(month, year: year)
    }

    private mutating func goToNextDay() {
        day += 1
        guard day > DateText.daysInMonth(month, year: year) else { return }
        day = 1
        month += 1
        guard month > 12 else { return }
        month = 1
        year += 1
    }

    /// Cuts what is finer than `step` microseconds, which divides a second: toward the past in every year.
    mutating func cut(step: Int) {
        microsecond -= microsecond % step
    }

    /// As PostgreSQL writes it, in UTC; whole seconds without a fraction.
    var text: String {
        func padded(_ number: Int, _ digits: Int) -> String {
            let text = "\(number)"
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        var fraction = microsecond == 0 ? "" : "." + padded(microsecond, 6)
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return
            "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2)) \(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))"
            + fraction
    }

    /// Quotient toward the past, and a remainder that is never negative.
    static func divide(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let quotient = value / divisor
        let remainder = value % divisor
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
