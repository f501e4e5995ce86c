import ArgumentParser
import Foundation
import HowdahUI
import MigrationEngine
import Operations
import Playbook
import Postgres

struct MonitorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "monitor",
        abstract: "Watch a PostgreSQL server: sessions, locks, cache, growth, replication, backups.",
        discussion: """
            howdah monitor TARGET, or howdah monitor PROJECT TARGET. On a terminal it opens the live screen; elsewhere it prints a few
            lines every interval. --once takes one look, compares it with the limits, and is for timers. Exit codes of --once: 0 within
            the limits; 3 something is beyond one, or no connection is left; 1 the server could not be asked.
            """)

    @Argument(help: "A PostgreSQL URL, connection string, service=NAME or rehearsal; or a project before it.")
    var place: String = "rehearsal"

    @Argument(help: "The target, where a project is named first.")
    var target: String?

    @Flag(help: "Take one look, judge it, and end.")
    var once = false

    @Flag(help: "With --once: say nothing while everything is within its limits.")
    var quiet = false

    @Flag(help: "Lines instead of the screen.")
    var plain = false

    @Option(help: ArgumentHelp("Seconds between two samples.", valueName: "s"))
    var interval: Double?

    @Option(help: ArgumentHelp("Without a terminal: end after so many samples.", valueName: "n"))
    var count: Int?

    @Option(help: ArgumentHelp("A limit of your own; may be given again.", valueName: "id=warn[,critical]"))
    var limit: [String] = []

    @Option(help: ArgumentHelp("Limits from the section monitor of a YAML file.", valueName: "file"))
    var limits: String?

    @Option(help: ArgumentHelp("The folder of the database's backups.", valueName: "dir"))
    var backups: String?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let interval, !(interval >= 0.5 && interval <= 86_400) {
            throw ValidationError("--interval takes 0.5 to 86400 seconds")
        }
        if let count, count < 1 { throw ValidationError("--count takes 1 or more") }
        if once, count != nil {
            throw ValidationError("--once is one sample: --count is for the lines of an interval")
        }
        if common.json, !once { throw ValidationError("--json is one document: it goes with --once") }
        if quiet, !once { throw ValidationError("--quiet goes with --once") }
    }

    func run() throws {
        let isScreen = !once && !plain && !common.json && count == nil && ScreenOptions.hasTerminal
        if isScreen {
            signal(SIGPIPE, SIG_IGN)
            CommandRunner.end(common) {
                let place = try MonitorPlace(place, target, state: common.state)
                let options = try options(place, interval: 2)
                return try Screens.monitor(MonitoredServer(asked(place.conninfo), options))
            }
        }
        CommandRunner.run(common) { cancellation in
            let place = try MonitorPlace(place, target, state: common.state)
            let options = try options(place, interval: 10)
            let conninfo = once ? place.conninfo : asked(place.conninfo)
            return once
                ? try look(conninfo, options, cancellation) : try watch(conninfo, options, cancellation)
        }
    }

    // MARK: What is watched

    private func options(_ place: MonitorPlace, interval standard: Double) throws -> MonitorOptions {
        var options = MonitorOptions()
        options.state = place.state
        options.backups = backups.map { BackupFolder(absolutePath($0)) }
        options.interval = interval ?? standard
        if let limits { try options.limits.read(limits) }
        for text in limit { try options.limits.set(text) }
        return options
    }

    /// The connection with the password that the server asks for and nothing supplies, where somebody can be asked.
    private func asked(_ conninfo: Conninfo) -> Conninfo {
        guard Console.isTerminal,
            TargetServer(conninfo, cancellation: Cancellation()).asksForPassword(),
            let password = Console.readPassword("Password for \(conninfo.url): ")
        else { return conninfo }
        return conninfo.setting("password", to: password)
    }

    // MARK: One look

    private func look(
        _ conninfo: Conninfo, _ options: MonitorOptions, _ cancellation: Cancellation
    ) throws -> ExitCode {
        let report: MonitorReport
        do {
            report = try Monitor(conninfo, options, cancellation: cancellation).once()
        } catch {
            try cancellation.check()
            return try tell(MonitorFailure(error, conninfo), conninfo)
        }
        let exit: ExitCode = report.beyond.isEmpty ? .success : .undecided
        if common.json {
            Console.json(MonitorDocument(report, exit))
        } else if !quiet || exit != .success {
            Console.results(MonitorLines.once(report))
        }
        return exit
    }

    /// A server that has no connection left has given an answer; of any other that cannot be asked nothing is known.
    private func tell(_ failure: MonitorFailure, _ conninfo: Conninfo) throws -> ExitCode {
        switch failure {
        case .full:
            if common.json {
                Console.json(MonitorDocument(full: failure, conninfo.url))
            } else {
                Console.result("critical  connections  \(failure.message)")
                Console.result(MonitorFailure.fullRemedy)
            }
            return .undecided
        case .refused(let code, let message, let remedy):
            throw MigrationError(
                code, message, remedy: remedy, exit: code == .cancelled ? .cancelled : .failure)
        }
    }

    // MARK: Lines every interval

    /// Prints until it is interrupted, or for `--count` samples; a server that is lost is waited for.
    private func watch(
        _ conninfo: Conninfo, _ options: MonitorOptions, _ cancellation: Cancellation
    ) throws -> ExitCode {
        var monitor: Monitor?
        var pause = 1.0
        var left = count ?? .max
        while true {
            do {
                let open = try monitor ?? Monitor(conninfo, options, cancellation: cancellation)
                monitor = open
                let report = try open.next()
                pause = 1
                left -= 1
                Console.results(MonitorLines.block(report))
                if left == 0 { return .success }
                try Monitor.wait(options.interval, cancellation)
            } catch {
                try cancellation.check()
                let failure = MonitorFailure(error, conninfo)
                // What never answered is not waited for: the target may be wrong.
                if monitor == nil, case .refused(let code, let message, let remedy) = failure {
                    throw MigrationError(code, message, remedy: remedy)
                }
                monitor = nil
                Console.note("\(failure.message); again in \(Int(pause)) s")
                try Monitor.wait(pause, cancellation)
                pause = min(30, pause * 2)
            }
        }
    }
}

