import Foundation
import Postgres
import SQLite
import Synchronization

/// Compares a table without an integer key: hashes of whole rows, added up in buckets on both sides.
///
/// Sums modulo 2¹²⁸ and counts do not depend on the order of rows, so that both sides are read in pieces, by several
/// threads; two equal rows do not cancel each other. Where every bucket agrees the tables are equal; rows of the others are
/// read again and paired by their key.
final class HashedProof: Sendable {
    let table: ProofTable
    private let data: SourceData
    private let schema: String
    private let log: DifferenceLog?
    private let cancellation: Cancellation
    /// The rows to compare, where not all are: a condition in SQL of the source, and a clause of the target's, in which the table is
    /// `howdah_target`.
    private let sourceRows: String?
    private let targetRows: String
    private let hash = RowHash()
    private let sums = Mutex(Sums())

    init(
        table: ProofTable, data: SourceData, schema: String, log: DifferenceLog?, cancellation: Cancellation,
        source: String? = nil, target: String = ""
    ) {
        self.cancellation = cancellation
        self.table = table
        self.data = data
        self.schema = schema
        self.log = log
        sourceRows = source
        targetRows = target
    }

    private struct Sums {
        var ours = RowSums()
        var theirs = RowSums()
        /// Of the target's table, counted once, so that its pieces fit together.
        var blocks: Int?
    }

    // MARK: Pieces, on any thread

    /// Adds up rows of the source.
    func addSource(_ piece: TablePiece, _ source: borrowing SQLite.Connection) throws {
        var side = RowSums()
        try readSource(piece, source) { digest, _, _ in
            side.add(digest)
            if side.rows & 0xFFF == 0 { table.counters.compared.add(0x1000, ordering: .relaxed) }
        }
        table.counters.compared.add(side.rows & 0xFFF, ordering: .relaxed)
        if side.rows > 0 { sums.withLock { $0.ours.add(side) } }
    }

    /// Adds up a part of the target's rows, by where they lie; only of a plain table are there several parts.
    func addTarget(part: Int, of parts: Int, _ target: borrowing Postgres.Connection) throws {
        var condition = ""
        if parts > 1 {
            let blocks = try self.blocks(target)
            condition = "WHERE ctid >= '(\(blocks * part / parts),0)'::tid"
            if part + 1 < parts { condition += " AND ctid < '(\(blocks * (part + 1) / parts),0)'::tid" }
        }
        var side = RowSums()
        try readTarget(target, condition) { digest, _, _ in side.add(digest) }
        if side.rows > 0 { sums.withLock { $0.theirs.add(side) } }
    }

    private func blocks(_ target: borrowing Postgres.Connection) throws -> Int {
        if let known = sums.withLock({ $0.blocks }) { return known }
        let counted =
            try target.query(
                "SELECT pg_relation_size(to_regclass($1)) / current_setting('block_size')::bigint",
                [quoteIdentifier(schema, table.target)]
            ).int(0, 0) ?? 0
        return sums.withLock { sums in
            let blocks = sums.blocks ?? counted
            sums.blocks = blocks
            return blocks
        }
    }

    /// The verdict, once every piece of both sides is added.
    func conclude(
        _ source: borrowing SQLite.Connection, _ target: borrowing Postgres.Connection
    ) throws -> TableVerdict {
        let (ours, theirs) = sums.withLock { sums in
            defer { sums = Sums() }
            return (sums.ours, sums.theirs)
        }
        var verdict = TableVerdict(.equal)
        verdict.sourceRows = ours.rows
        verdict.targetRows = theirs.rows
        let differing = ours.differing(from: theirs)
        if differing.isAny { verdict.verdict = .differs }
        verdict.isTruncated = differing.isTruncated
        if verdict.verdict == .differs { try pair(differing.buckets, source, target, &verdict) }
        return verdict
    }

    // MARK: Reading

