import Postgres

/// Translates FROM and brings the names of its tables into sight.
struct FromTranslator {
    let selects: SelectTranslator
    let scope: Scope

    init(_ selects: SelectTranslator, _ scope: Scope) {
        self.selects = selects
        self.scope = scope
    }

    func translate(_ source: Select.Source) throws(Refusal) -> String {
        switch source {
        case .table(let names, let alias): return try table(names, alias)
        case .function(let name, _, _): throw Refusal("the table function \(name)", 0..<0)
        case .select(let select, let alias):
            // Its own tables are out of sight outside, and those beside it within.
            let inner = try selects.translate(select, in: outside)
            let name = alias ?? "derived\(scope.sources.count + 1)"
            let relation = SQLRelation(name: name, target: "", columns: inner.columns)
            scope.sources.append(.init(name: name, qualifier: quoteIdentifier(name), relation: relation))
            return "(\(inner.sql)) AS \(quoteIdentifier(name))"
        case .join(let left, let join, let right, let constraint):
            return try self.join(left, join, right, constraint)
        }
    }

    private var outside: Scope {
        let outside = Scope(parent: scope.parent)
        outside.commonTables = scope.commonTables
        return outside
    }

    private func table(_ names: [Expression.Name], _ alias: String?) throws(Refusal) -> String {
        guard let last = names.last else { throw Refusal("a table without a name", 0..<0) }
        if names.count > 1, names[0].text.lowercased() != "main" {
            throw Refusal("the database \(names[0].text)", 0..<0)
        }
        let folded = last.text.foldedName
        let common = names.count == 1 ? scope.commonTables.last { $0.name.foldedName == folded } : nil
        guard let relation = common ?? selects.relations.first(where: { $0.name.foldedName == folded }) else {
            throw Refusal("the table \(last.text) is not in the target", 0..<0)
        }
        let name = alias ?? last.text
        scope.sources.append(.init(name: name, qualifier: quoteIdentifier(name), relation: relation))
        return "\(relation.target) AS \(quoteIdentifier(name))"
    }

    private func join(
        _ left: Select.Source, _ join: Select.Join, _ right: Select.Source, _ constraint: Select.Constraint
    ) throws(Refusal) -> String {
        let one = try translate(left)
        let count = scope.sources.count
        let other = try translate(right)
        var shared: [String] = []
        if case .using(let columns) = constraint { shared = columns }
        if join.isNatural {
            let before = scope.sources[..<count]
            shared = scope.sources[count...].flatMap { $0.relation.columns.map(\.name) }.filter { name in
                before.contains { $0.relation.column(named: name) != nil }
            }
        }
        var condition: String?
        if case .on(let expression) = constraint {
            condition = try ExpressionTranslator(relations: selects.relations, scope: scope).condition(
                expression
            ).sql
        } else if !shared.isEmpty {
            condition = try joined(by: shared, from: count, join)
        }
        let operand = if case .join = right { "(\(other))" } else { other }
        guard let condition else {
            let needsNone = join.kind == .inner || join.kind == .cross
            return needsNone
                ? "\(one) CROSS JOIN \(operand)" : "\(one) \(join.kind.rawValue) JOIN \(operand) ON true"
        }
        let word = join.kind == .cross ? "INNER" : join.kind.rawValue
        return "\(one) \(word) JOIN \(operand) ON \(condition)"
    }

    /// USING and NATURAL as an ON; the columns on the right go out of sight.
    private func joined(
        by columns: [String], from count: Int, _ join: Select.Join
    ) throws(Refusal) -> String {
        guard join.kind != .right, join.kind != .full else {
            throw Refusal("USING or NATURAL with \(join.kind.rawValue) JOIN", 0..<0)
        }
        let translator = ExpressionTranslator(relations: selects.relations, scope: scope)
        var terms: [String] = []
        for name in columns {
            let sides = (
                scope.sources[..<count].first {
                    $0.relation.column(named: name) != nil && !$0.joined.contains(name.foldedName)
                }, scope.sources[count...].first { $0.relation.column(named: name) != nil }
            )
            guard let left = sides.0, let right = sides.1, let one = left.relation.column(named: name),
                let other = right.relation.column(named: name)
            else { throw Refusal("there is no column \(name) on both sides", 0..<0) }
            terms.append(
                try translator.compare(
                    .equal, Scope.reference(one, left.qualifier), Scope.reference(other, right.qualifier),
                    0..<0
                ).operand)
            for index in scope.sources.indices[count...] where scope.sources[index].name == right.name {
                scope.sources[index].joined.insert(name.foldedName)
            }
        }
        return terms.joined(separator: " AND ")
    }
}
