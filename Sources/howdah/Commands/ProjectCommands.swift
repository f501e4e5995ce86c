import ArgumentParser
import Foundation
import MigrationEngine
import Playbook

/// What commands take that change a project's files.
struct EditOptions: ParsableArguments {
    @Argument(help: "A project's folder.")
    var project: String = "."

    @Flag(help: "Show what would change, and change nothing.")
    var preview = false

    @Flag(help: "Change the project's own files without being asked.")
    var yes = false
}

struct ConfigureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "configure",
        abstract:
            "Change package.json, .env, the Prisma schema and its migrations for PostgreSQL, byte for byte.",
        discussion: """
            Steps 1.5 and 2.1 to 2.3 in one. Without --live a copy of the project is changed and the URL leads to the rehearsal; with
            --live and --target the project itself. --preview shows the changes as a diff, secrets masked. howdah rollback
            brings every byte back.
            """)

    @OptionGroup var edit: EditOptions
    @OptionGroup var book: BookOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        CommandRunner.run(common) { cancellation in
            let book = try book.openForFiles(edit.project, common)
            defer { book.close() }
            let work = EditSteps(command: "configure", book: book, common: common, cancellation: cancellation)
            if edit.preview { return try work.preview() }
            try work.confirm(edit.yes)
            return try work.run()
        }
    }
}

struct RollbackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract:
            "The whole way back: every file byte for byte, PostgreSQL's newer rows exported, SQLite as it was.",
        discussion: """
            Without --live the copy of the project that a rehearsal has changed comes back, the last step first. With --live the application is
            stopped where that was named, what it has written to PostgreSQL is exported as NDJSON, files come back, and the SQLite file is
            put back where it was written to since the switch; what it held is kept. A file that was edited since is overwritten only with
            --overwrite. An interrupted rollback goes on by being run again.
            """)

    @Flag(help: "Overwrite what was written to files, or to SQLite, since; it is kept aside.")
    var overwrite = false

    @Flag(help: "Go on although others are connected to the target.")
    var connected = false

    @Flag(help: "Leave SQLite as it is now, also where it was written to after the switch.")
    var keepSqlite = false

    @Flag(help: "Go back although the target cannot be reached: what was written to it is not exported.")
    var withoutTarget = false

    @OptionGroup var edit: EditOptions
    @OptionGroup var book: BookOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        CommandRunner.run(common) { cancellation in
            let book = try book.openForFiles(edit.project, common)
            defer { book.close() }
            guard book.mode == .live else {
                return try EditSteps(
                    command: "rollback", book: book, common: common, cancellation: cancellation
                ).undo(isPreview: edit.preview, isConfirmed: edit.yes, overwrites: overwrite)
            }
            if withoutTarget { book.ignoreTarget() }
            if connected { book.tolerateConnections() }
            if keepSqlite { book.keepSource() }
            let work = LiveSteps(
                command: "rollback", book: book, common: common, isConfirmed: edit.yes, overwrites: overwrite,
                cancellation: cancellation)
            if edit.preview { return try work.preview(["R"]) }
            return try work.run(["R"])
        }
    }
}

/// The steps that change a project's files, done or undone in one go.
struct EditSteps {
    let command: String
    let book: Playbook
    let common: CommonOptions
    let cancellation: Cancellation

    private var steps: [String] {
        Playbook.configuringSteps.filter { id in
            book.overview(isQuick: true).step(id).map { !$0.isManual } ?? false
        }
    }

    private func known() throws -> [String] {
        // Whether the rows are proven the target tells, whichever command has loaded them.
        if book.mode == .live { try book.working(nil, cancellation) { book.lookAtTarget($0) } }
        let steps = steps
        guard !steps.isEmpty else {
            throw MigrationError(
                .projectFile,
                "howdah finds nothing here that it could change: no .env with the database's URL, no Prisma schema",
                remedy:
                    "Change the application's settings by hand; howdah status shows the steps of phase 2.",
                exit: .undecided)
        }
        return steps
    }

    /// Why a step cannot run yet; nil where it can.
    private func waiting(_ id: String) -> String? {
        if case .waiting(let reason)? = book.overview(isQuick: true).step(id)?.state { reason } else { nil }
    }

