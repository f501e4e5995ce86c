/// Hashes of whole rows, added up modulo 2¹²⁸ in buckets with their counts.
///
/// Sums do not depend on the order of rows, so that two sides are read in pieces and by several threads; two equal rows do
/// not cancel each other. Without memory of its own before the first row.
struct RowSums {
    private(set) var rows = 0
    private var buckets: [Bucket] = []

    private static let bucketCount = 4096
    /// Rows of differing buckets that are paired; what the others hold is left open.
    private static let mostRows = 20_000_000

    private struct Bucket: Equatable {
        var count = 0
        var high: UInt64 = 0
        var low: UInt64 = 0

        mutating func add(_ other: Bucket) {
            count += other.count
            let sum = low.addingReportingOverflow(other.low)
            low = sum.partialValue
            high = high &+ other.high &+ (sum.overflow ? 1 : 0)
        }
    }

    static func bucket(of digest: RowHash.Digest) -> Int {
        Int(truncatingIfNeeded: digest.high >> 32) & (bucketCount - 1)
    }

    mutating func add(_ digest: RowHash.Digest) {
        if buckets.isEmpty { buckets = Array(repeating: Bucket(), count: Self.bucketCount) }
        rows += 1
        buckets[Self.bucket(of: digest)].add(Bucket(count: 1, high: digest.high, low: digest.low))
    }

    mutating func add(_ other: RowSums) {
        rows += other.rows
        if buckets.isEmpty {
            buckets = other.buckets
        } else if !other.buckets.isEmpty {
            for index in buckets.indices { buckets[index].add(other.buckets[index]) }
        }
    }

    /// Which buckets do not agree, and whether some of those are left out because they hold too many rows.
    func differing(from other: RowSums) -> (buckets: [Bool], isAny: Bool, isTruncated: Bool) {
        var differing = [Bool](repeating: false, count: Self.bucketCount)
        var isAny = false
        var isTruncated = false
        var candidates = 0
        for index in 0..<Self.bucketCount {
            let one = buckets.isEmpty ? Bucket() : buckets[index]
            let two = other.buckets.isEmpty ? Bucket() : other.buckets[index]
            guard one != two else { continue }
            candidates += one.count + two.count
            if candidates <= Self.mostRows || !isAny {
                differing[index] = true
            } else {
                isTruncated = true
            }
            isAny = true
        }
        return (differing, isAny, isTruncated)
    }
}
