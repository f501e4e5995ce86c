import Foundation
import Postgres
import SQLite

/// Selects the rows that decisions are about and writes them into the file of a `DecidedRows`.
///
/// The file is made anew under a temporary name and put in place when it is complete. Called from one thread.
struct DecidedRowsWriter: ~Copyable {
    private let connection: SQLite.Connection
    private let partial: String
    private let path: String
    private let catalog: Catalog
    private var rows: DecidedRows
    /// The snapshot's name in statements.
    private static let source = "howdah_snapshot"

    /// `digest` tells these decisions from others: a reader of older ones never reads these.
    init(_ snapshot: Snapshot, catalog: Catalog, state: StateFolder, digest: String) throws {
        let folder = try state.folder("decided")
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        where name != "\(digest).db" {
            unlink("\(folder)/\(name)")
        }
        let path = "\(folder)/\(digest).db"
        let partial = "\(folder)/partial-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).db"
        let opened = try Self.open(partial, snapshot)
        connection = opened
        self.path = path
        self.partial = partial
        self.catalog = catalog
        rows = DecidedRows(path: path)
    }

    private static func open(_ path: String, _ snapshot: Snapshot) throws -> SQLite.Connection {
        let connection = try SQLite.Connection(path: path, mode: .create)
        chmod(path, 0o600)
        try connection.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
        let attach = try connection.prepare("ATTACH ?1 AS \(source)")
        try attach.bind(SQLite.Connection.uri(path: snapshot.path, immutable: true), at: 1)
        try attach.run()
        try connection.execute("BEGIN")
        return connection
    }

    /// Interrupts a statement that runs.
    var interrupter: Interrupter { connection.interrupter }

    /// Rows in quarantine so far, by table.
    var quarantined: [String: Int] { rows.quarantined }

    /// Puts the file in place; nil where no row was decided about.
    mutating func finish() throws -> DecidedRows? {
        try connection.execute("COMMIT")
        rows.tables = rows.tables.filter { _, table in
            table.quarantined > 0 || table.replaced.values.contains { $0.count > 0 }
        }
        guard !rows.tables.isEmpty else {
            unlink(partial)
            return nil
        }
        guard rename(partial, path) == 0 else { throw FileSystemError("naming the decided rows", path) }
        return rows
    }

    // MARK: Places

    private func table(_ name: String) throws -> Catalog.Table {
        guard let table = catalog.tables.first(where: { $0.name == name }) else {
            throw MigrationError(
                .plan, "there is no table \(name)", remedy: "Correct the plan.", exit: .usage)
        }
        return table
    }

    /// The place of a table's decided rows, made when it is first asked for.
    private mutating func place(_ name: String) throws -> DecidedTable {
        if let known = rows.tables[name] { return known }
        guard let identity = RowIdentity(try table(name)),
            let number = catalog.tables.firstIndex(where: { $0.name == name })
        else {
            throw MigrationError(
                .plan, "rows of \(name) cannot be told apart: its columns have taken every name of the rowid",
                remedy: "Choose what is said of the whole column or table.", exit: .usage)
        }
        let place = DecidedTable(number: number, identity: identity)
        try connection.execute(
            "CREATE TABLE main.quarantined_\(number) (\(identity.definitions), reason TEXT\(identity.primaryKey))"
        )
        rows.tables[name] = place
        return place
    }

    private mutating func replacedName(_ name: String, _ column: String) throws -> (
        name: String, DecidedTable
    ) {
        var place = try place(name)
        if place.replaced[column] == nil {
            let number = try table(name).columns.firstIndex { $0.name == column } ?? 0
            try connection.execute(
                "CREATE TABLE main.replaced_\(place.number)_\(number) "
                    + "(\(place.identity.definitions), value, reason TEXT\(place.identity.primaryKey))")
            place.replaced[column] = .init(number: number, count: 0)
            rows.tables[name] = place
        }
        return ("main.replaced_\(place.number)_\(place.replaced[column]?.number ?? 0)", place)
    }

    private func from(_ table: String, _ alias: String = DecidedTable.alias) -> String {
        "\(Self.source).\(quoteIdentifier(table)) AS \(alias)"
    }

    private func changes() throws -> Int {
        let statement = try connection.prepare("SELECT changes()")
        return try statement.step() ? Int(statement.int64(0)) : 0
    }

    // MARK: By conditions

    /// Puts the rows of a condition over `howdah_source` into quarantine; returns how many were new.
    @discardableResult
    mutating func quarantine(_ name: String, where condition: String, reason: String) throws -> Int {
        let place = try place(name)
        let insert = try connection.prepare(
            """
            INSERT OR IGNORE INTO main.quarantined_\(place.number) (\(place.identity.names.joined(separator: ", ")), reason)
            SELECT \(place.identity.terms(of: DecidedTable.alias).joined(separator: ", ")), ?1
            FROM \(from(name)) WHERE \(condition)
            """)
        try insert.bind(reason, at: 1)
        try insert.run()
        let count = try changes()
        rows.tables[name]?.quarantined += count
        return count
    }

