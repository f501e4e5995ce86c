import MigrationEngine
import Postgres
import TestSupport
import Testing

/// Rows that a later decision brings back from quarantine.
@Suite struct QuarantineReturnTests {
    private static let script = """
        CREATE TABLE p (id INTEGER PRIMARY KEY, a TEXT);
        CREATE TABLE c (k TEXT, n INT, p INTEGER REFERENCES p (id), PRIMARY KEY (k, n)) WITHOUT ROWID;
        INSERT INTO p VALUES (1, 'x'), (2, CAST(x'ff41' AS TEXT)), (3, 'a' || char(0));
        INSERT INTO c VALUES ('a', 1, 1), ('b', 2, 2), ('c', 3, 3), ('d', 4, 9)
        """

    private func migration(
        _ words: [String], _ folder: String, _ conninfo: Conninfo
    ) throws -> Migration {
        Migration(
            preparation: try TestMigration(decide: words).prepare(
                "\(folder)/source.db", state: "\(folder)/state"),
            server: TargetServer(conninfo, cancellation: Cancellation()), workers: 2, isRehearsal: true,
            cancellation: Cancellation(), progress: RunProgress())
    }

    private func withQuarantine(_ body: (MigrationReport, Conninfo, String) throws -> Void) throws {
        let words = ["value-does-not-fit=quarantine", "orphan-rows=quarantine"]
        try TestMigration(decide: words).migrated(Self.script, body)
    }

    @Test func rowsThatAreEscapedNowComeBackWithTheirChildren() throws {
        try withQuarantine { first, conninfo, folder in
            #expect(first.tables.map(\.quarantinedRows) == [2, 3])
            let report = try migration(
                ["value-does-not-fit=escape", "orphan-rows=quarantine"], folder, conninfo
            ).bringBack()
            #expect(report.outcome == .quarantined)
            #expect(report.tables.map(\.loadedRows) == [3, 3])
            #expect(report.tables.map(\.quarantinedRows) == [0, 1])
            #expect(report.notices.contains("4 rows came back from quarantine"))
            let rows = try TestServer.rows("SELECT id, a FROM p ORDER BY id", in: conninfo)
            #expect(rows == ["1|x", "2|\\xffA", "3|a\\x00"])
            let kept = try TestServer.rows(
                "SELECT source_table, key ->> 'k' FROM howdah.quarantine UNION ALL SELECT column_name, source_rowid::text FROM howdah.replaced ORDER BY 1, 2",
                in: conninfo)
            #expect(kept == ["a|2", "a|3", "c|d"])
        }
    }

    @Test func anOrphanComesBackWhenItsKeyHoldsForNewRowsAlone() throws {
        try withQuarantine { _, conninfo, folder in
            let report = try migration(
                ["value-does-not-fit=quarantine", "orphan-rows=not-valid"], folder, conninfo
            ).bringBack()
            #expect(report.outcome == .quarantined)
            #expect(report.tables.map(\.quarantinedRows) == [2, 0])
            let valid = try TestServer.value(
                "SELECT convalidated FROM pg_constraint WHERE conrelid = 'c'::regclass AND contype = 'f'",
                in: conninfo)
            #expect(valid == "f")
        }
    }

    @Test func whatCannotComeBackLeavesTheTargetAsItWas() throws {
        try TestMigration(decide: ["value-does-not-fit=escape", "orphan-rows=quarantine"]).migrated(
            Self.script
        ) {
            _, conninfo, folder in
            // Now fewer rows would be loaded than are there.
            let later = try migration(
                ["value-does-not-fit=quarantine", "orphan-rows=quarantine"], folder, conninfo)
            #expect(throws: MigrationError.self) { try later.bringBack() }
            // The column would have to become bytea.
            let other = try migration(
                ["value-does-not-fit=bytea", "orphan-rows=quarantine"], folder, conninfo)
            #expect(throws: MigrationError.self) { try other.bringBack() }
            let rows = try TestServer.rows(
                "SELECT (SELECT count(*) FROM p), (SELECT count(*) FROM c), (SELECT count(*) FROM howdah.quarantine)",
                in: conninfo)
            #expect(rows == ["3|3|1"])
        }
    }
}
