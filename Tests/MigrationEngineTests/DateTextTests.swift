import Testing

@testable import MigrationEngine

@Suite struct DateTextTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let text: String
        let form: DateText.Form
        let seconds: Int64
        var micros: Int64 = 0
        var digits = 0

        var testDescription: String { text }
    }

    static let cases = [
        Case(text: "2024-05-06 07:08:09", form: .local, seconds: 1_714_979_289),
        Case(text: "2024-05-06T07:08:09", form: .local, seconds: 1_714_979_289),
        Case(
            text: "2024-05-06 07:08:09.12", form: .local, seconds: 1_714_979_289, micros: 120_000, digits: 2),
        Case(text: "2024-05-06 07:08:09,5", form: .local, seconds: 1_714_979_289, micros: 500_000, digits: 1),
        Case(
            text: "2024-05-06T07:08:09.120+00:00", form: .utc, seconds: 1_714_979_289, micros: 120_000,
            digits: 2),
        Case(
            text: "2024-05-06T07:08:09.120Z", form: .utc, seconds: 1_714_979_289, micros: 120_000, digits: 2),
        Case(text: "2024-05-06t07:08:09z", form: .utc, seconds: 1_714_979_289),
        Case(text: "1900-01-01 00:00:00 +00:00", form: .utc, seconds: -2_208_988_800),
        Case(text: "2024-05-06 07:08:09 -00:00", form: .utc, seconds: 1_714_979_289),
        Case(text: "2024-05-06T07:08:09+02:00", form: .offset, seconds: 1_714_972_089),
        Case(text: "2024-05-06T07:08:09+02", form: .offset, seconds: 1_714_972_089),
        Case(text: "2024-05-06T07:08:09 +0200", form: .offset, seconds: 1_714_972_089),
        Case(text: "2024-05-06T07:08:09-03:30", form: .offset, seconds: 1_714_991_889),
        Case(text: "2024-05-06", form: .day, seconds: 1_714_953_600),
        Case(text: "2024-05-06T07:08", form: .minute, seconds: 1_714_979_280),
        Case(text: "2024-05-06 07:08", form: .minute, seconds: 1_714_979_280),
        Case(text: "2024-05-06 07:08Z", form: .utc, seconds: 1_714_979_280),
        Case(text: "Mon, 06 May 2024 07:08:09 +0200", form: .rfc2822, seconds: 1_714_972_089),
        Case(text: "Mon, 6 May 2024 07:08:09 GMT", form: .rfc2822, seconds: 1_714_979_289),
        Case(text: "Mon, 06 May 2024 07:08 UT", form: .rfc2822, seconds: 1_714_979_280),
        Case(text: "06 May 2024 07:08:09 -0000", form: .rfc2822, seconds: 1_714_979_289),
        // Offsets that cross a day, a month, a year.
        Case(text: "2024-01-01T00:30:00+01:00", form: .offset, seconds: 1_704_065_400),
        Case(text: "2023-12-31T23:30:00-01:00", form: .offset, seconds: 1_704_069_000),
        Case(text: "2024-03-01T00:00:00+23:59", form: .offset, seconds: 1_709_164_860),
        // The calendar.
        Case(text: "1970-01-01", form: .day, seconds: 0),
        Case(text: "2000-02-29", form: .day, seconds: 951_782_400),
        Case(text: "2024-02-29", form: .day, seconds: 1_709_164_800),
        Case(text: "1600-02-29", form: .day, seconds: -11_670_998_400),
        Case(text: "0001-01-01", form: .day, seconds: -62_135_596_800),
        Case(text: "0000-02-29", form: .day, seconds: -62_162_121_600),
        Case(
            text: "9999-12-31 23:59:59.999999", form: .local, seconds: 253_402_300_799, micros: 999_999,
            digits: 6),
        Case(text: "+012345-01-01", form: .day, seconds: 327_403_382_400),
        Case(text: "-000001-12-31T00:00:00Z", form: .utc, seconds: -62_167_305_600),
        Case(text: "+275760-09-13T00:00:00.000Z", form: .utc, seconds: 8_640_000_000_000),
        Case(text: "-271821-04-20T00:00:00.000Z", form: .utc, seconds: -8_640_000_000_000),
        // Digits beyond a microsecond are cut toward the past, before 1970 too.
        Case(text: "1969-12-31 23:59:59.9999999", form: .local, seconds: -1, micros: 999_999, digits: 7),
        Case(text: "1969-12-31 23:59:59.0000001", form: .local, seconds: -1, digits: 7),
        Case(text: "1969-12-31 23:59:59.25", form: .local, seconds: -1, micros: 250_000, digits: 2),
        Case(text: "2024-05-06 07:08:09.000000", form: .local, seconds: 1_714_979_289),
        Case(
            text: "2024-05-06 07:08:09.1234567890123456789", form: .local, seconds: 1_714_979_289,
            micros: 123_456, digits: 19),
    ]

    @Test(arguments: cases)
    func everyFormIsRead(_ test: Case) {
        let expected = DateText(
            form: test.form, microseconds: test.seconds * 1_000_000 + test.micros, fractionDigits: test.digits
        )
        #expect(parseDate(test.text) == expected)
    }

    @Test(arguments: [
        "", " ", "0", "now", "2024", "2024-05", "2024-5-6", "24-05-06", "20240506", "2024-05-06 ",
        " 2024-05-06",
        "2024-05-06T", "2024-05-06 7:08", "2024-05-06 07", "2024-05-06 07:08:9", "2024-05-06 07:08:09.",
        "2024-05-06 07:08:09 ", "2024-05-06 07:08:09 UTC", "2024-05-06 07:08:09+", "2024-05-06 07:08:09+2",
        "2024-05-06 07:08:09+02:", "2024-05-06 07:08:09+02:0", "2024-05-06 07:08:09+24:00",
        "2024-05-06 07:08:09+02:60",
        "2024-05-06 07:08:09ZZ", "2024-05-06 07:08:09Z0", "2024-05-06  07:08:09", "2024-05-06_07:08:09",
        "2024-05-06 07:08:09\0", "2024-05-06 24:00", "2024-05-06 24:00:00", "2024-05-06 23:60:00",
        "2024-05-06 23:59:60",
        "0000-00-00", "0000-00-00 00:00:00", "2024-00-01", "2024-13-01", "2024-01-00", "2024-01-32",
        "2024-04-31",
        "2023-02-29", "1900-02-29", "2100-02-29", "2024/05/06", "06.05.2024", "-2024-05-06", "+2024-05-06",
        "+12345-01-01", "12345-01-01", "１２３４-01-01", "2024-05-06T07:08:09+02:00:00", "2024-W19-1", "--05-06",
        "Mon 06 May 2024 07:08:09 GMT", "Mon, 06 Mai 2024 07:08:09 GMT", "Mon, 06 May 2024 07:08:09",
        "Mon, 31 Feb 2024 07:08:09 GMT", "Mon, 06 May 24 07:08:09 GMT", "Mon, +6 May 2024 07:08:09 GMT",
        "Mon, 06 May +024 07:08:09 GMT", "Mon, 06 May -024 07:08:09 GMT", "Mon, 06 May 2024 07:08:09 GMT x",
        "Mon, 06 May 2024 25:08:09 GMT", "06 May 2024", "May 6, 2024",
    ])
    func whatIsNoDateIsNotRead(text: String) {
        #expect(parseDate(text) == nil)
    }

    /// 64 bits of microseconds end in the year 294247.
    @Test(arguments: [
        "+999999-12-31", "-999999-01-01", "+300000-01-01T00:00:00Z", "-300000-01-01",
        "+294248-01-01 00:00:00",
    ])
    func yearsBeyondSixtyFourBitsAreNotRead(text: String) {
        #expect(parseDate(text) == nil)
    }

    @Test func hostileBytesAreNoDate() {
        for byte in UInt8.min...UInt8.max {
            let bytes: [UInt8] = Array("2024-05-06 07:08:09".utf8)
            for position in bytes.indices where byte != bytes[position] && byte &- 48 >= 10 {
                var changed = bytes
                changed[position] = byte
                // `07:08+09` is a minute with a zone.
                let isSeparator =
                    position == 10 && "Tt".utf8.contains(byte) || position == 16 && "+-".utf8.contains(byte)
                let date = changed.withUnsafeBufferPointer { DateText.parse($0) }
                if (date != nil) != isSeparator { Issue.record("byte \(byte) at \(position)") }
            }
        }
    }

    @Test(arguments: [
        ("00:00", 0, 0), ("07:08", 25_680_000_000, 0), ("07:08:09", 25_689_000_000, 0),
        ("07:08:09.5", 25_689_500_000, 1), ("23:59:59.999999", 86_399_999_999, 6),
        ("23:59:59.9999999", 86_399_999_999, 7), ("07:08:09.50", 25_689_500_000, 1),
    ])
    func timesOfDayAreRead(text: String, micros: Int64, digits: Int) {
        let time = withBytes(text) { DateText.parseTime($0) }
        #expect(time?.microseconds == micros)
        #expect(time?.fractionDigits == digits)
    }

    @Test(arguments: [
        "", "7:08", "07", "07:", "24:00", "07:60", "07:08:60", "07:08:09Z", "07:08 ", "07:08:09.", "-07:08",
    ])
    func whatIsNoTimeOfDayIsNotRead(text: String) {
        #expect(withBytes(text) { DateText.parseTime($0) } == nil)
    }

    @Test(arguments: [
        (2024, 2, 29), (2023, 2, 28), (1900, 2, 28), (2000, 2, 29), (0, 2, 29), (-4, 2, 29), (-100, 2, 28),
        (-400, 2, 29), (2024, 4, 30), (2024, 12, 31),
    ])
    func monthsHaveTheirDays(year: Int, month: Int, days: Int) {
        #expect(DateText.daysInMonth(month, year: year) == days)
    }
}
