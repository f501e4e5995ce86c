import DemoProject
import Foundation
import MigrationEngine
import SQLite
import TestSupport
import Testing

@testable import AppProject

@Suite struct SchemaTests {
    /// Every column, key, index and enum of a schema, as PostgreSQL's catalog has them.
    private static let catalog = [
        """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
            pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 ORDER BY 1, a.attnum
        """,
        """
        SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2
        """,
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
        "SELECT t.typname, e.enumlabel FROM pg_enum AS e JOIN pg_type AS t ON t.oid = e.enumtypid ORDER BY 1, enumsortorder",
        "SELECT sequencename, data_type FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1",
    ]

    /// Rows for every table of the golden schema, as Prisma stores them.
    private static let rows = """
        ;
        INSERT INTO users VALUES ('u1', 'ann', NULL, 1, 1700000000123, 9007199254740993, 12.5, '{"a": [1, null]}', 1700000000000, 1700000000001),
            ('u2', 'bo', 'Bö 👩‍👩‍👧', 0, '2024-05-06 07:08:09', 0, 0, NULL, '2024-05-06T07:08:09.123Z', 0);
        INSERT INTO Conversation VALUES ('c1', NULL, 1700000000000);
        INSERT INTO ConversationParticipant VALUES ('c1', 'u1', 'OWNER', 1700000000000), ('c1', 'u2', 'admin', 1700000000000);
        INSERT INTO Message VALUES (1, 'c1', 'u1', x'00ff10', x'000102', 0.1, NULL, 1700000000000), (4, 'c1', NULL, NULL, x'', 1e300, 1, 1700000000999);
        INSERT INTO message_files VALUES (1, 1, '/a b/ü.png', 9223372036854775807);
        INSERT INTO ConversationRatchetState VALUES ('r1', 'c1', 'u1', x'deadbeef', 7, '{"n": 1.50}', 1700000000000);
        INSERT INTO PostQuantumKey VALUES ('k1', 'r1', 'kyber', x'01', 1, NULL), ('k2', 'r1', 'kyber', x'02', 0, 1700000000000);
        INSERT INTO DeviceIdentity VALUES (-5, 'd1', 'u2', 'pk', NULL);
        INSERT INTO _Blocks VALUES ('u1', 'u2'); INSERT INTO _Starred VALUES (4, 'u1')
        """

    private static let golden = packageFolder() + "/../shared/reference/prisma"

