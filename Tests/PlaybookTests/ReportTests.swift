import Foundation
import MigrationEngine
import TestSupport
import Testing

@testable import Playbook

/// What a report gathers, and what its forms make of hostile words.
@Suite struct ReportTests {
    private func report(_ book: Playbook, _ options: ReportOptions = ReportOptions()) throws -> Report {
        let activity = try #require(book.begin(nil))
        defer { book.end(activity) }
        return try book.report(options, activity)
    }

    @Test func itFollowsTheStepsFromNothingToProvenAndBack() throws {
        let steps = PlaybookTests()
        try steps.withBook { book, folder in
            var report = try report(book)
            #expect(report.verdict == .nothing)
            #expect(report.tables.isEmpty && report.digests == nil && report.missing == [])

            try steps.run(Array(PlaybookTests.rehearsed.dropLast()), book)
            report = try self.report(book)
            #expect(report.verdict == .unproven, "\(report.sentence)")

            try steps.run(["3.4"], book)
            report = try self.report(book)
            #expect(report.verdict == .proven, "\(report.sentence)")
            #expect(report.digests?.outcome == .equal)
            #expect(report.throughput.recordings.map(\.name) == ["copy", "proof"])
            #expect(report.throughput.recordings.allSatisfy { (2...121).contains($0.points.count) })
            #expect(report.signatures.map(\.what) == ["3.2 copy", "3.4 proof"])
            #expect(report.signatures.allSatisfy { $0.who == "ann" })
            #expect(report.totals.cells > report.totals.rows && report.totals.rows > 300)

            // Written, it speaks for the checklist; gone, it speaks against it.
            let path = "\(folder)/r.html"
            try book.write(report, to: path)
            var item = try #require(book.overview().checklist.first { $0.id == "documentation" })
            #expect(item.isProposed)
            #expect(item.evidence.contains { $0.contains("sha256") })
            let refused = #expect(throws: MigrationError.self) {
                try book.write(report, to: path, forced: "say :report! FILE")
            }
            #expect(refused?.remedy == "Name another file, or say :report! FILE.")
            try book.write(report, to: path, overwrites: true)
            try FileManager.default.removeItem(atPath: path)
            item = try #require(book.overview().checklist.first { $0.id == "documentation" })
            #expect(!item.isProposed && !item.objections.isEmpty)

            for step in ["3.3", "3.2"] { try steps.undo(step, book) }
            report = try self.report(book, ReportOptions(computesDigests: false))
            #expect(report.verdict != .proven, "\(report.sentence)")
        }
    }

    /// Whoever proves a table anew: what was computed before says nothing of it any more.
    @Test func digestsOfBeforeTheLastProofAreOutdated() throws {
        let steps = PlaybookTests()
        try steps.withBook { book, _ in
            try steps.run(PlaybookTests.rehearsed, book)
            _ = try report(book)
            let fresh = book.overview().tables.compactMap(\.digest)
            #expect(!fresh.isEmpty && fresh.allSatisfy { !$0.isOutdated && $0.isEqual })
            let path = "reports/digests-rehearsal.json"
            let text = try String(contentsOfFile: "\(book.workspace.state.path)/\(path)", encoding: .utf8)
            let time = try #require(fresh.first?.time)
            try book.workspace.state.write(text.replacing(time, with: "2001-01-01T00:00:00Z"), to: path)
            let old = book.overview().tables.compactMap(\.digest)
            #expect(old.count == fresh.count && old.allSatisfy(\.isOutdated))
        }
    }

    @Test func noFormObeysAWord() {
        let words = "</p><script>x</script>|`*_[a](b)\u{202E}&\"'\u{1B}[31m"
        let document = Document(
            words,
            [
                .heading(2, words), .paragraph(.init(words)), .verdict(.init(words, .bad)),
                .facts([.init(words, words)]), .list([.init(words)]),
                .table(.init(words, [words], [[.init(words, .code)]])),
                .picture(.bars([(words, 1, words)]), caption: words, words: words),
            ])
        for text in [document.html, document.markdown] {
            #expect(!text.contains("<script") && !text.contains("\u{202E}") && !text.contains("\u{1B}"))
        }
        #expect(document.markdown.contains("| &lt;/p&gt;&lt;script&gt;x&lt;/script&gt;\\|\\`\\*\\_\\[a\\]"))
    }

    @Test func commandsStayOnTheirLines() {
        let document = Document("t", [.commands(["psql '</pre>\n# x\u{202E}'"])])
        #expect(document.html.contains("<pre>psql &#39;&lt;/pre&gt;\n# x\\u{202e}&#39;</pre>"))
        #expect(document.markdown.hasSuffix("\n    psql '</pre> # x\\u{202e}'\n"))
    }

    @Test(arguments: [0.001, 0.01, 0.1, 0.5, 0.7, 3, 11, 12, 100, 599, 600, 5000])
    func noTwoLabelsOfAnAxisAreTheSame(_ seconds: Double) {
        let series = Picture.Series(name: "loaded", points: [(0, 1), (seconds, 1000)])
        let labels = Picture.curves([series], unit: "rows/s").svg("").matches(
            of: /text-anchor="(middle|end)">([^<]+)</
        ).map { "\($0.1) \($0.2)" }
        #expect(labels.count == 12)
        #expect(Set(labels).count == labels.count, "\(labels)")
    }

    @Test func aSentenceIsSaidOnceAndContentsHaveAHeading() {
        let document = Document(
            "t",
            [
                .contents, .heading(2, "Throughput"),
                .picture(
                    .bars([("t", 1, "1")]), caption: "Rows per second, copy: 5 rows", words: "copy: 5 rows"),
            ])
        #expect(document.markdown.matches(of: /copy: 5 rows/).count == 1)
        #expect(document.html.contains("<h2>Contents</h2>"))
    }

    @Test(arguments: [
        ("r.html", Report.Form.html), ("r.HTM", .html), ("r.md", .markdown), ("r.pdf", nil), ("r", nil),
    ]) func theEndingSaysTheForm(_ name: String, _ form: Report.Form?) {
        #expect(Report.Form(path: name) == form)
    }
}
