import Foundation
import Postgres

/// What a proof before a repair has found.
struct RepairProof {
    /// Those that differ.
    let tables: [MigrationPlan.Table]
    let verdicts: [String: TableVerdict]
    let proofs: [String: ProofTable]
    let facts: ProofRun.Facts
    /// The rows that differ, one by one.
    let log: DifferenceLog
    /// Whether the source may hold other rows than the snapshot that they were compared with.
    let isOld: Bool
}

/// What of a table's rows that differ is left as it is.
struct RepairLeft: Equatable {
    /// Rows that are as SQLite is today: the source has changed since the snapshot, and the target with it.
    var asToday = 0
    /// Rows that were right in the first proof, or were written again since.
    var written = 0
    /// Rows that were never right, and were written since in other cells.
    var mixed = 0
    /// Why it cannot be told.
    var obstacle: String?

    var rows: Int { asToday + written + mixed }
}

/// Rows that differ, and that no repair may touch.
extension Repair {
    /// Takes rows out of the log that are not to be repaired; says by table what is left as it is.
    ///
    /// Throws, with exit 3, where a row that was named is among them, and where today's source needs decisions of its own.
    func narrow(
        _ proof: RepairProof, _ request: RepairRequest, _ first: FirstProof?
    ) throws -> [String: RepairLeft] {
        var left = Dictionary(proof.tables.map { ($0.name, RepairLeft()) }) { first, _ in first }
        if let first {
            for table in proof.tables {
                left[table.name] = try leaveWritten(table.name, proof.log, first)
            }
        }
        guard proof.isOld else { return left }
        let choice = RepairChoice(request: request, log: proof.log)
        let named = try request.keys.isEmpty ? [] : names(proof.tables, choice)
        try leaveToday(proof, &left)
        let gone = try request.keys.isEmpty ? [] : named.subtracting(names(proof.tables, choice))
        if !gone.isEmpty { throw asToday(gone.sorted(), request.tables) }
        return left
    }

    private func names(_ tables: [MigrationPlan.Table], _ choice: RepairChoice) throws -> Set<String> {
        var names: Set<String> = []
        for table in tables { try choice.forEach(of: table.name) { names.insert($0.name) } }
        return names
    }

    private func asToday(_ keys: [String], _ tables: [String]) -> MigrationError {
        MigrationError(
            .targetNotEmpty,
            "\(tables.joined(separator: ", ")), \(keys.joined(separator: "; ")): as SQLite is today; the source has changed since the "
                + "snapshot of \(preparation.snapshot.time), and the target with it",
            remedy: "Nothing was changed, and nothing is wrong with what was named: leave it out.",
            exit: .undecided)
    }

    // MARK: What was never right

    /// The first proof of the target. Of one that was made after the switch nobody can tell what the application had written by then.
    func firstProof() throws -> FirstProof {
        let remedy = "Nothing was changed. Name single rows with --table NAME --key KEY."
        guard let differences else {
            throw MigrationError(
                .state, "no proof of \(server.conninfo.url) is kept", remedy: remedy, exit: .undecided)
        }
        let first = try FirstProof(
            beside: differences, of: preparation, target: server.conninfo.url,
            remedies: (none: remedy, other: "Name the state folder that has it with --state DIR. " + remedy),
            exit: .undecided)
        guard let inUse, first.time > inUse.since else { return first }
        throw MigrationError(
            .state,
            "the first proof of \(server.conninfo.url) that is kept is of \(first.time): what it found may be the application's, as "
                + inUse.words,
            remedy: remedy, exit: .undecided)
    }

    private func leaveWritten(
        _ table: String, _ log: DifferenceLog, _ first: FirstProof
    ) throws -> RepairLeft {
        let limit = try first.limit(table, log)
        if let obstacle = limit.obstacle {
            return RepairLeft(obstacle: "what was never right in it cannot be told: \(obstacle)")
        }
        guard limit.isWhole else {
            return RepairLeft(
                obstacle:
                    "what was never right in it cannot be told: the first proof found more rows that differ than are kept"
            )
        }
        let left = try log.keepNeverRight(table, since: first.log)
        return RepairLeft(written: left.gone - left.mixed, mixed: left.mixed)
    }

    // MARK: What is as SQLite is today

    /// Whether the source may hold other rows than the snapshot.
    func isOld() throws -> Bool {
        guard !isSourceHeld else { return false }
        let snapshot = preparation.snapshot
        if try snapshot.isCurrent(cancellation: cancellation) { return false }
        // Once nobody uses it any more its pages may be compared, which keeps writers away meanwhile.
        guard inUse != nil, let source = try? SourceFile(path: snapshot.source),
            let changed = try? snapshot.changedPages(source, cancellation: cancellation)
        else { return true }
        return changed > 0
    }

