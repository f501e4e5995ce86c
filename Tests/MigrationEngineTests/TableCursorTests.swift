import CSQLite
import Foundation
import SQLite
import TestSupport
import Testing

@testable import DemoProject
@testable import MigrationEngine

/// Rows read from pages against the same rows read by SQLite.
@Suite struct TableCursorTests {
    /// A value with its class, as text.
    private func text(_ value: SourceValue) -> String {
        switch value.storage {
        case SQLITE_INTEGER: "i\(value.integer)"
        case SQLITE_FLOAT: "r\(value.real.bitPattern)"
        case SQLITE_TEXT:
            "t\(Data(value.text.map { UnsafeRawBufferPointer($0) } ?? .init(start: nil, count: 0)).hexadecimal)"
        case SQLITE_BLOB: "b\(Data(value.bytes).hexadecimal)"
        default: "null"
        }
    }

    /// The rows of a piece by pages and by SQLite; nil where the pages are not read.
    private func rows(
        _ table: Catalog.Table, _ piece: TablePiece, _ connection: borrowing SQLite.Connection
    ) throws -> (pages: [String], sqlite: [String], isByPages: Bool) {
        let columns = table.columns.map(\.name)
        func all(_ rows: consuming SourceRows) throws -> [String] {
            var found: [String] = []
            while try rows.next() {
                found.append(
                    "\(rows.rowid(after: columns.count)) "
                        + columns.indices.map { text(rows.value($0)) }.joined(separator: " "))
            }
            return found
        }
        let rows = try SourceRows.read(piece, of: table, columns: columns, connection)
        let isByPages = rows.isByPages
        return (
            try all(rows),
            try all(SourceRows(SourceQuery(table, columns: columns).prepare(piece, connection))),
            isByPages
        )
    }

