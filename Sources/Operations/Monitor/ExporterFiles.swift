import Foundation
import MigrationEngine
import Postgres

/// What prometheus-postgres-exporter needs to measure what the monitor does
/// (https://github.com/prometheus-community/postgres_exporter): its environment, and queries of howdah's.
public struct ExporterFiles: Sendable {
    let conninfo: Conninfo
    let database: String
    let serverVersion: Int
    let backups: BackupFolder?

    /// `database` is the name of the one that is watched.
    public init(_ conninfo: Conninfo, database: String, serverVersion: Int, backups: BackupFolder?) {
        self.conninfo = conninfo
        self.database = database
        self.serverVersion = serverVersion
        self.backups = backups
    }

    // MARK: The environment

    /// The environment file; `queries` is where the other file lies. No password is in it: a pgpass file supplies it.
    public func environment(queries: String) -> String {
        """
        # Written by howdah, step 6.7: for /etc/default/prometheus-postgres-exporter, or an EnvironmentFile of systemd.
        # The role needs pg_monitor, better a role of its own:
        #   CREATE ROLE howdah_exporter LOGIN; GRANT pg_monitor TO howdah_exporter;
        # Its password belongs into the pgpass file, which only the exporter's user may read (mode 0600).
        DATA_SOURCE_NAME=\(Self.quoted(dataSource))
        PGPASSFILE=\(Self.quoted(conninfo["passfile"] ?? "/var/lib/prometheus/.pgpass"))
        PG_EXPORTER_EXTEND_QUERY_PATH=\(Self.quoted(queries))

        """
    }

    /// As the exporter's client reads it: it knows neither sslmode=prefer nor a passfile in it.
    private var dataSource: String {
        let host = conninfo["host"] ?? "/var/run/postgresql"
        let isLocal = host.hasPrefix("/") || ["localhost", "127.0.0.1", "::1"].contains(host)
        let known = ["disable", "require", "verify-ca", "verify-full"]
        let mode =
            conninfo["sslmode"].flatMap { known.contains($0) ? $0 : nil } ?? (isLocal ? "disable" : "require")
        let settings: [(String, String?)] = [
            ("host", host), ("port", conninfo["port"]), ("user", conninfo["user"]), ("dbname", database),
            ("sslmode", mode), ("sslrootcert", conninfo["sslrootcert"]), ("sslcert", conninfo["sslcert"]),
            ("sslkey", conninfo["sslkey"]),
        ]
        return settings.compactMap { name, value in
            value.map { "\(name)='\($0.replacing("\\", with: "\\\\").replacing("'", with: "\\'"))'" }
        }.joined(separator: " ")
    }

    /// A value of an environment file, as systemd and the shell read it alike.
    private static func quoted(_ text: String) -> String {
        "\"" + text.map { "\\\"$`".contains($0) ? "\\\($0)" : String($0) }.joined() + "\""
    }

    // MARK: Queries

    private struct Query {
        let name: String
        let sql: String
        let metrics: [(name: String, kind: String, help: String)]
    }

