import Foundation
import Postgres
import Synchronization

/// One run from a prepared source to a proven target.
///
/// Order of work: check the target, make the tables, load, make keys and indexes and foreign keys, set sequences,
/// prove. What is cancelled, or loses its connection, stays as it is and goes on the next time; what fails for another
/// reason takes back all that it made, or says what is there. Called from one thread, which waits; workers run on threads
/// of their own.
public struct Migration: Sendable {
    public internal(set) var preparation: Preparation
    public let server: TargetServer
    public let workers: Int
    /// Whether what an unproven run left in the target is taken back first, also where it could go on.
    public private(set) var restart: Bool
    /// A changed source is noted in a rehearsal and ends a live run with `stale`.
    public let isRehearsal: Bool
    public let cancellation: Cancellation
    public let progress: RunProgress
    public let gate: PauseGate
    /// Where the proof keeps the rows that differ; nil keeps none beyond the first.
    public let differences: DifferenceLog?
    /// Told once the tables of a run are there, and whether it goes on with what an earlier one has left; on the caller's thread.
    public var whenMade: (@Sendable (_ goesOn: Bool) -> Void)?

    public init(
        preparation: Preparation, server: TargetServer, workers: Int, restart: Bool = false,
        isRehearsal: Bool,
        cancellation: Cancellation, progress: RunProgress, gate: PauseGate = PauseGate(),
        differences: DifferenceLog? = nil
    ) {
        self.preparation = preparation
        self.server = server
        self.workers = workers
        self.restart = restart
        self.isRehearsal = isRehearsal
        self.cancellation = cancellation
        self.progress = progress
        self.gate = gate
        self.differences = differences
    }

    var plan: MigrationPlan { preparation.plan }
    var script: SchemaScript { SchemaScript(plan) }

    /// Runs to the end, going on with a run of the same plan that did not end, and trying again where a connection is lost.
    public func run() throws -> MigrationReport {
        let start = ContinuousClock.now
        guard preparation.blocking.isEmpty else {
            return Self.undecided(preparation, target: server.conninfo.url, progress: progress)
        }
        return try tryingAgain { hasBegun in
            var migration = self
            // What was asked to be taken back is gone by then.
            if hasBegun { migration.restart = false }
            return try migration.attempt(start: start, hasBegun: &hasBegun)
        }
    }

    private func attempt(start: ContinuousClock.Instant, hasBegun: inout Bool) throws -> MigrationReport {
        let main = try lockedConnection()
        progress.begin(.prepare)
        if let open = try openRun(main) {
            if !hasBegun {
                let rows = try open.ledger.loadedRows(main).values.reduce(0, +)
                progress.note(
                    "going on with the run that began at \(open.started): \(Format.count(rows, "row is", "rows are")) "
                        + "there")
            }
            hasBegun = true
            whenMade?(true)
            return try continuing(open).goOn(open.ledger, start: start, main)
        }
        if let ended = try endedRun(main) {
            hasBegun = true
            return try continuing(ended).compareAgain(ended, start: start, main)
        }
        try clearTheWay(main)
        let (findings, settled) = try reviewOnServer(main)
        if !findings.isEmpty {
            progress.end()
            var report = Self.undecided(preparation, target: server.conninfo.url, progress: progress)
            report.findings += findings
            return report
        }
        var settledRun = self
        settledRun.preparation = settled
        let ledger = try settledRun.begin(settledRun.chunks(main), planSHA256: preparation.planDigest, main)
        hasBegun = true
        whenMade?(false)
        return try settledRun.goOn(ledger, start: start, main)
    }

    /// Runs `body`, and again where it loses its connection once it has begun.
    func tryingAgain<T>(_ body: (_ hasBegun: inout Bool) throws -> T) throws -> T {
        var hasBegun = false
        var backOff = BackOff()
        while true {
            do {
                return try body(&hasBegun)
            } catch {
                let known =
                    error as? MigrationError
                    ?? (error as? PostgresError).map { Self.explained($0, server.conninfo) }
                guard hasBegun, let known, known.mayPass, let wait = backOff.next(reached: progress.reached)
                else { throw error }
                try progress.waiting("trying again in \(Format.seconds(wait.seconds)): \(known.message)") {
                    try BackOff.wait(wait, cancellation)
                }
            }
        }
    }

