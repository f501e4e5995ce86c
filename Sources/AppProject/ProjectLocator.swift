import Foundation
import MigrationEngine

/// A database, with the project that it belongs to.
public struct SourceLocation: Sendable {
    public let databasePath: String
    /// nil for a bare file.
    public let projectDirectory: String?
    /// Why this file, and what else was found: one line each.
    public let evidence: [String]
    /// What the project's schema file says.
    public let hints: SchemaHints?
    public let warnings: [String]
}

/// A source that does not lead to a database.
public struct SourceNotFound: Error, Sendable, Equatable {
    public let message: String
    public let remedy: String
}

/// Finds the database that a source names: a SQLite file, or a project's folder.
public enum ProjectLocator {
    /// Looks at `path`; `environment` is where a project's variables may be set.
    public static func locate(_ path: String, environment: [String: String]) throws(SourceNotFound) -> SourceLocation {
        let path = absolutePath(path)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw SourceNotFound(
                message: "there is no file or folder \(path)", remedy: "Check the path.")
        }
        return isFolder.boolValue
            ? try locate(inFolder: path, environment) : locate(file: path, environment)
    }

    // MARK: A file

    /// A bare file, with the hints of a Prisma project nearby that names this very file.
    private static func locate(file path: String, _ environment: [String: String]) -> SourceLocation {
        var folder = (path as NSString).deletingLastPathComponent
        for _ in 0..<3 {
            if let project = PrismaProject(root: folder), project.usesSQLite,
                let database = project.database(environment: environment), isSame(database.path, path)
            {
                return SourceLocation(
                    databasePath: path, projectDirectory: folder, evidence: [database.evidence],
                    hints: project.hints(), warnings: [])
            }
            folder = (folder as NSString).deletingLastPathComponent
        }
        return SourceLocation(databasePath: path, projectDirectory: nil, evidence: [], hints: nil, warnings: [])
    }

    private static func isSame(_ first: String, _ second: String) -> Bool {
        var one = stat()
        var two = stat()
        return stat(first, &one) == 0 && stat(second, &two) == 0 && one.st_ino == two.st_ino && one.st_dev == two.st_dev
    }

    // MARK: A folder

    private static func locate(
        inFolder folder: String, _ environment: [String: String]
    ) throws(SourceNotFound) -> SourceLocation {
        let roots = [folder] + subfolders(of: folder)
        let projects = roots.compactMap { PrismaProject(root: $0) }.filter(\.usesSQLite)
        var found: [SourceLocation] = []
        for project in projects {
            guard let database = project.database(environment: environment),
                !found.contains(where: { isSame($0.databasePath, database.path) })
            else { continue }
            found.append(
                SourceLocation(
                    databasePath: database.path, projectDirectory: project.root, evidence: [database.evidence],
                    hints: project.hints(), warnings: []))
        }
        if found.count == 1 {
            guard FileManager.default.fileExists(atPath: found[0].databasePath) else {
                throw SourceNotFound(
                    message: "\(found[0].databasePath) is not there, though the project names it: "
                        + found[0].evidence.joined(separator: "; "),
                    remedy: "Start the application once so that it makes its database, or name the SQLite file itself.")
            }
            return found[0]
        }
        if found.count > 1 { throw several(found.map(\.databasePath), in: folder) }
        return try onlyDatabase(in: folder, roots)
    }

    private static func onlyDatabase(in folder: String, _ roots: [String]) throws(SourceNotFound) -> SourceLocation {
        let files = roots.flatMap(databases)
        guard let file = files.first else {
            throw SourceNotFound(
                message: "\(folder) has no Prisma schema on SQLite and no SQLite file",
                remedy: "Name the SQLite file itself.")
        }
        if files.count > 1 { throw several(files, in: folder) }
        return SourceLocation(
            databasePath: file, projectDirectory: folder, evidence: ["the only SQLite file in the folder"], hints: nil,
            warnings: [])
    }

    private static func several(_ files: [String], in folder: String) -> SourceNotFound {
        SourceNotFound(
            message: "\(folder) has several databases: \(files.joined(separator: ", "))",
            remedy: "Name the one to migrate.")
    }

    private static func entries(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    private static func subfolders(of folder: String) -> [String] {
        entries(folder).filter { $0 != "node_modules" && !$0.hasPrefix(".") && !$0.hasSuffix(".howdah") && $0 != "prisma" }
            .map { "\(folder)/\($0)" }
            .filter { path in
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
            }
    }

    /// Files of a folder whose ending and first bytes are SQLite's.
    private static func databases(_ folder: String) -> [String] {
        entries(folder).filter { name in
            [".db", ".sqlite", ".sqlite3", ".db3"].contains { name.lowercased().hasSuffix($0) }
        }.map { "\(folder)/\($0)" }.filter { path in
            guard let file = FileHandle(forReadingAtPath: path) else { return false }
            defer { try? file.close() }
            return (try? file.read(upToCount: 16)) == Data("SQLite format 3\0".utf8)
        }
    }
}
