import Foundation
import MigrationEngine
import Operations

/// 6.5: a backup is restored, and is the database.
struct DrillStep: StepOperation {
    static let id = "6.5"

    func preview(_ context: StepContext) throws -> Preview {
        let record = context.book.backupRecord(context.mode)
        let limit = Playbook.drillDays
        return Preview(
            [
                .init(
                    "Makes a backup of \(context.book.targetWords(context.mode)), by the script of every day",
                    [
                        record.map { "sh \(shellQuoted($0.settings.scriptPath))" }
                            ?? "step 6.4 writes the script first",
                        "of a snapshot that stays open meanwhile: the application may go on writing",
                        "the file stays, as one of the backups",
                    ]),
                .init(
                    "Restores it into a database of its own, howdah_drill_…, on the same server",
                    [
                        "pg_restore --exit-on-error --no-owner --no-privileges --no-publications --no-subscriptions --no-security-labels",
                        "the role needs CREATEDB, and the server room for the database once more",
                    ]),
                .init(
                    "Compares with the original, by the same snapshot",
                    [
                        "every cell of every table, by 128-bit hashes of whole rows; rows that differ are named",
                        "every sequence; tables, columns, indexes, constraints, views, triggers, functions, and the like",
                    ]),
                .init("Drops that database again", ["also after an error; after a kill the next drill does"]),
                .init("Counts for \(limit) days", ["then the step is stale, until the next drill"]),
            ],
            warning:
                "Until the end of the drill the server keeps every old version of a row, for the snapshot.")
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let (report, notes) = try Self.drill(context, file: nil)
        var outcome = StepOutcome(evidence: report.lines + notes, data: Journal.encode(report))
        if report.verdict == .proven {
            if let end = Freshness.end(Self.id, from: Date()) {
                outcome.evidence.insert("next drill by \(end)", at: 1)
            }
        } else {
            outcome.failure = report.headline
        }
        return outcome
    }

    func undoPreview(_ context: StepContext) throws -> Preview? {
        Preview([
            .init("Forgets the drill", ["The journal keeps that it was made. The backup of it stays."])
        ])
    }

    func undo(_ context: StepContext) throws -> [String] { ["the drill no longer counts"] }

    /// Drills a new backup, or a file, and keeps the guide's times true.
    static func drill(_ context: StepContext, file: String?) throws -> (report: DrillReport, notes: [String])
    {
        let book = context.book
        let desk = try book.backupDesk(context)
        let record = try book.standingRecord(context, desk)
        // A rehearsal's server has another address each time, and is the same.
        let target = context.mode == .rehearsal ? "rehearsal" : desk.serverURL
        let report = try RestoreDrill(
            desk: desk, settings: record.settings, ledger: book.scratchLedger(id, target, context.mode),
            folder: try context.workspace.state.folder("drill"), workers: Playbook.workers
        ).run(file: file)
        var notes: [String] = []
        if report.verdict == .proven, file == nil {
            let left = try desk.updateGuide(record, report) { try book.noteBackup($0, context.mode) }
            notes = left.map { [$0] } ?? ["the times of \(record.settings.guidePath) are those of this drill"]
        }
        return (report, notes)
    }
}
