import Foundation
import Postgres
import TestSupport
import Testing

@testable import MigrationEngine

/// The source has changed since the target was loaded, and the target was brought up to it by other means: what is as SQLite is today is no
/// damage.
@Suite struct RepairTodayTests {
    private static let script = """
        CREATE TABLE walked (id INTEGER PRIMARY KEY, v TEXT); CREATE TABLE named (id TEXT PRIMARY KEY, v TEXT);
        CREATE TABLE pair (a TEXT, b TEXT, v TEXT, PRIMARY KEY (a, b)); CREATE TABLE keyless (id TEXT, v TEXT);
        INSERT INTO walked VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (5, 'e'), (6, 'f');
        INSERT INTO named SELECT 'k' || id, v FROM walked; INSERT INTO pair SELECT 'p, q', id, v FROM walked;
        INSERT INTO keyless SELECT 'k' || id, v FROM walked
        """

    /// One row is changed, one deleted, one inserted, by SQL that both sides take.
    private static func today(_ table: String) -> String {
        switch table {
        case "walked":
            "UPDATE walked SET v = 'now' WHERE id = 1; DELETE FROM walked WHERE id = 2; INSERT INTO walked VALUES (10, 'new')"
        case "pair":
            "UPDATE pair SET v = 'now' WHERE b = '1'; DELETE FROM pair WHERE b = '2'; INSERT INTO pair VALUES ('p', 'q, 10', 'new')"
        default:
            "UPDATE \(table) SET v = 'now' WHERE id = 'k1'; DELETE FROM \(table) WHERE id = 'k2'; INSERT INTO \(table) VALUES ('k10', 'new')"
        }
    }

    private static func damage(_ table: String) -> String {
        let (key, three, four) =
            switch table {
            case "walked": ("id", "3", "4")
            case "pair": ("b", "'3'", "'4'")
            default: ("id", "'k3'", "'k4'")
            }
        return
            "UPDATE \(table) SET v = 'wrong' WHERE \(key) = \(three); DELETE FROM \(table) WHERE \(key) = \(four)"
    }

    /// Both sides go on by the same statements, then the target is damaged; the repair is by the snapshot of before.
    private func withToday(
        _ table: String, damage: String = "", script: String = RepairTodayTests.script,
        test: TestMigration = TestMigration(), today: String? = nil,
        _ body: (Damaged, Repair, _ sound: [String: [String]]) throws -> Void
    ) throws {
        try Damaged.with(script, test) { damaged in
            let repair = try damaged.repairer()
            let today = today ?? Self.today(table)
            try makeDatabase(damaged.source, today)
            try damaged.damage(today)
            let sound = try damaged.content()
            if !damage.isEmpty { try damaged.damage(damage) }
            try body(damaged, repair, sound)
        }
    }

    /// Whether or not the next one looks at the source itself.
    @Test func whatARepairThatWasKilledHasLeftOfTheSourceGoesWithTheNext() throws {
        try Damaged.with(Self.script) { damaged in
            let left = "\(damaged.folder)/state/today/snapshots"
            try FileManager.default.createDirectory(atPath: left, withIntermediateDirectories: true)
            try "rows".write(toFile: "\(left)/partial-1.db", atomically: true, encoding: .utf8)
            _ = try damaged.repairer().preview(RepairRequest())
            #expect(!FileManager.default.fileExists(atPath: "\(damaged.folder)/state/today"))
        }
    }

