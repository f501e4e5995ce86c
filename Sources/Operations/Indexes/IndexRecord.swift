/// An index that howdah has made or dropped, as the journal keeps it: what an undo and the next look go by.
public struct IndexRecord: Codable, Sendable, Equatable {
    public enum State: String, Codable, Sendable {
        /// Written before the server is asked: without a later word an index may be left, valid or not.
        case building
        case made
        case dropping
        case dropped
        /// Nothing of it is there any more, or again.
        case over
    }

    /// The advice that it follows.
    public let id: String
    public let schema: String
    public let table: String
    public let name: String
    public let columns: [String]
    /// As the server spells it, once it is there; of one that is dropped, as it was.
    public var definition: String?
    public var state: State

    public init(
        id: String, schema: String, table: String, name: String, columns: [String],
        definition: String? = nil, state: State
    ) {
        self.id = id
        self.schema = schema
        self.table = table
        self.name = name
        self.columns = columns
        self.definition = definition
        self.state = state
    }

    /// Whether a build was begun that nobody saw the end of.
    var isLeftover: Bool { state == .building }
}

/// Where records are written down before the server is asked.
public struct IndexLedger: Sendable {
    /// The newest word on each index, oldest first.
    public let records: [IndexRecord]
    /// On the disk when it returns.
    public let note: @Sendable (IndexRecord) throws -> Void

    public init(records: [IndexRecord], note: @escaping @Sendable (IndexRecord) throws -> Void) {
        self.records = records
        self.note = note
    }

    /// The newest word on each, out of all that was written.
    public static func newest(_ all: [IndexRecord]) -> [IndexRecord] {
        var newest: [IndexRecord] = []
        for record in all {
            newest.removeAll { $0.schema == record.schema && $0.name == record.name }
            newest.append(record)
        }
        return newest
    }
}
