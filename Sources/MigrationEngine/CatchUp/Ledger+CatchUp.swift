import Foundation
import Postgres

/// What the ledger keeps of a target that follows its source.
extension Ledger {
    /// `howdah.catchup` has a line for every state of the source that the target was brought to; `howdah.unvalidated` the foreign keys
    /// whose older rows have not been looked at again since they were dropped and made anew.
    static let catchUpTables = """
        CREATE TABLE IF NOT EXISTS howdah.catchup (
            run bigint NOT NULL REFERENCES howdah.run ON DELETE CASCADE, base_sha256 text NOT NULL,
            snapshot_sha256 text NOT NULL, at timestamptz NOT NULL DEFAULT now(), changes jsonb NOT NULL);
        CREATE TABLE IF NOT EXISTS howdah.unvalidated (
            run bigint NOT NULL REFERENCES howdah.run ON DELETE CASCADE, table_name text NOT NULL, name text NOT NULL);
        ALTER TABLE howdah.run ADD COLUMN IF NOT EXISTS compared_xid text
        """
    static let catchUpTableNames = "howdah.unvalidated, howdah.catchup"

    static func makeCatchUpTables(_ connection: borrowing Postgres.Connection) throws {
        try connection.execute(catchUpTables)
    }

    /// Notes that the target holds a later snapshot, with how many rows each table has gained or lost.
    func follow(
        _ snapshot: Snapshot, from base: Snapshot, planSHA256: String, gained: [String: Int],
        _ changes: String, _ connection: borrowing Postgres.Connection
    ) throws {
        for (table, rows) in gained.sorted(by: { $0.key < $1.key }) where rows != 0 {
            try add(rows, to: table, connection)
        }
        _ = try connection.query(
            "INSERT INTO howdah.catchup (run, base_sha256, snapshot_sha256, changes) VALUES ($1, $2, $3, $4::jsonb)",
            ["\(run)", base.sha256, snapshot.sha256, changes])
        // What this transaction has carried is no stranger's.
        _ = try connection.query(
            """
            UPDATE howdah.run SET snapshot_sha256 = $2, plan_sha256 = $3,
                compared_xid = (pg_current_xact_id()::text::bigint + 1)::text WHERE id = $1
            """,
            ["\(run)", snapshot.sha256, planSHA256])
    }

    /// Adds to the rows that a table's first piece has; a table that had no rows has no piece yet.
    func add(_ rows: Int, to table: String, _ connection: borrowing Postgres.Connection) throws {
        let changed = try connection.query(
            """
            UPDATE howdah.ledger SET rows = coalesce(rows, 0) + $3
            WHERE run = $1 AND table_name = $2 AND number = (SELECT min(number) FROM howdah.ledger
                WHERE run = $1 AND table_name = $2 AND number >= 0)
            """, ["\(run)", table, "\(rows)"]
        ).affectedRows
        guard changed == 0 else { return }
        for sql in [
            "INSERT INTO howdah.chunk (run, table_name, number) VALUES ($1, $2, 0)",
            "INSERT INTO howdah.ledger (run, table_name, number) VALUES ($1, $2, 0)",
        ] { _ = try connection.query(sql, ["\(run)", table]) }
        _ = try connection.query(
            "UPDATE howdah.ledger SET rows = $3 WHERE run = $1 AND table_name = $2 AND number = 0",
            ["\(run)", table, "\(rows)"])
    }

    func noteUnvalidated(
        _ key: TargetForeignKey, _ connection: borrowing Postgres.Connection
    ) throws {
        guard try !unvalidatedKeys(connection).contains(.init(table: key.table, name: key.name)) else {
            return
        }
        _ = try connection.query(
            "INSERT INTO howdah.unvalidated (run, table_name, name) VALUES ($1, $2, $3)",
            ["\(run)", key.table, key.name])
    }

