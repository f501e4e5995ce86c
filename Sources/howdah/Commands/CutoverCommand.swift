import ArgumentParser
import Foundation
import MigrationEngine
import Playbook

struct CutoverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cutover",
        abstract: "Take a live application over: catch up, prove, switch its settings, try it; or back.",
        discussion: """
            Needs a target that was loaded and proven. While the application goes on, what it has written since is carried and every cell
            compared; then nobody may write, the rest is carried and compared, and the settings are changed. howdah writes nothing to
            SQLite: it holds its write lock. --stop and --start name shell commands that stop and start the application; they are
            remembered. Without them you stop and start it yourself, as you are told. Until the end --back leads back in one step.
            """)

    @Argument(help: "A project's folder, or a SQLite file.")
    var project: String = "."

    @Argument(help: "The live target, where it was not named before.")
    var target: String?

    @Flag(help: "Show what would happen, and do nothing.")
    var preview = false

    @Flag(help: "Only bring the target up to now, and compare every cell; may be run at any time.")
    var prepare = false

    @Flag(help: "Go back to SQLite: settings and code byte for byte, PostgreSQL's newer rows exported.")
    var back = false

    @Flag(help: "Confirms each part; without a terminal it is needed.")
    var yes = false

    @Flag(help: "With --back: overwrite what was written to files, or to SQLite, since; it is kept aside.")
    var overwrite = false

    @Flag(help: "With --back: go on although others are connected to the target.")
    var connected = false

    @Flag(help: "With --back: leave SQLite as it is now, also where it was written to after the switch.")
    var keepSqlite = false

    @Flag(
        help:
            "With --back: go back although the target cannot be reached; what was written to it is not exported."
    )
    var withoutTarget = false

    @Flag(help: "The application is stopped already, and nothing else writes to SQLite.")
    var stopped = false

    @Option(help: ArgumentHelp("Stops the application; returns once it has ended.", valueName: "command"))
    var stop: String?

    @Option(help: ArgumentHelp("Starts it; returns while it runs on.", valueName: "command"))
    var start: String?

    @Option(help: ArgumentHelp("Tries it; ends with 0 where it works.", valueName: "command"))
    var smoke: String?

    @OptionGroup var book: BookOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if [preview, prepare, back].count(where: { $0 }) > 1 {
            throw ValidationError("--preview, --prepare and --back exclude each other")
        }
        if target != nil, book.target != nil { throw ValidationError("the target is named twice") }
        if book.rehearsal { throw ValidationError("the cutover is of the live target") }
    }

    func run() throws {
        CommandRunner.run(common) { cancellation in
            let book = try open()
            defer { book.close() }
            let commands = ApplicationCommands(stop: stop, start: start, smoke: smoke)
            if !preview { try commands.merge(into: book.workspace.state) }
            let work = LiveSteps(
                command: "cutover", book: book, common: common, isConfirmed: yes, overwrites: overwrite,
                cancellation: cancellation)
            if connected { book.tolerateConnections() }
            if keepSqlite { book.keepSource() }
            if withoutTarget { book.ignoreTarget() }
            if preview { return try work.preview(["C.1", "C.2", "C.3", "C.4"]) }
            if back { return try work.undo("C.2") }
            if prepare { return try work.run(["C.1"]) }
            if let over = over(book) { return over }
            guard book.cutoverRecord() != nil else {
                try refuseUnstopped(book)
                return try work.run(["C.1", "C.2"]) { try afterSwitch(book, cancellation) }
                    ?? work.run(["C.3", "C.4"])
            }
            // What was switched already goes on from there.
            let isNoted = book.overview(isQuick: true).step("C.2")?.state == .done
            return try work.run((isNoted ? [] : ["C.2"]) + ["C.3", "C.4"])
        }
    }

    /// Nothing is left of a cutover that has ended.
    private func over(_ book: Playbook) -> ExitCode? {
        guard let end = book.overview(isQuick: true).step("C.4"), end.state == .done else { return nil }
        let work = LiveSteps(
            command: "cutover", book: book, common: common, isConfirmed: true, cancellation: Cancellation())
        Console.note("the cutover has ended, at \(end.when); howdah rollback --live is the way back")
        return work.report(.success)
    }

    /// A writer that nobody stops is kept away only as long as this command runs: then what it writes would be in SQLite alone.
    private func refuseUnstopped(_ book: Playbook) throws {
        let commands = ApplicationCommands.read(book.workspace.state)
        guard yes || !Console.isTerminal || common.json, commands.stop == nil, !stopped else { return }
        throw MigrationError(
            .state, "nobody has said how the application is stopped",
            remedy:
                "Name its command with --stop; or stop it, and say --stopped. On a terminal, without --yes, you are asked and told.",
            exit: .usage)
    }

    /// Where nobody has said how the application is started, the operator starts it now.
    private func afterSwitch(_ book: Playbook, _ cancellation: Cancellation) throws {
        if let failure = book.cutoverRecord()?.startFailure {
            throw MigrationError(
                .state, "the settings lead to PostgreSQL, and the application did not start: \(failure)",
                remedy:
                    "Start it, and run the same command again: C.3 and C.4 follow. Or go back: howdah cutover --back."
            )
        }
        guard ApplicationCommands.read(book.workspace.state).start == nil, Console.isTerminal, !yes else {
            return
        }
        Console.note("Start the application now: it uses PostgreSQL. Press Enter once it runs.")
        _ = Console.answer(cancellation)
    }

    private func open() throws -> Playbook {
        let workspace = try Workspace(project, state: common.state)
        let playbook = try Playbook(
            workspace, target: Target.server(target ?? book.target), admin: Target.server(book.admin),
            who: book.who)
        try playbook.setMode(.live, isKept: false)
        return playbook
    }
}

