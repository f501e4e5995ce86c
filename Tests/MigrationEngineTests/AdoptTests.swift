import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

/// Tables that a framework has made in the target, held against the source.
@Suite struct AdoptTests {
    private static let source = """
        CREATE TABLE "Author" (id INTEGER PRIMARY KEY AUTOINCREMENT, "fullName" TEXT NOT NULL, born DATETIME);
        CREATE TABLE book (id INTEGER PRIMARY KEY, author INTEGER REFERENCES "Author", title TEXT);
        INSERT INTO "Author" VALUES (1, 'Ann', '1970-01-02 03:04:05'), (9, 'Bob', NULL);
        INSERT INTO book VALUES (1, 9, 'x'), (2, NULL, 'y')
        """
    private static let target = """
        CREATE TABLE author (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, full_name varchar(40) NOT NULL,
            born timestamptz, added timestamptz NOT NULL DEFAULT now(), note text);
        CREATE TABLE "Book" (id serial PRIMARY KEY, author bigint REFERENCES author DEFERRABLE INITIALLY DEFERRED,
            title varchar(10), upper_title text GENERATED ALWAYS AS (upper(title)) STORED);
        CREATE INDEX book_title ON "Book" (title)
        """

    @Test func rowsGoIntoTablesAndColumnsByTheirNearestNames() throws {
        try AdoptedTarget.with(source: Self.source, target: Self.target) { target in
            let before = try target.rows(Self.schema)
            let preparation = try target.prepare()
            #expect(preparation.plan.tables.map(\.target) == ["author", "Book"])
            #expect(preparation.plan.tables[0].columns.map(\.targetName) == ["id", "full_name", "born"])
            let report = try target.run()
            #expect(report.outcome == .proven, "\(report.findings.map(\.message)) \(report.tables)")
            #expect(report.exit == 0)
            let rows = try target.rows(
                "SELECT a.id, full_name, born AT TIME ZONE 'UTC', added IS NOT NULL, upper_title FROM author AS a "
                    + "LEFT JOIN \"Book\" AS b ON b.author = a.id ORDER BY a.id")
            #expect(rows == ["1|Ann|1970-01-02 03:04:05|t|NULL", "9|Bob|NULL|t|X"])
            let after = try target.rows(Self.schema)
            #expect(after == before, "howdah makes nothing on these tables")
            let numbers = try target.rows("INSERT INTO author (full_name) VALUES ('c') RETURNING id")
            #expect(numbers == ["10"])
            let serial = try target.rows("INSERT INTO \"Book\" (title) VALUES ('c') RETURNING id")
            #expect(serial == ["3"])
        }
    }

    /// What a table consists of, whoever made it.
    static let schema = """
        SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT conname, pg_get_constraintdef(oid) || coalesce(obj_description(oid, 'pg_constraint'), '')
            FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT tgname, tgenabled::text || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT attrelid::regclass::text, attname || format_type(atttypid, atttypmod) FROM pg_attribute
            WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace) AND attnum > 0
        ORDER BY 1, 2
        """

    @Test(
        arguments: [
            ("DROP TABLE \"Book\"", ["missing-in-target:book"], ["make-table", "skip-table"]),
            (
                "ALTER TABLE \"Book\" DROP COLUMN title CASCADE", ["missing-in-target:book.title"],
                ["leave-out", "skip-table"]
            ),
            ("ALTER TABLE author ADD needed int NOT NULL", ["extra-in-target:Author.needed"], ["skip-table"]),
            ("ALTER TABLE author ADD needed int NOT NULL DEFAULT 5", [], []),
            (
                "ALTER TABLE author ALTER full_name TYPE varchar(2)", ["value-does-not-fit:Author.fullName"],
                ["quarantine", "skip-table"]
            ),
            (
                "ALTER TABLE author ALTER born SET NOT NULL", ["null-in-not-null:Author.born"],
                ["quarantine", "skip-table"]
            ),
            (
                "INSERT INTO author (full_name) VALUES ('seed')", ["rows-in-target:Author"],
                ["keep", "replace", "skip-table"]
            ),
            (
                "DROP TABLE \"Book\"; CREATE VIEW book AS SELECT 1 AS id", ["missing-in-target:book"],
                ["skip-table"]
            ),
            ("CREATE TABLE \"AUTHOR\" (id int)", ["missing-in-target:Author"], ["make-table", "skip-table"]),
        ])
    func whatTheTargetLacksOrAsksForIsFoundBeforeAnyDataMoves(
        change: String, findings: [String], choices: [String]
    ) throws {
        try AdoptedTarget.with(source: Self.source, target: Self.target + ";" + change) { target in
            let report = try target.run()
            #expect(report.findings.filter(\.blocking).map(\.key) == findings)
            #expect(report.findings.first(where: \.blocking)?.choices.map(\.word) ?? [] == choices)
            #expect(report.exit == (findings.isEmpty ? 0 : 3))
            let ledger = try target.rows("SELECT to_regclass('howdah.run')")
            #expect(ledger == (findings.isEmpty ? ["howdah.run"] : ["NULL"]))
        }
    }

