import SQLite
import TestSupport
import Testing

@testable import MigrationEngine

@Suite struct NullReviewTests {
    private func review(
        _ script: String, edit: (inout MigrationPlan.Table) -> Void = { _ in }
    ) throws -> [Finding] {
        let (catalog, profiles) = try readProfiles(script)
        var plan = Planner(
            catalog: catalog, profiles: profiles, style: .plain, hints: nil, schema: "public", snapshot: "s"
        ).propose().plan
        edit(&plan.tables[0])
        return try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", script)
            let connection = try SQLite.Connection(path: "\(folder)/a.db", mode: .readOnly)
            return try NullReview.findings(plan, catalog.tables, profiles) { table, column in
                try RowSamples.nulls(in: column, of: table, connection)
            }
        }
    }

    @Test func aNullInAKeyNamesItsRows() throws {
        let findings = try review(
            "CREATE TABLE t (a TEXT PRIMARY KEY); INSERT INTO t VALUES (NULL), ('x'), (NULL)")
        #expect(findings.map(\.id) == [.nullInKey])
        #expect(findings.map(\.blocking) == [true])
        #expect(findings.map(\.count) == [2])
        #expect(findings.map(\.sampleRowids) == [[1, 3]])
    }

    @Test func aNullInAColumnDeclaredNotNullNamesItsRows() throws {
        let findings = try review(
            """
            CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('x'), (NULL); PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = 'CREATE TABLE t (a TEXT NOT NULL)'
            """)
        #expect(findings.map(\.id) == [.nullInNotNull])
        #expect(findings.map(\.sampleRowids) == [[2]])
    }

    @Test func fiveRowsAreNamedAtMost() throws {
        let findings = try review(
            "CREATE TABLE t (a TEXT PRIMARY KEY); INSERT INTO t VALUES (NULL), (NULL), (NULL), (NULL), (NULL), (NULL)"
        )
        #expect(findings.map(\.count) == [6])
        #expect(findings.map(\.sampleRowids) == [[1, 2, 3, 4, 5]])
    }

    @Test func aColumnThatTheOperatorMakesNotNullIsHeldToIt() throws {
        let script = "CREATE TABLE t (a TEXT); INSERT INTO t VALUES (NULL)"
        #expect(try review(script) == [])
        #expect(try review(script) { $0.columns[0].notNull = true }.map(\.id) == [.nullInNotNull])
        #expect(
            try review(script) { $0.primaryKey = .init(name: "k", columns: ["a"]) }.map(\.id) == [.nullInKey])
    }

    @Test func aColumnThatTheOperatorFreesIsSettled() throws {
        let script = "CREATE TABLE t (a TEXT PRIMARY KEY); INSERT INTO t VALUES (NULL)"
        let findings = try review(script) {
            $0.primaryKey = nil
            $0.columns[0].notNull = nil
        }
        #expect(findings == [])
        #expect(try review(script) { $0.skip = true } == [])
    }

    @Test func aTableWithoutRowidsNamesKeys() throws {
        let findings = try review(
            "CREATE TABLE t (k TEXT, n INT, a TEXT, PRIMARY KEY (k, n)) WITHOUT ROWID; INSERT INTO t VALUES ('x', 1, NULL)"
        ) { $0.columns[2].notNull = true }
        #expect(findings.map(\.sampleKeys) == [["'x', 1"]])
        #expect(findings.map(\.sampleRowids) == [[]])
    }
}
