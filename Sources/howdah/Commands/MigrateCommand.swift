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
        let (target, database) = try reach(target, session.cancellation)
        // What comes back from quarantine is no step's work.
        let notes =
            isRepair
            ? nil : StepNotes.open(session.workspace, target, makesJournal: true, tell: { Console.note($0) })
        if let database { notes?.found(database: database) }
        let preparation = try prepare(session, target, notes)
        if !common.json { Describe.preparation(preparation).forEach(Console.note) }
        var report: MigrationReport
        switch target {
        case _ where !preparation.blocking.isEmpty:
            report = Migration.undecided(preparation, target: target.url, progress: session.progress)
        case .rehearsal: report = try rehearse(session, preparation, notes)
        case .server(let conninfo):
            report = try migrate(session, preparation, conninfo, isRehearsal: false, notes)
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

    /// Snapshot, profile and plan, which is kept.
    private func prepare(_ session: Session, _ target: Target, _ notes: StepNotes?) throws -> Preparation {
        let preparation: Preparation
        let before: String?
        do {
            preparation = try session.reporting {
                try session.prepare(
                    planning, planPath: planPath,
                    adopting: Adopting(isAsked: adopts, server: server(target, session.cancellation)))
            }
            before = try PlanStore(session.state).keep(preparation)
        } catch {
            notes?.failedToPrepare(error, session.progress)
            throw error
        }
        notes?.prepared(preparation, planBefore: before)
        return preparation
    }

    private func server(_ target: Target, _ cancellation: Cancellation) -> TargetServer? {
        guard case .server(let conninfo) = target else { return nil }
        return TargetServer(conninfo, cancellation: cancellation)
    }

    private func rehearse(
        _ session: Session, _ preparation: Preparation, _ notes: StepNotes?
    ) throws -> MigrationReport {
        var cluster = try RehearsalCluster(session.state, cancellation: session.cancellation)
        do {
            try cluster.start()
            let begins = try !isRepair && (restart || !goesOn(preparation, cluster, session))
            if begins {
                try cluster.checkSpace(forSource: preparation.snapshot.bytes)
                try cluster.resetDatabase()
            }
            notes?.rehearses(isEmptied: begins)
            guard let conninfo = cluster.conninfo() else { throw MigrationError.notRunning }
            let report = try migrate(session, preparation, conninfo, isRehearsal: true, notes)
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
        _ session: Session, _ preparation: Preparation, _ conninfo: Conninfo, isRehearsal: Bool,
        _ notes: StepNotes?
    ) throws -> MigrationReport {
        let progress = session.progress
        var migration = try migration(session, preparation, conninfo, isRehearsal: isRehearsal)
        migration.whenMade = { notes?.made(on: conninfo, goesOn: $0, progress) }
        notes?.begins(on: conninfo)
        do {
            let report = try run(migration, session, isRehearsal: isRehearsal)
            notes?.ended(report, on: conninfo, progress)
            return report
        } catch {
            notes?.failed(error, on: conninfo, progress)
            throw error
        }
    }

    private func run(
        _ migration: Migration, _ session: Session, isRehearsal: Bool
    ) throws -> MigrationReport {
        try Throughput.recording(
            command, session.progress, in: session.state,
            mode: (isRehearsal ? Mode.rehearsal : .live).rawValue,
            replacing: isRepair ? [] : ["copy", "proof", "demo", "migrate", "repair"]
        ) {
            try session.reporting { try isRepair ? migration.bringBack() : migration.run() }
        }
    }

    private func migration(
        _ session: Session, _ preparation: Preparation, _ conninfo: Conninfo, isRehearsal: Bool
    ) throws -> Migration {
        try Migration(
            preparation: preparation, server: TargetServer(conninfo, cancellation: session.cancellation),
            workers: planning.workerCount, restart: restart, isRehearsal: isRehearsal,
            cancellation: session.cancellation, progress: session.progress,
            differences: DifferenceLog(
                session.state, name: (isRehearsal ? Target.rehearsal : .server(conninfo)).differencesName))
    }

    /// A live target is looked at before the long work begins, and going there is confirmed.
    private func reach(
        _ target: Target, _ cancellation: Cancellation
    ) throws -> (target: Target, database: String?) {
        guard case .server(let conninfo) = target else { return (target, nil) }
        let confirmation = LiveConfirmation(isConfirmed: isConfirmed, isJSON: common.json)
        try confirmation.refuseUnasked(conninfo)
        let reached = LiveConfirmation.withPassword(conninfo, cancellation)
        let name = try TargetServer(reached, cancellation: cancellation).check(
            schema: planning.schema, makesTables: !adopts)
        try confirmation.ask("LIVE: the rows go into \(reached.url).", database: name, cancellation)
        return (.server(reached), name)
    }
}

/// The word of the operator that a live target is written to.
struct LiveConfirmation {
    let isConfirmed: Bool
    let isJSON: Bool
    /// What may be done before, as a clause that follows `or`.
    var first = "leave the target out to rehearse first"

    /// Where nobody can be asked, `--yes` must have answered.
    func refuseUnasked(_ conninfo: Conninfo) throws {
        guard !isConfirmed, !Console.isTerminal || isJSON else { return }
        throw MigrationError(
            .targetUnfit, "this is a live run into \(conninfo.url), and nobody has confirmed it",
            remedy: "Add --yes, or \(first).", exit: .usage)
    }

    /// Asks for the database's name; `--yes` answers.
    func ask(_ what: String, database: String, _ cancellation: Cancellation) throws {
        if isConfirmed { return }
        Console.note("\(what) Type the database's name (\(database)) to go on:")
        guard Console.answer(cancellation) == database else {
            throw MigrationError(
                .cancelled, "not confirmed: nothing was done",
                remedy: "Run it again, or \(first).",
                exit: .cancelled)
        }
    }

    /// The same target with its password, where the server asks for one that nothing supplies, and somebody is there to type it.
    static func withPassword(_ conninfo: Conninfo, _ cancellation: Cancellation) -> Conninfo {
        guard Console.isTerminal, TargetServer(conninfo, cancellation: cancellation).asksForPassword(),
            let password = Console.readPassword("Password for \(conninfo.url): ")
        else { return conninfo }
        return conninfo.setting("password", to: password)
    }
}

extension MigrationError {
    static let notRunning = MigrationError(
        .rehearsal, "the private PostgreSQL is not running", remedy: "Run howdah rehearsal start SOURCE.")
}
