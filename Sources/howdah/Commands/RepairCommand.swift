import AppProject
import ArgumentParser
import Foundation
import MigrationEngine
import Playbook
import Postgres

struct RepairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Copy rows that differ again, or bring rows back from quarantine; prove every cell again.",
        discussion: """
            With --table, --key or --all: the tables are proven, what would be copied again is shown, and done in one transaction that is
            committed only where every cell of it is equal. Rows that only the target has stay, unless --extra is given. The rows that
            were there before are kept in the state folder; --undo puts them back. A live target asks for its name, or --yes.
            Rows that are as SQLite is today stay, where it has changed since the target was loaded. After the switch of a cutover rows
            that differ are the application's: then --never-right, or --key, says which are not.
            Without any of these, rows come back from quarantine that decisions let in now.
            Exit codes: 0 what was compared is equal; 2 a key or table that does not differ; 3 refused; 4 rows still differ, those that
            were left alone too.
            """)

    @Argument(help: "A SQLite file, or a project's folder.")
    var source: String

    @Argument(help: "A PostgreSQL URL, connection string or service=NAME; or rehearsal, a private cluster.")
    var target: String = "rehearsal"

    @Option(
        name: .customLong("table"),
        help: ArgumentHelp("Rows of this table that differ; may be given again.", valueName: "name"))
    var tables: [String] = []

    @Option(
        name: .customLong("key"),
        help: ArgumentHelp(
            "Only the row with this key, as validate shows it, or as a JSON array of its texts; may be given again.",
            valueName: "key"))
    var keys: [String] = []

    @Flag(help: "Everything that differs.")
    var all = false

    @Flag(help: "Remove rows that only the target has: the application may have written them since.")
    var extra = false

    @Flag(
        help:
            "Only rows that were wrong already in the first proof, and still hold what was wrong; with --extra too."
    )
    var neverRight = false

    @Flag(help: "Show what would be done, and do nothing.")
    var preview = false

    @Flag(help: "Show the repairs that were done.")
    var list = false

    @Flag(help: "Put back what a repair has replaced: the newest, or that of --id.")
    var undo = false

    @Option(help: ArgumentHelp("The repair to undo, as --list names it.", valueName: "id"))
    var id: String?

    @Option(help: ArgumentHelp("Follow this plan.", valueName: "file"))
    var plan: String?

    @Flag(help: "Write to a live target without being asked for the database's name.")
    var yes = false

    @OptionGroup var adopting: AdoptOptions
    @OptionGroup var planning: PlanningOptions
    @OptionGroup var common: CommonOptions

    private var hasRows: Bool { all || !tables.isEmpty }

    func validate() throws {
        if [all, !tables.isEmpty, undo, list].count(where: { $0 }) > 1 {
            throw ValidationError("--table, --all, --undo and --list exclude each other")
        }
        if !keys.isEmpty, tables.count != 1 { throw ValidationError("--key needs one --table") }
        if extra, !hasRows { throw ValidationError("--extra needs --table or --all") }
        if neverRight, !hasRows { throw ValidationError("--never-right needs --table or --all") }
        if neverRight, !keys.isEmpty { throw ValidationError("--never-right and --key exclude each other") }
        if id != nil, !undo { throw ValidationError("--id needs --undo") }
        if preview, !hasRows, !undo { throw ValidationError("--preview needs --table, --all or --undo") }
    }

    func run() throws {
        CommandRunner.run(common) { cancellation in
            let target = try Target(target)
            try Workspace.refuseFileOfProject(source, state: common.state)
            let session = try Session(source, common, cancellation)
            guard hasRows || undo || list else {
                try refuseNothing(target, session)
                return try MigrateRun(
                    command: "repair", planning: planning, common: common, planPath: plan, restart: false,
                    isConfirmed: yes
                ).run(session, target)
            }
            return try RepairRun(command: self, session: session).run(target)
        }
    }
}

extension RepairCommand {
    /// Without a table or a decision only rows that decisions have kept out could come back.
    private func refuseNothing(_ target: Target, _ session: Session) throws {
        guard planning.decide.isEmpty else { return }
        let target: Target =
            if case .server(let conninfo) = target {
                .server(LiveConfirmation.withPassword(conninfo, session.cancellation))
            } else { target }
        guard try !ReachedTarget(target, session).with({ try RepairHistory(session.state, $0).hasKeptRows() })
        else { return }
        throw MigrationError(
            .plan, "nothing is to come back from quarantine, and no table is named",
            remedy:
                "For rows that differ, say --all, or --table NAME with --key KEY for single rows; --preview shows first what would be done.",
            exit: .usage)
    }
}

/// A repair of rows with its words.
private struct RepairRun {
    let command: RepairCommand
    let session: Session

    private var isJSON: Bool { command.common.json }

    func run(_ target: Target) throws -> ExitCode {
        var target = target
        let confirmation = LiveConfirmation(
            isConfirmed: command.yes, isJSON: isJSON,
            first: "see with --preview what it would do")
        if case .server(let conninfo) = target {
            if !command.preview, !command.list { try confirmation.refuseUnasked(conninfo) }
            target = .server(LiveConfirmation.withPassword(conninfo, session.cancellation))
        }
        return try ReachedTarget(target, session).with { server -> ExitCode in
            let name: String? = if case .rehearsal = target { "rehearsal" } else { nil }
            let history = RepairHistory(session.state, server, target: name)
            if command.list { return try list(history) }
            let database = try liveDatabase(target, server)
            let repair = try session.reporting {
                try repairer(history, server, isLive: database != nil)
            }
            let confirm = { (what: String) throws -> Void in
                guard let database else { return }
                try confirmation.ask(
                    "LIVE: \(what) in \(server.conninfo.url).", database: database, session.cancellation)
            }
            return command.undo
                ? try undo(repair, server, isLive: database != nil, confirm)
                : try replace(repair, server, isLive: database != nil, confirm)
        }
    }

