import Foundation
import Postgres
import SQLite

/// Brings a target from the snapshot that it was loaded from to a later one: rows that came, changed and went since.
///
/// One transaction carries all of it, compares it cell by cell, and is committed only where everything is equal. Called from one thread.
public struct CatchUp: Sendable {
    /// What was carried.
    public struct Outcome: Codable, Sendable, Equatable {
        public struct Table: Codable, Sendable, Equatable {
            public let name: String
            public var inserted: Int
            public var updated: Int
            public var deleted: Int
            /// Loaded again as a whole: its rows are not known one by one.
            public var isWhole: Bool
            /// Rows that were compared.
            public var compared: Int
        }

        public var tables: [Table]
        public var seconds: Double

        public var inserted: Int { tables.reduce(0) { $0 + $1.inserted } }
        public var updated: Int { tables.reduce(0) { $0 + $1.updated } }
        public var deleted: Int { tables.reduce(0) { $0 + $1.deleted } }

        /// In one line.
        public var words: String {
            tables.isEmpty
                ? "nothing has changed since"
                : "\(Format.count(inserted)) rows came, \(Format.count(updated)) changed, \(Format.count(deleted)) went, in "
                    + Format.count(tables.count, "table", "tables")
        }
    }

    /// As it runs on the later snapshot, by the plan that the target was loaded by.
    let migration: Migration
    let base: Snapshot
    let changes: SourceChanges

    private var preparation: Preparation { migration.preparation }
    private var plan: MigrationPlan { migration.plan }

    /// Carries the changes; where the target holds the later snapshot already, nothing is done.
    ///
    /// Throws `.target` with exit 4 where what was carried is not equal, and whatever the server refuses; the target is then as it
    /// was.
    func run(_ main: borrowing Postgres.Connection) throws -> Outcome {
        let start = ContinuousClock.now
        let ledger = try ledger(main)
        guard try ledger.snapshotSHA256(main) != preparation.snapshot.sha256 else {
            return Outcome(tables: [], seconds: 0)
        }
        try Ledger.makeCatchUpTables(main)
        let tables = try carriedTables(ledger, main)
        let source = try SourceData(snapshot: preparation.snapshot, decided: preparation.decidedRows).open()
        let older = try base.open()
        if !changes.isEmpty {
            try changes.attach(to: source)
            try changes.attach(to: older)
        }
        let interrupters = (source.interrupter, older.interrupter)
        let carried = try migration.cancellation.whileRegistered({
            interrupters.0.interrupt()
            interrupters.1.interrupt()
        }) {
            do {
                return try main.transaction { main in
                    try carry(tables, ledger, from: older, to: source, main)
                }
            } catch let error as SQLiteError where error.isInterrupted {
                throw MigrationError.cancelled
            } catch let error as PostgresError {
                throw explained(error)
            }
        }
        try migration.differences?.follow(to: preparation.snapshot.sha256, load: ledger.load(main))
        return Outcome(tables: carried, seconds: (ContinuousClock.now - start).seconds)
    }

    /// The run whose rows are there, proven.
    private func ledger(_ main: borrowing Postgres.Connection) throws -> Ledger {
        guard let ledger = try Ledger.newest(schema: plan.schema, main), let status = try ledger.status(main),
            status.stage >= .constrained
        else { throw Migration.early("the target holds no run that has ended") }
        let known = [base.sha256, preparation.snapshot.sha256]
        guard known.contains(status.snapshotSHA256) else {
            throw MigrationError(
                .interruptedRun, "the target holds another snapshot than the one of \(base.time)",
                remedy: "Prepare the cutover again.", exit: .undecided)
        }
        return ledger
    }

    private func explained(_ error: PostgresError) -> any Error {
        guard error.code == .server else { return Migration.explained(error, migration.server.conninfo) }
        return MigrationError(
            .target, "what has changed since the snapshot of \(base.time) is refused by the target: \(error)",
            remedy:
                "The target is as it was. A row that was written since does not fit the plan: look at it in SQLite, "
                + "or migrate anew, which plans for it.", exit: .undecided)
    }

