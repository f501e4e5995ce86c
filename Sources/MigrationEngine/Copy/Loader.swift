import Foundation
import Postgres
import SQLite
import Synchronization

/// Loads pieces of tables, on any thread.
///
/// A piece is read, encoded and sent by one worker in one transaction, whose first row is the piece's line in the
/// ledger. Nothing is retried here: an error ends the load, and the caller decides what becomes of what is there.
struct Loader: Sendable {
    let data: SourceData
    let ledger: Ledger
    let script: SchemaScript
    let tables: [LoadTable]
    let cancellation: Cancellation
    let gate: PauseGate
    /// Tables in which rows are that stay.
    let keeping: Set<String>
    /// Whether every value was found to fit the target's types before.
    let isChecked: Bool
    private let byName: [String: LoadTable]

    init(
        data: SourceData, ledger: Ledger, script: SchemaScript, tables: [LoadTable],
        cancellation: Cancellation, gate: PauseGate, keeping: Set<String>, isChecked: Bool = true
    ) {
        self.isChecked = isChecked
        self.data = data
        self.ledger = ledger
        self.script = script
        self.tables = tables
        self.cancellation = cancellation
        self.gate = gate
        self.keeping = keeping
        byName = Dictionary(tables.map { ($0.source.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// A table of the source with how it is encoded.
    struct LoadTable: Sendable {
        let source: Catalog.Table
        let plan: MigrationPlan.Table
        /// Those of the plan that hold data; PostgreSQL computes the others.
        let columns: [MigrationPlan.Column]
        /// In the order of `columns`.
        let codes: [ColumnCode]
        /// Whether it is howdah's own, and large enough for a file of its own to pay, see `LogSkipping`.
        let maySkipLog: Bool
        let counters: RunProgress.Table
    }

    /// Bytes that are handed to the server at once.
    static let flushBytes = 1 << 16

    /// Reads, encodes and sends a piece, in a transaction.
    func load(
        _ chunk: Ledger.Chunk, _ source: borrowing SQLite.Connection, _ target: borrowing Postgres.Connection
    ) throws {
        guard let table = byName[chunk.table] else { return }
        if chunk.isKept {
            try keep(chunk, of: table, source, target)
            return
        }
        var rows = try SourceRows.read(
            chunk.piece, of: table.source, columns: table.columns.map(\.name), source,
            decided: data.decided?.tables[chunk.table])
        try target.transaction { target in
            try ledger.claim(chunk, target)
            let isNew =
                try chunk.piece == .all && table.maySkipLog
                && LogSkipping.renew(script.qualified(table.plan), target)
            try ledger.setRows(try send(&rows, of: table, isNew: isNew, target), of: chunk, target)
        }
    }

    /// Writes what decisions keep out of the table, in a transaction of its own.
    private func keep(
        _ chunk: Ledger.Chunk, of table: LoadTable, _ source: borrowing SQLite.Connection,
        _ target: borrowing Postgres.Connection
    ) throws {
        guard let decided = data.decided?.tables[table.source.name] else { return }
        try target.transaction { target in
            try ledger.claim(chunk, target)
            let kept = KeptRows(table: table.source, decided: decided, run: ledger.run)
            do {
                table.counters.quarantined.store(try kept.write(source, target), ordering: .relaxed)
            } catch let error as SQLiteError where error.isInterrupted {
                throw MigrationError.cancelled
            }
            try ledger.setRows(0, of: chunk, target)
        }
    }

    /// Sends rows, through a staging table where a type has no binary form here. `isNew` says that the
    /// table's file was made in this transaction; `other` names another table to send them to.
    func send(
        _ source: inout SourceRows, of table: LoadTable, isNew: Bool = false, into other: String? = nil,
        _ target: borrowing Postgres.Connection
    ) throws -> Int {
        let columns = table.columns.map { quoteIdentifier($0.targetName) }.joined(separator: ", ")
        let name = other ?? script.qualified(table.plan)
        let keeps = keeping.contains(table.source.name)
        let staged = keeps || table.columns.contains(where: \.isForeign)
        let destination = staged ? "pg_temp.howdah_staging" : name
        if staged {
            let definitions = table.columns.map { column in
                let type = column.foreignForm?.carrier ?? script.type(of: column)
                return "\(quoteIdentifier(column.targetName)) \(type)"
            }
            try target.execute(
                "CREATE TEMP TABLE howdah_staging (\(definitions.joined(separator: ", "))) ON COMMIT DROP")
        }
        var sent = 0
        let options = isNew && !staged ? "FORMAT binary, FREEZE" : "FORMAT binary"
        let taken = try target.copyIn("COPY \(destination) (\(columns)) FROM STDIN (\(options))") {
            sent = try encode(&source, of: table, target)
        }
        guard taken == sent else {
            throw MigrationError(
                .target, "the server took \(taken) of \(sent) rows of \(table.plan.name)",
                remedy: "Look for rules or triggers on the table; the rows were rolled back.")
        }
        if staged {
            let casts = table.columns.map { column in
                let value = quoteIdentifier(column.targetName)
                return column.foreignForm?.load(value) ?? value
            }
            let inserted = try target.query(
                "INSERT INTO \(name) (\(columns)) OVERRIDING SYSTEM VALUE SELECT \(casts.joined(separator: ", ")) "
                    + "FROM \(destination)" + (keeps ? " ON CONFLICT DO NOTHING" : "")
            ).affectedRows
            try target.execute("DROP TABLE \(destination)")
            guard keeps, let inserted else { return sent }
            try ledger.addPresent(sent - inserted, of: table.source.name, target)
            return inserted
        }
        return sent
    }

    private func encode(
        _ source: inout SourceRows, of table: LoadTable, _ target: borrowing Postgres.Connection
    ) throws -> Int {
        var encoder = RowEncoder(table.codes, borrowsLargeValues: true)
        encoder.appendHeader()
        var rows = 0
        var reported = 0
        do {
            while try source.next() {
                if let misfit = encoder.encodeRow(source) {
                    let column = encoder.misfitColumn
                    throw isChecked
                        ? unexpected(misfit, column: column, row: rows, of: table)
                        : Self.unfit(
                            misfit, column: table.columns[column], Self.key(of: source, table), table)
                }
                rows += 1
                if encoder.bytes.count >= Self.flushBytes || encoder.hasBorrowed {
                    try encoder.forEachPart { try target.send($0) }
                    encoder.removeAll()
                    try gate.pass(cancellation)
                    table.counters.loaded.add(rows - reported, ordering: .relaxed)
                    reported = rows
                }
            }
        } catch let error as SQLiteError where error.isInterrupted {
            throw MigrationError.cancelled
        }
        encoder.appendTrailer()
        try target.send(encoder.bytes)
        table.counters.loaded.add(rows - reported, ordering: .relaxed)
        return rows
    }

    private static func unfit(
        _ misfit: Misfit, column: MigrationPlan.Column, _ key: String, _ table: LoadTable
    ) -> MigrationError {
        MigrationError(
            .value,
            "\(table.plan.name).\(column.name)\(key): \(misfit.message); the target's column is \(column.type)",
            remedy:
                "The target is as it was. Give the column another type there, or mend the value in SQLite and migrate it; other rows can be "
                + "named one by one.")
    }

    /// The row's key in words, where its columns are read and hold integers or texts.
    private static func key(of source: borrowing SourceRows, _ table: LoadTable) -> String {
        let texts = table.source.primaryKey.compactMap { name -> String? in
            guard let place = table.columns.firstIndex(where: { $0.name == name }) else { return nil }
            let value = source.value(place)
            if let text = value.text { return String(decoding: text, as: UTF8.self) }
            return value.storage == SourceValue(integer: 0).storage ? "\(value.integer)" : nil
        }
        guard !texts.isEmpty, texts.count == table.source.primaryKey.count else { return "" }
        return ", the row \(texts.joined(separator: ", "))"
    }

    /// Every value was looked at before the load: this cannot happen unless the snapshot changed.
    private func unexpected(_ misfit: Misfit, column: Int, row: Int, of table: LoadTable) -> MigrationError {
        MigrationError(
            .value,
            "\(table.plan.name).\(table.columns[column].name): \(misfit.message), in a value that was checked before",
            remedy: "The snapshot may have changed under howdah: run this again with a new one.")
    }
}
