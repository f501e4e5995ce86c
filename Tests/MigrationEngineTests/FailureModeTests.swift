import MigrationEngine
import TestSupport
import Testing

/// What goes wrong with other tools when SQLite moves to PostgreSQL, one case for each: carried exactly, decided, or refused
/// with its reason before any row moves.
@Suite struct FailureModeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let what: String
        let script: String
        var decide: [String] = []
        var style: Style?
        /// What the plan says before anything is decided: identifiers of the findings that stop the run.
        var asks: [String] = []
        var outcome = MigrationReport.Outcome.proven
        let query: String
        let rows: [String]

        var testDescription: String { what }
    }

    private static let values: [Case] = [
        Case(
            what: "1: text and real inside an INTEGER column",
            script:
                "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER); INSERT INTO t VALUES (1, 5), (2, 'x'), (3, 1.5)",
            decide: ["recommended"], asks: ["value-does-not-fit"], query: "SELECT a FROM t ORDER BY id",
            rows: ["5", "x", "1.5"]),
        Case(
            what: "2: a varchar longer than declared, a numeric with more digits",
            script:
                "CREATE TABLE t (a VARCHAR(3), b CHAR(2), c NUMERIC(4,1)); INSERT INTO t VALUES ('abcdef', 'x', 12.345)",
            query: "SELECT a, b, octet_length(b), c FROM t", rows: ["abcdef|x|1|12.345"]),
        Case(
            what: "3: integers beyond 32 bits, and beyond 64 as a double",
            script:
                "CREATE TABLE t (a INT, b INTEGER); INSERT INTO t VALUES (9007199254740993, 18446744073709551616)",
            decide: ["recommended"], asks: ["value-does-not-fit"], query: "SELECT a, b::numeric FROM t",
            rows: ["9007199254740993|18446744073709600000"]),
        Case(
            what: "5: booleans as 0 and 1, t and f, true and false",
            script:
                "CREATE TABLE t (id INTEGER PRIMARY KEY, a BOOLEAN); INSERT INTO t VALUES (1, 0), (2, 1), (3, 't'), (4, 'FALSE')",
            query: "SELECT a FROM t ORDER BY id", rows: ["f", "t", "t", "f"]),
        Case(
            what: "6: a double keeps its digits",
            script: "CREATE TABLE t (a FLOAT); INSERT INTO t VALUES (0.1), (1.7976931348623157e308)",
            query: "SELECT a FROM t ORDER BY a", rows: ["0.1", "1.7976931348623157e+308"]),
        Case(
            what: "7: names of types that PostgreSQL does not know",
            script:
                "CREATE TABLE t (a LONGTEXT, b \"unsigned big int\", c \"byte[]\", d, e \"weird (1,2) )\"); INSERT INTO t VALUES ('x', 1, x'00', NULL, 3)",
            query: "SELECT a, b, c, d, e FROM t", rows: ["x|1|\\x00|NULL|3"]),
        Case(
            what: "8: seconds since 1970 in a DATETIME column",
            script: "CREATE TABLE t (a DATETIME); INSERT INTO t VALUES (1700000000)",
            query: "SELECT a FROM t", rows: ["2023-11-14 22:13:20"]),
        Case(
            what: "8: dates of several forms in one column",
            script:
                "CREATE TABLE t (id INTEGER PRIMARY KEY, a DATETIME); INSERT INTO t VALUES (1, 1700000000123), (2, '2024-05-06 07:08:09')",
            style: .prisma, query: "SELECT a FROM t ORDER BY id",
            rows: ["2023-11-14 22:13:20.123", "2024-05-06 07:08:09"]),
        Case(
            what: "9: zero dates and empty dates",
            script:
                "CREATE TABLE t (id INTEGER PRIMARY KEY, a DATETIME); INSERT INTO t VALUES (1, '0000-00-00 00:00:00'), (2, ''), (3, '2024-05-06 07:08:09')",
            decide: ["value-does-not-fit=set-null"], asks: ["value-does-not-fit"],
            query: "SELECT a FROM t ORDER BY id",
            rows: ["NULL", "NULL", "2024-05-06 07:08:09"]),
        Case(
            what: "10: a BLOB in a TEXT column",
            script:
                "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, x'00ff'), (2, 'YQ==')",
            decide: ["recommended"], asks: ["value-does-not-fit"], query: "SELECT a FROM t ORDER BY id",
            rows: ["\\x00ff", "\\x59513d3d"]),
        Case(
            what: "11: a NUL inside a text",
            script:
                "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 'a' || char(0) || 'b'), (2, 'c')",
            decide: ["value-does-not-fit=escape"], asks: ["value-does-not-fit"],
            query: "SELECT a FROM t ORDER BY id",
            rows: ["a\\x00b", "c"]),
        Case(
            what: "11: a NUL inside JSON",
            script:
                "CREATE TABLE t (id INTEGER PRIMARY KEY, a JSONB); INSERT INTO t VALUES (1, '\"\\u0000\"'), (2, '[1]')",
            decide: ["recommended"], style: .prisma, asks: ["value-does-not-fit"],
            query: "SELECT a FROM t ORDER BY id",
            rows: ["\"\\u0000\"", "[1]"]),
        Case(
            what: "12: text that is no UTF-8 goes whole into quarantine",
            script:
                "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, CAST(x'ff41' AS TEXT)), (2, 'b')",
            decide: ["recommended"], asks: ["value-does-not-fit"], outcome: .quarantined,
            query: "SELECT (SELECT string_agg(a, ',') FROM t), source_rowid, row FROM howdah.quarantine",
            rows: ["b|1|\\x01000200026964010000000800000000000000010001610300000002ff41"]),
        Case(
            what: "12: a database in UTF-16",
            script: "PRAGMA encoding = 'UTF-16be'; CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('größe 👩‍👩‍👧')",
            query: "SELECT a FROM t", rows: ["größe 👩‍👩‍👧"]),
        Case(
            what:
                "13: infinity, zero with a sign (which SQLite does not keep), the shortest digits of a decimal",
            script:
                "CREATE TABLE t (a REAL, b DECIMAL(10,2)); INSERT INTO t VALUES (9e999, 0.1), (-0.0, 1.23)",
            query: "SELECT a, b FROM t ORDER BY b", rows: ["Infinity|0.10", "0|1.23"]),
        Case(
            what: "14: NULL in a primary key",
            script: "CREATE TABLE t (a TEXT PRIMARY KEY, b); INSERT INTO t VALUES (NULL, 1), ('x', 2)",
            decide: ["recommended"],
            asks: ["null-in-key"], outcome: .quarantined, query: "SELECT a, b FROM t", rows: ["x|2"]),
        Case(
            what: "16: JSON with a key twice",
            script:
                "CREATE TABLE t (id INTEGER PRIMARY KEY, a JSONB); INSERT INTO t VALUES (1, '{\"b\": 1, \"b\": 2}')",
            decide: ["recommended"], style: .prisma, asks: ["value-does-not-fit"], query: "SELECT a FROM t",
            rows: ["{\"b\": 1, \"b\": 2}"]),
    ]

    private static let keys: [Case] = [
        Case(
            what: "16a: a text and its bytes under one key",
            script:
                "CREATE TABLE t (a BLOB PRIMARY KEY, b) WITHOUT ROWID; INSERT INTO t VALUES ('a', 1), (x'61', 2), (x'62', 3)",
            decide: ["recommended"], asks: ["keys-merge"], outcome: .quarantined,
            query: "SELECT (SELECT string_agg(b::text, ',') FROM t), key ->> 'a' FROM howdah.quarantine",
            rows: ["1,3|\\x61"]),
        Case(
            what: "16a: two spellings of an instant under a unique key, both kept",
            script:
                "CREATE TABLE t (id INTEGER PRIMARY KEY, a DATETIME UNIQUE); INSERT INTO t VALUES (1, '2024-05-06 07:08:09'), (2, '2024-05-06T07:08:09'), (3, '2024-05-06')",
            decide: ["keys-merge=leave-out"], asks: ["keys-merge"], query: "SELECT id, a FROM t ORDER BY id",
            rows: ["1|2024-05-06 07:08:09", "2|2024-05-06 07:08:09", "3|2024-05-06 00:00:00"]),
        Case(
            what: "16a: the later spelling in quarantine",
            script:
                "CREATE TABLE t (id INTEGER PRIMARY KEY, a DATETIME UNIQUE); INSERT INTO t VALUES (1, '2024-05-06 07:08:09'), (2, '2024-05-06T07:08:09')",
            decide: ["recommended"], asks: ["keys-merge"], outcome: .quarantined,
            query: "SELECT t.id, q.source_rowid, q.reason FROM t, howdah.quarantine AS q",
            rows: ["1|2|keys-merge:t.t_a_key"]),
    ]

    private static let schema: [Case] = [
        Case(
            what: "17: the first INSERT after the load",
            script:
                "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a); INSERT INTO t VALUES (41, 'x'); DELETE FROM t; INSERT INTO t VALUES (7, 'y')",
            query: "INSERT INTO t (a) VALUES ('z') RETURNING id", rows: ["42"]),
        Case(
            what: "18: orphan rows, the key left NOT VALID",
            script:
                "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p); INSERT INTO c VALUES (1, 9)",
            decide: ["recommended"], asks: ["orphan-rows"],
            query:
                "SELECT conname, convalidated, (SELECT count(*) FROM c) FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype = 'f'",
            rows: ["c_p_fkey|f|1"]),
        Case(
            what: "18: orphan rows in quarantine, with the rows that refer to them",
            script: """
                CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p);
                CREATE TABLE d (c INTEGER REFERENCES c); INSERT INTO c VALUES (1, 9); INSERT INTO d VALUES (1)
                """,
            decide: ["orphan-rows=quarantine"], asks: ["orphan-rows"], outcome: .quarantined,
            query: "SELECT source_table FROM howdah.quarantine ORDER BY 1", rows: ["c", "d"]),
        Case(
            what: "19: tables and rows that refer to each other",
            script: """
                CREATE TABLE a (id INTEGER PRIMARY KEY, b INTEGER REFERENCES b); CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER REFERENCES a, up INTEGER REFERENCES b);
                INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1, 1)
                """,
            query:
                "SELECT count(*) FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype = 'f' AND convalidated",
            rows: ["3"]),
        Case(
            what: "20: an implied parent column, a composite key, actions, DEFERRABLE",
            script: """
                CREATE TABLE p (a INT, b TEXT, PRIMARY KEY (a, b)); INSERT INTO p VALUES (1, 'x');
                CREATE TABLE c (a INT, b TEXT, FOREIGN KEY (a, b) REFERENCES p ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED); INSERT INTO c VALUES (1, 'x')
                """,
            query:
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype = 'f'",
            rows: ["FOREIGN KEY (a, b) REFERENCES p(a, b) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED"]),
        Case(
            what: "20: a parent that no key makes unique",
            script:
                "CREATE TABLE p (a INT); CREATE TABLE c (a INT REFERENCES p (a)); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1)",
            decide: ["recommended"], asks: ["foreign-key-parent-not-unique"], query: "SELECT a FROM c",
            rows: ["1"]),
        Case(
            what: "21: names in capitals, with quotes, reserved",
            script:
                "CREATE TABLE \"Select \"\"x\" (\"Order\" INTEGER PRIMARY KEY, \"größe\" TEXT); INSERT INTO \"Select \"\"x\" VALUES (1, 'a')",
            query: "SELECT \"Order\", \"größe\" FROM \"Select \"\"x\"", rows: ["1|a"]),
        Case(
            what: "22: a name longer than PostgreSQL keeps",
            script:
                "CREATE TABLE t (\(String(repeating: "a", count: 64)) INT, \(String(repeating: "a", count: 65)) INT); INSERT INTO t VALUES (1, 2)",
            decide: ["recommended"], asks: ["name-too-long", "name-too-long"],
            query:
                "SELECT string_agg(length(column_name)::text, ',') FROM information_schema.columns WHERE table_name = 't'",
            rows: ["63,63"]),
        Case(
            what: "22: an index that bears the name of a table",
            script:
                "CREATE TABLE t (a INT); CREATE TABLE u (a INT); CREATE INDEX t_pkey ON u (a); CREATE TABLE v (a TEXT PRIMARY KEY); CREATE INDEX v_pkey ON t (a)",
            query: "SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'", rows: ["3"]),
        Case(
            what: "23: a partial unique index stays partial",
            script:
                "CREATE TABLE t (a INT, b INT); CREATE UNIQUE INDEX i ON t (a) WHERE b IS NOT NULL; INSERT INTO t VALUES (1, NULL), (1, NULL), (1, 2)",
            query: "SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indexrelid = 'i'::regclass",
            rows: ["(b IS NOT NULL)"]),
        Case(
            what: "24: a generated column",
            script: "CREATE TABLE t (a INT, b INT AS (a * 2)); INSERT INTO t (a) VALUES (21)",
            query:
                "SELECT b, (SELECT is_generated FROM information_schema.columns WHERE column_name = 'b' AND table_name = 't') FROM t",
            rows: ["42|ALWAYS"]),
        Case(
            what: "25: NOCASE folds A to Z alone",
            script: "CREATE TABLE t (a TEXT COLLATE NOCASE UNIQUE); INSERT INTO t VALUES ('é'), ('É'), ('a')",
            decide: ["recommended"],
            asks: ["not-carried"],
            query: "SELECT indexdef FROM pg_indexes WHERE indexname LIKE '%folded'",
            rows: ["CREATE UNIQUE INDEX t_a_folded ON public.t USING btree (lower((a COLLATE \"C\")))"]),
        Case(
            what: "26: defaults of every kind",
            script:
                "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT DEFAULT 'null', b TEXT DEFAULT \"\", c INT DEFAULT (1 + 1), d TEXT DEFAULT (date('now')))",
            query: "INSERT INTO t DEFAULT VALUES RETURNING a, b, c, length(d)", rows: ["null||2|10"]),
        Case(
            what: "26: a default without an equal stops nothing but itself",
            script:
                "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT DEFAULT (julianday('now'))); CREATE TABLE u (id INTEGER PRIMARY KEY); INSERT INTO u VALUES (1)",
            decide: ["recommended"], asks: ["not-carried"], query: "SELECT count(*) FROM u", rows: ["1"]),
        Case(
            what: "27: a view and a trigger",
            script: """
                CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); CREATE VIEW v AS SELECT upper(a) AS u FROM t;
                CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET a = a || '!' WHERE id = NEW.id; END; DELETE FROM t
                """, query: "WITH n AS (INSERT INTO t VALUES (1, 'x') RETURNING id) SELECT count(*) FROM n",
            rows: ["1"]),
        Case(
            what: "28: a full-text table, and one whose module nobody has",
            script: "CREATE VIRTUAL TABLE f USING fts5(a); INSERT INTO f VALUES ('x'); CREATE TABLE t (a)",
            decide: ["recommended"],
            asks: ["not-carried"],
            query: "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
            rows: ["f", "t"]),
        Case(
            what: "29: WITHOUT ROWID, STRICT, no key",
            script: """
                CREATE TABLE a (k TEXT PRIMARY KEY, v) WITHOUT ROWID; CREATE TABLE b (n INT, s TEXT) STRICT; CREATE TABLE c (x);
                INSERT INTO a VALUES ('k', 1); INSERT INTO b VALUES (1, 'x'); INSERT INTO c VALUES (1), (1)
                """,
            query: "SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b), (SELECT count(*) FROM c)",
            rows: ["1|1|2"]),
        Case(
            what: "30: bookkeeping of SQLite's and of tools'",
            script:
                "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT); CREATE TABLE _litestream_seq (a); CREATE TABLE d1_migrations (a); INSERT INTO t VALUES (1); ANALYZE",
            query: "SELECT tablename FROM pg_tables WHERE schemaname = 'public'", rows: ["t"]),
    ]

    @Test(arguments: values + keys + schema)
    func eachIsCarriedOrDecided(_ item: Case) throws {
        var open = TestMigration()
        open.style = item.style
        try open.migrated(item.script) { report, conninfo, _ in
            let asked = report.findings.filter(\.blocking).map(\.id.rawValue)
            #expect(asked == item.asks)
            #expect(report.outcome == (item.asks.isEmpty ? item.outcome : .undecided))
            if !item.asks.isEmpty {
                let tables = try TestServer.value(
                    "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", in: conninfo)
                #expect(tables == "0", "nothing is made before it is decided")
            }
        }
        var decided = TestMigration(decide: item.decide)
        decided.style = item.style
        try decided.migrated(item.script) { report, conninfo, _ in
            #expect(report.outcome == item.outcome)
            // 31: what was read is loaded or in quarantine.
            for table in report.tables where table.verdict != "skipped" {
                #expect(table.sourceRows == table.loadedRows + table.quarantinedRows)
            }
            let rows = try TestServer.rows(item.query, in: conninfo)
            #expect(rows == item.rows)
        }
    }
}
