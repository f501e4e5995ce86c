import Testing

@testable import MigrationEngine

@Suite struct ForeignKeyReviewTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let parent: String
        let child: String
        let findings: [Finding.ID]
        let rows: String

        init(_ parent: String, _ child: String, _ findings: [Finding.ID], rows: String = "") {
            self.rows = rows
            self.parent = parent
            self.child = child
            self.findings = findings
        }

        var testDescription: String { "\(child) to \(parent)" }
    }

    @Test(arguments: [
        Case("p (id INTEGER PRIMARY KEY)", "a INTEGER REFERENCES p", []),
        Case("p (id INTEGER PRIMARY KEY)", "a BIGINT REFERENCES p (ID)", []),
        Case("p (id INT UNIQUE)", "a INT REFERENCES p (id)", []),
        Case(
            "p (x INT, y INT, PRIMARY KEY (x, y))", "a INT, b INT, FOREIGN KEY (a, b) REFERENCES p (y, x)", []
        ),
        Case("p (id TEXT PRIMARY KEY)", "a VARCHAR(9) REFERENCES p", []),
        Case("p (id INTEGER PRIMARY KEY)", "a INTEGER REFERENCES nowhere (id)", [.foreignKeyParentMissing]),
        Case("p (id INTEGER PRIMARY KEY)", "a INTEGER REFERENCES p (x)", [.foreignKeyParentMissing]),
        Case("p (id INTEGER)", "a INTEGER REFERENCES p", [.foreignKeyParentMissing]),
        Case("p (id INTEGER)", "a INTEGER REFERENCES p (id)", [.foreignKeyParentNotUnique]),
        Case("p (x INT, y INT, PRIMARY KEY (x, y))", "a INT REFERENCES p (x)", [.foreignKeyParentNotUnique]),
        // Linked columns get one type where one holds the values of both, see LinkedTypes.
        Case("p (id TEXT PRIMARY KEY)", "a INTEGER REFERENCES p", []),
        Case(
            "p (id TEXT PRIMARY KEY)", "a INTEGER REFERENCES p", [.foreignKeyTypes],
            rows: "INSERT INTO p VALUES ('1'); INSERT INTO c VALUES (1)"),
        Case(
            "p (id INTEGER PRIMARY KEY)", "a TEXT REFERENCES p", [.foreignKeyTypes],
            rows: "INSERT INTO c VALUES ('1')"),
        Case(
            "p (id BLOB PRIMARY KEY)", "a TEXT REFERENCES p", [.foreignKeyTypes],
            rows: "INSERT INTO p VALUES (x'00'); INSERT INTO c VALUES ('1')"),
        Case("p (id NUMERIC(10,2) PRIMARY KEY)", "a NUMERIC(8,2) REFERENCES p", []),
        Case("p (id NUMERIC PRIMARY KEY)", "a NUMERIC(8,2) REFERENCES p", []),
    ])
    func whatPostgreSQLAsksOfAKeyIsTold(_ test: Case) throws {
        let plan = try propose("CREATE TABLE \(test.parent); CREATE TABLE c (\(test.child)); \(test.rows)")
            .plan
        let findings = ForeignKeyReview.findings(plan)
        #expect(findings.map(\.id) == test.findings)
        let blocking = findings.filter(\.blocking)
        #expect(blocking.count == findings.count)
    }

    @Test func aUniqueIndexMakesAParentUnique() throws {
        let plan = try propose(
            "CREATE TABLE p (id INT); CREATE UNIQUE INDEX i ON p (id); CREATE TABLE c (a INT REFERENCES p (id))"
        ).plan
        #expect(ForeignKeyReview.findings(plan) == [])
    }

    @Test func aPartialUniqueIndexDoesNot() throws {
        let plan = try propose(
            "CREATE TABLE p (id INT); CREATE UNIQUE INDEX i ON p (id) WHERE id > 0; CREATE TABLE c (a INT REFERENCES p (id))"
        ).plan
        #expect(ForeignKeyReview.findings(plan).map(\.id) == [.foreignKeyParentNotUnique])
    }

    @Test func aSkippedParentIsMissingAndASkippedChildAsksForNothing() throws {
        var plan = try propose(
            "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (a INTEGER REFERENCES p)"
        ).plan
        plan.tables[0].skip = true
        #expect(ForeignKeyReview.findings(plan).map(\.id) == [.foreignKeyParentMissing])
        plan.tables[1].skip = true
        #expect(ForeignKeyReview.findings(plan) == [])
    }

    @Test(arguments: [
        ("numeric(10,2)", "numeric", true), ("time(3)", "time", true),
        ("timestamptz(3)", "timestamptz", true),
        ("timestamp(3)", "timestamp", true), ("smallint", "bigint", true), ("text", "varchar(3)", true),
        ("text", "bigint", false),
        ("boolean", "integer", false), ("uuid", "text", false), ("\"A\"", "\"B\"", false),
        ("\"A\"", "\"A\"", true),
        ("bytea", "text", false), ("citext", "citext", true),
    ])
    func typesOfOneFamilyMayBeJoined(one: String, other: String, isSame: Bool) {
        #expect((PostgresType(one).family == PostgresType(other).family) == isSame)
    }
}
