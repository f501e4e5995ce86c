import Foundation
import MigrationEngine
import Testing

@testable import Operations

/// What is judged, and what is rather not said than said wrong.
@Suite struct MonitorJudgeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let id: MonitorLimit.ID
        let verdict: MonitorVerdict
        var detail = ""
        let sample: MonitorSample

        init(
            _ name: String, _ id: MonitorLimit.ID, _ verdict: MonitorVerdict, detail: String = "",
            _ sessions: [MonitorSession] = [], _ change: (inout MonitorSample) -> Void = { _ in }
        ) {
            testDescription = name
            self.id = id
            self.verdict = verdict
            self.detail = detail
            sample = MonitorSamples.sample(sessions, change)
        }
    }

    static let cases = [
        Case("a quiet server", .connections, .ok, detail: "1 of 97"),
        Case(
            "80 of 97 connections", .connections, .warn, (1...79).map { MonitorSamples.session($0) }),
        Case(
            "reserved slots do not count", .connections, .critical, detail: "97 of 97",
            (1...96).map { MonitorSamples.session($0) }),
        Case(
            "a statement of a minute", .longestQuery, .warn, detail: "session 7, app@chat (web, 10.0.0.5)",
            [MonitorSamples.session(7, .active, seconds: 61)]),
        Case(
            "an old statement of an idle session", .longestQuery, .ok,
            [MonitorSamples.session(7, seconds: 9999)]),
        Case(
            "three statements of six seconds", .slowQueries, .warn,
            (1...3).map { MonitorSamples.session($0, .active, seconds: 6) }),
        Case(
            "a transaction of three hours", .oldestTransaction, .critical,
            [MonitorSamples.session(7, .active, transaction: 10_800)]),
        Case(
            "a forgotten COMMIT", .idleInTransaction, .warn, detail: "session 9",
            [MonitorSamples.session(9, .inTransaction, seconds: 75)]),
        Case(
            "a wait of a minute", .lockWait, .critical, detail: "held up by 5",
            [
                MonitorSamples.session(5), MonitorSamples.session(6, .active, wait: 61, blockers: [5]),
            ]),
        Case(
            "three that wait", .blockedSessions, .warn, detail: "holds up 3 sessions",
            [MonitorSamples.session(5)]
                + (6...8).map { MonitorSamples.session($0, .active, wait: 1, blockers: [5]) }),
        Case("half of a table dead", .deadRows, .warn, detail: "public.t, never vacuumed") {
            $0.storage?.tables = [.init(name: "public.t", bytes: 1, live: 20_000, dead: 20_000, vacuumed: "")]
        },
        Case("half of a small table dead", .deadRows, .ok) {
            $0.storage?.tables = [.init(name: "public.t", bytes: 1, live: 200, dead: 200, vacuumed: "")]
        },
        Case("a billion transactions that are not frozen", .wraparound, .warn) {
            $0.server.transactionAge = 1_000_000_000
        },
        Case("a slot that nobody uses", .slotWAL, .warn, detail: "old, nobody uses it") {
            $0.storage?.slots = [.init(name: "old", isActive: false, kept: 2 << 30, status: "extended")]
        },
        Case("a standby that is behind", .replicationLag, .warn, detail: "s1, 4 kB behind") {
            $0.storage?.standbys = [.init(name: "s1", state: "streaming", lag: 31, behind: 4096)]
        },
        Case("an archive that fails", .archiver, .critical, detail: "2 attempts") {
            $0.server.isArchiving = true
            $0.server.archiverFails = true
            $0.server.archiverFailures = 2
        },
        Case("a disk that is nearly full", .diskFree, .critical) {
            $0.storage?.free = 4
            $0.storage?.disk = 100
        },
        Case("a disk somewhere else", .diskFree, .unknown),
        Case("sessions that are hidden", .longestQuery, .unknown, [MonitorSamples.session(7, .hidden)]),
        Case(
            "hidden ones beside one that is slow", .longestQuery, .critical,
            [MonitorSamples.session(7, .hidden), MonitorSamples.session(8, .active, seconds: 900)]),
    ]

    @Test(arguments: cases) func isJudged(_ given: Case) throws {
        let reading = try #require(MonitorSamples.readings(given.sample)[given.id])
        #expect(reading.verdict == given.verdict, "\(reading)")
        #expect(given.detail.isEmpty || reading.detail.contains(given.detail), "\(reading.detail)")
        #expect((reading.gap != nil) == (given.verdict == .unknown), "what is not known says why")
    }

    @Test func fewBlocksAndTransactionsTellNothing() throws {
        var rates = try MonitorRates(
            from: MonitorSamples.counters(),
            to: MonitorSamples.counters {
                $0.time = 1010
                $0.blocksRead = 900
                $0.rollbacks = 90
            })
        var readings = MonitorSamples.readings(MonitorSamples.sample(), rates: .success(rates))
        #expect(readings[.cacheHits]?.verdict == .unknown && readings[.rollbacks]?.verdict == .unknown)
        rates.blocks = 1000
        rates.rollbacks = 100
        readings = MonitorSamples.readings(MonitorSamples.sample(), rates: .success(rates))
        #expect(readings[.cacheHits]?.verdict == .critical && readings[.rollbacks]?.verdict == .critical)
    }

    @Test func daysUntilTheDiskIsFullFollowFromTheGrowth() {
        let sample = MonitorSamples.sample {
            $0.storage?.free = 100 << 20
            $0.storage?.disk = 1 << 30
        }
        let readings = MonitorSamples.readings(sample, growth: .init(perDay: Double(20 << 20)))
        #expect(readings[.diskFull]?.value == 5 && readings[.diskFull]?.verdict == .critical)
        #expect(readings[.growth]?.verdict == .warn, "20 of 316 MB")
        #expect(MonitorSamples.readings(sample)[.diskFull]?.verdict == .unknown)
        let shrinking = MonitorSamples.readings(sample, growth: .init(perDay: -5))
        #expect(shrinking[.diskFull]?.verdict == .ok)
    }

    @Test func theAgeOfBackupsIsToldByTheirNames() throws {
        let now = MonitorSamples.sample().time
        let stale = MonitorSamples.readings(
            MonitorSamples.sample(), backup: .newest(now.addingTimeInterval(-30 * 3600)))
        #expect(stale[.backupAge]?.verdict == .warn && stale[.backupAge]?.value == 30)
        #expect(
            MonitorSamples.readings(MonitorSamples.sample(), backup: .newest(nil))[.backupAge]?.verdict
                == .critical)
        #expect(MonitorSamples.readings(MonitorSamples.sample())[.backupAge]?.verdict == .unknown)
        #expect(
            BackupFolder.time(of: "chat-20261127T031500Z.dump")?.formatted(.iso8601) == "2026-11-27T03:15:00Z"
        )
        for other in ["chat-20261127T031500Z.dump.part", "chat.dump", "chat-20261327T031500Z.dump"] {
            #expect(BackupFolder.time(of: other) == nil, "\(other)")
        }
    }

    // MARK: Who waits for whom

    @Test func aChainHasOneRootWithAllThatWaitBelowIt() {
        let forest = BlockingForest([
            MonitorSamples.session(1, .inTransaction),
            MonitorSamples.session(2, .active, wait: 9, blockers: [1]),
            MonitorSamples.session(3, .active, wait: 5, blockers: [2, 1]), MonitorSamples.session(4),
        ])
        #expect(forest.roots.map(\.id) == [1] && forest.roots[0].waiting == 2)
        #expect(forest.rows.map { "\($0.depth) \($0.node.id)" } == ["0 1", "1 2", "2 3"])
    }

    @Test func aRingAndAPreparedTransactionEndToo() {
        let ring = BlockingForest([
            MonitorSamples.session(1, .active, blockers: [2]),
            MonitorSamples.session(2, .active, blockers: [1]),
        ])
        #expect(ring.rows.count == 2)
        let prepared = BlockingForest([MonitorSamples.session(3, .active, blockers: [0])])
        #expect(prepared.roots.map(\.name) == ["a prepared transaction"] && prepared.roots[0].session == nil)
    }

    // MARK: Limits of the operator's

    @Test(arguments: [
        "longest-query=5,9", " longest-query = 5, 9 ",
    ]) func aLimitIsSetByItsName(_ text: String) throws {
        var limits = MonitorLimits()
        try limits.set(text)
        #expect(limits[.longestQuery].warn == 5 && limits[.longestQuery].critical == 9)
    }

    @Test func aFileSetsLimitsInAnyOfItsForms() throws {
        var limits = MonitorLimits()
        try limits.read(
            yaml: """
                other: 1
                monitor:
                  connections: {warn: 50, critical: 60}
                  longest-query: 30
                  cache-hits: [80, 60]
                  lock-wait: 1, 2
                  rollbacks: off
                """, name: "limits.yaml")
        #expect(limits[.connections].warn == 50 && limits[.connections].critical == 60)
        #expect(limits[.longestQuery].warn == 30 && limits[.longestQuery].critical == nil)
        #expect(limits[.cacheHits].warn == 80 && limits[.cacheHits].critical == 60)
        #expect(limits[.lockWait].warn == 1 && limits[.lockWait].critical == 2)
        #expect(limits[.rollbacks].warn == nil && limits[.rollbacks].critical == nil)
    }

    @Test func theFileThatIsWrittenSaysWhatIsThere() throws {
        var limits = MonitorLimits()
        try limits.set("lock-wait=off")
        try limits.set("cache-hits=99.5,90")
        var other = MonitorLimits()
        try other.read(yaml: limits.yaml, name: "limits.yaml")
        #expect(other == limits)
    }

    @Test(arguments: [
        "longest-query", "longest=5", "longest-query=", "longest-query=x", "longest-query=1,2,3",
        "longest-query=9,5", "cache-hits=60,80", "longest-query=-1", "longest-query=nan",
    ]) func whatIsNoLimitIsRefusedWithTheNames(_ text: String) {
        var limits = MonitorLimits()
        let error = #expect(throws: MigrationError.self) { try limits.set(text) }
        #expect(error?.exit == .usage && error?.remedy.contains("idle-in-transaction") ?? false)
    }

    @Test(arguments: ["monitor: 5", "a: 1", "monitor: {nothing: 1}", "monitor: {deadlocks: {warm: 1}}", "{"])
    func aFileThatCannotBeReadIsRefused(_ yaml: String) {
        var limits = MonitorLimits()
        #expect(throws: MigrationError.self) { try limits.read(yaml: yaml, name: "limits.yaml") }
        #expect(limits == MonitorLimits())
    }

    @Test(
        arguments: [
            (9.94, "9.9 s"), (10, "10 s"), (99, "99 s"), (600, "10 min"), (723, "12:03 min"), (7200, "2 h"),
            (93_600, "26 h"), (345_600, "4 days"), (0, "0 s"), (.infinity, "11,574,074 days"),
        ] as [(Double, String)]) func durationsHaveTwoPartsAtTheMost(_ seconds: Double, _ words: String)
    {
        #expect(MonitorWords.duration(seconds) == words)
    }
}
