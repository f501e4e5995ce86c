import Synchronization

/// One wish to stop, shared by everything that a run does.
///
/// `cancel()` may be called from any thread that may block; it asks every registered piece of work to stop.
public final class Cancellation: Sendable {
    private struct State {
        var stops: [Int: @Sendable () -> Void] = [:]
        var next = 0
    }

    private let flag = Atomic<Bool>(false)
    private let state = Mutex(State())

    public init() {}

    public var isCancelled: Bool { flag.load(ordering: .acquiring) }

    /// Raises the flag, then stops what is registered; later registrations are stopped at once.
    public func cancel() {
        flag.store(true, ordering: .releasing)
        for stop in state.withLock({ Array($0.stops.values) }) { stop() }
    }

    /// Throws when the wish was made.
    public func check() throws {
        if isCancelled { throw MigrationError.cancelled }
    }

    /// Runs `body` with `stop` registered: `stop` is called, from another thread, when the wish is made.
    public func whileRegistered<T>(_ stop: @escaping @Sendable () -> Void, _ body: () throws -> T) throws -> T
    {
        let key = state.withLock { state in
            state.next += 1
            state.stops[state.next] = stop
            return state.next
        }
        defer { state.withLock { state in _ = state.stops.removeValue(forKey: key) } }
        try check()
        return try body()
    }
}
