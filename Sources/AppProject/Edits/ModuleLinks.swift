import Foundation
import MigrationEngine

/// A project's node_modules as a copy of the project sees them.
///
/// One link to the folder is enough, but for a workspace: there node_modules has links to the workspace's own packages, and
/// through the one link the copy would run the project's own code. Then the copy gets a folder of links, those to its own
/// packages leading to their copies.
struct ModuleLinks {
    private let modules: String
    private let project: String
    private let copy: String

    init(of modules: String, in project: String, copiedTo copy: String) {
        self.modules = modules
        self.project = project
        self.copy = copy
    }

    func make(at target: String) throws {
        let own = entries().compactMap { entry in
            Self.real("\(modules)/\(entry)").flatMap(inCopy).map { (entry, $0) }
        }
        if own.isEmpty {
            if !isLink(target) { try? FileManager.default.removeItem(atPath: target) }
            return try link(target, to: modules)
        }
        if isLink(target) { unlink(target) }
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        let places = Dictionary(own) { first, _ in first }
        let wanted = entries(withHidden: true)
        for entry in wanted {
            let path = "\(target)/\(entry)"
            if entry.contains("/") {
                let scope = Files.parent(path)
                if isLink(scope) { unlink(scope) }
                try FileManager.default.createDirectory(atPath: scope, withIntermediateDirectories: true)
            }
            try link(path, to: places[entry] ?? "\(modules)/\(entry)")
        }
        // What was taken out of the project goes out of the copy; what a run has made there is no link, and stays.
        let known = Set(wanted)
        for name in Files.names(in: target) where !known.contains(name) && isLink("\(target)/\(name)") {
            unlink("\(target)/\(name)")
        }
    }

    /// Packages, those of a scope as `@scope/name`.
    private func entries(withHidden: Bool = false) -> [String] {
        Files.names(in: modules).flatMap { name -> [String] in
            if name.hasPrefix(".") { return withHidden ? [name] : [] }
            guard name.hasPrefix("@"), !isLink("\(modules)/\(name)") else { return [name] }
            return Files.names(in: "\(modules)/\(name)").map { "\(name)/\($0)" }
        }
    }

    private static func real(_ path: String) -> String? {
        guard (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil else { return nil }
        return URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }

    /// Where the copy has a folder of the project's own; nil for what lies elsewhere, or in node_modules itself.
    private func inCopy(_ path: String) -> String? {
        let top = URL(fileURLWithPath: project).resolvingSymlinksInPath().path + "/"
        guard path.hasPrefix(top) else { return nil }
        let inner = String(path.dropFirst(top.count))
        guard !inner.split(separator: "/").contains("node_modules") else { return nil }
        return Files.join(copy, inner)
    }

    private func isLink(_ path: String) -> Bool { CommandFinder.isLink(path) }

    private func link(_ path: String, to target: String) throws {
        if (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) == target { return }
        unlink(path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    }
}
