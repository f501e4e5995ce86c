/// Counters of a database since its statistics began; only differences of two tell anything about now.
public struct MonitorCounters: Sendable, Equatable, Codable {
    /// The server's clock, seconds since 1970.
    public var time = 0.0
    /// When the server was started, and the statistics set back.
    public var started = 0.0
    public var reset: Double?
    public var commits = 0
    public var rollbacks = 0
    public var blocksRead = 0
    public var blocksHit = 0
    public var rowsRead = 0
    public var rowsWritten = 0
    public var temporaryFiles = 0
    public var temporaryBytes = 0
    public var deadlocks = 0
    public var checkpointsTimed = 0
    public var checkpointsRequested = 0

    /// Those that never go back by themselves.
    fileprivate var all: [Int] {
        [
            commits, rollbacks, blocksRead, blocksHit, rowsRead, rowsWritten, temporaryFiles, temporaryBytes,
            deadlocks,
        ]
    }
}

/// What happened between two samples.
public struct MonitorRates: Sendable, Equatable {
    public var seconds: Double
    /// A second.
    public var transactions: Double
    public var rowsRead: Double
    public var rowsWritten: Double
    public var temporaryBytes: Double
    /// In all of the time.
    public var temporaryFiles: Int
    public var deadlocks: Int
    public var rollbacks: Int
    public var commits: Int
    public var blocks: Int
    public var blocksHit: Int
    /// nil where those were set back meanwhile.
    public var checkpointsTimed: Int?
    public var checkpointsRequested: Int?

    /// Blocks found in shared buffers, of a hundred; nil where none was asked for.
    public var cacheHits: Double? { blocks > 0 ? 100 * Double(blocksHit) / Double(blocks) : nil }

    /// Transactions that were rolled back, of a hundred; nil where none ended.
    public var rollbackShare: Double? {
        commits + rollbacks > 0 ? 100 * Double(rollbacks) / Double(commits + rollbacks) : nil
    }

    /// Why two samples give no rates.
    public enum Gap: Error, Equatable, Sendable {
        case first, restarted, reset, tooClose

        public var words: String {
            switch self {
            case .first: "known from the second sample on"
            case .restarted: "the server was restarted since the sample before"
            case .reset: "the statistics were set back since the sample before"
            case .tooClose: "no time has passed since the sample before"
            }
        }
    }

    /// The difference of two samples; where a restart or a reset lies between them there is none, instead of a wrong one.
    public init(from old: MonitorCounters?, to new: MonitorCounters) throws(Gap) {
        guard let old else { throw .first }
        guard abs(old.started - new.started) < 0.001 else { throw .restarted }
        // After a crash the statistics begin anew, and nothing notes a reset.
        guard old.reset == new.reset, zip(old.all, new.all).allSatisfy({ $0 <= $1 }) else { throw .reset }
        let passed = new.time - old.time
        guard passed > 0.05 else { throw .tooClose }
        seconds = passed
        func rate(_ counter: KeyPath<MonitorCounters, Int>) -> Double {
            Double(new[keyPath: counter] - old[keyPath: counter]) / passed
        }
        commits = new.commits - old.commits
        rollbacks = new.rollbacks - old.rollbacks
        transactions = rate(\.commits) + rate(\.rollbacks)
        rowsRead = rate(\.rowsRead)
        rowsWritten = rate(\.rowsWritten)
        temporaryBytes = rate(\.temporaryBytes)
        temporaryFiles = new.temporaryFiles - old.temporaryFiles
        deadlocks = new.deadlocks - old.deadlocks
        blocksHit = new.blocksHit - old.blocksHit
        blocks = new.blocksHit - old.blocksHit + new.blocksRead - old.blocksRead
        let timed = new.checkpointsTimed - old.checkpointsTimed
        let requested = new.checkpointsRequested - old.checkpointsRequested
        if timed >= 0, requested >= 0 {
            checkpointsTimed = timed
            checkpointsRequested = requested
        }
    }
}
