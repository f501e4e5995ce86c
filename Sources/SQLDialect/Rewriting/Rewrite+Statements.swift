import Postgres

/// Statements and their clauses.
extension Rewrite {
    mutating func take(_ statement: Statement) {
        switch statement {
        case .select(let select): _ = take(select, in: nil, isOutermost: true)
        case .insert(let insert): take(insert)
        case .update(let update): take(update)
        case .delete(let delete): take(delete)
        }
    }

    // MARK: SELECT

    /// Returns its columns, as statements around it see them.
    @discardableResult
    mutating func take(_ select: Select, in parent: Scope?, isOutermost: Bool = false) -> [SQLRelation.Column]
    {
        let outer = Scope(parent: parent)
        for table in select.commonTables {
            name(table.name)
            table.columns.forEach { name($0) }
            // Its own name is in sight within it.
            var relation = SQLRelation(
                name: table.name, target: quoteIdentifier(table.name),
                columns: table.columns.map { Self.opaque($0) })
            outer.commonTables.append(relation)
            let columns = take(table.select, in: outer)
            relation.columns = columns
            for (index, name) in table.columns.enumerated() where index < columns.count {
                relation.columns[index].name = name
                relation.columns[index].target = name
            }
            outer.commonTables[outer.commonTables.count - 1] = relation
        }
        let first = core(select.first, in: outer, isOutermost: isOutermost)
        for arm in select.rest { _ = core(arm.core, in: outer, isOutermost: false) }
        for term in select.orders { order(term, first.scope, results: select.first.results) }
        limit(select, first.scope)
        return first.columns
    }

    /// A term of ORDER BY. NULL is the smallest value to SQLite, and the largest to PostgreSQL.
    mutating func order(_ term: Ordering, _ scope: Scope, results: [Select.Result] = []) {
        let expression = term.expression
        if case .call(let call) = expression.kind, call.name == "random" { return }
        if case .collate(let operand, _) = expression.kind, case .integer = operand.kind {
            return refuse("ORDER BY the number of a column with a collation", expression.range)
        }
        if let column = column(expression, scope), column.type == .text, column.collation == "NOCASE" {
            fold(expression, "NOCASE", expression.range, scope)
        } else {
            visit(expression, scope)
        }
        tellOrder(of: expression, scope)
        var value = expression
        if case .integer(let place) = expression.kind, results.indices.contains(Int(place) - 1),
            case .expression(let result, _) = results[Int(place) - 1]
        {
            value = result
        }
        guard term.nullsFirst == nil, mayBeNull(value, scope) else { return }
        let next = tokens(in: expression.range.upperBound..<Int.max).first
        let direction = next.map { tokens[$0] }.flatMap { $0.isWord("ASC") || $0.isWord("DESC") ? $0 : nil }
        insert(
            term.isDescending ? " NULLS LAST" : " NULLS FIRST",
            at: direction?.range.upperBound ?? expression.range.upperBound)
    }

    /// Bytes decide in SQLite, the database's collation in PostgreSQL.
    private mutating func tellOrder(of expression: Expression, _ scope: Scope) {
        guard column(expression, scope)?.type == .text else { return }
        note("texts are ordered by the database's collation; COLLATE \"C\" is SQLite's order")
    }

    /// `depth` ends the chase of names that stand for each other.
    private func mayBeNull(_ expression: Expression, _ scope: Scope, depth: Int = 0) -> Bool {
        func mayBeNull(_ part: Expression) -> Bool {
            depth > 50 || self.mayBeNull(part, scope, depth: depth + 1)
        }
        switch expression.kind {
        case .integer, .real, .text, .blob, .boolean, .now, .exists, .isNull: return false
        // It may be a part of the clause, made by the code around.
        case .parameter: return false
        case .call(let call):
            if ["count", "row_number", "rank", "dense_rank", "total", "unixepoch", "random"].contains(
                call.name)
            {
                return false
            }
            let isPresent = ["coalesce", "ifnull"].contains(call.name)
            return isPresent
                ? call.arguments.last.map { mayBeNull($0) } ?? true
                : call.arguments.contains { mayBeNull($0) }
                    || !["lower", "upper", "length", "abs"].contains(call.name)
        case .collate(let operand, _), .unary(_, let operand): return mayBeNull(operand)
        case .binary(_, let left, let right): return mayBeNull(left) || mayBeNull(right)
        case .name(let names):
            guard let found = try? scope.find(names, expression.range) else { return hasUnknownTable }
            switch found {
            case .alias(let other): return other == expression || mayBeNull(other)
            case .column(let typed):
                guard let column = typed.column else { return true }
                let qualifier = names.count > 1 ? names[names.count - 2].text.foldedName : nil
                let source = scope.sources.first {
                    qualifier.map($0.name.foldedName.elementsEqual)
                        ?? ($0.relation.lookUp(column.name) != nil)
                }
                guard let source, !optional.contains(source.name.foldedName),
                    let table = tables.first(where: { $0.relation == source.relation })
                else { return true }
                return !table.notNull.contains(column.name) && column.name != table.relation.rowidAlias
            }
        default: return true
        }
    }

