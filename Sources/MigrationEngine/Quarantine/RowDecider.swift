import CSQLite
import Crypto
import Foundation
import Postgres
import SQLite

/// Finds every row that a decision is about, those that follow a parent into quarantine included, before data moves.
struct RowDecider {
    let review: DataReview
    let decisions: Decisions
    let state: StateFolder

    struct Outcome {
        var rows: DecidedRows?
        /// Rows that follow their parents.
        var findings: [Finding] = []
    }

    func decide(_ round: DecisionRound.Outcome) throws -> Outcome {
        let decided = round.findings.filter { finding in
            let word = finding.decision.flatMap(Choice.Word.init(rawValue:))
            return word.map { [.quarantine, .setNull, .strip, .escape].contains($0) } ?? false
        }
        guard !decided.isEmpty else { return Outcome() }
        var writer = try DecidedRowsWriter(
            review.snapshot, catalog: review.catalog, state: state, digest: digest(round.plan, decided))
        let interrupter = writer.interrupter
        return try review.cancellation.whileRegistered({ interrupter.interrupt() }) {
            do {
                for finding in decided { try select(finding, round, &writer) }
                let before = writer.quarantined
                try writer.close(over: dependencies(round.plan))
                let findings = followers(before, writer.quarantined)
                return Outcome(rows: try writer.finish(), findings: findings)
            } catch let error as SQLiteError where error.isInterrupted {
                throw MigrationError.cancelled
            }
        }
    }

    private func digest(_ plan: MigrationPlan, _ findings: [Finding]) -> String {
        let words = findings.map { "\($0.key)=\($0.decision ?? "")" }
        let types = plan.tables.flatMap { $0.columns.map(\.type) }
        let text = ([plan.snapshot] + words + types).joined(separator: "\n")
        return SHA256.hash(data: Data(text.utf8)).prefix(8).hexadecimal
    }

    // MARK: One finding

    private func select(
        _ finding: Finding, _ round: DecisionRound.Outcome, _ writer: inout DecidedRowsWriter
    ) throws {
        guard let name = finding.table, let table = review.table(name),
            let planned = round.plan.tables.first(where: { $0.name == name }),
            let word = finding.decision.flatMap(Choice.Word.init(rawValue:))
        else { return }
        switch finding.id {
        case .orphanRows:
            for key in planned.foreignKeys ?? [] where key.name == finding.object {
                let condition = writer.hasNoParent(key, parentHasCollation: hasCollation(key))
                if word == .quarantine {
                    try writer.quarantine(name, where: condition, reason: finding.key)
                } else {
                    for column in key.columns {
                        try writer.setNull(name, column, where: condition, reason: finding.key)
                    }
                }
            }
        case .rowTooWide:
            guard let condition = RowWidthReview.tooWide(planned) else { return }
            try writer.quarantine(name, where: condition, reason: finding.key)
        case .keysMerge:
            guard let key = KeyReview.keys(of: planned).first(where: { $0.name == finding.object }) else {
                return
            }
            let trial = DataReview.trial(key, table, planned, round.plan, round.changedTypes[name])
            _ = try KeyCheck(snapshot: review.snapshot, cancellation: review.cancellation).run(trial) {
                row, identity in
                try writer.add(row, identityFrom: identity, of: name, .quarantine, reason: finding.key)
            }
        case .checkBroken:
            guard let source = planned.checks?.first(where: { $0.name == finding.object })?.source else {
                return
            }
            try writer.quarantine(name, where: CheckReview.broken(by: source), reason: finding.key)
        case .nullInKey, .nullInNotNull:
            try writer.quarantine(
                name,
                where: "typeof(\(DecidedTable.alias).\(quoteIdentifier(finding.column ?? ""))) = 'null'",
                reason: finding.key)
        case .valueDoesNotFit:
            guard let column = planned.columns.first(where: { $0.name == finding.column }) else { return }
            let isDecided = round.changedTypes[name]?.contains(column.name) ?? false
            let code = DataReview.code(
                column, round.plan, isDecided: isDecided, isAdopted: round.plan.isAdopted(planned))
            try selectMisfits(table, column.name, code, word, reason: finding.key, &writer)
            try selectRefused(
                table, planned, column, isDecided, round.plan, word, reason: finding.key, &writer)
        default: return
        }
    }