    @Test func whatIsDecidedAboutMissingPartsIsDone() throws {
        let change = ";DROP TABLE \"Book\"; ALTER TABLE author DROP COLUMN born"
        try AdoptedTarget.with(source: Self.source, target: Self.target + change) { target in
            let report = try target.run([
                "missing-in-target:book=make-table", "missing-in-target:Author.born=leave-out",
            ])
            #expect(report.outcome == .proven, "\(report.findings.map(\.message)) \(report.tables)")
            let keys = try target.rows(
                "SELECT conname, confrelid::regclass FROM pg_constraint WHERE contype = 'f' AND conname LIKE 'book%'"
            )
            #expect(keys == ["book_author_fkey|author"])
        }
    }

    @Test func aPlanNamesTablesAndColumnsThatGoByOtherNames() throws {
        let change = ";ALTER TABLE author RENAME TO people; ALTER TABLE people RENAME full_name TO called"
        try AdoptedTarget.with(source: Self.source, target: Self.target + change) { target in
            let text = try target.prepare().planText
            let edited = text.replacing("- name: Author\n", with: "- name: Author\n    target: people\n")
                .replacing("adopt: true #", with: "adopt: true\n#")
            try edited.write(toFile: "\(target.state)/p.yaml", atomically: true, encoding: .utf8)
            var migration = AdoptedTarget.migration(["missing-in-target=leave-out"])
            migration.planPath = "\(target.state)/p.yaml"
            let report = try migration.run(target.path, state: target.state, into: target.conninfo)
            #expect(report.findings.filter(\.blocking).map(\.key) == ["extra-in-target:Author.called"])
            try (edited.replacing("- name: fullName\n", with: "- name: fullName\n        target: called\n"))
                .write(toFile: "\(target.state)/p.yaml", atomically: true, encoding: .utf8)
            let second = try migration.run(target.path, state: target.state, into: target.conninfo)
            #expect(second.outcome == .proven, "\(second.findings.map(\.message))")
            let names = try target.rows("SELECT called FROM people ORDER BY id")
            #expect(names == ["Ann", "Bob"])
        }
    }

