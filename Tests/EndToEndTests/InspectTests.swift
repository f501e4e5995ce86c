import Foundation
import TestSupport
import Testing

/// `howdah inspect` in its four forms.
@Suite struct InspectTests {
    private static let script = """
        CREATE TABLE "a|b <script>" (id INTEGER PRIMARY KEY, "x*y" TEXT, n INTEGER CHECK (n > 0));
        CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES "a|b <script>");
        CREATE VIEW v AS SELECT 1 AS one; INSERT INTO "a|b <script>" VALUES (1, 'x', 1); INSERT INTO c VALUES (1, 9)
        """

    private func inspected(_ arguments: [String]) throws -> String {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/s.db", Self.script)
            let outcome = try Howdah.run(
                ["inspect", "\(folder)/s.db", "--state", "\(folder)/state"] + arguments)
            #expect(outcome.exit == 0, "\(outcome.errors)")
            return outcome.output
        }
    }

    @Test func textHasObjectsFindingsAndEstimates() throws {
        let text = try inspected([])
        for line in [
            "What stands in the way", "1 finding waits for a decision",
            "Kind         All  Carried  Changed  To decide  Left out",
            "table          2        2        0          0         0", "orphan-rows:c.p",
            "in PostgreSQL about",
        ] {
            #expect(text.contains(line), "\(line) in\n\(text)")
        }
    }

    @Test func markdownTakesNoNameForAMark() throws {
        let text = try inspected(["--format", "markdown"])
        #expect(text.contains("## a\\|b &lt;script&gt;: 1 row"))
        #expect(text.contains("| x\\*y | TEXT | text | 1 text |"))
        #expect(text.contains("| ---: |"))
    }

    @Test func htmlIsOneFileThatRunsNothing() throws {
        let text = try inspected(["--format", "html"])
        #expect(text.hasPrefix("<!doctype html>"))
        #expect(!text.contains("<script"))
        #expect(text.contains("a|b &lt;script&gt;"))
        #expect(!text.contains("http://") && !text.contains("https://"))
        #expect(text.contains("default-src 'none'"))
    }

    @Test func jsonHasTheAssessment() throws {
        for arguments in [["--json"], ["--format", "json"]] {
            let data = Data(try inspected(arguments).utf8)
            let document = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
            let assessment = try #require(document["assessment"] as? [String: Any])
            #expect(assessment["rows"] as? Int == 2)
            #expect(assessment["open_findings"] as? Int == 1)
        }
    }

    @Test func aFileThatIsThereIsNotOverwritten() throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/s.db", Self.script)
            let arguments = [
                "inspect", "\(folder)/s.db", "--state", "\(folder)/state", "-o", "\(folder)/a.html",
                "--format", "html",
            ]
            #expect(try Howdah.run(arguments).exit == 0)
            let written = try String(contentsOfFile: "\(folder)/a.html", encoding: .utf8)
            #expect(written.hasPrefix("<!doctype html>"))
            #expect(try Howdah.run(arguments).exit == 2)
            #expect(try Howdah.run(arguments + ["--force"]).exit == 0)
            #expect(try Howdah.run(["inspect", "\(folder)/s.db", "--format", "pdf"]).exit == 2)
        }
    }
}
