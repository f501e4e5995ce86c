import AppProject
import Foundation
import MigrationEngine

/// How the application is stopped, started and tried, where the operator has said so: shell commands, in `application.json` of the state folder.
public struct ApplicationCommands: Codable, Sendable, Equatable {
    /// Ends the application; returns once it has ended.
    public var stop: String?
    /// Starts it; returns while it runs on.
    public var start: String?
    /// Tries it; ends with 0 where it works.
    public var smoke: String?

    public init(stop: String? = nil, start: String? = nil, smoke: String? = nil) {
        self.stop = stop
        self.start = start
        self.smoke = smoke
    }

    private static let file = "application.json"
    /// The longest that one may take.
    private static let timeout = Duration.seconds(120)

    /// What was said before; nothing where nobody has said anything.
    public static func read(_ state: StateFolder) -> ApplicationCommands {
        let data = FileManager.default.contents(atPath: "\(state.path)/\(file)") ?? Data()
        return (try? JSONDecoder().decode(ApplicationCommands.self, from: data)) ?? ApplicationCommands()
    }

    /// Keeps them, those that are nil as they were; an empty text takes one away.
    public func merge(into state: StateFolder) throws {
        var all = Self.read(state)
        func merged(_ new: String?, _ old: String?) -> String? {
            new.map { $0.trimmingCharacters(in: .whitespaces).isEmpty ? nil : $0 } ?? old
        }
        all.stop = merged(stop, all.stop)
        all.start = merged(start, all.start)
        all.smoke = merged(smoke, all.smoke)
        try state.write(Journal.encode(all), to: Self.file)
    }

    /// Runs one in the project's folder; returns the last lines of what it said.
    static func run(_ text: String, _ purpose: String, _ context: StepContext, url: String? = nil) throws
        -> [String]
    {
        var environment = ProcessInfo.processInfo.environment
        if let url { environment["DATABASE_URL"] = url }
        let folder =
            context.workspace.location.projectDirectory
            ?? (context.workspace.source.path as NSString).deletingLastPathComponent
        var command = Command("/bin/sh", ["-c", text], in: folder, environment: environment)
        command.timeout = timeout
        let start = ContinuousClock.now
        let outcome = try command.run(cancellation: context.cancellation)
        let seconds = (ContinuousClock.now - start).seconds
        // What a program prints, and the command itself, may hold passwords.
        let secrets = try context.secrets(url)
        let shown = secrets.masked(text)
        let said = outcome.output.split(separator: "\n").suffix(3).map { secrets.masked(String($0)) }
        guard outcome.status == 0 else {
            throw MigrationError(
                .state,
                "the command to \(purpose) the application ended with \(outcome.status): \(shown)"
                    + (said.isEmpty ? "" : "\n" + said.joined(separator: "\n")),
                remedy: seconds >= timeout.seconds
                    ? "It has to return: systemctl, docker compose up -d and pm2 do; a server in the foreground does not."
                    : purpose == "try"
                        ? "The settings lead to PostgreSQL. Mend what it says and run this again; or go back: undo C.2, howdah cutover --back."
                        : "Run it by hand to see why, or name another one.")
        }
        return ["\(shown): done in \(Format.seconds(seconds))"] + said.map { "  \($0)" }
    }
}

extension StepContext {
    /// What must not be shown of what the application prints.
    func secrets(_ url: String?) throws -> Secrets {
        let folders = [workspace.location.projectDirectory].compactMap(\.self)
        return Secrets(
            url: url ?? (mode == .live ? try? clientURL().url : nil), folders: folders,
            environment: ProcessInfo.processInfo.environment)
    }
}
