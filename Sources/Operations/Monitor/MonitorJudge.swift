import Foundation
import MigrationEngine

/// Makes readings of what is known at one moment. Pure.
struct MonitorJudge {
    /// Where statements begin to count as slow.
    static let slowSeconds = 5.0
    /// Fewer blocks, transactions, checkpoints or dead rows tell nothing.
    private static let leastBlocks = 1000
    private static let leastTransactions = 100
    private static let leastCheckpoints = 4
    private static let leastDeadRows = 10_000

    let limits: MonitorLimits
    let sample: MonitorSample
    /// Or why there are none.
    let rates: Swift.Result<MonitorRates, MonitorRates.Gap>
    let growth: MonitorGrowth
    let backup: BackupFact

    /// What is known of backups.
    enum BackupFact: Equatable {
        case notNamed
        case unreadable(String)
        case newest(Date?)
    }

    private typealias Answer = (value: Double?, detail: String, gap: String?)

    func readings() -> [MonitorReading] {
        limits.all.map { limit in
            let answer = answer(limit.id)
            return MonitorReading(limit, answer.value, detail: answer.detail, gap: answer.gap)
        }
    }

    private func answer(_ id: MonitorLimit.ID) -> Answer {
        switch id {
        case .connections: connections
        case .longestQuery, .slowQueries: queries(id)
        case .oldestTransaction, .idleInTransaction: transactions(id)
        case .blockedSessions, .lockWait: locks(id)
        case .deadlocks: rate { (Double($0.deadlocks), over($0), nil) }
        case .cacheHits: cacheHits
        case .rollbacks: rollbacks
        case .temporaryFiles:
            rate { rates in
                let files = Format.count(rates.temporaryFiles, "file", "files")
                return (
                    rates.temporaryBytes / 1_048_576,
                    rates.temporaryFiles > 0 ? "\(files), \(over(rates))" : "", nil
                )
            }
        case .requestedCheckpoints: checkpoints
        case .deadRows: deadRows
        case .diskFree, .diskFull: disk(id)
        case .growth: growing
        case .wraparound: wraparound
        case .replicationLag, .slotWAL: replication(id)
        case .archiver: archiver
        case .backupAge: backupAge
        }
    }

    // MARK: Sessions

    private var connections: Answer {
        let server = sample.server
        let used = sample.connections
        return (
            100 * Double(used) / Double(server.forEverybody),
            "\(used) of \(server.forEverybody); \(server.reservedConnections) more for superusers", nil
        )
    }

    /// Why nothing is known of sessions; nil where those that are seen tell enough.
    private var hidden: String? {
        let count = sample.count(.hidden)
        return count > 0
            ? "\(Format.count(count, "session", "sessions")) of other users cannot be seen: pg_read_all_stats is missing"
            : nil
    }

    /// Of what can be seen: a limit that is reached there is reached, whatever else there may be.
    private func seen(_ id: MonitorLimit.ID, _ value: Double, _ detail: String) -> Answer {
        if let hidden, !limits[id].isReached(limits[id].warn ?? limits[id].critical, by: value) {
            return (nil, "", hidden)
        }
        return (value, detail, nil)
    }

    private func queries(_ id: MonitorLimit.ID) -> Answer {
        if id == .slowQueries {
            let slow = sample.slow(over: Self.slowSeconds)
            return seen(id, Double(slow.count), slow.prefix(3).map(Self.words).joined(separator: "; "))
        }
        let longest = sample.slow(over: -1).first
        return seen(id, longest?.querySeconds ?? 0, longest.map { $0.who } ?? "")
    }

    private static func words(_ session: MonitorSession) -> String {
        "\(session.who) for \(MonitorWords.duration(session.querySeconds ?? 0))"
    }

    private func transactions(_ id: MonitorLimit.ID) -> Answer {
        let clients = sample.sessions.filter(\.isClient)
        if id == .oldestTransaction {
            let oldest = clients.max { ($0.transactionSeconds ?? -1) < ($1.transactionSeconds ?? -1) }
            let seconds = oldest?.transactionSeconds
            return seen(id, seconds ?? 0, seconds == nil ? "" : oldest?.who ?? "")
        }
        let idle = clients.filter { $0.state == .inTransaction || $0.state == .failedTransaction }
            .max { ($0.stateSeconds ?? 0) < ($1.stateSeconds ?? 0) }
        return seen(id, idle?.stateSeconds ?? 0, idle?.who ?? "")
    }

    private func locks(_ id: MonitorLimit.ID) -> Answer {
        let forest = BlockingForest(sample.sessions)
        let roots = forest.roots.map { root in
            "\(root.session?.who ?? root.name) holds up \(Format.count(root.waiting, "session", "sessions"))"
        }
        let waiting = sample.sessions.filter { !$0.blockers.isEmpty }
        if id == .blockedSessions {
            return (Double(waiting.count), roots.prefix(3).joined(separator: "; "), nil)
        }
        let longest = waiting.max { ($0.waitSeconds ?? 0) < ($1.waitSeconds ?? 0) }
        return (
            longest?.waitSeconds ?? 0,
            longest.map { "\($0.who), held up by \(Self.names($0.blockers))" } ?? "", nil
        )
    }

    private static func names(_ processes: [Int]) -> String {
        processes.map { $0 == 0 ? "a prepared transaction" : "\($0)" }.joined(separator: ", ")
    }

    // MARK: Differences of two samples

    private func rate(_ body: (MonitorRates) -> Answer) -> Answer {
        switch rates {
        case .success(let rates): body(rates)
        case .failure(let gap): (nil, "", gap.words)
        }
    }

