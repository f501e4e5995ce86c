import ArgumentParser
import Foundation
import MigrationEngine
import Operations
import Playbook
import Postgres

struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract:
            "Have a backup made every day by a script that needs no howdah; check it; take it away again.",
        discussion: """
            Step 6.4 by itself: script, schedule (systemd or cron) and RESTORE.md are shown by --preview, and written with
            --yes; the first backup is made at once. In the rehearsal nothing is installed. --check looks at the newest backup.
            Exit codes: 0 done, or good; 1 an error; 3 (--check) stale, missing, damaged, or without some table.
            """)

    @Option(
        help: ArgumentHelp(
            "When: daily, or HH:MM in the machine's time; daily unless said.", valueName: "when"))
    var schedule: String?

    @Option(help: ArgumentHelp("How many are kept; 14 unless said.", valueName: "n"))
    var keep: Int?

    @Option(help: ArgumentHelp("The folder for the backups.", valueName: "dir"))
    var to: String?

    @Flag(help: "Make one more backup at once, by the script that is there.")
    var now = false

    @Flag(help: "Look at the newest backup: age, sha256, readable to its end, every table in it.")
    var check = false

    @Option(help: ArgumentHelp("With --check: older is stale; 26 unless said.", valueName: "hours"))
    var maxAge = 26.0

    @Flag(help: "Take script and schedule away; the backups stay.")
    var remove = false

    @Flag(help: "Show every file and command, and write nothing.")
    var preview = false

    @Flag(help: "Confirms it for a live target.")
    var yes = false

    @OptionGroup var place: TargetOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let schedule, BackupSchedule(schedule) == nil {
            throw ValidationError("--schedule takes daily, or a time such as 02:30")
        }
        if let keep, !(1...BackupSettings.mostKept).contains(keep) {
            throw ValidationError("--keep takes 1 to \(BackupSettings.mostKept)")
        }
        if !(maxAge > 0 && maxAge <= 24 * 366) {
            throw ValidationError("--max-age takes hours, at most 8784")
        }
        if [now, check, remove].count(where: { $0 }) > 1 {
            throw ValidationError("--now, --check and --remove exclude each other")
        }
        if preview, now || check {
            throw ValidationError("--preview shows what is set up, or removed; --now and --check do without")
        }
    }

    private var options: BackupOptions {
        BackupOptions(schedule: schedule.flatMap { BackupSchedule($0) }, keep: keep, folder: to)
    }

    func run() throws {
        CommandRunner.run(common) { cancellation in
            // A look needs no lock where nothing of howdah's own must be started for it.
            let book = try place.open(
                common, isWriter: !check || place.target == nil || place.target == "rehearsal")
            defer { book.close() }
            guard
                let activity = book.begin(
                    check || preview ? nil : "6.4", isUndo: remove, cancellation: cancellation)
            else {
                throw MigrationError(.locked, "other work is under way", remedy: "Wait for its end.")
            }
            defer { book.end(activity) }
            try place.askForPassword(book, activity)
            if check { return try show(book.checkBackups(limit: maxAge, activity), book) }
            if remove { return try takeAway(book, activity) }
            if !preview { try place.confirm(book, yes, "this makes backups of") }
            if now { return try makeNow(book, activity) }
            try book.reachTarget(activity)
            if preview {
                BookWords.show(try book.previewBackups(options, activity), of: "6.4", common)
                return .success
            }
            try reporting(activity) { try book.runBackups(options, activity) }
            book.end(activity)
            return try report(book)
        }
    }

    private func reporting<T>(_ activity: Activity, _ body: () throws -> T) rethrows -> T {
        let reporter = ProgressReporter(activity.progress)
        defer { reporter.stop() }
        return try body()
    }

    private func makeNow(_ book: Playbook, _ activity: Activity) throws -> ExitCode {
        let (_, finding) = try reporting(activity) { try book.backUpNow(activity) }
        return show(finding, book)
    }

    /// What builds on the backups goes first.
    private func takeAway(_ book: Playbook, _ activity: Activity) throws -> ExitCode {
        if preview {
            BookWords.show(try book.previewBackupRemoval(activity), of: "6.4", common)
            return .success
        }
        try place.confirm(book, yes, "this ends the backups of")
        if book.overview().step("6.5")?.canUndo ?? false { try book.undo("6.5", activity) }
        try book.undo("6.4", activity)
        book.end(activity)
        let done = book.journal.entries.last { $0.subject == "6.4" && $0.kind == .undone }?.evidence ?? []
        if common.json {
            Console.json(BackupRemovalDocument(target: book.targetWords(book.mode), done: done))
        } else {
            done.forEach(Console.result)
        }
        return .success
    }

    private func show(_ finding: BackupFinding, _ book: Playbook) -> ExitCode {
        let exit: ExitCode = finding.state == .good ? .success : .undecided
        if common.json {
            Console.json(
                BackupCheckDocument(
                    exit: exit.rawValue, target: book.targetWords(book.mode), finding: finding))
        } else {
            Console.result(finding.state == .good ? "good" : finding.state.rawValue.uppercased())
            finding.lines.forEach { Console.result("  \($0)") }
            if exit != .success {
                Console.result(
                    "  --now makes a new one; howdah drill with --file FILE tells what an older one is worth")
            }
        }
        return exit
    }

    private func report(_ book: Playbook) throws -> ExitCode {
        guard let line = book.overview().step("6.4") else { return .failure }
        let exit: ExitCode = line.state == .done ? .success : .failure
        if common.json {
            Console.json(
                BackupDocument(
                    outcome: line.state.name, exit: exit.rawValue, target: book.targetWords(book.mode),
                    settings: book.backupRecord(book.mode)?.settings, evidence: line.evidence))
        } else {
            BookWords.step(line).forEach(Console.result)
        }
        return exit
    }
}

/// What `backup --json` prints.
struct BackupDocument: Encodable {
    let command = "backup"
    let outcome: String
    let exit: Int32
    let target: String
    let settings: BackupSettings?
    let evidence: [String]
}

/// What `backup --check --json` and `backup --now --json` print.
struct BackupCheckDocument: Encodable {
    let command = "backup"
    let exit: Int32
    let target: String
    let finding: BackupFinding
}

/// What `backup --remove --json` prints.
struct BackupRemovalDocument: Encodable {
    let command = "backup"
    let outcome = "removed"
    let exit = 0
    let target: String
    let done: [String]
}
