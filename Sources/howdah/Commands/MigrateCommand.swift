import ArgumentParser
import Foundation
import MigrationEngine
import Playbook
import Postgres

struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Move a SQLite database to PostgreSQL and prove every cell.")

    @Argument(help: "A SQLite file, or a project's folder.")
    var source: String

    @Argument(help: "A PostgreSQL URL, connection string or service=NAME; or rehearsal, a private cluster.")
    var target: String = "rehearsal"

    @OptionGroup var migration: MigrationOptions
    @OptionGroup var planning: PlanningOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        migration.run(command: "migrate", source: source, target: target, planning, common)
    }
}

struct RepairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Bring rows back from quarantine that decisions let in now, and prove every cell again.")

    @Argument(help: "A SQLite file, or a project's folder.")
    var source: String

    @Argument(help: "A PostgreSQL URL, connection string or service=NAME; or rehearsal, a private cluster.")
    var target: String = "rehearsal"

    @Option(help: ArgumentHelp("Follow this plan.", valueName: "file"))
    var plan: String?

    @Flag(help: "Write to a live target without being asked for the database's name.")
    var yes = false

    @OptionGroup var planning: PlanningOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        CommandRunner.run(common) { cancellation in
            let target = try Target(target)
            let session = try Session(source, common, cancellation)
            return try MigrateRun(
                command: "repair", planning: planning, common: common, planPath: plan, restart: false,
                isConfirmed: yes
            ).run(session, target)
        }
    }
}

/// What a migration in lines takes.
struct MigrationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Follow this plan.", valueName: "file"))
    var plan: String?

    @Flag(
        help: "Take back what an unproven run left in the target, and begin anew, even where it could go on.")
    var restart = false

    @Flag(help: "Go live without being asked for the database's name.")
    var yes = false

    @OptionGroup var adopting: AdoptOptions

    /// Whether one of them was given: the screens have no use for them.
    var areGiven: Bool { plan != nil || restart || yes || adopting.adopt }

    func run(
        command: String, source: String, target: String, _ planning: PlanningOptions, _ common: CommonOptions
    ) -> Never {
        CommandRunner.run(common) { cancellation in
            let target = try Target(target)
            let session = try Session(source, common, cancellation)
            return try MigrateRun(
                command: command, planning: planning, common: common, planPath: plan, restart: restart,
                isConfirmed: yes, adopts: adopting.adopt
            ).run(session, target)
        }
    }
}

/// A migration with its words, for `migrate` and `demo`.
struct MigrateRun {
    let command: String
    let planning: PlanningOptions
    let common: CommonOptions
    let planPath: String?
    let restart: Bool
    let isConfirmed: Bool
    var adopts = false

    /// Whether rows come back into a target that is there, instead of all going into a new one.
    private var isRepair: Bool { command == "repair" }

    func run(_ session: Session, _ target: Target) throws -> ExitCode {
        if !common.json { Describe.opening(session.location, target).forEach(Console.note) }
        let target = try reach(target, session.cancellation)
        let preparation = try session.reporting {
            try session.prepare(
                planning, planPath: planPath,
                adopting: Adopting(isAsked: adopts, server: server(target, session.cancellation)))
        }
        try PlanStore(session.state).keep(preparation)
        if !common.json { Describe.preparation(preparation).forEach(Console.note) }
        var report: MigrationReport
        switch target {
        case _ where !preparation.blocking.isEmpty:
            report = Migration.undecided(preparation, target: target.url, progress: session.progress)
        case .rehearsal: report = try rehearse(session, preparation)
        case .server(let conninfo): report = try migrate(session, preparation, conninfo, isRehearsal: false)
        }
        report.command = command
        try KeptRun.keep(report, in: session.state, mode: target.mode.rawValue)
        if common.json {
            Console.json(report)
        } else {
            Describe.report(report, planPath: preparation.planPath ?? session.state.planPath).forEach(
                Console.result)
        }
        return ExitCode(rawValue: report.exit) ?? .failure
    }

