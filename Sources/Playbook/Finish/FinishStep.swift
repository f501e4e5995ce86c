import Foundation
import MigrationEngine
import Operations

/// F: removes what howdah has left, once nobody needs it any more; the journal, the newest snapshot and the originals of changed files stay.
struct FinishStep: StepOperation {
    private struct Rest {
        let snapshots: [Snapshot]
        let leftovers: Leftovers
        let hasRehearsal: Bool
        /// nil where there is no schema of howdah's in the target.
        let ledger: LedgerRemoval.Facts?
    }

    private func rest(_ context: StepContext) throws -> Rest {
        let state = context.workspace.state
        let all = try SnapshotStore(state, cancellation: context.cancellation).snapshots()
        let book = context.book
        // What either mode was loaded from, and what the way back puts back.
        let needed = Set(
            [
                book.cutoverRecord()?.snapshot ?? all.last?.sha256, book.entry(of: "1.2", .live)?.data,
                try context.mode == .live
                    ? context.server().runStatus(schema: book.schema)?.snapshotSHA256 : nil,
            ].compactMap(\.self))
        return Rest(
            snapshots: all.filter { !needed.contains($0.sha256) },
            leftovers: try Leftovers(state, all, cancellation: context.cancellation),
            hasRehearsal: RehearsalCluster.exists(state) || access("\(state.path)/rehearsal", F_OK) == 0,
            ledger: context.mode == .live
                ? try LedgerRemoval(context.server(), schema: book.schema).facts() : nil)
    }

    func preview(_ context: StepContext) throws -> Preview {
        let rest = try rest(context)
        var lines: [String] = []
        if let ledger = rest.ledger {
            lines.append(
                "the schema howdah in \(context.book.targetWords(context.mode)): the ledger of \(Format.count(ledger.runs, "run", "runs"))"
            )
        }
        if rest.hasRehearsal {
            lines.append("the rehearsal: its private PostgreSQL, and its copy of the project")
        }
        lines += rest.snapshots.map { "the snapshot of \($0.time), \(Format.bytes($0.bytes))" }
        lines += rest.leftovers.items.map(\.words)
        let kept = rest.ledger?.keptRows ?? 0
        return Preview(
            [
                .init("Removes", lines.isEmpty ? ["nothing: nothing of it is left"] : lines, .list),
                .init(
                    "Keeps",
                    [
                        "the newest snapshot, the journal, and the originals of the files that were changed: the way back stays",
                        "the application's tables, as they are",
                    ] + rest.leftovers.kept, .list),
            ],
            warning: kept > 0
                ? "\(Format.count(kept, "row or value", "rows and values")) in quarantine are only in the schema howdah: it stays until they are put back."
                : context.book.hold != nil
                    ? "A cutover is under way."
                    : rest.ledger != nil && context.book.cutoverRecord() == nil
                        ? "Nothing was switched over by a cutover: one would need this ledger, and cannot be done without it."
                        : nil)
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let isSwitched = context.book.cutoverRecord() != nil
        let isOver = context.book.entry(of: "C.4", .live)?.kind == .done
        guard context.book.hold == nil, !isSwitched || isOver else {
            throw MigrationError(
                .state, "a cutover is under way", remedy: "End it with C.4, or go back.", exit: .undecided)
        }
        let rest = try rest(context)
        var evidence: [String] = []
        if let ledger = rest.ledger {
            try LedgerRemoval(context.server(), schema: context.book.schema).run()
            evidence.append(
                "the schema howdah is gone, with the ledger of \(Format.count(ledger.runs, "run", "runs"))")
        }
        try PointInTimeDrill.removeLeft(context.workspace.state)
        if rest.hasRehearsal {
            if RehearsalCluster.exists(context.workspace.state) {
                var cluster = try RehearsalCluster(
                    context.workspace.state, cancellation: context.cancellation)
                try cluster.remove()
            }
            try? FileManager.default.removeItem(atPath: "\(context.workspace.state.path)/rehearsal")
            evidence.append("the rehearsal is gone")
        }
        let store = try SnapshotStore(context.workspace.state, cancellation: context.cancellation)
        for snapshot in rest.snapshots { try store.remove(snapshot) }
        if !rest.snapshots.isEmpty {
            let bytes = rest.snapshots.reduce(0) { $0 + $1.bytes }
            evidence.append(
                "\(Format.count(rest.snapshots.count, "snapshot", "snapshots")) deleted, \(Format.bytes(bytes))"
            )
        }
        for item in rest.leftovers.items {
            try item.remove()
            evidence.append("deleted \(item.words)")
        }
        rmdir("\(context.workspace.state.path)/exports")
        return StepOutcome(evidence: evidence.isEmpty ? ["nothing of it was left"] : evidence)
    }
}
