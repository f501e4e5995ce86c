import Foundation
import Postgres
import SQLite
import Synchronization

/// Computes the digests of a prepared source and of its target, by the queries that an auditor can run too.
public struct DigestRun: Sendable {
    let preparation: Preparation
    let server: TargetServer
    let workers: Int
    let cancellation: Cancellation
    let progress: RunProgress

    public init(
        preparation: Preparation, server: TargetServer, workers: Int, cancellation: Cancellation,
        progress: RunProgress
    ) {
        self.preparation = preparation
        self.server = server
        self.workers = workers
        self.cancellation = cancellation
        self.progress = progress
    }

    /// What PostgreSQL's queries are run under: the only setting that a cell's text depends on.
    static let settings = "SET extra_float_digits = 1"

    /// The tables that can be digested, by the types that the target has, and why the others cannot.
    public struct Opening: Sendable {
        let queries: [DigestQuery]
        let counters: [RunProgress.Table]
        /// By table.
        let obstacles: [String: String]
    }

    /// Looks at both sides. `names` are the tables that are wanted; all where there are none.
    public func open(tables names: [String] = []) throws -> Opening {
        try preparation.refuseUnknown(names)
        let opening = try ProofRun(
            preparation: preparation, server: server, workers: workers, cancellation: cancellation,
            progress: progress, gate: PauseGate(), differences: nil
        ).open(only: names.isEmpty ? nil : Set(names))
        let queries = try withSource { source in
            var queries: [DigestQuery] = []
            for table in opening.tables { queries.append(try query(table, source)) }
            return queries
        }
        return Opening(
            queries: queries, counters: opening.tables.map(\.counters),
            obstacles: opening.verdicts.compactMapValues {
                $0.verdict == .differs ? $0.obstacle ?? "it cannot be read" : nil
            })
    }

    private func query(_ table: ProofTable, _ source: borrowing SQLite.Connection) throws -> DigestQuery {
        let decided = preparation.data.decided?.tables[table.source.name]
        let encoding = preparation.catalog.encoding
        var gaps: Set<String> = []
        if let (sql, columns) = DigestQuery.gaps(table, decided: decided, encoding: encoding) {
            let statement = try source.prepare(sql)
            if try statement.step() {
                gaps = Set(
                    columns.enumerated().filter { statement.int64(Int32($0.offset)) == 1 }.map(\.element))
            }
        }
        return DigestQuery(
            table, decided: decided, schema: preparation.plan.schema, encoding: encoding, gaps: gaps)
    }

    /// Opens the snapshot, with the function that the `sqlite3` program has.
    private func withSource<T>(_ body: (borrowing SQLite.Connection) throws -> T) throws -> T {
        let connection = try preparation.data.open()
        try connection.addDoubleBytes()
        let interrupter = connection.interrupter
        do {
            return try cancellation.whileRegistered({ interrupter.interrupt() }) { try body(connection) }
        } catch let error as SQLiteError where error.isInterrupted {
            throw MigrationError.cancelled
        }
    }

    // MARK: Both sides

    private struct Job: Sendable {
        let table: Int
        let isTarget: Bool
    }

    /// Reads every row of both sides once.
    public func run(_ opening: Opening) throws -> DigestReport {
        let start = ContinuousClock.now
        progress.setTables(opening.counters)
        progress.begin(.digest)
        defer { progress.end() }
        let results = Mutex(opening.queries.map(empty))
        // The largest first, both sides of one beside each other.
        let order = opening.queries.indices.sorted { opening.counters[$0].rows > opening.counters[$1].rows }
        let jobs = order.flatMap { [Job(table: $0, isTarget: false), Job(table: $0, isTarget: true)] }
        let queue = WorkQueue(jobs)
        try WorkerThreads.run(count: max(1, min(workers, jobs.count)), onFirstError: { queue.stop() }) { _ in
            try withSource { source in
                try server.withConnection(purpose: "digest") { target in
                    try target.execute(Self.settings)
                    while let job = queue.next() {
                        try cancellation.check()
                        let query = opening.queries[job.table]
                        guard !query.cells.isEmpty else {
                            let rows = try count(query, job, source, target)
                            results.withLock { $0[job.table].set(rows, isTarget: job.isTarget) }
                            continue
                        }
                        let digests = try read(query, job, opening.counters[job.table], source, target)
                        results.withLock { $0[job.table].add(digests, isTarget: job.isTarget) }
                    }
                }
            }
        }
        let tables = results.withLock { $0 }
        return DigestReport(
            seconds: (ContinuousClock.now - start).seconds, time: Date().formatted(.iso8601),
            target: server.conninfo.url, snapshot: preparation.snapshot,
            tables: inPlanOrder(tables, opening.obstacles),
            leftOutTables: preparation.plan.tables.filter(\.isSkipped).map(\.name))
    }

