import Foundation
import Postgres
import SQLite
import TestSupport
import Testing

@testable import MigrationEngine

/// Tables in pieces: every row is in one of them, however they are bound.
@Suite struct PieceTests {
    /// Rows that the pieces between random ends hold, and those of the table.
    private func rows(_ script: String, ends count: Int) throws -> (
        pieces: [String], table: [String], isReadByKey: Bool
    ) {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", script)
            let connection = try SQLite.Connection(path: "\(folder)/a.db", mode: .readOnly)
            let catalog = try CatalogReader.read(connection)
            let table = try #require(catalog.tables.first)
            let query = SourceQuery(table)
            func texts(_ statement: borrowing SQLite.Statement) throws -> [String] {
                var rows: [String] = []
                while try statement.step() {
                    let cells = (0..<Int32(table.columns.count)).map { "\(statement.value($0))" }
                    rows.append(cells.joined(separator: "|"))
                }
                return rows
            }
            var profile = TableProfile()
            let ends = try connection.prepare(
                "SELECT \(table.primaryKey.map(quoteIdentifier).joined(separator: ", ")) FROM t ORDER BY random() LIMIT \(count)"
            )
            var keys: [[RowRecord.Value]] = []
            while try ends.step() {
                keys.append((0..<Int32(table.primaryKey.count)).map { ends.value($0) })
            }
            // In the order of the key, as the profile meets them.
            let order = try texts(connection.prepare(query.byKey(after: false, through: false)))
            let positions = table.primaryKey.compactMap(table.position(of:))
            let sorted = order.map { row in
                let cells = row.split(separator: "|", omittingEmptySubsequences: false)
                return positions.map { String(cells[$0]) }
            }
            profile.keyEnds = keys.sorted { one, other in
                (sorted.firstIndex(of: one.map { "\($0)" }) ?? 0)
                    < (sorted.firstIndex(of: other.map { "\($0)" }) ?? 0)
            }
            var pieces: [String] = []
            for piece in profile.pieces { pieces += try texts(query.prepare(piece, connection)) }
            return (pieces, order, try query.isReadByKey(connection))
        }
    }

    @Test(arguments: [
        "CREATE TABLE t (k TEXT PRIMARY KEY, x) WITHOUT ROWID; INSERT INTO t SELECT 'key ' || (i * 7919 % 300), i FROM g",
        "CREATE TABLE t (x, a INT, b TEXT, PRIMARY KEY (b, a)) WITHOUT ROWID; INSERT INTO t SELECT i, i, i % 5 FROM g",
        "CREATE TABLE t (k PRIMARY KEY, x) WITHOUT ROWID; INSERT INTO t SELECT CASE i % 4 WHEN 0 THEN i WHEN 1 THEN 't' || i WHEN 2 THEN i + 0.5 ELSE CAST('b' || i AS BLOB) END, i FROM g",
        "CREATE TABLE t (k TEXT COLLATE NOCASE PRIMARY KEY, x) WITHOUT ROWID; INSERT INTO t SELECT CASE i % 2 WHEN 0 THEN 'K' ELSE 'k' END || i, i FROM g",
        "CREATE TABLE t (k TEXT, x, PRIMARY KEY (k DESC)) WITHOUT ROWID; INSERT INTO t SELECT 'k' || i, i FROM g",
        "CREATE TABLE t (k BLOB PRIMARY KEY) WITHOUT ROWID; INSERT INTO t SELECT randomblob(4) || CAST(i AS BLOB) FROM g",
    ])
    func piecesOfATableWithoutRowidsHoldEveryRowOnce(script: String) throws {
        let numbers = "WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < 300) "
        let found = try rows(script.replacing("INSERT", with: numbers + "INSERT"), ends: 7)
        #expect(found.isReadByKey)
        #expect(found.table.count == 300)
        #expect(found.pieces == found.table)
    }

    @Test(arguments: [
        "CREATE TABLE t (k TEXT, x, PRIMARY KEY (k, x DESC)) WITHOUT ROWID",
        "CREATE TABLE t (k TEXT, x, PRIMARY KEY (k COLLATE NOCASE)) WITHOUT ROWID",
        "CREATE TABLE t (k TEXT PRIMARY KEY, x)",
    ])
    func aKeyOfAnotherOrderIsNotReadInPieces(script: String) throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", script)
            let connection = try SQLite.Connection(path: "\(folder)/a.db", mode: .readOnly)
            let table = try #require(try CatalogReader.read(connection).tables.first)
            #expect(try !SourceQuery(table).isReadByKey(connection))
        }
    }

    /// Tables of several pieces, without an integer key.
    private static let script = """
        CREATE TABLE keyed (id TEXT PRIMARY KEY, x TEXT) WITHOUT ROWID;
        CREATE TABLE hashed (id TEXT PRIMARY KEY, x TEXT);
        CREATE TABLE bare (x TEXT);
        WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < 3000)
        INSERT INTO keyed SELECT 'key ' || (i * 7919 % 3000), i || hex(zeroblob(2000)) FROM g;
        INSERT INTO hashed SELECT * FROM keyed ORDER BY x; INSERT INTO bare SELECT x FROM keyed
        """

    @Test func piecesWithoutIntegerKeysAreProvenAndTheirDifferencesNamed() throws {
        try TestMigration.inPieces.migrated(Self.script) { report, conninfo, folder in
            #expect(report.outcome == .proven)
            let pieces = try TestServer.rows(
                "SELECT table_name, count(*) > 1, count(keys) > 1 FROM howdah.chunk GROUP BY 1 ORDER BY 1",
                in: conninfo)
            #expect(pieces == ["bare|t|f", "hashed|t|f", "keyed|t|t"])
            try TestServer.execute(
                """
                UPDATE keyed SET x = 'other' WHERE id = 'key 17'; DELETE FROM keyed WHERE id = 'key 2999';
                UPDATE hashed SET x = 'other' WHERE id = 'key 17'; INSERT INTO hashed VALUES ('new', 'x');
                INSERT INTO bare SELECT x FROM bare WHERE x LIKE '5%' LIMIT 1
                """, in: conninfo)
            let after = try TestMigration().validate(
                "\(folder)/source.db", state: "\(folder)/state", against: conninfo)
            func samples(_ name: String) -> Set<String> {
                Set(
                    (after.tables.first { $0.name == name }?.samples ?? []).map {
                        "\($0.kind.rawValue) \($0.key)"
                    })
            }
            #expect(samples("keyed") == ["changed key 17", "missing key 2999"])
            #expect(samples("hashed") == ["changed key 17", "extra new"])
            #expect(after.tables.map(\.differences) == [2, 2, 1])
        }
    }

    @Test func aLoadWithoutRowidsGoesOnFromThePiecesThatAreThere() throws {
        try TestMigration.inPieces.migrated(Self.script) { _, conninfo, folder in
            // As a run that was killed before the second piece of the table and everything after it.
            let keys =
                try TestServer.value(
                    "SELECT keys FROM howdah.chunk WHERE table_name = 'keyed' AND number = 1", in: conninfo)
                ?? ""
            let range = try JSONDecoder().decode(TablePiece.KeyRange.self, from: Data(keys.utf8))
            func bound(_ values: [RowRecord.Value]?) throws -> String {
                guard case .text(let bytes) = try #require(values?.first) else { return "" }
                return quoteLiteral(String(decoding: bytes, as: UTF8.self))
            }
            let removed = try TestServer.rows(
                """
                WITH gone AS (DELETE FROM keyed WHERE id COLLATE "C" > \(bound(range.after))
                    AND id COLLATE "C" <= \(bound(range.through)) RETURNING 1) SELECT count(*) FROM gone
                """, in: conninfo)
            try TestServer.execute(
                """
                DELETE FROM howdah.ledger WHERE table_name = 'keyed' AND number = 1;
                UPDATE howdah.run SET finished = NULL, outcome = NULL
                """, in: conninfo)
            let report = try TestMigration().run(
                "\(folder)/source.db", state: "\(folder)/state", into: conninfo)
            #expect(report.outcome == .proven)
            #expect(report.resumedRows == 9000 - (Int(removed.first ?? "") ?? 0))
        }
    }
}

