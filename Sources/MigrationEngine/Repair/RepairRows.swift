import Postgres
import SQLite

/// Replaces the chosen rows of one table at a time in the caller's transaction, keeps the old ones in files, and compares the new ones.
///
/// The tables are locked, and nothing of theirs takes part, see `HeldTables`.
struct RepairRows {
    let repair: Repair
    let preview: RepairPreview
    let choice: RepairChoice
    let loader: Loader
    let id: String

    private var store: RepairStore { repair.store }
    private var data: SourceData { repair.preparation.data }

    func replace(
        _ table: RepairTable, _ source: borrowing SQLite.Connection, _ main: borrowing Postgres.Connection
    ) throws -> RepairRecord.Table {
        let rows: (before: Int, after: Int)
        let verdict: TableVerdict
        switch table.preview.way {
        case .rows:
            rows = try replaceChosen(table, source, main)
            verdict = try compare(
                table, RepairChoice.condition(table), "WHERE \(table.isChosen("howdah_target"))", source, main
            )
        case .whole:
            rows = try reload(table, source, main)
            verdict = try compare(table, nil, "", source, main)
        }
        guard verdict.verdict == .equal, !verdict.isTruncated, verdict.sourceRows == verdict.targetRows,
            verdict.targetRows == rows.after
        else { throw Self.differs(table, verdict) }
        let isWhole = table.preview.way == .whole
        return RepairRecord.Table(
            name: table.plan.name, target: table.plan.targetName, relation: table.facts.relation,
            way: table.preview.way,
            missing: table.preview.missing, changed: table.preview.changed,
            extra: isWhole || preview.request.removesExtra ? table.preview.extra : 0, before: rows.before,
            after: rows.after, columns: table.facts.stored.map { .init(name: $0.name, type: $0.type) },
            key: isWhole ? [] : table.keyNames)
    }

    // MARK: Row by row

    private func replaceChosen(
        _ table: RepairTable, _ source: borrowing SQLite.Connection, _ main: borrowing Postgres.Connection
    ) throws -> (before: Int, after: Int) {
        let removed = preview.request.removesExtra ? table.preview.extra : 0
        let copied = try choice.noteChosen(table, source)
        guard copied == table.preview.missing + table.preview.changed else {
            throw MigrationError(
                .state, "rows of \(table.plan.name) that differ were not found again in SQLite",
                remedy: "Please report this with the plan. The target is as it was.")
        }
        // Of the table itself, so that types and collations are its own.
        let key = table.quotedKey.joined(separator: ", ")
        try main.execute(
            "CREATE TEMP TABLE \(Self.bare(table.keys)) ON COMMIT DROP AS SELECT \(key) FROM \(table.name) WITH NO DATA"
        )
        let keys = Set(table.proof.source.primaryKey)
        _ = try send(table.load { keys.contains($0) }, of: table, into: table.keys, source, main)
        if removed > 0 { try addExtraKeys(table, main) }
        try main.execute("ANALYZE \(table.keys)")
        let before = table.preview.changed + removed
        try refuseWritten(table, expected: before, main)
        let columns = table.stored
        let kept = try CopyFile.write(
            "SELECT \(Self.list(columns, "t")) FROM \(table.name) AS t WHERE \(table.isChosen("t"))",
            to: store.file(id, table: table.number, .before), main)
        let others = try keepOthers(table, main)
        let load = table.load { _ in true }
        let loaded = load.columns.map { quoteIdentifier($0.targetName) }
        try main.execute(
            "CREATE TEMP TABLE \(Self.bare(table.fresh)) ON COMMIT DROP AS SELECT \(loaded.joined(separator: ", ")) FROM \(table.name) WITH NO DATA"
        )
        let sent = try send(load, of: table, into: table.fresh, source, main)
        // All go before any comes: two rows may have exchanged a unique value.
        let gone = try main.query(
            "DELETE FROM \(table.name) AS t USING \(table.keys) AS k WHERE \(table.matches("k", "t"))"
        ).affectedRows
        guard gone == before, kept == before, sent == copied else { throw Self.written(table, []) }
        try insert(table, loaded, others, main)
        let after = try CopyFile.write(
            "SELECT \(Self.list(table.quotedKey, "t")), \(RepairTable.digest(columns, of: "t")) FROM \(table.name) AS t WHERE \(table.isChosen("t"))",
            to: store.file(id, table: table.number, .after), main)
        return (before, after)
    }

