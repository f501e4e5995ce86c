import Foundation
import MigrationEngine
import TestSupport
import Testing

/// 15: values that an index cannot hold, and rows that a page cannot.
@Suite struct IndexLimitTests {
    /// Texts of 8,000 characters: one that is compressed well, and one that is not.
    private static let rows =
        "INSERT INTO t VALUES (1, printf('%.8000c', 'x'), 1), (2, hex(randomblob(4000)), 2), (3, 'short', 3)"

    @Test(arguments: [
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INT); CREATE INDEX i ON t (a)", "hash",
            "USING hash (a)"
        ),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INT); CREATE UNIQUE INDEX i ON t (a)",
            "digest", "USING btree (md5(a))"
        ),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INT); CREATE INDEX i ON t (b, a)", "leave-out",
            nil
        ),
    ])
    func aValueThatAnIndexCannotHoldIsFoundBeforeTheLoad(_ table: String, _ word: String, _ index: String?)
        throws
    {
        try TestMigration().migrated("\(table); \(Self.rows)") { report, conninfo, _ in
            #expect(report.outcome == .undecided)
            let finding = try #require(report.findings.first { $0.id == .indexRowTooLong })
            // What is compressed fits: only the server can tell.
            #expect(finding.sampleRowids == [2])
            #expect(finding.recommended?.word == word)
            let tables = try TestServer.value(
                "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", in: conninfo)
            #expect(tables == "0")
        }
        try TestMigration(decide: ["recommended"]).migrated("\(table); \(Self.rows)") { report, conninfo, _ in
            #expect(report.outcome == .proven)
            let found = try TestServer.value(
                "SELECT indexdef FROM pg_indexes WHERE indexname = 'i'", in: conninfo)
            #expect(index.map { found?.hasSuffix($0) ?? false } ?? (found == nil))
        }
    }

    @Test(arguments: [(1000, MigrationReport.Outcome.proven, 1), (1100, .quarantined, 0)])
    func aRowThatIsWiderThanAPageIsKeptWhole(_ count: Int, _ outcome: MigrationReport.Outcome, _ loaded: Int)
        throws
    {
        let columns = (1...count).map { "c\($0) INTEGER" }.joined(separator: ", ")
        let values = (1...count).map { "\($0)" }.joined(separator: ", ")
        let script = "CREATE TABLE t (\(columns)); INSERT INTO t VALUES (\(values))"
        try TestMigration(decide: ["recommended"]).migrated(script) { report, _, _ in
            #expect(report.outcome == outcome)
            #expect(report.tables.map(\.loadedRows) == [loaded])
        }
    }
}
