/// What the monitor asks, by the server's version
/// (https://www.postgresql.org/docs/current/monitoring-stats.html). Nothing here waits for a lock of a table.
enum MonitorSQL {
    /// For the monitor's own session: it changes nothing, and no statement of it lasts.
    static let settings = """
        SET timezone = 'UTC'; SET datestyle = 'ISO'; SET statement_timeout = '5s'; SET lock_timeout = '1s';
        SET search_path = pg_catalog; SET default_transaction_read_only = on; SET extra_float_digits = 1
        """

    static let identity = "SELECT system_identifier::text FROM pg_control_system()"

    /// One row of settings and counters of the database, as JSON.
    static func facts(_ version: Int) -> String {
        let checkpoints =
            version >= 170_000
            ? "SELECT num_timed AS timed, num_requested AS requested FROM pg_stat_checkpointer"
            : "SELECT checkpoints_timed AS timed, checkpoints_req AS requested FROM pg_stat_bgwriter"
        return """
            SELECT row_to_json(f)::text FROM (
                SELECT extract(epoch FROM clock_timestamp())::float8 AS "time",
                    extract(epoch FROM pg_postmaster_start_time())::float8 AS started,
                    extract(epoch FROM d.stats_reset)::float8 AS reset,
                    d.xact_commit AS commits, d.xact_rollback AS rollbacks, d.blks_read AS "blocksRead",
                    d.blks_hit AS "blocksHit", d.tup_returned AS "rowsRead",
                    d.tup_inserted + d.tup_updated + d.tup_deleted AS "rowsWritten",
                    d.temp_files AS "temporaryFiles", d.temp_bytes AS "temporaryBytes", d.deadlocks,
                    c.timed AS "checkpointsTimed", c.requested AS "checkpointsRequested",
                    current_setting('server_version') AS version, d.datid::bigint AS database,
                    extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::float8 AS "upSeconds",
                    pg_is_in_recovery() AS "isStandby",
                    current_setting('max_connections')::int AS "maxConnections",
                    current_setting('superuser_reserved_connections')::int
                        + coalesce(current_setting('reserved_connections', true), '0')::int AS "reservedConnections",
                    (SELECT max(age(datfrozenxid)) FROM pg_database) AS "transactionAge",
                    (SELECT max(mxid_age(datminmxid)) FROM pg_database) AS "multixactAge",
                    current_setting('archive_mode') <> 'off' AS "isArchiving",
                    coalesce(a.last_failed_time > coalesce(a.last_archived_time, '-infinity'), false) AS "archiverFails",
                    a.failed_count AS "archiverFailures",
                    CASE WHEN NOT pg_is_in_recovery() THEN NULL
                        WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
                        ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8
                    END AS "standbyLag",
                    pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS "seesOthers"
                FROM pg_stat_database AS d, pg_stat_archiver AS a, (\(checkpoints)) AS c
                WHERE d.datname = current_database()) AS f
            """
    }

    /// Sessions with who keeps them waiting; that is asked only of those that wait, since it stops every change of locks
    /// for a moment.
    static func sessions(_ version: Int) -> String {
        let since = version >= 140_000 ? "min(waitstart)" : "NULL::timestamptz"
        return """
            SELECT a.pid, coalesce(a.usename, ''), coalesce(a.datname, ''), coalesce(a.application_name, ''),
                coalesce(host(a.client_addr), ''), a.state, a.wait_event_type, a.wait_event,
                extract(epoch FROM clock_timestamp() - a.query_start)::float8,
                extract(epoch FROM clock_timestamp() - a.xact_start)::float8,
                extract(epoch FROM clock_timestamp() - a.state_change)::float8,
                CASE WHEN w.pid IS NOT NULL
                    THEN extract(epoch FROM clock_timestamp() - coalesce(w.since, a.query_start))::float8 END,
                a.backend_start::text, a.query_start::text,
                CASE WHEN d.oid IS NULL OR d.encoding = (SELECT encoding FROM pg_database WHERE datname = current_database())
                    THEN left(a.query, 8192) ELSE '(in the encoding of another database)' END,
                a.backend_type,
                CASE WHEN w.pid IS NOT NULL THEN array_to_string(pg_blocking_pids(a.pid), ' ') END
            FROM pg_stat_activity AS a LEFT JOIN pg_database AS d ON d.oid = a.datid
                LEFT JOIN (SELECT pid, \(since) AS since FROM pg_locks WHERE NOT granted GROUP BY pid) AS w ON w.pid = a.pid
            WHERE a.pid <> pg_backend_pid() AND (a.datid IS NOT NULL OR a.backend_type = 'walsender')
            """
    }

    static let size = "SELECT pg_database_size(current_database())"
    static let dataFolder = "SELECT current_setting('data_directory')"

    /// Sizes and rows as of the last VACUUM or ANALYZE: the functions that tell sizes exactly wait for locks of the tables, and right after
    /// a load what the statistics count as live is twice what is there.
    static let tables = """
        SELECT schema || '.' || name, pages * current_setting('block_size')::bigint, live, dead, vacuumed
        FROM (
            SELECT *, row_number() OVER (ORDER BY pages DESC, name) AS by_size,
                row_number() OVER (ORDER BY dead DESC, name) AS by_dead
            FROM (
                SELECT s.schemaname AS schema, s.relname AS name,
                    CASE WHEN c.reltuples > 0 THEN c.reltuples::bigint ELSE s.n_live_tup END AS live, s.n_dead_tup AS dead,
                    c.relpages::bigint + coalesce(t.relpages, 0) + coalesce(i.pages, 0) AS pages,
                    coalesce(to_char(greatest(s.last_autovacuum, s.last_vacuum), 'YYYY-MM-DD HH24:MI'), '') AS vacuumed
                FROM pg_stat_user_tables AS s JOIN pg_class AS c ON c.oid = s.relid
                    LEFT JOIN pg_class AS t ON t.oid = c.reltoastrelid
                    LEFT JOIN (SELECT x.indrelid, sum(ic.relpages) AS pages FROM pg_index AS x
                        JOIN pg_class AS ic ON ic.oid = x.indexrelid GROUP BY x.indrelid) AS i ON i.indrelid = c.oid
            ) AS every) AS ranked
        WHERE by_size <= 10 OR by_dead <= 5 AND dead > 0
        ORDER BY pages DESC, name
        """

    private static let written = """
        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END
        """

    static let standbys = """
        SELECT application_name, coalesce(state, ''), extract(epoch FROM replay_lag)::float8,
            pg_wal_lsn_diff(\(written), replay_lsn)::bigint
        FROM pg_stat_replication ORDER BY application_name, pid
        """

    static func slots(_ version: Int) -> String {
        """
        SELECT slot_name, active, pg_wal_lsn_diff(\(written), restart_lsn)::bigint,
            \(version >= 130_000 ? "coalesce(wal_status, '')" : "''")
        FROM pg_replication_slots ORDER BY slot_name
        """
    }

    /// Ends what one session does, or the session: only the one that was shown, and with the first only the statement
    /// that was.
    static func end(_ ending: SessionEnding) -> String {
        """
        SELECT pg_\(ending.rawValue)_backend(pid) FROM pg_stat_activity
        WHERE pid = $1::int AND backend_start = $2::timestamptz\(ending == .cancel ? " AND query_start = $3::timestamptz" : "")
        """
    }
}

/// How a session is ended (https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL).
public enum SessionEnding: String, Sendable, CaseIterable {
    case cancel, terminate
}
