import Foundation
import Postgres

/// A change that the operator makes to the plan on the screens or by a command.
public enum PlanEdit: Sendable, Equatable {
    case type(table: String, column: String, type: String)
    case skip(table: String, Bool)
    /// Makes a table that the target lacks, where the others are there already.
    case make(table: String)
    /// Takes a key, an index, a foreign key or a check out by its name.
    case drop(table: String, name: String)
    case dropView(String)
    case dropTrigger(String)
    case nullable(table: String, column: String)
    /// Carries the values of a generated column as plain data.
    case plainData(table: String, column: String)
    /// Makes a foreign key or a check hold for new rows alone.
    case notValid(table: String, name: String)
    case rename(table: String, column: String?, to: String)
    /// Makes an index a hash index, or puts one over md5 of the value in the place of a unique.
    case hash(table: String, name: String)
    case digest(table: String, name: String)
    /// Notes what becomes of the rows or the object of a finding.
    case decide(Decision)

    /// The change that a finding's choice asks for; nil where the finding does not offer it.
    public init?(_ word: String, of finding: Finding) {
        guard let choice = finding.choices.first(where: { $0.word == word }) else { return nil }
        let decision = Self.decide(
            Decision(finding: finding.id, place: finding.place.isEmpty ? nil : finding.place, choice: word))
        guard let known = choice.known else {
            guard let table = finding.table else { return nil }
            if word.hasPrefix(Choice.renamePrefix) {
                self = .rename(
                    table: table, column: finding.column,
                    to: String(word.dropFirst(Choice.renamePrefix.count)))
            } else if let column = finding.column {
                self = .type(table: table, column: column, type: word)
            } else {
                return nil
            }
            return
        }
        switch (known, finding.table, finding.column, finding.object) {
        case (.skipTable, let table?, _, _): self = .skip(table: table, true)
        case (.makeTable, let table?, _, _): self = .make(table: table)
        case (.nullable, let table?, let column?, _): self = .nullable(table: table, column: column)
        case (.notValid, let table?, _, let name?): self = .notValid(table: table, name: name)
        case (.leaveOut, let table?, _, let name?) where finding.isAboutPlannedObject:
            self = .drop(table: table, name: name)
        case (.hash, let table?, _, let name?): self = .hash(table: table, name: name)
        case (.digest, let table?, _, let name?): self = .digest(table: table, name: name)
        case (.leaveOut, let table?, let column?, nil) where finding.id == .refusedByServer:
            self = .plainData(table: table, column: column)
        case (.leaveOut, nil, _, let name?) where finding.isAboutPlannedObject: self = .dropView(name)
        default: self = decision
        }
    }

    private func index(in plan: MigrationPlan) -> Int? {
        let table: String? =
            switch self {
            case .make(let table), .type(let table, _, _), .skip(let table, _), .drop(let table, _),
                .nullable(let table, _),
                .notValid(let table, _), .rename(let table, _, _), .plainData(let table, _),
                .hash(let table, _), .digest(let table, _):
                table
            case .dropView, .dropTrigger, .decide: nil
            }
        return plan.tables.firstIndex { $0.name == table }
    }

    /// The plan with the change; nil where the plan has no such place.
    func applied(to plan: MigrationPlan) -> MigrationPlan? {
        let before = plan
        var plan = plan
        switch self {
        case .decide(let decision):
            plan.decisions = (plan.decisions ?? []).filter {
                $0.finding != decision.finding || $0.place != decision.place
            }
            plan.decisions?.append(decision)
            return plan
        case .dropView(let name): plan.views?.removeAll { $0.name == name }
        case .dropTrigger(let name): plan.triggers?.removeAll { $0.name == name }
        default:
            guard let index = index(in: plan), change(&plan.tables[index]) else { return nil }
            if case .drop(let table, let name) = self {
                plan.triggers?.removeAll { $0.table == table && $0.name == name }
            }
            return isIdempotent || plan != before ? plan : nil
        }
        return plan != before ? plan : nil
    }

    private var isIdempotent: Bool {
        switch self {
        case .drop: false
        default: true
        }
    }

    /// False where the table has no such place.
    private func change(_ table: inout MigrationPlan.Table) -> Bool {
        func place(_ column: String) -> Int? { table.columns.firstIndex { $0.name == column } }
        switch self {
        case .type(_, let column, let type):
            guard let place = place(column) else { return false }
            table.columns[place].type = type
            table.columns[place].reason = "the operator's choice"
        case .nullable(_, let column):
            guard let place = place(column) else { return false }
            table.columns[place].notNull = nil
        case .make: table.make = true
        case .skip(_, let isSkipped): table.skip = isSkipped ? true : nil
        case .drop(_, let name):
            table.foreignKeys?.removeAll { $0.name == name }
            table.indexes?.removeAll { $0.name == name }
            table.uniques?.removeAll { $0.name == name }
            table.checks?.removeAll { $0.name == name }
            if table.primaryKey?.name == name { table.primaryKey = nil }
        case .notValid(_, let name):
            if let key = table.foreignKeys?.firstIndex(where: { $0.name == name }) {
                table.foreignKeys?[key].notValid = true
            } else if let check = table.checks?.firstIndex(where: { $0.name == name }) {
                table.checks?[check].notValid = true
            } else {
                return false
            }
        case .plainData(_, let column):
            guard let place = place(column) else { return false }
            table.columns[place].generated = nil
        case .rename(_, let column?, let name):
            guard let place = place(column) else { return false }
            table.columns[place].target = name
        case .rename(_, nil, let name): table.target = name
        case .hash(_, let name):
            guard let index = table.indexes?.firstIndex(where: { $0.name == name }) else { return false }
            table.indexes?[index].method = "hash"
        case .digest(_, let name):
            let columns =
                table.uniques?.first { $0.name == name }?.columns
                ?? table.indexes?.first { $0.name == name }?.columns
            guard let columns, columns.count == 1 else { return false }
            table.uniques?.removeAll { $0.name == name }
            table.indexes?.removeAll { $0.name == name }
            let terms = table.targetNames(columns).map { "md5(\(quoteIdentifier($0)))" }
            table.indexes =
                (table.indexes ?? []) + [.init(name: name, unique: true, columns: columns, terms: terms)]
        case .dropView, .dropTrigger, .decide: return false
        }
        return true
    }
}

extension Finding {
    /// Whether the object stands in the plan, so that leaving it out means taking it out there.
    var isAboutPlannedObject: Bool { id != .notCarried && id != .notInPlan }
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
