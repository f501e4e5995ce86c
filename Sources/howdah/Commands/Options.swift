import AppProject
import ArgumentParser
import Foundation
import MigrationEngine
import Playbook
import Postgres

/// What every command takes.
struct CommonOptions: ParsableArguments {
    @Flag(help: "Print exactly one JSON document to stdout.")
    var json = false

    @Option(help: ArgumentHelp("Keep howdah's state in this folder.", valueName: "dir"))
    var state: String?
}

/// What commands that plan take.
struct PlanningOptions: ParsableArguments {
    @Option(help: "The application's convention: auto, prisma, django, rails or plain.")
    var style = "auto"

    @Option(
        name: .customLong("schema"),
        help: ArgumentHelp(
            "The schema in the target: public where nothing is said, and for validate the one that holds the tables.",
            valueName: "name"))
    var namedSchema: String?

    @Option(help: "How a new plan spells names: exact, lower or snake.")
    var identifiers = "exact"

    @Option(
        help: ArgumentHelp(
            "Threads that read, copy and compare; by default one a core, at least two.", valueName: "n"))
    var workers: Int?

    @Option(
        help: ArgumentHelp(
            "What howdah may take for rows over 16 MB, as 512MB or 2GB; by default half of the machine's memory.",
            valueName: "size"))
    var memory: String?

    @Option(
        help: ArgumentHelp(
            "Decide a finding, one kind of findings, or all as recommended; may be given again.",
            valueName: "finding=choice|recommended"))
    var decide: [String] = []

    func validate() throws {
        if style != "auto", Style(rawValue: style) == nil {
            let known = (["auto"] + Style.allCases.map(\.rawValue)).joined(separator: ", ")
            throw ValidationError("there is no style \(style); the styles are: \(known)")
        }
        if Identifiers(rawValue: identifiers) == nil {
            throw ValidationError("--identifiers takes exact, lower or snake, not \(identifiers)")
        }
        if let workers, !(1...64).contains(workers) { throw ValidationError("--workers takes 1 to 64") }
        if let memory, MemoryBudget(memory) == nil {
            throw ValidationError("--memory takes a size such as 512MB or 2GB, not \(memory)")
        }
        if let memory, let budget = MemoryBudget(memory), !budget.isEnough {
            throw ValidationError("--memory takes 64MB or more: howdah needs as much for rows of any size")
        }
        if schema.isEmpty || schema.utf8.count > 63 {
            throw ValidationError("--schema takes a name of 1 to 63 bytes")
        }
        if schema == "howdah" || schema.hasPrefix("pg_") || schema == "information_schema" {
            throw ValidationError("the schema \(schema) is not for an application's tables")
        }
    }

    /// What `--decide` says.
    func decisions() throws -> Decisions {
        var decisions = Decisions()
        for text in decide {
            if text == "recommended" {
                decisions.takesRecommended = true
            } else if let decision = Decision(text) {
                decisions.given.append(decision)
            } else {
                throw MigrationError(
                    .plan, "--decide \(text) names no finding",
                    remedy:
                        "Say --decide FINDING=CHOICE or --decide FINDING:TABLE.COLUMN=CHOICE as howdah plan shows "
                        + "them, or --decide recommended.", exit: .usage)
            }
        }
        return decisions
    }

    var schema: String { namedSchema ?? "public" }

    var spelling: Identifiers { Identifiers(rawValue: identifiers) ?? .exact }

    var chosenStyle: Style? { Style(rawValue: style) }

    var memoryBudget: MemoryBudget { memory.flatMap { MemoryBudget($0) } ?? .standard }

    var workerCount: Int { workers ?? max(2, min(8, ProcessInfo.processInfo.activeProcessorCount)) }
}

/// Whether tables that are there already are loaded.
struct AdoptOptions: ParsableArguments {
    @Flag(help: "Load into tables that are in the target already, made by a framework's own migrations.")
    var adopt = false

