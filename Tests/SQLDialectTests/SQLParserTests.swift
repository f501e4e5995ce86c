import SQLDialect
import Testing

/// How SQLite's SQL is read: what binds tighter, what a word means where, and what is refused.
@Suite struct SQLParserTests {
    /// An expression with all of its parentheses.
    private func shape(_ sql: String) throws -> String { shape(try SQLParser.expression(sql)) }

    private func shape(_ expression: Expression) -> String {
        switch expression.kind {
        case .integer(let value): "\(value)"
        case .name(let names): names.map(\.text).joined(separator: ".")
        case .text(let text): "'\(text)'"
        case .null: "NULL"
        case .unary(let unary, let operand): "(\(unary.rawValue) \(shape(operand)))"
        case .binary(let binary, let left, let right): "(\(shape(left)) \(binary.rawValue) \(shape(right)))"
        case .collate(let operand, let name): "(\(shape(operand)) COLLATE \(name))"
        case .between(let value, let low, let high, let isNot):
            "(\(shape(value))\(isNot ? " NOT" : "") BETWEEN \(shape(low)) AND \(shape(high)))"
        case .inList(let value, let items, let isNot):
            "(\(shape(value))\(isNot ? " NOT" : "") IN (\(items.map(shape).joined(separator: ", "))))"
        case .match(let match, let value, let pattern, let escape, let isNot):
            "(\(shape(value))\(isNot ? " NOT" : "") \(match.rawValue) \(shape(pattern))\(escape.map { " ESCAPE \(shape($0))" } ?? ""))"
        case .isNull(let value, let isNot): "(\(shape(value)) IS \(isNot ? "NOT " : "")NULL)"
        case .cast(let value, let type): "CAST(\(shape(value)) AS \(type))"
        case .call(let call): "\(call.name)(\(call.arguments.map(shape).joined(separator: ", ")))"
        default: "\(expression.kind)"
        }
    }

    @Test(arguments: [
        ("a OR b AND c", "(a OR (b AND c))"), ("NOT a = b", "(NOT (a = b))"),
        ("NOT a AND b", "((NOT a) AND b)"),
        ("a = b < c", "(a = (b < c))"), ("a = b = c", "((a = b) = c)"),
        ("a < b | c + d * e", "(a < (b | (c + (d * e))))"),
        ("a * b || c", "(a * (b || c))"), ("-a || b", "((- a) || b)"),
        ("-a COLLATE nocase", "((- a) COLLATE nocase)"),
        ("a || b COLLATE nocase", "(a || (b COLLATE nocase))"), ("a - b - c", "((a - b) - c)"),
        ("a - -b", "(a - (- b))"),
        ("a BETWEEN 1 AND 2 AND c", "((a BETWEEN 1 AND 2) AND c)"),
        ("a NOT BETWEEN 1 + 1 AND 2 * 2 OR c", "((a NOT BETWEEN (1 + 1) AND (2 * 2)) OR c)"),
        ("a IS NOT NULL AND b NOTNULL", "((a IS NOT NULL) AND (b IS NOT NULL))"),
        ("a NOT NULL", "(a IS NOT NULL)"),
        ("a IS b OR a IS NOT b", "((a IS b) OR (a IS NOT b))"), ("a IS NOT DISTINCT FROM b", "(a IS b)"),
        ("a IS DISTINCT FROM b", "(a IS NOT b)"), ("a NOT IN (1, 2) = b", "((a NOT IN (1, 2)) = b)"),
        ("a IN ()", "(a IN ())"),
        ("a LIKE 'x%' ESCAPE '!' AND b", "((a LIKE 'x%' ESCAPE '!') AND b)"),
        ("a NOT GLOB 'x' || b", "(a NOT GLOB ('x' || b))"),
        ("((a))", "a"), ("a == b", "(a = b)"), ("a != b", "(a <> b)"), ("~a & b", "((~ a) & b)"),
        ("t.a", "t.a"),
        ("main.t.a", "main.t.a"), ("[a b]", "a b"), ("\"a\"\"b\"", "a\"b"),
        ("replace(a, 'x', '')", "replace(a, 'x', '')"),
        ("LIKE('x', a)", "like('x', a)"), ("CAST(a AS VARCHAR(10))", "CAST(a AS VARCHAR(10))"),
        ("0x1F", "31"),
        ("-9223372036854775808", "-9223372036854775808"), ("1_000", "1000"),
        ("a /* b */ + -- c\n 1", "(a + 1)"),
        ("key", "key"), ("a IS NULL < b", "(a IS (NULL < b))"), ("a -> '$.b'", "(a -> '$.b')"),
        ("a << 2 + 1", "(a << (2 + 1))"),
    ])
    func whatBindsTighterIsReadFirst(_ sql: String, _ wanted: String) throws {
        let found = try shape(sql)
        #expect(found == wanted)
    }

