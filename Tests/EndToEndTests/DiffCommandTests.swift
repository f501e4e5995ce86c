import Foundation
import Postgres
import TestSupport
import Testing

/// `howdah diff` and `howdah validate --watch`, as a user runs them.
@Suite struct DiffCommandTests {
    private static let script = """
        CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT, at DATETIME, data BLOB);
        INSERT INTO note VALUES (1, 'naïve', '2024-01-02 03:04:05.000', x'00010203'), (2, 'b', NULL, NULL), (3, 'c', NULL, x'');
        CREATE TABLE tag (id TEXT PRIMARY KEY); INSERT INTO tag VALUES ('x')
        """

    private func withTarget(
        _ body: (_ source: String, _ target: String, _ execute: (String) throws -> Void) throws -> Void
    )
        throws
    {
        try withTemporaryFolder { folder in
            let source = "\(folder)/app.db"
            try makeDatabase(source, Self.script)
            try TestServer.withDatabase { conninfo in
                let target = conninfo.url
                let outcome = try Howdah.run(["migrate", source, target, "--yes"])
                #expect(outcome.exit == 0, "\(outcome.errors)")
                try body(source, target) { try TestServer.execute($0, in: conninfo) }
            }
        }
    }

    private static let damage = """
        UPDATE note SET body = 'nai\u{308}ve', data = '\\x00010303', at = at + interval '1 hour' WHERE id = 1;
        DELETE FROM note WHERE id = 2; INSERT INTO note (id, body) VALUES (9, E'a\\u001b[31m,"b"')
        """

    @Test func rowsAreShownWithBothValuesAndWithWhatTheyHaveInCommon() throws {
        try withTarget { source, target, execute in
            let equal = try Howdah.run(["diff", source, target])
            #expect(equal.exit == 0)
            #expect(equal.output == "note: equal\ntag: equal\nequal: no row differs\n")
            try execute(Self.damage)
            let outcome = try Howdah.run(["diff", source, target])
            #expect(outcome.exit == 4)
            for line in [
                "note: 3 of 3 rows differ", "1 changed, 1 missing in PostgreSQL, 1 only in PostgreSQL",
                "body differs in 1 row, in Unicode normalization only",
                "at differs in 1 row, always by +3,600 s",
                "data differs in 1 row, in one bit",
                "~ 1  body  first difference at character 2: U+00EF, U+0069",
                "4 bytes, from 0: 00  01 [02] 03", "4 bytes, from 0: 00  01 [03] 03",
                "- 2: missing in PostgreSQL",
                "+ 9: only in PostgreSQL", "tag: equal",
            ] {
                #expect(outcome.output.contains(line), "\(line)")
            }
            #expect(!outcome.output.contains("\u{1B}"))
        }
    }

    @Test func documentsHoldEveryRowAndFiltersTakeSome() throws {
        try withTarget { source, target, execute in
            try execute(Self.damage)
            let all = try Howdah.run(["diff", source, target, "--json", "--limit", "0"])
            #expect(all.exit == 4)
            let tables = try #require(try all.json()["tables"] as? [[String: Any]])
            #expect(tables.map { $0["differences"] as? Int } == [3, 0])
            let rows = try #require(tables[0]["differing"] as? [[String: Any]])
            #expect(rows.map { $0["kind"] as? String } == ["changed", "missing", "extra"])
            let cells = try #require(rows[0]["cells"] as? [[String: Any]])
            #expect(cells.map { $0["column"] as? String } == ["body", "at", "data"])
            #expect((cells[2]["target"] as? [String: String]) == ["type": "bytes", "value": "\\x00010303"])
            let csv = try Howdah.run(["diff", source, target, "--last", "--format", "csv", "--kind", "extra"])
            #expect(csv.output.contains("note,9,extra,body,absent,,text,\"a\u{1B}[31m,\"\"b\"\"\"\r\n"))
            #expect(!csv.output.contains("changed"))
            let column = try Howdah.run(["diff", source, target, "--last", "--column", "data", "--json"])
            let found = try #require(try column.json()["tables"] as? [[String: Any]])
            #expect(found[0]["matching"] as? Int == 1)
            let named = try Howdah.run(["diff", source, target, "--last", "--table", "note", "--key", "2"])
            #expect(named.exit == 4)
            #expect(named.output.contains("- 2") && !named.output.contains("~ 1"), "\(named.output)")
            let exact = try Howdah.run([
                "diff", source, target, "--table", "note", "--key", "[\"1\"]", "--json",
            ])
            let one = try #require((try exact.json()["tables"] as? [[String: Any]])?.first)
            #expect(one["matching"] as? Int == 1)
            #expect((one["differing"] as? [[String: Any]])?.map { $0["key"] as? String } == ["1"])
            let key = try Howdah.run(["diff", source, target, "--last", "--find", "9"])
            #expect(key.output.contains("+ 9") && !key.output.contains("~ 1"))
        }
    }

