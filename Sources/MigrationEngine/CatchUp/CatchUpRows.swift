import Foundation
import Postgres
import SQLite

/// Carries the rows of one table at a time, and compares what it has carried, in the caller's transaction.
struct CatchUpRows {
    let migration: Migration
    let ledger: Ledger
    let older: Snapshot
    private let loader: Loader

    init(migration: Migration, ledger: Ledger, older: Snapshot) throws {
        self.migration = migration
        self.ledger = ledger
        self.older = older
        loader = migration.loader(ledger, loaded: [:])
    }

    private var schema: String { migration.plan.schema }

    func carry(
        _ table: CatchUp.Carried, _ older: borrowing SQLite.Connection, _ source: borrowing SQLite.Connection,
        _ main: borrowing Postgres.Connection
    ) throws -> CatchUp.Outcome.Table {
        guard let load = loader.tables.first(where: { $0.source.name == table.plan.name }) else {
            throw MigrationError(
                .plan, "\(table.plan.name) is not in the source any more",
                remedy: "Prepare the cutover again.")
        }
        let changes = table.changes
        var outcome = CatchUp.Outcome.Table(
            name: changes.name, inserted: changes.inserted, updated: changes.updated,
            deleted: changes.deleted,
            isWhole: false, compared: 0)
        let verdict: TableVerdict
        switch table.way {
        case .keyed:
            try replace(table, load, older, source, main)
            verdict = try compare(table, Self.newRows(table), Self.rows(of: table), source, main)
        case .appended:
            _ = try send(load, Self.newRows(table), into: nil, source, main)
            verdict = try compare(
                table, Self.newRows(table), "WHERE xmin = pg_current_xact_id()::xid", source, main)
        case .whole:
            try reload(table, load, source, main)
            verdict = try compare(table, nil, "", source, main)
            outcome.isWhole = true
            outcome.inserted = verdict.sourceRows
        }
        guard Self.isEqual(verdict) else { throw differs(table, verdict) }
        outcome.compared = verdict.targetRows
        return outcome
    }

    /// A verdict that was cut short says nothing of rows beyond its end.
    private static func isEqual(_ verdict: TableVerdict) -> Bool {
        verdict.verdict == .equal && !verdict.isTruncated && verdict.differences == 0
            && verdict.sourceRows == verdict.targetRows
    }

    // MARK: Rows with a key

    private func replace(
        _ table: CatchUp.Carried, _ load: Loader.LoadTable, _ older: borrowing SQLite.Connection,
        _ source: borrowing SQLite.Connection, _ main: borrowing Postgres.Connection
    ) throws {
        let keys = Set(table.plan.primaryKey?.columns ?? [])
        let places = load.columns.indices.filter { keys.contains(load.columns[$0].name) }
        let keyed = Loader.LoadTable(
            source: load.source, plan: load.plan, columns: places.map { load.columns[$0] },
            codes: places.map { load.codes[$0] }, maySkipLog: false,
            counters: RunProgress.Table(name: load.source.name, rows: 0))
        // Of the table itself, so that types and collations are its own.
        try main.execute(
            "CREATE TEMP TABLE howdah_keys_\(table.changes.number) ON COMMIT DROP AS SELECT \(table.keyNames.joined(separator: ", ")) FROM \(table.name) WITH NO DATA"
        )
        let gone = try send(keyed, Self.oldRows(table), into: table.keys, older, main)
        try main.execute("ANALYZE \(table.keys)")
        try refuseOthers(table, older, main)
        let deleted = try main.query(
            "DELETE FROM \(table.name) AS t USING \(table.keys) AS k WHERE \(table.matches("t"))"
        ).affectedRows
        guard deleted == gone else { throw Self.written(table) }
        _ = try send(load, Self.newRows(table), into: nil, source, main)
        _ = try send(keyed, Self.newRows(table), into: table.keys, source, main)
        try main.execute("ANALYZE \(table.keys)")
    }

    /// Throws where a row that is about to go is not the one that was loaded: somebody else's change would be lost with it.
    private func refuseOthers(
        _ table: CatchUp.Carried, _ older: borrowing SQLite.Connection, _ main: borrowing Postgres.Connection
    ) throws {
        let data = SourceData(snapshot: self.older, decided: nil)
        let verdict = try compare(
            table, Self.oldRows(table), Self.rows(of: table), older, main, of: data, log: nil)
        guard Self.isEqual(verdict) else { throw Self.written(table) }
    }

