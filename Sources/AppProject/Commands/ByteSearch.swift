import Foundation

/// Some bytes that are looked for in others, quickly: what programs write is looked through line by line.
struct ByteSearch: Sendable {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    init(_ text: String) {
        self.init(Array(text.utf8))
    }

    /// The first place in a line, at or after `start`; nil where there is none.
    func place(in line: ArraySlice<UInt8>, from start: Int? = nil) -> Range<Int>? {
        guard let first = bytes.first else { return nil }
        let offset = (start ?? line.startIndex) - line.startIndex
        let found = line.withUnsafeBytes { line -> Int? in
            guard let base = line.baseAddress else { return nil }
            var place = offset
            while place + bytes.count <= line.count {
                guard let next = memchr(base + place, Int32(first), line.count - bytes.count - place + 1)
                else {
                    return nil
                }
                place = UnsafeRawPointer(next) - base
                if memcmp(base + place, bytes, bytes.count) == 0 { return place }
                place += 1
            }
            return nil
        }
        return found.map { line.startIndex + $0..<line.startIndex + $0 + bytes.count }
    }

    func isIn(_ line: ArraySlice<UInt8>) -> Bool { place(in: line) != nil }
}
