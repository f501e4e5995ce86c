import Testing

@testable import MigrationEngine

@Suite struct PlanReviewTests {
    private func proposed() throws -> MigrationPlan {
        try propose(
            """
            CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
            CREATE TABLE c (a INTEGER REFERENCES p, b VARCHAR(9), at DATETIME); CREATE INDEX i ON c (b);
            INSERT INTO c (at) VALUES (1714979289)
            """
        ).plan
    }

    @Test func thePlanAsMadeHasNothingToSay() throws {
        let plan = try proposed()
        let outcome = try PlanReview.review(plan, proposed: plan)
        #expect(outcome.plan == plan)
        #expect(outcome.findings == [])
        #expect(outcome.objects == [])
        #expect(outcome.changedTypes == [:])
    }

    /// What an edit takes away or changes is in the report, whatever it is.
    @Test func changesToAColumnAreListed() throws {
        let plan = try propose("CREATE TABLE t (id INTEGER PRIMARY KEY, a INT NOT NULL DEFAULT 5, b INT)")
            .plan
        var edited = plan
        edited.tables[0].columns[0].numbering = nil
        edited.tables[0].columns[1].defaultValue = nil
        edited.tables[0].columns[1].notNull = nil
        edited.tables[0].columns[2].type = "text"
        edited.tables[0].columns[2].defaultValue = "'x'"
        edited.tables[0].columns[2].notNull = true
        let objects = try PlanReview.review(edited, proposed: plan).objects
        #expect(
            objects == [
                .leftOut(.sequence, "t.id", "by the plan"), .leftOut(.defaultValue, "t.a", "by the plan"),
                .leftOut(.notNull, "t.a", "by the plan"),
                .changed(.column, "t.b", "text instead of bigint, by the plan"),
                .changed(.defaultValue, "t.b", "'x' instead of none, by the plan"),
                .changed(.notNull, "t.b", "added, by the plan"),
            ])
    }

    @Test func aColumnWithoutATypeIsWrong() throws {
        let plan = try proposed()
        var edited = plan
        edited.tables[0].columns[0].type = " "
        let error = #expect(throws: MigrationError.self) { try PlanReview.review(edited, proposed: plan) }
        #expect(error?.exit == .usage)
    }

    /// A plan is used again after a migration of the application's own has added to the source.
    @Test(arguments: [
        "CREATE UNIQUE INDEX ua ON t (a)", "ALTER TABLE t ADD COLUMN c INT DEFAULT 5",
        "CREATE TABLE u (x INT)",
    ])
    func whatTheSourceHasGainedSinceMustBeDecided(change: String) throws {
        let script = "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT)"
        let old = try propose(script).plan
        let new = try propose("\(script); \(change)").plan
        let findings = try PlanReview.review(old, proposed: new).findings
        #expect(findings.map(\.id) == [.notInPlan])
        #expect(findings.map(\.blocking) == [true])
    }

    @Test func whatWasTakenOutOfThePlanStaysOut() throws {
        let plan = try propose("CREATE TABLE t (a INT UNIQUE); CREATE INDEX i ON t (a)").plan
        var edited = plan
        edited.tables[0].indexes = nil
        let outcome = try PlanReview.review(edited, proposed: plan)
        #expect(outcome.findings == [])
        #expect(outcome.objects == [.leftOut(.index, "i", "by the plan")])
    }

    @Test func aSkippedTableIsListed() throws {
        let plan = try proposed()
        var edited = plan
        edited.tables[1].skip = true
        edited.tables[1].columns = []
        let outcome = try PlanReview.review(edited, proposed: plan)
        #expect(outcome.objects == [.leftOut(.table, "c", "by the plan")])
        #expect(outcome.findings == [])
    }

    @Test func aTableThatThePlanForgetsBlocks() throws {
        let plan = try proposed()
        var edited = plan
        edited.tables.removeFirst()
        let findings = try PlanReview.review(edited, proposed: plan).findings
        #expect(findings.map(\.id) == [.notInPlan])
        #expect(findings.map(\.blocking) == [true])
        #expect(findings.map(\.place) == ["p"])
    }

    @Test func aColumnThatThePlanForgetsBlocks() throws {
        let plan = try proposed()
        var edited = plan
        edited.tables[1].columns.removeLast()
        #expect(try PlanReview.review(edited, proposed: plan).findings.map(\.place) == ["c.at"])
    }

    @Test func changedTypesAndUnitsAreTold() throws {
        let plan = try proposed()
        var edited = plan
        edited.tables[1].columns[1].type = "text"
        edited.tables[1].columns[2].integers = .milliseconds
        edited.tables[0].columns[0].type = "int8"
        #expect(try PlanReview.review(edited, proposed: plan).changedTypes == ["c": ["b", "at"]])
    }

    @Test func keysThatAreTakenOutAreListed() throws {
        let plan = try proposed()
        var edited = plan
        edited.tables[0].primaryKey = nil
        edited.tables[0].uniques = nil
        edited.tables[1].indexes = []
        edited.tables[1].foreignKeys = nil
        let objects = try PlanReview.review(edited, proposed: plan).objects
        #expect(objects.map(\.kind) == [.primaryKey, .unique, .index, .foreignKey])
        #expect(objects.map(\.name) == ["p_pkey", "p_name_key", "i", "c_a_fkey"])
        #expect(objects.allSatisfy { $0.state == .leftOut && !$0.isUnexplained })
    }

    @Test(arguments: [
        "table x", "column p.x", "column c.zz", "table p is there twice", "column of p is there twice",
        "key of c has no columns",
    ])
    func whatIsNotInTheSourceIsRefused(message: String) throws {
        let plan = try proposed()
        var edited = plan
        switch message {
        case "table x": edited.tables[0].name = "x"
        case "column p.x": edited.tables[0].columns[1].name = "x"
        case "column c.zz": edited.tables[1].indexes?[0].columns = ["zz"]
        case "table p is there twice": edited.tables.append(edited.tables[0])
        case "column of p is there twice": edited.tables[0].columns.append(edited.tables[0].columns[0])
        default: edited.tables[1].indexes?[0].columns = []
        }
        let error = #expect(throws: MigrationError.self) { try PlanReview.review(edited, proposed: plan) }
        #expect(error?.code == .plan)
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }
}
