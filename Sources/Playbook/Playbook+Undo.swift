import MigrationEngine

/// How steps are taken back.
extension Playbook {
    /// What the undo of a step would take away.
    public func undoPreview(_ id: String, _ activity: Activity) throws -> Preview {
        if let obstacle = undoObstacle(id, mode) {
            throw MigrationError(
                .state, "step \(id) cannot be undone: \(obstacle)", remedy: "Nothing was changed.",
                exit: .undecided)
        }
        if isTickedByHand(id, mode) {
            return Preview([.init("Takes the tick of \(id) away", ["The journal keeps that it was there."])])
        }
        guard let preview = try operation(id).undoPreview(context(activity)) else {
            throw MigrationError(
                .state, "step \(id) has nothing to undo", remedy: "It changed nothing.", exit: .undecided)
        }
        return preview
    }

    private func isTickedByHand(_ id: String, _ mode: Mode) -> Bool {
        Phases.step(id)?.kind == .manual
            || entry(of: id, mode).map { [.ticked, .skipped].contains($0.kind) } ?? false
    }

    /// Undoes a step, journalled before and after.
    public func undo(_ id: String, _ activity: Activity) throws {
        if let obstacle = undoObstacle(id, mode) { throw Self.notYet(id, obstacle) }
        if isTickedByHand(id, mode) {
            try untick(id)
            return
        }
        try undo(id, activity, by: operation(id), context(activity))
    }

    /// What the undo of a step has done, line by line; empty where the step was not undone last.
    public func undone(_ id: String) -> [String] {
        guard let entry = entry(of: id, mode) else { return [] }
        switch entry.kind {
        case .undone: return entry.evidence
        case .unticked: return ["the tick of \(id) is gone; the journal keeps that it was there"]
        default: return []
        }
    }

    /// Undoes a step that is part of a larger way back, whatever stands in its way by itself.
    func undoPart(_ id: String, _ context: StepContext) throws {
        guard let operation = Self.operations[id] else { return }
        // What its preview shows is what it overwrites.
        _ = try operation.undoPreview(context)
        try undo(id, context.activity, by: operation, context)
    }

    private func undo(
        _ id: String, _ activity: Activity, by operation: any StepOperation, _ context: StepContext
    ) throws {
        let mode = mode
        let before = entry(of: id, mode)
        try journal.add(.undoing, id, mode)
        do {
            CrashPoint.pass("undo \(id) before")
            let done = try operation.undo(context)
            CrashPoint.pass("undo \(id) after")
            look(mode, after: id, activity)
            try journal.add(.undone, id, mode, evidence: done)
        } catch {
            look(mode, after: id, activity)
            try journal.add(.note, id, mode, "the undo failed: \(Self.explained(error).message)")
            // What was not undone stands as it stood.
            if let before {
                try journal.add(
                    before.kind, id, mode, before.text, evidence: before.evidence, basis: before.basis,
                    data: before.data)
            }
            throw error
        }
    }
}
