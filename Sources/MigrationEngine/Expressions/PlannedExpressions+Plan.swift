extension PlannedExpressions {
    /// The plan with these expressions in it, where it had none.
    func added(to plan: MigrationPlan) -> MigrationPlan {
        var plan = plan
        for index in plan.tables.indices where !plan.tables[index].isSkipped {
            let name = plan.tables[index].name
            plan.tables[index].checks = checks[name]
            let more = indexes[name] ?? []
            if !more.isEmpty { plan.tables[index].indexes = (plan.tables[index].indexes ?? []) + more }
            for (column, expression) in generated[name] ?? [:] {
                guard let place = plan.tables[index].columns.firstIndex(where: { $0.name == column }) else {
                    continue
                }
                plan.tables[index].columns[place].generated = expression
            }
        }
        plan.views = views.isEmpty ? nil : views
        plan.triggers = triggers.isEmpty ? nil : triggers
        return plan
    }

    /// The plan with each expression of `before` replaced by the one that is here; what the operator wrote stays.
    func replacing(_ before: PlannedExpressions, in plan: MigrationPlan) -> MigrationPlan {
        guard self != before else { return plan }
        var plan = plan
        for index in plan.tables.indices {
            let name = plan.tables[index].name
            let table = plan.tables[index]
            plan.tables[index].checks = Self.merged(
                table.checks, old: before.checks[name], new: checks[name], id: \.source)
            plan.tables[index].indexes = Self.merged(
                table.indexes, old: before.indexes[name], new: indexes[name], id: \.name)
            for place in table.columns.indices {
                let column = table.columns[place]
                let old = before.generated[name]?[column.name]
                guard column.generated == old else { continue }
                plan.tables[index].columns[place].generated = generated[name]?[column.name]
            }
        }
        plan.views = Self.merged(plan.views, old: before.views, new: views, id: \.name)
        plan.triggers = Self.merged(plan.triggers, old: before.triggers, new: triggers, id: \.name)
        return plan
    }

    private static func merged<Item: Equatable, ID: Hashable>(
        _ items: [Item]?, old: [Item]?, new: [Item]?, id: (Item) -> ID
    ) -> [Item]? {
        let old = old ?? []
        var byID = Dictionary((new ?? []).map { (id($0), $0) }, uniquingKeysWith: { first, _ in first })
        var result: [Item] = []
        for item in items ?? [] {
            // What is as it was proposed follows the types; what was edited is the operator's.
            let replacement = byID.removeValue(forKey: id(item))
            if !old.contains(item) {
                result.append(item)
            } else if let replacement {
                result.append(replacement)
            }
        }
        // What can be carried only now was in no plan, so that nobody took it out.
        let known = Set(old.map(id))
        result += (new ?? []).filter { byID[id($0)] != nil && !known.contains(id($0)) }
        return result.isEmpty ? nil : result
    }
}
