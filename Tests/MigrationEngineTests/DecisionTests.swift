import TestSupport
import Testing

@testable import MigrationEngine

/// What `--decide` and the plan's decisions make of findings.
@Suite struct DecisionTests {
    private static let orphans = """
        CREATE TABLE p (id INTEGER PRIMARY KEY, n TEXT);
        CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id), q INTEGER REFERENCES p (id));
        INSERT INTO p VALUES (1, 'a');
        INSERT INTO c VALUES (1, 1, 1), (2, 9, 1), (3, 1, 9), (4, NULL, 1)
        """

    private func outcome(_ script: String, _ words: [String]) throws -> MigrationReport {
        try TestMigration(decide: words).migrated(script) { report, _, _ in report }
    }

    @Test func aFindingSaysWhatMayBeDecidedAndWhatComesOfIt() throws {
        let report = try outcome(Self.orphans, [])
        let findings = report.findings.filter(\.blocking)
        #expect(findings.map(\.key) == ["orphan-rows:c.p", "orphan-rows:c.q"])
        let words = findings.map { $0.choices.map(\.word) }
        #expect(words == Array(repeating: ["not-valid", "quarantine", "set-null", "leave-out"], count: 2))
        #expect(findings.allSatisfy { $0.recommended?.word == "not-valid" && $0.decision == nil })
        #expect(findings.allSatisfy { $0.choices.allSatisfy { !$0.consequence.isEmpty } })
    }

    @Test(
        arguments: [
            (["orphan-rows=quarantine"], MigrationReport.Outcome.quarantined, 2),
            (["orphan-rows=quarantine", "orphan-rows:c.q=set-null"], .quarantined, 1),
            (["orphan-rows:c=set-null"], .proven, 0),
            (["orphan-rows:c.p=quarantine"], .undecided, 0),
            (["orphan-rows=leave-out"], .proven, 0), (["recommended"], .proven, 0),
            (["recommended", "orphan-rows:c.p=quarantine"], .quarantined, 1),
        ] as [([String], MigrationReport.Outcome, Int)])
    func aRuleHoldsForAKindAndAnExceptionForAPlace(
        words: [String], outcome: MigrationReport.Outcome, quarantined: Int
    ) throws {
        let report = try self.outcome(Self.orphans, words)
        #expect(report.outcome == outcome, "\(report.findings.map(\.message))")
        #expect(report.tables.map(\.quarantinedRows).reduce(0, +) == quarantined)
        let codes: [MigrationReport.Outcome: Int32] = [.quarantined: 5, .proven: 0, .undecided: 3]
        #expect(report.exit == codes[outcome])
    }

    @Test func aDecisionStaysInThePlan() throws {
        try withTemporaryFolder { folder in
            let (path, state) = ("\(folder)/a.db", "\(folder)/state")
            try makeDatabase(path, Self.orphans)
            let store = PlanStore(
                try StateFolder.open(source: path, project: nil, override: state, environment: [:]))
            let words = ["orphan-rows:c.p=set-null", "orphan-rows:c.q=quarantine"]
            let first = try TestMigration(decide: words).prepare(path, state: state)
            #expect(first.blocking.isEmpty)
            #expect(first.findings.filter { $0.decision != nil }.map(\.source) == [.operator, .operator])
            try store.keep(first)

            let second = try TestMigration().prepare(path, state: state)
            #expect(second.blocking.isEmpty)
            #expect(second.findings.filter { $0.decision != nil }.map(\.source) == [.plan, .plan])
            #expect(second.decidedRows?.quarantined == ["c": 1])

            // A later word wins over an earlier one.
            let third = try TestMigration(decide: ["orphan-rows=set-null", "orphan-rows:c.q=not-valid"])
                .prepare(path, state: state)
            try store.keep(third)
            let fourth = try TestMigration().prepare(path, state: state)
            #expect(fourth.plan.tables[1].foreignKeys?.map(\.notValid) == [nil, true])
            #expect(fourth.decidedRows?.quarantined == [:])
        }
    }

    @Test func aChoiceThatAFindingDoesNotHaveIsAnError() throws {
        for words in [["orphan-rows:c.p=bytea"], ["orphan-rows:c=strip"]] {
            let error = #expect(throws: MigrationError.self) { try outcome(Self.orphans, words) }
            #expect(error?.exit == .usage)
            #expect(error?.remedy.contains("not-valid, quarantine, set-null, leave-out") == true)
        }
        #expect(Decision("no-such-finding=quarantine") == nil)
        #expect(Decision("orphan-rows") == nil)
    }

    @Test func anObjectThatCannotBeCarriedWaitsForAWord() throws {
        let script = "CREATE TABLE t (a TEXT UNIQUE ON CONFLICT REPLACE); INSERT INTO t VALUES ('x')"
        let open = try outcome(script, [])
        #expect(open.exit == 3)
        #expect(open.tables.isEmpty, "no data moves before it is decided")
        let decided = try outcome(script, ["not-carried=leave-out"])
        #expect(decided.outcome == .proven)
        #expect(decided.objects.first { $0.kind == .conflictClause }?.reason?.contains("by decision") == true)
    }

    @Test func aTypeThatIsDecidedHoldsEveryValue() throws {
        let script = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, m INTEGER);
            INSERT INTO t VALUES (1, 5, 'x'), (2, 'five', 2), (3, 2.5, 3)
            """
        let report = try TestMigration(decide: ["value-does-not-fit=text"]).migrated(script) {
            report, conninfo, _ in
            let values = try TestServer.value(
                "SELECT string_agg(n || m, ' ' ORDER BY id) FROM t", in: conninfo)
            #expect(values == "5x five2 2.53")
            return report
        }
        #expect(report.outcome == .proven)
    }
}
