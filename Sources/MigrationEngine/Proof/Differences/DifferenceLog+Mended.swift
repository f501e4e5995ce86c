import Foundation
import SQLite
import Synchronization

/// Rows of a first proof that a repair has made equal: what differs in them later is not what was wrong then. They are set aside under the
/// repair's name, and come back with its undo.
extension DifferenceLog {
    private static let mendedColumns =
        "subject, part, number, class, key, source_rowid, target_ctid, key_texts, target_hash, cell_hashes"

    /// Sets the rows of a table aside whose places are named, see `place(of:)`; all of it where `places` is nil.
    func setAside(_ places: [String]?, of table: String, for repair: String) throws {
        try state.withLock { state in
            guard let id = try Self.known(table, state.connection) else { return }
            // Beside the layout, so that a first proof of before this was kept stays.
            try state.connection.execute(
                """
                CREATE TABLE IF NOT EXISTS mended (
                    repair TEXT NOT NULL, subject INTEGER NOT NULL, part INTEGER NOT NULL, number INTEGER NOT NULL, class INTEGER NOT NULL,
                    key TEXT NOT NULL, source_rowid INTEGER, target_ctid TEXT, key_texts TEXT, target_hash INTEGER, cell_hashes BLOB);
                CREATE TEMP TABLE place (text TEXT PRIMARY KEY) WITHOUT ROWID
                """)
            do {
                try Self.note(places ?? [], state.connection)
                let chosen =
                    "subject = \(id)"
                    + (places == nil ? "" : " AND \(Self.placeTerm) IN (SELECT text FROM temp.place)")
                try state.connection.execute("BEGIN IMMEDIATE")
                let aside = try state.connection.prepare(
                    "INSERT INTO mended SELECT ?1, \(Self.mendedColumns) FROM difference WHERE \(chosen)")
                try aside.bind(repair, at: 1)
                try aside.run()
                try state.connection.execute("DELETE FROM difference WHERE \(chosen); COMMIT")
            } catch {
                try? state.connection.execute("ROLLBACK")
                try? state.connection.execute("DROP TABLE temp.place")
                throw error
            }
            try state.connection.execute("DROP TABLE temp.place")
        }
    }

    private static func note(_ places: [String], _ connection: borrowing SQLite.Connection) throws {
        let statement = try connection.prepare("INSERT OR IGNORE INTO temp.place VALUES (?1)")
        for place in places {
            try statement.bind(place, at: 1)
            try statement.run()
            statement.reset()
        }
    }

    /// Has the rows differ again that a repair had set aside: it was undone, or rolled back.
    func putBack(_ repair: String) throws {
        try state.withLock { state in
            guard try Self.hasMended(state.connection) else { return }
            try state.connection.execute("BEGIN IMMEDIATE")
            do {
                for sql in [
                    "INSERT OR IGNORE INTO difference SELECT \(Self.mendedColumns) FROM mended WHERE repair = ?1",
                    "DELETE FROM mended WHERE repair = ?1",
                ] {
                    let statement = try state.connection.prepare(sql)
                    try statement.bind(repair, at: 1)
                    try statement.run()
                }
                try state.connection.execute("COMMIT")
            } catch {
                try? state.connection.execute("ROLLBACK")
                throw error
            }
        }
    }

    private static func hasMended(
        _ connection: borrowing SQLite.Connection, in schema: String = "main"
    ) throws -> Bool {
        let statement = try connection.prepare(
            "SELECT EXISTS (SELECT 1 FROM \(schema).sqlite_schema WHERE name = 'mended')")
        return try statement.step() && statement.int64(0) == 1
    }

    /// Rows of a table that are aside in `earlier`, and do not differ now.
    static func mended(_ table: String, _ connection: borrowing SQLite.Connection) throws -> Int {
        guard try hasMended(connection, in: "earlier") else { return 0 }
        let count = try connection.prepare(
            """
            SELECT count(DISTINCT \(placeTerm)) FROM earlier.mended
            WHERE subject = (SELECT id FROM earlier.subject WHERE name = ?1) AND \(placeTerm) NOT IN (
                SELECT \(placeTerm) FROM main.difference WHERE subject = (SELECT id FROM main.subject WHERE name = ?1))
            """)
        try count.bind(table, at: 1)
        return try count.step() ? Int(count.int64(0)) : 0
    }

    /// The same in every first proof of a state folder: a repair's name is its own there.
    static func putBack(_ repair: String, in state: StateFolder) throws {
        let folder = "\(state.path)/differences"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        where name.hasSuffix("-first.db") {
            try DifferenceLog(path: "\(folder)/\(name)").putBack(repair)
        }
    }

    /// By what a row is known again: `place` of `compared`.
    static func place(of row: RowDifference) -> String {
        row.place?.keys.map { $0 == [row.key] ? row.key : text($0) } ?? row.key
    }
}
