import Foundation
import MigrationEngine

/// Works out what a project's files must say once its database is PostgreSQL. Writes nothing.
public struct ProjectEditor {
    /// The project's own folder, from which paths in it are understood.
    private let directory: String
    /// The folder whose files are changed: the project's own, or a copy's.
    private let root: String
    let prisma: PrismaProject?

    /// `root` is another folder where a copy of the project is changed in its stead.
    public init(directory: String, root: String? = nil) {
        self.directory = Files.absolute(directory)
        self.root = Files.absolute(root ?? directory)
        prisma = SchemaFinder.project(in: self.root)
    }

    public var hasPrisma: Bool { prisma != nil }

    /// The variable that holds the database's URL.
    public var variable: String { prisma?.variable ?? "DATABASE_URL" }

    /// The .env files that could hold it, relative to the project.
    public var environmentFiles: [String] {
        var folders = [root, Files.join(root, "prisma")]
        if let prisma { folders += [prisma.folders[0]] }
        var seen: Set<String> = []
        return folders.flatMap { folder in EnvFiles.names(in: folder).map { Files.join(folder, $0) } }
            .filter { seen.insert($0).inserted }.map(relative)
    }

    /// What the variable says now, and in which file; nil where no .env file sets it.
    public var databaseURL: (url: String, path: String)? {
        for path in environmentFiles where !EnvFiles.isTemplate(path) {
            guard let bytes = content(path) else { continue }
            if let url = EnvFile(bytes).expanded(variable, environment: [:]) { return (url, path) }
        }
        return nil
    }

    // MARK: The environment

    /// What templates of .env files say instead of the real URL.
    static let template = "postgresql://USER:PASSWORD@localhost:5432/DATABASE?schema=public"

    /// The .env files with `url` where the variable leads to `database`. `process` is the process's own environment.
    /// `replaces` tells further values that the URL takes the place of.
    public func environment(
        url: String, database: String, process: [String: String] = [:],
        replaces: (String) -> Bool = { _ in false }
    ) -> ProjectEdit {
        var edit = ProjectEdit()
        let files = environmentFiles
        let isSet = files.contains { path in
            !EnvFiles.isTemplate(path) && content(path).map { EnvFile($0)[variable] != nil } ?? false
        }
        for path in files {
            guard let bytes = content(path) else { continue }
            let isTemplate = EnvFiles.isTemplate(path)
            let result = EnvEditor(variable: variable, url: isTemplate ? Self.template : url).edited(
                bytes, adds: path == ".env" && !isSet
            ) {
                isTemplate ? DatabaseURL($0) != nil : leads($0, to: database) || replaces($0)
            }
            edit.notes += result.notes.map { "\(path): \($0)" }
            if result.bytes != bytes {
                edit.changes.append(FileChange(path, before: bytes, after: result.bytes, isPrivate: true))
                if !isTemplate, Files.isReadableByOthers(Files.join(root, path)) {
                    edit.notes.append(
                        "\(path) can be read by other users, and will hold a password: chmod 600 \(path)")
                }
            }
        }
        for path in files {
            guard let bytes = content(path), !EnvFiles.isTemplate(path) else { continue }
            edit.byHand += EnvFile(bytes).entries.filter { $0.name != variable && names($0.value, database) }
                .map {
                    "\(path): \($0.name) leads to the SQLite file too, and only the code knows what it is for"
                }
        }
        if !isSet, !files.contains(".env") {
            let line = EnvEditor(variable: variable, url: url).edited([], adds: true) { _ in false }
            edit.changes.append(FileChange(".env", before: nil, after: line.bytes, isPrivate: true))
        }
        if process[variable] != nil {
            edit.byHand.append(
                "\(variable) is set in the environment too, which goes before .env: set it there as well")
        }
        composeFiles(Files.name(database), &edit)
        return edit
    }

    /// Whether a value is the URL of the SQLite file that is migrated.
    private func leads(_ value: String, to database: String) -> Bool {
        guard let url = DatabaseURL(value), let identity = Files.identity(database) else { return false }
        // A copy's paths mean what they mean in the project itself.
        let folders = (prisma?.folders ?? [root]).map { folder in
            folder == root ? directory : Files.join(directory, Files.relative(folder, to: root))
        }
        return url.candidates(in: folders + [directory]).contains { Files.identity($0) == identity }
    }

    /// Whether a value of another variable names the SQLite file: a path, or a URL of any library's.
    private func names(_ value: String, _ database: String) -> Bool {
        guard let identity = Files.identity(database), value.count < 1000 else { return false }
        let path = value.replacing(/^[A-Za-z0-9+]+:/, with: "").prefix { $0 != "?" }
        let bare = path.drop { $0 == "/" }
        guard !bare.isEmpty else { return false }
        return [String(path), "/\(bare)", String(bare)].contains { path in
            [directory, root].contains { Files.identity(Files.join($0, path)) == identity }
        }
    }

    /// Compose files get the URL from .env; whether the container reaches what it names only their author knows.
    private func composeFiles(_ database: String, _ edit: inout ProjectEdit) {
        for name in Files.names(in: root) where ComposeEditor.isCompose(name) {
            guard let bytes = content(name) else { continue }
            let outcome = ComposeEditor(variable: variable, database: database).edited(bytes)
            edit.byHand += outcome.byHand.map {
                "\(name):\($0) sets \(variable) to a SQLite file that may be another one: if it is not, name PostgreSQL there as "
                    + "the container reaches it"
            }
            guard !outcome.lines.isEmpty else { continue }
            edit.changes.append(FileChange(name, before: bytes, after: outcome.bytes))
            edit.byHand.append(
                "\(name) takes \(variable) from .env now: its host must be one that the container reaches "
                    + "(host.docker.internal, or a service's name), not localhost")
        }
    }

