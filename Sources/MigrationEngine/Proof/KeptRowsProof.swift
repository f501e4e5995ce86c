import CSQLite
import Postgres
import SQLite

/// Compares what the target keeps out of a table with the source: every quarantined row and every replaced value, byte by
/// byte.
///
/// Both sides are read in any order: hashes of whole records are added up modulo 2¹²⁸, with their number.
struct KeptRowsProof {
    let table: Catalog.Table
    let decided: DecidedTable
    let run: Int
    /// One for both sides: each has a key of its own.
    private let hash = RowHash()

    init(table: Catalog.Table, decided: DecidedTable, run: Int) {
        self.table = table
        self.decided = decided
        self.run = run
    }

    private struct Sum: Equatable {
        var count = 0
        var high: UInt64 = 0
        var low: UInt64 = 0

        mutating func add(_ digest: RowHash.Digest) {
            count += 1
            let sum = low.addingReportingOverflow(digest.low)
            low = sum.partialValue
            high = high &+ digest.high &+ (sum.overflow ? 1 : 0)
        }
    }

    /// What is wrong; nil where all is there.
    func obstacle(
        _ source: borrowing SQLite.Connection, _ target: borrowing Postgres.Connection
    ) throws -> String? {
        guard try target.query("SELECT to_regclass('howdah.quarantine') IS NOT NULL").bool(0, 0) else {
            return
                "the rows and values that decisions kept out are not in the target: it has no howdah.quarantine"
        }
        let columns = table.columns.map(\.name)
        if decided.quarantined > 0 {
            let ours = try sum(decided.quarantineName, columns, source)
            let theirs = try sum("quarantine", "row", nil, columns, target)
            guard ours == theirs else {
                return
                    "howdah.quarantine holds \(theirs.count) rows, and not the \(ours.count) of the source as they are"
            }
        }
        for (column, replaced) in decided.replaced where replaced.count > 0 {
            guard let name = decided.replacedName(column) else { continue }
            let ours = try sum(name, [column], source)
            let theirs = try sum("replaced", "value", column, [column], target)
            guard ours == theirs else {
                return
                    "howdah.replaced holds \(theirs.count) values of \(column), and not the \(ours.count) of the source"
            }
        }
        return nil
    }

    private func sum(
        _ kept: String, _ columns: [String], _ source: borrowing SQLite.Connection
    ) throws -> Sum {
        var sum = Sum()
        let statement = try source.prepare(
            KeptRows.query(table, decided.identity, kept: kept, columns: columns))
        var form = RawBuffer()
        while try statement.step() {
            form.removeAll()
            for index in columns.indices {
                let column = Int32(index)
                let storage = statement.storageClass(column)
                let bytes: [UInt8] =
                    switch storage {
                    case .null: []
                    case .integer: Self.bytes(UInt64(bitPattern: statement.int64(column)))
                    case .real: Self.bytes(statement.double(column).bitPattern)
                    case .text:
                        // The text's own bytes, which `text` would make valid.
                        Array(
                            UnsafeBufferPointer(
                                start: sqlite3_column_text(statement.handle, column),
                                count: Int(sqlite3_column_bytes(statement.handle, column))))
                    case .blob: statement.bytes(column)
                    }
                Self.append(storage, bytes, to: &form)
            }
            sum.add(hash(form.bytes))
        }
        return sum
    }

    private func sum(
        _ name: String, _ record: String, _ column: String?, _ columns: [String],
        _ target: borrowing Postgres.Connection
    ) throws -> Sum {
        var sum = Sum()
        var row = BinaryRow(columnCount: 1)
        var form = RawBuffer()
        var condition = "run = \(run) AND source_table = \(quoteLiteral(table.name))"
        if let column { condition += " AND column_name = \(quoteLiteral(column))" }
        try target.copyOut(
            "COPY (SELECT \(record) FROM howdah.\(name) WHERE \(condition)) TO STDOUT (FORMAT binary)"
        ) { message in
            guard try row.read(message) else { return }
            let field = row[0]
            let bytes = [UInt8](UnsafeRawBufferPointer(start: field.start, count: max(0, field.count)))
            form.removeAll()
            if let cells = RowRecord.cells(bytes), cells.map(\.name) == columns {
                for cell in cells { Self.append(cell.storage, cell.bytes, to: &form) }
            }
            sum.add(hash(form.bytes))
        }
        return sum
    }

    private static func append(_ storage: StorageClass, _ bytes: [UInt8], to form: inout RawBuffer) {
        form.ensure(5)
        form.append(UInt8(truncatingIfNeeded: storage.rawValue))
        form.append(Int32(truncatingIfNeeded: bytes.count))
        form.append(contentsOf: bytes)
    }

    private static func bytes(_ value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * UInt64($0))) }
    }
}