    func confirm(_ isConfirmed: Bool) throws {
        guard book.mode == .live, !isConfirmed else { return }
        throw MigrationError(
            .projectFile, "this changes the project's own files, and nobody has confirmed it",
            remedy: "Add --yes; --preview shows what would change, --rehearsal changes a copy.", exit: .usage)
    }

    func preview() throws -> ExitCode {
        show(
            try known().map { id in
                if let reason = waiting(id) {
                    return (id, Preview([.init("Cannot run yet", [reason])]))
                }
                return (id, try book.working(nil, cancellation) { try book.preview(id, $0) })
            })
    }

    /// Shows previews, and changes nothing.
    func show(_ previews: [(step: String, preview: Preview)]) -> ExitCode {
        if common.json {
            let documents = previews.map { PreviewDocument($0.step, $0.preview) }
            Console.json(EditDocument(command: command, mode: book.mode, steps: [], previews: documents))
        } else {
            for (id, preview) in previews { ([id] + BookWords.preview(preview)).forEach(Console.result) }
        }
        return .success
    }

    func run() throws -> ExitCode {
        let obstacles = try known().compactMap { id in waiting(id).map { "\(id) \($0)" } }
        guard obstacles.isEmpty else {
            throw MigrationError(
                .state,
                "nothing was changed, since not all of it can be yet: \(obstacles.joined(separator: ", "))",
                remedy: "Run those steps first, or single ones of these by howdah step.", exit: .undecided)
        }
        for id in try known() { try book.working(id, cancellation) { try book.run(id, $0) } }
        return report(try known())
    }

    func undo(isPreview: Bool, isConfirmed: Bool, overwrites: Bool) throws -> ExitCode {
        let ids = Array(book.changedSteps.reversed())
        let edited = isPreview ? [] : try book.working(nil, cancellation) { try book.editedFiles($0) }
        guard edited.isEmpty || overwrites else {
            throw MigrationError(
                .projectFile, "edited since howdah wrote them: \(edited.joined(separator: ", "))",
                remedy:
                    "Nothing was changed. Add --overwrite: what they hold is kept; --preview shows what comes back.",
                exit: .undecided)
        }
        var previews: [PreviewDocument] = []
        for id in ids {
            let preview = try book.working(nil, cancellation) { try book.undoPreview(id, $0) }
            if !common.json { ([id] + BookWords.preview(preview)).forEach(Console.note) }
            previews.append(PreviewDocument(id, preview))
            if isPreview { continue }
            try confirm(isConfirmed)
            try book.working(id, isUndo: true, cancellation) { try book.undo(id, $0) }
        }
        if isPreview {
            if common.json {
                Console.json(EditDocument(command: command, mode: book.mode, steps: [], previews: previews))
            }
            return .success
        }
        if ids.isEmpty, !common.json {
            Console.result("nothing to bring back: howdah has changed no file of this project")
        }
        return report(ids)
    }

    func report(_ ids: [String]) -> ExitCode {
        let lines = ids.compactMap { book.overview(isQuick: true).step($0) }
        if common.json {
            Console.json(
                EditDocument(
                    command: command, mode: book.mode, steps: lines.map(StepDocument.Step.init), previews: [])
            )
        } else {
            lines.flatMap(BookWords.step).forEach(Console.result)
        }
        return .success
    }
}

extension Playbook {
    /// Runs work of a command's on this thread.
    func working<T>(
        _ step: String?, isUndo: Bool = false, _ cancellation: Cancellation, _ body: (Activity) throws -> T
    ) throws -> T {
        guard let activity = begin(step, isUndo: isUndo, cancellation: cancellation) else {
            throw MigrationError(.locked, "other work is under way", remedy: "Wait for its end.")
        }
        defer { end(activity) }
        return try body(activity)
    }
}

/// What commands that change a project's files print with `--json`.
private struct EditDocument: Encodable {
    let command: String
    let outcome = "answered"
    let exit = 0
    let mode: Mode
    let steps: [StepDocument.Step]
    let previews: [PreviewDocument]
}
