import AppProject
import Foundation
import MigrationEngine
import Postgres

/// What a report is made from beside the playbook's own state.
public struct ReportOptions: Sendable {
    /// Whether the target is read.
    public var readsTarget: Bool
    /// Whether digests are computed anew; those that were kept are shown otherwise.
    public var computesDigests: Bool

    public init(readsTarget: Bool = true, computesDigests: Bool = true) {
        self.readsTarget = readsTarget
        self.computesDigests = readsTarget && computesDigests
    }
}

extension Playbook {
    /// Gathers everything that there is to say of the migration. What cannot be read is named in it, and stops nothing. May block.
    public func report(_ options: ReportOptions, _ activity: Activity) throws -> Report {
        let server = options.readsTarget ? reachable(activity.cancellation) : .failure(.notAsked)
        if case .success(let server) = server, let server { look(at: server) }
        let state = overview()
        let mode = state.mode.rawValue
        var report = Report(
            title: state.title, time: Date().formatted(.iso8601), who: journal.who, mode: state.mode,
            source: .init(path: state.sourcePath, bytes: state.sourceBytes), target: .init(url: state.target))
        var run = newestRun(state)
        // Of another live target it says nothing of this one.
        if state.mode == .live, let other = run?.report.target, other != liveTarget?.url {
            run = nil
            report.otherTarget = other
        }
        report.naming = naming
        report.add(run?.report)
        report.provenAt = run?.time
        report.ranAt = run?.time
        report.isRunInLines = run?.isInLines ?? false
        report.add(state, journal: journal.entries.filter { $0.mode == state.mode })
        addPlan(&report, state)
        try addProofs(&report)
        report.throughput = Throughput.kept(in: workspace.state, mode: mode)
        report.digests = keptDigests(state.mode)
        try read(server, &report, options, activity)
        forgetOtherDigests(&report)
        report.inUse = try inUse(report)
        report.conclude(state, run: run?.report)
        return report
    }

    /// The report of what is known here, without a look at the target and without new digests.
    public func report() throws -> Report {
        try report(
            ReportOptions(readsTarget: false),
            Activity(step: nil, isUndo: false, cancellation: Cancellation()))
    }

    /// Since when the application uses the target, and what the cutover had proven of it.
    private func inUse(_ report: Report) throws -> Report.InUse? {
        guard let inUse = targetInUse(report.mode) else { return nil }
        var facts = Report.InUse(since: inUse.since, end: inUse.end)
        let switched =
            journal.entries.last { $0.subject == "C.2" && $0.mode == .live && $0.data != nil }?.id ?? .max
        let proof = journal.entries.last {
            $0.subject == "3.4" && $0.mode == .live && $0.kind == .done && $0.id < switched && $0.data != nil
        }
        if let proven = proof.flatMap(provenRun) {
            let carried = cutoverRecord()?.carried
            facts.tables = proven.tables.count { $0.verdict == "equal" }
            facts.rows =
                proven.tables.reduce(0) { $0 + $1.loadedRows } + (carried?.inserted ?? 0)
                - (carried?.deleted ?? 0)
        }
        let differing = report.tables.filter { $0.verdict == "differs" }
        if report.views.contains(where: { $0.verdict == "differs" }) { return facts }
        facts.changed = try keptDifferenceLog(report.mode)?.sinceFirst(differing.map(\.name))?.changed
        return facts
    }

    /// The last proof: of the steps, or of a run in lines, whichever is newer.
    private func newestRun(
        _ state: BookState
    ) -> (time: String, report: MigrationReport, isInLines: Bool)? {
        let kept = KeptRun.kept(in: workspace.state, mode: state.mode.rawValue)
        // A proof by itself speaks through what it has kept, and leaves what the run says of the load.
        let entry = journal.last("3.4", state.mode) {
            !$0.kind.isRemark && !["validate", "repair"].contains(provenRun($0)?.command)
        }
        if let entry, [.done, .failed].contains(entry.kind), let report = provenRun(entry),
            kept.map({ $0.time < entry.time }) ?? true
        {
            return (entry.time, report, false)
        }
        return kept.map { ($0.time, $0.report, true) }
    }

    private func provenRun(_ entry: JournalEntry) -> MigrationReport? {
        entry.data.flatMap { Journal.decode(MigrationReport.self, $0) }
    }

    /// The proofs that others than the last run have made of the target.
    private func addProofs(_ report: inout Report) throws {
        // Without a live target the log would be the rehearsal's.
        guard report.mode == .rehearsal || liveTarget != nil, let log = try keptDifferenceLog(report.mode)
        else { return }
        // Undone work leaves its proofs behind.
        let undone = journal.entries.last { $0.mode == report.mode && Self.changesTarget($0) }?.time
        let since = report.ranAt ?? undone
        try report.take(log, since: since)
        let newest = report.proofs.max { $0.time < $1.time }?.snapshot
        guard let newest, newest != report.source.snapshot?.sha256,
            let snapshot = try snapshots().last(where: { $0.sha256 == newest })
        else { return }
        report.source.snapshot = .init(snapshot)
        report.source.sha256 = snapshot.sourceSHA256
    }

    /// Whether an entry tells of rows that were loaded, or taken back.
    private static func changesTarget(_ entry: JournalEntry) -> Bool {
        ["1.8", "3.2", "3.3", "3.4", Phases.differences].contains(entry.subject)
            && [.done, .failed, .undone].contains(entry.kind)
    }

