import Foundation

/// A thread of its own that does one piece of blocking work after the other.
final class Worker: @unchecked Sendable {
    private let condition = NSCondition()
    private var queue: [@Sendable () -> Void] = []
    private var isWorking = false
    private var isEnded = false

    init(name: String) {
        let thread = Thread { [self] in loop() }
        thread.name = name
        thread.stackSize = 8 << 20
        thread.start()
    }

    func run(_ body: @escaping @Sendable () -> Void) {
        condition.lock()
        queue.append(body)
        condition.broadcast()
        condition.unlock()
    }

    var isIdle: Bool {
        condition.lock()
        defer { condition.unlock() }
        return queue.isEmpty && !isWorking
    }

    /// Takes no more work, drops what waits, and waits for what runs, at most until the deadline.
    func end(within seconds: Double) {
        let deadline = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        isEnded = true
        queue = []
        condition.broadcast()
        while isWorking, condition.wait(until: deadline) {}
        condition.unlock()
    }

    private func loop() {
        while true {
            condition.lock()
            while queue.isEmpty, !isEnded { condition.wait() }
            guard !queue.isEmpty else {
                condition.unlock()
                return
            }
            let body = queue.removeFirst()
            isWorking = true
            condition.unlock()
            body()
            condition.lock()
            isWorking = false
            condition.broadcast()
            condition.unlock()
        }
    }
}