    private func send(
        _ load: Loader.LoadTable, of table: RepairTable, into other: String,
        _ source: borrowing SQLite.Connection, _ main: borrowing Postgres.Connection
    ) throws -> Int {
        let query = data.query(load.source, columns: load.columns.map(\.name))
        var rows = SourceRows(try source.prepare(query.rows(where: RepairChoice.condition(table))))
        return try loader.send(&rows, of: load, into: other, main)
    }

    /// Keys of rows that only the target has; the proof has read them there.
    private func addExtraKeys(_ table: RepairTable, _ main: borrowing Postgres.Connection) throws {
        let types = table.keyNames.map { name in table.facts.columns.first { $0.name == name }?.type ?? "text"
        }
        var keys: [[String]] = []
        try choice.forEach(of: table.plan.name) { difference in
            guard difference.kind == .extra, let key = difference.place?.keys else { return }
            keys.append(key)
            guard keys.count >= 500 else { return }
            try Self.add(keys, types, to: table.keys, main)
            keys = []
        }
        if !keys.isEmpty { try Self.add(keys, types, to: table.keys, main) }
    }

    private static func add(
        _ keys: [[String]], _ types: [String], to table: String, _ main: borrowing Postgres.Connection
    ) throws {
        var number = 0
        let rows = keys.map { key in
            let values = zip(key, types).map { _, type in
                number += 1
                return "$\(number)::text::\(type)"
            }
            return "(\(values.joined(separator: ", ")))"
        }
        _ = try main.query(
            "INSERT INTO \(table) VALUES \(rows.joined(separator: ", "))", keys.flatMap(\.self))
    }

    /// Throws where the chosen rows are not those that the proof has seen: somebody else's change would be lost unseen.
    private func refuseWritten(
        _ table: RepairTable, expected: Int, _ main: borrowing Postgres.Connection
    ) throws {
        let rows = "\(table.name) AS t JOIN \(table.keys) AS k ON \(table.matches("k", "t"))"
        let isLater = preview.moment.isLater("t")
        let facts = try main.query("SELECT count(*), count(*) FILTER (WHERE \(isLater)) FROM \(rows)")
        guard facts.int(0, 0) == expected, facts.int(0, 1) == 0 else {
            let key = table.quotedKey.map { "t.\($0)::text" }.joined(separator: ", ")
            let found = try main.query(
                "SELECT concat_ws(', ', \(key)) FROM \(rows) WHERE \(isLater) ORDER BY 1 LIMIT 5")
            throw Self.written(table, (0..<found.count).compactMap { found.text($0, 0) })
        }
    }

    static func written(_ table: RepairTable, _ keys: [String]) -> MigrationError {
        MigrationError(
            .targetNotEmpty,
            "somebody has written to rows of \(table.plan.name) since they were compared"
                + (keys.isEmpty ? "" : ": \(keys.joined(separator: "; "))"),
            remedy:
                "The target is as it was. Look at what differs now, and repair it then; rows that are younger than a transaction "
                + "that was open meanwhile count as written.", exit: .undecided
        )
    }

    /// Columns of the target that the source has not: what rows on both sides hold in them is kept. Returns their names, quoted.
    private func keepOthers(_ table: RepairTable, _ main: borrowing Postgres.Connection) throws -> [String] {
        let sent = Set(table.proof.targetColumns)
        let others = table.facts.stored.filter { !sent.contains($0.name) }.map { quoteIdentifier($0.name) }
        guard !others.isEmpty else { return [] }
        try main.execute(
            """
            CREATE TEMP TABLE \(Self.bare(table.old)) ON COMMIT DROP AS
            SELECT \(Self.list(table.quotedKey + others, "t")) FROM \(table.name) AS t WHERE \(table.isChosen("t"))
            """)
        return others
    }

