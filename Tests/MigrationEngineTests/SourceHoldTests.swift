import Foundation
import SQLite
import TestSupport
import Testing

@testable import MigrationEngine

@Suite
struct SourceHoldTests {
    private func withDatabase(
        _ journal: String, _ body: (SourceFile, borrowing SQLite.Connection) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/app.db"
            try makeDatabase(
                path, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a')")
            let connection = try SQLite.Connection(path: path, mode: .readWrite)
            try connection.execute("PRAGMA journal_mode = \(journal)")
            try body(SourceFile(path: path), connection)
        }
    }

    private func hold(_ source: SourceFile, _ timeout: Duration = .seconds(5)) throws -> SourceHold {
        try SourceHold(source, timeout: timeout, cancellation: Cancellation())
    }

    @Test(arguments: ["delete", "truncate", "persist", "wal"])
    func writersWaitAndReadersGoOnWhileASourceIsHeld(_ journal: String) throws {
        try withDatabase(journal) { source, application in
            try application.execute("INSERT INTO t VALUES (2, 'b')")
            let second = try SQLite.Connection(path: source.path, mode: .readWrite)
            do {
                let hold = try hold(source)
                for sql in ["INSERT INTO t VALUES (3, 'c')", "BEGIN IMMEDIATE"] {
                    #expect(throws: SQLiteError.self) { try application.execute(sql) }
                    #expect(throws: SQLiteError.self) { try second.execute(sql) }
                }
                let read = try second.prepare("SELECT count(*) FROM t")
                #expect(try read.step())
                #expect(read.int64(0) == 2)
                // Descriptors of the same file may come and go.
                _ = try sha256(ofFile: source.path, cancellation: Cancellation())
                #expect(throws: SQLiteError.self) { try application.execute("DELETE FROM t") }
                withExtendedLifetime(hold) {}
            }
            try application.execute("INSERT INTO t VALUES (3, 'c')")
        }
    }

    @Test(arguments: ["delete", "wal"])
    func whatNobodyHasOpenStaysClosedAndNoFileIsLeftBesideIt(_ journal: String) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/app.db"
            try makeDatabase(
                path,
                "PRAGMA journal_mode = \(journal); CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)"
            )
            let before = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            let source = try SourceFile(path: path)
            do {
                let hold = try hold(source)
                let application = try SQLite.Connection(path: path, mode: .readWrite)
                #expect(throws: SQLiteError.self) { try application.execute("INSERT INTO t VALUES (2)") }
                withExtendedLifetime(hold) {}
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == before)
        }
    }

    /// Another process writes: closing a file lets go of the locks that its own process has on it.
    @Test(arguments: ["delete", "wal"])
    func aTransactionThatHasBegunIsWaitedForAndAnEndlessOneIsAnError(_ journal: String) throws {
        try withDatabase(journal) { source, _ in
            let writer = Process()
            let (input, output) = (Pipe(), Pipe())
            writer.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            writer.arguments = ["sqlite3", source.path]
            writer.standardInput = input
            writer.standardOutput = output
            try writer.run()
            defer { writer.waitUntilExit() }
            input.fileHandleForWriting.write(
                Data("BEGIN IMMEDIATE; INSERT INTO t VALUES (2, 'b'); SELECT 'begun';\n".utf8))
            #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) == "begun\n")
            let error = #expect(throws: MigrationError.self) { try hold(source, .milliseconds(200)) }
            #expect(error?.code == .sourceBusy)
            input.fileHandleForWriting.write(Data("COMMIT;\n".utf8))
            let held = try hold(source)
            withExtendedLifetime(held) {}
            try input.fileHandleForWriting.close()
        }
    }

    @Test
    func anInterruptedTransactionIsNotReadAsIfItWereWhole() throws {
        try withDatabase("delete") { source, application in
            try application.execute("INSERT INTO t VALUES (2, 'b')")
            // As a crash leaves it: a journal with its header, and nobody who writes.
            var journal: [UInt8] = [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7]
            journal += [UInt8](repeating: 0, count: 504)
            try Data(journal).write(to: URL(fileURLWithPath: source.journalPath))
            let error = #expect(throws: MigrationError.self) { try hold(source) }
            #expect(error?.message.contains("interrupted") ?? false)
        }
    }

    @Test(arguments: [512, 1024, 4096, 65536])
    func aCopyThatIsBroughtUpToDateIsTheDatabaseWhateverLiesInTheLog(_ pageSize: Int) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/app.db"
            try makeDatabase(
                path,
                """
                PRAGMA page_size = \(pageSize); PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB);
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
                INSERT INTO t SELECT i, randomblob(i * 7) FROM n
                """)
            let state = try StateFolder.open(
                source: path, project: nil, override: "\(folder)/state", environment: [:])
            let store = try SnapshotStore(state, cancellation: Cancellation())
            let source = try SourceFile(path: path)
            let base = try store.take(of: source)
            let application = try SQLite.Connection(path: path, mode: .readWrite)
            try application.execute("PRAGMA wal_autocheckpoint = 0")
            let changes = [
                "UPDATE t SET v = randomblob(200) WHERE id % 50 = 0", "DELETE FROM t WHERE id > 400",
                "PRAGMA wal_checkpoint(PASSIVE)", "INSERT INTO t SELECT id + 1000, v FROM t WHERE id < 300",
                "PRAGMA wal_checkpoint(RESTART)", "UPDATE t SET v = zeroblob(30000) WHERE id = 7",
                "PRAGMA incremental_vacuum; DELETE FROM t WHERE id BETWEEN 20 AND 150",
                "BEGIN; UPDATE t SET v = randomblob(9000); ROLLBACK", "UPDATE t SET v = x'01' WHERE id = 9",
            ]
            var last = base
            for change in changes {
                try application.execute(change)
                let following = try FollowingSnapshot(store, after: last)
                let hold = try hold(source)
                let (snapshot, _) = try following.take(of: hold, Cancellation())
                #expect(try Self.rows(snapshot.path, .immutable) == Self.rows(path, .readOnly), "\(change)")
                #expect(try Self.integrity(snapshot.path) == "ok", "\(change)")
                #expect(try snapshot.changedPages(hold, cancellation: Cancellation()) == 0)
                last = snapshot
            }
        }
    }

    private static func rows(_ path: String, _ mode: SQLite.Connection.Mode) throws -> [String] {
        let connection = try SQLite.Connection(path: path, mode: mode)
        let statement = try connection.prepare("SELECT id || ' ' || hex(v) FROM t ORDER BY id")
        var rows: [String] = []
        while try statement.step() { rows.append(statement.text(0)) }
        return rows
    }

    private static func integrity(_ path: String) throws -> String {
        let connection = try SQLite.Connection(path: path, mode: .immutable)
        let statement = try connection.prepare("PRAGMA integrity_check")
        return try statement.step() ? statement.text(0) : ""
    }
}
