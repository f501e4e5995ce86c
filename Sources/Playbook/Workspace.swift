import AppProject
import Foundation
import MigrationEngine

/// A source with the folder in which howdah keeps what belongs to it, locked against a second writer.
public struct Workspace: Sendable {
    public let location: SourceLocation
    public let source: SourceFile
    public let state: StateFolder
    /// What commands are given to mean it: the project's folder, or the file.
    public let openPath: String
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
    /// An export's folder means the database that was rebuilt from it, with that import's state.
    ///
    /// Throws `.sourceNotFound` and what `SourceFile` throws, `.export` where nothing was imported of an export; `.locked` where another writer is at work. A reader takes
    /// no lock.
    public init(_ path: String, state override: String?, isWriter: Bool = true) throws {
        let environment = ProcessInfo.processInfo.environment
        if let place = try ImportedSource.find(path, state: override, environment: environment) {
            let state = try StateFolder.open(
                source: place.databasePath, project: nil, override: place.statePath, environment: environment)
            source = try SourceFile(path: place.databasePath)
            location = SourceLocation(
                rebuilt: source.path, hints: Self.remembered(source.path, place.statePath)?.hints,
                evidence: ["rebuilt from an export by howdah import"])
            self.state = state
            openPath = place.export ?? source.path
            lock = try isWriter ? Lock(WriterLock(state)) : nil
            return
        }
        let location = try Self.locate(path, state: override, environment)
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
        openPath = isFolder ? location.projectDirectory ?? source.path : source.path
        if isWriter { try remember() }
    }

    /// A source that was rebuilt from an export, in the state folder that `lock` is of; `hints` is what its project said.
    public init(
        rebuilt path: String, hints: SchemaHints?, evidence: [String], state: StateFolder,
        lock: consuming WriterLock
    ) throws {
        source = try SourceFile(path: path)
        location = SourceLocation(rebuilt: source.path, hints: hints, evidence: evidence)
        self.state = state
        self.lock = Lock(lock)
        openPath = source.path
        try remember()
    }

    /// Throws where a file is named whose project keeps howdah's state of it, and the file has none of its own: nothing would be known of
    /// what was done. Makes no folder.
    public static func refuseFileOfProject(_ path: String, state override: String?) throws {
        let file = absolutePath(path)
        let folder = (file as NSString).deletingLastPathComponent
        let project = [folder, (folder as NSString).deletingLastPathComponent].first { place in
            access("\(place)/.howdah/\(memory)", F_OK) == 0 && remembered(place, nil)?.databasePath == file
        }
        guard override == nil, access("\(file).howdah", F_OK) != 0, let project else { return }
        throw MigrationError(
            .state, "what howdah knows of \(file) is kept with its project, in \(project)/.howdah",
            remedy:
                "Name the project: \(project). For a state of the file's own, name its folder with --state DIR.",
            exit: .usage)
    }

    // MARK: What the project said before it was changed

    private static let memory = "location.json"

    /// Where the source is and what its project says of it. Once the project leads to PostgreSQL, it no longer tells: then what
    /// it said before counts.
    private static func locate(
        _ path: String, state override: String?, _ environment: [String: String]
    ) throws -> SourceLocation {
        let path = absolutePath(path)
        let before = remembered(path, override)
        do {
            let location = try ProjectLocator.locate(path, environment: environment)
            guard location.hints == nil, let before else { return location }
            // A file that was named is that file.
            return before.databasePath == location.databasePath || location.databasePath != path
                ? before : location
        } catch {
            if let before { return before }
            throw MigrationError(.sourceNotFound, error.message, remedy: error.remedy, exit: .usage)
        }
    }

    private static func remembered(_ path: String, _ override: String?) -> SourceLocation? {
        let below = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        let folders =
            override.map { [$0] }
            ?? (["\(path).howdah", "\(path)/.howdah"] + below.sorted().map { "\(path)/\($0)/.howdah" })
        let found = folders.compactMap { folder -> SourceLocation? in
            FileManager.default.contents(atPath: "\(folder)/\(memory)").flatMap {
                try? JSONDecoder().decode(SourceLocation.self, from: $0)
            }
        }
        // Of several nobody knows which one is meant.
        guard found.count == 1, let location = found.first, access(location.databasePath, R_OK) == 0 else {
            return nil
        }
        return location
    }

    private func remember() throws {
        guard location.hints != nil else { return }
        let text = Journal.encode(location)
        guard FileManager.default.contents(atPath: "\(state.path)/\(Self.memory)") != Data(text.utf8) else {
            return
        }
        try state.write(text, to: Self.memory)
    }

    /// The project's name, or the file's.
    public var title: String {
        ((location.projectDirectory ?? source.path) as NSString).lastPathComponent
    }
}
