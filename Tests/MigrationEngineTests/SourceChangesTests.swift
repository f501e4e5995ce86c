import CSQLite
import Foundation
import SQLite
import TestSupport
import Testing

@testable import MigrationEngine

/// Rows that are found to have changed by pages, against all rows compared one by one.
@Suite struct SourceChangesTests {
    /// A generator that gives the same numbers for a seed.
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 11 | state << 53
        }
    }

    private static func change(_ numbers: inout Numbers) -> String {
        func row() -> Int { Int.random(in: 1...400, using: &numbers) }
        func bytes() -> Int {
            Bool.random(using: &numbers)
                ? Int.random(in: 0...60, using: &numbers) : Int.random(in: 0...9000, using: &numbers)
        }
        switch Int.random(in: 0...9, using: &numbers) {
        case 0, 1: return "INSERT INTO t (b) VALUES (randomblob(\(bytes())))"
        case 2: return "UPDATE t SET b = randomblob(\(bytes())) WHERE id = \(row())"
        case 3: return "UPDATE t SET n = n + 1 WHERE id % \(row()) = 0"
        case 4: return "DELETE FROM t WHERE id = \(row())"
        case 5: return "DELETE FROM t WHERE id BETWEEN \(row()) AND \(row())"
        // The end of a long value alone, in place.
        case 6:
            return
                "UPDATE t SET b = substr(b, 1, length(b) - 1) || x'07' WHERE id = \(row()) AND length(b) > 3000"
        case 7: return "INSERT OR REPLACE INTO t (id, b) VALUES (\(row()), zeroblob(\(bytes())))"
        case 8: return "PRAGMA incremental_vacuum(3)"
        default: return "UPDATE t SET id = id + 100000 WHERE id = \(row())"
        }
    }

    @Test(arguments: 1...16) func pagesTellExactlyTheRowsThatHaveChanged(_ seed: Int) throws {
        var numbers = Numbers(state: UInt64(seed) &* 7919)
        let pageSize = [512, 1024, 4096, 8192][seed % 4]
        let vacuum = ["NONE", "FULL", "INCREMENTAL"][seed % 3]
        try withTemporaryFolder { folder in
            let path = "\(folder)/app.db"
            try makeDatabase(
                path,
                """
                PRAGMA page_size = \(pageSize); PRAGMA auto_vacuum = \(vacuum); PRAGMA journal_mode = \(seed % 2 == 0 ? "WAL" : "DELETE");
                CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB, n INTEGER DEFAULT 0); CREATE INDEX tb ON t (n, b);
                WITH RECURSIVE i(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM i WHERE i < 400)
                INSERT INTO t (b) SELECT randomblob(abs(random()) % CASE WHEN i % 7 = 0 THEN 8000 ELSE 50 END) FROM i
                """)
            let state = try StateFolder.open(
                source: path, project: nil, override: "\(folder)/state", environment: [:])
            let store = try SnapshotStore(state, cancellation: Cancellation())
            let source = try SourceFile(path: path)
            let base = try store.take(of: source)
            let application = try SQLite.Connection(path: path, mode: .readWrite)
            for _ in 0..<Int.random(in: 1...40, using: &numbers) {
                try application.execute(Self.change(&numbers))
            }
            if seed % 5 == 0 { try application.execute("VACUUM") }
            let following = try FollowingSnapshot(store, after: base)
            let hold = try SourceHold(source, timeout: .seconds(5), cancellation: Cancellation())
            let (snapshot, changed) = try following.take(of: hold, Cancellation())
            let changes = try SourceChanges.find(
                from: base, to: snapshot, changed: changed, path: "\(folder)/changes.db",
                cancellation: Cancellation())
            #expect(try Self.found(changes) == Self.expected(base, snapshot))
        }
    }

    /// Bytes that are written into a BLOB in place (https://sqlite.org/c3ref/blob_open.html) change pages of its rest alone.
    @Test func bytesWrittenInPlaceAreSeen() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/app.db"
            try makeDatabase(
                path,
                """
                CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB, n INTEGER DEFAULT 0);
                WITH RECURSIVE i(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM i WHERE i < 40) INSERT INTO t (b) SELECT zeroblob(60000) FROM i
                """)
            let state = try StateFolder.open(
                source: path, project: nil, override: "\(folder)/state", environment: [:])
            let store = try SnapshotStore(state, cancellation: Cancellation())
            let source = try SourceFile(path: path)
            let base = try store.take(of: source)
            do {
                let application = try SQLite.Connection(path: path, mode: .readWrite)
                for rowid: Int64 in [3, 17, 40] {
                    var blob: OpaquePointer?
                    #expect(
                        sqlite3_blob_open(application.handle, "main", "t", "b", rowid, 1, &blob) == SQLITE_OK)
                    #expect(sqlite3_blob_write(blob, [7], 1, 59_990) == SQLITE_OK)
                    #expect(sqlite3_blob_close(blob) == SQLITE_OK)
                }
            }
            let following = try FollowingSnapshot(store, after: base)
            let hold = try SourceHold(source, timeout: .seconds(5), cancellation: Cancellation())
            let (snapshot, changed) = try following.take(of: hold, Cancellation())
            let changes = try SourceChanges.find(
                from: base, to: snapshot, changed: changed, path: "\(folder)/changes.db",
                cancellation: Cancellation())
            #expect(try Self.found(changes) == ["3 1", "17 1", "40 1"])
        }
    }

    private static func found(_ changes: SourceChanges) throws -> [String] {
        guard let table = changes.tables.first else { return [] }
        let connection = try SQLite.Connection(path: changes.path, mode: .immutable)
        return try lines(connection, "SELECT id || ' ' || kind FROM rows_\(table.number) ORDER BY id")
    }

    /// Every row of both sides, with 0 for one that went, 1 for one that changed, 2 for one that came.
    private static func expected(_ older: Snapshot, _ newer: Snapshot) throws -> [String] {
        let connection = try SQLite.Connection(path: newer.path, mode: .immutable)
        try connection.execute("ATTACH '\(SQLite.Connection.uri(path: older.path, immutable: true))' AS old")
        return try lines(
            connection,
            """
            SELECT id || ' ' || kind FROM (
                SELECT o.id, 0 AS kind FROM old.t AS o WHERE NOT EXISTS (SELECT 1 FROM main.t AS n WHERE n.id = o.id)
                UNION ALL SELECT n.id, 2 FROM main.t AS n WHERE NOT EXISTS (SELECT 1 FROM old.t AS o WHERE n.id = o.id)
                UNION ALL SELECT n.id, 1 FROM main.t AS n JOIN old.t AS o USING (id) WHERE n.b IS NOT o.b OR n.n IS NOT o.n)
            ORDER BY id
            """)
    }

    private static func lines(_ connection: borrowing SQLite.Connection, _ sql: String) throws -> [String] {
        let statement = try connection.prepare(sql)
        var lines: [String] = []
        while try statement.step() { lines.append(statement.text(0)) }
        return lines
    }
}
