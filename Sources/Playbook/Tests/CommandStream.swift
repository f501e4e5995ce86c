import AppProject
import Foundation
import MigrationEngine
import Postgres

/// Where and with what the application's commands run, in one mode.
struct CommandSurroundings {
    private let context: StepContext
    private let folder: ProjectFolder
    private let directory: String
    let environment: [String: String]
    private let url: String

    /// A rehearsal's commands run in its copy of the project, which is brought up to date; its server is started.
    init(_ context: StepContext) throws {
        self.context = context
        folder = try ProjectFolder(context)
        directory = context.workspace.location.projectDirectory ?? folder.root
        url = try context.clientURL().url
        var environment = ProcessInfo.processInfo.environment
        // The operator's own leads to the database before, wherever it comes from.
        for variable in ["DATABASE_URL", folder.editor.variable] { environment[variable] = url }
        if context.mode == .rehearsal, environment["CARGO_TARGET_DIR"] == nil {
            environment["CARGO_TARGET_DIR"] = "\(context.workspace.state.path)/rehearsal/target"
        }
        self.environment = environment
    }

    /// The folder that a command runs in.
    ///
    /// A folder beside the project has a copy of its own in a rehearsal, with the project's copy beside it.
    func place(of command: AppCommand) throws -> String {
        let place = CommandPlace(command.folder, of: directory)
        switch place {
        case .inside(let rest): return try checked(absolutePath("\(folder.root)/\(rest)"), command)
        case .above, .beside:
            let original = try checked(place.path(of: directory), command)
            guard context.mode == .rehearsal else { return original }
            try CommandPlace.check(command.folder, of: directory, name: command.name)
            // Two folders of one name are two copies.
            let tag = sha256(of: Data(original.utf8)).prefix(16)
            let beside = try context.workspace.state.folder("rehearsal/beside/\(tag)")
            let copy = "\(beside)/\((original as NSString).lastPathComponent)"
            try ProjectCopy(of: original, at: copy).refresh(
                except: [], cancellation: context.cancellation)
            let link = "\(beside)/\((directory as NSString).lastPathComponent)"
            if (try? FileManager.default.destinationOfSymbolicLink(atPath: link)) != folder.root {
                unlink(link)
                try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.root)
            }
            return copy
        }
    }

    private func checked(_ path: String, _ command: AppCommand) throws -> String {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            throw MigrationError(
                .projectFile, "the folder of \(command.name) is not there: \(path)",
                remedy: "Correct commands.yaml, or look at the project again.", exit: .usage)
        }
        return path
    }

    func secrets(_ place: String) -> Secrets {
        Secrets(
            url: url,
            // The server may not ask for it, and a program print it all the same.
            passwords: [context.book.liveTarget, context.book.admin].compactMap { $0?["password"] },
            folders: [directory, folder.root, place, "\(folder.root)/prisma"],
            environment: ProcessInfo.processInfo.environment)
    }
}

extension TestDesk {
    /// Runs what `begin` noted, on this thread, to its end. What it writes goes into `log`, and to whoever listens.
    func stream(
        _ launch: Launch, in place: String, environment: [String: String], secrets: Secrets,
        timeout: Duration,
        log: CommandLog, started: (pid_t) -> Void = { _ in }
    ) throws -> (ending: Command.Ending, counts: TestCounts?) {
        var command = Command(
            launch.command.words[0], Array(launch.command.words.dropFirst()), in: place,
            environment: environment)
        command.timeout = timeout
        var lines = OutputLines(secrets)
        var counts = CountReader()
        var told = ContinuousClock.now
        var isNew = false
        func take(_ raw: ArraySlice<UInt8>, _ line: String) {
            counts.read(raw)
            log.add(line)
            tell(line, of: launch)
            isNew = true
        }
        let ending = try command.stream(
            cancellation: launch.cancellation, started: started,
            tick: {
                let now = ContinuousClock.now
                // Often enough to follow it, and once a second for the clock.
                guard now - told > (isNew ? .milliseconds(100) : .seconds(1)) else { return }
                log.flush()
                tell(launch)
                told = now
                isNew = false
            }
        ) { bytes in lines.take(bytes, take) }
        lines.finish(take)
        log.finish(last: launch.tail.last(200))
        return (ending, counts.counts())
    }
}
