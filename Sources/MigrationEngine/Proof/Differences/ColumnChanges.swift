import Foundation

/// What the rows that differ have in common in one column: how many there are, and what has become of their values.
public struct ColumnChanges: Codable, Sendable, Equatable {
    /// Changes of one nature.
    public struct Group: Codable, Sendable, Equatable {
        public let nature: ChangeNature
        public var rows: Int
        /// The smallest and the largest amount, target minus source: of numbers as they are, of times in seconds.
        public var low: Double?
        public var high: Double?

        public init(nature: ChangeNature, rows: Int, low: Double? = nil, high: Double? = nil) {
            self.nature = nature
            self.rows = rows
            self.low = low
            self.high = high
        }

        mutating func add(_ other: Group) {
            rows += other.rows
            low = [low, other.low].compactMap(\.self).min()
            high = [high, other.high].compactMap(\.self).max()
        }

        public var words: String {
            guard let low, let high else { return nature.words }
            let unit = nature == .time ? " s" : ""
            return low == high
                ? "always by \(Self.signed(low))\(unit)"
                : "by \(Self.signed(low))\(unit) to \(Self.signed(high))\(unit)"
        }

        private static func signed(_ amount: Double) -> String {
            let number =
                amount == amount.rounded() && abs(amount) < 1e15
                ? Format.count(Int(abs(amount))) : "\(abs(amount))"
            return (amount < 0 ? "−" : "+") + number
        }
    }

    public let column: String
    /// By their number, most first.
    public var groups: [Group]

    public init(column: String, groups: [Group]) {
        self.column = column
        self.groups = groups
    }

    public var rows: Int { groups.reduce(0) { $0 + $1.rows } }

    /// In one line: `createdAt differs in 1,203 rows, always by +3,600 s`.
    public var words: String {
        "\(column) differs in \(Format.count(rows, "row", "rows"))\(natureWords)"
    }

    /// What has become of the values, to follow their number: of one nature, or of each how many.
    var natureWords: String {
        switch groups.count {
        case 0: ""
        case 1: ", " + groups[0].words
        default: ": " + groups.map { "\(Format.count($0.rows)) \($0.words)" }.joined(separator: "; ")
        }
    }
}

/// What is known of a table's rows that differ, without reading them.
public struct DifferenceSummary: Codable, Sendable, Equatable {
    public var missing = 0
    public var extra = 0
    public var changed = 0
    /// In the table's own order.
    public var columns: [ColumnChanges] = []

    public init() {}

    public var rows: Int { missing + extra + changed }

    public func count(_ kind: RowDifference.Kind) -> Int {
        switch kind {
        case .missing: missing
        case .extra: extra
        case .changed: changed
        }
    }

    /// A line for each thing that is to be said.
    public var lines: [String] {
        var kinds: [String] = []
        if changed > 0 { kinds.append("\(Format.count(changed)) changed") }
        if missing > 0 { kinds.append("\(Format.count(missing)) missing in PostgreSQL") }
        if extra > 0 { kinds.append("\(Format.count(extra)) only in PostgreSQL") }
        return (kinds.isEmpty ? [] : [kinds.joined(separator: ", ")]) + columns.map(\.words)
    }
}
