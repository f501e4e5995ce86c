import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

/// A database as Rails' migrations write it, migrated to a real PostgreSQL.
@Suite struct RailsMigrationTests {
    private static let key = "\"id\" integer PRIMARY KEY AUTOINCREMENT NOT NULL"
    private static let times = "\"created_at\" datetime(6) NOT NULL, \"updated_at\" datetime(6) NOT NULL"
    private static let now = "'2026-11-23 15:35:33.406335', '2026-11-23 15:35:33'"

    static let sqlite = """
        CREATE TABLE "schema_migrations" ("version" varchar NOT NULL PRIMARY KEY);
        CREATE TABLE "ar_internal_metadata" ("key" varchar NOT NULL PRIMARY KEY, "value" varchar, \(times));
        CREATE TABLE "users" (\(key), "email" varchar DEFAULT '' NOT NULL, "admin" boolean DEFAULT 0 NOT NULL,
            "old" boolean DEFAULT 't' NOT NULL, "settings" json DEFAULT '{}' NOT NULL, \(times));
        CREATE UNIQUE INDEX "index_users_on_email" ON "users" ("email") /*application='Blog'*/;
        CREATE TABLE "posts" (\(key), "user_id" integer NOT NULL, "title" varchar(60), "body" text, "views" integer DEFAULT 0,
            "price" decimal(10,2) DEFAULT 0.0, "rating" float, "ratio" decimal, "photo" blob, "day" date, "at" time,
            "published_at" datetime, "seen" datetime(3), "large" bigint, "tiny" integer(2), "key" uuid, "note" varchar, \(times),
            CONSTRAINT "fk_rails_5b5ddfd518" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE);
        CREATE INDEX "index_posts_on_user_id" ON "posts" ("user_id") /*application='Blog'*/;
        CREATE TABLE "attachments" (\(key), "record_type" varchar NOT NULL, "record_id" integer NOT NULL);
        CREATE UNIQUE INDEX "index_attachments_uniqueness" ON "attachments" ("record_type", "record_id");
        CREATE TABLE "posts_users" ("post_id" integer NOT NULL, "user_id" integer NOT NULL);
        INSERT INTO schema_migrations VALUES ('20240506070809'), ('20240506070810');
        INSERT INTO ar_internal_metadata VALUES ('environment', 'production', \(now));
        INSERT INTO users VALUES (1, 'a@b', 1, 't', '{"b": 1, "a": 2}', \(now)), (9, '', 0, 'f', '5', \(now));
        INSERT INTO posts VALUES (3, 1, 'größe 東京', 'a' || char(10), -2147483648, 99999999.99, 0.1, 1e-7, x'00ff',
            '2024-02-29', '2000-01-01 12:34:56', '2024-05-06 07:08:09', '2024-05-06 07:08:09.123', 9223372036854775807, 1,
            '0f8fad5b-d9cb-469f-a165-70867728950e', NULL, \(now));
        INSERT INTO posts VALUES (4, 9, NULL, '', 2147483647, -1, 9e999, 12, x'', '0001-01-01', '2000-01-01 23:59:59.999999',
            '9999-12-31 23:59:59.999999', NULL, 0, -32768, NULL, '', '0001-01-01 00:00:00', \(now.prefix(28)));
        INSERT INTO attachments VALUES (1, 'Post', 3); INSERT INTO posts_users VALUES (3, 1), (3, 9)
        """

    @Test func theTargetIsWhatRailsMakes() throws {
        try TestMigration().migrated(Self.sqlite) { report, conninfo, _ in
            #expect(report.outcome == .proven, "\(report.findings.map(\.message))")
            #expect(report.exit == 0, "\(report.unexplained.map(\.name)) \(report.findings.map(\.message))")
            let columns = try TestServer.rows(
                """
                SELECT a.attname, format_type(a.atttypid, a.atttypmod), coalesce(pg_get_expr(d.adbin, d.adrelid), '')
                FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
                LEFT JOIN pg_attrdef AS d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
                WHERE c.relname IN ('users', 'posts', 'attachments', 'posts_users') AND c.relkind = 'r' AND a.attnum > 0
                ORDER BY c.relname, a.attnum
                """, in: conninfo)
            let stamps = [
                "created_at|timestamp(6) without time zone|", "updated_at|timestamp(6) without time zone|",
            ]
            #expect(
                columns == [
                    "id|bigint|nextval('attachments_id_seq'::regclass)", "record_type|character varying|",
                    "record_id|bigint|", "id|bigint|nextval('posts_id_seq'::regclass)", "user_id|bigint|",
                    "title|character varying(60)|", "body|text|", "views|integer|0",
                    "price|numeric(10,2)|0.0",
                    "rating|double precision|", "ratio|numeric|", "photo|bytea|", "day|date|",
                    "at|time without time zone|", "published_at|timestamp without time zone|",
                    "seen|timestamp(3) without time zone|", "large|bigint|", "tiny|smallint|", "key|uuid|",
                    "note|character varying|",
                ] + stamps + ["post_id|bigint|", "user_id|bigint|"] + [
                    "id|bigint|nextval('users_id_seq'::regclass)",
                    "email|character varying|''::character varying",
                    "admin|boolean|false", "old|boolean|true", "settings|json|'{}'::json",
                ] + stamps)
            let constraints = try TestServer.rows(
                """
                SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
                WHERE connamespace = 'public'::regnamespace ORDER BY conname
                """, in: conninfo)
            #expect(
                constraints == [
                    "ar_internal_metadata_pkey|PRIMARY KEY (key)", "attachments_pkey|PRIMARY KEY (id)",
                    "fk_rails_5b5ddfd518|FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE",
                    "posts_pkey|PRIMARY KEY (id)", "schema_migrations_pkey|PRIMARY KEY (version)",
                    "users_pkey|PRIMARY KEY (id)",
                ])
            let versions = try TestServer.rows(
                "SELECT version FROM schema_migrations ORDER BY 1", in: conninfo)
            #expect(versions == ["20240506070809", "20240506070810"])
        }
    }

    @Test func itsValuesAreThoseThatRailsReads() throws {
        try TestMigration().migrated(Self.sqlite) { _, conninfo, _ in
            let posts = try TestServer.rows(
                "SELECT id, user_id, title, views, price, rating, ratio, photo, day, at, published_at, seen, tiny, key FROM posts ORDER BY id",
                in: conninfo)
            #expect(
                posts == [
                    "3|1|größe 東京|-2147483648|99999999.99|0.1|0.0000001|\\x00ff|2024-02-29|12:34:56|2024-05-06 07:08:09|2024-05-06 07:08:09.123|1|0f8fad5b-d9cb-469f-a165-70867728950e",
                    "4|9|NULL|2147483647|-1.00|Infinity|12|\\x|0001-01-01|23:59:59.999999|9999-12-31 23:59:59.999999|NULL|-32768|NULL",
                ])
            let users = try TestServer.rows(
                "SELECT id, email, admin, old, settings FROM users ORDER BY id", in: conninfo)
            #expect(users == ["1|a@b|t|t|{\"b\": 1, \"a\": 2}", "9||f|f|5"])
            let next = try TestServer.value(
                "INSERT INTO users (email, created_at, updated_at) VALUES ('c', now(), now()) RETURNING id",
                in: conninfo)
            #expect(next == "10")
        }
    }
}
