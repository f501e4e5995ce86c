import Foundation

/// Where the members of a JSON object's objects are in its text, so that one can be added and all else stays.
struct JSONLayout {
    struct Member {
        let name: String
        /// From the quote before the name to the end of the value.
        let range: Range<Int>
        let value: Range<Int>
    }

    private let bytes: [UInt8]
    private var position = 0

    /// The members of the object that the text is; nil where it is none.
    static func members(of bytes: [UInt8]) -> [Member]? {
        guard (try? JSONSerialization.jsonObject(with: Data(bytes))) is [String: Any] else { return nil }
        var layout = JSONLayout(bytes: bytes)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { layout.position = 3 }
        layout.skipBlanks()
        return layout.object()
    }

    /// The members of the object that a member's value is; nil where it is none.
    static func members(of member: Member, in bytes: [UInt8]) -> [Member]? {
        guard bytes[member.value.lowerBound] == UInt8(ascii: "{") else { return nil }
        var layout = JSONLayout(bytes: bytes)
        layout.position = member.value.lowerBound
        return layout.object()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    // The text is valid JSON, as Foundation has told; only places are looked for.

    private mutating func skipBlanks() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ",")].contains(bytes[position]) {
            position += 1
        }
    }

    private mutating func object() -> [Member] {
        var members: [Member] = []
        position += 1
        skipBlanks()
        while position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
            let start = position
            skipString()
            let name = start..<position
            while position < bytes.count, bytes[position] != UInt8(ascii: ":") { position += 1 }
            position += 1
            skipBlanks()
            let value = position
            skipValue()
            let text =
                try? JSONSerialization.jsonObject(with: Data(bytes[name]), options: .fragmentsAllowed)
                as? String
            members.append(
                Member(name: (text ?? nil) ?? "", range: start..<position, value: value..<position))
            skipBlanks()
        }
        return members
    }

    private mutating func skipString() {
        position += 1
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        position = min(bytes.count, position + 1)
    }

    private mutating func skipValue() {
        var depth = 0
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                skipString()
                if depth == 0 { return }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return }
                depth -= 1
                if depth == 0 {
                    position += 1
                    return
                }
            case UInt8(ascii: ","), 0x20, 0x09, 0x0A, 0x0D:
                if depth == 0 { return }
            default: break
            }
            position += 1
        }
    }
}
