/// How long queries took, in a fixed number of buckets: whatever the length of a test, it takes no more memory.
///
/// Below 64 µs every microsecond has a bucket of its own; above, each doubling has 32, so that a percentile is at most
/// 1/32 too large. Used by one thread; `merge` joins those of several.
struct LatencyHistogram: Sendable {
    private static let exact = 64
    private static let parts = 32
    /// The largest exponent that has buckets: 2⁴⁰ µs are 12 days.
    private static let doublings = 40 - 6

    private var buckets = [Int](repeating: 0, count: exact + doublings * parts)
    private(set) var count = 0
    private(set) var longest = 0

    mutating func add(microseconds: Int) {
        let value = max(0, microseconds)
        buckets[Self.bucket(of: value)] += 1
        count += 1
        longest = max(longest, value)
    }

    mutating func merge(_ other: LatencyHistogram) {
        for index in buckets.indices { buckets[index] += other.buckets[index] }
        count += other.count
        longest = max(longest, other.longest)
    }

    /// The time in microseconds within which that share of the queries was answered; 0 without any.
    func percentile(_ share: Double) -> Int {
        guard count > 0 else { return 0 }
        let wanted = max(1, Int((share * Double(count)).rounded(.up)))
        var seen = 0
        for (index, number) in buckets.enumerated() {
            seen += number
            if seen >= wanted { return min(Self.upperBound(of: index), longest) }
        }
        return longest
    }

    private static func bucket(of value: Int) -> Int {
        guard value >= exact else { return value }
        let exponent = Int.bitWidth - 1 - value.leadingZeroBitCount
        guard exponent - 6 < doublings else { return exact + doublings * parts - 1 }
        return exact + (exponent - 6) * parts + ((value >> (exponent - 5)) & (parts - 1))
    }

    /// The largest value that falls into a bucket.
    private static func upperBound(of index: Int) -> Int {
        guard index >= exact else { return index }
        let (doubling, part) = (index - exact).quotientAndRemainder(dividingBy: parts)
        return (1 << (doubling + 6)) + (part + 1) << (doubling + 1) - 1
    }
}
