import Postgres

/// SQLite's scalar functions in PostgreSQL's words (https://sqlite.org/lang_corefunc.html).
struct FunctionRule: Sendable {
    let name: String
    let arguments: ClosedRange<Int>
    let translate: @Sendable (ExpressionTranslator, [Expression], Range<Int>) throws(Refusal) -> Typed

    static let byName: [String: FunctionRule] = Dictionary(
        uniqueKeysWithValues: (all + DateRules.all).map { ($0.name, $0) })

    private static let all: [FunctionRule] = [
        FunctionRule(name: "abs", arguments: 1...1) { t, a, _ throws(Refusal) in
            let value = try t.number(a[0])
            let wide = value.type.isInteger ? value.wide : value.type == .null ? value : value.double
            return .atom("abs(\(wide.sql))", value.type == .numeric ? .numeric : wide.type)
        },
        FunctionRule(name: "coalesce", arguments: 2...100) { t, a, range throws(Refusal) in
            try t.firstPresent(a, range)
        },
        FunctionRule(name: "ifnull", arguments: 2...2) { t, a, range throws(Refusal) in
            try t.firstPresent(a, range)
        },
        FunctionRule(name: "nullif", arguments: 2...2) { t, a, range throws(Refusal) in
            let value = try t.translate(a[0])
            let same = try t.compare(.equal, a[0], a[1], range)
            var result = Typed.atom("CASE WHEN \(same.sql) THEN NULL ELSE \(value.sql) END", value.type)
            result.column = value.column
            return result
        },
        FunctionRule(name: "iif", arguments: 2...3) { t, a, range throws(Refusal) in
            try t.translate(
                Expression(
                    .choice(
                        operand: nil, branches: [.init(condition: a[0], value: a[1])],
                        otherwise: a.count > 2 ? a[2] : nil), range))
        },
        FunctionRule(name: "if", arguments: 2...3) { t, a, range throws(Refusal) in
            try t.translate(
                Expression(
                    .choice(
                        operand: nil, branches: [.init(condition: a[0], value: a[1])],
                        otherwise: a.count > 2 ? a[2] : nil), range))
        },
        FunctionRule(name: "length", arguments: 1...1) { t, a, _ throws(Refusal) in
            let value = try t.plain(a[0])
            if value.type == .bytea { return .atom("octet_length(\(value.sql))", .narrow) }
            return .atom("char_length(\(try t.text(value, a[0].range).sql))", .narrow)
        },
        FunctionRule(name: "octet_length", arguments: 1...1) { t, a, _ throws(Refusal) in
            let value = try t.plain(a[0])
            if value.type == .bytea { return .atom("octet_length(\(value.sql))", .narrow) }
            return .atom("octet_length(\(try t.text(value, a[0].range).sql))", .narrow)
        },
        FunctionRule(name: "lower", arguments: 1...1) { t, a, _ throws(Refusal) in
            .atom("lower(\(try t.text(a[0]).operand) COLLATE \"C\")", .text)
        },
        FunctionRule(name: "upper", arguments: 1...1) { t, a, _ throws(Refusal) in
            .atom("upper(\(try t.text(a[0]).operand) COLLATE \"C\")", .text)
        },
        trim("trim", as: "btrim"), trim("ltrim", as: "ltrim"), trim("rtrim", as: "rtrim"),
        FunctionRule(name: "replace", arguments: 3...3) { t, a, _ throws(Refusal) in
            let (text, old, new) = (try t.text(a[0]), try t.text(a[1]), try t.text(a[2]))
            let replaced = "replace(\(text.sql), \(old.sql), \(new.sql))"
            if case .text(let part)? = old.constant, !part.isEmpty { return .atom(replaced, .text) }
            // With nothing to look for the text is as it was, whatever the third one is.
            return .atom("CASE WHEN \(old.operand) = '' THEN \(text.sql) ELSE \(replaced) END", .text)
        },
        FunctionRule(name: "instr", arguments: 2...2) { t, a, range throws(Refusal) in
            let sides = (try t.plain(a[0]), try t.plain(a[1]))
            if sides.0.type == .bytea || sides.1.type == .bytea {
                throw Refusal("instr of bytes", range)
            }
            return .atom(
                "strpos(\(try t.text(sides.0, range).sql), \(try t.text(sides.1, range).sql))", .narrow)
        },
        substring("substr"), substring("substring"),
        FunctionRule(name: "hex", arguments: 1...1) { t, a, range throws(Refusal) in
            let value = try t.plain(a[0])
            if let digits = RandomRules.digits(ofBytes: value) { return .atom("upper(\(digits))", .text) }
            let bytes =
                value.type == .bytea ? value.sql : "convert_to(\(try t.text(value, range).sql), 'UTF8')"
            // SQLite has '' for the hex of NULL.
            return .atom("coalesce(upper(encode(\(bytes), 'hex')), '')", .text)
        },
        FunctionRule(name: "quote", arguments: 1...1) { t, a, range throws(Refusal) in
            let value = try t.plain(a[0])
            guard value.type == .text || value.type.isInteger else {
                throw Refusal("quote of other than a text", range)
            }
            if value.type != .text {
                return .atom("coalesce(\(try t.text(value, range).sql), 'NULL')", .text)
            }
            return .atom("coalesce('''' || replace(\(value.sql), '''', '''''') || '''', 'NULL')", .text)
        },
        FunctionRule(name: "unicode", arguments: 1...1) { t, a, _ throws(Refusal) in
            .atom("ascii(NULLIF(\(try t.text(a[0]).sql), ''))", .narrow)
        },
        FunctionRule(name: "sign", arguments: 1...1) { t, a, _ throws(Refusal) in
            let value = try t.number(a[0])
            return .atom("sign(\(value.double.sql))::int", .narrow)
        },
        FunctionRule(name: "round", arguments: 1...2) { t, a, range throws(Refusal) in
            if a.count == 2 {
                guard case .integer(0) = a[1].kind else {
                    throw Refusal("round to digits is a matter of how SQLite writes numbers", range)
                }
            }
            let value = try t.number(a[0])
            let x = value.double.operand
            if value.type.isInteger { return .atom(x, .double) }
            // Half away from zero, as SQLite adds and cuts; whole beyond 2⁵².
            return .atom(
                "CASE WHEN abs(\(x)) > 4503599627370496 THEN \(x) ELSE trunc(\(x) + CASE WHEN \(x) < 0 THEN -0.5 ELSE 0.5 END) END",
                .double)
        },
        FunctionRule(name: "max", arguments: 2...100) { t, a, range throws(Refusal) in
            try t.extreme("GREATEST", a, range)
        },
        FunctionRule(name: "min", arguments: 2...100) { t, a, range throws(Refusal) in
            try t.extreme("LEAST", a, range)
        },
        FunctionRule(name: "likely", arguments: 1...1) { t, a, _ throws(Refusal) in try t.translate(a[0]) },
        FunctionRule(name: "unlikely", arguments: 1...1) { t, a, _ throws(Refusal) in try t.translate(a[0]) },
        FunctionRule(name: "likelihood", arguments: 2...2) { t, a, _ throws(Refusal) in
            try t.translate(a[0])
        },
        FunctionRule(name: "like", arguments: 2...3) { t, a, range throws(Refusal) in
            try t.match(.like, a[1], a[0], a.count > 2 ? a[2] : nil, range)
        },
        FunctionRule(name: "glob", arguments: 2...2) { t, a, range throws(Refusal) in
            try t.match(.glob, a[1], a[0], nil, range)
        },
        FunctionRule(name: "zeroblob", arguments: 1...1) { _, a, range throws(Refusal) in
            guard case .integer(let count) = a[0].kind, (0...1000).contains(count) else {
                throw Refusal("zeroblob of other than a small constant", range)
            }
            return .atom("'\\x\(String(repeating: "00", count: Int(count)))'::bytea", .bytea)
        },
        FunctionRule(name: "concat", arguments: 1...100) { t, a, _ throws(Refusal) in
            var parts: [String] = []
            for argument in a { parts.append(try t.text(argument).sql) }
            return .atom("concat(\(parts.joined(separator: ", ")))", .text)
        },
        FunctionRule(name: "json_valid", arguments: 1...1) { t, a, range throws(Refusal) in
            let value = try t.translate(a[0])
            guard value.column?.storage == .json else {
                throw Refusal("PostgreSQL before 16 has no test of a text for JSON", range)
            }
            // A column of JSON has nothing else in it.
            return .compound("(\(value.sql) IS NOT NULL) OR NULL", .boolean)
        },
        FunctionRule(name: "json_array_length", arguments: 1...1) { t, a, range throws(Refusal) in
            let value = try t.translate(a[0])
            guard let column = value.column, column.storage == .json else {
                throw Refusal("JSON in a text", range)
            }
            let kind = column.sqlType == "jsonb" ? "jsonb" : "json"
            return .atom(
                "CASE WHEN \(kind)_typeof(\(value.sql)) = 'array' THEN \(kind)_array_length(\(value.sql)) "
                    + "WHEN \(value.sql) IS NOT NULL THEN 0 END", .narrow)
        },
    ]

