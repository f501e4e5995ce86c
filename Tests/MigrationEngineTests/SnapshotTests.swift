import Foundation
import MigrationEngine
import SQLite
import TestSupport
import Testing

@Suite struct SnapshotTests {
    private func take(_ path: String, in folder: String) throws -> Snapshot {
        let state = try StateFolder.open(
            source: path, project: nil, override: "\(folder)/state", environment: [:])
        return try SnapshotStore(state, cancellation: Cancellation()).take(of: SourceFile(path: path))
    }

    private func count(_ snapshot: Snapshot) throws -> Int64 {
        let connection = try Connection(path: snapshot.path, mode: .immutable)
        let select = try connection.prepare("SELECT count(*) FROM t")
        #expect(try select.step())
        return select.int64(0)
    }

    /// Names, bytes and times of everything beside the source.
    private func listing(_ folder: String) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name != "state" {
            files[name] = FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data()
        }
        return files
    }

    @Test(arguments: ["DELETE", "TRUNCATE", "PERSIST", "WAL"])
    func theSourceAndItsFolderStayAsTheyWere(mode: String) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/a.db"
            try makeDatabase(
                path, "PRAGMA journal_mode=\(mode); CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)")
            let before = try listing(folder)
            let snapshot = try take(path, in: folder)
            #expect(try count(snapshot) == 2)
            #expect(try listing(folder) == before)
        }
    }

    @Test func whatOnlyTheLogHoldsIsInTheSnapshot() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/a.db"
            let writer = try Connection(path: path, mode: .create)
            try writer.execute(
                "PRAGMA journal_mode=WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)")
            let before = try listing(folder).filter { !$0.key.hasSuffix("-shm") }
            #expect(try count(try take(path, in: folder)) == 3)
            #expect(try listing(folder).filter { !$0.key.hasSuffix("-shm") } == before)
            try writer.execute("INSERT INTO t VALUES (4)")
        }
    }

    @Test func aLogLeftByACrashIsInTheSnapshotAndStays() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/a.db"
            do {
                let writer = try Connection(path: "\(folder)/live.db", mode: .create)
                try writer.execute(
                    "PRAGMA journal_mode=WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)")
                for suffix in ["", "-wal"] {
                    try FileManager.default.copyItem(
                        atPath: "\(folder)/live.db\(suffix)", toPath: path + suffix)
                }
            }
            let before = try listing(folder)
            #expect(before["a.db-wal"]?.isEmpty == false)
            #expect(try count(try take(path, in: folder)) == 3)
            #expect(try listing(folder) == before)
        }
    }

    @Test func aHotJournalIsRolledBackInACopyOnly() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/a.db"
            do {
                let writer = try Connection(path: "\(folder)/live.db", mode: .create)
                try writer.execute(
                    "PRAGMA cache_size=1; PRAGMA cache_spill=1; CREATE TABLE t (a); INSERT INTO t VALUES (1)")
                // Spilled pages are in the file while the journal still holds what was there before.
                try writer.execute(
                    """
                    BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
                    INSERT INTO t SELECT randomblob(500) FROM n
                    """)
                for suffix in ["", "-journal"] {
                    try FileManager.default.copyItem(
                        atPath: "\(folder)/live.db\(suffix)", toPath: path + suffix)
                }
            }
            let before = try listing(folder)
            #expect((before["a.db-journal"]?.count ?? 0) > 512)
            #expect(try count(try take(path, in: folder)) == 1)
            #expect(try listing(folder) == before)
        }
    }

    @Test func aFileThatIsBeingWrittenGivesOneMoment() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/a.db"
            try makeDatabase(
                path,
                "PRAGMA journal_mode=WAL; CREATE TABLE t (a); CREATE TABLE u (a); INSERT INTO t VALUES (0); INSERT INTO u VALUES (0)"
            )
            let stop = Cancellation()
            let done = DispatchSemaphore(value: 0)
            let thread = Thread { @Sendable in
                defer { done.signal() }
                guard let writer = try? Connection(path: path, mode: .readWrite) else { return }
                writer.setBusyTimeout(milliseconds: 5000)
                while !stop.isCancelled {
                    // Both tables always have the same number of rows.
                    try? writer.execute(
                        "BEGIN; INSERT INTO t VALUES (randomblob(300)); INSERT INTO u VALUES (1); COMMIT")
                }
            }
            thread.start()
            defer {
                stop.cancel()
                done.wait()
            }
            for _ in 0..<5 {
                let snapshot = try take(path, in: folder)
                let connection = try Connection(path: snapshot.path, mode: .immutable)
                let select = try connection.prepare(
                    "SELECT (SELECT count(*) FROM t) = (SELECT count(*) FROM u)")
                #expect(try select.step())
                #expect(select.int64(0) == 1)
            }
        }
    }

    @Test func anUnchangedSourceIsNotCopiedAgain() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/a.db"
            try makeDatabase(path, "CREATE TABLE t (a); INSERT INTO t VALUES (1)")
            let first = try take(path, in: folder)
            #expect(try take(path, in: folder) == first)
            try makeDatabase(path, "INSERT INTO t VALUES (2)")
            let second = try take(path, in: folder)
            #expect(second.path != first.path)
            #expect(try count(second) == 2)
            #expect(try count(first) == 1)
        }
    }

    @Test func aDamagedSnapshotIsNotUsedAgain() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/a.db"
            try makeDatabase(path, "CREATE TABLE t (a); INSERT INTO t VALUES (1)")
            let first = try take(path, in: folder)
            try Data("damaged".utf8).write(to: URL(fileURLWithPath: first.path))
            let second = try take(path, in: folder)
            #expect(second.path != first.path)
            #expect(try count(second) == 1)
        }
    }

    @Test func filesAreForTheOwnerAlone() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/a.db"
            try makeDatabase(path, "CREATE TABLE t (a)")
            _ = try take(path, in: folder)
            for name in try FileManager.default.subpathsOfDirectory(atPath: "\(folder)/state") {
                let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/state/\(name)")
                let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
                #expect(mode & 0o077 == 0, "\(name)")
            }
        }
    }

    @Test func aUTF16DatabaseIsReadAsText() throws {
        try TestMigration().migrated(
            "PRAGMA encoding='UTF-16le'; CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 'naïve 東京 😀')"
        ) { report, conninfo, _ in
            #expect(report.outcome == .proven)
            let text = try TestServer.value("SELECT a FROM t", in: conninfo)
            #expect(text == "naïve 東京 😀")
        }
    }
}

