import AppProject
import MigrationEngine

/// What a run of one of the application's commands came to.
public struct CommandResult: Sendable, Equatable, Codable {
    public enum Outcome: String, Sendable, Codable {
        case passed, failed
        /// It ended well, and ran no test: that proves nothing.
        case empty
        /// It ended well, and said nothing of tests that howdah understands: whether any ran is not known.
        case uncounted
        /// It took longer than it was given.
        case late
        case cancelled
        /// It could not be started.
        case unable

        public var words: String {
            switch self {
            case .empty: "ran no test"
            case .uncounted: "ended with 0, tests not counted"
            case .late: "took too long"
            case .unable: "could not be started"
            default: rawValue
            }
        }

        /// Whether it is neither a pass nor a failure.
        public var isUndecided: Bool { self == .empty || self == .uncounted }
    }

    public let name: String
    /// As an operator would type it.
    public let run: String
    public let outcome: Outcome
    /// The exit status; nil where there is none.
    public let status: Int32?
    public let seconds: Double
    /// nil where the output was no known runner's.
    public let counts: TestCounts?
    /// Relative to the state folder.
    public let log: String?
    /// Why it came to this, where there is more to say.
    public let reason: String

    public init(
        name: String, run: String, outcome: Outcome, status: Int32? = nil, seconds: Double = 0,
        counts: TestCounts? = nil, log: String? = nil, reason: String = ""
    ) {
        self.name = name
        self.run = run
        self.outcome = outcome
        self.status = status
        self.seconds = seconds
        self.counts = counts
        self.log = log
        self.reason = reason
    }

    /// What a program's end and its counts come to.
    init(
        _ command: AppCommand, _ ending: Command.Ending, _ counts: TestCounts?, log: String?, limit: Duration
    ) {
        var reason = ""
        let outcome: Outcome
        if ending.isCancelled {
            outcome = .cancelled
        } else if ending.isLate {
            outcome = .late
            reason = "it was ended after \(Format.seconds(limit.seconds)); --timeout gives it more"
        } else if ending.status != 0 {
            outcome = .failed
            reason = Self.reason(ending.status)
        } else if let counts, counts.failed > 0 {
            outcome = .failed
            reason = "it ended with 0, and its output says that tests failed"
        } else if let counts, counts.isEmpty {
            outcome = .empty
            reason = "it ended with 0 and ran no test: nothing was proven"
        } else if counts == nil, !command.isOwn {
            outcome = .uncounted
            reason =
                "no count of tests was understood in its output: look at it, and tick by hand what it shows"
        } else {
            outcome = .passed
            // Of a command of the operator's own the status is the answer: they have said that it is a test.
            if counts == nil { reason = "by its exit status: its output tells no counts" }
        }
        self.init(
            name: command.name, run: command.run, outcome: outcome, status: ending.status,
            seconds: ending.seconds, counts: counts, log: log, reason: reason)
    }

    static func reason(_ status: Int32) -> String {
        switch status {
        case 126: "exit status 126: it is no program, or may not be run"
        case 127: "exit status 127: a program was not found"
        case 129...192: "ended by signal \(status - 128)"
        default: "exit status \(status)"
        }
    }

    /// How it ended, in words.
    public var end: String { [outcome.words, reason].filter { !$0.isEmpty }.joined(separator: ": ") }

    /// Counts and duration.
    public var figures: String {
        [counts?.words, seconds > 0 ? Format.seconds(seconds) : nil].compactMap(\.self).joined(
            separator: ", ")
    }

    /// In one line, as evidence.
    public var line: String {
        ["\(name): \(outcome.words)", figures, reason, log].compactMap { $0?.isEmpty ?? true ? nil : $0 }
            .joined(separator: " — ")
    }
}

/// One of the application's commands with where it stands in a mode.
public struct CommandState: Sendable, Equatable, Identifiable {
    public let command: AppCommand
    /// Whether a run of all passes it over.
    public let isLeftOut: Bool
    /// Its last run; nil before one.
    public let last: CommandResult?
    /// When that was; empty before.
    public let when: String
    /// Whether it was begun and its end was never written down.
    public let isInterrupted: Bool
    /// Items of phase 5 that its result ticks.
    public let links: [String]
    /// Items that its name speaks of, and that it is not linked to.
    public let proposals: [String]
    /// A process that a killed howdah has left running; nil where there is none.
    public let stale: StaleService?
    /// Whether its last run was against another target, or before the rows were loaded anew: it counts no more.
    public var isOutdated = false

    public var id: String { command.name }
}
