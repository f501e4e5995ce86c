/// A JSON value in one spelling, so that equal values have equal bytes: members sorted by key, of equal keys the
/// last one, numbers as their digits, texts without escapes. This is how `jsonb` compares.
struct CanonicalJSON {
    private let bytes: [UInt8]
    private let refusesTwins: Bool
    private var position = 0
    private var depth = 0

    /// Levels that are read: each takes some of the stack, and PostgreSQL reads fewer.
    private static let mostLevels = 7000

    /// nil where the text is no JSON, or is nested deeper than can be read. Where `refusesTwins`, nil too for an object that has a key
    /// twice: of its values only the last one can arrive.
    static func bytes(of text: some Sequence<UInt8>, refusesTwins: Bool = false) -> [UInt8]? {
        var reader = CanonicalJSON(bytes: Array(text), refusesTwins: refusesTwins)
        reader.skipSpace()
        guard let value = reader.value() else { return nil }
        reader.skipSpace()
        return reader.position == reader.bytes.count ? value : nil
    }

    private init(bytes: [UInt8], refusesTwins: Bool = false) {
        self.bytes = bytes
        self.refusesTwins = refusesTwins
    }

    private var next: UInt8 { position < bytes.count ? bytes[position] : 0 }

    private mutating func skipSpace() {
        while [0x20, 0x09, 0x0A, 0x0D].contains(next), position < bytes.count { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func value() -> [UInt8]? {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.mostLevels else { return nil }
        switch next {
        case UInt8(ascii: "{"): return object()
        case UInt8(ascii: "["): return array()
        case UInt8(ascii: "\""): return string().map { [UInt8(ascii: "s")] + Self.counted($0) }
        case UInt8(ascii: "t"): return word("true")
        case UInt8(ascii: "f"): return word("false")
        case UInt8(ascii: "n"): return word("null")
        default: return number()
        }
    }

    /// A length before the bytes keeps neighbours apart.
    private static func counted(_ bytes: [UInt8]) -> [UInt8] {
        Array("\(bytes.count):".utf8) + bytes
    }

    private mutating func word(_ word: String) -> [UInt8]? {
        guard bytes[position...].starts(with: word.utf8) else { return nil }
        position += word.utf8.count
        return Array(word.utf8)
    }

    private mutating func object() -> [UInt8]? {
        guard take("{") else { return nil }
        var members: [[UInt8]: [UInt8]] = [:]
        skipSpace()
        if take("}") { return Array("{0:".utf8) }
        while true {
            guard let key = string() else { return nil }
            skipSpace()
            guard take(":") else { return nil }
            skipSpace()
            guard let value = value() else { return nil }
            if members.updateValue(value, forKey: key) != nil, refusesTwins { return nil }
            skipSpace()
            if take("}") { break }
            guard take(",") else { return nil }
            skipSpace()
        }
        var out = Array("{\(members.count):".utf8)
        for (key, value) in members.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            out += Self.counted(key) + Self.counted(value)
        }
        return out
    }

    private mutating func array() -> [UInt8]? {
        guard take("[") else { return nil }
        var out: [UInt8] = []
        var count = 0
        skipSpace()
        if take("]") { return Array("[0:".utf8) }
        while true {
            guard let value = value() else { return nil }
            out += Self.counted(value)
            count += 1
            skipSpace()
            if take("]") { return Array("[\(count):".utf8) + out }
            guard take(",") else { return nil }
            skipSpace()
        }
    }

    private mutating func number() -> [UInt8]? {
        let start = position
        while position < bytes.count, "+-.eE0123456789".utf8.contains(next) { position += 1 }
        guard position > start, let digits = DecimalDigits(decimal: bytes[start..<position]) else {
            return nil
        }
        let sign = digits.isNegative && !digits.digits.isEmpty ? "-" : ""
        return Array("n\(sign)".utf8) + digits.digits.map { $0 + 48 } + Array("e\(digits.exponent)".utf8)
    }

    /// The bytes that a string stands for, its quotes and escapes gone; empty where it is none.
    static func decoded(string: some Sequence<UInt8>) -> [UInt8] {
        var reader = CanonicalJSON(bytes: Array(string))
        return reader.string() ?? []
    }

    private mutating func string() -> [UInt8]? {
        guard take("\"") else { return nil }
        var out: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") { return out }
            guard byte == UInt8(ascii: "\\") else {
                out.append(byte)
                continue
            }
            guard let escaped = escape() else { return nil }
            out += escaped
        }
        return nil
    }

    private mutating func escape() -> [UInt8]? {
        let letter = next
        position += 1
        switch letter {
        case UInt8(ascii: "b"): return [8]
        case UInt8(ascii: "f"): return [12]
        case UInt8(ascii: "n"): return [10]
        case UInt8(ascii: "r"): return [13]
        case UInt8(ascii: "t"): return [9]
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [letter]
        case UInt8(ascii: "u"):
            guard var code = unit() else { return nil }
            if (0xD800...0xDBFF).contains(code), next == UInt8(ascii: "\\") {
                position += 2
                guard let low = unit(), (0xDC00...0xDFFF).contains(low) else { return nil }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            return Unicode.Scalar(code).map { Array(String(Character($0)).utf8) }
        default: return nil
        }
    }

    private mutating func unit() -> UInt32? {
        guard position + 4 <= bytes.count else { return nil }
        defer { position += 4 }
        let digits = String(decoding: bytes[position..<position + 4], as: UTF8.self)
        return digits.utf8.first == UInt8(ascii: "+") ? nil : UInt32(digits, radix: 16)
    }
}
