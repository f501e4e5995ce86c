import DemoProject
import Foundation
import Postgres
import TestSupport
import Testing

/// Checking a target that howdah has not loaded, as a user does it.
@Suite struct ValidateCommandTests {
    private static let source = """
        CREATE TABLE "User" (id INTEGER PRIMARY KEY, "createdAt" DATETIME, score REAL);
        INSERT INTO "User" VALUES (1, '2024-01-02 03:04:05', 0.1), (2, NULL, 0.30000000000000004)
        """
    private static let target = """
        CREATE SCHEMA chat; CREATE TABLE chat.users (id bigint PRIMARY KEY, created_at timestamptz, score float8, seen boolean);
        INSERT INTO chat.users VALUES (1, '2024-01-02 03:04:05Z', 0.1), (2, NULL, 0.30000000000000004)
        """

    @Test func aTargetOfSomebodyElsesIsProvenAndWhatIsOtherIsTold() throws {
        try withTemporaryFolder { folder in
            let project = "\(folder)/app"
            try FileManager.default.createDirectory(
                atPath: "\(project)/prisma", withIntermediateDirectories: true)
            try makeDatabase("\(project)/prisma/dev.db", Self.source)
            try """
            datasource db {
              provider = "sqlite"
              url      = "file:./dev.db"
            }
            model users {
              id        Int       @id
              createdAt DateTime?
              score     Float?
              @@map("User")
            }
            """.write(toFile: "\(project)/prisma/schema.prisma", atomically: true, encoding: .utf8)
            try TestServer.withDatabase { conninfo in
                try TestServer.execute(Self.target, in: conninfo)
                let url = conninfo.url
                let outcome = try Howdah.run(["validate", project, url])
                #expect(outcome.exit == 0, "\(outcome.errors) \(outcome.output)")
                for words in [
                    "compared with the schema chat, which holds 1 of the source's 1 tables; public holds 0",
                    "User: it is users in the target",
                    "User: the source has no column seen: NULL in every row",
                    "User: createdAt is timestamptz in the target, not timestamp(3): an instant",
                ] {
                    #expect(outcome.output.contains(words), "\(words) in \(outcome.output)")
                }
                try TestServer.execute("ALTER TABLE chat.users ALTER score TYPE real", in: conninfo)
                let document = try Howdah.run(["validate", project, url, "--schema", "chat", "--json"])
                #expect(document.exit == 4)
                let json = try document.json()
                #expect((json["notices"] as? [String])?.isEmpty == true)
                let table = try #require((json["tables"] as? [[String: Any]])?.first)
                let notes = try #require(table["notes"] as? [[String: Any]])
                let score = try #require(notes.first { $0["column"] as? String == "score" })
                #expect(score["rows"] as? Int == 1)
                #expect((score["text"] as? String)?.contains("it keeps 6 to 9 digits") == true)
                #expect(table["differences"] as? Int == 1 && table["verdict"] as? String == "differs")
                let elsewhere = try Howdah.run(["validate", project, url, "--schema", "public"])
                #expect(
                    elsewhere.exit == 4
                        && elsewhere.output.contains("its schema public has none of that name"))
            }
        }
    }

    /// What is known of a file that a project has is known by the project.
    @Test func aFileWhoseProjectKeepsTheStateIsNotTakenByItself() throws {
        try withTemporaryFolder { folder in
            let project = "\(folder)/app"
            _ = try DemoProject.make(in: project, options: .init(messages: 20))
            try TestServer.withDatabase { conninfo in
                #expect(try Howdah.run(["migrate", project, conninfo.url, "--yes"]).exit == 0)
                let file = "\(project)/prisma/dev.db"
                let refused = try Howdah.run(["validate", file, conninfo.url])
                #expect(refused.exit == 2)
                #expect(refused.errors.contains("Name the project: \(project)"))
                #expect(!FileManager.default.fileExists(atPath: "\(file).howdah"))
                let one = try Howdah.run(["validate", project, conninfo.url, "--table", "User"])
                #expect(one.exit == 0)
                #expect(one.output.contains("User") && !one.output.contains("skipped"))
            }
        }
    }

    /// Another session holds the table: whom the command waits for is said, and the wait ends with the wish to stop.
    @Test(arguments: ["validate", "digest"]) func aWaitForALockIsToldAndCanBeCancelled(_ command: String)
        throws
    {
        try withTemporaryFolder { folder in
            let source = "\(folder)/a.db"
            try makeDatabase(source, "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)")
            try TestServer.withDatabase { target in
                #expect(try Howdah.run(["migrate", source, target.url, "--yes"]).exit == 0)
                let holder = try TestServer.connect(target)
                try holder.execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
                let path = "\(folder)/errors"
                _ = FileManager.default.createFile(atPath: path, contents: nil)
                let errors = try #require(FileHandle(forWritingAtPath: path))
                let process = try Howdah.start(
                    [command, source, target.url], output: .nullDevice, errors: errors)
                let waits = waitUntil(seconds: 60) {
                    (try? holder.query(
                        "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 't'::regclass)"
                    )
                    .bool(0, 0)) ?? false
                }
                #expect(waits)
                let isTold = waitUntil(seconds: 20) {
                    (try? String(contentsOfFile: path, encoding: .utf8))?.contains(
                        "waits for other sessions: tests, as ") ?? false
                }
                #expect(isTold)
                kill(process.processIdentifier, SIGINT)
                try #require(waitUntil(seconds: 60) { !process.isRunning })
                #expect(process.terminationStatus == 130)
            }
        }
    }
}
