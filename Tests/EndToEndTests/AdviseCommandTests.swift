import Foundation
import Postgres
import TestSupport
import Testing

/// The advice on indexes as a command, on a migrated database.
@Suite struct AdviseCommandTests {
    private static let script = """
        CREATE TABLE "User" (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
        CREATE TABLE "Message" (id INTEGER PRIMARY KEY, "userId" INTEGER NOT NULL REFERENCES "User"(id), kind TEXT, body TEXT);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
        INSERT INTO "User" SELECT i, 'user ' || i FROM n;
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
        INSERT INTO "Message" SELECT i, i % 300 + 1, 'kind ' || (i % 500), 'text ' || i FROM n;
        """
    private static let schema = """
        datasource db {
          provider = "sqlite"
          url      = "file:../app.db"
        }

        model User {
          id       Int       @id
          name     String?   @unique
          messages Message[]
        }

        model Message {
          id     Int     @id
          userId Int
          user   User    @relation(fields: [userId], references: [id])
          kind   String?
          body   String?
        }

        """

    private func withProject(_ body: (_ project: String) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let project = "\(folder)/app"
            try FileManager.default.createDirectory(
                atPath: "\(project)/prisma", withIntermediateDirectories: true)
            try makeDatabase("\(project)/app.db", Self.script)
            try Self.schema.write(
                toFile: "\(project)/prisma/schema.prisma", atomically: true, encoding: .utf8)
            try "const rows = db.$queryRawUnsafe('SELECT body FROM \"Message\" WHERE kind = ?', kind)\n"
                .write(
                    toFile: "\(project)/list.ts", atomically: true, encoding: .utf8)
            defer { _ = try? Howdah.run(["rehearsal", "remove", project]) }
            try body(project)
        }
    }

    private func schema(_ project: String) throws -> String {
        try String(contentsOfFile: "\(project)/prisma/schema.prisma", encoding: .utf8)
    }

    private static let made =
        "SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE indexname LIKE 'Message%idx'"

    @Test func aRehearsalShowsWhatAnIndexBringsAndMakesIt() throws {
        try withProject { project in
            #expect(try Howdah.run(["advise", project]).exit == 3, "there is nothing to look at yet")
            #expect(try Howdah.run(["migrate", project, "--decide", "recommended"]).exit == 0)
            let outcome = try Howdah.run(["advise", project, "--json"])
            #expect(outcome.exit == 0, "\(outcome.errors)")
            let document = try outcome.json()
            let lines = document["indexes"] as? [[String: Any]] ?? []
            let advice = lines.compactMap { $0["advice"] as? [String: Any] }
            #expect(
                advice.compactMap { $0["id"] as? String }.sorted() == [
                    "index:Message.kind", "index:Message.userId",
                ],
                "\(outcome.output)")
            let query = try #require(advice.first { $0["id"] as? String == "index:Message.kind" })
            let effect = try #require(query["effect"] as? [String: Any])
            #expect(effect["place"] as? String == "list.ts:1")
            #expect(effect["after"] is [String: Any])
            let left = try Howdah.run([
                "advise", project, "--leave", "index:Message.kind", "--note", "asked once a day", "--as",
                "ann",
            ])
            #expect(left.output.contains("– index:Message.kind"), "\(left.errors)")
            #expect(left.output.contains("note: asked once a day"))
            let preview = try Howdah.run(["advise", project, "--apply", "recommended", "--preview"])
            #expect(preview.output.contains("CREATE INDEX CONCURRENTLY \"Message_userId_idx\""))
            #expect(!preview.output.contains("CREATE INDEX CONCURRENTLY \"Message_kind_idx\""))
            let applied = try Howdah.run(["advise", project, "--apply", "recommended"])
            #expect(applied.exit == 0, "\(applied.errors)\(applied.output)")
            #expect(applied.output.contains("1 index made; 1 of 1 foreign key has an index"))
            #expect(try schema(project) == Self.schema, "the project's own file stays in a rehearsal")
            // What is proven is as it was.
            #expect(try Howdah.run(["validate", project]).exit == 0)
            let undone = try Howdah.run(["advise", project, "--undo"])
            #expect(
                undone.exit == 0 && undone.output.contains("dropped Message_userId_idx"), "\(undone.errors)")
            #expect(try Howdah.run(["advise", project]).output.contains("○ index:Message.userId"))
        }
    }

    @Test func aLiveTargetIsChangedOnceConfirmedAndPrismaKeepsTheIndex() throws {
        try withProject { project in
            try TestServer.withDatabase { target in
                #expect(
                    try Howdah.run(["migrate", project, target.url, "--decide", "recommended", "--yes"]).exit
                        == 0)
                let looked = try Howdah.run(["advise", project, target.url])
                #expect(
                    looked.exit == 0 && looked.output.contains("○ index:Message.userId"), "\(looked.errors)")
                let refused = try Howdah.run(["advise", project, target.url, "--apply", "recommended"])
                #expect(refused.exit == 2 && refused.errors.contains("nobody has confirmed it"))
                #expect(
                    try Howdah.run(["advise", project, target.url, "--apply", "nothing", "--yes"]).exit == 2)
                let applied = try Howdah.run([
                    "advise", project, target.url, "--apply", "recommended", "--schema-prisma", "--yes",
                ])
                #expect(applied.exit == 0, "\(applied.errors)\(applied.output)")
                #expect(try TestServer.value(Self.made, in: target) == "Message_kind_idx Message_userId_idx")
                let lines = ["userId", "kind"].map {
                    "  @@index([\($0)], map: \"Message_\($0)_idx\")\n"
                }
                let written = try schema(project)
                #expect(lines.allSatisfy { written.contains($0) }, "\(written)")
                let undone = try Howdah.run(["advise", project, target.url, "--undo", "--yes"])
                #expect(undone.exit == 0, "\(undone.errors)")
                #expect(try TestServer.value(Self.made, in: target) == nil)
                #expect(try schema(project) == Self.schema)
            }
        }
    }

    @Test func aHowdahThatIsKilledWhileItWaitsLeavesWhatTheNextOneDrops() throws {
        try withProject { project in
            try TestServer.withDatabase { target in
                #expect(
                    try Howdah.run(["migrate", project, target.url, "--decide", "recommended", "--yes"]).exit
                        == 0)
                try TestServer.execute("CREATE TABLE other (a int)", in: target)
                let blocker = try Connection(target, applicationName: "the long report")
                try blocker.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM other")
                let killed = try Howdah.run(
                    ["advise", project, target.url, "--apply", "index:Message.userId", "--yes"],
                    environment: ["HOWDAH_CRASH": "6.1 waiting"])
                #expect(killed.exit == SIGKILL, "\(killed.errors)")
                let valid =
                    "SELECT indisvalid FROM pg_index WHERE indexrelid = '\"Message_userId_idx\"'::regclass"
                #expect(try TestServer.value(valid, in: target) == "f")
                let looked = try Howdah.run(["advise", project, target.url])
                #expect(
                    looked.output.contains("○ drop:Message_userId_idx  left by a build of howdah's"),
                    "\(looked.output)")
                let next = try Howdah.run([
                    "advise", project, target.url, "--apply", "drop:Message_userId_idx", "--yes",
                ])
                #expect(next.exit == 0, "\(next.errors)\(next.output)")
                #expect(try TestServer.value(Self.made, in: target) == nil)
                let sessions =
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'howdah index (%'"
                #expect(try TestServer.value(sessions, in: target) == "0")
                try blocker.execute("ROLLBACK")
            }
        }
    }

    @Test(arguments: [["--undo", "--apply", "x"], ["--apply", "recommended", "x"]])
    func whatCannotBeMeantIsWrongUsage(arguments: [String]) throws {
        #expect(try Howdah.run(["advise", "/tmp", "rehearsal"] + arguments).exit == 2)
    }
}
