import Foundation
import Postgres
import SQLite
import Synchronization

/// Writes every table of a snapshot into a folder of files, with a manifest by which they can be loaded.
///
/// The rows are those of the source, also those that decisions keep out of a target. Called from a thread that may block.
public struct Exporter: Sendable {
    private let preparation: Preparation
    private let hints: SchemaHints?
    private let form: ExportForm
    private let isCompressed: Bool
    private let workers: Int
    private let cancellation: Cancellation
    private let progress: RunProgress

    public init(
        _ preparation: Preparation, hints: SchemaHints?, form: ExportForm, isCompressed: Bool, workers: Int,
        cancellation: Cancellation, progress: RunProgress
    ) {
        self.preparation = preparation
        self.hints = hints
        self.form = form
        self.isCompressed = isCompressed
        self.workers = workers
        self.cancellation = cancellation
        self.progress = progress
    }

    /// What was written.
    public struct Written: Sendable {
        public let manifest: ExportManifest
        /// Of `manifest.json`.
        public let sha256: String
    }

    /// Looks whether an export could go into a folder: it is not there, or empty.
    public static func checkFree(_ folder: String) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else { return }
        guard isFolder.boolValue, let names = try? FileManager.default.contentsOfDirectory(atPath: folder)
        else {
            throw MigrationError(
                .export, "\(folder) is no folder that can be read", remedy: "Name another folder.",
                exit: .usage
            )
        }
        guard !names.isEmpty else { return }
        let isUnfinished =
            !names.contains(ExportManifest.digestName) && names.contains { $0.hasSuffix(".part") }
        throw MigrationError(
            .export,
            isUnfinished
                ? "\(folder) holds an export that did not end"
                : "\(folder) is not empty, and an export overwrites nothing",
            remedy: isUnfinished
                ? "Remove it, or name another folder." : "Name another folder, or empty this one.",
            exit: .usage)
    }

    /// Writes the export; where that fails or is cancelled, what it has written is removed.
    ///
    /// The manifest's digest is written last, so that what is left by a crash is never taken for an export.
    public func write(to folder: String) throws -> Written {
        try Self.checkFree(folder)
        let isNew = access(folder, F_OK) != 0
        var names = [ExportManifest.planName, ExportManifest.fileName, ExportManifest.digestName]
        do {
            try makePrivateFolder(folder)
            return try writeAll(to: folder, &names)
        } catch {
            for name in names.flatMap({ [$0, "\($0).part"] }) { unlink("\(folder)/\(name)") }
            if isNew { rmdir(folder) }
            throw Self.explained(error, folder)
        }
    }

    /// Adds the names of the tables' files to `names` before it writes any.
    private func writeAll(to folder: String, _ names: inout [String]) throws -> Written {
        let plan = preparation.planText
        let snapshot = preparation.snapshot
        let connection = try snapshot.open()
        let stored = try CatalogReader.storedTables(connection)
        var manifest = ExportManifest(
            source: .init(
                name: (snapshot.source as NSString).lastPathComponent, sha256: snapshot.sourceSHA256,
                snapshotSHA256: snapshot.sha256, time: snapshot.time),
            form: form, isCompressed: isCompressed, database: try .init(connection), hints: hints,
            plan: .init(file: ExportManifest.planName, sha256: sha256(of: Array(plan.utf8))),
            tables: try described(stored, connection))
        names += manifest.tables.map(\.file)
        manifest.tables = try writeTables(stored, manifest.tables, to: folder)
        try writePrivateFile("\(folder)/\(ExportManifest.planName)", plan)
        let text = try manifest.text()
        try writePrivateFile("\(folder)/\(ExportManifest.fileName)", text)
        let digest = sha256(of: Array(text.utf8))
        try writePrivateFile(
            "\(folder)/\(ExportManifest.digestName)", manifest.digestText(digest))
        return Written(manifest: manifest, sha256: digest)
    }

    private func described(
        _ stored: [Catalog.Table], _ connection: borrowing SQLite.Connection
    ) throws -> [ExportManifest.Table] {
        let ending = ExportManifest.Table.ending(form, isCompressed)
        let (plan, catalog) = (preparation.plan, preparation.catalog)
        var tables: [ExportManifest.Table] = []
        for (index, table) in stored.enumerated() {
            // A virtual table that the plan takes for a plain one is no stored one.
            let planned = plan.tables.first { $0.name == table.name }
            let isKnown = catalog.tables.contains { $0.name == table.name }
            tables.append(
                ExportManifest.Table(
                    name: table.name, file: tableFileName(index + 1, table.name, ending),
                    rowid: table.rowidAlias == nil ? table.rowidName : nil,
                    columns: try ExportColumn.columns(
                        of: table, plan: isKnown ? planned : nil,
                        profile: preparation.profiles[table.name], connection)))
        }
        return tables
    }

    private func writeTables(
        _ stored: [Catalog.Table], _ tables: [ExportManifest.Table], to folder: String
    ) throws -> [ExportManifest.Table] {
        let counters = stored.map {
            RunProgress.Table(name: $0.name, rows: preparation.profiles[$0.name]?.rows ?? 0)
        }
        progress.setTables(counters)
        progress.begin(.export)
        defer { progress.end() }
        // The largest first, so that no worker is left alone with one at the end.
        let bytes = stored.map { preparation.profiles[$0.name]?.bytes ?? 0 }
        let queue = WorkQueue(stored.indices.sorted { bytes[$0] > bytes[$1] })
        let written = Mutex(tables)
        try WorkerThreads.run(count: max(1, min(workers, stored.count)), onFirstError: { queue.stop() }) {
            _ in
            while let index = queue.next() {
                let file = try ExportFile("\(folder)/\(tables[index].file)", isCompressed: isCompressed)
                let done = try write(stored[index], tables[index], to: file, counters[index])
                written.withLock { $0[index] = done }
            }
        }
        return written.withLock { $0 }
    }

    private func write(
        _ table: Catalog.Table, _ described: ExportManifest.Table, to file: ExportFile,
        _ counter: RunProgress.Table
    ) throws -> ExportManifest.Table {
        let connection = try preparation.snapshot.open(readsOnce: true)
        return try Self.encode(
            table, described, form, to: file, connection, cancellation, counter)
    }

    /// Writes the rows of a stored table, or only counts and hashes what would be written.
    static func encode(
        _ table: Catalog.Table, _ described: ExportManifest.Table, _ form: ExportForm, to file: ExportFile?,
        _ connection: borrowing SQLite.Connection, _ cancellation: Cancellation, _ counter: RunProgress.Table?
    ) throws -> ExportManifest.Table {
        var writer = try RowWriter(described, form, to: file)
        var rows = try SourceRows.readStored(table, connection)
        var count = 0
        while try rows.next() {
            try writer.write(rows)
            count += 1
            guard count & 0x3FF == 0 else { continue }
            try cancellation.check()
            counter?.loaded.store(count, ordering: .relaxed)
        }
        counter?.loaded.store(count, ordering: .relaxed)
        return try writer.finish()
    }

    // MARK: When it fails

    private static func explained(_ error: any Error, _ folder: String) -> any Error {
        guard let error = error as? FileSystemError else { return error }
        return error.code == ENOSPC || error.code == EDQUOT || error.code == EFBIG
            ? MigrationError(
                .noSpace, "the export does not fit: \(error)",
                remedy: "Free some space, or name a folder on another disk.")
            : MigrationError(
                .export, "the export cannot be written: \(error)",
                remedy: "Name a folder that you can make and write to.")
    }
}
