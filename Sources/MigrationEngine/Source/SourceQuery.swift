import Postgres
import SQLite

/// The SELECTs that read a source table, in one place, so that every reader sees the same columns in one order.
///
/// Names are quoted as PostgreSQL's are: SQLite reads the same. `NOT INDEXED` keeps SQLite from answering out of
/// a covering index, whose order and collation are others. With `decided` the rows are those that the target is to
/// hold: rows in quarantine are left out, and values that were decided stand in the place of the original ones.
struct SourceQuery {
    private let table: Catalog.Table
    private let columns: String
    private let decided: DecidedTable?

    /// Reads the named columns, all where none are named.
    init(_ table: Catalog.Table, columns: [String]? = nil, decided: DecidedTable? = nil) {
        self.table = table
        self.decided = decided
        self.columns = (columns ?? table.columns.map(\.name)).map { column in
            let name = quoteIdentifier(column)
            return decided?.value(of: column, otherwise: name) ?? name
        }.joined(separator: ", ")
    }

    private var name: String { "\(quoteIdentifier(table.name)) AS \(DecidedTable.alias)" }
    /// A rowid that is no column stays bare: quoted, SQLite could take it for a text.
    private var rowid: String? { table.rowidAlias.map(quoteIdentifier) ?? table.rowidName }

    private func condition(_ own: String? = nil) -> String {
        let all = [own, decided?.isKept].compactMap(\.self)
        return all.isEmpty ? "" : " WHERE " + all.joined(separator: " AND ")
    }

    /// Every row; the rowid follows the columns and orders the rows, where it can be read.
    var all: String {
        guard let rowid else { return "SELECT \(columns) FROM \(name)\(condition())" }
        return "SELECT \(columns), \(rowid) FROM \(name) NOT INDEXED\(condition()) ORDER BY \(rowid)"
    }

    /// Every row in the order in which the table's own tree has them.
    var stored: String { "SELECT \(columns) FROM \(name) NOT INDEXED\(condition())" }

    /// Rows whose rowid is at least ?1 and at most ?2, in order; nil where rowids cannot be read.
    var range: String? {
        rowid.map {
            "SELECT \(columns), \($0) FROM \(name) NOT INDEXED\(condition("\($0) >= ?1 AND \($0) <= ?2")) ORDER BY \($0)"
        }
    }

    /// Compiles the reading of a piece; rows follow each other in the order of rowids or keys.
    func prepare(
        _ piece: TablePiece, _ connection: borrowing SQLite.Connection
    ) throws -> SQLite.Statement {
        switch piece {
        case .all: return try connection.prepare(all)
        case .rowids(let rowids):
            guard let range else { return try connection.prepare(all) }
            let statement = try connection.prepare(range)
            try statement.bind(rowids.lowerBound, at: 1)
            try statement.bind(rowids.upperBound, at: 2)
            return statement
        case .keys(let keys):
            let statement = try connection.prepare(
                byKey(after: keys.after != nil, through: keys.through != nil))
            let values = (keys.after ?? []) + (keys.through ?? [])
            for (index, value) in values.enumerated() { try statement.bind(value, at: Int32(index + 1)) }
            return statement
        }
    }

    /// Rows of a table without rowids in the order of its key, bound on one side, on both or on none.
    func byKey(after: Bool, through: Bool) -> String {
        let key = table.primaryKey.map(quoteIdentifier).joined(separator: ", ")
        var number = 0
        func bound(_ comparison: String) -> String {
            let values = table.primaryKey.map { _ in
                number += 1
                return "?\(number)"
            }
            return "(\(key)) \(comparison) (\(values.joined(separator: ", ")))"
        }
        let bounds = (after ? [bound(">")] : []) + (through ? [bound("<=")] : [])
        return "SELECT \(columns) FROM \(name)"
            + condition(bounds.isEmpty ? nil : bounds.joined(separator: " AND ")) + " ORDER BY \(key)"
    }

    /// Whether SQLite finds a range of keys by the key itself, and needs not sort: not where the key's order is another one
    /// than its columns', as with DESC or a collation of its own (https://sqlite.org/eqp.html).
    func isReadByKey(_ connection: borrowing SQLite.Connection) throws -> Bool {
        guard table.isWithoutRowid, !table.primaryKey.isEmpty else { return false }
        let plan = try connection.prepare("EXPLAIN QUERY PLAN " + byKey(after: true, through: true))
        var steps: [String] = []
        while try plan.step() { steps.append(plan.text(3)) }
        return steps.count == 1 && steps[0].hasPrefix("SEARCH") && steps[0].contains("PRIMARY KEY")
    }

    /// The first rows in which a column is NULL, whatever is declared: SQLite answers `IS NULL` by NOT NULL. The rowid
    /// follows the columns, where it can be read.
    func nulls(in column: String, limit: Int) -> String {
        let columns = [columns, rowid].compactMap(\.self).joined(separator: ", ")
        return "SELECT \(columns) FROM \(name) NOT INDEXED"
            + condition("typeof(\(quoteIdentifier(column))) = 'null'") + " LIMIT \(limit)"
    }

    /// The rows of a condition over bare names of columns; the rowid follows the columns, where it can be read.
    func rows(where condition: String) -> String {
        let columns = (columns.isEmpty ? [] : [columns]) + [rowid].compactMap(\.self)
        return
            "SELECT \(columns.joined(separator: ", ")) FROM \(name) NOT INDEXED\(self.condition(condition))"
    }

    /// Every row in the order of an integer column, which follows the columns.
    func ordered(by key: String) -> String {
        "SELECT \(columns), \(quoteIdentifier(key)) FROM \(name)\(condition()) ORDER BY \(quoteIdentifier(key))"
    }
}

// MARK: One row

extension SourceQuery {
    /// The row with rowid ?1; nil where rowids cannot be read.
    var byRowid: String? {
        rowid.map { "SELECT \(columns) FROM \(name) NOT INDEXED\(condition("\($0) = ?1"))" }
    }

    /// The row whose primary key is ?1…
    var byKey: String {
        let conditions = table.primaryKey.enumerated().map { "\(quoteIdentifier($1)) = ?\($0 + 1)" }
        return "SELECT \(columns) FROM \(name)\(condition(conditions.joined(separator: " AND "))) LIMIT 1"
    }
}
