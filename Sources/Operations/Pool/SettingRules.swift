import MigrationEngine

/// A setting of the server that matters after a migration: the table of them, with what speaks for each.
struct SettingRule: Sendable {
    /// Where it is changed.
    enum Level: String, Codable, Sendable {
        /// ALTER SYSTEM, by an administrator.
        case server
        /// ALTER DATABASE, by the database's owner.
        case database
        /// ALTER ROLE, for the application's own role.
        case role
    }

    /// What a rule knows.
    struct Situation: Sendable {
        let facts: PoolFacts
        /// Values as new sessions get them: sizes in bytes, times in milliseconds, words as they are.
        let values: [String: Value]
        /// Checkpoints that the amount of written data has asked for, as a part of all; nil where that is not known.
        let requestedCheckpoints: Double?

        struct Value: Sendable {
            let text: String
            let number: Double?
            /// Words that the setting may have.
            let choices: [String]
        }

        func number(_ name: String) -> Double? { values[name]?.number }
        func text(_ name: String) -> String? { values[name]?.text }
    }

    let name: String
    let level: Level
    /// What is better than the present value; nil where that is good enough.
    let advised: @Sendable (Situation) -> String?
    let reason: String
    /// Of the manual, below https://www.postgresql.org/docs/current/.
    let section: String

    private static let (megabyte, gigabyte) = (1_048_576.0, 1_073_741_824.0)

    private static func size(_ bytes: Double) -> String {
        bytes >= gigabyte ? "\(Int(bytes / gigabyte))GB" : "\(max(1, Int(bytes / megabyte)))MB"
    }

    /// A part of the machine's memory, where the present value is well below it.
    private static func memory(
        _ name: String, part: Double, most: Double, unless: Double
    ) -> @Sendable (Situation) -> String? {
        { situation in
            guard let memory = situation.facts.memory, let now = situation.number(name) else { return nil }
            let wanted = min(Double(memory) * part, most)
            return now < wanted * unless ? size(wanted) : nil
        }
    }

    /// One value in the place of another.
    private static func instead(
        _ name: String, of bad: Set<String>, _ good: String
    ) -> @Sendable (Situation) -> String? {
        { bad.contains($0.text(name) ?? "") ? good : nil }
    }

