import Postgres
import SQLite

/// Holds a plan against the source's data: what would not fit, what refers to nothing, what is NULL where it must not be.
struct DataReview {
    let snapshot: Snapshot
    let catalog: Catalog
    /// The tables whose rows may be carried.
    let tables: [Catalog.Table]
    let profiles: [String: TableProfile]
    /// Rows whose parents are not there, of all tables.
    let orphans: [OrphanCheck.Orphans]
    let proposal: Planner.Proposal
    let cancellation: Cancellation
    /// Where the target's own tables are loaded.
    var adoption: Adoption?

    struct Outcome {
        var plan: MigrationPlan
        var findings: [Finding]
        var objects: [ObjectState]
        /// Columns whose type is not the proposed one, by table.
        var changedTypes: [String: Set<String>]
    }

    func review(_ plan: MigrationPlan) throws -> Outcome {
        // What was translated follows the types and the names that the operator has chosen.
        let expressions =
            adoption == nil
            ? ExpressionPlanner(catalog: catalog, profiles: profiles, plan: plan, names: proposal.names)
                .expressions()
            : proposal.expressions
        let proposed = expressions.replacing(proposal.expressions, in: proposal.plan)
        var reviewed = try PlanReview.review(
            expressions.replacing(proposal.expressions, in: plan), proposed: proposed)
        reviewed.plan.sourceSchema = proposal.plan.sourceSchema
        reviewed.plan.countDurations()
        reviewed.changedTypes.merge(adoption?.changedTypes ?? [:]) { $0.union($1) }
        let skipped = Set(plan.tables.filter(\.isSkipped).map(\.name))
        let kept = tables.filter { !skipped.contains($0.name) }
        var findings = proposal.findings.filter { !skipped.contains($0.table ?? "") } + reviewed.findings
        findings += NameReview.findings(reviewed.plan)
        findings += try misfits(reviewed, kept)
        findings += try nulls(reviewed.plan, kept)
        findings += ForeignKeyReview.findings(reviewed.plan) + IndexReview.findings(reviewed.plan)
        findings += orphanFindings(reviewed.plan, kept)
        findings += try rowFindings(reviewed.plan, kept)
        findings += try mergedKeys(reviewed, kept)
        findings += snapshot.notes.map {
            Finding(.brokenConstraint, blocking: false, "integrity_check says: \($0)")
        }
        let removed = Set(reviewed.objects.map { "\($0.kind.rawValue) \($0.name)" })
        let objects =
            (proposal.objects + (adoption == nil ? expressions.objects : []))
            .filter { !removed.contains("\($0.kind.rawValue) \($0.name)") }
            + reviewed.objects
        findings += objects.filter(\.isUnexplained).map { object in
            let virtual = catalog.virtualTables.first {
                object.kind == .virtualTable && $0.name == object.name
            }
            return object.finding(virtual.flatMap(VirtualTable.init))
        }
        if let adoption {
            findings = adoption.fitting(findings, reviewed.plan) + adoption.findings(reviewed.plan)
            findings += try adoptedFindings(reviewed.plan, changedTypes: reviewed.changedTypes)
        }
        return Outcome(
            plan: reviewed.plan, findings: findings, objects: objects, changedTypes: reviewed.changedTypes)
    }

    func table(_ name: String) -> Catalog.Table? { tables.first { $0.name == name } }

    // MARK: Findings that ask for the data