    private static func expression(_ result: Select.Result) -> Expression? {
        if case .expression(let expression, _) = result { expression } else { nil }
    }

    private static func opaque(_ name: String) -> SQLRelation.Column {
        SQLRelation.Column(name: name, type: .other("a value"), storage: .mixed, sqlType: "")
    }

    private mutating func core(
        _ core: Select.Core, in outer: Scope, isOutermost: Bool
    ) -> (scope: Scope, columns: [SQLRelation.Column]) {
        let scope = Scope(parent: outer.parent)
        scope.commonTables = outer.commonTables
        for row in core.values { for value in row { visit(value, scope) } }
        if let source = core.source { add(source, scope) }
        unqualify(scope)
        for case .expression(let expression, let alias?) in core.results {
            name(alias)
            scope.aliases[alias.foldedName] = expression
        }
        var columns: [SQLRelation.Column] = []
        for result in core.results { columns += self.columns(of: result, scope, isOutermost) }
        if let condition = core.condition { visit(condition: condition, scope) }
        for group in core.groups { visit(group, scope) }
        let told = core.groups + (core.isDistinct ? core.results.compactMap(Self.expression) : [])
        if told.contains(where: { column($0, scope)?.collation == "NOCASE" }) {
            note("a column with NOCASE tells no cases apart in GROUP BY and DISTINCT; PostgreSQL does")
        }
        if let having = core.having { visit(condition: having, scope) }
        for window in core.windows { visit(window.window, scope) }
        return (scope, columns)
    }

    private mutating func columns(
        of result: Select.Result, _ scope: Scope, _ isOutermost: Bool
    ) -> [SQLRelation.Column] {
        switch result {
        case .all: return scope.sources.flatMap(\.relation.columns)
        case .allOf(let name):
            return scope.sources.filter { $0.name.foldedName == name.foldedName }.flatMap(\.relation.columns)
        case .expression(let expression, let alias):
            visit(expression, scope)
            guard var column = column(expression, scope) else {
                let words = source(expression.range)
                if isOutermost, alias == nil, case .call = expression.kind {
                    note("the column \(words) has another name on PostgreSQL: give it one with AS")
                }
                if isOutermost { announce(expression, scope) }
                return [Self.opaque(alias ?? words)]
            }
            if isOutermost { announce(column) }
            if let alias { (column.name, column.target) = (alias, alias) }
            return [column]
        }
    }

    /// Says where the code gets a value of another kind than from SQLite.
    private mutating func announce(_ column: SQLRelation.Column) {
        if column.type == .integer {
            note("a bigint comes as a text from node-postgres, and as a BigInt from Prisma")
        }
        if column.type == .boolean { note("\(column.name) comes as true or false, and no more as 1 or 0") }
        if case .epoch = column.storage {
            note("\(column.name) comes as a point in time, and no more as a number")
        }
    }

    private mutating func announce(_ expression: Expression, _ scope: Scope) {
        guard case .call(let call) = expression.kind else { return }
        switch call.name {
        case "count": note("a bigint comes as a text from node-postgres, and as a BigInt from Prisma")
        case "sum", "avg", "round":
            note("\(call.name)() may come as a numeric: a text from node-postgres, a Decimal from Prisma")
        default: break
        }
    }

