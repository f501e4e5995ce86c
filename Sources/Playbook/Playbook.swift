import AppProject
import Foundation
import MigrationEngine
import Operations
import Postgres
import Synchronization

/// A project's way from SQLite to PostgreSQL: what each step's state is, and how steps are previewed, run and undone.
///
/// Fronts call `overview` to see, `tick` and the like to write down, and, from a thread that may block, `preview`, `run`
/// and `undo`; one of those at a time. The journal has what began before anything is changed, and what it came to
/// after. Any thread may use it.
public final class Playbook: Sendable {
    public let workspace: Workspace
    public let journal: Journal
    let isWriter: Bool
    /// Assisted steps that howdah does itself in this project.
    let assisted: Set<String>
    /// What the application is made with.
    let frameworks: [Framework.Found]
    /// The application's commands that run, with their output.
    let tests = TestDesk()
    let state: Mutex<State>

    /// What is known as long as this value lives.
    struct State {
        var mode: Mode
        var conninfo: Conninfo?
        var admin: Conninfo?
        var activity: Activity?
        var prepared: Prepared?
        /// What the target said when it was last looked at, by mode; nil inside where it has no run.
        var status: [Mode: RunStatus?] = [:]
        /// Whether it then held tables, whoever has made them.
        var holdsTables: [Mode: Bool] = [:]
        /// What the last scan of the code found; nil before it was read.
        var code: CodeRecord?
        /// Keeps writers away from the source during a cutover.
        var hold: SourceHold?
        /// A rollback goes without the target, which cannot be reached.
        var ignoresTarget = false
        var toleratesConnections = false
        var keepsSource = false
        /// What undos were shown to overwrite, by step: the sha256 of what the user has written since.
        var shownConflicts: [String: Set<String>] = [:]
    }

    /// A preparation with the plan's text that it was made under.
    struct Prepared {
        let preparation: Preparation
        let plan: String
    }

    public static let workers = max(2, min(8, ProcessInfo.processInfo.activeProcessorCount))
    static let operations: [String: any StepOperation] = [
        "1.1": SourceStep(), "1.2": BackupStep(), "1.3": TargetStep(), "1.4": DatabaseStep(),
        "1.5": PackagesStep(),
        "1.6": ProfileStep(), "1.7": PlanStep(), "1.8": SchemaStep(), "2.1": EnvironmentStep(),
        "2.2": SchemaFileStep(), "2.3": MigrationsStep(), "2.4": ClientStep(), "3.1": ExportStep(),
        "3.2": CopyStep(),
        "3.3": ConstraintsStep(),
        "3.4": ProofStep(), "3.5": DifferencesStep(), "4.1": ScanStep(), "4.2": QueriesStep(),
        "4.3": ReviewStep(), "5.1": TestsStep(), "5.10": LoadStep(), "5.11": PathsStep(),
        "6.1": IndexStep(), "6.2": PoolStep(), "6.4": DatabaseBackupStep(), "6.5": DrillStep(),
        "6.6": PointInTimeStep(), "6.7": MonitoringStep(),
        "C.1": CutoverPreparation(), "C.2": CutoverSwitch(), "C.3": CutoverSmokeTest(), "C.4": CutoverEnd(),
        "R": RollbackStep(), "F": FinishStep(),
    ]

    /// Opens a project's playbook. `target` is the live target where it was named; the one of the journal otherwise.
    public init(
        _ workspace: Workspace, target: Conninfo?, admin: Conninfo? = nil, who: String?, isWriter: Bool = true
    ) throws {
        self.workspace = workspace
        self.isWriter = isWriter
        assisted = Self.assisted(in: workspace)
        frameworks = workspace.location.projectDirectory.map(Framework.found) ?? []
        journal = try Journal(workspace.state, who: who ?? NSUserName(), isWriter: isWriter)
        let entries = journal.entries
        let mode = entries.last { $0.kind == .mode }.flatMap { Mode(rawValue: $0.text) } ?? .rehearsal
        let known = entries.last { $0.kind == .target }.flatMap { try? Conninfo($0.text) }
        state = Mutex(State(mode: mode, conninfo: target ?? known, admin: admin))
        if let target, isWriter, known?.url != target.url {
            try journal.add(.target, "book", .live, target.url)
        }
    }

    // MARK: Facts

    public var mode: Mode { state.withLock { $0.mode } }
    var liveTarget: Conninfo? { state.withLock { $0.conninfo } }
    /// Without the password.
    public var liveURL: String? { liveTarget?.url }
    public var activity: Activity? { state.withLock { $0.activity } }
    var admin: Conninfo? { state.withLock { $0.admin } }

