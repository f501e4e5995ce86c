import Foundation
import MigrationEngine

/// Writes what commands write to stderr, with a line before the first of each, on a thread of its own.
///
/// Whoever reads stderr may stop to read (a pager, Ctrl-S). The thread that watches a command must not wait for that: neither
/// its time limit nor the wish to cancel would be heard. So lines wait in a queue, and what does not fit is left out: the log
/// has it.
final class OutputPrinter: @unchecked Sendable {
    /// Lines that wait at most; each is of a bounded length.
    private static let most = 2000
    /// How long a full queue may hold up a command whose output is read.
    private static let patience = 0.2
    /// How long the end of howdah's work waits for what is not written yet.
    private static let farewell = 1.0

    /// Guards all that follows.
    private let condition = NSCondition()
    private var lines: [(name: String, line: String)] = []
    private var leftOut = 0
    /// Whether a full queue has not moved in all of its time: then nobody waits for it until it does.
    private var isStuck = false
    private var isWriting = false
    private var hasThread = false
    private var isOver = false

    /// From the threads that read.
    func print(_ line: String, of name: String) {
        condition.lock()
        defer { condition.unlock() }
        guard !isOver else { return }
        start()
        let deadline = Date(timeIntervalSinceNow: Self.patience)
        while lines.count >= Self.most, !isStuck {
            if !condition.wait(until: deadline), lines.count >= Self.most { isStuck = true }
        }
        if lines.count >= Self.most {
            leftOut += 1
        } else {
            lines.append((name, line))
            condition.broadcast()
        }
    }

    /// Waits for a moment until all is written; nothing is taken any more.
    func finish() {
        condition.lock()
        defer { condition.unlock() }
        isOver = true
        condition.broadcast()
        let deadline = Date(timeIntervalSinceNow: Self.farewell)
        while hasThread, !lines.isEmpty || leftOut > 0 || isWriting, condition.wait(until: deadline) {}
    }

    private func start() {
        guard !hasThread else { return }
        hasThread = true
        let thread = Thread { [self] in write() }
        thread.name = "howdah-output"
        thread.start()
    }

    private func write() {
        var last: String?
        while let (taken, count) = take() {
            for (name, line) in taken {
                if last != name { Console.note("▸ \(name)") }
                last = name
                Console.note(line)
            }
            if count > 0 {
                Console.note("… \(Format.count(count, "line", "lines")) left out here; the log has them …")
            }
        }
    }

    /// What waits, and how many lines were left out after it; nil once there is nothing more to come.
    private func take() -> (lines: [(name: String, line: String)], leftOut: Int)? {
        condition.lock()
        defer { condition.unlock() }
        isWriting = false
        condition.broadcast()
        while lines.isEmpty, leftOut == 0 {
            if isOver { return nil }
            condition.wait()
        }
        defer {
            lines = []
            leftOut = 0
            isStuck = false
            isWriting = true
            condition.broadcast()
        }
        return (lines, leftOut)
    }
}