    /// Does what is not done yet, from the load to the proof.
    private func goOn(
        _ ledger: Ledger, start: ContinuousClock.Instant, _ main: borrowing Postgres.Connection
    ) throws -> MigrationReport {
        let loaded = try ledger.loadedRows(main)
        let loader = loader(ledger, loaded: loaded)
        let proof = proof
        let prover = proof.prover
        let opening: ProofRun.Opening
        var settings: [String: String] = [:]
        var sequences = Sequences.Outcome()
        do {
            try ledger.makeReady(schema: plan.schema, main)
            var work = TableWork()
            if plan.adopt ?? false {
                try load(pending(ledger, main), loader)
                try ledger.release(schema: plan.schema, main)
            } else {
                work.load(try pending(ledger, main), large: largeTables)
            }
            work.make(script, tables: tablesBySize, present: try presentObjects(main))
            opening = try proof.open()
            work.compare(opening.tables, by: prover)
            settings = try run(work, loader: loader, prover: prover)
            sequences = try Sequences(plan: plan, catalog: preparation.catalog).advance(main)
            try makeViewsAndTriggers(ledger, main)
            try ledger.setConstrained(true, main)
        } catch let error as UnfinishedProof {
            throw staying(ledger, main, after: error.cause)
        } catch {
            throw stays(ledger, main, after: error)
                ? staying(ledger, main, after: error) : takeBack(ledger, main, after: error)
        }
        var report = try conclude(ledger, sequences, start: start, main) {
            try proof.conclude(opening, prover, withViews: true)
        }
        report.resumedRows = loaded.values.reduce(0, +)
        if report.resumedRows > 0 {
            let rows = Format.count(report.resumedRows, "row was", "rows were")
            report.notices.append("\(rows) there already, and not loaded again")
        }
        report.settings = settings
        return report
    }

    var proof: ProofRun {
        ProofRun(
            preparation: preparation, server: server, workers: workers, cancellation: cancellation,
            progress: progress, gate: gate, differences: differences)
    }

    /// The connection that holds the lock for the whole run; it is not cancelled, so that it can clean up.
    func lockedConnection() throws -> Postgres.Connection {
        let main = try server.connect(purpose: "migrate")
        try server.checkFitness(main, schema: plan.schema, makesTables: !(plan.adopt ?? false))
        try server.takeLock(main)
        try server.endLeftovers(main)
        return main
    }

    /// The report of a run that has not begun, since findings wait to be decided.
    public static func undecided(
        _ preparation: Preparation, target: String?, progress: RunProgress
    ) -> MigrationReport {
        MigrationReport(
            command: "migrate", preparation: preparation, target: target, progress: progress,
            seconds: progress.durations.reduce(0) { $0 + $1.duration.seconds })
    }

    private func report(start: ContinuousClock.Instant) -> MigrationReport {
        MigrationReport(
            command: "migrate", preparation: preparation, target: server.conninfo.url, progress: progress,
            seconds: (ContinuousClock.now - start).seconds)
    }

    // MARK: Before the load

