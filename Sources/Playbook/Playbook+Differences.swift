import Foundation
import MigrationEngine

/// A page of the rows of a table that differ, with what is known of all of them.
public struct DifferencePage: Sendable, Equatable {
    public var table: String
    public var filter: DifferenceFilter
    /// The number of the first row, counted over those that the filter takes.
    public var first: Int
    public var rows: [RowPair]
    /// Rows that the filter takes.
    public var kept: Int
    public var summary: DifferenceSummary

    public init(
        table: String, filter: DifferenceFilter = .all, first: Int = 0, rows: [RowPair] = [], kept: Int = 0,
        summary: DifferenceSummary = .init()
    ) {
        self.table = table
        self.filter = filter
        self.first = first
        self.rows = rows
        self.kept = kept
        self.summary = summary
    }
}

/// The rows that differ, as the last proof found them; may block.
extension Playbook {
    /// Where the proofs of a mode keep them.
    func differenceLog(_ mode: Mode) throws -> DifferenceLog {
        try DifferenceLog(workspace.state, name: targetName(mode))
    }

    /// The same where there is one; makes none.
    func keptDifferenceLog(_ mode: Mode) throws -> DifferenceLog? {
        let path = "\(workspace.state.path)/differences/\(targetName(mode)).db"
        return access(path, F_OK) == 0 ? try differenceLog(mode) : nil
    }

    /// What the files that tell of a mode's target are named by.
    func targetName(_ mode: Mode) -> String {
        let target = mode == .live ? liveTarget.map(Target.server) : nil
        return (target ?? .rehearsal).differencesName
    }

    /// The digests of a mode's target that were computed last; nil without any, and where no live target is named.
    func keptDigests(_ mode: Mode) -> DigestReport? {
        guard mode == .rehearsal || liveTarget != nil else { return nil }
        return DigestReport.kept(in: workspace.state, name: targetName(mode))
    }

    /// The same by table, as far as they are of the snapshot that the steps work with.
    func tableDigests(_ mode: Mode) -> [String: BookState.TableDigest] {
        guard let kept = keptDigests(mode), kept.snapshot.sha256 == entry(of: "1.2", mode)?.data else {
            return [:]
        }
        let log = try? keptDifferenceLog(mode)
        let loaded = entry(of: "3.2", mode)?.time ?? ""
        let compared = entry(of: "3.4", mode)?.time ?? ""
        let lines = kept.tables.map { table in
            var line = BookState.TableDigest(
                source: table.digests.source, target: table.digests.target, isEqual: table.isEqual,
                obstacle: table.obstacle, time: kept.time)
            // Whoever proved it: step 3.4 is not alone to do it.
            let proven = (try? log?.proof(of: table.name))?.time ?? compared
            line.isOutdated = kept.time < max(loaded, proven)
            return (table.name, line)
        }
        return Dictionary(lines) { first, _ in first }
    }

    /// A page of a table's rows, with both values.
    public func differences(
        _ table: String, filter: DifferenceFilter = .all, from first: Int, count: Int, _ activity: Activity
    ) throws -> DifferencePage {
        let log = try differenceLog(mode)
        let found = try log.page(table, filter: filter, from: first, count: count)
        let reader = try rowReader(activity)
        var page = DifferencePage(table: table, filter: filter, first: first)
        page.kept = try log.count(table, filter: filter)
        let columns = reader.plan.tables.first { $0.name == table }?.columns.map(\.name) ?? []
        page.summary = try log.summary(table, columns: columns)
        if !found.isEmpty { page.rows = try reader.reader.read(found, of: table) }
        return page
    }

    /// Reads rows by the plan that lies on the disk: to look at some, nothing is read of the others.
    private func rowReader(_ activity: Activity) throws -> (reader: RowPairReader, plan: MigrationPlan) {
        let server = try server(mode, cancellation: activity.cancellation)
        guard let snapshot = try snapshot(mode), let plan = try? PlanFile(path: workspace.state.planPath).plan
        else {
            let preparation = try preparation(mode, activity: activity)
            return (RowPairReader(preparation: preparation, server: server), preparation.plan)
        }
        return (try RowPairReader(snapshot: snapshot, plan: plan, server: server), plan)
    }

    /// What step 3.5 would do for some of the rows that differ alone.
    public func previewCopyAgain(_ request: RepairRequest, _ activity: Activity) throws -> Preview {
        try DifferencesStep(request: request).preview(context(activity))
    }

    /// Step 3.5 for some of the rows that differ alone; journalled and undone as the step is.
    public func copyAgain(_ request: RepairRequest, _ activity: Activity) throws {
        try run(DifferencesStep.id, activity, by: DifferencesStep(request: request))
    }

    /// The number of the next row whose key has a text in it, see `DifferenceLog.next`.
    public func nextDifference(
        _ table: String, filter: DifferenceFilter, containing text: String, from number: Int,
        isBackward: Bool
    ) throws -> Int? {
        try differenceLog(mode).next(
            table, filter: filter, containing: text, from: number, isBackward: isBackward)
    }
}
