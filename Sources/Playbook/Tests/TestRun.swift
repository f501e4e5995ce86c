import AppProject
import Foundation
import MigrationEngine

/// Runs test commands, one after the other, each journalled before and after.
struct TestRun {
    let context: StepContext
    let timeout: Duration

    private var book: Playbook { context.book }

    /// Runs all of them, whatever one comes to; throws where they cannot be run at all, and on a wish to cancel.
    func run(_ commands: [AppCommand]) throws -> [CommandResult] {
        let surroundings = try CommandSurroundings(context)
        // What the results are about: without a look the rows' own run would not be known.
        if book.status(context.mode) == nil { book.lookAtTarget(context.activity, always: true) }
        let basis = book.resultBasis(context.mode)
        var results: [CommandResult] = []
        for command in commands {
            try context.cancellation.check()
            let result = try run(command, surroundings, basis)
            results.append(result)
            if result.outcome == .cancelled { try context.cancellation.check() }
        }
        return results
    }

    private func run(
        _ command: AppCommand, _ surroundings: CommandSurroundings, _ basis: [String: String]
    ) throws -> CommandResult {
        let place = try surroundings.place(of: command)
        let subject = Playbook.commandSubject + command.name
        guard let launch = book.tests.begin(command, context.mode, context.cancellation) else {
            throw MigrationError(.locked, "\(command.name) runs already", remedy: "Wait for its end.")
        }
        var end = ""
        // Whoever is told of the end finds the result in the journal.
        defer {
            launch.finish(end)
            book.tests.tell(launch)
        }
        try book.journal.add(.launched, subject, context.mode, command.run)
        let result = result(of: launch, in: place, surroundings)
        try book.journal.add(
            .ran, subject, context.mode, result.outcome.words, evidence: [result.line], basis: basis,
            data: Journal.encode(result))
        end = result.end
        try book.settleLinks(of: [command.name], context.mode)
        return result
    }

    /// What a run comes to; one that cannot be started has come to that.
    private func result(of launch: TestDesk.Launch, in place: String, _ surroundings: CommandSurroundings)
        -> CommandResult
    {
        let command = launch.command
        func unable(_ reason: String) -> CommandResult {
            CommandResult(name: command.name, run: command.run, outcome: .unable, reason: reason)
        }
        var environment = surroundings.environment
        environment["CI"] = "1"
        if let missing = Programs.missing(command, folder: place, environment: environment) {
            return unable("\(missing.program) is not installed. \(missing.remedy)")
        }
        do {
            let log = try CommandLog(context.workspace.state, name: command.name)
            let (ending, counts) = try book.tests.stream(
                launch, in: place, environment: environment, secrets: surroundings.secrets(place),
                timeout: timeout, log: log)
            return CommandResult(command, ending, counts, log: book.relative(log.path), limit: timeout)
        } catch {
            return unable(Playbook.explained(error).message)
        }
    }
}

extension Playbook {
    static let commandSubject = "command:"
    /// How long a test command may take, unless it is said otherwise.
    public static let testTimeout = Duration.seconds(1800)

    /// A path in the state folder, from there.
    func relative(_ path: String) -> String {
        let prefix = workspace.state.path + "/"
        return path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : path
    }
}
