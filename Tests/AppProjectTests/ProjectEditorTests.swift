import Foundation
import Testing

@testable import AppProject
@testable import MigrationEngine

/// Whole projects, with the exact bytes that they must have afterwards.
struct ProjectEditorTests {
    private static let url = "postgresql://u:p%40ss@h:5432/d?schema=public"

    struct Project: Sendable, CustomTestStringConvertible {
        let name: String
        /// The folder of the Prisma project in it.
        var folder = ""
        let files: [String: String]
        let database: String
        /// The files that change, as they must be; nil for one that goes.
        let changed: [String: String?]
        var byHand: [String] = []

        var testDescription: String { name }
    }

    private static func schema(_ provider: String, _ url: String, _ end: String = "\n") -> String {
        [
            "generator client {", "  provider = \"prisma-client-js\"", "}", "", "datasource db {",
            "  provider = \"\(provider)\"",
            url, "}", "", "model A {", "  id Int @id // sqlite", "}", "",
        ].joined(separator: end)
    }

    private static func manifest(_ version: String) -> String {
        "{\n  \"devDependencies\": {\n    \"prisma\": \"^\(version)\"\n  }\n}\n"
    }

    static let projects = [
        Project(
            name: "Prisma 5, CRLF, .env beside the schema",
            files: [
                "package.json": manifest("5.22.0"),
                "prisma/schema.prisma": schema("sqlite", "  url      = env(\"DB\")", "\r\n"),
                "prisma/.env": "# ours\r\nexport DB='file:./dev.db' # sqlite\r\nOTHER=1\r\n",
            ], database: "prisma/dev.db",
            changed: [
                "prisma/schema.prisma": schema("postgresql", "  url      = env(\"DB\")", "\r\n"),
                "prisma/.env": "# ours\r\nexport DB='\(url)' # sqlite\r\nOTHER=1\r\n",
            ]),
        Project(
            name: "Prisma 6, a URL in the schema, no .env",
            files: [
                "package.json": manifest("6.19.0"),
                "prisma/schema.prisma": schema("sqlite", "  url      = \"file:./dev.db\""),
            ],
            database: "prisma/dev.db",
            changed: [
                "prisma/schema.prisma": schema("postgresql", "  url      = env(\"DATABASE_URL\")"),
                ".env": "DATABASE_URL=\"\(url)\"\n",
            ]),
        Project(
            name: "Prisma 6, several schema files, other databases, an example",
            files: [
                "package.json":
                    "{\n  \"prisma\": {\"schema\": \"db/schema\"},\n  \"devDependencies\": {\"prisma\": \"6.10.0\"}\n}\n",
                "db/schema/main.prisma":
                    "datasource db {\n  provider=\"sqlite\"\n  url=env(\"DATABASE_URL\")\n}\n",
                "db/schema/models.prisma": "model A {\n  id Int @id\n  s String @default(\"sqlite\")\n}\n",
                ".env": "DATABASE_URL=file:../data/app.db?connection_limit=1\n",
                ".env.test": "DATABASE_URL=file:./test.db\n",
                ".env.example": "DATABASE_URL=\"file:./dev.db\"\nKEY=\n",
            ], database: "db/data/app.db",
            changed: [
                "db/schema/main.prisma":
                    "datasource db {\n  provider=\"postgresql\"\n  url=env(\"DATABASE_URL\")\n}\n",
                ".env": "DATABASE_URL=\(url)\n",
                ".env.example": "DATABASE_URL=\"\(ProjectEditor.template)\"\nKEY=\n",
            ]),
        Project(
            name: "Prisma 7, prisma.config.ts with the URL in it",
            files: [
                "package.json":
                    "{\n  \"dependencies\": {\n    \"@prisma/adapter-better-sqlite3\": \"^7.1.0\",\n    \"@prisma/client\": \"^7.1.0\"\n  }\n}\n",
                "prisma.config.ts":
                    "import 'dotenv/config'\nimport { defineConfig } from 'prisma/config'\n\nexport default defineConfig({\n  // url: 'file:./no.db'\n  schema: 'prisma/schema.prisma',\n  datasource: { url: 'file:./dev.db' },\n})\n",
                "prisma/schema.prisma":
                    "generator client {\n  provider = \"prisma-client\"\n  output   = \"../generated\"\n}\n\ndatasource db {\n  provider = \"sqlite\"\n}\n",
            ], database: "dev.db",
            changed: [
                "package.json":
                    "{\n  \"dependencies\": {\n    \"@prisma/adapter-better-sqlite3\": \"^7.1.0\",\n    \"@prisma/adapter-pg\": \"^7.1.0\",\n    \"@prisma/client\": \"^7.1.0\"\n  }\n}\n",
                "prisma.config.ts":
                    "import 'dotenv/config'\nimport { defineConfig } from 'prisma/config'\n\nexport default defineConfig({\n  // url: 'file:./no.db'\n  schema: 'prisma/schema.prisma',\n  datasource: { url: process.env.DATABASE_URL },\n})\n",
                "prisma/schema.prisma":
                    "generator client {\n  provider = \"prisma-client\"\n  output   = \"../generated\"\n}\n\ndatasource db {\n  provider = \"postgresql\"\n}\n",
                ".env": "DATABASE_URL=\"\(url)\"\n",
            ]),
        Project(
            name: "a monorepo, compose and a byte order mark", folder: "chat-backend",
            files: [
                "chat-backend/package.json": manifest("6.19.0"), "chat-frontend/package.json": "{}",
                "chat-backend/prisma/schema.prisma":
                    "\u{FEFF}datasource my-db {\n\tprovider = \"sqlite\"\n\turl = env( \"DATABASE_URL\" )\n}",
                "chat-backend/.env": "A=\"multi\nDATABASE_URL=file:./dev.db\n\"\nDATABASE_URL=file:./dev.db",
                "chat-backend/docker-compose.yml":
                    "services:\n  app:\n    environment:\n      # DATABASE_URL: file:./no.db\n      DATABASE_URL: file:/data/dev.db\n",
            ], database: "chat-backend/prisma/dev.db",
            changed: [
                "prisma/schema.prisma":
                    "\u{FEFF}datasource my-db {\n\tprovider = \"postgresql\"\n\turl = env( \"DATABASE_URL\" )\n}",
                ".env": "A=\"multi\nDATABASE_URL=file:./dev.db\n\"\nDATABASE_URL=\(url)",
                "docker-compose.yml":
                    "services:\n  app:\n    environment:\n      # DATABASE_URL: file:./no.db\n      DATABASE_URL: ${DATABASE_URL}\n",
            ], byHand: ["docker-compose.yml takes DATABASE_URL from .env now"]),
        Project(
            name: "no Prisma, a variable in .env",
            files: [".env": "DATABASE_URL=sqlite:data/app.db\nPORT=1\n", "app.js": "x"],
            database: "data/app.db",
            changed: [".env": "DATABASE_URL=\(url)\nPORT=1\n"]),
    ]

