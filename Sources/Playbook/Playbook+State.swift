import AppProject
import MigrationEngine
import Synchronization

/// What a playbook keeps in memory between the steps.
extension Playbook {
    // MARK: A cutover, and the way back

    /// Keeps writers away from the source, from the switch of a cutover to its end.
    public var hold: SourceHold? { state.withLock { $0.hold } }

    /// A rollback goes on although others are connected to the target.
    var toleratesConnections: Bool { state.withLock { $0.toleratesConnections } }

    public func tolerateConnections() { state.withLock { $0.toleratesConnections = true } }

    /// A rollback leaves SQLite as it is now, also where it was written to after the switch.
    var keepsSource: Bool { state.withLock { $0.keepsSource } }

    public func keepSource() { state.withLock { $0.keepsSource = true } }

    /// A rollback goes without the rows that the target has got since: where it cannot be reached any more.
    public var ignoresTarget: Bool { state.withLock { $0.ignoresTarget } }

    public func ignoreTarget() { state.withLock { $0.ignoresTarget = true } }

    func keep(_ hold: SourceHold?) { state.withLock { $0.hold = hold } }

    // MARK: The code, and files

    /// What the last scan of the code found; nil before one. What cannot be read counts as none: step 4.1 writes it anew.
    func codeRecord() -> CodeRecord? {
        if let record = state.withLock({ $0.code }) { return record }
        guard let record = try? CodeRecord.read(workspace.state) else { return nil }
        state.withLock { $0.code = record }
        return record
    }

    func keep(_ record: CodeRecord) throws {
        try record.write(workspace.state)
        state.withLock { $0.code = record }
    }

    /// Keeps what the server said of the code's statements.
    func keep(_ verdicts: [QueryTrial.Verdict]) throws {
        guard var record = codeRecord() else { return }
        record.verdicts = Dictionary(
            verdicts.map { ($0.statement.key, CodeRecord.Verdict(kind: $0.kind, reason: $0.reason)) }
        ) { first, _ in first }
        try keep(record)
    }

    /// What the undo of a step was shown to overwrite.
    func shownConflicts(_ step: String) -> Set<String> { state.withLock { $0.shownConflicts[step] ?? [] } }

    func show(conflicts: Set<String>, of step: String) {
        state.withLock { $0.shownConflicts[step] = conflicts }
    }

    // MARK: The target

    /// Asks a target of this mode, reached already, how far its run is; one that does not answer leaves what is known.
    public func look(at server: TargetServer) {
        guard let status = try? server.runStatus(schema: schema) else { return }
        remember(status)
    }

    /// Keeps what the target said of its run.
    func remember(_ status: RunStatus?) {
        state.withLock { $0.status[$0.mode] = .some(status) }
    }

    /// Whether the journal has anything that could have left rows or tables in the target.
    public func hasReachedTarget(_ mode: Mode) -> Bool {
        guard let entry = entry(of: "1.8", mode) else { return false }
        return entry.kind != .undone && entry.kind != .failed
    }
}