    /// The name of a live target's database; nil of a rehearsal, which nobody has to confirm.
    private func liveDatabase(_ target: Target, _ server: TargetServer) throws -> String? {
        guard case .server = target else { return nil }
        return try server.databaseName()
    }

    private func repairer(
        _ history: RepairHistory, _ server: TargetServer, isLive: Bool
    ) throws -> Repair {
        // The journal is only read here: a state folder may have none.
        let book = try Playbook(session.workspace, target: nil, who: nil, isWriter: false)
        let inUse = isLive ? try book.targetInUse(server) : nil
        let log = try DifferenceLog(
            session.state,
            name: Target(command.target).differencesName(
                schema: command.planning.namedSchema, in: session.state))
        let switched = inUse == nil ? nil : book.cutoverRecord()?.snapshot
        let preparer = try session.preparer(
            command.planning, planPath: command.plan, adopting: command.adopting.adopting(server))
        var repair = Repair(
            preparation: try preparation(preparer, server, log, switched: switched),
            hints: session.location.hints,
            schema: command.planning.namedSchema, history: history,
            workers: command.planning.workerCount, cancellation: session.cancellation,
            progress: session.progress, differences: log)
        repair.inUse = inUse
        return repair
    }

    /// Of the snapshot that the repair copies from, where that is still there: what was written to SQLite since is no damage, and a
    /// cutover carries it.
    private func preparation(
        _ preparer: Preparer, _ server: TargetServer, _ log: DifferenceLog, switched: String?
    ) throws -> Preparation {
        let wanted = try Repair.snapshotSHA256(
            onlyNeverRight: command.neverRight, log, server, schema: plannedSchema, switched: switched)
        let store = try SnapshotStore(session.state, cancellation: session.cancellation)
        guard let snapshot = store.snapshots().last(where: { $0.sha256 == wanted }) else {
            return try preparer.prepare()
        }
        guard switched == nil else { return try preparer.prepare(snapshot) }
        guard try !snapshot.isCurrent(cancellation: session.cancellation) else {
            return try preparer.prepare()
        }
        Console.note(
            "the source has changed since the target was loaded: rows are copied from the snapshot of \(snapshot.time), but for those that are "
                + "as SQLite is today; howdah cutover carries the rest")
        return try preparer.prepare(snapshot)
    }

    private var plannedSchema: String {
        let path = command.plan ?? session.state.planPath
        return command.planning.namedSchema ?? (try? PlanFile(path: path))?.plan.schema
            ?? command.planning.schema
    }

    // MARK: What is done

    private func replace(
        _ repair: Repair, _ server: TargetServer, isLive: Bool, _ confirm: (String) throws -> Void
    ) throws -> ExitCode {
        let request = RepairRequest(
            tables: command.tables, keys: command.keys, removesExtra: command.extra,
            onlyNeverRight: command.neverRight)
        let preview = try session.reporting { try repair.preview(request) }
        if command.preview {
            if isJSON {
                Console.json(RepairDocument(preview, server))
            } else {
                RepairWords.preview(preview).forEach(Console.result)
            }
            return .success
        }
        if !isJSON { RepairWords.preview(preview).forEach(Console.note) }
        if !preview.isEmpty { try confirm("these rows are replaced") }
        let outcome = try session.reporting { try repair.run(preview) }
        try note(outcome, server, isLive: isLive)
        return report(RepairDocument(preview, server, outcome), outcome, preview)
    }

    private func undo(
        _ repair: Repair, _ server: TargetServer, isLive: Bool, _ confirm: (String) throws -> Void
    ) throws -> ExitCode {
        let record = try repair.history.undoable(command.id)
        if command.preview {
            try session.reporting { try repair.checkUndo(record) }
            if isJSON {
                Console.json(RepairListDocument([record], warning: repair.inUse?.undoWarning))
            } else {
                Console.result("would put back what the repair \(record.id) replaced: \(record.words)")
                if let inUse = repair.inUse { Console.result(inUse.undoWarning) }
            }
            return .success
        }
        if !isJSON {
            Console.note("puts back what the repair \(record.id) replaced: \(record.words)")
            if let inUse = repair.inUse { Console.note(inUse.undoWarning) }
        }
        try confirm("these rows are put back")
        let outcome = try session.reporting { try repair.undo(record) }
        try note(outcome, server, isLive: isLive)
        return report(
            RepairDocument(nil, server, outcome, warning: repair.inUse?.undoWarning), outcome)
    }

    private func report(
        _ document: RepairDocument, _ outcome: Repair.Outcome, _ preview: RepairPreview? = nil
    ) -> ExitCode {
        if isJSON {
            Console.json(document)
        } else {
            RepairWords.outcome(outcome, preview).forEach(Console.result)
        }
        return ExitCode(rawValue: outcome.report.exit) ?? .failure
    }

    private func list(_ history: RepairHistory) throws -> ExitCode {
        let records = try history.records()
        if isJSON {
            Console.json(RepairListDocument(records))
        } else {
            RepairWords.list(records).forEach(Console.result)
        }
        return .success
    }

    /// A project that keeps a journal has a line more in it.
    private func note(_ outcome: Repair.Outcome, _ server: TargetServer, isLive: Bool) throws {
        guard access("\(session.state.path)/journal.db", F_OK) == 0 else { return }
        let book = try Playbook(session.workspace, target: nil, who: nil)
        try book.setMode(isLive ? .live : .rehearsal, isKept: false)
        book.look(at: server)
        try book.noteRepair(outcome, isOfSteps: !isLive || book.liveURL == server.conninfo.url)
    }
}
