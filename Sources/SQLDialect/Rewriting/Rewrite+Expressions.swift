import Postgres

/// Expressions: each is left as it is where PostgreSQL takes it in the same way.
extension Rewrite {
    mutating func visit(_ expression: Expression, _ scope: Scope) {
        let range = expression.range
        switch expression.kind {
        case .null, .integer, .real, .text, .boolean, .parameter, .raise: break
        case .now: translate(expression, scope)
        case .blob(let digits): replace(range, "'\\x\(digits)'::bytea")
        case .name(let names): visit(names, range, scope)
        case .unary(let unary, let operand):
            if unary != .not, isOtherwise(operand, scope) { return translate(expression, scope) }
            visit(operand, scope)
        case .binary(let binary, let left, let right): visit(binary, left, right, expression, scope)
        case .collate(let operand, let collation): fold(operand, collation, range, scope)
        case .cast(let operand, let type): cast(operand, type, expression, scope)
        case .between(let value, let low, let high, _): compare([value, low, high], expression, scope)
        case .inList(let value, let items, _): compare([value] + items, expression, scope)
        case .inSelect(let value, let select, _):
            visit(value, scope)
            take(select, in: scope)
        case .inTable: refuse("IN with the name of a table", range)
        case .match(let match, let value, let pattern, let escape, let isNot):
            self.match(match, [value, pattern] + [escape].compactMap(\.self), isNot, expression, scope)
        case .isNull(let operand, _): visit(operand, scope)
        case .choice, .row: for child in expression.children { visit(child, scope) }
        case .call(let call): visit(call, expression, scope)
        case .exists(let select), .subquery(let select): take(select, in: scope)
        }
    }

    /// A condition as a whole; one that is a parameter is text that the code around puts in.
    mutating func visit(condition: Expression, _ scope: Scope) {
        if Self.isOpen(condition) { refuse("a condition comes from the code around", condition.range) }
        visit(condition, scope)
    }

    private static func isOpen(_ condition: Expression) -> Bool {
        switch condition.kind {
        case .parameter: true
        case .binary(.and, let left, let right), .binary(.or, let left, let right):
            isOpen(left) || isOpen(right)
        case .unary(.not, let operand): isOpen(operand)
        default: false
        }
    }

    mutating func visit(_ window: Expression.Window, _ scope: Scope) {
        for partition in window.partitions { visit(partition, scope) }
        for term in window.orders { order(term, scope) }
    }

    /// Puts the translator's equal in the place of an expression that needs one.
    mutating func translate(_ expression: Expression, _ scope: Scope) {
        guard let refusal = translated(expression, scope) else { return }
        refuse(
            expression.hasParameter
                ? "\(source(expression.range)): the type of its parameter is not known" : refusal.reason,
            expression.range)
    }

    // MARK: Columns

    func column(_ expression: Expression, _ scope: Scope) -> SQLRelation.Column? {
        guard case .name(let names) = expression.kind,
            case .column(let typed)? = try? scope.find(names, expression.range)
        else { return nil }
        return typed.column
    }

    /// Whether a column holds something else in PostgreSQL than in SQLite, so that what is reckoned with it must change.
    private func isOtherwise(_ expression: Expression, _ scope: Scope) -> Bool {
        column(expression, scope).map { $0.isInstant || $0.type == .boolean } ?? false
    }

    private mutating func visit(_ names: [Expression.Name], _ range: Range<Int>, _ scope: Scope) {
        let found: Scope.Found?
        do {
            found = try scope.find(names, range)
        } catch {
            // Several tables have it: SQLite takes no such statement either.
            return note(error.reason)
        }
        guard let found else {
            guard let name = names.first, !hasUnknownTable, names.count == 1 else { return }
            // SQLite takes a name in double quotes that is none for a text (https://sqlite.org/quirks.html#dblquote).
            if name.isDoubleQuoted, aliases[name.text.foldedName] == nil {
                replace(range, quoteLiteral(name.text))
            } else if ["rowid", "oid", "_rowid_"].contains(name.text.lowercased()) {
                refuse("\(name.text) of a table without a column for it", range)
            }
            return
        }
        // The rowid by one of its own names is spelled as its column is.
        if case .column(let typed) = found, let column = typed.column, let token = tokens(in: range).last {
            spell(tokens[token], column.target)
        }
    }

    // MARK: Operators

    private mutating func visit(
        _ binary: Expression.Binary, _ left: Expression, _ right: Expression, _ expression: Expression,
        _ scope: Scope
    ) {
        switch binary {
        case .or, .and:
            visit(left, scope)
            visit(right, scope)
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
            for token in tokens(in: left.range.upperBound..<right.range.lowerBound)
            where tokens[token].isSymbol("==") {
                replace(tokens[token].range, "=")
            }
            compare([left, right], expression, scope)
        case .is, .isNot:
            distinguish(binary == .isNot, left, right)
            compare([left, right], expression, scope)
        case .extract, .extractText: extract(left, right, isText: binary == .extractText, scope)
        default:
            if isOtherwise(left, scope) || isOtherwise(right, scope) { return translate(expression, scope) }
            visit(left, scope)
            if binary == .divide || binary == .remainder {
                divide(left, by: right, scope)
            } else {
                visit(right, scope)
            }
        }
    }

