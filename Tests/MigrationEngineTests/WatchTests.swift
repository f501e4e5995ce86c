import Foundation
import Postgres
import TestSupport
import Testing

@testable import MigrationEngine

/// A proof of a target that an application writes to: what has changed since the first proof is told apart from what was never right.
@Suite struct WatchTests {
    private static let script = """
        CREATE TABLE walked (id INTEGER PRIMARY KEY, v TEXT); CREATE TABLE hashed (id TEXT PRIMARY KEY, v TEXT);
        CREATE TABLE keyless (v TEXT);
        INSERT INTO walked WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT i, 'v' || i FROM n;
        INSERT INTO hashed SELECT 'k' || id, v FROM walked; INSERT INTO keyless SELECT v FROM walked
        """

    /// A target that was migrated, damaged, and then proven for the first time.
    private struct Watched {
        let path: String
        let state: StateFolder
        let conninfo: Conninfo
        let preparation: Preparation

        static func with(
            script: String = WatchTests.script, damage: String, _ body: (Watched) throws -> Void
        ) throws {
            try TestMigration().migrated(script) { _, conninfo, folder in
                let path = "\(folder)/source.db"
                let watched = Watched(
                    path: path,
                    state: try StateFolder.open(
                        source: path, project: nil, override: "\(folder)/state", environment: [:]),
                    conninfo: conninfo,
                    preparation: try TestMigration().prepare(path, state: "\(folder)/state"))
                try TestServer.execute(damage, in: conninfo)
                _ = try watched.validate()
                try body(watched)
            }
        }

        func validate(
            _ tables: [String] = [], preparation: Preparation? = nil
        ) throws -> MigrationReport {
            try Validation(
                preparation: preparation ?? self.preparation,
                server: TargetServer(conninfo, cancellation: Cancellation()),
                workers: 2,
                cancellation: Cancellation(), progress: RunProgress(),
                differences: DifferenceLog(state, name: "t")
            ).run(tables: tables)
        }

        func watch(_ preparation: Preparation? = nil, schema: String? = nil) throws -> Watch.Report {
            try Watch(
                preparation: preparation ?? self.preparation,
                server: TargetServer(conninfo, cancellation: Cancellation()), schema: schema, workers: 2,
                cancellation: Cancellation(), progress: RunProgress(), log: DifferenceLog(state, name: "t")
            ).run(tables: [])
        }
    }

    private func line(
        _ name: String, neverRight: Int = 0, came: Int = 0, changed: Int = 0, went: Int = 0,
        cameRight: Int = 0,
        samples: [String] = []
    ) -> Watch.Table {
        var table = Watch.Table(name: name)
        table.neverRight = neverRight
        table.came = came
        table.changed = changed
        table.went = went
        table.cameRight = cameRight
        table.samples = samples
        return table
    }