struct FinishCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "finish",
        abstract: "Remove what howdah has left: its schema in the target, the rehearsal, older snapshots.",
        discussion: """
            The journal, the newest snapshot and the originals of changed files stay, so that the way back stays too. Rows in quarantine
            that are nowhere else keep the schema where it is.
            """)

    @Argument(help: "A project's folder, or a SQLite file.")
    var project: String = "."

    @Flag(help: "Show what would be removed, and remove nothing.")
    var preview = false

    @Flag(help: "Confirms it.")
    var yes = false

    @OptionGroup var book: BookOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        CommandRunner.run(common) { cancellation in
            let book = try book.open(project, common, isWriter: true)
            defer { book.close() }
            let work = LiveSteps(
                command: "finish", book: book, common: common, isConfirmed: yes, cancellation: cancellation)
            return try preview ? work.preview(["F"]) : work.run(["F"])
        }
    }
}

/// Steps outside the six phases, previewed, confirmed and run one after the other.
struct LiveSteps {
    let command: String
    let book: Playbook
    let common: CommonOptions
    let isConfirmed: Bool
    /// Whether what was written since may be overwritten without being asked about.
    var overwrites = false
    let cancellation: Cancellation

    func preview(_ ids: [String]) throws -> ExitCode {
        var documents: [PreviewDocument] = []
        for id in ids {
            let preview = try book.working(nil, cancellation) { activity in
                try documents.isEmpty ? book.preview(id, activity) : book.outlook(id, activity)
            }
            documents.append(PreviewDocument(id, preview))
            if !common.json {
                (["\(id) \(Phases.step(id)?.title ?? "")"] + BookWords.preview(preview)).forEach(
                    Console.result)
            }
        }
        if common.json { Console.json(LiveDocument(command, .success, book, [], documents)) }
        return .success
    }

    /// Runs steps, each after its preview was confirmed; the exit where one did not go well, nil where `then` follows.
    func run(_ ids: [String], then: () throws -> Void) throws -> ExitCode? {
        for id in ids {
            let exit = try run(id)
            guard exit == .success else { return report(exit) }
        }
        try then()
        return nil
    }

    func run(_ ids: [String]) throws -> ExitCode {
        for id in ids {
            let exit = try run(id)
            guard exit == .success else { return report(exit) }
        }
        return report(.success)
    }

