import Foundation

/// Puts a snapshot in the place of a source that is gone, damaged, or was written to since.
///
/// Called from one thread, while the application does not run.
public struct SourceReplacement: Sendable {
    let path: String
    let snapshot: Snapshot
    let cancellation: Cancellation

    public init(path: String, snapshot: Snapshot, cancellation: Cancellation) {
        self.path = path
        self.snapshot = snapshot
        self.cancellation = cancellation
    }

    private static let besides = ["-wal", "-shm", "-journal"]

    /// Keeps what is there, with the files beside it, in `folder`, and puts a copy of the snapshot in its place; returns what was done.
    ///
    /// Throws `.sourceBusy` where somebody has the database open; nobody opens it until this returns. Safe to be repeated after a crash:
    /// what is kept is on the disk before anything goes, and the file that is put in place is whole, and bears its name only then.
    public func run(keepingIn folder: String) throws -> [String] {
        try makePrivateFolder(folder)
        let real =
            realpath(path, nil).map { resolved in
                defer { free(resolved) }
                return String(cString: resolved)
            } ?? path
        var status = stat()
        let isThere = stat(real, &status) == 0
        let hold = isThere ? SourceHold.exclusive(real) : nil
        guard !isThere || hold != nil else {
            throw MigrationError(
                .sourceBusy, "\(path) is open in another process, and has to be put back",
                remedy: "Stop the application, and run this again.", exit: .undecided)
        }
        defer { withExtendedLifetime(hold) {} }
        let fresh = "\(real).howdah-tmp"
        unlink(fresh)
        defer { unlink(fresh) }
        try copy(snapshot.path, to: fresh)
        guard try sha256(ofFile: fresh, cancellation: cancellation) == snapshot.sha256 else {
            throw MigrationError(
                .state, "\(snapshot.path) is not what it was: its sha256 is another one",
                remedy: "Take another backup; nothing was changed.")
        }
        if isThere {
            try keepJournalMode(of: real, in: fresh)
            chmod(fresh, status.st_mode & 0o7777)
            _ = chown(fresh, status.st_uid, status.st_gid)
        }
        var done: [String] = []
        let name = (real as NSString).lastPathComponent
        for suffix in [""] + Self.besides where access(real + suffix, F_OK) == 0 {
            let kept = "\(folder)/\(name)\(suffix)"
            unlink(kept)
            try copy(real + suffix, to: kept)
            if suffix.isEmpty { done.append("what was there is kept in \(kept)") }
        }
        syncFolder(folder)
        // The log belongs to the file that goes: it must be gone before the other one has its name.
        for suffix in Self.besides { unlink(real + suffix) }
        guard rename(fresh, real) == 0 else { throw FileSystemError("restoring", path) }
        syncFolder((real as NSString).deletingLastPathComponent)
        return done + ["\(path) holds the snapshot of \(snapshot.time) again"]
    }

    /// A snapshot has no log beside it, whatever the file has that it was taken of: two bytes of the header tell
    /// (https://sqlite.org/fileformat2.html#file_format_version_numbers).
    private func keepJournalMode(of real: String, in fresh: String) throws {
        var versions: [UInt8] = [0, 0]
        let old = open(real, O_RDONLY | O_CLOEXEC)
        guard old >= 0 else { throw FileSystemError("reading", real) }
        let isRead = pread(old, &versions, 2, 18) == 2
        close(old)
        guard isRead, versions == [2, 2] else { return }
        let file = open(fresh, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw FileSystemError("writing", fresh) }
        defer { close(file) }
        guard pwrite(file, versions, 2, 18) == 2, fsync(file) == 0 else {
            throw FileSystemError("writing", fresh)
        }
    }

    /// Copies a file, and waits for the disk.
    private func copy(_ from: String, to: String) throws {
        do {
            try FileManager.default.copyItem(atPath: from, toPath: to)
        } catch {
            throw MigrationError(
                .noSpace, "\(from) cannot be copied to \(to): \(error.localizedDescription)",
                remedy: "Free some space there, or name a folder on another disk with --state DIR.")
        }
        let file = open(to, O_RDONLY)
        guard file >= 0 else { throw FileSystemError("reading", to) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw FileSystemError("writing", to) }
    }
}
