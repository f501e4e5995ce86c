import Foundation
import MigrationEngine

/// Where every step stands in one mode, worked out from the journal, from the target's own word, and from what the
/// steps looked at. Pure: the same facts give the same answers.
struct Standing {
    /// The newest entry of each step in this mode.
    let entries: [String: JournalEntry]
    /// What steps look at, as it is now; what cannot be told is not in it.
    let now: [Step.Basis: String]
    /// nil where the target was not looked at; nil inside where it holds no run.
    let status: RunStatus??
    /// The step that runs at this moment.
    let running: String?
    var mode = Mode.rehearsal
    /// Steps that have changed files which are not back.
    var changed: Set<String> = []
    /// Whether the application was switched over to the target, and is not back.
    var isSwitched = false
    /// Whether the target holds tables, whoever has made them.
    var holdsTables = false
    /// This moment; nil leaves the age of evidence out.
    var moment: Date?

    /// Whether howdah's own schema was taken out of the target, once nothing needed it any more.
    private var isFinished: Bool { entries["F"]?.kind == .done }

    func state(_ id: String) -> StepState {
        if id == running { return .running }
        guard let step = Phases.step(id) else { return .waiting("there is no step \(id)") }
        if let state = recorded(step) { return state }
        if id.hasPrefix("C.") {
            guard mode == .live else { return .waiting("the cutover is of the live target: L goes live") }
            guard now[.target] != "none" else { return .waiting("no live target is named yet") }
        }
        let needs = step.needs + (mode == .live ? step.liveNeeds : [])
        if let need = needs.first(where: { !state($0).isSettled && !isMet($0, of: id) }) {
            return .waiting("waits for \(need)")
        }
        return .ready
    }

    /// Needs that another command may have met: the plan by being there, the proof by what the target says.
    private func isMet(_ need: String, of step: String) -> Bool {
        if step == "6.4", need == "3.3", holdsTables { return true }
        // The cutover carries what SQLite has got since, and compares every cell itself.
        if step == "C.1", isLoaded { return need == "3.4" && !isDenied("3.3") }
        guard isProven, !isDenied(need) else { return false }
        return ["3.3", "3.4"].contains(need) || need == "1.7" && now[.plan].map { $0 != "none" } ?? false
    }

    /// Whether the journal says of what the target holds now that the step, or one of the same phase that it builds on, failed: a later
    /// proof knows better than the load's own.
    private func isDenied(_ id: String) -> Bool {
        guard let step = Phases.step(id) else { return false }
        if let entry = entries[id], entry.kind == .failed, change(step, entry) == nil { return true }
        return step.needs.contains { Phases.step($0)?.phase == step.phase && isDenied($0) }
    }

    /// Whether the target itself says that all that was loaded into it was proven, by whichever command.
    private var isProven: Bool { ["proven", "quarantined"].contains(outcome) }

    /// Whether all is loaded and has its keys: the cutover proves it anew, as of a later moment.
    private var isLoaded: Bool {
        guard case .some(.some(let status)) = status else { return false }
        return status.stage >= .constrained
    }

    private var outcome: String? {
        guard case .some(.some(let status)) = status, status.stage == .ended else { return nil }
        return status.outcome
    }

    /// The state that the journal tells; nil where nothing happened yet, or it was taken back.
    private func recorded(_ step: Step) -> StepState? {
        guard let entry = entries[step.id] else { return nil }
        switch entry.kind {
        case .done:
            let reason = gone(step.id) ?? overtaken(step, entry)
            return reason.map { .stale($0, blocks: true) } ?? change(step, entry) ?? aged(step, entry)
                ?? .done
        case .ticked: return aged(step, entry) ?? .done
        case .skipped: return .skipped(entry.text)
        case .undecided: return change(step, entry) == nil ? .undecided(Int(entry.text) ?? 1) : nil
        case .failed: return .failed(entry.text)
        case .started: return .failed("it was interrupted\(partOf(step.id)); run it again")
        case .undoing: return .failed("its undo was interrupted; undo it again")
        case .cancelled:
            let part = partOf(step.id)
            return part.isEmpty ? nil : .stale("cancelled\(part); Enter goes on", blocks: true)
        default: return nil
        }
    }

    /// How far a load that did not end is, as the target tells.
    private func partOf(_ id: String) -> String {
        guard id == "3.2", case .some(.some(let status)) = status, status.stage < .loaded else { return "" }
        return ": \(Format.count(status.rows)) rows are there"
    }

