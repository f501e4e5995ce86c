import DemoProject
import Foundation
import Postgres
import TestSupport
import Testing

@testable import MigrationEngine

/// Digests that `sqlite3`, `psql` and `sha256sum` give too, without howdah.
@Suite struct DigestTests {
    // MARK: The programs

    /// A digested target, with a folder that holds the queries.
    private struct Digested {
        let report: DigestReport
        let folder: String
        let snapshot: String
        let conninfo: Conninfo

        /// What the operator's own programs say, by the queries' names; `sqlite3` of the snapshot, `psql` of the target.
        func programs() throws -> [String: TableDigest.Pair] {
            var found: [String: TableDigest.Pair] = [:]
            for name in try FileManager.default.contentsOfDirectory(atPath: folder)
            where name.hasSuffix(".psql.sql") {
                let query = String(name.dropLast(9))
                found[query] = TableDigest.Pair(
                    source: try digest(
                        "sqlite3 -readonly \"$SNAPSHOT\" < \"$QUERY.sqlite.sql\" | sha256sum", query),
                    target: try digest("psql \"$URL\" -XqAt -f \"$QUERY.psql.sql\" | sha256sum", query))
            }
            return found
        }

        private func digest(_ line: String, _ query: String) throws -> String {
            let outcome = try Command(
                "/bin/bash", ["-c", "set -o pipefail; \(line)"], in: folder,
                environment: [
                    "PATH": "/usr/local/bin:/usr/bin:/bin", "SNAPSHOT": snapshot, "URL": conninfo.url,
                    "QUERY": query,
                ]
            ).run(cancellation: Cancellation())
            #expect(outcome.status == 0, "\(outcome.output)")
            return String(outcome.output.prefix(64))
        }

        /// What howdah says, by the same names.
        var own: [String: TableDigest.Pair] {
            var pairs: [String: TableDigest.Pair] = [:]
            for table in report.tables where table.digestedColumns > 0 {
                pairs[table.name] = table.digests
                for column in table.columns { pairs["\(table.name).\(column.name)"] = column.digests }
            }
            return pairs
        }

        /// The names whose two sides are not the same.
        var differing: Set<String> { Set(own.filter { !$0.value.isEqual }.keys) }
    }

    private func digest(_ preparation: Preparation, _ conninfo: Conninfo, _ folder: String) throws -> Digested
    {
        let run = DigestRun(
            preparation: preparation, server: TargetServer(conninfo, cancellation: Cancellation()),
            workers: 2,
            cancellation: Cancellation(), progress: RunProgress())
        let opening = try run.open()
        try DigestFiles(preparation: preparation, opening: opening, targetURL: conninfo.url).write(to: folder)
        return Digested(
            report: try run.run(opening), folder: folder, snapshot: preparation.snapshot.path,
            conninfo: conninfo)
    }

    /// Migrates a script's database, and digests it.
    private func digested(
        _ script: String, _ migration: TestMigration = TestMigration(),
        _ body: (Digested, Preparation) throws -> Void
    ) throws {
        try migration.migrated(script) { report, conninfo, folder in
            #expect(report.tables.allSatisfy { $0.verdict == "equal" })
            let preparation = try migration.prepare("\(folder)/source.db", state: "\(folder)/state")
            try body(try digest(preparation, conninfo, "\(folder)/sql"), preparation)
        }
    }

    // MARK: What both sides say

    private static let values = """
        CREATE TABLE kinds (id INTEGER PRIMARY KEY, i BIGINT, d DOUBLE, untyped, t TEXT, v VARCHAR(9), b BLOB,
            ok BOOLEAN, at DATETIME, day DATE, clock TIME, n DECIMAL(20,4), j JSON);
        INSERT INTO kinds VALUES
            (1, 9007199254740993, 5e-324, -0.0, 'a|b\\c' || char(10) || '''"', 'é🙂', x'00ff', 1,
                '2024-05-06 07:08:09.123456', '2024-05-06', '07:08:09.5', 12.5, '{"a": 1}'),
            (2, -9223372036854775808, 1e308, 1.5, '', '', x'', 0, '1969-12-31 23:59:59', '1899-01-01', '00:00', -3, '[]'),
            (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
            (-4, 0, 9e999, 0.1, '-', '-', x'2d', 1, '0001-01-01T00:00', '9999-12-31', '23:59:59', 0, '"x"'),
            (5, 1, 3, -9e999, '!', '?', 'text', 0, '2024-02-29', '2024-02-29', '12:00', 99999999.9999, 'null');
        CREATE TABLE "bag ""|é" (x, "y$" BLOB);
        INSERT INTO "bag ""|é" VALUES ('b', x'02'), ('a', x'01'), ('a', x'01'), (NULL, NULL), ('', x'');
        CREATE TABLE keyed (a TEXT, b BLOB, c INTEGER, body BLOB, PRIMARY KEY (a, b, c)) WITHOUT ROWID;
        INSERT INTO keyed VALUES ('b', x'00', 1, x'01'), ('B', x'', 10, x'02'), ('B', x'', 9, NULL), ('é', x'ff', -1, x''),
            ('Z', x'80', 0, x'00'), ('a b', x'00', 0, x'0a');
        CREATE TABLE empty (id TEXT PRIMARY KEY, b BLOB)
        """