    private func server(_ target: Target, _ cancellation: Cancellation) -> TargetServer? {
        guard case .server(let conninfo) = target else { return nil }
        return TargetServer(conninfo, cancellation: cancellation)
    }

    private func rehearse(_ session: Session, _ preparation: Preparation) throws -> MigrationReport {
        var cluster = try RehearsalCluster(session.state, cancellation: session.cancellation)
        do {
            try cluster.start()
            if !isRepair, try restart || !goesOn(preparation, cluster, session) {
                try cluster.checkSpace(forSource: preparation.snapshot.bytes)
                try cluster.resetDatabase()
            }
            guard let conninfo = cluster.conninfo() else { throw MigrationError.notRunning }
            let report = try migrate(session, preparation, conninfo, isRehearsal: true)
            try cluster.stopUnlessKept()
            return report
        } catch {
            try? cluster.stopUnlessKept()
            throw error
        }
    }

    /// Whether the rehearsal's database holds a run of this plan that did not end.
    private func goesOn(
        _ preparation: Preparation, _ cluster: RehearsalCluster, _ session: Session
    ) throws -> Bool {
        try cluster.ensureDatabase()
        guard let conninfo = cluster.conninfo() else { return false }
        return try migration(session, preparation, conninfo, isRehearsal: true).canGoOn()
    }

    private func migrate(
        _ session: Session, _ preparation: Preparation, _ conninfo: Conninfo, isRehearsal: Bool
    ) throws -> MigrationReport {
        let migration = migration(session, preparation, conninfo, isRehearsal: isRehearsal)
        return try Throughput.recording(
            command, session.progress, in: session.state,
            mode: (isRehearsal ? Mode.rehearsal : .live).rawValue,
            replacing: isRepair ? [] : ["copy", "proof", "demo", "migrate", "repair"]
        ) {
            try session.reporting { try isRepair ? migration.bringBack() : migration.run() }
        }
    }

    private func migration(
        _ session: Session, _ preparation: Preparation, _ conninfo: Conninfo, isRehearsal: Bool
    ) -> Migration {
        Migration(
            preparation: preparation, server: TargetServer(conninfo, cancellation: session.cancellation),
            workers: planning.workerCount, restart: restart, isRehearsal: isRehearsal,
            cancellation: session.cancellation, progress: session.progress)
    }

    /// A live target is looked at before the long work begins, and going there is confirmed.
    private func reach(_ target: Target, _ cancellation: Cancellation) throws -> Target {
        guard case .server(var conninfo) = target else { return target }
        try refuseUnconfirmed(conninfo)
        if Console.isTerminal, TargetServer(conninfo, cancellation: cancellation).asksForPassword(),
            let password = Console.readPassword("Password for \(conninfo.url): ")
        {
            conninfo = conninfo.setting("password", to: password)
        }
        let name = try TargetServer(conninfo, cancellation: cancellation).check(
            schema: planning.schema, makesTables: !adopts)
        try confirm(conninfo, database: name)
        return .server(conninfo)
    }

    private func refuseUnconfirmed(_ conninfo: Conninfo) throws {
        guard !isConfirmed, !Console.isTerminal || common.json else { return }
        throw MigrationError(
            .targetUnfit, "this is a live run into \(conninfo.url), and nobody has confirmed it",
            remedy: "Add --yes, or leave the target out to rehearse first.", exit: .usage)
    }

    /// Going live asks for the database's name; `--yes` answers.
    private func confirm(_ conninfo: Conninfo, database: String) throws {
        if isConfirmed { return }
        Console.note(
            "LIVE: the rows go into \(conninfo.url). Type the database's name (\(database)) to go on:")
        guard readLine() == database else {
            throw MigrationError(
                .cancelled, "not confirmed: nothing was done",
                remedy: "Leave the target out to rehearse first.",
                exit: .cancelled)
        }
    }
}

extension MigrationError {
    static let notRunning = MigrationError(
        .rehearsal, "the private PostgreSQL is not running", remedy: "Run howdah rehearsal start SOURCE.")
}
