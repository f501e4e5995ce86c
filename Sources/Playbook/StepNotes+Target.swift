import Foundation
import MigrationEngine
import Postgres
import Synchronization

/// What a command does to the target: the ledger tells how far it is.
extension StepNotes {
    /// Steps that a run goes through before its proof, and when they are done.
    private static let stages: [(id: String, stage: RunStatus.Stage)] = [
        ("1.8", .made), ("3.2", .loaded), ("3.3", .constrained),
    ]
    static let afterTables = ["3.2", "3.3", "3.4"]

    /// What the target holds; nil where it cannot be asked, nil inside where it holds no run.
    private func look(_ conninfo: Conninfo) -> RunStatus?? {
        let server = TargetServer(conninfo, cancellation: Cancellation())
        guard let status = try? Optional.some(server.runStatus(schema: book.schema)) else { return nil }
        book.remember(status)
        return .some(status)
    }

    /// The work on the target is about to begin.
    public func begins(on conninfo: Conninfo) {
        noting {
            let status = look(conninfo) ?? nil
            state.withLock { $0.before = status }
        }
    }

    /// Tables are there, and the load begins or goes on: what a crash leaves is known.
    public func made(on conninfo: Conninfo, goesOn: Bool, _ progress: RunProgress) {
        noting {
            // A lost connection begins nothing anew.
            guard !state.withLock({ $0.hasBegun }), case .some(.some(let status)) = look(conninfo)
            else { return }
            state.withLock { state in
                state.hasBegun = true
                if !goesOn { state.before = nil }
            }
            try settle(status, progress)
            try book.journal.add(.started, Self.next(status), mode)
        }
    }

    /// The step that a run is in.
    private static func next(_ status: RunStatus) -> String {
        stages.first { status.stage < $0.stage }?.id ?? "3.4"
    }

    /// Notes what the target has, and the journal does not know of this run.
    private func settle(_ status: RunStatus, _ progress: RunProgress, _ findings: [Finding] = []) throws {
        guard let preparation = state.withLock({ $0.preparation }) else { return }
        for (id, stage) in Self.stages where status.stage >= stage && isNew(id, status) {
            switch id {
            case "1.8": try note(SchemaStep.outcome(preparation), id)
            case "3.2":
                let before = state.withLock { $0.before }
                let outcome = CopyStep.outcome(
                    status, before: before?.run == status.run ? before?.rows ?? 0 : 0,
                    seconds: progress.seconds(.copy))
                try note(outcome, id)
            default:
                let plan = preparation.plan
                let sequences = plan.tables.filter { !$0.isSkipped }
                    .reduce(0) { $0 + $1.columns.count { $0.numbering != nil } }
                let outcome = ConstraintsStep.outcome(
                    plan, sequences: sequences, findings, seconds: progress.seconds(.constraints))
                try note(outcome, id)
            }
        }
    }

    /// Whether the journal does not have the step as done for this run, or an earlier one was done anew.
    private func isNew(_ id: String, _ status: RunStatus) -> Bool {
        let earlier = ["1.4"] + Self.stages.map(\.id).prefix { $0 != id }
        let isThere = state.withLock { state in
            state.before?.run == status.run && state.noted.isDisjoint(with: earlier)
        }
        guard isThere, let entry = book.entry(of: id, mode),
            entry.kind == .done
        else { return true }
        return entry.basis[Step.Basis.run.rawValue] != "\(status.run)"
    }

    /// The run has come to its end, with or without a proof.
    public func ended(_ report: MigrationReport, on conninfo: Conninfo, _ progress: RunProgress) {
        noting {
            guard let preparation = state.withLock({ $0.preparation }), preparation.blocking.isEmpty else {
                return
            }
            let findings = Array(report.findings.dropFirst(preparation.findings.count))
            let status = look(conninfo) ?? nil
            guard state.withLock({ $0.hasBegun }) || !report.tables.isEmpty else {
                return try note(SchemaStep.outcome(preparation, findings), "1.8")
            }
            if let status { try settle(status, progress, findings) }
            // A run that was there already is looked at whole: what it had made may be gone.
            if report.resumedRows > 0 {
                try noteLost(report.objects.filter { $0.state == .failed }, by: "migrate")
            }
            try note(ProofStep.outcome(report), "3.4")
        }
    }

