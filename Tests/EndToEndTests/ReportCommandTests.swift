import Foundation
import Postgres
import TestSupport
import Testing

/// `howdah report` and `howdah digest`, as a manager and an auditor meet them.
@Suite struct ReportCommandTests {
    /// Names and values that a page must not obey.
    private static let script = """
        CREATE TABLE "Message <b>|`x`" (id INTEGER PRIMARY KEY, "body & 'more'" TEXT, raw BLOB);
        CREATE TABLE "Member" (id INTEGER PRIMARY KEY, name TEXT, message INTEGER REFERENCES "Message <b>|`x`"(id));
        INSERT INTO "Message <b>|`x`" VALUES (1, '</td><script>alert(1)</script>', x'0001'), (2, '', NULL);
        INSERT INTO "Member" VALUES (1, 'ann', 1), (2, 'bob', 2), (3, 'cy', NULL);
        """

    private struct Migrated {
        let source: String
        let folder: String
        let conninfo: Conninfo

        func howdah(_ arguments: [String]) throws -> Howdah.Outcome {
            try Howdah.run(arguments + ["--state", "\(folder)/state"])
        }

        func report(_ name: String, _ arguments: [String] = []) throws -> String {
            let outcome = try howdah(["report", source, "\(folder)/\(name)", conninfo.url] + arguments)
            #expect(outcome.exit == 0, "\(outcome.errors)")
            return try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
        }
    }

