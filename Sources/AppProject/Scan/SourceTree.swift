import Foundation

/// The source files of a project: what is in a language that is read, and neither ignored, nor made, nor somebody else's.
struct SourceTree {
    let root: String

    /// Folders of what others have written, or what a build has made.
    static let leftOut: Set = [
        "node_modules", "bower_components", "vendor", "dist", "build", "out", "target", "coverage",
        "__pycache__",
        "venv", ".venv", "site-packages", "tmp", "log", "logs",
    ]
    /// Larger files are generated, or data.
    private static let largest = 2 << 20

    /// Their paths relative to the root, sorted. `isOver` ends the search early.
    func files(isOver: () -> Bool = { false }) -> [String] {
        var found: [String] = []
        walk("", [], &found, isOver)
        return found
    }

    private func walk(
        _ folder: String, _ ignores: [(folder: String, rules: Gitignore)], _ found: inout [String],
        _ isOver: () -> Bool
    ) {
        if isOver() { return }
        var ignores = ignores
        if let text = Files.text(Files.join(root, folder.isEmpty ? ".gitignore" : "\(folder)/.gitignore")) {
            ignores.append((folder, Gitignore(text)))
        }
        for name in Files.names(in: Files.join(root, folder)) {
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            let file = "\(root)/\(path)"
            var status = stat()
            guard lstat(file, &status) == 0 else { continue }
            let kind = status.st_mode & S_IFMT
            if kind == S_IFDIR {
                guard !name.hasPrefix("."), !Self.leftOut.contains(name), !name.hasSuffix(".howdah"),
                    !Self.isArchive(path), !isIgnored(path, isFolder: true, ignores)
                else { continue }
                walk(path, ignores, &found, isOver)
            } else if kind == S_IFREG, Language.of(name) != nil, status.st_size <= Self.largest,
                !name.contains(".min."), !name.hasSuffix(".d.ts"), !isIgnored(path, isFolder: false, ignores)
            {
                found.append(path)
            }
        }
    }

    /// Migrations of the database before: they stay as they were.
    private static func isArchive(_ path: String) -> Bool {
        path.hasSuffix("prisma/migrations") || path.hasSuffix("migrations_sqlite")
    }

    private func isIgnored(
        _ path: String, isFolder: Bool, _ ignores: [(folder: String, rules: Gitignore)]
    ) -> Bool {
        for (folder, rules) in ignores.reversed() {
            let inner = folder.isEmpty ? path : String(path.dropFirst(folder.count + 1))
            if let verdict = rules.verdict(inner, isFolder: isFolder) { return verdict }
        }
        return false
    }
}
