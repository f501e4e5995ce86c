import Postgres

/// Translates a trigger into a function in PL/pgSQL and the trigger that runs it.
///
/// https://sqlite.org/lang_createtrigger.html, https://www.postgresql.org/docs/current/plpgsql-trigger.html
struct TriggerTranslator {
    let relations: [SQLRelation]
    let trigger: CreateTrigger
    let table: SQLRelation
    /// The function's name, quoted, with its schema.
    let function: String
    /// A trigger does not run within itself in SQLite; set where its statements could bring that about.
    let mayFireItself: Bool

    struct Outcome: Equatable {
        var function: String
        var trigger: String
    }

    func translate() throws(Refusal) -> Outcome {
        let scope = rowScope()
        let translator = ExpressionTranslator(relations: relations, scope: scope)
        var body: [String] = []
        for statement in trigger.statements { body += try lines(of: statement, scope) }
        if let condition = trigger.condition {
            let test = try translator.condition(condition).sql
            body = ["IF \(test) THEN"] + body.map { "    " + $0 } + ["END IF;"]
        }
        if mayFireItself { body = guarded(body) }
        let result = trigger.time == .after ? "NULL" : trigger.event == .delete ? "OLD" : "NEW"
        let lines =
            ["#variable_conflict use_column", "BEGIN"] + body.map { "    " + $0 }
            + ["    RETURN \(result);", "END"]
        let text = lines.joined(separator: "\n")
        return Outcome(
            function:
                "CREATE FUNCTION \(function)() RETURNS trigger LANGUAGE plpgsql AS \(Self.quoted(text))",
            trigger:
                "CREATE TRIGGER \(quoteIdentifier(trigger.name)) \(trigger.time.rawValue) \(try event()) ON "
                + "\(table.target) FOR EACH ROW EXECUTE FUNCTION \(function)()")
    }

    /// In dollars, with a tag that the text does not hold.
    private static func quoted(_ text: String) -> String {
        var tag = "$body$"
        var number = 1
        while text.contains(tag) {
            tag = "$body\(number)$"
            number += 1
        }
        return "\(tag)\n\(text)\n\(tag)"
    }

    private func event() throws(Refusal) -> String {
        switch trigger.event {
        case .insert: return "INSERT"
        case .delete: return "DELETE"
        case .update(let columns):
            if columns.isEmpty { return "UPDATE" }
            if trigger.time == .insteadOf { throw Refusal("UPDATE OF columns of a view", 0..<0) }
            var targets: [String] = []
            for name in columns {
                guard let column = table.lookUp(name) else {
                    throw Refusal("there is no column \(name)", 0..<0)
                }
                targets.append(column.target)
            }
            return "UPDATE OF \(Names.list(targets))"
        }
    }

    /// Remembers for the transaction that the trigger runs; an error takes the mark away with the rest.
    private func guarded(_ body: [String]) -> [String] {
        let mark = quoteLiteral("howdah.in_" + trigger.name.utf8.map { String($0, radix: 16) }.joined())
        let result = trigger.time == .after ? "NULL" : trigger.event == .delete ? "OLD" : "NEW"
        return [
            "IF current_setting(\(mark), true) = 'on' THEN RETURN \(result); END IF;",
            "PERFORM set_config(\(mark), 'on', true);",
        ] + body + ["PERFORM set_config(\(mark), 'off', true);"]
    }

    /// NEW and OLD, as far as the event has them.
    private func rowScope() -> Scope {
        let scope = Scope()
        if trigger.event != .delete {
            scope.sources.append(.init(name: "new", qualifier: "NEW", relation: table))
        }
        if trigger.event != .insert {
            scope.sources.append(.init(name: "old", qualifier: "OLD", relation: table))
        }
        return scope
    }

    // MARK: Statements

    private func lines(of statement: Statement, _ scope: Scope) throws(Refusal) -> [String] {
        switch statement {
        case .select(let select): return try lines(of: select, scope)
        case .insert(let insert): return [try self.insert(insert, scope) + ";"]
        case .update(let update): return [try self.update(update, scope) + ";"]
        case .delete(let delete): return [try self.delete(delete, scope) + ";"]
        }
    }

    private func relation(_ name: String, _ range: Range<Int>) throws(Refusal) -> SQLRelation {
        guard let relation = relations.first(where: { $0.name.foldedName == name.foldedName }) else {
            throw Refusal("the table \(name) is not in the target", range)
        }
        return relation
    }