    @Test func whatChangedSinceIsToldApartFromWhatWasNeverRight() throws {
        let damage = """
            UPDATE walked SET v = 'wrong' WHERE id IN (1, 2, 3); DELETE FROM walked WHERE id = 4;
            UPDATE hashed SET v = 'wrong' WHERE id IN ('k1', 'k2'); INSERT INTO hashed VALUES ('stranger', 'x');
            INSERT INTO keyless VALUES ('twice')
            """
        try Watched.with(damage: damage) { watched in
            let before = try watched.watch()
            #expect(!before.isRight)
            #expect(before.tables.map(\.neverRight) == [4, 3, 1])
            #expect(before.tables.allSatisfy { $0.changedSince == 0 && $0.cameRight == 0 })
            // The application goes on: rows come, change and go; a wrong one is mended, and another becomes wrong otherwise.
            try TestServer.execute(
                """
                INSERT INTO walked VALUES (100, 'new'), (101, 'new'); UPDATE walked SET v = 'edited' WHERE id IN (10, 11, 2);
                DELETE FROM walked WHERE id = 20; UPDATE walked SET v = 'v1' WHERE id = 1;
                DELETE FROM hashed WHERE id = 'stranger'; UPDATE hashed SET v = 'edited' WHERE id = 'k30';
                INSERT INTO keyless VALUES ('new')
                """, in: watched.conninfo)
            let report = try watched.watch()
            #expect(
                report.tables == [
                    line(
                        "walked", neverRight: 2, came: 2, changed: 3, went: 1, cameRight: 1,
                        samples: ["3", "4"]),
                    line("hashed", neverRight: 2, changed: 1, cameRight: 1, samples: ["k1", "k2"]),
                    line(
                        "keyless", neverRight: 1, came: 1, samples: ["a row of a table without a key"]),
                ])
        }
    }

    /// A later proof finds what the application has changed: the first one stays what a watch compares with.
    @Test func aLaterProofDoesNotTakeThePlaceOfTheFirst() throws {
        try Watched.with(damage: "UPDATE walked SET v = 'wrong' WHERE id = 1") { watched in
            try TestServer.execute("UPDATE walked SET v = 'edited' WHERE id = 2", in: watched.conninfo)
            #expect(try watched.validate().exit == 4)
            #expect(try watched.validate(["hashed"]).exit == 0)
            let report = try watched.watch()
            #expect(report.tables.first == line("walked", neverRight: 1, changed: 1, samples: ["1"]))
        }
    }

    /// The proof of the steps, after which a repair or the application may have come, and that of rows that were loaded anew.
    @Test func onlyTheProofOfAnotherLoadTakesThePlaceOfTheFirst() throws {
        try Watched.with(damage: "UPDATE walked SET v = 'wrong' WHERE id = 1") { watched in
            let migration = Migration(
                preparation: watched.preparation,
                server: TargetServer(watched.conninfo, cancellation: Cancellation()), workers: 2,
                isRehearsal: true, cancellation: Cancellation(), progress: RunProgress(),
                differences: try DifferenceLog(watched.state, name: "t"))
            let edit = "UPDATE walked SET v = 'edited' WHERE id = 2"
            try TestServer.execute(edit, in: watched.conninfo)
            #expect(try migration.prove().outcome == .differs)
            #expect(
                try watched.watch().tables.first == line("walked", neverRight: 1, changed: 1, samples: ["1"]))
            try TestServer.execute("UPDATE walked SET v = 'v1' WHERE id = 1", in: watched.conninfo)
            _ = try migration.prove()
            #expect(try watched.watch().tables.first == line("walked", changed: 1, cameRight: 1))
            try migration.undoLoad()
            try migration.loadRows()
            _ = try migration.makeConstraints()
            try TestServer.execute(edit, in: watched.conninfo)
            _ = try migration.prove()
            #expect(try watched.watch().tables.first == line("walked", neverRight: 1, samples: ["2"]))
        }
    }

    @Test func whereOnlyTheApplicationHasWrittenAllIsRight() throws {
        try Watched.with(damage: "SELECT 1") { watched in
            try TestServer.execute("DELETE FROM keyless; UPDATE hashed SET v = NULL", in: watched.conninfo)
            let report = try watched.watch()
            #expect(report.isRight)
            #expect(
                report.tables == [line("walked"), line("hashed", changed: 50), line("keyless", went: 50)])
        }
    }

    /// A row that was wrong in one column is not cleared by a change of another; one that was missing and is there is the application's.
    @Test func aRowIsRightOnlyWhereWhatWasWrongHasBeenWrittenAgain() throws {
        let script = """
            CREATE TABLE two (id INTEGER PRIMARY KEY, v TEXT, w TEXT);
            INSERT INTO two VALUES (1, 'a', 'x'), (2, 'b', 'x'), (3, 'c', 'x'), (4, 'd', 'x')
            """
        let damage = "UPDATE two SET v = 'DAMAGED' WHERE id < 3; DELETE FROM two WHERE id = 4"
        try Watched.with(script: script, damage: damage) { watched in
            try TestServer.execute(
                """
                UPDATE two SET w = 'written' WHERE id IN (1, 3); UPDATE two SET v = 'written' WHERE id = 2;
                INSERT INTO two VALUES (4, 'wrong', 'x')
                """, in: watched.conninfo)
            let report = try watched.watch()
            #expect(!report.isRight)
            #expect(report.tables == [line("two", neverRight: 1, changed: 3, samples: ["1"])])
        }
    }

    /// A first proof of another schema, or of fewer columns, says nothing of what is compared now.
    @Test func whatTheFirstProofHasNotComparedIsNotRight() throws {
        try Watched.with(damage: "SELECT 1") { watched in
            try TestServer.execute(
                "CREATE SCHEMA b; CREATE TABLE b.walked AS SELECT id, 'bad' AS v FROM walked; ALTER TABLE b.walked ADD PRIMARY KEY (id)",
                in: watched.conninfo)
            let other = try watched.watch(schema: "b")
            #expect(!other.isRight)
            #expect(other.tables.first?.obstacle?.contains("the first proof compared") == true)
        }
    }

    /// Written to SQLite since, a later proof differs: it does not become what a watch compares with.
    @Test func aProofOfALaterStateOfSQLiteDoesNotTakeThePlaceOfTheFirst() throws {
        try Watched.with(damage: "SELECT 1") { watched in
            try TestServer.execute("UPDATE walked SET v = 'edited' WHERE id = 2", in: watched.conninfo)
            try makeDatabase(watched.path, "UPDATE walked SET v = 'other' WHERE id = 5")
            let later = try TestMigration().prepare(watched.path, state: watched.state.path)
            #expect(try watched.validate(preparation: later).exit == 4)
            let report = try watched.watch()
            #expect(report.isRight)
            #expect(report.tables.first == line("walked", changed: 1))
        }
    }

    @Test func aSourceThatHasChangedOrWasNeverProvenIsRefused() throws {
        try Watched.with(damage: "SELECT 1") { watched in
            try makeDatabase(watched.path, "UPDATE walked SET v = 'other' WHERE id = 5")
            let preparation = try TestMigration().prepare(watched.path, state: watched.state.path)
            let changed = #expect(throws: MigrationError.self) { try watched.watch(preparation) }
            #expect(changed?.message.contains("is not the one that is compared") == true)
            #expect(changed?.exit == .usage)
            try FileManager.default.removeItem(atPath: "\(watched.state.path)/differences/t-first.db")
            let unknown = #expect(throws: MigrationError.self) { try watched.watch() }
            #expect(unknown?.message.contains("no proof") == true)
        }
    }

    /// A table that was lost since cannot be told apart row by row, and is not passed over.
    @Test func aTableThatIsGoneIsSaid() throws {
        try Watched.with(damage: "SELECT 1") { watched in
            try TestServer.execute("DROP TABLE hashed", in: watched.conninfo)
            let report = try watched.watch()
            #expect(!report.isRight)
            #expect(report.tables.first { $0.name == "hashed" }?.obstacle != nil)
        }
    }
}
