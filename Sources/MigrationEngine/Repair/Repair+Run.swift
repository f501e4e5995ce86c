import Foundation
import Postgres
import SQLite

extension Repair {
    /// What a repair, or its undo, has come to.
    public struct Outcome: Sendable {
        /// nil where nothing was to be done.
        public let record: RepairRecord?
        /// The tables compared anew, after the commit.
        public let report: MigrationReport
    }

    /// Does what a preview says, and proves the tables again.
    ///
    /// Throws `.targetNotEmpty` where somebody has written to those rows since they were compared, `.locked` where other sessions hold
    /// them, and whatever the server refuses; the target is then as it was.
    public func run(_ preview: RepairPreview) throws -> Outcome {
        let record = try replace(preview)
        return Outcome(
            record: record, report: try prove(preview.request.tables, in: preview.preparation.plan.schema))
    }

    /// Does what a preview says, for callers that prove everything afterwards; nil where nothing is to be done.
    public func replace(_ preview: RepairPreview) throws -> RepairRecord? {
        guard !preview.isEmpty else { return nil }
        return try following(preview).replaceMatched(preview)
    }

    private func replaceMatched(_ preview: RepairPreview) throws -> RepairRecord {
        let main = try server.connect(purpose: "repair")
        try server.takeLock(main)
        let source = try preparation.data.open()
        let (id, time) = try begin()
        let (canceller, interrupter) = (main.canceller, source.interrupter)
        var record: RepairRecord
        do {
            record = try cancellation.whileRegistered({
                canceller.cancel()
                interrupter.interrupt()
            }) {
                try replace(preview, id, time, source, main)
            }
        } catch {
            settle(id)
            throw explained(error, preview.repairable.map(\.name))
        }
        CrashPoint.pass("repair after")
        record.state = .done
        try store.write(record)
        return record
    }

    private func begin() throws -> (id: String, time: String) {
        do { return try store.begin() } catch { throw explained(error, []) }
    }

    private func replace(
        _ preview: RepairPreview, _ id: String, _ time: String, _ source: borrowing SQLite.Connection,
        _ main: borrowing Postgres.Connection
    ) throws -> RepairRecord {
        try main.transaction { main in
            try setPatience(main)
            let chosen = preview.repairable.compactMap { table in
                plan.tables.first { $0.name == table.name }.map { (preview: table, plan: $0) }
            }
            noteHolders(chosen.map { script.qualified($0.plan) })
            let held = try HeldTables(chosen.map { script.qualified($0.plan) }, main)
            let tables = try chosen.enumerated().compactMap { number, table -> RepairTable? in
                guard let proof = preview.proofs[table.plan.name] else { return nil }
                let name = script.qualified(table.plan)
                return RepairTable(
                    number: number, preview: table.preview, proof: proof, plan: table.plan,
                    facts: try RepairTarget(name, main), name: name)
            }
            let rows = RepairRows(
                repair: self, preview: preview,
                choice: RepairChoice(
                    request: preview.request, log: try DifferenceLog(state, name: "repair")),
                loader: loader(), id: id)
            var done: [RepairRecord.Table] = []
            for table in tables {
                try cancellation.check()
                done.append(try rows.replace(table, source, main))
            }
            try held.release(main)
            try raiseSequences(of: tables.map(\.name), main)
            try count(tables, &done, main)
            let record = RepairRecord(
                id: id, time: time, target: history.target, database: try history.database(main),
                schema: plan.schema,
                snapshotSHA256: preparation.snapshot.sha256, snapshotTime: preparation.snapshot.time,
                tables: done, state: .begun, transaction: try Self.transaction(main))
            try store.write(record)
            try setAside(tables, preview, rows.choice, id)
            CrashPoint.pass("repair before")
            return record
        }
    }

    /// What is equal from now on is never right no more, see `DifferenceLog.setAside`.
    private func setAside(
        _ tables: [RepairTable], _ preview: RepairPreview, _ choice: RepairChoice, _ id: String
    ) throws {
        guard let first = try differences?.first() else { return }
        for table in tables {
            var places: [String] = []
            try choice.forEach(of: table.plan.name) { row in
                if row.kind != .extra || preview.request.removesExtra {
                    places.append(DifferenceLog.place(of: row))
                }
            }
            try first.setAside(table.preview.way == .whole ? nil : places, of: table.plan.name, for: id)
        }
    }

    func setPatience(_ main: borrowing Postgres.Connection) throws {
        let (seconds, attoseconds) = patience.components
        try main.execute(
            "SET LOCAL lock_timeout = '\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms'")
    }

    static func transaction(_ main: borrowing Postgres.Connection) throws -> String {
        try main.query("SELECT pg_current_xact_id()").text(0, 0) ?? ""
    }

    private func loader() -> Loader {
        // No table keeps rows here, so that nothing is noted in a ledger; its types may be others than those that the values were checked for.
        Loader(
            data: preparation.data, ledger: Ledger(run: 0), script: script, tables: [],
            cancellation: cancellation, gate: gate, keeping: [], isChecked: false)
    }

