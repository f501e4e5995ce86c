/// Bytes of a text that are replaced by others; all else stays as it is.
struct TextEdit: Equatable {
    let range: Range<Int>
    let replacement: [UInt8]

    init(_ range: Range<Int>, _ replacement: String) {
        self.range = range
        self.replacement = Array(replacement.utf8)
    }
}

extension [TextEdit] {
    /// The text with all of them done; they must not overlap, and what is put in at one place stands in their order.
    func applied(to text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var position = 0
        let ordered = enumerated().sorted {
            ($0.element.range.lowerBound, $0.offset) < ($1.element.range.lowerBound, $1.offset)
        }
        for (_, edit) in ordered {
            precondition(edit.range.lowerBound >= position, "edits overlap")
            result += text[position..<edit.range.lowerBound]
            result += edit.replacement
            position = edit.range.upperBound
        }
        return result + text[position...]
    }
}

extension [UInt8] {
    /// How the text ends its lines: as its first line does.
    var lineEnd: String {
        guard let index = firstIndex(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) else {
            return "\n"
        }
        guard self[index] == UInt8(ascii: "\r") else { return "\n" }
        return index + 1 < count && self[index + 1] == UInt8(ascii: "\n") ? "\r\n" : "\r"
    }
}
