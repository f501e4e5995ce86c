import ArgumentParser
import Foundation
import MigrationEngine
import Playbook
import Postgres

/// What commands about a project's steps take.
struct BookOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The live target; remembered without its password.", valueName: "url"))
    var target: String?

    @Option(help: ArgumentHelp("An administrator's connection for step 1.4; never kept.", valueName: "url"))
    var admin: String?

    @Option(name: .customLong("as"), help: ArgumentHelp("Who does it, for the journal.", valueName: "name"))
    var who: String?

    @Flag(help: "The live target's steps.")
    var live = false

    @Flag(help: "The rehearsal's steps.")
    var rehearsal = false

    func validate() throws {
        if live, rehearsal { throw ValidationError("--live and --rehearsal exclude each other") }
    }

    /// With `keepsMode` a mode that is named is that of later commands too.
    func open(
        _ project: String, _ common: CommonOptions, isWriter: Bool, keepsMode: Bool = true
    ) throws -> Playbook {
        let workspace = try Workspace(project, state: common.state, isWriter: isWriter)
        let book = try Playbook(
            workspace, target: Target.server(target), admin: Target.server(admin), who: who,
            isWriter: isWriter)
        if let mode { try book.setMode(mode, isKept: isWriter && keepsMode) }
        return book
    }

    /// Opens the playbook for a command that changes files: without --live it means the rehearsal, whatever was chosen
    /// before, and chooses nothing for later.
    func openForFiles(_ project: String, _ common: CommonOptions, isWriter: Bool = true) throws -> Playbook {
        let workspace = try Workspace(project, state: common.state, isWriter: isWriter)
        let book = try Playbook(
            workspace, target: Target.server(target), admin: Target.server(admin), who: who,
            isWriter: isWriter)
        try book.setMode(live ? .live : .rehearsal, isKept: false)
        return book
    }

    private var mode: Mode? { live ? .live : rehearsal ? .rehearsal : nil }
}

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the six phases with every step and its evidence.")

    @Argument(help: "A project's folder, or a SQLite file.")
    var project: String = "."

    @OptionGroup var book: BookOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        CommandRunner.run(common) { _ in
            let state = try book.open(project, common, isWriter: false).overview()
            if common.json {
                Console.json(StatusDocument(state))
            } else {
                BookWords.status(state).forEach(Console.result)
            }
            return .success
        }
    }
}

struct StepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "step", abstract: "Check, preview, run, undo, or tick one step of the six phases.",
        discussion: """
            check says where it stands; preview what it would do; run does it; undo takes it back. Steps that are done
            by hand are ticked: tick, untick, skip, each with --note.
            """)

    enum Verb: String, ExpressibleByArgument, CaseIterable {
        case check, preview, run, undo, tick, untick, skip
    }

    @Argument(help: "A project's folder, or a SQLite file.")
    var project: String

    @Argument(help: "The step's number, such as 1.3.")
    var step: String

    @Argument(help: "check, preview, run, undo, tick, untick or skip.")
    var verb: Verb = .check

    @Option(help: ArgumentHelp("What to note with it.", valueName: "text"))
    var note = ""

    @Flag(help: "Confirms an undo that removes rows, and a step of a live run.")
    var yes = false

    @OptionGroup var book: BookOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        CommandRunner.run(common) { cancellation in
            let book = try book.open(project, common, isWriter: verb != .check)
            defer { book.close() }
            guard Phases.step(step) != nil else {
                throw MigrationError(
                    .state, "there is no step \(step)",
                    remedy: "The steps are: \(Phases.steps.map(\.id).joined(separator: ", ")).", exit: .usage)
            }
            return try StepRun(book: book, step: step, note: note, isConfirmed: yes, common: common)
                .run(verb, cancellation)
        }
    }
}

/// One step's work with its words.
private struct StepRun {
    let book: Playbook
    let step: String
    let note: String
    let isConfirmed: Bool
    let common: CommonOptions

