/// SELECT and VALUES (https://sqlite.org/lang_select.html).
extension SQLParser {
    mutating func select() throws(SyntaxError) -> Select {
        try nested { (parser) throws(SyntaxError) in try parser.wholeSelect() }
    }

    private mutating func wholeSelect() throws(SyntaxError) -> Select {
        let start = start
        var select = Select()
        if take("WITH") {
            select.isRecursive = take("RECURSIVE")
            select.commonTables = try list { (parser) throws(SyntaxError) in try parser.commonTable() }
        }
        select.first = try core()
        while let compound = compound() {
            select.rest.append(.init(compound: compound, core: try core()))
        }
        if take("ORDER", "BY") { select.orders = try orderings() }
        if take("LIMIT") {
            select.limit = try expression()
            if take("OFFSET") {
                select.offset = try expression()
            } else if take(symbol: ",") {
                select.offset = select.limit
                select.limit = try expression()
            }
        }
        select.range = range(from: start)
        return select
    }

    private mutating func commonTable() throws(SyntaxError) -> Select.CommonTable {
        let table = try name().text
        let columns = at(symbol: "(") ? try names() : []
        try expect("AS")
        if take("NOT") { try expect("MATERIALIZED") } else { _ = take("MATERIALIZED") }
        return .init(name: table, columns: columns, select: try parenthesisedSelect())
    }

    mutating func names() throws(SyntaxError) -> [String] {
        try parenthesised { (parser) throws(SyntaxError) in try parser.name().text }
    }

    private mutating func compound() -> Select.Compound? {
        if take("UNION", "ALL") { return .unionAll }
        if take("UNION") { return .union }
        if take("INTERSECT") { return .intersect }
        return take("EXCEPT") ? .except : nil
    }

    private mutating func core() throws(SyntaxError) -> Select.Core {
        var core = Select.Core()
        if take("VALUES") {
            core.values = try list { (parser) throws(SyntaxError) in
                try parser.parenthesised { (parser) throws(SyntaxError) in try parser.expression() }
            }
            return core
        }
        try expect("SELECT")
        core.isDistinct = take("DISTINCT")
        if !core.isDistinct { _ = take("ALL") }
        core.results = try list { (parser) throws(SyntaxError) in try parser.result() }
        if take("FROM") { core.source = try source() }
        if take("WHERE") { core.condition = try expression() }
        if take("GROUP", "BY") {
            core.groups = try list { (parser) throws(SyntaxError) in try parser.expression() }
        }
        if take("HAVING") { core.having = try expression() }
        if take("WINDOW") {
            core.windows = try list { (parser) throws(SyntaxError) in
                let name = try parser.name().text
                try parser.expect("AS")
                return Select.NamedWindow(name: name, window: try parser.window())
            }
        }
        return core
    }

    private mutating func result() throws(SyntaxError) -> Select.Result {
        if take(symbol: "*") { return .all }
        if isName(current), token(ahead: 1)?.isSymbol(".") ?? false, token(ahead: 2)?.isSymbol("*") ?? false {
            let table = try name().text
            position += 2
            return .allOf(table)
        }
        let expression = try expression()
        return .expression(expression, alias: try alias())
    }

    // MARK: FROM

    mutating func source() throws(SyntaxError) -> Select.Source {
        var left = try operand()
        var joins = 0
        while let join = try join() {
            let right = try operand()
            var constraint = Select.Constraint.none
            if take("ON") {
                constraint = .on(try expression())
            } else if take("USING") {
                constraint = .using(try names())
            }
            left = .join(left, join, right, constraint)
            joins += 1
            if joins > Self.deepest { throw unexpected("fewer tables are wanted") }
        }
        return left
    }

    private mutating func join() throws(SyntaxError) -> Select.Join? {
        if take(symbol: ",") { return .init(kind: .inner, isNatural: false) }
        let begin = position
        var join = Select.Join(kind: .inner, isNatural: take("NATURAL"))
        if take("LEFT") {
            join.kind = .left
        } else if take("RIGHT") {
            join.kind = .right
        } else if take("FULL") {
            join.kind = .full
        } else if take("CROSS") {
            join.kind = .cross
        } else {
            _ = take("INNER")
        }
        _ = take("OUTER")
        if take("JOIN") { return join }
        if position != begin { throw unexpected("JOIN is wanted") }
        return nil
    }

    private mutating func operand() throws(SyntaxError) -> Select.Source {
        if at(symbol: "(") {
            if isSelect(token(ahead: 1)) {
                let select = try parenthesisedSelect()
                return .select(select, alias: try alias())
            }
            return try nested { (parser) throws(SyntaxError) in
                try parser.expect(symbol: "(")
                let source = try parser.source()
                try parser.expect(symbol: ")")
                return source
            }
        }
        let table = try qualifiedName()
        if at(symbol: "(") {
            let arguments = try parenthesised { (parser) throws(SyntaxError) in try parser.expression() }
            return .function(table.last?.text.lowercased() ?? "", arguments, alias: try alias())
        }
        let alias = try alias()
        if take("INDEXED", "BY") { _ = try name() } else { _ = take("NOT", "INDEXED") }
        return .table(table, alias: alias)
    }
}
