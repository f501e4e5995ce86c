import SQLDialect
import SQLite

/// The rows of a piece of a source table in order: read from the file's pages where that is possible, through SQLite elsewhere.
///
/// Both give the same values. Used by one thread; values are valid until the next row.
struct SourceRows: ~Copyable {
    private let statement: SQLite.Statement
    private var cursor: TableCursor?
    /// Whether the statement stands on the row: it reads all rows, or those that the cursor cannot read.
    private var isOnStatement = false

    var isByPages: Bool { cursor != nil }

    /// Reads all rows by SQLite.
    init(_ statement: consuming SQLite.Statement) {
        self.statement = statement
        cursor = nil
        isOnStatement = true
    }

    /// Reads rows by pages; `statement` reads one by its rowid.
    init(_ cursor: consuming TableCursor, otherwise statement: consuming SQLite.Statement) {
        self.statement = statement
        self.cursor = consume cursor
    }

    /// Goes to the next row; false after the last one.
    mutating func next() throws -> Bool {
        guard cursor != nil else { return try statement.step() }
        do {
            guard try cursor?.next() ?? false else { return false }
        } catch {
            throw MigrationError(
                .sourceCorrupt, "the snapshot cannot be read: \(error)",
                remedy: "It may have changed since it was checked: run this again with a new one.")
        }
        isOnStatement = !(cursor?.isWhole ?? false)
        if isOnStatement {
            statement.reset()
            try statement.bind(cursor?.rowid ?? 0, at: 1)
            return try statement.step()
        }
        return true
    }

    /// The row's rowid, which a statement of all rows has after so many columns.
    borrowing func rowid(after count: Int) -> Int64 {
        switch cursor {
        case .some(let cursor): cursor.rowid
        case .none: statement.int64(Int32(truncatingIfNeeded: count))
        }
    }

    /// A column's value to keep; only of rows that are read by SQLite alone.
    borrowing func record(_ column: Int) -> RowRecord.Value {
        statement.value(Int32(truncatingIfNeeded: column))
    }

    /// The value of a column, by its place among those that were asked for.
    @inline(__always)
    borrowing func value(_ column: Int) -> SourceValue {
        if isOnStatement { return SourceValue(statement.handle, Int32(truncatingIfNeeded: column)) }
        switch cursor {
        case .some(let cursor): return cursor.value(column)
        case .none: return .null
        }
    }
}

extension SourceRows {
    /// Reads a piece of a table of an immutable file, as the target is to hold it.
    static func read(
        _ piece: TablePiece, of table: Catalog.Table, columns: [String],
        _ connection: borrowing SQLite.Connection, decided: DecidedTable? = nil
    ) throws -> SourceRows {
        let query = SourceQuery(table, columns: columns, decided: decided)
        guard decided == nil, let byRowid = query.byRowid,
            let cursor = try cursor(piece, table, columns, connection)
        else { return SourceRows(try query.prepare(piece, connection)) }
        return SourceRows(cursor, otherwise: try connection.prepare(byRowid))
    }

    /// Walks the pages of a plain table with rowids, all of whose columns are stored; nil for others.
    private static func cursor(
        _ piece: TablePiece, _ table: Catalog.Table, _ columns: [String],
        _ connection: borrowing SQLite.Connection
    ) throws -> TableCursor? {
        let rowids: ClosedRange<Int64>
        switch piece {
        case .all: rowids = .min ... .max
        case .rowids(let range): rowids = range
        case .keys: return nil
        }
        guard !table.isWithoutRowid, table.virtual == nil,
            table.columns.allSatisfy({ $0.generation == nil }),
            let root = try rootPage(of: table.name, connection)
        else { return nil }
        let fields = columns.compactMap { name in
            table.position(of: name).map { place in
                let column = table.columns[place]
                return TableCursor.Field(
                    place: column.name == table.rowidAlias ? nil : place, isReal: column.affinity == .real)
            }
        }
        guard fields.count == columns.count else { return nil }
        do {
            return TableCursor(
                try PageFile(path: connection.path), root: root, rowids: rowids, fields: fields)
        } catch PageFile.Failure.unsupported {
            return nil
        }
    }

    private static func rootPage(
        of table: String, _ connection: borrowing SQLite.Connection
    ) throws -> UInt32? {
        let statement = try connection.prepare(
            "SELECT rootpage FROM main.sqlite_schema WHERE type = 'table' AND name = ?1")
        try statement.bind(table, at: 1)
        return try statement.step() ? UInt32(exactly: statement.int64(0)) : nil
    }
}
