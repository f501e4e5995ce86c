import ArgumentParser
import Foundation
import MigrationEngine

/// Parses arguments and runs the command; no work of its own.
@main
struct Howdah: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "howdah",
        abstract:
            "Takes an application from SQLite to PostgreSQL, with nothing lost and every cell proven equal.",
        discussion: """
            howdah SOURCE rehearses the migration in a private PostgreSQL that it makes for the purpose;
            howdah SOURCE postgresql://user@host/database does it.

            Exit codes: 0 done and proven; 1 an error; 2 wrong usage or unreadable input; 3 something needs a
            decision or was left out; 4 the proof found differences; 130 cancelled.
            """,
        version: "0.1.0",
        subcommands: [
            MigrateCommand.self, InspectCommand.self, PlanCommand.self, SchemaCommand.self,
            ValidateCommand.self,
            DemoCommand.self, RehearsalCommand.self,
        ],
        defaultSubcommand: MigrateCommand.self)

    /// Argument errors end with 2, as documented, where the library's own code is another.
    static func main() {
        Interrupts.secureStandardStreams()
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.isEmpty {
            Console.result(helpMessage())
            Foundation.exit(ExitCode.usage.rawValue)
        }
        do {
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch {
            let message = fullMessage(for: error)
            if exitCode(for: error) == .success {
                Console.result(message)
                Foundation.exit(ExitCode.success.rawValue)
            }
            if arguments.contains("--json") {
                Console.json(
                    ErrorDocument(
                        code: "usage", message: Self.message(for: error), remedy: "See howdah --help."))
            } else {
                Console.note(message)
            }
            Foundation.exit(ExitCode.usage.rawValue)
        }
    }
}

typealias ExitCode = MigrationEngine.ExitCode