    private func empty(_ query: DigestQuery) -> TableDigest {
        let decided = preparation.data.decided?.tables[query.table]
        return TableDigest(
            name: query.table, quarantinedRows: decided?.quarantined ?? 0,
            replacedValues: decided?.replaced.values.reduce(0) { $0 + $1.count } ?? 0,
            columns: query.binaryColumns.map { .init(name: $0) }, leftOut: query.leftOut,
            digestedColumns: query.cells.count, order: query.orderWords)
    }

    private func inPlanOrder(_ digests: [TableDigest], _ obstacles: [String: String]) -> [TableDigest] {
        let known = Dictionary(digests.map { ($0.name, $0) }) { first, _ in first }
        return preparation.plan.tables.compactMap { table in
            known[table.name]
                ?? obstacles[table.name].map {
                    TableDigest(
                        name: table.name, quarantinedRows: 0, replacedValues: 0, columns: [], leftOut: [],
                        digestedColumns: 0, order: "", obstacle: $0)
                }
        }
    }

    private func count(
        _ query: DigestQuery, _ job: Job, _ source: borrowing SQLite.Connection,
        _ target: borrowing Postgres.Connection
    ) throws -> Int {
        if job.isTarget { return Int(try target.query(query.counting.target).text(0, 0) ?? "") ?? 0 }
        let statement = try source.prepare(query.counting.source)
        return try statement.step() ? Int(statement.int64(0)) : 0
    }

    private func read(
        _ query: DigestQuery, _ job: Job, _ counters: RunProgress.Table,
        _ source: borrowing SQLite.Connection, _ target: borrowing Postgres.Connection
    ) throws -> DigestHash.Digests {
        if job.isTarget { return try readTarget(query, target) }
        do {
            return try readSource(query, counters, source)
        } catch let error as SQLiteError where error.isInterrupted {
            throw MigrationError.cancelled
        }
    }

    private func readSource(
        _ query: DigestQuery, _ counters: RunProgress.Table, _ source: borrowing SQLite.Connection
    ) throws -> DigestHash.Digests {
        var hash = DigestHash(binary: query.binaryPositions)
        let statement = try source.prepare(query.source())
        while try statement.step() {
            hash.add(statement.handle, columnCount: query.cells.count)
            if hash.rows & 0xFFF == 0 { counters.compared.add(0x1000, ordering: .relaxed) }
        }
        counters.compared.add(hash.rows & 0xFFF, ordering: .relaxed)
        return hash.finish()
    }

    private func readTarget(
        _ query: DigestQuery, _ target: borrowing Postgres.Connection
    ) throws -> DigestHash.Digests {
        var hash = DigestHash(binary: query.binaryPositions)
        try target.copyOut(query.target()) { hash.add(line: $0) }
        return hash.finish()
    }
}

extension DigestQuery {
    fileprivate var binaryPositions: [Int] { cells.indices.filter { cells[$0].isBinary } }
}

extension TableDigest {
    fileprivate mutating func add(_ digests: DigestHash.Digests, isTarget: Bool) {
        let side: WritableKeyPath<Pair, String?> = isTarget ? \.target : \.source
        self.digests[keyPath: side] = digests.table
        for (index, digest) in digests.columns.enumerated() { columns[index].digests[keyPath: side] = digest }
        set(digests.rows, isTarget: isTarget)
    }

    fileprivate mutating func set(_ rows: Int, isTarget: Bool) {
        if isTarget { targetRows = rows } else { sourceRows = rows }
    }
}

extension Preparation {
    /// Throws where a table is named that the source does not have.
    func refuseUnknown(_ names: [String]) throws {
        let known = Set(plan.tables.map(\.name))
        guard let unknown = names.first(where: { !known.contains($0) }) else { return }
        throw MigrationError(
            .plan, "the source has no table \(unknown)",
            remedy: "Its tables are: \(known.sorted().joined(separator: ", ")).", exit: .usage)
    }
}
