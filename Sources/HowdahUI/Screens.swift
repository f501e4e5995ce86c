import CursesTerminal
import Foundation
import MigrationEngine
import Operations
import Playbook
import TerminalUI

/// Opens the screens on the terminal, or on a script.
public enum Screens {
    /// Where keys come from.
    public enum Input {
        case terminal
        /// The text of a script, see `ScriptTerminal`, and the size of its screen.
        case script(String, Size)
    }

    /// Runs the screens until the operator leaves; returns the exit code. `book` is nil for the picker of projects.
    ///
    /// Throws `CursesTerminal.Unusable` where there is no terminal to draw on. Called from the main thread.
    public static func run(_ book: Playbook?, input: Input) throws -> Int32 {
        let environment = ProcessInfo.processInfo.environment
        var files = UserFiles(environment: environment)
        let keys = files.keys()
        let themes = files.themes()
        let theme = files.theme.flatMap { themes[$0] } ?? themes.standard
        switch input {
        case .terminal:
            let log = book.flatMap { try? $0.workspace.state.folder("log") + "/screens.log" }
            let terminal = try CursesTerminal(theme: theme, log: log)
            let code = run(terminal, book, themes, theme, files, keys)
            terminal.close()
            return code
        case .script(let text, let size):
            let isASCII = environment["HOWDAH_ASCII"] != nil
            let terminal = try ScriptTerminal(
                script: text, size: size, look: Look(theme: theme, symbols: isASCII ? .ascii : .unicode))
            let code = run(terminal, book, themes, theme, files, keys)
            guard let failure = terminal.failure else {
                return code == ExitCode.cancelled.rawValue ? 0 : code
            }
            throw MigrationError(.state, failure, remedy: "Look at the last display that was saved.")
        }
    }

    /// Opens the live monitor of a server alone, until the operator leaves; returns the exit code.
    ///
    /// Throws `CursesTerminal.Unusable` where there is no terminal to draw on. Called from the main thread.
    public static func monitor(_ server: MonitoredServer) throws -> Int32 {
        var files = UserFiles(environment: ProcessInfo.processInfo.environment)
        let keys = files.keys()
        let themes = files.themes()
        let theme = files.theme.flatMap { themes[$0] } ?? themes.standard
        let terminal = try CursesTerminal(
            theme: theme, log: try server.options.state.map { try $0.folder("log") + "/screens.log" })
        defer { terminal.close() }
        let runtime = Runtime(
            terminal: terminal, book: nil, themes: themes, theme: theme.name, files: files, keys: keys)
        runtime.watch(server)
        return runtime.run()
    }

    private static func run(
        _ terminal: any Terminal, _ book: Playbook?, _ themes: Themes, _ theme: Theme, _ files: UserFiles,
        _ keys: KeyTable<KeyContext, Action>
    ) -> Int32 {
        let runtime = Runtime(
            terminal: terminal, book: book, themes: themes, theme: theme.name, files: files, keys: keys)
        let code = runtime.run()
        runtime.close()
        return code
    }
}
