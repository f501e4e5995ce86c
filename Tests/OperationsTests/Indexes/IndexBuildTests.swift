import MigrationEngine
import Postgres
import TestSupport
import Testing

@testable import Operations

/// Indexes that are made on a database in use, and what becomes of builds that fail.
@Suite struct IndexBuildTests {
    @Test func whatIsAdvisedIsMadeAndTakenBack() throws {
        try IndexFixture.with { fixture in
            for advice in try fixture.report().advice { _ = try fixture.build().apply(advice) }
            #expect(try fixture.report().advice.isEmpty)
            #expect(
                fixture.ledger.states == [
                    .building, .made, .building, .made, .building, .made, .building, .made,
                ])
            let done = try fixture.build().undo()
            #expect(done.count == 4 && done.allSatisfy { $0.hasPrefix("dropped ") })
            #expect(try fixture.report().advice.count == 4)
            #expect(try fixture.build().undo() == [])
        }
    }

    @Test func anIndexThatSomebodyHasChangedSinceStays() throws {
        try IndexFixture.with { fixture in
            let advice = try #require(try fixture.report().advice.first { $0.id == "index:Message.senderId" })
            _ = try fixture.build().apply(advice)
            try TestServer.execute(
                """
                DROP INDEX "Message_senderId_idx"; CREATE INDEX "Message_senderId_idx" ON "Message" ("senderId", id)
                """, in: fixture.conninfo)
            #expect(
                try fixture.build().undo() == [
                    "Message_senderId_idx stays: it is not as howdah has made it any more"
                ])
            #expect(try fixture.indexes("Message_senderId%") == ["Message_senderId_idx|t"])
        }
    }

    @Test func anIndexThatIsDroppedComesBackAsItWas() throws {
        try IndexFixture.with(
            "CREATE TABLE t (a int, b int); CREATE UNIQUE INDEX x ON t (a) WHERE b > 1; CREATE UNIQUE INDEX y ON t (a) WHERE b > 1"
        ) { fixture in
            let before = try TestServer.value("SELECT pg_get_indexdef('x'::regclass)", in: fixture.conninfo)
            let advice = try #require(try fixture.report().advice.first { $0.id == "drop:x" })
            #expect(try fixture.build().apply(advice) == "dropped x on t")
            #expect(try fixture.indexes("x").isEmpty)
            #expect(try fixture.build().undo() == ["x is back"])
            #expect(
                try TestServer.value("SELECT pg_get_indexdef('x'::regclass)", in: fixture.conninfo) == before)
            #expect(try fixture.build().undo() == [])
        }
    }

    @Test func aBuildThatFailsLeavesNothing() throws {
        try IndexFixture.with("CREATE TABLE t (a int); INSERT INTO t VALUES (7), (7)") { fixture in
            let advice = fixture.advice(
                "CREATE UNIQUE INDEX CONCURRENTLY once ON t (a)", index: "once", table: "t", columns: ["a"])
            let error = #expect(throws: MigrationError.self) { try fixture.build().apply(advice) }
            #expect(
                error?.message.hasPrefix("once could not be built: could not create unique index") ?? false)
            #expect(!(error?.message.contains("(7)") ?? true), "a row's value is in no message")
            let left = try fixture.indexes("once")
            #expect(left.isEmpty)
            #expect(fixture.ledger.states == [.building, .over])
        }
    }

    @Test func aTakenNameIsNotOurs() throws {
        try IndexFixture.with("CREATE TABLE t (a int); CREATE INDEX mine ON t (a)") { fixture in
            let advice = fixture.advice(
                "CREATE INDEX CONCURRENTLY mine ON t (a)", index: "mine", table: "t", columns: ["a"])
            let error = #expect(throws: MigrationError.self) { try fixture.build().apply(advice) }
            #expect(error?.message.hasPrefix("mine is there already: CREATE INDEX mine") ?? false)
            #expect(fixture.ledger.states.isEmpty)
            let left = try fixture.indexes("mine")
            #expect(left == ["mine|t"])
        }
    }

    /// A transaction that was open before, of another session.
    private func whileATransactionIsOpen(
        _ body: (IndexFixture) throws -> Void
    ) throws {
        try IndexFixture.with("CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE TABLE other (a int)")
        { fixture in
            let connection = try Connection(fixture.conninfo, applicationName: "the long report")
            try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM other")
            try body(fixture)
            try connection.execute("ROLLBACK")
        }
    }

    private static let sql = "CREATE INDEX CONCURRENTLY slow ON t (a)"

    @Test func aBuildSaysForWhomItWaitsAndIsCancelled() throws {
        try whileATransactionIsOpen { fixture in
            let (cancellation, progress) = (Cancellation(), RunProgress())
            let advice = fixture.advice(Self.sql, index: "slow", table: "t", columns: ["a"])
            let build = fixture.build(cancellation: cancellation, progress: progress)
            let outcome = Outcome { try build.apply(advice) }
            #expect(waitUntil { progress.waiting?.contains("waits for the long report (process ") ?? false })
            #expect(progress.waiting?.contains("idle in transaction") ?? false)
            #expect(try fixture.indexes("slow") == ["slow|f"])
            cancellation.cancel()
            #expect(waitUntil(seconds: 30) { outcome.isThere })
            let error = #expect(throws: MigrationError.self) { try outcome.get() }
            #expect(error?.code == .cancelled)
            let left = try fixture.indexes("slow")
            #expect(left.isEmpty)
            #expect(fixture.ledger.states == [.building, .over])
        }
    }

    @Test func aBuildThatWaitsTooLongNamesTheSession() throws {
        try whileATransactionIsOpen { fixture in
            let advice = fixture.advice(Self.sql, index: "slow", table: "t", columns: ["a"])
            let error = #expect(throws: MigrationError.self) {
                try fixture.build(lockTimeout: .seconds(2)).apply(advice)
            }
            #expect(
                error?.message.contains("waited 2.00 s for the long report (process ") ?? false,
                "\(error?.message ?? "")")
            let left = try fixture.indexes("slow")
            #expect(left.isEmpty)
        }
    }

    /// What a killed howdah leaves: the record, and what the server has made of it by then.
    @Test(arguments: [true, false]) func whatAKilledBuildLeftIsDroppedOrKeptWhereTheServerHasFinishedIt(
        isValid: Bool
    ) throws {
        try IndexFixture.with("CREATE TABLE t (a int); CREATE INDEX left_over ON t (a)") { fixture in
            try TestServer.execute(
                "UPDATE pg_index SET indisvalid = \(isValid) WHERE indexrelid = 'left_over'::regclass",
                in: fixture.conninfo)
            fixture.ledger.add(
                IndexRecord(
                    id: "index:t.a", schema: "public", table: "t", name: "left_over", columns: ["a"],
                    state: .building))
            if isValid {
                #expect(try fixture.report().advice.isEmpty)
                #expect(try fixture.build().undo() == ["dropped left_over"])
            } else {
                let advice = try #require(try fixture.report().advice.first)
                #expect(try fixture.build().apply(advice) == "dropped left_over, which was never finished")
            }
            #expect(try fixture.indexes("left_over").isEmpty)
            #expect(fixture.ledger.records.map(\.state) == [.over])
        }
    }
}
