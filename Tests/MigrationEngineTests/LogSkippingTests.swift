import Foundation
import Postgres
import TestSupport
import Testing

@testable import MigrationEngine

/// Loading without the server's log, where that is possible and pays.
@Suite struct LogSkippingTests {
    private static let mebibyte = 1 << 20

    @Test(arguments: [
        // One large table among two workers; among eight it is better shared.
        ([300, 10, 5], 2, 300, true), ([300, 10, 5], 8, 300, false),
        // One of many, too small a one, and one that would begin anew for too long.
        ([50, 50, 50, 50], 4, 50, true), ([1, 1], 2, 1, false), ([10_000], 2, 10_000, false),
    ])
    func aTableIsLoadedWholeWhereOneSessionIsNoSlower(tables: [Int], workers: Int, table: Int, expected: Bool)
    {
        let skipping = LogSkipping(tables.map { $0 * Self.mebibyte }, workers: workers)
        #expect(skipping.pays(bytes: table * Self.mebibyte) == expected)
    }

    private static let script = """
        CREATE TABLE large (id INTEGER PRIMARY KEY, x TEXT); CREATE TABLE small (id INTEGER PRIMARY KEY, x TEXT);
        WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < 9000)
        INSERT INTO large SELECT i, hex(randomblob(500)) FROM g; INSERT INTO small SELECT id, 'x' FROM large
        """

    /// The share of a table's rows that are frozen, and so were written into a file of their transaction's own.
    private func frozen(_ table: String, _ conninfo: Conninfo) throws -> String? {
        try TestServer.execute("CREATE EXTENSION IF NOT EXISTS pageinspect", in: conninfo)
        return try TestServer.value(
            """
            SELECT avg((i.t_infomask & 768 = 768)::int)::int FROM generate_series(0, pg_relation_size('\(table)') / 8192 - 1) AS p,
                heap_page_items(get_raw_page('\(table)', p::int)) AS i WHERE i.t_infomask IS NOT NULL
            """, in: conninfo)
    }

    @Test func aLargeTableIsOnePieceOfFrozenRows() throws {
        try TestMigration().migrated(Self.script) { report, conninfo, _ in
            #expect(report.outcome == .proven)
            #expect(try TestServer.value("SHOW wal_level", in: conninfo) == "minimal")
            #expect(try frozen("large", conninfo) == "1")
            #expect(try frozen("small", conninfo) == "0")
            let pieces = try TestServer.rows(
                "SELECT table_name, count(*) FROM howdah.chunk GROUP BY 1 ORDER BY 1", in: conninfo)
            #expect(pieces == ["large|1", "small|1"])
        }
    }

    @Test func rowsThatSomebodyElseHasWrittenAreLeftAlone() throws {
        try TestServer.withDatabase { conninfo in
            try TestServer.execute("CREATE TABLE t (x int); INSERT INTO t VALUES (1)", in: conninfo)
            let connection = try TestServer.connect(conninfo)
            let isRenewed = try connection.transaction { try LogSkipping.renew("t", $0) }
            #expect(!isRenewed)
            #expect(try TestServer.value("SELECT x FROM t", in: conninfo) == "1")
            try TestServer.execute("DELETE FROM t", in: conninfo)
            let isEmptyRenewed = try connection.transaction { try LogSkipping.renew("t", $0) }
            #expect(isEmptyRenewed)
        }
    }
}
