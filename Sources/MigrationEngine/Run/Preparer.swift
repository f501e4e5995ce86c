import Foundation
import SQLite
import Synchronization

/// Prepares a source: takes the snapshot, reads it, and plans. Called from one thread; uses others for reading.
public struct Preparer: Sendable {
    public let source: SourceFile
    public let state: StateFolder
    public let hints: SchemaHints?
    /// nil detects it.
    public let style: Style?
    public let schema: String
    /// How a new plan spells names.
    public let identifiers: Identifiers
    public let planSource: PlanSource
    /// What a command decides, beside what the plan says.
    public let decisions: Decisions
    public let workers: Int
    public let memory: MemoryBudget
    public let cancellation: Cancellation
    public let progress: RunProgress
    /// Whose tables are adopted, where the plan or the operator says so.
    let adopting: Adopting

    /// Which plan to follow.
    public enum PlanSource: Sendable {
        /// The file at a path; nil takes one in the state folder where it was edited, or makes one.
        case file(String?)
        /// A new one, whatever is there.
        case new
        /// The one that a target was loaded by.
        case given(MigrationPlan)
    }

    public init(
        source: SourceFile, state: StateFolder, hints: SchemaHints?, style: Style?, schema: String,
        identifiers: Identifiers = .exact, planSource: PlanSource, decisions: Decisions = .none, workers: Int,
        memory: MemoryBudget = .standard, cancellation: Cancellation, progress: RunProgress,
        adopting: Adopting = .init()
    ) {
        self.source = source
        self.state = state
        self.hints = hints
        self.style = style
        self.schema = schema
        self.identifiers = identifiers
        self.planSource = planSource
        self.decisions = decisions
        self.workers = workers
        self.memory = memory
        self.cancellation = cancellation
        self.progress = progress
        self.adopting = adopting
    }

    public func prepare() throws -> Preparation {
        // A plan that cannot be read is told before the long work.
        let edited = try readPlan()
        let early = Mutex<SourceReading?>(nil)
        let snapshot = try takeSnapshot { copy in
            progress.begin(.profile)
            let reading = try read(copy, plan: edited?.file.plan)
            early.withLock { $0 = reading }
        }
        let reading = try early.withLock { $0 } ?? readWhole(snapshot, edited)
        return try plan(edited, snapshot, reading)
    }

    /// The newest snapshot that still equals the source, or a new one, which `meanwhile` reads while it is checked.
    public func takeSnapshot(meanwhile: (@Sendable (Snapshot) throws -> Void)? = nil) throws -> Snapshot {
        progress.begin(.snapshot)
        defer { progress.end() }
        let progress = progress
        return try SnapshotStore(state, cancellation: cancellation).take(
            of: source,
            progress: { fraction in
                progress.snapshotDone.store(Int(fraction * 1000), ordering: .relaxed)
            }, meanwhile: meanwhile)
    }

    /// Reads a snapshot and plans.
    public func prepare(_ snapshot: Snapshot) throws -> Preparation {
        let edited = try readPlan()
        return try plan(edited, snapshot, readWhole(snapshot, edited))
    }

    private func readWhole(
        _ snapshot: Snapshot, _ edited: (file: PlanFile, path: String)?
    ) throws -> SourceReading {
        progress.begin(.profile)
        return try read(snapshot, plan: edited?.file.plan)
    }

    /// What a source holds, whatever is planned for it.
    private struct SourceReading: Sendable {
        var catalog: Catalog
        /// Virtual tables that are taken for plain ones.
        var virtual: Set<String>
        var tables: [Catalog.Table]
        var profiles: [String: TableProfile] = [:]
        var orphans: [OrphanCheck.Orphans] = []
    }

