/// Where a step stands.
public enum StepState: Sendable, Equatable {
    /// Its needs are not met; why.
    case waiting(String)
    case ready
    case running
    /// So many findings wait for a decision.
    case undecided(Int)
    case done
    case failed(String)
    /// What it looked at has changed; `blocks` keeps later steps waiting.
    case stale(String, blocks: Bool)
    case skipped(String)

    /// Whether later steps may build on it.
    public var isSettled: Bool {
        switch self {
        case .done, .skipped, .stale(_, blocks: false): true
        default: false
        }
    }

    /// Whether the step counts as finished for its phase.
    public var isFinished: Bool {
        switch self {
        case .done, .skipped: true
        default: false
        }
    }

    /// A word for documents.
    public var name: String {
        switch self {
        case .waiting: "waiting"
        case .ready: "ready"
        case .running: "running"
        case .undecided: "undecided"
        case .done: "done"
        case .failed: "failed"
        case .stale: "stale"
        case .skipped: "skipped"
        }
    }

    /// The words beside it.
    public var words: String {
        switch self {
        case .waiting(let reason): reason
        case .ready: ""
        case .running: "running"
        case .undecided(let count): "\(count) open"
        case .done: ""
        case .failed(let reason): "failed: \(reason)"
        case .stale(let reason, _): reason.hasPrefix("cancelled") ? reason : "stale: \(reason)"
        case .skipped(let reason): "skipped: \(reason)"
        }
    }
}
