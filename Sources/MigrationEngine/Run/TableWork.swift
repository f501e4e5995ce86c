import Postgres
import SQLite
import Synchronization

/// What a run does to its tables, in pieces: loading, making what follows the load, comparing.
///
/// Every piece is done as soon as what it needs is there, so that one table is compared while another is loaded. Statements
/// that would wait for each other's locks on a table are kept apart (PostgreSQL manual, "Explicit Locking"): constraints
/// lock out everybody, indexes of one table may be made side by side, and comparing only reads.
struct TableWork: Sendable {
    enum Piece: Sendable {
        case load(Ledger.Chunk)
        case make(SchemaScript.Statement, sql: String)
        case analyze(table: String)
        case compare(Prover.Job)
    }

    enum Milestone: Hashable, Sendable {
        /// All rows of a table are there; the indexes of its keys; all its indexes; its keys and checks; its foreign keys,
        /// and those of others to it.
        case loaded(String), keyed(String), indexed(String), constrained(String), linked(String)
        /// Both sides of a table that is compared in pieces are read.
        case read(String)
        /// All rows of all tables; all that follows them.
        case allLoaded, allMade
        /// Statements of which a table bears one at a time.
        case turn(String)
        /// Foreign keys are made one at a time, since each locks two tables.
        case turnOfKeys
        /// Rows that take much memory are on their way one at a time.
        case turnOfLargeRows
    }

    typealias Schedule = WorkSchedule<Piece, Milestone>

    private(set) var loads: [Schedule.Item] = []
    private(set) var builds: [Schedule.Item] = []
    private(set) var comparisons: [Schedule.Item] = []

    var isEmpty: Bool { items.isEmpty }

    /// In the order in which they are taken where they are free: what others wait for comes first.
    var items: [Schedule.Item] { builds + loads + comparisons }

    mutating func load(_ chunks: [Ledger.Chunk], large: Set<String> = []) {
        loads += chunks.map { chunk in
            .init(
                piece: .load(chunk), partOf: [.loaded(chunk.table), .allLoaded],
                exclusive: large.contains(chunk.table) ? .turnOfLargeRows : nil)
        }
    }

    /// Makes what is not `present`; the tables are in the order in which they matter.
    ///
    /// Indexes, those of keys among them, only keep writers away, and so are made side by side. What locks out everybody
    /// follows them and takes no time: the constraint that takes its index; but for checks, which look at the rows.
    mutating func make(_ script: SchemaScript, tables: [String], present: SchemaScript.Present) {
        let names = Dictionary(
            script.plan.tables.map { ($0.name, $0.targetName) }, uniquingKeysWith: { first, _ in first })
        func missing(
            _ all: [(table: String, statements: [SchemaScript.Statement])]
        ) -> [(table: String, statement: SchemaScript.Statement)] {
            let byTable = Dictionary(all, uniquingKeysWith: +)
            return tables.flatMap { table in (byTable[table] ?? []).map { (table, $0) } }
        }
        let own = missing(script.keysAndIndexes).filter { table, statement in
            !present.has(statement, of: names[table] ?? table)
        }
        for (table, statement) in own {
            if let parts = statement.parts {
                guard !present.hasIndex(of: statement, on: names[table] ?? table) else { continue }
                builds.append(
                    .init(
                        piece: .make(statement, sql: parts.index), after: [.loaded(table)],
                        partOf: [.keyed(table), .indexed(table), .allMade]))
            } else if statement.kind == .index {
                builds.append(
                    .init(
                        piece: .make(statement, sql: statement.sql), after: [.loaded(table)],
                        partOf: [.indexed(table), .allMade]))
            }
        }
        for (table, statement) in own where statement.kind != .index {
            builds.append(
                .init(
                    piece: .make(statement, sql: statement.parts?.constraint ?? statement.sql),
                    after: [.loaded(table), .indexed(table)],
                    partOf: [.constrained(table), .allMade], exclusive: .turn(table)))
        }
        let keys = missing(script.foreignKeys)
        for (table, statement) in keys where !present.has(statement, of: names[table] ?? table) {
            let parent = statement.parent ?? table
            builds.append(
                .init(
                    piece: .make(statement, sql: statement.sql),
                    after: Set([table, parent].flatMap { [.loaded($0), .indexed($0), .constrained($0)] }),
                    partOf: [.linked(table), .linked(parent), .allMade], exclusive: .turnOfKeys))
        }
        for table in tables {
            builds.append(
                .init(
                    piece: .analyze(table: table), after: Self.allOf(table), partOf: [.allMade],
                    exclusive: .turn(table)))
        }
        for (table, statement) in keys {
            // Of a key that is validated already, the server looks at no row.
            guard let sql = statement.validation else { continue }
            builds.append(
                .init(
                    piece: .make(statement, sql: sql), after: Self.allOf(table), partOf: [.allMade],
                    exclusive: .turn(table)))
        }
    }

    /// Everything of a table's but what looks at its rows once more.
    private static func allOf(_ table: String) -> Set<Milestone> {
        [.loaded(table), .indexed(table), .constrained(table), .linked(table)]
    }

