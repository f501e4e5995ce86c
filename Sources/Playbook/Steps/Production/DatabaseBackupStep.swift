import Foundation
import MigrationEngine
import Operations

/// 6.4: a script that needs no howdah makes a backup every day.
struct DatabaseBackupStep: StepOperation {
    static let id = "6.4"
    var options = BackupOptions()

    func preview(_ context: StepContext) throws -> Preview {
        let outline = try context.book.backupDesk(context).outline(
            options, before: context.book.backupRecord(context.mode))
        let settings = outline.settings
        var sections = [
            Preview.Section(
                "Backs up \(context.book.targetWords(context.mode)) \(settings.schedule.words)",
                [
                    "into \(settings.folder), as \(settings.name)-YYYYMMDDTHHMMSSZ.dump with its sha256",
                    "the newest \(settings.keep) are kept; older ones go once a new one was read to its end",
                    settings.passwordFile.map { "connects by the password in \($0)" }
                        ?? "connects without a password",
                    context.mode == .live
                        ? "the first is made at once, and looked at, before anything is started every day"
                        : "the script runs once; nothing is installed, and nothing is started every day",
                ])
        ]
        sections += outline.files.map { .init("Writes \($0.path)", $0.shown) }
        sections.append(.init("Runs", ["sh \(shellQuoted(settings.scriptPath))"] + outline.commands))
        return Preview(
            sections, warning: outline.warnings.isEmpty ? nil : outline.warnings.joined(separator: "\n"))
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let desk = try context.book.backupDesk(context)
        let before = context.book.backupRecord(context.mode)
        let outline = try desk.outline(options, before: before)
        let (made, finding) = try desk.install(outline, before: before) { record in
            try context.book.noteBackup(record, context.mode)
        }
        let settings = outline.settings
        var evidence = [
            "\(settings.schedule.words), the newest \(settings.keep) kept; "
                + "the first is good: \(Format.bytes(made.bytes)) in \(Format.seconds(made.seconds))"
        ]
        if context.mode == .rehearsal {
            evidence[0] =
                "the script works: \(Format.bytes(made.bytes)) in \(Format.seconds(made.seconds)); nothing is installed"
        }
        evidence += finding.lines + made.notes
        evidence.append("how to restore: \(settings.guidePath)")
        evidence += outline.files.map { "wrote \($0.path)" }
        evidence += context.mode == .live ? outline.commands.map { "ran \($0)" } : []
        return StepOutcome(evidence: evidence + outline.warnings.filter { !finding.warnings.contains($0) })
    }

    func undoPreview(_ context: StepContext) throws -> Preview? {
        guard let record = context.book.backupRecord(context.mode) else {
            return Preview([.init("Nothing is there", ["No file of the backups is written."])])
        }
        return Preview([
            .init("No backup is made any more", try context.book.backupDesk(context).removal(record))
        ])
    }

    func undo(_ context: StepContext) throws -> [String] {
        guard var record = context.book.backupRecord(context.mode) else { return ["nothing was there"] }
        let done = try context.book.backupDesk(context).remove(record)
        record.files = []
        record.isScheduled = false
        try context.book.noteBackup(record, context.mode, "the files of the backups are gone")
        return done
    }
}
