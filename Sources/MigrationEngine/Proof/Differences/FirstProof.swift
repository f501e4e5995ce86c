/// The first proof of a target by a snapshot, by which rows that differ in a later one are told apart: those that were never right, and
/// those that somebody has written since.
struct FirstProof {
    let log: DifferenceLog
    /// When it was, UTC, ISO 8601.
    let time: String
    private let snapshot: String

    /// What keeps the rows of a table from being told apart.
    struct Limit {
        /// None can be told.
        var obstacle: String?
        /// Whether the first proof has looked at the table.
        var isCompared = true
        /// Whether all that differed then are kept: otherwise some that are taken for the application's were never right.
        var isWhole = true
    }

    /// The first proof beside `log`, the last one of a target.
    ///
    /// Throws `.state` with `exit` where none is kept, or where it compared another snapshot; `remedies` say what to do.
    init(
        beside log: DifferenceLog, of preparation: Preparation, target: String,
        remedies: (none: String, other: String), exit: ExitCode
    ) throws {
        guard let first = try log.first() else {
            throw MigrationError(
                .state, "no proof of \(target) is kept that this one could be told apart from",
                remedy: remedies.none, exit: exit)
        }
        snapshot = preparation.snapshot.sha256
        let proofs = try preparation.plan.tables.compactMap { try first.proof(of: $0.name) }
        guard let proof = proofs.first(where: { $0.snapshot == preparation.snapshot.sha256 }) else {
            let time = proofs.first.map { " of \($0.time)" } ?? ""
            throw MigrationError(
                .state, "the snapshot of the first proof\(time) is not the one that is compared",
                remedy: remedies.other, exit: exit)
        }
        self.log = first
        time = proof.time
    }

    /// Whether the rows of a table that `now` has found to differ can be told apart.
    func limit(_ table: String, _ now: DifferenceLog) throws -> Limit {
        guard let then = try log.proof(of: table), then.snapshot == snapshot else {
            return Limit(obstacle: "the first proof has not compared it", isCompared: false)
        }
        let columns = try now.proof(of: table)?.compared ?? []
        guard then.obstacle == nil, then.compared.first == columns.first,
            Set(columns).isSubset(of: then.compared)
        else {
            return Limit(
                obstacle: then.obstacle.map { "the first proof could not compare all of it: \($0)" }
                    ?? "the first proof compared \(then.compared.first ?? "another table"), or fewer columns")
        }
        return Limit(isWhole: then.isWhole)
    }
}