    /// The target in words, without a password.
    public func targetWords(_ mode: Mode) -> String {
        mode == .rehearsal ? "rehearsal (private)" : liveTarget?.url ?? "no target yet"
    }

    func status(_ mode: Mode) -> RunStatus?? { state.withLock { $0.status[mode] } }

    var cachedPreparation: Preparation? { state.withLock { $0.prepared?.preparation } }

    /// What happened last to a step; a remark is nothing that happened to it.
    func entry(of step: String, _ mode: Mode) -> JournalEntry? {
        journal.last(step, mode) { !$0.kind.isRemark }
    }

    /// The snapshot that a mode works on, as step 1.2 noted it.
    func snapshot(_ mode: Mode) throws -> Snapshot? {
        guard let entry = entry(of: "1.2", mode), entry.kind == .done, let sha256 = entry.data else {
            return nil
        }
        return try SnapshotStore(workspace.state, cancellation: Cancellation()).snapshots()
            .last { $0.sha256 == sha256 }
    }

    /// The schema that the plan names.
    var schema: String {
        cachedPreparation?.plan.schema ?? (try? PlanFile(path: workspace.state.planPath))?.plan.schema
            ?? "public"
    }

    /// Where every step of a mode stands now.
    func standing(_ mode: Mode) -> Standing {
        standing(
            mode, running: isWriter ? (mode == self.mode ? activity?.step : nil) : runningElsewhere(mode))
    }

    /// The step that another howdah has begun and is at work on.
    private func runningElsewhere(_ mode: Mode) -> String? {
        let last = journal.entries.last { $0.mode == mode && !$0.kind.isRemark }
        guard let last, [.started, .undoing].contains(last.kind), WriterLock.isHeld(workspace.state) else {
            return nil
        }
        return last.subject
    }

    private func standing(_ mode: Mode, running: String?) -> Standing {
        var newest: [String: JournalEntry] = [:]
        for entry in journal.entries where entry.mode == mode && !entry.kind.isRemark {
            newest[entry.subject] = entry
        }
        var now: [Step.Basis: String] = [:]
        for basis in Step.Basis.allCases { now[basis] = value(of: basis, mode) }
        return Standing(
            entries: newest, now: now, status: status(mode), running: running, mode: mode,
            changed: Set(Self.editingSteps.filter { !changes(of: $0, mode).isEmpty }),
            isSwitched: mode == .live && cutoverRecord() != nil,
            holdsTables: state.withLock { $0.holdsTables[mode] ?? false }, moment: Date())
    }

    public func stepState(_ id: String, _ mode: Mode) -> StepState { standing(mode).state(id) }

    func undoObstacle(_ id: String, _ mode: Mode) -> String? { standing(mode).undoObstacle(id) }

    /// What a step looks at, as it is now. What cannot be told now is left out.
    func basis(of id: String, _ mode: Mode) -> [String: String] {
        var values: [String: String] = [:]
        for basis in Phases.step(id)?.basis ?? [] { values[basis.rawValue] = value(of: basis, mode) }
        return values
    }

    private func value(of basis: Step.Basis, _ mode: Mode) -> String? {
        switch basis {
        case .source: return try? workspace.source.stamp()
        case .snapshot: return (try? snapshot(mode))?.sha256 ?? "none"
        case .target: return mode == .rehearsal ? "rehearsal" : liveTarget?.url ?? "none"
        case .plan:
            let text = planText
            return text.isEmpty ? "none" : PlanFile.digest(text)
        case .run:
            guard case .some(.some(let status)) = status(mode) else { return nil }
            return "\(status.run)"
        }
    }

    /// The text of plan.yaml; empty without one.
    var planText: String {
        FileManager.default.contents(atPath: workspace.state.planPath).map {
            String(decoding: $0, as: UTF8.self)
        }
            ?? ""
    }

    // MARK: Settings

    /// Names the live target; the journal keeps it without its password. Throws where the text names no server.
    public func setTarget(_ text: String) throws {
        guard let conninfo = try Target.server(text) else {
            throw MigrationError(
                .connection, "that is the rehearsal: the live target is a server of yours",
                remedy: "Write it as postgresql://user@host:5432/database.", exit: .usage)
        }
        try setTarget(conninfo)
    }

