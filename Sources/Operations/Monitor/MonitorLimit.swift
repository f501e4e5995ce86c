/// One thing that is watched, and from where on it is told.
public struct MonitorLimit: Sendable, Equatable {
    public enum ID: String, Sendable, CaseIterable {
        case connections
        case longestQuery = "longest-query"
        case slowQueries = "slow-queries"
        case oldestTransaction = "oldest-transaction"
        case idleInTransaction = "idle-in-transaction"
        case blockedSessions = "blocked-sessions"
        case lockWait = "lock-wait"
        case deadlocks
        case cacheHits = "cache-hits"
        case rollbacks
        case temporaryFiles = "temporary-files"
        case requestedCheckpoints = "requested-checkpoints"
        case deadRows = "dead-rows"
        case diskFree = "disk-free"
        case diskFull = "disk-full"
        case growth
        case wraparound
        case replicationLag = "replication-lag"
        case slotWAL = "slot-wal"
        case archiver
        case backupAge = "backup-age"
    }

    public enum Unit: String, Sendable {
        case percent = "%"
        case seconds = "s"
        case hours = "h"
        case days = "days"
        case megabytes = "MB"
        case megabytesPerSecond = "MB/s"
        /// Millions of transactions.
        case millions = "million"
        case count = ""
    }

    public enum Direction: String, Sendable {
        case above, below
    }

    public let id: ID
    /// What is measured.
    public let words: String
    public let unit: Unit
    public let direction: Direction
    /// Where somebody should look, and where somebody must; nil where it is not judged.
    public var warn: Double?
    public var critical: Double?
    public let reason: String
    /// Where the reason is written down.
    public let source: String

    /// Whether a value has reached a limit.
    public func isReached(_ limit: Double?, by value: Double) -> Bool {
        guard let limit else { return false }
        return direction == .above ? value >= limit : value <= limit
    }

    init(
        _ id: ID, _ words: String, _ unit: Unit, _ direction: Direction = .above, warn: Double?,
        critical: Double?, _ reason: String, source: String
    ) {
        self.id = id
        self.words = words
        self.unit = unit
        self.direction = direction
        self.warn = warn
        self.critical = critical
        self.reason = reason
        self.source = source
    }
}

