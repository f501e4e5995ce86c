import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

@testable import Operations

/// Triggers and rules: what they do beyond a statement, a load test must not leave behind, nor have an application wait for.
@Suite struct LoadTriggerTests {
    /// Every insert of a room takes a number, slowly.
    private static let counted = """
        CREATE SEQUENCE public.numbers;
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            PERFORM nextval('public.numbers'), pg_sleep(0.2); RETURN NEW; END $$;
        CREATE TRIGGER note BEFORE INSERT OR UPDATE ON room FOR EACH ROW EXECUTE FUNCTION note();
        """

    private var live: LoadOptions {
        var options = LoadOptions(connections: 2, seconds: 0.5)
        options.isLive = true
        return options
    }

    @Test func anApplicationAtWorkNeverWaitsForASequence() throws {
        try LoadFixture.with { fixture in
            try TestServer.execute(Self.counted, in: fixture.conninfo)
            let outcome = LoadOutcome()
            outcome.start(fixture.test(live))
            let application = try TestServer.connect(fixture.conninfo)
            // It waits for no lock at all, so that one that is held is seen however short it is.
            try application.execute("SET lock_timeout = 20")
            #expect(
                throws: Never.self,
                performing: {
                    while !outcome.isThere { _ = try application.query("SELECT nextval('public.numbers')") }
                })
            let report = try outcome.get()
            for kind in [LoadKind.insert, .update] {
                let gap = report.gaps.first { $0.table == "room" && $0.kind == kind }
                #expect(gap?.reason.contains("could take numbers") ?? false, "\(report.gaps)")
            }
            #expect(report.errors == 0)
            #expect(
                report.kinds.first { $0.kind == .insert }?.postgres?.count ?? 0 > 0, "other tables' are asked"
            )
        }
    }

    @Test func aSequenceThatTheRoleMayNotReadIsNotMovedUnseen() throws {
        try LoadFixture.with { fixture in
            try fixture.withRole { _, target in
                try TestServer.execute(
                    """
                    CREATE SEQUENCE public.hidden;
                    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
                        PERFORM nextval('public.hidden'); RETURN NEW; END $$;
                    CREATE TRIGGER note AFTER INSERT OR UPDATE ON room FOR EACH ROW EXECUTE FUNCTION note();
                    """, in: fixture.conninfo)
                let before = try fixture.content()
                let report = try fixture.run(LoadOptions(connections: 1, seconds: 0.3), on: target)
                for kind in [LoadKind.insert, .update] {
                    let gap = report.gaps.first { $0.table == "room" && $0.kind == kind }
                    #expect(gap?.reason.contains("cannot be") ?? false, "\(report.gaps)")
                }
                #expect(try fixture.content() == before)
            }
        }
    }

    @Test func triggersOfPartitionsAndOfHeirsAreTheTablesOwn() throws {
        try TestServer.withDatabase { conninfo in
            try TestServer.execute(
                """
                CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
                CREATE TABLE parted (id int) PARTITION BY RANGE (id);
                CREATE TABLE middle PARTITION OF parted FOR VALUES FROM (0) TO (9) PARTITION BY RANGE (id);
                CREATE TABLE leaf PARTITION OF middle FOR VALUES FROM (0) TO (5);
                CREATE TRIGGER note BEFORE INSERT ON leaf FOR EACH ROW EXECUTE FUNCTION note();
                CREATE TABLE parent (id int); CREATE TABLE heir () INHERITS (parent);
                CREATE RULE also AS ON UPDATE TO heir DO ALSO NOTIFY changed;
                CREATE TABLE plain (id int); CREATE TABLE idle (id int);
                CREATE TRIGGER note BEFORE INSERT ON idle FOR EACH ROW EXECUTE FUNCTION note();
                ALTER TABLE idle DISABLE TRIGGER note;
                """, in: conninfo)
            let tables = try LoadCatalog(schema: "public").tables(
                ["parted", "parent", "plain", "idle"], TestServer.connect(conninfo))
            #expect(
                tables.map { "\($0.name) \($0.hasTriggers)" } == [
                    "idle false", "parent true", "parted true", "plain false",
                ])
        }
    }

    @Test func aWishToStopEndsTrialsToo() throws {
        try LoadFixture.with { fixture in
            try TestServer.execute(
                """
                CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(6); RETURN NEW; END $$;
                CREATE TRIGGER slow BEFORE INSERT ON device FOR EACH ROW EXECUTE FUNCTION slow();
                """, in: fixture.conninfo)
            let (cancellation, ledger, outcome) = (Cancellation(), MemoryLedger(), LoadOutcome())
            outcome.start(
                fixture.test(
                    LoadOptions(connections: 1, seconds: 60, isScratch: true), cancellation: cancellation,
                    ledger: ledger))
            let server = try TestServer.connect(TestServer.conninfo())
            #expect(
                waitUntil {
                    let name = ledger.made.first ?? ""
                    let sql = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = $1"
                    return (try? server.query(sql, [name]).count) == 1
                })
            let start = ContinuousClock.now
            cancellation.cancel()
            #expect(waitUntil { outcome.isThere })
            // The rows that were still to be tried would take six seconds each.
            #expect(ContinuousClock.now - start < .seconds(6))
            let error = #expect(throws: MigrationError.self) { try outcome.get() }
            #expect(error?.code == .cancelled)
            #expect(ledger.made == ledger.gone)
        }
    }

    @Test func aSessionThatStopsInATransactionKeepsItsLocksForSecondsOnly() throws {
        try TestServer.withDatabase { conninfo in
            let connection = try TestServer.connect(conninfo)
            try connection.execute(LoadOptions().settings)
            let limit = try connection.query("SHOW idle_in_transaction_session_timeout").text(0, 0)
            #expect(limit == "5s")
        }
    }
}
