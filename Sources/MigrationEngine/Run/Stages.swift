import Foundation
import Postgres

/// A migration stage by stage, for operators who go through it step by step.
///
/// Each stage takes the target's lock, reads from the ledger what is there, and does what is missing. What fails or
/// is cancelled stays as it is: the same stage goes on from there, by itself where a connection was lost, and `undo…` takes
/// back whole stages. Called from a thread that may block.
extension Migration {
    /// What a stage of constraints has made and found.
    public struct Constraints: Sendable {
        public let objects: [ObjectState]
        public let findings: [Finding]
    }

    /// Makes the tables and writes down the pieces to load. Findings that only the server could see are returned, and
    /// then nothing was made. Throws where tables of those names are there.
    public func makeSchema() throws -> [Finding] {
        let main = try lockedConnection()
        progress.begin(.prepare)
        defer { progress.end() }
        // Tables of this snapshot that nothing was loaded into are taken as they are.
        if let status = try Ledger.newest(schema: plan.schema, main)?.status(main), status.rows == 0,
            status.snapshotSHA256 == preparation.snapshot.sha256, status.stage <= .loaded
        {
            return []
        }
        try clearTheWay(main)
        let (findings, settled) = try reviewOnServer(main)
        guard findings.isEmpty, settled.plan == plan else {
            return findings.isEmpty
                ? try SchemaTrial(plan: plan, catalog: preparation.catalog).findings(main) : findings
        }
        _ = try begin(chunks(main), planSHA256: preparation.planDigest, main)
        return []
    }

    /// Loads the pieces that are not there yet.
    public func loadRows() throws {
        try tryingAgain { hasBegun in
            let main = try lockedConnection()
            let (ledger, status) = try run(main)
            guard status.stage < .loaded else { return }
            hasBegun = true
            defer { progress.end() }
            do {
                try ledger.makeReady(schema: plan.schema, main)
                let loader = loader(ledger, loaded: status.loadedRows)
                try load(pending(ledger, main), loader)
            } catch {
                throw Self.explained(error, server.conninfo)
            }
        }
    }

    /// Makes keys, indexes and foreign keys that are not there yet, sets the sequences, and analyses.
    public func makeConstraints() throws -> Constraints {
        try tryingAgain { hasBegun in
            let main = try lockedConnection()
            let (ledger, status) = try run(main)
            guard status.stage >= .loaded else { throw Self.early("the rows are not loaded yet") }
            hasBegun = true
            defer { progress.end() }
            do {
                try ledger.release(schema: plan.schema, main)
                var work = TableWork()
                work.make(script, tables: tablesBySize, present: try presentObjects(main))
                try run(work, loader: loader(ledger, loaded: status.loadedRows), prover: proof.prover)
                let outcome = try Sequences(plan: plan, catalog: preparation.catalog).advance(main)
                try makeViewsAndTriggers(ledger, main)
                try ledger.setConstrained(true, main)
                return Constraints(objects: outcome.objects, findings: outcome.findings)
            } catch {
                throw Self.explained(error, server.conninfo)
            }
        }
    }

    /// Compares every cell; what differs goes to `differences`.
    public func prove() throws -> MigrationReport {
        try tryingAgain { hasBegun in
            let main = try lockedConnection()
            let (ledger, status) = try run(main)
            guard status.stage >= .constrained else { throw Self.early("keys and indexes are not there yet") }
            hasBegun = true
            progress.setTables(plan.tables.filter { !$0.isSkipped }.map(counters))
            defer { progress.end() }
            do { try ledger.reopen(main) } catch { throw Self.explained(error, server.conninfo) }
            return try prove(ledger, Sequences.Outcome(), start: .now, main)
        }
    }

    // MARK: The way back

    /// Drops keys, indexes and foreign keys of the plan; rows stay.
    public func undoConstraints() throws {
        let main = try lockedConnection()
        let (ledger, _) = try run(main)
        try dropConstraints(ledger, main)
    }

    /// Takes out the rows that the run loaded, and no others; keys and indexes go with them.
    public func undoLoad() throws {
        let main = try lockedConnection()
        let (ledger, _) = try run(main)
        try ledger.refuseOtherRows(schema: plan.schema, main)
        try dropConstraints(ledger, main)
        try ledger.truncate(schema: plan.schema, main)
    }

    /// Drops the tables that the run made, when they hold no rows but its own.
    public func undoSchema() throws {
        let main = try lockedConnection()
        guard let ledger = try Ledger.newest(schema: plan.schema, main) else { return }
        try ledger.refuseOtherRows(schema: plan.schema, main)
        try ledger.takeBack(schema: plan.schema, main)
    }

    private func dropConstraints(_ ledger: Ledger, _ main: borrowing Postgres.Connection) throws {
        try main.transaction { main in
            for statement in script.viewsAndTriggers.reversed() where !statement.undo.isEmpty {
                _ = try main.query(statement.undo)
            }
            for stage in [script.foreignKeys, script.keysAndIndexes] {
                for statement in stage.flatMap({ $0.statements.reversed() }) {
                    _ = try main.query(statement.undo)
                    if let parts = statement.parts { _ = try main.query(parts.undoIndex) }
                }
            }
            try ledger.forgetViewsAndFunctions(main)
            try ledger.setConstrained(false, main)
            try ledger.reopen(main)
        }
    }

    // MARK: What is there

    /// The newest run, when it was made from this plan's snapshot.
    func run(_ main: borrowing Postgres.Connection) throws -> (Ledger, RunStatus) {
        guard let ledger = try Ledger.newest(schema: plan.schema, main), let status = try ledger.status(main)
        else { throw Self.early("the target has none of the tables yet") }
        guard status.snapshotSHA256 == preparation.snapshot.sha256 else {
            throw MigrationError(
                .interruptedRun, "the target's tables were made for another snapshot, at \(status.started)",
                remedy: "Undo the step that made them, then make them anew.", exit: .undecided)
        }
        return (ledger, status)
    }

    static func early(_ message: String) -> MigrationError {
        MigrationError(
            .interruptedRun, message, remedy: "Run the steps before this one first.", exit: .undecided)
    }

    /// Constraints and indexes in the plan's schema.
    func presentObjects(_ main: borrowing Postgres.Connection) throws -> SchemaScript.Present {
        try SchemaScript.Present(schema: plan.schema, main)
    }
}