    /// Calls `body` with each row's digest and its form.
    private func readSource(
        _ piece: TablePiece, _ source: borrowing SQLite.Connection,
        _ body: (RowHash.Digest, _ form: RowForm, _ rowid: Int64?) throws -> Void
    ) throws {
        let statement = try statement(piece, source)
        let relation = Relation(table.codes)
        let hasRowid = table.source.rowidName != nil
        var form = RawBuffer()
        while try statement.step() {
            form.removeAll()
            for column in 0..<table.columns.count {
                RowForm.appendCounted(&form) { relation.appendSource(statement.handle, column, &$0) }
            }
            let rowid = hasRowid ? statement.int64(Int32(table.columns.count)) : nil
            try body(hash(form.bytes), RowForm(form.bytes), rowid)
        }
    }

    private func statement(
        _ piece: TablePiece, _ source: borrowing SQLite.Connection
    ) throws -> SQLite.Statement {
        let query = data.query(table.source, columns: table.columns)
        if let sourceRows { return try source.prepare(query.rows(where: sourceRows)) }
        return try query.prepare(piece, source)
    }

    /// Calls `body` with each row's digest and its form, and where it lies, if that is asked for.
    private func readTarget(
        _ target: borrowing Postgres.Connection, _ condition: String, withPlaces: Bool = false,
        _ body: (RowHash.Digest, _ form: RowForm, _ place: RowPlace?) throws -> Void
    ) throws {
        let columns = table.columns.count
        var row = BinaryRow(columnCount: columns + (withPlaces ? 2 : 0))
        let relation = Relation(table.codes)
        var form = RawBuffer()
        try target.copyOut(
            """
            COPY (SELECT \(table.selectList())\(withPlaces ? ", howdah_target.ctid, howdah_target.xmin" : "")
                FROM \(quoteIdentifier(schema, table.target)) AS howdah_target \(condition.isEmpty ? targetRows : condition))
            TO STDOUT (FORMAT binary)
            """
        ) { message in
            guard try row.read(message) else { return }
            form.removeAll()
            for column in 0..<columns {
                let field = row[column]
                RowForm.appendCounted(&form) { relation.appendTarget(field, column, &$0) }
            }
            let place = withPlaces ? RowPlace(ctid: row[columns], xmin: row[columns + 1]) : nil
            try body(hash(form.bytes), RowForm(form.bytes), place)
        }
    }

    // MARK: Pairing

    /// Finds the rows that differ, in two further passes over both sides.
    private func pair(
        _ buckets: [Bool], _ source: borrowing SQLite.Connection,
        _ target: borrowing Postgres.Connection, _ verdict: inout TableVerdict
    ) throws {
        let pairing = try RowPairing(folder: (data.snapshot.path as NSString).deletingLastPathComponent)
        let interrupter = pairing.interrupter
        try cancellation.whileRegistered({ interrupter.interrupt() }) {
            try readSource(.all, source) { digest, _, _ in
                if buckets[RowSums.bucket(of: digest)] { try pairing.note(digest, .source) }
            }
            try readTarget(target, "") { digest, _, _ in
                if buckets[RowSums.bucket(of: digest)] { try pairing.note(digest, .target) }
            }
            let left = try pairing.settle()
            var cells = RawBuffer()
            try readSource(.all, source) { digest, form, rowid in
                guard buckets[RowSums.bucket(of: digest)] else { return }
                try pairing.keep(digest, .source) {
                    cells.removeAll()
                    KeptCells.write(form, log?.hash ?? hash, to: &cells)
                    return (sortKey(form, .source, rowid), cells.bytes, rowid, nil, nil)
                }
            }
            try readTarget(target, "", withPlaces: table.isPlain) { digest, form, place in
                guard buckets[RowSums.bucket(of: digest)] else { return }
                try pairing.keep(digest, .target) {
                    cells.removeAll()
                    KeptCells.write(form, log?.hash ?? hash, to: &cells)
                    return (
                        sortKey(form, .target, nil), cells.bytes, nil, place.flatMap(\.text),
                        log.map { Int64(bitPattern: $0.hash(form.bytes).low) }
                    )
                }
            }
            try report(pairing, &verdict)
            // Rows that differ are there, though the target has changed while it was read.
            let least = max(1, left.source, left.target)
            verdict.differences = max(verdict.differences, verdict.isTruncated ? least : 1)
        }
    }

