import Foundation
import MigrationEngine

@testable import Operations

/// Sessions and samples to judge and to draw without a server.
enum MonitorSamples {
    static func session(
        _ process: Int, _ state: MonitorSession.State = .idle, seconds: Double = 0,
        transaction: Double? = nil,
        wait: Double? = nil, query: String = "SELECT 1", blockers: [Int] = []
    ) -> MonitorSession {
        MonitorSession(
            process: process, user: "app", database: "chat", application: "web", client: "10.0.0.5",
            state: state,
            wait: blockers.isEmpty ? "" : "Lock:transactionid", querySeconds: seconds,
            transactionSeconds: transaction,
            stateSeconds: seconds, waitSeconds: wait, start: "2026-11-27 10:00:00+00",
            queryStart: "2026-11-27 10:05:00+00", query: query, isClient: true, blockers: blockers)
    }

    static func sample(
        _ sessions: [MonitorSession] = [], _ change: (inout MonitorSample) -> Void = { _ in }
    ) -> MonitorSample {
        var server = MonitorSample.Server()
        server.version = "15.18"
        server.number = 150_018
        server.database = "chat"
        server.user = "app"
        server.maxConnections = 100
        server.reservedConnections = 3
        var sample = MonitorSample(
            time: Date(timeIntervalSince1970: 1_800_000_000), server: server, sessions: sessions,
            counters: counters(), storage: .init(size: 316 << 20), unseen: [])
        change(&sample)
        return sample
    }

    static func counters(_ change: (inout MonitorCounters) -> Void = { _ in }) -> MonitorCounters {
        var counters = MonitorCounters()
        counters.time = 1000
        counters.started = 10
        change(&counters)
        return counters
    }

    static func readings(
        _ sample: MonitorSample, rates: Result<MonitorRates, MonitorRates.Gap> = .failure(.first),
        growth: MonitorGrowth = .init(), backup: MonitorJudge.BackupFact = .notNamed,
        limits: MonitorLimits = .init()
    ) -> [MonitorLimit.ID: MonitorReading] {
        let judge = MonitorJudge(limits: limits, sample: sample, rates: rates, growth: growth, backup: backup)
        return Dictionary(uniqueKeysWithValues: judge.readings().map { ($0.limit.id, $0) })
    }
}
