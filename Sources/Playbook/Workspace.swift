import AppProject
import Foundation
import MigrationEngine

/// A source with the folder in which howdah keeps what belongs to it, locked against a second writer.
public struct Workspace: Sendable {
    public let location: SourceLocation
    public let source: SourceFile
    public let state: StateFolder
    /// Shared by copies: let go with the last one.
    private let lock: Lock?

    private final class Lock: Sendable {
        let lock: WriterLock

        init(_ lock: consuming WriterLock) {
            self.lock = lock
        }
    }

    /// Finds the source that `path` means; `state` names the folder where another is wanted.
    ///
    /// Throws `.sourceNotFound` and what `SourceFile` throws; `.locked` where another writer is at work. A reader takes
    /// no lock.
    public init(_ path: String, state override: String?, isWriter: Bool = true) throws {
        let environment = ProcessInfo.processInfo.environment
        let location: SourceLocation
        do {
            location = try ProjectLocator.locate(path, environment: environment)
        } catch {
            throw MigrationError(.sourceNotFound, error.message, remedy: error.remedy, exit: .usage)
        }
        let source = try SourceFile(path: location.databasePath)
        // A file that was named itself keeps its state beside it, whatever project it belongs to.
        let isFolder = absolutePath(path) != source.path
        let state = try StateFolder.open(
            source: source.path, project: isFolder ? location.projectDirectory : nil, override: override,
            environment: environment)
        lock = try isWriter ? Lock(WriterLock(state)) : nil
        self.location = location
        self.source = source
        self.state = state
    }

    /// The project's name, or the file's.
    public var title: String {
        ((location.projectDirectory ?? source.path) as NSString).lastPathComponent
    }
}
