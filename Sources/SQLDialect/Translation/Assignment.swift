import Postgres

/// Brings a value into a column: SQLite stores what its affinity makes of it, PostgreSQL a value of the column's type.
extension ExpressionTranslator {
    func assigned(_ expression: Expression, to column: SQLRelation.Column) throws(Refusal) -> String {
        try assigned(translate(expression), to: column, expression.range)
    }

    func assigned(
        _ value: Typed, to column: SQLRelation.Column, _ range: Range<Int>
    ) throws(Refusal) -> String {
        if value.type == .null { return "NULL" }
        var target = Typed.atom("", column.type)
        target.column = column
        if value.column != nil, Self.areAlike(value, target) { return value.sql }
        let plain = try plain(value, range)
        switch column.storage {
        case .exact: return try stored(plain, column, range)
        case .epoch(let perSecond):
            guard let count = Self.counted(plain, column), count.type.isInteger else { break }
            let instant = "(timestamp 'epoch' + \(count.operand) * interval '\(Self.part(perSecond))')"
            return column.isZoned ? "(\(instant) AT TIME ZONE 'UTC')" : instant
        case .layout:
            guard plain.type == .text else { break }
            if column.isZoned { return "(\(plain.operand)::timestamp AT TIME ZONE 'UTC')" }
            return "\(plain.operand)::\(column.sqlType)"
        case .json: return "\(try text(plain, range).operand)::\(column.sqlType)"
        case .mixed: break
        }
        throw Refusal("\(column.name) takes values of another form", range)
    }

    /// The number that the column's affinity makes of a value.
    private static func counted(_ value: Typed, _ column: SQLRelation.Column) -> Typed? {
        if case .text(let text)? = value.constant { return number(text) }
        if value.type.isNumber { return value }
        return column.affinity?.isNumeric ?? false ? value.numeric : nil
    }

    private static func part(_ perSecond: Int) -> String {
        switch perSecond {
        case 1: "1 second"
        case 1000: "1 millisecond"
        default: "1 microsecond"
        }
    }

    private func stored(
        _ value: Typed, _ column: SQLRelation.Column, _ range: Range<Int>
    ) throws(Refusal) -> String {
        switch column.type {
        case .boolean:
            if value.type == .boolean { return value.sql }
            if value.constant == .integer(0) { return "false" }
            if value.constant == .integer(1) { return "true" }
        case .narrow, .integer:
            guard var number = Self.counted(value, column) else { break }
            if case .real(let real)? = number.constant, let whole = Int64(exactly: real) {
                number = .integer(whole)
            }
            if number.type.isInteger { return number.number.sql }
        case .double:
            if let number = Self.counted(value, column) { return number.double.sql }
        case .numeric:
            guard let number = Self.counted(value, column) else { break }
            if case .real(let real)? = number.constant { return "\(real)" }
            if number.type.isInteger { return number.number.sql }
        case .text:
            if value.type != .bytea { return try text(value, range).sql }
        case .bytea:
            if value.type == .bytea { return value.sql }
        case .other(let kind):
            if kind == "enum" || kind == "uuid", value.type == .text {
                return "\(value.operand)::\(column.sqlType)"
            }
        case .null: break
        }
        throw Refusal("the value has another type than \(column.name)", range)
    }
}

extension SQLRelation.Column {
    /// Whether its instants have a zone.
    var isZoned: Bool { sqlType.hasPrefix("timestamptz") || sqlType.hasSuffix("with time zone") }
}
