import MigrationEngine

/// What the target's own ledger says beside the proof that is known here.
extension Report {
    /// Whether the target tells of another run than the one that was proven, and nobody has compared it since.
    var isOtherRun: Bool {
        guard target.obstacle == nil, target.version != nil, totals.rows > 0 else { return false }
        let newest = proofs.map(\.time).max() ?? ""
        // Whoever compares the target itself needs no ledger.
        guard newest <= max(ranAt ?? "", target.started ?? "") else { return false }
        guard target.run != nil, !isOfOtherSource else { return true }
        guard let outcome = target.outcome else { return true }
        let isProven = ["proven", "quarantined", "stale", "undecided"].contains(outcome)
        return !isProven && target.started ?? "" > provenAt ?? ""
    }

    /// What the ledger says that its run came to; where a later proof has passed that, as of its own time.
    func runWords(_ outcome: String) -> String {
        let words = ["differs": "differs", "unproven": "not proven"]
        guard let then = words[outcome], [.proven, .quarantined, .stale].contains(verdict), let provenAt
        else {
            return outcome
        }
        let isRepaired = journal.contains {
            $0.subject == Phases.differences && $0.text.hasPrefix("repaired: ")
        }
        return
            "\(then) when it was loaded; \(isRepaired ? "repaired since, " : "")proven at \(Self.shown(provenAt)) UTC"
    }

    /// What it holds instead.
    var otherRunWords: String {
        guard let run = target.run else { return "" }
        if isOfOtherSource { return "; its run \(run) is of another source" }
        let end = target.outcome.map { "came to: \($0)" } ?? "has not been proven"
        return "; its run \(run), begun \(Self.shown(target.started ?? "")) UTC, \(end)"
    }
}
