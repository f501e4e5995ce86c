import AppProject
import Foundation
import MigrationEngine

/// 1.1: looks at the SQLite file.
struct SourceStep: StepOperation {
    func preview(_ context: StepContext) throws -> Preview {
        Preview([
            .init("Reads", [context.workspace.source.path]),
            .init(
                "Runs on it, without writing",
                ["PRAGMA integrity_check", "PRAGMA foreign_key_check", "PRAGMA encoding"],
                .sql),
        ])
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let facts = try SourceInspection(
            context.workspace.source, state: context.workspace.state, cancellation: context.cancellation
        ).facts()
        return Self.outcome(facts, context.book)
    }

    static func outcome(_ facts: SourceFacts, _ book: Playbook) -> StepOutcome {
        let size =
            Format.bytes(facts.bytes)
            + (facts.logBytes > 0 ? " and a log of \(Format.bytes(facts.logBytes))" : "")
        let integrity = facts.problems.isEmpty ? "ok" : facts.problems.joined(separator: "; ")
        let orphans = (facts.hasMoreOrphans ? "over " : "") + Format.count(facts.orphans)
        let evidence =
            [
                "\(size), \(Format.count(facts.tables, "table", "tables")), integrity \(facts.problems.isEmpty ? "ok" : "broken"), \(orphans) orphan rows",
                "pages of \(facts.pageSize) bytes, \(facts.encoding), journal mode \(facts.journalMode)",
                "integrity_check: \(integrity)",
                facts.orphans == 0
                    ? "foreign_key_check: no orphan rows"
                    : "foreign_key_check: \(orphans) orphan rows; step 1.6 names them",
            ] + book.workspace.location.evidence + book.frameworks.map(\.evidence)
            + book.workspace.location.warnings
        return StepOutcome(evidence: evidence)
    }
}

/// 1.2: takes the snapshot that everything later is read from.
struct BackupStep: StepOperation {
    func preview(_ context: StepContext) throws -> Preview {
        let folder = "\(context.workspace.state.path)/snapshots"
        return Preview([
            .init(
                "Copies, by SQLite's online backup",
                [
                    "\(context.workspace.source.path)", "into \(folder)",
                    "The application may go on writing meanwhile.",
                ]),
            .init(
                "Then",
                ["PRAGMA integrity_check on the copy, sha256 of its bytes", "The source is not written to."]),
        ])
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let preparer = Preparer(
            source: context.workspace.source, state: context.workspace.state,
            hints: context.workspace.location.hints, style: nil, schema: "public", planSource: .file(nil),
            workers: Playbook.workers, cancellation: context.cancellation, progress: context.progress)
        let before = try SnapshotStore(context.workspace.state, cancellation: context.cancellation)
            .snapshots()
        let snapshot = try preparer.takeSnapshot()
        return Self.outcome(snapshot, isKept: before.contains { $0.path == snapshot.path })
    }

    /// `isKept` where an earlier one still equals the source.
    static func outcome(_ snapshot: Snapshot, isKept: Bool) -> StepOutcome {
        var evidence = [
            "\(Format.bytes(snapshot.bytes)), as of \(snapshot.time), checked", "sha256 \(snapshot.sha256)",
            snapshot.path,
        ]
        if isKept {
            evidence.append("taken before: the source has not changed since")
        }
        evidence += snapshot.notes.map { "integrity_check says: \($0)" }
        return StepOutcome(evidence: evidence, data: snapshot.sha256)
    }

    func undoPreview(_ context: StepContext) throws -> Preview? {
        guard let snapshot = try context.book.snapshot(context.mode) else { return nil }
        return Preview(
            [.init("Deletes", [snapshot.path, "\(Format.bytes(snapshot.bytes)), as of \(snapshot.time)"])],
            warning: "The other mode may use the same snapshot; its steps then ask for a new one.")
    }

    func undo(_ context: StepContext) throws -> [String] {
        guard let snapshot = try context.book.snapshot(context.mode) else { return ["it was gone already"] }
        try SnapshotStore(context.workspace.state, cancellation: context.cancellation).remove(snapshot)
        return ["deleted \(snapshot.path)"]
    }
}
