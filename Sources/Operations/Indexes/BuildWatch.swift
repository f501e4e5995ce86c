import Foundation
import MigrationEngine
import Postgres
import Synchronization

/// Tells how far the build of an index is, and for whom it waits, by a second connection
/// (https://www.postgresql.org/docs/current/progress-reporting.html#CREATE-INDEX-PROGRESS-REPORTING).
///
/// Made and stopped by the thread that builds; looks from a thread of its own, a few times a second.
final class BuildWatch: Sendable {
    private let server: TargetServer
    private let process: Int
    private let name: String
    private let progress: RunProgress
    private let stopping = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    private let lastBlocker = Mutex<String?>(nil)

    init(_ server: TargetServer, process: Int, name: String, progress: RunProgress) {
        self.server = server
        self.process = process
        self.name = name
        self.progress = progress
        let thread = Thread { [self] in
            try? watch()
            ended.signal()
        }
        thread.name = "howdah-index-watch"
        thread.start()
    }

    /// Who was waited for when it was last looked at, in words; nil where nobody was.
    var blocker: String? { lastBlocker.withLock { $0 } }

    /// Ends the looking.
    func stop() {
        stopping.signal()
        ended.wait()
        progress.say(nil)
    }

    private func watch() throws {
        try server.withConnection(purpose: "index watch") { connection in
            try connection.execute("SET statement_timeout = '5s'")
            while stopping.wait(timeout: .now() + .milliseconds(200)) == .timedOut {
                try look(connection)
            }
        }
    }

    private static let query = """
        SELECT p.phase, p.blocks_done, p.blocks_total, p.tuples_done, p.tuples_total, b.pid, a.application_name, a.usename,
            a.state, extract(epoch FROM now() - a.xact_start)::bigint
        FROM (SELECT $1::int AS pid) AS s LEFT JOIN pg_stat_progress_create_index AS p ON p.pid = s.pid
            LEFT JOIN LATERAL (SELECT coalesce(nullif(p.current_locker_pid, 0), (pg_blocking_pids(s.pid))[1]::bigint)
                WHERE p.phase IS NULL OR p.phase LIKE 'waiting%') AS b (pid) ON true
            LEFT JOIN pg_stat_activity AS a ON a.pid = b.pid
        """

    private func look(_ connection: borrowing Postgres.Connection) throws {
        let row = try connection.query(Self.query, ["\(process)"])
        let phase = row.text(0, 0) ?? "beginning"
        var words = "\(name): \(phase)"
        let blocker = row.int(0, 5).map { pid in
            Self.session(
                pid: pid, application: row.text(0, 6), user: row.text(0, 7), state: row.text(0, 8),
                seconds: row.int(0, 9))
        }
        lastBlocker.withLock { $0 = blocker }
        if let blocker {
            words = "\(name): waits for \(blocker)"
        } else if let all = row.int(0, 2), all > 0 {
            words += ", \(Format.count(row.int(0, 1) ?? 0)) of \(Format.count(all)) blocks"
        } else if let all = row.int(0, 4), all > 0 {
            words += ", \(Format.count(row.int(0, 3) ?? 0)) of \(Format.count(all)) rows"
        }
        progress.say(words)
        if blocker != nil { CrashPoint.pass("6.1 waiting") }
    }

    /// A session as an operator looks for it.
    static func session(pid: Int, application: String?, user: String?, state: String?, seconds: Int?)
        -> String
    {
        let name = application.flatMap { $0.isEmpty ? nil : $0 } ?? "a session"
        let details = [
            user.map { "of \($0)" }, state,
            seconds.map { "its transaction is \(Format.count($0)) s old" },
        ].compactMap(\.self)
        return "\(name) (\((["process \(pid)"] + details).joined(separator: ", ")))"
    }
}