    /// `server` is where they are; nil is a rehearsal's own PostgreSQL, which has none.
    func adopting(_ server: TargetServer?) -> Adopting {
        Adopting(isAsked: adopt, server: server)
    }

    /// The same of the target that a command names.
    func adopting(_ target: Target, _ cancellation: Cancellation) -> Adopting {
        guard case .server(let conninfo) = target else { return adopting(nil) }
        return adopting(TargetServer(conninfo, cancellation: cancellation))
    }
}

/// A source with everything that a command works with.
struct Session {
    let workspace: Workspace
    let cancellation: Cancellation
    let progress = RunProgress()

    var location: SourceLocation { workspace.location }
    var state: StateFolder { workspace.state }

    init(
        _ path: String, _ common: CommonOptions, _ cancellation: Cancellation, isWriter: Bool = true
    ) throws {
        workspace = try Workspace(path, state: common.state, isWriter: isWriter)
        self.cancellation = cancellation
    }

    init(_ workspace: Workspace, _ cancellation: Cancellation) {
        self.workspace = workspace
        self.cancellation = cancellation
    }

    /// Snapshot, catalog, profile and plan, with progress shown; of a snapshot that is kept already where its sha256 is given.
    func prepare(
        _ planning: PlanningOptions, planPath: String?, adopting: Adopting = .init(), snapshot: String? = nil
    ) throws -> Preparation {
        let preparer = try preparer(planning, planPath: planPath, adopting: adopting)
        guard let snapshot else { return try preparer.prepare() }
        let kept = try SnapshotStore(state, cancellation: cancellation).snapshots()
        guard let found = kept.last(where: { $0.sha256 == snapshot }) else {
            throw MigrationError(
                .state, "the snapshot of the first proof is gone from \(state.path)/snapshots",
                remedy: "Load the target anew, or name the state folder that has it with --state DIR.",
                exit: .usage)
        }
        return try preparer.prepare(found)
    }

    func preparer(
        _ planning: PlanningOptions, planPath: String?, adopting: Adopting
    ) throws -> Preparer {
        try Preparer(
            source: workspace.source, state: state, hints: location.hints, style: planning.chosenStyle,
            schema: planning.schema, identifiers: planning.spelling,
            planSource: .file(planPath), decisions: planning.decisions(), workers: planning.workerCount,
            memory: planning.memoryBudget, cancellation: cancellation, progress: progress, adopting: adopting)
    }

    /// Runs `body` with progress shown on stderr.
    func reporting<T>(_ body: () throws -> T) rethrows -> T {
        let reporter = ProgressReporter(progress)
        defer { reporter.stop() }
        return try body()
    }
}

/// Runs a command's body and ends the process with the documented exit code.
enum CommandRunner {
    static func run(_ common: CommonOptions, _ body: (Cancellation) throws -> ExitCode) -> Never {
        let cancellation = Cancellation()
        Interrupts.cancel(cancellation)
        end(common) {
            let code = try body(cancellation)
            if Console.hasLostResult {
                Console.note("howdah: the result could not be written to stdout")
                return (code == .success ? ExitCode.failure : code).rawValue
            }
            return code.rawValue
        }
    }

    /// Runs what comes before the screens; an error ends the process as a command's does.
    static func prepare(_ common: CommonOptions, _ body: (Cancellation) throws -> Void) {
        do {
            try body(Cancellation())
        } catch {
            fail(Playbook.explained(error), common)
        }
    }

    /// Runs `body` and ends the process with the code that it returns, or with that of its error.
    static func end(_ common: CommonOptions, _ body: () throws -> Int32) -> Never {
        do {
            exit(try body())
        } catch {
            fail(Playbook.explained(error), common)
        }
    }

    private static func fail(_ error: MigrationError, _ common: CommonOptions) -> Never {
        if common.json {
            Console.json(
                ErrorDocument(code: error.code.rawValue, message: error.message, remedy: error.remedy))
        } else {
            Console.note("howdah: \(error.message)")
            Console.note(error.remedy)
        }
        exit(error.exit.rawValue)
    }
}
