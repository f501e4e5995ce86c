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
        if let override {
            return try StateFolder(making: absolutePath(override))
        }
        let beside = project.map { "\($0)/.howdah" } ?? "\(source).howdah"
        if let folder = try? StateFolder(making: beside) { return folder }
        let home = environment["HOME"] ?? NSHomeDirectory()
        let base =
            environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "\(home)/.local/state"
        let name = (project ?? source).map {
            $0.isLetter || $0.isNumber || $0 == "." || $0 == "-" ? String($0) : "%"
        }
        return try StateFolder(making: "\(base)/howdah/\(name.joined().suffix(200))")
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
