import Foundation
import SQLite
import Synchronization

/// An immutable copy of a source at one moment: what every later reading is made from.
public struct Snapshot: Codable, Sendable, Equatable {
    public let path: String
    /// SHA-256 of the snapshot's bytes.
    public let sha256: String
    /// When it was taken, UTC, ISO 8601 with seconds.
    public let time: String
    public let bytes: Int64
    /// The file that it was taken from.
    public let source: String
    /// SHA-256 of the source's own bytes; nil where it was written meanwhile or content lay in a log beside it.
    public let sourceSHA256: String?
    /// What `PRAGMA integrity_check` says beyond corruption: broken CHECK and NOT NULL constraints.
    public let notes: [String]
    let fingerprint: SourceFile.Fingerprint

    /// Opens the snapshot for one thread; no lock is taken and no file is made beside it.
    ///
    /// Whoever reads tables from end to end sees no page twice: a small cache is as fast, and the workers' caches together
    /// are most of what howdah takes.
    func open(readsOnce: Bool = false) throws(SQLiteError) -> SQLite.Connection {
        let connection = try SQLite.Connection(path: path, mode: .immutable)
        if readsOnce { try connection.execute("PRAGMA cache_size = -256") }
        return connection
    }

    /// The schema that the snapshot holds.
    public func catalog() throws -> Catalog {
        try CatalogReader.read(open())
    }

    /// Whether the source still holds what was copied. A file that was only touched compares equal by its hash.
    public func isCurrent(cancellation: Cancellation) throws -> Bool {
        let file = try SourceFile(path: source)
        let now = try file.fingerprint()
        if now == fingerprint { return true }
        guard let sourceSHA256, now.wal == nil, now.journal == nil else { return false }
        return try MigrationEngine.sha256(ofFile: source, cancellation: cancellation) == sourceSHA256
    }
}

/// Takes snapshots into a state folder.
///
/// Layout: `snapshots/<time>.db` with `<time>.json` beside it, which is written last: a snapshot without it is not
/// complete and is removed by the next one. Called from one thread.
public struct SnapshotStore: Sendable {
    let folder: String
    let cancellation: Cancellation

    public init(_ state: StateFolder, cancellation: Cancellation) throws {
        folder = try state.folder("snapshots")
        self.cancellation = cancellation
    }

    /// The newest snapshot that still equals the source, or a new one.
    ///
    /// A new one is made by the online backup API, so it holds what a write-ahead log holds, passes
    /// `PRAGMA integrity_check`, and is hashed. Throws as `SourceFile` and `SourceReader` do, `.sourceCorrupt`
    /// where the check finds corruption, and `.noSpace`; nothing is left behind then. `meanwhile` may read a new copy
    /// while it is checked, on another thread; it has neither its name nor its hash yet. An error of its own counts where
    /// the check finds nothing.
    public func take(
        of source: SourceFile, progress: (_ fraction: Double) -> Void = { _ in },
        meanwhile: (@Sendable (Snapshot) throws -> Void)? = nil
    ) throws -> Snapshot {
        removeRemains()
        if let newest = snapshots().last, newest.source == source.path, try isReusable(newest) {
            return newest
        }
        try checkSpace(for: source)
        let before = try source.fingerprint()
        let partial = "\(folder)/partial-\(getpid()).db"
        defer { for suffix in ["", "-journal", "-wal", "-shm"] { unlink(partial + suffix) } }
        let reader = SourceReader(source: source, workFolder: folder, cancellation: cancellation)
        try reader.read { connection in try copy(connection, into: partial, progress: progress) }
        let provisional = Snapshot(
            path: partial, sha256: "", time: "", bytes: 0, source: source.path, sourceSHA256: nil, notes: [],
            fingerprint: before)
        let (notes, snapshotHash, hash) = try checked(provisional, source, meanwhile)
        return try keep(partial, sha256: snapshotHash, source, hash, notes, before)
    }

