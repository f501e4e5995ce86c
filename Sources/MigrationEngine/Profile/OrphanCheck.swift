import Postgres
import SQLite
import Synchronization

/// Finds rows whose foreign key has no parent, which SQLite lets in unless an application asks it not to.
///
/// https://sqlite.org/pragma.html#pragma_foreign_key_check
struct OrphanCheck {
    struct Orphans: Sendable {
        let table: String
        let parent: String
        let columns: [String]
        var count = 0
        var rowids: [Int64] = []
    }

    /// In the order of the tables; several are looked at at the same time.
    static func run(
        _ tables: [Catalog.Table], snapshot: Snapshot, workers: Int = 2, cancellation: Cancellation
    ) throws -> [Orphans] {
        let asked = tables.filter { !$0.foreignKeys.isEmpty }
        let found = Mutex<[String: [Orphans]]>([:])
        let queue = WorkQueue(asked)
        try WorkerThreads.run(count: max(1, min(workers, asked.count)), onFirstError: { queue.stop() }) { _ in
            let connection = try snapshot.open()
            let interrupter = connection.interrupter
            try cancellation.whileRegistered({ interrupter.interrupt() }) {
                while let table = queue.next() {
                    do {
                        let all =
                            try orphans(of: table, connection) + foldedOrphans(of: table, tables, connection)
                        found.withLock { $0[table.name] = all }
                    } catch let error as SQLiteError {
                        if error.isInterrupted { throw MigrationError.cancelled }
                        // A parent that is missing or not unique makes the check fail; that is a finding of its own.
                    }
                }
            }
        }
        let all = found.withLock { $0 }
        return asked.flatMap { all[$0.name] ?? [] }
    }

    /// Rows whose parent SQLite finds under a collation such as NOCASE, and PostgreSQL, which compares bytes, does not.
    private static func foldedOrphans(
        of table: Catalog.Table, _ tables: [Catalog.Table], _ connection: borrowing SQLite.Connection
    ) throws -> [Orphans] {
        try table.foreignKeys.compactMap { key in
            guard let parent = tables.first(where: { $0.name == key.parentTable }),
                let parentColumns = key.parentColumns, parentColumns.count == key.columns.count,
                parentColumns.contains(where: { parent.column(named: $0)?.collation.uppercased() != "BINARY" }
                )
            else { return nil }
            let pairs = zip(key.columns, parentColumns).map { own, other in
                let (own, other) = (quoteIdentifier(own), quoteIdentifier(other))
                return (
                    folded: "p.\(other) = c.\(own)",
                    exact: "p.\(other) COLLATE BINARY = c.\(own) COLLATE BINARY"
                )
            }
            let name = quoteIdentifier(parent.name)
            let rowid = table.rowidName.map {
                table.rowidAlias == nil ? "c.\($0)" : "c.\(quoteIdentifier($0))"
            }
            let statement = try connection.prepare(
                """
                SELECT \(rowid ?? "NULL") FROM \(quoteIdentifier(table.name)) AS c
                WHERE EXISTS (SELECT 1 FROM \(name) AS p WHERE \(pairs.map(\.folded).joined(separator: " AND ")))
                    AND NOT EXISTS (SELECT 1 FROM \(name) AS p WHERE \(pairs.map(\.exact).joined(separator: " AND ")))
                """)
            var orphans = Orphans(table: table.name, parent: key.parentTable, columns: key.columns)
            while try statement.step() {
                orphans.count += 1
                if orphans.rowids.count < RowSamples.limit, rowid != nil {
                    orphans.rowids.append(statement.int64(0))
                }
            }
            return orphans.count > 0 ? orphans : nil
        }
    }

    private static func orphans(
        of table: Catalog.Table, _ connection: borrowing SQLite.Connection
    ) throws -> [Orphans] {
        let statement = try connection.prepare("PRAGMA foreign_key_check(\(quoteIdentifier(table.name)))")
        var byKey: [Int: Orphans] = [:]
        while try statement.step() {
            // Keys are numbered from the last one of the declaration.
            let index = table.foreignKeys.count - 1 - Int(statement.int64(3))
            guard table.foreignKeys.indices.contains(index) else { continue }
            let key = table.foreignKeys[index]
            var orphans =
                byKey[index] ?? Orphans(table: table.name, parent: key.parentTable, columns: key.columns)
            orphans.count += 1
            if orphans.rowids.count < 5, !statement.isNull(1) { orphans.rowids.append(statement.int64(1)) }
            byKey[index] = orphans
        }
        return byKey.sorted { $0.key < $1.key }.map(\.value)
    }
}
