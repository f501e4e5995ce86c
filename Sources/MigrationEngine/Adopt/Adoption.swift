import Postgres

/// The plan for tables that somebody else, such as a framework's own migrations, has made in the target.
///
/// The target leads: its types, keys and names go into the plan, and howdah makes nothing on those tables. What the source
/// has and they lack, and what they ask for and the source lacks, are findings.
struct Adoption: Sendable {
    let target: TargetCatalog
    /// Rows that were there before howdah loaded any, by table of the target.
    let rowsBefore: [String: Int]
    /// How those rows compare with the source's, by table of the source.
    var seeds: [String: SeedRows] = [:]
    /// Tries values in the target's types.
    let trial: AdoptedTrial
    /// What the source asks for, as the target has it.
    private(set) var proposal: Planner.Proposal
    /// Columns of times whose type is another than the source alone would have got, by table.
    private(set) var changedTypes: [String: Set<String>] = [:]
    /// Columns that the target's tables lack, by table.
    private var missingColumns: [String: [String]] = [:]

    init(
        _ proposal: Planner.Proposal, profiles: [String: TableProfile], catalog: Catalog,
        edited: MigrationPlan?, target: TargetCatalog, rowsBefore: [String: Int],
        trial: AdoptedTrial
    ) {
        self.trial = trial
        self.target = target
        self.rowsBefore = rowsBefore
        self.proposal = proposal
        var before = proposal
        // What was translated from the source is made on no table of somebody else's.
        before.objects += proposal.expressions.objects
        let matches = Self.tables(proposal.plan, edited, target)
        self.proposal.plan.adopt = true
        self.proposal.plan.views = nil
        self.proposal.plan.triggers = nil
        for index in proposal.plan.tables.indices {
            let table = proposal.plan.tables[index]
            let found = matches[table.name].flatMap { target.table(named: $0) }
            if FrameworkTables.keepsOwn(table.name), rowsBefore[found?.name ?? ""] != 0 {
                self.proposal.plan.tables[index].skip = true
            }
            guard let found else { continue }
            let source = catalog.tables.first { $0.name == table.name }
            self.proposal.plan.tables[index] = adopt(
                table, found, source, profiles[table.name], edited?.tables.first { $0.name == table.name })
            self.proposal.plan.tables[index].skip = self.proposal.plan.tables[index].skip ?? table.skip
        }
        addForeignKeys(matches)
        addEnums()
        keepFindings(of: before)
        self.proposal.objects =
            AdoptedObjects(before: before, target: target, adopted: self.proposal.plan, matches)
            .objects
    }

    /// The target's names of the plan's tables.
    static func tables(
        _ plan: MigrationPlan, _ edited: MigrationPlan?, _ target: TargetCatalog
    ) -> [String: String] {
        let made = Set((edited?.tables ?? []).filter { $0.make ?? false }.map(\.name))
        let fixed = (edited?.tables ?? []).compactMap { table in table.target.map { (table.name, $0) } }
        return NameMatch.match(
            plan.tables.map(\.name).filter { !made.contains($0) }, target.tables.map(\.name),
            fixed: Dictionary(fixed, uniquingKeysWith: { first, _ in first }))
    }

    // MARK: One table

