import ArgumentParser
import Foundation
import MigrationEngine
import Operations
import Playbook

struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Ask the migrated database by many users at once, and SQLite beside it.",
        discussion: """
            Step 5.10 by itself: queries made from the migrated tables, with rows that are there. Each write is rolled back, or
            all is done in a copy of the database with --scratch; a live target's tables with triggers or rules are only read otherwise.
            Figures go into the journal. Exit codes: 0 all was answered; 1 errors; 3 something was hardly asked.
            """)

    @Option(
        help: ArgumentHelp("Users at once; by default 8, or as many as the server has left.", valueName: "n"))
    var connections: Int?

    @Option(help: ArgumentHelp("How long each database is asked.", valueName: "s"))
    var seconds = 10.0

    @Flag(help: "Commit writes, in a copy of the database that is dropped afterwards.")
    var scratch = false

    @Flag(help: "Show the queries, and ask none.")
    var preview = false

    @Flag(help: "Confirms a test of a live target.")
    var yes = false

    @OptionGroup var place: TargetOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let connections, !(1...LoadOptions.mostConnections).contains(connections) {
            throw ValidationError("--connections takes 1 to \(LoadOptions.mostConnections)")
        }
        if !(seconds >= 0.1 && seconds <= LoadOptions.mostSeconds) {
            throw ValidationError("--seconds takes 0.1 to \(Int(LoadOptions.mostSeconds))")
        }
    }

    func run() throws {
        CommandRunner.run(common) { cancellation in
            let book = try place.open(common, isWriter: true)
            defer { book.close() }
            if book.mode == .live, !yes, !preview {
                throw MigrationError(
                    .targetUnfit,
                    "this is a load test of \(book.targetWords(.live)), and nobody has confirmed it",
                    remedy: "Add --yes, or leave the target out to test the rehearsal.", exit: .usage)
            }
            guard let activity = book.begin("5.10", cancellation: cancellation) else {
                throw MigrationError(.locked, "other work is under way", remedy: "Wait for its end.")
            }
            defer { book.end(activity) }
            try place.askForPassword(book, activity)
            book.lookAtTarget(activity, always: true)
            let options = LoadOptions(connections: connections, seconds: seconds, isScratch: scratch)
            if preview {
                BookWords.show(try book.previewLoad(options, activity), of: "5.10", common)
                return .success
            }
            let reporter = ProgressReporter(activity.progress)
            do {
                defer { reporter.stop() }
                try book.runLoad(options, activity)
            }
            book.end(activity)
            return try report(book)
        }
    }

    private func report(_ book: Playbook) throws -> ExitCode {
        guard let line = book.overview().step("5.10"), let report = book.loadReport() else { return .failure }
        let exit: ExitCode =
            switch line.state {
            case .done: .success
            case .undecided: .undecided
            default: .failure
            }
        if common.json {
            Console.json(
                LoadDocument(
                    outcome: line.state.name, exit: exit.rawValue, target: book.targetWords(book.mode),
                    report: report))
        } else {
            BookWords.step(line).forEach(Console.result)
        }
        return exit
    }
}

/// What `load --json` prints.
struct LoadDocument: Encodable {
    let command = "load"
    let outcome: String
    let exit: Int32
    let target: String
    let report: LoadReport
}
