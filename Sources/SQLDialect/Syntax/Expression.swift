/// An expression of SQLite's SQL, with its place in the source text (https://sqlite.org/lang_expr.html).
public struct Expression: Sendable, Equatable {
    public let kind: Kind
    /// Bytes of the source text.
    public let range: Range<Int>

    public init(_ kind: Kind, _ range: Range<Int>) {
        self.kind = kind
        self.range = range
    }

    /// A name as written; in double quotes it may also be a text.
    public struct Name: Sendable, Equatable {
        public let text: String
        public let isDoubleQuoted: Bool

        public init(_ text: String, isDoubleQuoted: Bool = false) {
            self.text = text
            self.isDoubleQuoted = isDoubleQuoted
        }
    }

    public indirect enum Kind: Sendable, Equatable {
        case null
        case integer(Int64)
        /// A number that is no 64-bit integer: a double to SQLite.
        case real(Double)
        case text(String)
        /// Hexadecimal digits.
        case blob(String)
        /// TRUE and FALSE, which are 1 and 0.
        case boolean(Bool)
        /// CURRENT_DATE, CURRENT_TIME and CURRENT_TIMESTAMP.
        case now(date: Bool, time: Bool)
        case parameter(String)
        /// `column`, `table.column` or `schema.table.column`.
        case name([Name])
        case unary(Unary, Expression)
        case binary(Binary, Expression, Expression)
        case collate(Expression, String)
        case cast(Expression, String)
        case between(Expression, Expression, Expression, isNot: Bool)
        case inList(Expression, [Expression], isNot: Bool)
        case inSelect(Expression, Select, isNot: Bool)
        case inTable(Expression, [Name], isNot: Bool)
        case match(Match, Expression, Expression, escape: Expression?, isNot: Bool)
        case isNull(Expression, isNot: Bool)
        case choice(operand: Expression?, branches: [Branch], otherwise: Expression?)
        case call(Call)
        case exists(Select)
        case subquery(Select)
        case row([Expression])
        case raise(Raise, message: String?)
    }

    public enum Unary: String, Sendable {
        case minus = "-"
        case plus = "+"
        case complement = "~"
        case not = "NOT"
    }

    public enum Binary: String, Sendable, CaseIterable {
        case or = "OR"
        case and = "AND"
        case equal = "="
        case notEqual = "<>"
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case bitAnd = "&"
        case bitOr = "|"
        case shiftLeft = "<<"
        case shiftRight = ">>"
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case remainder = "%"
        case concatenate = "||"
        case extract = "->"
        case extractText = "->>"
        /// Equality that takes NULL for a value.
        case `is` = "IS"
        case isNot = "IS NOT"
    }

    public enum Match: String, Sendable {
        case like = "LIKE"
        case glob = "GLOB"
        case regexp = "REGEXP"
        case match = "MATCH"
    }

    public enum Raise: String, Sendable {
        case ignore = "IGNORE"
        case rollback = "ROLLBACK"
        case abort = "ABORT"
        case fail = "FAIL"
    }

    public struct Branch: Sendable, Equatable {
        public let condition: Expression
        public let value: Expression
    }

    public struct Call: Sendable, Equatable {
        /// In lower case.
        public let name: String
        public var arguments: [Expression]
        /// `count(*)`.
        public var hasStar = false
        public var isDistinct = false
        /// ORDER BY within the parentheses of an aggregate.
        public var orders: [Ordering] = []
        public var filter: Expression?
        public var window: Window?
    }

    public struct Window: Sendable, Equatable {
        public var base: String?
        public var partitions: [Expression] = []
        public var orders: [Ordering] = []
        /// The frame as written; nil is the default.
        public var frame: String?
    }
}

/// A term of ORDER BY, or of an index.
public struct Ordering: Sendable, Equatable {
    public let expression: Expression
    public let isDescending: Bool
    /// nil is SQLite's rule: NULL is smaller than every value.
    public let nullsFirst: Bool?

    /// A bare column, from the smallest to the largest.
    public static func column(_ name: String) -> Ordering {
        Ordering(expression: Expression(.name([.init(name)]), 0..<0), isDescending: false, nullsFirst: nil)
    }
}
