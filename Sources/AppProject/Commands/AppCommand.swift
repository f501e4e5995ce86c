/// A command of the application's own that howdah runs: its tests, or a service of it.
public struct AppCommand: Sendable, Equatable, Identifiable {
    public enum Kind: String, Sendable, Codable, CaseIterable {
        /// Runs to its end, and its exit status is the answer.
        case test
        /// Runs until it is stopped.
        case service
    }

    /// Tells it from all others of the project: `chat-backend:test:encryption`.
    public let name: String
    public let kind: Kind
    /// As an operator would type it.
    public let run: String
    /// What is started.
    public let words: [String]
    /// Where it runs, relative to the project; empty at its top, `../NAME` for a folder beside it.
    public let folder: String
    /// What says that it is there: a file, relative to the project.
    public let foundIn: String
    /// Whether the operator has added it.
    public let isOwn: Bool

    public var id: String { name }

    public init(
        name: String, kind: Kind, run: String, words: [String], folder: String, foundIn: String,
        isOwn: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.run = run
        self.words = words
        self.folder = folder
        self.foundIn = foundIn
        self.isOwn = isOwn
    }

    /// The folder in words.
    public var place: String { folder.isEmpty ? "the project's folder" : folder }
}
