import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

/// A target that howdah has not loaded is compared all the same: by names, in any schema, with what is other there told.
@Suite struct ForeignTargetTests {
    // MARK: Names

    /// Tables and columns of the source and the target, and whether they are found.
    @Test(
        arguments: [
            ("User", "fullName", "\"User\"", "\"fullName\""),
            ("User", "fullName", "\"user\"", "fullname"),
            ("UserProfile", "createdAt", "user_profile", "created_at"),
            ("user_profile", "created_at", "\"UserProfile\"", "\"createdAt\""),
            ("HTTPLog", "userID", "http_log", "user_id"),
            ("a b", "c-d", "a_b", "c_d"),
        ])
    func namesOfAnotherSpellingAreFound(table: String, column: String, other: String, name: String) throws {
        try ForeignTarget.with(
            source: """
                CREATE TABLE "\(table)" (id INTEGER PRIMARY KEY, "\(column)" TEXT);
                INSERT INTO "\(table)" VALUES (1, 'x'), (2, NULL)
                """,
            target: """
                CREATE TABLE \(other) (id bigint PRIMARY KEY, \(name) text); INSERT INTO \(other) VALUES (1, 'x'), (2, NULL)
                """
        ) { target in
            let report = try target.validate()
            #expect(report.outcome == .proven, "\(report.tables)")
            #expect(report.table(table)?.loadedRows == 2)
            let told = other.filter { $0 != "\"" }
            #expect(report.notes(table) == (told == table ? [] : ["it is \(told) in the target"]))
            try target.execute("UPDATE \(other) SET \(name) = 'y' WHERE id = 2")
            let changed = try target.validate()
            #expect(
                changed.table(table)?.samples == [RowDifference(kind: .changed, key: "2", columns: [column])])
        }
    }

    /// A Prisma schema's @@map and @map, whichever of the two names each side has.
    @Test(arguments: [
        ("users", "created_at", "User", "createdAt"), ("User", "createdAt", "users", "created_at"),
    ])
    func namesThatCodeHasForThemAreFound(table: String, column: String, other: String, name: String) throws {
        try ForeignTarget.with(
            source:
                "CREATE TABLE \(table) (id INTEGER PRIMARY KEY, \(column) TEXT); INSERT INTO \(table) VALUES (1, 'x')",
            target:
                "CREATE TABLE \"\(other)\" (id int PRIMARY KEY, \"\(name)\" text); INSERT INTO \"\(other)\" VALUES (1, 'x')"
        ) { target in
            let unknown = try target.validate()
            #expect(unknown.verdicts == [table: "differs"])
            target.migration.hints = SchemaHints(
                style: .plain, source: "schema.prisma",
                codeNames: .init(tables: ["users": "User"], columns: ["users": ["created_at": "createdAt"]]))
            let known = try target.validate()
            #expect(known.outcome == .proven)
        }
    }

    @Test func whatTwoNamesCouldMeanIsToldAndNotGuessed() throws {
        try ForeignTarget.with(
            source: """
                CREATE TABLE aUser (id INTEGER PRIMARY KEY); CREATE TABLE t (id INTEGER PRIMARY KEY, aName TEXT, b TEXT);
                INSERT INTO t VALUES (1, 'x', 'y')
                """,
            target: """
                CREATE TABLE "AUser" (id int); CREATE TABLE "AUSER" (id int);
                CREATE TABLE t (id int PRIMARY KEY, "aname" text, "ANAME" text, b text); INSERT INTO t VALUES (1, 'x', 'x', 'y')
                """
        ) { target in
            let report = try target.validate()
            #expect(report.exit == 4)
            #expect(
                report.table("aUser")?.reason
                    == "which table of the target it is cannot be told (AUSER, AUser): say so with target: in the plan"
            )
            #expect(
                report.table("t")?.reason == "aName could be ANAME or aname: say so with target: in the plan")
            #expect(report.table("t")?.differences == 0)
        }
    }

    // MARK: Schemas

    @Test func theSchemaThatHoldsTheTablesIsFoundAndTold() throws {
        let script = "(id bigint PRIMARY KEY, s text)"
        try ForeignTarget.with(
            source:
                "CREATE TABLE a (id INTEGER PRIMARY KEY, s TEXT); CREATE TABLE b (id INTEGER PRIMARY KEY, s TEXT)",
            target: """
                CREATE SCHEMA chat; CREATE TABLE chat.a \(script); CREATE TABLE chat.b \(script); CREATE TABLE public.a \(script);
                CREATE SCHEMA api; CREATE VIEW api.a AS SELECT * FROM chat.a; CREATE VIEW api.b AS SELECT * FROM chat.b
                """
        ) { target in
            let found = try target.validate()
            #expect(found.outcome == .proven)
            #expect(
                found.notices == [
                    "compared with the schema chat, which holds 2 of the source's 2 tables; public holds 1"
                ])
            target.migration.targetSchema = "public"
            let other = try target.validate()
            #expect(other.verdicts == ["a": "equal", "b": "differs"])
            #expect(other.table("b")?.reason?.hasSuffix("; there is api.b, chat.b") == true)
            target.migration.targetSchema = "api"
            let views = try target.validate()
            #expect(views.outcome == .proven && views.notes("a") == ["it is a view in the target"])
            target.migration.targetSchema = nil
            try target.execute(
                "CREATE SCHEMA old; CREATE TABLE old.a \(script); CREATE TABLE old.b \(script); DROP TABLE public.a"
            )
            let error = #expect(throws: MigrationError.self) { try target.validate() }
            #expect(error?.message == "the schemas chat, old each hold 2 of the source's tables")
            #expect(error?.exit == .usage)
            // The usual schema goes before others that hold as many.
            try target.execute("CREATE TABLE public.a \(script); CREATE TABLE public.b \(script)")
            #expect(try target.validate().notices == [])
        }
    }

    @Test func aDatabaseWithoutAnyOfTheTablesIsToldToBeTheWrongOne() throws {
        try ForeignTarget.with(
            source: "CREATE TABLE a (id INTEGER PRIMARY KEY)", target: "CREATE TABLE other (id int)"
        ) { target in
            let report = try target.validate()
            #expect(report.exit == 4)
            #expect(
                report.notices == [
                    "no schema of the target (public) holds any table of the source's: is it the right database?",
                    "the target has 1 table that the source has not: other",
                ])
        }
    }

    // MARK: What one side lacks

    @Test func whatOneSideLacksIsNamedAndTheRestIsCompared() throws {
        try ForeignTarget.with(
            source: """
                CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT, c TEXT);
                INSERT INTO t VALUES (1, 'x', 'y', 'z'), (2, 'x', 'y', 'z');
                CREATE TABLE gone (id INTEGER PRIMARY KEY); INSERT INTO gone VALUES (1);
                CREATE VIEW v AS SELECT a FROM t
                """,
            target: """
                CREATE TABLE t (id bigint PRIMARY KEY, c text, "left" int, "same" text DEFAULT 'd', "any" int,
                    twice text GENERATED ALWAYS AS (c || c) STORED);
                INSERT INTO t (id, c, "any") VALUES (1, 'z', NULL), (2, 'changed', 5);
                CREATE TABLE theirs (id int); CREATE TABLE django_migrations (id int); CREATE VIEW shown AS SELECT 1
                """
        ) { target in
            let report = try target.validate()
            #expect(report.exit == 4)
            let table = try #require(report.table("t"))
            #expect(table.reason == "the target's table has no columns a, b")
            #expect(table.samples == [RowDifference(kind: .changed, key: "2", columns: ["c"])])
            #expect(table.sourceRows == 2 && table.loadedRows == 2)
            #expect(
                report.notes("t") == [
                    "the source has no column left: NULL in every row",
                    "the source has no column same: the same value in every row",
                    "the source has no column any: 1 value in 2 rows",
                    "the source has no column twice: PostgreSQL computes it",
                ])
            #expect(
                report.table("gone")?.reason
                    == "the table is not in the target: its schema public has none of that name, in any spelling"
            )
            #expect(report.notices == ["the target has 1 table that the source has not: theirs"])
            #expect(report.views.map(\.verdict) == ["skipped"])
            // Nothing but a column is missing: the rows that are compared are equal, and the table is not.
            try target.execute(
                "UPDATE t SET c = 'z'; CREATE TABLE gone (id int PRIMARY KEY); INSERT INTO gone VALUES (1)")
            let rest = try target.validate()
            #expect(rest.exit == 4 && rest.verdicts == ["t": "differs", "gone": "equal"])
            #expect(rest.table("t")?.differences == 0)
            try target.execute("ALTER TABLE t ADD a text DEFAULT 'x', ADD b text DEFAULT 'y'")
            #expect(try target.validate().outcome == .proven)
        }
    }

    @Test func withoutAKeyColumnRowsAreComparedAsAWhole() throws {
        try ForeignTarget.with(
            source: """
                CREATE TABLE one (id INTEGER PRIMARY KEY, s TEXT); INSERT INTO one VALUES (1, 'x'), (2, 'x'), (3, 'y');
                CREATE TABLE two (a INTEGER, b INTEGER, s TEXT, PRIMARY KEY (a, b)); INSERT INTO two VALUES (1, 1, 'x'), (1, 2, 'y')
                """,
            target: """
                CREATE TABLE one (s text); INSERT INTO one VALUES ('x'), ('y'), ('y');
                CREATE TABLE two (a int, s text); INSERT INTO two VALUES (1, 'y'), (1, 'x')
                """
        ) { target in
            let report = try target.validate()
            let one = try #require(report.table("one"))
            #expect(one.reason == "the target's table has no column id")
            #expect(one.samples.map(\.kind.rawValue).sorted() == ["extra", "missing"])
            #expect(
                report.notes("one") == ["rows are compared without a key, as whole rows: id is not all there"]
            )
            #expect(report.table("two")?.differences == 0 && report.table("two")?.verdict == "differs")
        }
    }

    @Test func rowsThatAreThereTwiceAreFoundWhereNothingKeepsThemOut() throws {
        try ForeignTarget.with(
            source:
                "CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y')",
            target:
                "CREATE TABLE t (id int, s text); INSERT INTO t VALUES (1, 'x'), (2, 'other'), (2, 'y'), (NULL, 'x')"
        ) { target in
            let report = try target.validate()
            let table = try #require(report.table("t"))
            #expect(table.differences == 2 && table.loadedRows == 4)
            #expect(table.samples.allSatisfy { $0.kind == .extra })
            #expect(
                report.notes("t").first
                    == "nothing keeps rows of the same id out of the target: no unique key is over it; rows that are there "
                    + "twice are told as extra")
        }
    }

    /// Its rows lie in no table that could be compared: that is for the operator to decide.
    @Test func aVirtualTableThatNobodyHasDecidedAboutIsNotProven() throws {
        try ForeignTarget.with(
            source: """
                CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE VIRTUAL TABLE docs USING fts5(title);
                INSERT INTO docs VALUES ('x')
                """, target: "CREATE TABLE t (id bigint PRIMARY KEY)"
        ) { target in
            let open = try target.validate()
            #expect(open.outcome == .undecided && open.exit == 3 && open.verdicts == ["t": "equal"])
            #expect(open.findings.map(\.object) == ["virtual table docs"])
            target.migration.decisions.given = ["not-carried=leave-out"].compactMap { Decision($0) }
            #expect(try target.validate().outcome == .proven)
            target.migration.decisions.given = ["not-carried=table"].compactMap { Decision($0) }
            let taken = try target.validate()
            #expect(taken.verdicts == ["t": "equal", "docs": "differs"])
        }
    }

    // MARK: What is no plain table

    @Test func viewsPartitionsInheritanceAndGeneratedColumnsAreCompared() throws {
        let rows =
            "INSERT INTO %s WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < 50) SELECT i, 'text ' || i FROM g"
        let names = ["plain", "parted", "viewed", "kept", "heir", "computed"]
        try ForeignTarget.with(
            source: names.map {
                "CREATE TABLE \($0) (id INTEGER PRIMARY KEY, s TEXT); " + rows.replacing("%s", with: $0)
            }.joined(separator: ";\n"),
            target: """
                CREATE TABLE plain (id bigint PRIMARY KEY, s text);
                INSERT INTO plain SELECT i, 'text ' || i FROM generate_series(1, 50) AS i;
                CREATE TABLE parted (id bigint PRIMARY KEY, s text) PARTITION BY RANGE (id);
                CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (20);
                CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (20) TO (100);
                INSERT INTO parted SELECT * FROM plain;
                CREATE VIEW viewed AS SELECT * FROM plain; CREATE MATERIALIZED VIEW kept AS SELECT * FROM plain;
                CREATE TABLE heir (id bigint PRIMARY KEY, s text); CREATE TABLE heir_2 () INHERITS (heir);
                INSERT INTO heir SELECT * FROM plain WHERE id < 10; INSERT INTO heir_2 SELECT * FROM plain WHERE id >= 10;
                CREATE TABLE computed (id bigint PRIMARY KEY, s text GENERATED ALWAYS AS ('text ' || id::text) STORED);
                INSERT INTO computed SELECT id FROM plain
                """
        ) { target in
            let report = try target.validate()
            #expect(report.outcome == .proven, "\(report.tables)")
            #expect(names.allSatisfy { report.table($0)?.loadedRows == 50 })
            #expect(report.notes("parted") == ["it is a partitioned table in the target"])
            #expect(report.notes("kept") == ["it is a materialized view in the target"])
            #expect(report.notices == ["the target has 1 table that the source has not: heir_2"])
            try target.execute(
                "UPDATE parted_2 SET s = 'x' WHERE id = 30; UPDATE heir_2 SET s = 'x' WHERE id = 30; UPDATE plain SET s = 'x' WHERE id = 31"
            )
            let changed = try target.validate()
            #expect(
                changed.tables.filter { $0.verdict == "differs" }.map {
                    "\($0.name) \($0.samples.map(\.key))"
                }.sorted()
                    == ["heir [\"30\"]", "parted [\"30\"]", "plain [\"31\"]", "viewed [\"31\"]"])
        }
    }
}