    /// Gives a whole copy its name and the note beside it, which makes it a snapshot.
    func keep(
        _ partial: String, sha256: String, _ source: SourceFile, _ sourceHash: String?, _ notes: [String],
        _ fingerprint: SourceFile.Fingerprint
    ) throws -> Snapshot {
        let time = nextTime()
        let path = "\(folder)/\(time.replacing(":", with: "-")).db"
        guard rename(partial, path) == 0 else { throw FileSystemError("naming the snapshot", path) }
        var status = stat()
        stat(path, &status)
        let snapshot = Snapshot(
            path: path, sha256: sha256, time: time, bytes: Int64(status.st_size), source: source.path,
            sourceSHA256: sourceHash, notes: notes, fingerprint: fingerprint)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try writePrivateFile(
            sidecar(path), String(decoding: try encoder.encode(snapshot), as: UTF8.self) + "\n")
        return snapshot
    }

    private struct Checked {
        var notes: [String] = []
        var hash = ""
        var sourceHash: String?
        var failure: (any Error)?
    }

    /// What integrity_check says of a copy, its hash and the source's; the check, the hashes and what else is to be read
    /// beside each other.
    private func checked(
        _ copy: Snapshot, _ source: SourceFile, _ meanwhile: (@Sendable (Snapshot) throws -> Void)?
    ) throws -> (notes: [String], hash: String, sourceHash: String?) {
        let results = Mutex(Checked())
        try WorkerThreads.run(count: meanwhile == nil ? 2 : 3) { number in
            switch number {
            case 0:
                let notes = try checkIntegrity(of: copy.path, source: source)
                results.withLock { $0.notes = notes }
            case 1:
                let hash = try MigrationEngine.sha256(ofFile: copy.path, cancellation: cancellation)
                let sourceHash = try sourceHash(source, unchangedSince: copy.fingerprint)
                results.withLock { ($0.hash, $0.sourceHash) = (hash, sourceHash) }
            default:
                do { try meanwhile?(copy) } catch { results.withLock { $0.failure = error } }
            }
        }
        let all = results.withLock { $0 }
        if let failure = all.failure { throw failure }
        return (all.notes, all.hash, all.sourceHash)
    }

