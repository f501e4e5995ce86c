import Foundation
import Postgres
import SQLite
import Synchronization

/// Compares every cell of every table of a snapshot with what a target holds.
///
/// Tables with an integer key are compared in the order of the key, piece by piece; others by `HashedProof`. Types
/// are those that the target has, whoever made it. Workers as in the copy.
struct Prover: Sendable {
    let data: SourceData
    let server: TargetServer
    let schema: String
    let cancellation: Cancellation
    let progress: RunProgress
    let gate: PauseGate
    let differences: DifferenceLog?

    /// What leaves a piece of work when no error ends it: rows of one table within a range of keys.
    struct Job: Sendable {
        let table: ProofTable
        /// nil compares the whole table by hashes.
        let keys: ClosedRange<Int64>?
    }

    /// What the comparisons have come to, by table.
    let verdicts = Verdicts()

    /// Compares whole tables, beside each other.
    func compare(_ tables: [ProofTable], workers: Int) throws {
        let jobs = Self.jobs(tables)
        let queue = WorkQueue(jobs)
        try WorkerThreads.run(count: max(1, min(workers, jobs.count)), onFirstError: { queue.stop() }) { _ in
            let connection = try data.open()
            let interrupter = connection.interrupter
            try cancellation.whileRegistered({ interrupter.interrupt() }) {
                try server.withConnection(purpose: "proof") { target in
                    while let job = queue.next() {
                        try gate.pass(cancellation)
                        try compare(job, connection, target)
                    }
                }
            }
        }
    }

    /// Compares one piece, in a transaction that can only read, and adds its verdict to the table's.
    ///
    /// One snapshot of all pieces is not needed: nobody else writes, and who does makes a difference that is shown.
    func compare(
        _ job: Job, _ source: borrowing SQLite.Connection, _ target: borrowing Postgres.Connection
    ) throws {
        let start = ContinuousClock.now
        let verdict = try target.transaction { target in
            try target.execute("SET TRANSACTION READ ONLY; SET LOCAL max_parallel_workers_per_gather = 0")
            return try run(job, source, target)
        }
        verdicts.merge(verdict, job.table.source.name, seconds: (ContinuousClock.now - start).seconds)
    }

    /// Pieces of tables, those of the largest first.
    static func jobs(_ tables: [ProofTable]) -> [Job] {
        tables.sorted { $0.profile.bytes > $1.profile.bytes }.flatMap(jobs)
    }

    /// Pieces of a table between the ends that the profile found; together they cover every key.
    private static func jobs(_ table: ProofTable) -> [Job] {
        guard table.integerKey != nil else { return [Job(table: table, keys: nil)] }
        let ends = table.isKeyRowid ? table.profile.chunkEnds.dropLast() : []
        var jobs: [Job] = []
        var first = Int64.min
        for end in ends {
            jobs.append(Job(table: table, keys: first...end))
            first = end + 1
        }
        jobs.append(Job(table: table, keys: first...Int64.max))
        return jobs
    }

    private func run(
        _ job: Job, _ source: borrowing SQLite.Connection, _ target: borrowing Postgres.Connection
    ) throws -> TableVerdict {
        do {
            guard let keys = job.keys else {
                return try HashedProof(table: job.table, data: data, schema: schema, log: differences)
                    .run(source, target)
            }
            return try OrderedProof(
                table: job.table, data: data, schema: schema, keys: keys, log: differences
            ).run(source, target)
        } catch let error as SQLiteError where error.isInterrupted {
            throw MigrationError.cancelled
        }
    }

    final class Verdicts: Sendable {
        private let byName = Mutex<[String: TableVerdict]>([:])

        var all: [String: TableVerdict] { byName.withLock { $0 } }

        subscript(name: String) -> TableVerdict { byName.withLock { $0[name] } ?? TableVerdict(.equal) }

        func merge(_ verdict: TableVerdict, _ name: String, seconds: Double) {
            byName.withLock { verdicts in
                var whole = verdicts[name] ?? TableVerdict(.equal)
                whole.merge(verdict)
                whole.seconds += seconds
                verdicts[name] = whole
            }
        }
    }
}

/// A table with what the proof needs to know of both sides.
struct ProofTable: Sendable {
    let source: Catalog.Table
    /// Its name in the target.
    let target: String
    let profile: TableProfile
    /// Columns in the order in which they are read, as the source spells them.
    let columns: [String]
    /// The same columns, as the target spells them.
    let targetColumns: [String]
    /// By the types that the target has.
    let codes: [ColumnCode]
    /// How the server gives columns whose types only it knows.
    let foreign: [String: ForeignForm]
    let counters: RunProgress.Table

    /// The one column of the primary key, where it holds an integer on both sides.
    var integerKey: Int? {
        guard source.primaryKey.count == 1, let index = columns.firstIndex(of: source.primaryKey[0]),
            [.int2, .int4, .int8].contains(codes[index].operation), isKeyRowid || profileOfKeyIsInteger
        else { return nil }
        return index
    }

    var isKeyRowid: Bool { source.rowidAlias != nil && source.rowidAlias == source.primaryKey.first }

    private var profileOfKeyIsInteger: Bool {
        guard let index = source.columns.firstIndex(where: { $0.name == source.primaryKey[0] }),
            index < profile.columns.count
        else { return false }
        let column = profile.columns[index]
        return column.integers == profile.rows
    }

    /// Positions of the key's columns; empty without a key.
    var keyColumns: [Int] { source.primaryKey.compactMap { columns.firstIndex(of: $0) } }

    /// The columns; those of foreign types as `ForeignForm` reads them.
    func selectList() -> String {
        zip(columns, targetColumns).map { column, target in
            let name = quoteIdentifier(target)
            return foreign[column]?.read(name) ?? name
        }.joined(separator: ", ")
    }
}
