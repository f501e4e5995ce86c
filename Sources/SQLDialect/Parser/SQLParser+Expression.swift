/// Expressions, by precedence climbing (https://sqlite.org/lang_expr.html#operators_and_parse_affecting_attributes).
extension SQLParser {
    /// How tight an operator binds; a higher one first.
    private enum Power {
        static let or = 1
        static let and = 2
        static let not = 3
        static let equality = 4
        static let comparison = 5
        static let bits = 7
        static let sum = 8
        static let product = 9
        static let concatenation = 10
        static let collate = 11
        static let sign = 12
    }

    private static let symbols: [String: (operator: Expression.Binary, power: Int)] = [
        "=": (.equal, Power.equality), "==": (.equal, Power.equality), "<>": (.notEqual, Power.equality),
        "!=": (.notEqual, Power.equality), "<": (.less, Power.comparison),
        "<=": (.lessOrEqual, Power.comparison), ">": (.greater, Power.comparison),
        ">=": (.greaterOrEqual, Power.comparison), "&": (.bitAnd, Power.bits), "|": (.bitOr, Power.bits),
        "<<": (.shiftLeft, Power.bits), ">>": (.shiftRight, Power.bits), "+": (.add, Power.sum),
        "-": (.subtract, Power.sum), "*": (.multiply, Power.product), "/": (.divide, Power.product),
        "%": (.remainder, Power.product), "||": (.concatenate, Power.concatenation),
        "->": (.extract, Power.concatenation), "->>": (.extractText, Power.concatenation),
    ]

    mutating func expression(above power: Int = 0) throws(SyntaxError) -> Expression {
        try nested { (parser) throws(SyntaxError) in
            let start = parser.start
            var left = try parser.prefixed()
            var terms = 0
            while let next = try parser.extended(left, from: start, above: power) {
                left = next
                terms += 1
                if terms > Self.longestChain { throw parser.unexpected("a shorter chain is wanted") }
            }
            return left
        }
    }

    /// An operand with what stands before it.
    private mutating func prefixed() throws(SyntaxError) -> Expression {
        let start = start
        if at("NOT"), !(token(ahead: 1)?.isWord("EXISTS") ?? false) {
            position += 1
            let operand = try expression(above: Power.not - 1)
            return Expression(.unary(.not, operand), range(from: start))
        }
        if at(symbol: "-"), token(ahead: 1)?.source == Int64.min.magnitude.description {
            // The one integer whose digits alone are none.
            position += 2
            return Expression(.integer(.min), range(from: start))
        }
        for sign in [Expression.Unary.minus, .plus, .complement] where take(symbol: sign.rawValue) {
            let operand = try nested { (parser) throws(SyntaxError) in try parser.prefixed() }
            return Expression(.unary(sign, operand), range(from: start))
        }
        return try primary()
    }

    /// `left` with the next operator and its right side; nil where none follows that binds tighter than `power`.
    private mutating func extended(
        _ left: Expression, from start: Int, above power: Int
    ) throws(SyntaxError) -> Expression? {
        guard let token = current else { return nil }
        if token.kind == .symbol {
            guard let (binary, own) = Self.symbols[token.source], own > power else { return nil }
            position += 1
            let right = try expression(above: own)
            return Expression(.binary(binary, left, right), range(from: start))
        }
        guard token.kind == .word else { return nil }
        if at("OR"), Power.or > power {
            position += 1
            let right = try expression(above: Power.or)
            return Expression(.binary(.or, left, right), range(from: start))
        }
        if at("AND"), Power.and > power {
            position += 1
            let right = try expression(above: Power.and)
            return Expression(.binary(.and, left, right), range(from: start))
        }
        if at("COLLATE"), Power.collate > power {
            position += 1
            let collation = try name().text
            return Expression(.collate(left, collation), range(from: start))
        }
        guard Power.equality > power, let kind = try equality(left) else { return nil }
        return Expression(kind, range(from: start))
    }

    /// The word operators of equality's precedence.
    private mutating func equality(_ left: Expression) throws(SyntaxError) -> Expression.Kind? {
        if take("ISNULL") { return .isNull(left, isNot: false) }
        if take("NOTNULL") || take("NOT", "NULL") { return .isNull(left, isNot: true) }
        if take("IS") {
            let isNot = take("NOT")
            if take("DISTINCT", "FROM") {
                let right = try expression(above: Power.equality)
                return .binary(isNot ? .is : .isNot, left, right)
            }
            let right = try expression(above: Power.equality)
            // NULL is an operand like others here: `a IS NULL < b` is `a IS (NULL < b)`.
            if right.kind == .null { return .isNull(left, isNot: isNot) }
            return .binary(isNot ? .isNot : .is, left, right)
        }
        let begin = position
        let isNot = take("NOT")
        if take("BETWEEN") {
            let low = try expression(above: Power.and)
            try expect("AND")
            return .between(left, low, try expression(above: Power.equality), isNot: isNot)
        }
        if take("IN") { return try membership(left, isNot: isNot) }
        for match in [Expression.Match.like, .glob, .regexp, .match] where take(match.rawValue) {
            let pattern = try expression(above: Power.equality)
            let escape = take("ESCAPE") ? try expression(above: Power.comparison) : nil
            return .match(match, left, pattern, escape: escape, isNot: isNot)
        }
        position = begin
        return nil
    }

