import MigrationEngine

/// All that a front shows of a project at one moment: a value, made by `Playbook.overview`.
public struct BookState: Sendable, Equatable {
    public struct StepLine: Sendable, Equatable, Identifiable {
        public let step: String
        public let title: String
        public internal(set) var state: StepState
        /// What it left behind, line by line.
        public let evidence: [String]
        /// When it got into this state, and by whom; empty before.
        public let when: String
        public let who: String
        /// The operator's note.
        public let note: String
        public let isManual: Bool
        /// Whether it may be settled as one that does not apply.
        public let canSkip: Bool
        /// What to do by hand, line by line; for what the application is made with, where that is known.
        public let byHand: [String]
        /// Why it cannot be undone now; nil where it can.
        public let undoObstacle: String?
        /// What a command says against a tick of the operator's; nil where nothing does.
        public var contradiction: String?
        public var isOptional = false

        public var canUndo: Bool { undoObstacle == nil }

        /// Whether findings about what is stored wait: elsewhere what is open is in the step's own lines.
        public var waitsForFindings: Bool {
            if case .undecided = state { step.hasPrefix("1.") } else { false }
        }

        /// Whether it has failed, waits for a decision, or what others build on is not what it was.
        var isOpen: Bool {
            switch state {
            case .failed, .undecided, .stale(_, blocks: true): true
            default: false
            }
        }

        public var id: String { step }
    }

    public struct PhaseLine: Sendable, Equatable {
        public let number: Int
        public let title: String
        public let shortTitle: String
        /// The key that leads to it.
        public var key: String { number == 0 ? "C" : "\(number)" }
        public internal(set) var steps: [StepLine]

        public var finished: Int { steps.count { $0.state.isFinished } }

        /// The state that stands for the whole phase.
        public var state: StepState {
            let states = steps.map(\.state)
            return states.first { $0 == .running } ?? states.first {
                if case .failed = $0 { true } else { false }
            }
                ?? states.first { if case .undecided = $0 { true } else { false } }
                ?? states.first { if case .stale = $0 { true } else { false } }
                ?? (finished == steps.count ? .done : .ready)
        }
    }

    /// The SHA-256 of a table's lines on both sides; nil of a side that has none.
    public struct TableDigest: Sendable, Equatable {
        public let source: String?
        public let target: String?
        public let isEqual: Bool
        /// Why there is none of the target.
        public let obstacle: String?
        /// When they were computed, UTC.
        public let time: String
        /// Whether the table was loaded or proven anew since: then they say nothing of what it holds now.
        public var isOutdated = false
    }

    /// One table with how far it is.
    public struct TableLine: Sendable, Equatable {
        public let name: String
        public let rows: Int
        public let loaded: Int
        /// `equal`, `differs`, `skipped`; nil before the proof.
        public let verdict: String?
        public let differences: Int
        public let isSkipped: Bool
        /// Why there is no verdict on the rows.
        public let reason: String?
        public let seconds: Double
        /// What `howdah digest`, or a report, has computed last of this target and snapshot; nil where neither has.
        public var digest: TableDigest?

        public init(
            name: String, rows: Int, loaded: Int, verdict: String?, differences: Int, isSkipped: Bool,
            reason: String? = nil, seconds: Double = 0
        ) {
            self.name = name
            self.rows = rows
            self.loaded = loaded
            self.verdict = verdict
            self.differences = differences
            self.isSkipped = isSkipped
            self.reason = reason
            self.seconds = seconds
        }
    }

    /// A column of the plan with what it holds.
    public struct ColumnLine: Sendable, Equatable {
        public let name: String
        public let declared: String
        public let type: String
        public let reason: String
        public let isNotNull: Bool
        /// Values by storage class: integers, reals, texts, BLOBs, NULLs; nil before the profile.
        public let held: [Int]?
        /// Further types that hold every value; the operator may choose one.
        public let alternatives: [String]
    }

