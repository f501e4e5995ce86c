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
        case keysMerge = "keys-merge"
        case rowTooWide = "row-too-wide"
        case indexRowTooLong = "index-row-too-long"
        case checkBroken = "check-broken"
        case brokenConstraint = "broken-constraint"
        case typeNarrowed = "type-from-content"
        case dateForms = "date-forms"
        case datePrecision = "date-precision"
        case dateUnit = "date-unit"
        case renamed = "renamed"
        case sequenceExhausted = "sequence-exhausted"
        case notIndexable = "not-indexable"
        case unboundedValue = "value-too-large"
        case exceedsMemory = "exceeds-memory"
        case notCarried = "not-carried"
        case refusedByServer = "refused-by-server"
        case quarantinedWithParent = "quarantined-with-parent"
        case nameTaken = "name-taken"
        case missingInTarget = "missing-in-target"
        case extraInTarget = "extra-in-target"
        case rowsInTarget = "rows-in-target"
        case cannotBeLoaded = "cannot-be-loaded"
    }

    /// Who decided a finding.
    public enum Source: String, Codable, Sendable {
        case undecided = "default"
        case plan
        case `operator`
    }

    public let id: ID
    /// Whether the run stops until it is decided.
    public var blocking: Bool
    public let table: String?
    public let column: String?
    /// The key, index, constraint, view or trigger that it is about.
    public let object: String?
    /// How many rows or objects it is about.
    public let count: Int
    /// Up to five rowids; empty for tables without them.
    public let sampleRowids: [Int64]
    /// Up to five keys of tables without rowids.
    public let sampleKeys: [String]
    public let message: String
    /// What may be decided, the recommended choice first.
    public internal(set) var choices: [Choice]
    /// The word of the choice that was taken.
    public var decision: String?
    public var source: Source

    init(
        _ id: ID, blocking: Bool, table: String? = nil, column: String? = nil, object: String? = nil,
        count: Int = 1, sampleRowids: [Int64] = [], sampleKeys: [String] = [], _ message: String,
        choices: [Choice] = []
    ) {
        self.id = id
        self.blocking = blocking
        self.table = table
        self.column = column
        self.object = object
        self.count = count
        self.sampleRowids = sampleRowids
        self.sampleKeys = sampleKeys
        self.message = message
        self.choices = choices
        decision = nil
        source = .undecided
    }

    /// The place, as the operator names it.
    public var place: String {
        [table, column ?? object].compactMap { $0 }.joined(separator: ".")
    }

    /// By which a decision names this finding and no other: `orphan-rows:Message.senderId`.
    public var key: String { place.isEmpty ? id.rawValue : "\(id.rawValue):\(place)" }

    /// The choice to take where nothing speaks against it; nil where only the operator can tell.
    public var recommended: Choice? { choices.first { $0.isRecommendable } }

    // MARK: JSON

    enum CodingKeys: String, CodingKey {
        case id, key, blocking, table, column, object, count
        case sampleRowids = "sample_rowids"
        case sampleKeys = "sample_keys"
        case message, choices, consequences, recommended, decision, source
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decode(ID.self, forKey: .id)
        blocking = try values.decode(Bool.self, forKey: .blocking)
        table = try values.decodeIfPresent(String.self, forKey: .table)
        column = try values.decodeIfPresent(String.self, forKey: .column)
        object = try values.decodeIfPresent(String.self, forKey: .object)
        count = try values.decode(Int.self, forKey: .count)
        sampleRowids = try values.decode([Int64].self, forKey: .sampleRowids)
        sampleKeys = try values.decodeIfPresent([String].self, forKey: .sampleKeys) ?? []
        message = try values.decode(String.self, forKey: .message)
        let words = try values.decode([String].self, forKey: .choices)
        let consequences = try values.decodeIfPresent([String].self, forKey: .consequences) ?? []
        // Documents of before this key's time advise the first one.
        var isBefore = values.contains(.recommended)
        let advised = try values.decodeIfPresent(String.self, forKey: .recommended)
        choices = words.enumerated().map { index, word in
            var choice = Choice(word, consequences.indices.contains(index) ? consequences[index] : "")
            // The first one that may be advised is the one that was.
            if word == advised { isBefore = false }
            choice.isAdvisable = !isBefore || !choice.isRecommendable
            return choice
        }
        decision = try values.decodeIfPresent(String.self, forKey: .decision)
        source = try values.decodeIfPresent(Source.self, forKey: .source) ?? .undecided
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(id, forKey: .id)
        try values.encode(key, forKey: .key)
        try values.encode(blocking, forKey: .blocking)
        try values.encode(table, forKey: .table)
        try values.encode(column, forKey: .column)
        try values.encode(object, forKey: .object)
        try values.encode(count, forKey: .count)
        try values.encode(sampleRowids, forKey: .sampleRowids)
        try values.encode(sampleKeys, forKey: .sampleKeys)
        try values.encode(message, forKey: .message)
        try values.encode(choices.map(\.word), forKey: .choices)
        try values.encode(choices.map(\.consequence), forKey: .consequences)
        try values.encode(recommended?.word, forKey: .recommended)
        try values.encode(decision, forKey: .decision)
        try values.encode(source, forKey: .source)
    }
}