    /// The complete snapshots, oldest first.
    public func snapshots() -> [Snapshot] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".json") }.sorted().compactMap { name in
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)"),
                let snapshot = try? JSONDecoder().decode(Snapshot.self, from: data),
                access(snapshot.path, R_OK) == 0
            else { return nil }
            return snapshot
        }
    }

    /// Deletes a snapshot; the note beside it first, so that half of one is never taken for whole.
    public func remove(_ snapshot: Snapshot) throws {
        for path in [sidecar(snapshot.path), snapshot.path] {
            guard unlink(path) == 0 || errno == ENOENT else { throw FileSystemError("deleting", path) }
        }
    }

    private func sidecar(_ path: String) -> String { path.dropLast(3) + ".json" }

    private func isReusable(_ snapshot: Snapshot) throws -> Bool {
        guard snapshot.sourceSHA256 != nil, try snapshot.isCurrent(cancellation: cancellation) else {
            return false
        }
        return try MigrationEngine.sha256(ofFile: snapshot.path, cancellation: cancellation)
            == snapshot.sha256
    }

    private func removeRemains() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where name.hasPrefix("partial-") || name.hasPrefix("copy-") {
            try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
        for name in names where name.hasSuffix(".db") && !names.contains(sidecar(name)) {
            unlink("\(folder)/\(name)")
        }
    }

    private func checkSpace(for source: SourceFile) throws {
        let now = try source.fingerprint()
        let needed = now.database.size + (now.wal?.size ?? 0) + (8 << 20)
        var space = statvfs()
        guard statvfs(folder, &space) == 0 else { return }
        let free = Int64(space.f_bavail) * Int64(space.f_frsize)
        guard free < needed else { return }
        throw MigrationError(
            .noSpace, "the snapshot needs \(needed >> 20) MB, and \(folder) has \(free >> 20) MB free",
            remedy: "Free some space, or name a folder on another disk with --state DIR.")
    }

    /// A time that no snapshot has yet: the names of two within a second must differ.
    private func nextTime() -> String {
        var date = Date()
        while true {
            let time = date.formatted(.iso8601)
            if access("\(folder)/\(time.replacing(":", with: "-")).db", F_OK) != 0 { return time }
            date.addTimeInterval(1)
        }
    }

    /// The source's own hash, where it can be told: nobody wrote and nothing lies in a log.
    private func sourceHash(_ source: SourceFile, unchangedSince before: SourceFile.Fingerprint) throws
        -> String?
    {
        guard before.wal == nil, before.journal == nil else { return nil }
        let hash = try MigrationEngine.sha256(ofFile: source.path, cancellation: cancellation)
        return try source.fingerprint() == before ? hash : nil
    }

    // MARK: Copying

    private func copy(
        _ source: borrowing SQLite.Connection, into path: String, progress: (Double) -> Void
    ) throws {
        let descriptor = Foundation.open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else { throw FileSystemError("making", path) }
        close(descriptor)
        do {
            let destination = try SQLite.Connection(path: path, mode: .readWrite)
            try destination.execute("PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF")
            let backup = try Backup(from: source, into: destination)
            while try backup.step(pages: 4096) != .done {
                try cancellation.check()
                let pages = backup.pages
                progress(1 - Double(pages.remaining) / Double(max(1, pages.total)))
            }
        }
        // The copy has the source's mode in its header; without a log the snapshot is one file.
        let copy = try SQLite.Connection(path: path, mode: .readWrite)
        try copy.execute("PRAGMA journal_mode=DELETE")
        let written = Foundation.open(path, O_RDONLY)
        fsync(written)
        close(written)
    }

    // MARK: Checking, https://sqlite.org/pragma.html#pragma_integrity_check

    private func checkIntegrity(of path: String, source: SourceFile) throws -> [String] {
        let connection = try SQLite.Connection(path: path, mode: .immutable)
        let interrupter = connection.interrupter
        let lines: [String] = try cancellation.whileRegistered({ interrupter.interrupt() }) {
            do {
                return try Self.integrity(connection, "integrity_check(100)")
            } catch let error as SQLiteError where error.isInterrupted {
                throw MigrationError.cancelled
            } catch let error as SQLiteError where error.isCorruption {
                return [error.message]
            } catch let error as SQLiteError {
                // An index under a collation that only the application has cannot be walked; its table can.
                return try Self.integrity(connection, "quick_check(100)") + [
                    "not every index was checked: \(error.message)"
                ]
            }
        }
        let notes = lines.filter(Self.isNote)
        let corruption = lines.filter { !Self.isNote($0) }
        guard let first = corruption.first else { return notes }
        throw MigrationError(
            .sourceCorrupt,
            "\(source.path) is corrupt: \(first)"
                + (corruption.count > 1
                    ? ", and \(corruption.count - 1) more findings of PRAGMA integrity_check" : ""),
            remedy: "Restore it from a backup, run REINDEX on a copy where only indexes are named, "
                + "or recover what is left with sqlite3 FILE .recover.", exit: .usage)
    }

    private static func integrity(
        _ connection: borrowing SQLite.Connection, _ pragma: String
    ) throws(SQLiteError) -> [String] {
        let statement = try connection.prepare("PRAGMA \(pragma)")
        var lines: [String] = []
        while try statement.step() {
            let line = statement.text(0)
            if line != "ok" { lines.append(line) }
        }
        return lines
    }

    /// Rows that break a constraint are readable: they are findings, not corruption.
    private static func isNote(_ line: String) -> Bool {
        line.contains(" value in ") || line.hasPrefix("CHECK constraint failed")
            || line.hasPrefix("not every index")
    }
}
