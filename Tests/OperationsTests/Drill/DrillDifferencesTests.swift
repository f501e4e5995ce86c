import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

@testable import Operations

/// What a drill can tell apart: one changed value of each kind, and one changed object of each kind.
@Suite struct DrillDifferencesTests {
    /// A column's type, the value that was backed up, and the one that is there now.
    private static let values: [(type: String, before: String, now: String)] = [
        ("int", "7", "8"), ("text", "''", "NULL"), ("text", "'x'", "'x '"), ("text", "'é'", "U&'e\\0301'"),
        ("double precision", "'0'", "'-0'"), ("double precision", "0.1", "0.1 + 2e-17"),
        ("double precision", "'NaN'", "'Infinity'"),
        ("numeric", "1.5", "1.50"), ("bytea", "'\\x00'", "'\\x0000'"), ("boolean", "true", "false"),
        ("timestamptz", "'2024-01-01 00:00Z'", "'2024-01-01 00:00:00.000001Z'"),
        ("interval", "'1 day'", "'24 hours'"),
        ("json", "'{\"a\": 1}'", "'{\"a\":1}'"), ("jsonb", "'[1]'", "'[1.0]'"),
        ("uuid", "gen_random_uuid()", "gen_random_uuid()"),
        ("mood", "'so'", "'so so'"), ("mood[]", "'{so}'", "'{so,NULL}'"), ("pair", "(1, 'a')", "(1, 'b')"),
        ("pair[]", "ARRAY[(1, 'a')::pair]", "ARRAY[(2, 'a')::pair]"), ("word", "'a'", "'b'"),
        ("int[]", "'{1,2}'", "'{2,1}'"),
        ("regtype", "'int'", "'mood'"), ("regclass[]", "'{v}'", "'{keyless}'"),
        ("int4range", "'[1,2)'", "'[1,3)'"),
        ("inet", "'10.0.0.1'", "'10.0.0.1/8'"), ("tsvector", "'a'", "'a:1'"),
        ("bit varying", "B'01'", "B'010'"),
        ("point", "'(1,2)'", "'(1,3)'"), ("xml", "'<a/>'", "'<a></a>'"), ("oid", "1", "2"),
        ("\"char\"", "'a'", "'b'"),
        ("name", "'a'", "'b'"), ("money", "1", "2"),
    ]