    /// Compares tables, the largest first.
    mutating func compare(_ tables: [ProofTable], by prover: Prover) {
        for table in tables.sorted(by: { $0.profile.bytes > $1.profile.bytes }) {
            let name = table.source.name
            let turn = table.profile.hasLargeRows ? Milestone.turnOfLargeRows : nil
            comparisons += prover.jobs(table).map { job in
                job.isEnd
                    ? .init(piece: .compare(job), after: [.read(name)], exclusive: turn)
                    : .init(
                        piece: .compare(job), after: [.loaded(name), .keyed(name)], partOf: [.read(name)],
                        exclusive: turn)
            }
        }
    }

    /// Does all of it, with several workers, each with one connection on either side and a session that begins with
    /// `settings`; `reached` gets the milestones, on any thread.
    func run(
        workers: Int, data: SourceData, server: TargetServer, purpose: String, settings: String = "",
        _ cancellation: Cancellation, _ gate: PauseGate,
        reached: @escaping @Sendable (Set<Milestone>) -> Void = { _ in },
        _ body:
            @escaping @Sendable (Piece, borrowing SQLite.Connection, borrowing Postgres.Connection) throws ->
            Void
    ) throws {
        let schedule = Schedule(items)
        try WorkerThreads.run(count: count(workers), onFirstError: { schedule.stop() }) { _ in
            let source = try data.open()
            let interrupter = source.interrupter
            try cancellation.whileRegistered({ interrupter.interrupt() }) {
                try server.withConnection(purpose: purpose) { target in
                    try target.execute(settings)
                    while let item = schedule.next() {
                        try gate.pass(cancellation)
                        try body(item.piece, source, target)
                        reached(schedule.finish(item))
                    }
                }
            }
        }
    }

    /// How many of the workers have something to do.
    func count(_ workers: Int) -> Int { max(1, min(workers, items.count)) }
}

/// What stopped the comparison; everything that it reads is there, and stays.
struct UnfinishedProof: Error {
    let cause: any Error
}

extension Migration {
    /// Does pieces of work with several workers, each with one connection on either side; returns the settings of their
    /// sessions.
    @discardableResult
    func run(_ work: TableWork, loader: Loader, prover: Prover) throws -> [String: String] {
        guard !work.isEmpty else { return [:] }
        let settings = try server.withConnection(purpose: "check") {
            try BuildSettings.read($0, sessions: workers)
        }
        let follow = PhaseFollower(work, progress)
        try work.run(
            workers: workers, data: preparation.data, server: server, purpose: "work",
            settings: settings.sql + loadingSession, cancellation, gate, reached: follow.reached
        ) { piece, source, target in
            try run(piece, loader, prover, source, target)
        }
        return settings.values.merging(["workers": "\(work.count(workers))"]) { $1 }
    }

    private func run(
        _ piece: TableWork.Piece, _ loader: Loader, _ prover: Prover, _ source: borrowing SQLite.Connection,
        _ target: borrowing Postgres.Connection
    ) throws {
        switch piece {
        case .load(let chunk): try loader.load(chunk, source, target)
        case .make(let object, let sql):
            do {
                try withoutLockTimeout(target) { _ = try $0.query(sql) }
            } catch let error as PostgresError where error.code == .server && !error.mayPass {
                throw MigrationError(
                    .target, "\(object.kind.rawValue) \(object.name) cannot be made: \(error)",
                    remedy: "Take it out of the plan, or correct the rows in the source.")
            }
        case .analyze(let name):
            guard let table = plan.tables.first(where: { $0.name == name }) else { return }
            try withoutLockTimeout(target) { try $0.execute("ANALYZE \(script.qualified(table))") }
        case .compare(let job):
            do { try prover.compare(job, source, target) } catch { throw UnfinishedProof(cause: error) }
        }
    }

    /// The server's own housekeeping may hold a table for longer than a claim is waited for.
    private func withoutLockTimeout(
        _ target: borrowing Postgres.Connection, _ body: (borrowing Postgres.Connection) throws -> Void
    ) throws {
        try target.execute("SET lock_timeout = 0")
        try body(target)
        try target.execute("SET lock_timeout = '30s'")
    }
}

/// Tells the run's progress what most of the work is about: what is not ended yet of loading, making, comparing.
private final class PhaseFollower: Sendable {
    private let progress: RunProgress
    private let open: Mutex<(loads: Bool, builds: Bool)>

    init(_ work: TableWork, _ progress: RunProgress) {
        self.progress = progress
        open = Mutex((!work.loads.isEmpty, !work.builds.isEmpty))
        reached([])
    }

    func reached(_ milestones: Set<TableWork.Milestone>) {
        open.withLock { open in
            if milestones.contains(.allLoaded) { open.loads = false }
            if milestones.contains(.allMade) { open.builds = false }
            progress.begin(unlessBegun: open.loads ? .copy : open.builds ? .constraints : .proof)
        }
    }
}
