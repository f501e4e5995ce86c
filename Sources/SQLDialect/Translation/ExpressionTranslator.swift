import Postgres

/// Translates expressions so that PostgreSQL computes the value that SQLite does, or refuses them with the reason.
///
/// SQLite's types belong to values and PostgreSQL's to columns: where a value's type, or a conversion, would depend on the
/// row, there is no translation. https://sqlite.org/datatype3.html has SQLite's rules.
struct ExpressionTranslator {
    let relations: [SQLRelation]
    let scope: Scope
    /// Aliases of the result that are being read, which do not refer to themselves.
    var openAliases: Set<[UInt8]> = []
    /// Whether a value may be another one each time: in what is stored, and not in what is read again.
    var mayBeRandom = false

    init(relations: [SQLRelation], scope: Scope) {
        self.relations = relations
        self.scope = scope
    }

    // MARK: Contexts

    /// As a condition; NULL is neither true nor false in both databases.
    func condition(_ expression: Expression) throws(Refusal) -> Typed {
        try truth(of: plain(expression), expression.range)
    }

    func truth(of value: Typed, _ range: Range<Int>) throws(Refusal) -> Typed {
        switch value.type {
        case .boolean: return value
        case .null: return .atom("NULL::boolean", .boolean)
        case .narrow, .integer, .numeric, .double: return .compound("\(value.operand) <> 0", .boolean)
        default: throw Refusal("the truth of a text is that of the number it begins with", range)
        }
    }

    /// As a value of the kind that SQLite has: instants are numbers or texts again.
    func plain(_ expression: Expression) throws(Refusal) -> Typed {
        try plain(translate(expression), expression.range)
    }

    func plain(_ value: Typed, _ range: Range<Int>) throws(Refusal) -> Typed {
        guard let column = value.column else { return value }
        var plain = value
        plain.column = nil
        switch column.storage {
        case .exact:
            if case .other(let type) = column.type {
                if type == "enum" || type == "uuid" {
                    plain = value.casting(to: .text, "text")
                } else {
                    throw Refusal("\(column.name) is of the type \(column.sqlType)", range)
                }
            }
        case .epoch(let perSecond):
            plain = .atom("(extract(epoch FROM \(value.sql)) * \(perSecond))::bigint", .integer)
        case .layout(let layout):
            plain = .atom("to_char(\(value.sql), \(quoteLiteral(layout)))", .text)
            plain.isNeverNumber = true
        case .json: throw Refusal("\(column.name) is JSON, which PostgreSQL does not keep as a text", range)
        case .mixed:
            throw Refusal(
                "\(column.name) is \(column.sqlType) here and stored in another form in SQLite", range)
        }
        plain.affinity = value.affinity
        plain.collation = value.collation
        plain.hasExplicitCollation = value.hasExplicitCollation
        return plain
    }

    func number(_ expression: Expression) throws(Refusal) -> Typed {
        guard let number = try plain(expression).numeric else {
            throw Refusal("a text is the number it begins with to SQLite", expression.range)
        }
        return number
    }

    /// As a text; a number is written as SQLite writes it.
    func text(_ expression: Expression) throws(Refusal) -> Typed {
        try text(plain(expression), expression.range)
    }

    func text(_ value: Typed, _ range: Range<Int>) throws(Refusal) -> Typed {
        switch value.type {
        case .text: return value
        case .null: return .atom("NULL::text", .text)
        case .boolean, .narrow, .integer:
            if case .integer(let number)? = value.constant { return .text("\(number)") }
            return value.number.casting(to: .text, "text")
        case .double, .numeric: throw Refusal("SQLite writes numbers in its own way", range)
        default: throw Refusal("bytes are no text", range)
        }
    }

    // MARK: Every kind

    func translate(_ expression: Expression) throws(Refusal) -> Typed {
        let value = try translateKind(expression)
        // What is NULL in every row needs no words, and no type.
        return value.type == .null && value.column == nil ? .null : value
    }

