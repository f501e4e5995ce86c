/// A statement that changes or reads data, or makes a view, a trigger or an index.
public indirect enum Statement: Sendable, Equatable {
    case select(Select)
    case insert(Insert)
    case update(Update)
    case delete(Delete)

    /// The table that it changes; nil for SELECT.
    public var writtenTable: String? {
        switch self {
        case .select: nil
        case .insert(let insert): insert.table
        case .update(let update): update.table
        case .delete(let delete): delete.table
        }
    }

    public enum Conflict: String, Sendable {
        case rollback = "ROLLBACK", abort = "ABORT", fail = "FAIL", ignore = "IGNORE", replace = "REPLACE"
    }

    public struct Insert: Sendable, Equatable {
        public var conflict: Conflict?
        public var table: String
        public var alias: String?
        public var columns: [String] = []
        /// nil is DEFAULT VALUES.
        public var select: Select?
        public var hasUpsert = false
        public var hasReturning = false
        public var range: Range<Int>
    }

    public struct Assignment: Sendable, Equatable {
        public let columns: [String]
        public let value: Expression
    }

    public struct Update: Sendable, Equatable {
        public var conflict: Conflict?
        public var table: String
        public var alias: String?
        public var assignments: [Assignment] = []
        public var source: Select.Source?
        public var condition: Expression?
        public var hasLimit = false
        public var hasReturning = false
        public var range: Range<Int>
    }

    public struct Delete: Sendable, Equatable {
        public var table: String
        public var alias: String?
        public var condition: Expression?
        public var hasLimit = false
        public var hasReturning = false
        public var range: Range<Int>
    }
}

/// CREATE VIEW (https://sqlite.org/lang_createview.html).
public struct CreateView: Sendable, Equatable {
    public var name: String
    public var columns: [String]
    public var select: Select
}

/// CREATE TRIGGER (https://sqlite.org/lang_createtrigger.html).
public struct CreateTrigger: Sendable, Equatable {
    public enum Time: String, Sendable {
        case before = "BEFORE", after = "AFTER", insteadOf = "INSTEAD OF"
    }

    public enum Event: Sendable, Equatable {
        case insert
        case delete
        /// Of these columns; of any where there are none.
        case update([String])
    }

    public var name: String
    public var time: Time
    public var event: Event
    public var table: String
    public var condition: Expression?
    public var statements: [Statement]
}

/// CREATE INDEX (https://sqlite.org/lang_createindex.html).
public struct CreateIndex: Sendable, Equatable {
    public var name: String
    public var isUnique: Bool
    public var table: String
    public var terms: [Ordering]
    public var condition: Expression?
}
