import Foundation

/// A snapshot that is made from an earlier one, by its pages that differ from a held source.
///
/// The long part, copying the earlier snapshot, is done before the source is held; what is left is to read the source once. Called from
/// one thread.
struct FollowingSnapshot {
    let store: SnapshotStore
    let base: Snapshot
    private let partial: String

    /// Copies the earlier snapshot.
    init(_ store: SnapshotStore, after base: Snapshot) throws {
        self.store = store
        self.base = base
        partial = "\(store.folder)/partial-\(getpid()).db"
        unlink(partial)
        do {
            try FileManager.default.copyItem(atPath: base.path, toPath: partial)
        } catch {
            throw MigrationError(
                .noSpace, "\(base.path) cannot be copied: \(error.localizedDescription)",
                remedy:
                    "Free as much space as the database takes, or name a folder on another disk with --state DIR."
            )
        }
        chmod(partial, 0o600)
        // What the disk has to write of it is written before the source is held.
        let file = open(partial, O_RDONLY)
        fsync(file)
        close(file)
    }

    /// Removes what is left where nothing came of it.
    func remove() { unlink(partial) }

    /// The source as it is now, with the pages that differ.
    ///
    /// `integrity_check` has not been run on it: every page is the source's own, or one of a copy that was checked.
    func take(of hold: SourceHold, _ cancellation: Cancellation) throws -> (
        snapshot: Snapshot, changed: PageSet
    ) {
        let fingerprint = try hold.source.fingerprint()
        let comparison: PageComparison
        do {
            comparison = try PageComparison.bring(partial, to: hold, cancellation)
        } catch is PageComparison.Obstacle {
            throw MigrationError(
                .sourceUnreadable,
                "\(hold.source.path) was rebuilt since the last snapshot: its pages cannot be compared",
                remedy: "Prepare the cutover again: it takes a new snapshot.", exit: .undecided)
        }
        let hash = try sha256(ofFile: partial, cancellation: cancellation)
        let snapshot = try store.keep(partial, sha256: hash, hold.source, nil, [], fingerprint)
        return (snapshot, comparison.changed)
    }
}

extension Snapshot {
    /// Pages of the source that differ from this snapshot; 0 means that nothing has been written since. The source is held
    /// for as long as that takes.
    public func changedPages(_ source: SourceFile, cancellation: Cancellation) throws -> Int {
        let hold = try SourceHold(source, timeout: .seconds(10), cancellation: cancellation)
        return try changedPages(hold, cancellation: cancellation)
    }

    /// The same of a source that is held already.
    public func changedPages(_ hold: SourceHold, cancellation: Cancellation) throws -> Int {
        do {
            return try PageComparison.between(path, hold, cancellation).changed.count
        } catch is PageComparison.Obstacle {
            // Rebuilt with pages of another size.
            return Int(bytes / 512)
        }
    }
}
