import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

/// A database of Django's, migrated to a real PostgreSQL and held against what Django makes there itself.
@Suite struct DjangoMigrationTests {
    static let rows = """
        INSERT INTO django_migrations VALUES (1, 'contenttypes', '0001_initial', '2026-11-23 15:35:33.406335'),
            (17, 'shop', '0001_initial', '2026-11-23 15:35:33');
        INSERT INTO django_content_type VALUES (1, 'shop', 'every'), (2, 'auth', 'group');
        INSERT INTO auth_permission VALUES (1, 1, 'add_every', 'Can add every');
        INSERT INTO auth_group VALUES (3, 'größe 東京');
        INSERT INTO auth_group_permissions VALUES (9, 3, 1);
        INSERT INTO django_session VALUES ('k', 'e30:1r', '2026-12-07 15:35:33.000001');
        INSERT INTO shop_maker VALUES (1, 'a'), (5, ''); INSERT INTO shop_old VALUES (1); INSERT INTO shop_small VALUES (7);
        INSERT INTO shop_every VALUES ('0f8fad5bd9cb469fa16570867728950e', 1, NULL, 'c0', -9223372036854775808, 0,
            -32768, 0, 0, 9223372036854775807, 1.5, 12.3, '2026-11-23 15:35:33.754579', '2024-02-29', '07:08:09',
            86400000001, '{"b": 1, "a": [null, 1e3, "\\u00e9"]}', NULL, x'0078', '', '10.0.0.1', NULL, 'a@b', 'http://x', 's',
            'f', NULL, 1, 1, 7);
        INSERT INTO shop_every VALUES ('ffffffffffffffffffffffffffffffff', 0, 1, 'é 👨‍👩‍👧 ''', 0, 2147483647, 32767,
            2147483647, 32767, 0, -0.1, 99999999.99, '0001-01-01 00:00:00', '0001-01-01', '23:59:59.999999', -1, 'null',
            'null', x'', 'tab' || char(9), '2001:db8::1', '7848c4365371437c9f2909f4741808e8', 'x', 'y', '', 'z',
            '0f8fad5bd9cb469fa16570867728950e', 5, NULL, NULL);
        INSERT INTO shop_every VALUES ('00000000000000000000000000000000', 1, 0, '', 1, 1, 1, 1, 1, 1, 9e999, -5,
            '9999-12-31 23:59:59.999999', '9999-12-31', '00:00:00', 0, '"x"', '[]', x'ff', 'x', '::1', NULL, 'x', 'y',
            't', 'z', '00000000000000000000000000000000', 5, NULL, 7);
        INSERT INTO shop_every_tags VALUES (4, 'ffffffffffffffffffffffffffffffff', 1)
        """

    private func lines(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

    @Test func theTargetIsWhatDjangoMakes() throws {
        try TestMigration().migrated("\(DjangoDatabase.sqlite) \(Self.rows)") { report, conninfo, _ in
            #expect(report.tables.allSatisfy { $0.verdict == "equal" && $0.loadedRows == $0.sourceRows })
            // Django's times have no zone: told once, for the whole database.
            #expect(report.findings.map(\.id) == [.dateForms])
            #expect(report.findings.map(\.count) == [6])
            #expect(report.outcome == .proven)
            let checks = try TestServer.rows(
                "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype = 'c'",
                in: conninfo)
            #expect(
                checks.sorted() == [
                    "i_ok|CHECK ((i >= 0))", "shop_every_pb_check|CHECK ((pb >= 0))",
                    "shop_every_pi_check|CHECK ((pi >= 0))", "shop_every_ps_check|CHECK ((ps >= 0))",
                ])
            let json = report.objects.filter { $0.kind == .check && $0.name.contains("JSON_VALID") }
            #expect(json.map(\.state) == [.changed, .changed])
            let columns = try TestServer.rows(
                """
                SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                    CASE a.attidentity WHEN 'd' THEN 'YES' ELSE 'NO' END
                FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
                WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0
                """, in: conninfo)
            let constraints = try TestServer.rows(
                """
                SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint
                WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'f')
                """, in: conninfo)
            let indexes = try TestServer.rows(
                """
                SELECT replace(replace(indexdef, 'public.', ''), ' USING btree', '') FROM pg_indexes
                WHERE schemaname = 'public'
                """, in: conninfo)
            #expect(columns.sorted() == lines(DjangoDatabase.columns))
            #expect(constraints.sorted() == lines(DjangoDatabase.constraints))
            #expect(indexes.sorted() == lines(DjangoDatabase.indexes))
        }
    }

