import AppProject
import Foundation
import MigrationEngine

/// 5.1: the application's own tests, run against the target.
struct TestsStep: StepOperation {
    static let id = "5.1"

    var timeout = Playbook.testTimeout

    func preview(_ context: StepContext) throws -> Preview {
        let book = context.book
        book.tests.forgetCommands()
        let commands = try book.checkedCommands(context.mode)
        let tests = commands.filter { $0.command.kind == .test }
        let chosen = tests.filter { !$0.isLeftOut }
        var sections = [
            Preview.Section(
                chosen.isEmpty ? "Runs nothing: every test command is left out" : "Runs, one after the other",
                chosen.map(Self.line), .list)
        ]
        let leftOut = tests.filter(\.isLeftOut)
        if !leftOut.isEmpty { sections.append(.init("Left out", leftOut.map(Self.line), .list)) }
        let services = commands.filter { $0.command.kind == .service }
        if !services.isEmpty {
            sections.append(.init("Services, which are started by hand", services.map(Self.line), .list))
        }
        let proposals = commands.flatMap { state in
            state.proposals.map { "\(state.command.name) speaks of \($0) \(Phases.step($0)?.title ?? "")" }
        }
        if !proposals.isEmpty {
            sections.append(
                .init("Could tick items by their results; c links one in the list", proposals, .list))
        }
        sections.append(.init("To know", notes(chosen.map(\.command), context), .list))
        return Preview(sections, warning: warning(context))
    }

    private static func line(_ state: CommandState) -> String {
        "\(state.command.name): \(state.command.run)  (in \(state.command.place), by \(state.command.foundIn))"
    }

    private func notes(_ commands: [AppCommand], _ context: StepContext) -> [String] {
        var notes = ["DATABASE_URL leads to \(context.book.targetWords(context.mode)), and CI is 1"]
        if context.mode == .rehearsal {
            notes.append("in the copy of the project: \(context.book.rehearsalFolder)")
        }
        notes.append("each may take \(Format.seconds(timeout.seconds)); howdah test --timeout says otherwise")
        let directory = context.workspace.location.projectDirectory ?? ""
        var seen: Set<String> = []
        for command in commands {
            let folder = absolutePath("\(directory)/\(command.folder)")
            if let missing = Programs.missing(
                command, folder: folder, environment: ProcessInfo.processInfo.environment),
                seen.insert(missing.program).inserted
            {
                notes.append("\(missing.program) is not installed. \(missing.remedy)")
            }
            if seen.insert(folder).inserted, let note = Dependencies.missing(in: folder, below: directory) {
                notes.append(note)
            }
        }
        if context.mode == .rehearsal, ProjectEditor(directory: directory).hasPrisma {
            notes.append(
                "Prisma's client in node_modules is SQLite's until 2.4 has run live: tests that use it fail in a rehearsal"
            )
        }
        return notes
    }

    private func warning(_ context: StepContext) -> String? {
        if context.mode == .live {
            return "Tests write, and some empty tables first: these run on the live target, "
                + "\(context.book.targetWords(.live))."
        }
        let isLoaded =
            context.book.stepState("3.2", context.mode).isSettled || context.book.hasEndedRun(context.mode)
        return isLoaded
            ? nil : "No rows are in the target yet: tests find an empty database. Step 3.2 loads it."
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        context.book.tests.forgetCommands()
        let commands = try context.book.checkedCommands(context.mode).filter {
            $0.command.kind == .test && !$0.isLeftOut
        }
        guard !commands.isEmpty else {
            throw MigrationError(
                .state, "there is no test command to run: all are left out",
                remedy: "Take one in again, add one by howdah test --add, or settle the step with -.",
                exit: .undecided)
        }
        let results = try TestRun(context: context, timeout: timeout).run(commands.map(\.command))
        return Self.outcome(results, context.book.leftOutNames)
    }

    /// What the results of all commands come to.
    static func outcome(_ results: [CommandResult], _ leftOut: [String]) -> StepOutcome {
        let passed = results.count { $0.outcome == .passed }
        let open = results.count { $0.outcome.isUndecided }
        let bad = results.filter { $0.outcome != .passed && !$0.outcome.isUndecided }
        let tests = results.compactMap(\.counts)
        var first = "\(passed) of \(Format.count(results.count, "command", "commands")) passed"
        if !tests.isEmpty {
            let all = TestCounts(
                runner: "", passed: tests.reduce(0) { $0 + $1.passed },
                failed: tests.reduce(0) { $0 + $1.failed }, skipped: tests.reduce(0) { $0 + $1.skipped })
            first += ": tests \(all.words)"
        }
        var outcome = StepOutcome(evidence: [first] + results.map(\.line), open: open)
        if !leftOut.isEmpty { outcome.evidence.append("left out: \(leftOut.joined(separator: ", "))") }
        if !bad.isEmpty {
            outcome.failure = bad.map { "\($0.name) \($0.outcome.words)" }.joined(separator: ", ")
        }
        return outcome
    }

    func undoPreview(_ context: StepContext) throws -> Preview? {
        Preview([
            .init(
                "Forgets that the tests were run",
                ["Results, logs and ticks stay. What the tests wrote into the target stays there too."])
        ])
    }

    func undo(_ context: StepContext) throws -> [String] { ["results and logs stay"] }
}

/// Packages that a project asks for and has not installed.
enum Dependencies {
    /// A word about a folder whose package.json has dependencies, with no node_modules there nor above it.
    static func missing(in folder: String, below top: String) -> String? {
        guard let data = FileManager.default.contents(atPath: "\(folder)/package.json"),
            let manifest = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
            ["dependencies", "devDependencies"].contains(where: {
                !((manifest[$0] as? [String: Any]) ?? [:]).isEmpty
            })
        else { return nil }
        var path = folder
        while path.count > 1 {
            if FileManager.default.fileExists(atPath: "\(path)/node_modules") { return nil }
            path = (path as NSString).deletingLastPathComponent
        }
        return
            "the packages of \(folder)/package.json are not installed: npm install, or your package manager's own"
    }
}