    @Test func enumsAndDomainsTakeWhatTheyAllow() throws {
        let source = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, mood TEXT, age INTEGER, seen TEXT);
            INSERT INTO t VALUES (1, 'sad', 5, '2024-01-01 00:00:00')
            """
        let target = """
            CREATE SCHEMA other; CREATE TYPE mood AS ENUM ('sad', 'it''s "ok"');
            CREATE DOMAIN age AS int CHECK (VALUE > 0); CREATE DOMAIN grown AS age CHECK (VALUE < 200);
            CREATE DOMAIN moment AS timestamptz NOT NULL;
            CREATE TABLE t (id int PRIMARY KEY, mood mood, age grown, seen moment)
            """
        try AdoptedTarget.with(source: source, target: target) { target in
            let report = try target.run()
            #expect(report.outcome == .proven, "\(report.findings.map(\.message)) \(report.tables)")
            try target.execute("UPDATE t SET mood = 'it''s \"ok\"'")
            #expect(try target.validate().exit == 4)
        }
        try AdoptedTarget.with(source: source + "; UPDATE t SET mood = 'glad'", target: target) { target in
            let findings = try target.run().findings.filter(\.blocking).map(\.key)
            #expect(findings == ["value-does-not-fit:t.mood"])
        }
        try AdoptedTarget.with(
            source: source + "; INSERT INTO t VALUES (2, 'sad', 300, '2024-01-01')", target: target
        ) { target in
            let open = try target.run()
            #expect(open.findings.filter(\.blocking).map(\.key) == ["value-does-not-fit:t.age"])
            #expect(open.findings.first(where: \.blocking)?.sampleRowids == [2])
            let decided = try target.run(["value-does-not-fit=quarantine"])
            #expect(decided.exit == 5, "\(decided.findings.map(\.message)) \(decided.tables)")
            let rows = try target.rows("SELECT id, age FROM t")
            #expect(rows == ["1|5"])
        }
    }

    @Test func valuesThatOnlyTheServerRefusesAreDecidedBeforeTheLoad() throws {
        let source = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, ip TEXT, tags TEXT);
            INSERT INTO t VALUES (1, '10.0.0.1', '["a"]'), (2, '10.0.0.1/32', '[["a"],[]]'), (3, 'nowhere', NULL), (4, x'00', '{')
            """
        let target = "CREATE TABLE t (id int PRIMARY KEY, ip inet, tags text[])"
        try AdoptedTarget.with(source: source, target: target) { target in
            let words = ["value-does-not-fit:t.ip=set-null", "value-does-not-fit:t.tags=quarantine"]
            let report = try target.run(words)
            #expect(report.exit == 5, "\(report.findings.map(\.message)) \(report.tables)")
            let rows = try target.rows("SELECT * FROM t ORDER BY id")
            #expect(rows == ["1|10.0.0.1|{a}", "3|NULL|NULL"])
        }
    }

    @Test func orphansOfTheTargetsForeignKeysAreFoundBeforeTheLoad() throws {
        let source = """
            CREATE TABLE p (id INTEGER PRIMARY KEY, x INT, y INT); CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER, x INT, y INT);
            INSERT INTO p VALUES (1, 1, 1); INSERT INTO c VALUES (1, 1, 1, 1), (2, 9, 1, 1), (3, NULL, 1, NULL), (4, 1, 2, 1)
            """
        let target = """
            CREATE TABLE p (id int PRIMARY KEY, x int, y int, UNIQUE (x, y));
            CREATE TABLE c (id int PRIMARY KEY, p int CONSTRAINT cp REFERENCES p, x int, y int,
                CONSTRAINT cxy FOREIGN KEY (x, y) REFERENCES p (x, y))
            """
        try AdoptedTarget.with(source: source, target: target) { target in
            let open = try target.run()
            #expect(open.findings.filter(\.blocking).map(\.key) == ["orphan-rows:c.p", "orphan-rows:c.x, y"])
            let decided = try target.run(["orphan-rows:c.p=set-null", "orphan-rows:c.x, y=quarantine"])
            #expect(decided.exit == 5, "\(decided.findings.map(\.message)) \(decided.tables)")
            let rows = try target.rows("SELECT id, p FROM c ORDER BY id")
            #expect(rows == ["1|1", "2|NULL", "3|NULL"])
        }
    }

    @Test func aFrameworksOwnTableOfMigrationsStays() throws {
        let source = """
            CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO django_migrations VALUES (1, 'old');
            CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)
            """
        let target = """
            CREATE TABLE django_migrations (id int PRIMARY KEY, name text); INSERT INTO django_migrations VALUES (1, 'new');
            CREATE TABLE t (id int PRIMARY KEY)
            """
        try AdoptedTarget.with(source: source, target: target) { target in
            #expect(try target.run().outcome == .proven)
            let rows = try target.rows("SELECT name FROM django_migrations")
            #expect(rows == ["new"])
        }
    }

    @Test func viewsAndTriggersThatTheTargetLacksAskForAWord() throws {
        let source = """
            CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE VIEW v AS SELECT 1 AS one; CREATE VIEW w AS SELECT 2 AS two
            """
        let target = "CREATE TABLE t (id int PRIMARY KEY); CREATE VIEW v AS SELECT 1 AS one"
        try AdoptedTarget.with(source: source, target: target) { target in
            let open = try target.run()
            #expect(open.findings.filter(\.blocking).map(\.object) == ["view w"])
            let decided = try target.run(["not-carried=leave-out"])
            #expect(decided.outcome == .proven)
        }
    }

    @Test func namesOfEverySpellingAreKept() throws {
        let name = "it's \"My\" Shop"
        let source =
            "CREATE TABLE \(quoteIdentifier(name)) (id INTEGER PRIMARY KEY, \(quoteIdentifier(name)) TEXT, moods TEXT);"
            + "INSERT INTO \(quoteIdentifier(name)) VALUES (1, 'a b', '[\"a b\",null]')"
        let schema = quoteIdentifier(name)
        let mood = schema + "." + quoteIdentifier("Mood \(name)")
        let target = """
            CREATE SCHEMA \(schema); CREATE TYPE \(mood) AS ENUM ('a b');
            CREATE TABLE \(schema).\(schema) (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \(schema) \(mood),
                moods \(mood)[]);
            INSERT INTO \(schema).\(schema) OVERRIDING SYSTEM VALUE VALUES (5, 'a b', NULL)
            """
        try AdoptedTarget.with(source: source, target: target) { target in
            var migration = AdoptedTarget.migration(["rows-in-target=replace"])
            migration.schema = name
            let report = try migration.run(target.path, state: target.state, into: target.conninfo)
            #expect(report.outcome == .proven, "\(report.findings.map(\.message)) \(report.tables)")
            let rows = try target.rows("SELECT * FROM \(schema).\(schema)")
            #expect(rows == ["1|a b|{\"a b\",NULL}"])
        }
    }

    @Test func aSequenceThatNobodyOwnsGoesOnToo() throws {
        let source = "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (41)"
        let target = "CREATE SEQUENCE numbers; CREATE TABLE t (id int PRIMARY KEY DEFAULT nextval('numbers'))"
        try AdoptedTarget.with(source: source, target: target) { target in
            #expect(try target.run().outcome == .proven)
            let next = try target.rows("INSERT INTO t DEFAULT VALUES RETURNING id")
            #expect(next == ["42"])
        }
    }

    @Test func aPlanForTablesThatAreThereAsksForTheTarget() throws {
        try AdoptedTarget.with(source: Self.source, target: Self.target) { target in
            let error = #expect(throws: MigrationError.self) {
                try AdoptedTarget.migration().prepare(target.path, state: target.state)
            }
            #expect(error?.exit == .usage)
        }
    }
}
