import Foundation
import Postgres
import SQLite

/// Copies rows that differ again: found by a proof, replaced in one transaction, compared before it is committed, and kept so that they
/// can be put back.
///
/// `preview` proves the tables and says what would be done; `run` does exactly that, and refuses where somebody has written to one of
/// those rows since the proof began. Nothing depends on howdah's ledger; where there is one, its counts stay true. Called from one
/// thread, which waits.
public struct Repair: Sendable {
    let preparation: Preparation
    public let history: RepairHistory
    let workers: Int
    let cancellation: Cancellation
    let progress: RunProgress
    let gate: PauseGate
    /// How long other sessions are waited for.
    public var patience = Duration.seconds(30)

    /// `history` is that of the target.
    public init(
        preparation: Preparation, history: RepairHistory, workers: Int, cancellation: Cancellation,
        progress: RunProgress, gate: PauseGate = PauseGate()
    ) {
        self.preparation = preparation
        self.history = history
        self.workers = workers
        self.cancellation = cancellation
        self.progress = progress
        self.gate = gate
    }

    var server: TargetServer { history.server }
    var state: StateFolder { history.state }
    var plan: MigrationPlan { preparation.plan }
    var script: SchemaScript { SchemaScript(plan) }
    var store: RepairStore { RepairStore(state) }

    // MARK: What differs

    /// Proves the tables, and says what a repair of them would do.
    ///
    /// Throws `.plan` with exit 2 where a table or a key is named that there is not, or that does not differ.
    public func preview(_ request: RepairRequest) throws -> RepairPreview {
        let tables = try wanted(request)
        try refuseUnended()
        progress.begin(.proof)
        defer { progress.end() }
        let names = tables.map { script.qualified($0) }
        let moment = try server.withConnection(purpose: "repair") { connection in
            let there = try names.filter {
                try connection.query("SELECT to_regclass($1) IS NOT NULL", [$0]).bool(0, 0)
            }
            return try ProofMoment(of: there, connection)
        }
        let log = try DifferenceLog(state, name: "repair")
        let proof = ProofRun(
            preparation: preparation, server: server, workers: workers, cancellation: cancellation,
            progress: progress, gate: gate, differences: log)
        let opening = try proof.open(only: Set(tables.map(\.name)))
        progress.setTables(opening.tables.map(\.counters))
        let prover = proof.prover
        try prover.compare(opening.tables, workers: workers)
        let verdicts = try proof.conclude(opening, prover, withViews: false)
        let proofs = Dictionary(opening.tables.map { ($0.source.name, $0) }) { first, _ in first }
        let choice = RepairChoice(request: request, log: log)
        let found = try server.withConnection(purpose: "repair") { connection in
            try tables.compactMap { table -> RepairPreview.Table? in
                guard let verdict = verdicts[table.name], verdict.verdict == .differs else { return nil }
                return try preview(table, verdict, proofs[table.name], choice, connection)
            }
        }
        if let key = request.keys.first, found.isEmpty { throw RepairChoice.equal([key], request.tables) }
        if !request.tables.isEmpty, let table = found.first(where: { $0.obstacle != nil }) {
            throw MigrationError(
                .target, "\(table.name) cannot be repaired: \(table.obstacle ?? "")",
                remedy: "Nothing was changed.", exit: .undecided)
        }
        return RepairPreview(request: request, tables: found, moment: moment, proofs: proofs)
    }

    private func wanted(_ request: RepairRequest) throws -> [MigrationPlan.Table] {
        let open = plan.tables.filter { !$0.isSkipped }
        for name in request.tables where !open.contains(where: { $0.name == name }) {
            let isLeftOut = plan.tables.contains { $0.name == name }
            throw MigrationError(
                .plan, isLeftOut ? "\(name) is left out by the plan" : "the source has no table \(name)",
                remedy: "Its tables are: \(open.map(\.name).sorted().joined(separator: ", ")).", exit: .usage)
        }
        if !request.keys.isEmpty, request.tables.count != 1 {
            throw MigrationError(
                .plan, "a key is of one table", remedy: "Name that one table with --table.", exit: .usage)
        }
        return request.tables.isEmpty ? open : open.filter { request.tables.contains($0.name) }
    }

