import Foundation
import Postgres
import SQLite
import Synchronization

/// A relation that two databases of PostgreSQL should hold alike.
package struct TwinRelation: Sendable {
    package let schema: String
    package let name: String
    /// The columns with what is selected of each: the column itself, or its text where the binary form is none that two
    /// databases share.
    package let columns: [(name: String, expression: String)]
    /// Positions of the key's columns among those; empty where rows have no key.
    package let key: [Int]
    /// What is read: a table alone, without those that inherit from it, or another FROM clause.
    package let from: String

    package init(
        schema: String, name: String, columns: [(name: String, expression: String)], key: [Int],
        from: String? = nil
    ) {
        self.schema = schema
        self.name = name
        self.columns = columns
        self.key = key
        self.from = from ?? "ONLY \(quoteIdentifier(schema, name))"
    }
}

/// What the comparison of one relation came to.
package struct TwinVerdict: Sendable {
    package struct Row: Sendable {
        package enum Kind: String, Sendable { case changed, missing, extra }
        package let kind: Kind
        /// Its key as text; nil of a table without one.
        package let key: String?
        package let columns: [String]
    }

    package var originalRows = 0
    package var otherRows = 0
    /// Rows that differ; at least that many where `isTruncated`.
    package var differences = 0
    package var isTruncated = false
    /// The first of them, in the order of their keys.
    package var first: [Row] = []

    package var isEqual: Bool { differences == 0 }
}

