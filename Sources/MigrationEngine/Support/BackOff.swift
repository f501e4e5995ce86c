import Foundation

/// Waits between attempts that fail for a reason that may pass: longer each time, and not for ever.
struct BackOff {
    /// Attempts in a row that got nowhere, before it is given up.
    private static let most = 10
    private static let longest = Duration.seconds(8)

    private var attempt = 0
    private var reached = -1

    /// How long to wait before the next attempt; nil where it is time to give up.
    ///
    /// `reached` tells how far the last attempt came: one that came further than any before begins the count anew.
    mutating func next(reached: Int) -> Duration? {
        if reached > self.reached { attempt = 0 }
        self.reached = max(reached, self.reached)
        attempt += 1
        guard attempt <= Self.most else { return nil }
        return min(Self.longest, .milliseconds(250) * (1 << (attempt - 1)))
    }

    /// Waits, and throws when the operator cancels.
    static func wait(_ duration: Duration, _ cancellation: Cancellation) throws {
        let wish = DispatchSemaphore(value: 0)
        try cancellation.whileRegistered({ wish.signal() }) {
            _ = wish.wait(timeout: .now() + duration.seconds)
        }
        try cancellation.check()
    }
}
