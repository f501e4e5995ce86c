import Postgres

/// The proof alone: a source compared with a target that is loaded already, by whomever.
///
/// Only reads, in transactions that can do nothing else: a role that may SELECT is enough.
public struct Validation: Sendable {
    let preparation: Preparation
    let hints: SchemaHints?
    let server: TargetServer
    let schema: String?
    let workers: Int
    let cancellation: Cancellation
    let progress: RunProgress
    let differences: DifferenceLog?
    /// Whether a proof of all tables looks for keys, indexes and sequences too that the run has made which loaded them.
    public var looksAtObjects = false

    /// `schema` is the target's where it is said; otherwise the one that holds most of the tables is looked for. `hints` tell
    /// other names of tables and columns. Rows that differ go into `differences`, where it is given.
    public init(
        preparation: Preparation, hints: SchemaHints? = nil, server: TargetServer, schema: String? = nil,
        workers: Int, cancellation: Cancellation, progress: RunProgress, differences: DifferenceLog? = nil
    ) {
        self.differences = differences
        self.preparation = preparation
        self.hints = hints
        self.server = server
        self.schema = schema
        self.workers = workers
        self.cancellation = cancellation
        self.progress = progress
    }

    /// Compares the named tables, all where none are named.
    public func run(tables names: [String]) throws -> MigrationReport {
        try run(tables: names, isWatch: false)
    }

    /// `isWatch` compares tables alone, so that nothing becomes a first proof.
    func run(tables names: [String], isWatch: Bool) throws -> MigrationReport {
        let start = ContinuousClock.now
        try preparation.refuseUnknown(names)
        let all = isWatch ? Set(preparation.plan.tables.map(\.name)) : nil
        let only = names.isEmpty ? all : Set(names)
        progress.begin(.proof)
        let matching = try match(only)
        var matched = preparation
        matched.plan = matching.plan
        var proof = ProofRun(
            preparation: matched, server: server, workers: workers, cancellation: cancellation,
            progress: progress, gate: PauseGate(), differences: differences)
        proof.facts = matching.facts
        let verdicts = try proof.run(only: only)
        progress.end()
        let lost = looksAtObjects && only == nil ? lostObjects(matched.plan.schema) : nil
        return report(matched, verdicts, matching, lost, withViews: only == nil, since: start)
    }

    /// What is prepared, with the names that the target has: by them rows of it are found.
    public func matched(tables names: [String]) throws -> Preparation {
        var matched = preparation
        matched.plan = try match(names.isEmpty ? nil : Set(names)).plan
        return matched
    }

    private func match(_ only: Set<String>?) throws -> TargetMatching {
        try server.withConnection(purpose: "proof") { connection in
            try connection.transaction { connection in
                try connection.execute("SET TRANSACTION READ ONLY")
                return try TargetMatching(
                    preparation, hints: hints, schema: schema, only: only, connection)
            }
        }
    }

    /// What has become of the objects of the run that loaded the target, by its own plan; nil without one, an obstacle where the ledger may
    /// not be read.
    private func lostObjects(_ schema: String) -> Swift.Result<[ObjectState], any Error>? {
        do {
            return try server.withConnection(purpose: "proof") { connection in
                try connection.transaction { connection in
                    try connection.execute("SET TRANSACTION READ ONLY")
                    guard let ledger = try Ledger.newest(schema: schema, connection),
                        let status = try ledger.status(connection), status.stage >= .constrained,
                        let begun = try ledger.begun(connection)
                    else { return nil }
                    let lost = LostObjects(plan: begun.plan, catalog: preparation.catalog)
                    return .success(try lost.all(ledger, connection))
                }
            }
        } catch {
            return .failure(error)
        }
    }

