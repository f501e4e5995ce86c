import Postgres
import SQLDialect

/// A PostgreSQL column type, as far as howdah encodes and proves it itself.
///
/// Written and read as PostgreSQL spells it; what is not in the list is `other`, which goes through the text format.
public enum PostgresType: Sendable, Equatable, Hashable {
    case boolean
    case smallint
    case integer
    case bigint
    case real
    case double
    case numeric(precision: Int?, scale: Int?)
    case text
    /// Most characters; nil is any number.
    case varchar(Int?)
    /// As many characters, filled up with spaces.
    case char(Int)
    case bytea
    /// Digits after the second, 0 to 6; nil keeps six, and the catalog shows no number, which Rails tells apart.
    case timestamp(Int?)
    /// Digits after the second, 0 to 6.
    case timestamptz(Int)
    case date
    case time(Int)
    case json
    case jsonb
    case uuid
    case enumeration(String)
    case other(String)

    /// Read by the server, but for integers that count a length of time: see `MigrationPlan.Column.isCountedInterval`.
    static let interval = PostgresType.other("interval")

    /// Reads a type as written in DDL; a quoted name is an enum of the plan's.
    public init(_ text: String) {
        let trimmed = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let quote = UInt8(ascii: "\"")
        // "char" is a type of PostgreSQL's own, and "a"."b" one of another schema.
        let isQuoted = trimmed.utf8.first == quote && trimmed.utf8.last == quote && trimmed.utf8.count > 2
        if isQuoted, trimmed != "\"char\"", Self.isOneName(trimmed) {
            self = .enumeration(trimmed.unquoted)
            return
        }
        let (name, parameters, suffix) = Self.parts(of: trimmed.lowercased())
        let first = parameters.first
        switch name + suffix {
        case "boolean", "bool": self = .boolean
        case "smallint", "int2": self = .smallint
        case "integer", "int", "int4": self = .integer
        case "bigint", "int8": self = .bigint
        case "real", "float4": self = .real
        case "double precision", "float8": self = .double
        case "numeric", "decimal":
            self = .numeric(precision: first, scale: first == nil ? nil : parameters.dropFirst().first ?? 0)
        case "text": self = .text
        case "varchar", "character varying": self = .varchar(first)
        case "char", "character": self = .char(first ?? 1)
        case "bpchar" where first != nil: self = .char(first ?? 1)
        case "bytea": self = .bytea
        case "timestamp", "timestamp without time zone": self = .timestamp(first.map { min($0, 6) })
        case "timestamptz", "timestamp with time zone": self = .timestamptz(min(first ?? 6, 6))
        case "date": self = .date
        case "time", "time without time zone": self = .time(min(first ?? 6, 6))
        case "json": self = .json
        case "jsonb": self = .jsonb
        case "uuid": self = .uuid
        default: self = .other(trimmed)
        }
    }

    /// As PostgreSQL spells it; an enum is quoted.
    public var sql: String {
        switch self {
        case .boolean: "boolean"
        case .smallint: "smallint"
        case .integer: "integer"
        case .bigint: "bigint"
        case .real: "real"
        case .double: "double precision"
        case .numeric(nil, _): "numeric"
        case .numeric(let precision?, let scale): "numeric(\(precision),\(scale ?? 0))"
        case .text: "text"
        case .varchar(nil): "varchar"
        case .varchar(let length?): "varchar(\(length))"
        case .char(let length): "char(\(length))"
        case .bytea: "bytea"
        case .timestamp(nil): "timestamp"
        case .timestamp(let digits?): "timestamp(\(digits))"
        case .timestamptz(let digits): digits == 6 ? "timestamptz" : "timestamptz(\(digits))"
        case .date: "date"
        case .time(let digits): digits == 6 ? "time" : "time(\(digits))"
        case .json: "json"
        case .jsonb: "jsonb"
        case .uuid: "uuid"
        case .enumeration(let name): quoteIdentifier(name)
        case .other(let sql): sql
        }
    }

    /// Types between which PostgreSQL can compare, so that a foreign key may join them.
    public enum Family: Sendable, Equatable {
        case integer, number, text, instant
        case own(String)
    }

    public var family: Family {
        switch self {
        case .smallint, .integer, .bigint: .integer
        case .text, .varchar, .char: .text
        case .timestamp: .instant
        case .numeric: .number
        case .timestamptz: .own("timestamptz")
        case .time: .own("time")
        default: .own(sql)
        }
    }

    /// Whether every quote inside of the outer ones is doubled; by bytes, since a quote and a mark are one `Character`.
    private static func isOneName(_ quoted: String) -> Bool {
        var inner = quoted.utf8.dropFirst().dropLast()[...]
        let quote = UInt8(ascii: "\"")
        while let next = inner.popFirst() {
            guard next == quote else { continue }
            guard inner.popFirst() == quote else { return false }
        }
        return true
    }

    /// `name(1, 2) suffix` cut into its parts; a text that is not of that form is all name.
    private static func parts(of text: String) -> (name: String, parameters: [Int], suffix: String) {
        guard let open = text.firstIndex(of: "("), let close = text.firstIndex(of: ")"), open < close else {
            return (text, [], "")
        }
        let numbers = text[text.index(after: open)..<close].split(separator: ",")
            .map { Int($0.filter { !$0.isWhitespace }) }
        let parameters = numbers.compactMap { $0 }
        guard parameters.count == numbers.count else { return (text, [], "") }
        let name = text[..<open].reversed().drop { $0 == " " }.reversed()
        let suffix = text[text.index(after: close)...]
        return (String(name), parameters, String(suffix))
    }
}

/// The parameters of a declared type: (160) or (10, 2).
func declaredParameters(_ declaredType: String) -> [Int] {
    guard let open = declaredType.firstIndex(of: "("), let close = declaredType.lastIndex(of: ")"),
        open < close
    else {
        return []
    }
    return declaredType[declaredType.index(after: open)..<close].split(separator: ",")
        .compactMap { Int($0.filter { !$0.isWhitespace }) }
}
