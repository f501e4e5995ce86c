import Postgres

/// Calls of functions, by a table.
extension Rewrite {
    private enum Rule {
        /// The same in both.
        case same
        /// The same under another name; the note says what may differ.
        case called(String, note: String?)
        /// The translator's equal, or none.
        case translated
        /// None, and why.
        case none(String)
    }

    /// Functions that take any value as it is.
    private static let transparent: Set<String> = [
        "coalesce", "ifnull", "nullif", "iif", "if", "count", "lag", "lead", "first_value", "last_value",
        "nth_value",
    ]

    private static let rules: [String: Rule] = {
        var rules: [String: Rule] = [:]
        for name in [
            "abs", "coalesce", "nullif", "length", "trim", "ltrim", "rtrim", "replace",
            "count", "sum", "avg", "row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile",
            "lag",
            "lead", "first_value", "last_value", "nth_value", "sign", "concat", "string_agg", "octet_length",
        ] {
            rules[name] = .same
        }
        for name in [
            "datetime", "date", "time", "strftime", "unixepoch", "julianday", "glob", "like", "quote",
            "likely",
            "unlikely", "zeroblob",
        ] {
            rules[name] = .translated
        }
        for name in ["lower", "upper"] {
            rules[name] = .called(
                name, note: "\(name)() changes A to Z alone in SQLite, and every alphabet on PostgreSQL")
        }
        rules["round"] = .called(
            "round",
            note: "round() of a double goes to the even one of two neighbours, and not away from zero")
        rules["ifnull"] = .called("coalesce", note: nil)
        rules["instr"] = .called("strpos", note: nil)
        rules["unicode"] = .called("ascii", note: nil)
        rules["json_object"] = .called("jsonb_build_object", note: nil)
        rules["json_array"] = .called("jsonb_build_array", note: nil)
        rules["json_group_array"] = .called("jsonb_agg", note: nil)
        rules["json_group_object"] = .called("jsonb_object_agg", note: nil)
        rules["hex"] = .translated
        rules["typeof"] = .none("typeof(): a column has one type on PostgreSQL")
        rules["last_insert_rowid"] = .none("last_insert_rowid(): add RETURNING to the INSERT")
        rules["changes"] = .none("changes(): the driver tells how many rows there were")
        rules["total_changes"] = .none("total_changes(): the driver tells how many rows there were")
        rules["random"] = .none("random(), which is a number from 0 to 1 on PostgreSQL")
        rules["randomblob"] = .none("randomblob(): gen_random_bytes() of the extension pgcrypto")
        rules["printf"] = .none("printf(): format() of PostgreSQL's knows %s, %I and %L alone")
        rules["format"] = rules["printf"]
        rules["json_valid"] = .none("json_valid(): x IS JSON since PostgreSQL 16")
        return rules
    }()

    mutating func visit(_ call: Expression.Call, _ expression: Expression, _ scope: Scope) {
        if let text = columnText(call, scope) { return replace(expression.range, text) }
        let isExtreme = ["min", "max"].contains(call.name)
        if isExtreme, call.arguments.count > 1,
            call.arguments.allSatisfy({ column($0, scope)?.isInstant ?? false })
        {
            return rename(extreme: call, expression, scope)
        }
        if !Self.transparent.contains(call.name), !(isExtreme && call.arguments.count == 1),
            let argument = call.arguments.first(where: {
                column($0, scope).map { $0.isInstant || $0.type == .boolean } ?? false
            })
        {
            if call.name != "group_concat" || column(argument, scope)?.isInstant ?? false {
                return translate(expression, scope)
            }
        }
        visitAround(call, scope)
        switch call.name {
        case "iif",
            "if" where call.arguments.count >= 2:
            return choose(call, expression, scope)
        case "group_concat": return join(call, expression, scope)
        case "total" where call.window == nil && call.filter == nil && call.arguments.count == 1:
            replace(expression.range.lowerBound..<call.arguments[0].range.lowerBound, "coalesce(sum(")
            replace(
                call.arguments[0].range.upperBound..<expression.range.upperBound, "), 0)::double precision")
        case "json_extract" where call.arguments.count == 2: return extractJSON(call, expression, scope)
        case "json_array_length" where call.arguments.count == 1:
            rename(expression, "jsonb_array_length")
            castToJSON(call.arguments[0], scope)
        case "substr", "substring":
            if call.arguments.dropFirst().contains(where: {
                if case .unary(.minus, _) = $0.kind { true } else { false }
            }) {
                return translate(expression, scope)
            }
        case "char" where call.arguments.count == 1: rename(expression, "chr")
        case "min", "max":
            if call.arguments.count > 1 { return extreme(call, expression, scope) }
        default:
            switch Self.rules[call.name] {
            case .same?, nil: break
            case .called(let name, let note)?:
                rename(expression, name)
                if let note { self.note(note) }
            case .translated?: return translate(expression, scope)
            case .none(let reason)?: return refuse(reason, expression.range)
            }
        }
        for argument in call.arguments { visit(argument, scope) }
    }

