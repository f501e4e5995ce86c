import Postgres

/// The proof alone: a source compared with a target that is loaded already.
public struct Validation: Sendable {
    let preparation: Preparation
    let server: TargetServer
    let workers: Int
    let cancellation: Cancellation
    let progress: RunProgress

    public init(
        preparation: Preparation, server: TargetServer, workers: Int, cancellation: Cancellation,
        progress: RunProgress
    ) {
        self.preparation = preparation
        self.server = server
        self.workers = workers
        self.cancellation = cancellation
        self.progress = progress
    }

    /// Compares the named tables, all where none are named.
    public func run(tables names: [String]) throws -> MigrationReport {
        let start = ContinuousClock.now
        try preparation.refuseUnknown(names)
        progress.begin(.proof)
        let verdicts = try ProofRun(
            preparation: preparation, server: server, workers: workers, cancellation: cancellation,
            progress: progress, gate: PauseGate(), differences: nil
        ).run(only: names.isEmpty ? nil : Set(names))
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
        if names.isEmpty {
            report.views = (preparation.plan.views ?? []).map { .init(view: $0.name, verdicts[$0.name]) }
        }
        report.conclude(isStale: false, isRehearsal: true)
        if report.outcome == .proven, !report.findings.isEmpty { report.end(.undecided, .undecided) }
        return report
    }
}
