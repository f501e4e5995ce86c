/// The bytes of two values beside each other, aligned, with those that differ marked.
public struct HexView {
    /// nil of a side without bytes.
    public var left: [UInt8]?
    public var right: [UInt8]?
    public var top: Int
    /// What stands in the place of bytes that a side does not have.
    public var leftWord = "NULL"
    public var rightWord = "NULL"

    public init(left: [UInt8]?, right: [UInt8]?, top: Int = 0) {
        self.left = left
        self.right = right
        self.top = top
    }

    /// The offset of the first byte that differs; nil where both are equal.
    public var firstDifference: Int? {
        guard let left, let right else { return left == nil && right == nil ? nil : 0 }
        let common = zip(left, right).prefix { $0 == $1 }.count
        return common == left.count && common == right.count ? nil : common
    }

    /// Where the next stretch of bytes that differ begins, after the one at an offset, or the one before it; nil where there is none.
    public func difference(from offset: Int, isBackward: Bool = false) -> Int? {
        let count = max(left?.count ?? 0, right?.count ?? 0)
        func differs(_ index: Int) -> Bool { byte(left, index) != byte(right, index) }
        func begins(_ index: Int) -> Bool { differs(index) && (index == 0 || !differs(index - 1)) }
        return isBackward
            ? (0..<max(0, min(offset, count))).last(where: begins)
            : (offset..<max(offset, count)).dropFirst().first(where: begins)
    }

    private func byte(_ bytes: [UInt8]?, _ index: Int) -> UInt8? {
        bytes.flatMap { $0.indices.contains(index) ? $0[index] : nil }
    }

    /// Bytes in a row, by the width: 4, 8 or 16 a side.
    public static func bytesPerRow(width: Int) -> Int {
        [16, 8, 4].first { 8 + 2 * ($0 * 3 + 2) <= width } ?? 4
    }

    public func rows(width: Int) -> Int {
        let count = max(left?.count ?? 0, right?.count ?? 0)
        let perRow = Self.bytesPerRow(width: width)
        return max(1, (count + perRow - 1) / perRow)
    }

    public func draw(in rect: Rect, on buffer: inout Buffer, _ look: Look) {
        let perRow = Self.bytesPerRow(width: rect.width)
        for row in 0..<rect.height where top + row < rows(width: rect.width) {
            let offset = (top + row) * perRow
            var digits = String(offset, radix: 16)
            digits = String(repeating: "0", count: max(0, 6 - digits.count)) + digits
            let line =
                Line(digits + "  ", .muted) + side(left, leftWord, against: right, offset, perRow, look)
                + Line(" " + look.symbols.vertical + " ", .border)
                + side(right, rightWord, against: left, offset, perRow, look)
            buffer.write(line, in: rect.row(row), look)
        }
    }

    private func side(
        _ bytes: [UInt8]?, _ absent: String, against other: [UInt8]?, _ offset: Int, _ perRow: Int,
        _ look: Look
    ) -> Line {
        guard let bytes else {
            let word = offset == 0 ? absent : ""
            return Line(word + String(repeating: " ", count: max(0, perRow * 3 - word.count)), .null)
        }
        var line = Line()
        for index in offset..<offset + perRow {
            guard bytes.indices.contains(index) else {
                line.spans.append(Span("   "))
                continue
            }
            let isSame = other.map { $0.indices.contains(index) && $0[index] == bytes[index] } ?? false
            let text = (bytes[index] < 16 ? "0" : "") + String(bytes[index], radix: 16) + " "
            line.spans.append(Span(text, isSame ? .text : .diffChanged))
        }
        return line
    }
}
