/// Changes a statement of an application's code where PostgreSQL would not take it, or take it otherwise, and leaves all
/// else as it is written.
///
/// Unlike `SQLTranslator`, whose SQL is for the server, this is for people: names, blanks, comments and parameters stay.
/// What has an equal that is known to give the same is put in its place by the translator; where parameters hide the
/// types, a plain equal is taken, and a note says what may differ. What has none is an obstacle. Pure; from any thread.
public struct StatementRewriter: Sendable {
    /// A table or a view of the target.
    public struct Table: Sendable, Equatable {
        public var relation: SQLRelation
        /// Its name in the target, without quotes and schema.
        public var target: String
        /// The columns of its primary key and of its unique keys, as the source spells them.
        public var keys: [[String]]
        /// Columns that are never NULL, as the source spells them.
        public var notNull: Set<String>

        public init(
            _ relation: SQLRelation, target: String, keys: [[String]] = [], notNull: Set<String> = []
        ) {
            self.relation = relation
            self.target = target
            self.keys = keys
            self.notNull = notNull
        }
    }

    public struct Edit: Sendable, Equatable {
        /// Bytes of the statement; empty where something is put in.
        public let range: Range<Int>
        public let text: String

        public init(_ range: Range<Int>, _ text: String) {
            self.range = range
            self.text = text
        }
    }

    public struct Outcome: Sendable, Equatable {
        /// By place; none overlaps another.
        public var edits: [Edit] = []
        /// What the code around the statement should know, and what may differ.
        public var notes: [String] = []
        /// What has no equal; the statement is no good without a hand then.
        public var obstacles: [Refusal] = []
        /// Whether it is no statement that is understood.
        public var isUnread = false

        /// The statement with its edits.
        public func applied(to sql: String) -> String {
            let bytes = Array(sql.utf8)
            var result: [UInt8] = []
            var place = 0
            for edit in edits {
                result += bytes[place..<edit.range.lowerBound]
                result += Array(edit.text.utf8)
                place = edit.range.upperBound
            }
            return String(decoding: result + bytes[place...], as: UTF8.self)
        }
    }

    public let tables: [Table]

    public init(tables: [Table]) {
        self.tables = tables
    }

    /// What is to be changed in a statement. `holes` are places of expressions of the code around, each a `?`;
    /// `numbersParameters` makes `$1`, `$2` of the other ones.
    public func rewrite(
        _ sql: String, holes: Set<Int> = [], numbersParameters: Bool = false
    ) -> Outcome {
        var rewrite = Rewrite(sql, tables: tables, holes: holes)
        do {
            rewrite.take(try SQLParser.statement(sql))
        } catch {
            return Outcome(obstacles: [Refusal(error)], isUnread: true)
        }
        rewrite.spellNames()
        rewrite.dropHints()
        if numbersParameters { rewrite.numberParameters() }
        return rewrite.outcome
    }
}
