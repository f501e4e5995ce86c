import MigrationEngine
import Postgres
import SQLite

/// The snapshot, or a private copy of it, as the mix is made for it.
final class SQLiteLoad: LoadDatabase {
    private let connection: SQLite.Connection
    private let catalog: [String: Catalog.Table]
    private let plan: [String: MigrationPlan.Table]
    private let limit: StatementLimit
    private let cancellation: Cancellation

    init(
        _ place: SQLitePlace, catalog: Catalog, plan: MigrationPlan, limit: StatementLimit,
        cancellation: Cancellation
    ) throws {
        self.limit = limit
        self.cancellation = cancellation
        connection = try place.open()
        self.catalog = Dictionary(catalog.tables.map { ($0.name, $0) }) { first, _ in first }
        self.plan = Dictionary(plan.tables.map { ($0.targetName, $0) }) { first, _ in first }
    }

    /// Stops what is asked, from any thread.
    var stop: @Sendable () -> Void {
        let interrupter = connection.interrupter
        return { interrupter.interrupt() }
    }

    func planned(_ table: LoadTable) -> MigrationPlan.Table? { plan[table.name] }

    func source(_ table: LoadTable) -> Catalog.Table? {
        plan[table.name].flatMap { catalog[$0.name] }
    }

    func name(of table: LoadTable) -> String? { source(table).map { quoteIdentifier($0.name) } }

    func name(of column: String, in table: LoadTable) -> String {
        let planned = plan[table.name]?.columns.first { $0.targetName == column }
        return quoteIdentifier(planned?.name ?? column)
    }

    func placeholder(_ number: Int) -> String { "?\(number)" }
    func fresh(_ number: Int, for column: String, in table: LoadTable) -> String { "?\(number)" }

    func beginning(of expression: String, _ column: LoadTable.Column) -> String {
        "substr(\(expression), 1, \(LoadTable.mostBytes))"
    }

    /// What SQLite computes itself is left to it, whatever PostgreSQL does.
    func written(_ table: LoadTable) -> [String] {
        let computed = Set(source(table)?.columns.filter { $0.generation != nil }.map(\.name) ?? [])
        let columns = plan[table.name]?.columns.filter { !computed.contains($0.name) } ?? []
        return columns.map(\.targetName)
    }

    var overriding: String { "" }

    func rowAddress(of table: LoadTable, _ placeholder: String) -> (expression: String, value: String)? {
        rowid(table).map { ("x.\($0)", placeholder) }
    }

    /// A rowid that is no column stays bare: quoted, SQLite could take it for a text.
    private func rowid(_ table: LoadTable) -> String? {
        source(table).flatMap { $0.rowidAlias.map(quoteIdentifier) ?? $0.rowidName }
    }

    func rows(_ sql: String) throws -> [[LoadValue]] {
        try cancellation.check()
        return try limit.during(connection.interrupter) {
            let statement = try connection.prepare(sql)
            var rows: [[LoadValue]] = []
            while try statement.step() {
                rows.append((0..<Int32(statement.columnCount)).map { statement.loadValue($0) })
            }
            return rows
        }
    }

    func sample(
        _ expressions: [String], of table: LoadTable, count: Int, smallest: Set<String>
    ) throws -> [[LoadValue]] {
        guard let name = name(of: table) else { return [] }
        let list = expressions.isEmpty ? "1" : expressions.joined(separator: ", ")
        if !smallest.isEmpty {
            let sizes = smallest.sorted().map { "coalesce(length(x.\(self.name(of: $0, in: table))), 0)" }
            let rowid = source(table)?.rowidAlias == nil ? rowid(table).map { ", \($0)" } ?? "" : ""
            return try rows(
                """
                SELECT \(list) FROM (SELECT *\(rowid) FROM \(name) LIMIT 300) AS x
                ORDER BY \(sizes.joined(separator: " + ")) LIMIT \(count)
                """)
        }
        if let rowid = rowid(table),
            let range = try rows("SELECT min(\(rowid)), max(\(rowid)) FROM \(name)").first,
            case .integer(let first) = range[0], case .integer(let last) = range[1],
            last > first, last - first > Int64(count)
        {
            let step = (last - first) / Int64(count)
            return try limit.during(connection.interrupter) {
                let statement = try connection.prepare(
                    "SELECT \(list) FROM \(name) AS x WHERE x.\(rowid) >= ?1 ORDER BY x.\(rowid) LIMIT 1")
                var found: [[LoadValue]] = []
                for index in 0..<count {
                    try statement.bind(first + Int64(index) * step, at: 1)
                    while try statement.step() {
                        found.append((0..<Int32(statement.columnCount)).map { statement.loadValue($0) })
                    }
                    statement.reset()
                }
                return found
            }
        }
        return try rows("SELECT \(list) FROM \(name) AS x LIMIT \(count)")
    }

