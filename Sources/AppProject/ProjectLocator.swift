/// Finds the SQLite file that a path means: the file itself, or the database of a project's folder.
public enum ProjectLocator {
    /// Looks at `path`, a file or a folder, absolute or relative to the current one.
    ///
    /// `environment` is that of the process: like Prisma, it goes before .env files, where it names a file. Nothing is
    /// run and nothing is written. Throws `SourceNotFound` where there is no file, or more than one.
    public static func locate(_ path: String, environment: [String: String]) throws(SourceNotFound)
        -> SourceLocation
    {
        let path = Files.absolute(path)
        switch Files.kind(path) {
        case .file: return file(path, environment)
        case .folder: return try folder(path, environment)
        case .missing:
            throw SourceNotFound(message: "\(path) is not there", remedy: "Check the path.")
        }
    }

    // MARK: A file

    private static func file(_ path: String, _ environment: [String: String]) -> SourceLocation {
        let identity = Files.identity(path)
        let folder = Files.parent(path)
        for place in [folder, Files.parent(folder)] {
            guard let project = SchemaFinder.project(in: place),
                project.schema.datasource?.provider == "sqlite"
            else {
                continue
            }
            let answer = project.database(environment: environment)
            if case .found(let database) = answer.database, Files.identity(database) == identity,
                identity != nil
            {
                return location(path, project, answer)
            }
        }
        return SourceLocation(
            databasePath: path, projectDirectory: nil, schemaPath: nil,
            evidence: ["a file; no Prisma schema nearby is about it"], hints: nil, warnings: [])
    }

    private static func location(
        _ path: String, _ project: PrismaProject, _ answer: PrismaProject.Answer
    ) -> SourceLocation {
        SourceLocation(
            databasePath: path, projectDirectory: project.directory, schemaPath: project.schemaPath,
            evidence: project.evidence + answer.evidence, hints: project.hints,
            warnings: project.schema.warnings + answer.warnings)
    }

    // MARK: A folder

    private static func folder(_ path: String, _ environment: [String: String]) throws(SourceNotFound)
        -> SourceLocation
    {
        var passedOver: [String] = []
        for projects in [
            SchemaFinder.project(in: path).map { [$0] } ?? [], SchemaFinder.projects(below: path),
        ] {
            let ours = projects.filter { $0.schema.datasource?.provider == "sqlite" }
            passedOver += projects.filter { $0.schema.datasource?.provider != "sqlite" }.map { project in
                "\(Files.relative(project.schemaPath, to: path)) is passed over: its provider is "
                    + (project.schema.datasource?.provider ?? "not told")
            }
            if !ours.isEmpty { return try choose(ours, in: path, environment, passedOver) }
        }
        let found = DatabaseSearch.files(in: path)
        guard let database = try only(found, in: path) else {
            throw SourceNotFound(
                message: (["\(path) has no SQLite file in it and no Prisma schema that leads to one"]
                    + passedOver)
                    .joined(separator: "; "),
                remedy: "Name the SQLite file itself.")
        }
        return SourceLocation(
            databasePath: database, projectDirectory: path, schemaPath: nil,
            evidence: ["\(Files.relative(database, to: path)) is the only SQLite file in \(path)"],
            hints: nil,
            warnings: passedOver)
    }

    /// Takes the one database that the projects lead to.
    private static func choose(
        _ projects: [PrismaProject], in path: String, _ environment: [String: String], _ passedOver: [String]
    ) throws(SourceNotFound) -> SourceLocation {
        let answers = projects.map { ($0, $0.database(environment: environment)) }
        var locations: [SourceLocation] = []
        var identities: Set<FileIdentity> = []
        for (project, answer) in answers {
            guard case .found(let database) = answer.database, let identity = Files.identity(database) else {
                continue
            }
            if identities.insert(identity).inserted { locations.append(location(database, project, answer)) }
        }
        if let first = locations.first {
            guard locations.count == 1 else { throw several(locations.map(\.databasePath), in: path) }
            return SourceLocation(
                databasePath: first.databasePath, projectDirectory: first.projectDirectory,
                schemaPath: first.schemaPath, evidence: first.evidence, hints: first.hints,
                warnings: first.warnings + passedOver)
        }
        for (_, answer) in answers {
            guard case .missing(let tried, let url) = answer.database else { continue }
            throw SourceNotFound(
                message: "\(url), but there is no file at \(tried.joined(separator: " nor "))",
                remedy: "Correct the URL, or name the SQLite file itself.")
        }
        return try untold(answers, in: path, passedOver)
    }

    /// Where no URL leads to a file, the only SQLite file of the only project is meant.
    private static func untold(
        _ answers: [(PrismaProject, PrismaProject.Answer)], in path: String, _ passedOver: [String]
    ) throws(SourceNotFound) -> SourceLocation {
        let warnings = answers.flatMap(\.1.warnings)
        let project = answers.count == 1 ? answers.first?.0 : nil
        guard let project, let database = try only(DatabaseSearch.files(in: project.directory), in: path)
        else {
            throw SourceNotFound(
                message: (["\(path) has a Prisma schema, but nothing tells its database"] + warnings)
                    .joined(separator: "; "),
                remedy: "Set DATABASE_URL, or name the SQLite file itself.")
        }
        let place = Files.relative(database, to: project.directory)
        return SourceLocation(
            databasePath: database, projectDirectory: project.directory, schemaPath: project.schemaPath,
            evidence: project.evidence + ["\(place) is the only SQLite file of the project"],
            hints: project.hints,
            warnings: project.schema.warnings + warnings + passedOver)
    }

    /// The only one of several files; nil where there is none.
    private static func only(_ files: [String], in path: String) throws(SourceNotFound) -> String? {
        guard files.count <= 1 else { throw several(files, in: path) }
        return files.first
    }

    private static func several(_ files: [String], in path: String) -> SourceNotFound {
        SourceNotFound(
            message: "\(path) has \(files.count) databases: "
                + files.map { Files.relative($0, to: path) }.joined(separator: ", "),
            remedy: "Name the one that is meant: its project's folder, or the file.")
    }
}
