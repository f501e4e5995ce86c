/// Plans one table: its columns, keys and indexes.
struct TablePlanner {
    let table: Catalog.Table
    let profile: TableProfile
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
            plan.columns.append(build(column, profile, &proposal))
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
        for check in table.checks {
            proposal.objects.append(
                .notSupported(.check, "\(table.name).\(check.name ?? "CHECK (\(check.expression))")"))
        }
        for clause in table.conflictClauses {
            proposal.objects.append(
                .notSupported(.conflictClause, "\(table.name).\(clause)", "PostgreSQL has it in INSERT alone")
            )
        }
        return plan
    }

    // MARK: Columns

    private func build(
        _ column: Catalog.Column, _ profile: ColumnProfile, _ proposal: inout Planner.Proposal
    ) -> MigrationPlan.Column {
        let place = "\(table.name).\(column.name)"
        var choice = TypeRule.choose(column, profile, style: style)
        let hint = hints?.columns[table.name]?[column.name]
        if let name = hint?.enumeration, enums.contains(where: { $0.name == name }) {
            choice.type = .enumeration(name)
            choice.reason = "\(hints?.source ?? "the schema file") says enum \(name)"
        }
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
            switch DefaultRules(type: choice.type, style: style, enums: enums).translate(sql) {
            case .carried(let value): plan.defaultValue = value
            case .notSupported(let why): proposal.objects.append(.notSupported(.defaultValue, place, why))
            }
        }
        if column.generation != nil {
            proposal.objects.append(
                .notSupported(.generatedColumn, place, "its values are carried as plain data"))
        }
        if column.collation.uppercased() != "BINARY" {
            proposal.objects.append(.notSupported(.collation, place, "COLLATE \(column.collation)"))
        }
        return plan
    }

    /// The names that PostgreSQL gives to the sequences of the numbered columns.
    var sequenceNames: [String] {
        table.columns.filter { numbering($0, hints?.columns[table.name]?[$0.name]) != nil }
            .map { Naming.cut("\(table.name)_\($0.name)", suffix: "_seq") }
    }

    private func numbering(_ column: Catalog.Column, _ hint: SchemaHints.Column?) -> MigrationPlan.Numbering?
    {
        let numbering: MigrationPlan.Numbering = style == .prisma ? .serial : .identity
        if let isNumbered = hint?.isAutoincrement { return isNumbered ? numbering : nil }
        return table.rowidAlias == column.name ? numbering : nil
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
        noteCollations(&proposal)
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
            } else if let planned = build(index, &names, &proposal) {
                indexes.append(planned)
            }
        }
        plan.uniques = uniques.isEmpty ? nil : uniques
        plan.indexes = indexes.isEmpty ? nil : indexes
    }

    /// A constraint may compare under another collation than its column: UNIQUE (name COLLATE NOCASE).
    private func noteCollations(_ proposal: inout Planner.Proposal) {
        for index in table.indexes where index.origin != .createIndex {
            for term in index.terms {
                guard let name = term.column, let column = table.column(named: name),
                    term.collation.uppercased() != column.collation.uppercased()
                else { continue }
                let key = index.origin == .primaryKey ? "the primary key" : "a unique constraint"
                proposal.objects.append(
                    .notSupported(.collation, "\(table.name).\(name)", "COLLATE \(term.collation) in \(key)"))
            }
        }
    }

    private func build(
        _ index: Catalog.Index, _ names: inout NameSpace, _ proposal: inout Planner.Proposal
    ) -> MigrationPlan.Index? {
        let columns = index.terms.compactMap(\.column)
        let foreign = index.terms.first { $0.collation.uppercased() != "BINARY" }
        let obstacle: String? =
            if columns.count < index.terms.count { "an index on an expression" } else if index.isPartial {
                "a partial index"
            } else { foreign.map { "an index under COLLATE \($0.collation)" } }
        if let obstacle {
            proposal.objects.append(.notSupported(.index, index.name, obstacle))
            return nil
        }
        var wanted = index.name
        if style == .prisma, wanted.utf8.count > Naming.longest {
            // Prisma cuts its own names in its own way; a name of the developer's is kept or refused.
            let base = "\(table.name)_\(columns.joined(separator: "_"))"
            for suffix in ["_key", "_idx"] where wanted == base + suffix {
                wanted = Naming.cut(base, suffix: suffix)
            }
        }
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
