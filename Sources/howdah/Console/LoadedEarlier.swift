import MigrationEngine
import Playbook

/// What is to be known where a target that differs was loaded from an earlier state of SQLite than the one it is compared with.
enum LoadedEarlier {
    /// nil where it was loaded from what is compared, by nobody who keeps a ledger, or where nothing differs.
    static func words(
        _ report: MigrationReport, _ server: TargetServer, schema: String, _ session: Session
    ) throws -> String? {
        guard report.outcome == .differs, let status = try? server.runStatus(schema: schema),
            status.snapshotSHA256 != report.snapshot?.sha256
        else { return nil }
        let snapshots = try SnapshotStore(session.state, cancellation: session.cancellation).snapshots()
        let held = snapshots.last { $0.sha256 == status.snapshotSHA256 }
        // A snapshot of the same rows may differ in its header: its pages tell.
        if let held, try held.changedPages(session.workspace.source, cancellation: session.cancellation) == 0
        {
            return nil
        }
        let loaded = held?.time
        let since =
            "the target holds SQLite as of \(loaded.map { "the snapshot of \($0)" } ?? "an earlier snapshot, loaded \(status.started)"), and SQLite has changed since"
        // The journal is only read: a state folder may have none.
        let book = try Playbook(session.workspace, target: nil, who: nil, isWriter: false)
        if let inUse = try book.targetInUse(server) {
            return "\(since): something still writes to it, and nothing carries that any more; \(inUse.words)"
        }
        return
            "\(since): rows that were written there are carried by howdah cutover. Rows that were changed in PostgreSQL, or that only PostgreSQL has, are not: howdah repair with --all --preview compares with that snapshot and shows them"
    }
}
