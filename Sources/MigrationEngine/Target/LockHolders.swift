import Postgres

/// Sessions that hold locks on tables, in words.
enum LockHolders {
    /// Up to three of them, as far as the server tells; where `ofReaders` is true only those that keep others from reading, howdah's own left
    /// out. The names are qualified and quoted, of tables that are there.
    static func of(
        _ names: [String], ofReaders: Bool = false, _ connection: borrowing Postgres.Connection
    ) throws -> [String] {
        guard !names.isEmpty else { return [] }
        let rows = try connection.query(
            """
            SELECT DISTINCT format('%s, as %s, process %s', nullif(application_name, ''), usename, pid)
            FROM pg_locks JOIN pg_stat_activity AS a USING (pid)
            WHERE locktype = 'relation' AND granted AND pid <> pg_backend_pid()
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND (NOT \(ofReaders) OR mode = 'AccessExclusiveLock' AND application_name NOT LIKE 'howdah %')
                AND relation = ANY (ARRAY[\(names.map(quoteLiteral).joined(separator: ", "))]::regclass[]::oid[]) ORDER BY 1 LIMIT 3
            """)
        return (0..<rows.count).compactMap { rows.text($0, 0) }
    }
}
