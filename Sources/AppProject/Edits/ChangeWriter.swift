import Foundation
import MigrationEngine

/// Writes changes to a project's files so that each can be taken back, whenever it is stopped.
///
/// The bytes that are there go into `originals/` under their sha256 first; then the journal notes every change; only then
/// are files written, each in one step. Undoing goes by the journal's notes: a file that holds neither what was there nor
/// what was written has been edited since, and is not overwritten unasked.
public struct ChangeWriter: Sendable {
    /// The project's folder, absolute.
    let root: String
    /// The folder that keeps originals, for its owner alone.
    let originals: String

    public init(root: String, state: StateFolder) throws {
        self.root = root
        originals = try state.folder("originals")
    }

    // MARK: Writing

    /// Makes the changes; `note` gets their records before the first file is written, and must have them on the disk when
    /// it returns. Throws `.projectFile` where a file is not as it was when the changes were worked out; nothing is
    /// written then.
    public func write(_ changes: [FileChange], note: ([ChangeRecord]) throws -> Void) throws {
        let changes = changes.filter { $0.before != $0.after }
        for change in changes where try content(change.path) != change.before {
            throw MigrationError(
                .projectFile, "\(absolute(change.path)) has changed in this moment",
                remedy: "Nothing was written. Look at the preview again.")
        }
        for change in changes {
            // What is written may hold a password: only what was there is kept.
            if let before = change.before { try keep(before) }
        }
        try note(changes.map { ChangeRecord($0, mode: mode(of: $0.path)) })
        for change in changes {
            try put(change.after, at: change.path, mode: change.isPrivate ? 0o600 : newFileMode)
        }
    }

    // MARK: The way back

    /// What the undo of changes does to one file.
    public struct Reversal: Sendable, Equatable {
        public let path: String
        /// The sha256 of what comes back; nil where the file goes.
        let original: String?
        /// The permissions of a file that comes back.
        let mode: UInt32?
        /// Whether the file holds what the user has written since.
        public let isConflict: Bool
        /// nil where it is gone.
        let current: [UInt8]?

        /// Tells apart what is shown and what has been written since.
        public var identity: String { "\(path)\0\(current.map { sha256(of: $0) } ?? "")" }

        public var words: String { original == nil ? "removes \(path)" : "brings \(path) back" }
    }

    /// What is to be done to undo `records`, oldest first; files that are as they were before are left out.
    public func reversals(_ records: [ChangeRecord]) throws -> [Reversal] {
        var order: [String] = []
        var known: [String: Set<String?>] = [:]
        var originals: [String: ChangeRecord] = [:]
        for record in records {
            if known[record.path] == nil {
                order.append(record.path)
                originals[record.path] = record
            }
            known[record.path, default: []].formUnion([record.before, record.after])
        }
        return try order.reversed().compactMap { path in
            let original = originals[path]?.before
            let bytes = try content(path)
            let digest = bytes.map { sha256(of: $0) }
            guard digest != original else { return nil }
            let isKnown = known[path]?.contains(digest) ?? false
            return Reversal(
                path: path, original: original, mode: originals[path]?.mode, isConflict: !isKnown,
                current: bytes)
        }
    }

    /// Brings back what was there; returns what was done, in words.
    ///
    /// Throws `.projectFile` where files were edited since, but for those whose identity is in `overwriting`; what they hold
    /// is kept in `originals/` then. Safe to be repeated after a crash.
    public func undo(_ records: [ChangeRecord], overwriting: Set<String> = []) throws -> [String] {
        let reversals = try check(records, overwriting: overwriting)
        for record in records { unlink(temporary(file(record.path))) }
        var words: [String] = []
        for reversal in reversals {
            if let current = reversal.current, reversal.isConflict { try keep(current) }
            try put(
                try reversal.original.map(kept), at: reversal.path,
                mode: reversal.mode.map { mode_t($0) } ?? newFileMode)
            words.append(reversal.original == nil ? "removed \(reversal.path)" : "\(reversal.path) is back")
            if reversal.isConflict, let current = reversal.current {
                words.append(
                    "what you had written in \(reversal.path) is in \(originals)/\(sha256(of: current))")
            }
        }
        let left = try self.reversals(records)
        guard left.isEmpty else {
            throw MigrationError(
                .projectFile, "not as it was: \(left.map(\.path).joined(separator: ", "))",
                remedy: "Somebody writes to these files at the same time; undo again.")
        }
        return words.isEmpty ? ["every file is as it was"] : words
    }