    private func migrated(_ body: (Migrated) throws -> Void) throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/s.db", Self.script)
            try TestServer.withDatabase { conninfo in
                let migrated = Migrated(source: "\(folder)/s.db", folder: folder, conninfo: conninfo)
                let outcome = try migrated.howdah(["migrate", migrated.source, conninfo.url, "--yes"])
                #expect(outcome.exit == 0, "\(outcome.errors)\(outcome.output)")
                try body(migrated)
            }
        }
    }

    // MARK: In a browser

    @Test(.enabled(if: Browser.path != nil)) func aBrowserShowsTheFactsAndAsksNobodyForMore() throws {
        try migrated { migrated in
            #expect(
                try migrated.howdah(
                    [
                        "checklist", migrated.source, "tick", "tests", "--note", "by <hand>", "--as", "eve",
                        "--live",
                        "--target", migrated.conninfo.url,
                    ]
                ).exit == 0)
            let text = try migrated.report("r.html", ["--as", "eve"])
            let page = try #require(try Browser.open("\(migrated.folder)/r.html"))
            for fact in [
                "Migration of s.db to PostgreSQL", "Proven: all 15 cells of 2 tables in PostgreSQL are equal",
                "Message &lt;b&gt;|`x`", "body &amp; 'more'", "by &lt;hand&gt;", "All tests passing", "eve",
                "sqlite3 -readonly", "Rows per second", "PostgreSQL 1",
            ] {
                #expect(page.dom.contains(fact), "\(fact) is not shown")
            }
            #expect(page.dom.matches(of: /<svg/).count >= 1)
            #expect(page.dom.matches(of: /equal<\/td>/).count >= 5, "two tables, their digests, one column")
            // As it was written: no browser had to mend it.
            #expect(
                page.dom.matches(of: /<(table|tr|td|th|h2|h3|li|figure)\b/).count
                    == text.matches(of: /<(table|tr|td|th|h2|h3|li|figure)\b/).count)
            #expect(!page.dom.contains("<script"))
            let outside = /(src|href|action|data|poster|srcset)="(?!#)|url\(|@import|https?:\/\//
            #expect(page.dom.firstMatch(of: outside) == nil)
            #expect(!page.log.contains("Refused to"), "\(page.log)")
            try #require(
                try Browser.open("\(migrated.folder)/r.html", picture: "\(migrated.folder)/r.png") != nil)
            let picture = try #require(FileManager.default.contents(atPath: "\(migrated.folder)/r.png"))
            #expect(picture.count > 20_000)
        }
    }

    @Test func headingsAreInOrderAndTablesHaveNames() throws {
        try migrated { migrated in
            let text = try migrated.report("r.html")
            let levels = text.matches(of: /<h([1-6])/).compactMap { Int($0.1) }
            #expect(levels.first == 1 && levels.count(where: { $0 == 1 }) == 1)
            #expect(zip(levels, levels.dropFirst()).allSatisfy { $1 <= $0 + 1 })
            #expect(text.contains("<html lang=\"en\">") && text.contains("<title>Migration of s.db"))
            let links = text.matches(of: /href="#(s[0-9]+)"/).map { String($0.1) }
            #expect(!links.isEmpty && links.allSatisfy { text.contains("id=\"\($0)\"") })
        }
    }

    // MARK: Other forms

    @Test func markdownHasTheSame() throws {
        try migrated { migrated in
            let text = try migrated.report("r.md")
            #expect(text.hasPrefix("# Migration of s.db to PostgreSQL\n"))
            #expect(text.contains("> **Proven: all 15 cells"))
            #expect(text.contains("Message &lt;b&gt;\\|\\`x\\`"))
            #expect(!text.contains("<script"))
        }
    }

    @Test func jsonIsTheReportItself() throws {
        try migrated { migrated in
            let outcome = try migrated.howdah([
                "report", migrated.source, "--json", "--live", "--target", migrated.conninfo.url,
            ])
            let document = try outcome.json()
            #expect(document["verdict"] as? String == "proven")
            #expect((document["totals"] as? [String: Any])?["cells"] as? Int == 15)
            #expect((document["digests"] as? [String: Any])?["outcome"] as? String == "equal")
        }
    }

    // MARK: What goes wrong

    @Test func aFileThatIsThereIsNotOverwritten() throws {
        try migrated { migrated in
            _ = try migrated.report("r.md")
            let again = [
                "report", migrated.source, "\(migrated.folder)/r.md", migrated.conninfo.url, "--offline",
            ]
            #expect(try migrated.howdah(again).exit == 2)
            #expect(try migrated.howdah(again + ["--force"]).exit == 0)
            #expect(try migrated.howdah(["report", migrated.source, "\(migrated.folder)/r.pdf"]).exit == 2)
        }
    }

    @Test func withoutTheTargetItSaysWhatItCouldNotRead() throws {
        try migrated { migrated in
            #expect(
                try migrated.report("a.md", ["--offline"]).contains(
                    "the target was not read: it was not asked"))
            let elsewhere = "postgresql://nobody:hunter2@127.0.0.1:1/none?connect_timeout=2"
            let outcome = try migrated.howdah([
                "report", migrated.source, "\(migrated.folder)/b.html", elsewhere,
            ])
            #expect(outcome.exit == 0, "\(outcome.errors)")
            let text = try String(contentsOfFile: "\(migrated.folder)/b.html", encoding: .utf8)
            #expect(text.contains("the target was not read"))
            #expect(!text.contains("hunter2"))
        }
    }

    @Test func beforeAnythingWasMigratedItSaysSo() throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/s.db", Self.script)
            let outcome = try Howdah.run([
                "report", "\(folder)/s.db", "\(folder)/r.md", "--state", "\(folder)/state",
            ])
            #expect(outcome.exit == 0, "\(outcome.errors)")
            let text = try String(contentsOfFile: "\(folder)/r.md", encoding: .utf8)
            #expect(text.contains("> **Nothing has been migrated yet.**"))
        }
    }

    @Test func aTargetThatWasChangedIsToldByItsDigests() throws {
        try migrated { migrated in
            try TestServer.execute("UPDATE \"Member\" SET name = 'Ann' WHERE id = 1", in: migrated.conninfo)
            let outcome = try migrated.howdah(["digest", migrated.source, migrated.conninfo.url])
            #expect(outcome.exit == 4)
            #expect(outcome.output.contains("DIFFERS: Member"))
            #expect(try migrated.report("r.md", ["--no-digests"]).contains("the digests of Member differ"))
        }
    }

    @Test func digestsOfAnotherTargetDoNotTakeThePlaceOfThisOnes() throws {
        try migrated { migrated in
            #expect(try migrated.howdah(["digest", migrated.source, migrated.conninfo.url]).exit == 0)
            try TestServer.withDatabase { other in
                try TestServer.execute(
                    """
                    CREATE TABLE "Member" (id integer PRIMARY KEY, name text, message integer);
                    CREATE TABLE "Message <b>|`x`" (id integer PRIMARY KEY, "body & 'more'" text, raw bytea)
                    """, in: other)
                #expect(try migrated.howdah(["digest", migrated.source, other.url]).exit == 4)
            }
            let text = try migrated.report("r.md", ["--offline"])
            #expect(text.contains("> **Proven: all 15 cells"), "\(text)")
            #expect(text.contains("Both sides print the same lines"), "\(text)")
        }
    }

    /// Page one, the list of tables and the document of a report agree on a table whose digests differ since its proof.
    @Test func noPartOfTheReportCallsATableEqualWhoseDigestsDifferSince() throws {
        try migrated { migrated in
            try TestServer.execute("UPDATE \"Member\" SET name = 'Ann' WHERE id = 1", in: migrated.conninfo)
            let arguments = [migrated.source, migrated.conninfo.url]
            #expect(try migrated.howdah(["digest"] + arguments).exit == 4)
            let text = try migrated.report("1.md", ["--offline"])
            for words in [
                "> **Not equal any more: the digests of Member differ", "rows that differ: not counted",
                "cells equal in other tables: 6",
                "| Member | 3 | 3 | 0 | – | differs: its digests do, computed",
            ] { #expect(text.contains(words), "\(words)\n\(text)") }
            #expect(!text.contains("Member: 0 rows differ"))
            let document = try migrated.howdah(
                ["report", migrated.source, "--json", "--live", "--offline", "--target"] + [
                    migrated.conninfo.url
                ]
            ).json()
            #expect(document["verdict"] as? String == "differs")
            let verdicts = (document["tables"] as? [[String: Any]])?.map { $0["verdict"] as? String }
            #expect(verdicts == ["equal", "differs"])
            #expect((document["totals"] as? [String: Any])?["cells"] as? Int == 6)

            // A proof of the other table alone, made later, does not speak for this one.
            try waitForTheNextSecond()
            #expect(try migrated.howdah(["validate"] + arguments + ["--table", "Message <b>|`x`"]).exit == 0)
            let later = try migrated.report("2.md", ["--offline"])
            #expect(later.contains("> **Not equal any more: the digests of Member"), "\(later)")
        }
    }

    /// The newest proof of the target speaks, whoever made it, and of digests those that are newer than it.
    @Test func theVerdictIsThatOfTheNewestProof() throws {
        try migrated { migrated in
            let (source, url) = (migrated.source, migrated.conninfo.url)
            func verdict(_ name: String, _ arguments: [String] = ["--offline"]) throws -> String {
                let lines = try migrated.report(name, arguments).split(separator: "\n")
                return lines.first { $0.hasPrefix("> **") }.map(String.init) ?? ""
            }
            func change(_ name: String) throws {
                try TestServer.execute(
                    "UPDATE \"Member\" SET name = '\(name)' WHERE id = 1", in: migrated.conninfo)
            }
            #expect(try verdict("1.md").hasPrefix("> **Proven: all 15 cells"))
            try change("Ann")
            #expect(try migrated.howdah(["validate", source, url]).exit == 4)
            #expect(try verdict("2.md") == "> **Not equal: 1 row differs, in Member.**")
            let text = try String(contentsOfFile: "\(migrated.folder)/2.md", encoding: .utf8)
            #expect(
                text.contains("cells of equal rows: 12"), "4 rows of 5 are equal, 3 columns each: \(text)")
            #expect(text.contains("1 row that differs, by their keys"))
            #expect(text.contains("| Member | changed | 1 | name |"), "\(text)")
            // One table more, compared alone, says nothing of the other.
            #expect(try migrated.howdah(["validate", source, url, "--table", "Message <b>|`x`"]).exit == 0)
            #expect(try verdict("3.md").contains("Not equal"))
            try change("ann")
            #expect(try migrated.howdah(["diff", source, url]).exit == 0)
            #expect(try verdict("4.md").hasPrefix("> **Proven: all 15 cells"))

            // Digests that were computed since stand against it.
            try change("Ann")
            #expect(
                try verdict("5.md", []).hasPrefix("> **Not equal any more: the digests of Member differ"))
            try change("ann")
            try waitForTheNextSecond()
            #expect(try migrated.howdah(["validate", source, url]).exit == 0)
            #expect(try verdict("6.md").hasPrefix("> **Proven: all 15 cells"), "older digests win nothing")

            // Compared again and without a verdict: the old one is not worth anything.
            try TestServer.execute("ALTER TABLE \"Member\" RENAME TO other", in: migrated.conninfo)
            #expect(try migrated.howdah(["validate", source, url]).exit == 4)
            #expect(try verdict("7.md").hasPrefix("> **Not proven: there is no verdict on Member"))
        }
    }

    /// Proofs and digests are told apart by seconds.
    private func waitForTheNextSecond() throws {
        let now = Date().formatted(.iso8601)
        try #require(waitUntil(seconds: 5) { Date().formatted(.iso8601) != now })
    }

    /// Who has loaded the target himself, and had it validated, reads that it is proven.
    @Test func aProofWithoutARunIsOneToo() throws {
        try migrated { migrated in
            let report = [
                "report", migrated.source, "\(migrated.folder)/r.md", migrated.conninfo.url, "--state",
                "\(migrated.folder)/other", "--force",
            ]
            let validate = [
                "validate", migrated.source, migrated.conninfo.url, "--state", "\(migrated.folder)/other",
            ]
            #expect(
                try Howdah.run(["plan", migrated.source, "--state", "\(migrated.folder)/other"]).exit == 0)
            #expect(try Howdah.run(validate).exit == 0)
            #expect(try Howdah.run(report).exit == 0)
            let path = "\(migrated.folder)/r.md"
            #expect(try String(contentsOfFile: path, encoding: .utf8).contains("> **Proven: all 15 cells"))
            try TestServer.execute("DELETE FROM \"Member\" WHERE id = 3", in: migrated.conninfo)
            #expect(try Howdah.run(validate).exit == 4)
            #expect(try Howdah.run(report + ["--no-digests"]).exit == 0)
            #expect(
                try String(contentsOfFile: path, encoding: .utf8).contains("> **Not equal: 1 row differs"))
        }
    }

    @Test func digestsThatAreEqualSayWhatTheyLeaveOut() throws {
        try withTemporaryFolder { folder in
            try makeDatabase(
                "\(folder)/s.db",
                "CREATE TABLE t (id INTEGER PRIMARY KEY, x REAL, note TEXT); INSERT INTO t VALUES (1, 'a', 'b')"
            )
            try TestServer.withDatabase { conninfo in
                let state = ["--state", "\(folder)/state"]
                let plan = try Howdah.run(
                    ["migrate", "\(folder)/s.db", conninfo.url, "--yes", "--decide", "recommended"] + state)
                #expect([0, 5].contains(plan.exit), "\(plan.errors)\(plan.output)")
                try TestServer.execute(
                    "ALTER TABLE t ALTER COLUMN note TYPE jsonb USING to_jsonb(note)", in: conninfo)
                let digest = try Howdah.run(["digest", "\(folder)/s.db", conninfo.url] + state)
                #expect(digest.exit == 0, "\(digest.output)")
                #expect(
                    digest.output.contains("EQUAL, without t.note, which the proof compares: "),
                    "\(digest.output)")
                let json = try Howdah.run(["digest", "\(folder)/s.db", conninfo.url, "--json"] + state)
                #expect(try json.json()["left_out"] as? [String] == ["t.note"])
            }
        }
    }

    /// What was proven is not what a later load has left behind.
    @Test func aLoadThatDidNotEndIsNotWhatWasProven() throws {
        try migrated { migrated in
            // As a second load that was killed leaves the ledger: begun anew, without an outcome.
            try TestServer.execute(
                """
                UPDATE howdah.run SET started = now() + interval '1 second', outcome = NULL;
                TRUNCATE "Member"
                """, in: migrated.conninfo)
            let text = try migrated.report("r.md", ["--no-digests"])
            #expect(text.contains("> **Not proven any more: "), "\(text.prefix(600))")
            #expect(text.contains("has not been proven"))
        }
    }

    /// A proof is of one target, and of one source.
    @Test func anotherTargetIsNotCertified() throws {
        try migrated { migrated in
            try TestServer.withDatabase { other in
                func text(_ url: String, _ name: String) throws -> String {
                    let path = "\(migrated.folder)/\(name)"
                    let outcome = try migrated.howdah(["report", migrated.source, path, url])
                    #expect(outcome.exit == 0, "\(outcome.errors)")
                    return try String(contentsOfFile: path, encoding: .utf8)
                }
                #expect(
                    try text(other.url, "1.md").contains("> **Not proven: nothing is known of this target"))
                let none = migrated.conninfo.url + "_none"
                #expect(try text(none, "2.md").contains("> **Not proven: nothing is known of this target"))
                // Somebody else's migration, proven as it is.
                try makeDatabase("\(migrated.folder)/o.db", "CREATE TABLE o (a); INSERT INTO o VALUES (1)")
                let elsewhere = try Howdah.run(["migrate", "\(migrated.folder)/o.db", other.url, "--yes"])
                #expect(elsewhere.exit == 0, "\(elsewhere.errors)\(elsewhere.output)")
                #expect(
                    try text(other.url, "3.md").contains("> **Not proven: the target's ledger tells of a run")
                )
                #expect(try text(migrated.conninfo.url, "4.md").contains("> **Proven: all 15 cells"))
            }
        }
    }

    @Test func aTableWithoutADigestIsCountedAndNotCalledEqual() throws {
        try withTemporaryFolder { folder in
            let source = "\(folder)/it's.db"
            try makeDatabase(
                source,
                "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('x'), ('y')")
            try TestServer.withDatabase { conninfo in
                #expect(try Howdah.run(["migrate", source, conninfo.url, "--yes"]).exit == 0)
                let digest = try Howdah.run(["digest", source, conninfo.url])
                #expect(digest.exit == 3)
                #expect(digest.output.contains("NO DIGEST of any column, without t.a"), "\(digest.output)")
                #expect(try Howdah.run(["report", source, "\(folder)/r.md", conninfo.url]).exit == 0)
                let text = try String(contentsOfFile: "\(folder)/r.md", encoding: .utf8)
                #expect(text.contains("howdah digest '\(folder)/it'\\''s.db' '\(conninfo.url)'"), "\(text)")
                try TestServer.execute("DELETE FROM t WHERE a = 'x'", in: conninfo)
                let fewer = try Howdah.run(["digest", source, conninfo.url])
                #expect(fewer.exit == 4)
                #expect(fewer.output.contains("DIFFERS: t"), "\(fewer.output)")
            }
        }
    }

    @Test func aFileThatCannotBeWrittenIsToldBeforeTheWork() throws {
        try migrated { migrated in
            for (name, why) in [("none/r.md", "there is no folder"), ("s.db/r.md", "is no folder")] {
                let outcome = try migrated.howdah([
                    "report", migrated.source, "\(migrated.folder)/\(name)", migrated.conninfo.url,
                ])
                #expect(outcome.exit == 2)
                #expect(outcome.errors.contains(why), "\(outcome.errors)")
                #expect(!outcome.errors.contains("digest"), "nothing was computed: \(outcome.errors)")
            }
        }
    }

    @Test func theReportSpeaksForTheDocumentation() throws {
        try migrated { migrated in
            let checklist = ["checklist", migrated.source, "--live", "--target", migrated.conninfo.url]
            #expect(
                try migrated.howdah(checklist).output.contains(
                    "waits for report of the migration: not run yet"))
            _ = try migrated.report("r.md", ["--offline"])
            let after = try migrated.howdah(checklist).output
            #expect(after.contains("report of the migration: done"), "\(after)")
        }
    }
}
