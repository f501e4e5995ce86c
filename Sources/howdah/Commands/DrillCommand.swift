import ArgumentParser
import Foundation
import MigrationEngine
import Operations
import Playbook

struct DrillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drill",
        abstract: "Restore a backup into a scratch database, and compare every cell of it with the original.",
        discussion: """
            Step 6.5 by itself: makes a backup by the script of step 6.4, restores it beside the database, and holds every
            table, sequence and object of the schema against the original by the same snapshot, while the application goes on
            writing. --file drills a dump that is there, against the database as of now.
            Exit codes: 0 proven; 1 an error; 3 no backup, or none set up; 4 the backup differs, or cannot be restored.
            """)

    @Option(help: ArgumentHelp("A dump that is there, instead of a new one.", valueName: "dump"))
    var file: String?

    @Option(
        help: ArgumentHelp(
            "Only where the last proven drill is older, or the last one failed.", valueName: "days"))
    var ifOlder: Int?

    @Flag(help: "Show what it would do.")
    var preview = false

    @Flag(help: "Confirms it for a live target.")
    var yes = false

    @OptionGroup var place: TargetOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let ifOlder, !(0...3650).contains(ifOlder) {
            throw ValidationError("--if-older takes 0 to 3650 days")
        }
        if file != nil, ifOlder != nil { throw ValidationError("--file and --if-older exclude each other") }
    }

    func run() throws {
        CommandRunner.run(common) { cancellation in
            if let ifOlder, let report = try recent(ifOlder) { return report }
            let book: Playbook
            do {
                book = try place.open(common, isWriter: true)
            } catch let error as MigrationError where error.code == .locked && ifOlder != nil {
                // A timer asks: the operator's own howdah is at work, and as long as the last drill counts there is time.
                guard let exit = try recent(Playbook.drillDays) else { throw error }
                Console.note("howdah: \(error.message); the drill waits for another day")
                return exit
            }
            defer { book.close() }
            guard let activity = book.begin(preview ? nil : "6.5", cancellation: cancellation) else {
                throw MigrationError(.locked, "other work is under way", remedy: "Wait for its end.")
            }
            defer { book.end(activity) }
            try place.askForPassword(book, activity)
            try book.reachTarget(activity)
            if preview {
                BookWords.show(try book.previewDrill(activity), of: "6.5", common)
                return .success
            }
            try place.confirm(book, yes, "this restores a backup on the server of")
            let reporter = ProgressReporter(activity.progress)
            let report: DrillReport?
            do {
                defer { reporter.stop() }
                report = try file.map { try book.drill(file: $0, activity) } ?? book.runDrill(activity)
            }
            book.end(activity)
            guard let report else { return .failure }
            show(report, book)
            return report.exit
        }
    }

    /// The answer where the last drill is recent enough; asked for without a lock, since a timer asks.
    private func recent(_ days: Int) throws -> ExitCode? {
        let book = try place.open(common, isWriter: false)
        guard let last = book.lastDrill() else { return nil }
        let age = Date().timeIntervalSince(last.date) / 86400
        guard age <= Double(days) else { return nil }
        if common.json {
            Console.json(
                DrillDocument(
                    outcome: "recent", exit: 0, target: book.targetWords(book.mode), time: last.report.time,
                    report: last.report))
        } else {
            Console.result("the last drill was \(Int(age)) days ago: \(last.report.headline)")
        }
        return .success
    }

    private func show(_ report: DrillReport, _ book: Playbook) {
        if common.json {
            Console.json(
                DrillDocument(
                    outcome: report.verdict.rawValue, exit: report.exit.rawValue,
                    target: book.targetWords(book.mode), time: report.time, report: report))
        } else {
            Console.result(report.verdict.rawValue.uppercased())
            report.lines.forEach { Console.result("  \($0)") }
        }
    }
}

/// What `drill --json` prints.
struct DrillDocument: Encodable {
    let command = "drill"
    let outcome: String
    let exit: Int32
    let target: String
    let time: String
    let report: DrillReport
}
