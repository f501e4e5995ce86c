/// Reads JSON by PostgreSQL's rules (RFC 8259), to tell what `json` and `jsonb` take.
struct JSONText {
    enum Verdict: Equatable {
        case valid
        /// `json` keeps it, `jsonb` does not: a key twice in one object, of which it keeps the last value, and what
        /// it refuses, `\u0000`, half of a surrogate pair, a number out of range.
        case textOnly
        case invalid
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var fitsBinary = true
    private var depth = 0

    private init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    static func check(_ bytes: UnsafeBufferPointer<UInt8>) -> Verdict {
        var reader = JSONText(bytes)
        reader.skipSpace()
        guard reader.value() else { return .invalid }
        reader.skipSpace()
        guard reader.position == bytes.count else { return .invalid }
        return reader.fitsBinary ? .valid : .textOnly
    }

    private var next: UInt8 { position < bytes.count ? bytes[position] : 0 }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func value() -> Bool {
        switch next {
        case UInt8(ascii: "{"):
            var keys: Set<[UInt8]> = []
            return members(from: "{", to: "}") { reader in
                let start = reader.position
                guard reader.string() else { return false }
                let key = CanonicalJSON.decoded(string: reader.bytes[start..<reader.position])
                if !keys.insert(key).inserted { reader.fitsBinary = false }
                reader.skipSpace()
                guard reader.take(":") else { return false }
                reader.skipSpace()
                return reader.value()
            }
        case UInt8(ascii: "["): return members(from: "[", to: "]") { $0.value() }
        case UInt8(ascii: "\""): return string()
        case UInt8(ascii: "t"): return word("true")
        case UInt8(ascii: "f"): return word("false")
        case UInt8(ascii: "n"): return word("null")
        default: return number()
        }
    }

    private mutating func members(
        from open: Unicode.Scalar, to close: Unicode.Scalar, _ member: (inout JSONText) -> Bool
    ) -> Bool {
        // PostgreSQL's own limit is its stack (max_stack_depth, about 6,000 levels by default).
        depth += 1
        defer { depth -= 1 }
        guard depth < 1000, take(open) else { return false }
        skipSpace()
        if take(close) { return true }
        while true {
            guard member(&self) else { return false }
            skipSpace()
            if take(close) { return true }
            guard take(",") else { return false }
            skipSpace()
        }
    }

    private mutating func word(_ word: String) -> Bool {
        for byte in word.utf8 {
            guard next == byte else { return false }
            position += 1
        }
        return true
    }

    private mutating func string() -> Bool {
        guard take("\"") else { return false }
        var highSurrogate = false
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            var unit: UInt32?
            switch byte {
            case UInt8(ascii: "\""):
                if highSurrogate { fitsBinary = false }
                return true
            case 0..<0x20: return false
            case UInt8(ascii: "\\"):
                guard position < bytes.count else { return false }
                let escape = bytes[position]
                position += 1
                if escape == UInt8(ascii: "u") {
                    guard let code = hexadecimal() else { return false }
                    unit = code
                } else if !"\"\\/bfnrt".utf8.contains(escape) {
                    return false
                }
            default: break
            }
            let isHigh = unit.map { (0xD800...0xDBFF).contains($0) } ?? false
            let isLow = unit.map { (0xDC00...0xDFFF).contains($0) } ?? false
            if unit == 0 || highSurrogate != isLow { fitsBinary = false }
            highSurrogate = isHigh
        }
        return false
    }

    private mutating func hexadecimal() -> UInt32? {
        guard position + 4 <= bytes.count else { return nil }
        let text = String(decoding: bytes[position..<position + 4], as: UTF8.self)
        guard !text.hasPrefix("+"), !text.hasPrefix("-") else { return nil }
        position += 4
        return UInt32(text, radix: 16)
    }

    private mutating func digits() -> Int {
        let start = position
        while next &- 48 < 10, position < bytes.count { position += 1 }
        return position - start
    }

    private mutating func number() -> Bool {
        let start = position
        _ = take("-")
        let leading = next
        let integral = digits()
        guard integral > 0, integral == 1 || leading != UInt8(ascii: "0") else { return false }
        if take("."), digits() == 0 { return false }
        if take("e") || take("E") {
            _ = take("+") || take("-")
            guard digits() > 0 else { return false }
        }
        // jsonb keeps a number as numeric: 131,072 digits before the point, 16,383 after it.
        if let value = DecimalDigits(decimal: bytes[start..<position]),
            value.integralDigits > 131_072 || value.scale > 16_383
        {
            fitsBinary = false
        }
        return true
    }
}
