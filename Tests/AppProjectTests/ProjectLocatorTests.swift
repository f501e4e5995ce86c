import Foundation
import MigrationEngine
import Testing

@testable import AppProject

private let schema = """
    datasource db {
      provider = "sqlite"
      url      = env("DATABASE_URL")
    }
    model Message {
      id Int @id @default(autoincrement())
      starredBy User[]
    }
    model User {
      id Int @id
      starred Message[]
    }
    """

private func schema(url: String, provider: String = "sqlite") -> String {
    schema.replacing("env(\"DATABASE_URL\")", with: "\"\(url)\"").replacing(
        "\"sqlite\"", with: "\"\(provider)\"")
}

/// A project, the path that is located in it, and the database that is found.
struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    var files: [String: String]
    var databases: [String]
    var path = ""
    var environment: [String: String] = [:]
    let expected: String
    var project: String? = ""
}

struct ProjectLocatorTests {
    @Test(
        "The database of a project is found",
        arguments: [
            Case(
                testDescription: "beside the schema, by .env",
                files: [
                    "prisma/schema.prisma": schema,
                    ".env": "DATABASE_URL=\"file:./dev.db?connection_limit=1\"",
                ],
                databases: ["prisma/dev.db", "other.db"], expected: "prisma/dev.db"),
            Case(
                testDescription: "by prisma/.env",
                files: [
                    "prisma/schema.prisma": schema, "prisma/.env": "DATABASE_URL=file:../data/chat.db\r\n",
                ],
                databases: ["data/chat.db"], expected: "data/chat.db"),
            Case(
                testDescription: "the root's .env goes before prisma/.env",
                files: [
                    "prisma/schema.prisma": schema, ".env": "DATABASE_URL=file:a.db",
                    "prisma/.env": "DATABASE_URL=file:b.db",
                ], databases: ["prisma/a.db", "prisma/b.db"], expected: "prisma/a.db"),
            Case(
                testDescription: "in the project's root where it is not beside the schema",
                files: ["prisma/schema.prisma": schema(url: "file:./dev.db")], databases: ["dev.db"],
                expected: "dev.db"),
            Case(
                testDescription: "beside the schema before the root",
                files: ["prisma/schema.prisma": schema(url: "file:./dev.db")],
                databases: ["dev.db", "prisma/dev.db"],
                expected: "prisma/dev.db"),
            Case(
                testDescription: "the environment goes before .env",
                files: ["prisma/schema.prisma": schema, ".env": "DATABASE_URL=file:a.db"],
                databases: ["prisma/a.db", "prisma/b.db"], environment: ["DATABASE_URL": "file:./b.db"],
                expected: "prisma/b.db"),
            Case(
                testDescription: "another URL in the environment does not count",
                files: ["prisma/schema.prisma": schema, ".env": "DATABASE_URL=file:a.db"],
                databases: ["prisma/a.db"], environment: ["DATABASE_URL": "postgresql://me:secret@host/db"],
                expected: "prisma/a.db"),
            Case(
                testDescription: "prisma.config names schema and URL, relative to the root",
                files: [
                    "prisma.config.ts":
                        "export default { schema: 'db/main.prisma', datasource: { url: 'file:./dev.db' } }",
                    "db/main.prisma": schema, "prisma/schema.prisma": schema,
                ], databases: ["dev.db", "db/dev.db"], expected: "dev.db"),
            Case(
                testDescription: "package.json names the schema",
                files: [
                    "package.json": #"{"prisma": {"schema": "src/db/schema.prisma"}}"#,
                    "src/db/schema.prisma": schema(url: "file:./dev.db"),
                ], databases: ["src/db/dev.db"], expected: "src/db/dev.db"),
            Case(
                testDescription: "a schema of several files",
                files: [
                    "prisma/schema/models/a.prisma": "model A {\n  id Int @id\n}",
                    "prisma/schema/main.prisma":
                        "datasource d {\n  provider = \"sqlite\"\n  url = \"file:../dev.db\"\n}",
                ], databases: ["prisma/dev.db"], expected: "prisma/dev.db"),
            Case(
                testDescription: "schema.prisma in the root",
                files: ["schema.prisma": schema(url: "file:x.db")],
                databases: ["x.db"], expected: "x.db"),
            Case(
                testDescription: "one folder down in a monorepo",
                files: [
                    "package.json": "{}", "chat-backend/prisma/schema.prisma": schema,
                    "chat-backend/.env": "DATABASE_URL=file:./dev.db", "web/package.json": "{}",
                ], databases: ["chat-backend/prisma/dev.db"], expected: "chat-backend/prisma/dev.db",
                project: "chat-backend"),
            Case(
                testDescription: "in apps/ of a monorepo",
                files: ["apps/chat/prisma/schema.prisma": schema(url: "file:./dev.db")],
                databases: ["apps/chat/prisma/dev.db"], expected: "apps/chat/prisma/dev.db",
                project: "apps/chat"),
            Case(
                testDescription: "the folder prisma itself",
                files: ["prisma/schema.prisma": schema, ".env": "DATABASE_URL=file:./dev.db"],
                databases: ["prisma/dev.db"], path: "prisma", expected: "prisma/dev.db"),
            Case(
                testDescription: "the only file where no URL is set", files: ["prisma/schema.prisma": schema],
                databases: ["prisma/dev.db"], expected: "prisma/dev.db"),
            Case(
                testDescription: "the file itself, in a project",
                files: ["prisma/schema.prisma": schema, ".env": "DATABASE_URL=file:./dev.db"],
                databases: ["prisma/dev.db"], path: "prisma/dev.db", expected: "prisma/dev.db"),
            Case(
                testDescription: "the file itself, in the root of a project",
                files: ["prisma/schema.prisma": schema(url: "file:../dev.db")], databases: ["dev.db"],
                path: "dev.db",
                expected: "dev.db"),
            Case(
                testDescription: "the file itself, in a folder of the project",
                files: ["prisma/schema.prisma": schema(url: "file:../data/dev.db")],
                databases: ["data/dev.db"],
                path: "data/dev.db", expected: "data/dev.db"),
        ])
    func prisma(example: Case) throws {
        let workspace = try Workspace(example.files)
        for name in example.databases { try workspace.database(name) }
        let location = try ProjectLocator.locate(
            example.path.isEmpty ? workspace.path : workspace[example.path], environment: example.environment)
        #expect(location.databasePath == workspace[example.expected])
        #expect(
            location.projectDirectory == example.project.map { $0.isEmpty ? workspace.path : workspace[$0] })
        #expect(location.hints?.style == .prisma)
        #expect(location.schemaPath != nil)
        #expect(!location.evidence.isEmpty)
        #expect(!(location.evidence + location.warnings).contains { $0.contains("secret") })
    }

    @Test(
        "A file that no schema is about is a bare one",
        arguments: [
            [:], ["schema.prisma": schema(url: "file:./other.db")],
            ["schema.prisma": schema(url: "file:./dev.db", provider: "postgresql")], ["schema.prisma": "{{{"],
        ] as [[String: String]])
    func bare(files: [String: String]) throws {
        let workspace = try Workspace(files)
        try workspace.database("dev.db")
        try workspace.database("other.db")
        let location = try ProjectLocator.locate(workspace["dev.db"], environment: [:])
        #expect(location.databasePath == workspace["dev.db"])
        #expect(location.projectDirectory == nil)
        #expect(location.hints == nil)
    }

    @Test("A link to the schema's database is that database")
    func link() throws {
        let workspace = try Workspace(["prisma/schema.prisma": schema(url: "file:./dev.db")])
        try workspace.database("data/real.db")
        try FileManager.default.createSymbolicLink(
            atPath: workspace["prisma/dev.db"], withDestinationPath: "../data/real.db")
        let location = try ProjectLocator.locate(workspace["data/real.db"], environment: [:])
        #expect(location.databasePath == workspace["data/real.db"])
        #expect(location.hints != nil)
    }

    @Test(
        "Without a schema the only SQLite file is taken",
        arguments: ["app.db", "db.sqlite3", "data/app.sqlite", "var/lib/App.DB"])
    func search(name: String) throws {
        let workspace = try Workspace(["notes.db": "no database", "empty.sqlite": ""])
        for other in [
            "node_modules/x.db", ".git/x.db", ".howdah/x.db", "app.db.howdah/x.db", "a/b/c/deep.db", name,
        ] {
            try workspace.database(other)
        }
        let location = try ProjectLocator.locate(
            workspace.path, environment: ["DATABASE_URL": "file:./no.db"])
        #expect(location.databasePath == workspace[name])
        #expect(location.projectDirectory == workspace.path)
        #expect(location.hints == nil)
    }

    @Test(
        "Where nothing or too much is found the error names it",
        arguments: [
            ([:], [], ["no SQLite file"]),
            ([:], ["a.db", "b/b.sqlite"], ["2 databases", "a.db, b/b.sqlite"]),
            (
                ["prisma/schema.prisma": schema(url: "file:./dev.db")], ["x.db"],
                ["file:./dev.db", "/prisma/dev.db"]
            ),
            (["prisma/schema.prisma": schema], ["x.db", "y.db"], ["2 databases", "x.db, y.db"]),
            (["prisma/schema.prisma": schema], [], ["DATABASE_URL is set nowhere"]),
            (
                ["prisma/schema.prisma": schema, ".env": "DATABASE_URL=mysql://u:secret@h/d"], [],
                ["in .env names no"]
            ),
            (
                [
                    "a/prisma/schema.prisma": schema(url: "file:x.db"),
                    "b/schema.prisma": schema(url: "file:x.db"),
                ],
                ["a/prisma/x.db", "b/x.db"], ["2 databases", "a/prisma/x.db, b/x.db"]
            ),
            (["schema.prisma": schema(url: "file:x.db", provider: "mysql")], [], ["its provider is mysql"]),
        ] as [([String: String], [String], [String])])
    func failures(files: [String: String], databases: [String], expected: [String]) throws {
        let workspace = try Workspace(files)
        for name in databases { try workspace.database(name) }
        let error = #expect(throws: SourceNotFound.self) {
            try ProjectLocator.locate(workspace.path, environment: [:])
        }
        for text in expected { #expect(error?.message.contains(text) == true) }
        #expect(error?.description.contains("secret") == false)
        #expect(error?.remedy.isEmpty == false)
    }

    @Test("A path that is not there is told")
    func missing() throws {
        let workspace = try Workspace()
        let error = #expect(throws: SourceNotFound.self) {
            try ProjectLocator.locate(workspace["no.db"], environment: [:])
        }
        #expect(error?.message == "\(workspace["no.db"]) is not there")
    }

    @Test(
        "Join tables have keys from Prisma 6 on, and where no version is told",
        arguments: [("^5.22.0", false), ("6.0.0", true), ("latest", true)])
    func joinTables(version: String, hasKeys: Bool) throws {
        let workspace = try Workspace([
            "prisma/schema.prisma": schema(url: "file:./dev.db"),
            "package.json": #"{"dependencies": {"@prisma/client": "\#(version)"}}"#,
        ])
        try workspace.database("prisma/dev.db")
        let hints = try #require(try ProjectLocator.locate(workspace.path, environment: [:]).hints)
        #expect(hints.joinTables == (hasKeys ? ["_MessageToUser"] : []))
        #expect(hints.tableOrder == ["Message", "User", "_MessageToUser"])
        #expect(hints.source == "prisma/schema.prisma")
        #expect(hints.columns["User"]?["id"]?.isAutoincrement == false)
    }

    @Test("A second file that the URL could mean is told")
    func doubt() throws {
        let workspace = try Workspace(["prisma/schema.prisma": schema(url: "file:./dev.db")])
        try workspace.database("dev.db")
        try workspace.database("prisma/dev.db")
        let location = try ProjectLocator.locate(workspace.path, environment: [:])
        #expect(
            location.warnings == [
                "url=file:./dev.db in prisma/schema.prisma could also mean dev.db, which is not taken"
            ])
    }
}