    private mutating func membership(_ left: Expression, isNot: Bool) throws(SyntaxError) -> Expression.Kind {
        guard at(symbol: "(") else { return .inTable(left, try qualifiedName(), isNot: isNot) }
        if isSelect(token(ahead: 1)) {
            return .inSelect(left, try parenthesisedSelect(), isNot: isNot)
        }
        let items = try parenthesised { (parser) throws(SyntaxError) in try parser.expression() }
        return .inList(left, items, isNot: isNot)
    }

    func isSelect(_ token: SQLToken?) -> Bool {
        ["SELECT", "VALUES", "WITH"].contains { token?.isWord($0) ?? false }
    }

    mutating func parenthesisedSelect() throws(SyntaxError) -> Select {
        try expect(symbol: "(")
        let select = try select()
        try expect(symbol: ")")
        return select
    }

    // MARK: Operands

    private mutating func primary() throws(SyntaxError) -> Expression {
        let start = start
        guard let token = current else { throw unexpected("an expression is wanted") }
        let kind: Expression.Kind
        switch token.kind {
        case .number: kind = try number(token)
        case .text:
            position += 1
            kind = .text(token.value)
        case .blob:
            let digits = String(token.source.dropFirst(2).dropLast())
            guard digits.utf8.count.isMultiple(of: 2), digits.allSatisfy(\.isHexDigit) else {
                throw unexpected("pairs of hexadecimal digits are wanted")
            }
            position += 1
            kind = .blob(digits)
        case .parameter:
            position += 1
            kind = .parameter(token.source)
        case .quotedName: kind = try nameOrCall()
        case .word: kind = try word(token)
        case .symbol where token.source == "(": kind = try parentheses()
        default: throw unexpected("an expression is wanted")
        }
        if case .row(let items) = kind, items.count == 1 {
            return Expression(items[0].kind, range(from: start))
        }
        return Expression(kind, range(from: start))
    }

    private mutating func number(_ token: SQLToken) throws(SyntaxError) -> Expression.Kind {
        let digits = token.source.filter { $0 != "_" }
        position += 1
        if digits.lowercased().hasPrefix("0x") {
            guard let bits = UInt64(digits.dropFirst(2), radix: 16) else {
                position -= 1
                throw unexpected("a hexadecimal number of 64 bits is wanted")
            }
            return .integer(Int64(bitPattern: bits))
        }
        if let integer = Int64(digits) { return .integer(integer) }
        guard let real = Double(digits.hasPrefix(".") ? "0" + digits : digits) else {
            position -= 1
            throw unexpected("a number is wanted")
        }
        return .real(real)
    }

    private mutating func parentheses() throws(SyntaxError) -> Expression.Kind {
        if isSelect(token(ahead: 1)) { return .subquery(try parenthesisedSelect()) }
        let items = try parenthesised { (parser) throws(SyntaxError) in try parser.expression() }
        if items.isEmpty { throw unexpected("an expression is wanted before") }
        return .row(items)
    }

    private mutating func word(_ token: SQLToken) throws(SyntaxError) -> Expression.Kind {
        let isCall = self.token(ahead: 1)?.isSymbol("(") ?? false
        switch token.source.uppercased() {
        case "NULL":
            position += 1
            return .null
        case "TRUE" where !isCall, "FALSE" where !isCall:
            position += 1
            return .boolean(token.isWord("TRUE"))
        case "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP":
            position += 1
            return .now(date: !token.isWord("CURRENT_TIME"), time: !token.isWord("CURRENT_DATE"))
        case "CASE": return try choice()
        case "CAST" where isCall:
            position += 2
            let operand = try expression()
            try expect("AS")
            let start = start
            while let token = current, !token.isSymbol(")") {
                position += 1
                if token.isSymbol("(") {
                    while let inner = current, !inner.isSymbol(")") {
                        _ = inner
                        position += 1
                    }
                    try expect(symbol: ")")
                }
            }
            let type = text(range(from: start))
            try expect(symbol: ")")
            return .cast(operand, type)
        case "RAISE" where isCall: return try raise()
        case "EXISTS" where isCall:
            position += 1
            return .exists(try parenthesisedSelect())
        case "NOT":
            // NOT EXISTS, which binds as an operand would.
            let start = start
            position += 2
            let exists = Expression(.exists(try parenthesisedSelect()), range(from: start))
            return .unary(.not, exists)
        default: return try nameOrCall()
        }
    }

