import Foundation
import MigrationEngine

/// What profile and plan found: kept in the journal, so that it can be shown when the program is opened again.
struct Assessment: Codable {
    var findings: [Finding]
    var objects: [ObjectState]
    var rows: [String: Int]

    /// `more` are findings that only the server could see.
    init(_ preparation: Preparation, more: [Finding] = []) {
        findings = preparation.findings + more
        objects = preparation.objects
        rows = preparation.rows
    }
}

/// 1.6: looks at every value.
struct ProfileStep: StepOperation {
    func preview(_ context: StepContext) throws -> Preview {
        let snapshot = try context.book.snapshot(context.mode)
        return Preview([
            .init("Reads every value of", [snapshot?.path ?? "the snapshot"]),
            .init(
                "Looks for",
                [
                    "what is really stored, whatever is declared: storage classes, ranges, lengths, dates",
                    "what PostgreSQL would refuse or change: text that is no UTF-8, orphans, values that do not fit",
                ]),
        ])
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        try Self.outcome(context.preparation())
    }

    static func outcome(_ preparation: Preparation) -> StepOutcome {
        let columns = preparation.catalog.tables.reduce(0) { $0 + $1.columns.count }
        let rows = preparation.rows.values.reduce(0, +)
        let blocking = preparation.blocking.count
        return StepOutcome(
            evidence: [
                "\(Format.count(rows, "row", "rows")), \(Format.count(columns, "column", "columns")) of "
                    + Format.count(preparation.rows.count, "table", "tables"),
                "taken for \(preparation.plan.style.rawValue): \(preparation.styleEvidence)",
                Format.count(preparation.findings.count, "finding", "findings")
                    + (blocking > 0 ? ", \(blocking) of them to be decided" : ", none to be decided"),
            ], data: Journal.encode(Assessment(preparation)))
    }
}

/// 1.7: writes the plan, or takes the one that the operator has changed.
struct PlanStep: StepOperation {
    func preview(_ context: StepContext) throws -> Preview {
        let preparation = try context.preparation()
        let path = context.workspace.state.planPath
        var sections = [
            Preview.Section(
                preparation.planPath == nil ? "Writes" : "Keeps as you have changed it", [path]),
            .init(
                "Columns, with the type that each gets",
                preparation.plan.tables.flatMap { table in
                    [table.name + (table.isSkipped ? "  (left out)" : "")]
                        + table.columns.map { column in
                            "  \(column.name)  \(column.type)" + (column.reason.map { "  — \($0)" } ?? "")
                        }
                }, .list),
        ]
        let left = preparation.objects.filter { $0.state == .leftOut && $0.isUnexplained }
        if !left.isEmpty {
            sections.append(
                .init("Left out", left.map { "\($0.kind.rawValue) \($0.name): \($0.reason ?? "")" }, .list))
        }
        let open = preparation.blocking.count
        return Preview(
            sections, warning: open > 0 ? "\(open) findings must be decided first: 8 shows them." : nil)
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let preparation = try context.preparation()
        let state = context.workspace.state
        let before = try PlanStore(state).keep(preparation)
        context.book.keep(preparation)
        return Self.outcome(preparation, state, before: before)
    }

    /// `before` is where in the folder the plan before is kept, if there was another one.
    static func outcome(_ preparation: Preparation, _ state: StateFolder, before: String?) -> StepOutcome {
        let tables = preparation.plan.tables.count { !$0.isSkipped }
        let origin = preparation.planPath == nil ? "as howdah made it" : "as you have changed it"
        var evidence = [
            "\(Format.count(tables, "table", "tables")), style \(preparation.plan.style.rawValue), \(origin)",
            state.planPath,
        ]
        if let before { evidence.append("the plan before is in \(state.path)/\(before)") }
        let left = preparation.objects.count { $0.state == .leftOut && $0.isUnexplained }
        if left > 0 { evidence.append("\(left) objects cannot be carried yet, and are left out") }
        return StepOutcome(
            evidence: evidence, open: preparation.blocking.count,
            data: Journal.encode(Assessment(preparation)))
    }

    func undoPreview(_ context: StepContext) throws -> Preview? {
        guard !context.book.planText.isEmpty else { return nil }
        return Preview(
            [.init("Removes", [context.workspace.state.planPath])],
            warning: "A copy stays in \(context.workspace.state.path)/plans.")
    }

    func undo(_ context: StepContext) throws -> [String] {
        let state = context.workspace.state
        let text = context.book.planText
        guard !text.isEmpty else { return ["it was gone already"] }
        let name = "plans/\(PlanFile.digest(text)).yaml"
        _ = try state.folder("plans")
        try state.write(text, to: name)
        try FileManager.default.removeItem(atPath: state.planPath)
        let evidence = context.book.journal.last("1.7", context.mode) { $0.kind == .done }?.evidence ?? []
        let marker = "the plan before is in \(state.path)/"
        if let before = evidence.first(where: { $0.hasPrefix(marker) })?.dropFirst(marker.count),
            let old = FileManager.default.contents(atPath: "\(state.path)/\(before)")
        {
            try state.write(String(decoding: old, as: UTF8.self), to: "plan.yaml")
            return ["the plan before is back", "a copy of the other is in \(state.path)/\(name)"]
        }
        return ["removed plan.yaml", "a copy is in \(state.path)/\(name)"]
    }
}