/// Rows that take much memory.
@Suite struct LargeRowTests {
    @Test(arguments: [
        ("512MB", 512 << 20), ("2GB", 2 << 30), ("64kb", 64 << 10), ("1", nil), ("MB", nil), ("-5MB", nil),
        ("0GB", nil), ("1TB", 1 << 40), ("1.5GB", 3 << 29), ("1e3MB", nil), ("0x1MB", nil), ("infMB", nil),
    ])
    func sizesAreReadWithTheirUnit(text: String, bytes: Int?) {
        #expect(MemoryBudget(text)?.bytes == bytes)
    }

    @Test func aRowThatTakesMoreThanThereIsIsAFinding() {
        var plan = MigrationPlan(snapshot: "", style: .plain, schema: "public", enums: [], tables: [])
        plan.tables = [.init(name: "small", columns: []), .init(name: "large", columns: [])]
        var profiles = ["small": TableProfile(), "large": TableProfile()]
        profiles["small"]?.maxRowBytes = 15 << 20
        profiles["large"]?.maxRowBytes = 100 << 20
        let findings = MemoryBudget(bytes: 300 << 20).findings(plan, profiles)
        #expect(findings.map(\.key) == ["exceeds-memory:large"])
        #expect(findings.allSatisfy { $0.blocking && $0.message.contains("--memory 465MB") })
        #expect(MemoryBudget(bytes: 500 << 20).findings(plan, profiles).isEmpty)
    }