    private mutating func choice() throws(SyntaxError) -> Expression.Kind {
        try expect("CASE")
        let operand = at("WHEN") ? nil : try expression()
        var branches: [Expression.Branch] = []
        while take("WHEN") {
            let condition = try expression()
            try expect("THEN")
            branches.append(.init(condition: condition, value: try expression()))
        }
        if branches.isEmpty { throw unexpected("WHEN is wanted") }
        let otherwise = take("ELSE") ? try expression() : nil
        try expect("END")
        return .choice(operand: operand, branches: branches, otherwise: otherwise)
    }

    private mutating func raise() throws(SyntaxError) -> Expression.Kind {
        position += 2
        guard let word = current?.source.uppercased(), let raise = Expression.Raise(rawValue: word) else {
            throw unexpected("IGNORE, ROLLBACK, ABORT or FAIL is wanted")
        }
        position += 1
        var message: String?
        if raise != .ignore {
            try expect(symbol: ",")
            guard let token = current, token.kind == .text || token.kind == .quotedName else {
                throw unexpected("a text is wanted")
            }
            message = token.value
            position += 1
        }
        try expect(symbol: ")")
        return .raise(raise, message: message)
    }

    private mutating func nameOrCall() throws(SyntaxError) -> Expression.Kind {
        guard isName(current) || isJoinWord(current) else { throw unexpected("an expression is wanted") }
        if token(ahead: 1)?.isSymbol("(") ?? false { return .call(try call()) }
        var names = [try name()]
        while names.count < 3, take(symbol: ".") { names.append(try name()) }
        return .name(names)
    }

    /// LIKE and its kin are names where a parenthesis follows: `like(a, b)`.
    private func isJoinWord(_ token: SQLToken?) -> Bool { token?.isWord("LIKE") ?? false }

    // MARK: Calls

    private mutating func call() throws(SyntaxError) -> Expression.Call {
        var call = Expression.Call(name: try name().text.lowercased(), arguments: [])
        try expect(symbol: "(")
        if take(symbol: "*") {
            call.hasStar = true
        } else if !at(symbol: ")") {
            call.isDistinct = take("DISTINCT")
            if !call.isDistinct { _ = take("ALL") }
            call.arguments = try list { (parser) throws(SyntaxError) in try parser.expression() }
            if take("ORDER", "BY") { call.orders = try orderings() }
        }
        try expect(symbol: ")")
        if at("FILTER"), token(ahead: 1)?.isSymbol("(") ?? false {
            position += 2
            try expect("WHERE")
            call.filter = try expression()
            try expect(symbol: ")")
        }
        if take("OVER") {
            if at(symbol: "(") {
                call.window = try window()
            } else {
                call.window = .init(base: try name().text)
            }
        }
        return call
    }

    mutating func window() throws(SyntaxError) -> Expression.Window {
        try expect(symbol: "(")
        var window = Expression.Window()
        let opensClause = ["PARTITION", "ORDER", "ROWS", "RANGE", "GROUPS"].contains { at($0) }
        if !opensClause, isName(current) { window.base = try name().text }
        if take("PARTITION", "BY") {
            window.partitions = try list { (parser) throws(SyntaxError) in try parser.expression() }
        }
        if take("ORDER", "BY") { window.orders = try orderings() }
        let start = start
        var depth = 0
        while let token = current, depth > 0 || !token.isSymbol(")") {
            if token.isSymbol("(") { depth += 1 }
            if token.isSymbol(")") { depth -= 1 }
            position += 1
        }
        let frame = text(range(from: start))
        window.frame = frame.isEmpty ? nil : frame
        try expect(symbol: ")")
        return window
    }

    mutating func orderings() throws(SyntaxError) -> [Ordering] {
        try list { (parser) throws(SyntaxError) in
            let expression = try parser.expression()
            let isDescending = parser.take("DESC")
            if !isDescending { _ = parser.take("ASC") }
            var nullsFirst: Bool?
            if parser.take("NULLS") {
                nullsFirst = parser.take("FIRST")
                if nullsFirst == false { try parser.expect("LAST") }
            }
            return Ordering(expression: expression, isDescending: isDescending, nullsFirst: nullsFirst)
        }
    }
}
