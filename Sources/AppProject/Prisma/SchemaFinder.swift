import Foundation

/// Finds the Prisma schema of a folder where Prisma itself looks for it.
enum SchemaFinder {
    /// The project in this very folder; nil where it has no schema that can be read.
    static func project(in folder: String) -> PrismaProject? {
        var directory = folder
        // A schema in prisma/ belongs to the folder above.
        if Files.name(folder) == "prisma", !Files.isFile(Files.join(folder, "package.json")) {
            directory = Files.parent(folder)
        }
        let configName = PrismaConfig.names.first { Files.isFile(Files.join(directory, $0)) }
        let config = configName.flatMap { Files.text(Files.join(directory, $0)) }.map(PrismaConfig.init)
        let manifest = FileManager.default.contents(atPath: Files.join(directory, "package.json"))
            .flatMap(PackageManifest.init)

        var places: [(path: String, reason: String)] = []
        if let configName, let path = config?.schema {
            let origin = Files.parent(Files.join(directory, configName))
            places.append((Files.join(origin, path), "\(configName) names it"))
        }
        if let path = manifest?.schema {
            places.append((Files.join(directory, path), "package.json names it"))
        }
        places += ["prisma/schema.prisma", "prisma/schema", "schema.prisma"].map {
            (Files.join(directory, $0), "where Prisma looks for it")
        }
        if directory != folder {
            places.append((Files.join(folder, "schema.prisma"), "in the folder that was named"))
        }
        for (path, reason) in places {
            let files = schemaFiles(at: path).compactMap { file in
                Files.text(file).map { (name: Files.relative(file, to: directory), text: $0) }
            }
            guard !files.isEmpty else { continue }
            return PrismaProject(
                directory: directory, schemaPath: path, schema: PrismaSchema(files: files), reason: reason,
                config: config, configName: config == nil ? nil : configName, manifest: manifest)
        }
        return nil
    }

    /// The projects in the folders below, as in a monorepo.
    static func projects(below folder: String) -> [PrismaProject] {
        let groups: Set = ["apps", "packages", "services"]
        return Files.subfolders(of: folder).flatMap { child in
            [child] + (groups.contains(Files.name(child)) ? Files.subfolders(of: child) : [])
        }
        .filter { Files.name($0) != "prisma" }
        .compactMap(project(in:))
    }

    /// The file itself, or all schema files of a folder and the folders in it, sorted.
    static func schemaFiles(at path: String, depth: Int = 4) -> [String] {
        if Files.isFile(path) { return [path] }
        guard Files.isFolder(path), depth > 0 else { return [] }
        let here = Files.names(in: path).filter { $0.hasSuffix(".prisma") }.map { Files.join(path, $0) }
        return here.filter(Files.isFile)
            + Files.subfolders(of: path).flatMap { schemaFiles(at: $0, depth: depth - 1) }
    }
}
