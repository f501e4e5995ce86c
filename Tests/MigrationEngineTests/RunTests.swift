import Foundation
import MigrationEngine
import Postgres
import SQLite
import TestSupport
import Testing

@Suite struct RunTests {
    private static let script = """
        CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT UNIQUE); CREATE TABLE b (id INTEGER PRIMARY KEY, a REFERENCES a);
        INSERT INTO a VALUES (1, '(1,2)'), (2, '(3,4)'); INSERT INTO b VALUES (1, 2)
        """

    private static let relations =
        "SELECT relname FROM pg_class WHERE relnamespace::regnamespace::text IN ('public', 'howdah')"

    private func withSource(
        _ script: String = script,
        _ body: (_ path: String, _ state: String, _ target: Conninfo) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", script)
            try TestServer.withDatabase { conninfo in try body("\(folder)/a.db", "\(folder)/state", conninfo)
            }
        }
    }

    @Test func aFailureAfterTheLoadLeavesTheTargetAsItWas() throws {
        try withSource { path, state, target in
            let text = try TestMigration().prepare(path, state: state).planText
            // An operator's type that loads, and whose index the server refuses to make: boxes have no order.
            let edited = text.replacing("- name: v\n        type: \"varchar\"", with: "").replacing(
                "- name: v\n        type: text", with: "- name: v\n        type: point")
            try edited.write(toFile: "\(state)/edited.yaml", atomically: true, encoding: .utf8)
            var migration = TestMigration()
            migration.planPath = "\(state)/edited.yaml"
            #expect {
                _ = try migration.run(path, state: state, into: target)
            } throws: {
                ($0 as? MigrationError)?.remedy.contains("The target is as it was") ?? false
            }
            let left = try TestServer.rows(Self.relations, in: target)
            #expect(left == [])
        }
    }

    @Test func cancellingBeforeTheLoadLeavesTheTargetAsItWas() throws {
        try withSource { path, state, target in
            let preparation = try TestMigration().prepare(path, state: state)
            let cancellation = Cancellation()
            cancellation.cancel()
            let migration = Migration(
                preparation: preparation, server: TargetServer(target, cancellation: cancellation),
                workers: 2,
                restart: false, isRehearsal: true, cancellation: cancellation, progress: RunProgress())
            #expect {
                _ = try migration.run()
            } throws: {
                ($0 as? MigrationError)?.code == .cancelled
            }
            let left = try TestServer.rows(Self.relations, in: target)
            #expect(left == [])
        }
    }

    @Test func anInterruptedRunIsToldAndRestartTakesBackOnlyWhatItMade() throws {
        try withSource { path, state, target in
            _ = try TestMigration().run(path, state: state, into: target)
            let connection = try TestServer.connect(target)
            try connection.execute("UPDATE howdah.run SET finished = NULL; CREATE TABLE mine (a int)")
            #expect {
                var migration = TestMigration()
                migration.style = .rails
                _ = try migration.run(path, state: state, into: target)
            } throws: {
                guard let error = $0 as? MigrationError else { return false }
                return error.code == .interruptedRun && error.exit == .undecided
                    && error.message.contains("begun by another plan") && error.remedy.contains("--restart")
            }
            var migration = TestMigration()
            migration.restart = true
            let report = try migration.run(path, state: state, into: target)
            #expect(report.outcome == .proven)
            let mine = try TestServer.value("SELECT to_regclass('public.mine') IS NOT NULL", in: target)
            #expect(mine == "t")
        }
    }

    @Test func restartDoesNotDropWhatOthersHungOnIt() throws {
        try withSource { path, state, target in
            _ = try TestMigration().run(path, state: state, into: target)
            let connection = try TestServer.connect(target)
            try connection.execute(
                "UPDATE howdah.run SET finished = NULL; CREATE VIEW mine AS SELECT * FROM a")
            var migration = TestMigration()
            migration.restart = true
            #expect(throws: MigrationError.self) { _ = try migration.run(path, state: state, into: target) }
            let rows = try TestServer.value("SELECT count(*) FROM mine", in: target)
            #expect(rows == "2")
        }
    }

    /// What bears the name of a table that a run made, and was made by somebody else, stays.
    @Test(arguments: [
        "DROP TABLE b, a; CREATE TABLE a (mine text)",
        "ALTER TABLE a RENAME TO old; CREATE TABLE a (mine text)",
        "INSERT INTO a VALUES (9, '(9,9)')",
    ])
    func restartDropsNothingThatItDidNotMake(change: String) throws {
        try withSource { path, state, target in
            _ = try TestMigration().run(path, state: state, into: target)
            let connection = try TestServer.connect(target)
            try connection.execute("UPDATE howdah.run SET finished = NULL; \(change)")
            let before = try TestServer.value("SELECT 'public.a'::regclass::oid", in: target)
            var migration = TestMigration()
            migration.restart = true
            #expect(throws: MigrationError.self) { _ = try migration.run(path, state: state, into: target) }
            let after = try TestServer.value("SELECT to_regclass('public.a')::oid", in: target)
            #expect(after == before)
        }
    }

    @Test func aRunWhoseProofDidNotEndIsProvenTheNextTime() throws {
        try withSource { path, state, target in
            _ = try TestMigration().run(path, state: state, into: target)
            try TestServer.execute("UPDATE howdah.run SET outcome = 'unproven'", in: target)
            let loaded = try TestServer.rows("SELECT loaded FROM howdah.ledger ORDER BY 1", in: target)
            let report = try TestMigration().run(path, state: state, into: target)
            #expect(report.outcome == .proven)
            #expect(report.resumedRows == 3)
            #expect(try TestServer.rows("SELECT loaded FROM howdah.ledger ORDER BY 1", in: target) == loaded)
        }
    }

    /// It may have been killed before it could say how it ended.
    @Test func aRunThatHasEndedIsComparedAgainAndItsTargetStays() throws {
        try withSource { path, state, target in
            _ = try TestMigration().run(path, state: state, into: target)
            let ledger = """
                SELECT finished, outcome FROM howdah.run UNION ALL SELECT loaded, '' FROM howdah.ledger
                """
            let before = try TestServer.rows(ledger, in: target)
            let report = try TestMigration().run(path, state: state, into: target)
            #expect(report.outcome == .proven)
            #expect(report.resumedRows == 3)
            #expect(report.notices.contains { $0.contains("had loaded all of it") })
            #expect(try TestServer.rows(ledger, in: target) == before)
            // What the application writes from then on is found, and never taken for the run's own.
            try TestServer.execute("UPDATE a SET v = '(9,9)' WHERE id = 1", in: target)
            let changed = try TestMigration().run(path, state: state, into: target)
            #expect(changed.outcome == .differs)
            var migration = TestMigration()
            migration.restart = true
            #expect(throws: MigrationError.self) { _ = try migration.run(path, state: state, into: target) }
            #expect(try TestServer.value("SELECT v FROM a WHERE id = 1", in: target) == "(9,9)")
            #expect(try TestServer.rows(ledger, in: target) == before)
        }
    }

    /// Rows alone are not all that a run has carried.
    @Test func aRunThatHasEndedMissesWhatWasTakenAwaySince() throws {
        try withSource(
            "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT); CREATE INDEX a_v ON a (v);"
                + "CREATE TABLE b (id INTEGER PRIMARY KEY, a REFERENCES a); CREATE VIEW w AS SELECT v FROM a;"
                + "INSERT INTO a VALUES (1, 'x'), (2, 'y'); INSERT INTO b VALUES (1, 2)"
        ) { path, state, target in
            _ = try TestMigration().run(path, state: state, into: target)
            try TestServer.execute(
                """
                DROP INDEX a_v; SELECT setval(pg_get_serial_sequence('a', 'id'), 1);
                DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE b DROP CONSTRAINT %I', conname) FROM pg_constraint
                    WHERE conrelid = 'b'::regclass AND contype = 'f'); END $$
                """, in: target)
            let report = try TestMigration().run(path, state: state, into: target)
            #expect(report.outcome == .undecided)
            let lost = report.objects.filter { $0.state == .failed }.map(\.kind.rawValue)
            #expect(lost.sorted() == ["foreign key", "index", "sequence"])
            #expect(!report.objects.contains { $0.state == .carried && $0.kind == .index })
        }
    }

    @Test func aRunGoesOnOverTablesThatNobodyElseHasWrittenTo() throws {
        try withSource { path, state, target in
            _ = try TestMigration().run(path, state: state, into: target)
            try TestServer.execute(
                "UPDATE howdah.run SET finished = NULL; INSERT INTO a VALUES (9, '(9,9)')", in: target)
            #expect {
                _ = try TestMigration().run(path, state: state, into: target)
            } throws: {
                "\($0)".contains("somebody else has written to a")
            }
        }
    }

    @Test func aRunThatDiffersCanBeTakenBack() throws {
        try withSource { path, state, target in
            _ = try TestMigration().run(path, state: state, into: target)
            try TestServer.execute("UPDATE howdah.run SET outcome = 'differs'", in: target)
            var migration = TestMigration()
            #expect(throws: MigrationError.self) { _ = try migration.run(path, state: state, into: target) }
            migration.restart = true
            let report = try migration.run(path, state: state, into: target)
            #expect(report.outcome == .proven)
        }
    }

    @Test func theLedgerHoldsEveryPieceAndItsRows() throws {
        try withSource { path, state, target in
            _ = try TestMigration().run(path, state: state, into: target)
            let rows = try TestServer.rows(
                """
                SELECT c.table_name, l.rows FROM howdah.chunk AS c JOIN howdah.ledger AS l USING (run, table_name, number)
                ORDER BY 1
                """, in: target)
            #expect(rows == ["a|2", "b|1"])
            let outcome = try TestServer.value(
                "SELECT outcome FROM howdah.run WHERE finished IS NOT NULL", in: target)
            #expect(outcome == "proven")
        }
    }

    @Test func aTableInManyPiecesIsLoadedOnce() throws {
        // Over 16 MB, with holes between the rowids and negative ones.
        try withSource(
            """
            CREATE TABLE a (id INTEGER PRIMARY KEY, v BLOB);
            WITH RECURSIVE g(i) AS (SELECT -3 UNION ALL SELECT i + 1 FROM g WHERE i < 600)
            INSERT INTO a SELECT CASE WHEN i > 300 THEN i * 1000000000 ELSE i END, randomblob(90000) FROM g
            """
        ) { path, state, target in
            let report = try TestMigration.inPieces.run(path, state: state, into: target)
            #expect(report.outcome == .proven)
            #expect(report.tables.map(\.loadedRows) == [604])
            let pieces = try TestServer.value("SELECT count(*) > 2 FROM howdah.ledger", in: target)
            #expect(pieces == "t")
        }
    }

    @Test func aSchemaOfItsOwnIsMadeAndTakesTheTables() throws {
        try withSource { path, state, target in
            var migration = TestMigration()
            migration.schema = "My Schema"
            let report = try migration.run(path, state: state, into: target)
            #expect(report.outcome == .proven)
            let rows = try TestServer.value("SELECT count(*) FROM \"My Schema\".a", in: target)
            #expect(rows == "2")
        }
    }

    @Test func aTableThatIsThereAlreadyIsNeverTouched() throws {
        try withSource { path, state, target in
            let connection = try TestServer.connect(target)
            try connection.execute("CREATE TABLE a (precious int); INSERT INTO a VALUES (7)")
            #expect {
                _ = try TestMigration().run(path, state: state, into: target)
            } throws: {
                ($0 as? MigrationError)?.code == .targetNotEmpty
            }
            let value = try TestServer.value("SELECT precious FROM a", in: target)
            #expect(value == "7")
        }
    }

    @Test func aDatabaseOfAnotherEncodingIsRefused() throws {
        try withSource { path, state, target in
            let connection = try TestServer.connect(target)
            let name = "latin_\(getpid())"
            try connection.execute("CREATE DATABASE \(name) TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
            defer { try? connection.execute("DROP DATABASE \(name)") }
            #expect {
                _ = try TestMigration().run(path, state: state, into: target.setting("dbname", to: name))
            } throws: {
                ($0 as? MigrationError)?.code == .targetUnfit
            }
        }
    }

    @Test func aRoleThatMayNotCreateIsToldWhat() throws {
        try withSource { path, state, target in
            let connection = try TestServer.connect(target)
            let role = "reader_\(getpid())_\(UInt32.random(in: 0...99_999_999))"
            try connection.execute("CREATE ROLE \(role) LOGIN")
            defer { try? connection.execute("DROP ROLE \(role)") }
            #expect {
                _ = try TestMigration().run(path, state: state, into: target.setting("user", to: role))
            } throws: {
                guard let error = $0 as? MigrationError else { return false }
                return error.code == .targetUnfit && error.remedy.contains("GRANT CREATE")
            }
        }
    }

    @Test(arguments: [(true, MigrationReport.Outcome.proven), (false, .stale)])
    func aSourceThatChangedMeanwhileIsNotedAndStaleWhenLive(
        isRehearsal: Bool, outcome: MigrationReport.Outcome
    ) throws {
        try withSource { path, state, target in
            let preparation = try TestMigration().prepare(path, state: state)
            try makeDatabase(path, "INSERT INTO a VALUES (3, 'z')")
            let report = try Migration(
                preparation: preparation, server: TargetServer(target, cancellation: Cancellation()),
                workers: 2,
                restart: false, isRehearsal: isRehearsal, cancellation: Cancellation(),
                progress: RunProgress()
            ).run()
            #expect(report.outcome == outcome)
            #expect(report.notices.contains { $0.contains("has changed since") })
        }
    }

    @Test(arguments: [
        ("type: text", "type: \"text); CREATE TABLE smuggled (a int); --\""),
        ("type: text", "type: text\n        default: \"''); CREATE TABLE smuggled (a int); --\""),
        ("type: text", "type: nonsense"),
    ])
    func aPlanCannotSmuggleInAnotherStatement(from: String, to: String) throws {
        try withSource("CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('x')") { path, state, target in
            let text = try TestMigration().prepare(path, state: state).planText
            let edited = text.replacing(from, with: to)
            #expect(edited != text)
            try edited.write(toFile: "\(state)/edited.yaml", atomically: true, encoding: .utf8)
            var migration = TestMigration()
            migration.planPath = "\(state)/edited.yaml"
            #expect(throws: MigrationError.self) { _ = try migration.run(path, state: state, into: target) }
            let left = try TestServer.rows(Self.relations, in: target)
            #expect(left == [])
        }
    }
}
