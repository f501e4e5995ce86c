import ArgumentParser
import CursesTerminal
import Foundation
import HowdahUI
import MigrationEngine
import Playbook
import TerminalUI

/// `howdah [SOURCE] [TARGET]`: the screens on a terminal, the migration in lines elsewhere.
struct OpenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open",
        abstract: "Open the screens; without a terminal, or with --plain, migrate in lines.")

    @Argument(help: "A SQLite file, or a project's folder; without it, a list to choose from.")
    var source: String?

    @Argument(help: "The live target: a PostgreSQL URL, connection string or service=NAME.")
    var target: String?

    @Flag(help: "Lines instead of screens: howdah migrate SOURCE TARGET.")
    var plain = false

    @OptionGroup var screens: ScreenOptions
    @OptionGroup var migration: MigrationOptions
    @OptionGroup var planning: PlanningOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        if !plain, !common.json, screens.script != nil || ScreenOptions.hasTerminal, !migration.areGiven {
            screens.open(source, target, common)
        }
        guard let source else {
            Console.result(Howdah.helpMessage())
            Foundation.exit(ExitCode.usage.rawValue)
        }
        migration.run(command: "migrate", source: source, target: target ?? "rehearsal", planning, common)
    }
}

/// What the screens take.
struct ScreenOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Take the keys from a file instead of a terminal.", valueName: "file"))
    var script: String?

    @Option(help: ArgumentHelp("The size of the screen for a script.", valueName: "WxH"))
    var size = "100x30"

    @Option(help: ArgumentHelp("An administrator's connection for step 1.4; never kept.", valueName: "url"))
    var admin: String?

    @Option(name: .customLong("as"), help: ArgumentHelp("Who does it, for the journal.", valueName: "name"))
    var who: String?

    func validate() throws {
        if parsedSize == nil { throw ValidationError("--size takes a width and a height, such as 80x24") }
    }

    private var parsedSize: Size? {
        let parts = size.split(separator: "x").compactMap { Int($0) }
        guard parts.count == 2, parts.allSatisfy({ (1...1000).contains($0) }) else { return nil }
        return Size(parts[0], parts[1])
    }

    static var hasTerminal: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 }

    /// Opens the screens and ends the process with their exit code.
    func open(_ source: String?, _ target: String?, _ common: CommonOptions) -> Never {
        signal(SIGPIPE, SIG_IGN)
        CommandRunner.end(common) {
            var book: Playbook?
            if let source {
                let workspace = try Workspace(source, state: common.state)
                book = try Playbook(
                    workspace, target: Target.server(target), admin: Target.server(admin), who: who)
            }
            do {
                return try Screens.run(book, input: try input())
            } catch let error as CursesTerminal.Unusable {
                throw MigrationError(
                    .state, error.description,
                    remedy: "Add --plain for the same in lines, or set TERM to what your terminal is.",
                    exit: .usage)
            }
        }
    }

    private func input() throws -> Screens.Input {
        guard let script, let parsedSize else { return .terminal }
        guard let data = FileManager.default.contents(atPath: script) else {
            throw MigrationError(
                .state, "the script \(script) cannot be read: \(String(cString: strerror(errno)))",
                remedy: "Name a file with one key a line.", exit: .usage)
        }
        return .script(String(decoding: data, as: UTF8.self), parsedSize)
    }
}