    /// The run has failed, or was cancelled: what is there, and the step that it was in.
    public func failed(_ error: any Error, on conninfo: Conninfo, _ progress: RunProgress) {
        noting {
            let (before, hasBegun) = state.withLock { ($0.before, $0.hasBegun) }
            guard let status = look(conninfo) else {
                return try fail(hasBegun ? Self.step(progress.last) : "1.8", error)
            }
            guard hasBegun else {
                // A refusal leaves what was done before as it was.
                guard let status, status == before, book.entry(of: "1.8", mode)?.kind == .done,
                    !isNew("1.8", status)
                else { return try fail("1.8", error) }
                let words = "not begun: \(Playbook.explained(error).message)"
                try book.journal.add(.note, "1.8", mode, words)
                return
            }
            if let status {
                try settle(status, progress)
                return try fail(Self.next(status), error)
            }
            let step = Self.step(progress.last)
            for id in ["1.8"] + Self.afterTables.prefix(while: { $0 != step }) {
                try book.journal.add(.undone, id, mode, evidence: ["the run took back what it had made"])
            }
            try fail(step, error)
        }
    }

    private static func step(_ phase: RunProgress.Phase?) -> String {
        switch phase {
        case .proof: "3.4"
        case .constraints: "3.3"
        default: "3.2"
        }
    }

    // MARK: A proof by itself

    /// A proof was made of all tables, or of those that are named. That some are equal makes no step done; nor does what another plan, or
    /// a schema of another name, has to say of the steps' rows.
    public func compared(
        _ report: MigrationReport, by preparation: Preparation, tables: [String], schema: String?,
        on conninfo: Conninfo
    ) {
        guard followsPlan(preparation), schema.map({ $0 == book.schema }) ?? true else {
            return tell(
                "the steps are of the schema \(book.schema), by the plan \(book.workspace.state.planPath): what this proof found is not noted with them"
            )
        }
        noting {
            // A role that may read the tables alone cannot tell.
            let status = look(conninfo) ?? nil
            let entry = book.entry(of: "3.4", mode)
            // Of what others have loaded no step has done anything.
            guard status != nil || entry != nil else { return }
            let differing = (report.tables + report.views).filter { $0.verdict == "differs" }
            guard tables.isEmpty || !differing.isEmpty else { return }
            // Rows differ because they should.
            if let inUse = book.targetInUse(mode), !differing.isEmpty {
                try book.journal.add(
                    .note, "3.4", mode, "\(ProofStep.failure(differing)): \(inUse.words)",
                    evidence: ["found by howdah validate"])
                return
            }
            var outcome = ProofStep.outcome(tables.isEmpty ? report : report.filling(lastProof))
            if !tables.isEmpty {
                outcome.failure = ProofStep.failure(differing)
                outcome.evidence[0] =
                    "\(Format.count(tables.count, "table", "tables")) compared: \(tables.joined(separator: ", "))"
            }
            if let failure = outcome.failure, let status, status.snapshotSHA256 != report.snapshot?.sha256 {
                outcome.failure =
                    "\(failure), compared with a later state of SQLite than was loaded: the cutover, C, carries what was written there"
                    + (try Self.extraWords(book.keptDifferenceLog(mode), differing.map(\.name)))
            }
            outcome.evidence.append("found by howdah validate")
            if status != nil, let lost = report.missingObjects { try noteLost(lost, by: "validate") }
            try note(outcome, "3.4")
        }
    }

    /// What was made beside the rows and is not there any more is step 3.3's failure; before the proof, which goes by the rows.
    private func noteLost(_ lost: [ObjectState], by command: String) throws {
        let made = book.entry(of: "3.3", mode)
        guard let found = ConstraintsStep.outcome(lost, by: command, before: made) else { return }
        try note(found, "3.3")
    }

    /// What only the target has is not promised to be carried.
    private static func extraWords(_ log: DifferenceLog?, _ tables: [String]) throws -> String {
        let extra = try tables.reduce(0) { try $0 + (log?.summary($1).extra ?? 0) }
        guard extra > 0 else { return "" }
        return
            "; \(Format.count(extra, "row is", "rows are")) in PostgreSQL only: gone from SQLite since, or never there, and then not carried"
    }

    private var lastProof: MigrationReport? {
        book.journal.last("3.4", mode) { $0.data != nil }?.data
            .flatMap { Journal.decode(MigrationReport.self, $0) }
    }
}

extension MigrationReport {
    /// With the verdicts of an earlier proof on what was not compared now.
    fileprivate func filling(_ earlier: MigrationReport?) -> MigrationReport {
        guard let earlier else { return self }
        let lines = Dictionary(earlier.tables.map { ($0.name, $0) }) { first, _ in first }
        var filled = self
        filled.tables = tables.map { $0.verdict == "skipped" ? lines[$0.name] ?? $0 : $0 }
        filled.views = earlier.views
        return filled
    }
}
