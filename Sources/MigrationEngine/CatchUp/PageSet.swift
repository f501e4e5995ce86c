/// A set of a file's pages, a bit for each.
struct PageSet: Sendable {
    private var words: [UInt64]

    /// Pages 1 to `count`.
    init(count: Int) {
        words = Array(repeating: 0, count: count / 64 + 1)
    }

    func contains(_ page: UInt32) -> Bool {
        let word = Int(page >> 6)
        return word < words.count && words[word] & 1 << UInt64(page & 63) != 0
    }

    mutating func insert(_ page: UInt32) {
        let word = Int(page >> 6)
        while word >= words.count { words.append(0) }
        words[word] |= 1 << UInt64(page & 63)
    }

    mutating func insert(_ pages: ClosedRange<UInt32>) {
        for page in pages { insert(page) }
    }

    var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
}