    func freshValue(
        for column: LoadTable.Column, template: LoadValue, range: (start: Int64, stride: Int64)?
    ) -> FreshValue? {
        FreshValue.forValue(template, range: range)
    }

    func largest(_ column: LoadTable.Column) -> Int64 { 1 << 60 }

    func trial(
        _ sql: String, _ rows: [[LoadValue]], of table: LoadTable
    ) throws -> (good: [Int], refusal: String?) {
        var (good, refusal): ([Int], String?) = ([], nil)
        try connection.execute("BEGIN")
        defer { try? connection.execute("ROLLBACK") }
        for (index, values) in rows.enumerated() {
            try cancellation.check()
            try connection.execute("SAVEPOINT howdah_trial")
            do {
                try limit.during(connection.interrupter) { try ask(sql, values) }
                good.append(index)
            } catch let error as SQLiteError {
                try cancellation.check()
                let words = LoadFailure(error, values: values).words
                // What is interrupted takes its whole transaction with it.
                if error.isInterrupted { return ([], words) }
                refusal = refusal ?? words
            }
            try connection.execute("ROLLBACK TO howdah_trial")
            if good.count >= LoadMixBuilder.enoughRows { break }
        }
        return (good, refusal)
    }
}

extension SQLiteLoad {
    private func ask(_ sql: String, _ values: [LoadValue]) throws {
        let statement = try connection.prepare(sql)
        try statement.bind(values)
        try statement.run()
    }
}

/// Where SQLite's side of the load is.
struct SQLitePlace: Sendable {
    let path: String
    /// Whether it may be written to; the snapshot never is.
    let isCopy: Bool
    let lockTimeout: Duration

    func open() throws -> SQLite.Connection {
        let connection = try SQLite.Connection(path: path, mode: isCopy ? .readWrite : .immutable)
        if isCopy { try connection.execute("PRAGMA foreign_keys = ON") }
        connection.setBusyTimeout(milliseconds: Int32(lockTimeout.seconds * 1000))
        return connection
    }
}

/// A connection to SQLite that asks queries.
final class SQLiteSession: LoadSession {
    /// Statements that are compiled once; gone before their connection.
    private final class Prepared {
        let statement: SQLite.Statement

        init(_ statement: consuming SQLite.Statement) {
            self.statement = statement
        }
    }

    private let connection: SQLite.Connection
    private let commits: Bool
    private let limit: StatementLimit
    private var prepared: [Int: Prepared] = [:]

    init(_ place: SQLitePlace, commits: Bool, limit: StatementLimit) throws {
        self.limit = limit
        do {
            connection = try place.open()
        } catch let error as SQLiteError {
            throw LoadFailure(error)
        }
        self.commits = commits
    }

    var stop: @Sendable () -> Void {
        let interrupter = connection.interrupter
        return { interrupter.interrupt() }
    }

    func perform(_ number: Int, _ query: LoadQuery, _ values: [LoadValue]) throws {
        do {
            try limit.during(connection.interrupter) {
                guard query.kind.isWrite else { return try ask(number, query, values) }
                try connection.execute("BEGIN IMMEDIATE")
                do {
                    try ask(number, query, values)
                    try connection.execute(commits ? "COMMIT" : "ROLLBACK")
                } catch {
                    try? connection.execute("ROLLBACK")
                    throw error
                }
            }
        } catch let error as SQLiteError {
            throw LoadFailure(error, values: values)
        }
    }

    /// Every value is read, as PostgreSQL's all come over the wire.
    private func ask(_ number: Int, _ query: LoadQuery, _ values: [LoadValue]) throws {
        let known: Prepared
        if let there = prepared[number] {
            known = there
        } else {
            known = Prepared(try connection.prepare(query.sql))
            prepared[number] = known
        }
        defer { known.statement.reset() }
        try known.statement.bind(values)
        while try known.statement.step() {
            for column in 0..<Int32(known.statement.columnCount) { _ = known.statement.loadValue(column) }
        }
    }
}

extension SQLite.Statement {
    borrowing func bind(_ values: [LoadValue]) throws(SQLiteError) {
        for (index, value) in values.enumerated() {
            let position = Int32(index + 1)
            switch value {
            case .null: try bindNull(at: position)
            case .integer(let value): try bind(value, at: position)
            case .real(let value): try bind(value, at: position)
            case .text(let value): try bind(value, at: position)
            case .blob(let bytes): try bind(bytes: bytes, at: position)
            }
        }
    }

    private borrowing func bind(bytes: [UInt8], at position: Int32) throws(SQLiteError) {
        let result: Swift.Result<Void, SQLiteError> = bytes.withUnsafeBytes { buffer in
            do throws(SQLiteError) { return .success(try bind(blob: buffer, at: position)) } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    borrowing func loadValue(_ column: Int32) -> LoadValue {
        switch storageClass(column) {
        case .null: .null
        case .integer: .integer(int64(column))
        case .real: .real(double(column))
        case .text: .text(text(column))
        case .blob: .blob(bytes(column))
        }
    }
}