    /// What changes have made of files that are not back yet, each once.
    public func written(
        _ records: [ChangeRecord]
    ) throws -> [(path: String, change: FileChange, isEdited: Bool)] {
        try reversals(records).reversed().map { reversal in
            let change = FileChange(
                reversal.path, before: try reversal.original.map(kept), after: reversal.current)
            return (reversal.path, change, reversal.isConflict)
        }
    }

    /// Records of the way back from `records`, to be noted before it is gone: what follows finds the files as they were.
    public func reversed(_ records: [ChangeRecord]) throws -> [ChangeRecord] {
        try reversals(records).map { reversal in
            ChangeRecord(
                FileChange(
                    reversal.path, before: reversal.current, after: try reversal.original.map(kept)),
                mode: mode(of: reversal.path))
        }
    }

    /// Throws where the undo would overwrite what was written since.
    @discardableResult
    public func check(_ records: [ChangeRecord], overwriting: Set<String>) throws -> [Reversal] {
        let reversals = try reversals(records)
        let conflicts = reversals.filter { $0.isConflict && !overwriting.contains($0.identity) }
        guard conflicts.isEmpty else {
            let paths = conflicts.map { absolute($0.path) }.joined(separator: ", ")
            throw MigrationError(
                .projectFile, "edited since howdah wrote it: \(paths)",
                remedy:
                    "Nothing was written. Keep your edits elsewhere, or undo again and say that they may be overwritten: "
                    + "they are kept in \(originals) then.", exit: .undecided)
        }
        return reversals
    }

    // MARK: Files

    private func absolute(_ path: String) -> String { Files.join(root, path) }

    /// The bytes of a file; nil where there is none.
    private func content(_ path: String) throws -> [UInt8]? {
        let file = absolute(path)
        guard Files.kind(file) != .missing else { return nil }
        guard let data = FileManager.default.contents(atPath: file), Files.isFile(file) else {
            throw FileSystemError("reading", file, code: Files.isFile(file) ? EACCES : EISDIR)
        }
        return [UInt8](data)
    }

    /// Keeps bytes under their digest, for the owner alone.
    private func keep(_ bytes: [UInt8]) throws {
        let path = "\(originals)/\(sha256(of: bytes))"
        guard !Files.isFile(path) else { return }
        try writeFile(path, bytes, mode: 0o600)
    }

    private func kept(_ digest: String) throws -> [UInt8] {
        let path = "\(originals)/\(digest)"
        guard let data = FileManager.default.contents(atPath: path), sha256(of: data) == digest else {
            throw MigrationError(
                .projectFile, "the original is not in \(path), or is damaged",
                remedy: "Take it from your version control or your backup.")
        }
        return [UInt8](data)
    }

    private func mode(of path: String) -> UInt32? {
        var status = stat()
        return stat(absolute(path), &status) == 0 ? UInt32(status.st_mode & 0o7777) : nil
    }

    private var newFileMode: mode_t {
        let mask = umask(0)
        umask(mask)
        return 0o666 & ~mask
    }

    /// Writes a file as it is to be, by way of a link where there is one; one that is there keeps its mode and its owner.
    private func put(_ bytes: [UInt8]?, at path: String, mode: mode_t) throws {
        let file = file(path)
        guard let bytes else {
            guard unlink(file) == 0 || errno == ENOENT else { throw FileSystemError("removing", file) }
            removeEmptyFolders(from: Files.parent(file))
            return
        }
        try FileManager.default.createDirectory(
            atPath: Files.parent(file), withIntermediateDirectories: true)
        var status = stat()
        guard stat(file, &status) == 0 else {
            return try writeFile(file, bytes, mode: mode, temporary: temporary(file))
        }
        try writeFile(
            file, bytes, mode: status.st_mode & 0o7777, owner: (status.st_uid, status.st_gid),
            temporary: temporary(file))
    }

    /// The file itself, where a link leads to it.
    private func file(_ path: String) -> String {
        URL(fileURLWithPath: absolute(path)).resolvingSymlinksInPath().path
    }

    /// One name for all attempts: what a killed one has left is written over, or goes.
    private func temporary(_ file: String) -> String { "\(file).howdah-tmp" }

    /// A folder that a file has left empty goes with it, but never the project's own.
    private func removeEmptyFolders(from folder: String) {
        var folder = folder
        let top = URL(fileURLWithPath: root).resolvingSymlinksInPath().path
        while folder.hasPrefix(top + "/"), rmdir(folder) == 0 { folder = Files.parent(folder) }
    }
}