    /// A project with the database that genuine Prisma makes, where its output is at hand.
    private func withPrismaProject(
        _ body: (_ migration: TestMigration, _ path: String, _ state: String) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            try FileManager.default.createDirectory(
                atPath: "\(folder)/prisma", withIntermediateDirectories: true)
            let schema = try Self.text("e2ee.sqlite.prisma")
            try schema.write(toFile: "\(folder)/prisma/schema.prisma", atomically: true, encoding: .utf8)
            try "DATABASE_URL=file:./dev.db".write(
                toFile: "\(folder)/.env", atomically: true, encoding: .utf8)
            let path = "\(folder)/prisma/dev.db"
            try makeDatabase(path, try Self.text("e2ee.sqlite.sql") + Self.rows)
            var migration = TestMigration()
            migration.hints = try ProjectLocator.locate(folder, environment: [:]).hints
            try body(migration, path, "\(folder)/state")
        }
    }

    private static func text(_ name: String) throws -> String {
        try String(contentsOfFile: "\(golden)/\(name)", encoding: .utf8)
    }

    /// The catalog equals the one that genuine Prisma makes.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: golden)))
    func aPrismaDatabaseGetsTheCatalogThatPrismaGivesIt() throws {
        try withPrismaProject { migration, path, state in
            let expected = try TestServer.withDatabase { conninfo in
                try TestServer.execute(Self.text("e2ee.postgresql.sql"), in: conninfo)
                return try Self.catalog.map { try TestServer.rows($0, in: conninfo) }
            }
            try TestServer.withDatabase { conninfo in
                let report = try migration.run(path, state: state, into: conninfo)
                #expect(report.outcome == .proven, "\(report.findings) \(report.unexplained)")
                #expect(report.tables.count == 10 && report.tables.allSatisfy { $0.loadedRows > 0 })
                for (query, rows) in zip(Self.catalog, expected) {
                    let ours = try TestServer.rows(query, in: conninfo)
                    #expect(ours == rows)
                }
            }
        }
    }

    /// The first migration for PostgreSQL is the one that genuine Prisma writes, byte for byte.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: golden)))
    func theBaselineIsTheMigrationThatPrismaWrites() throws {
        try withPrismaProject { migration, path, state in
            let baseline = try PrismaBaseline(plan: migration.prepare(path, state: state).plan).sql
            #expect(try baseline == Self.text("e2ee.postgresql.sql"))
        }
    }

    @Test func foreignKeysCarryEveryAction() throws {
        try TestMigration().migrated(
            """
            CREATE TABLE p (a INTEGER PRIMARY KEY, b TEXT, c TEXT, UNIQUE (b, c));
            CREATE TABLE k (
                a INTEGER REFERENCES p ON DELETE CASCADE ON UPDATE SET NULL,
                b TEXT, c TEXT, own INTEGER PRIMARY KEY,
                up INTEGER REFERENCES k (own) DEFERRABLE INITIALLY DEFERRED,
                CONSTRAINT both FOREIGN KEY (b, c) REFERENCES p (b, c) ON DELETE SET DEFAULT ON UPDATE RESTRICT);
            INSERT INTO p VALUES (1, 'x', 'y'); INSERT INTO k VALUES (1, 'x', 'y', 1, 1)
            """
        ) { report, conninfo, _ in
            #expect(report.outcome == .proven)
            let keys = try TestServer.rows(
                "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND conrelid = 'k'::regclass ORDER BY 1",
                in: conninfo)
            #expect(
                keys == [
                    "both|FOREIGN KEY (b, c) REFERENCES p(b, c) ON UPDATE RESTRICT ON DELETE SET DEFAULT",
                    "k_a_fkey|FOREIGN KEY (a) REFERENCES p(a) ON UPDATE SET NULL ON DELETE CASCADE",
                    "k_up_fkey|FOREIGN KEY (up) REFERENCES k(own) DEFERRABLE INITIALLY DEFERRED",
                ])
        }
    }

    @Test(arguments: [
        ("INTEGER PRIMARY KEY", "(5), (2)", 6), ("INTEGER PRIMARY KEY", "(-5)", 1),
        ("INTEGER PRIMARY KEY", "(0)", 1),
        (
            "INTEGER PRIMARY KEY AUTOINCREMENT", "(9); DELETE FROM t WHERE id = 9; INSERT INTO t VALUES (3)",
            10
        ),
    ])
    func sequencesGoOnAfterTheLargestNumberEverGiven(key: String, rows: String, next: Int) throws {
        try TestMigration().migrated("CREATE TABLE t (id \(key)); INSERT INTO t VALUES \(rows)") {
            report, conninfo, _ in
            #expect(report.outcome == .proven)
            let inserted = try TestServer.value("INSERT INTO t DEFAULT VALUES RETURNING id", in: conninfo)
            #expect(inserted == "\(next)")
        }
    }

    @Test func aSequenceWithoutANumberLeftIsSaid() throws {
        try TestMigration().migrated(
            "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (9223372036854775807)"
        ) {
            report, _, _ in
            #expect(report.outcome == .proven)
            let ids = report.findings.map(\.id)
            #expect(ids == [.sequenceExhausted])
        }
    }

    @Test(arguments: [
        ("CREATE TABLE t (\(String(repeating: "x", count: 64)) TEXT)", Finding.ID.nameTooLong),
        ("CREATE TABLE \(String(repeating: "x", count: 64)) (a TEXT)", .nameTooLong),
        ("CREATE TABLE t (ctid TEXT)", .nameNotPossible), ("CREATE TABLE t (\"\" TEXT)", .nameNotPossible),
        ("CREATE TABLE t (a TEXT PRIMARY KEY); INSERT INTO t VALUES (NULL)", .nullInKey),
        ("CREATE TABLE t (a INTEGER REFERENCES gone)", .foreignKeyParentMissing),
        ("CREATE TABLE p (a TEXT); CREATE TABLE t (a TEXT REFERENCES p (a))", .foreignKeyParentNotUnique),
        (
            "CREATE TABLE p (a TEXT PRIMARY KEY); CREATE TABLE t (a INTEGER REFERENCES p); INSERT INTO p VALUES ('1'); INSERT INTO t VALUES (1)",
            .foreignKeyTypes
        ),
        (
            "CREATE TABLE p (a INTEGER PRIMARY KEY); CREATE TABLE t (a INTEGER REFERENCES p); INSERT INTO t VALUES (3)",
            .orphanRows
        ),
        (
            "CREATE TABLE p (a TEXT COLLATE NOCASE PRIMARY KEY); CREATE TABLE t (a TEXT REFERENCES p); INSERT INTO p VALUES ('ABC'); INSERT INTO t VALUES ('abc')",
            .orphanRows
        ),
        ("CREATE TABLE t (a TEXT); INSERT INTO t VALUES (CAST(x'610062' AS TEXT))", .valueDoesNotFit),
        ("CREATE TABLE t (a TEXT); INSERT INTO t VALUES (CAST(x'c328' AS TEXT))", .valueDoesNotFit),
        ("CREATE TABLE t (a TEXT); INSERT INTO t VALUES (x'00')", .valueDoesNotFit),
        ("CREATE TABLE t (a BOOLEAN); INSERT INTO t VALUES (2)", .valueDoesNotFit),
        ("CREATE TABLE t (a DATETIME); INSERT INTO t VALUES ('0000-00-00 00:00:00')", .valueDoesNotFit),
        ("CREATE TABLE t (a DATETIME); INSERT INTO t VALUES ('')", .valueDoesNotFit),
        ("CREATE TABLE t (a DATETIME); INSERT INTO t VALUES ('2024-01-01 00:00:00+02:00')", .valueDoesNotFit),
        ("CREATE TABLE t (a NUMERIC); INSERT INTO t VALUES ('abc')", .valueDoesNotFit),
    ])
    func whatPostgreSQLCannotHoldStopsTheRunBeforeDataMoves(script: String, id: Finding.ID) throws {
        try TestMigration().migrated(script) { report, conninfo, _ in
            #expect(report.outcome == .undecided)
            #expect(report.exit == 3)
            let ids = Set(report.findings.filter(\.blocking).map(\.id))
            #expect(ids.subtracting([.notCarried]) == [id])
            let made = try TestServer.value(
                "SELECT count(*) FROM pg_class WHERE relnamespace::regnamespace::text IN ('public', 'howdah')",
                in: conninfo)
            #expect(made == "0")
        }
    }

    @Test(arguments: [
        ("TEXT DEFAULT 'it''s'", "'it''s'::text"), ("TEXT DEFAULT \"\"", "''::text"),
        ("INTEGER DEFAULT '7'", "'7'::bigint"),
        ("INTEGER DEFAULT -1", "'-1'::integer"), ("BOOLEAN DEFAULT 1", "true"),
        ("BOOLEAN DEFAULT false", "false"),
        ("BLOB DEFAULT x'00ff'", "'\\x00ff'::bytea"), ("REAL DEFAULT 1.5", "1.5"), ("TEXT DEFAULT NULL", nil),
        ("DATETIME DEFAULT CURRENT_TIMESTAMP", "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC'::text)"),
    ])
    func constantDefaultsAreCarried(declaration: String, expected: String?) throws {
        try TestMigration().migrated("CREATE TABLE t (a \(declaration))") { report, conninfo, _ in
            #expect(report.outcome == .proven, "\(report.unexplained)")
            let found = try TestServer.value(
                "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'public.t'::regclass",
                in: conninfo)
            if expected == nil || declaration.hasPrefix("INTEGER") {
                #expect((found == nil) == (expected == nil))
            } else {
                #expect(found == expected)
            }
        }
    }
}

