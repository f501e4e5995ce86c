import MigrationEngine
import TestSupport
import Testing

/// Full-text and R*Tree tables, whose rows are in no other table.
@Suite struct VirtualTableTests {
    private static let search = """
        CREATE VIRTUAL TABLE docs USING fts5(title, body UNINDEXED, tokenize = 'porter');
        INSERT INTO docs (rowid, title, body) VALUES (7, 'Größe', 'it''s'), (9, NULL, 'one two'), (12, 'two', '')
        """
    private static let spatial = """
        CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1, y0, y1, +label TEXT);
        INSERT INTO boxes VALUES (1, 0.5, 2, -1, 1, 'a'), (5, 10, 11, 10, 12.25, NULL)
        """

    @Test(arguments: [
        (search, "not-carried:virtual table docs", ["table", "leave-out"]),
        (spatial, "not-carried:virtual table boxes", ["table", "leave-out"]),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a); CREATE VIRTUAL TABLE f USING fts5(a, content='t')",
            "not-carried:virtual table f", ["leave-out", "table"]
        ),
    ])
    func whatBecomesOfItIsTheOperatorsWord(_ script: String, _ key: String, _ choices: [String]) throws {
        try TestMigration().migrated(script) { report, _, _ in
            #expect(report.outcome == .undecided)
            #expect(report.findings.map(\.key) == [key])
            #expect(report.findings.first?.choices.map(\.word) == choices)
        }
    }

    @Test(arguments: [["not-carried:virtual table docs=table"], ["recommended"]])
    func aFullTextTableBecomesATableThatCanBeSearched(_ words: [String]) throws {
        try TestMigration(decide: words).migrated(Self.search) { report, conninfo, folder in
            #expect(report.outcome == .proven)
            #expect(report.tables.map(\.loadedRows) == [3])
            let rows = try TestServer.rows("SELECT rowid, title, body FROM docs ORDER BY rowid", in: conninfo)
            #expect(rows == ["7|Größe|it's", "9|NULL|one two", "12|two|"])
            let index = try TestServer.value(
                "SELECT indexdef FROM pg_indexes WHERE indexname = 'docs_search'", in: conninfo)
            #expect(index?.contains("USING gin (to_tsvector('simple'::regconfig") ?? false)
            let found = try TestServer.rows(
                "SELECT rowid FROM docs WHERE to_tsvector('simple', coalesce(title, '') || ' ' || coalesce(body, '')) @@ to_tsquery('simple', 'two') ORDER BY 1",
                in: conninfo)
            #expect(found == ["9", "12"])
            let again = try TestMigration(decide: words).validate(
                "\(folder)/source.db", state: "\(folder)/state", against: conninfo)
            #expect(again.outcome == .proven)
        }
    }

    @Test func anRTreeBecomesATableWithAnIndexOverBoxes() throws {
        try TestMigration(decide: ["recommended"]).migrated(Self.spatial) { report, conninfo, _ in
            #expect(report.outcome == .proven)
            let rows = try TestServer.rows("SELECT * FROM boxes ORDER BY id", in: conninfo)
            #expect(rows == ["1|0.5|2|-1|1|a", "5|10|11|10|12.25|NULL"])
            let index = try TestServer.value(
                "SELECT indexdef FROM pg_indexes WHERE indexname = 'boxes_box'", in: conninfo)
            #expect(index?.contains("USING gist (box(") ?? false)
        }
    }

    @Test func aTableThatIsLeftOutIsListed() throws {
        try TestMigration(decide: ["not-carried=leave-out"]).migrated(Self.search) { report, _, _ in
            #expect(report.outcome == .proven)
            #expect(report.objects.filter { $0.kind == .virtualTable }.map(\.state) == [.leftOut])
        }
    }

    @Test func anotherModulesTableCanOnlyBeLeftOut() throws {
        try TestMigration().migrated("CREATE VIRTUAL TABLE d USING dbstat") { report, _, _ in
            #expect(report.findings.map { $0.choices.map(\.word) } == [["leave-out"]])
        }
    }
}
