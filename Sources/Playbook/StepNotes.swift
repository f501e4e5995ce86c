import Foundation
import MigrationEngine
import Postgres
import Synchronization

/// Notes in the journal what a command does of the steps' work, as the steps themselves would.
///
/// For a command that has the state folder's lock. A journal that cannot be written stops no work: it is said once, by `tell`.
/// Looking at the target is not cancelled with the work, so that what a cancel has left is noted too. Any thread may use it.
public final class StepNotes: Sendable {
    struct State {
        /// Steps that were noted since the command began.
        var noted: Set<String> = []
        var preparation: Preparation?
        /// The run that the target held before the work on it; nil once it is another one.
        var before: RunStatus?
        /// Whether tables were there, and the load began or went on.
        var hasBegun = false
        /// Nothing more is noted of the target: of another plan's run, or since the journal cannot be written.
        var isClosed = false
    }

    let book: Playbook
    private let source: [String: String]
    private let snapshots: Set<String>
    let tell: @Sendable (String) -> Void
    let state = Mutex(State())

    /// The notes of a project; nil where its journal is of another live target, or is not there and none is to be made.
    ///
    /// A live target becomes the journal's where none is named yet and `makesJournal` is said.
    public static func open(
        _ workspace: Workspace, _ target: Target, makesJournal: Bool,
        tell: @escaping @Sendable (String) -> Void
    ) -> StepNotes? {
        guard makesJournal || access("\(workspace.state.path)/journal.db", F_OK) == 0 else { return nil }
        do {
            let book = try Playbook(workspace, target: nil, who: nil)
            guard case .server(let conninfo) = target else {
                try book.setMode(.rehearsal, isKept: false)
                return try StepNotes(book, tell)
            }
            if book.liveURL == nil, makesJournal { try book.setTarget(conninfo.url) }
            guard let known = book.liveTarget, isSame(known, conninfo) else {
                if let known = book.liveURL {
                    tell("the live target of the journal is \(known): this is not noted with its steps")
                }
                return nil
            }
            try book.setMode(.live, isKept: false)
            return try StepNotes(book, tell)
        } catch {
            tell(Self.words(error, workspace.state))
            return nil
        }
    }

    /// Whether two names lead to the same database.
    private static func isSame(_ known: Conninfo, _ other: Conninfo) -> Bool {
        if known.url == other.url { return true }
        func identity(_ conninfo: Conninfo) -> String? {
            try? TargetServer(conninfo, cancellation: Cancellation()).identity()
        }
        guard let one = identity(other) else { return false }
        return one == identity(known)
    }

    private init(_ book: Playbook, _ tell: @escaping @Sendable (String) -> Void) throws {
        self.book = book
        self.tell = tell
        source = book.basis(of: "1.1", book.mode)
        snapshots = Set(
            try SnapshotStore(book.workspace.state, cancellation: Cancellation()).snapshots().map(\.path))
    }

    private static func words(_ error: any Error, _ state: StateFolder) -> String {
        let why = Playbook.explained(error).message
        return
            "the journal of \(state.path) cannot be written, so the screens and howdah status do not show this run: \(why)"
    }

    var mode: Mode { book.mode }

    func noting(_ body: () throws -> Void) {
        guard !state.withLock({ $0.isClosed }) else { return }
        do {
            try body()
        } catch {
            state.withLock { $0.isClosed = true }
            tell(Self.words(error, book.workspace.state))
        }
    }

    func note(_ outcome: StepOutcome, _ id: String) throws {
        let looksAtSource = Phases.step(id)?.basis.contains(.source) ?? false
        try book.note(outcome, id, mode, before: looksAtSource ? source : [:])
        state.withLock { _ = $0.noted.insert(id) }
    }

    // MARK: Before the target is worked on

    /// The live target's database was found fit.
    public func found(database: String) {
        noting {
            guard book.entry(of: "1.4", mode)?.kind != .done else { return }
            try note(DatabaseStep.found(database), "1.4")
        }
    }

    /// The rehearsal's database is there; emptied, or with what an earlier run has left.
    public func rehearses(isEmptied: Bool) {
        noting {
            if isEmptied {
                try note(DatabaseStep.emptied, "1.4")
                try undone(["1.8"] + Self.afterTables, "the rehearsal was emptied")
            } else if book.entry(of: "1.4", mode)?.kind != .done {
                try note(DatabaseStep.found(RehearsalCluster.database), "1.4")
            }
        }
    }

    /// The rehearsal was removed, with all that is in it.
    public func removedRehearsal() {
        noting { try undone(["1.4", "1.8"] + Self.afterTables, "the rehearsal was removed") }
    }

    private func undone(_ steps: [String], _ why: String) throws {
        for id in steps where book.entry(of: id, mode)?.kind == .done {
            try book.journal.add(.undone, id, mode, evidence: [why])
        }
    }

    /// Snapshot, profile and plan are made; `planBefore` is where the plan before is kept, see `PlanStore.keep`.
    public func prepared(_ preparation: Preparation, planBefore: String?) {
        noting {
            try noteSource(preparation)
            try note(ProfileStep.outcome(preparation), "1.6")
            guard followsPlan(preparation) else {
                state.withLock { $0.isClosed = true }
                tell(
                    "the steps follow the plan \(book.workspace.state.planPath), and this run another one: what it does to the target is not noted with them"
                )
                return
            }
            book.keep(preparation)
            state.withLock { $0.preparation = preparation }
            try note(PlanStep.outcome(preparation, book.workspace.state, before: planBefore), "1.7")
        }
    }

    /// Whether a command follows the plan that the steps follow.
    func followsPlan(_ preparation: Preparation) -> Bool {
        guard let path = preparation.planPath, path != book.workspace.state.planPath else { return true }
        return FileManager.default.contents(atPath: path) == Data(book.planText.utf8)
    }

    private func noteSource(_ preparation: Preparation) throws {
        let facts = try SourceFacts(book.workspace.source, preparation)
        try note(SourceStep.outcome(facts, book), "1.1")
        try note(backup(preparation.snapshot), "1.2")
    }

    private func backup(_ snapshot: Snapshot) -> StepOutcome {
        BackupStep.outcome(snapshot, isKept: snapshots.contains(snapshot.path))
    }

    /// Preparing has failed: the step that it was in.
    public func failedToPrepare(_ error: any Error, _ progress: RunProgress) {
        let known = Playbook.explained(error)
        // What a command says wrongly is no state of a step's.
        guard let phase = progress.last, known.code != .plan || known.exit != .usage else { return }
        noting {
            let taken = try SnapshotStore(book.workspace.state, cancellation: Cancellation()).snapshots().last
            guard let taken, (try? taken.isCurrent(cancellation: Cancellation())) ?? false,
                taken.source == book.workspace.source.path
            else { return try fail("1.2", error) }
            try note(backup(taken), "1.2")
            try fail(phase == .check ? "1.7" : "1.6", error)
        }
    }

    func fail(_ id: String, _ error: any Error) throws { try book.note(error, id, mode) }
}
