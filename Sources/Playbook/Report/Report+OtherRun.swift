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

    /// What it holds instead.
    var otherRunWords: String {
        guard let run = target.run else { return "" }
        if isOfOtherSource { return "; its run \(run) is of another source" }
        let end = target.outcome.map { "came to: \($0)" } ?? "has not been proven"
        return "; its run \(run), begun \(Self.shown(target.started ?? "")) UTC, \(end)"
    }
}
