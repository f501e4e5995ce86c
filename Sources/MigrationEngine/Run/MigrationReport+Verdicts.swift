extension MigrationReport.Table {
    /// Rows in quarantine were read from the source too.
    init(_ name: String, _ verdict: TableVerdict?, loaded: Int, quarantined: Int) {
        self.init(
            name: name, sourceRows: verdict.map { $0.sourceRows + quarantined } ?? 0, loadedRows: loaded,
            quarantinedRows: quarantined,
            verdict: (verdict?.verdict ?? .skipped).rawValue, differences: verdict?.differences ?? 0,
            seconds: rounded(verdict?.seconds ?? 0), samples: verdict?.samples ?? [],
            reason: verdict?.obstacle)
    }

    /// A view holds what it reads on either side.
    init(view name: String, _ verdict: TableVerdict?) {
        self.init(name, verdict, loaded: verdict?.targetRows ?? 0, quarantined: 0)
    }

    /// Whether every row that was read is loaded and equal, or the table was left out by somebody's word.
    public var isExplained: Bool {
        verdict == TableVerdict.Verdict.skipped.rawValue
            || (verdict == TableVerdict.Verdict.equal.rawValue && sourceRows == loadedRows + quarantinedRows)
    }
}

extension MigrationReport {
    /// Gives the outcome from what the report holds; differences weigh more than what was left out.
    mutating func conclude(isStale: Bool, isRehearsal: Bool) {
        if isStale {
            notices.append("the source has changed since the snapshot of \(snapshot?.time ?? "")")
        }
        if (tables + views).contains(where: { !$0.isExplained }) {
            end(.differs, .differs)
        } else if isStale, !isRehearsal {
            end(.stale, .undecided)
        } else if !unexplained.isEmpty {
            end(.undecided, .undecided)
        } else if tables.contains(where: { $0.quarantinedRows > 0 }) {
            end(.quarantined, .quarantined)
        } else {
            end(.proven, .success)
        }
    }
}