    private func translateKind(_ expression: Expression) throws(Refusal) -> Typed {
        let range = expression.range
        switch expression.kind {
        case .null: return .null
        case .integer(let value): return .integer(value)
        case .real(let value): return .real(value)
        case .text(let value): return try literal(value, range)
        case .boolean(let value): return .integer(value ? 1 : 0)
        case .blob(let digits): return .atom("'\\x\(digits)'::bytea", .bytea)
        case .now(let date, let time): return Self.now(date: date, time: time)
        case .parameter: throw Refusal("a parameter has no value here", range)
        case .name(let names): return try name(names, range)
        case .unary(let unary, let operand): return try self.unary(unary, operand)
        case .binary(let binary, let left, let right): return try self.binary(binary, left, right, range)
        case .collate(let operand, let collation):
            var value = try translate(operand)
            value.collation = collation.uppercased()
            value.hasExplicitCollation = true
            return value
        case .cast(let operand, let type): return try cast(operand, to: type, range)
        case .between(let value, let low, let high, let isNot):
            let lower = try compare(.greaterOrEqual, value, low, range)
            let upper = try compare(.lessOrEqual, value, high, range)
            return negated(.compound("\(lower.operand) AND \(upper.operand)", .boolean), isNot)
        case .inList(let value, let items, let isNot): return try membership(value, items, isNot, range)
        case .inSelect(let value, let select, let isNot): return try membership(value, select, isNot, range)
        case .inTable: throw Refusal("IN with the name of a table", range)
        case .match(let match, let value, let pattern, let escape, let isNot):
            return negated(try self.match(match, value, pattern, escape, range), isNot)
        case .isNull(let operand, let isNot):
            let value = try translate(operand)
            return .compound("\(value.operand) IS \(isNot ? "NOT " : "")NULL", .boolean)
        case .choice(let operand, let branches, let otherwise):
            return try choice(operand, branches, otherwise, range)
        case .call(let call): return try self.call(call, range)
        case .exists(let select):
            let inner = try SelectTranslator(relations: relations).translate(select, in: scope)
            return .atom("EXISTS (\(inner.sql))", .boolean)
        case .subquery(let select): return try subquery(select, range)
        case .row: throw Refusal("a row of values", range)
        case .raise: throw Refusal("RAISE stands in a SELECT of a trigger alone", range)
        }
    }

    func literal(_ value: String, _ range: Range<Int>) throws(Refusal) -> Typed {
        if value.unicodeScalars.contains("\0") { throw Refusal("PostgreSQL has no text with NUL", range) }
        return .text(value)
    }

    func negated(_ value: Typed, _ isNot: Bool) -> Typed {
        isNot ? .compound("NOT \(value.operand)", .boolean) : value
    }

    private func name(_ names: [Expression.Name], _ range: Range<Int>) throws(Refusal) -> Typed {
        switch try scope.find(names, range) {
        case .column(let value)?: return value
        case .alias(let expression)?:
            let folded = names[names.count - 1].text.foldedName
            guard !openAliases.contains(folded) else { break }
            var inner = self
            inner.openAliases.insert(folded)
            return try inner.translate(expression)
        case nil: break
        }
        // SQLite takes a name in double quotes that is none for a text (https://sqlite.org/quirks.html#dblquote).
        if names.count == 1, names[0].isDoubleQuoted { return try literal(names[0].text, range) }
        throw Refusal("there is no column \(names.map(\.text).joined(separator: "."))", range)
    }

    static func now(date: Bool, time: Bool) -> Typed {
        let layout = [date ? "YYYY-MM-DD" : nil, time ? "HH24:MI:SS" : nil].compactMap { $0 }
            .joined(separator: " ")
        var now = Typed.atom("to_char(statement_timestamp() AT TIME ZONE 'UTC', '\(layout)')", .text)
        now.isNeverNumber = true
        return now
    }

    private func unary(_ unary: Expression.Unary, _ operand: Expression) throws(Refusal) -> Typed {
        switch unary {
        case .not: return .compound("NOT \(try condition(operand).operand)", .boolean)
        case .plus:
            var value = try plain(operand)
            value.affinity = nil
            return value
        case .minus:
            let value = try number(operand)
            switch value.constant {
            case .integer(let number)? where number != .min: return .integer(-number)
            case .real(let number)?: return .real(-number)
            default: break
            }
            if value.type == .null { return .null }
            let wide = value.type.isInteger ? value.wide : value.double
            return .compound("- \(wide.operand)", value.type == .numeric ? .numeric : wide.type)
        case .complement:
            let value = try number(operand)
            guard value.type.isInteger else { throw Refusal("bits of what is no integer", operand.range) }
            return .compound("~ \(value.wide.operand)", .integer)
        }
    }

