import Foundation
import MigrationEngine
import Postgres

/// Holds a restored database against its original: every cell of every table, every sequence, and the schema.
///
/// The original is read by one snapshot, by as many connections as there are workers. Memory does not grow with the rows.
struct RestoreProof: Sendable {
    let original: TargetServer
    let restored: TargetServer
    /// The snapshot that the holder's transaction keeps open.
    let snapshot: String
    /// Whether what differs may have been written since.
    let mayBeOlder: Bool
    let folder: String
    let workers: Int
    let cancellation: Cancellation
    let progress: RunProgress

    /// How long one table may take.
    private static let limit = "6h"
    /// Differences of the schema that are named.
    private static let mostNamed = 30

    /// A table that both have, with what it is compared by.
    private struct Pair: Sendable {
        let proof: TwinProof
        let table: RestoredTables.Table
        let counter: RunProgress.Table
    }

    /// Adds to `report` what was found. `holder` is the connection that keeps the snapshot.
    func run(
        _ sequences: (before: SequenceValues, after: SequenceValues), _ holder: borrowing Postgres.Connection,
        _ report: inout DrillReport
    ) throws {
        var found = report
        try restored.withConnection(purpose: "drill") { other in
            try other.execute("SET statement_timeout = '\(Self.limit)'")
            try compareSchemas(sequences, holder, other, &found)
            let (pairs, lone) = try pairs(holder, other, &found)
            progress.setTables(pairs.map(\.counter))
            progress.begin(.proof)
            try addUp(pairs)
            var tables = lone
            for pair in pairs {
                let verdict = try pair.proof.conclude(
                    original: holder, other: other, folder: folder, cancellation: cancellation)
                tables.append(self.table(pair.table, verdict))
            }
            found.tables = tables.sorted { $0.name < $1.name }
        }
        let isWrong = found.tables.contains { $0.state == .differs || $0.state == .missing }
        if isWrong || !found.problems.isEmpty { found.verdict = .differs }
        report = found
    }

    // MARK: Schema and sequences

    private func compareSchemas(
        _ sequences: (before: SequenceValues, after: SequenceValues), _ holder: borrowing Postgres.Connection,
        _ other: borrowing Postgres.Connection, _ report: inout DrillReport
    ) throws {
        let ours = try SchemaPicture(holder)
        let theirs = try SchemaPicture(other)
        report.objects = ours.objects.count
        var problems = SchemaPicture.problems(original: ours, restored: theirs)
        if problems.count > Self.mostNamed {
            let more = problems.count - Self.mostNamed
            problems = problems.prefix(Self.mostNamed) + ["\(Format.count(more)) more objects differ"]
        }
        if mayBeOlder {
            report.notes += problems.map { "changed since the backup: \($0)" }
            report.notes.append("sequences go on with every row, and are not compared with an older backup")
        } else {
            report.problems += problems
            report.problems += SequenceValues.problems(
                before: sequences.before, after: sequences.after, restored: try SequenceValues(other))
        }
    }

    // MARK: Rows

    /// The tables that both have; those of the original alone are in the second value.
    private func pairs(
        _ holder: borrowing Postgres.Connection, _ other: borrowing Postgres.Connection,
        _ report: inout DrillReport
    ) throws -> ([Pair], [DrillReport.Table]) {
        let ours = try RestoredTables(holder)
        let theirs = Dictionary(
            try RestoredTables(other).tables.map { ($0.words, $0.relation) }
        ) { first, _ in first }
        var pairs: [Pair] = []
        var lone = ours.left.map {
            DrillReport.Table(name: $0.name, rows: 0, state: .left, differences: 0, words: [$0.reason])
        }
        for table in ours.tables {
            guard let twin = theirs[table.words] else {
                lone.append(
                    DrillReport.Table(
                        name: table.words, rows: 0, state: mayBeOlder ? .changed : .missing, differences: 0,
                        words: ["the restored database has no such table"]))
                continue
            }
            let names = table.relation.columns.map(\.expression)
            guard twin.columns.map(\.expression) == names else {
                lone.append(
                    DrillReport.Table(
                        name: table.words, rows: 0, state: mayBeOlder ? .changed : .differs, differences: 0,
                        words: ["its columns are not the same"]))
                continue
            }
            pairs.append(
                Pair(
                    proof: TwinProof(table.relation), table: table,
                    counter: RunProgress.Table(name: table.words, rows: table.estimate)))
        }
        return (pairs, lone)
    }

    /// Adds up the rows of both sides, each side by connections of its own.
    private func addUp(_ pairs: [Pair]) throws {
        // The largest first: nobody waits for one that was begun last.
        let order = pairs.sorted { $0.table.estimate > $1.table.estimate }
        let queues = [WorkQueue(order), WorkQueue(order)]
        let each = max(1, min(workers / 2, order.count))
        try WorkerThreads.run(count: 2 * each, onFirstError: { queues.forEach { $0.stop() } }) { index in
            let isOriginal = index % 2 == 0
            let queue = queues[index % 2]
            try (isOriginal ? original : restored).withConnection(purpose: "drill") { connection in
                // Texts of types are written the same way as on the two connections that name the rows.
                try connection.execute("SET statement_timeout = '\(Self.limit)'; SET search_path = ''")
                if isOriginal {
                    try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    try connection.execute("SET TRANSACTION SNAPSHOT \(quoteLiteral(snapshot))")
                }
                while let pair = queue.next() {
                    try cancellation.check()
                    try pair.proof.add(isOriginal ? .original : .other, connection) { rows in
                        if isOriginal { pair.counter.count(compared: rows) }
                    }
                }
            }
        }
    }

    private func table(_ table: RestoredTables.Table, _ verdict: TwinVerdict) -> DrillReport.Table {
        var words = verdict.first.map { row -> String in
            let name = row.key.map { "row \($0)" } ?? "a row (the table has no key)"
            return switch row.kind {
            case .changed: "\(name) differs in \(row.columns.joined(separator: ", "))"
            case .missing: "\(name) was not restored"
            case .extra: "\(name) is in the restored database only"
            }
        }.map(printable)
        if verdict.differences > words.count, !words.isEmpty {
            words.append("\(Format.count(verdict.differences - words.count)) more rows differ")
        }
        return DrillReport.Table(
            name: table.words, rows: verdict.originalRows,
            state: verdict.isEqual ? .equal : mayBeOlder ? .changed : .differs,
            differences: verdict.differences,
            words: words)
    }
}
