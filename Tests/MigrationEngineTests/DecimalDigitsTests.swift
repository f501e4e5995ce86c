import Testing

@testable import DemoProject
@testable import MigrationEngine

@Suite struct DecimalDigitsTests {
    private func written(_ digits: DecimalDigits) -> String {
        (digits.isNegative ? "-" : "") + digits.digits.map(String.init).joined() + "e\(digits.exponent)"
    }

    @Test(arguments: [
        ("0", "e0"), ("-0", "-e0"), ("5", "5e1"), ("-12", "-12e2"), ("100", "1e3"), ("0.5", "5e0"),
        (".5", "5e0"),
        ("5.", "5e1"), ("0.05", "5e-1"), ("12.50", "125e2"), ("1e3", "1e4"), ("1.5E-3", "15e-2"),
        ("1e+2", "1e3"),
        ("+7", "7e1"), ("000.000", "e0"), ("0e99", "e0"), ("123456789.12345678", "12345678912345678e9"),
        ("1e-0", "1e1"),
    ])
    func numbersAreRead(text: String, digits: String) {
        #expect(DecimalDigits(decimal: text.utf8).map(written) == digits)
    }

    @Test(arguments: [
        "", "-", "+", ".", "e5", "1e", "1e+", "1e-", "1e+-5", "1e0-", "1e5-3", "1.2.3", "1e5.5", "--1", "1-",
        "1 ", " 1",
        "0x10", "inf", "nan", "1_000", "1e5e5", "٣",
    ])
    func whatIsNoNumberIsNotRead(text: String) {
        #expect(DecimalDigits(decimal: text.utf8) == nil)
    }

    @Test(arguments: [
        (Int64.min, "-9223372036854775808e19"), (Int64.max, "9223372036854775807e19"), (0, "e0"),
        (-10, "-1e2"),
        (1_000_000, "1e7"),
    ])
    func integersHaveTheirDigits(value: Int64, digits: String) {
        #expect(written(DecimalDigits(value)) == digits)
    }

    @Test(arguments: [
        (0.1, "1e0"), (1e15, "1e16"), (1e22, "1e23"), (Double.leastNonzeroMagnitude, "5e-323"),
        (1.7976931348623157e308, "17976931348623157e309"),
        (-0.0, "-e0"), (123456789.12345678, "12345678912345678e9"), (-2.5, "-25e1"),
    ])
    func doublesHaveTheirShortestDigits(value: Double, digits: String) {
        #expect(written(DecimalDigits(value)) == digits)
    }

    @Test func randomDoublesComeBackBitForBit() {
        var random = SeededGenerator(seed: 40)
        for _ in 0..<20_000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite, value != 0 else { continue }
            let digits = DecimalDigits(value)
            let text =
                (digits.isNegative ? "-0." : "0.") + digits.digits.map(String.init).joined()
                + "e\(digits.exponent)"
            if Double(text) != value {
                Issue.record("\(value) becomes \(text)")
                return
            }
        }
    }

    @Test func randomIntegersAgreeWithTheirText() {
        var random = SeededGenerator(seed: 41)
        for _ in 0..<10_000 {
            let value = Int64(bitPattern: random.next()) >> Int64(random.below(64))
            #expect(DecimalDigits(value) == DecimalDigits(decimal: value.description.utf8))
        }
    }

    @Test(arguments: [
        ("0", 0, 0), ("5", 0, 1), ("12.50", 1, 2), ("0.05", 2, 0), ("1e10", 0, 11), ("1e-10", 10, 0),
        ("120", 0, 3),
        ("-1.25", 2, 1),
    ])
    func scaleAndIntegralDigitsAreThoseOfTheWrittenNumber(text: String, scale: Int, integral: Int) {
        let digits = DecimalDigits(decimal: text.utf8)
        #expect(digits?.scale == scale)
        #expect(digits?.integralDigits == integral)
    }
}
