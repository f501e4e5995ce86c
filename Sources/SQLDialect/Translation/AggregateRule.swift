import Postgres

/// Aggregates and window functions (https://sqlite.org/lang_aggfunc.html, https://sqlite.org/windowfunctions.html).
enum AggregateRule {
    private static let aggregates: Set<String> = [
        "avg", "count", "group_concat", "string_agg", "max", "min", "sum", "total",
    ]
    private static let windows: [String: (type: ValueType, arguments: ClosedRange<Int>)] = [
        "row_number": (.integer, 0...0), "rank": (.integer, 0...0), "dense_rank": (.integer, 0...0),
        "percent_rank": (.double, 0...0), "cume_dist": (.double, 0...0), "ntile": (.narrow, 1...1),
    ]
    private static let values: Set<String> = ["lag", "lead", "first_value", "last_value", "nth_value"]

    static func isAggregate(_ call: Expression.Call) -> Bool {
        guard aggregates.contains(call.name) else { return false }
        // With more than one argument these two are scalar functions.
        return !["max", "min"].contains(call.name) || call.arguments.count == 1
    }

    static func translate(
        _ call: Expression.Call, _ t: ExpressionTranslator, _ range: Range<Int>
    ) throws(Refusal) -> Typed {
        var over = ""
        if call.filter != nil || call.window != nil { over = try suffix(call, t) }
        if isAggregate(call) { return try aggregate(call, over, t, range) }
        if let (type, count) = windows[call.name], count.contains(call.arguments.count) {
            var arguments: [String] = []
            for argument in call.arguments {
                arguments.append(try t.number(argument).casting(to: .narrow, "int").sql)
            }
            return .atom("\(call.name)(\(arguments.joined(separator: ", ")))\(over)", type)
        }
        guard values.contains(call.name), let first = call.arguments.first else {
            throw Refusal("the function \(call.name)", range)
        }
        var value = try t.translate(first)
        var rest = ""
        for argument in call.arguments.dropFirst().prefix(1) {
            rest += ", \(try t.number(argument).casting(to: .narrow, "int").sql)"
        }
        if call.arguments.count > 2 {
            let (united, type) = try t.unite([value, t.translate(call.arguments[2])], range)
            value = united[0]
            value.type = type
            rest += ", \(united[1].sql)"
        }
        var result = Typed.atom("\(call.name)(\(value.sql)\(rest))\(over)", value.type)
        result.column = value.column
        return result
    }

    private static func suffix(
        _ call: Expression.Call, _ t: ExpressionTranslator
    ) throws(Refusal) -> String {
        var sql = ""
        if let filter = call.filter { sql += " FILTER (WHERE \(try t.condition(filter).sql))" }
        guard let window = call.window else { return sql }
        if let base = window.base, window.partitions.isEmpty, window.orders.isEmpty, window.frame == nil {
            return sql + " OVER \(quoteIdentifier(base))"
        }
        return sql + " OVER (\(try definition(window, t)))"
    }

    static func definition(
        _ window: Expression.Window, _ t: ExpressionTranslator
    ) throws(Refusal) -> String {
        var parts: [String] = []
        if let base = window.base { parts.append(quoteIdentifier(base)) }
        if !window.partitions.isEmpty {
            var terms: [String] = []
            for partition in window.partitions { terms.append(try t.grouping(partition).sql) }
            parts.append("PARTITION BY \(terms.joined(separator: ", "))")
        }
        if !window.orders.isEmpty {
            parts.append("ORDER BY \(try t.orders(window.orders).joined(separator: ", "))")
        }
        if let frame = window.frame {
            // Words and whole numbers are the same in both.
            let isPlain = SQLLexer.tokens(of: frame).allSatisfy {
                $0.kind == .word || $0.kind == .number && Int($0.source) != nil
            }
            guard isPlain else { throw Refusal("a frame with an expression", 0..<0) }
            parts.append(frame)
        }
        return parts.joined(separator: " ")
    }

