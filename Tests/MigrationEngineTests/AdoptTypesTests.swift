import MigrationEngine
import Postgres
import TestSupport
import Testing

/// Every kind of type that a framework's table may have: what it takes, and what is found before any data moves.
@Suite struct AdoptTypesTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let type: String
        /// SQLite's literals with what PostgreSQL then shows; the first two differ.
        let fits: [(literal: String, shown: String)]
        let misfits: [String]

        init(_ type: String, _ fits: [(String, String)], not misfits: [String] = []) {
            self.type = type
            self.fits = fits.map { (literal: $0.0, shown: $0.1) }
            self.misfits = misfits
        }

        /// Texts that come back as they are.
        init(_ type: String, texts: [String], not misfits: [String] = []) {
            self.init(type, texts.map { ("'\($0.replacing("'", with: "''"))'", $0) }, not: misfits)
        }

        var testDescription: String { type }
    }

    static let cases: [Case] = [
        Case(
            "smallint", [("-32768", "-32768"), ("32767", "32767")],
            not: ["32768", "'5'", "1.5", "x'05'", "9e999"]),
        Case("integer", [("-2147483648", "-2147483648"), ("7", "7")], not: ["2147483648", "1.5", "''"]),
        Case(
            "bigint", [("9223372036854775807", "9223372036854775807"), ("0", "0")], not: ["9.3e18", "'x'"]),
        Case("oid", [("0", "0"), ("4294967295", "4294967295")], not: ["4294967296", "-1", "'007'", "1.5"]),
        Case(
            "real",
            [
                ("0.1", "0.1"), ("1", "1"), ("0.10000000149011612", "0.1"),
                ("3.4028234663852886e38", "3.4028235e+38"),
                ("1.401298464324817e-45", "1e-45"), ("9e999", "Infinity"), ("-0.0", "-0"),
                ("16777216", "1.6777216e+07"),
            ], not: ["0.123456789", "1e300", "1e-300", "16777217", "'0.1'"]),
        Case(
            "double precision", [("0.1", "0.1"), ("1e308", "1e+308"), ("2", "2")],
            not: ["9007199254740993", "'0.1'"]),
        Case("numeric", [("1.10", "1.1"), ("123456789012", "123456789012")], not: ["-0.0", "'1.5'", "x''"]),
        Case("numeric(5,2)", [("1.25", "1.25"), ("-999.99", "-999.99")], not: ["1.255", "1000", "9e999"]),
        Case(
            "money",
            [
                ("1.25", "$1.25"), ("-3", "-$3.00"), ("1234567.89", "$1,234,567.89"),
                ("'-$1,234.50'", "-$1,234.50"),
            ],
            not: ["1.255", "'1.25'", "'$1234.50'", "'$1.5'", "1e30", "9e999"]),
        Case("boolean", [("1", "t"), ("'f'", "f"), ("0", "f")], not: ["2", "'yes'", "1.0"]),
        Case(
            "text", [("'a'", "a"), ("''", ""), ("5", "5"), ("1.5", "1.5")], not: ["x'61'", "'a' || char(0)"]),
        Case("varchar(3)", texts: ["äöü", "a "], not: ["'abcd'", "5", "x'61'"]),
        Case(
            "char(3)", [("'ab'", "ab "), ("'abc'", "abc"), ("'a  '", "a  "), ("'ä'", "ä  ")],
            not: ["'abcd'", "'a '", "5"]),
        Case("bpchar", texts: ["ab ", "b"]),
        Case("\"char\"", texts: ["a", "z"], not: ["'ab'"]),
        Case("name", texts: ["n", "m"], not: ["'\(String(repeating: "x", count: 64))'"]),
        Case(
            "bytea", [("x'00ff'", "\\x00ff"), ("'text'", "\\x74657874"), ("x''", "\\x")], not: ["5", "1.5"]),
        Case(
            "timestamp",
            [
                ("'2024-05-06 07:08:09.123456'", "2024-05-06 07:08:09.123456"),
                ("'2024-05-06'", "2024-05-06 00:00:00"),
                ("'2024-05-06T07:08:09+02:00'", "2024-05-06 05:08:09"),
            ], not: ["'nonsense'", "'2024-05-06 07:08:09.1234567'", "5", "''"]),
        Case(
            "timestamp(0)",
            [
                ("'2024-05-06 07:08:09'", "2024-05-06 07:08:09"),
                ("'1969-12-31 23:59:59'", "1969-12-31 23:59:59"),
            ], not: ["'2024-05-06 07:08:09.5'"]),
        Case(
            "timestamptz",
            [
                ("'2024-05-06T07:08:09+02:00'", "2024-05-06 05:08:09+00"),
                ("'2024-05-06 07:08:09'", "2024-05-06 07:08:09+00"),
            ], not: ["'nonsense'"]),
        Case(
            "date", [("'2024-02-29'", "2024-02-29"), ("'0001-01-01'", "0001-01-01")],
            not: ["'2023-02-29'", "'2024-01-01 00:00:00'", "20240101"]),
        Case("time", [("'23:59:59.5'", "23:59:59.5"), ("'00:00'", "00:00:00")], not: ["'25:00'", "5"]),
        Case("time(0)", [("'23:59:59'", "23:59:59"), ("'00:00'", "00:00:00")], not: ["'23:59:59.5'"]),
        Case("timetz", texts: ["04:05:06+00", "04:05:06.7-08"], not: ["'04:05:06'", "'x'"]),
        Case("interval", texts: ["1 day 02:00:00", "1 year"], not: ["'1 day 2 hours'", "'soon'", "5"]),
        Case(
            "uuid",
            [
                ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
                ("'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12"),
                ("'A0EEBC999C0B4EF8BB6D6BB9BD380A13'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a13"),
                ("x'000102030405060708090a0b0c0d0e0f'", "00010203-0405-0607-0809-0a0b0c0d0e0f"),
            ], not: ["'x'", "5"]),
        Case("json", texts: ["{\"a\":  1}", "[]"], not: ["'{'", "x'5b5d'"]),
        Case(
            "jsonb", [("'{\"a\":1}'", "{\"a\": 1}"), ("'[]'", "[]"), ("5", "5")],
            not: ["'{'", "'{\"a\":1,\"a\":2}'"]),
        Case("jsonpath", texts: ["$.\"a\"", "$"], not: ["'$.a'", "'+'"]),
        Case("xml", texts: ["<a>b</a>", "<c/>"], not: ["'<a>'"]),
        Case("inet", texts: ["10.0.0.1", "2001:db8::1/64"], not: ["'10.0.0.300'", "'10.0.0.1/32'", "5"]),
        Case("cidr", texts: ["10.0.0.0/8", "::/0"], not: ["'10.0.0.1/8'", "'10'"]),
        Case(
            "macaddr", texts: ["08:00:2b:01:02:03", "08:00:2b:01:02:04"], not: ["'08-00-2b-01-02-03'", "'x'"]),
        Case("macaddr8", texts: ["08:00:2b:01:02:03:04:05", "08:00:2b:01:02:03:04:06"], not: ["'x'"]),
        Case("bit(3)", texts: ["101", "000"], not: ["'1010'", "'10'", "101", "'2'"]),
        Case("varbit", texts: ["1", ""], not: ["'2'", "1"]),
        Case("varbit(2)", texts: ["1", "10"], not: ["'101'"]),
        Case("point", texts: ["(1,2)", "(0.5,-3)"], not: ["'1,2'", "'x'"]),
        Case("line", texts: ["{1,2,3}", "{1,0,0}"]),
        Case("lseg", texts: ["[(0,0),(1,1)]", "[(0,0),(2,1)]"]),
        Case("box", texts: ["(1,1),(0,0)", "(2,1),(0,0)"], not: ["'(0,0),(1,1)'"]),
        Case("path", texts: ["((0,0),(1,1))", "[(0,0),(1,1)]"]),
        Case("polygon", texts: ["((0,0),(1,1),(2,0))", "((0,0),(1,1),(3,0))"]),
        Case("circle", texts: ["<(0,0),1>", "<(0,0),2>"], not: ["'<(0,0),-1>'"]),
        Case("tsvector", texts: ["'a' 'b'", "'a':1"], not: ["'b a'"]),
        Case("tsquery", texts: ["'a' & 'b'", "'a'"], not: ["'a & b'"]),
        Case("pg_lsn", texts: ["0/16B3748", "0/1"], not: ["'0/0001'"]),
        Case("xid", [("5", "5"), ("'6'", "6")], not: ["'x'"]),
        Case("int4range", texts: ["[1,5)", "empty"], not: ["'[1,4]'"]),
        Case("int4multirange", texts: ["{[1,5)}", "{}"]),
        Case(
            "text[]",
            [
                ("'[\"a\",\"b c\",null,\"NULL\",\"\"]'", "{a,\"b c\",NULL,\"NULL\",\"\"}"), ("'[]'", "{}"),
                ("'[[\"a\"],[\"b\"]]'", "{{a},{b}}"),
                ("'{x,\"y z\",null,\"q\\\"\\\\\"}'", "{x,\"y z\",NULL,\"q\\\"\\\\\"}"),
                ("'[\"\\u00e9\\n\",\"{}\"]'", "{\"é\n\",\"{}\"}"),
            ],
            not: [
                "'[[\"a\"],[\"b\",\"c\"]]'", "'[1]'", "'{\"a\":1}'", "'\"a\"'", "5", "'[[]]'", "'[\"a\"'",
                "''",
            ]),
        Case(
            "integer[]",
            [("'[1,null,-3]'", "{1,NULL,-3}"), ("'{4,5}'", "{4,5}"), ("'[[1],[2]]'", "{{1},{2}}")],
            not: ["'[1.5]'", "'[\"1\"]'", "'[3000000000]'"]),
        Case("double precision[]", [("'[0.1,1]'", "{0.1,1}"), ("'[]'", "{}")]),
        Case("boolean[]", [("'[true,null]'", "{t,NULL}"), ("'{t,f}'", "{t,f}")], not: ["'[1]'"]),
        Case("jsonb[]", [("'[{\"a\":1},2]'", "{\"{\\\"a\\\": 1}\",2}"), ("'[]'", "{}")]),
        Case("varchar(2)[]", [("'[\"ab\"]'", "{ab}"), ("'[\"c\"]'", "{c}")], not: ["'[\"abc\"]'"]),
        Case(
            "timestamp[]",
            [("'[\"2024-01-01 00:00:00\"]'", "{\"2024-01-01 00:00:00\"}"), ("'[]'", "{}")],
            not: ["'[\"2024-01-01\"]'"]),
    ]

    private func withType(_ type: String, _ literals: [String], _ body: (AdoptedTarget) throws -> Void) throws
    {
        let rows = literals.enumerated().map { "(\($0 + 1), \($1))" }.joined(separator: ", ")
        try AdoptedTarget.with(
            source: "CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES \(rows), (100, NULL)",
            target: "CREATE TABLE t (id bigint PRIMARY KEY, v \(type))", body)
    }

    @Test(arguments: cases) func valuesArriveInTheTargetsOwnType(row: Case) throws {
        try withType(row.type, row.fits.map(\.literal)) { target in
            let report = try target.run()
            #expect(report.outcome == .proven, "\(report.findings.map(\.message)) \(report.tables)")
            let connection = try TestServer.connect(target.conninfo)
            try connection.execute("SET timezone = 'UTC'")
            let result = try connection.query("SELECT format('%s', v) FROM t WHERE id < 100 ORDER BY id")
            let shown = (0..<result.count).map { result.text($0, 0) ?? "NULL" }
            #expect(shown == row.fits.map(\.shown))
        }
    }

    @Test(arguments: cases) func theProofTellsEveryOtherValue(row: Case) throws {
        try withType(row.type, row.fits.map(\.literal)) { target in
            _ = try target.run()
            try target.execute("UPDATE t SET v = (SELECT v FROM t WHERE id = 2) WHERE id = 1")
            let changed = try target.validate()
            #expect(changed.tables.map(\.differences) == [1])
            try target.execute("UPDATE t SET v = NULL WHERE id = 1")
            let emptied = try target.validate()
            #expect(emptied.tables.map(\.differences) == [1])
        }
    }

    @Test(arguments: cases) func whatDoesNotFitIsFoundBeforeAnyDataMoves(row: Case) throws {
        for literal in row.misfits {
            try withType(row.type, [literal]) { target in
                let report = try target.run()
                #expect(report.exit == 3, "\(row.type) takes \(literal)")
                #expect(report.findings.filter(\.blocking).map(\.id) == [.valueDoesNotFit], "\(literal)")
                let rows = try target.rows("SELECT * FROM t")
                #expect(rows == [])
            }
        }
    }
}
