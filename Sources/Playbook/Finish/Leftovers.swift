import Foundation
import MigrationEngine

/// What finishing removes of a state folder beside its snapshots and the rehearsal: what can be had again, and files with rows of the user's.
struct Leftovers {
    struct Item {
        let words: String
        let remove: () throws -> Void
    }

    let items: [Item]
    /// Exports that stay, and why.
    let kept: [String]

    /// Folders that can be had again, or are for looking at.
    private static let passing = ["catchup", "differences", "plans"]

    /// `snapshots` are all that the state folder has.
    init(_ state: StateFolder, _ snapshots: [Snapshot]) {
        let passing = Self.passing.map { "\(state.path)/\($0)" }
        var items = passing.filter { access($0, F_OK) == 0 }.map { Item($0, removing: [$0]) }
        items += Self.digests(state) + Self.repairs(state)
        var kept: [String] = []
        for name in Self.names("\(state.path)/exports") {
            let path = "\(state.path)/exports/\(name)"
            do {
                items.append(try Self.export(path, state, snapshots))
            } catch {
                kept.append("\(path): \(Playbook.explained(error).message.replacing(path, with: "it"))")
            }
        }
        self.items = items
        self.kept = kept
    }

    private static func digests(_ state: StateFolder) -> [Item] {
        let paths = names("\(state.path)/reports").filter { $0.hasPrefix("digests-") }.map {
            "\(state.path)/reports/\($0)"
        }
        guard !paths.isEmpty else { return [] }
        return [Item("the digests of \(Format.count(paths.count, "target", "targets"))", removing: paths)]
    }

    private static func repairs(_ state: StateFolder) -> [Item] {
        let path = "\(state.path)/repairs"
        guard access(path, F_OK) == 0 else { return [] }
        let count = Format.count(names(path).count, "repair has", "repairs have")
        return [Item("the rows that \(count) replaced, whose undo needs them: \(path)", removing: [path])]
    }

    /// An export with all its files; throws where others are in its folder.
    private static func export(
        _ path: String, _ state: StateFolder, _ snapshots: [Snapshot]
    ) throws -> Item {
        let words = "the export \(path), \(Format.bytes(bytes(path)))"
        if let unended = try ExportStep.unended(path, state, snapshots) {
            return Item(words: words, remove: unended.remove)
        }
        return Item(words: words, remove: try ExportFolder(path: path).delete)
    }

    private static func names(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    /// Of a file, or of all files below a folder.
    fileprivate static func bytes(_ path: String) -> Int64 {
        let names = FileManager.default.subpaths(atPath: path) ?? []
        return ([path] + names.map { "\(path)/\($0)" }).reduce(0) { sum, path in
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return sum }
            return sum + Int64(status.st_size)
        }
    }
}

extension Leftovers.Item {
    fileprivate init(_ words: String, removing paths: [String]) {
        self.init(
            words: "\(words), \(Format.bytes(paths.reduce(0) { $0 + Leftovers.bytes($1) }))",
            remove: { for path in paths { try FileManager.default.removeItem(atPath: path) } })
    }
}
