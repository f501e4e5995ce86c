/// Something about the source that the operator should know, or must decide, before data moves.
public struct Finding: Codable, Sendable, Equatable {
    public enum ID: String, Codable, Sendable, CaseIterable {
        case valueDoesNotFit = "value-does-not-fit"
        case orphanRows = "orphan-rows"
        case foreignKeyParentMissing = "foreign-key-parent-missing"
        case foreignKeyParentNotUnique = "foreign-key-parent-not-unique"
        case foreignKeyTypes = "foreign-key-types"
        case nullInKey = "null-in-key"
        case nullInNotNull = "null-in-not-null"
        case nameTooLong = "name-too-long"
        case nameNotPossible = "name-not-possible"
        case tooManyColumns = "too-many-columns"
        case notInPlan = "not-in-plan"
        case brokenConstraint = "broken-constraint"
        case typeNarrowed = "type-from-content"
        case dateForms = "date-forms"
        case datePrecision = "date-precision"
        case dateUnit = "date-unit"
        case renamed = "renamed"
        case sequenceExhausted = "sequence-exhausted"
        case notIndexable = "not-indexable"
        case unboundedValue = "value-too-large"
    }

    public let id: ID
    /// Whether the run stops until it is decided.
    public let blocking: Bool
    public let table: String?
    public let column: String?
    /// How many rows or objects it is about.
    public let count: Int
    /// Up to five rowids; empty for tables without them.
    public let sampleRowids: [Int64]
    /// Up to five keys of tables without rowids.
    public let sampleKeys: [String]
    public let message: String
    /// What may be written into the plan to decide it, the recommended choice first.
    public let choices: [String]
    public let decision: String?
    public let source: String

    enum CodingKeys: String, CodingKey {
        case id, blocking, table, column, count
        case sampleRowids = "sample_rowids"
        case sampleKeys = "sample_keys"
        case message, choices, decision, source
    }

    init(
        _ id: ID, blocking: Bool, table: String? = nil, column: String? = nil, count: Int = 1,
        sampleRowids: [Int64] = [], sampleKeys: [String] = [], _ message: String, choices: [String] = []
    ) {
        self.id = id
        self.blocking = blocking
        self.table = table
        self.column = column
        self.count = count
        self.sampleRowids = sampleRowids
        self.sampleKeys = sampleKeys
        self.message = message
        self.choices = choices
        decision = nil
        source = "default"
    }

    /// The place, as the operator names it.
    public var place: String {
        [table, column].compactMap { $0 }.joined(separator: ".")
    }
}

/// What becomes of one object of the source.
public struct ObjectState: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable {
        case table, column, primaryKey = "primary key", unique, index, foreignKey = "foreign key", sequence,
            check
        case view, trigger, virtualTable = "virtual table", shadowTable = "shadow table"
        case generatedColumn = "generated column", collation, defaultValue = "default"
        case conflictClause = "conflict clause", notNull = "not null"
    }

    public enum State: String, Codable, Sendable {
        case carried, changed, leftOut = "left-out", failed
    }

    public let kind: Kind
    public let name: String
    public var state: State
    public var reason: String?
    /// Whether leaving it out asks for the operator's attention: the run then ends with exit code 3.
    public var isUnexplained: Bool

    enum CodingKeys: String, CodingKey {
        case kind, name, state, reason
        case isUnexplained = "unexplained"
    }

    static func carried(_ kind: Kind, _ name: String) -> ObjectState {
        ObjectState(kind: kind, name: name, state: .carried, reason: nil, isUnexplained: false)
    }

    static func changed(_ kind: Kind, _ name: String, _ reason: String) -> ObjectState {
        ObjectState(kind: kind, name: name, state: .changed, reason: reason, isUnexplained: false)
    }

    /// Left out because howdah cannot carry it.
    static func notSupported(_ kind: Kind, _ name: String, _ why: String? = nil) -> ObjectState {
        let reason = "not yet supported" + (why.map { ": \($0)" } ?? "")
        return ObjectState(kind: kind, name: name, state: .leftOut, reason: reason, isUnexplained: true)
    }

    /// Left out by a rule or by the operator.
    static func leftOut(_ kind: Kind, _ name: String, _ reason: String) -> ObjectState {
        ObjectState(kind: kind, name: name, state: .leftOut, reason: reason, isUnexplained: false)
    }
}