    /// Proves the tables that differ by a snapshot of this moment too: only what differs from both is damage.
    private func leaveToday(_ proof: RepairProof, _ left: inout [String: RepairLeft]) throws {
        let since = "the source has changed since the snapshot of \(preparation.snapshot.time)"
        try withToday(Set(proof.tables.map(\.name))) { today in
            let log = try DifferenceLog(
                path: "\(state.folder("differences"))/repair-today.db", like: proof.log)
            let same = proof.tables.filter { hasSameColumns($0.name, today) }.map(\.name)
            let verdicts = try compare(today, Set(same), proof.facts, into: log).verdicts
            for name in proof.tables.map(\.name) where left[name]?.obstacle == nil {
                var rest = left[name] ?? RepairLeft()
                if same.contains(name), let verdict = verdicts[name] {
                    try leaveToday(name, verdict, proof, log, since, &rest)
                } else {
                    rest.obstacle = "\(since): its columns or its key are others today"
                }
                left[name] = rest
            }
        }
    }

    private func leaveToday(
        _ name: String, _ verdict: TableVerdict, _ proof: RepairProof, _ log: DifferenceLog,
        _ since: String, _ left: inout RepairLeft
    ) throws {
        if verdict.verdict == .equal {
            left.asToday = (proof.verdicts[name]?.differences ?? 0) - left.rows
            try proof.log.clear([name])
        } else if let obstacle = verdict.obstacle {
            left.obstacle = "\(since), and it cannot be compared with it: \(obstacle)"
        } else if verdict.isTruncated || verdict.differences > DifferenceLog.mostRows {
            left.obstacle = "\(since), and more rows differ from it than the proof can name"
        } else if let gone = try proof.log.keep(name, alsoIn: log) {
            left.asToday = gone
        } else {
            left.obstacle =
                "\(since), and rows that are right by now cannot be told from the others; carry over first: howdah cutover"
        }
    }

    private func hasSameColumns(_ name: String, _ today: Preparation) -> Bool {
        let tables = [preparation, today].compactMap { preparation in
            preparation.catalog.tables.first { $0.name == name }
        }
        guard tables.count == 2 else { return false }
        return tables[0].columns.map(\.name) == tables[1].columns.map(\.name)
            && tables[0].primaryKey == tables[1].primaryKey
    }

    /// Where a repair keeps a copy of the source as it is at this moment, for as long as it looks.
    public static func todayPath(_ state: StateFolder) -> String { "\(state.path)/today" }

    /// Deletes what a repair that was killed has left there. A link is not followed.
    public static func removeToday(_ state: StateFolder) {
        try? FileManager.default.removeItem(atPath: todayPath(state))
    }

    /// Calls `body` with the source as it is at this moment, by the plan and the names that the target was found to have. What it
    /// takes is kept apart, and gone afterwards.
    private func withToday(_ tables: Set<String>, _ body: (Preparation) throws -> Void) throws {
        defer { Self.removeToday(state) }
        let folder = try StateFolder.open(
            source: preparation.snapshot.source, project: nil, override: Self.todayPath(state),
            environment: [:])
        let preparer = Preparer(
            source: try SourceFile(path: preparation.snapshot.source), state: folder, hints: hints,
            style: planned.style, schema: planned.schema, planSource: .given(planned),
            decisions: preparation.decisions, workers: workers, cancellation: cancellation,
            progress: progress, adopting: Adopting(server: { server }))
        let kept = try SnapshotStore(state, cancellation: cancellation).snapshots().last
        let isKept = try kept?.isCurrent(cancellation: cancellation) ?? false
        var today = try preparer.prepare(isKept ? kept ?? preparer.takeSnapshot() : preparer.takeSnapshot())
        try refuseUndecided(today, tables)
        today.plan = plan
        today.plan.snapshot = today.snapshot.sha256
        try body(today)
    }

    /// What is in SQLite today may need decisions that the plan does not have.
    private func refuseUndecided(_ today: Preparation, _ tables: Set<String>) throws {
        let known = Set(preparation.blocking.map(\.key))
        guard
            let finding = today.blocking.first(where: {
                !known.contains($0.key) && ($0.table.map(tables.contains) ?? true)
            })
        else { return }
        throw MigrationError(
            .plan,
            "what was written to SQLite since the snapshot of \(preparation.snapshot.time) does not fit the plan, and rows that are right "
                + "by now cannot be told from the others: \(finding.place) \(finding.message)",
            remedy:
                "Nothing was changed. Mend those rows in SQLite, or decide about \(finding.key) in the plan.",
            exit: .undecided)
    }
}
