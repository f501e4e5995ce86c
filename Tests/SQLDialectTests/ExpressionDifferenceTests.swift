import Foundation
import Postgres
import SQLDialect
import SQLite
import TestSupport
import Testing

/// Expressions on a real SQLite and on a real PostgreSQL: the same value, or a refusal.
@Suite struct ExpressionDifferenceTests {
    /// A value that says its type: numbers that are equal are the same.
    private enum Value: Equatable, CustomStringConvertible {
        case null, integer(Int64), real(Double), text(String), blob(String)

        var description: String {
            switch self {
            case .null: "NULL"
            case .integer(let value): "\(value)"
            case .real(let value): "\(value)"
            case .text(let value): "'\(value)'"
            case .blob(let value): "x'\(value)'"
            }
        }

        static func == (left: Value, right: Value) -> Bool {
            switch (left, right) {
            case (.null, .null): true
            case (.integer(let a), .integer(let b)): a == b
            case (.real(let a), .real(let b)): a == b || a.isNaN && b.isNaN
            case (.integer(let a), .real(let b)), (.real(let b), .integer(let a)): Double(a) == b
            case (.text(let a), .text(let b)): a.unicodeScalars.elementsEqual(b.unicodeScalars)
            case (.blob(let a), .blob(let b)): a == b
            default: false
            }
        }
    }

    private func sqliteValues(_ sql: String, _ database: borrowing SQLite.Connection) throws -> [Value] {
        let statement = try database.prepare("SELECT \(sql) FROM v ORDER BY id")
        var values: [Value] = []
        while try statement.step() {
            switch statement.storageClass(0) {
            case .null: values.append(.null)
            case .integer: values.append(.integer(statement.int64(0)))
            case .real: values.append(.real(statement.double(0)))
            case .text: values.append(.text(statement.text(0)))
            case .blob:
                values.append(.blob(statement.bytes(0).map { String(format: "%02x", $0) }.joined()))
            }
        }
        return values
    }

    private func postgresValues(
        _ sql: String, _ type: ValueType, _ connection: borrowing Postgres.Connection
    ) throws -> [Value] {
        let result = try connection.query("SELECT \(sql) FROM v ORDER BY id")
        return (0..<result.count).map { row in
            guard let text = result.text(row, 0) else { return .null }
            switch type {
            case .narrow, .integer: return Int64(text).map { .integer($0) } ?? .text(text)
            case .double, .numeric: return Double(text).map { .real($0) } ?? .text(text)
            case .bytea: return .blob(String(text.dropFirst(2)))
            default: return .text(text)
            }
        }
    }

    private func withBoth(
        _ body: (borrowing SQLite.Connection, borrowing Postgres.Connection) throws -> Void
    ) throws {
        let database = try SQLite.Connection(path: ":memory:", mode: .readWrite)
        try database.execute(DialectTable.sqlite)
        try TestServer.withDatabase { conninfo in
            let connection = try TestServer.connect(conninfo)
            try connection.execute(DialectTable.postgres)
            try body(database, connection)
        }
    }

    private let translator = SQLTranslator(relations: [])

    @Test(arguments: [UInt64(1), 2, 3])
    func randomExpressionsHaveOneValueOrAreRefused(seed: UInt64) throws {
        let seed = ProcessInfo.processInfo.environment["HOWDAH_SEED"].flatMap { UInt64($0) } ?? seed
        var generator = RandomExpression(seed: seed)
        var (translated, refused, stopped) = (0, 0, 0)
        try withBoth { database, connection in
            for _ in 0..<700 {
                let sql = generator.next()
                // SQLite stops at an overflow of abs() or at a pattern with a wrong escape: nothing to compare.
                guard let expected = try? sqliteValues(sql, database) else { continue }
                let found: [Value]
                var words = ""
                do {
                    let (other, type) = try translator.value(sql, on: DialectTable.relation)
                    words = other
                    found = try postgresValues(other, type, connection)
                } catch is Refusal {
                    refused += 1
                    continue
                } catch let error as PostgresError where error.sqlState == "22003" {
                    // Where SQLite goes over to doubles PostgreSQL stops.
                    stopped += 1
                    continue
                }
                translated += 1
                #expect(found == expected, "seed \(seed): \(sql)\n→ \(words)")
            }
        }
        let all = translated + refused + stopped
        #expect(translated * 100 >= all * 60, "\(translated) of \(all) were translated, \(refused) refused")
        #expect(stopped * 100 <= all * 15, "\(stopped) of \(all) stopped at an overflow")
    }