    /// Tries the encoder on every column whose values the profile does not prove to fit.
    private func misfits(
        _ reviewed: PlanReview.Outcome, _ tables: [Catalog.Table]
    ) throws -> [Finding] {
        let plan = reviewed.plan
        let check = FitCheck(snapshot: snapshot, cancellation: cancellation)
        var findings: [Finding] = []
        for table in tables {
            guard let planned = plan.tables.first(where: { $0.name == table.name }),
                let profile = profiles[table.name]
            else { continue }
            for (index, column) in table.columns.enumerated() {
                guard let planColumn = planned.columns.first(where: { $0.name == column.name }) else {
                    continue
                }
                let isDecided = reviewed.changedTypes[table.name]?.contains(column.name) ?? false
                let fit = TypeFit.check(
                    planColumn.postgresType, profile.columns[index], integers: planColumn.integers,
                    style: plan.style)
                if fit == .fits { continue }
                let code = Self.code(
                    planColumn, plan, isDecided: isDecided, isAdopted: plan.isAdopted(planned))
                let outcome = try check.run(.init(table: table, column: column.name, code: code))
                guard outcome.count > 0 else { continue }
                let others = try alternatives(
                    table, column, planColumn, profile.columns[index], plan, check)
                findings.append(misfit(outcome, table, planned, planColumn, others))
            }
        }
        return findings
    }

    static func code(
        _ column: MigrationPlan.Column, _ plan: MigrationPlan, isDecided: Bool, isAdopted: Bool
    ) -> ColumnCode {
        var code = ColumnCode(
            column, enums: plan.enums, dates: DateReading(style: plan.style, isDecided: isDecided))
        code.mustBeFull = !isAdopted
        return code
    }

    private func nulls(
        _ plan: MigrationPlan, _ tables: [Catalog.Table]
    ) throws -> [Finding] {
        let connection = try snapshot.open()
        let interrupter = connection.interrupter
        return try cancellation.whileRegistered({ interrupter.interrupt() }) {
            try NullReview.findings(plan, tables, profiles) { table, column in
                do {
                    return try RowSamples.nulls(in: column, of: table, connection)
                } catch let error as SQLiteError where error.isInterrupted {
                    throw MigrationError.cancelled
                }
            }
        }
    }

    /// Rows whose keys are one under the target's types.
    private func mergedKeys(
        _ reviewed: PlanReview.Outcome, _ tables: [Catalog.Table]
    ) throws -> [Finding] {
        let check = KeyCheck(snapshot: snapshot, cancellation: cancellation)
        var findings: [Finding] = []
        for table in tables {
            guard let planned = reviewed.plan.tables.first(where: { $0.name == table.name }),
                let profile = profiles[table.name]
            else { continue }
            for key in KeyReview.doubtful(planned, table, profile) {
                let trial = Self.trial(key, table, planned, reviewed.plan, reviewed.changedTypes[table.name])
                let outcome = try check.run(trial)
                if outcome.count > 0 { findings.append(KeyReview.finding(key, outcome, planned)) }
            }
        }
        return findings
    }

    static func trial(
        _ key: KeyReview.Key, _ table: Catalog.Table, _ planned: MigrationPlan.Table, _ plan: MigrationPlan,
        _ changed: Set<String>?
    ) -> KeyCheck.Trial {
        let columns = key.columns.compactMap { planned.column(named: $0) }
        return KeyCheck.Trial(
            table: table, columns: columns.map(\.name),
            codes: columns.map { column in
                code(
                    column, plan, isDecided: changed?.contains(column.name) ?? false,
                    isAdopted: plan.isAdopted(planned))
            })
    }

    /// Rows that break a check, and rows that are too wide.
    private func rowFindings(
        _ plan: MigrationPlan, _ tables: [Catalog.Table]
    ) throws -> [Finding] {
        let connection = try snapshot.open()
        let interrupter = connection.interrupter
        return try cancellation.whileRegistered({ interrupter.interrupt() }) {
            do {
                return try CheckReview.findings(plan, tables, connection)
                    + RowWidthReview.findings(plan, tables, connection)
            } catch let error as SQLiteError where error.isInterrupted {
                throw MigrationError.cancelled
            }
        }
    }