    private static func trim(_ name: String, as other: String) -> FunctionRule {
        FunctionRule(name: name, arguments: 1...2) { t, a, _ throws(Refusal) in
            let marks = a.count > 1 ? try t.text(a[1]).sql : "' '"
            return .atom("\(other)(\(try t.text(a[0]).sql), \(marks))", .text)
        }
    }

    /// By constant places: SQLite counts from the end where the place is negative.
    private static func substring(_ name: String) -> FunctionRule {
        FunctionRule(name: name, arguments: 2...3) { t, a, range throws(Refusal) in
            let value = try t.plain(a[0])
            let isBytes = value.type == .bytea
            // SQLite has NULL for a part of no bytes.
            let text = isBytes ? "NULLIF(\(value.sql), ''::bytea)" : try t.text(value, range).sql
            let start = try place(t, a[1])
            let length = a.count > 2 ? try place(t, a[2]) : nil
            let from: String
            switch start.constant {
            case .integer(let place)? where place < 0 && length == nil && !isBytes:
                return .atom("right(\(text), \(place.magnitude))", .text)
            case .integer(let place)? where place >= 0: from = "\(place)"
            default:
                let size = isBytes ? "octet_length(\(text))" : "char_length(\(text))"
                from = "CASE WHEN \(start.operand) < 0 THEN \(size) + 1 ELSE 0 END + \(start.operand)"
            }
            guard let length else { return .atom("substr(\(text), \(from))", isBytes ? .bytea : .text) }
            if case .integer(let count)? = length.constant, count >= 0 {
                return .atom("substr(\(text), \(from), \(count))", isBytes ? .bytea : .text)
            }
            // A length below nothing counts backwards from the place.
            guard case .integer(let place)? = start.constant, place > 0 else {
                throw Refusal("substr at places that are not known", range)
            }
            return .atom(
                "substr(\(text), \(from) + LEAST(\(length.operand), 0), abs(\(length.operand)))",
                isBytes ? .bytea : .text)
        }
    }