    private func over(_ rates: MonitorRates) -> String { "over \(MonitorWords.duration(rates.seconds))" }

    private func tooFew(_ count: Int, _ one: String, _ many: String, _ rates: MonitorRates) -> String {
        "\(Format.count(count, one, many)) \(over(rates)): too few to tell"
    }

    private var cacheHits: Answer {
        rate { rates in
            guard rates.blocks >= Self.leastBlocks, let hits = rates.cacheHits else {
                return (nil, "", tooFew(rates.blocks, "block", "blocks", rates))
            }
            return (hits, "of \(Format.count(rates.blocks)), \(over(rates))", nil)
        }
    }

    private var rollbacks: Answer {
        rate { rates in
            let count = rates.commits + rates.rollbacks
            guard count >= Self.leastTransactions, let share = rates.rollbackShare else {
                return (nil, "", tooFew(count, "transaction", "transactions", rates))
            }
            return (share, "\(Format.count(rates.rollbacks)) of \(Format.count(count)), \(over(rates))", nil)
        }
    }

    private var checkpoints: Answer {
        rate { rates in
            guard let timed = rates.checkpointsTimed, let requested = rates.checkpointsRequested else {
                return (nil, "", "their statistics were set back since the sample before")
            }
            guard timed + requested >= Self.leastCheckpoints else {
                return (nil, "", tooFew(timed + requested, "checkpoint", "checkpoints", rates))
            }
            return (
                100 * Double(requested) / Double(timed + requested),
                "\(requested) of \(timed + requested), \(over(rates))",
                nil
            )
        }
    }

    // MARK: Storage

    private var deadRows: Answer {
        guard let storage = sample.storage else { return (nil, "", "tables were not looked at") }
        if let gap = sample.unseen.first(where: { $0.hasPrefix("tables:") }) { return (nil, "", gap) }
        let worst = storage.tables.filter { $0.dead >= Self.leastDeadRows }.max {
            $0.deadShare < $1.deadShare
        }
        let vacuumed = worst.map { $0.vacuumed.isEmpty ? "never vacuumed" : "vacuumed \($0.vacuumed)" } ?? ""
        return (worst?.deadShare ?? 0, worst.map { "\($0.name), \(vacuumed)" } ?? "", nil)
    }

    private func disk(_ id: MonitorLimit.ID) -> Answer {
        guard let storage = sample.storage, let free = storage.free, let disk = storage.disk, disk > 0 else {
            return (nil, "", "the server's disk cannot be seen from here")
        }
        if id == .diskFree {
            return (100 * Double(free) / Double(disk), "\(Format.bytes(free)) of \(Format.bytes(disk))", nil)
        }
        guard let perDay = growth.perDay else { return (nil, "", "known after six hours of history") }
        guard let days = growth.daysUntilFull(free) else { return (.infinity, "it does not grow", nil) }
        return (days, "\(Format.bytes(Int64(perDay)))/day into \(Format.bytes(free))", nil)
    }

    private var growing: Answer {
        guard let size = sample.storage?.size, size > 0 else { return (nil, "", "the size was not told") }
        guard let perDay = growth.perDay else { return (nil, "", "known after six hours of history") }
        return (max(0, 100 * perDay / Double(size)), MonitorWords.growth(growth) ?? "", nil)
    }

    private var wraparound: Answer {
        let server = sample.server
        let age = max(server.transactionAge, server.multixactAge)
        return (
            Double(age) / 1_000_000, server.multixactAge > server.transactionAge ? "multixact ids" : "", nil
        )
    }

    // MARK: Replication, archive, backups

    private func replication(_ id: MonitorLimit.ID) -> Answer {
        guard let storage = sample.storage else { return (nil, "", "replication was not looked at") }
        if id == .slotWAL {
            let worst = storage.slots.max { ($0.kept ?? 0) < ($1.kept ?? 0) }
            let words = worst.map { "\($0.name)\($0.isActive ? "" : ", nobody uses it")" }
            return (Double(worst?.kept ?? 0) / 1_048_576, words ?? "no slot", nil)
        }
        if sample.server.isStandby {
            guard let lag = sample.server.standbyLag else { return (nil, "", "nothing was replayed yet") }
            return (lag, "this server is the standby", nil)
        }
        if storage.standbys.isEmpty { return (0, "no standby", nil) }
        if !sample.server.seesOthers, storage.standbys.allSatisfy({ $0.state.isEmpty }) {
            return (nil, "", "standbys cannot be seen: pg_read_all_stats is missing")
        }
        let worst = storage.standbys.max { ($0.lag ?? 0) < ($1.lag ?? 0) }
        return (
            worst?.lag ?? 0,
            worst.map { "\($0.name), \(Format.bytes($0.behind ?? 0)) behind" } ?? "", nil
        )
    }

    private var archiver: Answer {
        guard sample.server.isArchiving else { return (0, "nothing is archived", nil) }
        return (
            sample.server.archiverFails ? 1 : 0,
            sample.server.archiverFails
                ? "\(Format.count(sample.server.archiverFailures, "attempt", "attempts")) failed since the statistics began"
                : "",
            nil
        )
    }

    private var backupAge: Answer {
        switch backup {
        case .notNamed: return (nil, "", "no folder of backups was named: --backups")
        case .unreadable(let reason): return (nil, "", reason)
        case .newest(nil): return (.infinity, "there is no backup in the folder", nil)
        case .newest(let date?):
            return (
                max(0, sample.time.timeIntervalSince(date)) / 3600, "made \(date.formatted(.iso8601))", nil
            )
        }
    }
}