    private func run(_ id: String) throws -> ExitCode {
        let preview = try book.working(nil, cancellation) { try book.preview(id, $0) }
        try confirm(id, preview)
        try book.working(id, cancellation) { activity in
            let reporter = ProgressReporter(activity.progress)
            defer { reporter.stop() }
            try book.run(id, activity)
        }
        guard let line = book.overview(isQuick: true).step(id) else { return .failure }
        if !common.json { BookWords.step(line).forEach(Console.note) }
        switch line.state {
        case .failed: return .failure
        case .undecided, .waiting: return .undecided
        default: return .success
        }
    }

    func undo(_ id: String) throws -> ExitCode {
        let preview = try book.working(nil, cancellation) { try book.undoPreview(id, $0) }
        try confirm(id, preview)
        try book.working(id, isUndo: true, cancellation) { try book.undo(id, $0) }
        if !common.json,
            let entry = book.journal.entries.last(where: { $0.subject == id && $0.kind == .undone })
        {
            entry.evidence.forEach(Console.note)
        }
        return report(.success)
    }

    /// What changes anything is shown first, and asked about where there is somebody to ask.
    private func confirm(_ id: String, _ preview: Preview) throws {
        if !common.json {
            (["", "\(id) \(Phases.step(id)?.title ?? "")"] + BookWords.preview(preview)).forEach(Console.note)
        }
        if isConfirmed {
            guard let word = preview.confirmation, !overwrites else { return }
            throw MigrationError(
                .projectFile, "this would \(word) what was written since: \(preview.warning ?? "")",
                remedy: "Nothing was changed. Add --overwrite: what is there is kept aside.", exit: .undecided
            )
        }
        guard Console.isTerminal, !common.json else {
            throw MigrationError(
                .state,
                "\(id) \(Phases.step(id)?.title ?? "") is of the live application, and nobody has confirmed it",
                remedy: "Add --yes; --preview shows what would happen.", exit: .usage)
        }
        let word = preview.confirmation ?? "yes"
        Console.note("Type \(word) to go on, anything else to leave it:")
        guard Console.answer(cancellation)?.trimmingCharacters(in: .whitespaces) == word else {
            throw MigrationError.notConfirmed(id, isSwitched: book.cutoverRecord() != nil)
        }
    }

    func report(_ exit: ExitCode) -> ExitCode {
        let state = book.overview(isQuick: true)
        let ids = command == "cutover" ? Phases.cutover.steps.map(\.id) : command == "finish" ? ["F"] : ["R"]
        if common.json {
            Console.json(LiveDocument(command, exit, book, ids.compactMap { state.step($0) }, []))
        }
        return exit
    }
}

extension MigrationError {
    fileprivate static func notConfirmed(_ id: String, isSwitched: Bool) -> MigrationError {
        MigrationError(
            .cancelled,
            isSwitched
                ? "\(id) was not confirmed: the settings lead to PostgreSQL, and writers to SQLite are let go"
                : "\(id) was not confirmed: nothing was changed",
            remedy: "Run the same command again when you are ready"
                + (isSwitched ? "; howdah cutover --back leads back." : "."),
            exit: .cancelled)
    }
}

/// What these commands print with `--json`.
private struct LiveDocument: Encodable {
    struct Standstill: Encodable {
        let seconds: Double
        let parts: [CutoverRecord.Part]
        let snapshot: String
        let carried: CatchUp.Outcome
    }

    let command: String
    let outcome: String
    let exit: Int32
    let mode: Mode
    let target: String
    let steps: [StepDocument.Step]
    let previews: [PreviewDocument]
    let standstill: Standstill?

    init(
        _ command: String, _ exit: ExitCode, _ book: Playbook, _ steps: [BookState.StepLine],
        _ previews: [PreviewDocument]
    ) {
        self.command = command
        outcome =
            !previews.isEmpty
            ? "answered" : exit == .success ? "done" : exit == .undecided ? "undecided" : "failed"
        self.exit = exit.rawValue
        mode = book.mode
        target = book.targetWords(book.mode)
        self.steps = steps.map { .init($0) }
        self.previews = previews
        standstill =
            command == "cutover"
            ? book.cutoverRecord().map {
                Standstill(
                    seconds: $0.standstill, parts: $0.parts, snapshot: $0.snapshot, carried: $0.carried)
            } : nil
    }
}