    /// A date of a column's as a text: `strftime('%Y', x / 1000, 'unixepoch')` where x counts milliseconds, `date(x)` where
    /// it is a text.
    private func columnText(_ call: Expression.Call, _ scope: Scope) -> String? {
        let formats = ["date": "%F", "time": "%T", "datetime": "%F %T"]
        var arguments = call.arguments[...]
        var format = formats[call.name]
        if call.name == "strftime", case .text(let text)? = arguments.popFirst()?.kind { format = text }
        guard let format, let value = arguments.popFirst() else { return nil }
        var name = value
        var perSecond = 1
        if case .binary(.divide, let left, let right) = value.kind {
            guard case .integer(let divisor) = right.kind else { return nil }
            (name, perSecond) = (left, Int(divisor))
        }
        guard let column = column(name, scope), column.isInstant else { return nil }
        if case .epoch(let count) = column.storage {
            guard count == perSecond, case .text("unixepoch")? = arguments.popFirst()?.kind else {
                return nil
            }
        } else if perSecond != 1 {
            return nil
        }
        guard arguments.isEmpty else { return nil }
        let sql = source(name.range)
        let qualifier = sql.contains(".") ? sql.prefix { $0 != "." } + "." : ""
        let reference =
            "\(qualifier)\(quoteIdentifierWhereNeeded(column.target))\(column.isZoned ? " AT TIME ZONE 'UTC'" : "")"
        return (try? DateRules.formatted(reference, format, name.range))?.sql
    }

    /// ORDER BY, FILTER and OVER of a call.
    private mutating func visitAround(_ call: Expression.Call, _ scope: Scope) {
        for term in call.orders { order(term, scope) }
        if let filter = call.filter { visit(filter, scope) }
        if let window = call.window { visit(window, scope) }
    }

    private mutating func rename(_ expression: Expression, _ name: String) {
        guard let first = tokens(in: expression.range).first, tokens[first].source.lowercased() != name else {
            return
        }
        replace(tokens[first].range, name)
    }

    /// `iif(a, b, c)` as CASE.
    private mutating func choose(_ call: Expression.Call, _ expression: Expression, _ scope: Scope) {
        var place = expression.range.lowerBound
        let words = ["CASE WHEN ", " THEN ", " ELSE "]
        guard call.arguments.count <= 3 else { return refuse("iif() of more than three", expression.range) }
        for (word, argument) in zip(words, call.arguments) {
            replace(place..<argument.range.lowerBound, word)
            visit(argument, scope)
            place = argument.range.upperBound
        }
        replace(place..<expression.range.upperBound, " END")
    }

    /// The greatest or least of several; NULL where one is, but on PostgreSQL only where all are.
    private mutating func extreme(_ call: Expression.Call, _ expression: Expression, _ scope: Scope) {
        if translated(expression, scope) != nil { rename(extreme: call, expression, scope) }
    }

    private mutating func rename(
        extreme call: Expression.Call, _ expression: Expression, _ scope: Scope
    ) {
        rename(expression, call.name == "max" ? "greatest" : "least")
        note(
            "\(call.name)() of several is NULL where one of them is; \(call.name == "max" ? "greatest" : "least")() only where all are"
        )
        for argument in call.arguments { visit(argument, scope) }
    }

    private mutating func join(_ call: Expression.Call, _ expression: Expression, _ scope: Scope) {
        guard let value = call.arguments.first, !call.hasStar else { return }
        rename(expression, "string_agg")
        visit(value, scope)
        let isName = if case .name = value.kind { true } else { false }
        if !isName { insert("(", at: value.range.lowerBound) }
        insert(isName ? "::text" : ")::text", at: value.range.upperBound)
        if call.arguments.count > 1 {
            visit(call.arguments[1], scope)
        } else {
            insert(", ','", at: value.range.upperBound)
        }
        if call.orders.isEmpty { note("the order within string_agg() is any: ORDER BY within it says which") }
    }

    private mutating func extractJSON(_ call: Expression.Call, _ expression: Expression, _ scope: Scope) {
        let (document, path) = (call.arguments[0], call.arguments[1])
        guard case .text(let text) = path.kind, let keys = Self.path(text) else {
            return refuse("json_extract() with a path that is not known", expression.range)
        }
        note("json_extract() gives a number for a number; #>> always a text")
        replace(expression.range.lowerBound..<document.range.lowerBound, "(")
        visit(document, scope)
        castToJSON(document, scope)
        replace(document.range.upperBound..<path.range.upperBound, " #>> '{\(keys)}'")
    }
}
