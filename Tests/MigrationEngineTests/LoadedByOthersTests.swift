import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

/// Targets as others leave them: pgloader, Prisma, Django, and a CSV file that psql has loaded.
@Suite struct LoadedByOthersTests {
    /// pgloader 3.6 with its defaults: names that need no quotes in small letters, and its own rules of types.
    @Test func aTargetOfPgloadersIsProvenButForWhatItLoses() throws {
        try ForeignTarget.with(
            source: """
                CREATE TABLE "Person" (id INTEGER PRIMARY KEY AUTOINCREMENT, "fullName" VARCHAR(80) NOT NULL, score REAL,
                    isActive TINYINT(1), flag BOOLEAN, photo BLOB, born DATE, createdAt DATETIME, data JSON);
                INSERT INTO "Person" VALUES (1, 'Ann', 0.1, 1, 1, x'00ff', '1990-02-03', '2024-01-02 03:04:05', '{"a":1}'),
                    (2, 'Bob Ö', 0.30000000000000004, 0, 0, x'', NULL, '2024-06-01 00:00:00.123', '[]'),
                    (3, '', NULL, NULL, NULL, NULL, '2000-12-31', NULL, NULL);
                CREATE TABLE "Order Line" (personId INTEGER REFERENCES "Person" (id), no INTEGER, note TEXT, PRIMARY KEY (personId, no));
                INSERT INTO "Order Line" VALUES (1, 1, 'x'), (1, 2, NULL);
                CREATE TABLE log (at INTEGER, line TEXT); INSERT INTO log VALUES (5, 'a'), (5, 'a'), (6, 'b');
                CREATE VIEW names AS SELECT "fullName" FROM "Person"
                """,
            target: """
                CREATE TABLE person (id bigserial PRIMARY KEY, fullname text, score real, isactive smallint, flag boolean,
                    photo bytea, born date, createdat timestamptz, data json);
                INSERT INTO person VALUES (1, 'Ann', 0.1, 1, true, '\\x00ff', '1990-02-03', '2024-01-02 03:04:05+00', '{"a":1}'),
                    (2, 'Bob Ö', 0.3, 0, false, '', NULL, '2024-06-01 00:00:00.123+00', '[]'),
                    (3, '', NULL, NULL, NULL, NULL, '2000-12-31', NULL, NULL);
                CREATE TABLE "Order Line" (personid bigint REFERENCES person, no bigint, note text, PRIMARY KEY (personid, no));
                INSERT INTO "Order Line" VALUES (1, 1, 'x'), (1, 2, NULL);
                CREATE TABLE log (at bigint, line text); INSERT INTO log VALUES (5, 'a'), (6, 'b'), (5, 'a')
                """
        ) { target in
            let report = try target.validate()
            #expect(report.verdicts == ["Person": "differs", "Order Line": "equal", "log": "equal"])
            #expect(
                report.table("Person")?.samples == [
                    RowDifference(kind: .changed, key: "2", columns: ["score"])
                ])
            #expect(
                report.notes("Person") == [
                    "it is person in the target",
                    "score is real in the target, not double precision: it keeps 6 to 9 digits: a number equals the float that it "
                        + "is exactly, or shortest written; 1 row differs in it, which may be why",
                    "createdAt is timestamptz in the target, not timestamp: an instant: times without a zone are taken as UTC",
                ])
            #expect(report.table("Person")?.notes?.map(\.rows) == [nil, 1, nil])
            #expect(report.notes("Order Line") == [])
            try target.execute(
                "ALTER TABLE person ALTER score TYPE float8; UPDATE person SET score = 0.30000000000000004 WHERE id = 2"
            )
            try target.execute("UPDATE person SET score = 0.1 WHERE id = 1")
            #expect(try target.validate().outcome == .proven)
            try target.execute("UPDATE person SET createdat = createdat - interval '1 hour' WHERE id = 1")
            #expect(
                try target.validate().table("Person")?.samples == [
                    RowDifference(kind: .changed, key: "1", columns: ["createdAt"])
                ])
        }
    }

    /// What `prisma migrate` makes on PostgreSQL of a schema whose SQLite file Prisma has written.
    @Test func aTargetOfPrismasIsProven() throws {
        try ForeignTarget.with(
            source: """
                CREATE TABLE "User" ("id" TEXT NOT NULL PRIMARY KEY, "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
                    "score" REAL, "isAdmin" BOOLEAN NOT NULL DEFAULT false, "key" BLOB, "count" INTEGER, "big" BIGINT);
                CREATE UNIQUE INDEX "User_count_key" ON "User"("count");
                INSERT INTO "User" VALUES ('cjld2cjxh0000', 1704164645678, 0.1, 1, x'00ff', 7, 9007199254740993),
                    ('cjld2cjxh0001', '2024-06-01T00:00:00.001Z', NULL, 0, NULL, NULL, NULL)
                """,
            target: """
                CREATE TABLE "User" ("id" TEXT NOT NULL, "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
                    "score" DOUBLE PRECISION, "isAdmin" BOOLEAN NOT NULL DEFAULT false, "key" BYTEA, "count" INTEGER, "big" BIGINT,
                    CONSTRAINT "User_pkey" PRIMARY KEY ("id"));
                CREATE UNIQUE INDEX "User_count_key" ON "User"("count");
                CREATE TABLE _prisma_migrations (id text);
                INSERT INTO "User" VALUES ('cjld2cjxh0000', '2024-01-02 03:04:05.678', 0.1, true, '\\x00ff', 7, 9007199254740993),
                    ('cjld2cjxh0001', '2024-06-01 00:00:00.001', NULL, false, NULL, NULL, NULL)
                """
        ) { target in
            target.migration.style = .prisma
            let report = try target.validate()
            #expect(report.outcome == .proven && report.notices.isEmpty, "\(report.tables) \(report.notices)")
            #expect(report.notes("User") == [])
            try target.execute(
                "UPDATE \"User\" SET \"createdAt\" = \"createdAt\" + interval '1 millisecond', score = 0.2")
            #expect(
                try target.validate().table("User")?.samples.map(\.columns) == [
                    ["createdAt", "score"], ["createdAt", "score"],
                ])
        }
    }

    @Test func aTargetOfDjangosIsProven() throws {
        try ForeignTarget.with(
            source: """
                CREATE TABLE "django_migrations" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app" varchar(255) NOT NULL);
                INSERT INTO django_migrations VALUES (1, 'blog');
                CREATE TABLE "blog_post" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "title" varchar(150) NOT NULL,
                    "uid" char(32) NOT NULL UNIQUE, "made" datetime NOT NULL, "is_draft" bool NOT NULL, "price" decimal NOT NULL);
                INSERT INTO blog_post VALUES (1, 'One', '5eed0000000040008000000000000001', '2024-01-02 03:04:05.678901', 1, 1.5),
                    (2, 'Two', '5eed0000000040008000000000000002', '2024-06-01 00:00:00', 0, 20)
                """,
            target: """
                CREATE TABLE django_migrations (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, app varchar(255) NOT NULL);
                INSERT INTO django_migrations VALUES (1, 'blog');
                CREATE TABLE blog_post (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, title varchar(150) NOT NULL,
                    uid uuid NOT NULL UNIQUE, made timestamptz NOT NULL, is_draft boolean NOT NULL, price numeric(10,2) NOT NULL);
                CREATE INDEX blog_post_title_like ON blog_post (title varchar_pattern_ops);
                INSERT INTO blog_post VALUES (1, 'One', '5eed0000-0000-4000-8000-000000000001', '2024-01-02 03:04:05.678901Z', true, 1.5),
                    (2, 'Two', '5eed0000-0000-4000-8000-000000000002', '2024-06-01 00:00:00Z', false, 20)
                """
        ) { target in
            target.migration.style = .django
            let report = try target.validate()
            #expect(report.outcome == .proven, "\(report.tables)")
            #expect(
                report.notes("blog_post") == [
                    "price is numeric(10,2) in the target, not numeric: compared by digits, of which 2 after the point are kept"
                ])
        }
    }

    /// sqlite3 writes a CSV file with 15 digits of a number, which is what differs afterwards, and all that does.
    @Test func whatACSVFileLosesIsFound() throws {
        try ForeignTarget.with(
            source: """
                CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT, r REAL, d DATETIME);
                INSERT INTO t VALUES (1, 'a,"b"', 0.5, '2024-01-02 03:04:05'), (2, '', 0.30000000000000004, NULL),
                    (3, NULL, 2.5, NULL)
                """,
            target: "CREATE TABLE t (id int PRIMARY KEY, s text, r double precision, d timestamp)"
        ) { target in
            let file = target.path + ".csv"
            _ = FileManager.default.createFile(atPath: file, contents: nil)
            try run("sqlite3", ["-csv", "-cmd", ".output \(file)", target.path, "SELECT * FROM t"])
            try run(
                "psql",
                [
                    "-qX", "-v", "ON_ERROR_STOP=1", "-d", target.conninfo.url, "-c",
                    "\\copy t FROM '\(file)' CSV",
                ])
            let report = try target.validate()
            #expect(report.exit == 4)
            #expect(report.table("t")?.samples == [RowDifference(kind: .changed, key: "2", columns: ["r"])])
        }
    }

    private func run(_ program: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let ended = waitUntil(seconds: 60) { !process.isRunning }
        if !ended { process.terminate() }
        #expect(ended && process.terminationStatus == 0, "\(program) failed")
    }
}
