import SQLite

extension SourceRows {
    /// All columns of every row, in the order of the rowids or of the key: the same for an export and for what is rebuilt of it.
    static func readStored(
        _ table: Catalog.Table, _ connection: borrowing SQLite.Connection
    ) throws -> SourceRows {
        let columns = table.columns.map(\.name)
        guard table.rowidName != nil else {
            return SourceRows(try connection.prepare(SourceQuery(table, columns: columns).stored))
        }
        return try read(.all, of: table, columns: columns, connection)
    }
}

extension ExportManifest.Database {
    /// What an open database is made of beside its rows.
    init(_ connection: borrowing SQLite.Connection) throws {
        func number(_ pragma: String, _ connection: borrowing SQLite.Connection) throws -> Int64 {
            let statement = try connection.prepare("PRAGMA \(pragma)")
            return try statement.step() ? statement.int64(0) : 0
        }
        let encoding = try connection.prepare("PRAGMA encoding")
        self.encoding = try encoding.step() ? encoding.text(0) : "UTF-8"
        userVersion = try number("user_version", connection)
        applicationID = try number("application_id", connection)
        var objects: [Object] = []
        let list = try connection.prepare(
            "SELECT type, name, tbl_name, sql, rootpage FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid"
        )
        while try list.step() {
            objects.append(
                Object(
                    type: list.text(0), name: list.text(1), table: list.text(2), sql: list.text(3),
                    stored: list.int64(4) > 0))
        }
        self.objects = objects
    }
}
