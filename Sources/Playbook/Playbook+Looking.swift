import MigrationEngine
import Operations
import Postgres
import Synchronization

/// What the target says of itself.
extension Playbook {
    /// Reads from the target how far it is, where anything could be there.
    ///
    /// `always` looks also where this journal knows of nothing there: another command may have migrated.
    public func lookAtTarget(_ activity: Activity, always: Bool = false) {
        look(mode, after: nil, activity, always: always)
    }

    /// Asks the target where a step waits for what another command may have made.
    func lookFirst(_ id: String, _ activity: Activity) {
        guard status(mode) == nil else { return }
        if id == DatabaseBackupStep.id {
            // Whoever has filled the target: it wants backups.
            guard mode == .live || RehearsalCluster.exists(workspace.state) else { return }
            look(mode, after: nil, activity, always: true)
        } else if mode == .live, id.hasPrefix("C.") || !(Phases.step(id)?.liveNeeds.isEmpty ?? true) {
            look(mode, after: nil, activity)
        }
    }

    /// A target that cannot be reached leaves the last answer.
    func look(_ mode: Mode, after id: String?, _ activity: Activity, always: Bool = false) {
        let concerned: Set<String> = ["1.4", "1.8", "3.2", "3.3", "3.4", "C.1", "C.2"]
        let mayHoldRows = always || hasReachedTarget(mode) || mode == .live && liveTarget != nil
        guard id.map(concerned.contains) ?? mayHoldRows else { return }
        // The work may have been cancelled; looking must not be.
        let schema = schema
        guard let server = try? server(mode, cancellation: Cancellation()) else { return }
        do {
            let status = try server.runStatus(schema: schema)
            let holdsTables = try status.map { $0.stage >= .constrained } ?? BackupDesk.holdsTables(server)
            state.withLock {
                $0.status[mode] = .some(status)
                $0.holdsTables[mode] = holdsTables
            }
        } catch {}
    }
}
