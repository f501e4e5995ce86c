import ArgumentParser
import Foundation
import MigrationEngine
import Operations
import Playbook

struct AdviseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "advise",
        abstract: "Say which indexes, pool and settings the migrated database wants, and make them.",
        discussion: """
            Steps 6.1 and 6.2 by themselves. Indexes: foreign keys without one, queries of the code that read a whole table, doubled,
            unused and invalid ones, missing statistics, each with its SQL, its undo and its effect: measured on the rehearsal, planned on a
            live target. The pool's size, with what the application's URL or code should say; settings of the server that are worth changing.

            Nothing is changed without --apply. Indexes are built CONCURRENTLY, and what a failed build leaves is dropped;
            recommended takes in pool:url, which changes DATABASE_URL alone; settings of the database are set one by one by their names.
            Exit codes: 0 answered, or done; 1 something failed; 3 something needs a decision.
            """)

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Follow the recommended advice, or that of these names.", valueName: "recommended|id"))
    var apply: [String] = []

    @Option(
        help: ArgumentHelp("Leave an index's advice out from now on; may be given again.", valueName: "id"))
    var leave: [String] = []

    @Option(help: ArgumentHelp("Why it is left out, for the journal.", valueName: "text"))
    var note = ""

    @Flag(help: "Take back what was made and set.")
    var undo = false

    @Flag(help: "Write the lines of new indexes into schema.prisma, too.")
    var schemaPrisma = false

    @Option(help: ArgumentHelp("The cores of the server, where it is another machine.", valueName: "n"))
    var cores: Int?

    @Option(help: ArgumentHelp("How many of the application run at once.", valueName: "n"))
    var instances = 1

    @Flag(help: "Show what would be done, and do nothing.")
    var preview = false

    @Flag(help: "Confirms a change of a live target, or of the project's files.")
    var yes = false

    @OptionGroup var place: TargetOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if undo, !apply.isEmpty { throw ValidationError("--undo and --apply exclude each other") }
        if apply.contains("recommended"), apply.count > 1 {
            throw ValidationError("--apply takes recommended, or names of advice")
        }
        if let cores, !(1...4096).contains(cores) { throw ValidationError("--cores takes 1 to 4096") }
        if !(1...10_000).contains(instances) { throw ValidationError("--instances takes 1 to 10000") }
    }

    func run() throws {
        CommandRunner.run(common) { cancellation in
            let book = try place.open(common, isWriter: true)
            defer { book.close() }
            if book.mode == .live, undo || !apply.isEmpty, !yes, !preview {
                throw MigrationError(
                    .targetUnfit,
                    "this would change \(book.targetWords(.live)), and nobody has confirmed it",
                    remedy: "Add --yes, or --preview to see it first.", exit: .usage)
            }
            return try AdviseWork(
                book: book, place: place, common: common, selection: AdviceSelection(apply),
                options: PoolOptions(cores: cores, instances: instances), editsSchema: schemaPrisma,
                cancellation: cancellation
            ).run(leaving: leave, note: note, undoing: undo, previewing: preview)
        }
    }
}

/// Which advice is to be followed.
struct AdviceSelection {
    /// nil is what is chosen; empty is none.
    var indexes: [String]? = []
    var editsURL = false
    var settings: [String] = []

    static let url = "pool:url"

    init(_ names: [String]) {
        if names == ["recommended"] {
            indexes = nil
            editsURL = true
            return
        }
        settings = names.filter { $0.hasPrefix("setting:") }
        editsURL = names.contains(Self.url)
        indexes = names.filter { !$0.hasPrefix("setting:") && $0 != Self.url }
    }

    var hasIndexes: Bool { indexes.map { !$0.isEmpty } ?? true }
    var hasPool: Bool { editsURL || !settings.isEmpty }
}
