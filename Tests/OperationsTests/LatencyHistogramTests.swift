import Testing

@testable import Operations

@Suite struct LatencyHistogramTests {
    @Test func percentilesOfAnySeriesAreAtMostAThirtySecondTooLarge() {
        for scale in [1, 7, 130, 9_001, 250_000] {
            var histogram = LatencyHistogram()
            var values: [Int] = []
            for number in 0..<2000 {
                let value = (number * 7919 % 2000) * scale
                values.append(value)
                histogram.add(microseconds: value)
            }
            values.sort()
            for share in [0.5, 0.95, 0.99, 1] {
                let exact = values[Int((share * 2000).rounded(.up)) - 1]
                let told = histogram.percentile(share)
                #expect(
                    told >= exact && Double(told) <= Double(exact) * 33 / 32 + 1,
                    "\(scale) \(share): \(told), \(exact)")
            }
            #expect(histogram.longest == values.last)
            #expect(histogram.count == 2000)
        }
    }

    @Test func twoMergedAreAsOneThatHasHeardAll() {
        var (one, other, both) = (LatencyHistogram(), LatencyHistogram(), LatencyHistogram())
        for value in 0..<500 {
            if value % 3 == 0 {
                one.add(microseconds: value * value)
            } else {
                other.add(microseconds: value * value)
            }
            both.add(microseconds: value * value)
        }
        one.merge(other)
        for share in [0.1, 0.5, 0.9, 1] { #expect(one.percentile(share) == both.percentile(share)) }
        #expect(one.count == both.count && one.longest == both.longest)
    }

    @Test func whatHasHeardNothingAndWhatIsBeyondAllBucketsIsTold() {
        var histogram = LatencyHistogram()
        #expect(histogram.percentile(0.5) == 0)
        histogram.add(microseconds: -1)
        histogram.add(microseconds: .max)
        #expect(histogram.percentile(0.5) == 0)
        #expect(histogram.percentile(1) > 1 << 39)
    }
}
