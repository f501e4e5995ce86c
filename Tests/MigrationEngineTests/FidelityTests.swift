import Foundation
import MigrationEngine
import Postgres
import SQLite
import TestSupport
import Testing

/// Values go in by SQLite and are read back by PostgreSQL's own output, not by howdah's proof.
@Suite struct FidelityTests {
    /// Migrates one column and gives what the server says it holds, in the order of the rows.
    private func arrived(
        _ declaration: String, _ values: [String], style: Style = .plain, as expression: String = "v::text"
    ) throws -> [String] {
        var migration = TestMigration()
        migration.style = style
        let rows = values.enumerated().map { "(\($0 + 1), \($1))" }.joined(separator: ", ")
        return try migration.migrated(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v \(declaration)); INSERT INTO t VALUES \(rows)"
        ) { report, conninfo, _ in
            #expect(report.outcome == .proven, "\(report.findings.map(\.message))")
            return try TestServer.rows("SELECT \(expression) FROM t ORDER BY id", in: conninfo)
        }
    }

    @Test func integersArriveToTheLastBit() throws {
        let values = ["0", "1", "-1", "2147483648", "9223372036854775807", "-9223372036854775808", "NULL"]
        #expect(try arrived("INTEGER", values) == values)
    }

    @Test func doublesArriveBitForBit() throws {
        let doubles: [Double] = [
            0.1, -0.1, 1e308, -1e308, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude,
            1 / 3, 1e15,
            0.30000000000000004, 123456789.12345678, 42, .pi,
        ]
        let bits = try arrived("REAL", doubles.map { "\($0)" }, as: "encode(float8send(v), 'hex')")
        #expect(bits == doubles.map { String(format: "%016lx", $0.bitPattern) })
    }

    @Test func infinitiesAndNegativeZeroArrive() throws {
        #expect(try arrived("REAL", ["9e999", "-9e999"]) == ["Infinity", "-Infinity"])
        // A column without a type keeps the sign of zero, which REAL affinity drops.
        #expect(try arrived("", ["-0.0", "1.5"]) == ["-0", "1.5"])
        #expect(try arrived("NUMERIC", ["9e999", "2"]) == ["Infinity", "2"])
    }

    @Test func textArrivesWithEveryCharacter() throws {
        let texts = [
            "", " ", "naïve 東京\tab", "👨‍👩‍👧‍👦🇨🇭", "a\\b\\N\\.", "it''s \"x\"",
            "\u{1}\u{7F}\u{85}\u{FEFF}\u{FFFD}\u{10FFFF}", "NULL", "line\r\nline\n",
        ]
        let arrived = try arrived("TEXT", texts.map { "'\($0)'" })
        #expect(arrived == texts.map { $0.replacing("''", with: "'") })
    }

    @Test func emptyTextAndEmptyBytesAreApartFromNull() throws {
        #expect(try arrived("TEXT", ["''", "NULL"], as: "v IS NULL, length(v)") == ["f|0", "t|NULL"])
        #expect(try arrived("BLOB", ["x''", "NULL"], as: "v IS NULL, length(v)") == ["f|0", "t|NULL"])
    }

    @Test func bytesArriveWhateverTheyAre() throws {
        let hex = (0..<256).map { String(format: "%02x", $0) }.joined()
        #expect(try arrived("BLOB", ["x'\(hex)'", "x'00'", "x'5c78'"]) == ["\\x" + hex, "\\x00", "\\x5c78"])
    }

    @Test func aLargeBlobArrives() throws {
        let size = 20 << 20
        try TestMigration().migrated(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB); INSERT INTO t VALUES (1, randomblob(\(size)))"
        ) { report, conninfo, folder in
            #expect(report.outcome == .proven)
            let length = try TestServer.value("SELECT length(v) FROM t", in: conninfo)
            #expect(length == "\(size)")
        }
    }

    @Test(arguments: [
        (
            "DECIMAL(10,2)", ["1", "1.2", "-3.25", "0", "99999999.99"],
            ["1.00", "1.20", "-3.25", "0.00", "99999999.99"]
        ),
        (
            "NUMERIC", ["123456789.12345678", "1e20", "-0.000001", "12345678901234567"],
            ["123456789.12345678", "100000000000000000000", "-0.000001", "12345678901234567"]
        ),
        ("DECIMAL", ["5e-324", "1.7976931348623157e308", "10000", "0.0001", "12340000.5678"], nil),
    ])
    func decimalsArriveWithTheirShortestDigits(declaration: String, values: [String], expected: [String]?)
        throws
    {
        let arrived = try arrived(declaration, values)
        if let expected {
            #expect(arrived == expected)
        } else {
            #expect(arrived.map { Double($0) } == values.map { Double($0) })
        }
    }

    @Test func prismasDatesOfEveryFormArriveInOneColumn() throws {
        let forms: [(stored: String, arrived: String)] = [
            ("0", "1970-01-01 00:00:00"), ("1714979289123", "2024-05-06 07:08:09.123"),
            ("-1", "1969-12-31 23:59:59.999"),
            ("-62135596800000", "0001-01-01 00:00:00"), ("253402300799999", "9999-12-31 23:59:59.999"),
            ("'2024-05-06 07:08:09'", "2024-05-06 07:08:09"),
            ("'2024-05-06 07:08:09.120'", "2024-05-06 07:08:09.12"),
            ("'2024-05-06T07:08:09.120+00:00'", "2024-05-06 07:08:09.12"),
            ("'2024-05-06T07:08:09.120Z'", "2024-05-06 07:08:09.12"),
            ("'2024-05-06T07:08:09+02:00'", "2024-05-06 05:08:09"),
            ("'2024-05-06 07:08:09+02'", "2024-05-06 05:08:09"),
            ("'2024-01-01T00:30:00+02:00'", "2023-12-31 22:30:00"),
            ("'1900-01-01 00:00:00 +00:00'", "1900-01-01 00:00:00"),
            ("'2024-05-06'", "2024-05-06 00:00:00"), ("'2024-05-06T07:08'", "2024-05-06 07:08:00"),
            ("'Mon, 06 May 2024 07:08:09 +0200'", "2024-05-06 05:08:09"),
            ("'2024-05-06 07:08:09.123987'", "2024-05-06 07:08:09.123"),
            ("'1969-12-31 23:59:59.9999'", "1969-12-31 23:59:59.999"),
            ("1714979289123.75", "2024-05-06 07:08:09.123"),
        ]
        let arrived = try arrived("DATETIME", forms.map(\.stored), style: .prisma)
        #expect(arrived == forms.map(\.arrived))
    }

    @Test func epochsAreFoundByTheirUnit() throws {
        #expect(
            try arrived("DATETIME", ["1727078780", "1727078782"]) == [
                "2024-09-23 08:06:20", "2024-09-23 08:06:22",
            ])
        #expect(try arrived("TIMESTAMP", ["1727078780123"]) == ["2024-09-23 08:06:20.123"])
        #expect(try arrived("DATETIME", ["5", "7"]) == ["5", "7"])
        #expect(try arrived("DATETIME", ["1.0e100"]) == ["1e+100"])
    }

    @Test func booleansArriveFromNumbersAndWords() throws {
        #expect(
            try arrived("BOOLEAN", ["0", "1", "'t'", "'FALSE'", "NULL"]) == [
                "false", "true", "true", "false", "NULL",
            ])
    }

    @Test func jsonKeepsItsValueAndNullsStayApart() throws {
        let values = ["'{\"b\": 1, \"aa\": [1e3, null]}'", "'null'", "NULL", "5", "1.10", "'\"text\"'"]
        #expect(
            try arrived("JSONB", values, style: .prisma)
                == ["{\"b\": 1, \"aa\": [1000, null]}", "null", "NULL", "5", "1.1", "\"text\""])
    }

    /// jsonb keeps the last value of a key alone; json keeps the text.
    @Test func aKeyThatIsThereTwiceStopsAJsonbAndPassesAJson() throws {
        let script =
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a JSONB); INSERT INTO t VALUES (7, '{\"a\":1,\"a\":2}')"
        var migration = TestMigration()
        migration.style = .prisma
        try migration.migrated(script) { report, _, _ in
            #expect(report.exit == 3)
            let blocking = report.findings.filter(\.blocking)
            #expect(blocking.map(\.id) == [.valueDoesNotFit])
            #expect(blocking.map(\.sampleRowids) == [[7]])
        }
        migration.style = .plain
        try migration.migrated(script) { report, conninfo, _ in
            #expect(report.outcome == .proven)
            let value = try TestServer.value("SELECT a FROM t", in: conninfo)
            #expect(value == "{\"a\":1,\"a\":2}")
        }
    }

    @Test(arguments: [
        "Mixed Case", "select", "quo\"te", "with space", "ünïcødé 😀", "semi;colon", "it's", "a.b", "\\back",
        "%s", "$1",
        String(repeating: "x", count: 63), "UPPER", "tab\there", "joined\"\u{301}", "'\u{301}", "e\u{301}",
    ])
    func namesAreKeptExactly(name: String) throws {
        let quoted = quoteIdentifier(name)
        try TestMigration().migrated(
            """
            CREATE TABLE \(quoted) (\(quoted) INTEGER PRIMARY KEY, other TEXT UNIQUE);
            CREATE TABLE child (id INTEGER PRIMARY KEY, p REFERENCES \(quoted)); CREATE INDEX i ON \(quoted) (other DESC);
            INSERT INTO \(quoted) VALUES (1, 'x'); INSERT INTO child VALUES (1, 1)
            """
        ) { report, conninfo, _ in
            #expect(report.outcome == .proven, "\(report.findings)")
            let names = try TestServer.rows(
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'child' ORDER BY ordinal_position",
                in: conninfo)
            #expect(names == ["\(name)|\(name)", "\(name)|other"])
        }
    }

    @Test func aTypeWithoutABinaryFormGoesThroughText() throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/a.db"
            try makeDatabase(
                path,
                "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, d DATETIME); INSERT INTO t VALUES (1, '10.0.0.1', '2024-01-01 00:00:00'), (2, NULL, NULL)"
            )
            var migration = TestMigration()
            let text = try migration.prepare(path, state: "\(folder)/state").planText
            let edited = text.replacing(
                "- name: v\n        type: text", with: "- name: v\n        type: inet")
            #expect(edited != text)
            try edited.write(toFile: "\(folder)/plan.yaml", atomically: true, encoding: .utf8)
            migration.planPath = "\(folder)/plan.yaml"
            try TestServer.withDatabase { conninfo in
                let report = try migration.run(path, state: "\(folder)/state", into: conninfo)
                #expect(report.outcome == .proven)
                let rows = try TestServer.rows("SELECT v, pg_typeof(v), d FROM t ORDER BY id", in: conninfo)
                #expect(rows == ["10.0.0.1|inet|2024-01-01 00:00:00", "NULL|inet|NULL"])
            }
        }
    }
}