    private func setTarget(_ conninfo: Conninfo) throws {
        let isNew = liveTarget?.url != conninfo.url
        state.withLock {
            $0.conninfo = conninfo
            if isNew {
                $0.status[.live] = nil
                $0.holdsTables[.live] = nil
            }
        }
        if isNew { try journal.add(.target, "book", .live, conninfo.url) }
    }

    /// The password of the live target, or of the administrator; kept in memory only.
    public func setPassword(_ password: String, isAdmin: Bool) throws {
        if isAdmin {
            state.withLock { $0.admin = $0.admin?.setting("password", to: password) }
        } else if let target = liveTarget {
            try setTarget(target.setting("password", to: password))
        }
    }

    /// Forgets a password that was typed: a role that was just made has another one, in the pgpass file.
    func forgetPassword() {
        state.withLock { $0.conninfo = $0.conninfo.flatMap { try? Conninfo($0.url) } }
    }

    /// An administrator's connection for step 1.4; kept in memory only.
    public func setAdmin(_ text: String) throws {
        let conninfo = try Target.server(text)
        state.withLock { $0.admin = conninfo }
    }

    /// Chooses rehearsal or live; without `isKept` only for as long as this value lives.
    public func setMode(_ mode: Mode, isKept: Bool = true) throws {
        guard mode != self.mode else { return }
        if isKept { try journal.add(.mode, "book", mode, mode.rawValue) }
        state.withLock { $0.mode = mode }
    }

    // MARK: Target and preparation, for steps

    func server(_ mode: Mode, cancellation: Cancellation) throws -> TargetServer {
        switch mode {
        case .rehearsal:
            var cluster = try RehearsalCluster(workspace.state, cancellation: cancellation)
            try cluster.start()
            try cluster.ensureDatabase()
            guard let conninfo = cluster.conninfo() else {
                throw MigrationError(
                    .rehearsal, "the private PostgreSQL is not running", remedy: "Run the step again.")
            }
            return TargetServer(conninfo, cancellation: cancellation)
        case .live:
            guard var conninfo = liveTarget else {
                throw MigrationError(
                    .connection, "no target is named yet",
                    remedy: "Name it with L on the screens, or as the second argument.", exit: .usage)
            }
            let passwords = PasswordFile(workspace.state).path
            if conninfo["password"] == nil, conninfo["passfile"] == nil, access(passwords, R_OK) == 0 {
                conninfo = conninfo.setting("passfile", to: passwords)
            }
            return TargetServer(conninfo, cancellation: cancellation)
        }
    }

    /// Where the tables are that a plan adopts: a rehearsal's own PostgreSQL has none of a framework's.
    private func adopted(_ mode: Mode, cancellation: Cancellation) throws -> TargetServer {
        guard mode == .live else {
            throw MigrationError(
                .rehearsal,
                "the plan loads into tables that a framework has made in the target, and a rehearsal has none",
                remedy:
                    "Go live with a scratch database as the target, where the framework's migrations have run; or plan "
                    + "again without --adopt.", exit: .undecided)
        }
        return try server(mode, cancellation: cancellation)
    }

    func preparation(
        _ mode: Mode, of wanted: Snapshot? = nil, activity: Activity
    ) throws -> Preparation {
        guard let snapshot = try wanted ?? snapshot(mode) else {
            throw MigrationError(
                .state, "there is no snapshot to read", remedy: "Run step 1.2 first.", exit: .undecided)
        }
        return try preparation(mode, of: snapshot, activity: activity)
    }

    func preparation(_ mode: Mode, of snapshot: Snapshot, activity: Activity) throws -> Preparation {
        let text = planText
        if let prepared = state.withLock({ $0.prepared }), prepared.plan == text,
            prepared.preparation.snapshot.sha256 == snapshot.sha256
        {
            return prepared.preparation
        }
        // A command may have planned for another schema, or in another style, than howdah would choose.
        let kept = try? PlanFile(path: workspace.state.planPath).plan
        let preparation = try Preparer(
            source: workspace.source, state: workspace.state, hints: workspace.location.hints,
            style: kept?.style, schema: kept?.schema ?? "public", planSource: .file(nil),
            workers: Self.workers,
            cancellation: activity.cancellation,
            progress: activity.progress,
            adopting: Adopting(server: { [self] in try adopted(mode, cancellation: activity.cancellation) })
        ).prepare(snapshot)
        keep(preparation)
        return preparation
    }

    /// Remembers a preparation under the plan that lies on the disk now.
    func keep(_ preparation: Preparation) {
        let text = planText
        state.withLock { $0.prepared = Prepared(preparation: preparation, plan: text) }
    }

    // MARK: Work

