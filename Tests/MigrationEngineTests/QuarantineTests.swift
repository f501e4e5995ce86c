import Foundation
import Postgres
import TestSupport
import Testing

@testable import MigrationEngine

/// Rows that cannot be carried: kept whole in the target, with the rows that refer to them, and proven there.
@Suite struct QuarantineTests {
    private func expect(
        _ sql: String, _ expected: String?, _ conninfo: Conninfo,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let found = try TestServer.value(sql, in: conninfo)
        #expect(found == expected, "\(sql)", sourceLocation: sourceLocation)
    }

    @Test func childrenFollowTheirParents() throws {
        let script = """
            CREATE TABLE a (id INTEGER PRIMARY KEY, up INTEGER REFERENCES a (id), n INTEGER);
            CREATE TABLE b (id TEXT PRIMARY KEY, a INTEGER NOT NULL REFERENCES a (id)) WITHOUT ROWID;
            CREATE TABLE c (id INTEGER PRIMARY KEY, b TEXT REFERENCES b (id), a INTEGER REFERENCES a (id));
            INSERT INTO a VALUES (1, NULL, 1), (2, 1, 'bad'), (3, 2, 3), (4, 3, 4), (5, 1, 5);
            INSERT INTO b VALUES ('x', 1), ('y', 2), ('z', 4);
            INSERT INTO c VALUES (1, 'x', 5), (2, 'y', NULL), (3, 'z', 1), (4, NULL, NULL), (5, 'x', 4)
            """
        try TestMigration(decide: ["value-does-not-fit=quarantine"]).migrated(script) { report, conninfo, _ in
            #expect(report.outcome == .quarantined)
            #expect(report.tables.map(\.sourceRows) == [5, 3, 5])
            #expect(report.tables.map(\.loadedRows) == [2, 1, 2])
            #expect(report.tables.map(\.quarantinedRows) == [3, 2, 3])
            #expect(report.tables.allSatisfy { $0.verdict == "equal" })
            try expect("SELECT string_agg(id::text, ' ' ORDER BY id) FROM c", "1 4", conninfo)
            try expect(
                """
                SELECT string_agg(source_table || key::text, ' ' ORDER BY source_table, key::text)
                FROM howdah.quarantine
                """,
                #"a{"id": 2} a{"id": 3} a{"id": 4} b{"id": "y"} b{"id": "z"} c{"id": 2} c{"id": 3} c{"id": 5}"#,
                conninfo)
            try expect(
                "SELECT reason FROM howdah.quarantine WHERE source_table = 'a' AND key = '{\"id\": 2}'",
                "value-does-not-fit:a.n", conninfo)
            let followers = report.findings.filter { $0.id == .quarantinedWithParent }
            #expect(followers.map(\.count) == [2, 2, 3])
        }
    }

