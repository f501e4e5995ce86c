import Postgres

/// The proof alone: a source compared with a target that is loaded already.
public struct Validation: Sendable {
    let preparation: Preparation
    let server: TargetServer
    let workers: Int
    let cancellation: Cancellation
    let progress: RunProgress
    let differences: DifferenceLog?

    /// Rows that differ go into `differences`, where it is given.
    public init(
        preparation: Preparation, server: TargetServer, workers: Int, cancellation: Cancellation,
        progress: RunProgress, differences: DifferenceLog? = nil
    ) {
        self.differences = differences
        self.preparation = preparation
        self.server = server
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
        let known = Set(preparation.plan.tables.map(\.name))
        if let unknown = names.first(where: { !known.contains($0) }) {
            throw MigrationError(
                .plan, "the source has no table \(unknown)",
                remedy: "Its tables are: \(known.sorted().joined(separator: ", ")).", exit: .usage)
        }
        progress.begin(.proof)
        let verdicts = try ProofRun(
            preparation: preparation, server: server, workers: workers, cancellation: cancellation,
            progress: progress, gate: PauseGate(), differences: differences
        ).run(only: names.isEmpty ? (isWatch ? known : nil) : Set(names))
        progress.end()
        var report = MigrationReport(
            command: "validate", preparation: preparation, target: server.conninfo.url, progress: progress,
            seconds: (ContinuousClock.now - start).seconds)
        report.objects = []
        // What the plan does not mention was compared by nobody.
        report.findings = preparation.findings.filter { $0.id == .notInPlan }
        report.tables = preparation.plan.tables.map { table in
            .init(
                table.name, verdicts[table.name], loaded: verdicts[table.name]?.targetRows ?? 0,
                quarantined: preparation.data.decided?.quarantined[table.name] ?? 0)
        }
        if names.isEmpty, !isWatch {
            report.views = (preparation.plan.views ?? []).map { .init(view: $0.name, verdicts[$0.name]) }
        }
        report.conclude(isStale: false, isRehearsal: true)
        if report.outcome == .proven, !report.findings.isEmpty { report.end(.undecided, .undecided) }
        return report
    }
}
