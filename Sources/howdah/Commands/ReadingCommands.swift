import AppProject
import ArgumentParser
import Foundation
import MigrationEngine
import Playbook

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract:
            "Assess a SQLite database: what it holds, what carries over, what stands in the way, how long it takes."
    )

    @Argument(help: "A SQLite file, or a project's folder.")
    var source: String

    @Option(help: "text, markdown, html or json.")
    var format: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Write it here; nothing that is there is overwritten.", valueName: "file"))
    var output: String?

    @Flag(help: "Overwrite the file of -o.")
    var force = false

    @OptionGroup var planning: PlanningOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        let known = Page.Form.allCases.map(\.rawValue).joined(separator: ", ")
        if let format, Page.Form(rawValue: format) == nil {
            throw ValidationError("there is no format \(format); the formats are: \(known)")
        }
        if common.json, let format, format != "json" {
            throw ValidationError("--json and --format \(format) differ")
        }
    }

    func run() throws {
        CommandRunner.run(common) { cancellation in
            if let output, !force, access(output, F_OK) == 0 {
                throw MigrationError(
                    .state, "\(output) is there already", remedy: "Name another file, or add --force.",
                    exit: .usage)
            }
            let session = try Session(source, common, cancellation)
            let preparation = try session.reporting {
                try session.prepare(planning, planPath: nil, adopting: .never)
            }
            let text = try document(preparation, session.location)
            guard let output else {
                Console.raw(text)
                return .success
            }
            do {
                try text.write(toFile: output, atomically: true, encoding: .utf8)
            } catch {
                throw MigrationError(
                    .state, "\(output) cannot be written: \(error.localizedDescription)",
                    remedy: "Name a file in a folder that you can write to.")
            }
            Console.note("written to \(output)")
            return .success
        }
    }

    private func document(_ preparation: Preparation, _ location: SourceLocation) throws -> String {
        let chosen = common.json ? .json : format.flatMap(Page.Form.init(rawValue:)) ?? .text
        switch chosen {
        case .json: return try Console.jsonText(InspectDocument(preparation, evidence: location.evidence))
        case .text: return Page(preparation, location).text
        case .markdown: return Page(preparation, location).markdown
        case .html: return Page(preparation, location).html
        }
    }
}

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Write the plan of a migration, to be read and edited.")

    @Argument(help: "A SQLite file, or a project's folder.")
    var source: String

    @Option(name: .shortAndLong, help: ArgumentHelp("Write it here; - is stdout.", valueName: "file"))
    var output: String?

    @Option(
        name: .customLong("to"),
        help: ArgumentHelp("The target whose tables --adopt reads.", valueName: "url"))
    var target: String?

    @OptionGroup var adopting: AdoptOptions
    @OptionGroup var planning: PlanningOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if adopting.adopt, target == nil {
            throw ValidationError("--adopt reads the tables of a target: name it with --to URL")
        }
        if output == "-", common.json {
            throw ValidationError(
                "-o - and --json both write to stdout: name a file with -o, or leave one out")
        }
    }

    func run() throws {
        CommandRunner.run(common) { cancellation in
            let session = try Session(source, common, cancellation)
            // A plan that was edited is followed only where no new file is asked for.
            let planner = try Preparer(
                source: session.workspace.source, state: session.state, hints: session.location.hints,
                style: planning.chosenStyle, schema: planning.schema, identifiers: planning.spelling,
                planSource: output == nil ? .file(nil) : .new, decisions: planning.decisions(),
                workers: planning.workerCount,
                cancellation: cancellation, progress: session.progress,
                adopting: adopting.adopting(
                    Target.server(target).map { TargetServer($0, cancellation: cancellation) }))
            let preparation = try session.reporting { try planner.prepare() }
            let path = output ?? session.state.planPath
            if path == "-" {
                Console.raw(preparation.planText)
            } else if output != nil {
                try PlanStore(session.state).write(preparation.planText, to: path)
            } else {
                try PlanStore(session.state).keep(preparation)
            }
            if common.json, path != "-" {
                Console.json(PlanDocument(preparation, path: path))
            } else if path != "-" {
                Describe.preparation(preparation).forEach(Console.note)
                Console.result(path)
            }
            return preparation.blocking.isEmpty ? .success : .undecided
        }
    }
}

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print the PostgreSQL DDL of a migration, runnable by psql.")

    @Argument(help: "A SQLite file, or a project's folder.")
    var source: String

    @Option(help: ArgumentHelp("Follow this plan.", valueName: "file"))
    var plan: String?

    @OptionGroup var planning: PlanningOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        CommandRunner.run(common) { cancellation in
            let session = try Session(source, common, cancellation)
            let preparation = try session.reporting { try session.prepare(planning, planPath: plan) }
            let script = SchemaScript(preparation.plan).text
            if common.json {
                Console.json(SchemaDocument(sql: script, objects: preparation.objects))
            } else {
                Console.raw(script)
                Describe.leftOut(preparation.objects).forEach(Console.note)
            }
            return .success
        }
    }
}

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract:
            "Compare every cell of a SQLite database with a target that is loaded already, by howdah or by anybody else."
    )

    @Argument(help: "A SQLite file, or a project's folder.")
    var source: String

    @Argument(help: "A PostgreSQL URL, connection string or service=NAME; or rehearsal.")
    var target: String = "rehearsal"

    @Option(
        name: .customLong("table"),
        help: ArgumentHelp("Only this table; may be given again.", valueName: "name"))
    var tables: [String] = []

    @Option(help: ArgumentHelp("Follow this plan.", valueName: "file"))
    var plan: String?

    @Flag(
        help:
            "Of a target that the application writes to by now: tell rows that changed since the first proof from rows that were never right."
    )
    var watch = false

    @OptionGroup var adopting: AdoptOptions
    @OptionGroup var planning: PlanningOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        CommandRunner.run(common) { cancellation in
            let target = try Target(target)
            try Workspace.refuseFileOfProject(source, state: common.state)
            let session = try Session(source, common, cancellation)
            // A watch is of the state of SQLite that the first proof had, whatever was written there since.
            let snapshot =
                watch
                ? try DifferenceLog(
                    session.state,
                    name: target.differencesName(schema: planning.namedSchema, in: session.state)
                ).firstSnapshot() : nil
            let preparation = try session.reporting {
                try session.prepare(
                    planning, planPath: plan, adopting: adopting.adopting(target, cancellation),
                    snapshot: snapshot)
            }
            if let path = preparation.planPath, !common.json { Console.note("following the plan \(path)") }
            let log = try DifferenceLog(
                session.state, name: target.differencesName(schema: planning.namedSchema, in: session.state))
            if watch {
                if !common.json {
                    Console.note(
                        "compared with SQLite as it was in the snapshot of \(preparation.snapshot.time)")
                }
                let report = try ReachedTarget(target, session).with { server in
                    try session.reporting {
                        try Watch(
                            preparation: preparation, hints: session.location.hints, server: server,
                            schema: planning.namedSchema, workers: planning.workerCount,
                            cancellation: cancellation, progress: session.progress, log: log
                        ).run(tables: tables)
                    }
                }
                if common.json {
                    Console.json(WatchDocument(report))
                } else {
                    Console.results(Describe.watch(report))
                }
                return report.isRight ? .success : .differs
            }
            let report = try ReachedTarget(target, session).with { server in
                var report = try session.reporting {
                    var validation = Validation(
                        preparation: preparation, hints: session.location.hints, server: server,
                        schema: planning.namedSchema, workers: planning.workerCount,
                        cancellation: cancellation, progress: session.progress,
                        differences: log)
                    validation.looksAtObjects = true
                    return try validation.run(tables: tables)
                }
                let schema = planning.namedSchema ?? preparation.plan.schema
                if let words = try LoadedEarlier.words(report, server, schema: schema, session) {
                    report.notices.append(words)
                }
                StepNotes.open(session.workspace, target, makesJournal: false, tell: { Console.note($0) })?
                    .compared(
                        report, by: preparation, tables: tables, schema: planning.namedSchema,
                        on: server.conninfo)
                return report
            }
            if common.json {
                Console.json(report)
            } else {
                Describe.report(report, planPath: nil).forEach(Console.result)
            }
            return ExitCode(rawValue: report.exit) ?? .failure
        }
    }
}

