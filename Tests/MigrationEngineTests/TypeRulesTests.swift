import Testing

@testable import MigrationEngine

@Suite struct TypeRulesTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let declared: String
        let values: String
        let type: String
        let isFallback: Bool

        init(_ declared: String, _ values: String, _ type: String, isFallback: Bool = false) {
            self.declared = declared
            self.values = values
            self.type = type
            self.isFallback = isFallback
        }

        var testDescription: String { "\(declared) \(values)" }
    }

    private func choose(_ declared: String, _ values: String, _ style: Style) throws -> TypeRule.Choice {
        let rows = values.isEmpty ? "" : "; INSERT INTO t (c) VALUES \(values)"
        let (catalog, profiles) = try readProfiles("CREATE TABLE t (c \(declared))\(rows)")
        let column = try #require(catalog.tables.first?.columns.first)
        let profile = try #require(profiles["t"]?.columns.first)
        return TypeRule.choose(column, profile, style: style)
    }

    static let plain = [
        Case("INTEGER", "", "bigint"), Case("INTEGER", "(1), (-9223372036854775808)", "bigint"),
        Case("INT", "(NULL)", "bigint"), Case("UNSIGNED BIG INT", "(5)", "bigint"),
        Case("TINYINT(1)", "(5)", "bigint"),
        Case("TEXT", "('x')", "text"), Case("longtext", "('x')", "text"),
        Case("VARCHAR(5)", "('größe')", "varchar(5)"),
        Case("VARCHAR(5)", "('größen')", "text", isFallback: true),
        Case("character(3)", "('a')", "varchar(3)"),
        Case("VARCHAR", "('a')", "text"), Case("VARCHAR(0)", "('')", "text"),
        Case("VARCHAR(99999999)", "('')", "text"),
        Case("REAL", "(1), (1.5)", "double precision"),
        Case("DOUBLE PRECISION", "(1e308)", "double precision"),
        Case("FLOAT", "(-0.0), (9e999)", "double precision"), Case("BLOB", "(x'00')", "bytea"),
        Case("BLOB", "('text')", "text", isFallback: true), Case("BLOB", "(x'00'), ('text')", "bytea"),
        Case("BOOLEAN", "(0), (1), ('t'), ('FALSE')", "boolean"), Case("BOOLEAN", "(2)", "boolean"),
        Case("bool", "(1)", "boolean"), Case("DECIMAL(10,2)", "(12.5), (3)", "numeric(10,2)"),
        Case("DECIMAL(10,2)", "(12.505)", "numeric", isFallback: true),
        Case("DECIMAL(3)", "(1000)", "numeric", isFallback: true), Case("NUMERIC", "(0.1)", "numeric"),
        Case("DECIMAL(2,5)", "(0.1)", "numeric"),
        Case("NUMERIC(10,2)", "(9e999)", "numeric", isFallback: true),
        Case("DATETIME", "('2024-05-06 07:08:09.123456')", "timestamp"),
        Case("TIMESTAMP", "('2024-05-06')", "timestamp"),
        Case("DATETIME", "('2024-05-06 07:08:09Z')", "timestamptz", isFallback: true),
        Case("DATETIME", "('2024-05-06 07:08:09Z'), ('2024-05-06')", "timestamp"),
        Case("DATETIME", "('2024-05-06 07:08:09+02:00')", "timestamp"),
        Case("DATETIME", "(1714979289)", "timestamp"), Case("DATETIME", "(1714979289000)", "timestamp"),
        Case("DATETIME", "(42)", "bigint", isFallback: true),
        Case("DATETIME", "(2460000.5)", "double precision", isFallback: true),
        Case("TIMESTAMPTZ", "('2024-05-06 07:08:09+00')", "timestamptz"),
        Case("TIMESTAMP WITH TIME ZONE", "('2024-05-06 07:08:09')", "timestamp", isFallback: true),
        Case("DATE", "('2024-05-06')", "date"),
        Case("DATE", "('2024-05-06 07:08:09')", "timestamp", isFallback: true),
        Case("DATE", "('0000-00-00')", "date"), Case("TIME", "('07:08')", "time"),
        Case("TIME", "('later')", "text", isFallback: true),
        Case("JSON", "('{\"a\":1}')", "json"), Case("JSON", "('\"\\u0000\"')", "json"),
        Case("JSON", "('{')", "text", isFallback: true),
        Case("JSONB", "('[]')", "json"), Case("STRING", "('x')", "text"),
        Case("STRING", "(5)", "bigint", isFallback: true),
        Case("", "(1)", "bigint"), Case("", "('x')", "text"), Case("", "(1.5)", "double precision"),
        Case("", "(x'00')", "bytea"),
        Case("", "(1), (1.5)", "double precision"), Case("", "(9007199254740993), (1.5)", "numeric"),
        Case("", "(1), ('x')", "bigint"), Case("", "", "bigint"), Case("GEOMETRY", "('POINT')", "text"),
        Case("ANY", "(1.5)", "double precision"),
        Case("INTEGER", "('x')", "bigint"), Case("TEXT", "(x'00')", "text"),
        Case("TEXT", "('a' || char(0))", "text"),
        Case("TEXT", "(CAST(x'ff' AS TEXT))", "text"),
    ]

    @Test(arguments: plain)
    func contentDecidesTheType(_ test: Case) throws {
        let choice = try choose(test.declared, test.values, .plain)
        #expect(choice.type.sql == test.type)
        #expect(choice.isFallback == test.isFallback)
    }

    @Test(arguments: [
        Case("DATETIME", "(1714979289123)", "timestamp(3)"),
        Case("DATETIME", "(1), ('2024-05-06T07:08:09.120+00:00')", "timestamp(3)"),
        Case("DATE", "(5)", "timestamp(3)"), Case("BOOLEAN", "(1)", "boolean"),
        Case("INTEGER", "(2147483647)", "integer"),
        Case("INT", "", "integer"), Case("BIGINT", "(9223372036854775807)", "bigint"),
        Case("DECIMAL", "(0.1)", "numeric(65,30)"),
        Case("JSONB", "('{}'), (5), (1.5)", "jsonb"), Case("TEXT", "('x')", "text"),
        Case("REAL", "(1)", "double precision"),
        Case("BLOB", "(x'')", "bytea"), Case("INTEGER UNSIGNED", "(1)", "bigint"),
    ])
    func prismaHasItsOwnTypes(_ test: Case) throws {
        let choice = try choose(test.declared, test.values, .prisma)
        #expect(choice.type.sql == test.type)
        #expect(choice.isFallback == test.isFallback)
    }

    @Test(arguments: [
        ("INTEGER", "('x')", Style.plain), ("INTEGER", "(1.5)", .plain), ("TEXT", "(x'00')", .plain),
        ("TEXT", "('a' || char(0))", .plain), ("TEXT", "(CAST(x'ff' AS TEXT))", .plain),
        ("BOOLEAN", "(2)", .plain),
        ("BLOB", "(x'00'), ('text')", .plain), ("REAL", "('x')", .plain),
        ("DATETIME", "('2024-05-06'), ('2024-05-06Z')", .plain),
        ("INTEGER", "(2147483648)", .prisma), ("INTEGER", "(-2147483649)", .prisma),
        ("BOOLEAN", "(2)", .prisma),
        ("DECIMAL", "(1e35)", .prisma), ("DECIMAL", "(1e-31)", .prisma), ("DECIMAL", "('abc')", .prisma),
        ("JSONB", "('{')", .prisma), ("JSONB", "('\"\\u0000\"')", .prisma), ("JSONB", "(x'00')", .prisma),
        ("DATETIME", "('')", .prisma), ("DATETIME", "('0000-00-00')", .prisma),
        ("DATETIME", "(9223372036854775807)", .prisma),
        ("DATETIME", "('+999999-01-01')", .plain), ("DATE", "('-009999-01-01')", .plain),
        ("DATETIME", "('-009999-01-01')", .plain),
    ])
    func aValueThatFitsNowhereIsAMisfit(declared: String, values: String, style: Style) throws {
        #expect(try choose(declared, values, style).fit == .misfit)
    }

    @Test(
        arguments: [
            ("DATETIME", "(1714979289)", Style.plain, EpochUnit.seconds),
            ("DATETIME", "(1714979289000)", .plain, .milliseconds),
            ("DATETIME", "(1714979289000000)", .plain, .microseconds), ("DATETIME", "(42)", .plain, nil),
            ("DATETIME", "('2024-05-06')", .plain, nil), ("DATETIME", "(1714979289)", .prisma, .milliseconds),
            ("DATETIME", "('2024-05-06')", .prisma, nil), ("INTEGER", "(1714979289)", .plain, nil),
        ] as [(String, String, Style, EpochUnit?)])
    func integersInDatesHaveAUnit(declared: String, values: String, style: Style, unit: EpochUnit?) throws {
        #expect(try choose(declared, values, style).unit == unit)
    }

    @Test func theReasonSaysWhatTheDeclaredTypeDoesNotHold() throws {
        let choice = try choose("VARCHAR(2)", "('abc')", .plain)
        #expect(
            choice.reason
                == "VARCHAR(2): declared as text; varchar(2) does not hold every value: 1 text, the longest text 3 characters"
        )
    }

    @Test func alternativesHoldEveryValue() throws {
        #expect(
            try choose("BOOLEAN", "(2)", .plain).alternatives == [
                .bigint, .double, .numeric(precision: nil, scale: nil),
            ])
        #expect(try choose("INTEGER", "('x')", .plain).alternatives == [.text])
        #expect(try choose("INTEGER", "('x'), (1)", .plain).alternatives == [])
    }

    // MARK: PostgreSQL's types

    @Test(arguments: [
        ("boolean", PostgresType.boolean), ("bool", .boolean), ("INT2", .smallint), ("int", .integer),
        ("INTEGER", .integer),
        ("int8", .bigint), ("float8", .double), ("double  precision", .double),
        ("numeric", .numeric(precision: nil, scale: nil)),
        ("decimal(10)", .numeric(precision: 10, scale: 0)),
        ("NUMERIC (10 , 2)", .numeric(precision: 10, scale: 2)),
        ("varchar(5)", .varchar(5)), ("character varying(5)", .varchar(5)), ("varchar", .varchar(nil)),
        ("timestamp", .timestamp(nil)), ("timestamp(6)", .timestamp(6)),
        ("timestamp(3) without time zone", .timestamp(3)), ("timestamp (3) with time zone", .timestamptz(3)),
        ("timestamptz(0)", .timestamptz(0)), ("time(9)", .time(6)), ("jsonb", .jsonb), ("uuid", .uuid),
        ("\"Role\"", .enumeration("Role")), ("\"a\"\"b\"", .enumeration("a\"b")),
        ("text[]", .other("text[]")),
        ("varchar(5)[]", .other("varchar(5)[]")), ("citext", .other("citext")),
        ("numeric(a)", .other("numeric(a)")),
        ("char(3)", .char(3)), ("character", .char(1)), ("real", .real), ("\"char\"", .other("\"char\"")),
        ("\"a b\".\"c\"", .other("\"a b\".\"c\"")), ("money", .other("money")),
        ("public.thing", .other("public.thing")), ("", .other("")),
        (")(", .other(")(")),
    ])
    func typesAreReadAsPostgreSQLSpellsThem(text: String, type: PostgresType) {
        #expect(PostgresType(text) == type)
    }

    @Test(arguments: [
        PostgresType.boolean, .smallint, .integer, .bigint, .real, .double, .char(5),
        .numeric(precision: nil, scale: nil),
        .numeric(precision: 65, scale: 30), .text, .varchar(160), .bytea, .timestamp(3), .timestamp(6),
        .timestamp(nil), .varchar(nil),
        .timestamptz(0),
        .timestamptz(6), .date, .time(2), .time(6), .json, .jsonb, .uuid, .enumeration("Role"),
        .enumeration("a\"b c"),
        .enumeration("a\"\u{301}"), .other("citext"),
    ])
    func aTypeIsReadAsItIsWritten(type: PostgresType) {
        #expect(PostgresType(type.sql) == type)
    }

    @Test func aQuoteInAnEnumsNameIsDoubledWhateverFollowsIt() {
        #expect(
            Array(PostgresType.enumeration("a\"\u{301}b").sql.unicodeScalars)
                == Array("\"a\"\"\u{301}b\"".unicodeScalars))
    }

    // MARK: Units

    @Test(
        arguments: [
            (315_532_800, 4_102_444_800, EpochUnit.seconds), (1_714_979_289, 1_714_979_289, .seconds),
            (315_532_799, 1_714_979_289, nil), (1_714_979_289, 4_102_444_801, nil),
            (315_532_800_000, 4_102_444_800_000, .milliseconds),
            (315_532_800_000_000, 4_102_444_800_000_000, .microseconds),
            (1_714_979_289, 1_714_979_289_000, nil), (0, 0, nil),
            (-1, 1_714_979_289, nil), (Int64.min, Int64.max, nil),
        ] as [(Int64, Int64, EpochUnit?)])
    func aUnitIsPlausibleWhenEveryValueLiesInOurTime(min: Int64, max: Int64, unit: EpochUnit?) {
        #expect(EpochUnit.plausible(min: min, max: max) == unit)
    }
}
