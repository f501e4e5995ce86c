import CSQLite
import Postgres
import SQLite
import Synchronization

/// The rows of the files, each held against its column, and each block against its digest.
extension DatabaseRebuild {
    func loadTables(_ counters: [RunProgress.Table]) throws {
        let connection = try open()
        howdah_sqlite_allow_schema_writes(connection.handle)
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
                        file: table.file, lines: count == 0 ? nil : reader.lines,
                        what:
                            "the file ends here, with \(Format.count(count)) of \(Format.count(table.rows)) rows: it is cut short"
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
                    what: "their digest is not the manifest's: a line was changed, moved, taken out or put in"
                )
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
                file: ExportManifest.fileName,
                what: "the table \(table.name) is not as it says: \(error.message)")
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
                file: table.file, lines: 1...last,
                what: "the file's digest is not the manifest's: it was changed")
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
}
