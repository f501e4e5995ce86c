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

    private func entry(
        _ kind: RowDifference.Kind, _ key: String, _ columns: [String] = []
    ) -> DifferenceRecorder.Entry {
        .init(difference: RowDifference(kind: kind, key: key, columns: columns), targetHash: 7)
    }

    /// Pieces of a table end in any order; their rows come out in the table's.
    @Test func rowsArePagedInTheTablesOrderAndForgottenByTable() throws {
        try withLog { log in
            for part in [2, 0, 1] {
                for batch in 0..<5 {
                    let rows = (0..<200).map {
                        entry(.changed, "\(part * 1000 + batch * 200 + $0)", ["a", "b"])
                    }
                    try log.add(rows, of: "t", part: Int64(part))
                }
            }
            try log.add([entry(.extra, "x")], of: "u", part: 0)
            try log.finish()
            #expect(try log.count("t") == 3000)
            #expect(try log.page("t", from: 0, count: 5000).map(\.key) == (0..<3000).map { "\($0)" })
            #expect(try log.page("t", from: 999, count: 2).map(\.key) == ["999", "1000"])
            #expect(try log.page("t", from: 2999, count: 60).map(\.key) == ["2999"])
            #expect(try log.page("t", from: 3000, count: 60).isEmpty)
            try log.clear(["t"])
            #expect(try log.count("t") == 0)
            #expect(try log.count("u") == 1)
            try log.add([entry(.missing, "again")], of: "t", part: 1)
            #expect(try log.page("t", from: 0, count: 2).map(\.key) == ["again"])
        }
    }

    /// A filter that takes few rows, one that takes most, and one that takes none.
    @Test func aFilterTakesRowsByColumnAndKind() throws {
        try withLog { log in
            let rows = (0..<2000).map { number in
                number % 100 == 0
                    ? entry(.missing, "\(number)")
                    : entry(.changed, "\(number)", number % 50 == 1 ? ["a", "rare"] : ["a"])
            }
            try log.add(rows, of: "t", part: 0)
            try log.finish()
            let cases: [(DifferenceFilter, (Int) -> Bool)] = [
                (.all, { _ in true }),
                (.init(kind: .missing), { $0 % 100 == 0 }),
                (.init(column: "rare"), { $0 % 50 == 1 }),
                (.init(column: "a"), { $0 % 100 != 0 }),
                (.init(column: "a", kind: .missing), { _ in false }),
                (.init(column: "nobody"), { _ in false }),
            ]
            for (filter, holds) in cases {
                let expected = (0..<2000).filter(holds).map { "\($0)" }
                #expect(try log.count("t", filter: filter) == expected.count)
                #expect(try log.page("t", filter: filter, from: 0, count: 3000).map(\.key) == expected)
                #expect(
                    try log.page("t", filter: filter, from: 3, count: 2).map(\.key)
                        == Array(expected.dropFirst(3).prefix(2)))
            }
        }
    }

    @Test func theNextRowWhoseKeyHasATextIsFoundAndTheFirstFollowsTheLast() throws {
        try withLog { log in
            try log.add(
                ["ant", "bee_x", "cow", "beetle"].map { entry(.changed, $0, ["a"]) }, of: "t", part: 0)
            try log.add([entry(.extra, "bee")], of: "t", part: 1)
            try log.finish()
            func next(_ text: String, _ number: Int, _ filter: DifferenceFilter = .all) throws -> Int? {
                try log.next("t", filter: filter, containing: text, from: number)
            }
            #expect(try next("bee", -1) == 1)
            #expect(try next("bee", 1) == 3)
            #expect(try next("bee", 4) == 1)
            #expect(try next("bee", 0, .init(kind: .extra)) == 0)
            #expect(try next("e_x", -1) == 1)
            #expect(try next("e%t", -1) == nil)
            #expect(try next("wasp", -1) == nil)
            func previous(_ text: String, _ number: Int) throws -> Int? {
                try log.next("t", containing: text, from: number, isBackward: true)
            }
            #expect(try previous("bee", 4) == 3)
            #expect(try previous("bee", 1) == 4)
            #expect(try previous("wasp", 1) == nil)
        }
    }

    @Test func theSummaryAddsUpWhatPiecesFound() throws {
        try withLog { log in
            func time(_ rows: Int, _ low: Double, _ high: Double) -> ColumnChanges {
                .init(column: "at", groups: [.init(nature: .time, rows: rows, low: low, high: high)])
            }
            try log.add([entry(.changed, "1", ["at"]), entry(.missing, "2")], of: "t", part: 0)
            try log.add([time(1000, 3600, 3600)], of: "t")
            try log.add([time(203, 3600, 3600)], of: "t")
            try log.add([.init(column: "a", groups: [.init(nature: .letterCase, rows: 2)])], of: "t")
            try log.finish()
            var summary = try log.summary("t", columns: ["id", "at", "a"])
            #expect(
                summary.lines == [
                    "1 changed, 1 missing in PostgreSQL", "at differs in 1,203 rows, always by +3,600 s",
                    "a differs in 2 rows, in letter case only",
                ])
            try log.add([time(1, -0.5, -0.5)], of: "t")
            try log.add([.init(column: "at", groups: [.init(nature: .lost, rows: 9)])], of: "t")
            summary = try log.summary("t", columns: ["at"])
            #expect(
                summary.columns.first?.words
                    == "at differs in 1,213 rows: 1,204 by −0.5 s to +3,600 s; 9 NULL in PostgreSQL")
        }
    }

    @Test func aFileOfAnEarlierLayoutIsMadeAnew() throws {
        try withTemporaryFolder { folder in
            let state = try StateFolder.open(
                source: "\(folder)/a", project: nil, override: "\(folder)/s", environment: [:])
            let path = "\(try state.folder("differences"))/x.db"
            try makeDatabase(
                path, "CREATE TABLE difference (table_name TEXT); INSERT INTO difference VALUES ('t')")
            let log = try DifferenceLog(state, name: "x")
            #expect(try log.count("t") == 0)
            try log.add([entry(.extra, "1")], of: "t", part: 0)
            try log.finish()
            // Another that reads the same file sees it, and knows contents by the same hash.
            let reader = try DifferenceLog(state, name: "x")
            #expect(try reader.count("t") == 1)
            let bytes: [UInt8] = [1, 2, 3]
            #expect(bytes.withUnsafeBytes { log.hash($0) == reader.hash($0) })
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

    /// Rows of one page that differ in other columns, that one side lacks, and that no key names.
    @Test func aPageHoldsRowsOfEveryKindWithWhatTheyDifferIn() throws {
        let script = """
            CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT); CREATE TABLE n (v TEXT);
            INSERT INTO t VALUES (1, 'a', 'b'), (2, 'a', 'b'), (3, 'a', 'b'); INSERT INTO n VALUES ('x'), ('y')
            """
        try TestMigration().migrated(script) { _, conninfo, folder in
            try TestServer.execute(
                """
                UPDATE t SET a = 'A' WHERE id = 1; UPDATE t SET b = 'B' WHERE id = 2; DELETE FROM t WHERE id = 3;
                INSERT INTO t VALUES (4, 'new', NULL); DELETE FROM n WHERE v = 'x'; INSERT INTO n VALUES ('z')
                """, in: conninfo)
            let path = "\(folder)/source.db"
            let state = try StateFolder.open(
                source: path, project: nil, override: "\(folder)/state", environment: [:])
            let log = try DifferenceLog(state, name: "x")
            let preparation = try TestMigration().prepare(path, state: "\(folder)/state")
            let server = TargetServer(conninfo, cancellation: Cancellation())
            _ = try Validation(
                preparation: preparation, server: server, workers: 2, cancellation: Cancellation(),
                progress: RunProgress(), differences: log
            ).run(tables: [])
            let reader = RowPairReader(preparation: preparation, server: server)
            func cells(_ table: String) throws -> [[RowPair.Cell]] {
                try reader.read(log.page(table, from: 0, count: 10), of: table).map(\.cells)
            }
            #expect(
                try cells("t") == [
                    [.init(column: "a", source: .text("a"), target: .text("A"))],
                    [.init(column: "b", source: .text("b"), target: .text("B"))],
                    [
                        .init(column: "id", source: .number("3"), target: nil),
                        .init(column: "a", source: .text("a"), target: nil),
                        .init(column: "b", source: .text("b"), target: nil),
                    ],
                    [
                        .init(column: "id", source: nil, target: .number("4")),
                        .init(column: "a", source: nil, target: .text("new")),
                        .init(column: "b", source: nil, target: .null),
                    ],
                ])
            #expect(
                try cells("n") == [
                    [.init(column: "v", source: .text("x"), target: nil)],
                    [.init(column: "v", source: nil, target: .text("z"))],
                ])
            // Another row that has come to lie where one was is not taken for it.
            try TestServer.execute("DELETE FROM n", in: conninfo)
            try TestServer.execute("VACUUM n", in: conninfo)
            try TestServer.execute("INSERT INTO n VALUES ('p'), ('q'), ('r')", in: conninfo)
            #expect(try cells("n").last == [.init(column: "v", source: nil, target: nil)])
            // Without reading every value of the source first, the same.
            let plain = try RowPairReader(
                snapshot: preparation.snapshot, plan: preparation.plan, server: server)
            #expect(try plain.read(log.page("t", from: 0, count: 10), of: "t").map(\.cells) == cells("t"))
        }
    }
}
