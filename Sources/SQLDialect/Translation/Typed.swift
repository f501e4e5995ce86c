import Postgres

/// A piece of PostgreSQL's SQL with what is known of its value.
struct Typed {
    enum Constant: Equatable {
        case null
        case integer(Int64)
        case real(Double)
        case text(String)
    }

    var sql: String
    var type: ValueType
    /// Whether it can be an operand as it is.
    var isAtomic = false
    /// As SQLite sees it; nil is none.
    var affinity: SQLRelation.Affinity?
    var collation = "BINARY"
    var hasExplicitCollation = false
    var constant: Constant?
    /// What a bare column holds; nil for other expressions.
    var column: SQLRelation.Column?
    /// A text that is surely no number, such as a date: a numeric affinity leaves it as it is.
    var isNeverNumber = false
    /// The integer that a text of digits alone is to a cast, an operator or a numeric affinity.
    var digits: String?
    /// A sum or mean of doubles, which depends on the order of its terms in the last digits.
    var isApproximate = false

    /// Fit to stand beside an operator or a cast.
    var operand: String { isAtomic ? sql : "(\(sql))" }

    static func atom(_ sql: String, _ type: ValueType) -> Typed {
        Typed(sql: sql, type: type, isAtomic: true)
    }
    static func compound(_ sql: String, _ type: ValueType) -> Typed { Typed(sql: sql, type: type) }

    static let null = Typed(sql: "NULL", type: .null, isAtomic: true, constant: .null)

    static func integer(_ value: Int64) -> Typed {
        var typed = Typed.atom("\(value)", Int32(exactly: value) == nil ? .integer : .narrow)
        // The minus is an operator to PostgreSQL, and the largest magnitude no bigint without it.
        if value < 0 { typed.sql = value == .min ? "'\(value)'::bigint" : "(\(value))" }
        if Int32(exactly: value) == nil, value > 0 { typed.sql = "\(value)::bigint" }
        typed.constant = .integer(value)
        return typed
    }

    static func real(_ value: Double) -> Typed {
        let digits = value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : "\(value)"
        var typed = Typed.atom("'\(digits)'::double precision", .double)
        typed.constant = .real(value)
        return typed
    }

    static func text(_ value: String) -> Typed {
        // Without its type PostgreSQL takes a literal for whatever stands beside it.
        var typed = Typed.atom("\(quoteLiteral(value))::text", .text)
        typed.constant = .text(value)
        return typed
    }

    func casting(to type: ValueType, _ sqlType: String) -> Typed {
        Typed(sql: "\(operand)::\(sqlType)", type: type, isAtomic: true, isApproximate: isApproximate)
    }

    /// As a number: a boolean is 0 or 1.
    var number: Typed {
        guard type == .boolean else { return self }
        return casting(to: .narrow, "int")
    }

    /// What it is to a cast, an operator or a numeric affinity; nil where that would depend on the row.
    var numeric: Typed? {
        if type.isNumber || type == .null { return number }
        return digits.map { .atom($0, .integer) }
    }

    /// In 64 bits, as SQLite computes.
    var wide: Typed { type == .integer ? self : number.casting(to: .integer, "bigint") }

    var double: Typed {
        if type == .double { return self }
        if case .integer(let value)? = constant, value.magnitude <= 1 << 53 { return .real(Double(value)) }
        return number.casting(to: .double, "double precision")
    }
}
