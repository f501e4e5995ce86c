import Foundation
import MigrationEngine

/// What becomes of one file of a project.
public struct FileChange: Sendable, Equatable {
    /// Relative to the project's folder.
    public let path: String
    /// nil where there is no such file yet.
    public let before: [UInt8]?
    /// nil where the file goes.
    public let after: [UInt8]?
    /// Whether it may hold secrets, so that a new one is for its owner alone.
    public let isPrivate: Bool

    /// What becomes of the file, in a word, before it is done and after.
    public var verb: String { before == nil ? "Makes" : after == nil ? "Removes" : "Changes" }
    public var past: String { before == nil ? "made" : after == nil ? "removed" : "changed" }

    public init(_ path: String, before: [UInt8]?, after: [UInt8]?, isPrivate: Bool = false) {
        self.path = path
        self.before = before
        self.after = after
        self.isPrivate = isPrivate
    }
}

/// What is to be done with a project's files, and what is to be known about it.
public struct ProjectEdit: Sendable, Equatable {
    public var changes: [FileChange] = []
    /// What was left as it is, and why; one line each.
    public var notes: [String] = []
    /// What the operator must do, since nothing else can.
    public var byHand: [String] = []

    public init() {}

    /// Changes that come to something: files that move as they are, and the others.
    public var split: (moves: [(from: String, to: String)], others: [FileChange]) {
        var others = changes.filter { $0.before != $0.after }
        var moves: [(from: String, to: String)] = []
        for gone in others where gone.after == nil {
            guard let index = others.firstIndex(where: { $0.before == nil && $0.after == gone.before }) else {
                continue
            }
            moves.append((gone.path, others[index].path))
            others.remove(at: index)
            others.removeAll { $0 == gone }
        }
        return (moves, others)
    }
}

/// A change as the journal keeps it: the bytes themselves are in `originals/`, under their sha256.
public struct ChangeRecord: Codable, Sendable, Equatable {
    public let path: String
    /// nil where there was no such file.
    public let before: String?
    /// nil where the file went.
    public let after: String?
    /// The permissions that it had.
    public let mode: UInt32?

    init(_ change: FileChange, mode: UInt32?) {
        path = change.path
        before = change.before.map { sha256(of: $0) }
        after = change.after.map { sha256(of: $0) }
        self.mode = mode
    }
}
