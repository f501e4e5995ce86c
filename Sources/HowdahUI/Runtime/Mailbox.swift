import Synchronization

/// Messages from other threads to the loop, taken all at once when it draws.
final class Mailbox: Sendable {
    private let messages = Mutex<[Message]>([])
    private let wake: @Sendable () -> Void

    init(wake: @escaping @Sendable () -> Void) {
        self.wake = wake
    }

    /// From any thread; wakes the loop for the first message only.
    func post(_ message: Message) {
        let isFirst = messages.withLock { messages in
            messages.append(message)
            return messages.count == 1
        }
        if isFirst { wake() }
    }

    var isEmpty: Bool { messages.withLock(\.isEmpty) }

    func take() -> [Message] {
        messages.withLock { messages in
            defer { messages = [] }
            return messages
        }
    }
}
