import CSQLite
import Foundation
import Postgres
import SQLite

/// The original bytes of rows in quarantine and of values that were replaced, as the target keeps them.
///
/// `howdah.quarantine` has one row for each row that is not loaded, `howdah.replaced` one for each value that stands
/// there otherwise than in the source; `RowRecord` tells how their bytes are read.
struct KeptRows {
    let table: Catalog.Table
    let decided: DecidedTable
    let run: Int

    static let tables = """
        CREATE TABLE IF NOT EXISTS howdah.quarantine (
            run bigint NOT NULL REFERENCES howdah.run ON DELETE CASCADE, source_table text NOT NULL,
            source_rowid bigint, key jsonb NOT NULL, reason text NOT NULL, row bytea NOT NULL);
        CREATE TABLE IF NOT EXISTS howdah.replaced (
            run bigint NOT NULL REFERENCES howdah.run ON DELETE CASCADE, source_table text NOT NULL,
            source_rowid bigint, key jsonb NOT NULL, reason text NOT NULL, column_name text NOT NULL,
            value bytea NOT NULL)
        """

    /// Bytes that are handed to the server at once.
    private static let flushBytes = 1 << 16

    /// Writes all that is kept of the table; returns how many rows went into quarantine.
    func write(
        _ source: borrowing SQLite.Connection, _ target: borrowing Postgres.Connection
    ) throws -> Int {
        var count = 0
        if decided.quarantined > 0 {
            let names = table.columns.map(\.name)
            count = try copy(
                "howdah.quarantine (run, source_table, source_rowid, key, reason, row)",
                decided.quarantineName,
                names, column: nil, source, target)
        }
        for (column, replaced) in decided.replaced.sorted(by: { $0.key < $1.key }) where replaced.count > 0 {
            guard let name = decided.replacedName(column) else { continue }
            _ = try copy(
                "howdah.replaced (run, source_table, source_rowid, key, reason, column_name, value)", name,
                [column], column: column, source, target)
        }
        return count
    }

    /// The rows that `kept` names: the wanted columns, those of the primary key, the rowid or nothing, the reason.
    static func query(
        _ table: Catalog.Table, _ identity: RowIdentity, kept: String, columns: [String]
    ) -> String {
        let wanted = (columns + table.primaryKey).map { "\(DecidedTable.alias).\(quoteIdentifier($0))" }
        let rowid = identity.isRowid ? identity.terms(of: DecidedTable.alias)[0] : "NULL"
        let order = identity.names.map { "k.\($0)" }.joined(separator: ", ")
        return """
            SELECT \((wanted + [rowid, "k.reason"]).joined(separator: ", "))
            FROM \(kept) AS k CROSS JOIN main.\(quoteIdentifier(table.name)) AS \(DecidedTable.alias)
            ON \(identity.matches("k", DecidedTable.alias)) ORDER BY \(order)
            """
    }

    private func copy(
        _ destination: String, _ kept: String, _ columns: [String], column: String?,
        _ source: borrowing SQLite.Connection, _ target: borrowing Postgres.Connection
    ) throws -> Int {
        let statement = try source.prepare(
            Self.query(table, decided.identity, kept: kept, columns: columns))
        let keyStart = Int32(columns.count)
        let rowid = keyStart + Int32(table.primaryKey.count)
        var out = RawBuffer()
        var record = RawBuffer()
        var rows = 0
        RowEncoder.appendHeader(to: &out)
        let taken = try target.copyIn("COPY \(destination) FROM STDIN (FORMAT binary)") {
            while try statement.step() {
                out.ensure(2)
                out.append(Int16(column == nil ? 6 : 7))
                out.appendField(Int64(run))
                out.appendField(Array(table.name.utf8))
                if statement.isNull(rowid) {
                    out.appendNull()
                } else {
                    out.appendField(statement.int64(rowid))
                }
                out.appendField([1] + Self.key(statement, table.primaryKey, from: keyStart).utf8)
                out.appendField(Array(statement.text(rowid + 1).utf8))
                if let column { out.appendField(Array(column.utf8)) }
                record.removeAll()
                RowRecord.append(statement, names: columns, to: &record)
                out.ensure(4 + record.count)
                out.append(Int32(truncatingIfNeeded: record.count))
                if let start = record.bytes.baseAddress { out.append(from: start, count: record.count) }
                rows += 1
                if out.count >= Self.flushBytes {
                    try target.send(out.bytes)
                    out.removeAll()
                }
            }
            out.ensure(2)
            out.append(Int16(-1))
            try target.send(out.bytes)
        }
        guard taken == rows else {
            throw MigrationError(
                .target, "the server took \(taken) of \(rows) rows that are kept of \(table.name)",
                remedy: "Look for rules or triggers on the tables of the schema howdah.")
        }
        return rows
    }

    /// The primary key as a JSON object: numbers as they are, texts as texts, bytes as `\x` and hexadecimal digits.
    private static func key(
        _ row: borrowing SQLite.Statement, _ columns: [String], from first: Int32
    ) -> String {
        let members = columns.enumerated().map { index, name in
            let column = first + Int32(index)
            let value: String
            switch row.storageClass(column) {
            case .null: value = "null"
            case .integer: value = row.text(column)
            case .real:
                let real = row.double(column)
                value = real.isFinite ? "\(real)" : quote("\(real)")
            case .text:
                let bytes = row.bytes(column)
                let isText = bytes.withUnsafeBufferPointer { buffer in
                    buffer.baseAddress.map {
                        let scan = TextScan($0, count: buffer.count)
                        return scan.isValid && !scan.hasNUL
                    } ?? true
                }
                value = quote(isText ? String(decoding: bytes, as: UTF8.self) : "\\x" + bytes.hexadecimal)
            case .blob: value = quote("\\x" + row.bytes(column).hexadecimal)
            }
            return "\(quote(name)): \(value)"
        }
        return "{\(members.joined(separator: ", "))}"
    }

    private static func quote(_ text: String) -> String {
        let data = try? JSONEncoder().encode(text)
        return data.map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
}

extension RawBuffer {
    mutating func appendNull() {
        ensure(4)
        append(Int32(-1))
    }

    mutating func appendField(_ value: Int64) {
        ensure(12)
        append(Int32(8))
        append(value)
    }

    mutating func appendField(_ bytes: [UInt8]) {
        ensure(4)
        append(Int32(truncatingIfNeeded: bytes.count))
        append(contentsOf: bytes)
    }
}
