import Foundation

/// A project's folders with files that its data names.
public struct UploadFolders: Sendable {
    struct Folder: Sendable {
        /// Absolute.
        let path: String
        let convention: UploadConvention
    }

    /// What paths may not leave.
    let project: String
    let folders: [Folder]
    /// Hosts by which the application names itself.
    let hosts: Set<String>

    /// Folders with why each was taken, in lines.
    public var words: [String] {
        folders.map { "\(Files.relative($0.path, to: project)) (\($0.convention.name))" }
    }

    private static let urlVariables = [
        "APP_URL", "BASE_URL", "SITE_URL", "PUBLIC_URL", "API_URL", "SERVER_URL", "MEDIA_URL", "UPLOAD_URL",
    ]

    /// Looks for them below a project's folder; a folder that only .env names may be anywhere.
    public init(project: String) {
        let project = Files.absolute(project)
        let environment = Self.environment(of: project)
        var folders: [Folder] = []
        var seen: Set<String> = []
        func add(_ path: String, _ convention: UploadConvention) {
            guard Files.isFolder(path), path != project, seen.insert(path + "\(convention.layout)").inserted
            else { return }
            folders.append(Folder(path: path, convention: convention))
        }
        for convention in UploadConvention.all {
            for name in convention.variables {
                for (folder, value) in environment[name] ?? [] where !value.contains("://") {
                    // Without a folder of that name the others of the project may have it.
                    for place in Set([Files.join(folder, value), Files.join(project, value)]).sorted() {
                        add(place, convention)
                    }
                }
            }
            for pattern in convention.folders {
                for path in Self.expand(pattern, in: project) { add(Files.join(project, path), convention) }
            }
        }
        for path in Self.mediaRoots(of: project) {
            add(path, UploadConvention(name: "MEDIA_ROOT of settings.py", prefixes: ["/media/"]))
        }
        var hosts: Set<String> = ["localhost", "127.0.0.1"]
        for (name, values) in environment where Self.urlVariables.contains(where: { name.hasSuffix($0) }) {
            for (_, value) in values {
                if let host = URL(string: value)?.host { hosts.insert(host.lowercased()) }
            }
        }
        self.project = project
        self.folders = folders
        self.hosts = hosts
    }

    /// What .env files of the project and of the folders in it say: names with folder and value.
    private static func environment(of project: String) -> [String: [(folder: String, value: String)]] {
        var values: [String: [(String, String)]] = [:]
        for folder in [project] + Files.subfolders(of: project) {
            for name in EnvFiles.names(in: folder) where !EnvFiles.isTemplate(name) {
                guard let text = Files.text(Files.join(folder, name)) else { continue }
                let file = EnvFile(text)
                for entry in file.entries where !entry.value.isEmpty {
                    values[entry.name, default: []].append((folder, file.expandedValue(of: entry)))
                }
            }
        }
        return values
    }

    private static func expand(_ pattern: String, in root: String) -> [String] {
        guard pattern.hasPrefix("*/") else { return [pattern] }
        return Files.subfolders(of: root).map { "\(Files.name($0))/\(pattern.dropFirst(2))" }
    }

    /// What Django's settings say: the texts of the line that sets MEDIA_ROOT, one after the other.
    private static func mediaRoots(of project: String) -> [String] {
        let places = [project] + Files.subfolders(of: project)
        return places.flatMap { folder -> [String] in
            guard let text = Files.text(Files.join(folder, "settings.py")) else { return [] }
            return text.split(whereSeparator: \.isNewline).compactMap { line in
                guard line.hasPrefix("MEDIA_ROOT") else { return nil }
                let parts = line.matches(of: /["']([^"']+)["']/).map { String($0.1) }
                return parts.isEmpty ? nil : Files.join(project, parts.joined(separator: "/"))
            }
        }
    }
}
