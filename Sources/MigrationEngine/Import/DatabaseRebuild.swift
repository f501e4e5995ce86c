import CSQLite
import Foundation
import Postgres
import SQLDialect
import SQLite
import Synchronization

/// Makes a SQLite file of an export: the same schema, the same rows under the same rowids, each with its storage class.
///
/// Files are read as streams; a record that does not fit, or a block whose digest is another, ends it. Used by one thread.
struct DatabaseRebuild {
    let export: ExportFolder
    let path: String
    let cancellation: Cancellation
    let progress: RunProgress

    private var manifest: ExportManifest { export.manifest }

    func run() throws {
        let counters = manifest.tables.map { RunProgress.Table(name: $0.name, rows: $0.rows) }
        progress.setTables(counters)
        progress.begin(.rebuild)
        defer { progress.end() }
        do {
            try makePrivateFile()
            try makeTables()
            try loadTables(counters)
            try makeIndexes()
            try compare()
        } catch let fault as ExportFault {
            throw fault.error
        } catch let error as SQLiteError where error.code == SQLITE_FULL {
            throw MigrationError(
                .noSpace, "the database that is rebuilt from the export does not fit: \(error)",
                remedy: "Free some space, or name a folder on another disk with --state DIR.")
        }
    }

    private func makePrivateFile() throws {
        for ending in ["", "-journal", "-wal", "-shm"] { unlink(path + ending) }
        let descriptor = Foundation.open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else { throw FileSystemError("making", path) }
        close(descriptor)
    }

    private func open() throws -> SQLite.Connection {
        let connection = try SQLite.Connection(path: path, mode: .readWrite)
        // A file that is not whole is made anew: nothing is to be taken back.
        try connection.execute(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; PRAGMA cache_size = -8192"
        )
        return connection
    }

    private func fault(_ object: ExportManifest.Database.Object, _ why: String) -> ExportFault {
        ExportFault(
            file: ExportManifest.fileName, what: "SQLite cannot make the \(object.type) \(object.name): \(why)")
    }

    // MARK: Schema

