/// Comparisons, with the conversions and collations that SQLite applies (https://sqlite.org/datatype3.html#comparison_expressions).
extension ExpressionTranslator {
    func compare(
        _ binary: Expression.Binary, _ left: Expression, _ right: Expression, _ range: Range<Int>
    ) throws(Refusal) -> Typed {
        try compare(binary, translate(left), translate(right), range)
    }

    func compare(
        _ binary: Expression.Binary, _ left: Typed, _ right: Typed, _ range: Range<Int>
    ) throws(Refusal) -> Typed {
        let (one, other) = try comparable(left, right, isOrder: Self.isOrder(binary), range)
        let sign =
            switch binary {
            case .is: "IS NOT DISTINCT FROM"
            case .isNot: "IS DISTINCT FROM"
            default: binary.rawValue
            }
        return .compound("\(one) \(sign) \(other)", .boolean)
    }

    private static func isOrder(_ binary: Expression.Binary) -> Bool {
        [.less, .lessOrEqual, .greater, .greaterOrEqual].contains(binary)
    }

    /// Both sides as operands that PostgreSQL compares as SQLite does.
    private func comparable(
        _ left: Typed, _ right: Typed, isOrder: Bool, _ range: Range<Int>
    ) throws(Refusal) -> (String, String) {
        if left.column != nil, case .other = left.type, Self.areAlike(left, right) {
            // Texts of one layout are in the order of the instants; other types may have an order of their own.
            if !isOrder || left.column?.storage != .exact { return (left.operand, right.operand) }
        }
        if left.type == .null || right.type == .null { return (left.nullable, right.nullable) }
        var one = try plain(left, range)
        var other = try plain(right, range)
        try convert(&one, beside: other, range)
        try convert(&other, beside: one, range)
        switch (one.type, other.type) {
        case (.text, .text):
            let collation = one.hasExplicitCollation ? one.collation : comparisonCollation(left, right)
            return try texts(one, other, collation, isOrder: isOrder, range)
        case (.bytea, .bytea): return (one.operand, other.operand)
        case (let a, let b) where a.isNumber && b.isNumber: return try numbers(one, other, range)
        default: throw Refusal("values of two types are compared, where SQLite orders by type", range)
        }
    }

    /// An explicit collation decides, the left one first; then the left column's, then the right one's.
    private func comparisonCollation(_ left: Typed, _ right: Typed) -> String {
        if left.hasExplicitCollation { return left.collation }
        if right.hasExplicitCollation { return right.collation }
        return left.column != nil ? left.collation : right.column != nil ? right.collation : "BINARY"
    }

    /// Applies the affinity of the other side.
    private func convert(_ value: inout Typed, beside other: Typed, _ range: Range<Int>) throws(Refusal) {
        if other.affinity == .text, value.affinity == nil, value.type.isNumber {
            value = try text(value, range)
        } else if let affinity = other.affinity, affinity.isNumeric, value.type == .text {
            // What is no number stays a text, and compares with texts as one.
            if other.isNeverNumber {
                if value.isNeverNumber { return }
                if case .text(let literal)? = value.constant, Self.number(literal) == nil { return }
            }
            guard case .text(let literal)? = value.constant, let number = Self.number(literal) else {
                throw Refusal("a text is compared with a number", range)
            }
            value = number
        }
    }

