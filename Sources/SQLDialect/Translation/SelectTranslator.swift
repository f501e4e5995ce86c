import Postgres

/// Translates SELECT and VALUES.
struct SelectTranslator {
    let relations: [SQLRelation]

    struct Outcome {
        var sql: String
        /// As statements around it see them.
        var columns: [SQLRelation.Column]
        /// Whether it has at most one row by its form.
        var isSingleRow = false
        /// Columns that are approximate.
        var approximate: [String] = []
    }

    /// One SELECT of a compound, with its results still open to a common type.
    private struct Part {
        var results: [Typed] = []
        var names: [String] = []
        var isDistinct = false
        /// From FROM to HAVING.
        var tail = ""
        var scope: Scope
        /// Rows of VALUES, instead of all others.
        var rows: [[Typed]] = []
        var isSingleRow = false
    }

    func translate(_ select: Select, in parent: Scope?, names: [String] = [], widens: Bool = false)
        throws(Refusal)
        -> Outcome
    {
        let outer = Scope(parent: parent)
        let prefix = try commonTables(select.commonTables, outer)
        var parts = [try part(select.first, in: outer)]
        for arm in select.rest { parts.append(try part(arm.core, in: outer)) }
        let types = try unite(&parts, select, widens: widens)
        let columns = outputs(parts[0], types, names)
        var sql = render(parts[0], columns)
        for (arm, part) in zip(select.rest, parts.dropFirst()) {
            sql += " \(arm.compound.rawValue) \(render(part, columns))"
        }
        let limit = try limits(select, outer)
        if !select.orders.isEmpty {
            sql = try ordered(sql, select, parts[0], columns)
        }
        return Outcome(
            sql: prefix + sql + limit, columns: columns,
            isSingleRow: parts.count == 1 && parts[0].isSingleRow,
            approximate: columns.indices.filter { index in
                parts.contains { $0.results[index].isApproximate }
            }.map { columns[$0].name })
    }

    // MARK: WITH

    private func commonTables(_ tables: [Select.CommonTable], _ scope: Scope) throws(Refusal) -> String {
        var definitions: [String] = []
        for table in tables {
            let refersToItself = table.select.rest.contains { $0.core.source?.mentions(table.name) ?? false }
            if refersToItself {
                let first = try part(table.select.first, in: scope)
                var open = first
                open.results = first.results.map(Self.widened)
                let types = open.results.map(\.type)
                scope.commonTables.append(
                    SQLRelation(
                        name: table.name, target: quoteIdentifier(table.name),
                        columns: outputs(open, types, table.columns)))
            }
            let inner = try translate(table.select, in: scope, names: table.columns, widens: refersToItself)
            if refersToItself { scope.commonTables.removeLast() }
            scope.commonTables.append(
                SQLRelation(name: table.name, target: quoteIdentifier(table.name), columns: inner.columns))
            definitions.append(
                "\(quoteIdentifier(table.name)) (\(Names.list(inner.columns.map(\.target)))) AS (\(inner.sql))"
            )
        }
        // SQLite lets a common table refer to itself with the word and without.
        return definitions.isEmpty ? "" : "WITH RECURSIVE \(definitions.joined(separator: ", ")) "
    }

    private static func widened(_ value: Typed) -> Typed {
        value.type == .narrow || value.type == .boolean ? value.wide : value
    }

    // MARK: One SELECT

    private func part(_ core: Select.Core, in parent: Scope) throws(Refusal) -> Part {
        let scope = Scope(parent: parent.parent)
        scope.commonTables = parent.commonTables
        var part = Part(scope: scope)
        let translator = ExpressionTranslator(relations: relations, scope: scope)
        if !core.values.isEmpty {
            for row in core.values {
                var values: [Typed] = []
                for value in row { values.append(try translator.translate(value)) }
                guard values.count == core.values[0].count else {
                    throw Refusal("rows of several lengths", 0..<0)
                }
                part.rows.append(values)
            }
            part.results = part.rows[0]
            part.names = part.results.indices.map { "column\($0 + 1)" }
            part.isSingleRow = part.rows.count == 1
            return part
        }
        if let source = core.source {
            part.tail += " FROM \(try FromTranslator(self, scope).translate(source))"
        }
        for case .expression(let expression, let alias?) in core.results {
            scope.aliases[alias.foldedName] = expression
        }
        try addResults(core, translator, &part)
        if let condition = core.condition { part.tail += " WHERE \(try translator.condition(condition).sql)" }
        if !core.groups.isEmpty { part.tail += " GROUP BY \(try groups(core.groups, translator, part))" }
        if let having = core.having { part.tail += " HAVING \(try translator.condition(having).sql)" }
        if !core.windows.isEmpty {
            var definitions: [String] = []
            for window in core.windows {
                let definition = try AggregateRule.definition(window.window, translator)
                definitions.append("\(quoteIdentifier(window.name)) AS (\(definition))")
            }
            part.tail += " WINDOW \(definitions.joined(separator: ", "))"
        }
        part.isDistinct = core.isDistinct
        if core.isDistinct { for result in part.results { try checkGroups(result) } }
        let isAggregate = core.results.contains {
            if case .expression(let expression, _) = $0 { return expression.isAggregate }
            return false
        }
        part.isSingleRow = core.source == nil || isAggregate && core.groups.isEmpty
        return part
    }

