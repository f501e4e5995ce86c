import Postgres
import SQLite

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

    static func run(
        _ tables: [Catalog.Table], snapshot: Snapshot, cancellation: Cancellation
    ) throws -> [Orphans] {
        let connection = try snapshot.open()
        let interrupter = connection.interrupter
        return try cancellation.whileRegistered({ interrupter.interrupt() }) {
            var found: [Orphans] = []
            for table in tables where !table.foreignKeys.isEmpty {
                do {
                    found += try orphans(of: table, connection)
                } catch let error as SQLiteError {
                    if error.isInterrupted { throw MigrationError.cancelled }
                    // A parent that is missing or not unique makes the check fail; that is a finding of its own.
                }
            }
            return found
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
