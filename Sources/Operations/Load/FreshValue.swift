import Foundation
import Postgres

/// A value that no row of a table has, so that a unique index takes it.
enum FreshValue: Sendable {
    /// Numbers from `start` on; each session has a range of `stride` for itself.
    case number(start: Int64, stride: Int64)
    /// Random characters before the text of a row that is there, or in the place of its first ones.
    case text(template: String, maxLength: Int?)
    case uuid
    case bytes(count: Int)
    /// A moment in a year that no application has come to.
    case time
    case real

    /// Texts of fewer characters have not enough others.
    static let shortest = 8

    /// For a column of the target; nil where its type has no new value for every row. `range` is that of numbers.
    static func forColumn(
        _ column: LoadTable.Column, template: LoadValue, range: (start: Int64, stride: Int64)?
    ) -> FreshValue? {
        let text: String = if case .text(let text) = template { text } else { "" }
        switch (column.base, column.category) {
        case ("int2", _), ("int4", _), ("int8", _), ("numeric", _):
            return range.map { .number(start: $0.start, stride: $0.stride) }
        case ("float4", _), ("float8", _): return .real
        case ("uuid", _): return .uuid
        case ("bytea", _): return .bytes(count: 16)
        case ("timestamp", _), ("timestamptz", _): return .time
        case (_, "S"):
            if column.maxLength.map({ $0 < shortest }) ?? false { return nil }
            return text.isUUID ? .uuid : .text(template: text, maxLength: column.maxLength)
        default: return nil
        }
    }

    /// For a value as SQLite has it.
    static func forValue(_ value: LoadValue, range: (start: Int64, stride: Int64)?) -> FreshValue? {
        switch value {
        case .null: nil
        case .integer: range.map { .number(start: $0.start, stride: $0.stride) }
        case .real: .real
        case .text(let text): text.isUUID ? .uuid : .text(template: text, maxLength: nil)
        case .blob(let bytes): .bytes(count: max(16, bytes.count))
        }
    }

    /// Whether a column may have one at all.
    static func isPossible(_ column: LoadTable.Column) -> Bool {
        forColumn(column, template: .null, range: (0, 1)) != nil
    }
}

/// Makes fresh values for one session.
struct FreshMaker {
    let session: Int
    private var count: Int64 = 0
    private var random: SplitMix

    init(session: Int, seed: UInt64) {
        self.session = session
        // Streams that begin a step apart would follow each other: each begins at a number out of another one.
        var seeds = SplitMix(state: seed ^ UInt64(session) << 40)
        random = SplitMix(state: seeds.next())
    }

    mutating func index(below bound: Int) -> Int { Int(random.next() % UInt64(max(1, bound))) }

    mutating func value(_ fresh: FreshValue) -> LoadValue {
        count += 1
        switch fresh {
        case .number(let start, let stride):
            return .integer(start + Int64(session) * stride + count % max(1, stride))
        case .text(let template, let maxLength): return .text(text(template, limit: maxLength ?? .max))
        case .uuid: return .text(uuid())
        case .bytes(let count):
            return .blob((0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        case .time:
            let (year, month, day) = (2110 + index(below: 80), 10 + index(below: 3), 10 + index(below: 18))
            let (minute, second) = (10 + index(below: 50), 10 + index(below: 50))
            return .text("\(year)-\(month)-\(day) 10:\(minute):\(second).\(100_000 + index(below: 900_000))")
        case .real: return .real(Double(random.next() >> 12) * 1e3)
        }
    }

    /// In the form of a text that is there: of its alphabet where that is digits alone, and as long where that is long
    /// enough. An address or a path keeps its end.
    private mutating func text(_ template: String, limit: Int) -> String {
        let alphabet = Self.alphabets.first { alphabet in
            !template.isEmpty && template.allSatisfy(alphabet.contains)
        }
        let count = min(FreshValue.shortest + 4, limit)
        let letters = Array(alphabet ?? Self.letters)
        let start = String((0..<count).map { _ in letters[index(below: letters.count)] })
        let isKept = template.count < 2 * count || template.contains("@") || template.contains("/")
        let rest = isKept ? template : String(template.dropFirst(count))
        return start + rest.suffix(limit - count)
    }

    private static let letters = "abcdefghijklmnopqrstuvwxyz"
    private static let alphabets = ["0123456789", "0123456789abcdef", "0123456789ABCDEF"]

    private mutating func uuid() -> String {
        var bytes = (0..<16).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = Array(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.joined(separator: "-")
    }
}

/// Numbers that look random: quick, and the same for one seed (https://prng.di.unimi.it/splitmix64.c).
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension String {
    /// Whether it is written as a UUID is.
    var isUUID: Bool { utf8.count == 36 && UUID(uuidString: self) != nil }
}
