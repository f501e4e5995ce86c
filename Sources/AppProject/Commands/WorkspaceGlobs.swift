import Foundation
import Yams

/// The folders that a project's workspaces name: `workspaces` of package.json, or pnpm-workspace.yaml.
struct WorkspaceGlobs {
    let root: String

    private static let deepest = 5
    private static let most = 200

    /// Relative to the root, sorted; folders without a package.json are none.
    func folders() -> [String] {
        let globs = self.globs()
        let wanted = globs.filter { !$0.hasPrefix("!") }.map(Self.parts)
        let unwanted = globs.filter { $0.hasPrefix("!") }.map { Self.parts(String($0.dropFirst())) }
        guard !wanted.isEmpty else { return [] }
        var found: [String] = []
        walk([], &found) { path in
            wanted.contains { Self.matches(path[...], $0[...]) }
                && !unwanted.contains { Self.matches(path[...], $0[...]) }
        }
        return found
    }

    private func globs() -> [String] {
        if let text = Files.text("\(root)/pnpm-workspace.yaml"),
            let yaml = try? Yams.load(yaml: text) as? [String: Any]
        {
            return (yaml["packages"] as? [Any] ?? []).compactMap { $0 as? String }
        }
        guard let data = FileManager.default.contents(atPath: "\(root)/package.json"),
            let manifest = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
        else { return [] }
        let list =
            manifest["workspaces"] as? [Any] ?? (manifest["workspaces"] as? [String: Any])?["packages"]
            as? [Any]
        return (list ?? []).compactMap { $0 as? String }
    }

    private static func parts(_ glob: String) -> [String] {
        glob.split(separator: "/").map(String.init).filter { $0 != "." }
    }

    private func walk(_ path: [String], _ found: inout [String], _ isWanted: ([String]) -> Bool) {
        guard path.count < Self.deepest, found.count < Self.most else { return }
        for folder in Files.subfolders(of: Files.join(root, path.joined(separator: "/"))) {
            // Links would lead in circles.
            guard !CommandFinder.isLink(folder) else { continue }
            let inner = path + [Files.name(folder)]
            if isWanted(inner), Files.isFile("\(folder)/package.json") {
                found.append(inner.joined(separator: "/"))
            }
            walk(inner, &found, isWanted)
        }
    }

    /// `*` stands for a part of a name, `**` for any number of folders.
    static func matches(_ path: ArraySlice<String>, _ glob: ArraySlice<String>) -> Bool {
        guard let first = glob.first else { return path.isEmpty }
        if first == "**" {
            return matches(path, glob.dropFirst()) || !path.isEmpty && matches(path.dropFirst(), glob)
        }
        guard let name = path.first else { return false }
        return fnmatch(first, name, 0) == 0 && matches(path.dropFirst(), glob.dropFirst())
    }
}
