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
    public let planSource: PlanSource
    public let workers: Int
    public let cancellation: Cancellation
    public let progress: RunProgress

    /// Which plan to follow.
    public enum PlanSource: Sendable {
        /// The file at a path; nil takes one in the state folder where it was edited, or makes one.
        case file(String?)
        /// A new one, whatever is there.
        case new
    }

    public init(
        source: SourceFile, state: StateFolder, hints: SchemaHints?, style: Style?, schema: String,
        planSource: PlanSource,
        workers: Int, cancellation: Cancellation, progress: RunProgress
    ) {
        self.source = source
        self.state = state
        self.hints = hints
        self.style = style
        self.schema = schema
        self.planSource = planSource
        self.workers = workers
        self.cancellation = cancellation
        self.progress = progress
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
        let catalog = try CatalogReader.read(connection)
        let tables = Planner.carriedTables(catalog, hints: hints)
        let profiles = try Profiler(snapshot, cancellation: cancellation).profile(tables, workers: workers) {
            rows in
            progress.preparedRows.add(rows, ordering: .relaxed)
        }
        progress.begin(.check)
        let preparation = try plan(edited, snapshot, catalog, tables, profiles)
        progress.end()
        return preparation
    }

    /// The plan to follow: the one named, or an edited one in the state folder.
    private func readPlan() throws -> (file: PlanFile, path: String)? {
        guard case .file(let path) = planSource else { return nil }
        if let path { return (try PlanFile(path: path), path) }
        guard access(state.planPath, F_OK) == 0 else { return nil }
        let file = try PlanFile(path: state.planPath)
        return file.isEdited ? (file, state.planPath) : nil
    }

    private func plan(
        _ edited: (file: PlanFile, path: String)?, _ snapshot: Snapshot, _ catalog: Catalog,
        _ tables: [Catalog.Table], _ profiles: [String: TableProfile]
    ) throws -> Preparation {
        let detected = Style.detect(catalog, hints: hints)
        let chosen = edited?.file.plan.style ?? style ?? detected.style
        let proposal = Planner(
            catalog: catalog, profiles: profiles, style: chosen, hints: hints,
            schema: edited?.file.plan.schema ?? schema, snapshot: snapshot.sha256
        ).propose()
        var reviewed = PlanReview.Outcome(plan: proposal.plan)
        if let edited {
            reviewed = try PlanReview.review(edited.file.plan, proposed: proposal.plan)
            reviewed.plan.snapshot = snapshot.sha256
            reviewed.plan.sourceSchema = proposal.plan.sourceSchema
            reviewed.plan.countDurations()
        }
        let skipped = Set(reviewed.plan.tables.filter(\.isSkipped).map(\.name))
        let kept = tables.filter { !skipped.contains($0.name) }
        var findings = proposal.findings.filter { !skipped.contains($0.table ?? "") } + reviewed.findings
        findings += try misfits(reviewed, proposal.plan, kept, profiles, snapshot)
        findings += try nulls(reviewed.plan, kept, profiles, snapshot)
        findings += ForeignKeyReview.findings(reviewed.plan) + IndexReview.findings(reviewed.plan)
        findings += try orphans(reviewed.plan, kept, snapshot)
        findings += snapshot.notes.map {
            Finding(.brokenConstraint, blocking: false, "integrity_check says: \($0)")
        }
        let removed = Set(reviewed.objects.map { "\($0.kind.rawValue) \($0.name)" })
        let objects = proposal.objects.filter { object in
            !removed.contains("\(object.kind.rawValue) \(object.name)")
        }
        return Preparation(
            snapshot: snapshot, catalog: catalog, profiles: profiles, plan: reviewed.plan,
            planPath: edited?.path,
            styleEvidence: style == nil ? detected.evidence : "it was asked for", findings: findings,
            objects: objects + reviewed.objects, decidedColumns: reviewed.changedTypes)
    }

    // MARK: Findings that ask for the data

    /// Tries the encoder on every column whose values the profile does not prove to fit.
    private func misfits(
        _ reviewed: PlanReview.Outcome, _ proposed: MigrationPlan, _ tables: [Catalog.Table],
        _ profiles: [String: TableProfile], _ snapshot: Snapshot
    ) throws -> [Finding] {
        let plan = reviewed.plan
        let check = FitCheck(snapshot: snapshot, cancellation: cancellation)
        var findings: [Finding] = []
        for table in tables {
            guard let planned = plan.tables.first(where: { $0.name == table.name }),
                let profile = profiles[table.name]
            else { continue }
            for (index, column) in table.columns.enumerated() {
                guard let planColumn = planned.columns.first(where: { $0.name == column.name }) else {
                    continue
                }
                let isDecided = reviewed.changedTypes[table.name]?.contains(column.name) ?? false
                let fit = TypeFit.check(
                    planColumn.postgresType, profile.columns[index], integers: planColumn.integers,
                    style: plan.style)
                if fit == .fits { continue }
                let code = ColumnCode(
                    planColumn, enums: plan.enums, dates: DateReading(style: plan.style, isDecided: isDecided)
                )
                let outcome = try check.run(.init(table: table, column: column.name, code: code))
                guard outcome.count > 0 else { continue }
                findings.append(
                    try misfit(
                        outcome, table, column, planColumn,
                        alternatives(table, column, planColumn, profile.columns[index], plan, check)))
            }
        }
        return findings
    }

    private func nulls(
        _ plan: MigrationPlan, _ tables: [Catalog.Table], _ profiles: [String: TableProfile],
        _ snapshot: Snapshot
    ) throws -> [Finding] {
        let connection = try snapshot.open()
        let interrupter = connection.interrupter
        return try cancellation.whileRegistered({ interrupter.interrupt() }) {
            try NullReview.findings(plan, tables, profiles) { table, column in
                do {
                    return try RowSamples.nulls(in: column, of: table, connection)
                } catch let error as SQLiteError where error.isInterrupted {
                    throw MigrationError.cancelled
                }
            }
        }
    }

    private func misfit(
        _ outcome: FitCheck.Outcome, _ table: Catalog.Table, _ column: Catalog.Column,
        _ planned: MigrationPlan.Column, _ alternatives: [PostgresType]
    ) -> Finding {
        let reasons = outcome.reasons.sorted { $0.value > $1.value }
            .map { reason in "\(reason.key.message) (\(reason.value))" }
        return Finding(
            .valueDoesNotFit, blocking: true, table: table.name, column: column.name, count: outcome.count,
            sampleRowids: outcome.samples.rowids, sampleKeys: outcome.samples.keys,
            "\(Format.count(outcome.count, "value does", "values do")) not fit \(planned.type): "
                + reasons.joined(separator: "; "),
            choices: alternatives.map { "type: \($0.sql)" } + [
                "correct the rows in the source", PlanEdit.skipChoice(table.name),
            ])
    }

    /// Types that take every value of a column, tried on each of them.
    private func alternatives(
        _ table: Catalog.Table, _ column: Catalog.Column, _ planned: MigrationPlan.Column,
        _ profile: ColumnProfile, _ plan: MigrationPlan, _ check: FitCheck
    ) throws -> [PostgresType] {
        try TypeRule.alternatives.filter { type in
            guard type != planned.postgresType else { return false }
            if TypeFit.check(type, profile, integers: nil, style: plan.style) == .fits { return true }
            var other = planned
            other.type = type.sql
            other.integers = nil
            let code = ColumnCode(other, enums: [])
            return try check.run(.init(table: table, column: column.name, code: code)).count == 0
        }
    }

    private func orphans(
        _ plan: MigrationPlan, _ tables: [Catalog.Table], _ snapshot: Snapshot
    ) throws -> [Finding] {
        try OrphanCheck.run(tables, snapshot: snapshot, cancellation: cancellation).compactMap { orphans in
            let planned = plan.tables.first { $0.name == orphans.table }
            // A key that is not in the plan has nothing to refuse the rows.
            guard
                planned?.foreignKeys?.contains(where: {
                    $0.columns == orphans.columns && $0.parent == orphans.parent
                })
                    ?? false
            else { return nil }
            return Finding(
                .orphanRows, blocking: true, table: orphans.table,
                column: orphans.columns.joined(separator: ", "),
                count: orphans.count, sampleRowids: orphans.rowids,
                "\(Format.count(orphans.count, "row refers", "rows refer")) to rows of \(orphans.parent) that are not there",
                choices: ["correct the rows in the source", "remove the foreign key from the plan"])
        }
    }
}