    private mutating func limit(_ select: Select, _ scope: Scope) {
        for part in [select.limit, select.offset].compactMap(\.self) { visit(part, scope) }
        guard let limit = select.limit else { return }
        if case .unary(.minus, _) = limit.kind { replace(limit.range, "ALL") }
        // `LIMIT a, b`, where a is the offset.
        guard let offset = select.offset, offset.range.upperBound < limit.range.lowerBound else { return }
        let between = tokens(in: offset.range.upperBound..<limit.range.lowerBound)
        guard let comma = between.first, let word = tokens(in: 0..<offset.range.lowerBound).last,
            tokens[word].isWord("LIMIT"), tokens[comma].isSymbol(",")
        else { return }
        replace(tokens[word].range, "OFFSET")
        replace(tokens[comma].range, " LIMIT")
    }

    // MARK: FROM

    mutating func add(_ source: Select.Source, _ scope: Scope) {
        switch source {
        case .table(let names, let alias):
            guard let last = names.last?.text else { return }
            name(alias)
            let common =
                names.count == 1 ? scope.commonTables.last { $0.name.foldedName == last.foldedName } : nil
            if let common {
                add(common, alias ?? common.name, scope)
            } else if let table = table(last) {
                mention(table)
                add(table.relation, alias ?? table.relation.name, scope, target: alias ?? table.target)
            } else {
                hasUnknownTable = true
            }
        case .function(let function, let arguments, let alias):
            name(alias)
            for argument in arguments { visit(argument, scope) }
            hasUnknownTable = true
            refuse("the table function \(function)", arguments.first?.range ?? 0..<0)
        case .select(let select, let alias):
            name(alias)
            let outside = Scope(parent: scope.parent)
            outside.commonTables = scope.commonTables
            let columns = take(select, in: outside)
            // PostgreSQL before 16 wants a name for it.
            if alias == nil, let close = tokens(in: select.range.upperBound..<Int.max).first,
                tokens[close].isSymbol(")")
            {
                derived += 1
                insert(" AS derived\(derived)", at: tokens[close].range.upperBound)
            }
            add(SQLRelation(name: alias ?? "", target: "", columns: columns), alias ?? "", scope)
        case .join(let left, let join, let right, let constraint):
            add(left, scope)
            let count = scope.sources.count
            add(right, scope)
            let (before, after) = (scope.sources[..<count], scope.sources[count...])
            if [.left, .full].contains(join.kind) { optional.formUnion(after.map(\.name.foldedName)) }
            if [.right, .full].contains(join.kind) { optional.formUnion(before.map(\.name.foldedName)) }
            if case .on(let condition) = constraint { visit(condition, scope) }
        }
    }

    private func add(_ relation: SQLRelation, _ name: String, _ scope: Scope, target: String? = nil) {
        scope.sources.append(
            .init(name: name, qualifier: quoteIdentifierWhereNeeded(target ?? name), relation: relation))
    }

    /// Where there is one table, what the translator writes names columns alone.
    private func unqualify(_ scope: Scope) {
        guard scope.parent == nil, scope.sources.count == 1, let source = scope.sources.first else { return }
        scope.sources[0] = .init(name: source.name, qualifier: nil, relation: source.relation)
    }

    // MARK: INSERT

    private mutating func take(_ insert: Statement.Insert) {
        name(insert.alias)
        let table = table(insert.table)
        if let table { mention(table) } else { hasUnknownTable = true }
        written = table
        conflict(insert, table)
        guard let select = insert.select else { return }
        let names = insert.columns.isEmpty ? table?.relation.columns.map(\.name) ?? [] : insert.columns
        let columns = names.map { table?.relation.lookUp($0) }
        let scope = Scope()
        if select.rest.isEmpty, select.commonTables.isEmpty, !select.first.values.isEmpty {
            for row in select.first.values {
                for (index, value) in row.enumerated() {
                    let column = columns.indices.contains(index) ? columns[index] : nil
                    if case .null = value.kind, let column, column.name == table?.relation.rowidAlias {
                        replace(value.range, "DEFAULT")
                    } else {
                        assign(value, to: column, scope)
                    }
                }
            }
            return
        }
        take(select, in: nil)
        for (index, result) in select.first.results.enumerated() where columns.indices.contains(index) {
            if case .expression(let value, _) = result, columns[index]?.type == .boolean { spellTruth(value) }
        }
    }

