import Foundation

/// An export as it lies in a folder: its manifest, held against its own digest, and no file that is not of it.
public struct ExportFolder: Sendable {
    public let path: String
    public let manifest: ExportManifest
    /// Of `manifest.json`: tells one export from another.
    public let sha256: String
    /// The plan that the export was written with.
    public let plan: String

    /// Reads the manifest; throws `.export` with the file's name where something is missing, edited or of another origin.
    public init(path: String) throws {
        self.path = absolutePath(path)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: self.path, isDirectory: &isFolder), isFolder.boolValue
        else {
            throw MigrationError(
                .export, "\(path) is no folder", remedy: "Name the folder that howdah export has made.",
                exit: .usage)
        }
        do {
            let text = try Self.content(ExportManifest.fileName, in: self.path)
            let note = try Self.content(ExportManifest.digestName, in: self.path)
            sha256 = MigrationEngine.sha256(of: Array(text.utf8))
            guard note.hasPrefix("\(sha256)  \(ExportManifest.fileName)\n") else {
                throw ExportFault(
                    file: ExportManifest.fileName,
                    what: "it is not what \(ExportManifest.digestName) says: one of the two was edited")
            }
            manifest = try Self.manifest(text)
            plan = try Self.content(manifest.plan.file, in: self.path)
            guard MigrationEngine.sha256(of: Array(plan.utf8)) == manifest.plan.sha256 else {
                throw ExportFault(
                    file: manifest.plan.file, what: "it is not what the manifest says: it was edited")
            }
            try checkNames()
            try checkTables()
            guard note == manifest.digestText(sha256) else {
                throw ExportFault(
                    file: ExportManifest.digestName,
                    what: "it does not list the files as the manifest does: it was edited")
            }
        } catch let fault as ExportFault {
            throw fault.error
        }
    }

    /// Whether a folder is an export, or was one before somebody damaged it: by the names of what it says of itself.
    public static func isOne(_ path: String) -> Bool {
        [ExportManifest.fileName, ExportManifest.digestName].allSatisfy { access("\(path)/\($0)", F_OK) == 0 }
    }

    /// Whether the export in a folder was written to its end.
    public static func isEnded(_ folder: String) -> Bool {
        access("\(folder)/\(ExportManifest.digestName)", F_OK) == 0
    }

    private static func content(_ name: String, in folder: String) throws -> String {
        let path = "\(folder)/\(name)"
        try checkPlain(name, in: folder)
        guard let data = FileManager.default.contents(atPath: path) else {
            let isThere = access(path, F_OK) == 0
            throw ExportFault(
                file: name,
                what: isThere
                    ? "it cannot be read"
                    : "it is missing: this is no export of howdah's, or one that did not end")
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// What is no plain file could be without an end, or lead out of the folder.
    private static func checkPlain(_ name: String, in folder: String) throws {
        var status = stat()
        guard lstat("\(folder)/\(name)", &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return }
        throw ExportFault(file: name, what: "it is no plain file")
    }

    private struct Header: Decodable {
        let format: String
        let version: Int
    }

    private static func manifest(_ text: String) throws -> ExportManifest {
        let data = Data(text.utf8)
        func fault(_ what: String) -> ExportFault { ExportFault(file: ExportManifest.fileName, what: what) }
        guard let header = try? JSONDecoder().decode(Header.self, from: data),
            header.format == ExportManifest.formatName
        else { throw fault("it is no manifest of an export of howdah's") }
        guard (1...ExportManifest.currentVersion).contains(header.version) else {
            throw fault(
                "it is of version \(header.version) of the format, and this howdah reads versions 1 to \(ExportManifest.currentVersion)"
            )
        }
        do {
            return try JSONDecoder().decode(ExportManifest.self, from: data)
        } catch {
            throw fault("it cannot be read: \(error)")
        }
    }

    /// Numbers and names of columns that no export has would lead astray whoever follows them.
    private func checkTables() throws {
        for table in manifest.tables {
            let isSound =
                table.rowid.map(["rowid", "_rowid_", "oid"].contains) ?? true
                && table.longestRow >= 0 && table.blocks.allSatisfy { $0.line > 0 && $0.rows > 0 }
                && table.blocks.reduce(0, { $0 &+ $1.rows }) == table.rows && !table.fields.isEmpty
            guard isSound else {
                throw ExportFault(
                    file: ExportManifest.fileName, what: "what it says of \(table.name) cannot be")
            }
        }
    }

    /// Names that lead out of the folder are taken for none; files that the manifest does not know are not passed over.
    private func checkNames() throws {
        for name in manifest.files where name.contains("/") || name.hasPrefix(".") || name.isEmpty {
            throw ExportFault(
                file: ExportManifest.fileName, what: "it names a file outside of the folder: \(name)")
        }
        let there = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        if let foreign = there.sorted().first(where: { !manifest.files.contains($0) }) {
            throw ExportFault(file: foreign, what: "the manifest knows no such file")
        }
        if let missing = manifest.tables.map(\.file).first(where: { !there.contains($0) }) {
            throw ExportFault(file: missing, what: "it is missing")
        }
        for name in there { try Self.checkPlain(name, in: path) }
    }

    /// Reads every file once, and holds its digest against the manifest.
    public func checkFiles(cancellation: Cancellation) throws {
        do {
            for table in manifest.tables {
                let digest = try MigrationEngine.sha256(
                    ofFile: "\(path)/\(table.file)", cancellation: cancellation)
                guard digest == table.compressedSHA256 ?? table.sha256 else {
                    throw ExportFault(
                        file: table.file, what: "it is not what the manifest says: it was changed")
                }
            }
        } catch let fault as ExportFault {
            throw fault.error
        }
    }

    /// Deletes the export; throws where a file was changed since it was written, and deletes nothing then.
    public func remove(cancellation: Cancellation) throws {
        try checkFiles(cancellation: cancellation)
        try delete()
    }

    /// Deletes the export as it is.
    public func delete() throws {
        // The manifest's digest first: what is left by a crash is no export.
        for name in [ExportManifest.digestName] + manifest.files.sorted() {
            guard unlink("\(path)/\(name)") == 0 || errno == ENOENT else {
                throw FileSystemError("deleting", "\(path)/\(name)")
            }
        }
        rmdir(path)
    }
}
