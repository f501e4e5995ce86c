import MigrationEngine
import Postgres

/// Repairs in lines.
enum RepairWords {
    static func preview(_ preview: RepairPreview) -> [String] {
        guard !preview.tables.isEmpty else { return ["no row differs: nothing is to be repaired"] }
        var lines = Format.table(
            [["table", "missing", "changed", "extra", ""]]
                + preview.tables.map { table in
                    [
                        table.name, Format.count(table.missing), Format.count(table.changed),
                        Format.count(table.extra), what(table, preview),
                    ]
                }, right: [1, 2, 3])
        if preview.extraLeft > 0 {
            lines.append(
                "\(Format.count(preview.extraLeft, "row is", "rows are")) in the target only, and stay: --extra removes them"
            )
        }
        lines += preview.leftWords
        if let warning = preview.warning { lines.append(warning) }
        return lines
    }

    private static func what(_ table: RepairPreview.Table, _ preview: RepairPreview) -> String {
        if let obstacle = table.obstacle { return "not repaired: \(obstacle)" }
        let rows = preview.repaired(table)
        var words: [String] = []
        if table.way == .whole, rows.copied + rows.removed > 0 {
            words.append(
                table.wholeWords
            )
        } else {
            if rows.copied > 0 { words.append("copies \(Format.count(rows.copied, "row", "rows"))") }
            if rows.removed > 0 { words.append("removes \(Format.count(rows.removed, "row", "rows"))") }
            if table.unnamed > 0 {
                words.append("\(Format.count(table.unnamed)) more differ: repair again afterwards")
            }
            if table.left > 0 { words.append("leaves \(Format.count(table.left, "row", "rows")) alone") }
        }
        return words.joined(separator: ", ")
    }

    static func outcome(_ outcome: Repair.Outcome, _ preview: RepairPreview? = nil) -> [String] {
        var lines: [String] = []
        if let record = outcome.record {
            lines.append(
                record.state == .undone
                    ? "undone: \(record.words)"
                    : "repaired: \(record.words); --undo --id \(record.id) takes it back")
        } else {
            lines.append("nothing was changed")
        }
        if let preview, outcome.record != nil { lines.append(asked(preview, outcome.report)) }
        return lines + Describe.report(outcome.report, planPath: nil)
    }

    /// The repair was committed: the rows that it was about are equal.
    private static func asked(_ preview: RepairPreview, _ report: MigrationReport) -> String {
        let left = report.tables.filter { $0.verdict == "differs" }
        let rows = left.reduce(0) { $0 + $1.differences }
        let equal = "the repaired rows are equal now"
        guard rows > 0 else { return equal }
        let names = left.map(\.name).joined(separator: ", ")
        return equal
            + "; \(Format.count(rows, "other row differs", "other rows differ")) in \(names), which this repair was not about"
    }

    static func list(_ records: [RepairRecord]) -> [String] {
        guard !records.isEmpty else { return ["nothing was repaired yet"] }
        return Format.table(
            [["repair", "state", "what"]]
                + records.map { [$0.id, $0.state == .begun ? "unknown" : $0.state.rawValue, $0.words] },
            right: [])
    }
}

/// What `repair --json` prints of rows.
struct RepairDocument: Encodable {
    struct Table: Encodable {
        let name: String
        let way: String
        let missing: Int
        let changed: Int
        let extra: Int
        let copied: Int
        let removed: Int
        let unnamed: Int
        /// Rows that differ and stay: as SQLite is today; not never right; never right, and written since in other cells.
        let asToday: Int
        let written: Int
        let mixed: Int
        let reason: String?
        let obstacle: String?

        enum CodingKeys: String, CodingKey {
            case name, way, missing, changed, extra, copied, removed, unnamed, written, mixed, reason,
                obstacle
            case asToday = "as_today"
        }
    }

    let command = "repair"
    let outcome: String
    let exit: Int32
    let target: String
    /// What the proof before found to differ, and what is done about it.
    let repair: [Table]
    /// What is to be known before rows are replaced that were named, or before rows come back.
    let warning: String?
    let record: RepairRecord?
    /// The proof afterwards; empty of a preview.
    let tables: [MigrationReport.Table]

    init(
        _ preview: RepairPreview?, _ server: TargetServer, _ outcome: Repair.Outcome? = nil,
        warning: String? = nil
    ) {
        self.outcome = outcome?.report.outcome.rawValue ?? "answered"
        exit = outcome?.report.exit ?? 0
        target = server.conninfo.url
        repair = (preview?.tables ?? []).map { table in
            let rows = preview?.repaired(table)
            return Table(
                name: table.name, way: table.way.rawValue, missing: table.missing, changed: table.changed,
                extra: table.extra, copied: rows?.copied ?? 0, removed: rows?.removed ?? 0,
                unnamed: table.unnamed, asToday: table.asToday, written: table.written, mixed: table.mixed,
                reason: table.reason, obstacle: table.obstacle)
        }
        self.warning = preview?.warning ?? warning
        record = outcome?.record
        tables = outcome?.report.tables ?? []
    }
}

/// What `repair --list --json` prints.
struct RepairListDocument: Encodable {
    let command = "repair"
    let repairs: [RepairRecord]
    /// What is to be known before the one is undone.
    let warning: String?

    init(_ records: [RepairRecord], warning: String? = nil) {
        repairs = records
        self.warning = warning
    }
}
