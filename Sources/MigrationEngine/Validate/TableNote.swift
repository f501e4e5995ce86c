/// A remark about a table of the target, or a column, that somebody else has made: what is other there and what it means.
public struct TableNote: Codable, Sendable, Equatable {
    /// As the source spells it, as the target does where only that has it; nil where the whole table is meant.
    public let column: String?
    /// Rows on both sides that differ in the column, where it is about such.
    public var rows: Int?
    public var text: String

    public init(column: String? = nil, rows: Int? = nil, _ text: String) {
        self.column = column
        self.rows = rows
        self.text = text
    }
}
