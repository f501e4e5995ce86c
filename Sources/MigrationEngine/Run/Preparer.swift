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
    }

    public init(
        source: SourceFile, state: StateFolder, hints: SchemaHints?, style: Style?, schema: String,
        identifiers: Identifiers = .exact, planSource: PlanSource, decisions: Decisions = .none, workers: Int,
        cancellation: Cancellation, progress: RunProgress, adopting: Adopting = .init()
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
        self.cancellation = cancellation
        self.progress = progress
        self.adopting = adopting
    }

    public func prepare() throws -> Preparation {
        // A plan that cannot be read is told before the long work.
        _ = try readPlan()
        return try prepare(takeSnapshot())
    }

    /// The newest snapshot that still equals the source, or a new one.
    public func takeSnapshot() throws -> Snapshot {
        progress.begin(.snapshot)
        defer { progress.end() }
        let progress = progress
        return try SnapshotStore(state, cancellation: cancellation).take(of: source) { fraction in
            progress.snapshotDone.store(Int(fraction * 1000), ordering: .relaxed)
        }
    }

    /// Reads a snapshot and plans.
    public func prepare(_ snapshot: Snapshot) throws -> Preparation {
        let edited = try readPlan()
        progress.begin(.profile)
        let progress = progress
        let connection = try snapshot.open()
        var catalog = try CatalogReader.read(connection)
        let virtual = takeVirtualTables(&catalog, plan: edited?.file.plan)
        let tables = Planner.carriedTables(catalog, hints: hints)
        let profiles = try Profiler(snapshot, cancellation: cancellation).profile(tables, workers: workers) {
            rows in
            progress.preparedRows.add(rows, ordering: .relaxed)
        }
        progress.begin(.check)
        let preparation = try plan(edited, snapshot, catalog, tables, profiles, virtual: virtual)
        progress.end()
        return preparation
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
        guard case .file(let path) = planSource else { return nil }
        if let path { return (try PlanFile(path: path), path) }
        guard access(state.planPath, F_OK) == 0 else { return nil }
        let file = try PlanFile(path: state.planPath)
        if adopting.isNever, file.plan.adopt ?? false { return nil }
        return file.isEdited ? (file, state.planPath) : nil
    }

    private func plan(
        _ edited: (file: PlanFile, path: String)?, _ snapshot: Snapshot, _ catalog: Catalog,
        _ tables: [Catalog.Table], _ profiles: [String: TableProfile], virtual: Set<String>
    ) throws -> Preparation {
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
            snapshot: snapshot, catalog: catalog, tables: tables, profiles: profiles, proposal: proposal,
            cancellation: cancellation)
        review.adoption = adoption
        var plan = edited.map { adoption?.refreshed($0.file.plan) ?? $0.file.plan } ?? proposal.plan
        plan.snapshot = snapshot.sha256
        // A virtual table that a decision takes in stands in no plan that was made before.
        for table in proposal.plan.tables where virtual.contains(table.name) {
            if !plan.tables.contains(where: { $0.name == table.name }) { plan.tables.append(table) }
        }
        let decided = try DecisionRound(review: review, decisions: decisions).settle(plan)
        let rows = try RowDecider(review: review, decisions: decisions, state: state).decide(decided)
        return Preparation(
            snapshot: snapshot, catalog: catalog, profiles: profiles, plan: decided.plan,
            planPath: edited?.path,
            hasNewDecisions: decided.hasNewDecisions
                || edited == nil && (!virtual.isEmpty || identifiers != .exact),
            styleEvidence: style == nil ? detected.evidence : "it was asked for",
            findings: decided.findings + rows.findings, objects: decided.objects,
            decidedColumns: decided.changedTypes, decidedRows: rows.rows, decisions: decisions,
            hold: adoption.map { Hold(plan: decided.plan, target: $0.target) })
    }
}
