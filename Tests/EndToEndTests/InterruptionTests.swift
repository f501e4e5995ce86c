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

    /// Starts a live run, waits until a piece is loaded and another one is being copied, sends a signal, and waits for the end.
    private func interrupt(_ number: Int32, _ source: String, _ target: Conninfo) throws -> Int32 {
        let process = try Howdah.start(
            ["migrate", source, target.url, "--yes"], output: .nullDevice, errors: .nullDevice)
        let watcher = try TestServer.connect(target)
        let isCopying = waitUntil {
            let progress = try? watcher.query(
                """
                SELECT EXISTS (SELECT FROM pg_stat_progress_copy
                    WHERE datname = current_database() AND tuples_processed > 0)
                    AND EXISTS (SELECT FROM howdah.ledger WHERE rows > 0)
                """)
            return progress?.bool(0, 0) ?? false
        }
        try #require(isCopying)
        kill(process.processIdentifier, number)
        try #require(waitUntil(seconds: 60) { !process.isRunning })
        return process.terminationStatus
    }

    /// The pieces that were loaded when the run stopped, each with when it was loaded.
    private func pieces(_ target: Conninfo) throws -> Set<String> {
        Set(
            try TestServer.rows(
                "SELECT table_name, number, rows, loaded FROM howdah.ledger WHERE rows IS NOT NULL",
                in: target))
    }

    /// Runs the same command again and looks whether it took what was there.
    private func goOn(_ source: String, _ target: Conninfo, _ more: [String] = []) throws {
        let before = try pieces(target)
        let again = try Howdah.run(["migrate", source, target.url, "--yes", "--json"] + more)
        #expect(again.exit == 0, "\(again.output)")
        let rows = before.reduce(0) { $0 + (Int($1.split(separator: "|")[2]) ?? 0) }
        let resumed = again.output.firstMatch(of: /"resumed_rows" ?: ?(\d+)/).flatMap { Int($0.1) }
        #expect(resumed == rows)
        #expect(try pieces(target).isSuperset(of: before), "what was there is not loaded again")
        let found = try TestServer.rows("SELECT count(*), count(DISTINCT id) FROM big", in: target)
        #expect(found == ["600000|600000"])
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGKILL]) func aStoppedRunGoesOnTheNextTime(number: Int32)
        throws
    {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", Self.script)
            try TestServer.withDatabase { target in
                let status = try interrupt(number, "\(folder)/a.db", target)
                #expect(status == (number == SIGKILL ? SIGKILL : 130))
                try goOn("\(folder)/a.db", target)
            }
        }
    }

    @Test func aStoppedRunOfAnotherSourceIsToldAndTakenBackOnRestart() throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", Self.script)
            try TestServer.withDatabase { target in
                _ = try interrupt(SIGKILL, "\(folder)/a.db", target)
                try SQLite.Connection(path: "\(folder)/a.db", mode: .readWrite).execute(
                    "DELETE FROM big WHERE id = 7")
                let again = try Howdah.run(["migrate", "\(folder)/a.db", target.url, "--yes", "--json"])
                #expect(again.exit == 3)
                #expect(
                    again.output.contains("interrupted-run") && again.output.contains("has changed since"))
                let restarted = try Howdah.run(
                    ["migrate", "\(folder)/a.db", target.url, "--yes", "--restart", "--json"])
                #expect(restarted.exit == 0)
                let rows = try TestServer.value("SELECT count(*) FROM big", in: target)
                #expect(rows == "599999")
            }
        }
    }

    /// As decided by the first command, whether the next one says so again or leaves it to the plan.
    @Test(arguments: [["--decide", "recommended"], []])
    func aStoppedRunGoesOnAsItWasDecided(words: [String]) throws {
        let script = """
            CREATE TABLE p (id INTEGER PRIMARY KEY, w, CHECK (id > 0)); CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p, n INT);
            CREATE VIEW v AS SELECT group_concat(id) AS g FROM p; CREATE VIEW u AS SELECT count(*) AS n FROM c;
            INSERT INTO p VALUES (1, 'a'), (2, 3); INSERT INTO c VALUES (1, 1, 1), (2, 7, 'x'), (3, 2, NULL)
            """
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", script)
            try TestServer.withDatabase { target in
                let migrate = ["migrate", "\(folder)/a.db", target.url, "--yes", "--json"]
                let first = try Howdah.run(migrate + ["--decide", "recommended"])
                try #require(first.exit == 0, "\(first.output)")
                try TestServer.execute(
                    """
                    UPDATE howdah.run SET finished = NULL, outcome = NULL, constrained = NULL;
                    DROP VIEW u; ALTER TABLE c DROP CONSTRAINT c_pkey, DROP CONSTRAINT c_p_fkey;
                    DELETE FROM howdah.object WHERE kind = 'view';
                    DELETE FROM c; DELETE FROM howdah.ledger WHERE table_name = 'c'
                    """, in: target)
                let again = try Howdah.run(migrate + words)
                #expect(again.exit == 0, "\(again.output)")
                #expect(again.output.contains(/"resumed_rows" ?: ?2\b/))
                let rows = try TestServer.rows("SELECT n, (SELECT count(*) FROM c) FROM u", in: target)
                #expect(rows == ["3|3"])
            }
        }
    }

    @Test func aRehearsalThatWasKilledGoesOn() throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", Self.script)
            defer { _ = try? Howdah.run(["rehearsal", "remove", "\(folder)/a.db"]) }
            let up = try Howdah.run(["rehearsal", "start", "\(folder)/a.db"])
            try #require(up.exit == 0, "\(up.output)")
            let process = try Howdah.start(
                ["migrate", "\(folder)/a.db"], output: .nullDevice, errors: .nullDevice)
            let url = try Howdah.run(["rehearsal", "url", "\(folder)/a.db"]).output
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let target = try Conninfo(url)
            let hasPiece = waitUntil {
                let found = try? TestServer.value(
                    "SELECT EXISTS (SELECT FROM howdah.ledger WHERE rows > 0)", in: target)
                return found == "t"
            }
            kill(process.processIdentifier, SIGKILL)
            try #require(waitUntil { !process.isRunning })
            try #require(hasPiece)
            let again = try Howdah.run(["migrate", "\(folder)/a.db", "--json"])
            #expect(again.exit == 0, "\(again.output)")
            let resumed = again.output.firstMatch(of: /"resumed_rows" ?: ?(\d+)/).flatMap { Int($0.1) }
            #expect(resumed ?? 0 > 0)
        }
    }

    @Test func aRehearsalThatIsCancelledWhileItIsMadeLeavesNoData() throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", "CREATE TABLE t (id INTEGER PRIMARY KEY)")
            let process = try Howdah.start(
                ["rehearsal", "start", "\(folder)/a.db"], output: .nullDevice, errors: .nullDevice)
            let facts = "\(folder)/a.db.howdah/rehearsal/cluster.json"
            try #require(waitUntil { FileManager.default.fileExists(atPath: facts) })
            kill(process.processIdentifier, SIGINT)
            try #require(waitUntil { !process.isRunning })
            let json = try JSONSerialization.jsonObject(
                with: Data(contentsOf: URL(fileURLWithPath: facts)))
            let data = try #require((json as? [String: Any])?["data"] as? String)
            // A cancel that comes too late finds it made.
            if process.terminationStatus != 0 { #expect(!FileManager.default.fileExists(atPath: data)) }
            #expect(try Howdah.run(["rehearsal", "remove", "\(folder)/a.db"]).exit == 0)
            #expect(!FileManager.default.fileExists(atPath: data))
        }
    }

    @Test func lostConnectionsAreMadeAnewAndTheRunGoesOn() throws {
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
                #expect(process.terminationStatus == 0)
                let words = String(
                    decoding: FileManager.default.contents(atPath: "\(folder)/err") ?? Data(), as: UTF8.self)
                #expect(words.contains("trying again in"), "\(words)")
                let found = try TestServer.rows("SELECT count(*), count(DISTINCT id) FROM big", in: target)
                #expect(found == ["600000|600000"])
            }
        }
    }
}