    /// Makes tables as they are declared, to learn what they are, and then as they take every row. Views, triggers and virtual tables are
    /// only written down, so that nothing of them is run.
    private func makeTables() throws {
        let connection = try open()
        howdah_sqlite_allow_schema_writes(connection.handle)
        try connection.execute(
            """
            PRAGMA encoding = \(quoteIdentifier(manifest.database.encoding)); PRAGMA writable_schema = ON;
            PRAGMA user_version = \(manifest.database.userVersion); PRAGMA application_id = \(manifest.database.applicationID)
            """)
        let shapes = try tableShapes()
        for object in manifest.database.objects where object.type != "index" {
            guard object.stored else {
                try write(object, connection)
                continue
            }
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
            guard words.count == 2, words.first?.isWord("CREATE") == true, words.last?.isWord("TABLE") == true else {
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
    private func makeIndexes() throws {
        try restoreDeclarations()
        let connection = try open()
        howdah_sqlite_allow_unknown_collations(connection.handle)
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
    }

    // MARK: Rows

    private func loadTables(_ counters: [RunProgress.Table]) throws {
        let connection = try open()
        howdah_sqlite_allow_schema_writes(connection.handle)
        howdah_sqlite_allow_unknown_collations(connection.handle)
        try connection.execute("PRAGMA writable_schema = ON; BEGIN")
        // SQLite writes into its own tables as others are filled: these come last, and hold what the source's held.
        let order = manifest.tables.indices.sorted { first, second in
            let (own, other) = (isOwn(manifest.tables[first]), isOwn(manifest.tables[second]))
            return own == other ? first < second : !own
        }
        for index in order {
            let table = manifest.tables[index]
            if isOwn(table) { try connection.execute("DELETE FROM \(quoteIdentifier(table.name))") }
            try load(table, connection, counters[index])
        }
        try connection.execute("COMMIT")
    }

    private func isOwn(_ table: ExportManifest.Table) -> Bool { table.name.hasPrefix("sqlite_") }

    private func load(
        _ table: ExportManifest.Table, _ connection: borrowing SQLite.Connection, _ counter: RunProgress.Table
    ) throws {
        let reader = try RecordReader(
            folder: export.path, name: table.file, form: manifest.form, isCompressed: manifest.isCompressed)
        if manifest.form == .csv { try readHeader(reader, table) }
        let fields = table.fields
        let layout = RowLayout(table)
        let stored = fields.filter { !$0.isGenerated }
        // A rowid that is no column stays bare: quoted, SQLite could take it for a text.
        let names = stored.enumerated().map { index, field in
            index == 0 && table.rowid != nil ? field.name : quoteIdentifier(field.name)
        }
        let places = (1...max(1, stored.count)).map { "?\($0)" }.joined(separator: ", ")
        let statement = try prepare(
            "INSERT OR ABORT INTO \(quoteIdentifier(table.name)) (\(names.joined(separator: ", "))) VALUES (\(places))",
            table, connection)
        var count = 0
        for block in table.blocks {
            let first = reader.nextLine
            for _ in 0..<block.rows {
                guard let record = try reader.next(longest: table.longestRow) else {
                    throw ExportFault(
                        file: table.file, lines: reader.lines,
                        what: "the file ends behind this line, with \(Format.count(count)) of \(Format.count(table.rows)) rows: it is cut short"
                    )
                }
                do {
                    try insert(record, fields, layout, statement)
                } catch let fault as RecordFault {
                    throw ExportFault(file: table.file, lines: reader.lines, what: fault.what)
                } catch let error as SQLiteError where error.code == SQLITE_CONSTRAINT {
                    throw ExportFault(
                        file: table.file, lines: reader.lines,
                        what: "the row has no place in the table: \(error.message)")
                }
                count += 1
                guard count & 0x3FF == 0 else { continue }
                try cancellation.check()
                counter.loaded.store(count, ordering: .relaxed)
            }
            guard reader.endBlock() == block.sha256, first == block.line else {
                throw ExportFault(
                    file: table.file, lines: first...max(first, reader.lines.upperBound),
                    what: "their digest is not the manifest's: a line was changed, moved, taken out or put in")
            }
        }
        counter.loaded.store(count, ordering: .relaxed)
        try checkEnd(reader, table)
    }

    private func prepare(
        _ sql: String, _ table: ExportManifest.Table, _ connection: borrowing SQLite.Connection
    ) throws -> SQLite.Statement {
        do {
            return try connection.prepare(sql)
        } catch {
            throw ExportFault(
                file: ExportManifest.fileName, what: "the table \(table.name) is not as it says: \(error.message)")
        }
    }

    private func readHeader(_ reader: RecordReader, _ table: ExportManifest.Table) throws {
        let names = table.fields.map { "\"\($0.name.replacing("\"", with: "\"\""))\"" }.joined(separator: ",")
        let header = try reader.next(longest: names.utf8.count + 1)
        guard let header, header.elementsEqual(names.utf8) else {
            throw ExportFault(
                file: table.file, lines: 1...1, what: "the names of the columns are not those of the table")
        }
        _ = reader.endBlock()
    }

    private func checkEnd(_ reader: RecordReader, _ table: ExportManifest.Table) throws {
        let last = reader.lines.upperBound
        if try reader.next(longest: max(table.longestRow, 2)) != nil {
            throw ExportFault(
                file: table.file, lines: reader.lines,
                what: "the table has \(Format.count(table.rows)) rows, and here is more")
        }
        guard reader.sha256 == table.sha256,
            table.compressedSHA256 == nil || reader.compressedSHA256 == table.compressedSHA256
        else {
            throw ExportFault(
                file: table.file, lines: 1...last, what: "the file's digest is not the manifest's: it was changed")
        }
    }

    @inline(__always)
    private func insert(
        _ record: UnsafeMutableBufferPointer<UInt8>, _ fields: [ExportColumn], _ layout: RowLayout,
        _ statement: borrowing SQLite.Statement
    ) throws {
        var reader = FieldReader(record, manifest.form)
        var place: Int32 = 1
        for index in fields.indices {
            let token = try reader.next(
                isFirst: index == 0, key: layout.keys[index], name: fields[index].name)
            if fields[index].isGenerated { continue }
            try ValueReader.bind(token, of: fields[index], to: statement, at: place)
            place += 1
        }
        try reader.end()
        try statement.run()
    }

    // MARK: Proof

    /// Writes every table once more, from the rebuilt file and to nowhere, and holds all digests against the manifest's: what is
    /// loaded from here on is what the export says.
    private func compare() throws {
        let connection = try SQLite.Connection(path: path, mode: .immutable)
        let shapes = try CatalogReader.storedTables(connection)
        for table in manifest.tables {
            guard let shape = shapes.first(where: { $0.name == table.name }) else {
                throw ExportFault(file: table.file, what: "the manifest's schema has no table for it")
            }
            var empty = table
            (empty.rows, empty.bytes, empty.longestRow, empty.blocks) = (0, 0, 0, [])
            let made = try Exporter.encode(shape, empty, manifest.form, to: nil, connection, cancellation, nil)
            guard made.sha256 == table.sha256, made.rows == table.rows else {
                let block = zip(made.blocks, table.blocks).first { $0 != $1 }?.1
                throw ExportFault(
                    file: table.file, lines: block.map { $0.line...$0.line + $0.rows - 1 },
                    what: "SQLite does not hold the rows as they were written")
            }
        }
    }
}
