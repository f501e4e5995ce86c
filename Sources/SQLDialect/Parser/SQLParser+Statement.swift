/// Statements that change rows, and those that make views, triggers and indexes.
extension SQLParser {
    mutating func statement() throws(SyntaxError) -> Statement {
        let start = start
        if at("INSERT") || at("REPLACE") { return .insert(try insert(from: start)) }
        if at("UPDATE") { return .update(try update(from: start)) }
        if at("DELETE") { return .delete(try delete(from: start)) }
        return .select(try select())
    }

    private mutating func conflict() throws(SyntaxError) -> Statement.Conflict? {
        guard take("OR") else { return nil }
        guard let word = current?.source.uppercased(), let conflict = Statement.Conflict(rawValue: word)
        else {
            throw unexpected("ROLLBACK, ABORT, FAIL, IGNORE or REPLACE is wanted")
        }
        position += 1
        return conflict
    }

    private mutating func tableName() throws(SyntaxError) -> String {
        try qualifiedName().last?.text ?? ""
    }

    private mutating func insert(from start: Int) throws(SyntaxError) -> Statement.Insert {
        var insert = Statement.Insert(table: "", range: start..<start)
        if take("REPLACE") {
            insert.conflict = .replace
        } else {
            try expect("INSERT")
            insert.conflict = try conflict()
        }
        try expect("INTO")
        insert.table = try tableName()
        if take("AS") { insert.alias = try name().text }
        if at(symbol: "(") { insert.columns = try names() }
        if !take("DEFAULT", "VALUES") { insert.select = try select() }
        while at("ON", "CONFLICT") {
            position += 2
            insert.hasUpsert = true
            try skipClause()
        }
        if take("RETURNING") {
            insert.hasReturning = true
            try skipClause()
        }
        insert.range = range(from: start)
        return insert
    }

    /// What is refused later, to its end: the statement's, or the clause's.
    private mutating func skipClause() throws(SyntaxError) {
        var depth = 0
        while let token = current {
            if depth == 0, token.isSymbol(";") || token.isWord("RETURNING") || at("ON", "CONFLICT") { return }
            if token.isSymbol("(") { depth += 1 }
            if token.isSymbol(")") { depth -= 1 }
            if token.kind == .invalid { throw unexpected("a token is wanted") }
            position += 1
        }
    }

    private mutating func update(from start: Int) throws(SyntaxError) -> Statement.Update {
        try expect("UPDATE")
        var update = Statement.Update(table: "", range: start..<start)
        update.conflict = try conflict()
        update.table = try tableName()
        if take("AS") { update.alias = try name().text }
        if take("INDEXED", "BY") { _ = try name() } else { _ = take("NOT", "INDEXED") }
        try expect("SET")
        update.assignments = try list { (parser) throws(SyntaxError) in
            let columns = parser.at(symbol: "(") ? try parser.names() : [try parser.name().text]
            try parser.expect(symbol: "=")
            return Statement.Assignment(columns: columns, value: try parser.expression())
        }
        if take("FROM") { update.source = try source() }
        if take("WHERE") { update.condition = try expression() }
        (update.hasReturning, update.hasLimit) = try tail()
        update.range = range(from: start)
        return update
    }

    private mutating func delete(from start: Int) throws(SyntaxError) -> Statement.Delete {
        try expect("DELETE", "FROM")
        var delete = Statement.Delete(table: try tableName(), range: start..<start)
        if take("AS") { delete.alias = try name().text }
        if take("INDEXED", "BY") { _ = try name() } else { _ = take("NOT", "INDEXED") }
        if take("WHERE") { delete.condition = try expression() }
        (delete.hasReturning, delete.hasLimit) = try tail()
        delete.range = range(from: start)
        return delete
    }

    private mutating func tail() throws(SyntaxError) -> (hasReturning: Bool, hasLimit: Bool) {
        let hasReturning = take("RETURNING")
        if hasReturning { try skipClause() }
        let hasLimit = at("LIMIT") || at("ORDER")
        if hasLimit { try skipClause() }
        return (hasReturning, hasLimit)
    }

    // MARK: CREATE

    private mutating func temporary() { if !take("TEMP") { _ = take("TEMPORARY") } }

    mutating func createView() throws(SyntaxError) -> CreateView {
        try expect("CREATE")
        temporary()
        try expect("VIEW")
        _ = take("IF", "NOT", "EXISTS")
        let name = try tableName()
        let columns = at(symbol: "(") ? try names() : []
        try expect("AS")
        return CreateView(name: name, columns: columns, select: try select())
    }

    mutating func createIndex() throws(SyntaxError) -> CreateIndex {
        try expect("CREATE")
        let isUnique = take("UNIQUE")
        try expect("INDEX")
        _ = take("IF", "NOT", "EXISTS")
        let name = try tableName()
        try expect("ON")
        let table = try self.name().text
        try expect(symbol: "(")
        let terms = try orderings()
        try expect(symbol: ")")
        let condition = take("WHERE") ? try expression() : nil
        return CreateIndex(name: name, isUnique: isUnique, table: table, terms: terms, condition: condition)
    }

    mutating func createTrigger() throws(SyntaxError) -> CreateTrigger {
        try expect("CREATE")
        temporary()
        try expect("TRIGGER")
        _ = take("IF", "NOT", "EXISTS")
        let name = try tableName()
        var time = CreateTrigger.Time.before
        if take("AFTER") {
            time = .after
        } else if take("INSTEAD", "OF") {
            time = .insteadOf
        } else {
            _ = take("BEFORE")
        }
        let event = try triggerEvent()
        try expect("ON")
        let table = try tableName()
        _ = take("FOR", "EACH", "ROW")
        let condition = take("WHEN") ? try expression() : nil
        try expect("BEGIN")
        var statements: [Statement] = []
        repeat {
            statements.append(try statement())
            try expect(symbol: ";")
        } while !take("END")
        return CreateTrigger(
            name: name, time: time, event: event, table: table, condition: condition, statements: statements)
    }

    private mutating func triggerEvent() throws(SyntaxError) -> CreateTrigger.Event {
        if take("INSERT") { return .insert }
        if take("DELETE") { return .delete }
        try expect("UPDATE")
        guard take("OF") else { return .update([]) }
        return .update(try list { (parser) throws(SyntaxError) in try parser.name().text })
    }
}
