import Foundation
import MigrationEngine
import Postgres

/// What is watched, and how.
public struct MonitorOptions: Sendable {
    public var limits = MonitorLimits()
    /// The folder of the database's backups, where it is known.
    public var backups: BackupFolder?
    /// Where the history is kept; nil keeps none.
    public var state: StateFolder?
    /// Seconds between two samples.
    public var interval = 2.0

    public init() {}
}

/// All that one look at a server came to.
public struct MonitorReport: Sendable, Equatable {
    /// Without a password.
    public var target: String
    public var sample: MonitorSample
    /// nil where two samples give none; why is in `rateGap`.
    public var rates: MonitorRates?
    public var rateGap: String?
    public var growth: MonitorGrowth
    /// Bytes of the database in the last week, oldest first, a few dozen of them.
    public var sizes: [Int64]
    public var readings: [MonitorReading]
    /// What could not be seen, and why.
    public var unseen: [String]

    /// Readings beyond a limit, the critical ones first.
    public var beyond: [MonitorReading] {
        readings.filter { $0.verdict == .critical } + readings.filter { $0.verdict == .warn }
    }

    public func reading(_ id: MonitorLimit.ID) -> MonitorReading? { readings.first { $0.limit.id == id } }
}

/// Watches one server over one connection: takes samples, judges them, and keeps the history. Used by one thread.
public final class Monitor {
    /// Seconds between two entries of the history.
    private static let historyInterval = 60
    /// From how old a sample of another process differences may begin.
    private static let oldestStart = 3600.0
    /// How long a first sample waits for its second.
    private static let firstWait = 1.0

    private let link: MonitorLink
    private let target: String
    private let options: MonitorOptions
    private let cancellation: Cancellation
    private let history: MonitorHistory?
    private let historyGap: String?
    private var before: MonitorCounters?
    private var lastKept = 0
    private var growth = MonitorGrowth()
    private var sizes: [Int64] = []

    /// Connects. Throws `PostgresError`; a history that cannot be kept is named in each report.
    public init(_ conninfo: Conninfo, _ options: MonitorOptions, cancellation: Cancellation) throws {
        self.options = options
        self.cancellation = cancellation
        target = conninfo.url
        link = try MonitorLink(conninfo, cancellation: cancellation)
        do {
            history = try options.state.map { try MonitorHistory($0) }
            historyGap = nil
        } catch {
            history = nil
            historyGap = "history: it cannot be kept: \(error)"
        }
    }

    /// One sample by itself: differences begin at the last one that was kept, or a second ago.
    public func once() throws -> MonitorReport {
        var sample = try link.sample()
        let last = try? before ?? history?.lastCounters(sample.server.identity)
        before = last.flatMap { Self.isStart($0, of: sample.counters) ? $0 : nil } ?? sample.counters
        if (try? MonitorRates(from: before, to: sample.counters)) == nil {
            try Self.wait(Self.firstWait, cancellation)
            sample = try link.sample()
        }
        return report(sample)
    }

    /// Whether differences may begin there: not long ago, and with nothing between that began the counters anew.
    private static func isStart(_ last: MonitorCounters, of now: MonitorCounters) -> Bool {
        guard now.time - last.time < oldestStart else { return false }
        do throws(MonitorRates.Gap) {
            _ = try MonitorRates(from: last, to: now)
            return true
        } catch {
            return error == .tooClose
        }
    }

    /// The next sample of a row of them.
    public func next() throws -> MonitorReport { report(try link.sample()) }

    private func report(_ sample: MonitorSample) -> MonitorReport {
        var rates: Swift.Result<MonitorRates, MonitorRates.Gap>
        do throws(MonitorRates.Gap) {
            rates = .success(try MonitorRates(from: before, to: sample.counters))
        } catch {
            rates = .failure(error)
        }
        before = sample.counters
        var unseen = sample.unseen + [historyGap].compactMap(\.self)
        do {
            try keep(sample, try? rates.get())
        } catch {
            unseen.append("history: \(error)")
        }
        let judge = MonitorJudge(
            limits: options.limits, sample: sample, rates: rates, growth: growth, backup: backup())
        return MonitorReport(
            target: target, sample: sample, rates: try? rates.get(), rateGap: Self.gap(rates), growth: growth,
            sizes: sizes, readings: judge.readings(), unseen: unseen)
    }

    private static func gap(_ rates: Swift.Result<MonitorRates, MonitorRates.Gap>) -> String? {
        if case .failure(let gap) = rates { gap.words } else { nil }
    }

    private func backup() -> MonitorJudge.BackupFact {
        guard let folder = options.backups else { return .notNamed }
        do {
            return .newest(try folder.newest())
        } catch {
            return .unreadable("\(error)")
        }
    }

    private func keep(_ sample: MonitorSample, _ rates: MonitorRates?) throws {
        let time = Int(sample.time.timeIntervalSince1970)
        guard let history, time - lastKept >= Self.historyInterval || lastKept > time else { return }
        lastKept = time
        try history.add(
            .init(
                time: time, size: sample.storage?.size, connections: sample.connections,
                transactions: rates?.transactions, cacheHits: rates?.cacheHits,
                slow: sample.slow(over: MonitorJudge.slowSeconds).count),
            counters: sample.counters, server: sample.server.identity)
        growth = try history.growth(sample.server.identity, now: time)
        let week = try history.points(sample.server.identity, since: time - 7 * 86_400).compactMap(\.size)
        sizes = stride(from: week.count - 1, through: 0, by: -max(1, week.count / 48)).map { week[$0] }
            .reversed()
    }

    public func end(_ session: MonitorSession, _ ending: SessionEnding) throws -> String {
        try link.end(session, ending)
    }

    /// Waits, and throws where somebody wants it to stop.
    public static func wait(_ seconds: Double, _ cancellation: Cancellation) throws {
        let wish = DispatchSemaphore(value: 0)
        try cancellation.whileRegistered({ wish.signal() }) {
            _ = wish.wait(timeout: .now() + seconds)
        }
        try cancellation.check()
    }
}

/// Why a server could not be asked.
public enum MonitorFailure: Sendable, Equatable {
    /// It turned the connection away since none is left: what the monitor is for.
    case full(String)
    case refused(MigrationError.Code, message: String, remedy: String)

    public init(_ error: any Error, _ conninfo: Conninfo) {
        // https://www.postgresql.org/docs/current/errcodes-appendix.html, too_many_connections
        if let error = error as? PostgresError, error.code == .connect, error.sqlState == "53300" {
            let words = error.message.split(separator: "FATAL:").last.map(String.init) ?? error.message
            self = .full(words.trimmingCharacters(in: .whitespacesAndNewlines))
            return
        }
        let explained =
            (error as? PostgresError).map { TargetServer.explained($0, conninfo) } ?? error as? MigrationError
            ?? MigrationError(
                .state, "\(error)", remedy: "If this is not clear, please report it with this message.")
        self = .refused(explained.code, message: explained.message, remedy: explained.remedy)
    }

    /// What to do about a full table.
    public static let fullRemedy =
        "superuser_reserved_connections slots are left for superusers: psql as one gets in, and pg_terminate_backend ends "
        + "sessions that are idle. Then look at the pool (step 6.2) or raise max_connections."

    public var remedy: String {
        switch self {
        case .full: Self.fullRemedy
        case .refused(_, _, let remedy): remedy
        }
    }

    public var message: String {
        switch self {
        case .full(let words): "the table of connections is full: \(words)"
        case .refused(_, let message, _): message
        }
    }
}