    /// queries.yaml: what the exporter does not measure by itself.
    public var queries: String {
        var lines = ["# Written by howdah, step 6.7. The role needs pg_monitor."]
        for query in [sessions, server, checkpoints] + [backup].compactMap(\.self) {
            lines += [
                "\(query.name):", "  query: \(Self.yamlQuoted(query.sql))", "  master: true", "  metrics:",
            ]
            for metric in query.metrics {
                lines += [
                    "    - \(metric.name):", "        usage: \"\(metric.kind)\"",
                    "        description: \(Self.yamlQuoted(metric.help))",
                ]
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var sessions: Query {
        let since = serverVersion >= 140_000 ? "min(waitstart)" : "NULL::timestamptz"
        func longest(_ column: String, _ condition: String) -> String {
            "coalesce(max(extract(epoch FROM clock_timestamp() - a.\(column))) FILTER (WHERE \(condition)), 0)::float8"
        }
        let client = "a.backend_type = 'client backend'"
        let idle = "a.state LIKE 'idle in transaction%'"
        return Query(
            name: "howdah_sessions",
            sql: """
                SELECT count(*) FILTER (WHERE \(client)) AS connections,
                current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                - coalesce(current_setting('reserved_connections', true), '0')::int AS connections_for_everybody,
                \(longest("query_start", "\(client) AND a.state = 'active'")) AS longest_query_seconds,
                count(*) FILTER (WHERE \(client) AND a.state = 'active'
                AND a.query_start < clock_timestamp() - interval '5 seconds') AS slow_queries,
                \(longest("xact_start", client)) AS oldest_transaction_seconds,
                \(longest("state_change", idle)) AS idle_in_transaction_seconds,
                count(w.pid) AS blocked,
                coalesce(max(extract(epoch FROM clock_timestamp() - coalesce(w.since, a.query_start)))
                FILTER (WHERE w.pid IS NOT NULL), 0)::float8 AS lock_wait_seconds
                FROM pg_stat_activity AS a LEFT JOIN (SELECT pid, \(since) AS since FROM pg_locks
                WHERE NOT granted GROUP BY pid) AS w ON w.pid = a.pid
                """,
            metrics: [
                ("connections", "GAUGE", "Sessions of clients"),
                ("connections_for_everybody", "GAUGE", "Connections that an ordinary role can have"),
                ("longest_query_seconds", "GAUGE", "How long the longest statement has run"),
                ("slow_queries", "GAUGE", "Statements that have run for more than 5 seconds"),
                ("oldest_transaction_seconds", "GAUGE", "Age of the oldest transaction of a client"),
                ("idle_in_transaction_seconds", "GAUGE", "How long a session has been idle in a transaction"),
                ("blocked", "GAUGE", "Sessions that wait for a lock of another"),
                ("lock_wait_seconds", "GAUGE", "How long the longest of them has waited"),
            ])
    }

    private var server: Query {
        let written =
            "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END"
        return Query(
            name: "howdah_server",
            sql: """
                SELECT greatest((SELECT max(age(datfrozenxid)) FROM pg_database),
                (SELECT max(mxid_age(datminmxid)) FROM pg_database)) AS transaction_age,
                coalesce((SELECT max(pg_wal_lsn_diff(\(written), restart_lsn)) FROM pg_replication_slots), 0)::float8 AS slot_wal_bytes,
                CASE WHEN NOT pg_is_in_recovery()
                THEN coalesce((SELECT max(extract(epoch FROM replay_lag)) FROM pg_stat_replication), 0)
                WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
                ELSE coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0)
                END::float8 AS replication_lag_seconds,
                (SELECT CASE WHEN current_setting('archive_mode') <> 'off'
                AND last_failed_time > coalesce(last_archived_time, '-infinity') THEN 1 ELSE 0 END
                FROM pg_stat_archiver) AS archiver_fails,
                coalesce((SELECT max(100.0 * n_dead_tup / (n_live_tup + n_dead_tup)) FROM pg_stat_user_tables
                WHERE n_dead_tup >= 10000), 0)::float8 AS dead_rows_percent
                """,
            metrics: [
                ("transaction_age", "GAUGE", "Transactions since the oldest id that is not frozen"),
                ("slot_wal_bytes", "GAUGE", "WAL that the replication slot furthest behind keeps"),
                ("replication_lag_seconds", "GAUGE", "What the standby furthest behind has not replayed"),
                ("archiver_fails", "GAUGE", "1 where the newest WAL file could not be archived"),
                ("dead_rows_percent", "GAUGE", "Dead rows of the table that has most of them"),
            ])
    }

    private var checkpoints: Query {
        Query(
            name: "howdah_checkpoints",
            sql: serverVersion >= 170_000
                ? "SELECT num_timed AS timed, num_requested AS requested FROM pg_stat_checkpointer"
                : "SELECT checkpoints_timed AS timed, checkpoints_req AS requested FROM pg_stat_bgwriter",
            metrics: [
                ("timed", "COUNTER", "Checkpoints whose time had come"),
                ("requested", "COUNTER", "Checkpoints that were forced before their time"),
            ])
    }

    /// The server lists the folder itself, so that its own user must be able to, and the role must be allowed to.
    private var backup: Query? {
        backups.map { folder in
            Query(
                name: "howdah_backup", sql: folder.ageQuery(literal: quoteLiteral(folder.path)),
                metrics: [
                    (
                        "seconds", "GAUGE",
                        "Age of the newest backup; needs GRANT EXECUTE ON FUNCTION pg_ls_dir(text) and pg_read_server_files"
                    )
                ])
        }
    }

    /// A text as YAML's double-quoted scalar, which takes what JSON writes.
    static func yamlQuoted(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
}
