import Foundation
import Synchronization

/// A gate that workers pass between pieces of work; the operator closes it to pause, and opens it to go on.
///
/// Any thread may use it. A closed gate holds no lock on either database beyond what the worker holds already.
public final class PauseGate: Sendable {
    private let closed = Atomic<Bool>(false)
    private let condition = NSCondition()

    public init() {}

    public var isClosed: Bool { closed.load(ordering: .relaxed) }

    public func close() {
        closed.store(true, ordering: .relaxed)
    }

    public func open() {
        condition.lock()
        closed.store(false, ordering: .relaxed)
        condition.broadcast()
        condition.unlock()
    }

    /// Waits while the gate is closed; throws when the work is cancelled meanwhile.
    public func pass(_ cancellation: Cancellation) throws {
        guard isClosed else { return }
        condition.lock()
        defer { condition.unlock() }
        while isClosed, !cancellation.isCancelled {
            _ = condition.wait(until: Date(timeIntervalSinceNow: 0.1))
        }
        try cancellation.check()
    }
}
