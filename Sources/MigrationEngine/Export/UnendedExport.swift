import Foundation

/// What a killed export has left in a folder: files of the exporter's, without the digests that it writes last.
public struct UnendedExport: Sendable {
    public let path: String
    /// The names of its files, sorted.
    public let files: [String]

    /// Looks into a folder for what an export of `snapshot` has left; nil where there is no folder, or an export that ended.
    ///
    /// Throws `.export`, exit 3, with the name of the first thing there that no such export writes.
    public init?(_ path: String, of snapshot: Snapshot, form: ExportForm, isCompressed: Bool) throws {
        guard access(path, F_OK) == 0, !ExportFolder.isEnded(path) else { return nil }
        self.path = path
        let names = try Self.names(snapshot, form, isCompressed)
        files = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        let foreign = files.first {
            !Self.isWritten($0, names) || !Self.isPlainFile("\(path)/\($0)")
        }
        if let foreign {
            throw MigrationError(
                .export, "\(path) holds an export that did not end, and \(foreign), which is not of it",
                remedy: "Move \(foreign) elsewhere, and run this again: nothing was removed.",
                exit: .undecided)
        }
    }

    /// Deletes the files, then the folder.
    public func remove() throws {
        for name in files {
            guard unlink("\(path)/\(name)") == 0 || errno == ENOENT else {
                throw FileSystemError("deleting", "\(path)/\(name)")
            }
        }
        guard rmdir(path) == 0 else { throw FileSystemError("deleting", path) }
    }

    private static func names(
        _ snapshot: Snapshot, _ form: ExportForm, _ isCompressed: Bool
    ) throws -> Set<String> {
        let ending = ExportManifest.Table.ending(form, isCompressed)
        let tables = try CatalogReader.storedTables(snapshot.open()).enumerated().map {
            tableFileName($0 + 1, $1.name, ending)
        }
        return Set(tables + [ExportManifest.planName, ExportManifest.fileName, ExportManifest.digestName])
    }

    /// Whether a file bears one of the names, or one that it has until it is whole: `NAME.part`, or `NAME.PROCESS.tmp`.
    private static func isWritten(_ name: String, _ names: Set<String>) -> Bool {
        if names.contains(name) { return true }
        if name.hasSuffix(".part") { return names.contains(String(name.dropLast(5))) }
        guard let match = name.wholeMatch(of: /(.+)\.[0-9]+\.tmp/) else { return false }
        return names.contains(String(match.1))
    }

    private static func isPlainFile(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }
}
