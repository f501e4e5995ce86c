import AppProject
import Foundation
import MigrationEngine

/// The scan of a project's code, with what the plan knows of its database.
public struct CodeReview: Sendable {
    private let scan: CodeScan

    public init(root: String, schema: SchemaNames?) {
        scan = CodeScan(root: root, schema: schema)
    }

    public func run(
        cancellation: Cancellation, progress: @Sendable (_ done: Int, _ all: Int) -> Void = { _, _ in }
    ) throws -> CodeScanResult {
        try scan.run(workers: Playbook.workers, cancellation: cancellation, progress: progress)
    }

    /// The names that a project's plan has; nil without a plan. Writes nothing.
    public static func names(project: String, state override: String?) -> SchemaNames? {
        let folders = [override, "\(project)/.howdah"].compactMap(\.self)
        guard let plan = folders.lazy.compactMap({ try? PlanFile(path: "\($0)/plan.yaml").plan }).first else {
            return nil
        }
        return names(plan)
    }

    static func names(_ plan: MigrationPlan) -> SchemaNames {
        let columns = plan.tables.flatMap(\.columns)
        return SchemaNames(
            tables: Set(plan.tables.flatMap { [$0.name, $0.targetName] }),
            columns: Set(columns.flatMap { [$0.name, $0.targetName] }),
            booleans: Set(columns.filter { $0.postgresType == .boolean }.map(\.name)))
    }
}