    private func insert(
        _ table: RepairTable, _ columns: [String], _ others: [String], _ main: borrowing Postgres.Connection
    ) throws {
        func sql(_ columns: [String], _ values: [String], _ rest: String) -> String {
            "INSERT INTO \(table.name) (\(columns.joined(separator: ", "))) OVERRIDING SYSTEM VALUE "
                + "SELECT \(values.joined(separator: ", ")) FROM \(table.fresh) AS n \(rest)"
        }
        let fresh = columns.map { "n.\($0)" }
        guard !others.isEmpty else {
            _ = try main.query(sql(columns, fresh, ""))
            return
        }
        let matches = table.matches("o", "n")
        _ = try main.query(
            sql(columns + others, fresh + others.map { "o.\($0)" }, "JOIN \(table.old) AS o ON \(matches)"))
        _ = try main.query(
            sql(columns, fresh, "WHERE NOT EXISTS (SELECT FROM \(table.old) AS o WHERE \(matches))"))
    }

    // MARK: As a whole

    private func reload(
        _ table: RepairTable, _ source: borrowing SQLite.Connection, _ main: borrowing Postgres.Connection
    ) throws -> (before: Int, after: Int) {
        let facts = try main.query(
            "SELECT count(*), count(*) FILTER (WHERE \(preview.moment.isLater("t"))) FROM \(table.name) AS t")
        guard facts.int(0, 0) == table.preview.targetRows, facts.int(0, 1) == 0 else {
            throw Self.written(table, [])
        }
        let columns = table.stored
        let before = try CopyFile.write(
            "SELECT \(columns.joined(separator: ", ")) FROM \(table.name)",
            to: store.file(id, table: table.number, .before), main)
        try main.execute("TRUNCATE \(table.name)")
        let load = table.load { _ in true }
        var rows = try SourceRows.read(
            .all, of: load.source, columns: load.columns.map(\.name), source,
            decided: data.decided?.tables[table.plan.name])
        _ = try loader.send(&rows, of: load, main)
        let after = try CopyFile.write(
            "SELECT \(RepairTable.digest(columns, of: "t")) FROM \(table.name) AS t",
            to: store.file(id, table: table.number, .after), main)
        return (before, after)
    }

    // MARK: The proof

    /// Compares the rows that a condition of each side names, every cell of them.
    private func compare(
        _ table: RepairTable, _ ours: String?, _ theirs: String, _ source: borrowing SQLite.Connection,
        _ main: borrowing Postgres.Connection
    ) throws -> TableVerdict {
        let proof = HashedProof(
            table: table.proof, data: data, schema: repair.plan.schema, log: nil,
            cancellation: repair.cancellation,
            source: ours, target: theirs)
        try proof.addSource(.all, source)
        try proof.addTarget(part: 0, of: 1, main)
        return try proof.conclude(source, main)
    }

    private static func differs(_ table: RepairTable, _ verdict: TableVerdict) -> MigrationError {
        let keys = verdict.samples.prefix(3).map(\.key).joined(separator: "; ")
        return MigrationError(
            .target,
            "\(Format.count(max(1, verdict.differences), "row", "rows")) of \(table.plan.name) would still differ"
                + (keys.isEmpty ? "" : ": \(keys)"),
            remedy: "The target is as it was. Please report this with the plan.", exit: .differs)
    }

    // MARK: Names

    private static func list(_ columns: [String], _ alias: String) -> String {
        columns.map { "\(alias).\($0)" }.joined(separator: ", ")
    }

    /// A temporary table is made without its schema.
    static func bare(_ name: String) -> String { String(name.dropFirst("pg_temp.".count)) }
}