    /// What the target no longer has, though the journal says done.
    private func gone(_ id: String) -> String? {
        let stages: [String: RunStatus.Stage] = [
            "1.8": .made, "3.2": .loaded, "3.3": .constrained, "3.4": .ended,
        ]
        guard let stage = stages[id], !isFinished, let answer = status else { return nil }
        guard let status = answer else { return "its tables are gone from the target" }
        guard status.stage < stage else { return nil }
        return id == "3.2"
            ? "only \(Format.count(status.rows)) rows are there" : "the target no longer has what it made"
    }

    /// A step that this one built on, and that is not there, or was undone or done again since.
    private func overtaken(_ step: Step, _ entry: JournalEntry) -> String? {
        for need in step.needs where Phases.step(need)?.undo != nil && entries[need] == nil {
            // What another command has done is in no journal; a target that was not looked at may hold it.
            if case .none = status, ["3.3", "3.4"].contains(need) { continue }
            if !isMet(need, of: step.id) { return "\(need) has not been done" }
        }
        return redone(step, entry)
    }

    /// What a step built on, or what that one built on itself, where it was undone, begun or done again since.
    private func redone(_ step: Step, _ entry: JournalEntry) -> String? {
        for need in step.needs {
            guard let below = Phases.step(need), below.undo != nil, let other = entries[need] else {
                continue
            }
            if [.undone, .unticked].contains(other.kind) { return "\(need) was undone since" }
            // Snapshot, plan and database are told apart by what they are, not by when they were made.
            if other.id > entry.id, !["1.2", "1.4", "1.7"].contains(need) {
                if other.kind == .done { return "\(need) was done again since" }
                if [.started, .failed, .cancelled].contains(other.kind) {
                    return "\(need) was begun again since, and did not end"
                }
            }
            if other.kind == .done, let reason = redone(below, other) { return reason }
        }
        return nil
    }

    /// What has changed since the step looked at it.
    private func change(_ step: Step, _ entry: JournalEntry) -> StepState? {
        for basis in step.basis {
            guard let before = entry.basis[basis.rawValue], let value = now[basis], before != value else {
                continue
            }
            switch basis {
            case .source: return .stale("the source has changed since \(entry.time)", blocks: false)
            case .snapshot: return .stale("another snapshot was taken since", blocks: true)
            case .target: return .stale("the target is another one", blocks: true)
            case .plan: return .stale("plan.yaml has changed since", blocks: true)
            case .run: return .stale("the target holds another run", blocks: true)
            }
        }
        return nil
    }

    /// What is true for a time only, once that is over.
    private func aged(_ step: Step, _ entry: JournalEntry) -> StepState? {
        guard let limit = Freshness.limits[step.id], let moment, let then = Freshness.date(entry.time) else {
            return nil
        }
        let days = Int(moment.timeIntervalSince(then) / Freshness.day)
        return days > limit.days ? .stale("\(limit.what) is \(days) days old", blocks: true) : nil
    }

    // MARK: Undo

    /// Why a step cannot be undone now; nil where it can.
    func undoObstacle(_ id: String) -> String? {
        guard let step = Phases.step(id), step.undo != nil else { return "it changed nothing" }
        guard hasLeftSomething(id) else { return "it has not been done" }
        // What is there for the application on PostgreSQL alone is nothing that a way back to SQLite needs first.
        if isSwitched, id != "C.2", step.phase != 6 {
            return
                "the application runs on it since the cutover: C.2's undo, or all of the rollback, goes back"
        }
        let builders = Phases.steps.filter { $0.kind != .manual && $0.undo != nil && Self.needs($0, id) }
        // The last of them goes first.
        return builders.last { hasLeftSomething($0.id) && !isByHand($0.id) }.map {
            "undo \($0.id) first: it builds on it"
        }
    }

    /// Whether the operator did it: then howdah has nothing to take back first.
    private func isByHand(_ id: String) -> Bool {
        entries[id].map { [.ticked, .skipped].contains($0.kind) } ?? false
    }

    private func hasLeftSomething(_ id: String) -> Bool {
        if changed.contains(id) { return true }
        switch entries[id]?.kind {
        case nil, .undone, .unticked, .note: return false
        case .undecided: return id != "1.8"
        case .failed, .cancelled, .started:
            // What failed has left something only where the target says so.
            guard ["1.8", "3.2", "3.3"].contains(id), let answer = status else { return true }
            guard let status = answer else { return false }
            return id == "1.8" || (id == "3.2" ? status.stage > .made : status.stage >= .loaded)
        default: return true
        }
    }

    private static func needs(_ step: Step, _ id: String) -> Bool {
        step.needs.contains { need in need == id || Phases.step(need).map { needs($0, id) } ?? false }
    }
}
