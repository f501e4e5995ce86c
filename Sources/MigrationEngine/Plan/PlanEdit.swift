import Foundation

/// A change that the operator makes to the plan on the screens or by a command.
public enum PlanEdit: Sendable, Equatable {
    case type(table: String, column: String, type: String)
    case skip(table: String, Bool)
    case dropForeignKey(table: String, columns: [String])
    /// Takes a key, an index or a foreign key out by its name.
    case drop(table: String, name: String)
    case nullable(table: String, column: String)

    /// The choice that leaves a whole table out.
    static func skipChoice(_ table: String) -> String { "skip: true (leaves out the whole table \(table))" }

    /// The change that a finding's choice asks for; nil where the operator must do it elsewhere.
    public init?(_ choice: String, of finding: Finding) {
        guard let table = finding.table else { return nil }
        if choice.hasPrefix("skip: true") {
            self = .skip(table: table, true)
        } else if choice.hasPrefix("type: "), let column = finding.column {
            self = .type(table: table, column: column, type: String(choice.dropFirst(6)))
        } else if choice == "remove the foreign key from the plan", let columns = finding.column {
            self = .dropForeignKey(table: table, columns: columns.components(separatedBy: ", "))
        } else if choice == "not_null: false", let column = finding.column {
            self = .nullable(table: table, column: column)
        } else if choice.hasPrefix("remove "), choice.hasSuffix(" from the plan") {
            let name = choice.dropFirst("remove ".count).dropLast(" from the plan".count)
            let kind = "the foreign key "
            self = .drop(table: table, name: String(name.hasPrefix(kind) ? name.dropFirst(kind.count) : name))
        } else {
            return nil
        }
    }

    private var table: String {
        switch self {
        case .type(let table, _, _), .skip(let table, _), .dropForeignKey(let table, _), .drop(let table, _),
            .nullable(let table, _):
            table
        }
    }

    /// The plan with the change; nil where the plan has no such place.
    func applied(to plan: MigrationPlan) -> MigrationPlan? {
        var plan = plan
        guard let index = plan.tables.firstIndex(where: { $0.name == table }) else { return nil }
        func place(_ column: String) -> Int? { plan.tables[index].columns.firstIndex { $0.name == column } }
        switch self {
        case .type(_, let column, let type):
            guard let place = place(column) else { return nil }
            plan.tables[index].columns[place].type = type
            plan.tables[index].columns[place].reason = "the operator's choice"
        case .nullable(_, let column):
            guard let place = place(column) else { return nil }
            plan.tables[index].columns[place].notNull = nil
        case .skip(_, let isSkipped):
            plan.tables[index].skip = isSkipped ? true : nil
        case .drop(_, let name):
            let before = plan
            plan.tables[index].foreignKeys?.removeAll { $0.name == name }
            plan.tables[index].indexes?.removeAll { $0.name == name }
            plan.tables[index].uniques?.removeAll { $0.name == name }
            if plan.tables[index].primaryKey?.name == name { plan.tables[index].primaryKey = nil }
            guard plan != before else { return nil }
        case .dropForeignKey(_, let columns):
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
    public static func of(
        _ column: Catalog.Column, _ profile: ColumnProfile, style: Style, table: Catalog.Table? = nil
    ) -> [String] {
        let choice = TypeRule.choose(column, profile, style: style, of: table)
        // A DurationField, which SQLite does not tell from a BigIntegerField.
        let isDuration =
            style == .django && column.declaredType.uppercased() == "BIGINT"
            && profile.integers == profile.values
        return ([choice.type] + choice.alternatives + (isDuration ? [.interval] : [])).map(\.sql)
    }
}