/// What `howdah monitor` is told to watch: a server, and where its history is kept.
struct MonitorPlace {
    let conninfo: Conninfo
    let state: StateFolder

    /// `first` is the target, or the project where `second` is the target.
    init(_ first: String, _ second: String?, state override: String?) throws {
        let isProject =
            second == nil && first != "rehearsal" && !first.contains("=") && access(first, F_OK) == 0
        let project = second != nil || isProject ? first : nil
        let server = try Target.server(isProject ? nil : second ?? first)
        if let server, project == nil {
            state = try override.map { try Self.folder($0) } ?? Self.folder(Self.ownFolder())
            conninfo = server
            return
        }
        let workspace = try Workspace(project ?? ".", state: override, isWriter: false)
        state = workspace.state
        if let server {
            let passwords = "\(workspace.state.path)/pgpass"
            conninfo =
                server["password"] == nil && server["passfile"] == nil && access(passwords, R_OK) == 0
                ? server.setting("passfile", to: passwords) : server
            return
        }
        guard let url = RehearsalCluster.url(workspace.state) else {
            throw MigrationError(
                .rehearsal, "the rehearsal of \(workspace.title) is not running",
                remedy: "Start it with howdah rehearsal start, or name a server as the target.", exit: .usage)
        }
        conninfo = try Conninfo(url)
    }

    private static func folder(_ path: String) throws -> StateFolder {
        try StateFolder.open(source: "", project: nil, override: path, environment: [:])
    }

    /// A server without a project.
    private static func ownFolder() -> String {
        let environment = ProcessInfo.processInfo.environment
        let base =
            environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
            ?? "\(environment["HOME"] ?? NSHomeDirectory())/.local/state"
        return "\(base)/howdah/monitor"
    }
}
