import AppProject
import MigrationEngine
import Playbook

/// Test commands in words.
enum TestWords {
    static func results(_ results: [CommandResult]) -> [String] {
        results.isEmpty ? ["cancelled"] : results.map { "\(sign($0.outcome)) \($0.line)" }
    }

    private static func sign(_ outcome: CommandResult.Outcome?) -> String {
        switch outcome {
        case .passed: "✔"
        case .empty, .uncounted: "!"
        case .failed, .late, .unable: "✘"
        case .cancelled, nil: "○"
        }
    }

    static func list(_ state: BookState) -> [String] {
        guard !state.commands.isEmpty else { return ["no command was found in the project"] }
        var lines: [String] = []
        for kind in AppCommand.Kind.allCases {
            let these = state.commands.filter { $0.command.kind == kind }
            if !these.isEmpty { lines.append(kind == .test ? "tests" : "services") }
            lines += these.flatMap(self.lines)
        }
        return lines
    }

    private static func lines(_ state: CommandState) -> [String] {
        let command = state.command
        var lines = [
            "  \(sign(state.last?.outcome)) \(command.name)\(state.isLeftOut ? "  (left out)" : "")",
            "      \(command.run)  (in \(command.place), by \(command.foundIn))",
        ]
        if let last = state.last {
            let words = [last.outcome.words, last.figures, last.reason, last.log ?? ""].filter { !$0.isEmpty }
            lines.append("      \(state.when): \(words.joined(separator: " — "))")
        }
        if state.isOutdated {
            lines.append(
                "      that was another target, or before the rows were loaded anew: it does not count")
        }
        if state.isInterrupted { lines.append("      its last run was interrupted") }
        if let stale = state.stale {
            lines.append(
                "      runs still as process \(stale.process) since \(stale.since): a killed howdah has left it"
            )
        }
        lines += state.links.map { "      ticks \($0) \(Phases.step($0)?.title ?? "")" }
        lines += state.proposals.map {
            "      could tick \($0) \(Phases.step($0)?.title ?? ""): --link \($0)=\(command.name)"
        }
        return lines
    }
}

/// What `test --json` and `serve --json` print.
struct TestDocument: Encodable {
    struct Entry: Encodable {
        let name: String
        let kind: String
        let run: String
        let folder: String
        let found_in: String
        let left_out: Bool
        let outcome: String?
        let status: Int32?
        let seconds: Double?
        let passed: Int?
        let failed: Int?
        let skipped: Int?
        let runner: String?
        let reason: String?
        let log: String?
        let when: String?
        let interrupted: Bool
        let outdated: Bool
        let links: [String]
        let proposed: [String]
        let stale_process: Int32?

        init(_ state: CommandState) {
            name = state.command.name
            kind = state.command.kind.rawValue
            run = state.command.run
            folder = state.command.folder
            found_in = state.command.foundIn
            left_out = state.isLeftOut
            let last = state.last
            outcome = last?.outcome.rawValue
            status = last?.status
            seconds = last?.seconds
            passed = last?.counts?.passed
            failed = last?.counts?.failed
            skipped = last?.counts?.skipped
            runner = last?.counts?.runner
            reason = last?.reason
            log = last?.log
            when = state.when.isEmpty ? nil : state.when
            interrupted = state.isInterrupted
            outdated = state.isOutdated
            links = state.links
            proposed = state.proposals
            stale_process = state.stale?.process
        }
    }

    let command: String
    let outcome: String
    let exit: Int32
    let mode: Mode
    /// Those that were run; all of them, where none was.
    let commands: [Entry]
    let items: [StepDocument.Step]

    init(_ state: BookState, _ results: [CommandResult]?, _ exit: ExitCode, command: String = "test") {
        self.command = command
        self.exit = exit.rawValue
        mode = state.mode
        outcome =
            switch (results, exit) {
            case (nil, _): "answered"
            case (_, .success): command == "serve" ? "stopped" : "passed"
            case (_, .undecided): "undecided"
            case (_, .cancelled): "cancelled"
            default: "failed"
            }
        let names = results.map { Set($0.map(\.name)) }
        commands = state.commands.filter { names?.contains($0.command.name) ?? true }.map(Entry.init)
        items = state.steps.filter { Playbook.linkableItems.contains($0.step) }.map { StepDocument.Step($0) }
    }
}