/// What SQLite can say in a CREATE TABLE and a plan does not carry: listed, so that nothing goes without a word.
@Suite struct LeftOutTests {
    @Test(arguments: [
        ("CREATE TABLE t (a TEXT COLLATE NOCASE)", ObjectState.Kind.collation, "t.a"),
        ("CREATE TABLE t (a TEXT UNIQUE ON CONFLICT REPLACE)", .conflictClause, "t.a: ON CONFLICT REPLACE"),
        ("CREATE TABLE t (a TEXT NOT NULL ON CONFLICT IGNORE)", .conflictClause, "t.a: ON CONFLICT IGNORE"),
        ("CREATE TABLE t (a TEXT, UNIQUE (a) ON CONFLICT FAIL)", .conflictClause, "t.ON CONFLICT FAIL"),
        (
            "CREATE TABLE t (a INTEGER PRIMARY KEY ON CONFLICT REPLACE)", .conflictClause,
            "t.a: ON CONFLICT REPLACE"
        ),
    ])
    func whatIsNotCarriedIsListed(sql: String, kind: ObjectState.Kind, name: String) throws {
        try TestMigration().migrated(sql) { report, _, _ in
            let unexplained = report.unexplained
            #expect(unexplained.map(\.kind) == [kind])
            #expect(unexplained.map(\.name) == [name])
            #expect(report.exit == 3)
        }
    }