    static let all: [SettingRule] = [
        SettingRule(
            name: "autovacuum", level: .server, advised: instead("autovacuum", of: ["off"], "on"),
            reason:
                "without it tables grow, statistics grow old, and at last the server stops for fear of wraparound",
            section: "routine-vacuuming.html#AUTOVACUUM"),
        SettingRule(
            name: "shared_buffers", level: .server,
            advised: memory("shared_buffers", part: 0.25, most: 16 * gigabyte, unless: 0.6),
            reason:
                "the server's own cache: a quarter of the memory of a machine that serves a database alone",
            section: "runtime-config-resource.html#GUC-SHARED-BUFFERS"),
        SettingRule(
            name: "effective_cache_size", level: .database,
            advised: memory("effective_cache_size", part: 0.6, most: 1024 * gigabyte, unless: 0.6),
            reason: "tells the planner how much is cached, so that it trusts indexes; takes no memory",
            section: "runtime-config-query.html#GUC-EFFECTIVE-CACHE-SIZE"),
        SettingRule(
            name: "work_mem", level: .database,
            advised: { situation in
                guard let memory = situation.facts.memory, let now = situation.number("work_mem"),
                    situation.facts.maxConnections > 0
                else { return nil }
                let share = Double(memory) / 8 / Double(situation.facts.maxConnections)
                let wanted = min(share, 32 * megabyte)
                return wanted >= 8 * megabyte && now < wanted * 0.6 ? size(wanted) : nil
            },
            reason:
                "memory of one sort or hash before it goes to the disk; every connection may take it several times",
            section: "runtime-config-resource.html#GUC-WORK-MEM"),
        SettingRule(
            name: "maintenance_work_mem", level: .database,
            advised: memory("maintenance_work_mem", part: 0.0625, most: gigabyte, unless: 0.6),
            reason: "memory of a build of an index and of vacuum: both are quicker with more",
            section: "runtime-config-resource.html#GUC-MAINTENANCE-WORK-MEM"),
        SettingRule(
            name: "random_page_cost", level: .database,
            advised: { ($0.number("random_page_cost") ?? 0) >= 3 ? "1.1" : nil },
            reason: "4 is for disks that turn; on solid-state storage, and only there, indexes deserve 1.1",
            section: "runtime-config-query.html#GUC-RANDOM-PAGE-COST"),
        SettingRule(
            name: "max_wal_size", level: .server,
            advised: { situation in
                guard let part = situation.requestedCheckpoints, part > 0.5,
                    (situation.number("max_wal_size") ?? 0) < 4 * gigabyte
                else { return nil }
                return "4GB"
            },
            reason:
                "most checkpoints come because so much was written, and not by the clock: each makes writes slower",
            section: "runtime-config-wal.html#GUC-MAX-WAL-SIZE"),
        SettingRule(
            name: "checkpoint_timeout", level: .server,
            advised: { ($0.number("checkpoint_timeout") ?? 300_000) < 300_000 ? "15min" : nil },
            reason: "after each checkpoint whole pages go into the log: rarer ones write less",
            section: "runtime-config-wal.html#GUC-CHECKPOINT-TIMEOUT"),
        SettingRule(
            name: "wal_compression", level: .server, advised: instead("wal_compression", of: ["off"], "on"),
            reason: "whole pages in the log are compressed: less is written, and sent to a standby",
            section: "runtime-config-wal.html#GUC-WAL-COMPRESSION"),
        SettingRule(
            name: "log_min_duration_statement", level: .server,
            advised: { $0.number("log_min_duration_statement") == -1 ? "500ms" : nil },
            reason: "statements that took longer are in the log: without it nobody knows which were slow",
            section: "runtime-config-logging.html#GUC-LOG-MIN-DURATION-STATEMENT"),
        SettingRule(
            name: "log_lock_waits", level: .server, advised: instead("log_lock_waits", of: ["off"], "on"),
            reason: "who waited for a lock longer than deadlock_timeout, and for whom, is in the log",
            section: "runtime-config-logging.html#GUC-LOG-LOCK-WAITS"),
        SettingRule(
            name: "idle_in_transaction_session_timeout", level: .database,
            advised: { $0.number("idle_in_transaction_session_timeout") == 0 ? "5min" : nil },
            reason: "a transaction that was forgotten keeps its locks, and keeps vacuum from its work",
            section: "runtime-config-client.html#GUC-IDLE-IN-TRANSACTION-SESSION-TIMEOUT"),
        SettingRule(
            name: "statement_timeout", level: .role,
            advised: { $0.number("statement_timeout") == 0 ? "60s" : nil },
            reason:
                "a query of the application that runs on when its user has gone keeps a connection of the pool",
            section: "runtime-config-client.html#GUC-STATEMENT-TIMEOUT"),
        SettingRule(
            name: "track_io_timing", level: .server, advised: instead("track_io_timing", of: ["off"], "on"),
            reason: "EXPLAIN and pg_stat_statements tell how long a query waited for the disk",
            section: "runtime-config-statistics.html#GUC-TRACK-IO-TIMING"),
        SettingRule(
            name: "password_encryption", level: .server,
            advised: instead("password_encryption", of: ["md5", "on"], "scram-sha-256"),
            reason:
                "md5 passwords can be used by whoever reads them, and leave PostgreSQL in a later version",
            section: "auth-password.html"),
        SettingRule(
            name: "ssl", level: .server,
            advised: { !$0.facts.isLocal && $0.text("ssl") == "off" ? "on" : nil },
            reason: "the application's connections, passwords and rows cross the network as they are",
            section: "ssl-tcp.html"),
        SettingRule(
            name: "TimeZone", level: .database,
            advised: { situation in
                guard let zone = situation.text("TimeZone") else { return nil }
                return ["UTC", "Etc/UTC", "GMT", "Etc/GMT", "Universal", "Zulu"].contains(zone) ? nil : "UTC"
            },
            reason:
                "times without a zone are read and written as UTC by the application; another zone moves them",
            section: "runtime-config-client.html#GUC-TIMEZONE"),
        SettingRule(
            name: "default_toast_compression", level: .database,
            advised: { situation in
                guard let value = situation.values["default_toast_compression"], value.text == "pglz",
                    value.choices.contains("lz4")
                else { return nil }
                return "lz4"
            },
            reason: "large values that are written from now on are packed and unpacked several times as fast",
            section: "runtime-config-client.html#GUC-DEFAULT-TOAST-COMPRESSION"),
        SettingRule(
            name: "jit", level: .database, advised: instead("jit", of: ["on"], "off"),
            reason:
                "compiling pays for reports that run for seconds; an application's short queries only wait for it",
            section: "jit-decision.html"),
    ]
}
