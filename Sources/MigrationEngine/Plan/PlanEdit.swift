import Foundation

/// A change that the operator makes to the plan on the screens or by a command.
public enum PlanEdit: Sendable, Equatable {
    case type(table: String, column: String, type: String)
    case skip(table: String, Bool)
    case dropForeignKey(table: String, columns: [String])

    /// The change that a finding's choice asks for; nil where the operator must do it elsewhere.
    public init?(_ choice: String, of finding: Finding) {
        guard let table = finding.table else { return nil }
        if choice == "skip: true" {
            self = .skip(table: table, true)
        } else if choice.hasPrefix("type: "), let column = finding.column {
            self = .type(table: table, column: column, type: String(choice.dropFirst(6)))
        } else if choice == "remove the foreign key from the plan", let columns = finding.column {
            self = .dropForeignKey(table: table, columns: columns.components(separatedBy: ", "))
        } else {
            return nil
        }
    }

    /// The plan with the change; nil where the plan has no such place.
    func applied(to plan: MigrationPlan) -> MigrationPlan? {
        var plan = plan
        switch self {
        case .type(let table, let column, let type):
            guard let index = plan.tables.firstIndex(where: { $0.name == table }),
                let place = plan.tables[index].columns.firstIndex(where: { $0.name == column })
            else { return nil }
            plan.tables[index].columns[place].type = type
            plan.tables[index].columns[place].reason = "the operator's choice"
        case .skip(let table, let isSkipped):
            guard let index = plan.tables.firstIndex(where: { $0.name == table }) else { return nil }
            plan.tables[index].skip = isSkipped ? true : nil
        case .dropForeignKey(let table, let columns):
            guard let index = plan.tables.firstIndex(where: { $0.name == table }) else { return nil }
            let count = plan.tables[index].foreignKeys?.count ?? 0
            plan.tables[index].foreignKeys?.removeAll { $0.columns == columns }
            guard plan.tables[index].foreignKeys?.count ?? 0 < count else { return nil }
        }
        return plan
    }
}

extension PlanStore {
    /// Writes a preparation's plan with a change into the state folder, as a plan that the operator has edited.
    public func apply(_ edit: PlanEdit, to preparation: Preparation) throws {
        guard let plan = edit.applied(to: preparation.plan) else {
            throw MigrationError(
                .plan, "the plan has no such place", remedy: "Edit plan.yaml by hand.", exit: .usage)
        }
        let text = PlanFile.text(
            plan, rows: preparation.rows, findings: preparation.findings, objects: preparation.objects,
            isEdited: true)
        try state.write(text, to: "plan.yaml")
    }
}

/// Types that hold every value of a column, for the operator to choose from.
public enum TypeAlternatives {
    public static func of(_ column: Catalog.Column, _ profile: ColumnProfile, style: Style) -> [String] {
        let choice = TypeRule.choose(column, profile, style: style)
        return ([choice.type] + choice.alternatives).map(\.sql)
    }
}
