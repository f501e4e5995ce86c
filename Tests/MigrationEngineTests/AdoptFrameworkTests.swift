import MigrationEngine
import Postgres
import TestSupport
import Testing

/// Tables as Django and Rails make them in PostgreSQL, with what their migrations leave in them.
@Suite struct AdoptFrameworkTests {
    /// Makes the framework's tables, which `DjangoMigrationTests` and its like hold against the framework itself, and empties them.
    private func withTables(
        of source: String, _ style: Style, then change: String, _ body: (AdoptedTarget) throws -> Void
    ) throws {
        try AdoptedTarget.with(source: source, target: "SELECT 1") { target in
            var making = TestMigration(decide: ["not-carried=leave-out"])
            making.style = style
            _ = try making.run(target.path, state: target.state + "-made", into: target.conninfo)
            let tables = try target.rows(
                "SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public'")
            try target.execute(
                "DROP SCHEMA howdah CASCADE; TRUNCATE \(tables.joined(separator: ", ")) RESTART IDENTITY")
            try target.execute(change)
            try body(target)
        }
    }

    @Test func djangosTablesAreLoadedBesideItsOwnSeeds() throws {
        let seeds = """
            INSERT INTO django_migrations VALUES (1, 'contenttypes', '0001_initial', now());
            INSERT INTO django_content_type VALUES (1, 'auth', 'group'), (2, 'shop', 'every');
            INSERT INTO auth_permission VALUES (1, 1, 'add_group', 'Can add group');
            ALTER TABLE shop_every ALTER du TYPE interval USING NULL
            """
        try withTables(of: "\(DjangoDatabase.sqlite) \(DjangoMigrationTests.rows)", .django, then: seeds) {
            target in
            let open = try target.run(style: .django)
            let keys = open.findings.filter(\.blocking).map(\.key)
            #expect(keys == ["rows-in-target:django_content_type", "rows-in-target:auth_permission"])
            let report = try target.run(["rows-in-target=replace"], style: .django)
            #expect(report.outcome == .proven, "\(report.findings.map(\.message)) \(report.tables)")
            let rows = try target.rows("SELECT id, model FROM django_content_type ORDER BY id")
            #expect(rows == ["1|every", "2|group"])
            let lengths = try target.rows("SELECT du FROM shop_every ORDER BY du DESC")
            #expect(lengths.first == "1 day 00:00:00.000001")
            let migrations = try target.rows("SELECT app FROM django_migrations")
            #expect(migrations == ["contenttypes"], "they are the target's own")
        }
    }

    @Test func railsTablesAreLoaded() throws {
        let seeds = "INSERT INTO schema_migrations VALUES ('20240506070809')"
        try withTables(of: RailsMigrationTests.sqlite, .rails, then: seeds) { target in
            let report = try target.run(style: .rails)
            #expect(report.outcome == .proven, "\(report.findings.map(\.message)) \(report.tables)")
            #expect(report.exit == 0)
            let next = try target.rows("SELECT nextval('users_id_seq')")
            #expect(next == ["10"])
            let versions = try target.rows("SELECT count(*) FROM schema_migrations")
            #expect(versions == ["1"])
        }
    }
}
