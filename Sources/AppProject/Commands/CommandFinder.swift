import Foundation

/// Finds the commands by which a project is tested and started. Reads files, and runs nothing.
public struct CommandFinder {
    private let root: String

    public init(root: String) {
        self.root = Files.absolute(root)
    }

    /// All that are found, in the order of the folders, with those of the operator's own last; no name comes twice.
    public func commands(own: [OwnCommand] = []) -> [AppCommand] {
        var names = Set(own.map(\.name))
        let found = folders().flatMap { folder -> [AppCommand] in
            let path = Files.join(root, folder)
            let manifest = Self.manifest(path)
            return (manifest.map { scripts($0, folder) } ?? [])
                + RunnerRule.all.flatMap { commands($0, folder, path) }
        }
        return found.map { command in
            // A script of the top may be called as one of a folder is: the folder's is then written as a path.
            let candidates =
                [command.name]
                + (command.folder.hasPrefix("..") ? ["../\(command.name)"] : ["./\(command.name)"])
            var name = candidates.first { !names.contains($0) } ?? command.name
            var number = 2
            while !names.insert(name).inserted {
                name = "\(command.name)#\(number)"
                number += 1
            }
            return name == command.name
                ? command
                : AppCommand(
                    name: name, kind: command.kind, run: command.run, words: command.words,
                    folder: command.folder, foundIn: command.foundIn)
        } + own.map { $0.command(in: root) }
    }

    /// What names of a folder's commands begin with; nothing at the top.
    private static func prefix(_ folder: String) -> String {
        folder.isEmpty ? "" : (folder.hasPrefix("../") ? String(folder.dropFirst(3)) : folder) + ":"
    }

    // MARK: Scripts of package.json

    private static func manifest(_ folder: String) -> [String: Any]? {
        guard let data = FileManager.default.contents(atPath: "\(folder)/package.json") else { return nil }
        return try? JSONSerialization.jsonObject(with: data) as? [String: Any]
    }

    private func scripts(_ manifest: [String: Any], _ folder: String) -> [AppCommand] {
        let scripts = (manifest["scripts"] as? [String: Any] ?? [:]).compactMapValues { $0 as? String }
        let manager = PackageManager.of(folder: Files.join(root, folder), manifest: manifest)
        let source = folder.isEmpty ? "package.json" : "\(folder)/package.json"
        var commands = scripts.sorted { ScriptRule.order($0.key, $1.key) }.compactMap {
            name, body -> AppCommand? in
            guard let kind = ScriptRule.kind(name, body) else { return nil }
            let words = manager.words(script: name)
            return AppCommand(
                name: Self.prefix(folder) + name, kind: kind, run: words.joined(separator: " "), words: words,
                folder: folder, foundIn: source)
        }
        let dependencies = ["dependencies", "devDependencies"].compactMap { manifest[$0] as? [String: Any] }
        if dependencies.contains(where: { $0["expo"] != nil }) {
            let words = ["npx", "expo", "start", "--localhost"]
            commands.append(
                AppCommand(
                    name: Self.prefix(folder) + "expo", kind: .service, run: words.joined(separator: " "),
                    words: words, folder: folder, foundIn: source))
        }
        return commands
    }

    // MARK: Other runners

    private func commands(_ rule: RunnerRule, _ folder: String, _ path: String) -> [AppCommand] {
        guard let evidence = rule.evidence(path) else { return [] }
        let words = rule.words(path)
        return [
            AppCommand(
                name: Self.prefix(folder) + rule.name, kind: rule.kind, run: words.joined(separator: " "),
                words: words, folder: folder, foundIn: folder.isEmpty ? evidence : "\(folder)/\(evidence)")
        ]
    }

    // MARK: Folders

    /// The project's own folder, those in it, those of its workspaces, and those beside it that belong to one application
    /// with it.
    func folders() -> [String] {
        var folders = [""]
        func add(_ folder: String) { if !folders.contains(folder) { folders.append(folder) } }
        for child in Self.children(root) { add(child) }
        for folder in WorkspaceGlobs(root: root).folders() { add(folder) }
        for sibling in siblings() { add("../\(sibling)") }
        return folders
    }

    private static let most = 60

    private static func children(_ folder: String) -> [String] {
        Files.subfolders(of: folder).map(Files.name)
            .filter { !SourceTree.leftOut.contains($0) && !isLink("\(folder)/\($0)") }.prefix(most).map(
                \.self)
    }

    static func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    /// Words by which the parts of one application are told apart.
    private static let parts = [
        "backend", "frontend", "server", "client", "api", "web", "app", "mobile", "ui", "admin", "service",
        "worker",
    ]

    /// Folders beside the project that belong to it: where the folder above keeps both, or where both have one name but for
    /// the part that they are.
    private func siblings() -> [String] {
        let parent = Files.parent(root)
        guard parent != root, !parent.isEmpty, parent != "/" else { return [] }
        let isTop =
            Files.kind("\(parent)/.git") != .missing || Files.isFile("\(parent)/pnpm-workspace.yaml")
            || Self.manifest(parent)?["workspaces"] != nil
        let stem = Self.stem(Files.name(root))
        return Self.children(parent).filter { name in
            guard name != Files.name(root), Files.isFile("\(parent)/\(name)/package.json") else {
                return false
            }
            return isTop || stem != nil && Self.stem(name) == stem
        }
    }

    /// `chat` of chat-backend, nothing of backend; nil of a name that no part ends.
    private static func stem(_ name: String) -> String? {
        let name = name.lowercased()
        guard
            let part = parts.first(where: {
                name == $0 || name.hasSuffix("-\($0)") || name.hasSuffix("_\($0)")
            })
        else { return nil }
        return String(name.dropLast(part.count).dropLast(name == part ? 0 : 1))
    }
}