    @Test(arguments: projects)
    func everyFileHasTheBytesThatItMustHave(_ project: Project) throws {
        let workspace = try Workspace(project.files)
        try workspace.database(project.database)
        let directory = project.folder.isEmpty ? workspace.path : workspace[project.folder]
        let location = try ProjectLocator.locate(workspace.path, environment: [:])
        #expect(location.databasePath == workspace[project.database])
        #expect(location.projectDirectory == directory)
        let editor = ProjectEditor(directory: directory)
        let edits = [
            editor.packages(), editor.environment(url: Self.url, database: location.databasePath),
            editor.schema(plan: nil),
        ]
        let changes = edits.flatMap(\.changes).filter { $0.before != $0.after }
        let after = Dictionary(
            changes.map { ($0.path, $0.after.map { String(decoding: $0, as: UTF8.self) }) },
            uniquingKeysWith: { $1 })
        #expect(after == project.changed)
        let words = edits.flatMap(\.byHand)
        for place in project.byHand { #expect(words.contains { $0.contains(place) }, "\(words)") }
    }

    /// In a copy the paths mean what they mean in the project itself.
    @Test func aCopyIsChangedAsTheProjectWouldBe() throws {
        let workspace = try Workspace([
            "app/package.json": "{}",
            "app/prisma/schema.prisma": Self.schema("sqlite", "  url      = env(\"DATABASE_URL\")"),
            "app/.env": "DATABASE_URL=file:./dev.db\n",
        ])
        try workspace.database("app/prisma/dev.db")
        try ProjectCopy(of: workspace["app"], at: workspace["copy"]).refresh(
            except: [], cancellation: Cancellation())
        #expect(!FileManager.default.fileExists(atPath: workspace["copy/prisma/dev.db"]))
        let editor = ProjectEditor(directory: workspace["app"], root: workspace["copy"])
        let edit = editor.environment(url: Self.url, database: workspace["app/prisma/dev.db"])
        #expect(edit.changes.map(\.path) == [".env"])
    }

    @Test func migrationsMoveAsideAndOneComesInTheirPlace() throws {
        let workspace = try Workspace([
            "package.json": "{}",
            "prisma/schema.prisma": Self.schema("sqlite", "  url      = env(\"DATABASE_URL\")"),
            "prisma/migrations/1_init/migration.sql": "CREATE TABLE a (x);",
            "prisma/migrations/migration_lock.toml": "provider = \"sqlite\"\n",
        ])
        let plan = MigrationPlan(snapshot: "", style: .prisma, schema: "public", enums: [], tables: [])
        let edit = ProjectEditor(directory: workspace.path).migrations(plan: plan)
        #expect(edit.split.moves.map(\.from) == ["prisma/migrations/1_init/migration.sql"])
        #expect(edit.split.moves.map(\.to) == ["prisma/migrations_sqlite/1_init/migration.sql"])
        let lock = edit.changes.last { $0.path == "prisma/migrations/migration_lock.toml" }
        #expect(lock?.after == Array(PrismaBaseline.lock.utf8))
        #expect(edit.changes.contains { $0.path == "prisma/migrations_sqlite/migration_lock.toml" })
        // Once there, nothing more is to be done.
        for change in edit.changes where change.after != nil {
            try workspace.write(change.path, String(decoding: change.after ?? [], as: UTF8.self))
        }
        #expect(ProjectEditor(directory: workspace.path).migrations(plan: plan).changes.isEmpty)
    }
}
