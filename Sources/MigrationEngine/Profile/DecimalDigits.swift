/// The shortest decimal digits that give a double back, apart from their exponent.
///
/// The value is `0.d₁d₂…dₙ × 10^exponent`; zero has no digits. Infinite values have none either: ask first.
struct DecimalDigits: Equatable {
    var isNegative = false
    /// Values 0 to 9, without leading and trailing zeros.
    var digits: [UInt8] = []
    var exponent = 0

    init(_ value: Int64) {
        isNegative = value < 0
        var rest = value.magnitude
        while rest > 0 {
            digits.append(UInt8(rest % 10))
            rest /= 10
        }
        digits.reverse()
        exponent = digits.count
        trim()
    }

    init(_ value: Double) {
        self = DecimalDigits(decimal: value.description.utf8) ?? DecimalDigits(Int64(0))
    }

    /// Reads `[-]ddd[.ddd][e±dd]`, as numbers are written in SQL and JSON; nil for anything else.
    init?(decimal text: some Sequence<UInt8>) {
        var isFraction = false
        var hasDigit = false
        var exponentSign = 0
        var exponentValue = 0
        var hasExponentDigit = false
        var previous: UInt8 = 0
        var iterator = text.makeIterator()
        var isFirst = true
        while let byte = iterator.next() {
            defer {
                isFirst = false
                previous = byte | 0x20
            }
            switch byte {
            case UInt8(ascii: "-") where isFirst: isNegative = true
            case UInt8(ascii: "+") where isFirst: break
            case UInt8(ascii: "0")...UInt8(ascii: "9") where exponentSign != 0:
                hasExponentDigit = true
                exponentValue = min(exponentValue * 10 + Int(byte - 48), 1_000_000)
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                hasDigit = true
                digits.append(byte - 48)
                if !isFraction { exponent += 1 }
            case UInt8(ascii: ".") where !isFraction && exponentSign == 0: isFraction = true
            case UInt8(ascii: "e") where exponentSign == 0, UInt8(ascii: "E") where exponentSign == 0:
                exponentSign = 1
            case UInt8(ascii: "-") where previous == UInt8(ascii: "e"): exponentSign = -1
            case UInt8(ascii: "+") where previous == UInt8(ascii: "e"): break
            default: return nil
            }
        }
        guard hasDigit, exponentSign == 0 || hasExponentDigit else { return nil }
        exponent += exponentSign * exponentValue
        trim()
    }

    /// Digits after the point that writing the value out takes.
    var scale: Int { max(0, digits.count - exponent) }

    /// Digits before the point.
    var integralDigits: Int { max(0, exponent) }

    private mutating func trim() {
        while digits.last == 0 { digits.removeLast() }
        let zeros = digits.prefix { $0 == 0 }.count
        digits.removeFirst(zeros)
        exponent = digits.isEmpty ? 0 : exponent - zeros
    }
}
