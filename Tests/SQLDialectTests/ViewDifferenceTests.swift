import Postgres
import SQLDialect
import SQLite
import TestSupport
import Testing

/// Views and triggers on a real SQLite and on a real PostgreSQL.
@Suite struct ViewDifferenceTests {
    private static let tables = """
        CREATE TABLE a (id INTEGER PRIMARY KEY, name TEXT, n INTEGER, d DOUBLE PRECISION, ok BOOLEAN);
        CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER, note TEXT, n INTEGER);
        CREATE TABLE log (what TEXT, n INTEGER);
        INSERT INTO a VALUES (1, 'x', 5, 0.5, true), (2, 'y', NULL, 1.25, false), (3, NULL, 7, NULL, NULL), (4, 'X', 5, 2, true);
        INSERT INTO b VALUES (1, 1, 'p', 1), (2, 1, 'q', NULL), (3, 2, 'p', 3), (4, 9, NULL, 4);
        """

    static let a = SQLRelation(
        name: "a", target: "a",
        columns: [
            .init(name: "id", type: .narrow, affinity: .integer, sqlType: "integer"),
            .init(name: "name", type: .text, affinity: .text, sqlType: "text"),
            .init(name: "n", type: .narrow, affinity: .integer, sqlType: "integer"),
            .init(name: "d", type: .double, affinity: .real, sqlType: "double precision"),
            .init(name: "ok", type: .boolean, affinity: .numeric, sqlType: "boolean"),
        ], rowidAlias: "id")
    static let b = SQLRelation(
        name: "b", target: "b",
        columns: [
            .init(name: "id", type: .narrow, affinity: .integer, sqlType: "integer"),
            .init(name: "a_id", type: .narrow, affinity: .integer, sqlType: "integer"),
            .init(name: "note", type: .text, affinity: .text, sqlType: "text"),
            .init(name: "n", type: .narrow, affinity: .integer, sqlType: "integer"),
        ], rowidAlias: "id")
    static let log = SQLRelation(
        name: "log", target: "log",
        columns: [
            .init(name: "what", type: .text, affinity: .text, sqlType: "text"),
            .init(name: "n", type: .narrow, affinity: .integer, sqlType: "integer"),
        ])

    private let translator = SQLTranslator(relations: [a, b, log])

    /// Rows as texts, in an order of their own where the query has none.
    func rows(_ sql: String, _ database: borrowing SQLite.Connection) throws -> [String] {
        let statement = try database.prepare(sql)
        var rows: [String] = []
        while try statement.step() {
            rows.append(
                (0..<Int32(statement.columnCount)).map { column in
                    switch statement.storageClass(column) {
                    case .null: "NULL"
                    case .real: "\(statement.double(column))"
                    default: statement.text(column)
                    }
                }.joined(separator: "|"))
        }
        return rows
    }

    func rows(_ sql: String, _ connection: borrowing Postgres.Connection) throws -> [String] {
        let result = try connection.query(sql)
        return (0..<result.count).map { row in
            (0..<result.columnCount).map { column in
                let text = result.text(row, column) ?? "NULL"
                // A boolean column stays one; a double is written as SQLite's is here.
                switch text {
                case "t": return "1"
                case "f": return "0"
                default: return text
                }
            }.joined(separator: "|")
        }
    }

    func withBoth(
        _ body: (borrowing SQLite.Connection, borrowing Postgres.Connection) throws -> Void
    ) throws {
        let database = try SQLite.Connection(path: ":memory:", mode: .readWrite)
        try database.execute(Self.tables)
        try TestServer.withDatabase { conninfo in
            let connection = try TestServer.connect(conninfo)
            try connection.execute(Self.tables)
            try body(database, connection)
        }
    }

