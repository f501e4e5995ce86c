import Synchronization

/// The last lines of a program's output, for screens that look while it is written. Any thread may use it.
public final class OutputTail: Sendable {
    /// Lines that are kept.
    static let most = 2000

    /// What is kept at one moment.
    public struct Snapshot: Sendable, Equatable {
        /// The number of the first line, from 0: so many came before it and are gone.
        public var first: Int
        public var lines: [String]

        public init(first: Int = 0, lines: [String] = []) {
            self.first = first
            self.lines = lines
        }

        /// How many lines there have been in all.
        public var end: Int { first + lines.count }
    }

    private let state = Mutex(Snapshot())

    public init() {}

    public func add(_ line: String) {
        state.withLock { state in
            state.lines.append(line)
            // Now and then, so that it costs nothing per line.
            guard state.lines.count >= Self.most * 2 else { return }
            let surplus = state.lines.count - Self.most
            state.lines.removeFirst(surplus)
            state.first += surplus
        }
    }

    public var snapshot: Snapshot { state.withLock { $0 } }

    /// The last lines alone.
    public func last(_ count: Int) -> [String] { state.withLock { Array($0.lines.suffix(count)) } }
}