    /// A key under a collation is a key and a unique index beside it.
    @Test(arguments: [
        ("CREATE TABLE t (a TEXT, UNIQUE (a COLLATE NOCASE))", "lower((a COLLATE \"C\"))"),
        ("CREATE TABLE t (a TEXT, PRIMARY KEY (a COLLATE NOCASE))", "lower((a COLLATE \"C\"))"),
        ("CREATE TABLE t (a TEXT, PRIMARY KEY (a COLLATE RTRIM)) WITHOUT ROWID", "rtrim(a, ' '::text)"),
        ("CREATE TABLE t (a TEXT, b TEXT, UNIQUE (a, b COLLATE RTRIM))", "a, rtrim(b, ' '::text)"),
    ])
    func aKeyUnderACollationKeepsItsMeaning(sql: String, terms: String) throws {
        try TestMigration().migrated(sql) { report, conninfo, _ in
            #expect(report.outcome == .proven)
            let index = try TestServer.value(
                "SELECT indexdef FROM pg_indexes WHERE indexname LIKE '%folded'", in: conninfo)
            #expect(index?.hasSuffix("USING btree (\(terms))") ?? false)
            let keys = try TestServer.value(
                "SELECT count(*) FROM pg_constraint WHERE conrelid = 't'::regclass", in: conninfo)
            #expect(keys == "1")
        }
    }

    @Test(arguments: [
        "CREATE TABLE t (a TEXT UNIQUE ON CONFLICT ABORT, b TEXT, UNIQUE (b) ON CONFLICT ABORT)",
        "CREATE TABLE t (a TEXT, UNIQUE (a COLLATE BINARY))",
        "CREATE TABLE t (a INTEGER REFERENCES t (a) ON DELETE CASCADE, UNIQUE (a))",
    ])
    func whatIsTheDefaultIsNot(sql: String) throws {
        try TestMigration().migrated(sql) { report, _, _ in
            #expect(report.unexplained == [])
            #expect(report.outcome == .proven)
        }
    }

    @Test(arguments: [
        "CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TABLE t_id_seq (x INT)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TABLE t_id_seq (id INTEGER PRIMARY KEY); CREATE TABLE t_id_seq1 (x)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); CREATE INDEX t_id_seq ON t (a)",
        "CREATE TABLE a (x TEXT); CREATE INDEX b_id_seq ON a (x); CREATE TABLE b (id INTEGER PRIMARY KEY)",
    ])
    func aNameThatASequenceWouldTakeIsNotInItsWay(sql: String) throws {
        try TestMigration().migrated(sql) { report, _, _ in #expect(report.outcome == .proven) }
    }

    @Test(arguments: [
        "CREATE TABLE t (a JSON UNIQUE)", "CREATE TABLE t (a JSON); CREATE INDEX i ON t (a)",
        "CREATE TABLE t (\((0..<33).map { "c\($0) INT" }.joined(separator: ", "))); CREATE INDEX i ON t (\((0..<33).map { "c\($0)" }.joined(separator: ", ")))",
    ])
    func whatNoIndexCanHoldStopsTheRun(sql: String) throws {
        try TestMigration().migrated(sql) { report, _, _ in
            #expect(report.exit == 3)
            #expect(Set(report.findings.filter(\.blocking).map(\.id)) == [.notIndexable])
        }
    }
}