    @Test(arguments: ["walked", "named", "pair"], [[], ["the table"]])
    func rowsThatAreAsSQLiteIsTodayStay(_ table: String, _ named: [String]) throws {
        try withToday(table, damage: Self.damage(table)) { damaged, repair, sound in
            let snapshots = try FileManager.default.contentsOfDirectory(
                atPath: "\(damaged.folder)/state/snapshots")
            let preview = try repair.preview(RepairRequest(tables: named.isEmpty ? [] : [table]))
            #expect(preview.tables.map(\.name) == [table])
            let found = try #require(preview.tables.first)
            let counts: [Int] = [
                found.missing, found.changed, found.extra, found.unnamed, found.asToday,
            ]
            #expect(counts == [1, 1, 0, 0, 3])
            #expect(preview.leftWords.count == 1)
            #expect(try repair.run(preview).record?.words == "\(table) (1 missing, 1 changed)")
            #expect(try damaged.content() == sound)
            let left = try FileManager.default.contentsOfDirectory(
                atPath: "\(damaged.folder)/state/snapshots")
            #expect(left.sorted() == snapshots.sorted(), "the snapshot of today is gone again")
            #expect(access("\(damaged.folder)/state/today", F_OK) != 0)
        }
    }

    @Test func theLedgerCountsTheRowsOfTheSnapshotThatAreThere() throws {
        try withToday("walked", damage: Self.damage("walked")) { damaged, repair, _ in
            _ = try repair.run(repair.preview(RepairRequest(tables: ["walked"])))
            // Of six one is gone in SQLite too.
            #expect(try damaged.counts().contains("walked|5"))
        }
    }

    @Test(arguments: ["walked", "named", "pair", "keyless"])
    func aTableThatIsAsSQLiteIsTodayIsNotTouched(_ table: String) throws {
        try withToday(table) { damaged, repair, sound in
            let preview = try repair.preview(RepairRequest(tables: [table]))
            #expect(preview.isEmpty)
            #expect((preview.tables.first?.asToday ?? 0) >= 3)
            #expect(try repair.run(preview).record == nil)
            #expect(try damaged.content() == sound)
        }
    }