    public struct PlanTable: Sendable, Equatable {
        public let name: String
        public let isSkipped: Bool
        public let columns: [ColumnLine]
        /// The DDL of both sides, line by line.
        public let sourceSQL: [String]
        public let targetSQL: [String]
    }

    public var title: String
    public var sourcePath: String
    /// What commands are given to mean this project: its folder, or the file.
    public var openPath: String
    public var sourceBytes: Int64
    public var mode: Mode
    /// Where it goes, in words.
    public var target: String
    /// The live target without its password, and its database's name; nil before one was named.
    public var liveTarget: String?
    public var liveDatabase: String?
    /// Where the private PostgreSQL is, while it runs.
    public var rehearsalURL: String?
    public var phases: [PhaseLine]
    /// The steps of the cutover, and the two that stand by themselves.
    public internal(set) var cutover: PhaseLine
    public internal(set) var rollback: StepLine
    public internal(set) var finish: StepLine
    /// Whether this howdah keeps writers away from SQLite at this moment.
    public internal(set) var isSourceHeld: Bool
    /// Whether the application was switched over, and the cutover has not ended: in whichever mode that is shown.
    public internal(set) var isCutoverOpen = false
    /// Whether the application uses this mode's target: rows that differ there are its own until shown otherwise.
    public var isTargetInUse = false
    public var checklist: [Checklist.ItemLine]
    public var findings: [Finding]
    public var tables: [TableLine]
    public var plan: [PlanTable]
    public var objects: [ObjectState]
    /// What the last scan found in the application's code, the worst first.
    public var places: [CodePlace]
    /// Newest first.
    public var journal: [JournalEntry]
    /// What proof and run came to; nil before.
    public var outcome: String?
    /// The application's own commands: tests and services.
    public var commands: [CommandState] = []
    /// Advice about the target's indexes, the weightiest first; none before a look.
    public var advice: [AdviceLine] = []

    public var steps: [StepLine] { phases.flatMap(\.steps) }

    /// One of the six phases; 0 is the cutover.
    public func phase(_ number: Int) -> PhaseLine? {
        number == 0 ? cutover : phases.first { $0.number == number }
    }

    /// A step of the phases, of the cutover, or one of the two that stand by themselves.
    public func step(_ id: String) -> StepLine? {
        steps.first { $0.step == id } ?? (cutover.steps + [rollback, finish]).first { $0.step == id }
    }

    /// Shows a step as running, until the next overview tells.
    public mutating func setRunning(_ step: String) {
        for phase in phases.indices {
            for index in phases[phase].steps.indices where phases[phase].steps[index].step == step {
                phases[phase].steps[index].state = .running
            }
        }
        for index in cutover.steps.indices where cutover.steps[index].step == step {
            cutover.steps[index].state = .running
        }
        if step == rollback.step { rollback.state = .running }
        if step == finish.step { finish.state = .running }
    }

    public var openFindings: Int { findings.count(where: \.blocking) }

    /// The step to go on with: the first in which something is wrong or waits; else the first that can be run after what was done of the
    /// rows, since those needed nothing of what stands before; else the first of all. Steps done by hand, and those that nobody needs, are
    /// passed over.
    public var next: StepLine? {
        let own = steps.filter { !$0.isManual && !$0.isOptional }
        if let open = own.first(where: \.isOpen) {
            // Rows that differ are mended by the step after the proof that finds them.
            let mends = own.first { $0.step == Phases.differences && ($0.state == .ready || $0.isOpen) }
            return open.step == "3.4" && outcome == "differs" ? mends ?? open : open
        }
        let data = Set(phases.first { $0.number == 3 }?.steps.map(\.step) ?? [])
        let last = own.lastIndex { data.contains($0.step) && $0.state.isFinished }
        let rest = last.map { own[($0 + 1)...] } ?? own[...]
        return rest.first { $0.state == .ready } ?? own.first { $0.state == .ready }
    }

    /// Whether every cell has been proven equal, and still is.
    public var isProven: Bool { outcome == "proven" && step("3.4")?.state == .done }
}