    /// A text that is a number from end to end, as SQLite reads it.
    static func number(_ text: String) -> Typed? {
        let digits = text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0)
        }
        guard digits else { return nil }
        if let integer = Int64(text) { return .integer(integer) }
        guard text.utf8.contains(where: { (0x30...0x39).contains($0) }), let real = Double(text) else {
            return nil
        }
        return .real(real)
    }

    private func numbers(_ left: Typed, _ right: Typed, _ range: Range<Int>) throws(Refusal) -> (
        String, String
    ) {
        func isConstant(_ value: Typed, _ number: Int64) -> Bool { value.constant == .integer(number) }
        if left.type == .boolean, right.type == .boolean { return (left.operand, right.operand) }
        if left.type == .boolean, isConstant(right, 0) || isConstant(right, 1) {
            return (left.operand, isConstant(right, 1) ? "true" : "false")
        }
        if right.type == .boolean, isConstant(left, 0) || isConstant(left, 1) {
            return (isConstant(left, 1) ? "true" : "false", right.operand)
        }
        let (one, other) = (left.number, right.number)
        if one.type != .double, other.type != .double { return (one.operand, other.operand) }
        return (try double(one, beside: other, range), try double(other, beside: one, range))
    }

    /// A number beside a double: SQLite compares the two exactly.
    private func double(_ value: Typed, beside other: Typed, _ range: Range<Int>) throws(Refusal) -> String {
        if case .real(let number)? = value.constant, other.type.isInteger {
            // Against integers a decimal is exact.
            guard number.magnitude < 1e15 else {
                throw Refusal("an integer is compared with \(number)", range)
            }
            return number < 0 ? "(\(number))" : "\(number)"
        }
        if case .real? = other.constant, value.type.isInteger { return value.operand }
        if value.type == .integer {
            guard case .integer(let number)? = value.constant, number.magnitude <= 1 << 53 else {
                throw Refusal("an integer of 64 bits is compared with a double", range)
            }
        }
        return value.double.operand
    }

    /// Both texts folded as the collation folds; in the order of their bytes.
    private func texts(
        _ left: Typed, _ right: Typed, _ collation: String, isOrder: Bool, _ range: Range<Int>
    ) throws(Refusal) -> (String, String) {
        let one = try Self.folded(left, collation, range)
        let other = try Self.folded(right, collation, range)
        return (isOrder ? "\(one) COLLATE \"C\"" : one, other)
    }

    /// A text under one of SQLite's three collations.
    static func folded(_ value: Typed, _ collation: String, _ range: Range<Int>) throws(Refusal) -> String {
        switch collation {
        case "BINARY": return value.operand
        case "NOCASE": return "lower(\(value.operand) COLLATE \"C\")"
        case "RTRIM": return "rtrim(\(value.operand), ' ')"
        default: throw Refusal("the collation \(collation) is of the application's making", range)
        }
    }

    // MARK: IN

    func membership(
        _ value: Expression, _ items: [Expression], _ isNot: Bool, _ range: Range<Int>
    ) throws(Refusal) -> Typed {
        if items.isEmpty { return .atom(isNot ? "true" : "false", .boolean) }
        let left = try translate(value)
        var operands: [String] = []
        var subject = ""
        for item in items {
            var right = try translate(item)
            // The left side alone decides what is converted and how texts are compared.
            right.affinity = nil
            right.hasExplicitCollation = false
            right.collation = "BINARY"
            let (one, other) = try comparable(left, right, isOrder: false, item.range)
            guard subject.isEmpty || subject == one else {
                return try membershipByParts(left, items, isNot, range)
            }
            subject = one
            operands.append(other)
        }
        return .compound(
            "\(subject) \(isNot ? "NOT IN" : "IN") (\(operands.joined(separator: ", ")))", .boolean)
    }

    /// Items of several types: one comparison each.
    private func membershipByParts(
        _ left: Typed, _ items: [Expression], _ isNot: Bool, _ range: Range<Int>
    ) throws(Refusal) -> Typed {
        var parts: [String] = []
        for item in items {
            var right = try translate(item)
            right.affinity = nil
            parts.append(try compare(.equal, left, right, range).operand)
        }
        return negated(.compound(parts.joined(separator: " OR "), .boolean), isNot)
    }

    func membership(
        _ value: Expression, _ select: Select, _ isNot: Bool, _ range: Range<Int>
    ) throws(Refusal) -> Typed {
        let left = try translate(value)
        let inner = try SelectTranslator(relations: relations).translate(select, in: scope)
        guard inner.columns.count == 1 else { throw Refusal("a row of values", range) }
        let column = inner.columns[0]
        var right = Scope.reference(column, "found")
        right.hasExplicitCollation = false
        if column.collation != "BINARY", left.column == nil { right.collation = "BINARY" }
        let (one, other) = try comparable(left, right, isOrder: false, range)
        let sql =
            "\(one) \(isNot ? "NOT IN" : "IN") (SELECT \(other) FROM (\(inner.sql)) AS found (\(Names.list([column.target]))))"
        return .compound(sql, .boolean)
    }

    // MARK: LIKE and GLOB

    func match(
        _ match: Expression.Match, _ value: Expression, _ pattern: Expression, _ escape: Expression?,
        _ range: Range<Int>
    ) throws(Refusal) -> Typed {
        switch match {
        case .like: return try like(text(value), text(pattern), escape, range)
        case .glob:
            guard case .text(let glob) = pattern.kind else {
                throw Refusal("a pattern that is no constant", range)
            }
            guard let regular = GlobPattern.regularExpression(glob) else {
                throw Refusal("the pattern \(glob) of GLOB", range)
            }
            return .compound(
                "\(try text(value).operand) COLLATE \"C\" ~ \(Typed.text(regular).operand)", .boolean)
        case .regexp: throw Refusal("REGEXP is a function of the application's", range)
        case .match: throw Refusal("MATCH asks a full-text index", range)
        }
    }

    /// SQLite's LIKE takes A to Z for a to z and has no escape unless one is named.
    func like(
        _ value: Typed, _ pattern: Typed, _ escape: Expression?, _ range: Range<Int>
    ) throws(Refusal) -> Typed {
        var mark = ""
        if let escape {
            guard case .text(let text) = escape.kind, text.unicodeScalars.count == 1,
                !(text.first?.isLetter ?? false), text != "%", text != "_"
            else { throw Refusal("an escape that is no single mark", range) }
            guard case .text(let literal)? = pattern.constant, !literal.hasSuffix(text) else {
                throw Refusal("a pattern that may end with its escape", range)
            }
            mark = text
        }
        let sides = [value, pattern].map { "lower(\($0.operand) COLLATE \"C\")" }
        return .compound("\(sides[0]) LIKE \(sides[1]) ESCAPE \(Typed.text(mark).operand)", .boolean)
    }
}

extension Typed {
    /// An operand beside a NULL: PostgreSQL asks for a type of a bare one.
    fileprivate var nullable: String { type == .null ? "NULL" : operand }
}
