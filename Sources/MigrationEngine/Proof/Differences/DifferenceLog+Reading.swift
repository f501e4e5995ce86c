import SQLite
import Synchronization

/// Which of a table's rows that differ are wanted.
public struct DifferenceFilter: Sendable, Equatable {
    /// Rows that differ in this column; of rows that one side lacks none do.
    public var column: String?
    public var kind: RowDifference.Kind?

    public static let all = DifferenceFilter()

    public init(column: String? = nil, kind: RowDifference.Kind? = nil) {
        self.column = column
        self.kind = kind
    }

    func takes(_ kind: String, _ columns: [String]) -> Bool {
        (self.kind.map { $0.rawValue == kind } ?? true) && (column.map(columns.contains) ?? true)
    }
}

extension DifferenceLog {
    /// Differences of a table from a number on, counted over those that the filter takes, in the order of the table.
    public func page(
        _ table: String, filter: DifferenceFilter = .all, from first: Int, count: Int
    ) throws -> [RowDifference] {
        try state.withLock { state in
            guard let id = try Self.known(table, state.connection) else { return [] }
            let choice = try Choice(filter, id, state.connection)
            guard choice.rows > first else { return [] }
            let start =
                choice.takesAll
                ? try Self.start(first, of: id, state.connection) : (part: Int64.min, number: 0)
            let statement = try state.connection.prepare(
                """
                SELECT c.kind, d.key, c.columns, d.source_rowid, d.key_texts, d.target_ctid
                FROM difference AS d JOIN class AS c ON c.id = d.class
                WHERE d.subject = ?1 AND (d.part, d.number) >= (?2, ?3)\(choice.condition)
                ORDER BY d.part, d.number LIMIT ?4 OFFSET ?5
                """)
            try statement.bind(id, at: 1)
            try statement.bind(start.part, at: 2)
            try statement.bind(start.number, at: 3)
            try statement.bind(Int64(count), at: 4)
            try statement.bind(choice.takesAll ? 0 : Int64(first), at: 5)
            var rows: [RowDifference] = []
            while try statement.step() { rows.append(Self.difference(statement)) }
            return rows
        }
    }

    /// How many rows of a table are kept, of those that the filter takes.
    public func count(_ table: String, filter: DifferenceFilter = .all) throws -> Int {
        try state.withLock { state in
            guard let id = try Self.known(table, state.connection) else { return 0 }
            return try Choice(filter, id, state.connection).rows
        }
    }

    /// The number of the next row after `number` whose key has a text in it, or of the one before it, counted as `page` does; the
    /// first of all follows the last one. nil where no row has it.
    public func next(
        _ table: String, filter: DifferenceFilter = .all, containing text: String, from number: Int,
        isBackward: Bool = false
    ) throws -> Int? {
        try state.withLock { state in
            guard let id = try Self.known(table, state.connection) else { return nil }
            let choice = try Choice(filter, id, state.connection)
            let statement = try state.connection.prepare(
                """
                SELECT d.key LIKE ?2 ESCAPE '\\' FROM difference AS d
                WHERE d.subject = ?1\(choice.condition) ORDER BY d.part, d.number
                """)
            let pattern = text.map { "%_\\".contains($0) ? "\\\($0)" : "\($0)" }.joined()
            try statement.bind(id, at: 1)
            try statement.bind("%\(pattern)%", at: 2)
            var (first, before, last): (Int?, Int?, Int?)
            var row = 0
            while try statement.step() {
                if statement.int64(0) == 1 {
                    if row > number, !isBackward { return row }
                    if row < number { before = row }
                    (first, last) = (first ?? row, row)
                }
                row += 1
            }
            return isBackward ? before ?? last : first
        }
    }

    /// What is kept of the last proof of a table.
    public struct Proof: Sendable, Equatable {
        /// The sha256 of the snapshot that the target was compared with.
        public let snapshot: String
        /// UTC, ISO 8601.
        public let time: String
        public let sourceRows: Int
        public let targetRows: Int
        public let differences: Int
        /// Whether every row that differed is kept.
        public let isWhole: Bool
        /// The target's table, and its columns that were compared.
        let compared: [String]
        /// Why the rows, or some columns of them, could not be compared.
        public let obstacle: String?
    }

