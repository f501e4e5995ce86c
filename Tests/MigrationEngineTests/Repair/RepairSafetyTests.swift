import Foundation
import Postgres
import TestSupport
import Testing

@testable import MigrationEngine

/// Whose rows a repair may touch: those that a validation compares, and no others.
@Suite struct RepairSafetyTests {
    private static let people = """
        CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE pet (id INTEGER PRIMARY KEY, name TEXT);
        INSERT INTO person VALUES (1, 'Ann'), (2, 'Bob'); INSERT INTO pet VALUES (1, 'x')
        """

    /// A target that somebody else has made.
    private func withTarget(
        _ schema: String, _ target: String, _ body: (Damaged) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/source.db", schema)
            try TestServer.withDatabase { conninfo in
                try TestServer.execute(target, in: conninfo)
                try body(Damaged(source: "\(folder)/source.db", folder: folder, conninfo: conninfo))
            }
        }
    }

    // MARK: Schemas and names

    @Test func theSchemaThatIsComparedIsTheOneThatIsWrittenTo() throws {
        let target = """
            CREATE TABLE person (id int PRIMARY KEY, name text); INSERT INTO person VALUES (1, 'another application''s');
            CREATE SCHEMA app; CREATE TABLE app.person (id int PRIMARY KEY, name text); CREATE TABLE app.pet (id int PRIMARY KEY, name text);
            INSERT INTO app.person VALUES (1, 'wrong'), (2, 'Bob'); INSERT INTO app.pet VALUES (1, 'x')
            """
        try withTarget(Self.people, target) { damaged in
            let others = try damaged.content()
            let outcome = try damaged.repair()
            #expect(outcome.record?.words == "person (1 changed)")
            #expect(outcome.record?.schema == "app")
            #expect(outcome.report.outcome == .proven)
            #expect(try damaged.content() == others)
            let names = "SELECT name FROM app.person ORDER BY id"
            #expect(try TestServer.rows(names, in: damaged.conninfo) == ["Ann", "Bob"])
            #expect(try damaged.undo().report.outcome == .differs)
            #expect(try TestServer.rows(names, in: damaged.conninfo) == ["wrong", "Bob"])
            #expect(try damaged.content() == others)
        }
    }

    @Test func whatTheTargetSpellsOtherwiseIsFoundAsAValidationFindsIt() throws {
        let target = """
            CREATE TABLE "Person" ("Id" int PRIMARY KEY, "Name" text); CREATE TABLE pet (id int PRIMARY KEY, name text);
            INSERT INTO "Person" VALUES (1, 'wrong'), (2, 'Bob'); INSERT INTO pet VALUES (1, 'x')
            """
        try withTarget(Self.people, target) { damaged in
            let outcome = try damaged.repair(RepairRequest(tables: ["person"]))
            #expect(outcome.report.outcome == .proven)
            #expect(
                try TestServer.rows("SELECT \"Name\" FROM \"Person\" ORDER BY 1", in: damaged.conninfo)
                    == ["Ann", "Bob"])
        }
    }

    @Test func aTableThatLacksAColumnIsNotRepaired() throws {
        let target = """
            CREATE TABLE person (id int PRIMARY KEY); CREATE TABLE pet (id int PRIMARY KEY, name text);
            INSERT INTO person VALUES (1); INSERT INTO pet VALUES (1, 'x')
            """
        try withTarget(Self.people, target) { damaged in
            let error = #expect(throws: MigrationError.self) {
                try damaged.repair(RepairRequest(tables: ["person"]))
            }
            #expect(error?.message.contains("no column name") ?? false)
            let rows = try TestServer.value("SELECT count(*) FROM person", in: damaged.conninfo)
            #expect(rows == "1")
        }
    }

    // MARK: Partitions and tables that inherit

    private static let partitioned = """
        CREATE TABLE person (id int PRIMARY KEY, name text) PARTITION BY RANGE (id);
        CREATE TABLE person_1 PARTITION OF person FOR VALUES FROM (0) TO (100);
        CREATE TABLE pet (id int PRIMARY KEY, name text); INSERT INTO pet VALUES (1, 'x');
        INSERT INTO person VALUES (1, 'wrong'), (2, 'Bob');
        CREATE TABLE seen (id int); CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN INSERT INTO seen VALUES (1); RETURN NULL; END';
        """

    @Test(arguments: [
        "CREATE TABLE hung (person int REFERENCES person_1 ON DELETE CASCADE); INSERT INTO hung VALUES (1)",
        "CREATE TRIGGER see AFTER DELETE ON person_1 FOR EACH ROW EXECUTE FUNCTION see()",
        "CREATE TRIGGER see AFTER DELETE ON person FOR EACH ROW EXECUTE FUNCTION see(); ALTER TABLE person_1 DISABLE TRIGGER see",
        "ALTER TABLE person_1 ADD FOREIGN KEY (id) REFERENCES pet NOT VALID",
    ])
    func partitionsWithKeysOrTriggersAreRefused(_ more: String) throws {
        try withTarget(Self.people, Self.partitioned + more) { damaged in
            let rows =
                "SELECT format('%s %s', p, s) FROM (SELECT json_agg(p ORDER BY id)::text FROM person AS p) AS a (p),"
                + " (SELECT count(*) FROM seen) AS b (s)"
            let before = try TestServer.rows(rows, in: damaged.conninfo)
            let content = try damaged.content()
            let error = #expect(throws: MigrationError.self) {
                try damaged.repair(RepairRequest(tables: ["person"]))
            }
            #expect(error?.message.contains("is partitioned") ?? false)
            #expect(error?.exit == .undecided)
            #expect(try TestServer.rows(rows, in: damaged.conninfo) == before)
            #expect(try damaged.content() == content)
        }
    }

    @Test func partitionsWithoutEitherAreRepaired() throws {
        try withTarget(Self.people, Self.partitioned) { damaged in
            let outcome = try damaged.repair()
            #expect(outcome.report.outcome == .proven)
        }
    }

    private static let inherited = """
        CREATE TABLE person (id int PRIMARY KEY, name text); CREATE TABLE guest () INHERITS (person);
        CREATE TABLE pet (id int PRIMARY KEY, name text); INSERT INTO pet VALUES (1, 'x');
        INSERT INTO person VALUES (1, 'wrong'), (2, 'Bob'); INSERT INTO guest VALUES (7, 'mine')
        """

    @Test func rowsOfTablesThatInheritAreNotTouched() throws {
        try withTarget(Self.people, Self.inherited) { damaged in
            let before = try damaged.content()
            let error = #expect(throws: MigrationError.self) {
                try damaged.repair(RepairRequest(tables: ["person"], removesExtra: true))
            }
            #expect(error?.message.contains("inherits from it, guest") ?? false)
            // Among all tables it is told, and nothing else differs.
            #expect(try damaged.repair(RepairRequest(removesExtra: true)).record == nil)
            #expect(try damaged.content() == before)
        }
    }

    /// A catch-up holds tables in the same way.
    @Test(arguments: [
        inherited, partitioned + "CREATE TRIGGER see AFTER DELETE ON person_1 EXECUTE FUNCTION see()",
    ])
    func noTableIsHeldWhoseRowsAreNotItsOwn(_ target: String) throws {
        try withTarget(Self.people, target) { damaged in
            let connection = try TestServer.connect(damaged.conninfo)
            try connection.execute("BEGIN")
            let error = #expect(throws: MigrationError.self) {
                _ = try HeldTables(["\"public\".\"person\""], connection)
            }
            #expect(error?.code == .targetUnfit)
        }
    }

    // MARK: Others that write

    /// The savepoint has its number before the proof begins, and writes to the table after it.
    @Test func aSavepointThatWasOpenBeforeTheProofWritesUnseen() throws {
        try Damaged.with(Self.people) { damaged in
            try damaged.damage("UPDATE person SET name = 'B' WHERE id = 2")
            let other = try TestServer.connect(damaged.conninfo)
            try other.execute("BEGIN; SAVEPOINT a; INSERT INTO pet VALUES (9, 'theirs')")
            // A later transaction has ended: the savepoint's number is one of those that have begun.
            try damaged.damage("INSERT INTO pet VALUES (8, 'z')")
            let repair = try damaged.repairer()
            let preview = try repair.preview(RepairRequest(tables: ["person"]))
            try other.execute("UPDATE person SET name = 'theirs' WHERE id = 2; COMMIT")
            let error = #expect(throws: MigrationError.self) { try repair.run(preview) }
            #expect(error?.code == .targetNotEmpty)
            let name = "SELECT name FROM person WHERE id = 2"
            #expect(try TestServer.value(name, in: damaged.conninfo) == "theirs")
        }
    }

    @Test func writersOfOtherDatabasesAreNoObstacle() throws {
        try Damaged.with(Self.people) { damaged in
            try TestServer.withDatabase { elsewhere in
                let other = try TestServer.connect(elsewhere)
                try other.execute("BEGIN; CREATE TABLE t (a int)")
                try damaged.damage("UPDATE person SET name = 'B' WHERE id = 2")
                #expect(try damaged.repair().report.outcome == .proven)
            }
        }
    }

    @Test func whoIsWaitedForIsSaid() throws {
        try Damaged.with(Self.people) { damaged in
            var damaged = damaged
            damaged.patience = .milliseconds(100)
            try damaged.damage("UPDATE person SET name = 'B' WHERE id = 2")
            let repair = try damaged.repairer()
            let preview = try repair.preview(RepairRequest())
            let other = try TestServer.connect(damaged.conninfo)
            try other.execute("BEGIN; LOCK TABLE person")
            #expect(throws: MigrationError.self) { try repair.run(preview) }
            #expect(repair.progress.takeNotes().contains { $0.contains("waits") && $0.contains("process") })
            // Neither does the proof wait for ever.
            let error = #expect(throws: MigrationError.self) { try repair.preview(RepairRequest()) }
            #expect(error?.code == .locked)
            #expect(error?.message.contains("process") ?? false)
        }
    }

    // MARK: Keys

    private static let composite = """
        CREATE TABLE c (a TEXT, b TEXT, v TEXT, PRIMARY KEY (a, b)); CREATE TABLE s (k TEXT PRIMARY KEY, v TEXT);
        INSERT INTO c VALUES ('p, q', 'r', '1'), ('p', 'q, r', '2'), ('x', 'y', '3');
        INSERT INTO s VALUES ('a', '1'), ('["a"]', '2'), ('["b"]', '3')
        """

    @Test(arguments: [
        ("UPDATE c SET v = 'bad'", RepairRequest(tables: ["c"], keys: ["p, q, r"])),
        // The other row may be meant, which does not differ.
        ("UPDATE c SET v = 'bad' WHERE a = 'p'", RepairRequest(tables: ["c"], keys: ["p, q, r"])),
        ("UPDATE s SET v = 'bad'", RepairRequest(tables: ["s"], keys: ["[\"a\"]"])),
        ("UPDATE s SET v = 'bad' WHERE k = '[\"a\"]'", RepairRequest(tables: ["s"], keys: ["[\"a\"]"])),
        // As an array it names a row that there is not.
        ("UPDATE s SET v = 'bad'", RepairRequest(tables: ["s"], keys: ["[\"b\"]"])),
    ])
    func aKeyThatCanMeanTwoRowsIsRefused(_ damage: String, _ request: RepairRequest) throws {
        try Damaged.with(Self.composite) { damaged in
            try damaged.damage(damage)
            let before = try damaged.content()
            let error = #expect(throws: MigrationError.self) { try damaged.repair(request) }
            #expect(error?.exit == .usage)
            #expect(error?.message.contains("more than one row") ?? false)
            #expect(error?.remedy.contains("--key '[\"") ?? false)
            #expect(try damaged.content() == before)
        }
    }

    @Test(arguments: [
        ("c", "[\"p, q\",\"r\"]", "1"), ("c", "[\"p\", \"q, r\"]", "2"), ("c", "x, y", "3"), ("s", "a", "1"),
        ("s", "[\"[\\\"a\\\"]\"]", "2"), ("s", "[\"[\\\"b\\\"]\"]", "3"),
    ])
    func anArrayOfTheKeysTextsIsExact(_ table: String, _ key: String, _ value: String) throws {
        try Damaged.with(Self.composite) { damaged in
            try damaged.damage("UPDATE c SET v = 'bad'; UPDATE s SET v = 'bad'")
            let outcome = try damaged.repair(RepairRequest(tables: [table], keys: [key]))
            #expect(outcome.record?.words == "\(table) (1 changed)")
            let good = "SELECT v FROM c WHERE v <> 'bad' UNION ALL SELECT v FROM s WHERE v <> 'bad'"
            #expect(try TestServer.rows(good, in: damaged.conninfo) == [value])
        }
    }

    /// As the screens name the row that is selected.
    @Test(arguments: [
        (["5"], "5"), (["p, q", "r"], "[\"p, q\",\"r\"]"), (["[\"a\"]"], "[\"[\\\"a\\\"]\"]"),
        (["a/b"], "a/b"),
        (["a/b", "c"], "[\"a/b\",\"c\"]"),
    ])
    func aRowIsNamedSoThatNoOtherIsMeant(_ keys: [String], _ name: String) {
        let row = RowDifference(
            kind: .changed, key: keys.joined(separator: ", "), columns: [],
            place: .init(rowid: nil, keys: keys, ctid: nil))
        #expect(row.name == name)
        #expect(RowName(name).means(row))
        #expect(!RowName(name).isUnclear(keys))
    }

    // MARK: What is removed

    @Test func nothingIsRemovedByASnapshotThatIsOlderThanTheSource() throws {
        try Damaged.with(Self.people) { damaged in
            let repair = try damaged.repairer()
            try makeDatabase(damaged.source, "INSERT INTO person VALUES (3, 'Eve')")
            try damaged.damage(
                "INSERT INTO person VALUES (3, 'Eve'); UPDATE person SET name = 'B' WHERE id = 2")
            let error = #expect(throws: MigrationError.self) {
                try repair.preview(RepairRequest(removesExtra: true))
            }
            #expect(error?.exit == .undecided)
            #expect(error?.remedy.contains("cutover") ?? false)
            // Without it the others are repaired.
            #expect(try repair.run(repair.preview(RepairRequest())).record?.words == "person (1 changed)")
            #expect(try TestServer.value("SELECT count(*) FROM person", in: damaged.conninfo) == "3")
        }
    }

    @Test(arguments: ["UPDATE log SET what = 'y' WHERE what = 'x'", "INSERT INTO log VALUES ('b', 'new')"])
    func aTableWithoutAKeyIsLoadedAgainAfterSayingSo(_ damage: String) throws {
        let schema =
            "CREATE TABLE log (at TEXT, what TEXT); INSERT INTO log VALUES ('a', 'x'), ('b', 'z'), (NULL, NULL)"
        try Damaged.with(schema) { damaged in
            try damaged.damage(damage)
            let before = try damaged.content()
            let error = #expect(throws: MigrationError.self) {
                try damaged.repair(RepairRequest(tables: ["log"]))
            }
            let words = error?.message ?? ""
            #expect(words.contains("--extra"))
            #expect(words.contains("loaded again as a whole (SQLite declares no primary key)"))
            #expect(words.contains("rows go, 3 come"))
            #expect(try damaged.content() == before)
            let all = try damaged.repair(RepairRequest(tables: ["log"], removesExtra: true))
            #expect(all.report.outcome == .proven)
        }
    }

    /// Prisma's tables between two others have a unique index alone in SQLite.
    @Test func aTableWhoseKeyOnlyTheTargetDeclaresSaysWhyItIsLoadedAsAWhole() throws {
        let schema = """
            CREATE TABLE "_Starred" ("A" TEXT NOT NULL, "B" TEXT NOT NULL); CREATE UNIQUE INDEX ab ON "_Starred" ("A", "B");
            INSERT INTO "_Starred" VALUES ('a', 'b'), ('c', 'd')
            """
        try Damaged.with(schema) { damaged in
            try damaged.damage("DELETE FROM \"_Starred\" WHERE \"A\" = 'a'")
            let preview = try damaged.repairer().preview(RepairRequest())
            #expect(
                preview.tables.first?.wholeWords
                    == "loaded again as a whole (SQLite declares no primary key): 1 row goes, 2 come")
            #expect(try damaged.repair().report.outcome == .proven)
        }
    }

    // MARK: The way back

    @Test func thePreviewOfAnUndoRefusesWhatTheUndoRefuses() throws {
        try Damaged.with(Self.people) { damaged in
            try damaged.damage("UPDATE person SET name = 'B' WHERE id = 2")
            let record = try #require(try damaged.repair().record)
            let repair = try damaged.repairer()
            try repair.checkUndo(record)
            #expect(
                try TestServer.value("SELECT name FROM person WHERE id = 2", in: damaged.conninfo) == "Bob")
            try damaged.damage("UPDATE person SET name = 'theirs' WHERE id = 2")
            let error = #expect(throws: MigrationError.self) { try repair.checkUndo(record) }
            #expect(error?.code == .targetNotEmpty)
        }
    }
}
