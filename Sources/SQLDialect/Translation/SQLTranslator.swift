/// Translates SQLite's SQL into PostgreSQL's, where the result is known to be the same.
///
/// Every reading throws a `Refusal` with the reason and the place in the source where it is not. Pure; from any thread.
public struct SQLTranslator: Sendable {
    /// Tables and views that expressions may read.
    public var relations: [SQLRelation]

    public init(relations: [SQLRelation]) {
        self.relations = relations
    }

    /// A translated SELECT.
    public struct View: Sendable, Equatable {
        public var sql: String
        /// What other views see of it.
        public var columns: [SQLRelation.Column]
        /// Columns that are a sum or mean of doubles: their last digits depend on the order of the rows.
        public var approximate: [String]
    }

    /// A translated trigger.
    public struct Trigger: Sendable, Equatable {
        public var function: String
        public var trigger: String
    }

    /// The condition of a CHECK or of a partial index over one table.
    public func condition(_ sql: String, on relation: SQLRelation) throws(Refusal) -> String {
        try condition(parsed(sql), on: relation)
    }

    /// The same, read already.
    public func condition(_ expression: Expression, on relation: SQLRelation) throws(Refusal) -> String {
        try translator(over: relation).condition(expression).sql
    }

    /// The columns of a table that an expression names, each once; none where it cannot be read.
    public static func columns(of sql: String, in relation: SQLRelation) -> [String] {
        guard let expression = try? SQLParser.expression(sql) else { return [] }
        var names: [String] = []
        _ = expression.contains { part in
            if case .name(let parts) = part.kind,
                let name = relation.lookUp(parts[parts.count - 1].text)?.name,
                !names.contains(name)
            {
                names.append(name)
            }
            return false
        }
        return names
    }

    /// A generated column's expression, as a value of the column.
    public func generated(_ sql: String, for column: SQLRelation.Column, of relation: SQLRelation)
        throws(Refusal)
        -> String
    {
        try translator(over: relation).assigned(parsed(sql), to: column)
    }

    /// A default, which sees no columns, as a value of the column.
    public func defaultValue(_ sql: String, for column: SQLRelation.Column) throws(Refusal) -> String {
        var translator = ExpressionTranslator(relations: [], scope: Scope())
        translator.mayBeRandom = true
        return try translator.assigned(parsed(sql), to: column)
    }

    /// The value of an expression over one table, for tests and for raw SQL.
    public func value(_ sql: String, on relation: SQLRelation) throws(Refusal) -> (
        sql: String, type: ValueType
    ) {
        let expression = try parsed(sql)
        let translator = translator(over: relation)
        var value = try translator.plain(expression)
        if value.type == .boolean { value = value.number }
        return (value.sql, value.type)
    }

    /// One term of an index: a column or an expression, under its collation.
    public func indexTerm(
        _ expression: Expression, collation: String, on relation: SQLRelation
    ) throws(Refusal) -> String {
        var inner = expression
        if case .collate(let operand, _) = expression.kind { inner = operand }
        let value = try translator(over: relation).translate(inner)
        let folded =
            value.type == .text && collation.uppercased() != "BINARY"
            ? try ExpressionTranslator.folded(value, collation.uppercased(), expression.range) : value.sql
        return value.column != nil && folded == value.sql ? folded : "(\(folded))"
    }

    /// CREATE VIEW's SELECT; `names` are those of its columns as SQLite gives them.
    public func view(_ view: CreateView, names: [String]) throws(Refusal) -> View {
        let outcome = try SelectTranslator(relations: relations).translate(view.select, in: nil, names: names)
        return View(sql: outcome.sql, columns: outcome.columns, approximate: outcome.approximate)
    }

    /// A trigger; `function` is the quoted name of its function, `name` its own in the target.
    public func trigger(
        _ trigger: CreateTrigger, name: String? = nil, function: String, mayFireItself: Bool
    ) throws(Refusal) -> Trigger {
        guard let table = relations.first(where: { $0.name.foldedName == trigger.table.foldedName }) else {
            throw Refusal("the table \(trigger.table) is not in the target", 0..<0)
        }
        var trigger = trigger
        if let name { trigger.name = name }
        let outcome = try TriggerTranslator(
            relations: relations, trigger: trigger, table: table, function: function,
            mayFireItself: mayFireItself
        ).translate()
        return Trigger(function: outcome.function, trigger: outcome.trigger)
    }

    private func parsed(_ sql: String) throws(Refusal) -> Expression {
        do { return try SQLParser.expression(sql) } catch { throw Refusal(error) }
    }

    private func translator(over relation: SQLRelation) -> ExpressionTranslator {
        let scope = Scope()
        scope.sources.append(.init(name: relation.name, qualifier: nil, relation: relation))
        return ExpressionTranslator(relations: [], scope: scope)
    }
}
