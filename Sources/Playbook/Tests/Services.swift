import AppProject
import Foundation
import MigrationEngine
import Synchronization

/// A service that a howdah which is gone has left running.
public struct StaleService: Sendable, Equatable {
    public let name: String
    /// The process, which is its group's number too.
    public let process: Int32
    /// UTC, ISO 8601.
    public let since: String
}

/// Services that run, in `services.json` of the state folder, so that the next howdah knows of one that was left behind.
private struct ServiceRecord: Codable {
    struct Entry: Codable {
        let name: String
        let process: Int32
        /// Tells the process from a later one of the same number.
        let identity: String
        let howdah: Int32
        /// Tells that howdah from a later process of the same number; nil in files of before.
        var howdahIdentity: String?
        let since: String
    }

    static let file = "services.json"
    var entries: [Entry] = []

    static func read(_ state: StateFolder) -> ServiceRecord {
        FileManager.default.contents(atPath: "\(state.path)/\(file)").flatMap {
            try? JSONDecoder().decode(ServiceRecord.self, from: $0)
        } ?? ServiceRecord()
    }

    func write(_ state: StateFolder) {
        if entries.isEmpty {
            unlink("\(state.path)/\(Self.file)")
        } else {
            try? state.write(Journal.encode(self), to: Self.file)
        }
    }
}

extension Playbook {
    /// Starts a service of the application's; it runs on until it is stopped, or the playbook is closed. May block, while a
    /// rehearsal's server is started.
    ///
    /// Throws where it runs already, or a howdah that was killed has left it running.
    public func startService(_ name: String, _ activity: Activity) throws {
        let command = try appCommand(name, .service)
        if let stale = staleServices().first(where: { $0.name == name }) {
            throw MigrationError(
                .locked,
                "\(name) runs still, as process \(stale.process) since \(stale.since): a howdah that was killed has left it",
                remedy: "End it: howdah serve PROJECT \(name) --replace, or kill -- -\(stale.process).")
        }
        let context = StepContext(book: self, mode: mode, activity: activity)
        let surroundings = try CommandSurroundings(context)
        let place = try surroundings.place(of: command)
        if let missing = Programs.missing(command, folder: place, environment: surroundings.environment) {
            throw MigrationError(
                .projectFile, "\(name) cannot be started: \(missing.program) is not installed",
                remedy: missing.remedy)
        }
        let log = try CommandLog(workspace.state, name: name)
        // It outlives the work that starts it, and has a wish to stop of its own.
        guard let launch = tests.begin(command, mode, Cancellation()) else {
            throw MigrationError(.locked, "\(name) runs already", remedy: "Stop it first.")
        }
        try journal.add(.launched, Self.commandSubject + name, mode, command.run)
        let work = ServiceWork(
            book: self, launch: launch, mode: mode, place: place, environment: surroundings.environment,
            secrets: surroundings.secrets(place), log: log)
        let thread = Thread { work.run() }
        thread.name = "howdah-service"
        thread.start()
    }

    /// Asks a service to stop, and waits for its end. May block for some seconds.
    public func stopService(_ name: String) throws {
        guard let launch = tests.services.first(where: { $0.command.name == name }) else {
            throw MigrationError(.state, "\(name) does not run", remedy: "Start it first.", exit: .usage)
        }
        launch.cancellation.cancel()
        tests.tell(launch)
        _ = launch.wait(seconds: Self.patience)
    }

    /// Stops all services. May block for some seconds.
    public func stopServices() {
        let services = tests.services
        for service in services { service.cancellation.cancel() }
        for service in services { _ = service.wait(seconds: Self.patience) }
    }

    /// More than a group that ignores every word gets.
    private static let patience = 20.0

    public var runningServices: [String] { tests.services.map(\.command.name) }

