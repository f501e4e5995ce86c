import Foundation
import MigrationEngine
import SQLite
import TestSupport
import Testing

@testable import Operations

/// What is kept of earlier samples.
@Suite struct MonitorHistoryTests {
    private static let day = 86_400
    private static let now = 1_800_000_000 / 86_400 * 86_400

    private func withHistory(_ body: (MonitorHistory, StateFolder) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let state = try StateFolder.open(source: "", project: nil, override: folder, environment: [:])
            try body(try MonitorHistory(state), state)
        }
    }

    private func add(_ history: MonitorHistory, _ time: Int, size: Int64 = 0, server: String = "s") throws {
        try history.add(.init(time: time, size: size, connections: 5), counters: nil, server: server)
    }

    @Test func oldSamplesAreThinnedOutToOneAnHourAndThenOneADay() throws {
        try withHistory { history, _ in
            for age in stride(from: 70 * 24 * 60, through: 0, by: -30) {
                try add(history, Self.now - age * 60)
            }
            let points = try history.points("s", since: 0).map(\.time)
            let week = points.filter { $0 >= Self.now - 7 * Self.day }
            let older = points.filter { $0 < Self.now - 7 * Self.day && $0 >= Self.now - 60 * Self.day }
            let oldest = points.filter { $0 < Self.now - 60 * Self.day }
            #expect(week.count == 7 * 48 + 1, "all of the last week")
            #expect(older.count == 53 * 24, "one an hour")
            #expect(oldest.count == 10, "one a day")
        }
    }

    @Test func growthIsToldOnceThereIsTimeEnough() throws {
        try withHistory { history, _ in
            try add(history, Self.now - 3 * 3600, size: 1000)
            try add(history, Self.now, size: 2000)
            #expect(try history.growth("s", now: Self.now) == MonitorGrowth())
            try add(history, Self.now - 2 * Self.day, size: 0)
            #expect(try history.growth("s", now: Self.now) == MonitorGrowth(perDay: 1000, perWeek: nil))
            try add(history, Self.now - 20 * Self.day, size: 0)
            #expect(try history.growth("s", now: Self.now).perWeek == 700)
            #expect(try history.growth("other", now: Self.now) == MonitorGrowth(), "of that server alone")
        }
    }

    @Test func countersOfTheLastSampleAreWhereTheNextDifferencesBegin() throws {
        try withHistory { history, state in
            let counters = MonitorSamples.counters { $0.commits = 42 }
            try history.add(.init(time: Self.now, size: nil, connections: 1), counters: counters, server: "s")
            #expect(try MonitorHistory(state).lastCounters("s") == counters)
            #expect(try history.lastCounters("other") == nil)
        }
    }

    @Test func theFileIsForItsOwnerAlone() throws {
        try withHistory { _, state in
            var status = stat()
            #expect(stat("\(state.path)/monitor.db", &status) == 0 && status.st_mode & 0o777 == 0o600)
        }
    }
}