    private mutating func adopt(
        _ table: MigrationPlan.Table, _ found: TargetCatalog.Table, _ source: Catalog.Table?,
        _ profile: TableProfile?, _ edited: MigrationPlan.Table?
    ) -> MigrationPlan.Table {
        var adopted = MigrationPlan.Table(name: table.name, columns: [])
        adopted.skip = table.skip ?? proposal.plan.tables.first { $0.name == table.name }?.skip
        adopted.target = found.name == table.name ? nil : found.name
        let fixed = (edited?.columns ?? []).compactMap { column in column.target.map { (column.name, $0) } }
        let matches = NameMatch.match(
            table.columns.map(\.name), found.columns.map(\.name),
            fixed: Dictionary(fixed, uniquingKeysWith: { first, _ in first }))
        for column in table.columns {
            guard let name = matches[column.name], let own = found.column(named: name) else {
                missingColumns[table.name, default: []].append(column.name)
                continue
            }
            let position = source?.columns.firstIndex { $0.name == column.name }
            let profile = position.flatMap { index in
                profile.flatMap { index < $0.columns.count ? $0.columns[index] : nil }
            }
            let planned = adopt(column, own, profile)
            if planned.postgresType.isInstant, planned.postgresType != column.postgresType {
                changedTypes[table.name, default: []].insert(column.name)
            }
            adopted.columns.append(planned)
        }
        let names = Dictionary(matches.map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        for key in found.keys {
            let columns = key.columns.compactMap { names[$0] }
            guard columns.count == key.columns.count else { continue }
            if key.isPrimary {
                adopted.primaryKey = .init(name: key.name, columns: columns)
            } else {
                adopted.uniques = (adopted.uniques ?? []) + [.init(name: key.name, columns: columns)]
            }
        }
        return adopted
    }

    private func adopt(
        _ column: MigrationPlan.Column, _ own: TargetCatalog.Column, _ profile: ColumnProfile?
    ) -> MigrationPlan.Column {
        var planned = MigrationPlan.Column(name: column.name, type: own.type)
        planned.target = own.name == column.name ? nil : own.name
        planned.notNull = own.isNotNull ? true : nil
        planned.numbering = own.sequence == nil ? nil : own.isIdentity ? .identity : .serial
        planned.generated = own.generated
        planned.integers = unit(planned, column, profile)
        planned.reason = own.domain.map { "the target's, by its domain \($0)" } ?? "the target's"
        return planned
    }

    /// What integers count where the target keeps times.
    private func unit(
        _ planned: MigrationPlan.Column, _ column: MigrationPlan.Column, _ profile: ColumnProfile?
    ) -> EpochUnit? {
        let style = proposal.plan.style
        if planned.postgresType == .interval { return EpochUnit.ofDurations(style: style) }
        guard planned.postgresType.isInstant else { return nil }
        if let unit = column.integers { return unit }
        if style == .prisma { return .milliseconds }
        guard let profile, profile.integers > 0 else { return nil }
        return EpochUnit.plausible(min: profile.minInteger, max: profile.maxInteger)
    }

    /// Those of the target's foreign keys whose two sides are both loaded.
    private mutating func addForeignKeys(_ matches: [String: String]) {
        let sources = Dictionary(matches.map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        for index in proposal.plan.tables.indices {
            let table = proposal.plan.tables[index]
            guard let found = matches[table.name].flatMap({ target.table(named: $0) }) else { continue }
            let names = Dictionary(
                table.columns.map { ($0.targetName, $0.name) }, uniquingKeysWith: { first, _ in first })
            for key in found.foreignKeys {
                guard let parentName = key.parent.flatMap({ sources[$0] }),
                    let parent = proposal.plan.tables.first(where: { $0.name == parentName }),
                    !parent.isSkipped
                else { continue }
                let parentNames = Dictionary(
                    parent.columns.map { ($0.targetName, $0.name) }, uniquingKeysWith: { first, _ in first })
                let columns = key.columns.compactMap { names[$0] }
                let parentColumns = key.parentColumns.compactMap { parentNames[$0] }
                guard columns.count == key.columns.count, parentColumns.count == columns.count else {
                    continue
                }
                proposal.plan.tables[index].foreignKeys =
                    (proposal.plan.tables[index].foreignKeys ?? []) + [
                        .init(
                            name: key.name, columns: columns, parent: parentName,
                            parentColumns: parentColumns,
                            onDelete: key.onDelete, onUpdate: key.onUpdate)
                    ]
            }
        }
    }

    /// The labels by which values of enums are read.
    private mutating func addEnums() {
        let used = Set(
            proposal.plan.tables.flatMap(\.columns).compactMap { column in
                if case .enumeration(let name) = column.postgresType { return name }
                return nil
            })
        proposal.plan.enums = target.enums.filter { used.contains($0.key) }
            .map { .init(name: $0.key, labels: $0.value) }.sorted { $0.name < $1.name }
    }

    /// What was found about types that the source alone would have got is not true of the target's.
    private mutating func keepFindings(of before: Planner.Proposal) {
        proposal.findings = before.findings.filter { finding in
            guard let table = proposal.plan.tables.first(where: { $0.name == finding.table }),
                proposal.plan.isAdopted(table), isThere(table)
            else { return true }
            guard !finding.blocking, let name = finding.column else { return finding.blocking }
            let old = before.plan.tables.first { $0.name == table.name }?.column(named: name)
            return finding.id != .typeNarrowed && finding.id != .renamed
                && old?.postgresType == table.column(named: name)?.postgresType
        }
    }

    /// Whether the target has the table under the name that the plan gives.
    func isThere(_ table: MigrationPlan.Table) -> Bool { target.table(named: table.targetName) != nil }

    /// A plan that was written before, with what the target has now: its types, keys and names lead.
    func refreshed(_ edited: MigrationPlan) -> MigrationPlan {
        var plan = edited
        plan.enums = proposal.plan.enums
        plan.views = nil
        plan.triggers = nil
        for index in plan.tables.indices where !(plan.tables[index].make ?? false) {
            let table = plan.tables[index]
            guard let own = proposal.plan.tables.first(where: { $0.name == table.name }), isThere(own) else {
                continue
            }
            var fresh = own
            fresh.skip = table.skip
            fresh.columns = table.columns.compactMap { column in
                if missingColumns[table.name]?.contains(column.name) ?? false { return nil }
                guard var current = own.column(named: column.name) else { return column }
                current.integers = column.integers ?? current.integers
                return current
            }
            plan.tables[index] = fresh
        }
        return plan
    }

    // MARK: What is to be decided

    /// What stands between the plan and the target's tables.
    func findings(_ plan: MigrationPlan) -> [Finding] {
        let hold = Hold(plan: plan, target: target)
        return plan.tables.filter { plan.isAdopted($0) && !$0.isSkipped }.flatMap { table -> [Finding] in
            guard let found = target.table(named: table.targetName) else { return [missing(table)] }
            return columns(table, found) + obstacles(table, found) + hold.obstacles(table)
                + [rows(table, found)].compactMap(\.self)
        }
    }

    private func missing(_ table: MigrationPlan.Table) -> Finding {
        let other = target.others[table.targetName].map { ": \(table.targetName) is \($0) there" } ?? ""
        let usesEnum = table.columns.contains { column in
            if case .enumeration = column.postgresType { return true }
            return false
        }
        let mayBeMade = other.isEmpty && !usesEnum
        return Finding(
            .missingInTarget, blocking: true, table: table.name,
            "the target's schema has no table for \(table.name)\(other); where it goes by another name, say so with "
                + "target: in the plan",
            choices: (mayBeMade ? [.makeTable(table.targetName)] : []) + [.skipTable(table.name)])
    }

    private func columns(_ table: MigrationPlan.Table, _ found: TargetCatalog.Table) -> [Finding] {
        let missing = (missingColumns[table.name] ?? []).map { column in
            Finding(
                .missingInTarget, blocking: true, table: table.name, column: column,
                "the target's table \(found.name) has no column for \(column); where it goes by another name, say so "
                    + "with target: in the plan",
                choices: [.leaveOutColumn(column), .skipTable(table.name)])
        }
        let filled = Set(table.columns.map(\.targetName))
        let extra = found.columns.filter { !filled.contains($0.name) && $0.generated == nil }.map { column in
            let place = "the target's column \(found.name).\(column.name) is not in the source"
            return column.mayBeLeftOut
                ? Finding(
                    .extraInTarget, blocking: false, table: table.name, object: column.name,
                    "\(place): its default fills it")
                : Finding(
                    .extraInTarget, blocking: true, table: table.name, object: column.name,
                    "\(place), is NOT NULL and has no default: give it one in the target, then plan again",
                    choices: [.skipTable(table.name)])
        }
        return missing + extra
    }

    private func obstacles(_ table: MigrationPlan.Table, _ found: TargetCatalog.Table) -> [Finding] {
        var reasons: [String] = []
        if found.hidesRows {
            reasons.append(
                "row-level security holds for you on \(found.name): load as its owner or by BYPASSRLS")
        }
        if !found.missingRights.isEmpty {
            reasons.append(
                "you lack rights: GRANT \(found.missingRights.joined(separator: ", ")) ON "
                    + "\(quoteIdentifier(proposal.plan.schema, found.name)) (DELETE to take the rows back)")
        }
        for column in found.columns where !column.maySetSequence {
            reasons.append(
                "you may not set the sequence of \(column.name): GRANT SELECT, UPDATE ON SEQUENCE \(column.sequence ?? "")"
            )
        }
        return reasons.map { Self.cannotBeLoaded(table, $0) }
    }

    static func cannotBeLoaded(_ table: MigrationPlan.Table, _ reason: String) -> Finding {
        Finding(
            .cannotBeLoaded, blocking: true, table: table.name, "\(table.name) cannot be loaded: \(reason)",
            choices: [.skipTable(table.name)])
    }

    private func rows(_ table: MigrationPlan.Table, _ found: TargetCatalog.Table) -> Finding? {
        guard let count = rowsBefore[found.name], count > 0 else { return nil }
        let rows = Format.count(count, "row is", "rows are")
        let seed = seeds[table.name]
        let words =
            seed.map {
                $0.areInSource ? ", and in the source as they are" : ", and not all in the source as they are"
            } ?? ""
        let keep = found.keys.isEmpty ? [] : [Choice.keep(found.name, isSame: seed?.areInSource ?? false)]
        return Finding(
            .rowsInTarget, blocking: true, table: table.name, count: count, sampleKeys: seed?.samples ?? [],
            "\(rows) in the target's table \(found.name) already\(words)",
            choices: keep + [.replace(found.name, count), .skipTable(table.name)])
    }

    // MARK: Other findings, about tables that stay as they are

    /// Findings of other reviews without what cannot be done to a table of somebody else's, or what it holds already.
    func fitting(_ findings: [Finding], _ plan: MigrationPlan) -> [Finding] {
        findings.compactMap { finding in
            guard let table = plan.tables.first(where: { $0.name == finding.table }), plan.isAdopted(table)
            else {
                return finding
            }
            switch finding.id {
            case .foreignKeyTypes, .foreignKeyParentNotUnique, .foreignKeyParentMissing, .notIndexable:
                return nil
            case .checkBroken: return nil
            case .valueDoesNotFit, .nullInKey, .nullInNotNull, .orphanRows, .keysMerge, .rowTooWide:
                var fitting = finding
                let possible: Set<Choice.Word> = [.quarantine, .setNull, .strip, .escape, .skipTable]
                fitting.choices = finding.choices.filter { $0.known.map(possible.contains) ?? false }
                if !fitting.choices.contains(where: { $0.known == .skipTable }) {
                    fitting.choices.append(.skipTable(table.name))
                }
                return fitting
            default: return finding
            }
        }
    }
}

extension MigrationPlan {
    /// Whether the target has the table already, and howdah makes nothing on it.
    func isAdopted(_ table: Table) -> Bool { (adopt ?? false) && !(table.make ?? false) }

    /// Tables that somebody else has made and that are loaded.
    var adoptedTables: [Table] { tables.filter { isAdopted($0) && !$0.isSkipped } }
}

/// Tables in which a framework notes which of its migrations have run: the target's own say so of the target.
enum FrameworkTables {
    private static let names: Set<String> = [
        "django_migrations", "schema_migrations", "ar_internal_metadata", "_prisma_migrations",
        "alembic_version",
        "knex_migrations", "knex_migrations_lock", "sequelizemeta", "flyway_schema_history",
        "goose_db_version",
        "typeorm_metadata", "__drizzle_migrations", "__efmigrationshistory", "databasechangelog",
        "databasechangeloglock", "phinxlog", "doctrine_migration_versions",
    ]

    static func keepsOwn(_ table: String) -> Bool { names.contains(table.lowercased()) }
}