    private func misfit(
        _ outcome: FitCheck.Outcome, _ table: Catalog.Table, _ plan: MigrationPlan.Table,
        _ planned: MigrationPlan.Column, _ alternatives: [Alternative]
    ) -> Finding {
        let reasons = outcome.reasons.sorted { $0.value > $1.value }
            .map { reason in "\(reason.key.message) (\(reason.value))" }
        // A text with one byte that PostgreSQL refuses is still a text to the application.
        let isEncoding = planned.postgresType == .text && outcome.reasons.keys.allSatisfy { $0 == .encoding }
        let types = alternatives.map { Choice.type($0.type, but: $0.left) }
        var choices = isEncoding ? [] : types
        if RowIdentity(table) != nil { choices.append(.quarantine(outcome.count)) }
        if isEncoding { choices += types + [.escape(outcome.count), .strip(outcome.count)] }
        if plan.mayBeNull([planned.name]), RowIdentity(table) != nil {
            choices.append(.setNull(outcome.count))
        }
        return Finding(
            .valueDoesNotFit, blocking: true, table: table.name, column: planned.name, count: outcome.count,
            sampleRowids: outcome.samples.rowids, sampleKeys: outcome.samples.keys,
            "\(Format.count(outcome.count, "value does", "values do")) not fit \(planned.type): "
                + reasons.joined(separator: "; "),
            choices: choices + [.skipTable(table.name)])
    }

    /// A type, and how many values even that does not hold.
    private typealias Alternative = (type: PostgresType, left: Int)

    /// Types that take every value of a column, tried on each of them; text also where bytes that no text holds are left.
    private func alternatives(
        _ table: Catalog.Table, _ column: Catalog.Column, _ planned: MigrationPlan.Column,
        _ profile: ColumnProfile, _ plan: MigrationPlan, _ check: FitCheck
    ) throws -> [Alternative] {
        try TypeRule.alternatives.compactMap { type in
            guard type != planned.postgresType else { return nil }
            if TypeFit.check(type, profile, integers: nil, style: plan.style) == .fits { return (type, 0) }
            var other = planned
            other.type = type.sql
            other.integers = nil
            let code = ColumnCode(other, enums: [])
            let outcome = try check.run(.init(table: table, column: column.name, code: code))
            let isText = type == .text && outcome.reasons.keys.allSatisfy { $0 == .encoding }
            return outcome.count == 0 || isText ? (type, outcome.count) : nil
        }
    }

    private func orphanFindings(_ plan: MigrationPlan, _ tables: [Catalog.Table]) -> [Finding] {
        let kept = Set(tables.map(\.name))
        return orphans.filter { kept.contains($0.table) }.compactMap { orphans in
            // A key that is not in the plan has nothing to refuse the rows, and one that is NOT VALID refuses none.
            guard let planned = plan.tables.first(where: { $0.name == orphans.table }),
                let key = planned.foreignKeys?.first(where: {
                    $0.columns == orphans.columns && $0.parent == orphans.parent
                }), !(key.notValid ?? false)
            else { return nil }
            var choices: [Choice] = [.notValid(key.name)]
            if let table = table(orphans.table), RowIdentity(table) != nil {
                choices.append(.quarantine(orphans.count, more: ", and rows that refer to them follow"))
                if planned.mayBeNull(key.columns) { choices.append(.setNull(orphans.count)) }
            }
            return Finding(
                .orphanRows, blocking: true, table: orphans.table,
                column: orphans.columns.joined(separator: ", "), object: key.name, count: orphans.count,
                sampleRowids: orphans.rowids,
                "\(Format.count(orphans.count, "row refers", "rows refer")) to rows of \(orphans.parent) that are not there",
                choices: choices + [.leaveOut("the foreign key \(key.name)")])
        }
    }
}

extension MigrationPlan.Table {
    /// Whether every one of the columns takes a NULL.
    func mayBeNull(_ names: [String]) -> Bool {
        names.allSatisfy { name in
            !(column(named: name)?.notNull ?? false) && !(primaryKey?.columns.contains(name) ?? false)
        }
    }
}

extension ObjectState {
    /// What asks the operator whether the object may stay behind.
    var finding: Finding { finding(nil) }

    /// The same of a virtual table, whose rows may be carried.
    func finding(_ virtual: VirtualTable?) -> Finding {
        let what = "\(kind.rawValue) \(name)"
        return Finding(
            .notCarried, blocking: true, object: what, reason ?? "not carried",
            choices: virtual?.choices ?? [.leaveOut("the \(what)")])
    }
}
