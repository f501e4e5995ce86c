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

    /// Moves what is there, with the files beside it, into `folder`, and puts a copy of the snapshot in its place; returns what was done.
    ///
    /// Throws `.sourceBusy` where somebody has the database open. Safe to be repeated after a crash: the file that is put in place is
    /// whole, and bears its name only then.
    public func run(keepingIn folder: String) throws -> [String] {
        try makePrivateFolder(folder)
        var status = stat()
        let isThere = stat(path, &status) == 0
        if isThere { try refuseOpen() }
        let fresh = "\(path).howdah-tmp"
        unlink(fresh)
        do {
            try FileManager.default.copyItem(atPath: snapshot.path, toPath: fresh)
        } catch {
            throw MigrationError(
                .noSpace, "\(snapshot.path) cannot be copied beside \(path): \(error.localizedDescription)",
                remedy: "Free some space there.")
        }
        defer { unlink(fresh) }
        guard try sha256(ofFile: fresh, cancellation: cancellation) == snapshot.sha256 else {
            throw MigrationError(
                .state, "\(snapshot.path) is not what it was: its sha256 is another one",
                remedy: "Take another backup; nothing was changed.")
        }
        if isThere {
            chmod(fresh, status.st_mode & 0o7777)
            _ = chown(fresh, status.st_uid, status.st_gid)
        }
        let file = open(fresh, O_RDONLY)
        fsync(file)
        close(file)
        var done: [String] = []
        let name = (path as NSString).lastPathComponent
        for suffix in [""] + Self.besides where access(path + suffix, F_OK) == 0 {
            let kept = "\(folder)/\(name)\(suffix)"
            try keep(path + suffix, at: kept)
            if suffix.isEmpty { done.append("what was there is kept in \(kept)") }
        }
        // The log belongs to the file that goes: it must be gone before the other one has its name.
        for suffix in Self.besides { unlink(path + suffix) }
        guard rename(fresh, path) == 0 else { throw FileSystemError("restoring", path) }
        syncFolder((path as NSString).deletingLastPathComponent)
        return done + ["\(path) holds the snapshot of \(snapshot.time) again"]
    }

    private func keep(_ from: String, at to: String) throws {
        unlink(to)
        do {
            try FileManager.default.copyItem(atPath: from, toPath: to)
        } catch {
            throw MigrationError(
                .noSpace, "\(from) cannot be kept aside: \(error.localizedDescription)",
                remedy: "Free some space, or name a folder on another disk with --state DIR.")
        }
    }

    /// Throws where another process has the database open.
    private func refuseOpen() throws {
        guard SourceHold.isOpen(path) else { return }
        throw MigrationError(
            .sourceBusy, "\(path) is open in another process, and has to be put back",
            remedy: "Stop the application, and run this again.", exit: .undecided)
    }
}
