import Foundation
import MigrationEngine
import Postgres
import Synchronization
import TestSupport

@testable import Operations

/// A migrated database with all that a load test may stumble over.
struct LoadFixture {
    /// Quoted names, composite keys, no key, enums, bytes, generated columns, CHECKs, one-to-one and many-to-many.
    static let hostile = """
        CREATE TABLE "Us""er; DROP" ("i d" INTEGER PRIMARY KEY AUTOINCREMENT, "e-mail" TEXT NOT NULL UNIQUE CHECK ("e-mail" LIKE '%@%'),
            role VARCHAR(9) NOT NULL DEFAULT 'user', born DATETIME, raw BLOB);
        CREATE TABLE room (id TEXT PRIMARY KEY, title TEXT);
        CREATE TABLE member (room TEXT NOT NULL REFERENCES room(id), "user" INTEGER NOT NULL REFERENCES "Us""er; DROP"("i d"),
            since TEXT, PRIMARY KEY (room, "user"));
        CREATE INDEX "member-user" ON member ("user");
        CREATE TABLE message (id INTEGER PRIMARY KEY, room TEXT NOT NULL REFERENCES room(id), at INTEGER NOT NULL, body TEXT NOT NULL,
            length INTEGER GENERATED ALWAYS AS (length(body)) STORED, parent INTEGER REFERENCES message(id), CHECK (length(body) > 0));
        CREATE INDEX message_room_at ON message (room, at);
        CREATE TABLE profile ("user" INTEGER PRIMARY KEY REFERENCES "Us""er; DROP"("i d"), photo BLOB);
        CREATE TABLE log (line TEXT, at TEXT);
        CREATE TABLE empty (id INTEGER PRIMARY KEY, x TEXT);
        CREATE TABLE tiny (code CHAR(2) PRIMARY KEY, name TEXT);
        CREATE TABLE device (id TEXT PRIMARY KEY, key BLOB NOT NULL UNIQUE);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
        INSERT INTO "Us""er; DROP" ("e-mail", born, raw) SELECT 'u' || i || '@example.org', '2024-01-01 00:00:' || printf('%02d', i % 60), randomblob(20) FROM n;
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
        INSERT INTO room SELECT printf('%08x-0000-4000-8000-%012x', i, i), 'room ''' || i FROM n;
        INSERT INTO member SELECT r.id, u."i d", 'x' FROM room AS r, "Us""er; DROP" AS u WHERE (u."i d" + length(r.title)) % 7 = 0;
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
        INSERT INTO message (id, room, at, body, parent) SELECT i, printf('%08x-0000-4000-8000-%012x', i % 20 + 1, i % 20 + 1), 1700000000 + i,
            'text ' || i, CASE WHEN i > 10 THEN i - 10 END FROM n;
        INSERT INTO profile SELECT "i d", randomblob(100000) FROM "Us""er; DROP" WHERE "i d" < 40;
        INSERT INTO log SELECT 'line ' || at, at FROM message; INSERT INTO tiny VALUES ('de', 'x'), ('fr', 'y');
        INSERT INTO device SELECT id, randomblob(32) FROM room;
        """

    let conninfo: Conninfo
    let plan: MigrationPlan
    let snapshot: Snapshot
    let folder: String

    /// Migrates a script into a new database, and hands it to `body`.
    static func with(_ script: String = hostile, _ body: (LoadFixture) throws -> Void) throws {
        try TestMigration(decide: ["recommended"]).migrated(script) { _, conninfo, folder in
            let prepared = try TestMigration(decide: ["recommended"]).prepare(
                "\(folder)/source.db", state: "\(folder)/state")
            try body(
                LoadFixture(
                    conninfo: conninfo, plan: prepared.plan, snapshot: prepared.snapshot, folder: folder))
        }
    }

    func test(
        _ options: LoadOptions, on target: Conninfo? = nil, hasSQLite: Bool = false, hasLog: Bool = false,
        folder: String? = nil, cancellation: Cancellation = Cancellation(),
        progress: RunProgress = RunProgress(), gate: PauseGate = PauseGate(),
        ledger: MemoryLedger = MemoryLedger()
    ) -> LoadTest {
        LoadTest(
            server: TargetServer(target ?? conninfo, cancellation: cancellation), plan: plan,
            snapshot: hasSQLite ? snapshot : nil, hasLog: hasLog, folder: folder ?? self.folder,
            options: options, ledger: ledger.ledger, cancellation: cancellation,
            progress: progress, gate: gate)
    }

    /// A role of its own, which may do with the tables what an application does, and goes away afterwards.
    func withRole(_ body: (_ role: String, _ target: Conninfo) throws -> Void) throws {
        let role = "load_" + UUID().uuidString.lowercased().replacing("-", with: "")
        try TestServer.execute(
            """
            CREATE ROLE \(role) LOGIN; GRANT USAGE ON SCHEMA public TO \(role);
            GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO \(role);
            """, in: conninfo)
        defer { try? TestServer.execute("DROP OWNED BY \(role); DROP ROLE \(role)", in: conninfo) }
        try body(role, conninfo.setting("user", to: role))
    }

    func run(_ options: LoadOptions, on target: Conninfo? = nil, hasSQLite: Bool = false) throws -> LoadReport
    {
        try test(options, on: target, hasSQLite: hasSQLite).run()
    }

    /// All that the database holds, in one line a table, and where its sequences stand.
    func content() throws -> [String] {
        let connection = try TestServer.connect(conninfo)
        let names = try connection.query(
            """
            SELECT format('%I.%I', n.nspname, c.relname), c.relkind FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.relkind IN ('r', 'S') ORDER BY 1
            """)
        return try (0..<names.count).map { row in
            let name = names.text(row, 0) ?? ""
            let sql =
                names.text(row, 1) == "S"
                ? "SELECT last_value, is_called FROM \(name)"
                : "SELECT count(*), md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM \(name) AS t"
            let found = try connection.query(sql)
            return "\(name): \(found.text(0, 0) ?? "") \(found.text(0, 1) ?? "")"
        }
    }
}

/// Keeps the names of copies in memory.
final class MemoryLedger: Sendable {
    private let state: Mutex<(made: [String], gone: [String])>
    private let before: [String]

    /// `left` are copies of earlier tests.
    init(left: [String] = []) {
        before = left
        state = Mutex((left, []))
    }

    var made: [String] { state.withLock { $0.made } }
    var gone: [String] { state.withLock { $0.gone } }

    var ledger: ScratchLedger {
        ScratchLedger(
            left: before, begin: { name in self.state.withLock { $0.made.append(name) } },
            end: { name in self.state.withLock { $0.gone.append(name) } })
    }
}

/// What a thread came to.
final class LoadOutcome: Sendable {
    private let value = Mutex<Swift.Result<LoadReport, any Error>?>(nil)

    var isThere: Bool { value.withLock { $0 != nil } }

    /// Runs a test on a thread of its own.
    func start(_ test: LoadTest) {
        Thread {
            let made = Swift.Result { try test.run() }
            self.value.withLock { $0 = made }
        }.start()
    }

    func get() throws -> LoadReport {
        guard let value = value.withLock({ $0 }) else { throw MigrationError.cancelled }
        return try value.get()
    }
}
