import Foundation
import Postgres

/// Compares a prepared source with a target, whoever loaded it.
struct ProofRun {
    let preparation: Preparation
    let server: TargetServer
    let workers: Int
    let cancellation: Cancellation
    let progress: RunProgress
    let gate: PauseGate
    let differences: DifferenceLog?
    /// What is known of a target's tables that the plan does not tell.
    var facts = Facts()

    /// Of tables that somebody else has made, by the source's names.
    struct Facts: Sendable {
        /// Why tables cannot be compared at all.
        var unmatched: [String: String] = [:]
        /// What tables lack, whatever their rows come to.
        var lacking: [String: String] = [:]
        /// Tables whose rows no unique index gives in the order of their key.
        var unordered: Set<String> = []
    }

    /// What can be compared, and the verdicts on what cannot.
    struct Opening {
        var tables: [ProofTable] = []
        var verdicts: [String: TableVerdict] = [:]
    }

    /// A verdict for every table of the plan, by name; for views too where no names are given.
    func run(only names: Set<String>? = nil) throws -> [String: TableVerdict] {
        let opening = try open(only: names)
        if progress.tables.isEmpty { progress.setTables(opening.tables.map(\.counters)) }
        let prover = prover
        try prover.compare(opening.tables, workers: workers)
        return try conclude(opening, prover, withViews: names == nil)
    }

    var prover: Prover {
        Prover(
            data: preparation.data, server: server, schema: preparation.plan.schema,
            cancellation: cancellation,
            progress: progress, gate: gate, differences: differences)
    }

    /// Looks at the target's tables, which may be without rows yet, and forgets what an earlier proof has found.
    func open(only names: Set<String>? = nil) throws -> Opening {
        var opening = Opening()
        let plan = preparation.plan
        try server.withConnection(purpose: "proof") { connection in
            for table in plan.tables {
                if table.isSkipped || !(names?.contains(table.name) ?? true) {
                    opening.verdicts[table.name] = TableVerdict(
                        .skipped,
                        obstacle: table.isSkipped ? "left out by the plan" : MigrationReport.Table.notAsked)
                    continue
                }
                let found =
                    try facts.unmatched[table.name].map { .failure(Obstacle(description: $0)) }
                    ?? proofTable(table, connection)
                switch found {
                case .success(var proof):
                    proof.mayBeWalked = !facts.unordered.contains(table.name)
                    opening.tables.append(proof)
                    opening.verdicts[table.name] = TableVerdict(.equal)
                case .failure(let obstacle):
                    var verdict = TableVerdict(.differs, obstacle: obstacle.description)
                    verdict.sourceRows = preparation.profiles[table.name]?.rows ?? 0
                    verdict.differences = max(1, verdict.sourceRows)
                    opening.verdicts[table.name] = verdict
                }
            }
            try noteHolders(opening.tables, connection)
        }
        try differences?.clear(
            names.map(Array.init) ?? (plan.tables.map(\.name) + (plan.views ?? []).map(\.name)))
        return opening
    }

    /// Says whom the comparison waits for.
    private func noteHolders(
        _ tables: [ProofTable], _ connection: borrowing Postgres.Connection
    ) throws {
        let names = tables.map { quoteIdentifier(preparation.plan.schema, $0.target) }
        let found = try LockHolders.of(names, ofReaders: true, connection)
        guard !found.isEmpty else { return }
        progress.note("waits for other sessions: \(found.joined(separator: "; "))")
    }

    /// Once every piece was compared: what decisions keep out of the target, and the rows of views.
    func conclude(
        _ opening: Opening, _ prover: Prover, withViews: Bool
    ) throws -> [String: TableVerdict] {
        var verdicts = opening.verdicts.merging(prover.verdicts.all) { $1 }
        try checkKept(opening.tables, &verdicts)
        for (name, obstacle) in facts.lacking {
            guard var verdict = verdicts[name], verdict.verdict != .skipped else { continue }
            verdict.verdict = .differs
            verdict.obstacle = verdict.obstacle ?? obstacle
            verdicts[name] = verdict
        }
        if withViews {
            let views = try server.withConnection(purpose: "proof") { try proofViews($0, &verdicts) }
            try prover.compare(views, workers: workers)
            verdicts.merge(views.map { ($0.source.name, prover.verdicts[$0.source.name]) }) { $1 }
        }
        let snapshot = preparation.snapshot.sha256
        let compared = opening.tables.map { table in
            (
                table.source.name,
                [quoteIdentifier(preparation.plan.schema, table.target)] + table.targetColumns
            )
        }
        try differences?.finish(
            verdicts, snapshot: snapshot, compared: Dictionary(compared) { first, _ in first })
        if withViews { try differences?.keepAsFirst(of: load) }
        return verdicts
    }

    /// What the target holds, as its ledger tells it apart from any other load; nil without one, or where it may not be read.
    private var load: String? {
        let schema = preparation.plan.schema
        return try? server.withConnection(purpose: "proof") {
            try Ledger.newest(schema: schema, $0)?.load($0)
        }
    }

