import Foundation
import MigrationEngine
import Postgres
import Synchronization

/// A PostgreSQL of one test's own, with settings that need a start.
public enum PrivateServer {
    /// Runs `body` with a server that was started with such settings, as `max_connections = 8`; gone afterwards.
    public static func with<T>(_ settings: [String], _ body: (Conninfo) throws -> T) throws -> T {
        try withTemporaryFolder { folder in
            let state = try StateFolder.open(source: "", project: nil, override: folder, environment: [:])
            var cluster = try RehearsalCluster(state, cancellation: Cancellation())
            defer { try? cluster.remove() }
            try cluster.start()
            guard let first = cluster.conninfo(database: "postgres") else { throw MigrationError.noServer }
            for setting in settings { try TestServer.execute("ALTER SYSTEM SET \(setting)", in: first) }
            try cluster.stop()
            try cluster.start()
            guard let conninfo = cluster.conninfo(database: "postgres") else { throw MigrationError.noServer }
            return try body(conninfo)
        }
    }
}

extension PrivateServer {
    /// A server whose connections are all taken but the one that is for superusers; `app` is a role like an application's.
    public static func withFullTable<T>(_ body: (_ server: Conninfo, _ app: Conninfo) throws -> T) throws -> T
    {
        try with(["max_connections = 5", "superuser_reserved_connections = 1"]) { server in
            // It stays, so that it takes a place of its own once and for all.
            let admin = try TestServer.connect(server)
            try admin.execute("CREATE ROLE app LOGIN")
            let app = server.setting("user", to: "app")
            let held = (1...3).map { BackgroundSession("held \($0)", ["SELECT 1"], in: app) }
            defer { for session in held { session.stop() } }
            try admin.execute(
                """
                DO $$ BEGIN
                    FOR i IN 1..600 LOOP
                        PERFORM pg_stat_clear_snapshot();
                        IF (SELECT count(*) FROM pg_stat_activity WHERE usename = 'app') = 3 THEN RETURN; END IF;
                        PERFORM pg_sleep(0.05);
                    END LOOP;
                    RAISE EXCEPTION 'the connections were not taken';
                END $$
                """)
            return try body(server, app)
        }
    }
}

/// A session that runs statements on a thread of its own until it is stopped, so that others can look at it.
public final class BackgroundSession: Sendable {
    private struct State {
        var canceller: Canceller?
        var isOver = false
        var wantsStop = false
    }

    private let state = Mutex(State())
    private let wish = DispatchSemaphore(value: 0)

    /// Runs the statements one after the other, and stays connected; `name` is its application_name.
    public init(_ name: String, _ statements: [String], in conninfo: Conninfo) {
        Thread.detachNewThread { [self] in
            defer { state.withLock { $0.isOver = true } }
            guard let connection = try? Connection(conninfo, applicationName: name) else { return }
            let canceller = connection.canceller
            state.withLock { $0.canceller = canceller }
            for statement in statements {
                guard (try? connection.execute(statement)) != nil else { break }
            }
            if !state.withLock({ $0.wantsStop }) { wish.wait() }
        }
    }

    /// Cancels what runs, and disconnects.
    public func stop() {
        let canceller = state.withLock { state in
            state.wantsStop = true
            return state.canceller
        }
        wish.signal()
        canceller?.cancel()
        _ = waitUntil(seconds: 15) { state.withLock(\.isOver) }
    }

    /// Runs `body` while sessions run, of which each is as its condition on `pg_stat_activity` says before the next begins.
    public static func with<T>(
        _ sessions: [(name: String, statements: [String], until: String)], in conninfo: Conninfo,
        _ body: () throws -> T
    ) throws -> T {
        var running: [BackgroundSession] = []
        defer { for session in running.reversed() { session.stop() } }
        for session in sessions {
            running.append(BackgroundSession(session.name, session.statements, in: conninfo))
            let sql =
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = \(quoteLiteral(session.name)) AND \(session.until))"
            guard waitUntil(seconds: 20, { (try? TestServer.value(sql, in: conninfo)) == "t" }) else {
                throw MigrationError(
                    .state, "\(session.name) did not come so far: \(session.until)", remedy: "")
            }
        }
        return try body()
    }

    /// Three sessions of which each waits for the one before: on the row of `t` with id 1.
    public static let chain: [(name: String, statements: [String], until: String)] = [
        (
            "first", ["BEGIN", "UPDATE t SET v = 'secret-first' WHERE id = 1"],
            "state = 'idle in transaction'"
        ),
        ("second", ["UPDATE t SET v = 'secret-second' WHERE id = 1"], "wait_event_type = 'Lock'"),
        ("third", ["UPDATE t SET v = 'secret-third' WHERE id = 1"], "wait_event_type = 'Lock'"),
    ]

    public static let table = "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a')"
}