    private func report(
        _ matched: Preparation, _ verdicts: [String: TableVerdict], _ matching: TargetMatching,
        _ lost: Swift.Result<[ObjectState], any Error>?, withViews: Bool, since start: ContinuousClock.Instant
    ) -> MigrationReport {
        var report = MigrationReport(
            command: "validate", preparation: matched, target: server.conninfo.url, progress: progress,
            seconds: (ContinuousClock.now - start).seconds)
        report.objects = []
        switch lost {
        case .success(let objects)?: (report.objects, report.missingObjects) = (objects, objects)
        case .failure(let error)?:
            report.notices.append("keys, indexes and sequences were not looked at: \(error)")
        case nil: break
        }
        report.notices += matching.notices
        // What the plan does not mention was compared by nobody, nor virtual tables that nobody has decided about.
        let virtual = Set(
            preparation.catalog.virtualTables.compactMap {
                ObjectState.notSupported(.virtualTable, $0.name).finding.object
            })
        report.findings = preparation.findings.filter {
            $0.id == .notInPlan || $0.id == .notCarried && $0.blocking && virtual.contains($0.object ?? "")
        }
        report.tables = matched.plan.tables.map { table in
            let verdict = verdicts[table.name]
            var line = MigrationReport.Table(
                table.name, verdict, loaded: verdict?.targetRows ?? 0,
                quarantined: preparation.data.decided?.quarantined[table.name] ?? 0)
            let notes = notes(table, verdict, matching)
            line.notes = notes.isEmpty ? nil : notes
            return line
        }
        if withViews {
            report.views = (matched.plan.views ?? []).map { .init(view: $0.name, verdicts[$0.name]) }
            report.views += matching.missingViews.map {
                .init(
                    view: $0,
                    TableVerdict(
                        .skipped, obstacle: "the target has no such view; the rows of its tables are compared"
                    ))
            }
        }
        report.conclude(isStale: false, isRehearsal: true)
        if report.outcome == .proven, !report.findings.isEmpty { report.end(.undecided, .undecided) }
        return report
    }

    /// What is other in the target's table, and columns in which so many rows differ that single values cannot be why.
    private func notes(
        _ table: MigrationPlan.Table, _ verdict: TableVerdict?, _ matching: TargetMatching
    ) -> [TableNote] {
        var notes = matching.notes[table.name] ?? []
        guard let verdict, verdict.verdict != .skipped,
            let source = preparation.catalog.tables.first(where: { $0.name == table.name }),
            let profile = preparation.profiles[table.name]
        else { return notes }
        for column in table.columns {
            guard let index = source.position(of: column.name), index < profile.columns.count else {
                continue
            }
            let type = matching.types[table.name]?[column.name]
            let changed = verdict.changedColumns[column.name] ?? 0
            let changes = changed > 0 ? changes(of: column.name, in: table.name) : nil
            let differ = Self.differing(changed, of: profile.columns[index].values, verdict, type, changes)
            guard type != nil || differ != nil else { continue }
            notes.append(
                TableNote(
                    column: column.name, rows: changed > 0 ? changed : nil,
                    [type?.text ?? column.name, differ].compactMap(\.self).joined(separator: "; ")))
        }
        return notes
    }

    /// What has become of a column's values; nil where no log of them is kept.
    private func changes(of column: String, in table: String) -> ColumnChanges? {
        (try? differences?.summary(table))?.columns.first { $0.column == column }
    }

    /// Rows that differ in a column, where that is the type's doing, or nearly every value's; nil for others.
    private static func differing(
        _ changed: Int, of values: Int, _ verdict: TableVerdict, _ type: TypeNote?, _ changes: ColumnChanges?
    ) -> String? {
        let isAll = values >= fewest && changed >= values && !verdict.isTruncated
        guard changed > 0, isAll || type != nil else { return nil }
        let rows = Format.count(changed, "row differs", "rows differ")
        // Values of several natures have no one reason.
        let isMixed = changes.map { $0.groups.count > 1 } ?? false
        let natures = changes?.natureWords ?? ""
        switch (isAll, type?.isReason) {
        case (true, true?) where !isMixed: return "all \(rows) in it for that reason"
        case (true, true?): return "all \(rows) in it, which may be why\(natures)"
        case (true, _) where isMixed: return "all \(rows) in it\(natures)"
        case (true, _): return "all \(rows) in it\(natures): perhaps its values were converted on the way"
        case (false, true?): return "\(rows) in it, which may be why"
        case (false, _): return "\(rows) in it"
        }
    }

    /// Of fewer values nothing is said about all of them.
    private static let fewest = 2
}
