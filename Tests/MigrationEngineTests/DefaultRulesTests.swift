import Testing

@testable import MigrationEngine

@Suite struct DefaultRulesTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let sql: String
        let type: String
        /// nil is not supported.
        let carried: String??
        var style = Style.plain

        init(_ sql: String, _ type: String, _ carried: String??, _ style: Style = .plain) {
            self.sql = sql
            self.type = type
            self.carried = carried
            self.style = style
        }

        var testDescription: String { "\(type) DEFAULT \(sql)" }
    }

    private func translate(_ sql: String, _ type: String, _ style: Style) -> String?? {
        let rules = DefaultRules(
            type: PostgresType(type), style: style, enums: [.init(name: "Role", labels: ["OWNER", "it's"])])
        switch rules.translate(sql) {
        case .carried(let value): return .some(value)
        case .notSupported, nil: return nil
        }
    }

    static let cases = [
        // Texts, among them those that look like something else.
        Case("'it''s'", "text", "'it''s'"), Case("''", "text", "''"), Case("\"\"", "text", "''"),
        Case("'null'", "text", "'null'"),
        Case("'a\\b'", "text", " E'a\\\\b'"), Case("foo", "text", "'foo'"), Case("('x')", "text", "'x'"),
        Case("(('x'))", "text", "'x'"),
        Case("'abc'", "varchar(3)", "'abc'"), Case("'abcd'", "varchar(3)", nil), Case("5", "text", "'5'"),
        Case("-5", "text", "'-5'"),
        Case("007", "text", "'7'"), Case("1.5", "text", "'1.5'"), Case("1.50", "text", "'1.5'"),
        Case("0x10", "text", "'16'"),
        Case("TRUE", "text", "'1'"), Case("x'00'", "text", nil),
        // NULL needs no words.
        Case("NULL", "text", .some(nil)), Case("null", "bigint", .some(nil)),
        Case("(NULL)", "jsonb", .some(nil)),
        // Numbers.
        Case("5", "bigint", "5"), Case("-5", "bigint", "-5"), Case("+5", "bigint", "5"),
        Case("- -5", "bigint", "5"),
        Case("(5)", "integer", "5"), Case("0x10", "bigint", "16"),
        Case("9007199254740993", "bigint", "9007199254740993"),
        Case("-9223372036854775808", "bigint", "-9223372036854775808"),
        Case("9223372036854775808", "bigint", nil),
        Case("2147483647", "integer", "2147483647"), Case("-2147483648", "integer", "-2147483648"),
        Case("2147483648", "integer", nil),
        Case("-32768", "smallint", "-32768"), Case("32768", "smallint", nil), Case("1.5", "bigint", nil),
        Case("'5'", "bigint", "5"),
        Case("'x'", "bigint", nil), Case("''", "bigint", nil), Case("TRUE", "bigint", "1"),
        Case("false", "integer", "0"),
        Case("1.5", "double precision", "1.5"), Case("1e3", "double precision", "1e3"),
        Case("1e999", "double precision", nil),
        Case("12.50", "numeric", "12.50"), Case("12.50", "numeric(10,2)", "12.50"),
        Case("12.505", "numeric(10,2)", nil),
        Case("1000", "numeric(3,0)", nil), Case("'1e'", "numeric", nil),
        Case("'1e+'", "double precision", nil),
        Case("12.50", "numeric(65,30)", "12.50", .prisma),
        // SQLite makes doubles of what is no 64-bit integer.
        Case("9223372036854775808", "numeric", nil), Case("12345678901234567890.5", "numeric", nil),
        Case("1e400", "numeric", nil), Case("1e400", "json", nil), Case("9223372036854775808", "json", nil),
        Case("9223372036854775807", "numeric", "9223372036854775807"), Case("0.1", "numeric", "0.1"),
        Case("007", "json", "'7'"), Case(".5", "json", "'0.5'"), Case("5.", "jsonb", "'5'"),
        Case("CURRENT_TIMESTAMP", "varchar(18)", nil), Case("CURRENT_DATE", "varchar(9)", nil),
        Case("CURRENT_DATE", "varchar(10)", "to_char((CURRENT_TIMESTAMP AT TIME ZONE 'UTC'), 'YYYY-MM-DD')"),
        // Booleans.
        Case("true", "boolean", "true"), Case("0", "boolean", "false"), Case("1", "boolean", "true"),
        Case("'f'", "boolean", "false"),
        Case("'TRUE'", "boolean", "true"), Case("'1'", "boolean", "true"), Case("2", "boolean", nil),
        Case("'yes'", "boolean", nil),
        Case("true", "boolean", "true", .prisma),
        // Bytes.
        Case("x'00FF'", "bytea", "'\\x00ff'::bytea"),
        Case("'68656c6c6f'", "bytea", "'\\x68656c6c6f'::bytea", .prisma),
        Case("'68656c6c6f'", "bytea", "'\\x36383635366336633666'::bytea"),
        Case("'hello'", "bytea", "'\\x68656c6c6f'::bytea", .prisma),
        Case("'abc'", "bytea", "'\\x616263'::bytea", .prisma), Case("''", "bytea", "'\\x'::bytea", .prisma),
        Case("5", "bytea", nil),
        // JSON.
        Case("'{\"a\": 1}'", "jsonb", "'{\"a\": 1}'"), Case("'{'", "jsonb", nil), Case("5", "jsonb", "'5'"),
        Case("'\"\\u0000\"'", "jsonb", nil), Case("'\"\\u0000\"'", "json", " E'\"\\\\u0000\"'"),
        // Enums.
        Case("'OWNER'", "\"Role\"", "'OWNER'"), Case("'it''s'", "\"Role\"", "'it''s'"),
        Case("'owner'", "\"Role\"", nil),
        Case("'x'", "\"Missing\"", nil),
        // The present.
        Case("CURRENT_TIMESTAMP", "timestamp(3)", "CURRENT_TIMESTAMP", .prisma),
        Case("CURRENT_TIMESTAMP", "timestamp", "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC')"),
        Case("current_timestamp", "timestamptz", "CURRENT_TIMESTAMP"),
        Case("(datetime('now'))", "timestamp", "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC')"),
        Case("datetime('NOW')", "timestamptz", "CURRENT_TIMESTAMP"),
        Case("CURRENT_DATE", "date", "((CURRENT_TIMESTAMP AT TIME ZONE 'UTC')::date)"),
        Case("date('now')", "date", "((CURRENT_TIMESTAMP AT TIME ZONE 'UTC')::date)"),
        Case("CURRENT_TIME", "time", "((CURRENT_TIMESTAMP AT TIME ZONE 'UTC')::time)"),
        Case(
            "CURRENT_TIMESTAMP", "text",
            "to_char((CURRENT_TIMESTAMP AT TIME ZONE 'UTC'), 'YYYY-MM-DD HH24:MI:SS')"),
        Case("CURRENT_DATE", "text", "to_char((CURRENT_TIMESTAMP AT TIME ZONE 'UTC'), 'YYYY-MM-DD')"),
        Case("CURRENT_TIMESTAMP", "bigint", nil), Case("CURRENT_TIME", "timestamp", nil),
        Case("-CURRENT_TIMESTAMP", "timestamp", nil),
        // Dates.
        Case("'1900-01-01 00:00:00 +00:00'", "timestamp(3)", "'1900-01-01 00:00:00 +00:00'", .prisma),
        Case("'2024-05-06'", "date", "'2024-05-06'"), Case("'2024-05-06 07:08:09'", "date", nil),
        Case("'2024-05-06 07:08:09'", "timestamptz", "'2024-05-06 07:08:09+00'"),
        Case("'2024-05-06 07:08:09+02:00'", "timestamp", nil), Case("'0000-00-00'", "timestamp", nil),
        Case("0", "timestamp", nil),
        Case("'07:08'", "time", "'07:08'"), Case("'x'", "time", nil),
        // Expressions.
        Case("(lower(hex(randomblob(16))))", "text", nil), Case("(strftime('%s', 'now'))", "bigint", nil),
        Case("(julianday('now'))", "double precision", nil), Case("(1 + 2)", "bigint", nil),
        Case("(1) + (2)", "bigint", nil),
        Case("datetime('now', 'localtime')", "timestamp", nil), Case("'a' || 'b'", "text", nil),
        Case("{\"a\": 1}", "jsonb", nil),
        Case("", "text", nil), Case("(", "text", nil), Case("()", "text", nil), Case("-", "bigint", nil),
        Case("'x", "text", nil),
        Case("-'x'", "text", nil),
    ]

    @Test(arguments: cases)
    func aDefaultIsCarriedOrRefused(_ test: Case) {
        #expect(translate(test.sql, test.type, test.style) == test.carried)
    }

    @Test func aRefusalQuotesTheDefault() {
        #expect(
            DefaultRules(type: .bigint, style: .plain, enums: []).translate("'x'")
                == .notSupported("the default 'x' is no value of type bigint"))
    }

    @Test func aQuoteInATextIsDoubledWhateverFollowsIt() {
        let translated = translate("'a''\u{301}b'", "text", .plain)
        #expect(translated??.unicodeScalars.map(\.value) == "'a''\u{301}b'".unicodeScalars.map(\.value))
    }

    @Test func oneBadDefaultDoesNotStopTheOthers() throws {
        let proposal = try propose(
            "CREATE TABLE t (a TEXT DEFAULT (julianday('now')), b INT DEFAULT 5, c TEXT DEFAULT 'x')")
        #expect(proposal.plan.tables.first?.columns.map(\.defaultValue) == [nil, "5", "'x'"])
        #expect(proposal.objects.filter { $0.kind == .defaultValue }.map(\.name) == ["t.a"])
    }
}