    /// Makes a table `t` and hands over what both ways read of it.
    private func compare(_ script: String, isByPages: Bool = true, pieces: [TablePiece] = [.all]) throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", script)
            let connection = try SQLite.Connection(path: "\(folder)/a.db", mode: .immutable)
            let table = try #require(try CatalogReader.read(connection).tables.first { $0.name == "t" })
            for piece in pieces {
                let found = try rows(table, piece, connection)
                #expect(found.isByPages == isByPages)
                #expect(found.pages == found.sqlite)
            }
        }
    }

    private static let numbers = "WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < "

    @Test(arguments: [512, 1024, 4096, 65536])
    func everyStorageClassAndLengthIsReadAsSQLiteReadsIt(pageSize: Int) throws {
        try compare(
            """
            PRAGMA page_size = \(pageSize);
            CREATE TABLE t (id INTEGER PRIMARY KEY, a, r REAL, n NUMERIC, x TEXT, b BLOB);
            \(Self.numbers)700) INSERT INTO t SELECT i * 3 - 900, CASE i % 9 WHEN 0 THEN NULL WHEN 1 THEN 0 WHEN 2 THEN 1
                WHEN 3 THEN -1 << (i % 64) WHEN 4 THEN (1 << (i % 64)) - 1 WHEN 5 THEN i / 7.0 WHEN 6 THEN 'text ' || i
                WHEN 7 THEN -0.0 ELSE randomblob(i % 40) END,
                CASE i % 4 WHEN 0 THEN i WHEN 1 THEN -i * 1000000 WHEN 2 THEN i / 3.0 ELSE NULL END, i / 2.0,
                substr(hex(zeroblob(40000)), 1, CASE i % 50 WHEN 0 THEN i * 90 ELSE i END),
                CASE i % 70 WHEN 0 THEN randomblob(i * 300) WHEN 1 THEN x'' ELSE randomblob(i % 90) END FROM g;
            DELETE FROM t WHERE id % 11 = 0
            """,
            pieces: [
                .all, .rowids(-500...500), .rowids(0...0), .rowids(.min ... -890), .rowids(1190 ... .max),
                .rowids(5000...6000),
            ])
    }

    @Test(arguments: [
        // Columns that were added later, with defaults that old rows do not hold.
        """
        CREATE TABLE t (a INT); INSERT INTO t VALUES (1), (2); ALTER TABLE t ADD COLUMN b REAL DEFAULT 5;
        ALTER TABLE t ADD COLUMN c TEXT NOT NULL DEFAULT 'x'; INSERT INTO t VALUES (3, 4, 'y')
        """,
        "CREATE TABLE t (a INT)",
        "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (-9223372036854775808), (0), (9223372036854775807)",
        "CREATE TABLE t (a INTEGER PRIMARY KEY DESC, b); INSERT INTO t VALUES (5, 1), (NULL, 2)",
        "CREATE TABLE t (a REAL, b ANY, c INT) STRICT; INSERT INTO t VALUES (1, '5', 7), (2.5, 5, NULL)",
        "CREATE TABLE t (a FLOAT, b DOUBLE); INSERT INTO t VALUES (1, 2), (1e20, -9007199254740993), ('x', x'00')",
        "CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('a' || char(0) || 'b'), (CAST(x'ff00fe' AS TEXT)), ('')",
        "PRAGMA auto_vacuum = FULL; CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(100000)), (1)",
        "CREATE TABLE gone (a); CREATE TABLE t (a, b, c); INSERT INTO t VALUES (1, 2, 3); ALTER TABLE t DROP COLUMN b; DROP TABLE gone",
    ])
    func oddTablesAreReadAsSQLiteReadsThem(script: String) throws {
        try compare(script)
    }

    @Test(arguments: [
        "CREATE TABLE t (k TEXT PRIMARY KEY, x) WITHOUT ROWID; INSERT INTO t VALUES ('a', 1)",
        "CREATE TABLE t (a INT, b AS (a + 1)); INSERT INTO t VALUES (1)",
        "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('é')",
        "PRAGMA journal_mode = WAL; CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('a')",
        "CREATE TABLE t (rowid, oid, _rowid_); INSERT INTO t VALUES (1, 2, 3)",
    ])
    func whatPagesDoNotTellAloneIsReadBySQLite(script: String) throws {
        try compare(script, isByPages: false)
    }

    @Test(arguments: 0..<12 as Range<UInt64>) func randomTablesAreReadAsSQLiteReadsThem(seed: UInt64) throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", RandomDatabase(seed: seed).script)
            let connection = try SQLite.Connection(path: "\(folder)/a.db", mode: .immutable)
            for table in try CatalogReader.read(connection).tables where table.rowidName != nil {
                let found = try rows(table, .all, connection)
                #expect(found.pages == found.sqlite)
            }
        }
    }

    /// Bytes that are wrong anywhere give an error or other values, and never an end of the program or a walk without end.
    @Test(arguments: 0..<6 as Range<UInt64>) func damagedPagesAreReadToAnEnd(seed: UInt64) throws {
        try withTemporaryFolder { folder in
            var random = SeededGenerator(seed: seed)
            let path = "\(folder)/a.db"
            try makeDatabase(
                path,
                """
                PRAGMA page_size = 512; CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT, b BLOB);
                \(Self.numbers)400) INSERT INTO t SELECT i, 'text ' || i, randomblob(i % 100 * 9) FROM g
                """)
            let connection = try SQLite.Connection(path: path, mode: .immutable)
            let statement = try connection.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 't'")
            _ = try statement.step()
            let root = UInt32(statement.int64(0))
            let whole = try Data(contentsOf: URL(fileURLWithPath: path))
            let fields = [nil, 1, 2].map { TableCursor.Field(place: $0, isReal: false) }
            var damaged = 0
            for _ in 0..<300 {
                var bytes = whole
                for _ in 0...random.below(4) {
                    // The front of a page says the most.
                    let page = random.below(whole.count / 512)
                    let place = max(100, page * 512 + random.below(random.chance(60) ? 24 : 512))
                    bytes[min(place, whole.count - 1)] = UInt8(random.below(256))
                }
                try bytes.write(to: URL(fileURLWithPath: "\(folder)/b.db"))
                do {
                    var cursor = TableCursor(
                        try PageFile(path: "\(folder)/b.db"), root: root, rowids: .min ... .max,
                        fields: fields)
                    var length = 0
                    while try cursor.next() {
                        for index in 0..<3 where cursor.isWhole { length += cursor.value(index).bytes.count }
                    }
                    #expect(length < whole.count * 400)
                } catch {
                    damaged += 1
                }
            }
            #expect(damaged > 0)
        }
    }
}

extension Data {
    fileprivate var hexadecimal: String { map { String($0, radix: 16) }.joined(separator: ".") }
}
