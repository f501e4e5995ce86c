import MigrationEngine
import Postgres

/// The target, as the mix is made for it.
final class PostgresLoad: LoadDatabase {
    let connection: Postgres.Connection
    let schema: String
    /// Whether sequences must stand afterwards where they stood.
    private let sparesSequences: Bool
    private let cancellation: Cancellation

    init(
        _ connection: consuming Postgres.Connection, schema: String, sparesSequences: Bool,
        cancellation: Cancellation
    ) {
        self.connection = connection
        self.schema = schema
        self.sparesSequences = sparesSequences
        self.cancellation = cancellation
    }

    func name(of table: LoadTable) -> String? { quoteIdentifier(schema, table.name) }
    func name(of column: String, in table: LoadTable) -> String { quoteIdentifier(column) }
    func placeholder(_ number: Int) -> String { "$\(number)" }

    /// With its type: in the list of a SELECT nothing else would tell it.
    func fresh(_ number: Int, for column: String, in table: LoadTable) -> String {
        "CAST($\(number) AS \(table.column(column)?.type ?? "text"))"
    }

    func beginning(of expression: String, _ column: LoadTable.Column) -> String {
        column.base == "bytea"
            ? "substr(\(expression), 1, \(LoadTable.mostBytes))"
            : "left(\(Self.text(expression, column)), \(LoadTable.mostBytes))"
    }

    private static func text(_ expression: String, _ column: LoadTable.Column) -> String {
        column.category == "S" ? expression : "CAST(\(expression) AS text)"
    }

    func written(_ table: LoadTable) -> [String] { table.written }
    var overriding: String { "OVERRIDING SYSTEM VALUE " }

    func rowAddress(of table: LoadTable, _ placeholder: String) -> (expression: String, value: String)? {
        table.isPartitioned ? nil : ("x.ctid", "CAST(\(placeholder) AS tid)")
    }

    func rows(_ sql: String) throws -> [[LoadValue]] {
        let result = try connection.query(sql)
        return (0..<result.count).map { row in
            (0..<result.columnCount).map { result.text(row, $0).map { .text($0) } ?? .null }
        }
    }

    func sample(
        _ expressions: [String], of table: LoadTable, count: Int, smallest: Set<String>
    ) throws -> [[LoadValue]] {
        let name = quoteIdentifier(schema, table.name)
        let list = expressions.isEmpty ? "1" : expressions.joined(separator: ", ")
        if !smallest.isEmpty {
            let sizes = smallest.sorted().map { "coalesce(pg_column_size(x.\(quoteIdentifier($0))), 0)" }
            return try rows(
                """
                SELECT \(list) FROM (SELECT *, ctid FROM \(name) LIMIT 300) AS x
                ORDER BY \(sizes.joined(separator: " + ")) LIMIT \(count)
                """)
        }
        if table.estimatedRows > Double(count * 20) {
            let share = min(100, 100 * Double(count) * 8 / table.estimatedRows)
            let found = try rows(
                "SELECT \(list) FROM \(name) AS x TABLESAMPLE SYSTEM (\(share)) ORDER BY random() LIMIT \(count)"
            )
            if found.count > count / 8 { return found }
        }
        return try rows("SELECT \(list) FROM \(name) AS x LIMIT \(count)")
    }

    func freshValue(
        for column: LoadTable.Column, template: LoadValue, range: (start: Int64, stride: Int64)?
    ) -> FreshValue? {
        FreshValue.forColumn(column, template: template, range: range)
    }

    func largest(_ column: LoadTable.Column) -> Int64 {
        switch column.base {
        case "int2": return Int64(Int16.max)
        case "int4": return Int64(Int32.max)
        case "int8": return 1 << 60
        default:
            // numeric(10,2) holds eight digits before the point.
            let numbers = column.type.split { !$0.isNumber }.compactMap { Int($0) }
            let digits = min(15, (numbers.first ?? 15) - (numbers.dropFirst().first ?? 0))
            return (0..<max(0, digits)).reduce(1) { power, _ in power * 10 } - 1
        }
    }

    /// Marks columns whose values, in a few hundred rows from all over the table, are larger than lists show.
    func findWide(_ table: inout LoadTable) throws {
        let variable = table.columns.filter(\.isVariable)
        guard !variable.isEmpty else { return }
        let sizes = variable.map { column in
            let name = "x.\(quoteIdentifier(column.name))"
            // What is stored may be compressed. The size of what is large even so needs no look at the value.
            let bytes = column.base == "bytea" ? name : "CAST(\(name) AS text)"
            return
                "CASE WHEN pg_column_size(\(name)) > \(LoadTable.mostBytes) THEN \(LoadTable.mostBytes + 1) "
                + "ELSE octet_length(\(bytes)) END"
        }
        for row in try sample(sizes, of: table, count: 300, smallest: []) {
            for (column, size) in zip(variable, row) {
                if case .text(let text) = size, let bytes = Int(text), bytes > LoadTable.mostBytes {
                    table.wide.insert(column.name)
                }
            }
        }
    }

    // MARK: Trials

    func trial(
        _ sql: String, _ rows: [[LoadValue]], of table: LoadTable
    ) throws -> (good: [Int], refusal: String?) {
        var (good, refusal): ([Int], String?) = ([], nil)
        try connection.execute("BEGIN")
        defer { try? connection.execute("ROLLBACK") }
        var held: [HeldSequence] = []
        if table.hasTriggers, sparesSequences {
            do {
                // Others wait for what is held.
                try connection.execute("SET LOCAL statement_timeout = \(Self.heldMilliseconds)")
                held = try SequenceHold.hold(connection)
            } catch let error as UnseenSequence {
                return ([], error.words)
            } catch let error as PostgresError {
                try cancellation.check()
                return (
                    [], "what its triggers take from sequences cannot be told: \(LoadFailure(error).message)"
                )
            }
        }
        for (index, values) in rows.enumerated() {
            try cancellation.check()
            try connection.execute("SAVEPOINT howdah_trial")
            do {
                let count = try connection.query(sql, values.map(\.text)).affectedRows
                try connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
                if count ?? 0 > 0 { good.append(index) }
                refusal = refusal ?? (count ?? 0 > 0 ? nil : "a trigger or a rule keeps it back")
            } catch {
                // The server says the same of a statement that was stopped as of one that took too long.
                try cancellation.check()
                if [.cancelled, .connectionLost].contains(error.code), error.sqlState == nil { throw error }
                refusal = refusal ?? LoadFailure(error, values: values).words
            }
            try connection.execute("ROLLBACK TO howdah_trial")
            if good.count >= LoadMixBuilder.enoughRows { break }
        }
        let moved = try held.filter { try $0.hasMoved(connection) }
        if let first = moved.first {
            return (
                [],
                "its triggers take numbers from \(first.name), which a rollback does not give back; a scratch copy can be asked"
            )
        }
        return (good, refusal)
    }

    private static let heldMilliseconds = 1000
}

extension LoadValue {
    /// As PostgreSQL reads it.
    var text: String? {
        switch self {
        case .null: nil
        case .integer(let value): "\(value)"
        case .real(let value): "\(value)"
        case .text(let value): value
        case .blob(let bytes): "\\x" + bytes.hexadecimal
        }
    }
}

extension LoadFailure {
    /// With what the state is called.
    var words: String { "\(message) (\(state), \(FailureWords.name(state)))" }
}