    private static func aggregate(
        _ call: Expression.Call, _ over: String, _ t: ExpressionTranslator, _ range: Range<Int>
    ) throws(Refusal) -> Typed {
        if !call.orders.isEmpty { throw Refusal("ORDER BY in an aggregate", range) }
        if call.name == "count", call.arguments.isEmpty { return .atom("count(*)\(over)", .integer) }
        guard call.arguments.count == 1 else {
            throw Refusal("\(call.name) joins texts in an order that SQLite does not promise", range)
        }
        let distinct = call.isDistinct ? "DISTINCT " : ""
        let argument = call.arguments[0]
        if call.name == "count" {
            let value = call.isDistinct ? try t.grouping(argument) : try t.translate(argument)
            return .atom("count(\(distinct)\(value.sql))\(over)", .integer)
        }
        if call.name == "max" || call.name == "min" { return try extreme(call, over, t, range) }
        guard ["sum", "total", "avg"].contains(call.name) else {
            throw Refusal("\(call.name) joins texts in an order that SQLite does not promise", range)
        }
        let value = try t.number(argument)
        if value.type == .null { throw Refusal("\(call.name) of NULL", range) }
        let isInteger = value.type.isInteger
        let term = isInteger ? value.wide.sql : value.double.sql
        let sum = "sum(\(distinct)\(term))\(over)"
        var result: Typed
        switch call.name {
        case "sum": result = isInteger ? .atom("(\(sum))::bigint", .integer) : .atom(sum, .double)
        case "total": result = .atom("COALESCE((\(sum))::double precision, 0)", .double)
        default:
            result = .atom(
                "((\(sum))::double precision / NULLIF(count(\(distinct)\(term))\(over), 0))", .double)
        }
        result.isApproximate = !isInteger
        return result
    }

    private static func extreme(
        _ call: Expression.Call, _ over: String, _ t: ExpressionTranslator, _ range: Range<Int>
    ) throws(Refusal) -> Typed {
        let value = try t.translate(call.arguments[0])
        if let column = value.column, case .other = column.type, column.storage != .mixed,
            column.storage != .json,
            column.storage != .exact
        {
            var result = Typed.atom("\(call.name)(\(value.sql))\(over)", value.type)
            result.column = column
            return result
        }
        let plain = try t.plain(value, range)
        guard value.collation == "BINARY" else { throw Refusal("an order under a collation", range) }
        switch plain.type {
        case .text: return .atom("\(call.name)(\(plain.operand) COLLATE \"C\")\(over)", .text)
        case .bytea, .other: throw Refusal("the order of bytes", range)
        default: return .atom("\(call.name)(\(plain.number.sql))\(over)", plain.number.type)
        }
    }
}

extension ExpressionTranslator {
    /// A term of GROUP BY, DISTINCT or PARTITION BY: equal values are one group in both databases.
    func grouping(_ expression: Expression) throws(Refusal) -> Typed {
        let value = try translate(expression)
        if value.type == .text, value.collation != "BINARY" {
            throw Refusal("groups under the collation \(value.collation)", expression.range)
        }
        if value.column?.storage == .json || value.column?.storage == .mixed {
            throw Refusal("groups of values that are stored in several forms", expression.range)
        }
        return value
    }

    /// Terms of ORDER BY: NULL is the smallest value to SQLite, and texts are in the order of their bytes.
    func orders(_ orders: [Ordering]) throws(Refusal) -> [String] {
        var terms: [String] = []
        for order in orders { terms.append(try self.order(order, translate(order.expression))) }
        return terms
    }

    func order(_ order: Ordering, _ value: Typed) throws(Refusal) -> String {
        var term = value
        if case .layout? = value.column?.storage {
        } else if case .epoch? = value.column?.storage {
        } else {
            term = try plain(value, order.expression.range)
        }
        var sql = term.operand
        if term.type == .text {
            sql = "\(try Self.folded(term, value.collation, order.expression.range)) COLLATE \"C\""
        }
        let nullsFirst = order.nullsFirst ?? !order.isDescending
        return "\(sql) \(order.isDescending ? "DESC" : "ASC") NULLS \(nullsFirst ? "FIRST" : "LAST")"
    }
}

extension Expression {
    /// Whether it takes several rows for one value.
    var isAggregate: Bool {
        contains { part in
            guard case .call(let call) = part.kind else { return false }
            return call.window == nil && AggregateRule.isAggregate(call)
        }
    }
}