    struct KeyPlace: Hashable {
        /// Qualified and quoted.
        let table: String
        let name: String
    }

    func unvalidatedKeys(_ connection: borrowing Postgres.Connection) throws -> Set<KeyPlace> {
        let keys = try connection.query(
            "SELECT table_name, name FROM howdah.unvalidated WHERE run = $1", ["\(run)"])
        return Set(
            (0..<keys.count).map { KeyPlace(table: keys.text($0, 0) ?? "", name: keys.text($0, 1) ?? "") })
    }

    // MARK: What others write meanwhile

    /// Notes that every cell was compared up to now: whatever transaction comes later is somebody else's.
    func noteCompared(_ connection: borrowing Postgres.Connection) throws {
        try Self.makeCatchUpTables(connection)
        _ = try connection.query(
            "UPDATE howdah.run SET compared_xid = pg_snapshot_xmax(pg_current_snapshot())::text WHERE id = $1",
            ["\(run)"])
    }

    /// Tables with rows that a later transaction has written, or with another number of rows than they were loaded with.
    func tablesWrittenSince(schema: String, _ connection: borrowing Postgres.Connection) throws -> [String] {
        let others = try tablesWithOtherRows(schema: schema, connection)
        guard
            let compared = try connection.query(
                "SELECT to_jsonb(r) ->> 'compared_xid' FROM howdah.run AS r WHERE id = $1", ["\(run)"]
            ).text(0, 0)
        else { return others }
        // Numbers of transactions go round: ages tell the later ones (https://www.postgresql.org/docs/current/routine-vacuuming.html).
        let later = try madeObjects(connection).filter { ["table", "adopted"].contains($0.kind) }.filter {
            object in
            try connection.query(
                "SELECT EXISTS (SELECT FROM \(quoteIdentifier(schema, object.name)) WHERE age(xmin) <= age($1::xid8::xid))",
                [compared]
            ).bool(0, 0)
        }.map(\.name)
        return others + later.filter { !others.contains($0) }
    }

    /// Has the server look at all rows of foreign keys that were made anew; readers and writers go on meanwhile. Returns how many.
    func validateKeys(_ connection: borrowing Postgres.Connection) throws -> Int {
        guard try connection.query("SELECT to_regclass('howdah.unvalidated') IS NOT NULL").bool(0, 0) else {
            return 0
        }
        let keys = try connection.query(
            "SELECT table_name, name FROM howdah.unvalidated WHERE run = $1 ORDER BY 1, 2", ["\(run)"])
        for row in 0..<keys.count {
            let (table, name) = (keys.text(row, 0) ?? "", keys.text(row, 1) ?? "")
            _ = try connection.query("ALTER TABLE \(table) VALIDATE CONSTRAINT \(quoteIdentifier(name))")
            _ = try connection.query(
                "DELETE FROM howdah.unvalidated WHERE run = $1 AND table_name = $2 AND name = $3",
                ["\(run)", table, name])
        }
        return keys.count
    }

    /// Tables of which decisions keep rows or values out.
    func tablesWithKeptRows(_ connection: borrowing Postgres.Connection) throws -> Set<String> {
        let found = try connection.query(
            """
            SELECT source_table FROM howdah.quarantine WHERE run = $1 UNION SELECT source_table FROM howdah.replaced WHERE run = $1
            """, ["\(run)"])
        return Set((0..<found.count).compactMap { found.text($0, 0) })
    }

    /// Rows that came back from quarantine and are in a table now.
    func returnedRows(_ connection: borrowing Postgres.Connection) throws -> [String: Int] {
        let result = try connection.query(
            "SELECT table_name, rows FROM howdah.ledger WHERE run = $1 AND number < 0 AND rows > 0",
            ["\(run)"])
        var rows: [String: Int] = [:]
        for row in 0..<result.count { rows[result.text(row, 0) ?? ""] = result.int(row, 1) ?? 0 }
        return rows
    }
}
