import MigrationEngine

/// A target that the application uses since a cutover: what was proven is that of the switch, and what differs later has changed since.
extension Report {
    public struct InUse: Codable, Sendable, Equatable {
        /// When the settings were led to it, and when the cutover ended, UTC; no end while it is open.
        public let since: String
        public let end: String?
        /// Tables and rows that the cutover has proven; nil where its proof's own record is not here.
        public var tables: Int?
        public var rows: Int?
        /// Rows that a later proof found to have changed since the first; nil where it cannot be told.
        public var changed: Int?

        enum CodingKeys: String, CodingKey {
            case since, end, tables, rows
            case changed = "changed_since"
        }
    }

    /// Whether all that a later proof has found to differ was written by the application.
    var isChangedSince: Bool { inUse?.changed != nil && totals.differences == inUse?.changed }

    /// Has the proof of the cutover speak, and not a later one, which finds what the application has written.
    mutating func judgeInUse() {
        guard let inUse, !isOfOtherSource, otherTarget == nil else { return }
        let what = [
            inUse.tables.map { Format.count($0, "table", "tables") },
            inUse.rows.map { Format.count($0, "row", "rows") },
        ].compactMap(\.self).joined(separator: ", ")
        let proof =
            "the proof that counts is the cutover's, of \(Self.shown(inUse.since)) UTC"
            + (what.isEmpty ? "" : ": \(what), every cell equal")
        let end =
            inUse.end.map { ", and the cutover ended at \(Self.shown($0)) UTC" }
            ?? ", and the cutover is open"
        let used =
            "The application has used PostgreSQL since the switch of \(Self.shown(inUse.since)) UTC\(end)"
        let isRight = totals.differences == 0 || isChangedSince
        if isRight || inUse.changed == nil { verdict = .proven }
        sentence = "\(used); \(proof)." + laterWords(inUse)
    }

    private func laterWords(_ inUse: InUse) -> String {
        guard totals.differences > 0 else { return "" }
        let names = (tables + views).filter { $0.verdict == "differs" }.map(\.name).joined(separator: ", ")
        let when = provenAt.map { " at \(Self.shown($0)) UTC" } ?? ""
        guard let changed = inUse.changed else {
            let rows = Format.count(totals.differences, "row differs", "rows differ")
            return
                " A later comparison\(when) found that \(rows), in \(names): the application's, unless howdah validate --watch says otherwise."
        }
        let rows = Format.count(changed, "row has", "rows have")
        let never = totals.differences - changed
        return " \(rows) changed since, in \(names), as a later comparison\(when) found"
            + (never > 0 ? "; \(Format.count(never, "other row was", "other rows were")) never right." : ".")
    }
}