    /// The last proof of a table; nil where none has ended.
    public func proof(of table: String) throws -> Proof? {
        try state.withLock { state in
            let statement = try state.connection.prepare(
                """
                SELECT snapshot, time, source_rows, target_rows, differences, is_whole, compared, obstacle FROM proof
                WHERE subject = (SELECT id FROM subject WHERE name = ?1)
                """)
            try statement.bind(table, at: 1)
            guard try statement.step() else { return nil }
            return Proof(
                snapshot: statement.text(0), time: statement.text(1), sourceRows: Int(statement.int64(2)),
                targetRows: Int(statement.int64(3)), differences: Int(statement.int64(4)),
                isWhole: statement.int64(5) == 1, compared: Self.list(statement.text(6)),
                obstacle: statement.optionalText(7))
        }
    }

    /// What the rows of a table that differ have in common.
    public func summary(_ table: String, columns order: [String] = []) throws -> DifferenceSummary {
        try state.withLock { state in
            var summary = DifferenceSummary()
            guard let id = try Self.known(table, state.connection) else { return summary }
            let kinds = try state.connection.prepare(
                "SELECT kind, sum(rows) FROM class WHERE subject = ?1 GROUP BY kind")
            try kinds.bind(id, at: 1)
            while try kinds.step() {
                let rows = Int(kinds.int64(1))
                switch RowDifference.Kind(rawValue: kinds.text(0)) {
                case .missing?: summary.missing = rows
                case .extra?: summary.extra = rows
                case .changed?: summary.changed = rows
                case nil: break
                }
            }
            let changes = try state.connection.prepare(
                "SELECT name, nature, rows, low, high FROM change WHERE subject = ?1 ORDER BY name, rows DESC, nature"
            )
            try changes.bind(id, at: 1)
            while try changes.step() {
                guard let nature = ChangeNature(rawValue: changes.text(1)) else { continue }
                let group = ColumnChanges.Group(
                    nature: nature, rows: Int(changes.int64(2)),
                    low: changes.optionalDouble(3), high: changes.optionalDouble(4))
                if summary.columns.last?.column == changes.text(0) {
                    summary.columns[summary.columns.count - 1].groups.append(group)
                } else {
                    summary.columns.append(ColumnChanges(column: changes.text(0), groups: [group]))
                }
            }
            let places = Dictionary(order.enumerated().map { ($1, $0) }) { first, _ in first }
            summary.columns.sort { places[$0.column] ?? .max < places[$1.column] ?? .max }
            return summary
        }
    }

    private static func difference(_ statement: borrowing SQLite.Statement) -> RowDifference {
        let key = statement.text(1)
        let texts = statement.optionalText(4).map { $0.isEmpty ? [key] : list($0) }
        return RowDifference(
            kind: RowDifference.Kind(rawValue: statement.text(0)) ?? .changed, key: key,
            columns: list(statement.text(2)),
            place: .init(
                rowid: statement.optionalInt64(3), keys: texts,
                ctid: statement.optionalText(5)))
    }

    /// The place of a row by its number among all of a table.
    private static func start(
        _ first: Int, of table: Int64, _ connection: borrowing SQLite.Connection
    ) throws -> (part: Int64, number: Int64) {
        let parts = try connection.prepare("SELECT number, rows FROM part WHERE subject = ?1 ORDER BY number")
        try parts.bind(table, at: 1)
        var rest = Int64(first)
        while try parts.step() {
            if rest < parts.int64(1) { return (parts.int64(0), rest) }
            rest -= parts.int64(1)
        }
        return (.max, .max)
    }

    /// The classes that a filter takes, and how their rows are found fast.
    private struct Choice {
        var rows = 0
        var takesAll = true
        var condition = ""

        init(
            _ filter: DifferenceFilter, _ table: Int64, _ connection: borrowing SQLite.Connection
        ) throws {
            var classes: [String] = []
            var total = 0
            let statement = try connection.prepare(
                "SELECT id, kind, columns, rows FROM class WHERE subject = ?1")
            try statement.bind(table, at: 1)
            while try statement.step() {
                let count = Int(statement.int64(3))
                total += count
                guard filter.takes(statement.text(1), DifferenceLog.list(statement.text(2))) else { continue }
                rows += count
                classes.append("\(statement.int64(0))")
            }
            takesAll = rows == total
            guard !takesAll else { return }
            // Few rows are found by the index and sorted; many by walking the table in its order.
            let column = rows < total / 20 ? "d.class" : "+d.class"
            condition = " AND \(column) IN (\(classes.joined(separator: ", ")))"
        }
    }
}
