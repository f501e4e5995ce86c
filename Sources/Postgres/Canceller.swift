import CLibPQ
import Synchronization

/// Stops what one connection is doing, from any thread.
///
/// `cancel()` blocks on a network round trip (libpq's `PQcancel`), so it is called from a thread that may wait.
/// The connection's own thread sees the flag at its next wait, and gives up on the server a little later
/// (`Connection.patience`) if the server does not answer.
public final class Canceller: Sendable {
    private let flag = Atomic<Bool>(false)
    private let handle: Mutex<UInt>

    init(_ connection: OpaquePointer) {
        handle = Mutex(UInt(bitPattern: PQgetCancel(connection)))
    }

    deinit {
        invalidate()
    }

    public var isCancelled: Bool { flag.load(ordering: .acquiring) }

    /// Asks the server to stop the running statement.
    public func cancel() {
        flag.store(true, ordering: .releasing)
        askServer()
    }

    /// Sends the request without raising the flag: the connection itself has found that it must stop.
    func askServer() {
        handle.withLock { bits in
            guard let request = OpaquePointer(bitPattern: bits) else { return }
            var message = [CChar](repeating: 0, count: 256)
            _ = PQcancel(request, &message, Int32(message.count))
        }
    }

    func invalidate() {
        handle.withLock { bits in
            if let request = OpaquePointer(bitPattern: bits) { PQfreeCancel(request) }
            bits = 0
        }
    }
}
