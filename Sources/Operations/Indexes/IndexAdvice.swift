/// One piece of advice about a table's indexes or statistics, with the SQL that follows it and takes it back.
public struct IndexAdvice: Codable, Sendable, Equatable, Identifiable {
    public enum Action: String, Codable, Sendable {
        case create, drop, analyze
    }

    /// What it changes for one query.
    public struct Effect: Codable, Sendable, Equatable {
        /// The planner's word for one plan.
        public struct Figure: Codable, Sendable, Equatable {
            /// In the planner's own units.
            public let cost: Double
            /// Of a run; nil where it was only planned.
            public let milliseconds: Double?
            /// The plan, line by line.
            public let plan: [String]
        }

        /// With `$1` for what comes from the code.
        public let query: String
        /// File and line; nil for a query that stands for many.
        public let place: String?
        public let before: Figure
        /// nil where the index is not there to plan with.
        public var after: Figure?
        /// How `after` was come by, or why it is missing.
        public var how: String

        /// The cost after as a part of the cost before.
        var remainder: Double? {
            after.map { before.cost > 0 ? $0.cost / before.cost : 1 }
        }
    }

    /// Says the same as long as the table and the columns are the same.
    public let id: String
    /// Why, the weightiest first.
    public var rules: [IndexRule]
    public let action: Action
    public let schema: String
    public let table: String
    /// The index; empty for statistics.
    public let index: String
    public let columns: [String]
    /// What speaks for it here, one line each.
    public var evidence: [String]
    public var sql: [String]
    public var undo: [String]
    public var effect: Effect?
    public var isRecommended: Bool
    /// Why howdah does not do it; its SQL is then for the operator.
    public var obstacle: String?

    /// In one line: what is to be done.
    public var words: String {
        switch action {
        case .create: "index on \(table) (\(columns.joined(separator: ", ")))"
        case .drop: "drop \(index)"
        case .analyze: "statistics of \(table)"
        }
    }

    /// Why, in a few words.
    public var why: String { rules.first?.facts.words ?? "" }

    /// What it brings, in a few words; empty where that is not known.
    public var effectWords: String {
        guard let effect else { return "" }
        let before = Self.figure(effect.before)
        guard let after = effect.after else { return "\(before) → ?" }
        // One unit for both is enough.
        let isCost = effect.before.milliseconds == nil && after.milliseconds == nil
        return "\(before) → \(isCost ? IndexWords.cost(after.cost) : Self.figure(after))"
    }

    public static func milliseconds(_ time: Double) -> String { IndexWords.milliseconds(time) }

    private static func figure(_ figure: Effect.Figure) -> String {
        if let time = figure.milliseconds { return IndexWords.milliseconds(time) }
        return "cost \(IndexWords.cost(figure.cost))"
    }
}

/// What a look at a schema's indexes came to.
public struct IndexReport: Codable, Sendable, Equatable {
    /// The weightiest first.
    public var advice: [IndexAdvice] = []
    /// What could not be seen, and what is in order.
    public var notices: [String] = []
    public var tables = 0
    public var queries = 0
}

/// A query of the application's code, in PostgreSQL's dialect.
public struct AdvisedQuery: Sendable, Equatable {
    /// With `$1`, `$2` for what comes from the code.
    public let sql: String
    /// File and line.
    public let place: String

    public init(sql: String, place: String) {
        self.sql = sql
        self.place = place
    }
}
