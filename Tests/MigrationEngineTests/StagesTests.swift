import Foundation
import Postgres
import TestSupport
import Testing

@testable import MigrationEngine

/// A migration that goes stage by stage.
@Suite struct StagesTests {
    private static let script = """
        CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT UNIQUE);
        CREATE TABLE u (id INTEGER PRIMARY KEY, t INTEGER REFERENCES t);
        INSERT INTO t VALUES (1, 'a'), (2, 'b'); INSERT INTO u VALUES (1, 2)
        """

    private func withMigration(
        _ script: String = script, _ body: (Migration, Conninfo) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", script)
            try TestServer.withDatabase { conninfo in
                let preparation = try TestMigration().prepare("\(folder)/a.db", state: "\(folder)/s")
                let cancellation = Cancellation()
                let migration = Migration(
                    preparation: preparation, server: TargetServer(conninfo, cancellation: cancellation),
                    workers: 2,
                    isRehearsal: true, cancellation: cancellation, progress: RunProgress())
                try body(migration, conninfo)
            }
        }
    }

    private func stage(_ migration: Migration) throws -> RunStatus.Stage? {
        try migration.server.runStatus(schema: "public")?.stage
    }

    @Test func everyStageIsToldByTheTargetAndTakenBackInTurn() throws {
        try withMigration { migration, _ in
            #expect(try stage(migration) == nil)
            #expect(try migration.makeSchema().isEmpty)
            #expect(try stage(migration) == .made)
            #expect(try migration.makeSchema().isEmpty, "a second time changes nothing")
            try migration.loadRows()
            #expect(try stage(migration) == .loaded)
            try migration.loadRows()
            #expect(try migration.server.runStatus(schema: "public")?.rows == 3)
            _ = try migration.makeConstraints()
            _ = try migration.makeConstraints()
            #expect(try stage(migration) == .constrained)
            #expect(try migration.prove().outcome == .proven)
            #expect(try stage(migration) == .ended)
            try migration.undoConstraints()
            #expect(try stage(migration) == .loaded)
            try migration.undoLoad()
            #expect(try stage(migration) == .made)
            try migration.undoSchema()
            #expect(try stage(migration) == nil)
        }
    }

    @Test func aStageBeforeItsTimeIsRefused() throws {
        try withMigration { migration, _ in
            #expect(throws: MigrationError.self) { try migration.loadRows() }
            _ = try migration.makeSchema()
            #expect(throws: MigrationError.self) { _ = try migration.makeConstraints() }
            #expect(throws: MigrationError.self) { _ = try migration.prove() }
        }
    }

    @Test func whatAKilledHowdahLeftRunningIsEnded() throws {
        try withMigration { migration, conninfo in
            _ = try migration.makeSchema()
            try migration.loadRows()
            let left = try Postgres.Connection(
                conninfo, applicationName: "howdah work (ann, process 1)")
            try left.execute("BEGIN; ALTER TABLE public.t ADD CONSTRAINT t_pkey PRIMARY KEY (id)")
            // Without that, the stage would wait for the session's lock for ever.
            let watch = Thread {
                _ = waitUntil(seconds: 15) {
                    migration.progress.phase == nil && migration.progress.durations.count > 2
                }
                if migration.progress.phase != nil { migration.cancellation.cancel() }
            }
            watch.start()
            _ = try migration.makeConstraints()
            #expect(try stage(migration) == .constrained)
        }
    }

    @Test func aStageWhoseConnectionsAreLostGoesOnByItself() throws {
        let script = """
            CREATE TABLE big (id INTEGER PRIMARY KEY, a TEXT, b BLOB);
            WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < 300000)
            INSERT INTO big SELECT i, 'text number ' || i, x'00ff00ff00ff' FROM g
            """
        try withMigration(script) { migration, conninfo in
            _ = try migration.makeSchema()
            let cut = Thread {
                _ = waitUntil {
                    let ended = try? TestServer.value(
                        """
                        SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                        WHERE application_name LIKE 'howdah%' AND datname = current_database() AND EXISTS (
                            SELECT FROM pg_stat_progress_copy WHERE datname = current_database() AND tuples_processed > 0)
                        """, in: conninfo)
                    return ended.flatMap { $0 }.map { $0 != "0" } ?? false
                }
            }
            cut.start()
            try migration.loadRows()
            #expect(try stage(migration) == .loaded)
            #expect(migration.progress.takeNotes().contains { $0.hasPrefix("trying again in") })
            #expect(migration.progress.waiting == nil)
            #expect(try migration.server.runStatus(schema: "public")?.rows == 300_000)
        }
    }

    /// As after a kill between the two parts of a key.
    @Test(arguments: [true, false]) func aKeysIndexWithoutItsConstraintIsTakenUpOrAway(isTakenUp: Bool) throws
    {
        try withMigration { migration, conninfo in
            _ = try migration.makeSchema()
            try migration.loadRows()
            try TestServer.execute(
                "CREATE UNIQUE INDEX t_pkey ON t (id); CREATE UNIQUE INDEX t_x_key ON t (x)", in: conninfo)
            if isTakenUp {
                let index = try TestServer.value("SELECT 't_pkey'::regclass::oid", in: conninfo)
                _ = try migration.makeConstraints()
                let keys = try TestServer.rows(
                    "SELECT conname, contype, conindid FROM pg_constraint WHERE conrelid = 't'::regclass ORDER BY 1",
                    in: conninfo)
                #expect(keys.first == "t_pkey|p|\(index ?? "")")
                #expect(keys.last?.hasPrefix("t_x_key|u|") == true)
            } else {
                try migration.undoConstraints()
                #expect(
                    try TestServer.value(
                        "SELECT count(*) FROM pg_indexes WHERE tablename = 't'", in: conninfo) == "0")
            }
        }
    }

    /// So many keys that sessions which make them side by side would wait for each other sooner or later.
    @Test func tablesThatReferToEachOtherGetTheirKeys() throws {
        let count = 100
        let tables = [("a", "b"), ("b", "a")].map { table, other in
            let columns = (0..<count).map { "c\($0) INTEGER REFERENCES \(other)" }.joined(separator: ", ")
            return """
                CREATE TABLE \(table) (id INTEGER PRIMARY KEY, \(columns));
                INSERT INTO \(table) (id, c0) VALUES (1, 1)
                """
        }
        try withMigration(tables.joined(separator: ";\n")) { migration, conninfo in
            #expect(try migration.run().outcome == .proven)
            let keys = try TestServer.rows(
                "SELECT count(*), bool_and(convalidated) FROM pg_constraint WHERE conname LIKE '%_fkey' AND "
                    + "connamespace = 'public'::regnamespace", in: conninfo)
            #expect(keys == ["\(2 * count)|t"])
        }
    }

    @Test func aForeignKeyThatAKilledRunLeftUnvalidatedIsValidated() throws {
        try withMigration { migration, conninfo in
            _ = try migration.makeSchema()
            try migration.loadRows()
            try TestServer.connect(conninfo).execute(
                """
                ALTER TABLE public.t ADD CONSTRAINT t_pkey PRIMARY KEY (id);
                ALTER TABLE public.u ADD CONSTRAINT u_t_fkey FOREIGN KEY (t) REFERENCES public.t (id) NOT VALID
                """)
            _ = try migration.makeConstraints()
            let keys = try TestServer.rows(
                "SELECT conname, convalidated FROM pg_constraint WHERE conname = 'u_t_fkey'", in: conninfo)
            #expect(keys == ["u_t_fkey|t"])
        }
    }

    @Test func anothersSessionIsLeftAlone() throws {
        try withMigration { migration, conninfo in
            let other = try Postgres.Connection(conninfo, applicationName: "psql")
            _ = try migration.makeSchema()
            #expect(try other.query("SELECT 1").int(0, 0) == 1)
        }
    }

    @Test func rowsOfOthersAreNeverTakenOut() throws {
        try withMigration { migration, conninfo in
            _ = try migration.makeSchema()
            try migration.loadRows()
            try TestServer.connect(conninfo).execute("INSERT INTO public.t VALUES (9, 'mine')")
            #expect(throws: MigrationError.self) { try migration.undoLoad() }
            #expect(throws: MigrationError.self) { try migration.undoSchema() }
            #expect(try TestServer.rows("SELECT count(*) FROM public.t", in: conninfo) == ["3"])
        }
    }
}