    @Test func theRowIsKeptByteForByte() throws {
        let script = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL, r REAL, s TEXT, b BLOB, z TEXT);
            INSERT INTO t VALUES (7, 'no number', -1.5, CAST(x'61ff00' AS TEXT), x'00ff', NULL)
            """
        try TestMigration(decide: ["value-does-not-fit=quarantine"]).migrated(script) { report, conninfo, _ in
            #expect(report.outcome == .quarantined)
            // Written out by hand from the documented layout.
            func cell(_ name: String, _ storage: String, _ bytes: String) -> String {
                let length = String(format: "%04x", name.utf8.count)
                let size = String(format: "%08x", bytes.count / 2)
                return length + Array(name.utf8).hexadecimal + storage + size + bytes
            }
            let expected =
                "010006" + cell("id", "01", "0000000000000007")
                + cell("n", "03", Array("no number".utf8).hexadecimal) + cell("r", "02", "bff8000000000000")
                + cell("s", "03", "61ff00") + cell("b", "04", "00ff") + cell("z", "05", "")
            try expect("SELECT encode(row, 'hex') FROM howdah.quarantine", expected, conninfo)
            try expect("SELECT source_rowid FROM howdah.quarantine", "7", conninfo)
        }
    }

    @Test func keysOfOneSpellingAndTwoClassesStayApart() throws {
        let script = """
            CREATE TABLE t (k, j, n INTEGER, PRIMARY KEY (k, j)) WITHOUT ROWID;
            INSERT INTO t VALUES (1, 'a', 'bad'), ('1', 'a', 2), (x'31', 'a', 3), (1.5, 'a', 'bad')
            """
        try TestMigration(
            decide: ["value-does-not-fit:t.n=quarantine", "value-does-not-fit:t.k=quarantine"]
        ).migrated(script) { report, conninfo, _ in
            #expect(report.exit == 5, "\(report.findings.map(\.message))")
            let table = report.tables[0]
            #expect(table.loadedRows + table.quarantinedRows == 4)
            #expect(table.quarantinedRows >= 2)
        }
    }

    @Test(
        arguments: [
            ("set-null", nil), ("strip", "ab"), ("escape", "a\\x00b\\xff"),
        ] as [(String, String?)]) func aTextThatPostgreSQLRefusesIsRepaired(word: String, expected: String?)
        throws
    {
        let script = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT);
            INSERT INTO t VALUES (1, 'fine'), (2, CAST(x'610062ff' AS TEXT))
            """
        try TestMigration(decide: ["value-does-not-fit:t.s=\(word)"]).migrated(script) {
            report, conninfo, _ in
            #expect(report.outcome == .proven, "\(report.tables.map(\.reason))")
            try expect("SELECT s FROM t WHERE id = 2", expected, conninfo)
            try expect("SELECT s FROM t WHERE id = 1", "fine", conninfo)
            try expect(
                "SELECT column_name || encode(value, 'hex') FROM howdah.replaced",
                "s010001" + "000173" + "03" + "00000004" + "610062ff", conninfo)
        }
    }

    @Test func aReferenceToNothingBecomesNull() throws {
        let script = """
            CREATE TABLE p (a INT, b INT, PRIMARY KEY (a, b));
            CREATE TABLE c (id INTEGER PRIMARY KEY, a INT, b INT, FOREIGN KEY (a, b) REFERENCES p (a, b));
            INSERT INTO p VALUES (1, 2); INSERT INTO c VALUES (1, 1, 2), (2, 1, 3), (3, NULL, 9)
            """
        try TestMigration(decide: ["orphan-rows=set-null"]).migrated(script) { report, conninfo, _ in
            #expect(report.outcome == .proven)
            try expect(
                "SELECT string_agg(concat_ws('.', id, a, b), ' ' ORDER BY id) FROM c", "1.1.2 2 3.9", conninfo
            )
            try expect("SELECT count(*) FROM howdah.replaced", "2", conninfo)
        }
    }

    @Test func aKeyThatIsNotValidKeepsEveryRow() throws {
        let script = """
            CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p INTEGER REFERENCES p (id));
            INSERT INTO c VALUES (9)
            """
        try TestMigration(decide: ["orphan-rows=not-valid"]).migrated(script) { report, conninfo, _ in
            #expect(report.outcome == .proven)
            try expect("SELECT count(*) FROM c", "1", conninfo)
            try expect(
                "SELECT convalidated FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace",
                "f", conninfo)
            #expect(report.objects.filter { $0.kind == .foreignKey }.map(\.state) == [.changed])
        }
    }

    @Test(
        arguments: [
            ("DELETE FROM howdah.quarantine WHERE key = '{\"id\": 2}'", MigrationReport.Outcome.differs),
            (
                "UPDATE howdah.quarantine SET row = set_byte(row, length(row) - 1, 7) WHERE key = '{\"id\": 2}'",
                .differs
            ),
            ("INSERT INTO howdah.quarantine SELECT * FROM howdah.quarantine LIMIT 1", .differs),
            ("DROP TABLE howdah.quarantine", .differs), ("SELECT 1", .quarantined),
        ] as [(String, MigrationReport.Outcome)])
    func whatIsKeptIsProvenToo(damage: String, outcome: MigrationReport.Outcome) throws {
        let script = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER);
            INSERT INTO t VALUES (1, 1), (2, 'bad'), (3, 'worse')
            """
        let migration = TestMigration(decide: ["value-does-not-fit=quarantine"])
        try migration.migrated(script) { report, conninfo, folder in
            #expect(report.outcome == .quarantined)
            try TestServer.execute(damage, in: conninfo)
            let again = try migration.validate(
                "\(folder)/source.db", state: "\(folder)/state", against: conninfo)
            #expect(again.outcome == outcome, "\(again.tables.map(\.reason))")
        }
    }

    @Test func nullsInAKeyGoIntoQuarantine() throws {
        let script = """
            CREATE TABLE t (k TEXT PRIMARY KEY, v INT); INSERT INTO t VALUES ('a', 1), (NULL, 2), (NULL, 3)
            """
        try TestMigration(decide: ["null-in-key=quarantine"]).migrated(script) { report, conninfo, _ in
            #expect(report.outcome == .quarantined)
            #expect(report.tables[0].quarantinedRows == 2)
            try expect(
                "SELECT string_agg(key::text, ' ') FROM howdah.quarantine", "{\"k\": null} {\"k\": null}",
                conninfo)
        }
    }
}