    @Test func theProgramsGiveWhatHowdahGives() throws {
        try digested(Self.values) { digested, _ in
            #expect(digested.report.outcome == .equal)
            #expect(digested.report.exit == 0)
            #expect(digested.report.tables.flatMap(\.leftOut) == [])
            #expect(digested.report.tables.map(\.sourceRows) == [5, 5, 6, 0])
            #expect(digested.report.tables.map(\.targetRows) == [5, 5, 6, 0])
            #expect(digested.report.tables[3].digests.source == sha256(of: Data()))
            let programs = try digested.programs()
            #expect(programs.count == 4 + 5, "\(programs.keys.sorted())")
            var expected = digested.own
            for (name, plain) in [("bag \"|é", "bag ___"), ("bag \"|é.y$", "bag ___.y_")] {
                expected[plain.replacing(" ", with: "_")] = expected.removeValue(forKey: name)
            }
            #expect(programs == expected)
        }
    }

    @Test(arguments: [
        ("t = t || ' '", ["kinds"]), ("t = NULL WHERE id = 2", ["kinds"]),
        ("v = NULL WHERE id = 2", ["kinds"]),
        ("b = '\\x00fe' WHERE id = 1", ["kinds", "kinds.b"]),
        ("b = NULL WHERE id = 2", ["kinds", "kinds.b"]),
        ("d = 1e-323 WHERE id = 1", ["kinds"]), ("untyped = 0.0 WHERE id = 1", ["kinds"]),
        ("i = i - 1 WHERE id = 1", ["kinds"]), ("at = at + interval '1 microsecond' WHERE id = 1", ["kinds"]),
        ("at = 'infinity' WHERE id = 1", ["kinds"]), ("day = '2024-05-07' WHERE id = 1", ["kinds"]),
        ("clock = '07:08:09.500001' WHERE id = 1", ["kinds"]), ("n = n + 0.0001 WHERE id = 1", ["kinds"]),
        ("ok = NOT ok WHERE id = 1", ["kinds"]), ("j = '{\"a\":1}' WHERE id = 1", ["kinds"]),
    ]) func oneChangeShowsInThatTableAndThatColumn(_ change: String, _ names: [String]) throws {
        try digested(Self.values) { digested, preparation in
            try TestServer.execute("UPDATE kinds SET \(change)", in: digested.conninfo)
            let after = try digest(preparation, digested.conninfo, "\(digested.folder)/after")
            #expect(after.differing == Set(names))
            #expect(after.report.exit == 4)
            #expect(after.own["kinds"]?.source == digested.own["kinds"]?.source)
            #expect(try after.programs()["kinds"] == after.own["kinds"])
        }
    }

    @Test func aRowThatIsMissingOrDoubledShows() throws {
        try digested(Self.values) { digested, preparation in
            try TestServer.execute(
                #"DELETE FROM keyed WHERE c = 9; INSERT INTO "bag ""|é" SELECT * FROM "bag ""|é" WHERE x = 'b'"#,
                in: digested.conninfo)
            let after = try digest(preparation, digested.conninfo, "\(digested.folder)/after")
            #expect(after.differing == ["keyed", "keyed.b", "keyed.body", "bag \"|é", "bag \"|é.y$"])
            #expect(after.report.tables.map(\.targetRows) == [5, 6, 5, 0])
        }
    }

    // MARK: Times

