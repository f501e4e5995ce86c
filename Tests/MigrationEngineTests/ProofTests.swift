import Foundation
import MigrationEngine
import SQLite
import TestSupport
import Testing

/// The proof finds every kind of difference, in tables that are walked by key and in those that are hashed.
@Suite struct ProofTests {
    private static let columns = """
        n INTEGER, r REAL, s TEXT, b BLOB, f BOOLEAN, d DATETIME, dec DECIMAL(10,3), j JSON
        """

    private static func rows(_ table: String, key: String) -> String {
        """
        INSERT INTO \(table) WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < 500)
        SELECT \(key), i, i / 7.0, 'text ' || i, CAST('bytes ' || i AS BLOB), i % 2, '2024-01-02 03:04:05.' || (100 + i % 900),
            i / 8.0, json_object('a', i, 'b', 'x') FROM g;
        """
    }

    private static let script = """
        CREATE TABLE walked (id INTEGER PRIMARY KEY, \(columns)); \(rows("walked", key: "i"))
        CREATE TABLE hashed (id TEXT PRIMARY KEY, \(columns)); \(rows("hashed", key: "'key ' || i"))
        CREATE TABLE keyless (id INTEGER, \(columns)); \(rows("keyless", key: "i % 10"))
        """

    @Test(arguments: [
        "n = n + 1", "n = NULL", "r = r * (1 + 1e-15)", "s = s || ' '", "s = upper(s)", "s = NULL", "s = ''",
        "b = b || '\\x00'::bytea", "b = set_byte(b, 3, 1)", "b = NULL", "f = NOT f",
        "d = d + interval '1 microsecond'",
        "d = d + interval '1 day'", "d = 'infinity'", "dec = dec + 0.001", "dec = 'NaN'",
        "j = '{\"a\": 77, \"b\": \"y\"}'", "j = NULL",
    ])
    func aChangedCellIsFoundAndNamed(change: String) throws {
        try TestMigration().migrated(Self.script) { report, conninfo, folder in
            #expect(report.outcome == .proven)
            let column = String(change.prefix { $0 != " " })
            try TestServer.execute(
                "UPDATE walked SET \(change) WHERE id = 77; UPDATE hashed SET \(change) WHERE id = 'key 77'",
                in: conninfo)
            let after = try TestMigration().validate(
                "\(folder)/source.db", state: "\(folder)/state", against: conninfo)
            #expect(after.outcome == .differs)
            #expect(after.exit == 4)
            for (name, key) in [("walked", "77"), ("hashed", "key 77")] {
                let table = try #require(after.tables.first { $0.name == name })
                #expect(table.differences == 1)
                #expect(table.samples == [RowDifference(kind: .changed, key: key, columns: [column])])
            }
        }
    }

    @Test func missingAndExtraRowsAreFoundAndNamed() throws {
        try TestMigration().migrated(Self.script) { _, conninfo, folder in
            try TestServer.execute(
                """
                DELETE FROM walked WHERE id IN (1, 500); INSERT INTO walked (id) VALUES (-5), (501);
                DELETE FROM hashed WHERE id = 'key 1'; INSERT INTO hashed (id) VALUES ('new');
                DELETE FROM keyless WHERE n = 9; INSERT INTO keyless SELECT * FROM keyless WHERE n = 10
                """, in: conninfo)
            let after = try TestMigration().validate(
                "\(folder)/source.db", state: "\(folder)/state", against: conninfo)
            let walked = try #require(after.tables.first { $0.name == "walked" })
            #expect(
                walked.samples.map { "\($0.kind.rawValue) \($0.key)" }.sorted() == [
                    "extra -5", "extra 501", "missing 1", "missing 500",
                ])
            let hashed = try #require(after.tables.first { $0.name == "hashed" })
            #expect(
                hashed.samples.map { "\($0.kind.rawValue) \($0.key)" }.sorted() == [
                    "extra new", "missing key 1",
                ])
            // One row gone and another one twice: the same number of rows, and not the same rows.
            let keyless = try #require(after.tables.first { $0.name == "keyless" })
            #expect(keyless.sourceRows == keyless.loadedRows)
            #expect(keyless.samples.map(\.kind.rawValue).sorted() == ["extra", "missing"])
        }
    }

    @Test func aTableOrAColumnThatIsNotThereIsADifference() throws {
        try TestMigration().migrated(Self.script) { _, conninfo, folder in
            try TestServer.execute("DROP TABLE walked; ALTER TABLE hashed DROP COLUMN s", in: conninfo)
            let after = try TestMigration().validate(
                "\(folder)/source.db", state: "\(folder)/state", against: conninfo)
            #expect(after.exit == 4)
            let verdicts = Dictionary(uniqueKeysWithValues: after.tables.map { ($0.name, $0.verdict) })
            #expect(verdicts == ["walked": "differs", "hashed": "differs", "keyless": "equal"])
        }
    }

    @Test func anotherTypeThatHoldsTheSameValuesIsEqual() throws {
        try TestMigration().migrated(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, d DATETIME); INSERT INTO t VALUES (1, 5, '2024-01-01 00:00:00'), (2, -7, NULL)"
        ) { _, conninfo, folder in
            try TestServer.execute(
                "ALTER TABLE t ALTER n TYPE smallint, ALTER d TYPE timestamptz USING d AT TIME ZONE 'UTC'",
                in: conninfo)
            let after = try TestMigration().validate(
                "\(folder)/source.db", state: "\(folder)/state", against: conninfo)
            #expect(after.outcome == .proven)
        }
    }
}