    /// Takes back an interrupted run where that was asked for; throws where tables of the plan's names are there.
    func clearTheWay(_ main: borrowing Postgres.Connection) throws {
        if let unproven = try Ledger.unproven(schema: plan.schema, main) {
            guard restart else {
                let made = try unproven.ledger.madeObjects(main)
                let rows = try unproven.ledger.loadedRows(main).values.reduce(0, +)
                let held = try unproven.ledger.heldCount(main)
                let why = try obstacle(unproven, main).map { "; it cannot go on: \($0)" } ?? ""
                let objects = made.count { $0.kind != "adopted" }
                throw MigrationError(
                    .interruptedRun,
                    "\(server.conninfo.url) holds a run that began at \(unproven.started) and "
                        + (unproven.outcome == nil ? "did not end" : "was not proven")
                        + ": \(Format.count(objects, "object", "objects")) that it made, "
                        + "\(Format.count(rows, "row", "rows")) that it loaded"
                        + (held > 0 ? ", \(held) triggers and foreign keys that it holds off" : "") + why,
                    remedy:
                        "Run the same command with --restart: it takes those back, and nothing else, and begins anew.",
                    exit: .undecided)
            }
            try unproven.ledger.refuseOtherRows(schema: plan.schema, main)
            do {
                try unproven.ledger.takeBack(schema: plan.schema, main)
            } catch {
                throw MigrationError(
                    .interruptedRun, "what the interrupted run made cannot be dropped: \(error)",
                    remedy: "Look at what others have hung on those tables, and drop them yourself.")
            }
        }
        try refuseSecondLoad(main)
        try forgetDroppedRun(main)
        let names =
            script.plan.tables.filter { !$0.isSkipped && !plan.isAdopted($0) }.map(\.targetName)
            + (plan.views ?? []).map(\.targetName)
        let present = try server.existing(names, schema: plan.schema, main)
        guard present.isEmpty else {
            if let ledger = try Ledger.newest(schema: plan.schema, main),
                let status = try ledger.status(main),
                status.stage == .ended
            {
                let run = Ledger.Unproven(ledger: ledger, started: status.started, outcome: status.outcome)
                let why = try obstacle(run, main).map { ". It is not compared again by itself: \($0)" } ?? ""
                throw MigrationError(
                    .targetNotEmpty,
                    "\(server.conninfo.url) holds the run that began at \(status.started), with "
                        + "\(Format.count(status.rows)) rows; it ended as \(status.outcome ?? "unknown")\(why)",
                    remedy:
                        "howdah validate compares it again. To load it anew, drop its tables yourself first.",
                    exit: .undecided)
            }
            let some = present.prefix(5).joined(separator: ", ") + (present.count > 5 ? " and more" : "")
            throw MigrationError(
                .targetNotEmpty,
                "\(server.conninfo.url) already has \(present.count) of the tables in schema \(plan.schema): \(some)",
                remedy: "howdah never overwrites what it did not make: name an empty database, "
                    + "another schema with --schema, or drop the tables yourself.", exit: .undecided)
        }
    }

    /// Takes back what is left of a run that has ended and whose tables somebody has dropped, so that it can be loaded anew:
    /// the types that howdah made for them, for one.
    private func forgetDroppedRun(_ main: borrowing Postgres.Connection) throws {
        guard let ledger = try Ledger.newest(schema: plan.schema, main), let status = try ledger.status(main),
            status.stage == .ended
        else { return }
        let made = try ledger.madeObjects(main)
        guard !made.contains(where: { ["table", "adopted", "view"].contains($0.kind) }) else { return }
        do {
            try ledger.takeBack(schema: plan.schema, main)
        } catch {
            throw MigrationError(
                .targetNotEmpty,
                "of the run that began at \(status.started) the tables are gone, and \(made.map(\.name).joined(separator: ", ")) "
                    + "cannot be dropped: \(error)",
                remedy: "Look at what others have hung on it, and drop it yourself.",
                exit: .undecided)
        }
    }

    /// Values of types that only the server knows are tried there before anything is made.
    func tryTypes() throws -> [Finding] {
        let tables = plan.tables.filter { !$0.isSkipped }
        guard tables.contains(where: { $0.columns.contains(where: \.isForeign) }) else {
            return []
        }
        return try server.withConnection(purpose: "check") { connection in
            try TypeTrial(
                data: preparation.data, plan: plan, catalog: preparation.catalog, cancellation: cancellation
            ).findings(connection)
        }
    }

    /// `planSHA256` is that of the plan before the server's own review.
    func begin(
        _ chunks: [Ledger.Chunk], planSHA256: String, _ main: borrowing Postgres.Connection
    ) throws -> Ledger {
        do {
            return try Ledger.begin(
                script, chunks: chunks, snapshot: preparation.snapshot,
                begun: Begun(plan: plan, objects: preparation.objects), planSHA256: planSHA256, main,
                adopting: adopt)
        } catch let error as PostgresError {
            // Class 42: the statement itself is wrong, and its types and defaults are the plan's words.
            let isWords = error.sqlState?.hasPrefix("42") ?? false
            throw MigrationError(
                isWords ? .plan : .target, "the tables cannot be made: \(error)",
                remedy: "The target is as it was. Correct the plan where it names the type or the default.",
                exit: isWords ? .usage : .failure)
        }
    }

