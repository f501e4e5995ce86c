import Foundation

/// What a server said of itself at one moment. Values only; query texts are for the screen alone, and reach neither
/// history, log nor journal.
public struct MonitorSample: Sendable, Equatable {
    /// By this machine's clock.
    public var time: Date
    public var server: Server
    /// Sessions of clients and what works for them, without the monitor's own, in no order.
    public var sessions: [MonitorSession]
    public var counters: MonitorCounters
    /// Looked at less often than the rest; nil where it could not be read.
    public var storage: Storage?
    /// What the role may not see, or what did not answer, and why.
    public var unseen: [String]

    /// What stays as long as the server runs, and its few settings.
    public struct Server: Sendable, Equatable, Codable {
        public var version = ""
        /// The same as a number, 150018 for 15.18.
        public var number = 0
        /// Tells the database from any other, also under another address; the history is kept by it.
        public var identity = ""
        public var database = ""
        public var user = ""
        /// Seconds since the server was started.
        public var upSeconds = 0.0
        public var isStandby = false
        public var maxConnections = 0
        /// Slots for superusers, and for pg_use_reserved_connections since PostgreSQL 16.
        public var reservedConnections = 0
        /// Transactions since the oldest row that is not frozen, over all databases.
        public var transactionAge = 0
        public var multixactAge = 0
        public var isArchiving = false
        /// Whether the newest attempt of the archiver failed, and how many did.
        public var archiverFails = false
        public var archiverFailures = 0
        /// Seconds that this standby is behind what it has received; nil on a primary.
        public var standbyLag: Double?
        /// Whether the states of other users' sessions can be seen.
        public var seesOthers = true

        /// Connections that an ordinary role can have.
        public var forEverybody: Int { max(1, maxConnections - reservedConnections) }
    }

    /// What files and tables come to.
    public struct Storage: Sendable, Equatable {
        /// Bytes of the database; nil where it was not told in time.
        public var size: Int64?
        /// Bytes free, and in all, where the server keeps its data; nil where that is not on this machine.
        public var free: Int64?
        public var disk: Int64?
        /// The largest tables, and those with the most dead rows; the largest first.
        public var tables: [Table] = []
        public var standbys: [Standby] = []
        public var slots: [Slot] = []
    }

    public struct Table: Sendable, Equatable {
        public var name: String
        /// Bytes with indexes and TOAST, as of its last VACUUM or ANALYZE.
        public var bytes: Int64
        public var live: Int
        public var dead: Int
        /// When it was vacuumed last, UTC; empty where never.
        public var vacuumed: String

        public var deadShare: Double { live + dead > 0 ? 100 * Double(dead) / Double(live + dead) : 0 }
    }

    public struct Standby: Sendable, Equatable {
        public var name: String
        public var state: String
        /// Seconds; nil where it is not told, as of one that has caught up.
        public var lag: Double?
        public var behind: Int64?
    }

    public struct Slot: Sendable, Equatable {
        public var name: String
        public var isActive: Bool
        /// Bytes of WAL that are kept for it; nil where it has not been used yet.
        public var kept: Int64?
        public var status: String
    }

    /// Sessions of clients, the monitor's own among them.
    public var connections: Int { sessions.count(where: \.isClient) + 1 }

    public func count(_ state: MonitorSession.State) -> Int {
        sessions.count { $0.isClient && $0.state == state }
    }

    /// Those that have run one statement for longer, the longest first.
    public func slow(over seconds: Double) -> [MonitorSession] {
        sessions.filter { $0.isClient && $0.state == .active && ($0.querySeconds ?? 0) > seconds }
            .sorted { ($0.querySeconds ?? 0) > ($1.querySeconds ?? 0) }
    }
}

/// One session of a server (https://www.postgresql.org/docs/current/monitoring-stats.html, pg_stat_activity).
public struct MonitorSession: Sendable, Equatable, Identifiable {
    public enum State: String, Sendable, CaseIterable, Codable {
        case active, idle
        case inTransaction = "idle in transaction"
        case failedTransaction = "idle in transaction (aborted)"
        case other
        /// The role may not see it.
        case hidden
    }

    public var process: Int
    public var user: String
    public var database: String
    public var application: String
    public var client: String
    public var state: State
    /// What it waits for, as Lock:transactionid; empty where for nothing.
    public var wait: String
    /// Seconds since its statement, its transaction and its state began.
    public var querySeconds: Double?
    public var transactionSeconds: Double?
    public var stateSeconds: Double?
    /// Seconds that it has waited for a lock of another session.
    public var waitSeconds: Double?
    /// As the server writes them: so the session, and its statement, are told from later ones.
    public var start: String
    public var queryStart: String
    /// The statement that runs or ran last. May hold values.
    public var query: String
    public var isClient: Bool
    /// Who keeps it waiting; 0 is a prepared transaction.
    public var blockers: [Int]

    public var id: Int { process }

    /// How long it has been doing what it does: of a statement that runs, or of the state it is in.
    public var seconds: Double? { state == .active ? querySeconds : stateSeconds ?? querySeconds }

    /// Who and where, without what it runs.
    public var who: String {
        let place = [application, client].filter { !$0.isEmpty }.joined(separator: ", ")
        return "session \(process), \(user)@\(database)" + (place.isEmpty ? "" : " (\(place))")
    }
}
