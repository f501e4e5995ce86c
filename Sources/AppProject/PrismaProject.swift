import Foundation
import MigrationEngine

/// A project's Prisma schema with the database that it names.
struct PrismaProject {
    let root: String
    /// The schema file, or the folder of schema files.
    let schemaPath: String
    let schema: PrismaSchema

    /// The project whose root is `root`; nil where it has no Prisma schema.
    init?(root: String) {
        let config = ConfigFile(root: root)
        let places =
            [config?.schema, Self.manifestSchema(root)].compactMap { $0 } + [
                "prisma/schema.prisma", "schema.prisma", "prisma/schema", "prisma",
            ]
        guard let path = places.map({ join(root, $0) }).first(where: { Self.read($0) != nil }),
            let text = Self.read(path)
        else { return nil }
        self.root = root
        schemaPath = path
        schema = PrismaSchema(text)
        configURL = config?.url
    }

    private let configURL: PrismaSchema.Value?

    var usesSQLite: Bool { schema.datasource["provider"] == .text("sqlite") }

    /// The schema's path below the root, for people.
    var schemaName: String {
        schemaPath.hasPrefix(root + "/") ? String(schemaPath.dropFirst(root.count + 1)) : schemaPath
    }

    func hints() -> SchemaHints {
        SchemaHints(schema, source: schemaName, joinTablesHaveKeys: majorVersion().map { $0 >= 6 } ?? true)
    }

    /// The database file that the project names, with where the name stands; nil where it names none or another kind.
    func database(environment: [String: String]) -> (path: String, evidence: String)? {
        guard let (url, evidence) = url(environment: environment), url.hasPrefix("file:") else { return nil }
        let name = String(url.dropFirst(5).prefix { $0 != "?" })
        let relative = name.hasPrefix("///") ? String(name.dropFirst(2)) : name
        // Prisma up to 6 looks beside the schema; driver adapters look in the working folder.
        let folder = Self.isFolder(schemaPath) ? schemaPath : (schemaPath as NSString).deletingLastPathComponent
        let candidates = [folder, root, (folder as NSString).deletingLastPathComponent].map { join($0, relative) }
        let path = candidates.first { FileManager.default.fileExists(atPath: $0) } ?? candidates[0]
        return (path, "\(schemaName) has provider sqlite; \(evidence)")
    }

    private func url(environment: [String: String]) -> (String, String)? {
        switch schema.datasource["url"] ?? configURL {
        case .text(let url): return (url, "its url is a file")
        case .variable(let name):
            // Prisma lets the environment win over .env.
            if let value = environment[name], value.hasPrefix("file:") { return (value, "\(name) is in the environment") }
            for file in [".env", "prisma/.env"] {
                guard let text = try? String(contentsOfFile: join(root, file), encoding: .utf8),
                    let value = EnvFile(text).values[name]
                else { continue }
                return (value, "\(file) sets \(name)")
            }
            return nil
        case nil: return nil
        }
    }

    /// The major version of Prisma in package.json.
    private func majorVersion() -> Int? {
        guard let manifest = Self.manifest(root) else { return nil }
        for section in ["dependencies", "devDependencies"] {
            guard let packages = manifest[section] as? [String: Any] else { continue }
            for name in ["@prisma/client", "prisma"] {
                guard let version = packages[name] as? String else { continue }
                if let major = Int(version.drop { !$0.isNumber }.prefix { $0.isNumber }) { return major }
            }
        }
        return nil
    }

    private static func manifest(_ root: String) -> [String: Any]? {
        FileManager.default.contents(atPath: join(root, "package.json"))
            .flatMap { try? JSONSerialization.jsonObject(with: $0) as? [String: Any] }
    }

    private static func manifestSchema(_ root: String) -> String? {
        (manifest(root)?["prisma"] as? [String: Any])?["schema"] as? String
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    /// The text of a schema file, or of all schema files of a folder.
    private static func read(_ path: String) -> String? {
        guard isFolder(path) else { return try? String(contentsOfFile: path, encoding: .utf8) }
        let names = ((try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? [])
            .filter { $0.hasSuffix(".prisma") }.sorted()
        let texts = names.compactMap { try? String(contentsOfFile: join(path, $0), encoding: .utf8) }
        return texts.isEmpty ? nil : texts.joined(separator: "\n")
    }
}

/// What a prisma.config file says of the schema and the database (Prisma 6 and 7).
private struct ConfigFile {
    private(set) var schema: String?
    private(set) var url: PrismaSchema.Value?

    init?(root: String) {
        let endings = ["ts", "mts", "cts", "js", "mjs", "cjs"]
        let names = endings.map { "prisma.config.\($0)" } + endings.map { ".config/prisma.\($0)" }
        guard let text = names.lazy.compactMap({ try? String(contentsOfFile: join(root, $0), encoding: .utf8) }).first
        else { return nil }
        // A colon after the name and a text after it is all that is looked for; comments and texts are skipped.
        let tokens = PrismaToken.lines(of: text.replacing("'", with: "\"").replacing("`", with: "\"")).joined()
        let list = Array(tokens)
        for index in list.indices where index + 2 < list.count && list[index + 1].text == ":" && !list[index].isString {
            let value = list[index + 2]
            switch list[index].text {
            case "schema" where value.isString: schema = schema ?? value.text
            case "url" where value.isString: url = url ?? .text(value.text)
            case "url" where value.text == "env" && index + 4 < list.count && list[index + 4].isString:
                url = url ?? .variable(list[index + 4].text)
            case "url" where value.text.hasPrefix("process.env."):
                url = url ?? .variable(String(value.text.dropFirst("process.env.".count)))
            default: break
            }
        }
    }
}

/// `path` below `folder`, unless it begins at the root of the file system.
func join(_ folder: String, _ path: String) -> String {
    if path.hasPrefix("/") { return path }
    return URL(fileURLWithPath: path, relativeTo: URL(fileURLWithPath: folder, isDirectory: true)).standardizedFileURL.path
}
