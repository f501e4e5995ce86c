import Foundation
import SQLite
import Synchronization

/// Ends statements of SQLite's that take longer than they may: SQLite has no such limit of its own.
final class StatementLimit: Sendable {
    private struct State {
        var running: [Int: (interrupter: Interrupter, deadline: ContinuousClock.Instant)] = [:]
        var next = 0
        var isOver = false
    }

    private let limit: Duration
    private let state = Mutex(State())

    init(_ limit: Duration) {
        self.limit = limit
        let thread = Thread { [self] in
            while interruptLate() {
                var pause = timespec(tv_sec: 0, tv_nsec: 20_000_000)
                nanosleep(&pause, nil)
            }
        }
        thread.name = "howdah-limit"
        thread.start()
    }

    /// Ends the thread that looks at the clock.
    func end() { state.withLock { $0.isOver = true } }

    /// Runs `body`, which asks one connection; what takes too long in it ends with `SQLITE_INTERRUPT`.
    func during<T>(_ interrupter: Interrupter, _ body: () throws -> T) rethrows -> T {
        let deadline = ContinuousClock.now.advanced(by: limit)
        let key = state.withLock { state in
            state.next += 1
            state.running[state.next] = (interrupter, deadline)
            return state.next
        }
        defer { state.withLock { state in _ = state.running.removeValue(forKey: key) } }
        return try body()
    }

    /// Under the lock, so that what has ended in time meanwhile is not met, nor what comes after it. False after the end.
    private func interruptLate() -> Bool {
        state.withLock { state in
            let now = ContinuousClock.now
            for (interrupter, deadline) in state.running.values where now > deadline {
                interrupter.interrupt()
            }
            return !state.isOver
        }
    }
}