    @Test(arguments: [
        "i IN (1, 3)", "b = 1", "b <> 0", "b IS TRUE", "NOT b", "t LIKE 'ä%'", "t LIKE 'A%'", "u = 'abc'",
        "u < 'abd'", "r = 'a'",
        "i / 2", "-7 / 2", "i % 2", "i / 0", "d / 0", "1 / 2.0", "'a' || NULL", "t || i", "substr(t, 2)",
        "substr(t, -2)",
        "round(2.5)", "round(-2.5)", "round(d)", "CAST(d / 2e299 AS INTEGER)", "CAST('12' AS INTEGER)",
        "i = '1'",
        "t = 10", "r = 10",
        "m / 1000", "datetime(m / 1000, 'unixepoch')", "s > '2024-01-01'", "s = '2024-01-01 00:00:00'",
        "date(s)", "julianday(s)", "julianday(m / 1000, 'unixepoch')", "unixepoch(s, 'start of day')",
        "CAST(strftime('%Y', s) AS INTEGER)", "strftime('%m', s) + 1", "strftime('%s', s) * 1000",
        "CAST(strftime('%Y%m%d', s) AS INT) / 100", "CAST(strftime('%w', s) AS REAL)",
        "substr(t, instr(t, 'b'))", "substr(t, instr(t, 'b') + 1)", "substr(t, 1, instr(t, 'b') - 1)",
        "substr(t, i % 4)", "substr(t, -(i % 4), 2)", "substr(t, 0, 2)", "substr(t, 2, i % 4)",
        "substr(t, -2, 1)",
        "substr(x, i % 3, 1)", "substr(x, -1)", "substr(x, 1)", "substr(x, i % 3)",
        "strftime('%Y', s)", "y BETWEEN '2000-01-01' AND '2024-12-31'", "m > 1000", "w > '2024-01-01'",
        "w <= '2024-01-01 00:00:00'", "w < datetime('now')", "w > CURRENT_DATE", "date(w) = '2024-01-01'",
        "length(x)", "hex(x)",
        "length(t)", "upper(t)",
        "x = x'41'", "\"no such column\"", "\"t\"", "[t]", "CASE WHEN b THEN 'y' ELSE 'n' END",
        "CASE i WHEN 1 THEN 2 END", "rowid",
        "coalesce(t, u, '')", "q * 2", "q > 0.1", "q = 0.1", "q >= 5", "max(i, n)", "nullif(t, '')",
        "t GLOB '*b*'", "i IS NULL",
        "i BETWEEN -10 AND 2", "n + 1", "n * n", "-n", "2147483647 + 1", "i > 0.5", "quote(t)", "unicode(t)",
        "i & 3", "~i",
        "1 = 1.0", "x IS NULL OR length(x) < 3", "t IN ('abc', '')", "t NOT IN ('abc', NULL)",
        "i IN (1, 2.5)",
    ])
    func everydayExpressionsHaveOneValue(_ sql: String) throws {
        try withBoth { database, connection in
            let expected = try sqliteValues(sql, database)
            let (other, type) = try translator.value(sql, on: DialectTable.relation)
            let found = try postgresValues(other, type, connection)
            #expect(found == expected, "→ \(other)")
        }
    }

    @Test(arguments: [
        ("t + 1", "a text is the number it begins with to SQLite"),
        ("d || ''", "SQLite writes numbers in its own way"),
        ("i = d", "an integer of 64 bits is compared with a double"), ("random()", "the function random"),
        ("t < x", "values of two types are compared, where SQLite orders by type"),
        ("nosuch", "there is no column nosuch"),
        ("q / 2", "a quotient of decimals, which SQLite takes for integers where they are whole"),
        ("CASE WHEN b THEN 1 ELSE 'x' END", "the type of the result depends on the row"),
        ("?1", "a parameter has no value here"),
        ("json_extract(t, '$.a')", "the function json_extract"),
        ("t REGEXP 'a'", "REGEXP is a function of the application's"),
        ("t = u COLLATE mine", "the collation MINE is of the application's making"),
        ("i = 't'", "a text is compared with a number"),
    ])
    func whatMayDifferIsRefusedWithTheReason(_ sql: String, _ reason: String) {
        #expect { try translator.value(sql, on: DialectTable.relation) } throws: { error in
            (error as? Refusal)?.reason == reason
        }
    }
}
