import Postgres

/// The moment before a proof, by which rows that were written since are told from those that it has seen.
struct ProofMoment: Sendable, Equatable {
    /// The first transaction that had not begun, and those that had not ended, as rows name them.
    private let next: String
    private let open: [String]

    /// Of some tables, qualified and quoted.
    init(of tables: [String], _ connection: borrowing Postgres.Connection) throws {
        let list = tables.map(quoteLiteral).joined(separator: ", ")
        // A writer's savepoints have numbers of their own, which the snapshot does not list: where somebody is writing to the tables, all
        // that is younger than the oldest open transaction counts as not seen.
        let facts = try connection.query(
            """
            SELECT (pg_snapshot_xmin(s)::text::bigint % 4294967296)::text, (pg_snapshot_xmax(s)::text::bigint % 4294967296)::text,
                coalesce((SELECT string_agg((x::text::bigint % 4294967296)::text, ',') FROM pg_snapshot_xip(s) AS x), ''),
                EXISTS (SELECT FROM pg_locks WHERE locktype = 'relation' AND pid <> pg_backend_pid() AND granted
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    AND relation = ANY (ARRAY[\(list)]::regclass[]::oid[])
                    AND mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'))
            FROM pg_current_snapshot() AS s
            """)
        let isWritten = facts.bool(0, 3)
        next = facts.text(0, isWritten ? 0 : 1) ?? "0"
        open = isWritten ? [] : (facts.text(0, 2) ?? "").split(separator: ",").map(String.init)
    }

    /// SQL: whether a row of `alias` was written since. Numbers of transactions go round: ages tell the later ones
    /// (https://www.postgresql.org/docs/current/routine-vacuuming.html).
    func isLater(_ alias: String) -> String {
        let isOpen =
            open.isEmpty
            ? "" : " OR \(alias).xmin::text IN (\(open.map { "'\($0)'" }.joined(separator: ", ")))"
        return "(age(\(alias).xmin) <= age('\(next)'::xid)\(isOpen))"
    }
}
