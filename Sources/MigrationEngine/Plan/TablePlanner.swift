import SQLDialect

/// Plans one table: its columns, keys and indexes.
struct TablePlanner {
    let table: Catalog.Table
    let profile: TableProfile
    /// The types of the columns, in their order.
    let choices: [TypeRule.Choice]
    let style: Style
    let hints: SchemaHints?
    let enums: [MigrationPlan.Enumeration]

    func build(names: inout NameSpace, into proposal: inout Planner.Proposal) -> MigrationPlan.Table {
        if table.columns.count > 1600 {
            proposal.findings.append(
                Finding(
                    .tooManyColumns, blocking: true, table: table.name, count: table.columns.count,
                    "the table has \(table.columns.count) columns, and PostgreSQL's limit is 1,600",
                    choices: [.skipTable(table.name)]))
        }
        proposal.objects.append(.carried(.table, table.name))
        var plan = MigrationPlan.Table(name: table.name, columns: [])
        for (index, column) in table.columns.enumerated() {
            let profile = index < profile.columns.count ? profile.columns[index] : ColumnProfile()
            plan.columns.append(build(column, profile, choices[index], &proposal))
        }
        for twin in Naming.twins(table.columns.map(\.name)) {
            proposal.findings.append(
                Finding(
                    .nameNotPossible, blocking: true, table: table.name, column: twin,
                    "the name of the column \(twin) \(Naming.twinWhy): rename it in the source, in a copy of it",
                    choices: [.skipTable(table.name)]))
        }
        buildKeys(&plan, &names, &proposal)
        buildForeignKeys(&plan, &proposal)
        for clause in table.conflictClauses {
            proposal.objects.append(
                .notSupported(.conflictClause, "\(table.name).\(clause)", "PostgreSQL has it in INSERT alone")
            )
        }
        return plan
    }

    // MARK: Columns

    private func build(
        _ column: Catalog.Column, _ profile: ColumnProfile, _ choice: TypeRule.Choice,
        _ proposal: inout Planner.Proposal
    ) -> MigrationPlan.Column {
        let place = "\(table.name).\(column.name)"
        let hint = hints?.columns[table.name]?[column.name]
        if choice.isFallback {
            proposal.findings.append(
                Finding(
                    .typeNarrowed, blocking: false, table: table.name, column: column.name,
                    count: profile.values,
                    choice.reason))
        }
        DateFindings.add(column, profile, choice, style: style, table: table.name, &proposal.findings)
        var plan = MigrationPlan.Column(name: column.name, type: choice.type.sql)
        plan.notNull = column.isNotNull || table.primaryKey.contains(column.name) ? true : nil
        plan.integers = choice.unit
        plan.numbering = numbering(column, hint)
        plan.reason = choice.reason
        if plan.numbering == nil, let sql = column.defaultSQL, column.generation == nil {
            switch defaultValue(sql, column, plan, choice.type, profile) {
            case .carried(let value): plan.defaultValue = value
            case .notSupported(let why): proposal.objects.append(.notSupported(.defaultValue, place, why))
            }
        }
        if column.collation.uppercased() != "BINARY", column.affinity == .text || column.affinity == .blob {
            proposal.objects.append(
                .notSupported(
                    .collation, place,
                    "COLLATE \(column.collation) is not PostgreSQL's; keys and indexes keep it, and what the application "
                        + "compares, it compares letter by letter"))
        }
        return plan
    }

    /// A constant, or what SQLite makes of an expression of constants, or an expression with an equal.
    private func defaultValue(
        _ sql: String, _ column: Catalog.Column, _ plan: MigrationPlan.Column, _ type: PostgresType,
        _ profile: ColumnProfile
    ) -> DefaultRules.Outcome {
        let rules = DefaultRules(type: type, style: style, enums: enums)
        if let outcome = rules.translate(sql) { return outcome }
        if let constant = ConstantExpression.value(of: sql, declaredType: column.declaredType),
            let outcome = rules.translate(constant)
        {
            return outcome
        }
        let target = TargetRelations(schema: "", style: style).column(column, plan, profile)
        do throws(Refusal) {
            return .carried(try SQLTranslator(relations: []).defaultValue(sql, for: target))
        } catch {
            return .notSupported("the default \(sql): \(error.words(in: sql))")
        }
    }

