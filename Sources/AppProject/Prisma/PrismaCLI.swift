import Foundation
import MigrationEngine

/// Prisma's own command line, as it is installed in a project's node_modules.
public struct PrismaCLI: Sendable {
    /// What is run, as a user would type it.
    public struct Run: Sendable, Equatable {
        public let arguments: [String]
        public let purpose: String

        public var words: String { (["npx", "prisma"] + arguments).joined(separator: " ") }
    }

    private let executable: String
    private let directory: String
    private let variable: String
    private let migrations: String?

    /// nil where the project has no Prisma schema, or Prisma is not installed in it or in the workspace above it.
    public init?(directory: String) {
        let directory = Files.absolute(directory)
        guard let prisma = SchemaFinder.project(in: directory) else { return nil }
        var folder = directory
        // npm, pnpm and yarn put a workspace's programs at its top.
        while !Files.isFile("\(folder)/node_modules/.bin/prisma") {
            guard folder.count > 1 else { return nil }
            folder = Files.parent(folder)
        }
        executable = "\(folder)/node_modules/.bin/prisma"
        self.directory = directory
        variable = prisma.variable
        migrations =
            Files.isFolder(prisma.migrationsFolder)
            ? Files.relative(prisma.migrationsFolder, to: directory) : nil
    }

    public static let validate = Run(arguments: ["validate"], purpose: "checks the schema")
    public static let generate = Run(arguments: ["generate"], purpose: "makes the client anew")
    public static let push = Run(arguments: ["db", "push"], purpose: "makes the tables in the target")
    public static let status = Run(
        arguments: ["migrate", "status"], purpose: "has Prisma say whether the target has every migration")

    public var hasMigrations: Bool { migrations != nil }

    /// Runs it in `folder`, the project's own or a copy, with the database's URL in its environment; returns the last lines
    /// of what it said, without the URL's password. Throws `.projectFile` with the same where it fails. May block.
    public func run(
        _ run: Run, in folder: String, url: String?, environment: [String: String], cancellation: Cancellation
    ) throws -> [String] {
        var environment = environment
        environment["PRISMA_HIDE_UPDATE_MESSAGE"] = "1"
        environment["CHECKPOINT_DISABLE"] = "1"
        environment["NO_COLOR"] = "1"
        environment["CI"] = "1"
        if let url { environment[variable] = url }
        var command = Command(executable, run.arguments, in: folder, environment: environment)
        command.timeout = .seconds(600)
        let outcome = try command.run(cancellation: cancellation)
        let lines = Self.plain(Self.masked(outcome.output, url))
        guard outcome.status == 0 else {
            throw MigrationError(
                .projectFile, "\(run.words) ended with \(outcome.status)",
                remedy: lines.isEmpty
                    ? "It said nothing; run it by hand in \(folder)." : lines.joined(separator: "\n"))
        }
        return lines
    }

    private static let most = 12

    /// Without colours and empty lines; the last ones, where the outcome stands.
    static func plain(_ text: String) -> [String] {
        let lines = text.replacing(/\u{1B}\[[0-9;?]*[A-Za-z]/, with: "").split(whereSeparator: \.isNewline)
            .map { String($0.prefix(300)).trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        return Array(lines.suffix(most))
    }

    /// The text without the password of a URL, however it is written.
    static func masked(_ text: String, _ url: String?) -> String {
        guard let url, let encoded = url.firstMatch(of: /:\/\/[^:@\/]*:([^@\/]*)@/)?.1 else { return text }
        var text = text
        for password in [String(encoded), encoded.removingPercentEncoding ?? ""] where !password.isEmpty {
            text = text.replacing(password, with: "••••")
        }
        return text
    }
}
