import Foundation

/// The few questions that are put to the file system.
enum Files {
    enum Kind { case file, folder, missing }

    static func absolute(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.path
    }

    /// `path` as seen from `folder`, which may be absolute itself; `.` and `..` are resolved.
    static func join(_ folder: String, _ path: String) -> String {
        absolute(path.hasPrefix("/") ? path : "\(folder)/\(path)")
    }

    static func parent(_ path: String) -> String {
        (path as NSString).deletingLastPathComponent
    }

    static func name(_ path: String) -> String {
        (path as NSString).lastPathComponent
    }

    /// `path` for messages: without the folder that it lies in.
    static func relative(_ path: String, to folder: String) -> String {
        if path == folder { return "." }
        let prefix = folder.hasSuffix("/") ? folder : folder + "/"
        return path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : path
    }

    static func kind(_ path: String) -> Kind {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return .missing }
        return isFolder.boolValue ? .folder : .file
    }

    static func isReadableByOthers(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & 0o044 != 0
    }

    static func isFile(_ path: String) -> Bool { kind(path) == .file }
    static func isFolder(_ path: String) -> Bool { kind(path) == .folder }

    /// A text file's content, invalid UTF-8 repaired; nil where it cannot be read.
    static func text(_ path: String) -> String? {
        guard isFile(path), let data = FileManager.default.contents(atPath: path) else { return nil }
        return String(decoding: data, as: UTF8.self)
    }

    /// The names in a folder, sorted; none where it cannot be read.
    static func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    /// The folders in a folder in which a project may lie.
    static func subfolders(of folder: String) -> [String] {
        names(in: folder)
            .filter { !$0.hasPrefix(".") && $0 != "node_modules" && !$0.hasSuffix(".howdah") }
            .map { join(folder, $0) }.filter(isFolder)
    }

    /// Equal for two paths where both lead to one file.
    static func identity(_ path: String) -> FileIdentity? {
        let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: real),
            let device = attributes[.systemNumber] as? NSNumber,
            let file = attributes[.systemFileNumber] as? NSNumber
        else { return nil }
        return FileIdentity(device: device.uint64Value, file: file.uint64Value)
    }

    /// Whether a file begins as every SQLite database does (https://sqlite.org/fileformat.html).
    static func isSQLite(_ path: String) -> Bool {
        guard isFile(path), let file = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? file.close() }
        return (try? file.read(upToCount: 16)) == Data("SQLite format 3\0".utf8)
    }
}

struct FileIdentity: Hashable {
    let device: UInt64
    let file: UInt64
}
