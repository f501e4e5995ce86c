import Postgres

/// What a target keeps of rows that were not loaded and of values that others took the place of: counts, and a few identities.
public struct KeptSummary: Codable, Sendable, Equatable {
    public struct Group: Codable, Sendable, Equatable {
        public let table: String
        /// The column whose values were replaced; nil for whole rows.
        public let column: String?
        public let reason: String
        public let count: Int
        /// The first rowids; keys may be secrets, so that rows without a rowid have none here.
        public let rowids: [Int64]
    }

    public let groups: [Group]

    /// Identities that are named of each group.
    static let most = 5
}

extension TargetServer {
    /// What the newest run into `schema` keeps; nil where there is no run.
    public func keptSummary(schema: String) throws -> KeptSummary? {
        try withConnection(purpose: "report") { connection in
            guard let run = try Ledger.newest(schema: schema, connection)?.run else { return nil }
            let result = try connection.query(
                """
                WITH kept AS (
                    SELECT source_table AS t, NULL AS c, reason, source_rowid AS id FROM howdah.quarantine WHERE run = $1
                    UNION ALL
                    SELECT source_table, column_name, reason, source_rowid FROM howdah.replaced WHERE run = $1),
                numbered AS (
                    SELECT *, row_number() OVER (PARTITION BY t, c, reason ORDER BY id) AS number FROM kept)
                SELECT t, c, reason, count(*), string_agg(id::text, ' ' ORDER BY id) FILTER (WHERE number <= $2)
                FROM numbered GROUP BY t, c, reason ORDER BY t, c NULLS FIRST, reason
                """, ["\(run)", "\(KeptSummary.most)"])
            return KeptSummary(
                groups: (0..<result.count).map { row in
                    .init(
                        table: result.text(row, 0) ?? "", column: result.text(row, 1),
                        reason: result.text(row, 2) ?? "", count: result.int(row, 3) ?? 0,
                        rowids: (result.text(row, 4) ?? "").split(separator: " ").compactMap { Int64($0) })
                })
        }
    }
}