    /// A load that did not end is gone on with, not repaired; a ledger that cannot be read would be left untrue.
    private func refuseUnended() throws {
        try server.withConnection(purpose: "repair") { connection in
            let mayRead = try connection.query(
                "SELECT coalesce(bool_and(has_schema_privilege(oid, 'USAGE')), true) FROM pg_namespace WHERE nspname = 'howdah'"
            ).bool(0, 0)
            guard !mayRead else { return }
            throw MigrationError(
                .targetUnfit,
                "\(connection.user) may not use the schema howdah, in which the load's ledger is",
                remedy: "Connect as the role that has migrated.")
        }
        guard let status = try server.runStatus(schema: plan.schema), status.stage < .constrained else {
            return
        }
        throw MigrationError(
            .interruptedRun,
            "\(server.conninfo.url) holds a run that began at \(status.started) and did not end",
            remedy: "howdah migrate goes on with it.", exit: .undecided)
    }

    private func preview(
        _ table: MigrationPlan.Table, _ verdict: TableVerdict, _ proof: ProofTable?, _ choice: RepairChoice,
        _ connection: borrowing Postgres.Connection
    ) throws -> RepairPreview.Table {
        var found = RepairPreview.Table(name: table.name, way: .rows)
        found.sourceRows = verdict.sourceRows
        found.targetRows = verdict.targetRows
        guard let proof else {
            found.obstacle = verdict.obstacle ?? "it cannot be compared"
            return found
        }
        let facts = try RepairTarget(script.qualified(table), connection)
        found.reason = try choice.wholeReason(proof, facts, verdict)
        if found.reason != nil { found.way = .whole }
        try choice.count(&found, proof, verdict)
        found.obstacle = try obstacle(found, table, proof, facts, choice, verdict)
        if found.obstacle == nil {
            do {
                let name = script.qualified(table)
                try HeldTables.checkRights([name], truncates: found.way == .whole ? [name] : [], connection)
            } catch let error as MigrationError {
                found.obstacle = "\(error.message). \(error.remedy)"
            }
        }
        return found
    }

    private func obstacle(
        _ found: RepairPreview.Table, _ table: MigrationPlan.Table, _ proof: ProofTable,
        _ facts: RepairTarget,
        _ choice: RepairChoice, _ verdict: TableVerdict
    ) throws -> String? {
        let isKept = Migration(
            preparation: preparation, server: server, workers: 1, isRehearsal: true,
            cancellation: cancellation,
            progress: RunProgress()
        ).keptTables.contains(table.name)
        if isKept { return "its rows in the target are not the source's by decision (rows-in-target: keep)" }
        guard facts.isTable else { return "it is no table in the target" }
        if facts.hasRules { return "it has rules (CREATE RULE), which would take part" }
        if found.differences + found.unnamed == 0 { return verdict.obstacle ?? "no row of it differs" }
        guard found.way == .whole else { return nil }
        if !choice.request.keys.isEmpty {
            return "its rows cannot be repaired one by one: \(found.reason ?? "")"
        }
        let sent = Set(proof.targetColumns)
        if let other = facts.stored.first(where: { !sent.contains($0.name) }) {
            return
                "it would be loaded again as a whole (\(found.reason ?? "")), and its column \(other.name) is not in the source"
        }
        if found.extra > 0 || found.unnamed > 0, !choice.request.removesExtra {
            return
                "it would be loaded again as a whole (\(found.reason ?? "")), and rows of the target that are not in the source would go: "
                + "--extra allows that"
        }
        return nil
    }
}
