import Postgres
import SQLite

/// The SELECTs that read a source table, in one place, so that every reader sees the same columns in one order.
///
/// Names are quoted as PostgreSQL's are: SQLite reads the same. `NOT INDEXED` keeps SQLite from answering out of
/// a covering index, whose order and collation are others.
struct SourceQuery {
    private let table: Catalog.Table
    private let columns: String

    /// Reads the named columns, all where none are named.
    init(_ table: Catalog.Table, columns: [String]? = nil) {
        self.table = table
        self.columns = (columns ?? table.columns.map(\.name)).map(quoteIdentifier).joined(separator: ", ")
    }

    private var name: String { quoteIdentifier(table.name) }
    /// A rowid that is no column stays bare: quoted, SQLite could take it for a text.
    private var rowid: String? { table.rowidAlias.map(quoteIdentifier) ?? table.rowidName }

    /// Every row; the rowid follows the columns and orders the rows, where it can be read.
    var all: String {
        guard let rowid else { return "SELECT \(columns) FROM \(name)" }
        return "SELECT \(columns), \(rowid) FROM \(name) NOT INDEXED ORDER BY \(rowid)"
    }

    /// Rows whose rowid is at least ?1 and at most ?2, in order; nil where rowids cannot be read.
    var range: String? {
        rowid.map {
            "SELECT \(columns), \($0) FROM \(name) NOT INDEXED WHERE \($0) >= ?1 AND \($0) <= ?2 ORDER BY \($0)"
        }
    }

    /// Compiles the reading of a range of rowids, or of all rows where there is none.
    func prepare(
        rowids: ClosedRange<Int64>?, _ connection: borrowing SQLite.Connection
    ) throws(SQLiteError) -> SQLite.Statement {
        guard let rowids, let range else { return try connection.prepare(all) }
        let statement = try connection.prepare(range)
        try statement.bind(rowids.lowerBound, at: 1)
        try statement.bind(rowids.upperBound, at: 2)
        return statement
    }

    /// The first rows in which a column is NULL, whatever is declared: SQLite answers `IS NULL` by NOT NULL. The rowid follows the columns, where it can be read.
    func nulls(in column: String, limit: Int) -> String {
        let columns = [columns, rowid].compactMap(\.self).joined(separator: ", ")
        return
            "SELECT \(columns) FROM \(name) NOT INDEXED WHERE typeof(\(quoteIdentifier(column))) = 'null' LIMIT \(limit)"
    }

    /// Every row in the order of an integer column, which follows the columns.
    func ordered(by key: String) -> String {
        "SELECT \(columns), \(quoteIdentifier(key)) FROM \(name) ORDER BY \(quoteIdentifier(key))"
    }
}

// MARK: One row

extension SourceQuery {
    /// The row with rowid ?1; nil where rowids cannot be read.
    var byRowid: String? {
        rowid.map { "SELECT \(columns) FROM \(name) NOT INDEXED WHERE \($0) = ?1" }
    }

    /// The row whose primary key is ?1…
    var byKey: String {
        let conditions = table.primaryKey.enumerated().map { "\(quoteIdentifier($1)) = ?\($0 + 1)" }
        return "SELECT \(columns) FROM \(name) WHERE \(conditions.joined(separator: " AND ")) LIMIT 1"
    }
}