    /// Begins work to be watched; nil where other work is under way.
    public func begin(
        _ step: String?, isUndo: Bool = false, cancellation: Cancellation = Cancellation()
    ) -> Activity? {
        state.withLock { state in
            guard state.activity == nil else { return nil }
            let activity = Activity(step: step, isUndo: isUndo, cancellation: cancellation)
            state.activity = activity
            return activity
        }
    }

    /// Ends what `begin` began.
    public func end(_ activity: Activity) {
        state.withLock { if $0.activity === activity { $0.activity = nil } }
    }

    func context(_ activity: Activity) -> StepContext {
        StepContext(book: self, mode: mode, activity: activity)
    }

    func operation(_ id: String) throws -> any StepOperation {
        if let operation = Self.operations[id], Phases.step(id).map({ !isByHand($0) }) ?? false {
            return operation
        }
        guard let step = Phases.step(id) else {
            throw MigrationError(
                .state, "there is no step \(id)",
                remedy: "The steps are: \(Phases.steps.map(\.id).joined(separator: ", ")).", exit: .usage)
        }
        throw MigrationError(
            .state, "step \(id), \(step.title), is done by hand",
            remedy: (byHand(step) + ["Then tick it with a note."]).joined(separator: "\n"), exit: .undecided)
    }

    /// What a step would do.
    public func preview(_ id: String, _ activity: Activity) throws -> Preview {
        try preview(id, activity, by: operation(id))
    }

    /// What a step would do once it may run.
    public func outlook(_ id: String, _ activity: Activity) throws -> Preview {
        lookFirst(id, activity)
        return try operation(id).preview(context(activity))
    }

    func preview(_ id: String, _ activity: Activity, by operation: any StepOperation) throws -> Preview {
        lookFirst(id, activity)
        if case .waiting(let reason) = stepState(id, mode) { throw Self.notYet(id, reason) }
        return try operation.preview(context(activity))
    }

    /// Runs a step: the journal first, then the work, then the journal again. Throws what the step throws.
    public func run(_ id: String, _ activity: Activity) throws {
        try run(id, activity, by: operation(id))
    }

    func run(_ id: String, _ activity: Activity, by operation: any StepOperation) throws {
        lookFirst(id, activity)
        let mode = mode
        // The activity that is about to do it does not count as running yet.
        if case .waiting(let reason) = standing(mode, running: nil).state(id) {
            throw Self.notYet(id, reason)
        }
        try operation.refuse(context(activity))
        let before = basis(of: id, mode)
        try journal.add(.started, id, mode, basis: before)
        do {
            CrashPoint.pass("\(id) before")
            let outcome = try operation.run(context(activity))
            CrashPoint.pass("\(id) after")
            look(mode, after: id, activity)
            try note(outcome, id, mode, before: before)
        } catch {
            look(mode, after: id, activity)
            try note(error, id, mode)
            throw error
        }
    }

    /// Writes down what a step came to; `before` is what it looked at as it was before the work.
    func note(_ outcome: StepOutcome, _ id: String, _ mode: Mode, before: [String: String] = [:]) throws {
        // The source as it was before the work: a change meanwhile must show.
        let source = before.filter { $0.key == Step.Basis.source.rawValue }
        let now = basis(of: id, mode).merging(source) { _, before in before }
        let kind: JournalEntry.Kind =
            outcome.failure != nil
            ? .failed : outcome.skipped != nil ? .skipped : outcome.open > 0 ? .undecided : .done
        try journal.add(
            kind, id, mode,
            outcome.failure ?? outcome.skipped ?? (outcome.open > 0 ? "\(outcome.open)" : ""),
            evidence: outcome.evidence, basis: now, data: outcome.data)
        // Whoever has made them equal: nothing of what the step failed for is left.
        guard id == "3.4", kind == .done, entry(of: DifferencesStep.id, mode)?.kind == .failed else { return }
        try note(DifferencesStep.nothing, DifferencesStep.id, mode)
    }

    func note(_ error: any Error, _ id: String, _ mode: Mode) throws {
        let error = Self.explained(error)
        try journal.add(
            error.code == .cancelled ? .cancelled : .failed, id, mode, error.message, evidence: [error.remedy]
        )
    }

    /// Stops what only served the screens: the private PostgreSQL, unless it was started to stay.
    public func close() {
        keep(nil)
        stopServices()
        guard RehearsalCluster.exists(workspace.state) else { return }
        var cluster = try? RehearsalCluster(workspace.state, cancellation: Cancellation())
        try? cluster?.stopUnlessKept()
    }
}