    private func insert(_ insert: Statement.Insert, _ scope: Scope) throws(Refusal) -> String {
        if insert.hasReturning { throw Refusal("RETURNING", insert.range) }
        if insert.hasUpsert { throw Refusal("INSERT with ON CONFLICT", insert.range) }
        let ending: String
        switch insert.conflict {
        case nil, .abort?: ending = ""
        case .ignore?: ending = " ON CONFLICT DO NOTHING"
        case .replace?, .fail?, .rollback?:
            throw Refusal("INSERT OR \(insert.conflict?.rawValue ?? "")", insert.range)
        }
        let relation = try relation(insert.table, insert.range)
        guard let select = insert.select else {
            return "INSERT INTO \(relation.target) DEFAULT VALUES\(ending)"
        }
        var columns: [SQLRelation.Column] = []
        for name in insert.columns {
            guard let column = relation.lookUp(name) else {
                throw Refusal("there is no column \(name)", insert.range)
            }
            columns.append(column)
        }
        if insert.columns.isEmpty { columns = relation.columns }
        let into = "INSERT INTO \(relation.target) (\(Names.list(columns.map(\.target)))) "
        if select.rest.isEmpty, select.commonTables.isEmpty, !select.first.values.isEmpty {
            var translator = ExpressionTranslator(relations: relations, scope: scope)
            translator.mayBeRandom = true
            var rows: [String] = []
            for row in select.first.values {
                guard row.count == columns.count else {
                    throw Refusal("rows of several lengths", insert.range)
                }
                var values: [String] = []
                for (value, column) in zip(row, columns) {
                    values.append(try translator.assigned(value, to: column))
                }
                rows.append("(\(values.joined(separator: ", ")))")
            }
            return into + "VALUES \(rows.joined(separator: ", "))\(ending)"
        }
        let inner = try SelectTranslator(relations: relations).translate(select, in: scope)
        guard inner.columns.count == columns.count else {
            throw Refusal("rows of several lengths", insert.range)
        }
        let translator = ExpressionTranslator(relations: relations, scope: scope)
        var values: [String] = []
        for (found, column) in zip(inner.columns, columns) {
            values.append(try translator.assigned(Scope.reference(found, "found"), to: column, insert.range))
        }
        return into + "SELECT \(values.joined(separator: ", ")) FROM (\(inner.sql)) AS found\(ending)"
    }

    private func update(_ update: Statement.Update, _ scope: Scope) throws(Refusal) -> String {
        if update.hasReturning || update.hasLimit {
            throw Refusal("UPDATE with RETURNING or LIMIT", update.range)
        }
        guard update.conflict == nil || update.conflict == .abort else {
            throw Refusal("UPDATE OR \(update.conflict?.rawValue ?? "")", update.range)
        }
        let (relation, inner, name) = try target(update.table, update.alias, scope, update.range)
        var from = ""
        if let source = update.source {
            from =
                " FROM "
                + (try FromTranslator(SelectTranslator(relations: relations), inner).translate(source))
        }
        let translator = ExpressionTranslator(relations: relations, scope: inner)
        var assignments: [String] = []
        for assignment in update.assignments {
            guard assignment.columns.count == 1, let column = relation.lookUp(assignment.columns[0]) else {
                throw Refusal("SET of \(assignment.columns.joined(separator: ", "))", update.range)
            }
            let value = try translator.assigned(assignment.value, to: column)
            assignments.append("\(quoteIdentifier(column.target)) = \(value)")
        }
        return
            "UPDATE \(relation.target) AS \(quoteIdentifier(name)) SET \(assignments.joined(separator: ", "))\(from)"
            + (try condition(update.condition, translator))
    }

    private func delete(_ delete: Statement.Delete, _ scope: Scope) throws(Refusal) -> String {
        if delete.hasReturning || delete.hasLimit {
            throw Refusal("DELETE with RETURNING or LIMIT", delete.range)
        }
        let (relation, inner, name) = try target(delete.table, delete.alias, scope, delete.range)
        var translator = ExpressionTranslator(relations: relations, scope: inner)
        translator.mayBeRandom = true
        return "DELETE FROM \(relation.target) AS \(quoteIdentifier(name))"
            + (try condition(delete.condition, translator))
    }

    private func target(
        _ table: String, _ alias: String?, _ scope: Scope, _ range: Range<Int>
    ) throws(Refusal) -> (SQLRelation, Scope, String) {
        let relation = try relation(table, range)
        let inner = Scope(parent: scope)
        let name = alias ?? relation.name
        inner.sources.append(.init(name: name, qualifier: quoteIdentifier(name), relation: relation))
        return (relation, inner, name)
    }

