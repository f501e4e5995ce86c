/// Arithmetic and casts. Integers are computed in 64 bits and divided without a rest, as in SQLite; where SQLite goes over
/// to doubles at an overflow, PostgreSQL stops with an error.
extension ExpressionTranslator {
    func arithmetic(
        _ binary: Expression.Binary, _ left: Expression, _ right: Expression, _ range: Range<Int>
    ) throws(Refusal) -> Typed {
        let (one, other) = (try number(left), try number(right))
        if one.type == .null || other.type == .null { return .null }
        let areIntegers = one.type.isInteger && other.type.isInteger
        switch binary {
        case .add, .subtract, .multiply:
            return combine(one, binary.rawValue, other, areIntegers: areIntegers)
        case .divide:
            // 5.0 in a column of decimals is the integer 5 to SQLite, and its quotient one without a rest.
            if one.type == .numeric && other.type != .double || other.type == .numeric && one.type != .double
            {
                throw Refusal(
                    "a quotient of decimals, which SQLite takes for integers where they are whole", range)
            }
            return divided(one, "/", other, areIntegers: areIntegers)
        case .remainder:
            guard areIntegers else { throw Refusal("a rest of what is no integer", range) }
            return divided(one, "%", other, areIntegers: true)
        case .bitAnd, .bitOr:
            guard areIntegers else { throw Refusal("bits of what is no integer", range) }
            return combine(one, binary.rawValue, other, areIntegers: true)
        case .shiftLeft, .shiftRight:
            guard areIntegers, case .integer(let count)? = other.constant, (0...63).contains(count) else {
                throw Refusal("a shift by other than a constant of 0 to 63", range)
            }
            return .compound("\(one.wide.operand) \(binary.rawValue) \(count)", .integer)
        default: throw Refusal("no arithmetic", range)
        }
    }

    private func combine(_ left: Typed, _ sign: String, _ right: Typed, areIntegers: Bool) -> Typed {
        let sides = areIntegers ? (left.wide, right.wide) : (left.double, right.double)
        // A decimal that is whole is an integer to SQLite, and so may be what comes of it. Beyond 2⁵³ it is a double here.
        let mayBeWhole =
            (left.type == .numeric || right.type == .numeric) && left.type != .double && right.type != .double
        var result = Typed.compound(
            "\(sides.0.operand) \(sign) \(sides.1.operand)",
            areIntegers ? .integer : mayBeWhole ? .numeric : .double)
        result.isApproximate = left.isApproximate || right.isApproximate
        return result
    }

    /// A division by nothing is NULL.
    private func divided(_ left: Typed, _ sign: String, _ right: Typed, areIntegers: Bool) -> Typed {
        let sides = areIntegers ? (left.wide, right.wide) : (left.double, right.double)
        var divisor = "NULLIF(\(sides.1.sql), 0)"
        switch right.constant {
        case .integer(let value)? where value != 0: divisor = sides.1.operand
        case .real(let value)? where value != 0: divisor = sides.1.operand
        default: break
        }
        var result = Typed.compound(
            "\(sides.0.operand) \(sign) \(divisor)", areIntegers ? .integer : .double)
        result.isApproximate = left.isApproximate || right.isApproximate
        return result
    }

    func cast(_ operand: Expression, to type: String, _ range: Range<Int>) throws(Refusal) -> Typed {
        let affinity = SQLRelation.Affinity(declaredType: type)
        let value = try plain(operand)
        var result = try cast(value, to: affinity, operand, range)
        result.affinity = affinity
        // A cast keeps the collation of its operand.
        result.collation = value.collation
        result.hasExplicitCollation = value.hasExplicitCollation
        result.column = nil
        return result
    }

    private func cast(
        _ value: Typed, to affinity: SQLRelation.Affinity, _ operand: Expression, _ range: Range<Int>
    ) throws(Refusal) -> Typed {
        if value.type == .null { return .null }
        switch affinity {
        case .integer, .numeric, .real:
            var found = value.numeric
            if case .text(let text)? = value.constant { found = Self.number(text) }
            guard let number = found else {
                throw Refusal("a text is the number it begins with to SQLite", operand.range)
            }
            if affinity == .real { return number.double }
            if affinity == .numeric || number.type.isInteger { return number }
            return .atom("trunc(\(number.sql))::bigint", .integer)
        case .text:
            if value.type == .bytea { return .atom("convert_from(\(value.sql), 'UTF8')", .text) }
            return try text(value, range)
        case .blob:
            if value.type == .bytea { return value }
            return .atom("convert_to(\(try text(value, range).sql), 'UTF8')", .bytea)
        }
    }
}

extension SQLRelation.Affinity {
    /// By the words of a type (https://sqlite.org/datatype3.html#determination_of_column_affinity).
    public init(declaredType: String) {
        let type = declaredType.uppercased()
        func has(_ words: String...) -> Bool { words.contains { type.contains($0) } }
        if has("INT") {
            self = .integer
        } else if has("CHAR", "CLOB", "TEXT") {
            self = .text
        } else if has("BLOB") || type.allSatisfy(\.isWhitespace) {
            self = .blob
        } else if has("REAL", "FLOA", "DOUB") {
            self = .real
        } else {
            self = .numeric
        }
    }
}
