import Postgres

/// The moment before a proof, by which rows that were written since are told from those that it has seen.
struct ProofMoment: Sendable, Equatable {
    /// The first transaction that may write what the proof does not see, as rows name it.
    private let next: String

    /// How often the server is asked again who a transaction belongs to that has ended meanwhile.
    private static let mostLooks = 5

    /// A writer's savepoints have numbers of their own, which a snapshot does not list, and which it may use for a table later: all that
    /// is younger than the oldest open transaction of this database counts as not seen. Those of other databases write nothing here, and
    /// the server's own cleaning writes no rows.
    init(_ connection: borrowing Postgres.Connection) throws {
        var next = "0"
        for _ in 0..<Self.mostLooks {
            let facts = try connection.query(
                """
                WITH open AS (
                    SELECT x::text::bigint AS number, a.datname AS base, a.backend_type AS kind
                    FROM pg_snapshot_xip(pg_current_snapshot()) AS x LEFT JOIN (
                        SELECT backend_xid AS xid, datname, backend_type FROM pg_stat_activity WHERE backend_xid IS NOT NULL
                        UNION ALL SELECT transaction, database, NULL FROM pg_prepared_xacts
                    ) AS a ON a.xid = ((x::text::bigint % 4294967296)::text)::xid)
                SELECT (coalesce(min(number) FILTER (WHERE base IS NULL OR base = current_database()
                        AND kind IS DISTINCT FROM 'autovacuum worker'), pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
                    % 4294967296)::text, coalesce(bool_or(base IS NULL), false)
                FROM open
                """)
            next = facts.text(0, 0) ?? "0"
            if !facts.bool(0, 1) { break }
        }
        self.next = next
    }

    /// SQL: whether a row of `alias` was written since. Numbers of transactions go round: ages tell the later ones
    /// (https://www.postgresql.org/docs/current/routine-vacuuming.html).
    func isLater(_ alias: String) -> String {
        "(age(\(alias).xmin) <= age('\(next)'::xid))"
    }
}