    private func condition(
        _ condition: Expression?, _ translator: ExpressionTranslator
    ) throws(Refusal) -> String {
        guard let condition else { return "" }
        return " WHERE \(try translator.condition(condition).sql)"
    }

    // MARK: SELECT, which is there for RAISE

    private func lines(of select: Select, _ scope: Scope) throws(Refusal) -> [String] {
        guard select.rest.isEmpty, select.commonTables.isEmpty, select.first.values.isEmpty else {
            throw Refusal("a compound SELECT in a trigger", select.range)
        }
        let core = select.first
        guard core.results.count == 1, case .expression(let expression, _) = core.results[0] else {
            return try harmless(core, select.range)
        }
        let inner = Scope(parent: scope)
        var from = ""
        if let source = core.source {
            from =
                " FROM "
                + (try FromTranslator(SelectTranslator(relations: relations), inner).translate(source))
        }
        let translator = ExpressionTranslator(relations: relations, scope: inner)
        let condition = try core.condition.map { (expression) throws(Refusal) in
            try translator.condition(expression).sql
        }
        func test(_ more: String?) -> String {
            let tests = [condition, more].compactMap { $0 }
            if from.isEmpty {
                return tests.isEmpty ? "true" : tests.map { "(\($0))" }.joined(separator: " AND ")
            }
            let clause = tests.isEmpty ? "" : " WHERE \(tests.map { "(\($0))" }.joined(separator: " AND "))"
            return "EXISTS (SELECT\(from)\(clause))"
        }
        switch expression.kind {
        case .raise(let raise, let message):
            return ["IF \(test(nil)) THEN", "    \(try self.raise(raise, message, select.range))", "END IF;"]
        case .choice(let operand, let branches, let otherwise) where expression.hasRaise:
            // With rows to read, the first branch that holds would depend on the row.
            guard from.isEmpty || branches.count == 1 && otherwise == nil else {
                throw Refusal("RAISE in one of several branches, row by row", expression.range)
            }
            var lines: [String] = []
            for branch in branches {
                let holds =
                    if let operand {
                        try translator.compare(.equal, operand, branch.condition, expression.range)
                    } else {
                        try translator.condition(branch.condition)
                    }
                lines.append("\(lines.isEmpty ? "IF" : "ELSIF") \(test(holds.sql)) THEN")
                lines.append("    \(try action(branch.value, select.range))")
            }
            if let otherwise {
                lines += ["ELSE", "    \(try action(otherwise, select.range))"]
            }
            return lines + ["END IF;"]
        default: return try harmless(core, select.range)
        }
    }

    private func action(_ expression: Expression, _ range: Range<Int>) throws(Refusal) -> String {
        if case .raise(let raise, let message) = expression.kind {
            return try self.raise(raise, message, range)
        }
        if expression.hasRaise { throw Refusal("RAISE within an expression", expression.range) }
        return "NULL;"
    }

    /// A SELECT without RAISE changes nothing, whatever it reads.
    private func harmless(_ core: Select.Core, _ range: Range<Int>) throws(Refusal) -> [String] {
        for case .expression(let expression, _) in core.results where expression.hasRaise {
            throw Refusal("RAISE within an expression", expression.range)
        }
        if core.condition?.hasRaise ?? false { throw Refusal("RAISE within a condition", range) }
        let calls = core.results.contains {
            guard case .expression(let expression, _) = $0 else { return false }
            return expression.contains { part in
                guard case .call(let call) = part.kind else { return false }
                return FunctionRule.byName[call.name] == nil && !AggregateRule.isAggregate(call)
            }
        }
        if calls { throw Refusal("a function of the application's", range) }
        return []
    }

    private func raise(
        _ raise: Expression.Raise, _ message: String?, _ range: Range<Int>
    ) throws(Refusal) -> String {
        switch raise {
        case .abort, .rollback:
            return
                "RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE = \(quoteLiteral(message ?? ""));"
        case .ignore:
            guard trigger.time == .before else { throw Refusal("RAISE(IGNORE) after the change", range) }
            if mayFireItself { throw Refusal("RAISE(IGNORE) in a trigger that may fire itself", range) }
            return "RETURN NULL;"
        case .fail: throw Refusal("RAISE(FAIL) keeps what the statement has changed so far", range)
        }
    }
}

extension Expression {
    fileprivate var hasRaise: Bool {
        contains { part in
            if case .raise = part.kind { return true }
            return false
        }
    }
}
