/// The documented exit codes of every command.
public enum ExitCode: Int32, Sendable, Codable {
    case success = 0
    case failure = 1
    /// Wrong usage, or an input that cannot be read.
    case usage = 2
    /// Something needs a decision, or was left out.
    case undecided = 3
    /// The proof found differences.
    case differs = 4
    /// Proven, with rows in quarantine by decision.
    case quarantined = 5
    case cancelled = 130
}

/// An error as the operator sees it: what happened and where, why, and what to do. Never holds a row's value.
public struct MigrationError: Error, Sendable, CustomStringConvertible {
    public enum Code: String, Sendable {
        case sourceNotFound = "source-not-found"
        case sourceIsDirectory = "source-is-directory"
        case sourceEmpty = "source-empty"
        case sourcePermission = "source-permission"
        case notADatabase = "not-a-database"
        case sourceTruncated = "source-truncated"
        case sourceCorrupt = "source-corrupt"
        case sourceBusy = "source-busy"
        case sourceUnreadable = "source-unreadable"
        case noSpace = "no-space"
        case state = "state"
        case projectFile = "project-file"
        case locked = "locked"
        case plan = "plan"
        case connection = "connection"
        case targetUnfit = "target-unfit"
        case targetNotEmpty = "target-not-empty"
        case interruptedRun = "interrupted-run"
        case target = "target"
        case value = "value"
        case rehearsal = "rehearsal"
        case export = "export"
        case cancelled = "cancelled"
    }

    public let code: Code
    public let message: String
    public let remedy: String
    public let exit: ExitCode
    /// Whether the same may succeed a little later: a connection was lost, or a server restarts.
    public let mayPass: Bool

    public init(
        _ code: Code, _ message: String, remedy: String, exit: ExitCode = .failure, mayPass: Bool = false
    ) {
        self.code = code
        self.message = message
        self.remedy = remedy
        self.exit = exit
        self.mayPass = mayPass
    }

    public var description: String { "\(message)\n\(remedy)" }

    /// The operator's wish to stop, as an error.
    public static let cancelled = MigrationError(
        .cancelled, "cancelled", remedy: "Run the same command again when you are ready.", exit: .cancelled)
}