    // MARK: Packages

    public var hasManifest: Bool { content("package.json") != nil }

    /// package.json with the driver that the application needs; what of SQLite's is left over is told.
    public func packages() -> ProjectEdit {
        var edit = ProjectEdit()
        guard let bytes = content("package.json") else { return edit }
        guard PackageManifest(Data(bytes)) != nil else {
            edit.byHand.append("package.json is no JSON that can be read: look at it, then run this again")
            return edit
        }
        let (missing, leftOver) = PackageEditor.needs(of: bytes)
        let isPrisma = prisma != nil
        if missing.isEmpty, isPrisma, leftOver.isEmpty {
            edit.notes.append("this Prisma brings its own driver for PostgreSQL")
        }
        if !missing.isEmpty {
            if let edited = PackageEditor.adding(missing, to: bytes) {
                edit.changes.append(FileChange("package.json", before: bytes, after: edited))
                edit.byHand.append(
                    "npm install, or your package manager's own command, fetches what was added")
            } else {
                edit.byHand.append(
                    "add to package.json: "
                        + missing.map { "\($0.name) \($0.version)" }.joined(separator: ", "))
            }
        }
        edit.notes += leftOver.map {
            "\($0) is SQLite's: keep it until the cutover is behind you, then take it out"
        }
        return edit
    }

    // MARK: Prisma

    /// The schema's files, and prisma.config. Without a plan only the provider and the URL change.
    public func schema(plan: MigrationPlan?) -> ProjectEdit {
        var edit = ProjectEdit()
        guard let prisma else { return edit }
        let editor = PrismaSchemaEditor(
            plan: plan, variable: variable, keepsURLElsewhere: prisma.config?.url != nil || prisma.major >= 7)
        for path in SchemaFinder.schemaFiles(at: prisma.schemaPath) {
            guard let bytes = content(relative(path)) else { continue }
            let result = editor.edited(bytes, models: prisma.schema.models)
            edit.notes += (result.changes + result.notes).map { "\(relative(path)): \($0)" }
            if result.bytes != bytes {
                edit.changes.append(FileChange(relative(path), before: bytes, after: result.bytes))
            }
        }
        if let name = prisma.configName, let bytes = content(name) {
            if let edited = PrismaConfigEditor.edited(bytes, variable: variable) {
                edit.changes.append(FileChange(name, before: bytes, after: edited))
                edit.notes.append("\(name): datasource.url comes from \(variable)")
            }
            if !String(decoding: bytes, as: UTF8.self).contains("dotenv") {
                edit.notes.append(
                    "\(name): with a config file Prisma reads no .env by itself; import \"dotenv/config\" does"
                )
            }
        }
        return edit
    }

    /// Whether the project keeps its schema by migrations, and not by `prisma db push` alone.
    public var hasMigrations: Bool {
        guard let prisma else { return false }
        return Files.isFolder(prisma.migrationsFolder)
    }

    /// Old migrations kept beside, the first one for PostgreSQL in their place.
    public func migrations(plan: MigrationPlan) -> ProjectEdit {
        var edit = ProjectEdit()
        guard let prisma, hasMigrations else { return edit }
        let folder = prisma.migrationsFolder
        let baseline = Files.join(folder, "\(PrismaBaseline.name)/migration.sql")
        let lock = Files.join(folder, "migration_lock.toml")
        let lockText = content(relative(lock)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        guard !lockText.contains("\"postgresql\"") else {
            edit.notes.append("\(relative(folder)) holds migrations for PostgreSQL already")
            return edit
        }
        let archive = relative(folder) + "_sqlite"
        for path in files(below: folder) {
            let name = Files.relative(path, to: folder)
            guard let bytes = content(relative(path)) else { continue }
            edit.changes.append(
                FileChange("\(archive)/\(name)", before: content("\(archive)/\(name)"), after: bytes))
            if path != baseline, path != lock {
                edit.changes.append(FileChange(relative(path), before: bytes, after: nil))
            }
        }
        edit.changes += [
            FileChange(
                relative(baseline), before: content(relative(baseline)),
                after: Array(PrismaBaseline(plan: plan).sql.utf8)),
            FileChange(
                relative(lock), before: content(relative(lock)), after: Array(PrismaBaseline.lock.utf8)),
        ]
        edit.notes.append("the migrations for SQLite are kept in \(archive)")
        return edit
    }

    // MARK: Files

    func relative(_ path: String) -> String { Files.relative(path, to: root) }

    func content(_ path: String) -> [UInt8]? {
        let file = Files.join(root, path)
        guard Files.isFile(file) else { return nil }
        return FileManager.default.contents(atPath: file).map { [UInt8]($0) }
    }

    private func files(below folder: String) -> [String] {
        Files.names(in: folder).map { Files.join(folder, $0) }.flatMap { path in
            Files.isFolder(path) ? files(below: path) : [path]
        }
    }
}

extension FileChange {
    /// The change as a unified diff, with secrets masked.
    public var diff: [String] {
        UnifiedDiff.lines(
            path: path, before: before.map { SecretMask.text($0, path: path) },
            after: after.map { SecretMask.text($0, path: path) })
    }
}
