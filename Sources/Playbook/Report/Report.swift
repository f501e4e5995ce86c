import MigrationEngine

/// A migration on paper: what was done, what it came to, what is open, and the evidence. A value, gathered once by
/// `Playbook.report`; every form of it is written from this.
public struct Report: Codable, Sendable {
    public enum Verdict: String, Codable, Sendable {
        /// Every cell is equal.
        case proven
        /// So is every cell that is loaded, and rows are in quarantine by decision.
        case quarantined
        /// The proof found differences.
        case differs
        /// Proven, and what it was proven of has changed since.
        case stale
        /// Something waits for a decision.
        case undecided
        /// Rows are there, and nobody has proven them.
        case unproven
        /// Nothing has been migrated.
        case nothing
    }

    public struct Source: Codable, Sendable {
        public let path: String
        public let bytes: Int64
        public var snapshot: MigrationReport.SnapshotFacts?
        /// Of the file's own bytes; nil where it was written meanwhile.
        public var sha256: String?
    }

    public struct Target: Codable, Sendable {
        /// Without a password.
        public let url: String
        public var version: String?
        public var run: Int?
        public var started: String?
        public var outcome: String?
        public var rows: Int?
        /// The sha256 of the snapshot that it was loaded from, as its ledger says.
        public var snapshot: String?
        /// Why it could not be read; nil where it was.
        public var obstacle: String?
    }

    public struct Totals: Codable, Sendable {
        public var tables = 0
        public var rows = 0
        /// Cells of rows that were compared and are equal.
        public var cells = 0
        public var quarantinedRows = 0
        public var differences = 0
        public var seconds = 0.0
    }

    public struct Signature: Codable, Sendable {
        public let who: String
        public let when: String
        public let what: String
        public let note: String
    }

    public struct Phase: Codable, Sendable {
        public let title: String
        public let steps: [Step]
    }

    public struct Step: Codable, Sendable {
        public let id: String
        public let title: String
        /// A word, and more of them.
        public let state: String
        public let words: String
        public let who: String
        public let when: String
        /// From its start to its end; nil where it was ticked.
        public let seconds: Double?
        public let evidence: [String]
        public let note: String
    }

    public struct Timing: Codable, Sendable {
        public let name: String
        public let seconds: Double
    }

    public struct Item: Codable, Sendable {
        public let title: String
        public let isTicked: Bool
        public let isOwn: Bool
        public let who: String
        public let when: String
        public let note: String
        public let doubts: [String]
        public let obstacles: [String]
        public let evidence: [String]
    }

    public struct Column: Codable, Sendable {
        public let name: String
        public let declared: String
        public let type: String
        public let isNotNull: Bool
        public let reason: String
    }

    public struct PlanTable: Codable, Sendable {
        public let name: String
        public let target: String
        public let isSkipped: Bool
        public let columns: [Column]
    }

    public struct Entry: Codable, Sendable {
        public let time: String
        public let who: String
        public let mode: String
        public let subject: String
        public let kind: String
        public let text: String
    }

    public let title: String
    /// When and by whom it was written, UTC.
    public let time: String
    public let who: String
    public let mode: Mode
    public var source: Source
    public var target: Target
    public internal(set) var verdict = Verdict.nothing
    /// The verdict in one sentence.
    public internal(set) var sentence = ""
    /// Since when the application uses the target; nil before a cutover.
    public internal(set) var inUse: InUse?
    /// Whether a run in lines did the work of steps 1.1 to 3.4.
    public internal(set) var isRunInLines = false
    /// When the newest proof ended; nil before.
    public internal(set) var provenAt: String?
    public internal(set) var totals = Totals()
    /// What is not settled, line by line.
    public internal(set) var open: [String] = []
    public internal(set) var signatures: [Signature] = []
    public internal(set) var phases: [Phase] = []
    public internal(set) var timings: [Timing] = []
    public internal(set) var tables: [MigrationReport.Table] = []
    public internal(set) var views: [MigrationReport.Table] = []
    /// The newest proofs that are kept, by table.
    public internal(set) var proofs: [Proof] = []
    /// Tables that differ by their digests alone: their rows that differ are in no count.
    public internal(set) var uncounted: [String] = []
    /// When the last run ended, and its snapshot's sha256: other proofs may have passed both.
    var ranAt: String?
    var runSnapshot = ""
    /// Where the last run went, if that is another target than this one.
    var otherTarget: String?
    /// Whether the ledger tells of a snapshot that is none of this source's.
    var isOfOtherSource = false
    /// Whether somebody wanted the target to be read, and it was not.
    var isUnread = false
    /// What commands are given to mean the source, and its state where that is named.
    var naming: [String] = []
    public internal(set) var plan: [PlanTable] = []
    public internal(set) var planStyle = ""
    public internal(set) var decisions: [Decision] = []
    public internal(set) var findings: [Finding] = []
    /// Objects that are not as they were: changed, left out, failed.
    public internal(set) var objects: [ObjectState] = []
    public internal(set) var carriedObjects = 0
    public internal(set) var kept: KeptSummary?
    public internal(set) var checklist: [Item] = []
    /// Oldest first.
    public internal(set) var journal: [Entry] = []
    public internal(set) var throughput = Throughput()
    public internal(set) var digests: DigestReport?
    public internal(set) var notices: [String] = []
    /// What could not be read, and why.
    public internal(set) var missing: [String] = []

    enum CodingKeys: String, CodingKey {
        case title, time, who, mode, source, target, verdict, sentence, totals, open, signatures, phases,
            timings
        case tables, views, proofs, uncounted, plan, decisions, findings, objects, kept, checklist, journal,
            throughput,
            digests
        case notices, missing
        case isRunInLines = "run_in_lines"
        case inUse = "in_use"
        case provenAt = "proven_at"
        case planStyle = "plan_style"
        case carriedObjects = "carried_objects"
    }
}
