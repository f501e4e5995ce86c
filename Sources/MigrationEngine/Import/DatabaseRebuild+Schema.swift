import CSQLite
import Postgres
import SQLDialect
import SQLite

/// Tables before their rows, indexes after them.
extension DatabaseRebuild {
    /// Makes tables as they are declared, to learn what they are, and then as they take every row.
    func makeTables() throws {
        let connection = try open()
        howdah_sqlite_allow_schema_writes(connection.handle)
        try connection.execute(
            """
            PRAGMA encoding = \(quoteIdentifier(manifest.database.encoding)); PRAGMA writable_schema = ON;
            PRAGMA user_version = \(manifest.database.userVersion); PRAGMA application_id = \(manifest.database.applicationID)
            """)
        let shapes = try tableShapes()
        for object in manifest.database.objects where object.type == "table" && object.stored {
            if object.name == "sqlite_sequence", try exists(object.name, connection) { continue }
            guard let shape = shapes[object.name] else { throw fault(object, "it is no table") }
            do {
                try connection.execute(LoosenedDDL.text(of: shape))
            } catch {
                throw fault(object, error.message)
            }
        }
    }

    /// The tables as SQLite understands their declarations.
    private func tableShapes() throws -> [String: Catalog.Table] {
        let scratch = try SQLite.Connection(path: "", mode: .create)
        howdah_sqlite_allow_schema_writes(scratch.handle)
        try scratch.execute("PRAGMA writable_schema = ON")
        for object in manifest.database.objects where object.type == "table" && object.stored {
            if object.name == "sqlite_sequence", try exists(object.name, scratch) { continue }
            // One statement alone, and none but this.
            let words = SQLLexer.tokens(of: object.sql).prefix(2)
            guard words.count == 2, words.first?.isWord("CREATE") == true, words.last?.isWord("TABLE") == true
            else {
                throw fault(object, "its SQL is no CREATE TABLE")
            }
            do {
                try scratch.prepare(object.sql).run()
            } catch {
                throw fault(object, error.message)
            }
        }
        let tables = try CatalogReader.storedTables(scratch)
        return Dictionary(tables.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    private func exists(_ name: String, _ connection: borrowing SQLite.Connection) throws -> Bool {
        let statement = try connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?1")
        try statement.bind(name, at: 1)
        return try statement.step()
    }

    private func write(
        _ object: ExportManifest.Database.Object, _ connection: borrowing SQLite.Connection
    ) throws {
        let statement = try connection.prepare("INSERT INTO sqlite_schema VALUES (?1, ?2, ?3, 0, ?4)")
        for (index, text) in [object.type, object.name, object.table, object.sql].enumerated() {
            try statement.bind(text, at: Int32(index + 1))
        }
        try statement.run()
    }

    /// Gives every table its own declaration back, and makes the indexes over the rows that are there.
    func makeIndexes() throws {
        try restoreDeclarations()
        let connection = try open()
        for object in manifest.database.objects where object.type == "index" {
            try cancellation.check()
            let words = SQLLexer.tokens(of: object.sql).prefix(3).map { $0.source.uppercased() }
            guard words.first == "CREATE", words.contains("INDEX") else {
                throw fault(object, "its SQL is no CREATE INDEX")
            }
            do {
                try connection.prepare(object.sql).run()
            } catch {
                if error.code == SQLITE_FULL { throw error }
                throw fault(object, error.message)
            }
        }
    }

    /// Views, triggers and virtual tables are only written down, once the rows are there: nothing of them is run.
    private func restoreDeclarations() throws {
        let connection = try open()
        howdah_sqlite_allow_schema_writes(connection.handle)
        try connection.execute("PRAGMA writable_schema = ON")
        let statement = try connection.prepare(
            "UPDATE sqlite_schema SET sql = ?1 WHERE type = 'table' AND name = ?2")
        for object in manifest.database.objects where object.type == "table" && object.stored {
            try statement.bind(object.sql, at: 1)
            try statement.bind(object.name, at: 2)
            try statement.run()
        }
        for object in manifest.database.objects where object.type != "index" && !object.stored {
            try write(object, connection)
        }
    }
}