    /// A place in a text as an `integer` of PostgreSQL's.
    private static func place(
        _ t: ExpressionTranslator, _ expression: Expression
    ) throws(Refusal) -> Typed {
        let number = try t.number(expression)
        guard number.type.isInteger else { throw Refusal("a place that is no integer", expression.range) }
        if case .integer(let value)? = number.constant, value.magnitude < 1 << 30 { return number }
        if number.type == .narrow { return number }
        // Far beyond any text, and far within what PostgreSQL counts in; NULL stays NULL. SQLite before 3.44 took the low 32
        // bits of such a place.
        let (sql, most) = (number.operand, 1_000_000_000)
        return .atom(
            "(CASE WHEN \(sql) > \(most) THEN \(most) WHEN \(sql) < -\(most) THEN -\(most) ELSE \(sql) END)::int",
            .narrow)
    }
}

extension ExpressionTranslator {
    func firstPresent(_ arguments: [Expression], _ range: Range<Int>) throws(Refusal) -> Typed {
        var values: [Typed] = []
        for argument in arguments { values.append(try translate(argument)) }
        let (united, type) = try unite(values, range)
        var result = Typed.atom("COALESCE(\(united.map(\.sql).joined(separator: ", ")))", type)
        result.column = united.first { $0.column != nil }?.column
        result.isApproximate = values.contains(where: \.isApproximate)
        return result
    }

    /// The greatest or least of several; NULL where one of them is.
    func extreme(_ function: String, _ arguments: [Expression], _ range: Range<Int>) throws(Refusal) -> Typed
    {
        var values: [Typed] = []
        for argument in arguments { values.append(try plain(argument)) }
        var (united, type) = try unite(values, range)
        if type == .null { return .null }
        if type == .bytea { throw Refusal("the order of bytes", range) }
        if values.contains(where: { $0.collation != "BINARY" }) {
            throw Refusal("an order under a collation", range)
        }
        if type == .text { united = united.map { .compound("\($0.operand) COLLATE \"C\"", .text) } }
        if type == .boolean {
            united = united.map(\.number)
            type = .narrow
        }
        let present = united.map { "\($0.operand) IS NOT NULL" }.joined(separator: " AND ")
        return .atom(
            "CASE WHEN \(present) THEN \(function)(\(united.map(\.sql).joined(separator: ", "))) END", type)
    }

    func call(_ call: Expression.Call, _ range: Range<Int>) throws(Refusal) -> Typed {
        if call.window != nil || AggregateRule.isAggregate(call) {
            return try AggregateRule.translate(call, self, range)
        }
        guard let rule = FunctionRule.byName[call.name] ?? (mayBeRandom ? RandomRules.byName[call.name] : nil)
        else {
            throw Refusal("the function \(call.name)", range)
        }
        guard rule.arguments.contains(call.arguments.count), !call.hasStar, !call.isDistinct,
            call.filter == nil
        else { throw Refusal("the arguments of \(call.name)", range) }
        return try rule.translate(self, call.arguments, range)
    }
}
