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

    /// A piece of a table's comparison.
    struct Job: Sendable {
        enum Part: Sendable {
            /// Both sides in the order of their integer key, within a range of it.
            case keys(ClosedRange<Int64>)
            /// Both sides by hashes; the same in pieces, and what they come to.
            case whole(HashedProof)
            case source(HashedProof, TablePiece)
            case target(HashedProof, part: Int, of: Int)
            case end(HashedProof)
        }

        let table: ProofTable
        let part: Part

        /// Whether it waits for the other pieces of its table.
        var isEnd: Bool { if case .end = part { true } else { false } }
    }

    /// What the comparisons have come to, by table.
    let verdicts = Verdicts()

    /// Compares whole tables, beside each other.
    func compare(_ tables: [ProofTable], workers: Int) throws {
        var work = TableWork()
        work.compare(tables, by: self)
        try work.run(workers: workers, data: data, server: server, purpose: "proof", cancellation, gate) {
            piece, source, target in
            if case .compare(let job) = piece { try compare(job, source, target) }
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

    /// The pieces of a table, which together cover every row of both sides.
    func jobs(_ table: ProofTable) -> [Job] {
        let pieces = table.profile.pieces
        guard table.integerKey == nil else {
            let all = Int64.min...Int64.max
            let ranges = pieces.map {
                if case .rowids(let range) = $0, table.isKeyRowid { range } else { all }
            }
            return (table.isKeyRowid ? ranges : [all]).map { Job(table: table, part: .keys($0)) }
        }
        let proof = HashedProof(
            table: table, data: data, schema: schema, log: differences, cancellation: cancellation)
        guard pieces.count > 1 else { return [Job(table: table, part: .whole(proof))] }
        let parts = table.isPlain ? pieces.count : 1
        return pieces.map { Job(table: table, part: .source(proof, $0)) }
            + (0..<parts).map { Job(table: table, part: .target(proof, part: $0, of: parts)) }
            + [Job(table: table, part: .end(proof))]
    }

    private func run(
        _ job: Job, _ source: borrowing SQLite.Connection, _ target: borrowing Postgres.Connection
    ) throws -> TableVerdict {
        do {
            switch job.part {
            case .keys(let keys):
                return try OrderedProof(
                    table: job.table, data: data, schema: schema, keys: keys, log: differences
                ).run(source, target)
            case .whole(let proof):
                try proof.addSource(.all, source)
                try proof.addTarget(part: 0, of: 1, target)
                return try proof.conclude(source, target)
            case .source(let proof, let piece): try proof.addSource(piece, source)
            case .target(let proof, let part, let parts): try proof.addTarget(part: part, of: parts, target)
            case .end(let proof): return try proof.conclude(source, target)
            }
            return TableVerdict(.equal)
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
    /// Whether the target's is a table whose rows lie in one file: neither a view nor in partitions.
    var isPlain = false
    /// The plan's columns with the types that the target has; empty of views.
    var actual: [MigrationPlan.Column] = []
    /// Whether the target's may be walked in the order of its key: without a unique index every piece would sort the table, and
    /// rows of one key come in any order.
    var mayBeWalked = true

    /// The one column of the primary key, where it holds an integer on both sides.
    var integerKey: Int? {
        guard mayBeWalked, source.primaryKey.count == 1,
            let index = columns.firstIndex(of: source.primaryKey[0]),
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

    /// Positions of the key's columns; empty without a key, and where not all of it is compared: a part tells no rows apart.
    var keyColumns: [Int] {
        let positions = source.primaryKey.compactMap { columns.firstIndex(of: $0) }
        return positions.count == source.primaryKey.count ? positions : []
    }

    /// The columns; those of foreign types as `ForeignForm` reads them.
    func selectList() -> String {
        zip(columns, targetColumns).map { column, target in
            let name = quoteIdentifier(target)
            return foreign[column]?.read(name) ?? name
        }.joined(separator: ", ")
    }
}
