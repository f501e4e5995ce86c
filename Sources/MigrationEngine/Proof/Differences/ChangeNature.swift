import Foundation

/// What has become of a value on its way, as far as its two sides tell.
///
/// A name for what is seen, not for its cause: it helps an operator to find the cause.
public enum ChangeNature: String, CaseIterable, Codable, Sendable {
    /// NULL in the target.
    case lost
    /// NULL in the source.
    case gained
    case emptied
    case filled
    /// One side holds what the target's type cannot stand for.
    case type
    /// A number that is another by an amount.
    case number
    /// An instant, a date or a time of day that is another by some seconds.
    case time
    case zeroSign
    case lastDigits
    case letterCase
    case trailingSpace
    case outerSpace
    case lineEnds
    case leadingZeros
    case normalization
    case encodedTwice
    case hexadecimal
    case shortened
    case oneBit
    case sameLength
    /// The other of two truth values.
    case flipped
    case other

    /// How a summary says it, of rows: `3 rows in letter case only`.
    public var words: String {
        switch self {
        case .lost: "NULL in PostgreSQL"
        case .gained: "NULL in SQLite only"
        case .emptied: "empty in PostgreSQL"
        case .filled: "empty in SQLite only"
        case .type: "of another kind than the column's type"
        case .number: "another number"
        case .time: "another time"
        case .zeroSign: "in the sign of zero only"
        case .lastDigits: "in the last digits only"
        case .letterCase: "in letter case only"
        case .trailingSpace: "in blanks at the end only"
        case .outerSpace: "in white space around only"
        case .lineEnds: "in line ends only (CR LF, LF)"
        case .leadingZeros: "in leading zeros only"
        case .normalization: "in Unicode normalization only"
        case .encodedTwice: "encoded twice (UTF-8 taken for Latin-1)"
        case .hexadecimal: "written as hexadecimal digits"
        case .shortened: "cut short in PostgreSQL"
        case .oneBit: "in one bit"
        case .sameLength: "other content of the same length"
        case .flipped: "the other truth value"
        case .other: "other content"
        }
    }
}

/// One change of a value: its nature, and by how much a number or a time has moved, target minus source.
struct CellChange: Equatable {
    let nature: ChangeNature
    /// In the column's own unit, of times in seconds.
    var amount: Double?

    /// Of two forms that `Relation` has written, marks included; `isCut` where they are not whole.
    init(source: ArraySlice<UInt8>, target: ArraySlice<UInt8>, _ operation: ColumnCode.Operation, isCut: Bool)
    {
        typealias Mark = Relation.Mark
        switch (source.first.flatMap(Mark.init), target.first.flatMap(Mark.init)) {
        case (.value?, .null?): nature = .lost
        case (.null?, .value?): nature = .gained
        case (.value?, .value?):
            let ours = source.dropFirst()
            let theirs = target.dropFirst()
            if isCut {
                nature = .other
            } else if let change = Self.measured(ours, theirs, operation) {
                self = change
            } else if [.text, .varchar, .char, .enumeration, .json].contains(operation) {
                nature = Self.nature(ofText: ours, theirs)
            } else {
                nature = Self.nature(ofBytes: ours, theirs)
            }
        default: nature = .type
        }
    }

    private init(_ nature: ChangeNature, _ amount: Double? = nil) {
        self.nature = nature
        self.amount = amount
    }

    // MARK: Numbers and times