    /// By zero SQLite has NULL, and PostgreSQL an error.
    private mutating func divide(_ left: Expression, by right: Expression, _ scope: Scope) {
        if [left, right].contains(where: { column($0, scope)?.type == .numeric }) {
            note("/ of whole numbers cuts in SQLite, also in a column that is numeric here")
        }
        switch right.kind {
        case .integer(let value) where value != 0: return
        case .real(let value) where value != 0: return
        default: break
        }
        insert("NULLIF(", at: right.range.lowerBound)
        visit(right, scope)
        insert(", 0)", at: right.range.upperBound)
    }

    /// IS between values, which PostgreSQL has for NULL and for truths alone.
    private mutating func distinguish(_ isNot: Bool, _ left: Expression, _ right: Expression) {
        switch right.kind {
        case .null, .boolean: return
        default: break
        }
        let between = tokens(in: left.range.upperBound..<right.range.lowerBound)
        guard let first = between.first, let last = between.last, tokens[first].isWord("IS"),
            !between.contains(where: { tokens[$0].isWord("DISTINCT") })
        else { return }
        replace(
            tokens[first].range.lowerBound..<tokens[last].range.upperBound,
            isNot ? "IS DISTINCT FROM" : "IS NOT DISTINCT FROM")
    }

    /// Sides that are compared: the one that is a column says what the others must be.
    private mutating func compare(_ sides: [Expression], _ expression: Expression, _ scope: Scope) {
        if foldsCase(sides, scope) { return }
        let column = sides.compactMap { self.column($0, scope) }.first { $0.isInstant || $0.type == .boolean }
        for side in sides {
            if self.column(side, scope) != nil {
                visit(side, scope)
            } else {
                assign(side, to: column, scope)
            }
        }
    }

    /// The collation of a comparison counts for all of its sides: one that is given, else that of the first column
    /// (https://sqlite.org/datatype3.html#collation).
    private mutating func foldsCase(_ sides: [Expression], _ scope: Scope) -> Bool {
        let given = sides.compactMap { side -> String? in
            if case .collate(_, let collation) = side.kind { collation.uppercased() } else { nil }
        }
        let ofColumn = sides.lazy.compactMap { [self] in column($0, scope) }.first.map(\.collation)
        let isFolded = (given.first ?? ofColumn) == "NOCASE"
        guard isFolded else { return false }
        for side in sides {
            if case .collate(let operand, let collation) = side.kind {
                fold(operand, collation, side.range, scope)
            } else {
                insert("lower(", at: side.range.lowerBound)
                visit(side, scope)
                insert(")", at: side.range.upperBound)
            }
        }
        return true
    }

    mutating func fold(
        _ operand: Expression, _ collation: String, _ range: Range<Int>, _ scope: Scope
    ) {
        switch collation.uppercased() {
        case "NOCASE":
            note("NOCASE ignores the case of A to Z alone, lower() that of every alphabet")
            insert("lower(", at: operand.range.lowerBound)
            visit(operand, scope)
            replace(operand.range.upperBound..<range.upperBound, ")")
        case "BINARY":
            visit(operand, scope)
            replace(operand.range.upperBound..<range.upperBound, " COLLATE \"C\"")
        default: refuse("COLLATE \(collation)", range)
        }
    }

    private mutating func match(
        _ match: Expression.Match, _ operands: [Expression], _ isNot: Bool, _ expression: Expression,
        _ scope: Scope
    ) {
        if match == .glob || match == .like && isOtherwise(operands[0], scope) {
            return translate(expression, scope)
        }
        let between = tokens(in: operands[0].range.upperBound..<operands[1].range.lowerBound)
        guard let first = between.first, let last = between.last else { return }
        let words = tokens[first].range.lowerBound..<tokens[last].range.upperBound
        switch match {
        case .like:
            note("LIKE ignores the case of A to Z alone, ILIKE that of every alphabet")
            replace(words, isNot ? "NOT ILIKE" : "ILIKE")
            for operand in operands { visit(operand, scope) }
            // A backslash stands for itself in SQLite, and escapes in PostgreSQL.
            if operands.count == 2, Self.mayHoldBackslash(operands[1]) {
                insert(" ESCAPE ''", at: operands[1].range.upperBound)
            }
            return
        case .regexp: replace(words, isNot ? "!~" : "~")
        case .glob, .match: return refuse(match.rawValue, expression.range)
        }
        for operand in operands { visit(operand, scope) }
    }

    private static func mayHoldBackslash(_ pattern: Expression) -> Bool {
        switch pattern.kind {
        case .text(let text): text.utf8.contains(UInt8(ascii: "\\"))
        case .binary(.concatenate, let left, let right): mayHoldBackslash(left) || mayHoldBackslash(right)
        default: true
        }
    }

