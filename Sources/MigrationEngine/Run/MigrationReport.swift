/// What a run came to: the one document that every front shows, and that `--json` prints.
public struct MigrationReport: Codable, Sendable {
    public enum Outcome: String, Codable, Sendable {
        case proven, differs, undecided, stale, quarantined, failed, cancelled
    }

    public struct Table: Codable, Sendable {
        public let name: String
        public let sourceRows: Int
        public let loadedRows: Int
        public let quarantinedRows: Int
        public let verdict: String
        public let differences: Int
        public let seconds: Double
        /// The first rows that differ, by key.
        public let samples: [RowDifference]
        public let reason: String?
        /// What is other in a target that somebody else has made; nil where nothing is.
        public var notes: [TableNote]?

        enum CodingKeys: String, CodingKey {
            case name, verdict, differences, seconds, samples, reason, notes
            case sourceRows = "source_rows"
            case loadedRows = "loaded_rows"
            case quarantinedRows = "quarantined_rows"
        }
    }

    public struct Phase: Codable, Sendable {
        public let name: String
        public let seconds: Double
    }

    public struct SnapshotFacts: Codable, Sendable {
        public let path: String
        public let sha256: String
        public let time: String
    }

    public var command: String
    public var outcome: Outcome
    public var exit: Int32
    public var seconds: Double
    public var target: String?
    public var tables: [Table]
    /// Views, whose rows are compared on both sides.
    public var views: [Table]
    public var phases: [Phase]
    /// Rows that a run before this one, or before a lost connection, had loaded.
    public var resumedRows: Int
    /// What was chosen for the sessions that load and build.
    public var settings: [String: String]
    public var sourceSHA256: String?
    public var snapshot: SnapshotFacts?
    public var objects: [ObjectState]
    /// What the run that loaded the target has made beside the rows, and is not as it left it; nil where nobody has looked.
    public var missingObjects: [ObjectState]?
    public var findings: [Finding]
    public var notices: [String]

    enum CodingKeys: String, CodingKey {
        case command, outcome, exit, seconds, target, tables, views, phases, settings, snapshot, objects,
            findings, notices
        case resumedRows = "resumed_rows"
        case sourceSHA256 = "source_sha256"
        case missingObjects = "missing_objects"
    }

    init(command: String, preparation: Preparation, target: String?, progress: RunProgress, seconds: Double) {
        self.command = command
        outcome = .undecided
        exit = ExitCode.undecided.rawValue
        self.seconds = rounded(seconds)
        self.target = target
        tables = []
        views = []
        phases = progress.durations.map {
            Phase(name: $0.phase.rawValue, seconds: rounded($0.duration.seconds))
        }
        resumedRows = 0
        settings = [:]
        sourceSHA256 = preparation.snapshot.sourceSHA256
        snapshot = SnapshotFacts(
            path: preparation.snapshot.path, sha256: preparation.snapshot.sha256,
            time: preparation.snapshot.time)
        objects = preparation.objects
        findings = preparation.findings
        notices =
            preparation.catalog.tables.isEmpty
            ? ["the source holds no table: is it the right file, with its -wal file beside it?"] : []
    }

    mutating func end(_ outcome: Outcome, _ exit: ExitCode) {
        self.outcome = outcome
        self.exit = exit.rawValue
    }

    /// What was left out without anybody's word.
    public var unexplained: [ObjectState] { objects.filter(\.isUnexplained) }
}

/// Seconds to the millisecond.
func rounded(_ seconds: Double) -> Double {
    (seconds * 1000).rounded() / 1000
}