    @Test(arguments: [
        "SELECT * FROM a", "SELECT id, n + 1 AS m FROM a WHERE ok",
        "SELECT a.*, note FROM a JOIN b ON b.a_id = a.id",
        "SELECT a.name, count(b.id) AS c FROM a LEFT JOIN b ON b.a_id = a.id GROUP BY a.id, a.name",
        "SELECT name FROM a, b WHERE a.id = a_id", "SELECT * FROM a JOIN b USING (id)",
        "SELECT id, name, note FROM a NATURAL JOIN b",
        "SELECT n, count(*), sum(n), avg(n), min(name), max(d), total(n) FROM a GROUP BY 1",
        "SELECT sum(n), count(DISTINCT n) FROM a WHERE id > 100", "SELECT DISTINCT n FROM a ORDER BY n DESC",
        "SELECT name FROM a ORDER BY name LIMIT 2",
        "SELECT name AS k FROM a ORDER BY lower(k) DESC, id LIMIT 3 OFFSET 1",
        "SELECT id FROM a UNION SELECT a_id FROM b ORDER BY 1 DESC LIMIT 3", "SELECT 1 UNION ALL SELECT NULL",
        "SELECT id FROM a EXCEPT SELECT a_id FROM b", "SELECT n FROM a INTERSECT SELECT n + 4 FROM b",
        "VALUES (1, 'x'), (2, NULL)",
        "SELECT (SELECT note FROM b WHERE a_id = a.id AND note = 'q') AS note FROM a",
        "SELECT id, EXISTS (SELECT 1 FROM b WHERE a_id = a.id) AS has FROM a",
        "SELECT id FROM a WHERE id NOT IN (SELECT a_id FROM b)",
        "SELECT id FROM a WHERE name IN (SELECT 'x' UNION SELECT 'y')",
        "WITH c AS (SELECT n * 2 AS m FROM a) SELECT m FROM c WHERE m > 0",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 5) SELECT x, x * x FROM c",
        "SELECT id, row_number() OVER (ORDER BY n, id) AS r, sum(n) OVER (PARTITION BY ok ORDER BY id) AS s FROM a",
        "SELECT id, lag(name, 1, '-') OVER (ORDER BY id), rank() OVER w FROM a WINDOW w AS (ORDER BY n DESC)",
        "SELECT t.m FROM (SELECT max(n) AS m, ok FROM a GROUP BY ok) AS t WHERE t.m > 1",
        "SELECT n AS m FROM a GROUP BY m HAVING count(*) > 1",
        "SELECT CASE WHEN n > 5 THEN 'big' WHEN n IS NULL THEN 'none' ELSE 'small' END AS size, count(*) FROM a GROUP BY size",
        "SELECT x.id, y.id FROM a x JOIN a y ON x.n = y.n AND x.id < y.id",
        "SELECT id FROM a WHERE name LIKE 'x'",
        "SELECT count(*) FILTER (WHERE ok) FROM a", "SELECT coalesce(name, 'none') || '!' FROM a",
        "SELECT ok AND n > 1 FROM a",
        "SELECT b.note, a.name FROM b LEFT JOIN (a JOIN log ON 1) ON b.a_id = a.id",
        "SELECT id FROM a ORDER BY name COLLATE NOCASE, id LIMIT 3",
        "SELECT max(name, 'w') FROM a", "SELECT a.id, b.id FROM a CROSS JOIN b WHERE a.id = 1",
        "SELECT rowid FROM a WHERE d > 0.75",
        "SELECT ok, count(*) FROM a GROUP BY ok", "SELECT NULL AS none, 'x' AS something",
        "SELECT b.* FROM a RIGHT JOIN b ON a.id = b.a_id",
    ])
    func aViewHasTheSameRows(_ select: String) throws {
        try withBoth { database, connection in
            // The rows of RIGHT JOIN are a matter of SQLite 3.39.
            let view = try SQLParser.view("CREATE VIEW w AS \(select)")
            let translated = try translator.view(view, names: [])
            let names = translated.columns.map { "\"\($0.target)\"" }.joined(separator: ", ")
            try connection.execute("CREATE VIEW w (\(names)) AS \(translated.sql)")
            let expected = try rows(select, database)
            let found = try rows("SELECT * FROM w", connection)
            let isOrdered = select.contains("ORDER BY") && !select.contains("OVER")
            #expect(
                (isOrdered ? found : found.sorted()).map(plain)
                    == (isOrdered ? expected : expected.sorted()).map(plain),
                "→ \(translated.sql)")
        }
    }

    /// 2.0 and 2 are one number.
    func plain(_ row: String) -> String {
        row.replacing(".0|", with: "|").replacing(/\.0$/, with: "")
    }

    @Test func aViewOnAViewSeesItsColumns() throws {
        let first = try translator.view(
            SQLParser.view("CREATE VIEW w AS SELECT id, ok, n AS m FROM a"), names: ["id", "ok", "m"])
        let second = SQLTranslator(
            relations: [Self.a, SQLRelation(name: "w", target: "\"public\".\"w\"", columns: first.columns)])
        let sql = try second.value("ok = 1 AND m > 2", on: second.relations[1]).sql
        #expect(sql == "((\"ok\" = true) AND (\"m\" > 2))::int")
    }

    @Test(arguments: [
        ("SELECT name, id FROM a GROUP BY name COLLATE NOCASE", "groups under the collation NOCASE"),
        (
            "SELECT group_concat(name) FROM a",
            "group_concat joins texts in an order that SQLite does not promise"
        ),
        ("SELECT * FROM json_each('[]')", "the table function json_each"),
        ("SELECT * FROM gone", "the table gone is not in the target"),
        ("SELECT n FROM a UNION SELECT name FROM a", "the type of the result depends on the row"),
    ])
    func aViewThatMayDifferIsRefused(_ select: String, _ reason: String) throws {
        let view = try SQLParser.view("CREATE VIEW w AS \(select)")
        #expect { try translator.view(view, names: []) } throws: { ($0 as? Refusal)?.reason == reason }
    }

    // MARK: Triggers

    struct Case: Sendable, CustomTestStringConvertible {
        let trigger: String
        let actions: [String]
        var mayFireItself = false
        var testDescription: String { trigger }
    }

    @Test(arguments: [
        Case(
            trigger: "AFTER INSERT ON a BEGIN INSERT INTO log VALUES ('new ' || NEW.name, NEW.n + 1); END",
            actions: ["INSERT INTO a VALUES (9, 'z', 1, 1, true)", "INSERT INTO a (id) VALUES (10)"]),
        Case(
            trigger:
                "AFTER UPDATE OF n ON a WHEN OLD.n IS NOT NEW.n BEGIN INSERT INTO log SELECT name, OLD.n FROM a WHERE id = NEW.id; UPDATE b SET n = NEW.n WHERE a_id = NEW.id; END",
            actions: [
                "UPDATE a SET n = 6 WHERE id = 1", "UPDATE a SET name = 'k' WHERE id = 2",
                "UPDATE a SET n = n",
            ]),
        Case(
            trigger:
                "BEFORE DELETE ON a BEGIN DELETE FROM b WHERE a_id = OLD.id; INSERT INTO log VALUES ('gone', OLD.id); END",
            actions: ["DELETE FROM a WHERE id < 3"]),
        Case(
            trigger: "BEFORE INSERT ON a WHEN NEW.n < 0 BEGIN SELECT RAISE(ABORT, 'it''s negative'); END",
            actions: ["INSERT INTO a (id, n) VALUES (20, -1)", "INSERT INTO a (id, n) VALUES (21, 1)"]),
        Case(
            trigger:
                "BEFORE UPDATE ON a BEGIN SELECT CASE WHEN NEW.n > 100 THEN RAISE(ABORT, 'big') WHEN NEW.name IS NULL THEN RAISE(ROLLBACK, 'no name') END; END",
            actions: [
                "UPDATE a SET n = 101 WHERE id = 1", "UPDATE a SET name = NULL WHERE id = 1",
                "UPDATE a SET n = 99 WHERE id = 1",
            ]),
        Case(
            trigger:
                "BEFORE INSERT ON b BEGIN SELECT RAISE(ABORT, 'no parent') WHERE NOT EXISTS (SELECT 1 FROM a WHERE id = NEW.a_id); SELECT RAISE(IGNORE) FROM log WHERE n = NEW.n; END",
            actions: [
                "INSERT INTO b VALUES (30, 77, 'x', 1)", "INSERT INTO log VALUES ('stop', 8)",
                "INSERT INTO b VALUES (31, 1, 'x', 8)",
                "INSERT INTO b VALUES (32, 1, 'x', 7)",
            ]),
        Case(
            trigger: "AFTER UPDATE ON a BEGIN UPDATE a SET n = coalesce(n, 0) + 1 WHERE id = NEW.id; END",
            actions: ["UPDATE a SET name = 'q' WHERE id IN (1, 2)"], mayFireItself: true),
        Case(
            trigger:
                "AFTER INSERT ON log BEGIN INSERT OR IGNORE INTO a (id, name, ok) VALUES (1, 'dup', 1), (NEW.n, NEW.what, 0); END",
            actions: ["INSERT INTO log VALUES ('l', 50)"]),
        Case(
            trigger:
                "AFTER DELETE ON b BEGIN UPDATE a SET n = (SELECT count(*) FROM b WHERE a_id = a.id), ok = NOT ok WHERE id = OLD.a_id; END",
            actions: ["DELETE FROM b WHERE id = 1"]),
        Case(
            trigger:
                "AFTER INSERT ON b WHEN NEW.note LIKE 'p%' AND NEW.n BETWEEN 1 AND 5 BEGIN INSERT INTO log (n, what) VALUES (length(NEW.note), upper(NEW.note)); END",
            actions: ["INSERT INTO b VALUES (40, 1, 'Pq', 3)", "INSERT INTO b VALUES (41, 1, 'qq', 3)"]),
    ])
    func aTriggerHasTheSameEffect(_ item: Case) throws {
        try withBoth { database, connection in
            let source = "CREATE TRIGGER tr \(item.trigger)"
            let translated = try translator.trigger(
                SQLParser.trigger(source), function: "\"tr\"", mayFireItself: item.mayFireItself)
            try database.execute(source)
            try connection.execute(translated.function)
            try connection.execute(translated.trigger)
            for action in item.actions {
                var failures: [Bool] = []
                do {
                    try database.execute(action)
                    failures.append(false)
                } catch { failures.append(true) }
                do {
                    try connection.execute(action)
                    failures.append(false)
                } catch { failures.append(true) }
                #expect(failures[0] == failures[1], "\(action)\n\(translated.function)")
                for table in ["a", "b", "log"] {
                    let expected = try rows("SELECT * FROM \(table)", database).sorted().map(plain)
                    let found = try rows("SELECT * FROM \(table)", connection).sorted().map(plain)
                    #expect(found == expected, "\(table) after \(action)\n\(translated.function)")
                }
            }
        }
    }

    @Test func anInsteadOfTriggerMakesAViewWritable() throws {
        try withBoth { database, connection in
            let select = "SELECT id, name FROM a"
            let view = try translator.view(
                SQLParser.view("CREATE VIEW w AS \(select)"), names: ["id", "name"])
            var all = translator
            all.relations.append(SQLRelation(name: "w", target: "\"w\"", columns: view.columns))
            let source =
                "CREATE TRIGGER tr INSTEAD OF INSERT ON w BEGIN INSERT INTO a (id, name) VALUES (NEW.id, upper(NEW.name)); END"
            let trigger = try all.trigger(SQLParser.trigger(source), function: "\"tr\"", mayFireItself: false)
            try database.execute("CREATE VIEW w AS \(select); \(source)")
            try connection.execute("CREATE VIEW w AS \(view.sql)")
            try connection.execute(trigger.function)
            try connection.execute(trigger.trigger)
            let action = "INSERT INTO w VALUES (77, 'new')"
            try database.execute(action)
            try connection.execute(action)
            let expected = try rows("SELECT * FROM a", database).sorted().map(plain)
            let found = try rows("SELECT * FROM a", connection).sorted().map(plain)
            #expect(found == expected)
        }
    }

    @Test(arguments: [
        ("AFTER INSERT ON a BEGIN INSERT OR REPLACE INTO b VALUES (1, 1, 'x', 1); END", "INSERT OR REPLACE"),
        ("AFTER INSERT ON a BEGIN SELECT RAISE(IGNORE); END", "RAISE(IGNORE) after the change"),
        (
            "AFTER INSERT ON a BEGIN SELECT RAISE(FAIL, 'x'); END",
            "RAISE(FAIL) keeps what the statement has changed so far"
        ),
        ("AFTER INSERT ON a BEGIN SELECT mine(NEW.id); END", "a function of the application's"),
        ("AFTER INSERT ON gone BEGIN SELECT 1; END", "the table gone is not in the target"),
        (
            "AFTER INSERT ON a BEGIN INSERT INTO log VALUES (NEW.d, 1); END",
            "SQLite writes numbers in its own way"
        ),
    ])
    func aTriggerThatMayDifferIsRefused(_ trigger: String, _ reason: String) throws {
        let parsed = try SQLParser.trigger("CREATE TRIGGER tr \(trigger)")
        #expect { try translator.trigger(parsed, function: "f", mayFireItself: false) } throws: {
            ($0 as? Refusal)?.reason == reason
        }
    }
}