    /// Tables that are not left out, the largest first.
    var tablesBySize: [String] {
        plan.tables.filter { !$0.isSkipped }.map(\.name).sorted {
            bytes($0) > bytes($1)
        }
    }

    private func bytes(_ name: String) -> Int { preparation.profiles[name]?.bytes ?? 0 }

    private func isAdopted(_ name: String) -> Bool { plan.adoptedTables.contains { $0.name == name } }

    private var largeTables: Set<String> {
        Set(preparation.profiles.filter { $0.value.hasLargeRows }.keys)
    }

    /// Pieces of all tables, those of the largest first.
    func chunks(_ main: borrowing Postgres.Connection) throws -> [Ledger.Chunk] {
        let bySize = tablesBySize
        let skipping =
            try LogSkipping.isPossible(main) ? LogSkipping(bySize.map(bytes), workers: workers) : nil
        let kept = bySize.filter { preparation.data.decided?.tables[$0] != nil }.map(Ledger.Chunk.kept)
        return kept
            + bySize.flatMap { name -> [Ledger.Chunk] in
                guard let profile = preparation.profiles[name], profile.rows > 0 else { return [] }
                let isWhole =
                    isLoadedAtOnce(name)
                    || !isAdopted(name) && skipping?.pays(bytes: profile.bytes) ?? false
                let pieces = isWhole ? [.all] : profile.pieces
                return pieces.enumerated().map { Ledger.Chunk(table: name, number: $0, piece: $1) }
            }
    }

    // MARK: The load and what follows it

    /// Pieces that are not loaded yet, those of the largest tables first.
    func pending(_ ledger: Ledger, _ main: borrowing Postgres.Connection) throws -> [Ledger.Chunk] {
        let byTable = Dictionary(grouping: try ledger.pendingChunks(main), by: \.table)
        return tablesBySize.flatMap { byTable[$0] ?? [] }
    }

    /// Loads pieces and nothing more.
    func load(_ chunks: [Ledger.Chunk], _ loader: Loader) throws {
        for chunks in waves(chunks) {
            var work = TableWork()
            work.load(chunks, large: largeTables)
            try run(work, loader: loader, prover: proof.prover)
        }
    }

    /// `loaded` are rows that are there already, by table; the progress of every table begins with them.
    func loader(_ ledger: Ledger, loaded: [String: Int]) -> Loader {
        let tables = plan.tables.filter { !$0.isSkipped }.compactMap { table -> Loader.LoadTable? in
            guard let source = preparation.catalog.tables.first(where: { $0.name == table.name }) else {
                return nil
            }
            let (columns, codes) = preparation.encoding(of: table)
            let counters = counters(of: table)
            counters.loaded.store(loaded[table.name] ?? 0, ordering: .relaxed)
            return Loader.LoadTable(
                source: source, plan: table, columns: columns, codes: codes,
                maySkipLog: !plan.isAdopted(table) && bytes(table.name) >= LogSkipping.least,
                counters: counters)
        }
        progress.setTables(tables.map(\.counters))
        return Loader(
            data: preparation.data, ledger: ledger, script: script, tables: tables,
            cancellation: cancellation, gate: gate, keeping: keptTables)
    }

    func counters(of table: MigrationPlan.Table) -> RunProgress.Table {
        let counters = RunProgress.Table(
            name: table.name, rows: preparation.profiles[table.name]?.rows ?? 0)
        counters.quarantined.store(
            preparation.data.decided?.quarantined[table.name] ?? 0, ordering: .relaxed)
        return counters
    }

    /// Makes views and triggers, all or none, where they are not there yet: after the load, so that no trigger runs for
    /// rows that are carried over.
    func makeViewsAndTriggers(_ ledger: Ledger, _ main: borrowing Postgres.Connection) throws {
        guard !script.viewsAndTriggers.isEmpty else { return }
        let statements = try script.missingViewsAndTriggers(ledger, main)
        try main.transaction { main in
            for statement in statements {
                do {
                    _ = try main.query(statement.sql)
                } catch let error as PostgresError where error.code == .server {
                    throw MigrationError(
                        .target, "\(statement.kind.rawValue) \(statement.name) cannot be made: \(error)",
                        remedy: "Take it out of the plan.")
                }
                try ledger.note(statement, script, main)
            }
        }
    }

