import Foundation
import MigrationEngine
import Yams

/// A command that the operator has added.
public struct OwnCommand: Sendable, Equatable, Codable {
    public var name: String
    /// One line, given to the shell.
    public var run: String
    /// Where it runs, relative to the project; empty at its top.
    public var folder: String?
    /// A test, unless said otherwise.
    public var kind: AppCommand.Kind?

    public init(name: String, run: String, folder: String? = nil, kind: AppCommand.Kind? = nil) {
        self.name = name
        self.run = run
        self.folder = folder
        self.kind = kind
    }

    /// As it is started, and as it may be shown; the project's folder has .env files, whose secrets it may repeat.
    func command(in project: String) -> AppCommand {
        AppCommand(
            name: name, kind: kind ?? .test, run: shown(in: project), words: ["/bin/sh", "-c", run],
            folder: folder ?? "",
            foundIn: CommandsFile.name, isOwn: true)
    }
}

/// Commands of the operator's own, and what is left out of those that are found: `commands.yaml` of the state folder.
///
/// Not in plan.yaml: a plan is made anew by its step, taken back by its undo, and is not there before; none of that has
/// anything to do with commands, and a command that is added must make no other step stale.
public struct CommandsFile: Sendable, Equatable, Codable {
    public static let name = "commands.yaml"

    public var commands: [OwnCommand]
    /// Names of test commands that a run of all passes over.
    public var leftOut: [String]

    private enum CodingKeys: String, CodingKey {
        case commands
        case leftOut = "left_out"
    }

    public init(commands: [OwnCommand] = [], leftOut: [String] = []) {
        self.commands = commands
        self.leftOut = leftOut
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        commands = try values.decodeIfPresent([OwnCommand].self, forKey: .commands) ?? []
        leftOut = try values.decodeIfPresent([String].self, forKey: .leftOut) ?? []
    }

    /// Reads it; an empty one where there is none. Throws `.state` with what is wrong where it cannot be read.
    public static func read(_ state: StateFolder) throws -> CommandsFile {
        let path = "\(state.path)/\(name)"
        guard let data = FileManager.default.contents(atPath: path) else { return CommandsFile() }
        let text = String(decoding: data, as: UTF8.self)
        do {
            try checkKeys(Yams.compose(yaml: text))
            let file =
                text.allSatisfy(\.isWhitespace)
                ? CommandsFile() : try YAMLDecoder().decode(Self.self, from: text)
            var names: Set<String> = []
            for command in file.commands {
                try command.check()
                guard names.insert(command.name).inserted else {
                    throw OwnCommand.refused("two commands are called \(command.name)")
                }
            }
            return file
        } catch {
            let why = (error as? MigrationError)?.message ?? explain(error)
            throw MigrationError(
                .state, "\(path) cannot be read: \(why)",
                remedy: "Correct the file, or remove it: the commands of the project are found without it.",
                exit: .usage)
        }
    }

    private static func explain(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "a command lacks \(key.stringValue)"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
            DecodingError.dataCorrupted(let context):
            context.underlyingError.map { "\($0)" } ?? context.debugDescription
        default: "\(error)"
        }
    }

    /// A word that no such file has is a mistake, and must not pass in silence.
    private static func checkKeys(_ node: Node?) throws {
        func check(_ node: Node, _ known: Set<String>) throws {
            for key in node.mapping?.keys.compactMap(\.string) ?? [] where !known.contains(key) {
                throw OwnCommand.refused("it knows no “\(key)”")
            }
        }
        guard let node else { return }
        try check(node, ["commands", "left_out"])
        for command in node["commands"]?.sequence ?? [] {
            try check(command, ["name", "run", "folder", "kind"])
        }
    }

    /// Writes it for the owner alone; an empty one goes away.
    public func write(_ state: StateFolder) throws {
        if self == CommandsFile() {
            unlink("\(state.path)/\(Self.name)")
            return
        }
        let head = """
            # Commands of the application's own, beside those that howdah finds: name, run (one line for the shell),
            # folder (relative to the project), kind (test or service). left_out: tests that a run of all passes over.

            """
        try state.write(head + YAMLEncoder().encode(self), to: Self.name)
    }
}

extension OwnCommand {
    /// The command without what nobody may see: passwords of URLs, secrets of the project, and values of variables and options
    /// whose names say that they are secret.
    public func shown(in project: String) -> String {
        let plain = Secrets(url: nil, folders: [project]).masked(run)
        let options = plain.replacing(
            /--([A-Za-z][A-Za-z0-9-]*)([= ])(?!-)("[^"]*"|'[^']*'|[^\s"']+)/
        ) { match in
            SecretMask.isSecret(String(match.1), "")
                ? "--\(match.1)\(match.2)\(SecretMask.mask)" : String(match.0)
        }
        return options.replacing(/([A-Za-z_][A-Za-z0-9_]*)=("[^"]*"|'[^']*'|[^\s"']+)/) { match in
            // A URL's own password is hidden; the rest of it tells where the command leads.
            SecretMask.isSecret(String(match.1), String(match.2))
                ? "\(match.1)=\(SecretMask.mask)" : String(match.0)
        }
    }

    static func refused(_ why: String) -> MigrationError {
        MigrationError(
            .state, why,
            remedy:
                "Say NAME=COMMAND; the name has letters, digits and _ . : -, and the command is one line.",
            exit: .usage)
    }

    /// Throws where it cannot be run as it is.
    public func check() throws {
        guard name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_.:\/-]{0,79}/) != nil else {
            throw Self.refused("“\(name.prefix(80))” is no name for a command")
        }
        guard !run.allSatisfy(\.isWhitespace), !run.contains(where: { $0.isNewline || $0 == "\0" }) else {
            throw Self.refused("the command of \(name) is not one line")
        }
        guard !(folder ?? "").hasPrefix("/"), !(folder ?? "").contains("\0") else {
            throw Self.refused("the folder of \(name) is not relative to the project")
        }
    }
}