    @Test(arguments: [Style.prisma, .plain, .django]) func timesOfEveryFormAreOneInstant(_ style: Style)
        throws
    {
        let forms =
            style == .prisma
            ? [
                "1715000000123", "'2024-05-06T07:08:09.123Z'", "'2024-05-06T07:08:09.1239+02:30'",
                "'1960-01-01T00:00:00.5-11:00'", "-1",
            ]
            : [
                "'2024-05-06 07:08:09.999999'", "'2024-05-06T07:08:09,5'", "'1960-01-01 00:00'",
                "'2024-05-06'",
            ]
        let rows = forms.enumerated().map { "(\($0.offset), \($0.element))" }.joined(separator: ", ")
        var migration = TestMigration()
        migration.style = style
        try digested(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, at DATETIME); INSERT INTO t VALUES \(rows)", migration
        ) {
            digested, _ in
            #expect(digested.report.tables[0].leftOut == [])
            #expect(digested.report.outcome == .equal)
            let programs = try digested.programs()
            #expect(programs == digested.own)
        }
    }

    // MARK: What is left out, and what decisions keep out

    @Test func whatHasNoPairOfExpressionsIsLeftOutByName() throws {
        let source = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, doc TEXT, list TEXT, price NUMERIC, single REAL, address TEXT, fixed TEXT,
                uid TEXT, at TEXT, note);
            INSERT INTO t VALUES (1, '{"a":1}', '[1,2]', 1.5, 0.5, '10.0.0.1', 'ab', '00000000-0000-0000-0000-0000000000AF',
                'Mon, 06 May 2024 07:08:09 +0200', 0.5)
            """
        let target = """
            CREATE TABLE t (id integer PRIMARY KEY, doc jsonb, list integer[], price money, single real, address inet,
                fixed char(5), uid uuid, at timestamptz, note text)
            """
        try AdoptedTarget.with(source: source, target: target) { adopted in
            #expect(try adopted.run().outcome == .proven)
            let digested = try digest(try adopted.prepare(), adopted.conninfo, "\(adopted.state)/sql")
            #expect(digested.report.outcome == .equal)
            #expect(
                digested.report.tables[0].leftOut.map(\.column) == [
                    "doc", "list", "price", "single", "at", "note",
                ])
            #expect(digested.report.tables[0].digestedColumns == 4)
            let programs = try digested.programs()
            #expect(programs == digested.own)
            let readme = try String(contentsOfFile: "\(digested.folder)/README", encoding: .utf8)
            #expect(readme.contains("without doc: jsonb"))
        }
    }

    @Test func numbersThatAreNoDoublesAndDoublesAreOneNumeric() throws {
        let source =
            "CREATE TABLE t (id INTEGER PRIMARY KEY, n NUMERIC, m NUMERIC)"
            + "; INSERT INTO t VALUES (1, 0.1, 1), (2, 9007199254740991, 9223372036854775807), (3, -1e300, 0), (4, 12, -5), (5, 9e999, 7)"
        try AdoptedTarget.with(
            source: source, target: "CREATE TABLE t (id integer PRIMARY KEY, n numeric, m numeric)"
        ) { adopted in
            #expect(try adopted.run().outcome == .proven)
            let preparation = try adopted.prepare()
            let before = try digest(preparation, adopted.conninfo, "\(adopted.state)/before")
            #expect(before.report.outcome == .equal)
            #expect(before.report.tables[0].leftOut == [])
            #expect(try before.programs() == before.own)
            // The same double, and not the same number.
            try adopted.execute("UPDATE t SET n = 0.1000000000000000000001 WHERE id = 1")
            #expect(try digest(preparation, adopted.conninfo, "\(adopted.state)/after").differing == ["t"])
        }
    }

    @Test func aFileInUTF16HasNoTextsInItsDigests() throws {
        let script = """
            PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (id INTEGER PRIMARY KEY, t TEXT, b BLOB);
            INSERT INTO t VALUES (1, 'é', x'01')
            """
        try digested(script) { digested, _ in
            #expect(digested.report.outcome == .equal)
            #expect(digested.report.tables[0].leftOut.map(\.column) == ["t"])
            let programs = try digested.programs()
            #expect(programs == digested.own)
        }
    }

    @Test func theDemoIsTheSameOnBothSides() throws {
        try digestedDemo(isDirty: false) { digested in
            #expect(digested.report.tables.allSatisfy { $0.scope == nil })
        }
    }

    @Test func rowsThatDecisionsKeepOutAreInNeitherDigest() throws {
        try digestedDemo(isDirty: true) { digested in
            let scopes = digested.report.tables.compactMap(\.scope)
            #expect(!scopes.isEmpty)
            #expect(digested.report.tables.contains { $0.quarantinedRows > 0 })
            #expect(digested.report.tables.allSatisfy { $0.sourceRows == $0.targetRows })
        }
    }

    private func digestedDemo(isDirty: Bool, _ body: (Digested) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let demo = try DemoProject.make(
                in: "\(folder)/demo", options: .init(messages: 500, isDirty: isDirty))
            var migration = TestMigration(decide: ["recommended"])
            migration.style = .prisma
            try TestServer.withDatabase { conninfo in
                let report = try migration.run(demo.databasePath, state: "\(folder)/state", into: conninfo)
                #expect(report.outcome == (isDirty ? .quarantined : .proven))
                let preparation = try migration.prepare(demo.databasePath, state: "\(folder)/state")
                let digested = try digest(preparation, conninfo, "\(folder)/sql")
                #expect(digested.report.outcome == .equal, "\(digested.differing)")
                let programs = try digested.programs()
                #expect(programs == digested.own)
                #expect(digested.own.count > digested.report.tables.count)
                try body(digested)
            }
        }
    }

    @Test func theFilesOverwriteNothing() throws {
        try digested("CREATE TABLE t (id INTEGER PRIMARY KEY)") { digested, preparation in
            #expect(throws: MigrationError.self) {
                _ = try digest(preparation, digested.conninfo, digested.folder)
            }
        }
    }
}
