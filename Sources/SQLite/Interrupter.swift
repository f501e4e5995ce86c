import CSQLite
import Synchronization

/// Stops the statements of one connection from any thread (https://sqlite.org/c3ref/interrupt.html).
///
/// Safe to keep after the connection has closed: it then does nothing.
public final class Interrupter: Sendable {
    private let handle: Mutex<UInt>

    init(_ handle: OpaquePointer) {
        self.handle = Mutex(UInt(bitPattern: handle))
    }

    /// Makes every running statement of the connection end with `SQLITE_INTERRUPT`.
    public func interrupt() {
        handle.withLock { bits in
            if let pointer = OpaquePointer(bitPattern: bits) { sqlite3_interrupt(pointer) }
        }
    }

    func invalidate() {
        handle.withLock { $0 = 0 }
    }
}