    private func addResults(
        _ core: Select.Core, _ translator: ExpressionTranslator, _ part: inout Part
    ) throws(Refusal) {
        for result in core.results {
            switch result {
            case .all: addColumns(of: part.scope.sources, isQualified: false, &part)
            case .allOf(let name):
                let sources = part.scope.sources.filter { $0.name.foldedName == name.foldedName }
                if sources.isEmpty { throw Refusal("there is no table \(name)", 0..<0) }
                addColumns(of: sources, isQualified: true, &part)
            case .expression(let expression, let alias):
                var inner = translator
                if let alias { inner.openAliases.insert(alias.foldedName) }
                let value = try inner.translate(expression)
                part.results.append(value)
                part.names.append(alias ?? value.column?.name ?? "column\(part.results.count)")
            }
        }
    }

    private func addColumns(of sources: [Scope.Source], isQualified: Bool, _ part: inout Part) {
        for source in sources {
            for column in source.relation.columns
            where isQualified || !source.joined.contains(column.name.foldedName) {
                part.results.append(Scope.reference(column, source.qualifier))
                part.names.append(column.name)
            }
        }
    }

    private func groups(
        _ groups: [Expression], _ translator: ExpressionTranslator, _ part: Part
    ) throws(Refusal) -> String {
        var terms: [String] = []
        for group in groups {
            if case .integer(let place) = group.kind {
                guard part.results.indices.contains(Int(place) - 1) else {
                    throw Refusal("there is no column \(place)", group.range)
                }
                try checkGroups(part.results[Int(place) - 1])
                terms.append(part.results[Int(place) - 1].operand)
            } else {
                terms.append(try translator.grouping(group).operand)
            }
        }
        return terms.joined(separator: ", ")
    }

    private func checkGroups(_ value: Typed) throws(Refusal) {
        if value.type == .text, value.collation != "BINARY" {
            throw Refusal("rows told apart under the collation \(value.collation)", 0..<0)
        }
        if value.column?.storage == .json || value.column?.storage == .mixed {
            throw Refusal("rows told apart by values that are stored in several forms", 0..<0)
        }
    }

    // MARK: Results

    /// Gives the columns of all parts one type each.
    private func unite(_ parts: inout [Part], _ select: Select, widens: Bool) throws(Refusal) -> [ValueType] {
        let width = parts[0].results.count
        let isSet = select.rest.contains { $0.compound != .unionAll }
        var types: [ValueType] = []
        for index in 0..<width {
            var values: [Typed] = []
            for part in parts {
                guard part.results.count == width else {
                    throw Refusal("rows of several lengths", select.range)
                }
                values += part.rows.isEmpty ? [part.results[index]] : part.rows.map { $0[index] }
            }
            if isSet { for value in values { try checkGroups(value) } }
            let translator = ExpressionTranslator(relations: relations, scope: parts[0].scope)
            var (united, type) = try translator.unite(values, select.range)
            let isRaw = united.contains { $0.column != nil }
            if type == .boolean, !isRaw || widens {
                united = united.map { $0.type == .null ? $0 : $0.number }
                type = .narrow
            }
            if widens, type == .narrow || type == .integer {
                united = united.map { $0.type == .null ? $0 : $0.wide }
                type = .integer
            }
            types.append(type)
            var next = united.makeIterator()
            for part in parts.indices {
                if parts[part].rows.isEmpty {
                    parts[part].results[index] = next.next() ?? .null
                } else {
                    for row in parts[part].rows.indices {
                        parts[part].rows[row][index] = next.next() ?? .null
                    }
                    parts[part].results[index] = parts[part].rows[0][index]
                }
            }
        }
        return types
    }