    // MARK: CAST and JSON

    private static let casts = [
        "INTEGER": "bigint", "INT": "bigint", "BIGINT": "bigint", "REAL": "double precision",
        "DOUBLE": "double precision", "FLOAT": "double precision", "BLOB": "bytea", "TEXT": "text",
        "NUMERIC": "numeric",
    ]

    private mutating func cast(
        _ operand: Expression, _ type: String, _ expression: Expression, _ scope: Scope
    ) {
        if isOtherwise(operand, scope) { return translate(expression, scope) }
        visit(operand, scope)
        guard let equal = Self.casts[type.uppercased()] else {
            return refuse("CAST AS \(type)", expression.range)
        }
        if equal == "bigint", !(column(operand, scope)?.type.isInteger ?? false) {
            note("CAST AS INTEGER rounds on PostgreSQL, and refuses texts that are no number")
        }
        // From behind AS to the parenthesis.
        let rest = tokens(in: operand.range.upperBound..<expression.range.upperBound)
        guard rest.count > 2, let first = rest.dropFirst().first else { return }
        let words = tokens[first].range.lowerBound..<tokens[rest.upperBound - 2].range.upperBound
        if source(words).lowercased() != equal { replace(words, equal) }
    }

    /// `data -> '$.a'`, as PostgreSQL writes paths.
    private mutating func extract(_ left: Expression, _ right: Expression, isText: Bool, _ scope: Scope) {
        visit(left, scope)
        guard case .text(let path) = right.kind else { return visit(right, scope) }
        guard path.hasPrefix("$") else { return castToJSON(left, scope) }
        guard let keys = Self.path(path) else { return refuse("the path \(path)", right.range) }
        castToJSON(left, scope)
        if isText { note("->> gives a number for a number in SQLite; #>> always a text") }
        replace(left.range.upperBound..<right.range.upperBound, " \(isText ? "#>>" : "#>") '{\(keys)}'")
    }

    /// A text is JSON to SQLite as it stands.
    mutating func castToJSON(_ operand: Expression, _ scope: Scope) {
        guard column(operand, scope)?.storage != .json else { return }
        insert("(", at: operand.range.lowerBound)
        insert(")::jsonb", at: operand.range.upperBound)
    }

    /// `$.a.b[0]` as `a,b,0`; nil for what is more than names and numbers.
    static func path(_ path: String) -> String? {
        var keys: [String] = []
        var rest = path.dropFirst()
        while let mark = rest.popFirst() {
            let key: Substring
            if mark == "." {
                key = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
                rest = rest.dropFirst(key.count)
            } else if mark == "[" {
                key = rest.prefix { $0.isASCII && $0.isNumber }
                rest = rest.dropFirst(key.count)
                guard rest.popFirst() == "]" else { return nil }
            } else {
                return nil
            }
            guard !key.isEmpty else { return nil }
            keys.append(String(key))
        }
        return keys.isEmpty ? nil : keys.joined(separator: ",")
    }

    // MARK: Values for columns

    /// A value that a column takes, or is compared with; nil is any value.
    mutating func assign(_ value: Expression, to column: SQLRelation.Column?, _ scope: Scope) {
        guard let column else { return visit(value, scope) }
        if column.type == .boolean { return assignTruth(value, column, scope) }
        guard column.isInstant else { return visit(value, scope) }
        switch value.kind {
        case .null, .text: return
        case .parameter:
            note("the parameter for \(column.name) is a point in time: hand over a Date, and no number")
            return
        case .subquery, .exists: return visit(value, scope)
        default: break
        }
        if self.column(value, scope) != nil { return visit(value, scope) }
        if let present = Present(value, source: { source($0) }) {
            return replace(value.range, present.sql(isZoned: column.isZoned))
        }
        guard let refusal = assigned(value, column, scope) else { return }
        refuse(
            value.hasParameter
                ? "\(source(value.range)): compute it in the code, and hand over a Date" : refusal.reason,
            value.range)
    }

    private mutating func assignTruth(_ value: Expression, _ column: SQLRelation.Column, _ scope: Scope) {
        if case .parameter = value.kind {
            note("the parameter for \(column.name) is a boolean: hand over true or false, and no number")
        } else if !spellTruth(value) {
            visit(value, scope)
        }
    }

    /// 0 and 1 as false and true; false where the value is neither.
    @discardableResult
    mutating func spellTruth(_ value: Expression) -> Bool {
        switch value.kind {
        case .integer(0): replace(value.range, "false")
        case .integer(1): replace(value.range, "true")
        default: return false
        }
        return true
    }
}

extension SQLRelation.Column {
    /// Whether PostgreSQL has a date or a time where SQLite has a number or a text.
    var isInstant: Bool {
        if case .other(let kind) = type { ["timestamp", "date", "time"].contains(kind) } else { false }
    }
}

extension Expression {
    fileprivate var hasParameter: Bool {
        contains { if case .parameter = $0.kind { true } else { false } }
    }
}
