import Foundation
import MigrationEngine

/// What finishing removes of a state folder beside its snapshots and the rehearsal: what can be had again, and files with rows of the user's.
/// Only what howdah has made, as `OwnFiles` knows it, and an export of step 3.1 only as it was written.
struct Leftovers {
    struct Item {
        let words: String
        let remove: () throws -> Void
    }

    private(set) var items: [Item] = []
    /// What stays, and why.
    private(set) var kept: [String] = []

    /// `snapshots` are all that the state folder has. Reads every file of its exports; throws where that is cancelled.
    init(_ state: StateFolder, _ snapshots: [Snapshot], cancellation: Cancellation) throws {
        add("\(state.path)/catchup", isOwn: OwnFiles.isChanges)
        add("\(state.path)/differences", isOwn: OwnFiles.isDifferences)
        add("\(state.path)/plans") { OwnFiles.isPlan("\(state.path)/plans/\($0)") }
        addDigests("\(state.path)/reports")
        addRepairs("\(state.path)/repairs")
        addToday(state)
        for name in OwnFiles.names("\(state.path)/exports") {
            try addExport(name, state, snapshots, cancellation)
        }
    }

    /// A folder that is howdah's alone.
    private mutating func add(_ path: String, isOwn: (String) -> Bool) {
        guard let files = OwnFiles(in: path, isOwn: isOwn) else { return }
        kept += files.foreign
        // An empty one goes too.
        guard !files.paths.isEmpty || files.foreign.isEmpty else { return }
        items.append(Item("\(path), \(Format.bytes(Self.bytes(files.paths)))", files.remove))
    }

    /// Other reports stay, and nothing is said of them.
    private mutating func addDigests(_ path: String) {
        guard let files = OwnFiles(in: path, isOwn: OwnFiles.isDigests) else { return }
        kept += files.foreign.filter { $0.hasPrefix("\(path)/digests-") || $0.hasPrefix("\(path): ") }
        guard !files.paths.isEmpty else { return }
        let bytes = Format.bytes(Self.bytes(files.paths))
        items.append(
            Item(
                "the digests of \(Format.count(files.paths.count, "target", "targets")), \(bytes)",
                files.remove))
    }

    private mutating func addRepairs(_ path: String) {
        guard OwnFiles.kind(path) != nil else { return }
        guard OwnFiles.kind(path) == S_IFDIR else {
            return kept.append("\(path): it is no folder, and a link is not followed")
        }
        let names = OwnFiles.names(path)
        let folders = names.filter { OwnFiles.isRepair($0) && OwnFiles.kind("\(path)/\($0)") == S_IFDIR }
        let files = folders.compactMap { OwnFiles(in: "\(path)/\($0)", isOwn: OwnFiles.isOfRepair) }
        kept += names.filter { !folders.contains($0) }.map { "\(path)/\($0): howdah has not made it" }
        kept += files.flatMap(\.foreign)
        guard !folders.isEmpty || names.isEmpty else { return }
        let count = Format.count(folders.count, "repair has", "repairs have")
        let bytes = Format.bytes(Self.bytes(files.flatMap(\.paths)))
        items.append(
            Item("the rows that \(count) replaced, whose undo needs them: \(path), \(bytes)") {
                for file in files { try file.remove() }
                rmdir(path)
            })
    }

    /// What a repair that was killed has left of the source as it was then.
    private mutating func addToday(_ state: StateFolder) {
        let path = Repair.todayPath(state)
        guard OwnFiles.kind(path) != nil else { return }
        guard OwnFiles.kind(path) == S_IFDIR else {
            return kept.append("\(path): it is no folder, and a link is not followed")
        }
        let files = (FileManager.default.subpaths(atPath: path) ?? []).map { "\(path)/\($0)" }
        items.append(
            Item(
                "the copy of the database that a repair has left: \(path), \(Format.bytes(Self.bytes(files)))"
            ) { Repair.removeToday(state) })
    }

    /// An export of step 3.1 with all its files; another one, and one that is not what was written, stays.
    private mutating func addExport(
        _ name: String, _ state: StateFolder, _ snapshots: [Snapshot], _ cancellation: Cancellation
    ) throws {
        let path = "\(state.path)/exports/\(name)"
        guard OwnFiles.kind(path) == S_IFDIR else {
            return kept.append("\(path): it is no folder, and a link is not followed")
        }
        guard OwnFiles.isExport(name) else { return kept.append("\(path): step 3.1 has not made it") }
        let files = OwnFiles.names(path).map { "\(path)/\($0)" }
        let words = "the export \(path), \(Format.bytes(Self.bytes(files)))"
        do {
            if let unended = try ExportStep.unended(path, state, snapshots) {
                return items.append(Item(words, unended.remove))
            }
            let export = try ExportFolder(path: path)
            try export.checkFiles(cancellation: cancellation)
            items.append(Item(words, export.delete))
        } catch {
            try cancellation.check()
            kept.append("\(path): \(Playbook.explained(error).message.replacing(path, with: "it"))")
        }
    }

    private static func bytes(_ paths: [String]) -> Int64 {
        paths.reduce(0) { sum, path in
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return sum }
            return sum + Int64(status.st_size)
        }
    }
}

extension Leftovers.Item {
    fileprivate init(_ words: String, _ remove: @escaping () throws -> Void) {
        self.init(words: words, remove: remove)
    }
}
