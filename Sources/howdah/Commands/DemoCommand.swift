import ArgumentParser
import DemoProject
import Foundation
import MigrationEngine
import Playbook

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Make a chat application on SQLite, and rehearse its migration.")

    @Argument(help: "The folder to make.")
    var directory: String = "howdah-demo"

    @Option(help: ArgumentHelp("How many messages it holds.", valueName: "n"))
    var messages = 10_000

    @Option(help: ArgumentHelp("The same number gives the same data.", valueName: "n"))
    var seed: UInt64 = 1

    @Flag(help: "With rows that PostgreSQL refuses: the migration stops until they are decided.")
    var dirty = false

    @Flag(help: "Only make it.")
    var noOpen = false

    @Flag(help: "Lines instead of screens.")
    var plain = false

    @OptionGroup var screens: ScreenOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if !(1...1_000_000_000).contains(messages) {
            throw ValidationError("--messages takes 1 to 1,000,000,000")
        }
    }

    func run() throws {
        let opensScreens =
            !plain && !noOpen && !common.json && (screens.script != nil || ScreenOptions.hasTerminal)
        guard opensScreens else { inLines() }
        CommandRunner.prepare(common) { try make($0) }
        screens.open(directory, nil, common)
    }

    private func inLines() -> Never {
        CommandRunner.run(common) { cancellation in
            try make(cancellation)
            if noOpen { return .success }
            let session = try Session(directory, common, cancellation)
            return try MigrateRun(
                command: "demo", planning: PlanningOptions.parse([]), common: common, planPath: nil,
                restart: false,
                isConfirmed: false
            ).run(session, .rehearsal)
        }
    }

    /// Makes the project, or takes the one that was made here before.
    private func make(_ cancellation: Cancellation) throws {
        if DemoProject.isDemo(directory) {
            if !common.json { Console.note("\(directory) is a demo already; it is taken as it is") }
            return
        }
        let start = ContinuousClock.now
        do {
            let made = try DemoProject.make(
                in: directory, options: .init(messages: messages, seed: seed, isDirty: dirty),
                progress: { done in
                    if Console.isTerminal { Console.progressLine("demo  \(Format.count(done)) messages") }
                }, isCancelled: { cancellation.isCancelled })
            if Console.isTerminal { Console.progressLine("") }
            let rows = made.rows.reduce(0) { $0 + $1.count }
            let seconds = Format.seconds((ContinuousClock.now - start).seconds)
            if noOpen, common.json {
                Console.json(DemoDocument(directory: made.directory, database: made.databasePath, rows: rows))
            } else if !common.json {
                Console.note(
                    "made \(made.directory): a chat application with \(Format.count(rows)) rows, in \(seconds)"
                )
            }
        } catch let error as DemoError {
            throw MigrationError(
                error.isCancelled ? .cancelled : .state, error.description,
                remedy: "Name another folder: howdah demo DIR.", exit: error.isCancelled ? .cancelled : .usage
            )
        }
    }
}

private struct DemoDocument: Encodable {
    let command = "demo"
    let directory: String
    let database: String
    let rows: Int
}