    // MARK: What is carried how

    /// A table with its changes.
    struct Carried {
        enum Way {
            /// By its key: old rows go, new ones come.
            case keyed
            /// New rows come; there is no key, and nothing else has changed.
            case appended
            case whole
        }

        let changes: SourceChanges.Table
        let plan: MigrationPlan.Table
        let source: Catalog.Table
        let way: Way
        let proof: ProofTable
        /// Qualified and quoted.
        let name: String

        /// The temporary table with the keys of its rows.
        var keys: String { "pg_temp.howdah_keys_\(changes.number)" }
        func names(_ columns: [String]) -> [String] { plan.targetNames(columns).map { quoteIdentifier($0) } }
        var keyNames: [String] { names(plan.primaryKey?.columns ?? []) }
        /// The table's rows, joined to its keys.
        func matches(_ table: String) -> String {
            keyNames.map { "\(table).\($0) = k.\($0)" }.joined(separator: " AND ")
        }
    }

    private func carriedTables(
        _ ledger: Ledger, _ main: borrowing Postgres.Connection
    ) throws -> [Carried] {
        let byName = Dictionary(changes.tables.map { ($0.name, $0) }) { first, _ in first }
        let wanted = plan.tables.filter { !$0.isSkipped && byName[$0.name] != nil }
        let opening = try ProofRun(
            preparation: preparation, server: migration.server, workers: 1,
            cancellation: migration.cancellation,
            progress: RunProgress(), gate: migration.gate, differences: nil
        ).open(only: Set(wanted.map(\.name)))
        let returned = try ledger.returnedRows(main)
        let decided = try ledger.tablesWithKeptRows(main)
        let kept = migration.keptTables
        return try wanted.map { table in
            guard let changes = byName[table.name],
                let proof = opening.tables.first(where: { $0.source.name == table.name })
            else {
                throw MigrationError(
                    .target,
                    "\(table.targetName): \(opening.verdicts[table.name]?.obstacle ?? "it cannot be compared")",
                    remedy: "Look at the table in the target.")
            }
            let way = decided.contains(table.name) ? .whole : way(table, changes, proof)
            if kept.contains(table.name)
                || way == .whole && (plan.isAdopted(table) || returned[table.name] ?? 0 > 0)
            {
                throw MigrationError(
                    .targetNotEmpty,
                    "\(table.name) has changed since the snapshot of \(base.time), and its rows in the target are not all the source's",
                    remedy: "Carry its rows over by hand, or take them out of the target and migrate anew.",
                    exit: .undecided)
            }
            return Carried(
                changes: changes, plan: table, source: proof.source, way: way, proof: proof,
                name: migration.script.qualified(table))
        }
    }

    private func way(
        _ table: MigrationPlan.Table, _ changes: SourceChanges.Table, _ proof: ProofTable
    ) -> Carried.Way {
        // What decisions keep out of the table is worked out for the table as a whole.
        guard changes.way == .rows, preparation.decidedRows?.tables[table.name] == nil else { return .whole }
        let key = table.primaryKey?.columns ?? []
        let hasPlainKey =
            !key.isEmpty
            && key.allSatisfy { name in
                table.column(named: name).map { !$0.isForeign && !$0.isGenerated } ?? false
            }
        if hasPlainKey { return .keyed }
        return changes.updated + changes.deleted == 0 ? .appended : .whole
    }

    // MARK: In the transaction