    /// Has the numbers of columns go on after the largest that is there; none is set back.
    func raiseSequences(of tables: [String], _ main: borrowing Postgres.Connection) throws {
        for table in tables {
            let columns = try main.query(
                """
                SELECT a.attname, coalesce(pg_get_serial_sequence($1, a.attname), \(TargetCatalogReader.sequenceOfDefault))
                FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped
                """, [table])
            for row in 0..<columns.count {
                guard let column = columns.text(row, 0), let sequence = columns.text(row, 1) else { continue }
                _ = try main.query(
                    """
                    SELECT setval(s.seqrelid::regclass, m.largest) FROM pg_sequence AS s,
                        (SELECT max(\(quoteIdentifier(column)))::bigint AS largest FROM \(table)) AS m
                    WHERE s.seqrelid = $1::regclass AND s.seqincrement > 0 AND m.largest BETWEEN s.seqmin AND s.seqmax
                        AND m.largest > coalesce(pg_sequence_last_value(s.seqrelid::regclass), 0)
                    """, [sequence])
            }
        }
    }

    /// Where a ledger is, it says afterwards how many of the source's rows each table holds.
    private func count(
        _ tables: [RepairTable], _ done: inout [RepairRecord.Table], _ main: borrowing Postgres.Connection
    ) throws {
        guard let ledger = try Ledger.newest(schema: plan.schema, main) else { return }
        let loaded = try ledger.loadedRows(main)
        let made = Set(try ledger.madeObjects(main).map(\.name))
        for (index, table) in tables.enumerated() where made.contains(done[index].target) {
            guard let present = presentRows(table, done[index]) else { continue }
            done[index].counted = present - (loaded[table.plan.name] ?? 0)
            if done[index].counted != 0 { try ledger.add(done[index].counted, to: table.plan.name, main) }
        }
    }

    /// nil where the proof has not told all rows that are missing.
    private func presentRows(_ table: RepairTable, _ record: RepairRecord.Table) -> Int? {
        if record.way == .whole { return record.after }
        guard table.preview.unnamed == 0 else { return nil }
        return table.preview.present + record.missing
    }

    // MARK: Errors, and what became of it

    /// Finds out what became of a repair that ended with an error: what changed nothing is forgotten.
    private func settle(_ id: String) {
        guard let record = store.records().first(where: { $0.id == id }) else { return store.remove(id) }
        let server = history.uncancelled.server
        guard
            let known = try? server.withConnection(
                purpose: "repair", { try RepairHistory.settled(record, $0) })
        else { return }
        guard known.state == .failed else {
            if known != record { try? store.write(known) }
            return
        }
        try? DifferenceLog.putBack(id, in: state)
        store.remove(id)
    }

    /// `names` are those of the tables in the target, where the plan does not tell them.
    func explained(_ error: any Error, _ tables: [String], _ names: [String]? = nil) -> any Error {
        switch error {
        case let error as SQLiteError where error.isInterrupted: return MigrationError.cancelled
        case let error as PostgresError where error.sqlState == "55P03":
            let planned = plan.tables.filter { tables.contains($0.name) }.map { script.qualified($0) }
            let found = holders(names ?? planned)
            let who = found.isEmpty ? "" : " (\(found.joined(separator: "; ")))"
            return MigrationError(
                .locked,
                "another session holds \(tables.joined(separator: ", ")), and did not let go within \(Format.seconds(patience.seconds))\(who)",
                remedy: "The target is as it was. Run this again once that session has ended its transaction."
            )
        case let error as PostgresError where error.code == .server:
            return MigrationError(
                .target, "the repair is refused by the target: \(error)",
                remedy: "The target is as it was. Look at the row or the rule that the message names.")
        case let error as PostgresError: return Migration.explained(error, server.conninfo)
        case let error as FileSystemError:
            return MigrationError(
                .state, "the rows that were to be replaced cannot be kept: \(error)",
                remedy: "The target is as it was. Free some space, or name another folder with --state DIR.")
        default: return error
        }
    }

    /// Who holds the tables, as far as the server tells.
    private func holders(_ names: [String]) -> [String] {
        guard !names.isEmpty else { return [] }
        let found = try? server.withConnection(purpose: "repair") { try LockHolders.of(names, $0) }
        return found ?? []
    }

    /// Says whom the tables' locks wait for.
    func noteHolders(_ names: [String]) {
        let found = holders(names)
        guard !found.isEmpty else { return }
        progress.note(
            "waits up to \(Format.seconds(patience.seconds)) for other sessions: \(found.joined(separator: "; "))"
        )
    }

    /// Waits until the tables may be read, no longer than said: a proof would wait for as long as another session holds them.
    func waitUntilReadable(_ tables: [MigrationPlan.Table]) throws {
        do {
            try server.withConnection(purpose: "repair") { connection in
                let names = try tables.map { script.qualified($0) }.filter { name in
                    try connection.query(
                        "SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass($1) AND relkind IN ('r', 'p'))",
                        [name]
                    ).bool(0, 0)
                }
                guard !names.isEmpty else { return }
                let held = try connection.query(
                    """
                    SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'relation' AND granted AND mode = 'AccessExclusiveLock'
                        AND relation = ANY (ARRAY[\(names.map(quoteLiteral).joined(separator: ", "))]::regclass[]::oid[]))
                    """)
                if held.bool(0, 0) { noteHolders(names) }
                let canceller = connection.canceller
                try cancellation.whileRegistered({ canceller.cancel() }) {
                    try connection.transaction { connection in
                        try setPatience(connection)
                        try connection.execute(
                            "LOCK TABLE \(names.joined(separator: ", ")) IN ACCESS SHARE MODE")
                    }
                }
            }
        } catch { throw explained(error, tables.map(\.name)) }
    }

    /// The tables compared anew; all of them where none is named.
    func prove(_ tables: [String], in schema: String) throws -> MigrationReport {
        var report = try validation(schema: schema).run(tables: tables)
        report.command = "repair"
        return report
    }
}
