import Foundation

/// The variables that an .env file sets, read as the dotenv package reads them (https://github.com/motdotla/dotenv).
public struct EnvFile: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        public let name: String
        /// Without its quotes; in double quotes `\n` and `\r` are line ends.
        public let value: String
        /// From 1.
        public let line: Int
        /// The bytes of the value in the file, with its quotes.
        let range: Range<Int>
        /// The quote around it; nil where it stands without.
        let quote: UInt8?
    }

    /// In the order of the file; a name may come more than once.
    public let entries: [Entry]

    public init(_ text: String) {
        self.init(Array(text.utf8))
    }

    init(_ bytes: [UInt8]) {
        var reader = EnvReader(bytes)
        entries = reader.read()
    }

    /// The value of a name; where it comes more than once, the last one counts.
    public subscript(name: String) -> String? {
        entries.last { $0.name == name }?.value
    }

    /// The value of a name with `$NAME` and `${NAME}` replaced, as Prisma does; an unknown name gives nothing.
    public func expanded(_ name: String, environment: [String: String]) -> String? {
        self[name].map { expand($0, environment, depth: 0) }
    }

    /// The value of one entry, its references replaced by what this file says.
    func expandedValue(of entry: Entry) -> String {
        expand(entry.value, [:], depth: 0)
    }

    private func expand(_ value: String, _ environment: [String: String], depth: Int) -> String {
        guard depth < 8 else { return value }
        let reference = /(\\?)\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/
        return value.replacing(reference) { match in
            if !match.1.isEmpty { return String(match.0.dropFirst()) }
            let name = String(match.2 ?? match.3 ?? "")
            return environment[name] ?? self[name].map { expand($0, environment, depth: depth + 1) } ?? ""
        }
    }
}

/// Steps through an .env file by its bytes. A line ends with LF, CR, or both.
private struct EnvReader {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    mutating func read() -> [EnvFile.Entry] {
        var entries: [EnvFile.Entry] = []
        while position < bytes.count {
            if let entry = entry() { entries.append(entry) }
            skipLine()
        }
        return entries
    }

    /// The entry on this line; nil for a comment, an empty line and anything else.
    private mutating func entry() -> EnvFile.Entry? {
        let start = line
        skipBlanks()
        var name = word()
        if name == "export", isBlank(at: position) {
            skipBlanks()
            name = word()
        }
        guard !name.isEmpty else { return nil }
        let isSpaced = isBlank(at: position)
        skipBlanks()
        // `NAME: value` is read as well, where no blank is before the colon.
        guard let sign = current, sign == UInt8(ascii: "=") || (sign == UInt8(ascii: ":") && !isSpaced) else {
            return nil
        }
        position += 1
        guard sign == UInt8(ascii: "=") || isBlank(at: position) else { return nil }
        skipBlanks()
        let (value, range, quote) = quoted() ?? bare()
        return EnvFile.Entry(name: name, value: value, line: start, range: range, quote: quote)
    }

    private typealias Value = (text: String, range: Range<Int>, quote: UInt8?)

    /// A value in quotes, over lines if need be; nil where they are not closed or more follows them.
    private mutating func quoted() -> Value? {
        guard let quote = current, "'\"`".utf8.contains(quote) else { return nil }
        var end = position + 1
        while end < bytes.count, bytes[end] != quote {
            end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard end < bytes.count else { return nil }
        var rest = end + 1
        while isBlank(at: rest) { rest += 1 }
        guard rest >= bytes.count || isLineEnd(at: rest) || bytes[rest] == UInt8(ascii: "#") else {
            return nil
        }
        let range = position..<end + 1
        // A pair of CR and LF is one character, and so one line end.
        let inside = String(decoding: bytes[position + 1..<end], as: UTF8.self)
        line += inside.count { ["\n", "\r", "\r\n"].contains($0) }
        position = end + 1
        let text = inside.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
        guard quote == UInt8(ascii: "\"") else { return (text, range, quote) }
        return (text.replacing("\\n", with: "\n").replacing("\\r", with: "\r"), range, quote)
    }

    /// A value without quotes: up to a comment or the line's end.
    private mutating func bare() -> Value {
        let start = position
        while let byte = current, !isLineEnd(at: position), byte != UInt8(ascii: "#") { position += 1 }
        var end = position
        while end > start, isBlank(at: end - 1) { end -= 1 }
        return (String(decoding: bytes[start..<end], as: UTF8.self), start..<end, nil)
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func isBlank(at index: Int) -> Bool {
        index < bytes.count && (bytes[index] == UInt8(ascii: " ") || bytes[index] == UInt8(ascii: "\t"))
    }

    private func isLineEnd(at index: Int) -> Bool {
        index < bytes.count && (bytes[index] == UInt8(ascii: "\n") || bytes[index] == UInt8(ascii: "\r"))
    }

    private mutating func skipBlanks() {
        while isBlank(at: position) { position += 1 }
    }

    private mutating func skipLine() {
        while position < bytes.count, !isLineEnd(at: position) { position += 1 }
        let isPair =
            current == UInt8(ascii: "\r") && position + 1 < bytes.count
            && bytes[position + 1] == UInt8(ascii: "\n")
        position += isPair ? 2 : 1
        line += 1
    }

    private mutating func word() -> String {
        let start = position
        while let byte = current, Self.isNamePart(byte) { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private static func isNamePart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