    @Test func itsValuesAreThoseThatDjangoReads() throws {
        try TestMigration().migrated("\(DjangoDatabase.sqlite) \(Self.rows)") { _, conninfo, _ in
            let rows = try TestServer.rows(
                "SELECT id, b, nb, dt AT TIME ZONE 'UTC', da, ti, du, d, j, nj, ip, u, parent_id FROM shop_every ORDER BY id DESC",
                in: conninfo)
            #expect(
                rows == [
                    "ffffffff-ffff-ffff-ffff-ffffffffffff|f|t|0001-01-01 00:00:00|0001-01-01|23:59:59.999999|-1|99999999.99|null|null|2001:db8::1|7848c436-5371-437c-9f29-09f4741808e8|0f8fad5b-d9cb-469f-a165-70867728950e",
                    "0f8fad5b-d9cb-469f-a165-70867728950e|t|NULL|2026-11-23 15:35:33.754579|2024-02-29|07:08:09|86400000001|12.3|{\"a\": [null, 1000, \"é\"], \"b\": 1}|NULL|10.0.0.1|NULL|NULL",
                    "00000000-0000-0000-0000-000000000000|t|f|9999-12-31 23:59:59.999999|9999-12-31|00:00:00|0|-5|\"x\"|[]|::1|NULL|00000000-0000-0000-0000-000000000000",
                ])
            let applied = try TestServer.rows(
                "SELECT app, name FROM django_migrations ORDER BY id", in: conninfo)
            #expect(applied == ["contenttypes|0001_initial", "shop|0001_initial"])
            // Numbers go on after the largest.
            let next = try TestServer.value(
                "INSERT INTO django_migrations (app, name, applied) VALUES ('a', 'b', now()) RETURNING id",
                in: conninfo)
            #expect(next == "18")
        }
    }

    /// A DurationField is a bigint in SQLite and an interval in PostgreSQL: the operator says which columns are one.
    @Test func aDurationBecomesAnIntervalOnTheOperatorsWord() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/a.db"
            try makeDatabase(
                path,
                """
                CREATE TABLE django_content_type (app_label varchar(9), model varchar(9));
                CREATE TABLE t (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, v bigint);
                INSERT INTO t (v) VALUES (86400000001), (-1), (0), (NULL), (9223372036854775807), (-9223372036854775808)
                """)
            var migration = TestMigration()
            let preparation = try migration.prepare(path, state: "\(folder)/state")
            let table = try #require(preparation.catalog.tables.first { $0.name == "t" })
            let profile = try #require(preparation.profiles["t"]?.columns.last)
            #expect(
                TypeAlternatives.of(table.columns[1], profile, style: .django) == [
                    "bigint", "numeric", "interval",
                ])
            let edited = preparation.planText.replacing(
                "- name: v\n        type: bigint", with: "- name: v\n        type: interval")
            #expect(edited != preparation.planText)
            try edited.write(toFile: "\(folder)/plan.yaml", atomically: true, encoding: .utf8)
            migration.planPath = "\(folder)/plan.yaml"
            try TestServer.withDatabase { conninfo in
                let report = try migration.run(path, state: "\(folder)/state", into: conninfo)
                #expect(report.outcome == .proven, "\(report.findings.map(\.message))")
                let rows = try TestServer.rows("SELECT v FROM t ORDER BY id", in: conninfo)
                #expect(
                    rows == [
                        "1 day 00:00:00.000001", "-1 days +23:59:59.999999", "00:00:00", "NULL",
                        "106751991 days 04:00:54.775807", "-106751992 days +19:59:05.224192",
                    ])
                try TestServer.execute("UPDATE t SET v = '1 month' WHERE id = 3", in: conninfo)
                try TestServer.execute("UPDATE t SET v = '24:00:00.000001' WHERE id = 1", in: conninfo)
                let again = try migration.validate(path, state: "\(folder)/state", against: conninfo)
                #expect(again.tables.map(\.differences).reduce(0, +) == 1)
            }
        }
    }

    /// A UUID and an address that are none take the next type that holds them, and a date that is none stops the run.
    @Test func whatDjangosTypesDoNotHoldIsTold() throws {
        let script = """
            CREATE TABLE django_migrations (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, app varchar(255) NOT NULL, name varchar(255) NOT NULL, applied datetime NOT NULL);
            CREATE TABLE p (id char(32) NOT NULL PRIMARY KEY); CREATE TABLE c (id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
                p_id char(32) NOT NULL REFERENCES p (id), ip char(39), n integer, at datetime);
            INSERT INTO p VALUES ('0f8fad5bd9cb469fa16570867728950e'), ('not a uuid');
            INSERT INTO c VALUES (1, '0f8fad5bd9cb469fa16570867728950e', '10.0.0.1/8', 3000000000, '2024-01-01 00:00:00')
            """
        try TestMigration().migrated(script) { report, conninfo, _ in
            #expect(report.outcome == .proven, "\(report.findings.map(\.message))")
            let types = try TestServer.rows(
                "SELECT column_name, data_type FROM information_schema.columns WHERE table_name IN ('p', 'c') ORDER BY table_name DESC, ordinal_position",
                in: conninfo)
            #expect(
                types == [
                    "id|character varying", "id|bigint", "p_id|character varying", "ip|character varying",
                    "n|bigint", "at|timestamp with time zone",
                ])
            let narrowed = report.findings.filter { $0.id == .typeNarrowed }
            #expect(Set(narrowed.map(\.place)) == ["p.id", "c.p_id", "c.ip", "c.n"])
            #expect(report.findings.allSatisfy { !$0.blocking })
        }
        try TestMigration().migrated(script + "; INSERT INTO c SELECT 2, p_id, NULL, 1, 'soon' FROM c") {
            report, _, _ in
            #expect(report.exit == 3)
            #expect(report.findings.filter(\.blocking).map(\.place) == ["c.at"])
        }
    }
}
