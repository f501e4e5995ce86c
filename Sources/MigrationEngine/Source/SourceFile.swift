import Foundation

/// A SQLite file as it lies on the disk: what can be told without SQLite, and whether it has changed since.
public struct SourceFile: Sendable {
    public let path: String
    /// The file itself, where `path` is a link to it: SQLite keeps its log and its journal beside that one.
    let realPath: String

    /// The state of a file at one moment. Equal states mean that nobody wrote in between.
    struct State: Codable, Equatable, Sendable {
        var size: Int64
        var modified: Int64
        var inode: UInt64
    }

    /// The states of the database and of the files beside it that hold part of its content.
    struct Fingerprint: Codable, Equatable, Sendable {
        var database: State
        var wal: State?
        var journal: State?
    }

    /// Looks at the file's name, kind, permission and first page.
    ///
    /// Throws `.sourceNotFound`, `.sourceIsDirectory`, `.sourceEmpty`, `.sourcePermission`, `.notADatabase` or
    /// `.sourceTruncated`; a file that passes may still be corrupt inside.
    public init(path: String) throws {
        self.path = absolutePath(path)
        realPath =
            realpath(self.path, nil).map { resolved in
                defer { free(resolved) }
                return String(cString: resolved)
            } ?? self.path
        var status = stat()
        guard stat(self.path, &status) == 0 else {
            let isMissing = errno == ENOENT || errno == ENOTDIR
            throw MigrationError(
                isMissing ? .sourceNotFound : .sourcePermission,
                "\(FileSystemError("looking at", self.path))",
                remedy: isMissing ? "Check the path." : "Run howdah as a user who may read the file.",
                exit: .usage)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            throw MigrationError(
                isFolder ? .sourceIsDirectory : .notADatabase,
                "\(self.path) is \(isFolder ? "a folder" : "no regular file")",
                remedy: "Name the SQLite file itself.", exit: .usage)
        }
        guard status.st_size > 0 else {
            throw MigrationError(
                .sourceEmpty, "\(self.path) is empty (0 bytes): there is no database in it",
                remedy: "Check the path; many applications keep their database in a data folder.",
                exit: .usage)
        }
        try checkHeader(size: Int64(status.st_size))
    }

    var walPath: String { realPath + "-wal" }
    var sharedMemoryPath: String { realPath + "-shm" }
    var journalPath: String { realPath + "-journal" }

    /// The states now; throws when the database itself cannot be looked at.
    func fingerprint() throws -> Fingerprint {
        guard let database = Self.state(of: path) else {
            throw MigrationError(
                .sourceNotFound, "\(FileSystemError("looking at", path))",
                remedy: "The file went away while howdah ran; put it back and run this again.")
        }
        func nonEmpty(_ path: String) -> State? { Self.state(of: path).flatMap { $0.size > 0 ? $0 : nil } }
        return Fingerprint(database: database, wal: nonEmpty(walPath), journal: nonEmpty(journalPath))
    }

    /// A text that changes when somebody writes to the file or to the log beside it.
    public func stamp() throws -> String {
        let now = try fingerprint()
        return [now.database, now.wal, now.journal].map { state in
            state.map { "\($0.size):\($0.modified):\($0.inode)" } ?? "-"
        }.joined(separator: " ")
    }

    private static func state(of path: String) -> State? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        #if canImport(Darwin)
            let time = status.st_mtimespec
        #else
            let time = status.st_mtim
        #endif
        return State(
            size: Int64(status.st_size), modified: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec),
            inode: UInt64(status.st_ino))
    }

    // MARK: The header, https://sqlite.org/fileformat.html#the_database_header

    /// Whether the header says that the database is in WAL mode.
    public func isWriteAheadLogged() -> Bool {
        guard let header = try? readHeader(), header.count == 100 else { return false }
        return header[18] == 2 || header[19] == 2
    }

    private func readHeader() throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw MigrationError(
                .sourcePermission, "\(FileSystemError("opening", path))",
                remedy: "Run howdah as a user who may read the file, or change its permissions.", exit: .usage
            )
        }
        defer { close(descriptor) }
        var header = [UInt8](repeating: 0, count: 100)
        let count = pread(descriptor, &header, header.count, 0)
        return Array(header.prefix(max(0, count)))
    }

    private func checkHeader(size: Int64) throws {
        let header = try readHeader()
        guard header.starts(with: Array("SQLite format 3\0".utf8)) else {
            throw MigrationError(
                .notADatabase,
                "\(path) is no SQLite database: it does not begin with \"SQLite format 3\"",
                remedy: "If it is encrypted (SQLCipher, SEE), decrypt it first, for SQLCipher with "
                    + "sqlcipher_export(); otherwise check the path.", exit: .usage)
        }
        func number(_ offset: Int, _ width: Int) -> Int64 {
            header[offset..<offset + width].reduce(0) { $0 << 8 | Int64($1) }
        }
        guard header.count == 100 else { throw truncated(size: size, expected: 512) }
        let pageSize = number(16, 2) == 1 ? 65536 : number(16, 2)
        let hasValidPageCount = number(24, 4) == number(92, 4)
        let expected = number(28, 4) * pageSize
        // A checkpoint that is under way writes the first page first: the log then holds the rest.
        if hasValidPageCount, size < expected, Self.state(of: walPath) == nil,
            Self.state(of: journalPath) == nil
        {
            throw truncated(size: size, expected: expected)
        }
    }

    private func truncated(size: Int64, expected: Int64) -> MigrationError {
        MigrationError(
            .sourceTruncated,
            "\(path) is cut short: it has \(size) bytes, its header says at least \(expected)",
            remedy:
                "Copy it again from where it came from, or recover what is left with sqlite3 FILE .recover.",
            exit: .usage)
    }
}
