import Foundation

/// Prometheus' alerts, from the same limits that the monitor judges by.
///
/// (https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/). What the exporter cannot measure has no
/// rule, and is named in the file.
public struct AlertRules: Sendable {
    let limits: MonitorLimits
    let database: String
    let hasBackups: Bool

    public init(_ limits: MonitorLimits, database: String, hasBackups: Bool) {
        self.limits = limits
        self.database = database
        self.hasBackups = hasBackups
    }

    /// How each reading is measured by Prometheus, in the limit's own unit; DB stands for the selector of the database.
    private static let expressions: [MonitorLimit.ID: String] = [
        .connections: "100 * howdah_sessions_connections / howdah_sessions_connections_for_everybody",
        .longestQuery: "howdah_sessions_longest_query_seconds",
        .slowQueries: "howdah_sessions_slow_queries",
        .oldestTransaction: "howdah_sessions_oldest_transaction_seconds",
        .idleInTransaction: "howdah_sessions_idle_in_transaction_seconds",
        .blockedSessions: "howdah_sessions_blocked",
        .lockWait: "howdah_sessions_lock_wait_seconds",
        .deadlocks: "sum by (instance) (increase(pg_stat_database_deadlocks{DB}[10m]))",
        // As the monitor does, nothing is said of fewer than a thousand blocks, or a hundred transactions.
        .cacheHits:
            "100 * sum by (instance) (increase(pg_stat_database_blks_hit{DB}[10m])) / (sum by (instance) "
            + "(increase(pg_stat_database_blks_hit{DB}[10m]) + increase(pg_stat_database_blks_read{DB}[10m])) >= 1000)",
        .rollbacks:
            "100 * sum by (instance) (increase(pg_stat_database_xact_rollback{DB}[10m])) / (sum by (instance) "
            + "(increase(pg_stat_database_xact_rollback{DB}[10m]) + increase(pg_stat_database_xact_commit{DB}[10m])) >= 100)",
        .temporaryFiles: "sum by (instance) (rate(pg_stat_database_temp_bytes{DB}[10m])) / 1048576",
        .requestedCheckpoints:
            "100 * increase(howdah_checkpoints_requested[1h]) / "
            + "((increase(howdah_checkpoints_requested[1h]) + increase(howdah_checkpoints_timed[1h])) >= 4)",
        .deadRows: "howdah_server_dead_rows_percent",
        .growth:
            "100 * (pg_database_size_bytes{DB} - pg_database_size_bytes{DB} offset 1d) / pg_database_size_bytes{DB} offset 1d",
        .wraparound: "howdah_server_transaction_age / 1000000",
        .replicationLag: "howdah_server_replication_lag_seconds",
        .slotWAL: "howdah_server_slot_wal_bytes / 1048576",
        .archiver: "howdah_server_archiver_fails",
        .backupAge: "howdah_backup_seconds / 3600",
    ]

    /// Readings that have no rule.
    var withoutRule: [MonitorLimit] {
        limits.all.filter { Self.expressions[$0.id] == nil || $0.id == .backupAge && !hasBackups }
    }

    public var yaml: String {
        var lines = ["# Written by howdah, step 6.7, from the limits of its monitor."]
        lines += withoutRule.map { "# Without a rule here: \($0.id.rawValue), \(Self.why($0.id))." }
        lines += ["groups:", "  - name: \(ExporterFiles.yamlQuoted("howdah \(database)"))", "    rules:"]
        lines += alert(
            "HowdahExporterDown", "absent(pg_up) == 1 or pg_up == 0", "critical",
            "PostgreSQL is not measured",
            "The exporter, or the server behind it, does not answer.")
        lines += alert(
            "HowdahQueriesMissing", "absent(howdah_sessions_connections) == 1", "warn",
            "howdah's queries are not measured",
            "The exporter does not read queries.yaml, or its role lacks pg_monitor.")
        if hasBackups {
            lines += alert(
                "HowdahBackupUnknown", "absent(howdah_backup_seconds) == 1", "warn",
                "The age of the backups is not known",
                "There is none, or the exporter's role may not list the folder.")
        }
        for limit in limits.all where !withoutRule.contains(limit) {
            guard let expression = Self.expressions[limit.id] else { continue }
            let measured = expression.replacing("DB", with: "datname=\(Self.promQuoted(database))")
            let sign = limit.direction == .above ? ">=" : "<="
            for (severity, bound) in [("warn", limit.warn), ("critical", limit.critical)] {
                guard let bound else { continue }
                lines += alert(
                    Self.name(limit.id), "\(measured) \(sign) \(MonitorWords.number(bound))", severity,
                    "\(limit.words): {{ printf \"%.1f\" $value }} \(limit.unit.rawValue)",
                    "\(limit.reason) (https://www.postgresql.org/docs/current/\(limit.source))")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func why(_ id: MonitorLimit.ID) -> String {
        switch id {
        case .backupAge: "since no folder of backups was named"
        case .diskFree, .diskFull: "which the node exporter measures"
        default: "which the exporter does not measure"
        }
    }

    private func alert(
        _ name: String, _ expression: String, _ severity: String, _ summary: String, _ description: String
    ) -> [String] {
        [
            "      - alert: \(name)", "        expr: \(ExporterFiles.yamlQuoted(expression))",
            "        for: 2m",
            "        labels:", "          severity: \(severity == "warn" ? "warning" : severity)",
            "        annotations:",
            "          summary: \(ExporterFiles.yamlQuoted(summary))",
            "          description: \(ExporterFiles.yamlQuoted(description))",
        ]
    }

    /// HowdahLockWait for lock-wait.
    static func name(_ id: MonitorLimit.ID) -> String {
        "Howdah"
            + id.rawValue.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    private static func promQuoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
            + "\""
    }
}
