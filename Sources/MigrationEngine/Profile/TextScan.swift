/// What PostgreSQL asks of a text: valid UTF-8 without NUL, and how many characters it counts.
struct TextScan: Equatable {
    /// Unicode scalars, PostgreSQL's characters; bytes that are no UTF-8 count one each.
    var characters = 0
    var isValid = true
    var hasNUL = false

    /// Reads `count` bytes (https://www.unicode.org/versions/latest/core-spec/chapter-3/#G27506, table 3-7).
    init(_ start: UnsafePointer<UInt8>, count: Int) {
        var index = 0
        while index < count {
            if index + 8 <= count {
                let word = UnsafeRawPointer(start + index).loadUnaligned(as: UInt64.self)
                let hasZero = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
                if word & 0x8080_8080_8080_8080 == 0, hasZero == 0 {
                    index += 8
                    characters += 8
                    continue
                }
            }
            let length = Self.sequenceLength(start + index, count - index)
            if length == 0 {
                isValid = false
                index += 1
            } else {
                if start[index] == 0 { hasNUL = true }
                index += length
            }
            characters += 1
        }
    }

    /// The length of the well-formed sequence at `start`; 0 where there is none.
    static func sequenceLength(_ start: UnsafePointer<UInt8>, _ available: Int) -> Int {
        let first = start[0]
        if first < 0x80 { return 1 }
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard first >= 0xC2, first <= 0xF4, length <= available else { return 0 }
        let second = start[1]
        let lowest: UInt8 = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80
        let highest: UInt8 = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF
        guard second >= lowest, second <= highest else { return 0 }
        for offset in 2..<max(length, 2) where start[offset] & 0xC0 != 0x80 { return 0 }
        return length
    }
}
