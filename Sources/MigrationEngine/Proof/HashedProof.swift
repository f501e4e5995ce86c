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
    /// The rows to compare, where not all are: a condition in SQL of the source, and a clause of the target's, in which the table is
    /// `howdah_target`.
    private let sourceRows: String?
    private let targetRows: String
    private let hash = RowHash()
    private let sums = Mutex(Sums())

    private static let bucketCount = 4096
    /// Rows of differing buckets that are kept to be paired.
    private static let mostRows = 100_000

    init(
        table: ProofTable, data: SourceData, schema: String, log: DifferenceLog?, source: String? = nil,
        target: String = ""
    ) {
        self.table = table
        self.data = data
        self.schema = schema
        self.log = log
        sourceRows = source
        targetRows = target
    }

    private struct Bucket: Equatable {
        var count = 0
        var high: UInt64 = 0
        var low: UInt64 = 0

        mutating func add(_ digest: RowHash.Digest) {
            add(Bucket(count: 1, high: digest.high, low: digest.low))
        }

        mutating func add(_ other: Bucket) {
            count += other.count
            let sum = low.addingReportingOverflow(other.low)
            low = sum.partialValue
            high = high &+ other.high &+ (sum.overflow ? 1 : 0)
        }
    }

    private static func bucket(of digest: RowHash.Digest) -> Int {
        Int(truncatingIfNeeded: digest.high >> 32) & (bucketCount - 1)
    }

    /// One side's rows in buckets; without memory of its own before the first and after the last.
    private struct Side {
        var rows = 0
        var buckets: [Bucket] = []

        mutating func add(_ other: Side) {
            rows += other.rows
            if buckets.isEmpty {
                buckets = other.buckets
            } else {
                for index in buckets.indices { buckets[index].add(other.buckets[index]) }
            }
        }

        mutating func add(_ digest: RowHash.Digest) {
            if buckets.isEmpty { buckets = Array(repeating: Bucket(), count: HashedProof.bucketCount) }
            rows += 1
            buckets[HashedProof.bucket(of: digest)].add(digest)
        }
    }

    private struct Sums {
        var ours = Side()
        var theirs = Side()
        /// Of the target's table, counted once, so that its pieces fit together.
        var blocks: Int?
    }

    // MARK: Pieces, on any thread

    /// Adds up rows of the source.
    func addSource(_ piece: TablePiece, _ source: borrowing SQLite.Connection) throws {
        var side = Side()
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
        var side = Side()
        try readTarget(target, condition) { digest, _ in side.add(digest) }
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
        let none = Bucket()
        let differing = (0..<Self.bucketCount).filter {
            (ours.buckets.isEmpty ? none : ours.buckets[$0])
                != (theirs.buckets.isEmpty ? none : theirs.buckets[$0])
        }
        if !differing.isEmpty { try pair(Set(differing), source, target, &verdict) }
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
                Self.appendCounted(&form) { relation.appendSource(statement.handle, column, &$0) }
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

    private func readTarget(
        _ target: borrowing Postgres.Connection, _ condition: String,
        _ body: (RowHash.Digest, _ form: RowForm) throws -> Void
    ) throws {
        var row = BinaryRow(columnCount: table.columns.count)
        let relation = Relation(table.codes)
        var form = RawBuffer()
        try target.copyOut(
            """
            COPY (SELECT \(table.selectList()) FROM \(quoteIdentifier(schema, table.target)) AS howdah_target
                \(condition.isEmpty ? targetRows : condition)) TO STDOUT (FORMAT binary)
            """
        ) { message in
            guard try row.read(message) else { return }
            form.removeAll()
            for column in 0..<table.columns.count {
                let field = row[column]
                Self.appendCounted(&form) { relation.appendTarget(field, column, &$0) }
            }
            try body(hash(form.bytes), RowForm(form.bytes))
        }
    }

    /// A form with its length before it: neighbours cannot run into each other.
    @inline(__always)
    private static func appendCounted(_ out: inout RawBuffer, _ append: (inout RawBuffer) -> Void) {
        out.ensure(4)
        let start = out.count
        out.append(Int32(0))
        append(&out)
        out.replace(at: start, with: Int32(truncatingIfNeeded: out.count - start - 4))
    }

    /// The form of a row, valid during the call that hands it out.
    private struct RowForm {
        let bytes: UnsafeRawBufferPointer

        init(_ bytes: UnsafeRawBufferPointer) {
            self.bytes = bytes
        }

        /// The forms of the cells.
        func cells() -> [[UInt8]] {
            var cells: [[UInt8]] = []
            var offset = 0
            while offset + 4 <= bytes.count {
                let length = Int(
                    Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
                cells.append(Array(bytes[offset + 4..<offset + 4 + length]))
                offset += 4 + length
            }
            return cells
        }
    }

    // MARK: Pairing

    /// Digests and key forms of the rows that differ, in two further passes over both sides.
    private func pair(
        _ buckets: Set<Int>, _ source: borrowing SQLite.Connection,
        _ target: borrowing Postgres.Connection, _ verdict: inout TableVerdict
    ) throws {
        var balance: [RowHash.Digest: Int] = [:]
        var kept = 0
        func isKept(_ digest: RowHash.Digest) -> Bool {
            guard buckets.contains(Self.bucket(of: digest)) else { return false }
            kept += 1
            return kept <= Self.mostRows
        }
        try readSource(.all, source) { digest, _, _ in if isKept(digest) { balance[digest, default: 0] += 1 }
        }
        verdict.isTruncated = kept > Self.mostRows
        kept = 0
        try readTarget(target, "") { digest, _ in if isKept(digest) { balance[digest, default: 0] -= 1 } }
        verdict.isTruncated = verdict.isTruncated || kept > Self.mostRows
        balance = balance.filter { $0.value != 0 }

        var missing = Rows()
        var extra = Rows()
        var rest = balance
        try readSource(.all, source) { digest, form, rowid in
            if let count = rest[digest], count > 0 {
                rest[digest] = count - 1
                missing.add(form.cells(), keyColumns, rowid: rowid)
            }
        }
        try readTarget(target, "") { digest, form in
            if let count = rest[digest], count < 0 {
                rest[digest] = count + 1
                extra.add(form.cells(), keyColumns, rowid: nil)
            }
        }
        try report(missing, extra, &verdict)
    }

    private var keyColumns: [Int] { table.keyColumns }

    /// Rows of one side by the form of their key; whole rows only for the first ones.
    private struct Rows {
        var cells: [[[UInt8]]: [[UInt8]]] = [:]
        var order: [[[UInt8]]] = []
        /// By place in `order`; nil in the target, and in tables without rowids.
        var rowids: [Int64?] = []
        /// Rows over the first ones, which are only counted.
        var uncounted = 0

        mutating func add(_ row: [[UInt8]], _ keyColumns: [Int], rowid: Int64?) {
            guard order.count < 1000 else {
                uncounted += 1
                return
            }
            let key = keyColumns.isEmpty ? row + [Array("\(order.count)".utf8)] : keyColumns.map { row[$0] }
            cells[key] = row
            order.append(key)
            rowids.append(rowid)
        }
    }

    private func report(_ missing: Rows, _ extra: Rows, _ verdict: inout TableVerdict) throws {
        func add(
            _ kind: RowDifference.Kind, _ key: [[UInt8]], _ columns: [String] = [], rowid: Int64? = nil
        ) throws {
            let difference = RowDifference(
                kind: kind, key: describe(key, rowid: rowid), columns: columns,
                place: .init(rowid: rowid, keys: KeyText.texts(of: key, table, keyColumns)))
            verdict.add(difference)
            try log?.add(difference, of: table.source.name)
        }
        // A target without a unique key may have several rows of one.
        var unpaired = Dictionary(extra.order.map { ($0, 1) }, uniquingKeysWith: +)
        for (key, rowid) in zip(missing.order, missing.rowids) {
            guard !keyColumns.isEmpty, let count = unpaired[key], count > 0,
                let ours = missing.cells[key], let theirs = extra.cells[key]
            else {
                try add(.missing, key, rowid: rowid)
                continue
            }
            unpaired[key] = count - 1
            let changed = table.columns.indices.filter { ours[$0] != theirs[$0] }.map { table.columns[$0] }
            try add(.changed, key, changed, rowid: rowid)
        }
        for key in extra.order {
            guard let count = unpaired[key], count > 0 else { continue }
            unpaired[key] = count - 1
            try add(.extra, key)
        }
        let uncounted = max(missing.uncounted, extra.uncounted)
        if uncounted > 0 || verdict.isTruncated {
            verdict.verdict = .differs
            // Rows that differ are there, though none of those that were kept may be among them.
            verdict.differences = max(1, verdict.differences + uncounted)
            verdict.isTruncated = true
        }
    }

    /// A key as the operator can find it: numbers and texts as they are, other forms as hexadecimal digits.
    private func describe(_ key: [[UInt8]], rowid: Int64? = nil) -> String {
        guard !keyColumns.isEmpty else {
            return rowid.map { "rowid \($0)" } ?? "a row of a table without a key"
        }
        return zip(keyColumns, key).map { column, form in
            let value = form.dropFirst()
            switch table.codes[column].operation {
            case .int2, .int4, .int8:
                return "\(value.reduce(Int64(0)) { $0 << 8 | Int64($1) })"
            case .text, .varchar, .enumeration: return String(decoding: value, as: UTF8.self)
            default: return "\\x" + value.hexadecimal
            }
        }.joined(separator: ", ")
    }
}