    /// The columns as others see them, each with a name of its own.
    private func outputs(_ part: Part, _ types: [ValueType], _ names: [String]) -> [SQLRelation.Column] {
        var taken: Set<String> = []
        return part.results.indices.map { index in
            let name = index < names.count ? names[index] : part.names[index]
            var target = name
            var number = 1
            while !taken.insert(target).inserted {
                target = "\(name)_\(number)"
                number += 1
            }
            let value = part.results[index]
            if var column = value.column {
                (column.name, column.target) = (name, target)
                return column
            }
            return SQLRelation.Column(
                name: name, target: target, type: types[index], affinity: value.affinity,
                collation: value.collation, sqlType: types[index].sql)
        }
    }

    private func render(_ part: Part, _ columns: [SQLRelation.Column]) -> String {
        if !part.rows.isEmpty {
            let rows = part.rows.map { "(" + $0.map(\.sql).joined(separator: ", ") + ")" }
            return
                "SELECT * FROM (VALUES \(rows.joined(separator: ", "))) AS listed (\(Names.list(columns.map(\.target))))"
        }
        let results = zip(part.results, columns).map { "\($0.sql) AS \(quoteIdentifier($1.target))" }
        return "SELECT \(part.isDistinct ? "DISTINCT " : "")\(results.joined(separator: ", "))\(part.tail)"
    }

    // MARK: ORDER BY and LIMIT

    private func ordered(
        _ sql: String, _ select: Select, _ part: Part, _ columns: [SQLRelation.Column]
    ) throws(Refusal) -> String {
        let translator = ExpressionTranslator(relations: relations, scope: part.scope)
        let isWrapped = !select.rest.isEmpty || part.isDistinct || !part.rows.isEmpty
        var terms: [String] = []
        for order in select.orders {
            let index = try result(of: order, part, columns, translator)
            if let index, isWrapped {
                var value = Scope.reference(columns[index], "found")
                copyCollation(order.expression, to: &value)
                terms.append(try translator.order(order, value))
            } else if let index {
                var value = part.results[index]
                copyCollation(order.expression, to: &value)
                terms.append(try translator.order(order, value))
            } else if isWrapped {
                throw Refusal("an order by what is no column of the result", order.expression.range)
            } else {
                terms.append(try translator.order(order, translator.translate(order.expression)))
            }
        }
        let clause = " ORDER BY \(terms.joined(separator: ", "))"
        return isWrapped ? "SELECT * FROM (\(sql)) AS found\(clause)" : sql + clause
    }

    private func copyCollation(_ expression: Expression, to value: inout Typed) {
        if case .collate(_, let collation) = expression.kind { value.collation = collation.uppercased() }
    }

    /// The result that a term of ORDER BY names: by its place, by its name, or by being the same expression.
    private func result(
        of order: Ordering, _ part: Part, _ columns: [SQLRelation.Column], _ translator: ExpressionTranslator
    ) throws(Refusal) -> Int? {
        var expression = order.expression
        if case .collate(let inner, _) = expression.kind { expression = inner }
        if case .integer(let place) = expression.kind {
            guard part.results.indices.contains(Int(place) - 1) else {
                throw Refusal("there is no column \(place)", expression.range)
            }
            return Int(place) - 1
        }
        if case .name(let names) = expression.kind, names.count == 1 {
            let folded = names[0].text.foldedName
            if let index = columns.firstIndex(where: { $0.name.foldedName == folded }) { return index }
        }
        guard part.rows.isEmpty, let sql = try? translator.translate(expression).sql else { return nil }
        return part.results.firstIndex { $0.sql == sql }
    }

    private func limits(_ select: Select, _ scope: Scope) throws(Refusal) -> String {
        var sql = ""
        for (word, expression) in [("LIMIT", select.limit), ("OFFSET", select.offset)] {
            guard let expression else { continue }
            guard case .integer(let count) = expression.kind else {
                throw Refusal("\(word) by other than a number", expression.range)
            }
            if count >= 0 { sql += " \(word) \(count)" }
        }
        return sql
    }
}

extension ValueType {
    /// The type that PostgreSQL gives to an expression's value.
    var sql: String {
        switch self {
        case .null, .text: "text"
        case .boolean: "boolean"
        case .narrow: "integer"
        case .integer: "bigint"
        case .double: "double precision"
        case .numeric: "numeric"
        case .bytea: "bytea"
        case .other(let name): name
        }
    }
}

extension Select.Source {
    /// Whether a table of this name is read, here or in a SELECT within.
    func mentions(_ name: String) -> Bool {
        switch self {
        case .table(let names, _): names.last?.text.foldedName == name.foldedName
        case .function: false
        case .select(let select, _):
            (select.first.source?.mentions(name) ?? false)
                || select.rest.contains { $0.core.source?.mentions(name) ?? false }
        case .join(let left, _, let right, _): left.mentions(name) || right.mentions(name)
        }
    }
}