    private func binary(
        _ binary: Expression.Binary, _ left: Expression, _ right: Expression, _ range: Range<Int>
    ) throws(Refusal) -> Typed {
        switch binary {
        case .and, .or:
            let sides = (try condition(left), try condition(right))
            return .compound("\(sides.0.operand) \(binary.rawValue) \(sides.1.operand)", .boolean)
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
            return try compare(binary, left, right, range)
        case .is, .isNot:
            if case .boolean(let wanted) = right.kind {
                let truth = try condition(left)
                let words = "\(binary.rawValue) \(wanted ? "TRUE" : "FALSE")"
                return .compound("\(truth.operand) \(words)", .boolean)
            }
            return try compare(binary, left, right, range)
        case .add, .subtract, .multiply, .divide, .remainder, .bitAnd, .bitOr, .shiftLeft, .shiftRight:
            return try arithmetic(binary, left, right, range)
        case .concatenate:
            let sides = (try text(left), try text(right))
            return .compound("\(sides.0.operand) || \(sides.1.operand)", .text)
        case .extract, .extractText:
            throw Refusal("the type of a value in JSON depends on the row", range)
        }
    }

    private func subquery(_ select: Select, _ range: Range<Int>) throws(Refusal) -> Typed {
        var inner = try SelectTranslator(relations: relations).translate(select, in: scope)
        guard inner.columns.count == 1 else { throw Refusal("a row of values", range) }
        // SQLite takes the first row and PostgreSQL refuses a second one.
        if select.limit == nil, !inner.isSingleRow { inner.sql += " LIMIT 1" }
        var value = Typed.atom("(\(inner.sql))", inner.columns[0].type)
        value.affinity = inner.columns[0].affinity
        value.column = inner.columns[0]
        value.collation = inner.columns[0].collation
        value.isApproximate = !inner.approximate.isEmpty
        return value
    }

    // MARK: Choices

    private func choice(
        _ operand: Expression?, _ branches: [Expression.Branch], _ otherwise: Expression?, _ range: Range<Int>
    ) throws(Refusal) -> Typed {
        var conditions: [Typed] = []
        for branch in branches {
            if let operand {
                conditions.append(try compare(.equal, operand, branch.condition, range))
            } else {
                conditions.append(try condition(branch.condition))
            }
        }
        var values: [Typed] = []
        for branch in branches { values.append(try translate(branch.value)) }
        if let otherwise { values.append(try translate(otherwise)) }
        let (united, type) = try unite(values, range)
        var sql = "CASE"
        for (condition, value) in zip(conditions, united) {
            sql += " WHEN \(condition.sql) THEN \(value.sql)"
        }
        if otherwise != nil, let last = united.last { sql += " ELSE \(last.sql)" }
        var result = Typed.atom("\(sql) END", type)
        result.column = united.first { $0.column != nil }?.column
        result.isApproximate = values.contains(where: \.isApproximate)
        return result
    }

    /// Values of which one is the result, brought to one type.
    func unite(_ values: [Typed], _ range: Range<Int>) throws(Refusal) -> ([Typed], ValueType) {
        let present = values.filter { $0.type != .null }
        guard let first = present.first else { return (values, .null) }
        // Columns of one kind stay as they are.
        if first.column != nil, present.allSatisfy({ Self.areAlike($0, first) }) {
            return (values, first.type)
        }
        var plain: [Typed] = []
        for value in values { plain.append(try self.plain(value, range)) }
        let types = plain.map(\.type).filter { $0 != .null }
        if types.allSatisfy({ $0 == types[0] }) { return (plain, types[0]) }
        guard types.allSatisfy(\.isNumber) else {
            throw Refusal("the type of the result depends on the row", range)
        }
        plain = plain.map { $0.type == .boolean ? $0.number : $0 }
        if types.allSatisfy(\.isInteger) {
            let isNarrow = types.allSatisfy { $0 != .integer }
            return (plain, isNarrow ? .narrow : .integer)
        }
        if types.contains(.double) {
            // Beyond 2⁵³ an integer is no double.
            if types.contains(.integer) {
                throw Refusal("an integer of 64 bits and a double are one result", range)
            }
            // Each row has its own type to SQLite: a quotient of the result may be one of integers.
            return (plain.map { $0.type == .null ? $0 : $0.double }, .numeric)
        }
        return (plain, .numeric)
    }

    /// Whether two bare columns hold values of one form, so that they compare as they stand.
    static func areAlike(_ left: Typed, _ right: Typed) -> Bool {
        guard let one = left.column, let other = right.column else { return false }
        return one.type == other.type && one.storage == other.storage && one.storage != .json
            && (one.storage != .mixed || one.sqlType == other.sqlType) && one.affinity == other.affinity
            && one.sqlType.hasPrefix(other.sqlType.prefix { $0 != "(" })
    }
}
