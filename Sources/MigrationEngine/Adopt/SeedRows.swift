import Postgres

/// Whether rows that are in the target already are those of the source, so that the operator knows what `keep` would mean.
struct SeedRows: Sendable {
    /// Whether every row of the target's is in the source, the same in every cell.
    let areInSource: Bool
    /// Keys of some that are not.
    let samples: [String]

    /// Tables with more rows are no seeds.
    private static let mostRows = 100_000

    /// Compares by the proof itself, since it is what will be asked for in the end. By the source's names of tables.
    static func compare(
        _ adoption: Adoption, profiles: [String: TableProfile], catalog: Catalog, snapshot: Snapshot,
        server: TargetServer, cancellation: Cancellation
    ) throws -> [String: SeedRows] {
        let plan = adoption.proposal.plan
        let names = plan.adoptedTables.filter { table in
            (1...mostRows).contains(adoption.rowsBefore[table.targetName] ?? 0) && adoption.isThere(table)
        }.map(\.name)
        guard !names.isEmpty else { return [:] }
        let preparation = Preparation(
            snapshot: snapshot, catalog: catalog, profiles: profiles, plan: plan, planPath: nil,
            hasNewDecisions: false, styleEvidence: "", findings: [], objects: [],
            decidedColumns: adoption.changedTypes, decidedRows: nil, decisions: .none)
        let verdicts = try ProofRun(
            preparation: preparation, server: server, workers: 1, cancellation: cancellation,
            progress: RunProgress(), gate: PauseGate(), differences: nil
        ).run(only: Set(names))
        return verdicts.filter { names.contains($0.key) }.mapValues { verdict in
            // Rows that are in the source alone are the only ones that may differ.
            let missing = verdict.sourceRows - verdict.targetRows
            let others = verdict.samples.filter { $0.kind != .missing }.map(\.key)
            return SeedRows(
                areInSource: verdict.obstacle == nil && !verdict.isTruncated
                    && verdict.differences == missing,
                samples: Array(others.prefix(RowSamples.limit)))
        }
    }
}