    /// The names that PostgreSQL gives to the sequences of the numbered columns.
    var sequenceNames: [String] {
        table.columns.filter { numbering($0, hints?.columns[table.name]?[$0.name]) != nil }
            .map { Naming.cut("\(table.name)_\($0.name)", suffix: "_seq") }
    }

    private func numbering(_ column: Catalog.Column, _ hint: SchemaHints.Column?) -> MigrationPlan.Numbering?
    {
        // Rails has bigserial, Django GENERATED BY DEFAULT AS IDENTITY since 4.1.
        let numbering: MigrationPlan.Numbering = style == .prisma || style == .rails ? .serial : .identity
        if let isNumbered = hint?.isAutoincrement { return isNumbered ? numbering : nil }
        return table.numberedKey(style: style) == column.name ? numbering : nil
    }

    // MARK: Keys and indexes

    private func buildKeys(
        _ plan: inout MigrationPlan.Table, _ names: inout NameSpace, _ proposal: inout Planner.Proposal
    ) {
        var key = table.primaryKey
        let pairIndex = joinTableIndex()
        if key.isEmpty, pairIndex != nil { key = ["A", "B"] }
        if !key.isEmpty {
            let derived = Naming.cut(pairIndex == nil ? table.name : "\(table.name)_AB", suffix: "_pkey")
            let wanted = style == .prisma ? derived : table.primaryKeyName ?? derived
            let name = claim(wanted, kind: .primaryKey, &names, &proposal)
            plan.primaryKey = .init(name: name, columns: key)
        }
        var uniques: [MigrationPlan.Key] = []
        var indexes: [MigrationPlan.Index] = []
        for index in table.indexes where index.origin != .primaryKey {
            if let pairIndex, index.name == pairIndex {
                proposal.objects.append(
                    .changed(.index, index.name, "it is the primary key on PostgreSQL, as Prisma has it"))
                continue
            }
            if index.origin == .unique {
                let columns = index.terms.compactMap(\.column)
                let derived = Naming.cut("\(table.name)_\(columns.joined(separator: "_"))", suffix: "_key")
                let name = claim(index.constraintName ?? derived, kind: .unique, &names, &proposal)
                uniques.append(.init(name: name, columns: columns))
            } else if let columns = djangoUnique(index) {
                let name = claim(
                    DjangoNames.index(index.name, table.name, columns), kind: .unique, &names, &proposal)
                uniques.append(.init(name: name, columns: columns))
            } else if let planned = build(index, &names, &proposal) {
                indexes.append(planned)
            }
        }
        plan.uniques = uniques.isEmpty ? nil : uniques
        plan.indexes = indexes.isEmpty ? nil : indexes
    }

    /// The columns of Django's unique_together: an index in SQLite, a constraint in PostgreSQL, where later
    /// migrations drop it as one (`sql_create_unique` and `sql_delete_unique` of its schema editors).
    private func djangoUnique(_ index: Catalog.Index) -> [String]? {
        guard style == .django, index.isUnique, !index.isPartial, index.name.hasSuffix("_uniq"),
            index.terms.allSatisfy({
                $0.column != nil && !$0.isDescending && $0.collation.uppercased() == "BINARY"
            })
        else { return nil }
        return index.terms.compactMap(\.column)
    }

