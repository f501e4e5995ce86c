extension MigrationReport.Table {
    /// What the kept proof of a table says. `earlier` is the line that it takes the place of: rows in quarantine are counted by who loads.
    public init(
        _ name: String, _ proof: DifferenceLog.Proof, samples: [RowDifference], earlier: Self? = nil
    ) {
        let quarantined = earlier?.quarantinedRows ?? 0
        self.init(
            name: name, sourceRows: proof.sourceRows + quarantined, loadedRows: proof.targetRows,
            quarantinedRows: quarantined,
            verdict: (proof.differences > 0 ? TableVerdict.Verdict.differs : .equal).rawValue,
            differences: proof.differences, seconds: 0, samples: samples, reason: nil, notes: earlier?.notes)
    }

    static let notAsked = "not asked for"

    /// Whether somebody wanted the table to be compared, or the plan leaves it out for all.
    public var isAskedFor: Bool {
        verdict != TableVerdict.Verdict.skipped.rawValue || reason != Self.notAsked
    }

    /// The word of a table of which no proof has ended since its last comparison began.
    public static let unproven = "unproven"

    /// A line without a verdict, and why.
    public init(unproven name: String, _ reason: String, earlier: Self? = nil) {
        self.init(
            name: name, sourceRows: earlier?.sourceRows ?? 0, loadedRows: earlier?.loadedRows ?? 0,
            quarantinedRows: earlier?.quarantinedRows ?? 0, verdict: Self.unproven, differences: 0,
            seconds: 0, samples: [], reason: reason)
    }

    /// A line that was equal, of which digests say since that it is not: how many rows differ, nobody has counted.
    public init(contradicted earlier: Self, _ reason: String) {
        self.init(
            name: earlier.name, sourceRows: earlier.sourceRows, loadedRows: earlier.loadedRows,
            quarantinedRows: earlier.quarantinedRows, verdict: "differs", differences: 0,
            seconds: earlier.seconds, samples: [], reason: reason, notes: earlier.notes)
    }
}

extension MigrationReport.SnapshotFacts {
    public init(_ snapshot: Snapshot) {
        self.init(path: snapshot.path, sha256: snapshot.sha256, time: snapshot.time)
    }
}
