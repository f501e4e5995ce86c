import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

/// What a role must be allowed to compare a target: to read it, and nothing else.
@Suite struct ForeignTargetRightsTests {
    @Test func aRoleThatMaySelectIsEnoughAndNothingIsWritten() throws {
        try ForeignTarget.with(
            source:
                "CREATE TABLE a (id INTEGER PRIMARY KEY, s TEXT); CREATE TABLE b (k TEXT PRIMARY KEY); INSERT INTO b VALUES ('x')",
            target: """
                CREATE TABLE a (id bigserial PRIMARY KEY, s text, extra int); CREATE TABLE b (k text PRIMARY KEY);
                INSERT INTO b VALUES ('x'); REVOKE ALL ON SCHEMA public FROM PUBLIC
                """
        ) { target in
            let database = try #require(try target.rows("SELECT current_database()").first)
            try target.execute(
                """
                REVOKE TEMPORARY ON DATABASE \(database) FROM PUBLIC;
                ALTER DATABASE \(database) SET default_transaction_read_only = on
                """)
            let admin = target.conninfo.setting("options", to: "-c default_transaction_read_only=off")
            let writer = ForeignTarget(path: target.path, state: target.state, conninfo: admin)
            try writer.withReader { role in
                let before = try target.rows("SELECT oid FROM pg_class ORDER BY 1")
                let report = try target.validate(as: role)
                #expect(report.outcome == .proven, "\(report.tables)")
                #expect(try target.rows("SELECT oid FROM pg_class ORDER BY 1") == before)
                #expect(try target.rows("SELECT nspname FROM pg_namespace WHERE nspname = 'howdah'") == [])
            }
        }
    }

    @Test func tablesThatMayNotBeReadAreNamedWithWhatToGrant() throws {
        try ForeignTarget.with(
            source:
                "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (id INTEGER PRIMARY KEY, s TEXT); CREATE TABLE c (id INTEGER PRIMARY KEY)",
            target: """
                CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, s text, hidden text);
                CREATE TABLE c (id int PRIMARY KEY); ALTER TABLE c ENABLE ROW LEVEL SECURITY
                """
        ) { target in
            try target.withReader(tables: "a, c") { role in
                try target.execute("GRANT SELECT (id) ON b TO \(role)")
                let error = #expect(throws: MigrationError.self) { try target.validate(as: role) }
                #expect(
                    error?.message
                        == "you may not read 2 tables of the target, and nothing was compared: b (s); c: row-level security hides "
                        + "rows of it from you")
                #expect(error?.remedy.contains("ON ALL TABLES IN SCHEMA \"public\", TO \"\(role)\"") == true)
                // Only what is asked for must be readable, and no more columns than are compared.
                #expect(try target.validate(["a"], as: role).table("a")?.verdict == "equal")
                try target.execute("GRANT SELECT (s) ON b TO \(role)")
                let report = try target.validate(["b"], as: role)
                #expect(report.table("b")?.verdict == "equal")
                #expect(report.notes("b") == ["the source has no column hidden"])
            }
            try target.execute(
                "CREATE SCHEMA closed; ALTER TABLE a SET SCHEMA closed; ALTER TABLE b SET SCHEMA closed")
            try target.withReader(tables: "closed.a") { role in
                let error = #expect(throws: MigrationError.self) { try target.validate(["a"], as: role) }
                #expect(error?.message == "you may not look into the target's schema closed")
                #expect(error?.remedy.contains("GRANT USAGE ON SCHEMA \"closed\"") == true)
            }
        }
    }
}