    /// The views whose rows can be compared; the others get their verdict.
    private func proofViews(
        _ connection: borrowing Postgres.Connection, _ verdicts: inout [String: TableVerdict]
    ) throws -> [ProofTable] {
        var tables: [ProofTable] = []
        for view in preparation.plan.views ?? [] {
            if preparation.data.decided != nil {
                verdicts[view.name] = TableVerdict(
                    .skipped,
                    obstacle: "decisions keep rows or values out of the target, which a view would show")
                continue
            }
            guard
                let columns = try TargetColumns.read(
                    view.targetName, schema: preparation.plan.schema, connection),
                let table = ViewProof.table(view, preparation, columns)
            else {
                var verdict = TableVerdict(.differs, obstacle: "the view is not in the target")
                verdict.differences = 1
                verdicts[view.name] = verdict
                continue
            }
            tables.append(table)
        }
        return tables
    }

    /// Every row of the source is compared or in quarantine, and what decisions keep out is there whole.
    private func checkKept(_ tables: [ProofTable], _ verdicts: inout [String: TableVerdict]) throws {
        let decided = preparation.data.decided?.tables ?? [:]
        for table in tables {
            let name = table.source.name
            let kept = decided[name]?.quarantined ?? 0
            guard let compared = verdicts[name]?.sourceRows, compared + kept != table.profile.rows else {
                continue
            }
            refuse(
                name,
                "\(compared) rows were compared and \(kept) are in quarantine, of \(table.profile.rows) in the source",
                &verdicts)
        }
        guard tables.contains(where: { decided[$0.source.name] != nil }) else { return }
        let source = try preparation.data.open()
        try server.withConnection(purpose: "proof") { target in
            let run = try Ledger.newest(schema: preparation.plan.schema, target)?.run
            for table in tables {
                guard let rows = decided[table.source.name] else { continue }
                let proof = KeptRowsProof(table: table.source, decided: rows, run: run ?? 0)
                if let obstacle = try proof.obstacle(source, target) {
                    refuse(table.source.name, obstacle, &verdicts)
                }
            }
        }
    }

    private func refuse(_ name: String, _ obstacle: String, _ verdicts: inout [String: TableVerdict]) {
        guard var verdict = verdicts[name] else { return }
        verdict.verdict = .differs
        verdict.differences = max(1, verdict.differences)
        verdict.obstacle = verdict.obstacle ?? obstacle
        verdicts[name] = verdict
    }

    private struct Obstacle: Error, CustomStringConvertible {
        let description: String
    }

    /// What the proof reads of one table, by the types that the target has.
    private func proofTable(
        _ table: MigrationPlan.Table, _ connection: borrowing Postgres.Connection
    ) throws -> Swift.Result<ProofTable, Obstacle> {
        guard let source = preparation.catalog.tables.first(where: { $0.name == table.name }),
            let profile = preparation.profiles[table.name]
        else { return .failure(Obstacle(description: "the table is not in the source")) }
        guard
            let target = try TargetColumns.read(table.targetName, schema: preparation.plan.schema, connection)
        else {
            return .failure(Obstacle(description: "the table is not in the target"))
        }
        let types = target.types
        var codes: [ColumnCode] = []
        var columns: [MigrationPlan.Column] = []
        var foreign: [String: ForeignForm] = [:]
        for column in table.columns {
            guard let type = types[column.targetName] else {
                return .failure(
                    Obstacle(description: "the target's table has no column \(column.targetName)"))
            }
            var actual = column
            // A varchar(n) is compared as any text, of a number too.
            if case .varchar = type { actual.type = PostgresType.text.sql } else { actual.type = type.sql }
            actual.integers = column.integers ?? unit(of: actual, source, profile)
            foreign[column.name] = actual.foreignForm
            columns.append(actual)
            codes.append(
                ColumnCode(
                    actual, enums: preparation.plan.enums,
                    dates: DateReading(style: preparation.plan.style, isDecided: true)))
        }
        let counters =
            progress.tables.first { $0.name == table.name }
            ?? RunProgress.Table(name: table.name, rows: profile.rows)
        return .success(
            ProofTable(
                source: source, target: table.targetName, profile: profile,
                columns: table.columns.map(\.name), targetColumns: table.columns.map(\.targetName),
                codes: codes, foreign: foreign, counters: counters, isPlain: target.isPlain, actual: columns))
    }

    private func unit(
        of column: MigrationPlan.Column, _ source: Catalog.Table, _ profile: TableProfile
    ) -> EpochUnit? {
        guard let index = source.columns.firstIndex(where: { $0.name == column.name }) else { return nil }
        return Self.unit(of: column, profile.columns[index], preparation.plan.style)
    }

    /// What integers in a date column count, where the plan has another type than the target.
    static func unit(
        of column: MigrationPlan.Column, _ profile: ColumnProfile, _ style: Style
    ) -> EpochUnit? {
        if style == .prisma { return .milliseconds }
        if column.postgresType == .interval { return EpochUnit.ofDurations(style: style) }
        return profile.integers > 0
            ? EpochUnit.plausible(min: profile.minInteger, max: profile.maxInteger) : nil
    }
}
