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
    /// Of a repair at work: with the names that the target has, see `matched`.
    private(set) var preparation: Preparation
    /// The plan, before the target's names took the place of its own.
    let planned: MigrationPlan
    let hints: SchemaHints?
    private let schema: String?
    public let history: RepairHistory
    let workers: Int
    let cancellation: Cancellation
    let progress: RunProgress
    let gate: PauseGate
    /// Where the proof after a repair keeps what still differs; beside it the first proof lies.
    let differences: DifferenceLog?
    /// How long other sessions are waited for.
    public var patience = Duration.seconds(30)
    /// Where the application writes to the target already; nil before a cutover.
    public var inUse: TargetInUse?
    /// Whether this process keeps writers away from the source, and the snapshot is of what it holds: it is not looked into then, since to
    /// close a file lets go of a process's own locks (https://sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_).
    public var isSourceHeld = false

    /// `history` is that of the target. Its schema and names are found as `Validation` finds them, by `hints` and `schema`.
    public init(
        preparation: Preparation, hints: SchemaHints? = nil, schema: String? = nil, history: RepairHistory,
        workers: Int, cancellation: Cancellation,
        progress: RunProgress, gate: PauseGate = PauseGate(), differences: DifferenceLog? = nil
    ) {
        self.differences = differences
        self.preparation = preparation
        planned = preparation.plan
        self.hints = hints
        self.schema = schema
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

    /// Which snapshot a repair copies from: that of the first proof, by which what was never right is told; otherwise the one that the target
    /// was loaded from, or `switched`, that of a cutover. nil where none is known.
    public static func snapshotSHA256(
        onlyNeverRight: Bool, _ log: DifferenceLog, _ server: TargetServer, schema: String, switched: String?
    ) throws -> String? {
        try (onlyNeverRight ? log.firstSnapshot() : nil) ?? server.runStatus(schema: schema)?.snapshotSHA256
            ?? switched
    }

    // MARK: The target's names

    /// The same with the target's schema, tables and columns as a validation finds them: what is compared is what is written to.
    private func matched(_ tables: [String]) throws -> (repair: Repair, facts: ProofRun.Facts) {
        let matching = try server.withConnection(purpose: "proof") { connection in
            try connection.transaction { connection in
                try connection.execute("SET TRANSACTION READ ONLY")
                return try TargetMatching(
                    preparation, hints: hints, schema: schema, only: tables.isEmpty ? nil : Set(tables),
                    connection)
            }
        }
        var repair = self
        repair.preparation.plan = matching.plan
        return (repair, matching.facts)
    }

    /// The same as a preview was made: nothing is looked for again.
    func following(_ preview: RepairPreview) -> Repair {
        var repair = self
        repair.preparation = preview.preparation
        return repair
    }

    /// A validation of one schema of the target.
    func validation(schema: String) -> Validation {
        Validation(
            preparation: preparation, hints: hints, server: server, schema: schema, workers: workers,
            cancellation: cancellation, progress: progress, differences: differences)
    }

    // MARK: What differs

    /// Proves the tables, and says what a repair of them would do.
    ///
    /// Where the source has changed since the snapshot, rows of the target that are as SQLite is today are left out, see `narrow`.
    ///
    /// Throws `.plan` with exit 2 where a table or a key is named that there is not, or that does not differ; `.targetNotEmpty` with
    /// exit 3 where the application uses the target, and rows are neither named nor limited to those that were never right.
    public func preview(_ request: RepairRequest) throws -> RepairPreview {
        _ = try wanted(request)
        if let inUse, request.keys.isEmpty, !request.onlyNeverRight {
            throw inUse.refusal(server.conninfo.url)
        }
        try refuseOldSnapshot(request)
        try refuseUnreadLedger()
        let (repair, facts) = try matched(request.tables)
        return try repair.matchedPreview(request, facts)
    }

    private func matchedPreview(_ request: RepairRequest, _ facts: ProofRun.Facts) throws -> RepairPreview {
        let tables = try wanted(request)
        Self.removeToday(state)
        try refuseUnended()
        try waitUntilReadable(tables)
        let first = request.onlyNeverRight ? try firstProof() : nil
        let moment = try server.withConnection(purpose: "repair") { try ProofMoment($0) }
        let log = try DifferenceLog(
            path: "\(state.folder("differences"))/repair.db", like: first?.log)
        let compared = try compare(preparation, Set(tables.map(\.name)), facts, into: log)
        let differing = tables.filter { compared.verdicts[$0.name]?.verdict == .differs }
        let proof = RepairProof(
            tables: differing, verdicts: compared.verdicts, proofs: compared.proofs, facts: facts, log: log,
            isOld: try !differing.isEmpty && isOld())
        let choice = RepairChoice(request: request, log: log)
        // A key that means no row, or two, is told before rows are left out.
        for table in proof.tables where !request.keys.isEmpty { try choice.refuseUnclear(table.name) }
        let present = try presentRows(proof)
        let left = try narrow(proof, request, first)
        let found = try server.withConnection(purpose: "repair") { connection in
            try proof.tables.map { table in
                var found = try preview(table, proof, left[table.name] ?? RepairLeft(), choice, connection)
                found.present = present[table.name] ?? 0
                return found
            }
        }
        if let key = request.keys.first, found.isEmpty { throw RepairChoice.equal([key], request.tables) }
        if !request.tables.isEmpty, let table = found.first(where: { $0.obstacle != nil }) {
            throw MigrationError(
                .target, "\(table.name) cannot be repaired: \(table.obstacle ?? "")",
                remedy: "Nothing was changed.", exit: .undecided)
        }
        return RepairPreview(
            request: request, tables: found, warning: request.keys.isEmpty ? nil : inUse?.warning,
            preparation: preparation, moment: moment, proofs: proof.proofs)
    }

    /// Compares tables by a preparation; the rows that differ go into the log.
    func compare(
        _ preparation: Preparation, _ names: Set<String>, _ facts: ProofRun.Facts, into log: DifferenceLog
    ) throws -> (verdicts: [String: TableVerdict], proofs: [String: ProofTable]) {
        progress.begin(.proof)
        defer { progress.end() }
        var proof = ProofRun(
            preparation: preparation, server: server, workers: workers, cancellation: cancellation,
            progress: progress, gate: gate, differences: log)
        proof.facts = facts
        let opening = try proof.open(only: names)
        progress.setTables(opening.tables.map(\.counters))
        let prover = proof.prover
        try prover.compare(opening.tables, workers: workers)
        let verdicts = try proof.conclude(opening, prover, withViews: false)
        return (verdicts, Dictionary(opening.tables.map { ($0.source.name, $0) }) { first, _ in first })
    }

    /// Rows of the source that the target has, right or wrong, as far as the proof names those that it has not.
    private func presentRows(_ proof: RepairProof) throws -> [String: Int] {
        let rows = try proof.tables.map { table in
            let missing = try proof.log.count(table.name, filter: DifferenceFilter(kind: .missing))
            return (table.name, (proof.verdicts[table.name]?.sourceRows ?? 0) - missing)
        }
        return Dictionary(rows) { first, _ in first }
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

    /// A row that the target has and an older snapshot has not may have been written to both sides since.
    private func refuseOldSnapshot(_ request: RepairRequest) throws {
        let snapshot = preparation.snapshot
        guard request.removesExtra, try isOld() else { return }
        throw MigrationError(
            .state,
            "the source has changed since the snapshot of \(snapshot.time): a row that only the target seems to have may be in SQLite today",
            remedy:
                "Leave --extra out, or carry over what has changed first: howdah cutover does that. Nothing was changed.",
            exit: .undecided)
    }

    /// A ledger that cannot be read would be left untrue.
    private func refuseUnreadLedger() throws {
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
    }

    /// A load that did not end is gone on with, not repaired.
    private func refuseUnended() throws {
        guard let status = try server.runStatus(schema: plan.schema), status.stage < .constrained else {
            return
        }
        throw MigrationError(
            .interruptedRun,
            "\(server.conninfo.url) holds a run that began at \(status.started) and did not end",
            remedy: "howdah migrate goes on with it.", exit: .undecided)
    }

    private func preview(
        _ table: MigrationPlan.Table, _ proven: RepairProof, _ left: RepairLeft, _ choice: RepairChoice,
        _ connection: borrowing Postgres.Connection
    ) throws -> RepairPreview.Table {
        var found = RepairPreview.Table(name: table.name, way: .rows)
        guard let verdict = proven.verdicts[table.name] else { return found }
        found.sourceRows = verdict.sourceRows
        found.targetRows = verdict.targetRows
        // Of rows that were named none is left out.
        if choice.request.keys.isEmpty {
            (found.asToday, found.written, found.mixed) = (left.asToday, left.written, left.mixed)
        }
        guard let proof = proven.proofs[table.name] else {
            found.obstacle = verdict.obstacle ?? "it cannot be compared"
            return found
        }
        let facts = try RepairTarget(script.qualified(table), connection)
        found.reason = try choice.wholeReason(proof, facts, verdict)
        if found.reason != nil { found.way = .whole }
        try choice.count(&found, proof, verdict)
        // Without a key a changed row cannot be told from one that came and one that went.
        found.isGoing =
            found.way == .whole
            && found.extra + found.unnamed + (proof.keyColumns.isEmpty ? found.changed : 0) > 0
        found.obstacle =
            try left.obstacle ?? proven.facts.lacking[table.name]
            ?? obstacle(found, table, proven, proof, facts, choice)
        if found.obstacle == nil, found.differences + found.unnamed > 0 {
            do {
                let name = script.qualified(table)
                try HeldTables.refuseTrees([name], connection)
                try HeldTables.checkRights([name], truncates: found.way == .whole ? [name] : [], connection)
            } catch let error as MigrationError {
                found.obstacle = "\(error.message). \(error.remedy)"
            }
        }
        return found
    }

    private func obstacle(
        _ found: RepairPreview.Table, _ table: MigrationPlan.Table, _ proven: RepairProof,
        _ proof: ProofTable, _ facts: RepairTarget, _ choice: RepairChoice
    ) throws -> String? {
        let isKept = Migration(
            preparation: preparation, server: server, workers: 1, isRehearsal: true,
            cancellation: cancellation,
            progress: RunProgress()
        ).keptTables.contains(table.name)
        if isKept { return "its rows in the target are not the source's by decision (rows-in-target: keep)" }
        guard facts.isTable else { return "it is no table in the target" }
        if facts.hasRules { return "it has rules (CREATE RULE), which would take part" }
        if found.differences + found.unnamed == 0 {
            return proven.verdicts[table.name]?.obstacle ?? (found.left > 0 ? nil : "no row of it differs")
        }
        guard found.way == .whole else { return nil }
        if !choice.request.keys.isEmpty || choice.request.onlyNeverRight {
            return "its rows cannot be repaired one by one: \(found.reason ?? "")"
        }
        if proven.isOld {
            return
                "it would be loaded again as a whole (\(found.reason ?? "")), and the source has changed since the snapshot of "
                + "\(preparation.snapshot.time); carry over first: howdah cutover"
        }
        let sent = Set(proof.targetColumns)
        if let other = facts.stored.first(where: { !sent.contains($0.name) }) {
            return
                "it would be loaded again as a whole (\(found.reason ?? "")), and its column \(other.name) is not in the source"
        }
        if found.isGoing, !choice.request.removesExtra {
            return
                "it would be \(found.wholeWords), and rows of the target that are not in the source would go: --extra allows that"
        }
        return nil
    }
}
