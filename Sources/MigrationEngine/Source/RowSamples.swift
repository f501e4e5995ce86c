import Postgres
import SQLite

/// A few rows by which an operator finds what a finding is about: rowids, or keys in tables without them.
struct RowSamples: Equatable {
    static let limit = 5

    var rowids: [Int64] = []
    var keys: [String] = []

    /// Columns that a statement must read beside those it is about, so that `add` can name the row.
    static func naming(_ table: Catalog.Table) -> [String] {
        table.rowidName == nil ? table.primaryKey : []
    }

    /// Adds the row that the statement stands on; what names it begins at column `first`.
    mutating func add(_ statement: borrowing SQLite.Statement, of table: Catalog.Table, from first: Int32) {
        guard rowids.count + keys.count < Self.limit else { return }
        if table.rowidName != nil {
            rowids.append(statement.int64(first))
        } else {
            let key = table.primaryKey.indices.map { index in
                let column = first + Int32(index)
                // 1 and '1' are two keys.
                switch statement.storageClass(column) {
                case .null: return "NULL"
                case .text: return quoteLiteral(statement.text(column))
                case .blob:
                    return "X'" + statement.bytes(column).hexadecimal + "'"
                default: return statement.text(column)
                }
            }
            keys.append(key.joined(separator: ", "))
        }
    }

    /// The first rows in which a column is NULL.
    static func nulls(
        in column: String, of table: Catalog.Table, _ connection: borrowing SQLite.Connection
    ) throws -> RowSamples {
        let source = SourceQuery(table, columns: [column] + naming(table))
        let statement = try connection.prepare(source.nulls(in: column, limit: limit))
        var samples = RowSamples()
        while try statement.step() { samples.add(statement, of: table, from: 1) }
        return samples
    }
}