    private static func written(_ table: CatchUp.Carried) -> MigrationError {
        MigrationError(
            .targetNotEmpty,
            "rows of \(table.name) that have changed in SQLite have changed in the target too: somebody else has written to it",
            remedy: "The target is as it was. howdah validate shows what differs from the snapshot.",
            exit: .differs)
    }

    /// The rows of the target that the table's keys name.
    private static func rows(of table: CatchUp.Carried) -> String {
        "WHERE EXISTS (SELECT FROM \(table.keys) AS k WHERE \(table.matches("howdah_target")))"
    }

    private func send(
        _ table: Loader.LoadTable, _ condition: String, into other: String?,
        _ source: borrowing SQLite.Connection, _ main: borrowing Postgres.Connection
    ) throws -> Int {
        let query = SourceQuery(table.source, columns: table.columns.map(\.name))
        var rows = SourceRows(try source.prepare(query.rows(where: condition)))
        return try loader.send(&rows, of: table, into: other, main)
    }

    private static func oldRows(_ table: CatchUp.Carried) -> String { rows(table, "kind < 2") }
    private static func newRows(_ table: CatchUp.Carried) -> String { rows(table, "kind > 0") }

    private static func rows(_ table: CatchUp.Carried, _ condition: String) -> String {
        let rowid = table.source.rowidAlias.map(quoteIdentifier) ?? table.source.rowidName ?? "rowid"
        return
            "\(rowid) IN (SELECT id FROM \(SourceChanges.schema).rows_\(table.changes.number) WHERE \(condition))"
    }

    // MARK: Whole tables

    private func reload(
        _ table: CatchUp.Carried, _ load: Loader.LoadTable, _ source: borrowing SQLite.Connection,
        _ main: borrowing Postgres.Connection
    ) throws {
        try main.execute("TRUNCATE \(table.name)")
        let decided = migration.preparation.decidedRows?.tables[table.plan.name]
        for name in ["quarantine", "replaced"] {
            _ = try main.query(
                "DELETE FROM howdah.\(name) WHERE run = $1 AND source_table = $2",
                ["\(ledger.run)", table.plan.name])
        }
        if let decided {
            _ = try KeptRows(table: load.source, decided: decided, run: ledger.run).write(source, main)
        }
        var rows = try SourceRows.read(
            .all, of: load.source, columns: load.columns.map(\.name), source, decided: decided)
        _ = try loader.send(&rows, of: load, main)
        guard let decided else { return }
        if let obstacle = try KeptRowsProof(table: load.source, decided: decided, run: ledger.run)
            .obstacle(source, main)
        {
            throw MigrationError(
                .target, "\(table.plan.name): \(obstacle)", remedy: "The target is as it was.", exit: .differs
            )
        }
    }

    // MARK: The proof

    /// Compares the rows that a condition of each side names, every cell of them.
    private func compare(
        _ table: CatchUp.Carried, _ ours: String?, _ theirs: String,
        _ source: borrowing SQLite.Connection, _ main: borrowing Postgres.Connection, of data: SourceData,
        log: DifferenceLog?
    ) throws -> TableVerdict {
        let proof = HashedProof(
            table: table.proof, data: data, schema: schema, log: log,
            cancellation: migration.cancellation, source: ours, target: theirs)
        try proof.addSource(.all, source)
        try proof.addTarget(part: 0, of: 1, main)
        return try proof.conclude(source, main)
    }

    /// The same of the later snapshot; what differs is kept to be looked at.
    private func compare(
        _ table: CatchUp.Carried, _ ours: String?, _ theirs: String,
        _ source: borrowing SQLite.Connection, _ main: borrowing Postgres.Connection
    ) throws -> TableVerdict {
        try compare(
            table, ours, theirs, source, main, of: migration.preparation.data, log: migration.differences)
    }

    private func differs(_ table: CatchUp.Carried, _ verdict: TableVerdict) -> MigrationError {
        let keys = verdict.samples.prefix(3).map(\.key).joined(separator: "; ")
        return MigrationError(
            .target,
            "\(Format.count(max(1, verdict.differences), "row", "rows")) of \(table.plan.name) would differ after the catch-up"
                + (keys.isEmpty ? "" : ": \(keys)"),
            remedy: "The target is as it was, and nothing was switched. Please report this with the plan.",
            exit: .differs)
    }
}
