import ArgumentParser
import Foundation
import MigrationEngine
import Operations
import Playbook

struct PointInTimeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pitr",
        abstract: "What a server lacks to be set back to a moment, and a drill of it.",
        discussion: """
            Step 6.6 by itself. Of a live target it looks at settings, archive and base backups, and writes two scripts and
            RESTORE-TO-A-MOMENT.md; it changes nothing there. Of the rehearsal, --drill tries the whole way on a private copy.
            Exit codes: 0 all is there; 1 the drill failed; 3 something is to be set, or cannot be seen by this role.
            """)

    @Flag(help: "Try it: damage a private copy of the rehearsal, and bring it back.")
    var drill = false

    @Option(help: ArgumentHelp("Where finished WAL files are kept.", valueName: "dir"))
    var archive: String?

    @Option(
        help: ArgumentHelp(
            "Where base backups lie, on this machine: the newest is looked at.", valueName: "dir"))
    var bases: String?

    @Option(help: ArgumentHelp("Base backups that are kept; 4 unless said.", valueName: "n"))
    var keep: Int?

    @Flag(help: "Show what is found and would be written, and write nothing.")
    var preview = false

    @OptionGroup var place: TargetOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let keep, !(1...1000).contains(keep) { throw ValidationError("--keep takes 1 to 1000") }
    }

    func run() throws {
        CommandRunner.run(common) { cancellation in
            if try Target.server(place.target) != nil, drill {
                throw MigrationError(
                    .targetUnfit, "a drill damages data, and is never done with a live target",
                    remedy: "Leave the target out: the drill takes a private copy of the rehearsal.",
                    exit: .usage)
            }
            let book = try place.open(common, isWriter: true)
            defer { book.close() }
            guard let activity = book.begin("6.6", cancellation: cancellation) else {
                throw MigrationError(.locked, "other work is under way", remedy: "Wait for its end.")
            }
            defer { book.end(activity) }
            try place.askForPassword(book, activity)
            let options = PointInTimeOptions(drills: drill, archive: archive, bases: bases, keep: keep)
            if preview {
                BookWords.show(try book.previewPointInTime(options, activity), of: "6.6", common)
                return .success
            }
            let reporter = ProgressReporter(activity.progress)
            do {
                defer { reporter.stop() }
                try book.runPointInTime(options, activity)
            }
            book.end(activity)
            return try report(book)
        }
    }

    private func report(_ book: Playbook) throws -> ExitCode {
        guard let line = book.overview().step("6.6"), let found = book.pointInTime() else { return .failure }
        let exit: ExitCode =
            switch line.state {
            case .done: .success
            case .undecided: .undecided
            default: .failure
            }
        if common.json {
            Console.json(
                PointInTimeDocument(
                    outcome: line.state.name, exit: exit.rawValue, target: book.targetWords(book.mode),
                    report: found.report, settings: found.report.configuration, drill: found.drill,
                    evidence: line.evidence))
        } else {
            BookWords.step(line).forEach(Console.result)
        }
        return exit
    }
}

/// What `pitr --json` prints.
struct PointInTimeDocument: Encodable {
    let command = "pitr"
    let outcome: String
    let exit: Int32
    let target: String
    let report: PointInTimeReport
    let settings: [String]
    let drill: PointInTimeDrillReport?
    let evidence: [String]
}
