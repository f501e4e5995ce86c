import Foundation
import MigrationEngine

/// The verdicts of the newest proof of each table, whoever made it: a run, the steps, validate, diff, a repair.
extension Report {
    /// When a table was compared last, and with which snapshot.
    public struct Proof: Codable, Sendable, Equatable {
        public let table: String
        /// When its proof ended, UTC.
        public let time: String
        /// The snapshot's sha256.
        public let snapshot: String
    }

    /// Rows that differ that a line names.
    private static let mostSamples = 10

    /// Lets the kept proofs that are as new as the last run's, or newer, speak instead of it. `since` is when that run ended, or when the
    /// target was worked on last; nil where nobody knows of either.
    ///
    /// Times have seconds: a proof that a run itself has kept says what the run says.
    mutating func take(_ log: DifferenceLog, since: String?) throws {
        let hasRun = !tables.isEmpty
        var lines: [MigrationReport.Table] = []
        for name in hasRun ? tables.map(\.name) : plan.filter({ !$0.isSkipped }).map(\.name) {
            let line = tables.first { $0.name == name }
            if let newest = try newest(name, line, log, since) { lines.append(newest) }
        }
        tables = lines
        views = try views.map { try newest($0.name, $0, log, since) ?? $0 }
        // Tables that nobody has loaded and nobody compared are no evidence of anything.
        if !hasRun, proofs.isEmpty { tables = [] }
        provenAt = ([provenAt].compactMap(\.self) + proofs.map(\.time)).max()
    }

    private mutating func newest(
        _ name: String, _ line: MigrationReport.Table?, _ log: DifferenceLog, _ since: String?
    ) throws -> MigrationReport.Table? {
        guard line?.verdict != "skipped" else { return line }
        let found = try log.proof(of: name)
        guard let proof = found, proof.obstacle == nil else {
            // Whoever compares a table forgets its last proof first, and keeps of one that could not compare it why.
            guard line?.verdict == "equal" || line == nil else { return line }
            return .init(
                unproven: name,
                found?.obstacle ?? (line == nil ? "not compared" : "compared again since, without a verdict"),
                earlier: line)
        }
        guard since.map({ proof.time >= $0 }) ?? true else { return line }
        proofs.append(Proof(table: name, time: proof.time, snapshot: proof.snapshot))
        // The run's own words say more than what is kept of the same proof.
        if let line, line.verdict == (proof.differences > 0 ? "differs" : "equal"),
            line.differences == proof.differences
        {
            return line
        }
        let samples = try log.page(name, from: 0, count: Self.mostSamples)
        return .init(name, proof, samples: samples, earlier: line)
    }

    /// What the newest verdicts come to, where `outcome` is what the last run came to.
    func outcome(after outcome: MigrationReport.Outcome?) -> MigrationReport.Outcome? {
        let lines = tables + views
        guard !proofs.isEmpty || !unproven.isEmpty else { return outcome }
        guard unproven.isEmpty else {
            return lines.contains { $0.verdict == "differs" } ? .differs : nil
        }
        if lines.contains(where: { !$0.isExplained }) { return .differs }
        let compared = Set(proofs.map(\.table))
        let isWhole = tables.allSatisfy { $0.verdict == "skipped" || compared.contains($0.name) }
        let isOfRun = proofs.allSatisfy { $0.snapshot == runSnapshot }
        switch outcome {
        case .proven, .quarantined, .undecided: return outcome
        case .stale where isOfRun || !isWhole: return outcome
        case .failed where !isWhole, .cancelled where !isWhole, nil where !isWhole: return outcome
        default: break
        }
        if objects.contains(where: \.isUnexplained) { return .undecided }
        return tables.contains { $0.quarantinedRows > 0 } ? .quarantined : .proven
    }

    /// Tables and views whose last comparison came to no verdict.
    var unproven: [String] {
        (tables + views).filter { $0.verdict == MigrationReport.Table.unproven }.map(\.name)
    }

    /// As of when the tables are what they were proven to be.
    var snapshotWords: String {
        let compared = Set(proofs.map(\.table))
        let isOfRun = tables.contains { $0.verdict != "skipped" && !compared.contains($0.name) }
        guard Set(proofs.map(\.snapshot) + (isOfRun ? [runSnapshot] : [])).count <= 1 else {
            return ", each table as of the snapshot of its own last proof"
        }
        return source.snapshot.map { ", as of the snapshot of \(Self.shown($0.time)) UTC" } ?? ""
    }

    // MARK: Digests beside the verdict

    /// Tables whose digests differ, where those were computed since the table's last proof.
    var contradicting: [String] {
        guard let digests else { return [] }
        return digests.tables.filter { table in
            let proven = proofs.first { $0.table == table.name }?.time ?? ranAt
            return !table.isEqual && proven.map { digests.time >= $0 } ?? true
        }.map(\.name)
    }

    /// A proof that found a table equal does not stand against digests that differ since: neither in the table's line nor on page one.
    mutating func weighDigests() {
        let names = contradicting
        guard !names.isEmpty, let digests else { return }
        let time = Self.shown(digests.time)
        for (index, table) in tables.enumerated() where table.verdict == "equal" && names.contains(table.name)
        {
            let proven = (proofs.first { $0.table == table.name }?.time ?? ranAt).map {
                "; the proof of \(Self.shown($0)) UTC had found it equal"
            }
            tables[index] = .init(contradicted: table, "its digests do, computed \(time) UTC\(proven ?? "")")
            uncounted.append(table.name)
        }
        count()
        if verdict == .differs, !uncounted.isEmpty {
            sentence =
                "\(sentence.dropLast()); the digests of \(uncounted.joined(separator: ", ")) differ since, computed \(time) UTC."
        }
        guard [.proven, .quarantined, .stale, .undecided].contains(verdict),
            totals.rows > 0 || target.rows ?? 0 > 0
        else { return }
        let proof = provenAt.map { "; the proof of \(Self.shown($0)) UTC had found them equal" } ?? ""
        verdict = .differs
        sentence =
            "Not equal any more: the digests of \(names.joined(separator: ", ")) differ, computed \(time) UTC\(proof)."
    }

    /// Rows that differ, as far as somebody has counted them.
    var differencesWords: String {
        guard !uncounted.isEmpty else { return Format.count(totals.differences) }
        return totals.differences > 0 ? "\(Format.count(totals.differences)) or more" : "not counted"
    }

    /// What the digests say beside the verdict.
    var digestPoints: [String] {
        guard let digests else { return [] }
        let names = contradicting
        let passed = digests.tables.filter { !$0.isEqual && !names.contains($0.name) }.map(\.name)
        var points: [String] = []
        if !names.isEmpty { points.append("the digests of \(names.joined(separator: ", ")) differ") }
        if !passed.isEmpty {
            points.append(
                "the digests of \(passed.joined(separator: ", ")) differed at \(Self.shown(digests.time)) UTC, before the last proof; howdah digest computes them anew"
            )
        }
        if digests.outcome == .equal, verdict == .differs, provenAt.map({ digests.time >= $0 }) ?? true {
            points.append(
                "the digests are equal at \(Self.shown(digests.time)) UTC, after the last proof; howdah validate compares every cell again"
            )
        }
        return points
    }
}
