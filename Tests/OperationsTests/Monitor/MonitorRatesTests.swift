import Testing

@testable import Operations

/// Rates are differences of two samples, and none where something lies between them.
@Suite struct MonitorRatesTests {
    private static let before = MonitorSamples.counters {
        $0.commits = 100
        $0.rollbacks = 10
        $0.blocksHit = 9000
        $0.blocksRead = 1000
        $0.rowsRead = 500
        $0.checkpointsRequested = 7
    }

    private static func after(_ change: (inout MonitorCounters) -> Void = { _ in }) -> MonitorCounters {
        var counters = before
        counters.time += 10
        counters.commits += 90
        counters.rollbacks += 10
        counters.blocksHit += 1000
        counters.blocksRead += 1000
        counters.rowsRead += 2000
        change(&counters)
        return counters
    }

    @Test func differencesAreTakenOverTheTimeBetweenThem() throws {
        let rates = try MonitorRates(from: Self.before, to: Self.after())
        #expect(rates.seconds == 10 && rates.transactions == 10 && rates.rowsRead == 200)
        #expect(rates.cacheHits == 50, "of this interval, not of all time, which would be 83")
        #expect(rates.rollbackShare == 10)
    }

    struct Interruption: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let gap: MonitorRates.Gap
        let change: @Sendable (inout MonitorCounters) -> Void
    }

    @Test(arguments: [
        Interruption(testDescription: "a restart", gap: .restarted) { $0.started += 5 },
        Interruption(testDescription: "a reset", gap: .reset) { $0.reset = 1005 },
        Interruption(testDescription: "a counter that went back", gap: .reset) { $0.commits = 3 },
        Interruption(testDescription: "no time at all", gap: .tooClose) { $0.time = 1000 },
    ])
    func nothingIsToldOver(_ interruption: Interruption) {
        #expect(throws: interruption.gap) {
            try MonitorRates(from: Self.before, to: Self.after(interruption.change))
        }
    }

    @Test func theFirstSampleGivesNone() {
        #expect(throws: MonitorRates.Gap.first) { try MonitorRates(from: nil, to: Self.before) }
    }

    @Test func checkpointsThatWereSetBackTakeOnlyThemselvesAway() throws {
        let rates = try MonitorRates(from: Self.before, to: Self.after { $0.checkpointsRequested = 0 })
        #expect(rates.checkpointsRequested == nil && rates.transactions == 10)
    }
}