    private static func measured(
        _ source: ArraySlice<UInt8>, _ target: ArraySlice<UInt8>, _ operation: ColumnCode.Operation
    ) -> CellChange? {
        switch operation {
        case .int2, .int4, .int8:
            guard let one = integer(source), let other = integer(target) else { return nil }
            let (distance, overflow) = other.subtractingReportingOverflow(one)
            return CellChange(.number, overflow ? Double(other) - Double(one) : Double(distance))
        case .double:
            guard let one = integer(source), let other = integer(target) else { return nil }
            return real(
                Double(bitPattern: UInt64(bitPattern: one)), Double(bitPattern: UInt64(bitPattern: other)),
                1e-13)
        case .real:
            guard source.count == 4, target.count == 4 else { return nil }
            let values = [source, target].map {
                Float(bitPattern: $0.reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
            }
            return real(values[0], values[1], 1e-5)
        case .timestamp, .date:
            // What is no calendar's date is one of PostgreSQL's infinities.
            guard let one = microseconds(source), let other = microseconds(target) else {
                return CellChange(.other)
            }
            return CellChange(.time, Double(other - one) / 1_000_000)
        case .time:
            guard let one = integer(source), let other = integer(target) else { return nil }
            return CellChange(.time, Double(other - one) / 1_000_000)
        case .numeric, .money:
            guard let one = decimal(source), let other = decimal(target) else { return CellChange(.other) }
            return CellChange(.number, distance(one, other))
        case .boolean: return CellChange(.flipped)
        case .interval: return CellChange(.other)
        default: return nil
        }
    }

    private static func real<Number: BinaryFloatingPoint>(
        _ one: Number, _ other: Number, _ digits: Number
    ) -> CellChange {
        if one == other { return CellChange(.zeroSign) }
        guard one.isFinite, other.isFinite else { return CellChange(.other) }
        return abs(one - other) <= max(abs(one), abs(other)) * digits
            ? CellChange(.lastDigits) : CellChange(.number, distance("\(one)", "\(other)"))
    }

    /// Digits that `Decimal` holds exactly, and exponents that it holds surely.
    private static let mostDigits = 38
    private static let exponents = -80...80

    /// Of two numbers as they are written, target minus source: 0.29 and 0.3 are 0.01 apart, which their binary neighbours are not.
    private static func distance(_ one: String, _ other: String) -> Double {
        let isExact = [one, other].allSatisfy { text in
            let parts = text.split(separator: "e", maxSplits: 1)
            let exponent = parts.count > 1 ? Int(parts[1]) : 0
            return parts[0].utf8.count <= mostDigits && exponents.contains(exponent ?? .max)
        }
        if isExact, let source = Decimal(string: one), let target = Decimal(string: other),
            !source.isNaN, !target.isNaN, let distance = Double("\(target - source)"), distance.isFinite
        {
            return distance
        }
        return (Double(other) ?? .nan) - (Double(one) ?? .nan)
    }

    /// Of a sign, digits and an exponent, see `Relation`; nil for what is no number.
    private static func decimal(_ form: ArraySlice<UInt8>) -> String? {
        guard let sign = form.first, sign < 2, let mark = form.lastIndex(of: UInt8(ascii: "e")) else {
            return nil
        }
        let digits = form[form.startIndex + 1..<mark].map { $0 + 48 }
        return "\(sign == 1 ? "-" : "")0.\(String(decoding: digits, as: UTF8.self))0"
            + String(decoding: form[mark...], as: UTF8.self)
    }

    private static func integer(_ form: ArraySlice<UInt8>) -> Int64? {
        form.count == 8 ? form.reduce(Int64(0)) { $0 << 8 | Int64($1) } : nil
    }

    /// Of a calendar's fields, see `Relation`.
    private static func microseconds(_ form: ArraySlice<UInt8>) -> Int64? {
        guard form.count == 13 else { return nil }
        let bytes = Array(form)
        func word(_ start: Int) -> Int {
            Int(
                Int32(truncatingIfNeeded: bytes[start..<start + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
            )
        }
        let days = DateText.days(year: word(0), month: Int(bytes[4]), day: Int(bytes[5]))
        let seconds = days * 86_400 + Int(bytes[6]) * 3600 + Int(bytes[7]) * 60 + Int(bytes[8])
        return Int64(seconds) * 1_000_000 + Int64(word(9))
    }

    // MARK: Texts and bytes

    private static func nature(ofText source: ArraySlice<UInt8>, _ target: ArraySlice<UInt8>) -> ChangeNature
    {
        if target.isEmpty { return .emptied }
        if source.isEmpty { return .filled }
        let one = String(decoding: source, as: UTF8.self)
        let other = String(decoding: target, as: UTF8.self)
        return textRules.first { $0.holds(one, other) }?.nature ?? nature(ofBytes: source, target)
    }

    private struct TextRule: Sendable {
        let nature: ChangeNature
        let holds: @Sendable (_ source: String, _ target: String) -> Bool
    }

    /// The first that holds names the change.
    private static let textRules = [
        // Swift compares texts by what they stand for.
        TextRule(nature: .normalization) { $0 == $1 },
        TextRule(nature: .letterCase) { $0.lowercased() == $1.lowercased() },
        TextRule(nature: .trailingSpace) { $0.droppingLastSpaces == $1.droppingLastSpaces },
        TextRule(nature: .outerSpace) {
            $0.trimmingCharacters(in: .whitespacesAndNewlines)
                == $1.trimmingCharacters(in: .whitespacesAndNewlines)
        },
        TextRule(nature: .lineEnds) {
            $0.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
                == $1.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
        },
        TextRule(nature: .leadingZeros) { source, target in
            let digits = [source, target].map { $0.drop { $0 == "0" } }
            return digits[0] == digits[1] && (digits[0].first?.isNumber ?? true)
        },
        TextRule(nature: .encodedTwice) { source, target in
            target == String(String.UnicodeScalarView(source.utf8.map { Unicode.Scalar($0) }))
        },
        TextRule(nature: .shortened) { $1.utf8.count < $0.utf8.count && $0.utf8.starts(with: $1.utf8) },
    ]

    private static func nature(ofBytes source: ArraySlice<UInt8>, _ target: ArraySlice<UInt8>) -> ChangeNature
    {
        if target.isEmpty { return .emptied }
        if source.isEmpty { return .filled }
        if source.count == target.count {
            let bits = zip(source, target).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount }
            return bits == 1 ? .oneBit : .sameLength
        }
        if target.count >= source.count * 2, isHexadecimal(target, of: source) { return .hexadecimal }
        return target.count < source.count && source.starts(with: target) ? .shortened : .other
    }

    /// Whether a text holds the digits of bytes, with PostgreSQL's `\x` before them or without.
    private static func isHexadecimal(_ text: ArraySlice<UInt8>, of bytes: ArraySlice<UInt8>) -> Bool {
        let digits = Array(bytes).hexadecimal
        return [digits, "\\x" + digits].contains(String(decoding: text, as: UTF8.self).lowercased())
    }
}

extension String {
    fileprivate var droppingLastSpaces: Substring {
        self[..<(lastIndex { $0 != " " }.map(index(after:)) ?? startIndex)]
    }
}
