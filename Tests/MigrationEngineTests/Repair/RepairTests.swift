import Foundation
import Postgres
import TestSupport
import Testing

@testable import MigrationEngine

/// Rows that differ are copied again, proven, and can be put back.
@Suite struct RepairTests {
    /// A database, what somebody does to it in PostgreSQL, and what a repair makes of that.
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let schema: String
        let damage: String
        /// Rows copied and removed, by table; `whole` where it is loaded again.
        let expected: [String]
        var testDescription: String { name }
    }

    static let chat = """
        CREATE TABLE User (id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, friend TEXT REFERENCES User(id) ON DELETE CASCADE);
        CREATE TABLE Message (id INTEGER PRIMARY KEY AUTOINCREMENT, userId TEXT NOT NULL REFERENCES User(id) ON DELETE CASCADE,
            body TEXT, bytes BLOB, score REAL, at DATETIME);
        CREATE TABLE Reaction (messageId INTEGER NOT NULL REFERENCES Message(id) ON DELETE CASCADE, kind TEXT NOT NULL,
            n REAL, PRIMARY KEY (messageId, kind));
        CREATE TABLE log (at TEXT, what TEXT);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
        INSERT INTO User SELECT 'u' || i, 'mail' || i, CASE WHEN i > 1 THEN 'u' || (i - 1) END FROM n;
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
        INSERT INTO Message (userId, body, bytes, score, at) SELECT 'u' || (1 + i % 40), 'text ' || i, zeroblob(i % 60), i / 7.0,
            '2024-01-02 03:04:05' FROM n;
        INSERT INTO Reaction SELECT id, 'like', id / 3.0 FROM Message WHERE id % 3 = 0;
        INSERT INTO log VALUES ('a', 'x'), ('a', 'x'), (NULL, NULL);
        """

    @Test func aRepairIsKnownByEveryNameOfItsDatabase() throws {
        try Damaged.with("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a')") {
            damaged in
            try damaged.damage("UPDATE t SET v = 'b'")
            let record = try #require(try damaged.repair().record)
            func history(_ conninfo: Conninfo) throws -> [String] {
                let server = TargetServer(conninfo, cancellation: Cancellation())
                return try RepairHistory(damaged.state(), server).records().map(\.id)
            }
            let other = damaged.conninfo.setting("application_name", to: "x")
                .setting("sslmode", to: "disable")
            try #require(other.url != damaged.conninfo.url)
            #expect(try history(damaged.conninfo) == [record.id])
            #expect(try history(other) == [record.id])
            let elsewhere = try TestServer.withDatabase { try history($0) }
            #expect(elsewhere == [])
            // Where the server cannot be reached, the name speaks; so it does of records that know no database.
            let gone = damaged.conninfo.setting("port", to: "1")
            #expect(try history(gone) == [])
            let path = "\(damaged.folder)/state/repairs/\(record.id)/repair.json"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let old = text.replacing(/\ *"database" : .*\n/, with: "")
            try #require(old != text)
            try old.write(toFile: path, atomically: true, encoding: .utf8)
            #expect(try history(damaged.conninfo) == [record.id])
            #expect(try history(other) == [])
        }
    }

    /// Keys of many types, each with a row that can be changed.
    private static func keyed(_ key: String, _ values: [String]) -> String {
        "CREATE TABLE t (k \(key) PRIMARY KEY NOT NULL, v TEXT); INSERT INTO t VALUES "
            + values.enumerated().map { "(\($1), 'v\($0)')" }.joined(separator: ", ")
    }

    static let hostile = """
        CREATE TABLE "a ""b"" 'c'; DROP" ("k, ""1"" x" TEXT NOT NULL, "k;2" INTEGER NOT NULL, "v%$1" TEXT,
            "g" TEXT GENERATED ALWAYS AS (upper("v%$1")) STORED, PRIMARY KEY ("k, ""1"" x", "k;2"));
        INSERT INTO "a ""b"" 'c'; DROP" VALUES ('a, b', 1, 'one'), ('it''s "x"', 2, 'two'), ('a', 3, NULL)
        """

    static let cases = [
        Case(name: "nothing differs", schema: chat, damage: "", expected: []),
        Case(
            name: "cells of every type", schema: chat,
            damage: """
                UPDATE "Message" SET body = 'other' WHERE id = 5; UPDATE "Message" SET bytes = '\\x00ff' WHERE id = 6;
                UPDATE "Message" SET score = 'NaN' WHERE id = 7; UPDATE "Message" SET at = NULL WHERE id = 8;
                UPDATE "Reaction" SET n = 1e300 WHERE "messageId" = 9; UPDATE "User" SET email = 'none' WHERE id = 'u7'
                """, expected: ["Message 4 0", "Reaction 1 0", "User 1 0"]),
        Case(
            name: "a cell of each further type",
            schema: """
                CREATE TABLE v (id INTEGER PRIMARY KEY, b BOOLEAN, d DECIMAL(10, 2), day DATE, j JSON, n BIGINT, c VARCHAR(10), u UUID, t TIME);
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9)
                INSERT INTO v SELECT i, i % 2, 12.34, '2024-02-29', '{"a": [1, null, "x"]}', 9223372036854775807, 'ä, "b"',
                    '0190163d-8694-739b-aea5-966c26f8ad91', '13:14:15' FROM n
                """,
            damage: """
                UPDATE v SET b = NOT b WHERE id = 1; UPDATE v SET d = d + 1 WHERE id = 2; UPDATE v SET day = NULL WHERE id = 3;
                UPDATE v SET j = NULL WHERE id = 4; UPDATE v SET n = n - 1 WHERE id = 5; UPDATE v SET c = '' WHERE id = 6;
                UPDATE v SET u = NULL WHERE id = 7; UPDATE v SET t = NULL WHERE id = 8
                """, expected: ["v 8 0"]),
        Case(
            name: "rows that are missing, with those that hung on them", schema: chat,
            damage: "DELETE FROM \"User\" WHERE id = 'u39'",
            expected: ["Message 14 0", "Reaction 5 0", "User 2 0"]),
        Case(
            name: "a changed parent keeps its children", schema: chat,
            damage: "UPDATE \"User\" SET email = email || '!'", expected: ["User 40 0"]),
        Case(
            name: "rows that were added", schema: chat,
            damage: """
                INSERT INTO "User" VALUES ('n1', 'new', 'u1'), ('a, "b"', 'newer', 'n1');
                INSERT INTO "Message" (id, "userId") VALUES (9000, 'n1'); INSERT INTO "Reaction" VALUES (9000, 'it''s, so', 1)
                """, expected: ["Message 0 1", "Reaction 0 1", "User 0 2"]),
        Case(
            name: "a unique value is exchanged by two rows", schema: chat,
            damage: """
                UPDATE "User" SET email = 'x' WHERE id = 'u1'; UPDATE "User" SET email = 'mail1' WHERE id = 'u2';
                UPDATE "User" SET email = 'mail2' WHERE id = 'u1'
                """, expected: ["User 2 0"]),
        Case(
            name: "a row refers to another of its table", schema: chat,
            damage:
                "UPDATE \"User\" SET friend = NULL WHERE id IN ('u5', 'u6'); UPDATE \"User\" SET friend = 'u40' WHERE id = 'u1'",
            expected: ["User 3 0"]),
        Case(
            name: "a doubled row of a table without a key", schema: chat,
            damage: "INSERT INTO log VALUES ('a', 'x')", expected: ["log whole 3 4"]),
        Case(
            name: "a lost and a changed row of a table without a key", schema: chat,
            damage: "DELETE FROM log WHERE at IS NULL; UPDATE log SET what = 'y'", expected: ["log whole 3 2"]
        ),
        Case(
            name: "a composite key, hostile names and a computed column", schema: hostile,
            damage: """
                UPDATE "a ""b"" 'c'; DROP" SET "v%$1" = 'bad' WHERE "k;2" IN (1, 2); DELETE FROM "a ""b"" 'c'; DROP" WHERE "k;2" = 3;
                INSERT INTO "a ""b"" 'c'; DROP" VALUES ('a, b', 9, 'new'), ('"', 1, NULL)
                """, expected: ["a \"b\" 'c'; DROP 3 2"]),
        Case(
            name: "a key of bytes", schema: keyed("BLOB", ["x'00ff'", "x'10'", "x''"]),
            damage:
                "UPDATE t SET v = 'x' WHERE k = '\\x'; DELETE FROM t WHERE k = '\\x00ff'; INSERT INTO t VALUES ('\\xdeadbeef', 'n')",
            expected: ["t 2 1"]),
        Case(
            name: "a key of numbers without a rowid of their own",
            schema: keyed("BIGINT", ["7", "9007199254740993", "-1"]),
            damage:
                "UPDATE t SET v = 'x' WHERE k = 9007199254740993; DELETE FROM t WHERE k = -1; INSERT INTO t VALUES (8, 'n')",
            expected: ["t 2 1"]),
        Case(
            name: "a key of reals", schema: keyed("REAL", ["0.1", "2.5", "1e300"]),
            damage:
                "UPDATE t SET v = 'x' WHERE k = 0.1; DELETE FROM t WHERE k = 2.5; INSERT INTO t VALUES (0.3, 'n')",
            expected: ["t 2 1"]),
        Case(
            name: "a key of times",
            schema: keyed(
                "DATETIME", ["'2024-01-02 03:04:05'", "'2024-01-02 03:04:05.678'", "'1999-12-31 00:00:00'"]),
            damage:
                "UPDATE t SET v = 'x' WHERE v = 'v1'; DELETE FROM t WHERE v = 'v2'; INSERT INTO t VALUES ('2001-01-01', 'n')",
            expected: ["t 2 1"]),
        Case(
            name: "a key of UUIDs",
            schema: keyed(
                "UUID", ["'0190163d-8694-739b-aea5-966c26f8ad91'", "'0190163d-8694-739b-aea5-966c26f8ad92'"]),
            damage: "UPDATE t SET v = 'x' WHERE v = 'v1'; DELETE FROM t WHERE v = 'v0'",
            expected: ["t 2 0"]),
        Case(
            name: "a table without rowids",
            schema: """
                CREATE TABLE w (a TEXT, b INTEGER, c BLOB, PRIMARY KEY (a, b)) WITHOUT ROWID;
                INSERT INTO w VALUES ('x', 1, x'00'), ('x, y', 2, NULL), ('y', 1, zeroblob(9000))
                """,
            damage:
                "UPDATE w SET c = '\\x01' WHERE b = 2; DELETE FROM w WHERE a = 'y'; INSERT INTO w VALUES ('z', 9, NULL)",
            expected: ["w 2 1"]),
        Case(
            name: "a table without rowids whose key cannot be looked for",
            schema: """
                CREATE TABLE w (a REAL PRIMARY KEY, c TEXT) WITHOUT ROWID; INSERT INTO w VALUES (0.5, 'x'), (1.5, NULL)
                """, damage: "UPDATE w SET c = 'y' WHERE a = 0.5", expected: ["w whole 2 2"]),
        Case(
            name: "triggers do not run, and stay as they were",
            schema: """
                CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER); CREATE TABLE seen (id INTEGER PRIMARY KEY, a INTEGER);
                CREATE TRIGGER see AFTER INSERT ON a BEGIN INSERT INTO seen (a) VALUES (new.id); END;
                CREATE TRIGGER gone AFTER DELETE ON a BEGIN INSERT INTO seen (a) VALUES (-old.id); END;
                INSERT INTO a VALUES (1, 1), (2, 2)
                """, damage: "UPDATE a SET n = 5 WHERE id = 1", expected: ["a 1 0"]),
        Case(
            name: "a table that somebody has emptied", schema: chat, damage: "TRUNCATE \"Reaction\"",
            expected: ["Reaction 100 0"]),
    ]

    @Test(arguments: cases)
    func whatDiffersIsCopiedAgainAndCanBePutBack(_ one: Case) throws {
        try Damaged.with(one.schema) { damaged in
            let (sound, constraints, counts) = try (
                damaged.content(), damaged.constraints(), damaged.counts()
            )
            try damaged.damage(one.damage)
            let before = try damaged.content()
            let repair = try damaged.repairer()
            let preview = try repair.preview(RepairRequest(removesExtra: true))
            let told = preview.repairable.map { table in
                let rows = preview.repaired(table)
                return "\(table.name)\(table.way == .whole ? " whole" : "") \(rows.copied) \(rows.removed)"
            }
            #expect(told.sorted() == one.expected)
            let outcome = try repair.run(preview)
            #expect(outcome.report.outcome == .proven)
            #expect(try damaged.content() == sound)
            #expect(try damaged.constraints() == constraints)
            #expect(try damaged.counts() == counts)
            guard outcome.record != nil else { return }
            #expect(try damaged.repairer().preview(RepairRequest()).isEmpty)
            #expect(try damaged.undo().report.outcome == .differs)
            #expect(try damaged.content() == before)
            #expect(try damaged.constraints() == constraints)
            #expect(try damaged.counts() == counts)
            // And there and back again.
            #expect(try damaged.repair(RepairRequest(removesExtra: true)).report.outcome == .proven)
            #expect(try damaged.content() == sound)
        }
    }

    // MARK: What is chosen

    @Test func onlyTheNamedRowsAreRepaired() throws {
        try Damaged.with(Self.chat) { damaged in
            try damaged.damage(
                """
                UPDATE "Message" SET body = 'other' WHERE id IN (5, 6, 7); DELETE FROM "Reaction" WHERE "messageId" IN (9, 12)
                """)
            let one = try damaged.repair(RepairRequest(tables: ["Message"], keys: ["5", "7"]))
            #expect(one.record?.words == "Message (2 changed)")
            #expect(one.report.outcome == .differs)
            #expect(
                try TestServer.rows("SELECT id FROM \"Message\" WHERE body = 'other'", in: damaged.conninfo)
                    == ["6"])
            _ = try damaged.repair(RepairRequest(tables: ["Reaction"], keys: ["9, like"]))
            let keys = try TestServer.rows(
                "SELECT \"messageId\" FROM \"Reaction\" WHERE \"messageId\" IN (9, 12)", in: damaged.conninfo)
            #expect(keys == ["9"])
            #expect(try damaged.repair(RepairRequest(tables: ["Message"])).report.outcome == .proven)
        }
    }

    @Test(arguments: [
        RepairRequest(tables: ["Message"], keys: ["5", "6"]),
        RepairRequest(tables: ["Message"], keys: ["nobody"]),
        RepairRequest(tables: ["User"], keys: ["u1"]), RepairRequest(tables: ["Nothing"]),
        RepairRequest(tables: ["User", "Message"], keys: ["5"]), RepairRequest(keys: ["5"]),
        RepairRequest(tables: ["Message"], keys: ["9001"]),
    ])
    func aKeyOrTableThatDoesNotDifferIsToldBeforeAnythingIsDone(_ request: RepairRequest) throws {
        try Damaged.with(Self.chat) { damaged in
            try damaged.damage(
                "UPDATE \"Message\" SET body = 'other' WHERE id = 5; INSERT INTO \"Message\" (id, \"userId\") VALUES (9001, 'u1')"
            )
            let before = try damaged.content()
            let error = #expect(throws: MigrationError.self) { try damaged.repair(request) }
            #expect(error?.exit == .usage)
            #expect(try damaged.content() == before)
        }
    }

    @Test func rowsThatOnlyTheTargetHasStayUnlessTheyAreNamed() throws {
        try Damaged.with(Self.chat) { damaged in
            try damaged.damage(
                "UPDATE \"User\" SET email = '' WHERE id = 'u1'; INSERT INTO \"User\" VALUES ('new', 'new', 'u1')"
            )
            let repair = try damaged.repairer()
            let preview = try repair.preview(RepairRequest())
            #expect(preview.extraLeft == 1)
            #expect(try repair.run(preview).report.outcome == .differs)
            #expect(try TestServer.value("SELECT count(*) FROM \"User\"", in: damaged.conninfo) == "41")
            let one = try damaged.repair(RepairRequest(tables: ["User"], keys: ["new"], removesExtra: true))
            #expect(one.report.outcome == .proven)
        }
    }

    @Test func aTableWithoutAKeyIsNotLoadedAgainOverRowsThatMayBeNew() throws {
        try Damaged.with(Self.chat) { damaged in
            try damaged.damage(
                "INSERT INTO log VALUES ('new', 'row'); UPDATE \"User\" SET email = '' WHERE id = 'u1'")
            let error = #expect(throws: MigrationError.self) {
                try damaged.repair(RepairRequest(tables: ["log"]))
            }
            #expect(error?.message.contains("--extra") ?? false)
            let keyed = #expect(throws: MigrationError.self) {
                try damaged.repair(RepairRequest(tables: ["log"], keys: ["rowid 1"], removesExtra: true))
            }
            #expect(keyed?.exit == .usage)
            // Among all tables it is told, and the others are repaired.
            let outcome = try damaged.repair()
            #expect(outcome.record?.words == "User (1 changed)")
            #expect(outcome.report.outcome == .differs)
            #expect(try TestServer.value("SELECT count(*) FROM log", in: damaged.conninfo) == "4")
        }
    }

    @Test func numbersGoOnAfterTheRowsThatCameBackAndAreNeverSetBack() throws {
        try Damaged.with(Self.chat) { damaged in
            try damaged.damage(
                "DELETE FROM \"Message\" WHERE id > 250; SELECT setval(pg_get_serial_sequence('\"Message\"', 'id'), 250)"
            )
            _ = try damaged.repair()
            let next = "INSERT INTO \"Message\" (\"userId\") VALUES ('u1') RETURNING id"
            #expect(try TestServer.value(next, in: damaged.conninfo) == "301")
            try damaged.damage(
                "SELECT setval(pg_get_serial_sequence('\"Message\"', 'id'), 700); UPDATE \"Message\" SET body = '' WHERE id = 1"
            )
            _ = try damaged.repair()
            #expect(try TestServer.value(next, in: damaged.conninfo) == "701")
        }
    }
}