    private func build(
        _ index: Catalog.Index, _ names: inout NameSpace, _ proposal: inout Planner.Proposal
    ) -> MigrationPlan.Index? {
        let columns = index.terms.compactMap(\.column)
        // What is more than a list of columns is translated when every table has its types.
        if index.needsTranslation(in: table) { return nil }
        var wanted = index.name
        if style == .prisma, wanted.utf8.count > Naming.longest {
            // Prisma cuts its own names in its own way; a name of the developer's is kept or refused.
            let base = "\(table.name)_\(columns.joined(separator: "_"))"
            for suffix in ["_key", "_idx"] where wanted == base + suffix {
                wanted = Naming.cut(base, suffix: suffix)
            }
        }
        if style == .django { wanted = DjangoNames.index(wanted, table.name, columns) }
        let name = claim(wanted, kind: .index, &names, &proposal)
        let descending = index.terms.filter(\.isDescending).compactMap(\.column)
        return .init(
            name: name, unique: index.isUnique ? true : nil, columns: columns,
            descending: descending.isEmpty ? nil : descending)
    }

    private func claim(
        _ wanted: String, kind: ObjectState.Kind, _ names: inout NameSpace, _ proposal: inout Planner.Proposal
    ) -> String {
        let obstacle = Naming.obstacle(wanted, isColumn: false)
        let name = names.claim(obstacle == nil ? wanted : Naming.cut(wanted, suffix: ""))
        if name == wanted {
            proposal.objects.append(.carried(kind, name))
        } else {
            let reason =
                obstacle.map { "\(wanted) \($0.why)" }
                ?? "\(wanted) is taken: tables and indexes share one space in PostgreSQL"
            proposal.objects.append(.changed(kind, name, reason))
            proposal.findings.append(
                Finding(
                    .renamed, blocking: false, table: table.name,
                    "\(kind.rawValue) \(wanted) becomes \(name): \(reason)"))
        }
        return name
    }

    /// The unique index of Prisma's implicit many-to-many tables, which is the primary key on PostgreSQL.
    private func joinTableIndex() -> String? {
        guard style == .prisma, table.primaryKey.isEmpty, table.name.hasPrefix("_"),
            table.columns.map(\.name) == ["A", "B"], hints.map({ $0.joinTables.contains(table.name) }) ?? true
        else { return nil }
        let name = "\(table.name)_AB_unique"
        return table.indexes.contains { $0.name == name && $0.isUnique && !$0.isPartial } ? name : nil
    }

    // MARK: Foreign keys

    private func buildForeignKeys(_ plan: inout MigrationPlan.Table, _ proposal: inout Planner.Proposal) {
        var used = NameSpace()
        var keys: [MigrationPlan.ForeignKey] = []
        for key in table.foreignKeys {
            let base = "\(table.name)_\(key.columns.joined(separator: "_"))"
            var wanted = key.name ?? Naming.cut(base, suffix: "_fkey")
            if style == .prisma, wanted == base + "_fkey" { wanted = Naming.cut(base, suffix: "_fkey") }
            if style == .django, key.name == nil, key.columns.count == 1,
                let parent = key.parentColumns?.first
            {
                wanted = DjangoNames.foreignKey(table.name, key.columns[0], to: key.parentTable, parent)
            }
            let name = used.claim(Naming.cut(wanted, suffix: ""))
            proposal.objects.append(
                name == wanted
                    ? .carried(.foreignKey, name)
                    : .changed(.foreignKey, name, "\(wanted) is taken, or longer than PostgreSQL keeps"))
            keys.append(
                .init(
                    name: name, columns: key.columns, parent: key.parentTable,
                    parentColumns: key.parentColumns ?? [],
                    onDelete: key.onDelete == "NO ACTION" ? nil : key.onDelete,
                    onUpdate: key.onUpdate == "NO ACTION" ? nil : key.onUpdate,
                    deferrable: key.isDeferrable ? (key.isInitiallyDeferred ? "deferred" : "immediate") : nil)
            )
        }
        plan.foreignKeys = keys.isEmpty ? nil : keys
    }
}
