import Foundation
import MigrationEngine
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import Operations

/// Samples of real servers, with what should be seen planted in them.
@Suite struct MonitorServerTests {
    private func look(
        _ conninfo: Conninfo, limits: [String] = [], state: StateFolder? = nil
    ) throws -> MonitorReport {
        var options = MonitorOptions()
        options.state = state
        for limit in limits { try options.limits.set(limit) }
        return try Monitor(conninfo, options, cancellation: Cancellation()).once()
    }

    @Test func aSlowQueryIsNamedByItsSession() throws {
        // On a server of its own: others run slow queries, too.
        try PrivateServer.with([]) { conninfo in
            try BackgroundSession.with(
                [("slow one", ["SELECT pg_sleep(60)"], "state = 'active'")], in: conninfo
            ) {
                let report = try look(conninfo, limits: ["longest-query=0.5,3600"])
                let reading = try #require(report.reading(.longestQuery))
                #expect(reading.verdict == .warn && reading.detail.contains("slow one"), "\(reading)")
                let session = try #require(report.sample.sessions.first { $0.application == "slow one" })
                #expect(
                    session.query == "SELECT pg_sleep(60)" && session.state == .active && session.isClient)
            }
        }
    }

    @Test func aChainOfThreeSessionsHasItsRoot() throws {
        try TestServer.withDatabase { conninfo in
            try TestServer.execute(BackgroundSession.table, in: conninfo)
            try BackgroundSession.with(BackgroundSession.chain, in: conninfo) {
                let report = try look(conninfo, limits: ["blocked-sessions=2", "lock-wait=0.1"])
                let mine = report.sample.sessions.filter { $0.database == report.sample.server.database }
                let forest = BlockingForest(mine)
                #expect(
                    forest.rows.map { "\($0.depth) \($0.node.session?.application ?? "")" } == [
                        "0 first", "1 second", "2 third",
                    ])
                let reading = try #require(report.reading(.blockedSessions))
                #expect(
                    reading.verdict == .warn && reading.detail.contains("holds up 2 sessions"), "\(reading)")
                #expect(report.reading(.lockWait)?.verdict == .warn)
            }
        }
    }

    @Test func aSessionThatIsIdleInATransactionIsSeen() throws {
        try PrivateServer.with([]) { conninfo in
            try BackgroundSession.with(
                [("forgotten", ["BEGIN", "SELECT 1"], "state = 'idle in transaction'")], in: conninfo
            ) {
                let report = try look(conninfo, limits: ["idle-in-transaction=0.1"])
                let reading = try #require(report.reading(.idleInTransaction))
                #expect(reading.verdict == .warn && reading.detail.contains("forgotten"))
            }
        }
    }

    @Test func aRoleWithoutTheRightSaysWhatItDoesNotSee() throws {
        try TestServer.withDatabase { conninfo in
            let role = "watcher_\(UUID().uuidString.prefix(8).lowercased())"
            try TestServer.execute("CREATE ROLE \(role) LOGIN", in: conninfo)
            defer { try? TestServer.execute("DROP ROLE \(role)", in: conninfo) }
            try BackgroundSession.with(
                [("hidden one", ["SELECT pg_sleep(60)"], "state = 'active'")], in: conninfo
            ) {
                let watcher = conninfo.setting("user", to: role)
                let report = try look(watcher)
                #expect(report.unseen.contains { $0.contains("GRANT pg_monitor TO \(role)") })
                let reading = try #require(report.reading(.longestQuery))
                #expect(
                    reading.value == nil && reading.gap?.contains("cannot be seen") ?? false, "\(reading)")
                #expect(report.sample.sessions.allSatisfy { $0.user == role || $0.query.isEmpty })
                #expect(report.reading(.diskFree)?.verdict == .unknown, "nor where the data lies")
                try TestServer.execute("GRANT pg_monitor TO \(role)", in: conninfo)
                let other = try look(watcher)
                #expect(other.unseen.isEmpty && other.reading(.longestQuery)?.value ?? 0 > 0)
            }
        }
    }

    @Test func differencesBeginAtTheLastSampleThatWasKept() throws {
        try TestServer.withDatabase { conninfo in
            try withTemporaryFolder { folder in
                let state = try StateFolder.open(source: "", project: nil, override: folder, environment: [:])
                _ = try look(conninfo, state: state)
                try TestServer.execute(
                    "CREATE TABLE big AS SELECT generate_series(1, 20000) AS i; SELECT count(*) FROM big",
                    in: conninfo)
                // A backend tells its counters at its end at the latest.
                var report = try look(conninfo, state: state)
                #expect(
                    waitUntil {
                        if report.rates?.rowsWritten ?? 0 > 0 { return true }
                        report = (try? look(conninfo, state: state)) ?? report
                        return report.rates?.rowsWritten ?? 0 > 0
                    })
                let before = try #require(report.rates)
                #expect(before.seconds > 0)
                // A reset lies between this sample and the next: that one begins anew, and tells no wrong difference.
                try TestServer.execute("SELECT pg_stat_reset()", in: conninfo)
                let after = try #require(try look(conninfo, state: state).rates)
                #expect(after.rowsWritten >= 0 && after.seconds < 30 && after.seconds >= 0.9)
            }
        }
    }

    @Test func aFullTableOfConnectionsIsToldAsSuch() throws {
        try PrivateServer.withFullTable { server, app in
            let error = #expect(throws: PostgresError.self) {
                _ = try Monitor(app, MonitorOptions(), cancellation: Cancellation())
            }
            let failure = MonitorFailure(try #require(error), app)
            guard case .full(let words) = failure else {
                Issue.record("\(failure)")
                return
            }
            #expect(words.contains("connection slots"), "\(words)")
            // Whoever may use the reserved ones sees it as a reading.
            let report = try look(server)
            #expect(report.reading(.connections)?.verdict == .critical)
        }
    }

    @Test func onlyTheStatementThatWasShownIsCancelled() throws {
        try TestServer.withDatabase { conninfo in
            try BackgroundSession.with(
                [("victim", ["SELECT pg_sleep(60)"], "state = 'active'")], in: conninfo
            ) {
                let monitor = try Monitor(conninfo, MonitorOptions(), cancellation: Cancellation())
                let report = try monitor.next()
                var session = try #require(report.sample.sessions.first { $0.application == "victim" })
                session.queryStart = "2020-01-01 00:00:00+00"
                #expect(try monitor.end(session, .cancel).contains("nothing was done"))
                session = try #require(report.sample.sessions.first { $0.application == "victim" })
                #expect(try monitor.end(session, .cancel).contains("was told to stop"))
                let sql =
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'victim' AND state = 'active'"
                #expect(waitUntil { (try? TestServer.value(sql, in: conninfo)) == "0" })
            }
        }
    }

    @Test func aServerThatHangsIsToldFromOneThatIsQuiet() throws {
        try PrivateServer.with([]) { conninfo in
            let news = NewsLog()
            var options = MonitorOptions()
            options.interval = 0.2
            let watch = MonitorWatch(MonitoredServer(conninfo, options)) { news.add($0) }
            defer { watch.stop(within: 5) }
            #expect(waitUntil { news.reports > 0 })
            let sql = "SELECT pid FROM pg_stat_activity WHERE application_name = 'howdah monitor'"
            let process = try #require(try TestServer.value(sql, in: conninfo).flatMap { pid_t($0) })
            kill(process, SIGSTOP)
            defer { kill(process, SIGCONT) }
            #expect(waitUntil(seconds: 60) { news.losses > 0 })
            let seen = news.reports
            #expect(waitUntil { news.reports > seen }, "another connection is made")
        }
    }

    @Test func aWatchFindsItsServerAgain() throws {
        try withTemporaryFolder { folder in
            let state = try StateFolder.open(source: "", project: nil, override: folder, environment: [:])
            var cluster = try RehearsalCluster(state, cancellation: Cancellation())
            defer { try? cluster.remove() }
            try cluster.start()
            let conninfo = try #require(cluster.conninfo(database: "postgres"))
            let news = NewsLog()
            var options = MonitorOptions()
            options.interval = 0.2
            let watch = MonitorWatch(MonitoredServer(conninfo, options)) { news.add($0) }
            defer { watch.stop(within: 5) }
            #expect(waitUntil { news.reports > 1 })
            let admin = try Connection(conninfo, applicationName: "tests")
            _ = try admin.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'howdah monitor'"
            )
            #expect(waitUntil { news.losses > 0 }, "the loss is told")
            let seen = news.reports
            #expect(waitUntil { news.reports > seen }, "and the server is there again")
            watch.setPaused(true)
            let before = ContinuousClock.now
            watch.stop(within: 5)
            #expect(ContinuousClock.now - before < .seconds(4), "a pause holds nobody up")
        }
    }
}

private final class NewsLog: Sendable {
    private let counts = Mutex((reports: 0, losses: 0))

    func add(_ news: MonitorNews) {
        counts.withLock {
            if case .report = news { $0.reports += 1 }
            if case .lost = news { $0.losses += 1 }
        }
    }

    var reports: Int { counts.withLock { $0.reports } }
    var losses: Int { counts.withLock { $0.losses } }
}