    /// Every value and every reference, beside each other.
    private func read(_ snapshot: Snapshot, plan: MigrationPlan?) throws -> SourceReading {
        var catalog = try snapshot.catalog()
        let virtual = takeVirtualTables(&catalog, plan: plan)
        let tables = Planner.carriedTables(catalog, hints: hints)
        let progress = progress
        let reading = Mutex(SourceReading(catalog: catalog, virtual: virtual, tables: tables))
        try WorkerThreads.run(count: 2) { number in
            if number == 0 {
                let profiles = try Profiler(snapshot, cancellation: cancellation).profile(
                    tables, workers: workers
                ) { progress.preparedRows.add($0, ordering: .relaxed) }
                reading.withLock { $0.profiles = profiles }
            } else {
                let orphans = try OrphanCheck.run(tables, snapshot: snapshot, cancellation: cancellation)
                reading.withLock { $0.orphans = orphans }
            }
        }
        return reading.withLock { $0 }
    }

    /// Takes the virtual tables whose rows are carried for plain ones; returns their names.
    private func takeVirtualTables(_ catalog: inout Catalog, plan: MigrationPlan?) -> Set<String> {
        let planned = Set(plan?.tables.map(\.name) ?? [])
        var taken: Set<String> = []
        catalog.materialise { object, virtual in
            let finding = ObjectState.notSupported(.virtualTable, object.name).finding(virtual)
            let choice = decisions.choice(for: finding, plan: plan?.decisions ?? [])?.choice
            guard planned.contains(object.name) || choice?.known == .asTable else { return false }
            taken.insert(object.name)
            return true
        }
        return taken
    }

    /// The plan to follow: the one named, or an edited one in the state folder.
    private func readPlan() throws -> (file: PlanFile, path: String)? {
        if case .given(let plan) = planSource { return (PlanFile(plan), state.planPath) }
        guard case .file(let path) = planSource else { return nil }
        if let path { return (try PlanFile(path: path), path) }
        guard access(state.planPath, F_OK) == 0 else { return nil }
        let file = try PlanFile(path: state.planPath)
        if adopting.isNever, file.plan.adopt ?? false { return nil }
        return file.isEdited ? (file, state.planPath) : nil
    }

    private func plan(
        _ edited: (file: PlanFile, path: String)?, _ snapshot: Snapshot, _ reading: SourceReading
    ) throws -> Preparation {
        progress.begin(.check)
        defer { progress.end() }
        let (catalog, profiles) = (reading.catalog, reading.profiles)
        let detected = Style.detect(catalog, hints: hints)
        let chosen = edited?.file.plan.style ?? style ?? detected.style
        var proposal = Planner(
            catalog: catalog, profiles: profiles, style: chosen, hints: hints,
            schema: edited?.file.plan.schema ?? schema, snapshot: snapshot.sha256,
            identifiers: edited == nil ? identifiers : .exact
        ).propose()
        let adoption = try adopting.adoption(
            proposal, profiles: profiles, catalog: catalog, edited: edited?.file.plan, snapshot: snapshot,
            state: state, cancellation: cancellation)
        if let adoption { proposal = adoption.proposal }
        var review = DataReview(
            snapshot: snapshot, catalog: catalog, tables: reading.tables, profiles: profiles,
            orphans: reading.orphans, proposal: proposal, cancellation: cancellation)
        review.adoption = adoption
        var plan = edited.map { adoption?.refreshed($0.file.plan) ?? $0.file.plan } ?? proposal.plan
        plan.snapshot = snapshot.sha256
        // A virtual table that a decision takes in stands in no plan that was made before.
        for table in proposal.plan.tables where reading.virtual.contains(table.name) {
            if !plan.tables.contains(where: { $0.name == table.name }) { plan.tables.append(table) }
        }
        let decided = try DecisionRound(review: review, decisions: decisions).settle(plan)
        let rows = try RowDecider(review: review, decisions: decisions, state: state).decide(decided)
        return Preparation(
            snapshot: snapshot, catalog: catalog, profiles: profiles, plan: decided.plan,
            planPath: edited?.path,
            hasNewDecisions: decided.hasNewDecisions
                || edited == nil && (!reading.virtual.isEmpty || identifiers != .exact),
            styleEvidence: style == nil || style == detected.style ? detected.evidence : "it was asked for",
            findings: decided.findings + rows.findings
                + memory.findings(decided.plan, profiles), objects: decided.objects,
            decidedColumns: decided.changedTypes, decidedRows: rows.rows, decisions: decisions,
            hold: adoption.map { Hold(plan: decided.plan, target: $0.target) })
    }
}
