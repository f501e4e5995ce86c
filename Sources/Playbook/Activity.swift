import MigrationEngine

/// Work that is under way: what to watch, and how to pause or cancel it. Any thread may use it.
public final class Activity: Sendable {
    /// The step that runs; nil for a look at the target.
    public let step: String?
    public let isUndo: Bool
    public let start = ContinuousClock.now
    public let progress = RunProgress()
    public let gate = PauseGate()
    public let cancellation: Cancellation

    init(step: String?, isUndo: Bool, cancellation: Cancellation) {
        self.cancellation = cancellation
        self.step = step
        self.isUndo = isUndo
    }

    public func togglePause() {
        if gate.isClosed { gate.open() } else { gate.close() }
    }
}

/// What a step's work reaches: the project, the target of the mode, and the activity that watches it.
struct StepContext: Sendable {
    let book: Playbook
    let mode: Mode
    let activity: Activity
    /// Whether it is part of a cutover, which carries what SQLite has got since.
    var isCutover = false

    var workspace: Workspace { book.workspace }
    var cancellation: Cancellation { activity.cancellation }
    var progress: RunProgress { activity.progress }

    /// The same work under another wish to stop: for the way back from what was cancelled.
    var uncancelled: StepContext {
        StepContext(
            book: book, mode: mode,
            activity: Activity(step: activity.step, isUndo: true, cancellation: Cancellation()))
    }

    /// The target's server; a rehearsal's cluster is started when it is not up.
    func server() throws -> TargetServer {
        try book.server(mode, cancellation: cancellation)
    }

    /// Snapshot, profile and plan of this mode; made again where they are not at hand.
    func preparation() throws -> Preparation {
        try book.preparation(mode, activity: activity)
    }

    /// The mode's own snapshot, or that of the run in the target which another command has made.
    func loadedSnapshot() throws -> Snapshot? {
        if let own = try book.snapshot(mode) { return own }
        guard case .some(.some(let status)) = book.status(mode) else { return nil }
        return try SnapshotStore(workspace.state, cancellation: cancellation).snapshots()
            .last { $0.sha256 == status.snapshotSHA256 }
    }

    func migration() throws -> Migration {
        let preparation = try preparation()
        return Migration(
            preparation: preparation, server: try server(), workers: Playbook.workers,
            isRehearsal: mode == .rehearsal, cancellation: cancellation, progress: progress,
            gate: activity.gate,
            differences: try book.differenceLog(mode))
    }

    /// Records the rows over time, for the report.
    func recording<T>(_ name: String, replacing: [String] = [], _ body: () throws -> T) rethrows -> T {
        try Throughput.recording(
            name, progress, in: workspace.state, mode: mode.rawValue, replacing: replacing, body)
    }
}
