import AppProject
import ArgumentParser
import Foundation
import MigrationEngine
import Playbook

struct TestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Run the application's own test commands against PostgreSQL.",
        discussion: """
            Without names: step 5.1, every test command that is not left out; with names those alone. They are found in package.json,
            its workspaces and the files of other test runners, and run with DATABASE_URL on the rehearsal, in a copy of the project;
            with --live on the live target, in the project itself. What they write goes to stderr, and into a log. Items 5.2 to 5.9
            can be linked to commands, whose results then tick them. Exit codes: 0 all passed; 1 one failed; 2 unknown name; 3 one
            ended well and ran no test, or none that could be counted; 130 cancelled.
            """)

    @Argument(help: "A project's folder.")
    var project: String

    @Argument(help: "Names of commands, as --list shows them.")
    var names: [String] = []

    @Flag(help: "List commands, services, results and links; run nothing.")
    var list = false

    @Option(
        help: ArgumentHelp(
            "Let a command's result tick an item; proposed takes every link that --list proposes.",
            valueName: "item=name|proposed"))
    var link: [String] = []

    @Option(help: ArgumentHelp("Take an item's links away, or one of them.", valueName: "item[=name]"))
    var unlink: [String] = []

    @Option(
        help: ArgumentHelp(
            "Add a command of your own, or replace the one of that name.", valueName: "name=command"))
    var add: [String] = []

    @Option(
        name: .customLong("in"),
        help: ArgumentHelp("Where what is added runs, relative to the project.", valueName: "folder"))
    var folder: String?

    @Flag(help: "What is added is a service.")
    var service = false

    @Option(help: ArgumentHelp("Take a command of your own away.", valueName: "name"))
    var remove: [String] = []

    @Option(help: ArgumentHelp("Have runs of all tests pass a command over.", valueName: "name"))
    var leaveOut: [String] = []

    @Option(help: ArgumentHelp("Take a command in again.", valueName: "name"))
    var takeIn: [String] = []

    @Option(help: ArgumentHelp("How long each command may take.", valueName: "seconds"))
    var timeout: Int = Int(Playbook.testTimeout.components.seconds)

    @Flag(help: "Confirms that tests run on the live target.")
    var yes = false

    @OptionGroup var book: BookOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if !(1...604_800).contains(timeout) { throw ValidationError("--timeout takes 1 to 604,800 seconds") }
        if add.isEmpty, folder != nil || service {
            throw ValidationError("--in and --service say more of what --add adds")
        }
        if !names.isEmpty, list || isChange {
            throw ValidationError("names are run; --list and what changes commands or links run nothing")
        }
    }

    private var isChange: Bool {
        !(link.isEmpty && unlink.isEmpty && add.isEmpty && remove.isEmpty && leaveOut.isEmpty
            && takeIn.isEmpty)
    }

    func run() throws {
        CommandRunner.run(common) { cancellation in
            // To look needs no lock, so that it works beside the screens.
            let isLook = list && !isChange
            let book = try book.openForFiles(project, common, isWriter: !isLook)
            defer { if !isLook { book.close() } }
            if isLook || isChange {
                try change(book)
                show(book, nil, .success)
                return .success
            }
            return try run(book, cancellation)
        }
    }

    // MARK: Changes

    private func change(_ book: Playbook) throws {
        for text in add {
            let (name, command) = Self.halves(text)
            try book.addCommand(
                OwnCommand(
                    name: name, run: (command ?? "").trimmingCharacters(in: .whitespaces), folder: folder,
                    kind: service ? .service : nil))
        }
        for name in remove { try book.removeCommand(name) }
        for name in leaveOut { try book.leaveOut(name, true) }
        for name in takeIn { try book.leaveOut(name, false) }
        for text in unlink {
            let (item, name) = Self.halves(text)
            try book.unlink(item, from: name)
        }
        for text in link {
            if text == "proposed" {
                for (item, command) in book.proposedLinks() { try book.link(item, to: command) }
                continue
            }
            let (item, name) = Self.halves(text)
            guard let name else {
                throw MigrationError(
                    .state, "--link \(text) names no command",
                    remedy: "Say --link ITEM=NAME, such as 5.2=test:encryption.",
                    exit: .usage)
            }
            try book.link(item, to: name)
        }
    }

    private static func halves(_ text: String) -> (String, String?) {
        guard let sign = text.firstIndex(of: "=") else { return (text, nil) }
        return (String(text[..<sign]), String(text[text.index(after: sign)...]))
    }

    // MARK: A run

    private func run(_ book: Playbook, _ cancellation: Cancellation) throws -> ExitCode {
        for name in names { _ = try book.appCommand(name, .test) }
        if book.mode == .live, !yes {
            throw MigrationError(
                .targetUnfit,
                "tests write, and these would run on the live target \(book.targetWords(.live)); nobody has confirmed it",
                remedy: "Add --yes, or leave --live out to run them on the rehearsal.", exit: .usage)
        }
        let output = OutputPrinter()
        book.onCommandLine { name, line in output.print(line, of: name) }
        defer {
            book.onCommandLine(nil)
            output.finish()
        }
        do {
            let results = try book.working("5.1", cancellation) {
                try book.runCommands(names, timeout: .seconds(timeout), $0)
            }
            output.finish()
            let exit = Self.exit(results)
            show(book, results, exit)
            return exit
        } catch let error as MigrationError where error.code == .cancelled {
            show(book, [], .cancelled)
            return .cancelled
        }
    }

    static func exit(_ results: [CommandResult]) -> ExitCode {
        if results.contains(where: { $0.outcome != .passed && !$0.outcome.isUndecided }) { return .failure }
        return results.contains(where: \.outcome.isUndecided) ? .undecided : .success
    }

    private func show(_ book: Playbook, _ results: [CommandResult]?, _ exit: ExitCode) {
        let state = book.overview()
        if common.json {
            Console.json(TestDocument(state, results, exit))
        } else {
            Console.results(results.map(TestWords.results) ?? TestWords.list(state))
        }
    }
}

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run a service of the application's, such as dev or start, until Ctrl-C.",
        discussion: """
            It runs with DATABASE_URL on the rehearsal, in a copy of the project; with --live on the live target, in the project
            itself. What it writes goes to stderr, and into a log. Ctrl-C stops it with all that it has started; so does howdah's
            own end. Exit codes: 0 stopped by you; 1 it ended by itself; 2 nobody has confirmed it for the live target.
            """)

    @Argument(help: "A project's folder.")
    var project: String

    @Argument(help: "The name of a service, as howdah test --list shows it.")
    var name: String

    @Flag(help: "End one that a killed howdah has left running first.")
    var replace = false

    @Flag(help: "Confirms that it works on the live target.")
    var yes = false

    @OptionGroup var book: BookOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        CommandRunner.run(common) { cancellation in
            let book = try book.openForFiles(project, common)
            defer { book.close() }
            let output = OutputPrinter()
            book.onCommandLine { name, line in output.print(line, of: name) }
            defer { output.finish() }
            _ = try book.appCommand(name, .service)
            if book.mode == .live, !yes {
                throw MigrationError(
                    .targetUnfit,
                    "\(name) would work on the live target \(book.targetWords(.live)), as the application does; nobody has confirmed it",
                    remedy: "Add --yes, or leave --live out to run it on the rehearsal.", exit: .usage)
            }
            if replace { try book.endStale(name) }
            try book.working(nil, cancellation) { try book.startService(name, $0) }
            let result = book.waitForService(name, cancellation)
            output.finish()
            let exit: ExitCode = result?.outcome == .cancelled ? .success : .failure
            if common.json {
                Console.json(TestDocument(book.overview(), result.map { [$0] } ?? [], exit, command: "serve"))
            } else {
                Console.result(result?.line ?? name)
            }
            return exit
        }
    }
}
