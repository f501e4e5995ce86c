import Foundation
import Postgres
import TestSupport
import Testing

@testable import MigrationEngine

/// What others do meanwhile, what they made themselves, and what goes wrong: a repair does all of it or nothing.
@Suite struct RepairFaultTests {
    private static let people = """
        CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
        CREATE TABLE pet (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES person ON DELETE CASCADE, name TEXT);
        CREATE TABLE note (what TEXT);
        INSERT INTO person VALUES (1, 'Ann'), (2, 'Bob'), (3, 'Eve'); INSERT INTO pet VALUES (1, 1, 'x'), (2, 3, 'y');
        INSERT INTO note VALUES ('a'), ('b')
        """

    /// Nothing of a repair is left: the target holds what it held, and the state folder no record.
    private func expectNothing(_ damaged: Damaged, _ before: [String: [String]]) throws {
        #expect(try damaged.content() == before)
        #expect(Repair.records(try damaged.state()).isEmpty)
        let folders = try FileManager.default.contentsOfDirectory(atPath: "\(damaged.folder)/state/repairs")
        #expect(folders.isEmpty)
    }

    // MARK: Others that write

    /// What somebody does between the proof and the repair.
    @Test(arguments: [
        "UPDATE person SET name = 'the application''s' WHERE id = 2",
        "UPDATE person SET name = name WHERE id = 2",
        "DELETE FROM person WHERE id = 2",
        "INSERT INTO person VALUES (1, 'back again')",
        "DELETE FROM person WHERE id = 2; INSERT INTO person VALUES (1, 'back again')",
        "DELETE FROM note WHERE ctid = '(0,1)'",
        "INSERT INTO note VALUES ('x'); DELETE FROM note WHERE what = 'c'",
        "DELETE FROM person WHERE id = 77",
    ])
    func aRowThatIsWrittenAfterTheProofIsNotOverwritten(_ write: String) throws {
        try Damaged.with(Self.people) { damaged in
            try damaged.damage(
                """
                UPDATE person SET name = 'B' WHERE id = 2; DELETE FROM person WHERE id = 1; INSERT INTO note VALUES ('c');
                INSERT INTO person VALUES (77, 'new')
                """)
            let repair = try damaged.repairer()
            let preview = try repair.preview(RepairRequest(removesExtra: true))
            try damaged.damage(write)
            let before = try damaged.content()
            let error = #expect(throws: MigrationError.self) { try repair.run(preview) }
            #expect(error?.code == .targetNotEmpty)
            #expect(error?.exit == .undecided)
            try expectNothing(damaged, before)
        }
    }

    @Test func otherRowsMayBeWrittenMeanwhile() throws {
        try Damaged.with(Self.people) { damaged in
            try damaged.damage("UPDATE person SET name = 'B' WHERE id = 2")
            let repair = try damaged.repairer()
            let preview = try repair.preview(RepairRequest())
            try damaged.damage("INSERT INTO person VALUES (9, 'new'); UPDATE pet SET name = 'z' WHERE id = 1")
            #expect(try repair.run(preview).record?.words == "person (1 changed)")
            let rows = try TestServer.rows("SELECT id, name FROM person ORDER BY id", in: damaged.conninfo)
            #expect(rows == ["1|Ann", "2|Bob", "3|Eve", "9|new"])
        }
    }

    /// A writer's savepoint has a number of its own, which no snapshot lists.
    @Test func whatAnOpenTransactionHadWrittenCountsAsNotSeen() throws {
        try Damaged.with(Self.people) { damaged in
            try damaged.damage("UPDATE person SET name = 'B' WHERE id = 2")
            let other = try TestServer.connect(damaged.conninfo)
            try other.execute("BEGIN; SAVEPOINT a; UPDATE person SET name = 'theirs' WHERE id = 2")
            let repair = try damaged.repairer()
            let preview = try repair.preview(RepairRequest())
            try other.execute("COMMIT")
            let before = try damaged.content()
            #expect(throws: MigrationError.self) { try repair.run(preview) }
            try expectNothing(damaged, before)
        }
    }

    @Test func aSessionThatHoldsTheTableIsWaitedForNoLongerThanSaid() throws {
        try Damaged.with(Self.people) { damaged in
            var damaged = damaged
            damaged.patience = .milliseconds(200)
            try damaged.damage("UPDATE person SET name = 'B' WHERE id = 2")
            let before = try damaged.content()
            let other = try TestServer.connect(damaged.conninfo)
            try other.execute("BEGIN; SELECT count(*) FROM person")
            let error = #expect(throws: MigrationError.self) { try damaged.repair() }
            #expect(error?.code == .locked)
            #expect(error?.message.contains("tests") ?? false)
            try expectNothing(damaged, before)
            try other.execute("COMMIT")
            #expect(try damaged.repair().report.outcome == .proven)
        }
    }

