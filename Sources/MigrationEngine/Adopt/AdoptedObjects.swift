/// What becomes of the source's objects where the target's own tables take the rows.
///
/// Keys are looked for among the target's; its checks, defaults and the like are the framework's affair. Views, triggers and
/// virtual tables that the target does not have are lost without them, and so ask for a word.
struct AdoptedObjects {
    let before: Planner.Proposal
    let target: TargetCatalog
    let adopted: MigrationPlan
    let matches: [String: String]

    init(
        before: Planner.Proposal, target: TargetCatalog, adopted: MigrationPlan, _ matches: [String: String]
    ) {
        self.before = before
        self.target = target
        self.adopted = adopted
        self.matches = matches
    }

    var objects: [ObjectState] {
        let others = before.objects.compactMap(other)
        return others + adopted.tables.filter { matches[$0.name] != nil && !$0.isSkipped }.flatMap(keys)
    }

    private func other(_ object: ObjectState) -> ObjectState? {
        switch object.kind {
        case .table:
            guard let name = matches[object.name], object.state == .carried else { return object }
            return .changed(.table, object.name, "loaded into \(name), which is there already")
        case .virtualTable, .shadowTable: return object
        case .view: return isThere(object, among: target.others.keys)
        case .trigger: return isThere(object, among: target.triggers)
        case .function: return nil
        default:
            guard belongsToAdopted(object) else { return object }
            switch object.kind {
            case .primaryKey, .unique, .foreignKey, .index, .sequence: return nil
            default: return .leftOut(object.kind, object.name, "the target's table has its own")
            }
        }
    }

    private func isThere(_ object: ObjectState, among names: some Collection<String>) -> ObjectState {
        if names.contains(object.name) {
            return .changed(object.kind, object.name, "the target has one of that name")
        }
        return .notSupported(
            object.kind, object.name, "the target has none of that name, and its schema is not howdah's")
    }

    /// Objects of a table bear its name before a point, or are keys of its.
    private func belongsToAdopted(_ object: ObjectState) -> Bool {
        before.plan.tables.contains { table in
            guard matches[table.name] != nil else { return false }
            if object.name.hasPrefix(table.name + ".") { return true }
            return keyNames(table).contains(object.name)
        }
    }

    private func keyNames(_ table: MigrationPlan.Table) -> [String] {
        [table.primaryKey?.name].compactMap(\.self) + (table.uniques ?? []).map(\.name)
            + (table.indexes ?? []).map(\.name) + (table.foreignKeys ?? []).map(\.name)
    }

    /// Keys of the source, by whether the target has them over the same columns.
    private func keys(_ table: MigrationPlan.Table) -> [ObjectState] {
        guard let asked = before.plan.tables.first(where: { $0.name == table.name }) else { return [] }
        func state(_ kind: ObjectState.Kind, _ name: String, _ isThere: Bool) -> ObjectState {
            isThere
                ? .carried(kind, name)
                : .leftOut(kind, name, "the target's table \(table.targetName) has no such key")
        }
        let unique = [table.primaryKey].compactMap(\.self) + (table.uniques ?? [])
        func isUnique(_ columns: [String]) -> Bool { unique.contains { Set($0.columns) == Set(columns) } }
        let primary = [asked.primaryKey].compactMap(\.self).map {
            state(.primaryKey, $0.name, isUnique($0.columns))
        }
        let uniques = (asked.uniques ?? []).map { state(.unique, $0.name, isUnique($0.columns)) }
        let foreign = (asked.foreignKeys ?? []).map { key in
            let isThere = (table.foreignKeys ?? []).contains {
                $0.columns == key.columns && $0.parent == key.parent && $0.parentColumns == key.parentColumns
            }
            return state(.foreignKey, key.name, isThere)
        }
        return primary + uniques + foreign
    }
}
