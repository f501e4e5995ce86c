import Foundation
import MigrationEngine

/// Where a command's folder lies, seen from the project.
enum CommandPlace: Equatable {
    /// The project's own folder, or one below it, relative to it.
    case inside(String)
    /// A folder that has the project in it.
    case above(String)
    case beside(String)

    /// Links in the way are followed where there are any: what a name says is not where it leads.
    init(_ folder: String, of project: String) {
        let path = absolutePath("\(project)/\(folder)")
        let (real, top) = (Self.real(path), Self.real(project))
        if real == top || real.hasPrefix(top + "/") {
            // As it was written: below the project's copy the same links lie.
            self = .inside(
                path.hasPrefix(project + "/")
                    ? String(path.dropFirst(project.count + 1))
                    : String(real.dropFirst(top.count + 1)))
        } else if real == "/" || top.hasPrefix(real + "/") {
            self = .above(path)
        } else {
            self = .beside(path.hasPrefix(project + "/") ? real : path)
        }
    }

    func path(of project: String) -> String {
        switch self {
        case .inside(let rest): rest.isEmpty ? project : "\(project)/\(rest)"
        case .above(let path), .beside(let path): path
        }
    }

    /// Refuses a folder that has the project in it: a rehearsal would copy all that lies there.
    static func check(_ folder: String, of project: String, name: String) throws {
        guard case .above(let path) = CommandPlace(folder, of: project) else { return }
        throw MigrationError(
            .projectFile,
            "\(name) would run in \(path), which has the project in it: a rehearsal would copy all of it",
            remedy: "Name a folder of the project, or one beside it; the command itself may say cd.",
            exit: .usage)
    }

    private static func real(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