    func run(_ verb: StepCommand.Verb, _ cancellation: Cancellation) throws -> ExitCode {
        let isWork = verb == .run || verb == .undo
        guard
            let activity = book.begin(
                isWork ? step : nil, isUndo: verb == .undo, cancellation: cancellation)
        else {
            throw MigrationError(.locked, "other work is under way", remedy: "Wait for its end.")
        }
        defer { book.end(activity) }
        switch verb {
        case .check: break
        case .tick: try book.tick(step, note: note)
        case .untick: try book.untick(step)
        case .skip: try book.skip(step, reason: note)
        case .preview:
            BookWords.show(try book.preview(step, activity), of: step, common)
            return .success
        case .run:
            try confirm()
            try reporting(activity) { try book.run(step, activity) }
        case .undo:
            let preview = try book.undoPreview(step, activity)
            try confirm()
            if !common.json { BookWords.preview(preview).forEach(Console.note) }
            if preview.confirmation != nil, !isConfirmed {
                throw MigrationError(
                    .state, "this removes rows, and nobody has confirmed it", remedy: "Add --yes.",
                    exit: .usage)
            }
            try book.undo(step, activity)
        }
        book.end(activity)
        return report(isUndo: verb == .undo)
    }

    private func confirm() throws {
        guard book.mode == .live, !isConfirmed else { return }
        throw MigrationError(
            .targetUnfit,
            "this is a step of a live run into \(book.targetWords(.live)), and nobody has confirmed it",
            remedy: "Add --yes, or --rehearsal to try it first.", exit: .usage)
    }

    private func reporting(_ activity: Activity, _ body: () throws -> Void) throws {
        let reporter = ProgressReporter(activity.progress)
        defer { reporter.stop() }
        try body()
    }

    private func report(isUndo: Bool) -> ExitCode {
        let state = book.overview()
        guard let line = state.step(step) else { return .failure }
        var exit = Self.exit(line.state, state.outcome)
        // What was taken back may wait for a step that was never needed.
        if isUndo, case .waiting = line.state { exit = .success }
        let done = isUndo ? book.undone(step) : nil
        if common.json {
            Console.json(StepDocument(line, mode: state.mode, exit: exit, done: done))
        } else {
            (done ?? []).forEach(Console.result)
            BookWords.step(line).forEach(Console.result)
        }
        return exit
    }

    static func exit(_ state: StepState, _ outcome: String?) -> ExitCode {
        switch state {
        case .failed: outcome == "differs" ? .differs : .failure
        case .undecided, .stale, .waiting: .undecided
        default: .success
        }
    }
}

struct ChecklistCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checklist", abstract: "Show the checklist, tick its items, add your own, export it.")

    enum Verb: String, ExpressibleByArgument, CaseIterable {
        case show, tick, untick, add, remove, export
    }

    @Argument(help: "A project's folder, or a SQLite file.")
    var project: String = "."

    @Argument(help: "show, tick ID, untick ID, add TEXT, remove ID, or export FILE.")
    var verb: Verb = .show

    @Argument(help: "The item, the text, or the file (.md or .html).")
    var argument: String?

    @Option(help: ArgumentHelp("What to note with a tick.", valueName: "text"))
    var note = ""

    @OptionGroup var book: BookOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if verb != .show, argument == nil { throw ValidationError("\(verb.rawValue) needs one word more") }
    }

    func run() throws {
        CommandRunner.run(common) { _ in
            let book = try book.open(project, common, isWriter: ![.show, .export].contains(verb))
            let argument = argument ?? ""
            switch verb {
            case .show: break
            case .tick: try book.tick(argument, note: note)
            case .untick: try book.untick(argument)
            case .add: try book.addItem(argument)
            case .remove: try book.removeItem(argument)
            case .export: try Checklist.export(book.overview(), to: argument)
            }
            let state = book.overview()
            if common.json {
                Console.json(ChecklistDocument(state))
            } else if verb == .export {
                Console.result(argument)
            } else {
                BookWords.checklist(state).forEach(Console.result)
            }
            return .success
        }
    }
}
