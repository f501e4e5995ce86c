import Foundation
import SQLite
import TestSupport
import Testing

@Suite struct ConnectionTests {
    @Test(arguments: ["plain.db", "with space.db", "per%cent.db", "quest?ion.db", "ha#sh.db", "ünï😀.db"])
    func opensAFileOfAnyName(name: String) throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/\(name)", "CREATE TABLE t (a)")
            let connection = try Connection(path: "\(folder)/\(name)", mode: .immutable)
            let statement = try connection.prepare("SELECT name FROM sqlite_schema")
            #expect(try statement.step())
            #expect(statement.text(0) == "t")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [name])
        }
    }

    @Test func readOnlyRefusesToWrite() throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", "CREATE TABLE t (a)")
            let connection = try Connection(path: "\(folder)/a.db", mode: .readOnly)
            #expect(throws: SQLiteError.self) { try connection.execute("INSERT INTO t VALUES (1)") }
        }
    }

    @Test func aMissingFileIsAnError() throws {
        #expect(throws: SQLiteError.self) { _ = try Connection(path: "/nonexistent/a.db", mode: .readOnly) }
    }

    @Test func emptyValuesAreApartFromNull() throws {
        try withTemporaryFolder { folder in
            let connection = try Connection(path: "\(folder)/a.db", mode: .create)
            try connection.execute("CREATE TABLE t (a, b, c)")
            let insert = try connection.prepare("INSERT INTO t VALUES (?, ?, ?)")
            try insert.bind("", at: 1)
            try insert.bind(blob: UnsafeRawBufferPointer(start: nil, count: 0), at: 2)
            try insert.bindNull(at: 3)
            try insert.run()
            let select = try connection.prepare("SELECT * FROM t")
            #expect(try select.step())
            #expect(select.storageClass(0) == .text)
            #expect(select.storageClass(1) == .blob)
            #expect(select.bytes(1) == [])
            #expect(select.storageClass(2) == .null)
        }
    }

    @Test func aTextKeepsWhatFollowsANUL() throws {
        try withTemporaryFolder { folder in
            let connection = try Connection(path: "\(folder)/a.db", mode: .create)
            let select = try connection.prepare("SELECT ?")
            try select.bind("a\0b", at: 1)
            #expect(try select.step())
            #expect(select.text(0) == "a\0b")
        }
    }

    @Test func interruptEndsARunningStatement() throws {
        try withTemporaryFolder { folder in
            let connection = try Connection(path: "\(folder)/a.db", mode: .create)
            let interrupter = connection.interrupter
            let thread = Thread { @Sendable in
                // Interrupting before the statement runs does nothing, so it is asked again and again.
                for _ in 0..<2000 {
                    interrupter.interrupt()
                    var pause = timespec(tv_sec: 0, tv_nsec: 1_000_000)
                    nanosleep(&pause, nil)
                }
            }
            thread.start()
            #expect {
                try connection.execute(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
            } throws: {
                ($0 as? SQLiteError)?.isInterrupted ?? false
            }
            thread.cancel()
        }
    }

    @Test func anInterrupterOutlivesItsConnection() throws {
        let interrupter = try withTemporaryFolder { folder in
            try Connection(path: "\(folder)/a.db", mode: .create).interrupter
        }
        interrupter.interrupt()
    }

    @Test func backupCopiesWhatTheLogHolds() throws {
        try withTemporaryFolder { folder in
            let writer = try Connection(path: "\(folder)/a.db", mode: .create)
            try writer.execute("PRAGMA journal_mode=WAL; CREATE TABLE t (a); INSERT INTO t VALUES (42)")
            do {
                let copy = try Connection(path: "\(folder)/b.db", mode: .create)
                let backup = try Backup(from: writer, into: copy)
                while try backup.step(pages: 1) != .done {}
            }
            let copy = try Connection(path: "\(folder)/b.db", mode: .readOnly)
            let select = try copy.prepare("SELECT a FROM t")
            #expect(try select.step())
            #expect(select.int64(0) == 42)
        }
    }
}
