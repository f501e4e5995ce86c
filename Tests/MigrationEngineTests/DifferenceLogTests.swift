import Foundation
import Postgres
import TestSupport
import Testing

@testable import MigrationEngine

@Suite struct DifferenceLogTests {
    private func withLog(_ body: (DifferenceLog) throws -> Void) throws {
        try withTemporaryFolder { folder in
            try body(
                DifferenceLog(
                    StateFolder.open(
                        source: "\(folder)/a", project: nil, override: "\(folder)/s", environment: [:]),
                    name: "x"))
        }
    }

    @Test func rowsArePagedInTheirOrderAndForgottenByTable() throws {
        try withLog { log in
            for number in 0..<2500 {
                try log.add(RowDifference(kind: .changed, key: "\(number)", columns: ["a", "b"]), of: "t")
            }
            try log.add(RowDifference(kind: .extra, key: "x", columns: []), of: "u")
            try log.finish()
            #expect(try log.count("t") == 2500)
            #expect(try log.page("t", from: 1000, count: 2).map(\.key) == ["1000", "1001"])
            #expect(try log.page("t", from: 2499, count: 60).count == 1)
            try log.clear(["t"])
            #expect(try log.count("t") == 0)
            #expect(try log.count("u") == 1)
        }
    }

    @Test func noMoreAreKeptThanTheLimit() throws {
        try withLog { log in
            for number in 0..<DifferenceLog.mostRows + 5 {
                try log.add(RowDifference(kind: .missing, key: "\(number)", columns: []), of: "t")
            }
            try log.finish()
            #expect(try log.count("t") == DifferenceLog.mostRows)
        }
    }

    /// A row that differs is found again on both sides, whatever its key is.
    @Test(arguments: [
        ("INTEGER PRIMARY KEY", "7"), ("TEXT PRIMARY KEY", "'a''b \u{1F418}'"),
        ("BLOB PRIMARY KEY", "x'00ff'"),
        ("BIGINT PRIMARY KEY", "9007199254740993"),
    ]) func bothSidesOfARowAreRead(_ key: String, _ value: String) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/a.db"
            try makeDatabase(
                path,
                "CREATE TABLE t (k \(key), v TEXT, b BLOB); INSERT INTO t VALUES (\(value), 'one', x'01')")
            try TestServer.withDatabase { conninfo in
                let test = TestMigration()
                _ = try test.run(path, state: "\(folder)/s", into: conninfo)
                try TestServer.connect(conninfo).execute("UPDATE t SET v = NULL, b = '\\x02'")
                let state = try StateFolder.open(
                    source: path, project: nil, override: "\(folder)/s", environment: [:])
                let log = try DifferenceLog(state, name: "x")
                let preparation = try test.prepare(path, state: "\(folder)/s")
                let server = TargetServer(conninfo, cancellation: Cancellation())
                _ = try ProofRun(
                    preparation: preparation, server: server, workers: 1, cancellation: Cancellation(),
                    progress: RunProgress(),
                    gate: PauseGate(), differences: log
                ).run()
                let page = try log.page("t", from: 0, count: 10)
                let rows = try RowPairReader(preparation: preparation, server: server).read(page, of: "t")
                #expect(rows.count == 1)
                #expect(
                    rows.first?.cells == [
                        .init(column: "v", source: .text("one"), target: .null),
                        .init(column: "b", source: .bytes([1]), target: .bytes([2])),
                    ])
            }
        }
    }
}