    @Test func twoRepairsAtOnceAreRefused() throws {
        try Damaged.with(Self.people) { damaged in
            try damaged.damage("UPDATE person SET name = 'B' WHERE id = 2")
            let other = try TestServer.connect(damaged.conninfo)
            try other.execute("SET application_name = 'howdah elsewhere'")
            _ = try other.query("SELECT pg_advisory_lock(1752135524, 1)")
            let error = #expect(throws: MigrationError.self) { try damaged.repair() }
            #expect(error?.code == .locked)
        }
    }

    // MARK: What is refused

    @Test func anOrphanRollsEverythingBack() throws {
        try Damaged.with(Self.people) { damaged in
            // Eve is gone with her pet; another one's pet refers to a row that is in the target only.
            try damaged.damage(
                "DELETE FROM person WHERE id = 3; INSERT INTO person VALUES (9, 'new'); INSERT INTO pet VALUES (9, 9, 'p')"
            )
            let before = try damaged.content()
            let child = #expect(throws: MigrationError.self) {
                try damaged.repair(RepairRequest(tables: ["pet"]))
            }
            #expect(child?.code == .value)
            #expect(child?.message.contains("pet") ?? false)
            let parent = #expect(throws: MigrationError.self) {
                try damaged.repair(RepairRequest(tables: ["person"], keys: ["9"], removesExtra: true))
            }
            #expect(parent?.code == .value)
            try expectNothing(damaged, before)
            #expect(try damaged.repair(RepairRequest(removesExtra: true)).report.outcome == .proven)
        }
    }

    @Test func aRuleOfTheTargetsThatRefusesARowRollsEverythingBack() throws {
        try Damaged.with(Self.people) { damaged in
            try damaged.damage(
                """
                UPDATE person SET name = 'B' WHERE id = 2; UPDATE pet SET name = 'b' WHERE id = 1;
                ALTER TABLE pet ADD CONSTRAINT short CHECK (name <> 'x')
                """)
            let before = try damaged.content()
            let error = #expect(throws: MigrationError.self) { try damaged.repair() }
            #expect(error?.message.contains("short") ?? false)
            try expectNothing(damaged, before)
        }
    }

    @Test func aCheckOfNewRowsAloneDoesNotStopAnOldOneFromComingBack() throws {
        try Damaged.with(Self.people) { damaged in
            try damaged.damage(
                """
                UPDATE pet SET name = 'b' WHERE id = 1; ALTER TABLE pet ADD CONSTRAINT short CHECK (name <> 'x') NOT VALID;
                COMMENT ON CONSTRAINT short ON pet IS 'theirs'
                """)
            let constraints = try damaged.constraints()
            #expect(try damaged.repair().report.outcome == .proven)
            #expect(try damaged.constraints() == constraints)
        }
    }

    @Test func keysThatAreLookedAtLateAreLookedAtInTime() throws {
        try Damaged.with(Self.people) { damaged in
            try damaged.damage(
                """
                ALTER TABLE person ADD CONSTRAINT late UNIQUE (name) DEFERRABLE INITIALLY DEFERRED;
                ALTER TABLE pet ADD CONSTRAINT named UNIQUE (name) DEFERRABLE INITIALLY DEFERRED;
                BEGIN; UPDATE pet SET name = CASE id WHEN 1 THEN 'y' ELSE 'x' END; UPDATE person SET name = 'B' WHERE id = 2; COMMIT
                """)
            let constraints = try damaged.constraints()
            #expect(try damaged.repair().report.outcome == .proven)
            #expect(try damaged.constraints() == constraints)
        }
    }

    @Test func rowsThatWouldStillDifferRollEverythingBack() throws {
        try Damaged.with(Self.people) { damaged in
            try damaged.damage(
                """
                UPDATE person SET name = 'B' WHERE id = 2; ALTER TABLE pet DROP COLUMN name;
                ALTER TABLE pet ADD COLUMN name text GENERATED ALWAYS AS ('fixed') STORED
                """)
            let before = try damaged.content()
            let error = #expect(throws: MigrationError.self) { try damaged.repair() }
            #expect(error?.exit == .differs)
            #expect(error?.message.contains("2 rows of pet would still differ") ?? false)
            try expectNothing(damaged, before)
        }
    }

    @Test func aRoleThatDoesNotOwnTheTablesIsTold() throws {
        try Damaged.with(Self.people) { damaged in
            let role = "role_\(UUID().uuidString.prefix(8).lowercased())"
            try damaged.damage(
                """
                UPDATE person SET name = 'B' WHERE id = 2; DELETE FROM note WHERE what = 'b'; CREATE ROLE \(role) LOGIN;
                GRANT SELECT, INSERT, DELETE ON person, pet TO \(role); GRANT SELECT, INSERT, DELETE, TRUNCATE ON note TO \(role)
                """)
            defer { try? damaged.damage("DROP OWNED BY \(role); DROP ROLE \(role)") }
            let preparation = try damaged.repairer().preparation
            let repair = Repair(
                preparation: preparation,
                history: RepairHistory(
                    try damaged.state(),
                    TargetServer(damaged.conninfo.setting("user", to: role), cancellation: Cancellation())),
                workers: 1, cancellation: Cancellation(), progress: RunProgress())
            let unread = #expect(throws: MigrationError.self) {
                try repair.preview(RepairRequest(tables: ["person"]))
            }
            #expect(unread?.message.contains("schema howdah") ?? false)
            try damaged.damage("DROP SCHEMA howdah CASCADE")
            let error = #expect(throws: MigrationError.self) {
                try repair.preview(RepairRequest(tables: ["person"]))
            }
            #expect(error?.message.contains("\(role) does not own") ?? false)
            // Nothing of a plain table is to be held off.
            let note = try repair.preview(RepairRequest(tables: ["note"]))
            #expect(try repair.run(note).record?.words == "note as a whole")
        }
    }

    @Test func aStateFolderThatCannotBeWrittenChangesNothing() throws {
        try Damaged.with(Self.people) { damaged in
            try damaged.damage("UPDATE person SET name = 'B' WHERE id = 2")
            let before = try damaged.content()
            _ = FileManager.default.createFile(
                atPath: "\(damaged.folder)/state/repairs", contents: Data("a file".utf8))
            #expect(throws: (any Error).self) { try damaged.repair() }
            #expect(try damaged.content() == before)
        }
    }

    // MARK: The way back

    @Test(arguments: [
        "UPDATE person SET name = 'theirs' WHERE id = 2", "DELETE FROM person WHERE id = 1",
        "INSERT INTO person VALUES (77, 'another')", "INSERT INTO note VALUES ('z')",
    ])
    func whatWasWrittenAfterTheRepairIsNotLostByItsUndo(_ write: String) throws {
        try Damaged.with(Self.people) { damaged in
            try damaged.damage(
                """
                UPDATE person SET name = 'B' WHERE id = 2; DELETE FROM person WHERE id = 1; INSERT INTO person VALUES (77, 'new');
                DELETE FROM note WHERE what = 'a'
                """)
            #expect(try damaged.repair(RepairRequest(removesExtra: true)).report.outcome == .proven)
            try damaged.damage(write)
            let before = try damaged.content()
            let error = #expect(throws: MigrationError.self) { try damaged.undo() }
            #expect(error?.code == .targetNotEmpty)
            #expect(try damaged.content() == before)
            #expect(Repair.records(try damaged.state()).map(\.state) == [.done])
        }
    }

    @Test func repairsAreUndoneTheNewestFirstOrByName() throws {
        try Damaged.with(Self.people) { damaged in
            try damaged.damage("UPDATE person SET name = 'B' WHERE id = 2")
            let first = try damaged.repair().record
            try damaged.damage("UPDATE pet SET name = 'b' WHERE id = 1")
            let second = try damaged.repair().record
            #expect(try damaged.undo().record?.id == second?.id)
            let again = #expect(throws: MigrationError.self) { try damaged.undo(second?.id) }
            #expect(again?.message.contains("undone") ?? false)
            #expect(throws: MigrationError.self) { try damaged.undo("nothing") }
            #expect(try damaged.undo(first?.id).record?.id == first?.id)
            let none = #expect(throws: MigrationError.self) { try damaged.undo() }
            #expect(none?.exit == .usage)
            #expect(Repair.records(try damaged.state()).map(\.state) == [.undone, .undone])
        }
    }

    @Test func aTableThatWasMadeAnewSinceIsAnotherOne() throws {
        try Damaged.with(Self.people) { damaged in
            try damaged.damage("DELETE FROM note WHERE what = 'a'")
            _ = try damaged.repair(RepairRequest(tables: ["note"]))
            try damaged.damage(
                "CREATE TABLE other AS TABLE note; DROP TABLE note; ALTER TABLE other RENAME TO note")
            let error = #expect(throws: MigrationError.self) { try damaged.undo() }
            #expect(error?.message.contains("made anew") ?? false)
        }
    }

    @Test func whatIsKeptIsForTheOwnerAloneAndHoldsNoPassword() throws {
        try Damaged.with(Self.people) { damaged in
            try damaged.damage("UPDATE person SET name = 'B' WHERE id = 2")
            let server = TargetServer(
                damaged.conninfo.setting("password", to: "secret-word"), cancellation: Cancellation())
            let repair = Repair(
                preparation: try damaged.repairer().preparation,
                history: RepairHistory(try damaged.state(), server),
                workers: 1, cancellation: Cancellation(), progress: RunProgress())
            let record = try #require(try repair.run(repair.preview(RepairRequest())).record)
            let folder = "\(damaged.folder)/state/repairs/\(record.id)"
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(names.sorted() == ["1-after.copy", "1-before.copy", "repair.json"])
            for name in names {
                let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")
                #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
                let content = FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data()
                #expect(content.range(of: Data("secret-word".utf8)) == nil)
            }
        }
    }

    // MARK: Tables of somebody else's

    /// Made by hand: other types, among them such as only the server knows, a column more, no ledger.
    @Test func aTableThatSomebodyElseHasMadeIsRepaired() throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/source.db"
            try makeDatabase(
                source,
                """
                CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, a TEXT, ip TEXT, tags TEXT);
                INSERT INTO t VALUES (1, 5, 'x', '10.0.0.1', '["a",null]'), (2, 6, 'y', NULL, '[]'), (3, 7, NULL, '::1', NULL)
                """)
            try TestServer.withDatabase { conninfo in
                try TestServer.execute(
                    """
                    CREATE TABLE t (id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text DEFAULT 'fresh' NOT NULL,
                        n numeric(9, 2), a varchar(9), upper text GENERATED ALWAYS AS (upper(a)) STORED, ip inet, tags text[]);
                    INSERT INTO t (id, n, a, note, ip, tags) OVERRIDING SYSTEM VALUE
                    VALUES (1, 5, 'other', 'mine', '10.0.0.2', '{b}'), (3, 7, NULL, 'kept', '::1', NULL)
                    """, in: conninfo)
                let damaged = Damaged(source: source, folder: folder, conninfo: conninfo)
                let before = try damaged.content()
                #expect(try damaged.repair().report.outcome == .proven)
                let rows = "SELECT id, note, n, a, upper, ip, tags FROM t ORDER BY id"
                #expect(
                    try TestServer.rows(rows, in: conninfo) == [
                        "1|mine|5.00|x|X|10.0.0.1|{a,NULL}", "2|fresh|6.00|y|Y|NULL|{}",
                        "3|kept|7.00|NULL|NULL|::1|NULL",
                    ])
                let next = try TestServer.value("INSERT INTO t (n) VALUES (1) RETURNING id", in: conninfo)
                #expect(next == "4")
                try TestServer.execute("DELETE FROM t WHERE id = 4", in: conninfo)
                _ = try damaged.undo()
                #expect(try damaged.content() == before)
            }
        }
    }

    /// Whole in SQLite's text, and in no jsonb.
    @Test(arguments: ["{\"a\":\"\\u0000\"}", "{\"a\":\"\\ud800\"}", "{\"a\":1,\"a\":2}", "no JSON"])
    func aValueThatTheTargetsTypeCannotTakeIsToldByItsReason(_ value: String) throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/source.db"
            try makeDatabase(
                source,
                "CREATE TABLE t (id INTEGER PRIMARY KEY, doc TEXT); INSERT INTO t VALUES (1, '{}'), (7, '\(value)')"
            )
            try TestServer.withDatabase { conninfo in
                try TestServer.execute(
                    "CREATE TABLE t (id int PRIMARY KEY, doc jsonb); INSERT INTO t VALUES (1, '{}'), (7, '{}')",
                    in: conninfo)
                let damaged = Damaged(source: source, folder: folder, conninfo: conninfo)
                let before = try damaged.content()
                let error = #expect(throws: MigrationError.self) { try damaged.repair() }
                #expect(error?.message.contains("t.doc, the row 7: the value is no JSON") ?? false)
                #expect(error?.message.contains("jsonb") ?? false)
                #expect(error?.remedy.contains("snapshot") == false)
                #expect(try damaged.content() == before)
            }
        }
    }

    /// A framework's own tables, loaded by an adopted plan.
    @Test func adoptedTablesAreRepairedAndTheirKeysStayAsTheyWere() throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/source.db"
            try makeDatabase(source, Self.people)
            try TestServer.withDatabase { conninfo in
                try TestServer.execute(
                    """
                    CREATE TABLE person (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, name varchar(20) NOT NULL UNIQUE);
                    CREATE TABLE pet (id serial PRIMARY KEY, owner bigint, name text,
                        CONSTRAINT of_person FOREIGN KEY (owner) REFERENCES person ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
                    COMMENT ON CONSTRAINT of_person ON pet IS 'it''s theirs'; CREATE TABLE note (what text)
                    """, in: conninfo)
                var damaged = Damaged(source: source, folder: folder, conninfo: conninfo)
                damaged.test.adopts = true
                let loaded = try damaged.test.run(source, state: "\(folder)/state", into: conninfo)
                #expect(loaded.outcome == .proven)
                let (sound, constraints, counts) = try (
                    damaged.content(), damaged.constraints(), damaged.counts()
                )
                try damaged.damage(
                    "UPDATE person SET name = 'x' WHERE id = 1; DELETE FROM person WHERE id = 3")
                let before = try damaged.content()
                #expect(try damaged.repair().report.outcome == .proven)
                #expect(try damaged.content() == sound)
                #expect(try damaged.constraints() == constraints)
                #expect(try damaged.counts() == counts)
                _ = try damaged.undo()
                #expect(try damaged.content() == before)
                #expect(try damaged.constraints() == constraints)
            }
        }
    }

    @Test func rowsThatDecisionsKeepOutStayOut() throws {
        let schema = """
            CREATE TABLE p (id INTEGER PRIMARY KEY, a TEXT); CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id));
            INSERT INTO p VALUES (1, 'x'), (2, CAST(x'ff41' AS TEXT)), (3, 'z'); INSERT INTO c VALUES (1, 1), (2, 9), (3, 3)
            """
        let words = ["value-does-not-fit=escape", "orphan-rows=quarantine"]
        try Damaged.with(schema, TestMigration(decide: words)) { damaged in
            let (sound, counts) = try (damaged.content(), damaged.counts())
            try damaged.damage("UPDATE p SET a = 'bad'; DELETE FROM c WHERE id = 3")
            let outcome = try damaged.repair()
            #expect(outcome.record?.words == "p (3 changed), c (1 missing)")
            #expect(outcome.report.outcome == .quarantined)
            #expect(try damaged.content() == sound)
            #expect(try damaged.counts() == counts)
        }
    }

    // MARK: Many rows

    /// Keys that are no numbers are paired in memory, of so many not all.
    @Test func moreRowsThanTheProofNamesAreRepaired() throws {
        let schema = """
            CREATE TABLE t (k TEXT PRIMARY KEY, a TEXT);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT 'k' || i, 'row ' || i FROM n
            """
        try Damaged.with(schema) { damaged in
            let (sound, counts) = try (damaged.content(), damaged.counts())
            try damaged.damage(
                "UPDATE t SET a = a || '!' WHERE length(k) < 5; DELETE FROM t WHERE k LIKE 'k4%'; INSERT INTO t VALUES ('new', NULL)"
            )
            let before = try damaged.content()
            let outcome = try damaged.repair(RepairRequest(removesExtra: true))
            #expect(outcome.report.outcome == .proven)
            // One by one, however many they are.
            #expect(outcome.record?.tables.map(\.way) == [.rows])
            #expect(try damaged.content() == sound)
            #expect(try damaged.counts() == counts)
            _ = try damaged.undo()
            #expect(try damaged.content() == before)
        }
    }

    @Test func manyPagesOfRowsAreRepairedAndPutBack() throws {
        let schema = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT i, 'row ' || i FROM n
            """
        try Damaged.with(schema) { damaged in
            try damaged.damage(
                "UPDATE t SET a = a || '!' WHERE id <= 2000; DELETE FROM t WHERE id > 3000; INSERT INTO t SELECT i, 'n' FROM generate_series(6000, 7500) AS i"
            )
            let before = try damaged.content()
            let outcome = try damaged.repair(RepairRequest(removesExtra: true))
            #expect(outcome.record?.words == "t (2,000 missing, 2,000 changed, 1,501 removed)")
            #expect(outcome.report.outcome == .proven)
            _ = try damaged.undo()
            #expect(try damaged.content() == before)
        }
    }
}