@Suite struct UnreadableSourceTests {
    private func refusal(_ make: (_ path: String) throws -> Void) throws -> MigrationError? {
        try withTemporaryFolder { folder in
            let path = "\(folder)/a.db"
            try make(path)
            do {
                let source = try SourceFile(path: path)
                let state = try StateFolder.open(
                    source: path, project: nil, override: "\(folder)/state", environment: [:])
                _ = try SnapshotStore(state, cancellation: Cancellation()).take(of: source)
                return nil
            } catch let error as MigrationError {
                let left = try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/state/snapshots")
                #expect(left ?? [] == [])
                return error
            }
        }
    }

    private func makeLarge(_ path: String) throws {
        try makeDatabase(
            path,
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); CREATE INDEX i ON t (a);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
            INSERT INTO t SELECT i, hex(randomblob(50)) FROM n
            """)
    }

    @Test func aMissingFile() throws {
        #expect(try refusal { _ in }?.code == .sourceNotFound)
    }

    @Test func aFolder() throws {
        #expect(
            try refusal {
                try FileManager.default.createDirectory(atPath: $0, withIntermediateDirectories: false)
            }?.code
                == .sourceIsDirectory)
    }

    @Test func anEmptyFile() throws {
        #expect(try refusal { try Data().write(to: URL(fileURLWithPath: $0)) }?.code == .sourceEmpty)
    }

    @Test(arguments: [
        "just a text", "SQLite format 2 and more", String(repeating: "\u{7}random", count: 2000),
    ])
    func aFileThatIsNoDatabaseOrEncrypted(content: String) throws {
        let error = try refusal { try Data(content.utf8).write(to: URL(fileURLWithPath: $0)) }
        #expect(error?.code == .notADatabase)
        #expect(error?.remedy.contains("encrypted") ?? false)
        #expect(error?.exit == .usage)
    }

    @Test func aTruncatedFile() throws {
        let error = try refusal { path in
            try makeLarge(path)
            truncate(path, 40960)
        }
        #expect(error?.code == .sourceTruncated)
    }

    @Test func aHeaderAlone() throws {
        let error = try refusal { path in
            try makeLarge(path)
            truncate(path, 60)
        }
        #expect(error?.code == .sourceTruncated)
    }

    @Test func aCorruptPage() throws {
        let error = try refusal { path in
            try makeLarge(path)
            let file = try #require(FileHandle(forWritingAtPath: path))
            try file.seek(toOffset: 4096 * 3)
            try file.write(contentsOf: Data(repeating: 0x5A, count: 4096 * 4))
            try file.close()
        }
        #expect(error?.code == .sourceCorrupt)
        #expect(error?.exit == .usage)
    }

    /// Root may read everything, so there this is shown by the command's test, which runs as another user.
    @Test(.enabled(if: geteuid() != 0)) func aFileThatMayNotBeRead() throws {
        let error = try refusal { path in
            try makeLarge(path)
            chmod(path, 0)
        }
        #expect(error?.code == .sourcePermission)
    }

    @Test func aLockedFile() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/a.db"
            let writer = try Connection(path: path, mode: .create)
            try writer.execute("CREATE TABLE t (a); BEGIN EXCLUSIVE; INSERT INTO t VALUES (1)")
            let state = try StateFolder.open(
                source: path, project: nil, override: "\(folder)/state", environment: [:])
            #expect {
                _ = try SnapshotStore(state, cancellation: Cancellation()).take(of: SourceFile(path: path))
            } throws: {
                ($0 as? MigrationError)?.code == .sourceBusy
            }
        }
    }
}
