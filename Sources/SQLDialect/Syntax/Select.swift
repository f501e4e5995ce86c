/// A SELECT with all of its parts (https://sqlite.org/lang_select.html).
public struct Select: Sendable, Equatable {
    public struct CommonTable: Sendable, Equatable {
        public let name: String
        public let columns: [String]
        public let select: Select
    }

    /// One SELECT or VALUES of a compound.
    public struct Core: Sendable, Equatable {
        public var isDistinct = false
        public var results: [Result] = []
        public var source: Source?
        public var condition: Expression?
        public var groups: [Expression] = []
        public var having: Expression?
        public var windows: [NamedWindow] = []
        /// Rows of VALUES; a core with rows has nothing else.
        public var values: [[Expression]] = []
    }

    public struct NamedWindow: Sendable, Equatable {
        public let name: String
        public let window: Expression.Window
    }

    public enum Result: Sendable, Equatable {
        case all
        case allOf(String)
        case expression(Expression, alias: String?)
    }

    public enum Compound: String, Sendable {
        case union = "UNION"
        case unionAll = "UNION ALL"
        case intersect = "INTERSECT"
        case except = "EXCEPT"
    }

    public indirect enum Source: Sendable, Equatable {
        case table([Expression.Name], alias: String?)
        /// A table-valued function.
        case function(String, [Expression], alias: String?)
        case select(Select, alias: String?)
        case join(Source, Join, Source, Constraint)
    }

    public struct Join: Sendable, Equatable {
        public enum Kind: String, Sendable {
            case inner = "INNER", left = "LEFT", right = "RIGHT", full = "FULL", cross = "CROSS"
        }

        public var kind: Kind
        public var isNatural: Bool
    }

    public enum Constraint: Sendable, Equatable {
        case none
        case on(Expression)
        case using([String])
    }

    public struct Arm: Sendable, Equatable {
        public let compound: Compound
        public let core: Core
    }

    public var commonTables: [CommonTable] = []
    public var isRecursive = false
    public var first = Core()
    public var rest: [Arm] = []
    public var orders: [Ordering] = []
    public var limit: Expression?
    public var offset: Expression?
    public var range: Range<Int> = 0..<0
}
