import MigrationEngine
import Postgres
import SQLite
import TestSupport
import Testing

/// CHECKs, generated columns, indexes, views and triggers, from a real SQLite into a real PostgreSQL.
@Suite struct ExpressionMigrationTests {
    @Test func aCheckHoldsInTheTarget() throws {
        let script = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER CHECK (n >= 0), a TEXT, b TEXT,
                CONSTRAINT named CHECK (length(a) < 5 OR b IS NULL));
            INSERT INTO t VALUES (1, 0, 'abc', 'x'), (2, NULL, 'abcdefg', NULL)
            """
        try TestMigration().migrated(script) { report, conninfo, _ in
            #expect(report.outcome == .proven)
            let checks = try TestServer.rows(
                "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c' AND conrelid = 't'::regclass ORDER BY 1",
                in: conninfo)
            #expect(
                checks == [
                    "named|CHECK (((char_length(a) < 5) OR (b IS NULL)))", "t_n_check|CHECK ((n >= 0))",
                ])
            #expect(throws: PostgresError.self) {
                try TestServer.execute("INSERT INTO t VALUES (3, -1, '', '')", in: conninfo)
            }
        }
    }

    @Test(arguments: [("not-valid", 2, 0), ("quarantine", 1, 1), ("leave-out", 2, 0)])
    func rowsThatBreakACheckAreDecided(_ word: String, _ loaded: Int, _ quarantined: Int) throws {
        let script = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER CHECK (n >= 0));
            PRAGMA ignore_check_constraints = ON; INSERT INTO t VALUES (1, 1), (2, -1)
            """
        try TestMigration().migrated(script) { report, _, _ in
            #expect(report.outcome == .undecided)
            let finding = try #require(report.findings.first { $0.id == .checkBroken })
            #expect(finding.key == "check-broken:t.t_n_check")
            #expect(finding.sampleRowids == [2])
        }
        try TestMigration(decide: ["check-broken=\(word)"]).migrated(script) { report, conninfo, _ in
            #expect(report.outcome == (quarantined > 0 ? .quarantined : .proven))
            #expect(report.tables.map(\.loadedRows) == [loaded])
            #expect(report.tables.map(\.quarantinedRows) == [quarantined])
            let valid = try TestServer.rows(
                "SELECT convalidated FROM pg_constraint WHERE contype = 'c' AND conrelid = 't'::regclass",
                in: conninfo)
            #expect(valid == (word == "leave-out" ? [] : [word == "quarantine" ? "t" : "f"]))
            let states: [String: ObjectState.State] = ["leave-out": .leftOut, "quarantine": .carried]
            #expect(
                report.objects.filter { $0.kind == .check }.map(\.state) == [states[word] ?? .changed])
        }
    }

    @Test func aGeneratedColumnIsComputedAndItsValuesAreProven() throws {
        let script = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, s INTEGER AS (a + b), l TEXT GENERATED ALWAYS AS (lower('X' || a)) STORED);
            INSERT INTO t (id, a, b) VALUES (1, 2, 3), (2, NULL, 1)
            """
        try TestMigration().migrated(script) { report, conninfo, _ in
            #expect(report.outcome == .proven)
            #expect(
                report.objects.filter { $0.kind == .generatedColumn }.map(\.state) == [.carried, .carried])
            try TestServer.execute("INSERT INTO t (id, a, b) VALUES (9, 40, 2)", in: conninfo)
            let rows = try TestServer.rows("SELECT s, l FROM t ORDER BY id", in: conninfo)
            #expect(rows == ["5|x2", "NULL|NULL", "42|x40"])
        }
    }

    @Test func aGeneratedColumnWithoutAnEqualIsPlainDataOnTheOperatorsWord() throws {
        let script = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, d REAL, s TEXT AS (d || ''), u TEXT AS (s || '!'));
            INSERT INTO t (id, d) VALUES (1, 2.5)
            """
        try TestMigration(decide: ["not-carried=leave-out"]).migrated(script) { report, conninfo, _ in
            #expect(report.outcome == .proven)
            let reasons = report.objects.filter { $0.kind == .generatedColumn }.compactMap(\.reason)
            #expect(reasons.count == 2)
            #expect(reasons[0].contains("SQLite writes numbers in its own way: d"))
            #expect(reasons[1].contains("it reads s, which is generated too"))
            let rows = try TestServer.rows("SELECT s, u FROM t", in: conninfo)
            #expect(rows == ["2.5|2.5!"])
        }
    }

    @Test func everyKindOfIndexIsCarried() throws {
        let script = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT COLLATE NOCASE, c INTEGER, UNIQUE (b));
            CREATE INDEX i_expression ON t (lower(a), c DESC);
            CREATE UNIQUE INDEX i_partial ON t (c) WHERE a IS NOT NULL AND c > 0;
            CREATE UNIQUE INDEX i_folded ON t (a COLLATE NOCASE);
            CREATE INDEX i_trimmed ON t (a COLLATE RTRIM DESC);
            INSERT INTO t VALUES (1, 'x', 'Y', 1), (2, NULL, 'Z', 1)
            """
        try TestMigration(decide: ["recommended"]).migrated(script) { report, conninfo, _ in
            #expect(report.outcome == .proven)
            let indexes = try TestServer.rows(
                "SELECT indexdef FROM pg_indexes WHERE tablename = 't' ORDER BY indexname", in: conninfo)
            #expect(
                indexes == [
                    "CREATE INDEX i_expression ON public.t USING btree (lower((a COLLATE \"C\")), c DESC)",
                    "CREATE UNIQUE INDEX i_folded ON public.t USING btree (lower((a COLLATE \"C\")))",
                    "CREATE UNIQUE INDEX i_partial ON public.t USING btree (c) WHERE ((a IS NOT NULL) AND (c > 0))",
                    "CREATE INDEX i_trimmed ON public.t USING btree (rtrim(a, ' '::text) DESC)",
                    "CREATE UNIQUE INDEX t_b_folded ON public.t USING btree (lower((b COLLATE \"C\")))",
                    "CREATE UNIQUE INDEX t_b_key ON public.t USING btree (b)",
                    "CREATE UNIQUE INDEX t_pkey ON public.t USING btree (id)",
                ])
        }
    }

    struct Default: CustomTestStringConvertible, Sendable {
        /// A column's type and its default.
        let declaration: String
        /// Of the column `c`, to SQLite.
        let question: String
        let answer: String
        /// The question in PostgreSQL's words, where they are others.
        let other: String
        /// What the column holds before.
        let value: String

        init(
            _ declaration: String, _ question: String, _ answer: String, other: String? = nil,
            value: String = "NULL"
        ) {
            self.declaration = declaration
            self.question = question
            self.answer = answer
            self.other = other ?? question
            self.value = value
        }

        var testDescription: String { declaration }
    }

    @Test(arguments: [
        // Constants, by SQLite itself.
        Default("TEXT DEFAULT (lower('ABC') || 1)", "c", "abc1"),
        Default("INTEGER DEFAULT (2 * 21)", "c", "42"),
        Default("INTEGER DEFAULT ('4' || '2')", "c", "42"),
        Default("TEXT DEFAULT (4 || 2)", "c || '!'", "42!"),
        Default("REAL DEFAULT (1 / 3.0)", "CASE WHEN c = 1 / 3.0 THEN 'same' END", "same"),
        Default("TEXT DEFAULT (json_array(1, 'x'))", "c", "[1,\"x\"]"),
        Default("TEXT DEFAULT (printf('%03d', 7))", "c", "007"),
        Default("TEXT DEFAULT ('a' || char(10) || '''')", "length(c)", "3"),
        Default("BLOB DEFAULT (zeroblob(3))", "hex(c)", "000000", other: "encode(c, 'hex')"),
        Default("INTEGER DEFAULT (nullif(1, 1))", "coalesce(c, 7)", "7"),
        // The present.
        Default("TEXT DEFAULT (strftime('%Y', 'now'))", "length(c)", "4"),
        Default("INTEGER DEFAULT (strftime('%s', 'now'))", "c / 1000000000", "1"),
        Default("INT DEFAULT (unixepoch())", "c / 1000000000", "1"),
        Default("INT DEFAULT (CAST(strftime('%s', 'now') AS INT) * 1000)", "c / 1000000000000", "1"),
        Default(
            "INTEGER DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER))",
            "c / 1000000000000", "1"),
        Default("REAL DEFAULT (julianday('now'))", "CASE WHEN c > 2461000 THEN 'late' END", "late"),
        Default(
            "TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
            "length(c) || substr(c, 11, 1) || substr(c, 24)", "24TZ"),
        Default("TEXT DEFAULT (time('now', '+1 day'))", "length(c)", "8"),
        Default(
            "DATETIME DEFAULT (strftime('%s', 'now'))", "c / 1000000000", "1",
            other: "floor(extract(epoch FROM c) / 1000000000)", value: "1700000000"),
        // Chance.
        Default(
            "TEXT DEFAULT (lower(hex(randomblob(16))))",
            "length(c) || '|' || length(trim(c, '0123456789abcdef'))", "32|0"),
        Default("BLOB DEFAULT (randomblob(16))", "length(c)", "16"),
        Default("INT DEFAULT (abs(random()) % 5)", "CASE WHEN c >= 0 AND c < 5 THEN 'in' END", "in"),
        Default(
            """
            TEXT DEFAULT (lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' ||
            substr(lower(hex(randomblob(2))), 2) || '-' || substr('89ab', abs(random()) % 4 + 1, 1) ||
            substr(lower(hex(randomblob(2))), 2) || '-' || lower(hex(randomblob(6))))
            """,
            "length(c) || substr(c, 9, 1) || substr(c, 14, 2) || length(trim(substr(c, 20, 1), '89ab'))",
            "36--40"),
    ])
    func aDefaultGivesWhatItGivesInSQLite(_ test: Default) throws {
        let script = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, c \(test.declaration)); INSERT INTO t VALUES (1, \(test.value))
            """
        try TestMigration().migrated(script) { report, conninfo, folder in
            #expect(report.outcome == .proven, "\(report.findings.map(\.message))")
            try TestServer.execute("INSERT INTO t (id) VALUES (2)", in: conninfo)
            let found = try TestServer.value("SELECT \(test.other) FROM t WHERE id = 2", in: conninfo)
            #expect(found == test.answer)
            let source = try SQLite.Connection(path: "\(folder)/source.db", mode: .readWrite)
            try source.execute("INSERT INTO t (id) VALUES (2)")
            let statement = try source.prepare("SELECT \(test.question) FROM t WHERE id = 2")
            _ = try statement.step()
            let original = statement.text(0)
            #expect(original == test.answer)
        }
    }

    @Test(arguments: [
        ("TEXT DEFAULT (datetime('now', 'localtime'))", "the modifier 'localtime'"),
        ("TEXT DEFAULT (julianday('now'))", "SQLite writes numbers in its own way"),
        ("DEFAULT (strftime('%s', 'now'))", "the value has another type than c"),
    ])
    func aDefaultWithoutAnEqualAsksWithItsReason(_ declaration: String, _ reason: String) throws {
        let script = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, c \(declaration)); INSERT INTO t VALUES (1, NULL);
            INSERT INTO t VALUES (2, 1)
            """
        try TestMigration().migrated(script) { report, _, _ in
            let messages = report.findings.filter { $0.id == .notCarried }.map(\.message)
            #expect(messages.count == 1 && messages[0].contains(reason), "\(messages)")
        }
    }

    @Test func viewsOnViewsAreMadeInOrderAndTheirRowsAreProven() throws {
        let script = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, n INTEGER, at DATETIME, ok BOOLEAN);
            CREATE VIEW "Outer" AS SELECT name, m FROM "inner" WHERE m > 1;
            CREATE VIEW "inner" AS SELECT a AS name, count(*) AS m, max(at) AS latest FROM t GROUP BY a;
            CREATE VIEW flags AS SELECT id, ok, NOT ok AS other, at FROM t;
            CREATE VIEW means AS SELECT a, avg(n * 0.1) AS mean FROM t GROUP BY a;
            INSERT INTO t VALUES (1, 'x', 1, '2024-05-06 07:08:09', 1), (2, 'x', 2, '2024-05-06 07:08:10', 0), (3, NULL, 3, NULL, NULL)
            """
        try TestMigration().migrated(script) { report, conninfo, folder in
            #expect(report.outcome == .proven)
            #expect(report.views.map(\.name) == ["inner", "flags", "means", "Outer"])
            #expect(report.views.map(\.verdict) == ["equal", "equal", "equal", "equal"])
            #expect(report.views.map(\.sourceRows) == [2, 3, 2, 1])
            let rows = try TestServer.rows("SELECT * FROM \"Outer\"", in: conninfo)
            #expect(rows == ["x|2"])
            // A view that shows other rows is found, also when its tables are as they were.
            try TestServer.execute(
                "CREATE OR REPLACE VIEW flags AS SELECT id, ok, ok::int AS other, at FROM t", in: conninfo)
            let again = try TestMigration().validate(
                "\(folder)/source.db", state: "\(folder)/state", against: conninfo)
            #expect(again.outcome == .differs)
            #expect(again.views.filter { $0.verdict == "differs" }.map(\.name) == ["flags"])
            #expect(again.tables.allSatisfy { $0.verdict == "equal" })
        }
    }

    @Test func aViewWithoutAnEqualAsksWithItsReason() throws {
        let script = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT);
            CREATE VIEW v AS SELECT group_concat(a) AS names FROM t; CREATE VIEW broken AS SELECT gone FROM t;
            CREATE VIEW w AS SELECT names FROM v
            """
        try TestMigration().migrated(script) { report, _, _ in
            #expect(report.outcome == .undecided)
            #expect(
                report.findings.map(\.message) == [
                    "not carried: group_concat joins texts in an order that SQLite does not promise: group_concat(a)",
                    "not carried: SQLite itself cannot read it: no such column: gone",
                    "not carried: the table v is not in the target",
                ])
        }
    }

    @Test func aTriggerWorksAfterTheLoadAndDidNotRunForTheRowsOfTheLoad() throws {
        let script = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, seen DATETIME); CREATE TABLE log (what TEXT, id INTEGER);
            INSERT INTO t VALUES (1, 5, '2024-05-06 07:08:09');
            CREATE TRIGGER after_insert AFTER INSERT ON t WHEN NEW.n > 1 BEGIN INSERT INTO log VALUES ('new', NEW.id); END;
            CREATE TRIGGER touch AFTER UPDATE OF n ON t BEGIN UPDATE t SET seen = datetime('now') WHERE id = NEW.id; END;
            CREATE TRIGGER guard BEFORE DELETE ON t BEGIN SELECT RAISE(ABORT, 'kept') WHERE OLD.n = 5; END
            """
        try TestMigration().migrated(script) { report, conninfo, _ in
            #expect(report.outcome == .proven)
            #expect(
                report.objects.filter { $0.kind == .trigger }.map(\.state) == [.carried, .carried, .carried])
            let before = try TestServer.value("SELECT count(*) FROM log", in: conninfo)
            #expect(before == "0")
            try TestServer.execute(
                "INSERT INTO t (id, n) VALUES (2, 1), (3, 2); UPDATE t SET n = 7 WHERE id = 2", in: conninfo)
            let log = try TestServer.rows("SELECT * FROM log", in: conninfo)
            #expect(log == ["new|3"])
            let touched = try TestServer.rows("SELECT seen IS NOT NULL FROM t WHERE id = 2", in: conninfo)
            #expect(touched == ["t"])
            #expect(throws: PostgresError.self) {
                try TestServer.execute("DELETE FROM t WHERE id = 1", in: conninfo)
            }
        }
    }

    /// PostgreSQL wants every selected column grouped or summed up, and SQLite takes any row's.
    private static let refused = """
        CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, n INTEGER); INSERT INTO t VALUES (1, 'x', 1);
        CREATE VIEW v AS SELECT a, n FROM t GROUP BY a; CREATE VIEW w AS SELECT n FROM v; CREATE VIEW fine AS SELECT a FROM t
        """

    @Test func whatTheServerRefusesIsAFindingWithItsWordsBeforeAnyRowMoves() throws {
        try TestMigration().migrated(Self.refused) { report, conninfo, _ in
            #expect(report.outcome == .undecided)
            let finding = try #require(report.findings.first { $0.id == .refusedByServer })
            #expect(finding.key == "refused-by-server:v")
            #expect(finding.message.contains("must appear in the GROUP BY clause"))
            #expect(finding.message.contains("CREATE VIEW v AS SELECT a, n FROM t GROUP BY a"))
            let tables = try TestServer.value(
                "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", in: conninfo)
            #expect(tables == "0")
        }
        try TestMigration(decide: ["refused-by-server=leave-out"]).migrated(Self.refused) {
            report, conninfo, _ in
            #expect(report.outcome == .proven)
            let views = try TestServer.rows(
                "SELECT viewname FROM pg_views WHERE schemaname = 'public'", in: conninfo)
            #expect(views == ["fine"])
            #expect(
                report.objects.filter { $0.kind == .view && $0.state == .leftOut }.map(\.name) == ["v", "w"])
        }
    }

    @Test func anotherTypeOfAColumnIsFollowedByWhatReadsIt() throws {
        let script = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER CHECK (n > 1)); CREATE VIEW v AS SELECT id, n = 7 AS seven FROM t;
            INSERT INTO t VALUES (1, 7), (2, 'seven')
            """
        try TestMigration(decide: ["value-does-not-fit=text", "not-carried=leave-out"]).migrated(script) {
            report, _, _ in
            #expect(report.outcome == .proven)
            #expect(report.objects.filter { $0.state == .leftOut }.map(\.name) == ["t.CHECK (n > 1)", "v"])
        }
    }

    @Test func whatTheRunMadeGoesWithIt() throws {
        let script = """
            CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE VIEW v AS SELECT id FROM t;
            CREATE TRIGGER tr AFTER INSERT ON t BEGIN UPDATE t SET id = id; END
            """
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/source.db", script)
            try TestServer.withDatabase { conninfo in
                let preparation = try TestMigration().prepare("\(folder)/source.db", state: "\(folder)/state")
                let migration = Migration(
                    preparation: preparation, server: TargetServer(conninfo, cancellation: Cancellation()),
                    workers: 2,
                    isRehearsal: true, cancellation: Cancellation(), progress: RunProgress())
                let findings = try migration.makeSchema()
                #expect(findings.isEmpty)
                try migration.loadRows()
                _ = try migration.makeConstraints()
                _ = try migration.makeConstraints()
                let report = try migration.prove()
                #expect(report.outcome == .proven)
                let count =
                    "SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace), (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace)"
                try migration.undoConstraints()
                let left = try TestServer.rows(count, in: conninfo)
                #expect(left == ["2|0"])
                _ = try migration.makeConstraints()
                try migration.undoSchema()
                let gone = try TestServer.rows(count, in: conninfo)
                #expect(gone == ["0|0"])
            }
        }
    }
}
