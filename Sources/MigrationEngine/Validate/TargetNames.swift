/// What a plan's tables and columns may be called in a target that somebody else has made.
///
/// The plan's own name leads where the target has it; then `NameMatch`, also by the names that code has for them.
struct TargetNames {
    let plan: MigrationPlan
    let hints: SchemaHints?

    func tables(in schema: TargetSchema) -> NameMatch {
        let all = plan.tables.filter { !$0.isSkipped }
        let aliases = Dictionary(all.map { ($0.name, otherNames(of: $0)) }) { first, _ in first }
        func match(_ names: [MigrationPlan.Table], _ target: [String]) -> NameMatch {
            let planned = names.filter { target.contains($0.targetName) }.map { ($0.name, $0.targetName) }
            return NameMatch(
                names.map(\.name), target, fixed: Dictionary(planned) { first, _ in first }, aliases: aliases)
        }
        // A view of another spelling takes no table's place.
        let tables = match(all, schema.tables)
        return tables.adding(match(all.filter { tables.matches[$0.name] == nil }, schema.views))
    }

    func columns(of table: MigrationPlan.Table, in target: TargetColumns) -> NameMatch {
        let names = target.columns.map(\.name)
        let planned = table.columns.filter { names.contains($0.targetName) }.map { ($0.name, $0.targetName) }
        let aliases = Dictionary(table.columns.map { ($0.name, otherNames(of: $0, table)) }) { first, _ in
            first
        }
        return NameMatch(
            table.columns.map(\.name), names, fixed: Dictionary(planned) { first, _ in first },
            aliases: aliases)
    }

    func views(in schema: TargetSchema) -> NameMatch {
        let views = plan.views ?? []
        let planned = views.filter { schema.relations[$0.targetName] != nil }.map { ($0.name, $0.targetName) }
        return NameMatch(
            views.map(\.name), schema.views, fixed: Dictionary(planned) { first, _ in first })
    }

    // MARK: Other names

    private var codeNames: SchemaHints.CodeNames { hints?.codeNames ?? .init() }

    private func otherNames(of table: MigrationPlan.Table) -> Set<String> {
        let known = codeNames.tables
        let databaseNames = known.filter { $0.value == table.name }.keys
        return Set([table.target, known[table.name]].compactMap(\.self)).union(databaseNames)
    }

    private func otherNames(of column: MigrationPlan.Column, _ table: MigrationPlan.Table) -> Set<String> {
        var found = Set([column.target].compactMap(\.self))
        for name in otherNames(of: table).union([table.name]) {
            let known = codeNames.columns[name] ?? [:]
            if let code = known[column.name] { found.insert(code) }
            found.formUnion(known.filter { $0.value == column.name }.keys)
        }
        return found
    }
}
