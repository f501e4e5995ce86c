extension ColumnProfile {
    /// What texts of a column look like, whatever is declared: observed, and never acted upon by itself.
    public struct TextForms: Sendable, Equatable {
        /// Texts that are looked at: enough to tell, and little to pay.
        static let mostTexts = 10_000

        private(set) var seen = 0
        private(set) var areUUIDs = true
        private(set) var areJSON = true
        private(set) var areBase64 = true
        private(set) var areDates = true

        private var isOpen: Bool { areUUIDs || areJSON || areBase64 || areDates }

        @inline(__always)
        mutating func note(_ text: UnsafeBufferPointer<UInt8>) {
            guard seen < Self.mostTexts else { return }
            seen += 1
            guard isOpen else { return }
            if areUUIDs { areUUIDs = UUIDText.form(text) != nil }
            // A bare number or word is JSON too, and says nothing.
            if areJSON {
                let opens = text.first == UInt8(ascii: "{") || text.first == UInt8(ascii: "[")
                areJSON = opens && JSONText.check(text) != .invalid
            }
            if areBase64 { areBase64 = Self.isBase64(text) }
            if areDates { areDates = DateText.parse(text) != nil }
        }

        /// Whole groups of four with their padding, and long enough to be no word (RFC 4648, section 4).
        private static func isBase64(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
            guard text.count >= 16, text.count.isMultiple(of: 4) else { return false }
            var padding = 0
            for byte in text {
                switch byte {
                case UInt8(ascii: "="): padding += 1
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                    if padding > 0 { return false }
                default: return false
                }
            }
            return padding <= 2
        }

        var words: String? {
            guard seen > 0 else { return nil }
            let what =
                areUUIDs
                ? "UUIDs" : areJSON ? "JSON" : areDates ? "dates" : areBase64 ? "base64 of bytes" : nil
            return what.map {
                "its texts are \($0)" + (seen == Self.mostTexts ? " (the first \(seen) of them)" : "")
            }
        }
    }

    /// The different values of a column, while they are few.
    public struct Few: Sendable, Equatable {
        static let most = 8
        private static let longest = 32

        private(set) var values: [UInt64] = []
        private(set) var areMany = false

        @inline(__always)
        mutating func note(_ value: Int64) { note(hash: UInt64(bitPattern: value)) }

        @inline(__always)
        mutating func note(_ text: UnsafeBufferPointer<UInt8>) {
            guard !areMany else { return }
            guard text.count <= Self.longest else {
                areMany = true
                return
            }
            // FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for byte in text { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            note(hash: hash)
        }

        @inline(__always)
        private mutating func note(hash: UInt64) {
            guard !areMany, !values.contains(hash) else { return }
            if values.count == Self.most { areMany = true } else { values.append(hash) }
        }
    }

    /// What may interest who reads an assessment; empty where the declaration says it already.
    func observations(_ column: Catalog.Column) -> [String] {
        let type = column.declaredType.uppercased()
        var words: [String] = []
        let areOnlyBooleans = integers > 1 && integers == values && minInteger == 0 && maxInteger == 1
        if areOnlyBooleans, !type.contains("BOOL") {
            words.append("it holds only 0 and 1: boolean would hold it")
        } else if !areOnlyBooleans, values >= 20, reals == 0, blobs == 0, !few.areMany, few.values.count > 1 {
            words.append("it has \(few.values.count) different values")
        }
        let isDeclared = ["JSON", "DATE", "TIME", "UUID"].contains { type.contains($0) }
        if !isDeclared, texts == values, let form = forms.words { words.append(form) }
        return words
    }
}