    /// Waits until a service has ended by itself, or the wish to cancel comes; then it is stopped. Returns how it ended.
    public func waitForService(_ name: String, _ cancellation: Cancellation) -> CommandResult? {
        guard let launch = tests.launch(name) else { return nil }
        while !launch.wait(seconds: 0.1) {
            if cancellation.isCancelled { try? stopService(name) }
        }
        return journal.last(Self.commandSubject + name, launch.mode) { $0.kind == .ran }?.data
            .flatMap { Journal.decode(CommandResult.self, $0) }
    }

    // MARK: Left behind

    /// Services that a howdah which is gone has left running.
    public func staleServices() -> [StaleService] {
        ServiceRecord.read(workspace.state).entries.filter { entry in
            let owner = ProcessIdentity.of(entry.howdah)
            let isOwned = owner != nil && owner == entry.howdahIdentity
            return !isOwned && ProcessIdentity.of(entry.process) == entry.identity
        }.map { StaleService(name: $0.name, process: $0.process, since: $0.since) }
    }

    /// Ends a service that was left running: the same process, and no other that got its number since. May block for some seconds.
    public func endStale(_ name: String) throws {
        guard let entry = ServiceRecord.read(workspace.state).entries.first(where: { $0.name == name }),
            staleServices().contains(where: { $0.name == name })
        else { return }
        for (signal, tenths) in [(SIGTERM, 30), (SIGKILL, 30)] {
            kill(-entry.process, signal)
            for _ in 0..<tenths where ProcessIdentity.of(entry.process) == entry.identity {
                Thread.sleep(forTimeInterval: 0.1)
            }
        }
        guard ProcessIdentity.of(entry.process) != entry.identity else {
            throw MigrationError(
                .state, "process \(entry.process), \(name), does not end", remedy: "Look at it with ps.")
        }
        try journal.add(
            .note, Self.commandSubject + name, mode,
            "what was left running was ended: process \(entry.process)")
        forgetService(name)
    }

    fileprivate func noteService(_ name: String, _ process: pid_t) {
        guard let identity = ProcessIdentity.of(process) else { return }
        tests.record.withLock { _ in
            var record = ServiceRecord.read(workspace.state)
            record.entries.removeAll { $0.name == name }
            record.entries.append(
                .init(
                    name: name, process: process, identity: identity, howdah: getpid(),
                    howdahIdentity: ProcessIdentity.of(getpid()),
                    since: Date().formatted(.iso8601)))
            record.write(workspace.state)
        }
    }

    fileprivate func forgetService(_ name: String) {
        tests.record.withLock { _ in
            var record = ServiceRecord.read(workspace.state)
            record.entries.removeAll { $0.name == name }
            record.write(workspace.state)
        }
    }
}

/// A service's life, on a thread of its own.
private struct ServiceWork: @unchecked Sendable {
    let book: Playbook
    let launch: TestDesk.Launch
    let mode: Mode
    let place: String
    let environment: [String: String]
    let secrets: Secrets
    /// Used by this thread alone once it runs.
    let log: CommandLog

    func run() {
        let name = launch.command.name
        let result: CommandResult
        do {
            // It runs until somebody stops it.
            let limit = Duration.seconds(10 * 365 * 86_400)
            let (ending, _) = try book.tests.stream(
                launch, in: place, environment: environment, secrets: secrets, timeout: limit, log: log,
                started: { book.noteService(name, $0) })
            result = CommandResult(
                name: name, run: launch.command.run,
                outcome: ending.isCancelled ? .cancelled : ending.status == 0 ? .passed : .failed,
                status: ending.status, seconds: ending.seconds, log: book.relative(log.path),
                reason: ending.isCancelled
                    ? "it was stopped" : "it ended by itself: " + CommandResult.reason(ending.status))
        } catch {
            result = CommandResult(
                name: name, run: launch.command.run, outcome: .unable, log: book.relative(log.path),
                reason: Playbook.explained(error).message)
        }
        book.forgetService(name)
        _ = try? book.journal.add(
            .ran, Playbook.commandSubject + name, mode, result.reason, evidence: [result.line],
            data: Journal.encode(result))
        launch.finish(result.reason)
        book.tests.tell(launch)
    }
}
