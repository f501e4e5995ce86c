/// A type of values as both databases know them.
public enum ValueType: Sendable, Equatable {
    /// The literal NULL, which takes any type.
    case null
    /// 0 and 1 to SQLite; boolean to PostgreSQL.
    case boolean
    /// An integer that PostgreSQL holds in 16 or 32 bits.
    case narrow
    /// A bigint.
    case integer
    case double
    case numeric
    case text
    case bytea
    /// A type of PostgreSQL's own, such as timestamp, uuid or json.
    case other(String)

    var isNumber: Bool {
        switch self {
        case .boolean, .narrow, .integer, .double, .numeric: true
        default: false
        }
    }

    var isInteger: Bool { self == .narrow || self == .integer || self == .boolean }
}

/// A table or a view, as expressions see it.
public struct SQLRelation: Sendable, Equatable {
    /// What SQLite has where PostgreSQL has a value of a type of its own.
    public enum Storage: Sendable, Equatable {
        /// The same value: the number, the text, the bytes.
        case exact
        /// An integer that counts from 1970, of this many parts to the second.
        case epoch(perSecond: Int)
        /// A text of one form for every value, as `to_char` writes it.
        case layout(String)
        /// A text of JSON.
        case json
        /// Forms that differ from row to row, or that no expression rebuilds.
        case mixed
    }

    public enum Affinity: String, Sendable, CaseIterable {
        case integer, text, blob, real, numeric

        var isNumeric: Bool { self != .text && self != .blob }
    }

    public struct Column: Sendable, Equatable {
        /// As the source spells it.
        public var name: String
        public var target: String
        public var type: ValueType
        public var storage: Storage
        /// nil for an expression's value.
        public var affinity: Affinity?
        /// In capitals; BINARY unless declared otherwise.
        public var collation: String
        /// The type as PostgreSQL's DDL spells it, to convert values to it.
        public var sqlType: String

        public init(
            name: String, target: String? = nil, type: ValueType, storage: Storage = .exact,
            affinity: Affinity? = nil, collation: String = "BINARY", sqlType: String
        ) {
            self.name = name
            self.target = target ?? name
            self.type = type
            self.storage = storage
            self.affinity = affinity
            self.collation = collation.uppercased()
            self.sqlType = sqlType
        }
    }

    public var name: String
    /// Quoted, with its schema.
    public var target: String
    public var columns: [Column]
    /// The column that is another name of the rowid.
    public var rowidAlias: String?

    public init(name: String, target: String, columns: [Column], rowidAlias: String? = nil) {
        self.name = name
        self.target = target
        self.columns = columns
        self.rowidAlias = rowidAlias
    }

    public func column(named name: String) -> Column? {
        let folded = name.foldedName
        return columns.first { $0.name.foldedName == folded }
    }
}

/// Why an expression has no equal in PostgreSQL that is known to give the same value.
public struct Refusal: Error, Sendable, Equatable, CustomStringConvertible {
    public let reason: String
    /// Bytes of the source text.
    public let range: Range<Int>

    public init(_ reason: String, _ range: Range<Int>) {
        self.reason = reason
        self.range = range
    }

    init(_ error: SyntaxError) {
        self.init(error.message, error.range)
    }

    public var description: String { reason }
}
