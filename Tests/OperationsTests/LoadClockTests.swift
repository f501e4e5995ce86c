import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

@testable import Operations

/// How long is asked, and whether that was enough to say anything.
@Suite struct LoadClockTests {
    @Test func thePauseIsNoPartOfTheTime() throws {
        try LoadFixture.with { fixture in
            let (gate, outcome) = (PauseGate(), LoadOutcome())
            gate.close()
            outcome.start(fixture.test(LoadOptions(connections: 2, seconds: 1), gate: gate))
            let name = fixture.conninfo["dbname"] ?? ""
            let server = try TestServer.connect(TestServer.conninfo())
            // Longer than the test would take: its time must be over before the gate opens.
            let sql = """
                SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'howdah load%'
                    AND state = 'idle' AND now() - state_change > interval '2 s'
                """
            #expect(waitUntil { (try? server.query(sql, [name]).count) ?? 0 >= 1 })
            #expect(!outcome.isThere)
            gate.open()
            #expect(waitUntil { outcome.isThere })
            let report = try outcome.get()
            #expect(report.queries > 20, "what was paused is asked afterwards")
            #expect(report.seconds > 0.9 && report.thin == [], "\(report.seconds) \(report.thin ?? [])")
        }
    }

    @Test func whatWasHardlyAskedIsNamed() throws {
        let script = """
            CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)
            INSERT INTO note SELECT i, 'text ' || i FROM n;
            """
        try LoadFixture.with(script) { fixture in
            try TestServer.execute(
                """
                CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.3); RETURN NEW; END $$;
                CREATE TRIGGER slow BEFORE UPDATE ON note FOR EACH ROW EXECUTE FUNCTION slow();
                """, in: fixture.conninfo)
            let report = try fixture.run(LoadOptions(connections: 1, seconds: 0.6))
            #expect(report.errors == 0, "\(report.failures)")
            #expect(report.thin?.contains { $0.hasPrefix("update a row: ") } ?? false, "\(report.thin ?? [])")
        }
    }
}