    /// Leaves the target as it was after an error, or says what is there; returns the error to throw.
    private func takeBack(
        _ ledger: Ledger, _ main: borrowing Postgres.Connection, after error: any Error
    ) -> any Error {
        let original = Self.explained(error, server.conninfo)
        do {
            // A worker's session may still be ending its transaction.
            try main.execute("SET lock_timeout = '60s'; SET statement_timeout = '300s'")
            try ledger.takeBack(schema: plan.schema, main)
        } catch {
            return MigrationError(
                original.code,
                original.message
                    + "; what the run made could not be dropped (\(error)), so its tables are still there",
                remedy:
                    "Run the same command with --restart: it drops them, and nothing else, and begins anew.",
                exit: original.exit)
        }
        return MigrationError(
            original.code, original.message, remedy: "The target is as it was. " + original.remedy,
            exit: original.exit)
    }

    static func explained(_ error: any Error, _ conninfo: Conninfo) -> MigrationError {
        switch error {
        case let error as MigrationError: error
        case let error as PostgresError where error.code == .server:
            MigrationError(
                .target, "the server refused: \(error)",
                remedy: "Correct the plan or the rows that the message names.", mayPass: error.mayPass)
        case let error as PostgresError: TargetServer.explained(error, conninfo)
        default: MigrationError(.target, "\(error)", remedy: "Run the same command again.")
        }
    }

    // MARK: The proof

    func prove(
        _ ledger: Ledger, _ sequences: Sequences.Outcome, start: ContinuousClock.Instant,
        _ main: borrowing Postgres.Connection
    ) throws -> MigrationReport {
        progress.begin(.proof)
        return try conclude(ledger, sequences, start: start, main) { try proof.run() }
    }

    /// Ends a run with what its proof comes to.
    private func conclude(
        _ ledger: Ledger, _ sequences: Sequences.Outcome, start: ContinuousClock.Instant,
        _ main: borrowing Postgres.Connection, _ prove: () throws -> [String: TableVerdict]
    ) throws -> MigrationReport {
        let verdicts: [String: TableVerdict]
        do {
            verdicts = try prove()
        } catch {
            let original = Self.explained(error, server.conninfo)
            try? ledger.finish("unproven", main)
            throw MigrationError(
                original.code, original.message + "; everything is loaded, and the proof has not ended",
                remedy: "Run the same command again for the proof, or howdah validate SOURCE TARGET.",
                exit: original.exit, mayPass: original.mayPass)
        }
        let loaded = try ledger.loadedRows(main).merging(ledger.presentRows(main), uniquingKeysWith: +)
        var report = try report(verdicts, sequences, loaded: loaded, start: start)
        try ledger.finish(report.outcome.rawValue, main)
        report.seconds = rounded((ContinuousClock.now - start).seconds)
        return report
    }

    /// What the verdicts come to; a source that has changed since is looked for now.
    func report(
        _ verdicts: [String: TableVerdict], _ sequences: Sequences.Outcome = .init(), loaded: [String: Int],
        start: ContinuousClock.Instant
    ) throws -> MigrationReport {
        progress.end()
        var report = report(start: start)
        // What is lost is not carried too.
        let lost = Set(sequences.objects.filter { $0.state == .failed }.map { "\($0.kind) \($0.name)" })
        report.objects.removeAll { lost.contains("\($0.kind) \($0.name)") }
        report.objects += sequences.objects
        report.findings += sequences.findings
        let quarantined = preparation.data.decided?.quarantined ?? [:]
        report.tables = plan.tables.map {
            .init(
                $0.name, verdicts[$0.name], loaded: loaded[$0.name] ?? 0,
                quarantined: quarantined[$0.name] ?? 0)
        }
        report.views = (plan.views ?? []).map { .init(view: $0.name, verdicts[$0.name]) }
        let isCurrent = try preparation.snapshot.isCurrent(cancellation: Cancellation())
        report.conclude(isStale: !isCurrent, isRehearsal: isRehearsal)
        return report
    }
}
