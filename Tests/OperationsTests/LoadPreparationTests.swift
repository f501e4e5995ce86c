import Foundation
import MigrationEngine
import Postgres
import SQLite
import TestSupport
import Testing

@testable import Operations

/// What comes before a load: looking at rows, and finding out what can be asked.
@Suite struct LoadPreparationTests {
    @Test func aTableThatCannotBeLookedAtIsAGapAndNoEnd() throws {
        try LoadFixture.with { fixture in
            try fixture.withRole { role, target in
                try TestServer.execute("REVOKE SELECT ON room FROM \(role)", in: fixture.conninfo)
                let report = try fixture.run(LoadOptions(connections: 1, seconds: 0.3), on: target)
                let gap = report.gaps.first { $0.table == "room" && $0.kind == nil }
                #expect(gap?.reason.contains("42501, insufficient privilege") ?? false, "\(report.gaps)")
                #expect(report.queries > 0 && report.errors == 0)
            }
        }
    }

    @Test func aQueryThatTakesTooLongBeforehandIsAGapAndNoEnd() throws {
        try LoadFixture.with { fixture in
            // The view of a slow disk: rows of this table, and of this one alone, come slowly.
            try TestServer.execute(
                """
                CREATE FUNCTION slow() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN true; END $$;
                ALTER TABLE message ENABLE ROW LEVEL SECURITY; CREATE POLICY slow ON message USING (slow());
                """, in: fixture.conninfo)
            try fixture.withRole { _, target in
                var options = LoadOptions(connections: 1, seconds: 0.3)
                options.statementTimeout = .milliseconds(500)
                let report = try fixture.run(options, on: target)
                let gap = report.gaps.first { $0.table == "message" && $0.kind == nil }
                #expect(gap?.reason.contains("57014, statement timeout") ?? false, "\(report.gaps)")
                #expect(report.queries > 0)
            }
        }
    }

    @Test func largeValuesAreSeenThoughTheyAreCompressedAndUnboundedOnesAreCut() throws {
        let script = """
            CREATE TABLE doc (id INTEGER PRIMARY KEY, title TEXT, body TEXT, raw BLOB, code VARCHAR(9));
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
            INSERT INTO doc SELECT i, 'title ' || i, replace(hex(zeroblob(100000)), '0', 'x'), randomblob(20), 'c' FROM n;
            """
        try LoadFixture.with(script) { fixture in
            let stored = try TestServer.value(
                "SELECT max(pg_column_size(body)) FROM doc", in: fixture.conninfo)
            #expect(Int(stored ?? "") ?? .max < LoadTable.mostBytes, "it is compressed")
            let outline = try fixture.test(LoadOptions(connections: 1)).outline()
            let sql = outline.queries.first { $0.kind == .key }?.sql ?? ""
            #expect(
                sql.hasPrefix(
                    #"SELECT x."id", left(x."title", 65536), substr(x."raw", 1, 65536), x."code" FROM"#),
                "\(sql)")
            let report = try fixture.run(LoadOptions(connections: 2, seconds: 0.5), hasSQLite: true)
            #expect(report.errors == 0 && report.sqliteTotal?.count ?? 0 > 0)
        }
    }

    // MARK: SQLite's side

    @Test func sqliteIsAskedByTheIndexesThatItHas() throws {
        try LoadFixture.with { fixture in
            try TestServer.execute(
                "CREATE INDEX ON message (parent); DROP INDEX \"member-user\"", in: fixture.conninfo)
            let report = try fixture.run(LoadOptions(connections: 2, seconds: 0.4), hasSQLite: true)
            func hasNoIndex(_ gaps: [LoadGap], _ table: String) -> Bool {
                gaps.contains {
                    $0.table == table && $0.kind == .foreignKey && $0.reason.contains("has no index")
                }
            }
            #expect(!hasNoIndex(report.gaps, "message") && hasNoIndex(report.sqliteGaps, "message"))
            #expect(hasNoIndex(report.gaps, "member") && !hasNoIndex(report.sqliteGaps, "member"))
            for kind in LoadKind.allCases {
                #expect(report.kinds.first { $0.kind == kind }?.sqlite?.count ?? 0 > 0, "\(kind)")
            }
        }
    }

    /// Each insert has SQLite go through more rows than it ever will.
    private static let endless = """
        CREATE TABLE room (id TEXT PRIMARY KEY, title TEXT);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
        INSERT INTO room SELECT printf('%08x-0000-4000-8000-%012x', i, i), 'room ' || i FROM n;
        CREATE TRIGGER endless AFTER INSERT ON room BEGIN
            SELECT count(*) FROM room AS a, room AS b, room AS c, room AS d, room AS e WHERE a.title < b.title || c.title || d.title || e.title;
        END;
        """

    @Test func aStatementOfSQLitesHasALimit() throws {
        try LoadFixture.with(Self.endless) { fixture in
            var options = LoadOptions(connections: 1, seconds: 0.3)
            options.statementTimeout = .milliseconds(500)
            let report = try fixture.run(options, hasSQLite: true)
            let gap = report.sqliteGaps.first { $0.table == "room" && $0.kind == .insert }
            #expect(gap?.reason.contains("statement timeout") ?? false, "\(report.sqliteGaps)")
            #expect(report.sqliteTotal?.count ?? 0 > 0)
        }
    }

    @Test func aWishToStopEndsWhatSQLiteIsTriedWith() throws {
        try LoadFixture.with(Self.endless) { fixture in
            var options = LoadOptions(connections: 1, seconds: 0.2)
            options.statementTimeout = .seconds(600)
            let (cancellation, outcome) = (Cancellation(), LoadOutcome())
            outcome.start(fixture.test(options, hasSQLite: true, cancellation: cancellation))
            let journal = "\(fixture.folder)/load-copy-\(getpid()).db-journal"
            #expect(waitUntil { access(journal, F_OK) == 0 })
            cancellation.cancel()
            #expect(waitUntil(seconds: 20) { outcome.isThere })
            let error = #expect(throws: MigrationError.self) { try outcome.get() }
            #expect(error?.code == .cancelled)
        }
    }

    @Test func aLimitMeetsWhatIsLateAndNothingElse() throws {
        let connection = try SQLite.Connection(path: ":memory:", mode: .readWrite)
        let limit = StatementLimit(.milliseconds(100))
        defer { limit.end() }
        for _ in 0..<3 {
            let error = #expect(throws: SQLiteError.self) {
                try limit.during(connection.interrupter) {
                    try connection.execute(
                        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
                    )
                }
            }
            #expect(error?.isInterrupted ?? false)
            try limit.during(connection.interrupter) { try connection.execute("SELECT 1") }
        }
    }
}
