import Foundation

/// Makes lines of what a program writes: without the sequences that a terminal obeys, without secrets, cut to a length.
///
/// Bytes go in as they come; what is held of them is bounded, whatever comes. Called from one thread.
public struct OutputLines {
    /// A longer line is handed over in pieces.
    private static let longest = 1 << 14
    /// Of each line so much is kept.
    private static let shown = 2000

    private let secrets: Secrets
    private var pending: [UInt8] = []

    public init(_ secrets: Secrets) {
        self.secrets = secrets
        pending.reserveCapacity(Self.longest)
    }

    /// Takes bytes, and hands over every line that is whole: as it came for `read`, and as it may be shown.
    public mutating func take(
        _ bytes: UnsafeRawBufferPointer, _ body: (_ raw: ArraySlice<UInt8>, String) -> Void
    ) {
        var rest = bytes[...]
        while let start = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
            guard let end = memchr(start, 0x0A, rest.count) else {
                append(UnsafeRawBufferPointer(rebasing: rest), body)
                return
            }
            let count = UnsafeRawPointer(end) - start
            append(UnsafeRawBufferPointer(rebasing: rest.prefix(count)), body)
            emit(pending[...], body)
            pending.removeAll(keepingCapacity: true)
            rest = rest.dropFirst(count + 1)
        }
    }

    /// Hands over what is left without an end.
    public mutating func finish(_ body: (_ raw: ArraySlice<UInt8>, String) -> Void) {
        if !pending.isEmpty { emit(pending[...], body) }
        pending = []
    }

    private mutating func append(
        _ bytes: UnsafeRawBufferPointer, _ body: (_ raw: ArraySlice<UInt8>, String) -> Void
    ) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Self.longest * 2 - pending.count)
            pending.append(contentsOf: piece)
            rest = rest.dropFirst(piece.count)
            guard pending.count >= Self.longest * 2 else { return }
            // A secret must not be cut in two: the cut is made where none goes over it.
            let cut = secrets.cut(in: Self.plain(pending[...]), near: Self.longest)
            let whole = Self.plain(pending[...])
            emit(whole[..<cut], body)
            pending = Array(whole[cut...])
        }
    }

    private func emit(_ line: ArraySlice<UInt8>, _ body: (_ raw: ArraySlice<UInt8>, String) -> Void) {
        let plain = Self.plain(line)[...]
        let text = String(decoding: secrets.masked(plain).prefix(Self.shown), as: UTF8.self)
        body(plain, plain.count > Self.shown ? text + "…" : text)
    }

    /// A line without escape sequences and other controls; of what a carriage return writes over, the last stays.
    static func plain(_ line: ArraySlice<UInt8>) -> [UInt8] {
        guard line.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F || $0 == controlLead }) else {
            return Array(line)
        }
        var plain: [UInt8] = []
        plain.reserveCapacity(line.count)
        var index = line.startIndex
        while index < line.endIndex {
            let byte = line[index]
            index += 1
            switch byte {
            case 0x1B: index = end(ofSequence: line, from: index)
            case 0x0D:
                // A progress bar draws over itself; a line's own end is CR and LF.
                if index < line.endIndex { plain.removeAll(keepingCapacity: true) }
            case 0x08: plain.removeLast(plain.isEmpty ? 0 : 1)
            case 0x80...0x9F where plain.last == controlLead: plain.removeLast()
            case 0x09, 0x20...0x7E, 0x80...: plain.append(byte)
            default: break
            }
        }
        return plain
    }

    /// What U+0080 to U+009F begin with in UTF-8: controls as well, of which one begins a sequence.
    private static let controlLead: UInt8 = 0xC2

    /// Where an escape sequence ends (ECMA-48): CSI up to its final byte, a string up to BEL or ST, others two bytes.
    private static func end(ofSequence line: ArraySlice<UInt8>, from start: Int) -> Int {
        guard start < line.endIndex else { return start }
        var index = start + 1
        switch line[start] {
        case UInt8(ascii: "["):
            while index < line.endIndex, !(0x40...0x7E).contains(line[index]) { index += 1 }
            return min(index + 1, line.endIndex)
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"), UInt8(ascii: "_"):
            while index < line.endIndex {
                if line[index] == 0x07 { return index + 1 }
                if line[index] == 0x1B { return min(index + 2, line.endIndex) }
                index += 1
            }
            return line.endIndex
        case 0x20...0x2F:
            while index < line.endIndex, (0x20...0x2F).contains(line[index]) { index += 1 }
            return min(index + 1, line.endIndex)
        default: return index
        }
    }
}
