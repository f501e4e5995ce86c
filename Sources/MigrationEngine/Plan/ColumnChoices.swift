/// The types of all columns, chosen by each column's values and then agreed over linked columns.
struct ColumnChoices {
    let tables: [Catalog.Table]
    let profiles: [String: TableProfile]
    let style: Style
    let hints: SchemaHints?
    let enums: [MigrationPlan.Enumeration]

    /// By table, in the order of its columns.
    func choose() -> [String: [TypeRule.Choice]] {
        let rules = KeyRules.rules(tables, style: style)
        var choices: [String: [TypeRule.Choice]] = [:]
        for table in tables {
            choices[table.name] = table.columns.indices.map { choice(table, $0, rules) }
        }
        agree(&choices)
        return choices
    }

    private func profile(_ table: Catalog.Table, _ index: Int) -> ColumnProfile {
        let columns = profiles[table.name]?.columns ?? []
        return index < columns.count ? columns[index] : ColumnProfile()
    }

    private func choice(
        _ table: Catalog.Table, _ index: Int, _ rules: [LinkedTypes.Place: TypeRule]
    ) -> TypeRule.Choice {
        let column = table.columns[index]
        var choice = TypeRule.choose(
            column, profile(table, index), style: style, of: table,
            rule: rules[.init(table: table.name, column: column.name)])
        if let name = hints?.columns[table.name]?[column.name]?.enumeration,
            enums.contains(where: { $0.name == name })
        {
            choice.type = .enumeration(name)
            choice.reason = "\(hints?.source ?? "the schema file") says enum \(name)"
        }
        return choice
    }

    private func agree(_ choices: inout [String: [TypeRule.Choice]]) {
        var types: [LinkedTypes.Place: PostgresType] = [:]
        var indices: [LinkedTypes.Place: (table: Catalog.Table, index: Int)] = [:]
        for table in tables {
            for (index, choice) in (choices[table.name] ?? []).enumerated() {
                let place = LinkedTypes.Place(table: table.name, column: table.columns[index].name)
                types[place] = choice.type
                indices[place] = (table, index)
            }
        }
        func fit(_ type: PostgresType, _ place: LinkedTypes.Place) -> TypeFit {
            guard let (table, index) = indices[place] else { return .misfit }
            // PostgreSQL numbers integers alone.
            if table.rowidAlias == place.column, type.family != .integer { return .misfit }
            return TypeFit.check(
                type, profile(table, index), integers: choices[table.name]?[index].unit, style: style)
        }
        let changes = LinkedTypes.agreed(types, LinkedTypes.links(of: tables)) { fit($0, $1) == .fits }
        for (place, type) in changes {
            guard let (table, index) = indices[place], var choice = choices[table.name]?[index] else {
                continue
            }
            // A wider integer is no other kind of value: nothing that the operator must hear of.
            if type.family != choice.type.family { choice.isFallback = true }
            let before = choice.fit == .fits ? [choice.type] : []
            choice.alternatives = (before + choice.alternatives).filter { $0 != type }
            choice.type = type
            choice.fit = fit(type, place)
            if !type.isInstant { choice.unit = nil }
            choice.reason += "; \(type.sql) like the columns that foreign keys link it with"
            choices[table.name]?[index] = choice
        }
    }
}
