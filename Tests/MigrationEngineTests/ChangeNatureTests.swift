import Foundation
import Testing

@testable import MigrationEngine

/// What has become of a value, told by its two sides.
@Suite struct ChangeNatureTests {
    private static func change(
        _ source: [UInt8]?, _ target: [UInt8]?, _ operation: ColumnCode.Operation, isCut: Bool = false
    ) -> CellChange {
        func form(_ value: [UInt8]?) -> ArraySlice<UInt8> {
            (value.map { [Relation.Mark.value.rawValue] + $0 } ?? [Relation.Mark.null.rawValue])[...]
        }
        return CellChange(source: form(source), target: form(target), operation, isCut: isCut)
    }

    @Test(arguments: [
        ("Ärger", "ärger", ChangeNature.letterCase),
        ("a", "a ", .trailingSpace),
        ("a  ", "a", .trailingSpace),
        ("a", "\ta\n", .outerSpace),
        ("a\r\nb", "a\nb", .lineEnds),
        ("007", "7", .leadingZeros),
        ("7", "07", .leadingZeros),
        ("0", "", .emptied),
        ("", "x", .filled),
        ("caf\u{E9}", "cafe\u{301}", .normalization),
        ("café", "cafÃ©", .encodedTwice),
        ("abcdef", "abc", .shortened),
        ("abc", "abcdef", .other),
        ("abc", "abd", .sameLength),
        ("abc", "abb", .oneBit),
        ("abc", "xyz", .sameLength),
        ("0", "1", .oneBit),
        (" ", "", .emptied),
    ]) func ofTexts(_ source: String, _ target: String, _ nature: ChangeNature) {
        let change = Self.change(Array(source.utf8), Array(target.utf8), .text)
        #expect(change.nature == nature)
        #expect(change.amount == nil)
    }

    @Test(arguments: [
        ([0, 1, 2], [0, 1, 3], ChangeNature.oneBit),
        ([0, 1, 2], [0, 1, 4], .sameLength),
        ([0, 1, 2], [0, 1], .shortened),
        ([0, 1, 2], [], .emptied),
        ([], [0], .filled),
        ([0xAB, 0xCD], Array("\\xabcd".utf8), .hexadecimal),
        ([0xAB, 0xCD], Array("ABCD".utf8), .hexadecimal),
    ]) func ofBytes(_ source: [UInt8], _ target: [UInt8], _ nature: ChangeNature) {
        #expect(Self.change(source, target, .bytea).nature == nature)
    }

    @Test func ofNumbersByTheirDistance() {
        func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
            withUnsafeBytes(of: value.bigEndian, Array.init)
        }
        func double(_ value: Double) -> [UInt8] { bytes(value.bitPattern) }
        let cases: [([UInt8], [UInt8], ColumnCode.Operation, ChangeNature, Double?)] = [
            (bytes(Int64(1) << 53), bytes((Int64(1) << 53) + 1), .int8, .number, 1),
            (bytes(Int64(5)), bytes(Int64(-5)), .int4, .number, -10),
            (bytes(Int64.min), bytes(Int64.max), .int8, .number, 0x1p64),
            (double(0.0), double(-0.0), .double, .zeroSign, nil),
            (double(0.1), double(0.1.nextUp), .double, .lastDigits, nil),
            (double(1.5), double(2), .double, .number, 0.5),
            (double(1), double(.infinity), .double, .other, nil),
            // As they are written: the nearest binary numbers lie otherwise apart.
            (double(0.29), double(0.3), .double, .number, 0.01),
            (bytes(Float(0.29).bitPattern), bytes(Float(0.3).bitPattern), .real, .number, 0.01),
            (double(1e300), double(2e300), .double, .number, 1e300),
            ([0, 2, 9] + Array("e0".utf8), [0, 3] + Array("e0".utf8), .numeric, .number, 0.01),
            (
                [0] + [UInt8](repeating: 7, count: 30) + Array("e28".utf8),
                [0] + [UInt8](repeating: 7, count: 29) + [8] + Array("e28".utf8), .numeric, .number, 0.01
            ),
            ([0, 1] + Array("e200".utf8), [0, 2] + Array("e200".utf8), .numeric, .number, 1e199),
            (bytes(Int64(1_000_000)), bytes(Int64(500_000)), .time, .time, -0.5),
            ([0, 1, 2, 3] + Array("e3".utf8), [0, 1, 2, 4] + Array("e3".utf8), .numeric, .number, 1),
            ([1, 5] + Array("e1".utf8), [0, 5] + Array("e-1".utf8), .numeric, .number, 5.05),
            ([0, 1] + Array("e1".utf8), Array("nan".utf8), .numeric, .other, nil),
            ([UInt8](repeating: 0, count: 13), [], .timestamp, .other, nil),
            ([1], [0], .boolean, .flipped, nil),
        ]
        for (source, target, operation, nature, amount) in cases {
            let change = Self.change(source, target, operation)
            #expect(change.nature == nature)
            #expect(change.amount == amount)
        }
    }

    @Test func ofNullAndOfWhatHasNoForm() {
        #expect(Self.change([1], nil, .int8).nature == .lost)
        #expect(Self.change(nil, [], .text).nature == .gained)
        let unrepresentable: ArraySlice<UInt8> = [Relation.Mark.unrepresentable.rawValue, 3]
        #expect(
            CellChange(source: unrepresentable, target: [Relation.Mark.value.rawValue], .int8, isCut: false)
                .nature
                == .type)
    }

    /// The beginnings of long values say nothing of their ends.
    @Test func ofCutValuesNothingIsTold() {
        #expect(Self.change([1], [3], .bytea, isCut: true).nature == .other)
    }
}
