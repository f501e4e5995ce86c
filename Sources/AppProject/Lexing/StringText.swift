/// What a string of source code says, byte by byte, with the place of each byte in the file.
struct StringText: Sendable {
    /// UTF-8. An expression inside of the string is one byte of `hole`.
    private(set) var bytes: [UInt8] = []
    /// Where each byte of `bytes` comes from; one more for the end.
    private(set) var offsets: [Int] = []

    /// Stands for an expression; in no text by itself.
    static let hole: UInt8 = 0x1A

    init(_ token: CodeToken, in file: [UInt8]) {
        append(token, in: file)
    }

    /// Adds another string, or what stands between two that are joined.
    mutating func append(_ token: CodeToken, in file: [UInt8]) {
        if !offsets.isEmpty { offsets.removeLast() }
        guard token.kind == .string else {
            add(Self.hole, token.range.lowerBound)
            offsets.append(token.range.upperBound)
            return
        }
        var index = token.inside.lowerBound
        var holes = token.holes[...]
        while index < token.inside.upperBound {
            if let hole = holes.first, hole.lowerBound == index {
                add(Self.hole, index)
                index = hole.upperBound
                holes = holes.dropFirst()
            } else if token.escapes, file[index] == UInt8(ascii: "\\"), index + 1 < token.inside.upperBound {
                index += escape(at: index, upTo: token.inside.upperBound, file)
            } else {
                add(file[index], index)
                index += 1
            }
        }
        offsets.append(token.inside.upperBound)
    }

    private mutating func add(_ byte: UInt8, _ offset: Int) {
        bytes.append(byte)
        offsets.append(offset)
    }

    /// Adds what a backslash and what follows it stand for; returns how many bytes they are.
    private mutating func escape(at index: Int, upTo end: Int, _ file: [UInt8]) -> Int {
        let letter = file[index + 1]
        switch letter {
        case UInt8(ascii: "n"): add(0x0A, index)
        case UInt8(ascii: "r"): add(0x0D, index)
        case UInt8(ascii: "t"): add(0x09, index)
        case UInt8(ascii: "\n"): break  // A line that goes on.
        case UInt8(ascii: "u"):
            var stop = index + 2
            let isBraced = stop < end && file[stop] == UInt8(ascii: "{")
            if isBraced { stop += 1 }
            let start = stop
            while stop < end, stop - start < (isBraced ? 6 : 4),
                Character(Unicode.Scalar(file[stop])).isHexDigit
            {
                stop += 1
            }
            guard let code = UInt32(String(decoding: file[start..<stop], as: UTF8.self), radix: 16),
                let scalar = Unicode.Scalar(code)
            else {
                add(letter, index)
                return 2
            }
            for byte in String(Character(scalar)).utf8 { add(byte, index) }
            return stop - index + (isBraced ? 1 : 0)
        default: add(letter, index)
        }
        return 2
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The bytes in the file that a range of the text comes from.
    func range(_ range: Range<Int>) -> Range<Int> {
        let last = offsets.count - 1
        return offsets[min(range.lowerBound, last)]..<offsets[min(range.upperBound, last)]
    }
}
