import CSQLite
import Foundation
import SQLite

/// Makes a SQLite file of an export: the same schema, the same rows under the same rowids, each with its storage class.
///
/// Files are read as streams; a record that does not fit, or a block whose digest is another, ends it. Used by one thread.
struct DatabaseRebuild {
    let export: ExportFolder
    let path: String
    let cancellation: Cancellation
    let progress: RunProgress

    var manifest: ExportManifest { export.manifest }

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

    func open() throws -> SQLite.Connection {
        let connection = try SQLite.Connection(path: path, mode: .readWrite)
        // A file that is not whole is made anew: nothing is to be taken back.
        try connection.execute(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; PRAGMA cache_size = -2048"
        )
        return connection
    }

    func fault(_ object: ExportManifest.Database.Object, _ why: String) -> ExportFault {
        ExportFault(
            file: ExportManifest.fileName,
            what: "SQLite cannot make the \(object.type) \(object.name): \(why)")
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
            let made = try Exporter.encode(
                shape, empty, manifest.form, to: nil, connection, cancellation, nil)
            guard made.sha256 == table.sha256, made.rows == table.rows else {
                let block = zip(made.blocks, table.blocks).first { $0 != $1 }?.1
                throw ExportFault(
                    file: table.file, lines: block.map { $0.line...$0.line + $0.rows - 1 },
                    what: "SQLite does not hold the rows as they were written")
            }
        }
    }
}