    @Test func aTableWithoutAKeyIsNotLoadedOverRowsOfToday() throws {
        try withToday("keyless", damage: "DELETE FROM keyless WHERE id = 'k4'") { damaged, repair, _ in
            let before = try damaged.content()
            let error = #expect(throws: MigrationError.self) {
                try repair.preview(RepairRequest(tables: ["keyless"]))
            }
            #expect(error?.exit == .undecided)
            #expect(error?.message.contains("the source has changed since") ?? false)
            #expect(error?.message.contains("howdah cutover") ?? false)
            #expect(try repair.run(repair.preview(RepairRequest())).record == nil)
            #expect(try damaged.content() == before)
        }
    }

    /// Keys of a type that has no text here: a row of one proof is not known again in another.
    @Test func rowsThatCannotBeToldApartAreNotRepaired() throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/source.db"
            try makeDatabase(
                source,
                "CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT); INSERT INTO t VALUES ('10:00:00', 'a'), ('11:00:00', 'b')"
            )
            try TestServer.withDatabase { conninfo in
                try TestServer.execute(
                    "CREATE TABLE t (id time PRIMARY KEY, v text); INSERT INTO t VALUES ('10:00:00', 'now'), ('11:00:00', 'wrong')",
                    in: conninfo)
                let damaged = Damaged(source: source, folder: folder, conninfo: conninfo)
                let repair = try damaged.repairer()
                try makeDatabase(source, "UPDATE t SET v = 'now' WHERE id = '10:00:00'")
                let before = try damaged.content()
                let error = #expect(throws: MigrationError.self) {
                    try repair.preview(RepairRequest(tables: ["t"]))
                }
                #expect(error?.exit == .undecided)
                #expect(error?.message.contains("cannot be told from the others") ?? false)
                #expect(try repair.run(repair.preview(RepairRequest())).record == nil)
                #expect(try damaged.content() == before)
            }
        }
    }

    @Test(arguments: [("walked", "1"), ("named", "k1"), ("pair", "[\"p, q\",\"2\"]")])
    func aRowThatIsNamedAndIsAsSQLiteIsTodayIsRefused(_ table: String, _ key: String) throws {
        try withToday(table, damage: Self.damage(table)) { damaged, repair, _ in
            let before = try damaged.content()
            let error = #expect(throws: MigrationError.self) {
                try repair.preview(RepairRequest(tables: [table], keys: [key]))
            }
            #expect(error?.exit == .undecided)
            #expect(error?.message.contains("as SQLite is today") ?? false)
            #expect(try damaged.content() == before)
        }
    }

    @Test func aRowThatIsNamedAndIsWrongTodayTooIsRepaired() throws {
        try withToday("walked", damage: Self.damage("walked")) { _, repair, _ in
            let preview = try repair.preview(RepairRequest(tables: ["walked"], keys: ["3"]))
            #expect(preview.leftWords.isEmpty)
            #expect(try repair.run(preview).record?.words == "walked (1 changed)")
        }
    }

    /// Neither the snapshot's nor today's: what else it is than wrong nobody can tell.
    @Test func aRowThatIsWrongByBothIsCopiedFromTheSnapshot() throws {
        try withToday("walked", damage: "UPDATE walked SET v = 'wrong' WHERE id = 1") { damaged, repair, _ in
            let outcome = try repair.run(repair.preview(RepairRequest()))
            #expect(outcome.record?.words == "walked (1 changed)")
            let value = try TestServer.value("SELECT v FROM walked WHERE id = 1", in: damaged.conninfo)
            #expect(value == "a")
        }
    }

    @Test func whatThePlanHasNoDecisionForIsNotGuessed() throws {
        let script = "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES (1, 1), (2, 2)"
        try Damaged.with(script) { damaged in
            let repair = try damaged.repairer()
            try makeDatabase(damaged.source, "INSERT INTO t VALUES (3, 'three')")
            try damaged.damage("UPDATE t SET n = 9 WHERE id = 2")
            let before = try damaged.content()
            let error = #expect(throws: MigrationError.self) { try repair.preview(RepairRequest()) }
            #expect(error?.exit == .undecided)
            #expect(error?.message.contains("t.n") ?? false)
            #expect(try damaged.content() == before)
        }
    }

    @Test func decisionsOfBeforeHoldWhileTodayIsLookedAt() throws {
        let script = """
            CREATE TABLE p (id INTEGER PRIMARY KEY, a TEXT); CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id));
            INSERT INTO p VALUES (1, 'x'), (2, CAST(x'ff41' AS TEXT)), (3, 'z'); INSERT INTO c VALUES (1, 1), (2, 9), (3, 3)
            """
        let test = TestMigration(decide: ["value-does-not-fit=escape", "orphan-rows=quarantine"])
        try withToday(
            "p", damage: "UPDATE p SET a = 'bad' WHERE id < 3; DELETE FROM c WHERE id = 3", script: script,
            test: test, today: "UPDATE p SET a = 'now' WHERE id = 3"
        ) { damaged, repair, sound in
            let outcome = try repair.run(repair.preview(RepairRequest()))
            #expect(outcome.record?.words == "p (2 changed), c (1 missing)")
            #expect(try damaged.content() == sound)
        }
    }

    /// A page of the rows that stay begins at any of them.
    @Test func manyRowsAreToldApart() throws {
        let script = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
            INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) SELECT i, 'v' || i FROM n
            """
        try withToday(
            "t", damage: "UPDATE t SET v = 'wrong' WHERE id % 3 = 0", script: script,
            today: "UPDATE t SET v = 'now' WHERE id % 2 = 0"
        ) { damaged, repair, _ in
            let preview = try repair.preview(RepairRequest())
            #expect(preview.tables.map(\.changed) == [10_000])
            #expect(preview.tables.map(\.asToday) == [10_000])
            _ = try repair.run(preview)
            let rows = try TestServer.rows(
                "SELECT count(*) FILTER (WHERE v = 'now'), count(*) FILTER (WHERE v = 'v' || id) FROM t",
                in: damaged.conninfo)
            #expect(rows == ["10000|20000"])
        }
    }
}
