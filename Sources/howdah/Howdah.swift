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
            howdah SOURCE opens the screens: the migration in six phases, first as a rehearsal in a private PostgreSQL.
            Without a terminal, or with --plain, howdah SOURCE does the rehearsal in lines, and
            howdah SOURCE postgresql://user@host/database the migration.

            Exit codes: 0 done and proven; 1 an error; 2 wrong usage or unreadable input;
            3 something needs a decision or was left out; 4 the proof found differences;
            5 proven, with rows in quarantine by decision; 130 cancelled.
            """,
        version: HowdahVersion.text,
        subcommands: [
            OpenCommand.self, MigrateCommand.self, InspectCommand.self, PlanCommand.self, SchemaCommand.self,
            ValidateCommand.self, DiffCommand.self, RepairCommand.self, DigestCommand.self,
            ExportCommand.self, ImportCommand.self,
            DemoCommand.self, RehearsalCommand.self, StatusCommand.self, StepCommand.self,
            ConfigureCommand.self, CutoverCommand.self, RollbackCommand.self, FinishCommand.self,
            ScanCommand.self, ReviewCommand.self,
            TranslateCommand.self, TestCommand.self, ServeCommand.self,
            LoadCommand.self, AdviseCommand.self, BackupCommand.self, DrillCommand.self,
            PointInTimeCommand.self, MonitorCommand.self, RolesCommand.self,
            ChecklistCommand.self, ReportCommand.self, EncodeCommand.self,
        ],
        defaultSubcommand: OpenCommand.self)

    /// Argument errors end with 2, as documented, where the library's own code is another.
    static func main() {
        Interrupts.secureStandardStreams()
        let arguments = Array(CommandLine.arguments.dropFirst())
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