    /// OR IGNORE, OR REPLACE and their like, at the statement's head.
    private mutating func conflict(_ insert: Statement.Insert, _ table: StatementRewriter.Table?) {
        guard let conflict = insert.conflict else { return }
        let isReplace = tokens[0].isWord("REPLACE")
        guard isReplace || tokens.count > 2 else { return }
        let head = isReplace ? tokens[0].range : tokens[0].range.lowerBound..<tokens[2].range.upperBound
        var end = ""
        switch conflict {
        case .abort: break
        case .ignore:
            note(
                "OR IGNORE also passes over rows that break NOT NULL or a CHECK; ON CONFLICT DO NOTHING fails there"
            )
            end = " ON CONFLICT DO NOTHING"
        case .replace:
            guard let clause = replacement(insert, table) else { return }
            end = clause
        case .fail, .rollback:
            return refuse("INSERT OR \(conflict.rawValue)", head)
        }
        if insert.hasUpsert, !end.isEmpty {
            return refuse("INSERT OR \(conflict.rawValue) beside ON CONFLICT", head)
        }
        replace(head, "INSERT")
        guard !end.isEmpty else { return }
        let returning = tokens.last { $0.isWord("RETURNING") }
        let last = tokens.last {
            !$0.isSymbol(";") && $0.range.lowerBound < returning?.range.lowerBound ?? .max
        }
        self.insert(end, at: last?.range.upperBound ?? 0)
    }

    /// What OR REPLACE comes to: the row that is met takes every value, and defaults where none is given.
    private mutating func replacement(
        _ insert: Statement.Insert, _ table: StatementRewriter.Table?
    ) -> String? {
        guard let table else {
            refuse("INSERT OR REPLACE into a table whose keys are not known", insert.range)
            return nil
        }
        let names = insert.columns.isEmpty ? table.relation.columns.map(\.name) : insert.columns
        let given = Set(names.map(\.foldedName))
        let keys = table.keys.filter { !$0.isEmpty && $0.allSatisfy { given.contains($0.foldedName) } }
        guard let key = keys.first else { return "" }
        if keys.count > 1 {
            refuse("INSERT OR REPLACE where a row can meet others by several keys", insert.range)
            return nil
        }
        let own = Set(key.map(\.foldedName))
        func spelled(_ name: String) -> String {
            quoteIdentifierWhereNeeded(table.relation.column(named: name)?.target ?? name)
        }
        let assignments = table.relation.columns.filter { !own.contains($0.name.foldedName) }.map { column in
            let name = quoteIdentifierWhereNeeded(column.target)
            return "\(name) = \(given.contains(column.name.foldedName) ? "EXCLUDED.\(name)" : "DEFAULT")"
        }
        note(
            "REPLACE deleted the row that was there, and what refers to it ON DELETE CASCADE; this changes it"
        )
        let target = " ON CONFLICT (\(key.map(spelled).joined(separator: ", ")))"
        return assignments.isEmpty
            ? target + " DO NOTHING" : target + " DO UPDATE SET \(assignments.joined(separator: ", "))"
    }

    // MARK: UPDATE and DELETE

    private mutating func take(_ update: Statement.Update) {
        if let conflict = update.conflict {
            refuse("UPDATE OR \(conflict.rawValue)", update.range)
        }
        if update.hasLimit { refuse("UPDATE with LIMIT", update.range) }
        let scope = target(update.table, update.alias)
        if let source = update.source { add(source, scope) }
        for assignment in update.assignments {
            let column =
                assignment.columns.count == 1
                ? scope.sources.first?.relation.lookUp(assignment.columns[0]) : nil
            assign(assignment.value, to: column, scope)
        }
        if let condition = update.condition { visit(condition: condition, scope) }
    }

    private mutating func take(_ delete: Statement.Delete) {
        if delete.hasLimit { refuse("DELETE with LIMIT", delete.range) }
        let scope = target(delete.table, delete.alias)
        if let condition = delete.condition { visit(condition: condition, scope) }
    }

    private mutating func target(_ name: String, _ alias: String?) -> Scope {
        let scope = Scope()
        written = table(name)
        add(.table([.init(name)], alias: alias), scope)
        unqualify(scope)
        return scope
    }
}
