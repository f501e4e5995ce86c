/// What a query of a load test is like.
public enum LoadKind: String, Codable, Sendable, CaseIterable {
    case key, page
    case foreignKey = "foreign-key"
    case join, insert, update

    /// In words.
    public var words: String {
        switch self {
        case .key: "one row by its key"
        case .page: "the newest 50 rows"
        case .foreignKey: "rows that refer to one"
        case .join: "parent and children"
        case .insert: "insert a row"
        case .update: "update a row"
        }
    }

    public var isWrite: Bool { self == .insert || self == .update }

    /// How often it is asked, beside the others.
    var weight: Int {
        switch self {
        case .key: 30
        case .page: 15
        case .foreignKey: 25
        case .join: 10
        case .insert: 12
        case .update: 8
        }
    }
}

/// A value on its way into a query, of either database.
enum LoadValue: Sendable, Equatable, Hashable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
}

/// What stands in a parameter's place: a value of a row that is there, or one that no row has.
enum LoadSlot: Sendable {
    case value(LoadValue)
    case fresh(FreshValue)
}

/// One query of the mix, with rows of values to ask it with.
struct LoadQuery: Sendable {
    let kind: LoadKind
    /// The target's name of the table.
    let table: String
    let sql: String
    /// Never empty; one of them goes into the query each time.
    var pool: [[LoadSlot]]
    /// Whether a row of the pool may be used by one session at a time only: two would wait for each other.
    var isDivided = false
}

/// What the mix does not ask, and why.
public struct LoadGap: Codable, Sendable, Equatable {
    public let table: String
    /// nil where it holds for every query of the table.
    public let kind: LoadKind?
    public let reason: String

    /// In one line.
    public var words: String { "\(table): \(kind.map { "\($0.words): " } ?? "")\(reason)" }
}

/// The queries of one database.
struct LoadMix: Sendable {
    var queries: [LoadQuery] = []
    var gaps: [LoadGap] = []
}
