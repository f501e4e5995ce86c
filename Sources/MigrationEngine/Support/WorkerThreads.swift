import Foundation
import Synchronization

/// Runs blocking work on threads of its own: libpq and SQLite block, so they stay off Swift's cooperative pool.
public enum WorkerThreads {
    /// Calls `body` with 0 ..< `count` at the same time and returns when all have ended.
    ///
    /// The first error is thrown after the others have ended; `stop` is called once, at that error, so that the
    /// rest can end early.
    public static func run(
        count: Int, onFirstError stop: @escaping @Sendable () -> Void = {},
        _ body: @escaping @Sendable (Int) throws -> Void
    ) throws {
        let failures = Failures(stop)
        let group = DispatchGroup()
        for index in 0..<count {
            group.enter()
            let thread = Thread {
                do { try body(index) } catch { failures.add(error) }
                group.leave()
            }
            // Nested JSON is read by recursion; only what is touched takes memory.
            thread.stackSize = 8 << 20
            thread.name = "howdah-\(index)"
            thread.start()
        }
        group.wait()
        if let error = failures.first { throw error }
    }

    private final class Failures: Sendable {
        private let error = Mutex<(any Error)?>(nil)
        private let stop: @Sendable () -> Void

        init(_ stop: @escaping @Sendable () -> Void) {
            self.stop = stop
        }

        var first: (any Error)? { error.withLock { $0 } }

        func add(_ new: any Error) {
            let isFirst = error.withLock { error in
                guard error == nil else { return false }
                error = new
                return true
            }
            if isFirst { stop() }
        }
    }
}
