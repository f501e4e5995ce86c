import AppProject
import Foundation
import MigrationEngine

/// The application's own commands: which there are, what the operator has said of them, and their runs.
extension Playbook {
    // MARK: Which there are

    /// All commands of the project, and the operator's own; none without a project. What cannot be read of the operator's is
    /// left out here, and told by what runs them.
    public func appCommands() -> [AppCommand] {
        tests.commands {
            guard let directory = workspace.location.projectDirectory else { return [] }
            let own = (try? CommandsFile.read(workspace.state))?.commands ?? []
            return CommandFinder(root: directory).commands(own: own)
        }
    }

    /// Looks for commands anew at the next question.
    public func forgetCommands() { tests.forgetCommands() }

    var hasTestCommands: Bool { appCommands().contains { $0.kind == .test } }

    var leftOutNames: [String] {
        let left = Set((try? CommandsFile.read(workspace.state))?.leftOut ?? [])
        return appCommands().filter { $0.kind == .test && left.contains($0.name) }.map(\.name)
    }

    /// Commands with where they stand in a mode.
    public func commandStates(_ mode: Mode) -> [CommandState] {
        let commands = appCommands()
        guard !commands.isEmpty else { return [] }
        let leftOut = Set(leftOutNames)
        let links = self.links
        let stale = Dictionary(staleServices().map { ($0.name, $0) }) { first, _ in first }
        var newest: [String: JournalEntry] = [:]
        var results: [String: JournalEntry] = [:]
        for entry in journal.entries where entry.mode == mode && entry.subject.hasPrefix(Self.commandSubject)
        {
            let name = String(entry.subject.dropFirst(Self.commandSubject.count))
            newest[name] = entry
            if entry.kind == .ran { results[name] = entry }
        }
        return commands.map { command in
            let linked = links.filter { $0.value.contains(command.name) }.map(\.key).sorted()
            let isOver = tests.launch(command.name).map { !$0.isRunning || $0.mode != mode } ?? true
            return CommandState(
                command: command, isLeftOut: leftOut.contains(command.name),
                last: results[command.name]?.data.flatMap { Journal.decode(CommandResult.self, $0) },
                when: results[command.name]?.time ?? "",
                isInterrupted: newest[command.name]?.kind == .launched && isOver, links: linked,
                proposals: LinkRule.items(for: command).filter { !linked.contains($0) },
                stale: stale[command.name],
                isOutdated: command.kind == .test
                    && results[command.name].map { !isPresent($0, mode) } ?? false)
        }
    }

    /// The same, where a mistake in the operator's file is an error, and no command too.
    func checkedCommands(_ mode: Mode) throws -> [CommandState] {
        _ = try CommandsFile.read(workspace.state)
        let states = commandStates(mode)
        guard states.contains(where: { $0.command.kind == .test }) else { throw noCommand() }
        return states
    }

    private func noCommand() -> MigrationError {
        MigrationError(
            .projectFile,
            "no test command was found in \(workspace.location.projectDirectory ?? workspace.source.path)",
            remedy:
                "Add one: howdah test PROJECT --add NAME=\"COMMAND\"; or test by hand, and tick the step with a note.",
            exit: .undecided)
    }

    /// The command of a name. Throws with the names that there are.
    public func appCommand(_ name: String, _ kind: AppCommand.Kind? = nil) throws -> AppCommand {
        _ = try CommandsFile.read(workspace.state)
        let commands = appCommands()
        if let found = commands.first(where: { $0.name == name }) {
            guard kind == nil || found.kind == kind else {
                throw MigrationError(
                    .state, "\(name) is a \(found.kind.rawValue), not a \(kind?.rawValue ?? "")",
                    remedy: found.kind == .service
                        ? "Start it: howdah serve PROJECT \(name)." : "Run it: howdah test PROJECT \(name).",
                    exit: .usage)
            }
            return found
        }
        let names = commands.filter { kind == nil || $0.kind == kind }.map(\.name)
        throw MigrationError(
            .state, "there is no command \(name)",
            remedy: names.isEmpty
                ? "None was found in the project; howdah test PROJECT --add NAME=\"COMMAND\" adds one."
                : "There are: \(names.joined(separator: ", ")).", exit: .usage)
    }

    // MARK: What the operator says of them