    @Test(arguments: [
        "", "a +", "(a", "a b", "a NOT b", "CASE END", "CASE WHEN a THEN b", "x'abc'", "'open", "a IN (1",
        "f(", "a..b",
        "SELECT", "CAST(a)", "a COLLATE", "0xFFFFFFFFFFFFFFFFF", "a ESCAPE 'b'", "1 2", "a,b",
        "RAISE(DO, 'x')",
    ])
    func whatIsNoExpressionIsRefused(_ sql: String) {
        #expect(throws: SyntaxError.self) { try SQLParser.expression(sql) }
    }

    @Test(arguments: [
        String(repeating: "(", count: 100_000), String(repeating: "-", count: 100_000),
        String(repeating: "NOT ", count: 100_000),
        String(repeating: "CASE ", count: 100_000), "a" + String(repeating: " AND a", count: 100_000),
        String(repeating: "f(", count: 100_000), String(repeating: "(SELECT ", count: 100_000),
        "a" + String(repeating: " = (a", count: 100_000),
        String(repeating: "EXISTS (SELECT 1 FROM (", count: 50_000),
    ])
    func nestingWithoutEndIsRefused(_ sql: String) {
        #expect(throws: SyntaxError.self) { try SQLParser.expression(sql) }
    }

    @Test(arguments: [
        "SELECT 1", "SELECT * FROM t",
        "SELECT t.*, a AS b, c d FROM t, u AS v JOIN w USING (a) LEFT JOIN x ON y",
        "SELECT DISTINCT a FROM t WHERE b GROUP BY c HAVING d ORDER BY e DESC NULLS LAST LIMIT 1 OFFSET 2",
        "SELECT a FROM t LIMIT 1, 2", "VALUES (1, 2), (3, 4)", "SELECT a UNION ALL SELECT b EXCEPT SELECT c",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c), d AS MATERIALIZED (SELECT 2) SELECT * FROM c",
        "SELECT count(*), sum(a) FILTER (WHERE b), row_number() OVER (PARTITION BY c ORDER BY d ROWS UNBOUNDED PRECEDING) FROM t",
        "SELECT max(a) OVER w FROM t WINDOW w AS (ORDER BY b)",
        "SELECT * FROM (SELECT 1) AS a NATURAL JOIN b",
        "SELECT * FROM (a JOIN b ON a.x = b.x)", "SELECT * FROM json_each('[1]') AS j",
        "SELECT a FROM t INDEXED BY i",
        "SELECT EXISTS (SELECT 1), (SELECT 2), a IN (SELECT 3) FROM t",
        "SELECT * FROM t NOT INDEXED WHERE a;",
    ])
    func selectsAreRead(_ sql: String) throws {
        _ = try SQLParser.select(sql)
    }

    @Test func aViewsNameColumnsAndSelectAreRead() throws {
        let view = try SQLParser.view("CREATE TEMP VIEW IF NOT EXISTS \"my view\"(a, [b c]) AS SELECT 1, 2")
        #expect(view.name == "my view")
        #expect(view.columns == ["a", "b c"])
    }

    @Test(arguments: [
        (
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END", CreateTrigger.Time.after,
            CreateTrigger.Event.insert, 1
        ),
        (
            "CREATE TRIGGER t DELETE ON a BEGIN DELETE FROM b; DELETE FROM c WHERE x; END;", .before, .delete,
            2
        ),
        (
            "CREATE TRIGGER t INSTEAD OF UPDATE OF x, y ON v FOR EACH ROW WHEN NEW.x > CASE WHEN 1 THEN 2 END BEGIN UPDATE a SET x = 1, (y, z) = (1, 2) FROM b; INSERT OR IGNORE INTO c (d) VALUES (1); REPLACE INTO c SELECT 2; END",
            .insteadOf, .update(["x", "y"]), 3
        ),
        (
            "CREATE TRIGGER t BEFORE UPDATE ON a BEGIN INSERT INTO b DEFAULT VALUES; INSERT INTO b VALUES (1) ON CONFLICT (x) DO UPDATE SET y = 2 WHERE z; SELECT RAISE(ABORT, 'no') WHERE NEW.x; END",
            .before, .update([]), 3
        ),
    ])
    func aTriggersPartsAreRead(
        _ sql: String, _ time: CreateTrigger.Time, _ event: CreateTrigger.Event, _ statements: Int
    ) throws {
        let trigger = try SQLParser.trigger(sql)
        #expect(trigger.time == time)
        #expect(trigger.event == event)
        #expect(trigger.statements.count == statements)
    }

    @Test func anIndexsTermsAndConditionAreRead() throws {
        let index = try SQLParser.index(
            "CREATE UNIQUE INDEX IF NOT EXISTS main.i ON t (lower(a) DESC, b COLLATE NOCASE) WHERE c IS NOT NULL"
        )
        #expect(index.isUnique)
        #expect(index.name == "i")
        #expect(index.terms.map(\.isDescending) == [true, false])
        #expect(index.condition != nil)
    }
}