    @Test func largeRowsAreOnTheirWayOneAtATime() throws {
        var work = TableWork()
        work.load(
            [
                .init(table: "large", number: 0, piece: .all), .init(table: "large", number: 1, piece: .all),
                .init(table: "small", number: 0, piece: .all),
            ], large: ["large"])
        let schedule = TableWork.Schedule(work.items)
        var tables: [String] = []
        for _ in 0..<2 {
            if case .load(let chunk) = try #require(schedule.next()).piece { tables.append(chunk.table) }
        }
        #expect(tables == ["large", "small"])
    }

    /// Large values go from where SQLite holds them; what is sent is the same.
    @Test func valuesThatAreNotCopiedAreSentInTheirPlace() throws {
        let codes = ["bytea", "text", "bigint", "bytea"].map {
            ColumnCode(MigrationPlan.Column(name: "c", type: $0), enums: [])
        }
        try withTemporaryFolder { folder in
            let connection = try SQLite.Connection(path: "\(folder)/a.db", mode: .create)
            var copying = RowEncoder(codes)
            var borrowing = RowEncoder(codes, borrowsLargeValues: true)
            for row in [
                "x'01', 'a', 7, x''", "randomblob(300000), 'b', 8, zeroblob(262144)",
                "NULL, hex(randomblob(200000)), 9, randomblob(262143)", "x'', '', NULL, randomblob(900000)",
            ] {
                let statement = try connection.prepare("SELECT \(row)")
                _ = try statement.step()
                #expect(copying.encodeRow(statement.handle) == nil)
                #expect(borrowing.encodeRow(statement.handle) == nil)
                var parts: [UInt8] = []
                borrowing.forEachPart { parts += Array($0) }
                #expect(parts == Array(copying.bytes))
                #expect(borrowing.bytes.count < 1 << 19)
                copying.removeAll()
                borrowing.removeAll()
            }
            let bad = try connection.prepare("SELECT randomblob(300000), 'b', 'no number', x''")
            _ = try bad.step()
            #expect(borrowing.encodeRow(bad.handle) == .storageClass)
            #expect(!borrowing.hasBorrowed && borrowing.bytes.isEmpty)
        }
    }
}
