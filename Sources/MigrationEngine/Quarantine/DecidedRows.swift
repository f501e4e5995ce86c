import Foundation
import Postgres
import SQLite

/// What decisions make of single rows: which stay in quarantine, and which values others take the place of.
///
/// Kept in a SQLite file of its own beside the plan, which is attached to the snapshot wherever rows are read, so that
/// memory does not grow with the number of rows that were decided about.
public struct DecidedRows: Sendable {
    let path: String
    /// By the source table's name; tables that no decision touches are absent.
    var tables: [String: DecidedTable] = [:]

    /// The name under which the file is attached.
    static let schema = "howdah_decided"

    /// Rows in quarantine, by table.
    public var quarantined: [String: Int] { tables.mapValues(\.quarantined).filter { $0.value > 0 } }

    func attach(to connection: borrowing SQLite.Connection) throws(SQLiteError) {
        let statement = try connection.prepare("ATTACH ?1 AS \(Self.schema)")
        try statement.bind(SQLite.Connection.uri(path: path, immutable: true), at: 1)
        try statement.run()
    }
}

/// One table's rows that decisions are about.
struct DecidedTable: Sendable {
    /// How statements call the source table.
    static let alias = "howdah_source"

    let number: Int
    let identity: RowIdentity
    var quarantined = 0
    /// Values that were replaced, by column; the number names the table that holds them.
    var replaced: [String: Replaced] = [:]

    struct Replaced: Sendable {
        let number: Int
        var count: Int
    }

    var quarantineName: String { "\(DecidedRows.schema).quarantined_\(number)" }

    func replacedName(_ column: String) -> String? {
        replaced[column].map { "\(DecidedRows.schema).replaced_\(number)_\($0.number)" }
    }

    /// Whether a row is loaded; nil where every row is.
    var isKept: String? {
        guard quarantined > 0 else { return nil }
        return "NOT EXISTS (SELECT 1 FROM \(quarantineName) AS q WHERE \(identity.matches("q", Self.alias)))"
    }

    /// The value that the target is to hold; nil where no value of the column was replaced.
    func value(of column: String, otherwise own: String) -> String? {
        guard let name = replacedName(column) else { return nil }
        let condition = identity.matches("r", Self.alias)
        return "CASE WHEN EXISTS (SELECT 1 FROM \(name) AS r WHERE \(condition)) "
            + "THEN (SELECT r.value FROM \(name) AS r WHERE \(condition)) ELSE \(Self.alias).\(own) END"
    }
}

/// A snapshot as the target is to hold it.
struct SourceData: Sendable {
    let snapshot: Snapshot
    let decided: DecidedRows?

    /// Opens the snapshot for one thread, with what was decided about its rows beside it.
    func open() throws(SQLiteError) -> SQLite.Connection {
        let connection = try snapshot.open(readsOnce: true)
        try decided?.attach(to: connection)
        return connection
    }

    func query(_ table: Catalog.Table, columns: [String]? = nil) -> SourceQuery {
        SourceQuery(table, columns: columns, decided: decided?.tables[table.name])
    }
}