    private func selectMisfits(
        _ table: Catalog.Table, _ column: String, _ code: ColumnCode, _ word: Choice.Word, reason: String,
        _ writer: inout DecidedRowsWriter
    ) throws {
        let check = FitCheck(snapshot: review.snapshot, cancellation: review.cancellation)
        _ = try check.run(.init(table: table, column: column, code: code)) { row, identity in
            let fate: DecidedRowsWriter.Fate =
                switch word {
                case .setNull: .replace(column: column, .null)
                case .strip, .escape:
                    .replace(column: column, .text(TextRepair.repaired(row, escapes: word == .escape)))
                default: .quarantine
                }
            try writer.add(row, identityFrom: identity, of: table.name, fate, reason: reason)
        }
    }

    /// Rows whose values only the server refuses, which are tried where the target has the table already.
    private func selectRefused(
        _ table: Catalog.Table, _ planned: MigrationPlan.Table, _ column: MigrationPlan.Column,
        _ isDecided: Bool,
        _ plan: MigrationPlan, _ word: Choice.Word, reason: String, _ writer: inout DecidedRowsWriter
    ) throws {
        guard word == .quarantine || word == .setNull, let identity = RowIdentity(table), identity.isRowid,
            let misfits = try review.serverMisfits(table, planned, column, isDecided: isDecided, plan)
        else { return }
        let row = identity.terms(of: DecidedTable.alias)[0]
        for first in stride(from: 0, to: misfits.rowids.count, by: 500) {
            let rowids = misfits.rowids[first..<min(first + 500, misfits.rowids.count)].map { "\($0)" }
            let condition = "\(row) IN (\(rowids.joined(separator: ", ")))"
            if word == .quarantine {
                try writer.quarantine(table.name, where: condition, reason: reason)
            } else {
                try writer.setNull(table.name, column.name, where: condition, reason: reason)
            }
        }
    }

    private func hasCollation(_ key: MigrationPlan.ForeignKey) -> Bool {
        guard let parent = review.catalog.tables.first(where: { $0.name == key.parent }) else { return false }
        return key.parentColumns.contains { parent.column(named: $0)?.collation.uppercased() != "BINARY" }
    }

    // MARK: Those that follow

    /// The foreign keys that would refuse a row whose parent is not there.
    private func dependencies(_ plan: MigrationPlan) -> [DecidedRowsWriter.Dependency] {
        plan.tables.filter { !$0.isSkipped }.flatMap { table in
            (table.foreignKeys ?? []).filter { !($0.notValid ?? false) }.map { key in
                let asked = Finding(
                    .orphanRows, blocking: true, table: table.name,
                    column: key.columns.joined(separator: ", "), "",
                    choices: table.mayBeNull(key.columns) ? [.quarantine(0), .setNull(0)] : [.quarantine(0)])
                let choice = decisions.choice(for: asked, plan: plan.decisions ?? [])?.choice
                return .init(table: table.name, key: key, setsNull: choice?.known == .setNull)
            }
        }
    }

    private func followers(_ before: [String: Int], _ after: [String: Int]) -> [Finding] {
        after.sorted { $0.key < $1.key }.compactMap { name, count in
            let more = count - (before[name] ?? 0)
            guard more > 0 else { return nil }
            return Finding(
                .quarantinedWithParent, blocking: false, table: name, count: more,
                "\(Format.count(more, "row follows its parent", "rows follow their parents")) into quarantine"
            )
        }
    }
}

/// Makes a text that PostgreSQL takes out of one that it refuses.
enum TextRepair {
    /// The text in the row's first column without NUL and bytes that are no UTF-8, or with each of them as `\x` and two
    /// digits.
    static func repaired(_ row: borrowing SQLite.Statement, escapes: Bool) -> [UInt8] {
        guard let start = sqlite3_column_text(row.handle, 0) else { return [] }
        let bytes = UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(row.handle, 0)))
        return repaired(bytes, escapes: escapes)
    }

    static func repaired(_ bytes: UnsafeBufferPointer<UInt8>, escapes: Bool) -> [UInt8] {
        guard let start = bytes.baseAddress else { return [] }
        var text: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let length = TextScan.sequenceLength(start + index, bytes.count - index)
            if length == 0 || bytes[index] == 0 {
                if escapes { text += "\\x\([bytes[index]].hexadecimal)".utf8 }
                index += 1
            } else {
                text += bytes[index..<index + length]
                index += length
            }
        }
        return text
    }
}
