import ArgumentParser
import MigrationEngine
import Playbook

/// What commands about a live database or the rehearsal take.
struct TargetOptions: ParsableArguments {
    @Argument(help: "A project's folder, or a SQLite file.")
    var project: String = "."

    @Argument(help: "The live target, or rehearsal.")
    var target: String?

    @Option(name: .customLong("as"), help: ArgumentHelp("Who does it, for the journal.", valueName: "name"))
    var who: String?

    /// Opens the playbook in the mode that the target means; nothing is chosen for later.
    func open(_ common: CommonOptions, isWriter: Bool) throws -> Playbook {
        let server = try Target.server(target)
        let workspace = try Workspace(project, state: common.state, isWriter: isWriter)
        let book = try Playbook(workspace, target: server, who: who, isWriter: isWriter)
        try book.setMode(server == nil ? .rehearsal : .live, isKept: false)
        return book
    }

    /// Asks on a terminal for a password that nothing supplies.
    func askForPassword(_ book: Playbook, _ activity: Activity) throws {
        if Console.isTerminal, book.mode == .live,
            let url = try book.asksForPassword(isAdmin: false, activity),
            let password = Console.readPassword("Password for \(url): ")
        {
            try book.setPassword(password, isAdmin: false)
        }
    }

    /// Throws where a live target is meant and nobody has said so.
    func confirm(_ book: Playbook, _ isConfirmed: Bool, _ what: String) throws {
        guard book.mode == .live, !isConfirmed else { return }
        throw MigrationError(
            .targetUnfit, "\(what) \(book.targetWords(.live)), and nobody has confirmed it",
            remedy: "Add --yes, or leave the target out to try it in the rehearsal.", exit: .usage)
    }
}