    private func carry(
        _ tables: [Carried], _ ledger: Ledger, from older: borrowing SQLite.Connection,
        to source: borrowing SQLite.Connection, _ main: borrowing Postgres.Connection
    ) throws -> [Outcome.Table] {
        let before = try ledger.loadedRows(main)
        let unvalidated = try ledger.unvalidatedKeys(main)
        let held = try HeldTables(tables.map(\.name), main)
        let rows = try CatchUpRows(migration: migration, ledger: ledger, older: base)
        var outcome: [Outcome.Table] = []
        for table in tables {
            try migration.cancellation.check()
            outcome.append(try rows.carry(table, older, source, main))
        }
        try held.settle(main)
        for key in held.keys {
            // A key that an earlier catch-up made anew was valid before, and is to be again.
            let wasValid = unvalidated.contains(.init(table: key.table, name: key.name))
            try make(wasValid ? key.asValidated : key, tables, ledger, main)
        }
        try held.releaseObjects(main)
        _ = try Sequences(plan: plan, catalog: preparation.catalog).advance(main)
        var gained: [String: Int] = [:]
        for (index, table) in tables.enumerated() {
            let count = try main.query("SELECT count(*) FROM \(table.name)").int(0, 0) ?? 0
            let known = before[table.plan.name] ?? 0
            let expected =
                table.way == .whole
                ? outcome[index].compared : known + table.changes.inserted - table.changes.deleted
            guard count == expected else { throw tampered(table, count, expected) }
            gained[table.plan.name] = count - known
        }
        let text = String(decoding: try JSONEncoder().encode(outcome), as: UTF8.self)
        try ledger.follow(
            preparation.snapshot, from: base, planSHA256: preparation.planDigest, gained: gained, text, main)
        return outcome
    }

    private func tampered(_ table: Carried, _ count: Int, _ expected: Int) -> MigrationError {
        MigrationError(
            .targetNotEmpty,
            "\(table.name) would hold \(Format.count(count, "row", "rows")) instead of \(Format.count(expected)): "
                + "somebody else has written to it",
            remedy: "The target is as it was. howdah validate shows what differs from the snapshot.",
            exit: .differs)
    }

    /// Makes a foreign key anew. Where both sides are known row by row, only the rows that changed are looked at; the others were
    /// valid, and the server looks at them again when there is time for it.
    private func make(
        _ key: TargetForeignKey, _ tables: [Carried], _ ledger: Ledger, _ main: borrowing Postgres.Connection
    ) throws {
        guard key.isValidated else {
            try key.make(isValid: false, main)
            return
        }
        let child = tables.first { $0.name == key.table }
        let parent = tables.first { $0.name == key.parent }
        let isKnown =
            (child.map { $0.way == .keyed } ?? true)
            && (parent.map {
                $0.way == .keyed && Set($0.names(key.parentColumnsInSource($0.plan))) == Set($0.keyNames)
            } ?? true)
        guard isKnown else {
            try key.make(isValid: true, main)
            return
        }
        var orphans = 0
        if let child {
            orphans += try key.orphans(
                of:
                    "\(child.name) AS c WHERE EXISTS (SELECT FROM \(child.keys) AS k WHERE \(child.matches("c")))",
                main)
        }
        if let parent, parent.changes.deleted + parent.changes.updated > 0 {
            let refers = zip(key.columns, key.parentColumns).map {
                "c.\(quoteIdentifier($0)) = k.\(quoteIdentifier($1))"
            }.joined(separator: " AND ")
            orphans += try key.orphans(
                of: "\(key.table) AS c WHERE EXISTS (SELECT FROM \(parent.keys) AS k WHERE \(refers))", main)
        }
        guard orphans == 0 else {
            throw MigrationError(
                .value,
                "\(Format.count(orphans, "row", "rows")) of \(key.table) refer to rows of \(key.parent) that are gone from SQLite (\(key.name))",
                remedy:
                    "The target is as it was. Mend those rows in SQLite, or migrate anew and decide about them.",
                exit: .undecided)
        }
        try key.make(isValid: false, main)
        try ledger.noteUnvalidated(key, main)
    }
}

extension TargetForeignKey {
    /// The columns that it refers to, as the source spells them.
    fileprivate func parentColumnsInSource(_ table: MigrationPlan.Table) -> [String] {
        parentColumns.map { name in table.columns.first { $0.targetName == name }?.name ?? name }
    }
}
