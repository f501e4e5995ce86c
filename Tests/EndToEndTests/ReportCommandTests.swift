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