    /// Adds a command of the operator's own, or replaces the one of that name.
    public func addCommand(_ own: OwnCommand) throws {
        try own.check()
        guard let directory = workspace.location.projectDirectory else {
            throw MigrationError(
                .projectFile, "no project belongs to \(workspace.source.path)",
                remedy: "Name the project's folder instead of the file.", exit: .usage)
        }
        var isFolder: ObjCBool = false
        let path = absolutePath("\(directory)/\(own.folder ?? "")")
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            throw MigrationError(
                .projectFile, "there is no folder \(path)", remedy: "Name one relative to the project.",
                exit: .usage)
        }
        try CommandPlace.check(own.folder ?? "", of: directory, name: own.name)
        try changeCommands("added \(own.name): \(own.shown(in: directory))") { file in
            file.commands.removeAll { $0.name == own.name }
            file.commands.append(own)
        }
    }

    /// Takes a command of the operator's own away.
    public func removeCommand(_ name: String) throws {
        guard try appCommand(name).isOwn else {
            throw MigrationError(
                .state, "\(name) was found in the project, and is none of your own",
                remedy: "Leave it out instead: howdah test PROJECT --leave-out \(name).", exit: .usage)
        }
        try changeCommands("removed \(name)") { file in file.commands.removeAll { $0.name == name } }
    }

    /// Has runs of all tests pass a command over, or take it in again.
    public func leaveOut(_ name: String, _ isLeftOut: Bool) throws {
        let name = try appCommand(name, .test).name
        try changeCommands(isLeftOut ? "\(name) is left out" : "\(name) is taken in again") { file in
            file.leftOut.removeAll { $0 == name }
            if isLeftOut { file.leftOut.append(name) }
        }
        try updateTests(mode)
    }

    private func changeCommands(_ words: String, _ change: (inout CommandsFile) -> Void) throws {
        var file = try CommandsFile.read(workspace.state)
        change(&file)
        try journal.add(.note, "5.1", mode, words)
        try file.write(workspace.state)
        tests.forgetCommands()
    }

    // MARK: Runs

    /// Runs some test commands alone, by their names, or all that are not left out as step 5.1. May block.
    public func runCommands(
        _ names: [String], timeout: Duration = Playbook.testTimeout, _ activity: Activity
    ) throws -> [CommandResult] {
        let before = journal.entries.last?.id ?? 0
        if names.isEmpty {
            // Throws where there is none, rather than write down that a step has begun.
            _ = try checkedCommands(mode)
            try run("5.1", activity, by: TestsStep(timeout: timeout))
        } else {
            let commands = try names.map { try appCommand($0, .test) }
            defer { try? updateTests(mode) }
            return try TestRun(
                context: StepContext(book: self, mode: mode, activity: activity), timeout: timeout
            )
            .run(commands)
        }
        return journal.entries.filter { $0.id > before && $0.kind == .ran }
            .compactMap { $0.data.flatMap { Journal.decode(CommandResult.self, $0) } }
    }

    /// Says of step 5.1 what it comes to now, where it was run already and single commands were run, or left out, since.
    private func updateTests(_ mode: Mode) throws {
        // What was ticked by hand stays; what was never run whole is not done by its parts.
        guard let entry = entry(of: "5.1", mode), [.done, .failed, .undecided].contains(entry.kind) else {
            return
        }
        let states = commandStates(mode).filter { $0.command.kind == .test && !$0.isLeftOut }
        let results = states.filter { !$0.isOutdated }.compactMap(\.last)
        guard results.count == states.count, !results.isEmpty else { return }
        let outcome = TestsStep.outcome(results, leftOutNames)
        let kind: JournalEntry.Kind = outcome.failure != nil ? .failed : outcome.open > 0 ? .undecided : .done
        guard kind != entry.kind || outcome.evidence != entry.evidence else { return }
        try journal.add(
            kind, "5.1", mode, outcome.failure ?? (outcome.open > 0 ? "\(outcome.open)" : ""),
            evidence: outcome.evidence, basis: entry.basis)
    }

    // MARK: Output

    /// Told of every change of what commands write, a few times a second at most, from other threads.
    public func onCommandFeed(_ body: (@Sendable (CommandFeed) -> Void)?) { tests.listen(body) }

    /// Told of every line that commands write, from other threads.
    public func onCommandLine(_ body: (@Sendable (_ command: String, _ line: String) -> Void)?) {
        tests.listenToLines(body)
    }

    /// What a command has written last: in this process, or else by its log. nil where nothing is known.
    public func feed(of name: String) -> CommandFeed? {
        if let launch = tests.launch(name), launch.mode == mode || launch.isRunning { return launch.feed }
        let state = commandStates(mode).first { $0.command.name == name }
        guard let last = state?.last, let log = last.log,
            let file = FileHandle(forReadingAtPath: "\(workspace.state.path)/\(log)")
        else { return nil }
        defer { try? file.close() }
        let most: UInt64 = 1 << 18
        let size = (try? file.seekToEnd()) ?? 0
        try? file.seek(toOffset: size > most ? size - most : 0)
        let text = String(decoding: (try? file.readToEnd()) ?? Data(), as: UTF8.self)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        // The first may be a part of one; after the last line's end comes nothing.
        if size > most { lines.removeFirst(lines.isEmpty ? 0 : 1) }
        if lines.last?.isEmpty ?? false { lines.removeLast() }
        return CommandFeed(
            name: name, mode: mode, isRunning: false, seconds: last.seconds,
            end: last.end,
            output: OutputTail.Snapshot(lines: lines))
    }
}