    @Test func oneValueOfEachTypeIsFoundInItsColumn() throws {
        try BackupFixture.with(rows: 20) { fixture in
            try fixture.plant("crontab", "exit 0")
            for (index, value) in Self.values.enumerated() {
                try TestServer.execute(
                    """
                    CREATE TABLE value_\(index) (id int PRIMARY KEY, "a b" \(value.type));
                    INSERT INTO value_\(index) VALUES (1, \(value.before)), (2, \(value.before));
                    """, in: fixture.conninfo)
            }
            try TestServer.execute(
                "CREATE TABLE twice (x int); INSERT INTO twice VALUES (1), (1), (2)", in: fixture.conninfo)
            let report = try drill(fixture) {
                for (index, value) in Self.values.enumerated() {
                    try TestServer.execute(
                        "UPDATE value_\(index) SET \"a b\" = \(value.now) WHERE id = 2", in: fixture.conninfo)
                }
                try TestServer.execute(
                    """
                    DELETE FROM twice WHERE ctid = (SELECT min(ctid) FROM twice); INSERT INTO twice VALUES (2);
                    SELECT lo_put(oid, 0, 'L') FROM pg_largeobject_metadata;
                    """, in: fixture.conninfo)
            }
            for (index, value) in Self.values.enumerated() {
                let table = report.tables.first { $0.name == "public.value_\(index)" }
                #expect(
                    table?.words == ["row 2 differs in a b"], "\(value.type): \(value.before) → \(value.now)")
            }
            let others = report.tables.filter { $0.state == .differs && !$0.name.hasPrefix("public.value_") }
            #expect(others.map(\.name) == ["pg_catalog.large objects", "public.twice"])
            #expect(others.last?.differences == 2, "a row that is there twice is not there once")
            #expect(report.problems.isEmpty)
        }
    }

    /// A change of the schema, and what is said of it.
    private static let changes: [(sql: String, object: String)] = [
        ("ALTER TABLE \"User\" ALTER name SET DEFAULT 'x'", "column public.\"User\".name"),
        ("ALTER TABLE \"User\" ALTER m SET NOT NULL", "column public.\"User\".m"),
        ("ALTER TABLE \"Mess\"\"age\" ALTER at TYPE timestamp(6)", "column public.\"Mess\"\"age\".at"),
        ("CREATE INDEX added ON keyless (x)", "index public.added"),
        ("ALTER INDEX \"User_name_key\" RENAME TO other_key", "index public.\"User_name_key\""),
        ("ALTER TABLE keyless ADD CHECK (x <> 'y') NOT VALID", "constraint public.keyless.keyless_x_check"),
        ("ALTER TABLE keyless DISABLE TRIGGER noted", "trigger public.keyless.noted"),
        (
            "CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$",
            "function public.note()"
        ),
        ("CREATE OR REPLACE VIEW v AS SELECT name FROM \"User\" WHERE id > 1", "view public.v"),
        ("ALTER TYPE mood ADD VALUE 'new'", "type public.mood"),
        ("ALTER DOMAIN word DROP CONSTRAINT word_check", "constraint public.word.word_check"),
        ("ALTER SEQUENCE \"User_id_seq\" CACHE 5", "sequence public.\"User_id_seq\""),
        ("ALTER TABLE keyless ENABLE ROW LEVEL SECURITY", "relation public.keyless"),
        ("CREATE POLICY mine ON keyless USING (true)", "policy public.keyless.mine"),
        ("CREATE RULE quiet AS ON DELETE TO \"empty\" DO INSTEAD NOTHING", "rule public.empty.quiet"),
        ("CREATE STATISTICS s ON a, b FROM \"Mess\"\"age\"", "statistics public.s"),
        ("CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int)", "aggregate public.total(integer)"),
        ("COMMENT ON TABLE keyless IS 'another'", "comment table public.keyless"),
        ("CREATE SCHEMA third", "schema third"),
        ("CREATE EXTENSION IF NOT EXISTS pg_trgm", "extension pg_trgm"),
        ("CREATE CAST (mood AS int) WITH INOUT", "cast public.mood to integer"),
    ]

    @Test func oneChangeOfEachKindOfObjectIsNamed() throws {
        try BackupFixture.with(rows: 20) { fixture in
            try fixture.plant("crontab", "exit 0")
            let hasTrigrams =
                try TestServer.value(
                    "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'",
                    in: fixture.conninfo) == "1"
            let changes = Self.changes.filter { hasTrigrams || !$0.sql.contains("EXTENSION") }
            let report = try drill(fixture) {
                for change in changes { try TestServer.execute(change.sql, in: fixture.conninfo) }
            }
            #expect(report.exit == .differs)
            let words = report.problems.joined(separator: "\n")
            for change in changes {
                #expect(
                    report.problems.contains { $0.hasPrefix(change.object + " ") }, "\(change.sql): \(words)")
            }
            // What was not changed is not named.
            #expect(!words.contains("\"other s\""))
        }
    }

    /// Backs up, changes the database, and drills the backup as one that nothing vouches for.
    private func drill(_ fixture: BackupFixture, _ change: () throws -> Void) throws -> DrillReport {
        let settings = try fixture.install().settings
        let dump = try #require(DumpFolder(settings).dumps().first)
        let copy = "\(fixture.root)/copy.dump"
        try FileManager.default.copyItem(atPath: dump.path, toPath: copy)
        try change()
        return try RestoreDrill(
            desk: fixture.desk(), settings: settings, ledger: MemoryLedger().ledger, folder: fixture.root,
            workers: 2
        ).run(file: copy)
    }
}
