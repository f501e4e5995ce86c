import AppProject
import Foundation
import MigrationEngine
import Synchronization

/// What a command writes and whether it runs, at one moment.
public struct CommandFeed: Sendable, Equatable, Identifiable {
    public let name: String
    /// The mode in which it was started.
    public let mode: Mode
    public let isRunning: Bool
    /// Whether it was asked to end.
    public let isStopping: Bool
    public let seconds: Double
    /// How it ended, in words; empty while it runs.
    public let end: String
    public let output: OutputTail.Snapshot

    public var id: String { name }

    public init(
        name: String, mode: Mode = .rehearsal, isRunning: Bool, isStopping: Bool = false, seconds: Double = 0,
        end: String = "",
        output: OutputTail.Snapshot
    ) {
        self.name = name
        self.mode = mode
        self.isRunning = isRunning
        self.isStopping = isStopping
        self.seconds = seconds
        self.end = end
        self.output = output
    }
}

/// The commands that run or have run in this process, with their output. Any thread may use it.
public final class TestDesk: Sendable {
    /// One start of a command.
    final class Launch: Sendable {
        let command: AppCommand
        let mode: Mode
        let tail = OutputTail()
        let start = ContinuousClock.now
        let cancellation: Cancellation
        private let end = Mutex<(words: String, seconds: Double)?>(nil)
        private let ended = NSCondition()

        init(_ command: AppCommand, _ mode: Mode, _ cancellation: Cancellation) {
            self.command = command
            self.mode = mode
            self.cancellation = cancellation
        }

        var isRunning: Bool { end.withLock { $0 == nil } }

        var feed: CommandFeed {
            let end = end.withLock { $0 }
            return CommandFeed(
                name: command.name, mode: mode, isRunning: end == nil,
                isStopping: end == nil && cancellation.isCancelled,
                seconds: end?.seconds ?? (ContinuousClock.now - start).seconds, end: end?.words ?? "",
                output: tail.snapshot)
        }

        func finish(_ words: String) {
            let seconds = (ContinuousClock.now - start).seconds
            ended.lock()
            end.withLock { if $0 == nil { $0 = (words, seconds) } }
            ended.broadcast()
            ended.unlock()
        }

        /// Waits for its end; false where it has not come in time.
        func wait(seconds: Double) -> Bool {
            let deadline = Date(timeIntervalSinceNow: seconds)
            ended.lock()
            defer { ended.unlock() }
            while isRunning, ended.wait(until: deadline) {}
            return !isRunning
        }
    }

    private struct State {
        var commands: [AppCommand]?
        var launches: [String: Launch] = [:]
        var onFeed: (@Sendable (CommandFeed) -> Void)?
        var onLine: (@Sendable (_ command: String, _ line: String) -> Void)?
    }

    private let state = Mutex(State())
    /// Held while the list of services on the disk is changed.
    let record = Mutex(())

    /// Commands as they were found last; found by `find` where they were not yet.
    func commands(_ find: () -> [AppCommand]) -> [AppCommand] {
        if let commands = state.withLock({ $0.commands }) { return commands }
        let commands = find()
        state.withLock { $0.commands = commands }
        return commands
    }

    func forgetCommands() { state.withLock { $0.commands = nil } }

    /// Told of every change of what a command writes, a few times a second at most, from the threads that read.
    func listen(_ body: (@Sendable (CommandFeed) -> Void)?) { state.withLock { $0.onFeed = body } }

    /// Told of every line, from the threads that read.
    func listenToLines(_ body: (@Sendable (_ command: String, _ line: String) -> Void)?) {
        state.withLock { $0.onLine = body }
    }

    func tell(_ launch: Launch) { state.withLock { $0.onFeed }?(launch.feed) }

    func tell(_ line: String, of launch: Launch) {
        launch.tail.add(line)
        state.withLock { $0.onLine }?(launch.command.name, line)
    }

    /// Notes a start; nil where the command runs already.
    func begin(_ command: AppCommand, _ mode: Mode, _ cancellation: Cancellation) -> Launch? {
        let launch = state.withLock { state -> Launch? in
            if state.launches[command.name]?.isRunning ?? false { return nil }
            let launch = Launch(command, mode, cancellation)
            state.launches[command.name] = launch
            return launch
        }
        if let launch { tell(launch) }
        return launch
    }

    func launch(_ name: String) -> Launch? { state.withLock { $0.launches[name] } }

    /// Services that run.
    var services: [Launch] {
        state.withLock { $0.launches.values.filter { $0.command.kind == .service && $0.isRunning } }
            .sorted { $0.command.name < $1.command.name }
    }
}
