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
    private static let linked: Set = [
        "node_modules", "vendor", ".venv", "venv", "target", "dist", "build", ".next",
    ]

    public init(of project: String, at copy: String) {
        from = Files.absolute(project)
        to = Files.absolute(copy)
    }

    /// Brings the copy to what the project is now, but for the files in `edited`, which the rehearsal has changed.
    public func refresh(except edited: Set<String>, cancellation: Cancellation) throws {
        try makePrivateFolder(to)
        try copy("", except: edited, cancellation)
    }

    private func copy(_ folder: String, except edited: Set<String>, _ cancellation: Cancellation) throws {
        for name in Files.names(in: Files.join(from, folder)) {
            try cancellation.check()
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            let (source, target) = (Files.join(from, path), Files.join(to, path))
            if Self.leftOut.contains(name) || name.hasSuffix(".howdah") || source == to
                || edited.contains(path)
            {
                continue
            }
            if Files.isFolder(source) {
                if Self.linked.contains(name) || isLink(source) {
                    try link(target, to: source)
                } else {
                    try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
                    try copy(path, except: edited, cancellation)
                }
            } else {
                try copyFile(source, target)
            }
        }
    }

    private func copyFile(_ source: String, _ target: String) throws {
        var status = stat()
        guard stat(source, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return }
        if Files.isSQLite(source) || ["-wal", "-shm", "-journal"].contains(where: source.hasSuffix) {
            return
        }
        guard status.st_size <= Self.largest else { return try link(target, to: source) }
        guard let data = FileManager.default.contents(atPath: source) else { return }
        if FileManager.default.contents(atPath: target) == data { return }
        unlink(target)
        try writeFile(target, [UInt8](data), mode: status.st_mode & 0o777)
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
