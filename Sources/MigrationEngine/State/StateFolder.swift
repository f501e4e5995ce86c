import Foundation

/// The folder in which howdah keeps what belongs to one source: snapshots, plan, rehearsal, lock.
///
/// For the owner alone (0700), ignored by git, never shared by two databases.
public struct StateFolder: Sendable {
    public let path: String

    /// The folder for `source`: `override` where given, else `.howdah/` in the project, else `NAME.db.howdah/`
    /// beside the file; where that cannot be written, a folder under `$XDG_STATE_HOME/howdah/`.
    public static func open(
        source: String, project: String?, override: String?, environment: [String: String]
    ) throws -> StateFolder {
        let places = places(source: source, project: project, override: override, environment: environment)
        for place in places.dropLast() {
            if let folder = try? StateFolder(making: place) { return folder }
        }
        return try StateFolder(making: places.last ?? "\(source).howdah")
    }

    /// The folder for `source`, and whether it was not there before.
    public static func opening(
        source: String, override: String?, environment: [String: String]
    ) throws -> (folder: StateFolder, isNew: Bool) {
        let there = places(source: source, project: nil, override: override, environment: environment)
            .filter { access($0, F_OK) == 0 }
        let folder = try open(source: source, project: nil, override: override, environment: environment)
        return (folder, !there.contains(folder.path))
    }

    /// Where the folder for `source` may be, in the order in which `open` tries to make it.
    static func places(
        source: String, project: String?, override: String?, environment: [String: String]
    ) -> [String] {
        if let override { return [absolutePath(override)] }
        let home = environment["HOME"] ?? NSHomeDirectory()
        let base =
            environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "\(home)/.local/state"
        let name = (project ?? source).map {
            $0.isLetter || $0.isNumber || $0 == "." || $0 == "-" ? String($0) : "%"
        }
        return [
            project.map { "\($0)/.howdah" } ?? "\(source).howdah",
            "\(base)/howdah/\(name.joined().suffix(200))",
        ]
    }

    init(making path: String) throws {
        self.path = path
        do {
            try makePrivateFolder(path)
            guard access(path, W_OK) == 0 else { throw FileSystemError("writing to", path) }
            let ignore = "\(path)/.gitignore"
            if access(ignore, F_OK) != 0 { try writePrivateFile(ignore, "*\n") }
        } catch let error as FileSystemError {
            throw MigrationError(
                .state, "howdah cannot keep its state: \(error)",
                remedy: "Name a folder that can be written with --state DIR.", exit: .usage)
        }
    }

    /// A folder inside of this one, made when absent.
    public func folder(_ name: String) throws -> String {
        let inner = "\(path)/\(name)"
        try makePrivateFolder(inner)
        return inner
    }

    /// Writes a file of the folder for the owner alone, in one step.
    public func write(_ text: String, to name: String) throws {
        try writePrivateFile("\(path)/\(name)", text)
    }

    public var planPath: String { "\(path)/plan.yaml" }
}

/// `path` from the root of the file system; symbolic links stay as they are.
public func absolutePath(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.path
}