/// A target that is only read: a rehearsal's cluster is started for it where it is down.
struct ReachedTarget {
    private let target: Target
    private let state: StateFolder
    private let cancellation: Cancellation

    init(_ target: Target, _ session: Session) {
        self.target = target
        state = session.state
        cancellation = session.cancellation
    }

    func with<T>(_ body: (TargetServer) throws -> T) throws -> T {
        switch target {
        case .server(let conninfo): return try body(TargetServer(conninfo, cancellation: cancellation))
        case .rehearsal:
            guard RehearsalCluster.exists(state) else {
                throw MigrationError(
                    .rehearsal, "there is no rehearsal of this source yet",
                    remedy: "Run howdah migrate SOURCE first, or name a server as the target.", exit: .usage)
            }
            var cluster = try RehearsalCluster(state, cancellation: cancellation)
            guard cluster.isMade else {
                throw MigrationError(
                    .rehearsal, "the rehearsal of this source is gone: somebody has removed its data",
                    remedy: "Run howdah migrate SOURCE to rehearse again.", exit: .usage)
            }
            try cluster.start()
            do {
                guard let conninfo = cluster.conninfo() else { throw MigrationError.notRunning }
                let value = try body(TargetServer(conninfo, cancellation: cancellation))
                try cluster.stopUnlessKept()
                return value
            } catch {
                try? cluster.stopUnlessKept()
                throw error
            }
        }
    }
}
