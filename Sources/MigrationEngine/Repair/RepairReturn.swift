import Postgres

/// Puts the old rows of one table back, in the caller's transaction, while nothing else takes part.
struct RepairReturn {
    let record: RepairRecord
    let number: Int
    let store: RepairStore

    private var table: RepairRecord.Table { record.tables[number] }
    private var name: String { quoteIdentifier(record.schema, table.target) }
    private var columns: [String] { table.columns.map { quoteIdentifier($0.name) } }
    private var key: [String] { table.key.map { quoteIdentifier($0) } }
    private var before: String { "pg_temp.howdah_repair_before_\(number)" }
    private var after: String { "pg_temp.howdah_repair_after_\(number)" }

    /// Reads what is kept, and throws where the table does not hold what the repair wrote.
    func check(_ main: borrowing Postgres.Connection) throws {
        try checkColumns(main)
        try main.execute(
            """
            CREATE TEMP TABLE \(RepairRows.bare(before)) ON COMMIT DROP AS SELECT \(columns.joined(separator: ", ")) FROM \(name) WITH NO DATA;
            CREATE TEMP TABLE \(RepairRows.bare(after)) ON COMMIT DROP AS
            SELECT \((key + [RepairTable.digest(columns, of: "t") + " AS howdah_digest"]).joined(separator: ", ")) FROM \(name) AS t WITH NO DATA
            """)
        let old = try CopyFile.read(
            store.file(record.id, table: number, .before), into: before, columns: columns, main)
        let new = try CopyFile.read(
            store.file(record.id, table: number, .after), into: after, columns: key + ["howdah_digest"], main)
        guard old == table.before, new == table.after else {
            throw MigrationError(
                .state, "the files of the repair \(record.id) do not hold the rows that it kept",
                remedy: "The target is as it was. Somebody has changed the state folder.")
        }
        try main.execute("ANALYZE \(before); ANALYZE \(after)")
        if table.way == .whole { try refuseWhole(main) } else { try refuseRows(main) }
    }

    func run(_ main: borrowing Postgres.Connection) throws {
        try check(main)
        if table.way == .whole {
            try main.execute("TRUNCATE \(name)")
        } else {
            let gone = try main.query(
                "DELETE FROM \(name) AS t USING \(after) AS a WHERE \(RepairTable.matches("a", "t", key))"
            ).affectedRows
            guard gone == table.after else { throw written([]) }
        }
        let list = columns.joined(separator: ", ")
        _ = try main.query(
            "INSERT INTO \(name) (\(list)) OVERRIDING SYSTEM VALUE SELECT \(list) FROM \(before)")
    }

    private func checkColumns(_ main: borrowing Postgres.Connection) throws {
        let now = try RepairTarget(name, main)
        let columns = now.stored.map { RepairRecord.Column(name: $0.name, type: $0.type) }
        guard now.relation == table.relation, columns == table.columns else {
            throw MigrationError(
                .targetNotEmpty,
                now.relation == table.relation
                    ? "the columns of \(name) are not those that it had at the repair \(record.id)"
                    : "\(name) was made anew since the repair \(record.id)",
                remedy:
                    "The target is as it was. Its old rows lie in the state folder, under repairs/\(record.id).",
                exit: .undecided)
        }
    }

    /// Every row must be what the repair wrote, and no other may have taken the key of one that comes back.
    private func refuseRows(_ main: borrowing Postgres.Connection) throws {
        let shown = { (alias: String) in
            "concat_ws(', ', \(key.map { "\(alias).\($0)::text" }.joined(separator: ", ")))"
        }
        let found = try main.query(
            """
            SELECT \(shown("a")) FROM \(after) AS a LEFT JOIN \(name) AS t ON \(RepairTable.matches("a", "t", key))
            WHERE t.\(key[0]) IS NULL OR a.howdah_digest <> \(RepairTable.digest(columns, of: "t"))
            UNION ALL
            SELECT \(shown("b")) FROM \(before) AS b JOIN \(name) AS t ON \(RepairTable.matches("b", "t", key))
            WHERE NOT EXISTS (SELECT FROM \(after) AS a WHERE \(RepairTable.matches("a", "b", key)))
            LIMIT 5
            """)
        guard found.count == 0 else { throw written((0..<found.count).compactMap { found.text($0, 0) }) }
    }

    private func refuseWhole(_ main: borrowing Postgres.Connection) throws {
        let digest = RepairTable.digest(columns, of: "t")
        let differs = try main.query(
            """
            SELECT EXISTS (SELECT FROM (SELECT \(digest) AS d, count(*) AS n FROM \(name) AS t GROUP BY 1) AS t
                FULL JOIN (SELECT howdah_digest AS d, count(*) AS n FROM \(after) GROUP BY 1) AS a USING (d)
                WHERE t.n IS DISTINCT FROM a.n)
            """)
        if differs.bool(0, 0) { throw written([]) }
    }

    private func written(_ keys: [String]) -> MigrationError {
        MigrationError(
            .targetNotEmpty,
            "rows of \(table.name) are not what the repair wrote any more"
                + (keys.isEmpty ? "" : ": \(keys.joined(separator: "; "))"),
            remedy:
                "The target is as it was. The old rows lie in the state folder, under repairs/\(record.id).",
            exit: .undecided)
    }
}