    private var keyColumns: [Int] { table.keyColumns }

    /// Bytes by which rows of both sides are paired, and ordered as their keys are. Rows of a table without a key pair with none.
    private func sortKey(_ row: RowForm, _ side: RowPairing.Side, _ rowid: Int64?) -> [UInt8] {
        guard !keyColumns.isEmpty else {
            let number = UInt64(bitPattern: rowid ?? 0) ^ (1 << 63)
            let bytes = withUnsafeBytes(of: number.bigEndian) { Array($0) }
            return [side == .source ? 0 : 1] + bytes
        }
        var cells: [[UInt8]] = []
        row.forEachCell { cells.append(Array($0)) }
        return keyColumns.flatMap { column in
            var form = cells[column]
            // A negative number comes before the others.
            if [.int2, .int4, .int8].contains(table.codes[column].operation), form.count == 9 {
                form[1] ^= 0x80
            }
            // Its end comes before everything else, and no byte of it looks like one.
            return form.flatMap { byte -> [UInt8] in byte == 0 ? [0, 0xFF] : [byte] } + [0, 0]
        }
    }

    private func report(_ pairing: borrowing RowPairing, _ verdict: inout TableVerdict) throws {
        var found = verdict
        var recorder = DifferenceRecorder(table, part: 0, log: log)
        try pairing.forEachPair { ours, theirs in
            var columns: [String] = []
            if let ours, let theirs {
                for (index, (one, other)) in zip(ours.cells.cells, theirs.cells.cells).enumerated()
                where one != other {
                    columns.append(table.columns[index])
                    recorder.note(
                        one.form, other.form, column: index, cut: other.hash, isCut: one.isCut || other.isCut)
                }
            }
            guard let cells = (ours ?? theirs)?.cells.cells else { return }
            let key = keyColumns.map { cells[$0] }
            let isWhole = key.allSatisfy { !$0.isCut && $0.form.first == Relation.Mark.value.rawValue }
            let texts = isWhole ? KeyText.texts(of: key.map { Array($0.form) }, table, keyColumns) : nil
            let difference = RowDifference(
                kind: theirs == nil ? .missing : ours == nil ? .extra : .changed,
                key: describe(key.map(\.form), rowid: ours?.rowid), columns: columns,
                place: .init(rowid: ours?.rowid, keys: texts, ctid: texts == nil ? theirs?.ctid : nil))
            found.add(difference)
            try recorder.add(difference, targetHash: theirs?.targetHash)
        }
        try recorder.finish()
        verdict = found
    }

    /// A key as the operator can find it: numbers and texts as they are, other forms as hexadecimal digits.
    private func describe(_ key: [ArraySlice<UInt8>], rowid: Int64?) -> String {
        guard !keyColumns.isEmpty else {
            return rowid.map { "rowid \($0)" } ?? "a row of a table without a key"
        }
        return zip(keyColumns, key).map { column, form in
            let value = form.dropFirst()
            guard form.first == Relation.Mark.value.rawValue else { return "NULL" }
            switch table.codes[column].operation {
            case .int2, .int4, .int8:
                return "\(value.reduce(Int64(0)) { $0 << 8 | Int64($1) })"
            case .text, .varchar, .enumeration: return String(decoding: value, as: UTF8.self)
            default: return "\\x" + value.hexadecimal
            }
        }.joined(separator: ", ")
    }
}

/// Where a row lies in the target, and the transaction that wrote it: another row may come to lie there.
struct RowPlace {
    let ctid: BinaryRow.Field
    let xmin: BinaryRow.Field

    /// `(block,number)/transaction`; nil where the server gave something else.
    var text: String? {
        guard let start = ctid.start, ctid.count == 6, xmin.count == 4 else { return nil }
        let block = UInt32(bigEndian: start.loadUnaligned(as: UInt32.self))
        let number = UInt16(bigEndian: (start + 4).loadUnaligned(as: UInt16.self))
        return "(\(block),\(number))/\(xmin.integer(UInt32.self))"
    }
}
