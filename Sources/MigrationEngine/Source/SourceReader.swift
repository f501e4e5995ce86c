import CSQLite
import Foundation
import SQLite

/// Opens a source for one consistent read, and leaves nothing beside it.
///
/// Order of work: `read` opens the file read only and starts a read transaction; where the file's own folder
/// cannot serve (read only, or a hot journal waits to be rolled back) it copies the files and reads the copy.
/// Called from one thread. https://sqlite.org/wal.html#read_only_databases
struct SourceReader {
    let source: SourceFile
    /// A folder on which a private copy may be put.
    let workFolder: String
    let cancellation: Cancellation

    /// Calls `body` with a connection inside of a read transaction.
    func read<T>(_ body: (borrowing SQLite.Connection) throws -> T) throws -> T {
        // A log made by opening could not be removed safely without the right to lock the file exclusively.
        let mustCopy =
            source.isWriteAheadLogged() && access(source.walPath, F_OK) != 0 && access(source.path, W_OK) != 0
        if !mustCopy {
            do {
                return try readInPlace(body)
            } catch let error as SQLiteError where Self.asksForCopy(error) {}
        }
        return try readCopy(body)
    }

    private static func asksForCopy(_ error: SQLiteError) -> Bool {
        error.code == SQLITE_CANTOPEN || error.code == SQLITE_READONLY || error.code == SQLITE_PERM
    }

    // MARK: In place

    private func readInPlace<T>(_ body: (borrowing SQLite.Connection) throws -> T) throws -> T {
        let hadLog = access(source.walPath, F_OK) == 0
        let hadSharedMemory = access(source.sharedMemoryPath, F_OK) == 0
        defer { removeOwnFiles(log: !hadLog, sharedMemory: !hadSharedMemory) }
        return try readOpened(path: source.path, mode: .readOnly, body)
    }

    private func readOpened<T>(
        path: String, mode: SQLite.Connection.Mode, _ body: (borrowing SQLite.Connection) throws -> T
    ) throws -> T {
        let connection = try SQLite.Connection(path: path, mode: mode)
        connection.setBusyTimeout(milliseconds: 5000)
        let interrupter = connection.interrupter
        return try cancellation.whileRegistered({ interrupter.interrupt() }) {
            do {
                // The transaction begins with the first read, and no writer can change what it sees.
                try connection.execute("BEGIN; SELECT count(*) FROM sqlite_master")
            } catch let error as SQLiteError {
                throw explained(error)
            }
            return try body(connection)
        }
    }

    private func explained(_ error: SQLiteError) -> any Error {
        if error.isInterrupted { return MigrationError.cancelled }
        if Self.asksForCopy(error) { return error }
        if error.code == SQLITE_BUSY {
            return MigrationError(
                .sourceBusy, "\(source.path) is locked: another process has held it for over 5 seconds",
                remedy: "Wait until that process has ended its transaction, or stop it, and run this again.")
        }
        return MigrationError(
            error.isCorruption ? .sourceCorrupt : .sourceUnreadable,
            "\(source.path) cannot be read: \(error)",
            remedy: error.isCorruption
                ? "Restore it from a backup, or recover what is left with sqlite3 FILE .recover."
                : "Check the file with sqlite3.", exit: .usage)
    }

    /// Removes the log and the shared memory that opening made, as SQLite's last connection does: only while
    /// holding the lock that proves that nobody else has the database open.
    private func removeOwnFiles(log: Bool, sharedMemory: Bool) {
        let made = [(log, source.walPath), (sharedMemory, source.sharedMemoryPath)]
            .filter { $0.0 && access($0.1, F_OK) == 0 }.map(\.1)
        guard !made.isEmpty else { return }
        let descriptor = open(source.path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // The pending, reserved and shared bytes, https://sqlite.org/src/file/src/os.h
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = 0x4000_0000
        lock.l_len = 512
        guard fcntl(descriptor, F_SETLK, &lock) == 0 else { return }
        var status = stat()
        let isLogEmpty = stat(source.walPath, &status) != 0 || status.st_size == 0
        guard !log || isLogEmpty else { return }
        for path in made { unlink(path) }
    }

    // MARK: Of a private copy

    private func readCopy<T>(_ body: (borrowing SQLite.Connection) throws -> T) throws -> T {
        let folder = "\(workFolder)/copy-\(getpid())"
        try makePrivateFolder(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let copy = "\(folder)/source.db"
        try copyStable(to: copy)
        // Opened for writing, the copy rolls its journal back and takes its log in.
        return try readOpened(path: copy, mode: .readWrite, body)
    }

    private func copyStable(to copy: String) throws {
        let pairs = [
            (source.path, copy), (source.walPath, "\(copy)-wal"), (source.journalPath, "\(copy)-journal"),
        ]
        for _ in 1...3 {
            let before = try source.fingerprint()
            for (from, to) in pairs {
                try cancellation.check()
                try? FileManager.default.removeItem(atPath: to)
                guard access(from, F_OK) == 0 else { continue }
                do {
                    try FileManager.default.copyItem(atPath: from, toPath: to)
                } catch {
                    throw MigrationError(
                        .sourceUnreadable, "\(from) cannot be copied: \(error.localizedDescription)",
                        remedy: "Check permissions and free space of \(workFolder).")
                }
                chmod(to, 0o600)
            }
            if try source.fingerprint() == before { return }
        }
        throw MigrationError(
            .sourceBusy,
            "\(source.path) is being written, and howdah may not write beside it, so no moment of rest was found",
            remedy:
                "Stop the application for the copy, or run howdah as the user that the application runs as.")
    }
}
