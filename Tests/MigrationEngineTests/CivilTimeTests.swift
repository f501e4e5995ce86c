import Testing

@testable import DemoProject
@testable import MigrationEngine

@Suite struct CivilTimeTests {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// A date of any form, from the year -4000 to 9999.
    private func text(_ random: inout SeededGenerator) -> String {
        let year = random.below(14_000) - 4000
        let month = random.below(12) + 1
        let last = DateText.daysInMonth(month, year: year)
        let day = random.chance(30) ? (random.chance(50) ? 1 : last) : random.below(last) + 1
        let isRFC = year >= 0 && random.chance(10)
        let time = "\(padded(random.below(24), 2)):\(padded(random.below(60), 2))"
        let seconds = ":" + padded(random.below(60), 2)
        var fraction = ""
        if random.chance(50) {
            fraction =
                (random.chance(90) ? "." : ",")
                + (0...random.below(9)).map { _ in String(random.below(10)) }.joined()
        }
        let sign = random.chance(50) ? "+" : "-"
        let offset = "\(sign)\(padded(random.below(24), 2))"
        let minutes = padded(random.below(60), 2)
        if isRFC {
            let zone = random.chance(50) ? "GMT" : offset + minutes
            return
                "Mon, \(padded(day, 2)) \(Self.months[month - 1]) \(padded(year, 4)) \(time)\(seconds) \(zone)"
        }
        let isExtended = year < 0 || random.chance(10)
        let number = isExtended ? (year < 0 ? "-" : "+") + padded(abs(year), 6) : padded(year, 4)
        let date = "\(number)-\(padded(month, 2))-\(padded(day, 2))"
        if random.chance(10) { return date }
        let separator = ["T", " ", "t"][random.below(3)]
        let clock = random.chance(20) ? time : time + seconds + fraction
        let space = random.chance(20) ? " " : ""
        let zones = [
            "", space + "Z", space + offset, space + offset + minutes, space + offset + ":" + minutes, "z",
        ]
        return date + separator + clock + zones[random.below(zones.count)]
    }

    @Test func fieldsOfATextAgreeWithItsInstant() {
        var random = SeededGenerator(seed: 20)
        for _ in 0..<20_000 {
            let text = text(&random)
            guard let date = parseDate(text) else {
                Issue.record("\(text) is not read")
                return
            }
            let civil = withBytes(text) { CivilTime(text: $0) }
            if civil != CivilTime(microseconds: date.microseconds) {
                Issue.record("\(text) is \(civil.debugDescription)")
                return
            }
        }
    }

    @Test func daysAndDatesAreInverse() {
        var random = SeededGenerator(seed: 21)
        let special = [-719_528, -719_162, -1, 0, 1, 59, 60, 10_957, 11_016, -106_751_991, 106_751_991]
        for days in special + (0..<20_000).map({ _ in random.below(200_000_000) - 100_000_000 }) {
            let civil = CivilTime(days: days)
            if DateText.days(year: civil.year, month: civil.month, day: civil.day) != days {
                Issue.record("day \(days) is \(civil)")
                return
            }
        }
    }

    @Test func daysFollowEachOtherThroughFourCenturies() {
        var expected = CivilTime(days: DateText.days(year: 1899, month: 12, day: 31))
        for days in DateText.days(
            year: 1899, month: 12, day: 31)...DateText.days(year: 2301, month: 1, day: 1)
        {
            if CivilTime(days: days) != expected {
                Issue.record("day \(days) is \(CivilTime(days: days)), not \(expected)")
                return
            }
            expected.day += 1
            if expected.day > DateText.daysInMonth(expected.month, year: expected.year) {
                expected.day = 1
                expected.month += 1
            }
            if expected.month > 12 {
                expected.month = 1
                expected.year += 1
            }
        }
    }

    @Test(arguments: [Int64.min, Int64.min + 1, -1, 0, 1, Int64.max - 1, Int64.max])
    func everyInstantOfSixtyFourBitsHasFields(micros: Int64) {
        let civil = CivilTime(microseconds: micros)
        let (days, rest) = CivilTime.divide(micros, by: 86_400_000_000)
        #expect(DateText.days(year: civil.year, month: civil.month, day: civil.day) == Int(days))
        let seconds = (civil.hour * 60 + civil.minute) * 60 + civil.second
        #expect(Int64(seconds) * 1_000_000 + Int64(civil.microsecond) == rest)
    }

    @Test(arguments: [
        ("1969-12-31 23:59:59.999999", 1000, 999_000), ("2024-01-01 00:00:00.123456", 1, 123_456),
        ("2024-01-01 00:00:00.999", 1_000_000, 0),
    ])
    func cuttingGoesTowardThePast(text: String, step: Int, micros: Int) {
        var civil = withBytes(text) { CivilTime(text: $0) }
        civil?.cut(step: step)
        #expect(civil?.microsecond == micros)
        #expect(civil?.year == Int(text.prefix(4)))
    }

    @Test(arguments: [(7, 2, 3, 1), (-7, 2, -4, 1), (-8, 2, -4, 0), (0, 5, 0, 0), (-1, 86_400, -1, 86_399)])
    func divisionGoesTowardThePast(value: Int64, divisor: Int64, quotient: Int64, remainder: Int64) {
        let (read, rest) = CivilTime.divide(value, by: divisor)
        #expect(read == quotient)
        #expect(rest == remainder)
    }

    @Test func whatIsNoDateHasNoFields() {
        #expect(withBytes("yesterday") { CivilTime(text: $0) } == nil)
    }
}
