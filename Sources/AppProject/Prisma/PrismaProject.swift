import Foundation
import MigrationEngine

/// A project whose Prisma schema was found.
struct PrismaProject {
    /// The project's root, where its package.json and .env are.
    let directory: String
    /// A file, or a folder of files.
    let schemaPath: String
    let schema: PrismaSchema
    /// How the schema was found.
    let reason: String
    let config: PrismaConfig?
    /// Relative to the directory; nil without one.
    let configName: String?
    let manifest: PackageManifest?

    /// What became of the search for the database.
    enum Database {
        case found(String)
        /// The URL names a file that is not there.
        case missing([String], url: String)
        /// Nothing says where it is.
        case untold
    }

    struct Answer {
        var database = Database.untold
        var evidence: [String] = []
        var warnings: [String] = []
    }

    private struct Reference {
        let url: DatabaseURL
        let text: String
    }

    var schemaName: String { Files.relative(schemaPath, to: directory) }

    /// The schema, in a line for the operator.
    var evidence: [String] {
        let provider = schema.datasource?.provider.map { ", provider \($0)" } ?? ""
        let version = manifest?.prismaVersion.map { ["Prisma \($0), says package.json"] } ?? []
        return ["schema \(schemaName)\(provider): \(reason)"] + version
    }

    var hints: SchemaHints {
        schema.hints(source: schemaName, joinsHaveKeys: major >= 6)
    }

    /// Prisma's major version; where none is told, it is a recent one.
    var major: Int { manifest?.prismaMajor ?? 6 }

    /// The variable that the datasource's URL comes from, or would.
    var variable: String {
        if case .environment(let name)? = config?.url ?? schema.datasource?.url {
            name
        } else {
            "DATABASE_URL"
        }
    }

    /// The folder of migrations, which Prisma keeps beside the schema unless prisma.config says otherwise.
    var migrationsFolder: String {
        if let path = config?.migrations, let configName {
            return Files.join(Files.parent(Files.join(directory, configName)), path)
        }
        let file = schema.datasource.map { Files.join(directory, $0.file) } ?? schemaPath
        let candidates = [
            Files.join(Files.parent(file), "migrations"), Files.join(Files.parent(schemaPath), "migrations"),
        ]
        return candidates.first(where: Files.isFolder) ?? candidates[0]
    }

    /// Finds the file that the datasource's URL means.
    func database(environment: [String: String]) -> Answer {
        var answer = Answer()
        guard let reference = reference(environment, &answer) else { return answer }
        let candidates = reference.url.candidates(in: folders)
        let databases = candidates.filter(Files.isSQLite)
        guard let taken = databases.first ?? candidates.first(where: Files.isFile) else {
            answer.database = .missing(candidates, url: reference.text)
            return answer
        }
        answer.database = .found(taken)
        answer.evidence.append("\(reference.text) is \(Files.relative(taken, to: directory))")
        let others = databases.dropFirst().filter { Files.identity($0) != Files.identity(taken) }
        answer.warnings += others.map {
            "\(reference.text) could also mean \(Files.relative($0, to: directory)), which is not taken"
        }
        return answer
    }

    /// The folders to which a relative URL may be relative, the likeliest first.
    ///
    /// Up to Prisma 6 it is the folder of the file with the datasource; since 7 the URL is in prisma.config and counts
    /// from the project's root.
    var folders: [String] {
        let file = schema.datasource.map { Files.join(directory, $0.file) } ?? schemaPath
        let beside = [Files.parent(file), Files.isFolder(schemaPath) ? schemaPath : Files.parent(schemaPath)]
        let isRootFirst = config?.url != nil || major >= 7
        let above = Files.isFolder(schemaPath) ? [Files.parent(schemaPath)] : []
        return isRootFirst ? [directory] + beside + above : beside + above + [directory]
    }

    /// The URL and where it comes from.
    private func reference(_ environment: [String: String], _ answer: inout Answer) -> Reference? {
        let place = config?.url != nil ? "prisma.config" : schemaName
        switch config?.url ?? schema.datasource?.url {
        case .literal(let text):
            return reference(text, in: place, named: "url", &answer)
        case .environment(let name):
            return reference(named: name, environment, &answer)
        case nil:
            // The URL may be in code that opens the database with a driver.
            return reference(named: "DATABASE_URL", environment, &answer)
        }
    }

    /// As Prisma does: the process's environment wins, then the root's .env, then the one beside the schema.
    private func reference(
        named name: String, _ environment: [String: String], _ answer: inout Answer
    ) -> Reference? {
        if let text = environment[name] {
            if let found = reference(text, in: "the environment", named: name, &answer) { return found }
        }
        for folder in [directory, Files.join(directory, "prisma"), folders[0]] {
            let path = Files.join(folder, ".env")
            guard let file = Files.text(path).map(EnvFile.init),
                let text = file.expanded(name, environment: environment)
            else { continue }
            return reference(text, in: Files.relative(path, to: directory), named: name, &answer)
        }
        if answer.warnings.isEmpty { answer.warnings.append("\(name) is set nowhere") }
        return nil
    }

    /// The values of other URLs are not told: they may hold passwords.
    private func reference(
        _ text: String, in place: String, named name: String, _ answer: inout Answer
    ) -> Reference? {
        guard let url = DatabaseURL(text) else {
            answer.warnings.append("\(name) in \(place) names no SQLite file and is passed over")
            return nil
        }
        return Reference(url: url, text: "\(name)=file:\(url.path) in \(place)")
    }
}
