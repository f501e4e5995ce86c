import Foundation
import MigrationEngine

/// A copy of a project's files to try edits on. What is large or not the project's own is linked, not copied; databases
/// and version control stay behind.
public struct ProjectCopy {
    private let from: String
    private let to: String

    /// Larger files are no sources; a link shows them.
    private static let largest = 4 << 20
    private static let leftOut: Set = [".git", ".hg", ".svn", ".howdah"]
    private static let linked: Set = ["node_modules", "vendor", ".venv", "venv", "target"]
    /// What a build has made, and makes anew: copied while it is small, so that a build in the copy does not write into the
    /// project.
    private static let made: Set = ["dist", "build", ".next", "out", "coverage"]
    private static let mostMade = (files: 5000, bytes: 64 << 20)

    public init(of project: String, at copy: String) {
        from = Files.absolute(project)
        to = Files.absolute(copy)
    }

    /// Brings the copy to what the project is now, but for the files in `edited`, which the rehearsal has changed, and for
    /// those that somebody has edited in the copy itself; returns the latter.
    @discardableResult
    public func refresh(except edited: Set<String>, cancellation: Cancellation) throws -> [String] {
        try makePrivateFolder(to)
        var work = Work(edited: edited, copied: Self.read(manifest))
        try copy("", &work, cancellation)
        let data = try JSONEncoder().encode(work.now)
        if FileManager.default.contents(atPath: manifest) != data {
            try writeFile(manifest, [UInt8](data), mode: 0o600)
        }
        return work.kept
    }

    private struct Work {
        let edited: Set<String>
        /// What was copied the last time: paths with their sha256.
        let copied: [String: String]
        var now: [String: String] = [:]
        /// Files that were edited in the copy.
        var kept: [String] = []
    }

    /// Beside the copy, so that it is no part of it.
    private var manifest: String { to + ".copied.json" }

    private static func read(_ path: String) -> [String: String] {
        FileManager.default.contents(atPath: path).flatMap {
            try? JSONDecoder().decode([String: String].self, from: $0)
        } ?? [:]
    }

    private func copy(_ folder: String, _ work: inout Work, _ cancellation: Cancellation) throws {
        for name in Files.names(in: Files.join(from, folder)) {
            try cancellation.check()
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            let (source, target) = (Files.join(from, path), Files.join(to, path))
            if Self.leftOut.contains(name) || name.hasSuffix(".howdah") || source == to
                || work.edited.contains(path)
            {
                if work.edited.contains(path) { work.now[path] = work.copied[path] }
                continue
            }
            if Files.isFolder(source) {
                if name == "node_modules", !isLink(source) {
                    try ModuleLinks(of: source, in: from, copiedTo: to).make(at: target)
                } else if Self.linked.contains(name) || isLink(source)
                    || Self.made.contains(name) && !Self.isSmall(source)
                {
                    try link(target, to: source)
                } else {
                    // A link from before would lead the copying into the project itself.
                    if isLink(target) { unlink(target) }
                    try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
                    try copy(path, &work, cancellation)
                }
            } else {
                try copyFile(path, source, target, &work)
            }
        }
    }

    private func copyFile(_ path: String, _ source: String, _ target: String, _ work: inout Work) throws {
        var status = stat()
        guard stat(source, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return }
        if Files.isSQLite(source) || ["-wal", "-shm", "-journal"].contains(where: source.hasSuffix) {
            return
        }
        guard status.st_size <= Self.largest else { return try link(target, to: source) }
        guard let data = FileManager.default.contents(atPath: source) else { return }
        let digest = sha256(of: data)
        work.now[path] = digest
        if let there = FileManager.default.contents(atPath: target) {
            if there == data { return }
            if let before = work.copied[path], sha256(of: there) != before {
                work.now[path] = before
                work.kept.append(path)
                return
            }
        }
        unlink(target)
        try writeFile(target, [UInt8](data), mode: status.st_mode & 0o777)
    }

    private static func isSmall(_ folder: String) -> Bool {
        var (files, bytes) = (0, 0)
        guard let paths = FileManager.default.enumerator(atPath: folder) else { return false }
        while paths.nextObject() != nil {
            files += 1
            bytes += (paths.fileAttributes?[.size] as? NSNumber)?.intValue ?? 0
            if files > mostMade.files || bytes > mostMade.bytes { return false }
        }
        return true
    }

    private func isLink(_ path: String) -> Bool {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil
    }

    private func link(_ path: String, to target: String) throws {
        if (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) == target { return }
        unlink(path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    }
}
