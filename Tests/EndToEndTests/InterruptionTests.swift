import Foundation
import Postgres
import SQLite
import TestSupport
import Testing

/// A run that is stopped in the middle of the copy, by the operator or by force.
@Suite struct InterruptionTests {
    private static let script = """
        CREATE TABLE big (id INTEGER PRIMARY KEY, a TEXT, b BLOB, c REAL);
        WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < 600000)
        INSERT INTO big SELECT i, 'text number ' || i, x'00ff00ff00ff', i / 3.0 FROM g
        """

    /// Starts a live run, waits until rows are being copied, sends a signal, and waits for the end.
    private func interrupt(_ number: Int32, _ source: String, _ target: Conninfo) throws -> Int32 {
        let process = try Howdah.start(
            ["migrate", source, target.url, "--yes"], output: .nullDevice, errors: .nullDevice)
        let watcher = try TestServer.connect(target)
        let isCopying = waitUntil {
            let progress = try? watcher.query(
                """
                SELECT EXISTS (SELECT FROM pg_stat_progress_copy
                    WHERE datname = current_database() AND tuples_processed > 0)
                """)
            return progress?.bool(0, 0) ?? false
        }
        try #require(isCopying)
        kill(process.processIdentifier, number)
        try #require(waitUntil(seconds: 60) { !process.isRunning })
        return process.terminationStatus
    }

    private func relations(_ target: Conninfo) throws -> [String] {
        try TestServer.rows(
            "SELECT relname FROM pg_class WHERE relnamespace::regnamespace::text IN ('public', 'howdah') AND relkind = 'r'",
            in: target)
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP]) func aSignalTakesBackWhatTheRunMade(number: Int32) throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", Self.script)
            try TestServer.withDatabase { target in
                let status = try interrupt(number, "\(folder)/a.db", target)
                #expect(status == 130)
                let left = try relations(target)
                #expect(left == [])
            }
        }
    }

    @Test func aKilledRunIsToldAndTakenBackOnRestart() throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", Self.script)
            try TestServer.withDatabase { target in
                _ = try interrupt(SIGKILL, "\(folder)/a.db", target)
                let watcher = try TestServer.connect(target)
                let isAlone = waitUntil {
                    let others = try? watcher.query(
                        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'howdah%' AND datname = current_database()"
                    )
                    return others?.int(0, 0) == 0
                }
                try #require(isAlone)
                let again = try Howdah.run(["migrate", "\(folder)/a.db", target.url, "--yes", "--json"])
                #expect(again.exit == 3)
                #expect(again.output.contains("interrupted-run"))
                let restarted = try Howdah.run(
                    ["migrate", "\(folder)/a.db", target.url, "--yes", "--restart", "--json"])
                #expect(restarted.exit == 0)
                let rows = try TestServer.value("SELECT count(*) FROM big", in: target)
                #expect(rows == "600000")
            }
        }
    }

    @Test func aLostServerEndsTheRunWithAClearError() throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", Self.script)
            try TestServer.withDatabase { target in
                _ = FileManager.default.createFile(atPath: "\(folder)/err", contents: nil)
                let errors = try #require(FileHandle(forWritingAtPath: "\(folder)/err"))
                let process = try Howdah.start(
                    ["migrate", "\(folder)/a.db", target.url, "--yes"], output: .nullDevice, errors: errors)
                let watcher = try TestServer.connect(target)
                let isCut = waitUntil {
                    let cut = try? watcher.query(
                        """
                        SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity AS a
                        WHERE a.datname = current_database() AND a.application_name LIKE 'howdah%'
                            AND EXISTS (SELECT FROM pg_stat_progress_copy WHERE datname = a.datname AND tuples_processed > 0)
                        """)
                    return (cut?.int(0, 0) ?? 0) > 0
                }
                try #require(isCut)
                try #require(waitUntil(seconds: 60) { !process.isRunning })
                #expect(process.terminationStatus == 1)
                let words = String(
                    decoding: FileManager.default.contents(atPath: "\(folder)/err") ?? Data(), as: UTF8.self)
                #expect(words.contains("--restart"))
            }
        }
    }
}