extension MonitorLimit {
    /// Every reading that is judged, in the order in which it is shown. Sources are chapters of
    /// https://www.postgresql.org/docs/current/.
    static let standard = [
        MonitorLimit(
            .connections, "connections of those for everybody", .percent, warn: 80, critical: 95,
            "a full table turns every new connection away", source: "runtime-config-connection.html"),
        MonitorLimit(
            .longestQuery, "longest statement that runs", .seconds, warn: 60, critical: 600,
            "it keeps a connection, and old rows that VACUUM cannot remove",
            source: "monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW"),
        MonitorLimit(
            .slowQueries, "statements that run for longer than 5 s", .count, warn: 3, critical: 10,
            "many at once say that an index, or the machine, is missing something",
            source: "monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW"),
        MonitorLimit(
            .oldestTransaction, "oldest transaction", .seconds, warn: 900, critical: 7200,
            "VACUUM removes nothing that it might still see", source: "routine-vacuuming.html"),
        MonitorLimit(
            .idleInTransaction, "longest idle in a transaction", .seconds, warn: 60, critical: 600,
            "the application has forgotten a COMMIT, and holds locks",
            source: "runtime-config-client.html#GUC-IDLE-IN-TRANSACTION-SESSION-TIMEOUT"),
        MonitorLimit(
            .blockedSessions, "sessions that wait for another's lock", .count, warn: 3, critical: 10,
            "who stands before them holds all of them up", source: "explicit-locking.html"),
        MonitorLimit(
            .lockWait, "longest wait for a lock", .seconds, warn: 10, critical: 60,
            "somebody waits for an answer of the application", source: "explicit-locking.html"),
        MonitorLimit(
            .deadlocks, "deadlocks since the sample before", .count, warn: 1, critical: 10,
            "each has ended a transaction with an error", source: "explicit-locking.html#LOCKING-DEADLOCKS"),
        MonitorLimit(
            .cacheHits, "blocks found in shared buffers", .percent, .below, warn: 90, critical: 70,
            "the rest is read from the system, and slower", source: "runtime-config-resource.html"),
        MonitorLimit(
            .rollbacks, "transactions that were rolled back", .percent, warn: 10, critical: 50,
            "the application runs into errors", source: "monitoring-stats.html"),
        MonitorLimit(
            .temporaryFiles, "written to temporary files", .megabytesPerSecond, warn: 10, critical: 100,
            "sorts and joins do not fit into work_mem", source: "runtime-config-resource.html#GUC-WORK-MEM"),
        MonitorLimit(
            .requestedCheckpoints, "checkpoints forced before their time", .percent, warn: 50, critical: nil,
            "max_wal_size is too small for what is written", source: "wal-configuration.html"),
        MonitorLimit(
            .deadRows, "dead rows of a table, where there are 10,000 or more", .percent, warn: 30,
            critical: 60,
            "VACUUM does not keep up", source: "routine-vacuuming.html"),
        MonitorLimit(
            .diskFree, "free where the data lies", .percent, .below, warn: 15, critical: 5,
            "PostgreSQL stops when it can write no more", source: "disk-full.html"),
        MonitorLimit(
            .diskFull, "days until the disk is full at this growth", .days, .below, warn: 30, critical: 7,
            "there is time to add space only before", source: "disk-full.html"),
        MonitorLimit(
            .growth, "growth of the database in a day", .percent, warn: 5, critical: 20,
            "something writes more than it did, or removes less", source: "diskusage.html"),
        MonitorLimit(
            .wraparound, "oldest transaction id that is not frozen", .millions, warn: 1000, critical: 1500,
            "at 2,147 million the server takes no more writes",
            source: "routine-vacuuming.html#VACUUM-FOR-WRAPAROUND"),
        MonitorLimit(
            .replicationLag, "what a standby is behind", .seconds, warn: 30, critical: 300,
            "after a failover that much would be missing",
            source: "monitoring-stats.html#MONITORING-PG-STAT-REPLICATION-VIEW"),
        MonitorLimit(
            .slotWAL, "WAL that a replication slot keeps", .megabytes, warn: 1024, critical: 10240,
            "a consumer that stays away fills the disk", source: "view-pg-replication-slots.html"),
        MonitorLimit(
            .archiver, "the newest WAL file could not be archived", .count, warn: nil, critical: 1,
            "setting back to a moment ends where the archive ends", source: "continuous-archiving.html"),
        MonitorLimit(
            .backupAge, "age of the newest backup", .hours, warn: 26, critical: 50,
            "what was written since is in no backup", source: "backup.html"),
    ]
}

/// How a reading stands to its limits.
public enum MonitorVerdict: String, Sendable, Codable {
    case ok, warn, critical
    /// It could not be measured.
    case unknown

    public var isBeyond: Bool { self == .warn || self == .critical }
}

/// One thing that was measured, or why it was not.
public struct MonitorReading: Sendable, Equatable {
    public var limit: MonitorLimit
    /// nil where it could not be measured.
    public var value: Double?
    /// What is behind the value, such as which session; without the text of a query.
    public var detail: String
    /// Why there is no value.
    public var gap: String?

    public init(_ limit: MonitorLimit, _ value: Double?, detail: String = "", gap: String? = nil) {
        self.limit = limit
        self.value = value
        self.detail = detail
        self.gap = gap
    }

    public var verdict: MonitorVerdict {
        guard let value else { return .unknown }
        if limit.isReached(limit.critical, by: value) { return .critical }
        return limit.isReached(limit.warn, by: value) ? .warn : .ok
    }
}
