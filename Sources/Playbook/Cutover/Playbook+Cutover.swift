import AppProject
import Foundation
import MigrationEngine

/// What a cutover came to, as the journal keeps it.
public struct CutoverRecord: Codable, Sendable, Equatable {
    public struct Part: Codable, Sendable, Equatable {
        public let name: String
        public let seconds: Double
    }

    /// sha256 of the last snapshot: what SQLite held when nobody could write any more.
    public var snapshot: String
    public var time: String
    /// Seconds from the moment in which nobody could write to the one in which the settings led to PostgreSQL.
    public var standstill: Double
    public var parts: [Part]
    public var carried: CatchUp.Outcome
    /// Which database of which server was switched to, see `TargetServer.identity`; nil in journals of before this was kept, and where the
    /// server does not tell.
    public var database: String?
    /// Why the application did not start by its command; nil where it did, or where there is none.
    public var startFailure: String?
}

extension Playbook {
    /// What the last switch came to; nil where there was none, or it was taken back.
    public func cutoverRecord() -> CutoverRecord? {
        let entries = journal.entries.filter { $0.subject == "C.2" && $0.mode == .live }
        let start = entries.lastIndex { $0.kind == .undone }.map { $0 + 1 } ?? 0
        return entries[start...].last { $0.data != nil }?.data.flatMap {
            Journal.decode(CutoverRecord.self, $0)
        }
    }

    /// Settings that are still to be changed, in the order of the steps.
    func pendingSettings() -> [String] {
        let standing = standing(.live)
        return (Self.configuringSteps + ["2.4"]).filter { id in
            guard let step = Phases.step(id), !isByHand(step) else { return false }
            return !standing.state(id).isFinished
        }
    }

    /// Settings of phase 2 that nobody has done, and howdah cannot: the operator has to.
    func settingsByHand() -> [String] {
        let standing = standing(.live)
        return ["1.5", "2.1", "2.2", "2.3", "2.4"].filter { id in
            Phases.step(id).map { isByHand($0) } ?? false && !standing.state(id).isFinished
        }
    }

    /// Removes snapshots of earlier rounds of a cutover that nothing goes back to: neither the first one, nor the rehearsal's, nor the one that
    /// the target holds.
    func removeOvertaken(by snapshot: Snapshot) throws {
        let store = try SnapshotStore(workspace.state, cancellation: Cancellation())
        let all = store.snapshots()
        let rounds = Set(
            journal.entries.filter { $0.subject == "C.1" && $0.kind == .done }.compactMap(\.data)
                + journal.entries.filter { $0.subject == "C.2" && $0.kind == .done }
                .compactMap { $0.data.flatMap { Journal.decode(CutoverRecord.self, $0) }?.snapshot })
        let kept = Set(
            [
                all.first?.sha256, snapshot.sha256, cutoverRecord()?.snapshot,
                entry(of: "1.2", .rehearsal)?.data,
            ].compactMap(\.self))
        for old in all where rounds.contains(old.sha256) && !kept.contains(old.sha256) {
            try store.remove(old)
        }
    }

    /// Notes that the target holds a later snapshot than the one that the steps were run on: what they looked at is that one now. Steps that
    /// were never run stay so.
    func noteFollowed(_ preparation: Preparation, _ report: MigrationReport?, _ words: String) throws {
        keep(preparation)
        let snapshot = preparation.snapshot
        let assessment = Journal.encode(Assessment(preparation))
        let notes: [(id: String, evidence: [String], data: String?)] = [
            (
                "1.2",
                [
                    "\(Format.bytes(snapshot.bytes)), as of \(snapshot.time): \(words)",
                    "sha256 \(snapshot.sha256)",
                    snapshot.path,
                ], snapshot.sha256
            ),
            ("1.6", ["looked at again for the cutover"], assessment),
            ("1.7", ["the plan that the target was loaded by holds for what was written since"], assessment),
            (
                "3.4",
                report.map { report in
                    [
                        "\(report.tables.count { $0.verdict == "equal" }) of "
                            + "\(Format.count(report.tables.count, "table", "tables")) equal, for the cutover",
                        "as of the snapshot of \(snapshot.time), sha256 \(snapshot.sha256)",
                    ]
                } ?? [], report.map { Journal.encode($0) }
            ),
        ]
        for (id, evidence, data) in notes {
            guard let entry = entry(of: id, .live), [.done, .failed].contains(entry.kind), data != nil else {
                continue
            }
            // A proof that this mode's steps have not come to is not theirs.
            if id == "3.4", self.entry(of: "3.3", .live)?.kind != .done { continue }
            try journal.add(.done, id, .live, evidence: evidence, basis: basis(of: id, .live), data: data)
        }
    }
}

extension StepContext {
    func following() throws -> Following {
        Following(
            source: workspace.source, state: workspace.state, server: try server(), schema: book.schema,
            hints: workspace.location.hints, workers: Playbook.workers, isRehearsal: true,
            cancellation: cancellation, progress: progress,
            differences: try book.differenceLog(mode))
    }

    /// Runs a step that another one is made of, with its own lines in the journal.
    func runPart(_ id: String) throws {
        guard let operation = Playbook.operations[id] else { return }
        try book.run(id, activity, by: operation)
    }
}
