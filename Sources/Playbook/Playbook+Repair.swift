import Foundation
import MigrationEngine

/// Repair of rows that differ, for the screens and for the command. What was done is noted with step 3.5; whether all is equal again,
/// step 3.4 says once it is run anew. Each may block.
extension Playbook {
    /// Proves the tables anew, and says what would be copied again.
    public func previewRepair(_ request: RepairRequest, _ activity: Activity) throws -> RepairPreview {
        try repairer(activity, request).preview(request)
    }

    /// Does what a preview says, journalled before and after.
    public func repair(_ preview: RepairPreview, _ activity: Activity) throws -> Repair.Outcome {
        let names = preview.repairable.map(\.name).joined(separator: ", ")
        try note("repair of \(names) begins")
        return try noting("the repair of \(names)") {
            let outcome = try repairer(activity, preview.request).run(preview)
            try noteRepair(outcome)
            return outcome
        }
    }

    /// The repairs of this mode's target, oldest first.
    public func repairs(_ activity: Activity) throws -> [RepairRecord] {
        try history(activity).records()
    }

    /// Puts back what a repair has replaced, the newest where none is named; journalled before and after.
    public func undoRepair(_ id: String?, _ activity: Activity) throws -> Repair.Outcome {
        let repair = try repairer(activity)
        let record = try repair.history.undoable(id)
        try note("undo of the repair \(record.id) begins")
        return try noting("the undo of the repair \(record.id)") {
            let outcome = try repair.undo(record)
            try noteRepair(outcome)
            return outcome
        }
    }

    /// Writes what a repair has done into the journal. Where it was of another target than the steps', `isOfSteps` is false, and they stay
    /// what they were.
    public func noteRepair(_ outcome: Repair.Outcome, isOfSteps: Bool = true) throws {
        let differing = outcome.report.tables.filter { $0.verdict == "differs" }.map(\.name)
        if let record = outcome.record {
            try note(
                "\(record.state == .undone ? "undone" : "repaired"): \(record.words)",
                evidence: [
                    "repair \(record.id), of the snapshot of \(record.snapshotTime)",
                    differing.isEmpty
                        ? "compared again: no row of what was compared differs"
                        : "compared again: rows of \(differing.joined(separator: ", ")) differ",
                ])
        }
        guard isOfSteps else { return }
        // Once the application uses the target rows differ because they should: what an undo brings back is only remarked.
        guard targetInUse(mode) == nil else { return try remarkUndone(outcome.record) }
        if let record = outcome.record, record.state == .undone { try noteUndone(record) }
        if differing.isEmpty { return try noteProven(outcome) }
        // A proof that found them equal is not true any more.
        guard let record = outcome.record, entry(of: "3.4", mode)?.kind == .done else { return }
        let rows = outcome.report.tables.filter { $0.verdict == "differs" }.reduce(0) { $0 + $1.differences }
        try journal.add(
            .failed, "3.4", mode,
            "\(Format.count(rows, "row differs", "rows differ")) in \(differing.joined(separator: ", "))",
            evidence: ["found after \(Self.words(record))"])
    }

    /// A proof of all tables that has found none is that of step 3.4, and leaves 3.5 nothing to do.
    private func noteProven(_ outcome: Repair.Outcome) throws {
        guard outcome.report.tables.allSatisfy(\.isAskedFor), entry(of: "3.4", mode) != nil else { return }
        var proof = ProofStep.outcome(outcome.report)
        proof.evidence.append(
            "found after \(outcome.record.map(Self.words) ?? "a repair that had nothing to do")")
        try note(proof, "3.4", mode)
        guard proof.failure == nil, let record = outcome.record, record.state != .undone else { return }
        try note(DifferencesStep.outcome(record), DifferencesStep.id, mode)
    }

    /// What a command has put back is not done by the step any more.
    private func noteUndone(_ record: RepairRecord) throws {
        guard let entry = entry(of: DifferencesStep.id, mode), entry.kind == .done, entry.data == record.id
        else { return }
        try journal.add(.undone, DifferencesStep.id, mode, evidence: ["put back: \(record.words)"])
    }

    private static func words(_ record: RepairRecord) -> String {
        "\(record.state == .undone ? "the undo of " : "")the repair \(record.id)"
    }

    /// Notes with step 3.4 that an undo has put back what differed.
    private func remarkUndone(_ record: RepairRecord?) throws {
        guard let record, record.state == .undone else { return }
        try journal.add(
            .note, "3.4", mode, "the undo of the repair \(record.id) has put back rows that differed")
    }

    /// A repair of this mode's target, of what step 3.4 compares. Once the application uses it, of the snapshot that `repair` takes for the
    /// same request: a command may have noted a later one with the steps.
    func repairer(_ activity: Activity, _ request: RepairRequest = RepairRequest()) throws -> Repair {
        let history = try history(activity)
        let log = try differenceLog(mode)
        let inUse = mode == .live ? try targetInUse(history.server) : nil
        let snapshot = try inUse == nil ? nil : usedSnapshot(history.server, log, request)
        let preparation = try preparation(mode, of: snapshot, activity: activity)
        var repair = Repair(
            preparation: preparation, schema: preparation.plan.schema, history: history,
            workers: Self.workers, cancellation: activity.cancellation, progress: activity.progress,
            gate: activity.gate, differences: log)
        repair.inUse = inUse
        repair.isSourceHeld = mode == .live && hold != nil
        return repair
    }

    /// Of rows that nobody has named only those that were never right are repaired.
    private func usedSnapshot(
        _ server: TargetServer, _ log: DifferenceLog, _ request: RepairRequest
    ) throws -> Snapshot? {
        let wanted = try Repair.snapshotSHA256(
            onlyNeverRight: request.keys.isEmpty, log, server, schema: schema,
            switched: cutoverRecord()?.snapshot)
        return try SnapshotStore(workspace.state, cancellation: Cancellation()).snapshots()
            .last { $0.sha256 == wanted }
    }

    private func history(_ activity: Activity) throws -> RepairHistory {
        RepairHistory(
            workspace.state, try server(mode, cancellation: activity.cancellation),
            target: mode == .rehearsal ? mode.rawValue : nil)
    }

    private func note(_ text: String, evidence: [String] = []) throws {
        try journal.add(.note, "3.5", mode, text, evidence: evidence)
    }

    private func noting<T>(_ what: String, _ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch {
            try note("\(what) failed: \(Self.explained(error).message)")
            throw error
        }
    }
}
