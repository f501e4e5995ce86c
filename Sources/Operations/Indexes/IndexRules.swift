/// What an advice about indexes is about.
public enum IndexRule: String, Codable, Sendable, CaseIterable {
    case leftover
    case known
    case foreignKey = "foreign-key"
    case page
    case query
    case statistics
    case doubled
    case unused
    case invalid

    /// A row of the table of rules.
    public struct Facts: Sendable {
        /// What it is about, in a few words.
        public let words: String
        public let reason: String
        /// Where the rule comes from.
        public let source: String
        /// Whether it is among the advice that is chosen unless the operator says otherwise.
        public let isRecommended: Bool
    }

    private static let manual = "https://www.postgresql.org/docs/current/"

    public var facts: Facts {
        switch self {
        case .known:
            Facts(
                words: "asked for all the time",
                reason: "a chat application reads its messages and its members by these columns",
                source: "the migration plan, phase 6", isRecommended: true)
        case .foreignKey:
            Facts(
                words: "foreign key without an index",
                reason:
                    "PostgreSQL makes no index for the columns of a foreign key: every delete or change of a parent's key, "
                    + "and every look at a parent's rows, reads the whole table",
                source: Self.manual + "ddl-constraints.html#DDL-CONSTRAINTS-FK", isRecommended: true)
        case .page:
            Facts(
                words: "pages by time",
                reason:
                    "a parent has many rows, which are read page by page in the order of their time: with both columns in one "
                    + "index a page is read without sorting",
                source: Self.manual + "indexes-ordering.html", isRecommended: true)
        case .query:
            Facts(
                words: "a query reads the whole table",
                reason:
                    "a query of the code filters by these columns, and the planner has nothing but the whole table to read",
                source: Self.manual + "using-explain.html", isRecommended: true)
        case .leftover:
            Facts(
                words: "left by a build of howdah's that was stopped",
                reason: "an invalid index serves no query, and is kept up by every write",
                source: Self.manual + "sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY",
                isRecommended: true)
        case .statistics:
            Facts(
                words: "no statistics",
                reason: "without statistics the planner guesses how many rows a condition leaves",
                source: Self.manual + "routine-vacuuming.html#VACUUM-FOR-STATISTICS", isRecommended: true)
        case .doubled:
            Facts(
                words: "another index does the same",
                reason: "every write keeps both, and no query needs both",
                source: Self.manual + "indexes-multicolumn.html", isRecommended: false)
        case .unused:
            Facts(
                words: "never used",
                reason:
                    "every write keeps it, and no query has used it on this server; a standby counts for itself",
                source: Self.manual + "monitoring-stats.html#MONITORING-PG-STAT-ALL-INDEXES-VIEW",
                isRecommended: false)
        case .invalid:
            Facts(
                words: "invalid, and not made by howdah",
                reason: "a build that failed leaves an index that serves no query; who began it is not known",
                source: Self.manual + "sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY",
                isRecommended: false)
        }
    }
}

/// An index that the tables of an application of a known kind need; names are matched whatever their style.
struct KnownIndex {
    let table: String
    let columns: [String]
    /// How many of the columns a query compares; it orders by the others.
    let compared: Int

    static let all = [
        KnownIndex(table: "Message", columns: ["conversationId", "timestamp"], compared: 1),
        KnownIndex(table: "ConversationParticipant", columns: ["conversationId", "userId"], compared: 2),
    ]

    /// `conversationId`, `conversation_id` and `ConversationID` are one name; a table's may be its plural.
    static func isSame(_ name: String, _ other: String) -> Bool {
        let (first, second) = (plain(name), plain(other))
        return first == second || first == second + "s"
    }

    private static func plain(_ name: String) -> String {
        name.lowercased().filter { $0 != "_" && $0 != "-" && $0 != " " }
    }
}

/// By how much something must be so before it is worth a word.
public struct IndexLimits: Sendable {
    /// Reading a smaller table as a whole is quick, whatever the query asks for.
    public var manyRows = 1000
    /// A parent with more rows has pages.
    public var pageRows = 50.0
    /// An index pays where a condition leaves a smaller part of the rows.
    public var selective = 0.1
    /// An index that makes less of a difference to the planner's cost is not recommended.
    public var gain = 0.5
    /// How long a server must have counted before an index without a use counts as unused.
    public var unusedAfter = Duration.seconds(7 * 86_400)
    /// A table that has grown by this part since its statistics were made, and to so many pages, is another one.
    public var grown = 0.5
    public var grownPages = 100.0
    /// A row of a btree holds about 2,700 bytes.
    public var widest = 600
    /// A smaller index costs next to nothing.
    public var unusedBytes: Int64 = 1 << 20

    public init() {}

    /// By what names columns of times go, by which pages are ordered.
    static let times: Set<String> = [
        "timestamp", "time", "date", "created", "createdat", "createdon", "sent", "sentat", "postedat",
        "insertedat", "occurredat",
    ]
}