    @Test(arguments: [
        (["--table", "nobody"], "the source has no table nobody"),
        (["--table", "note", "--key", "3"], "no row of note with the key 3 differs"),
        (["--key", "3"], "--key needs one --table"),
        (["--table", "note", "--key", "3", "--find", "3"], "--key excludes"),
        (["--column", "nobody"], "no table that is shown has a column nobody"),
        (["--limit=-1"], "--limit takes a number of rows"),
        (["--kind", "wrong"], "wrong"),
        (["--json", "--format", "csv"], "--json and --format csv differ"),
    ]) func whatCannotBeShownIsSaid(_ words: [String], _ message: String) throws {
        try withTarget { source, target, _ in
            let outcome = try Howdah.run(["diff", source, target] + words)
            #expect([1, 2, 64].contains(outcome.exit))
            #expect((outcome.output + outcome.errors).contains(message))
        }
    }

    /// What a proof could not compare is a difference too, and what was never compared is not equal.
    @Test func tablesAndViewsThatCannotBeComparedAreNotEqual() throws {
        try withTarget { source, target, execute in
            let never = try Howdah.run(["diff", source, target, "--last", "--table", "note"])
            #expect(never.exit == 0, "the migration has compared it")
            try execute("ALTER TABLE note DROP COLUMN data; DROP TABLE tag")
            #expect(try Howdah.run(["validate", source, target]).exit == 4)
            let last = try Howdah.run(["diff", source, target, "--last", "--json"])
            #expect(last.exit == 4)
            #expect(try last.json()["outcome"] as? String == "differs")
            let text = try Howdah.run(["diff", source, target, "--last", "--table", "tag"])
            #expect(text.exit == 4 && text.output.contains("cannot be compared"), "\(text.output)")
        }
    }

    /// Another application's table of the same name, in the usual schema, is not taken for the one that was loaded.
    @Test func theSchemaThatWasLoadedIsCompared() throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/app.db"
            try makeDatabase(source, Self.script)
            try TestServer.withDatabase { conninfo in
                let target = conninfo.url
                #expect(try Howdah.run(["migrate", source, target, "--yes", "--schema", "chat"]).exit == 0)
                try TestServer.execute(
                    """
                    CREATE TABLE public.note (LIKE chat.note INCLUDING ALL); CREATE TABLE public.tag (LIKE chat.tag INCLUDING ALL);
                    INSERT INTO public.tag VALUES ('theirs'); UPDATE chat.note SET body = 'wrong' WHERE id = 3
                    """, in: conninfo)
                let validation = try Howdah.run(["validate", source, target])
                #expect(validation.exit == 4)
                #expect(validation.output.contains("compared with the schema chat, which howdah has loaded"))
                #expect(validation.output.contains("note 3: changed in body"))
                #expect(try Howdah.run(["repair", source, target, "--all", "--yes"]).exit == 0)
                #expect(try TestServer.value("SELECT id FROM public.tag", in: conninfo) == "theirs")
                #expect(try TestServer.value("SELECT body FROM chat.note WHERE id = 3", in: conninfo) == "c")
            }
        }
    }

    @Test func aViewThatDiffersIsToldOfTheLastProofToo() throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/app.db"
            try makeDatabase(source, Self.script + "; CREATE VIEW bodies AS SELECT id, body FROM note")
            try TestServer.withDatabase { conninfo in
                let target = conninfo.url
                #expect(try Howdah.run(["migrate", source, target, "--yes"]).exit == 0)
                try TestServer.execute(
                    "CREATE OR REPLACE VIEW bodies AS SELECT id, upper(body) AS body FROM note", in: conninfo)
                for words in [[], ["--last"]] {
                    let diff = try Howdah.run(["diff", source, target] + words)
                    #expect(diff.exit == 4 && diff.output.contains("view bodies: differs"), "\(diff.output)")
                }
            }
        }
    }

    @Test func ofRowsThatNobodyHasWhatWasLookedForNoneAreShown() throws {
        try withTarget { source, target, execute in
            try execute(Self.damage)
            let none = try Howdah.run(["diff", source, target, "--find", "nobody", "--table", "note"])
            #expect(
                none.output.contains("no row that differs is of these") && !none.output.contains("more row"))
            try execute(
                "UPDATE note SET body = 'na\u{EF}ve', data = '\\x00010203', at = '2024-01-02 03:04:05' WHERE id = 1"
            )
            let right = try Howdah.run(["diff", source, target, "--last", "--column", "body"])
            #expect(right.output.contains("~ 1  body  equal by now"), "\(right.output)")
            let validation = try Howdah.run(["validate", source, target, "--schema", "nope"])
            #expect(validation.exit == 2 && validation.errors.contains("the target has no schema nope"))
        }
    }

    @Test func aWatchTellsTheApplicationsRowsApart() throws {
        try withTarget { source, target, execute in
            try execute("UPDATE note SET body = 'edited' WHERE id = 3; INSERT INTO tag VALUES ('new')")
            let outcome = try Howdah.run(["validate", source, target, "--watch"])
            #expect(outcome.exit == 0, "\(outcome.output)")
            #expect(outcome.output.contains("2 rows have changed in PostgreSQL since the proof of"))
            let document = try Howdah.run(["validate", source, target, "--watch", "--json"]).json()
            let tables = try #require(document["tables"] as? [[String: Any]])
            #expect(tables.map { $0["changed"] as? Int } == [1, 0])
            #expect(tables.map { $0["came"] as? Int } == [0, 1])
            #expect(document["outcome"] as? String == "proven")
        }
    }
}
