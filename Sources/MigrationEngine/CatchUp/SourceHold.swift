import Foundation

/// Keeps every writer away from a SQLite file for as long as it lives, and reads its pages as they are meanwhile.
///
/// It takes the locks that SQLite's own connections take, and writes nothing: in a database with a rollback journal the
/// reserved byte (https://sqlite.org/lockingv3.html), in one with a write-ahead log the byte of the writer in the log's
/// index (https://sqlite.org/walformat.html#locks); a writer gets SQLITE_BUSY, readers go on. The locks belong to the open
/// file, not to the process, so that a descriptor that is closed elsewhere does not let go of them. Any thread may use it.
public final class SourceHold: Sendable {
    private enum Place {
        static let reserved: off_t = 0x4000_0001
        static let shared: off_t = 0x4000_0002
        static let sharedCount: off_t = 510
        /// The writer's byte in the log's index.
        static let logWriter: off_t = 120
    }

    /// Locks of an open file rather than of a process, which Swift's libraries do not name.
    #if os(Linux)
        private static let setOpenFileLock: Int32 = 37
    #else
        private static let setOpenFileLock: Int32 = 90
    #endif

    private static let pause = Duration.milliseconds(5)

    public let source: SourceFile
    /// Since when nobody writes.
    public let start: ContinuousClock.Instant
    let descriptor: Int32
    private let index: Int32?
    /// The log that holds part of the pages; nil without one.
    let log: WriteAheadLog?

    private struct Locks {
        var descriptor: Int32
        var index: Int32?
        var log: WriteAheadLog?
    }

    /// Waits until nobody writes, for `timeout` at most.
    ///
    /// Throws `.sourceBusy` where somebody holds the file longer, or a journal waits to be rolled back; `.sourcePermission` where the
    /// file may not be locked.
    public init(_ source: SourceFile, timeout: Duration, cancellation: Cancellation) throws {
        self.source = source
        let deadline = ContinuousClock.now.advanced(by: timeout)
        while true {
            try cancellation.check()
            if let locks = try Self.take(source) {
                (descriptor, index, log) = (locks.descriptor, locks.index, locks.log)
                start = .now
                return
            }
            guard ContinuousClock.now < deadline else {
                throw MigrationError(
                    .sourceBusy,
                    "\(source.path) cannot be held: another process has been writing to it, or locks it for itself, for "
                        + Format.seconds(timeout.seconds),
                    remedy:
                        "Stop the application, or wait for the end of what it is doing, and run this again.",
                    mayPass: true)
            }
            try BackOff.wait(Self.pause, cancellation)
        }
    }

    deinit {
        if let index { close(index) }
        close(descriptor)
    }

    /// One attempt; nil where somebody is in the way.
    private static func take(_ source: SourceFile) throws -> Locks? {
        let descriptor = open(source.realPath, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw MigrationError(
                .sourcePermission, "\(FileSystemError("locking", source.path))",
                remedy: "Run howdah as the user that the application runs as.", exit: .usage)
        }
        var isKept = false
        defer { if !isKept { close(descriptor) } }
        // A file that was put in its place meanwhile is another one.
        guard isSame(descriptor, source.path) else { return nil }
        // As every reader: who would rebuild the file, or take its log away, has to wait.
        guard lock(descriptor, F_RDLCK, Place.shared, Place.sharedCount) else { return nil }
        guard try isLogged(descriptor, source) else {
            guard lock(descriptor, F_WRLCK, Place.reserved, 1), try !isLogged(descriptor, source) else {
                return nil
            }
            try refuseJournal(source)
            isKept = true
            return Locks(descriptor: descriptor)
        }
        let index = open(source.sharedMemoryPath, O_RDWR | O_CLOEXEC)
        guard index >= 0 else {
            guard errno == ENOENT else {
                throw MigrationError(
                    .sourcePermission, "\(FileSystemError("locking", source.sharedMemoryPath))",
                    remedy: "Run howdah as the user that the application runs as.", exit: .usage)
            }
            // Nobody has the database open, and nobody opens it from here on.
            guard lock(descriptor, F_WRLCK, Place.shared, Place.sharedCount),
                access(source.sharedMemoryPath, F_OK) != 0
            else { return nil }
            isKept = true
            return Locks(descriptor: descriptor, log: try WriteAheadLog(source.walPath))
        }
        // An index that was taken away meanwhile is nobody's any more.
        guard lock(index, F_WRLCK, Place.logWriter, 1), isSame(index, source.sharedMemoryPath) else {
            close(index)
            return nil
        }
        isKept = true
        return Locks(descriptor: descriptor, index: index, log: try WriteAheadLog(source.walPath))
    }

    /// Keeps everybody away from a file that is about to be replaced; nil where somebody has it open. In a database with a rollback
    /// journal only who is reading or writing at this moment is seen.
    static func exclusive(_ path: String) -> Exclusive? {
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        guard lock(descriptor, F_WRLCK, Place.shared, Place.sharedCount),
            lock(descriptor, F_WRLCK, Place.reserved, 1)
        else {
            close(descriptor)
            return nil
        }
        return Exclusive(descriptor: descriptor)
    }

    /// A file that nobody else reads or writes for as long as this lives.
    final class Exclusive: Sendable {
        private let descriptor: Int32

        fileprivate init(descriptor: Int32) {
            self.descriptor = descriptor
        }

        deinit { close(descriptor) }
    }

    private static func lock(_ descriptor: Int32, _ kind: Int32, _ start: off_t, _ count: off_t) -> Bool {
        var lock = flock()
        lock.l_type = Int16(kind)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = start
        lock.l_len = count
        lock.l_pid = 0
        return fcntl(descriptor, setOpenFileLock, &lock) == 0
    }

    private static func isSame(_ descriptor: Int32, _ path: String) -> Bool {
        var held = stat()
        var named = stat()
        return fstat(descriptor, &held) == 0 && stat(path, &named) == 0 && held.st_ino == named.st_ino
            && held.st_dev == named.st_dev
    }

    /// Whether the header says that the database has a write-ahead log.
    private static func isLogged(_ descriptor: Int32, _ source: SourceFile) throws -> Bool {
        var versions: [UInt8] = [0, 0]
        guard pread(descriptor, &versions, 2, 18) == 2 else {
            throw MigrationError(
                .sourceTruncated, "\(source.path) has no header any more",
                remedy: "Look at the file: somebody has replaced it.", exit: .usage)
        }
        return versions.contains(2)
    }

    /// A journal that nobody is writing belongs to a transaction that was interrupted: the file holds half of it.
    private static func refuseJournal(_ source: SourceFile) throws {
        let journal = open(source.journalPath, O_RDONLY | O_CLOEXEC)
        guard journal >= 0 else { return }
        defer { close(journal) }
        var first: UInt8 = 0
        guard pread(journal, &first, 1, 0) == 1, first != 0 else { return }
        throw MigrationError(
            .sourceBusy,
            "\(source.journalPath) holds a transaction that was interrupted: SQLite rolls it back when the database is opened next",
            remedy: "Open it once with the application or with sqlite3, and run this again.", exit: .undecided
        )
    }
}
