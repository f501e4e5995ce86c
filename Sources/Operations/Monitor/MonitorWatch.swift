import Foundation
import MigrationEngine
import Postgres

/// What the watch of a server tells, on its own thread.
public enum MonitorNews: Sendable, Equatable {
    case report(MonitorReport)
    /// The server does not answer; it is asked again after so many seconds.
    case lost(MonitorFailure, retry: Double)
    /// What came of ending a session.
    case said(String)
    case failed(String)
}

/// A server that can be watched, and how.
public struct MonitoredServer: Sendable {
    let conninfo: Conninfo
    public let options: MonitorOptions

    public init(_ conninfo: Conninfo, _ options: MonitorOptions) {
        self.conninfo = conninfo
        self.options = options
    }

    /// Without a password.
    public var url: String { conninfo.url }
}

/// Watches a server on a thread of its own, until it is stopped: a sample every few seconds, and where the server is
/// lost, another attempt after 1, 2, 4, … 30 seconds.
///
/// Any thread may use it; `post` is called on the watch's own.
public final class MonitorWatch: @unchecked Sendable {
    private static let longestPause = 30.0

    private let conninfo: Conninfo
    private let options: MonitorOptions
    private let post: @Sendable (MonitorNews) -> Void
    private let cancellation = Cancellation()
    private let condition = NSCondition()
    private var isPaused = false
    private var isEnded = false
    private var isRunning = true
    private var wantsLook = false
    private var endings: [(MonitorSession, SessionEnding)] = []

    /// Begins at once.
    public init(_ server: MonitoredServer, post: @escaping @Sendable (MonitorNews) -> Void) {
        conninfo = server.conninfo
        options = server.options
        self.post = post
        let thread = Thread { [self] in
            loop()
            condition.withLock {
                isRunning = false
                condition.broadcast()
            }
        }
        thread.name = "howdah-monitor"
        thread.stackSize = 4 << 20
        thread.start()
    }

    public func setPaused(_ isPaused: Bool) { change { self.isPaused = isPaused } }

    /// Takes the next sample now.
    public func look() { change { wantsLook = true } }

    /// Cancels a session's statement or ends the session, before the next sample.
    public func end(_ session: MonitorSession, _ ending: SessionEnding) {
        change { endings.append((session, ending)) }
    }

    /// Ends the watch. Waits for the thread at most so long: a server that does not answer keeps nobody here.
    public func stop(within seconds: Double) {
        change { isEnded = true }
        // Asking the server to stop may block, so that a thread of its own does it.
        Thread.detachNewThread { [cancellation] in cancellation.cancel() }
        let deadline = Date(timeIntervalSinceNow: seconds)
        condition.withLock {
            while isRunning, condition.wait(until: deadline) {}
        }
    }

    private func change(_ body: () -> Void) {
        condition.withLock {
            body()
            condition.broadcast()
        }
    }

    private func loop() {
        var pause = 0.0
        while !isOver {
            do {
                let monitor = try Monitor(conninfo, options, cancellation: cancellation)
                while !isOver {
                    try endSessions(monitor)
                    post(.report(try monitor.next()))
                    pause = 0
                    rest(options.interval)
                }
            } catch {
                if cancellation.isCancelled { return }
                pause = pause == 0 ? 1 : min(Self.longestPause, pause * 2)
                post(.lost(MonitorFailure(error, conninfo), retry: pause))
                rest(pause)
            }
        }
    }

    private var isOver: Bool { condition.withLock { isEnded } }

    /// Waits for the time to pass, for a wish to look, or for the end; while it is paused, for longer.
    private func rest(_ seconds: Double) {
        let deadline = Date(timeIntervalSinceNow: seconds)
        condition.withLock {
            while !isEnded, !wantsLook, endings.isEmpty {
                if isPaused {
                    condition.wait()
                } else if !condition.wait(until: deadline) {
                    break
                }
            }
            wantsLook = false
        }
    }

    private func endSessions(_ monitor: Monitor) throws {
        for (session, ending) in condition.withLock({ () -> [(MonitorSession, SessionEnding)] in
            defer { endings = [] }
            return endings
        }) {
            do {
                post(.said(try monitor.end(session, ending)))
            } catch let error as PostgresError where error.code == .server {
                post(.failed("session \(session.process): \(error.message)"))
            }
        }
    }
}
