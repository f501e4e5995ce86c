/// Applies decisions to a plan until nothing is left that a decision would change.
///
/// A decision about a type, a key or a table changes the plan, which is then reviewed again: it may bring up findings of
/// its own. A decision about rows or objects settles its finding.
struct DecisionRound {
    let review: DataReview
    let decisions: Decisions

    struct Outcome {
        var plan: MigrationPlan
        var findings: [Finding]
        var objects: [ObjectState]
        var changedTypes: [String: Set<String>]
        /// Whether a command has decided what the plan did not say before.
        var hasNewDecisions: Bool
    }

    /// More rounds than any chain of findings that lead to each other.
    private static let mostRounds = 50

    func settle(_ plan: MigrationPlan) throws -> Outcome {
        let before = plan
        var plan = plan
        for decision in decisions.given { plan = PlanEdit.decide(decision).applied(to: plan) ?? plan }
        var reviewed = try review.review(plan)
        var seen = reviewed.findings
        for _ in 0..<Self.mostRounds {
            let changed = apply(to: plan, reviewed.findings)
            guard changed != plan else { break }
            plan = changed
            reviewed = try review.review(plan)
            seen += reviewed.findings
        }
        try decisions.check(against: seen)
        var outcome = Outcome(
            plan: reviewed.plan, findings: reviewed.findings, objects: reviewed.objects,
            changedTypes: reviewed.changedTypes, hasNewDecisions: false)
        mark(&outcome)
        outcome.hasNewDecisions =
            !decisions.isEmpty
            && (outcome.plan.tables != before.tables || outcome.plan.decisions ?? [] != before.decisions ?? []
                || outcome.plan.views != before.views || outcome.plan.triggers != before.triggers)
        return outcome
    }

    /// The plan with the changes that are decided for findings.
    private func apply(to plan: MigrationPlan, _ findings: [Finding]) -> MigrationPlan {
        findings.filter(\.blocking).reduce(plan) { plan, finding in
            guard let edit = edit(for: finding, plan) else { return plan }
            return edit.applied(to: plan) ?? plan
        }
    }

    private func edit(for finding: Finding, _ plan: MigrationPlan) -> PlanEdit? {
        guard let (choice, _) = decisions.choice(for: finding, plan: plan.decisions ?? []),
            let edit = PlanEdit(choice.word, of: finding)
        else { return nil }
        if case .decide = edit { return nil }
        return edit
    }

    /// Marks what is decided about rows and objects, and notes in the plan what only the command said.
    private func mark(_ outcome: inout Outcome) {
        for index in outcome.findings.indices where outcome.findings[index].blocking {
            let finding = outcome.findings[index]
            let plan = outcome.plan
            guard let (choice, source) = decisions.choice(for: finding, plan: plan.decisions ?? []),
                let edit = PlanEdit(choice.word, of: finding), case .decide(let decision) = edit
            else { continue }
            outcome.findings[index].decision = choice.word
            outcome.findings[index].source = source
            outcome.findings[index].blocking = false
            if source == .operator, Decisions.none.choice(for: finding, plan: plan.decisions ?? []) == nil {
                outcome.plan.decisions = (plan.decisions ?? []) + [decision]
            }
            explain(finding, choice, &outcome.objects)
        }
    }

    /// An object that may stay behind by decision is no longer unexplained.
    private func explain(_ finding: Finding, _ choice: Choice, _ objects: inout [ObjectState]) {
        guard choice.known == .leaveOut, finding.id == .notCarried else { return }
        for index in objects.indices where objects[index].isUnexplained {
            guard objects[index].finding.object == finding.object else { continue }
            objects[index].isUnexplained = false
            objects[index].reason = (objects[index].reason ?? "") + "; left out by decision"
        }
    }
}