    /// Puts NULL in the place of a column's values in the rows of a condition.
    mutating func setNull(_ name: String, _ column: String, where condition: String, reason: String) throws {
        let (target, place) = try replacedName(name, column)
        let insert = try connection.prepare(
            """
            INSERT OR IGNORE INTO \(target) (\(place.identity.names.joined(separator: ", ")), value, reason)
            SELECT \(place.identity.terms(of: DecidedTable.alias).joined(separator: ", ")), NULL, ?1
            FROM \(from(name)) WHERE \(quoteIdentifier(column)) IS NOT NULL AND (\(condition))
            """)
        try insert.bind(reason, at: 1)
        try insert.run()
        let count = try changes()
        rows.tables[name]?.replaced[column]?.count += count
    }

    // MARK: Row by row

    /// What becomes of a row that a reader stands on; `first` is the first column of its identity.
    enum Fate {
        case quarantine
        case replace(column: String, Value)
    }

    enum Value {
        case null
        case text([UInt8])
    }

    mutating func add(
        _ row: borrowing SQLite.Statement, identityFrom first: Int32, of name: String, _ fate: Fate,
        reason: String
    ) throws {
        let target: String
        let place: DecidedTable
        switch fate {
        case .quarantine:
            place = try self.place(name)
            target = "main.quarantined_\(place.number)"
        case .replace(let column, _): (target, place) = try replacedName(name, column)
        }
        let count = Int32(place.identity.names.count)
        let isValue = if case .replace = fate { true } else { false }
        let names = place.identity.names + ["reason"] + (isValue ? ["value"] : [])
        let insert = try connection.prepare(
            "INSERT OR IGNORE INTO \(target) (\(names.joined(separator: ", "))) VALUES "
                + "(\((1...names.count).map { "?\($0)" }.joined(separator: ", ")))")
        for index in 0..<count { try insert.bind(valueOf: row, column: first + index, at: index + 1) }
        try insert.bind(reason, at: count + 1)
        if case .replace(_, .text(let bytes)) = fate {
            try insert.bind(String(decoding: bytes, as: UTF8.self), at: count + 2)
        }
        try insert.run()
        let added = try changes()
        switch fate {
        case .quarantine: rows.tables[name]?.quarantined += added
        case .replace(let column, _): rows.tables[name]?.replaced[column]?.count += added
        }
    }

    // MARK: Children of quarantined parents

    /// What a foreign key does with rows whose parent stays in quarantine.
    struct Dependency {
        let table: String
        let key: MigrationPlan.ForeignKey
        /// Whether the reference becomes NULL; the row goes into quarantine otherwise.
        let setsNull: Bool
    }

    /// Follows foreign keys from parents in quarantine to their children, and theirs, until none is left behind.
    mutating func close(over dependencies: [Dependency]) throws {
        var hasChanged = true
        while hasChanged {
            hasChanged = false
            for dependency in dependencies where rows.tables[dependency.key.parent]?.quarantined ?? 0 > 0 {
                let condition = try orphaned(dependency)
                let reason = "its parent in \(dependency.key.parent) is in quarantine"
                if dependency.setsNull {
                    for column in dependency.key.columns {
                        try setNull(dependency.table, column, where: condition, reason: reason)
                    }
                } else if try quarantine(dependency.table, where: condition, reason: reason) > 0 {
                    hasChanged = true
                }
            }
        }
    }

    /// Rows that refer to a parent, each of whose matches is in quarantine.
    private func orphaned(_ dependency: Dependency) throws -> String {
        let key = dependency.key
        guard let parent = rows.tables[key.parent] else { return "0" }
        let pairs = zip(key.columns, key.parentColumns).map { own, other in
            "p.\(quoteIdentifier(other)) = \(DecidedTable.alias).\(quoteIdentifier(own))"
        }.joined(separator: " AND ")
        let inQuarantine =
            "EXISTS (SELECT 1 FROM main.quarantined_\(parent.number) AS q WHERE \(parent.identity.matches("q", "p")))"
        return """
            EXISTS (SELECT 1 FROM \(from(key.parent, "p")) WHERE \(pairs) AND \(inQuarantine))
            AND NOT EXISTS (SELECT 1 FROM \(from(key.parent, "p")) WHERE \(pairs) AND NOT \(inQuarantine))
            """
    }

    /// The condition under which a row refers to a parent that is not there, compared by bytes as PostgreSQL compares.
    func hasNoParent(_ key: MigrationPlan.ForeignKey, parentHasCollation: Bool) -> String {
        let present = key.columns.map { "\(DecidedTable.alias).\(quoteIdentifier($0)) IS NOT NULL" }
        let collation = parentHasCollation ? " COLLATE BINARY" : ""
        let pairs = zip(key.columns, key.parentColumns).map { own, other in
            "p.\(quoteIdentifier(other))\(collation) = \(DecidedTable.alias).\(quoteIdentifier(own))"
        }
        return
            (present + [
                "NOT EXISTS (SELECT 1 FROM \(from(key.parent, "p")) WHERE \(pairs.joined(separator: " AND ")))"
            ]).joined(separator: " AND ")
    }
}