    private func addPlan(_ report: inout Report, _ state: BookState) {
        guard let plan = try? PlanFile(path: workspace.state.planPath).plan else { return }
        report.planStyle = plan.style.rawValue
        report.decisions = plan.decisions ?? []
        let sha256 = report.source.snapshot?.sha256
        let catalog = (try? snapshots())?.last { $0.sha256 == sha256 }.flatMap { try? $0.catalog() }
        report.plan = plan.tables.map { table in
            let source = catalog?.tables.first { $0.name == table.name }
            return .init(
                name: table.name, target: table.targetName, isSkipped: table.isSkipped,
                columns: table.columns.map {
                    .init(
                        name: $0.name, declared: source?.column(named: $0.name)?.declaredType ?? "",
                        type: $0.type, isNotNull: $0.notNull ?? false, reason: $0.reason ?? "")
                })
        }
    }

    private func snapshots() throws -> [Snapshot] {
        try SnapshotStore(workspace.state, cancellation: Cancellation()).snapshots()
    }

    // MARK: The target

    private enum Unreached: Error { case notAsked, failed(String) }

    /// The target's server; nil where there is none yet.
    private func reachable(_ cancellation: Cancellation) -> Swift.Result<TargetServer?, Unreached> {
        if mode == .rehearsal {
            guard RehearsalCluster.exists(workspace.state),
                let cluster = try? RehearsalCluster(workspace.state, cancellation: cancellation),
                cluster.isMade
            else { return .success(nil) }
        } else if liveTarget == nil {
            return .success(nil)
        }
        do {
            let server = try server(mode, cancellation: cancellation)
            try server.withConnection(purpose: "report") { _ = $0.serverVersion }
            return .success(server)
        } catch {
            return .failure(.failed(Self.explained(error).message))
        }
    }

    private func read(
        _ server: Swift.Result<TargetServer?, Unreached>, _ report: inout Report, _ options: ReportOptions,
        _ activity: Activity
    ) throws {
        switch server {
        case .failure(.notAsked): report.target.obstacle = "it was not asked"
        case .failure(.failed(let why)):
            report.target.obstacle = why
            report.isUnread = true
        case .success(nil): break
        case .success(let server?):
            do {
                try report.target.read(server, schema: schema)
                let snapshot = report.target.snapshot
                report.isOfOtherSource =
                    try snapshot != nil && snapshot != report.runSnapshot
                    && !snapshots().contains { $0.sha256 == snapshot }
                report.kept = try server.keptSummary(schema: schema)
            } catch {
                report.target.obstacle = Self.explained(error).message
                report.isUnread = true
            }
            guard options.computesDigests, report.target.run != nil, !report.isOfOtherSource else { break }
            do {
                let digests = try digests(server, report, activity)
                try digests.keep(in: workspace.state, name: targetName(report.mode))
                report.digests = digests
            } catch {
                try activity.cancellation.check()
                report.missing.append("digests: \(Self.explained(error).message)")
            }
        }
        if let obstacle = report.target.obstacle {
            report.missing.append("the target was not read: \(obstacle)")
        }
    }

    /// Digests of the snapshot that the target was loaded from.
    private func digests(
        _ server: TargetServer, _ report: Report, _ activity: Activity
    ) throws -> DigestReport {
        let sha256 = report.source.snapshot?.sha256
        guard let snapshot = try snapshots().last(where: { $0.sha256 == sha256 }) else {
            throw MigrationError(
                .state, "the snapshot that the target was loaded from is not there any more", remedy: "")
        }
        let preparation = try Preparer(
            source: workspace.source, state: workspace.state, hints: workspace.location.hints, style: nil,
            schema: schema, planSource: .file(nil), workers: Self.workers,
            cancellation: activity.cancellation, progress: activity.progress,
            adopting: Adopting(server: { server })
        ).prepare(snapshot)
        let run = DigestRun(
            preparation: preparation, server: server, workers: Self.workers,
            cancellation: activity.cancellation, progress: activity.progress)
        return try run.run(run.open())
    }

    /// How commands find what is here.
    private var naming: [String] {
        let (open, state) = (workspace.openPath, workspace.state.path)
        let isUsual = ["\(open).howdah", "\(open)/.howdah"].contains(state)
        return [open] + (isUsual ? [] : ["--state", state])
    }

    /// Digests of another snapshot say nothing of this run.
    private func forgetOtherDigests(_ report: inout Report) {
        guard let digests = report.digests, let snapshot = report.source.snapshot?.sha256,
            snapshot != digests.snapshot.sha256
        else { return }
        report.digests = nil
        report.missing.append(
            "digests: those of \(digests.time) are of another snapshot; howdah digest computes them anew")
    }
}

extension Report.Target {
    fileprivate mutating func read(_ server: TargetServer, schema: String) throws {
        version = try server.withConnection(purpose: "report") {
            try $0.query("SELECT 'PostgreSQL ' || current_setting('server_version')").text(0, 0)
        }
        guard let status = try server.runStatus(schema: schema) else { return }
        run = status.run
        started = status.started
        outcome = status.outcome
        snapshot = status.snapshotSHA256
        rows = status.rows
    }
}
