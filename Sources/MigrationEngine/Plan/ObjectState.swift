/// What becomes of one object of the source.
public struct ObjectState: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable {
        case table, column, primaryKey = "primary key", unique, index, foreignKey = "foreign key", sequence,
            check
        case view, trigger, function, virtualTable = "virtual table", shadowTable = "shadow table"
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
        let reason = "not carried" + (why.map { ": \($0)" } ?? "")
        return ObjectState(kind: kind, name: name, state: .leftOut, reason: reason, isUnexplained: true)
    }

    /// It was made, and is not as it was made.
    static func failed(_ kind: Kind, _ name: String, _ reason: String) -> ObjectState {
        ObjectState(kind: kind, name: name, state: .failed, reason: reason, isUnexplained: true)
    }

    /// Left out by a rule or by the operator.
    static func leftOut(_ kind: Kind, _ name: String, _ reason: String) -> ObjectState {
        ObjectState(kind: kind, name: name, state: .leftOut, reason: reason, isUnexplained: false)
    }
}