/// Compares a relation of one database with its like in another, cell by cell, with memory that does not grow with the rows.
///
/// Both sides are added up by `add`, each by any thread; `conclude` compares the sums, and reads the rows of those buckets
/// that do not agree again, to name them by their keys.
package final class TwinProof: Sendable {
    package enum Side: Sendable { case original, other }

    package let relation: TwinRelation
    private let hash = RowHash()
    private let sums = Mutex((original: RowSums(), other: RowSums()))

    /// Rows that are named.
    private static let mostNamed = 20

    package init(_ relation: TwinRelation) {
        self.relation = relation
    }

    /// Adds up all rows of one side; `count` hears how many more were read.
    package func add(
        _ side: Side, _ connection: borrowing Postgres.Connection, count: (Int) -> Void = { _ in }
    ) throws {
        var sum = RowSums()
        try read(connection, withKeys: false) { digest, _, _ in
            sum.add(digest)
            if sum.rows & 0xFFF == 0 { count(0x1000) }
        }
        count(sum.rows & 0xFFF)
        sums.withLock { if side == .original { $0.original.add(sum) } else { $0.other.add(sum) } }
    }

    /// The verdict, once both sides are added. `folder` is one that howdah may write a file to.
    package func conclude(
        original: borrowing Postgres.Connection, other: borrowing Postgres.Connection, folder: String,
        cancellation: Cancellation
    ) throws -> TwinVerdict {
        let (ours, theirs) = sums.withLock { ($0.original, $0.other) }
        var verdict = TwinVerdict(originalRows: ours.rows, otherRows: theirs.rows)
        let differing = ours.differing(from: theirs)
        guard differing.isAny else { return verdict }
        verdict.isTruncated = differing.isTruncated
        let pairing = try RowPairing(folder: folder)
        let interrupter = pairing.interrupter
        try cancellation.whileRegistered({ interrupter.interrupt() }) {
            try note(.source, original, differing.buckets, pairing)
            try note(.target, other, differing.buckets, pairing)
            _ = try pairing.settle()
            try keep(.source, original, differing.buckets, pairing)
            try keep(.target, other, differing.buckets, pairing)
            try pairing.forEachPair { ours, theirs in
                verdict.differences += 1
                guard verdict.first.count < Self.mostNamed else { return }
                verdict.first.append(row(ours, theirs))
            }
        }
        // Sums that differ are rows that differ.
        verdict.differences = max(1, verdict.differences)
        return verdict
    }

    // MARK: Reading

    /// Calls `body` with each row's digest, its form, and its key as texts.
    private func read(
        _ connection: borrowing Postgres.Connection, withKeys: Bool,
        _ body: (RowHash.Digest, _ form: RowForm, _ key: [String?]) throws -> Void
    ) throws {
        let keys = withKeys ? relation.key : []
        let count = relation.columns.count
        var row = BinaryRow(columnCount: count + keys.count)
        var form = RawBuffer()
        let list =
            relation.columns.map(\.expression)
            + keys.map { "(\(relation.columns[$0].expression))::pg_catalog.text" }
        try connection.copyOut(
            "COPY (SELECT \(list.joined(separator: ", ")) FROM \(relation.from) AS howdah_row) TO STDOUT (FORMAT binary)"
        ) { message in
            guard try row.read(message) else { return }
            form.removeAll()
            for column in 0..<count {
                let field = row[column]
                RowForm.appendCounted(&form) { Self.append(field, &$0) }
            }
            var texts: [String?] = []
            for index in keys.indices {
                let field = row[count + index]
                texts.append(field.isNull ? nil : field.text)
            }
            try body(hash(form.bytes), RowForm(form.bytes), texts)
        }
    }

    /// One byte tells NULL from an empty value.
    private static func append(_ field: BinaryRow.Field, _ out: inout RawBuffer) {
        out.ensure(1 + field.count)
        out.append(UInt8(field.isNull ? 0 : 1))
        if let start = field.start, field.count > 0 { out.append(from: start, count: field.count) }
    }

    // MARK: Pairing

    private func note(
        _ side: RowPairing.Side, _ connection: borrowing Postgres.Connection, _ buckets: [Bool],
        _ pairing: borrowing RowPairing
    ) throws {
        try read(connection, withKeys: false) { digest, _, _ in
            if buckets[RowSums.bucket(of: digest)] { try pairing.note(digest, side) }
        }
    }

    /// Keeps the rows that have no equal, each with its key's text before its cells.
    private func keep(
        _ side: RowPairing.Side, _ connection: borrowing Postgres.Connection, _ buckets: [Bool],
        _ pairing: borrowing RowPairing
    ) throws {
        var cells = RawBuffer()
        var named = RawBuffer()
        var unkeyed: UInt64 = 0
        try read(connection, withKeys: true) { digest, form, key in
            guard buckets[RowSums.bucket(of: digest)] else { return }
            try pairing.keep(digest, side) {
                let text = key.map { $0 ?? "NULL" }.joined(separator: ", ")
                named.removeAll()
                cells.removeAll()
                RowForm.appendCounted(&named) { $0.append(contentsOf: text.utf8) }
                KeptCells.write(RowForm(named.bytes), hash, to: &cells)
                KeptCells.write(form, hash, to: &cells)
                unkeyed += 1
                return (sortKey(key, side, unkeyed), cells.bytes, nil, nil, nil)
            }
        }
    }

    /// Bytes by which rows of both sides are paired; rows without a key pair with none.
    private func sortKey(_ key: [String?], _ side: RowPairing.Side, _ number: UInt64) -> [UInt8] {
        guard !key.isEmpty else {
            return [side == .source ? 0 : 1] + withUnsafeBytes(of: number.bigEndian) { Array($0) }
        }
        return key.flatMap { text -> [UInt8] in
            guard let text else { return [0] }
            // Shorter numbers come first, as people count; no text holds a zero byte.
            let length = withUnsafeBytes(of: UInt32(text.utf8.count).bigEndian) { Array($0) }
            return [1] + length + Array(text.utf8)
        }
    }

    private func row(_ ours: RowPairing.Row?, _ theirs: RowPairing.Row?) -> TwinVerdict.Row {
        var columns: [String] = []
        if let ours, let theirs {
            let pairs = zip(ours.cells.cells.dropFirst(), theirs.cells.cells.dropFirst())
            for (column, pair) in zip(relation.columns, pairs) where pair.0 != pair.1 {
                columns.append(column.name)
            }
        }
        let key = (ours ?? theirs)?.cells.cells.first.map { String(decoding: $0.form, as: UTF8.self) }
        return TwinVerdict.Row(
            kind: theirs == nil ? .missing : ours == nil ? .extra : .changed,
            key: relation.key.isEmpty ? nil : key, columns: columns)
    }
}
