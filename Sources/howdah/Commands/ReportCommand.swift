import ArgumentParser
import Foundation
import MigrationEngine
import Playbook

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write what was migrated, what it came to, and the evidence, as one HTML or Markdown file.")

    @Argument(help: "A project's folder, or a SQLite file.")
    var project: String

    @Argument(help: "The file, .html or .md; nothing that is there is overwritten.")
    var file: String?

    @Argument(help: "The live target, or rehearsal; the one that was used last otherwise.")
    var destination: String?

    @Flag(help: "Overwrite the file.")
    var force = false

    @Flag(help: "Do not connect to the target.")
    var offline = false

    @Flag(name: .customLong("no-digests"), help: "Compute no digests; show those of the last howdah digest.")
    var noDigests = false

    @OptionGroup var book: BookOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if file == nil, !common.json { throw ValidationError("name a file, or say --json") }
        if destination != nil, book.target != nil || book.live || book.rehearsal {
            throw ValidationError("the target is named twice")
        }
    }

    func run() throws {
        CommandRunner.run(common) { cancellation in
            if let file { try Report.check(file, overwrites: force) }
            let (book, isNoted) = try open()
            defer { book.close() }
            guard let activity = book.begin(nil, cancellation: cancellation) else {
                throw MigrationError(.locked, "other work is under way", remedy: "Wait for its end.")
            }
            defer { book.end(activity) }
            let reporter = ProgressReporter(activity.progress)
            let report: Report
            do {
                defer { reporter.stop() }
                report = try book.report(
                    ReportOptions(readsTarget: !offline, computesDigests: !noDigests), activity)
            }
            if let file { try book.write(report, to: file, overwrites: force) }
            if common.json {
                Console.json(report)
            } else if let file {
                report.missing.forEach { Console.note("! \($0)") }
                Console.note(report.sentence)
                Console.result(file)
            }
            if !isNoted { Console.note("another howdah is at work: the journal does not have this report") }
            return .success
        }
    }

    /// The playbook; where another howdah writes it, for reading alone.
    private func open() throws -> (Playbook, isNoted: Bool) {
        var options = book
        switch try destination.map({ try Target($0) }) {
        case .rehearsal?: options.rehearsal = true
        case .server?:
            options.target = destination
            options.live = true
        case nil: break
        }
        do {
            return (try options.open(project, common, isWriter: true, keepsMode: false), true)
        } catch let error as MigrationError where error.code == .locked {
            return (try options.open(project, common, isWriter: false, keepsMode: false), false)
        }
    }
}
