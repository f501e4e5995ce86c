import Postgres
import SQLDialect
import SQLite
import Testing

/// Statements of an application's code, changed where PostgreSQL needs it and nowhere else.
@Suite struct StatementRewriterTests {
    private static let user = StatementRewriter.Table(
        SQLRelation(
            name: "User", target: "\"public\".\"User\"",
            columns: [
                .init(name: "id", type: .text, affinity: .text, sqlType: "text"),
                .init(name: "userName", type: .text, affinity: .text, sqlType: "text"),
                .init(name: "isActive", type: .boolean, affinity: .numeric, sqlType: "boolean"),
                .init(name: "order", type: .narrow, affinity: .integer, sqlType: "integer"),
                .init(
                    name: "createdAt", type: .other("timestamp"), storage: .epoch(perSecond: 1000),
                    affinity: .numeric, sqlType: "timestamp(3)"),
            ]), target: "User", keys: [["id"], ["userName"]])
    private static let notes = StatementRewriter.Table(
        SQLRelation(
            name: "notes", target: "\"public\".\"notes\"",
            columns: [
                .init(name: "id", type: .integer, affinity: .integer, sqlType: "bigint"),
                .init(name: "owner", type: .text, affinity: .text, sqlType: "text"),
                .init(name: "body", type: .text, affinity: .text, sqlType: "text"),
                .init(name: "done", type: .boolean, affinity: .numeric, sqlType: "boolean"),
                .init(name: "data", type: .other("json"), storage: .json, affinity: .text, sqlType: "jsonb"),
                .init(
                    name: "written", type: .other("timestamp"), storage: .layout("YYYY-MM-DD HH24:MI:SS"),
                    affinity: .text, sqlType: "timestamp"),
            ], rowidAlias: "id"), target: "notes", keys: [["id"]], notNull: ["owner"])

    private static let people = StatementRewriter.Table(
        SQLRelation(
            name: "People", target: "\"public\".\"People\"",
            columns: [
                .init(name: "Id", type: .integer, affinity: .integer, sqlType: "bigint"),
                .init(name: "mail", type: .text, affinity: .text, collation: "NOCASE", sqlType: "text"),
            ], rowidAlias: "Id"), target: "People", keys: [["Id"]])

    private let rewriter = StatementRewriter(tables: [user, notes, people])

    @Test(arguments: [
        // What both take stays as it is, to the blank.
        (
            "SELECT id,  body FROM notes -- all\nWHERE id = 3",
            "SELECT id,  body FROM notes -- all\nWHERE id = 3"
        ),
        (
            "UPDATE notes SET body = 'x' || body WHERE id IN (1, 2)",
            "UPDATE notes SET body = 'x' || body WHERE id IN (1, 2)"
        ),
        // Names.
        ("SELECT userName FROM User", "SELECT \"userName\" FROM \"User\""),
        ("SELECT u.username AS Who FROM user u", "SELECT u.\"userName\" AS \"Who\" FROM \"User\" u"),
        ("SELECT `userName`, [id] FROM `User`", "SELECT \"userName\", id FROM \"User\""),
        ("SELECT \"order\" FROM \"User\"", "SELECT \"order\" FROM \"User\""),
        (
            "SELECT User.id FROM User JOIN notes N ON N.owner = User.id",
            "SELECT \"User\".id FROM \"User\" JOIN notes \"N\" ON \"N\".owner = \"User\".id"
        ),
        ("SELECT count(*) AS 'all' FROM notes", "SELECT count(*) AS \"all\" FROM notes"),
        ("SELECT id FROM notes WHERE owner = \"ann\"", "SELECT id FROM notes WHERE owner = 'ann'"),
        ("SELECT rowid FROM notes", "SELECT id FROM notes"),
        // Booleans and times.
        ("SELECT id FROM notes WHERE done = 1", "SELECT id FROM notes WHERE done = true"),
        ("SELECT id FROM notes WHERE done IN (0, 1)", "SELECT id FROM notes WHERE done IN (false, true)"),
        ("UPDATE notes SET done = 0", "UPDATE notes SET done = false"),
        (
            "SELECT id FROM notes WHERE written > datetime('now', '-7 days')",
            "SELECT id FROM notes WHERE written > ((CURRENT_TIMESTAMP AT TIME ZONE 'UTC') - interval '7 days')"
        ),
        (
            "DELETE FROM User WHERE createdAt < strftime('%s', 'now') * 1000 - 86400 * 1000",
            "DELETE FROM \"User\" WHERE \"createdAt\" < ((CURRENT_TIMESTAMP AT TIME ZONE 'UTC') - interval '86400000 milliseconds')"
        ),
        (
            "UPDATE notes SET written = CURRENT_TIMESTAMP",
            "UPDATE notes SET written = (CURRENT_TIMESTAMP AT TIME ZONE 'UTC')"
        ),
        (
            "SELECT strftime('%Y-%m', createdAt / 1000, 'unixepoch') AS m FROM User GROUP BY m",
            "SELECT to_char(\"createdAt\", 'YYYY-MM') AS m FROM \"User\" GROUP BY m"
        ),
        (
            "SELECT date(n.written) AS d FROM notes n",
            "SELECT to_char(n.written, 'YYYY-MM-DD') AS d FROM notes n"
        ),
        // Functions and operators.
        ("SELECT ifnull(body, ?) FROM notes", "SELECT coalesce(body, ?) FROM notes"),
        (
            "SELECT iif(id > 1, 'a', 'b') AS k FROM notes",
            "SELECT CASE WHEN id > 1 THEN 'a' ELSE 'b' END AS k FROM notes"
        ),
        ("SELECT group_concat(body) AS k FROM notes", "SELECT string_agg(body::text, ',') AS k FROM notes"),
        (
            "SELECT group_concat(id + 1, '; ') AS k FROM notes",
            "SELECT string_agg((id + 1)::text, '; ') AS k FROM notes"
        ),
        ("SELECT instr(body, 'x') AS k FROM notes", "SELECT strpos(body, 'x') AS k FROM notes"),
        ("SELECT json_extract(data, '$.a.b') AS k FROM notes", "SELECT (data #>> '{a,b}') AS k FROM notes"),
        ("SELECT body ->> '$.a' AS k FROM notes", "SELECT (body)::jsonb #>> '{a}' AS k FROM notes"),
        ("SELECT total(id) AS k FROM notes", "SELECT coalesce(sum(id), 0)::double precision AS k FROM notes"),
        ("SELECT id FROM notes WHERE body LIKE '%x%'", "SELECT id FROM notes WHERE body ILIKE '%x%'"),
        (
            "SELECT id FROM notes WHERE body NOT LIKE ?",
            "SELECT id FROM notes WHERE body NOT ILIKE ? ESCAPE ''"
        ),
        (
            "SELECT id FROM notes WHERE body LIKE '%\\%'",
            "SELECT id FROM notes WHERE body ILIKE '%\\%' ESCAPE ''"
        ),
        (
            "SELECT id FROM notes WHERE body LIKE ? ESCAPE '!'",
            "SELECT id FROM notes WHERE body ILIKE ? ESCAPE '!'"
        ),
        ("SELECT id / ?, id / 2 FROM notes", "SELECT id / NULLIF(?, 0), id / 2 FROM notes"),
        ("SELECT id FROM notes ORDER BY ?", "SELECT id FROM notes ORDER BY ?"),
        ("SELECT n.id FROM main.notes n", "SELECT n.id FROM notes n"),
        (
            "SELECT max(k) AS m FROM (SELECT id AS k FROM notes)",
            "SELECT max(k) AS m FROM (SELECT id AS k FROM notes) AS derived1"
        ),
        (
            "SELECT CURRENT_DATE AS d",
            "SELECT to_char(statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS d"
        ),
        (
            "SELECT mail FROM People WHERE mail = ? OR mail IN ('A', ?)",
            "SELECT mail FROM \"People\" WHERE lower(mail) = lower(?) OR lower(mail) IN (lower('A'), lower(?))"
        ),
        (
            "SELECT mail FROM People ORDER BY mail",
            "SELECT mail FROM \"People\" ORDER BY lower(mail) NULLS FIRST"
        ),
        (
            "SELECT mail FROM People WHERE mail = ? COLLATE BINARY",
            "SELECT mail FROM \"People\" WHERE mail = ? COLLATE \"C\""
        ),
        // Each name belongs to the table that it is a column of.
        (
            "UPDATE People SET Mail = NULL WHERE Id IN (SELECT Id FROM notes)",
            "UPDATE \"People\" SET Mail = NULL WHERE \"Id\" IN (SELECT Id FROM notes)"
        ),
        (
            "SELECT p.id FROM People p JOIN notes n ON n.ID = p.ID",
            "SELECT p.\"Id\" FROM \"People\" p JOIN notes n ON n.ID = p.\"Id\""
        ),
        (
            "INSERT INTO People (id) SELECT id FROM notes",
            "INSERT INTO \"People\" (\"Id\") SELECT id FROM notes"
        ),
        ("SELECT id FROM notes WHERE body == 'x'", "SELECT id FROM notes WHERE body = 'x'"),
        ("SELECT id FROM notes WHERE body IS NOT ?", "SELECT id FROM notes WHERE body IS DISTINCT FROM ?"),
        ("SELECT id FROM notes WHERE body IS NULL", "SELECT id FROM notes WHERE body IS NULL"),
        (
            "SELECT id FROM notes WHERE body = ? COLLATE NOCASE",
            "SELECT id FROM notes WHERE lower(body) = lower(?)"
        ),
        (
            "SELECT id FROM notes ORDER BY body COLLATE NOCASE DESC",
            "SELECT id FROM notes ORDER BY lower(body) DESC NULLS LAST"
        ),
        (
            "SELECT id FROM notes ORDER BY id DESC, owner, written",
            "SELECT id FROM notes ORDER BY id DESC, owner, written NULLS FIRST"
        ),
        (
            "SELECT n.id FROM User u LEFT JOIN notes n ON n.owner = u.id ORDER BY n.owner DESC LIMIT 1",
            "SELECT n.id FROM \"User\" u LEFT JOIN notes n ON n.owner = u.id ORDER BY n.owner DESC NULLS LAST LIMIT 1"
        ),
        (
            "SELECT owner, count(*) AS n FROM notes GROUP BY owner ORDER BY n DESC, 1",
            "SELECT owner, count(*) AS n FROM notes GROUP BY owner ORDER BY n DESC, 1"
        ),
        (
            "SELECT CAST(body AS BLOB) AS k, x'00FF' AS b FROM notes",
            "SELECT CAST(body AS bytea) AS k, '\\x00FF'::bytea AS b FROM notes"
        ),
        ("SELECT id FROM notes LIMIT 10, 5", "SELECT id FROM notes OFFSET 10 LIMIT 5"),
        ("SELECT id FROM notes LIMIT -1 OFFSET 3", "SELECT id FROM notes LIMIT ALL OFFSET 3"),
        ("SELECT id FROM notes INDEXED BY k WHERE id = 1", "SELECT id FROM notes WHERE id = 1"),
        ("SELECT id FROM notes ORDER BY random() LIMIT 1", "SELECT id FROM notes ORDER BY random() LIMIT 1"),
        // Conflicts.
        (
            "INSERT OR IGNORE INTO notes (id, body) VALUES (?, ?)",
            "INSERT INTO notes (id, body) VALUES (?, ?) ON CONFLICT DO NOTHING"
        ),
        (
            "INSERT OR IGNORE INTO notes (id) VALUES (1) RETURNING id;",
            "INSERT INTO notes (id) VALUES (1) ON CONFLICT DO NOTHING RETURNING id;"
        ),
        (
            "REPLACE INTO notes (id, owner, body, done, data, written) VALUES (?, ?, ?, 1, ?, ?)",
            "INSERT INTO notes (id, owner, body, done, data, written) VALUES (?, ?, ?, true, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                + "owner = EXCLUDED.owner, body = EXCLUDED.body, done = EXCLUDED.done, data = EXCLUDED.data, written = EXCLUDED.written"
        ),
        (
            "INSERT OR REPLACE INTO User (id, isActive) VALUES (?, 1)",
            "INSERT INTO \"User\" (id, \"isActive\") VALUES (?, true) ON CONFLICT (id) DO UPDATE SET \"userName\" = DEFAULT, "
                + "\"isActive\" = EXCLUDED.\"isActive\", \"order\" = DEFAULT, \"createdAt\" = DEFAULT"
        ),
        (
            "INSERT INTO notes VALUES (NULL, 'a', 'b', 1, NULL, NULL)",
            "INSERT INTO notes VALUES (DEFAULT, 'a', 'b', true, NULL, NULL)"
        ),
        // A statement within another, and a table of the statement's own.
        (
            "SELECT id FROM notes WHERE owner IN (SELECT id FROM User WHERE isActive = 1)",
            "SELECT id FROM notes WHERE owner IN (SELECT id FROM \"User\" WHERE \"isActive\" = true)"
        ),
        (
            "WITH Active AS (SELECT id FROM User WHERE isActive = 1) SELECT count(*) AS n FROM Active",
            "WITH \"Active\" AS (SELECT id FROM \"User\" WHERE \"isActive\" = true) SELECT count(*) AS n FROM \"Active\""
        ),
    ])
    func aStatementIsChangedWhereItMust(sql: String, expected: String) {
        let outcome = rewriter.rewrite(sql)
        #expect(outcome.obstacles.isEmpty, "\(outcome.obstacles)")
        #expect(outcome.applied(to: sql) == expected)
    }

    @Test(arguments: [
        (
            "SELECT id FROM notes WHERE id = ? AND body = ?",
            "SELECT id FROM notes WHERE id = $1 AND body = $2"
        ),
        (
            "SELECT id FROM notes WHERE id = ?2 AND owner = ?1",
            "SELECT id FROM notes WHERE id = $2 AND owner = $1"
        ),
    ])
    func parametersAreNumberedWhereTheDriverCountsThem(sql: String, expected: String) {
        #expect(rewriter.rewrite(sql, numbersParameters: true).applied(to: sql) == expected)
    }

    @Test func expressionsOfTheCodeAroundAreNoParameters() {
        let sql = "SELECT id FROM notes WHERE id = ?"
        let outcome = rewriter.rewrite(sql, holes: [sql.utf8.count - 1], numbersParameters: true)
        #expect(outcome.edits.isEmpty && outcome.obstacles.isEmpty)
    }

    @Test(arguments: [
        ("INSERT OR REPLACE INTO User (id, userName) VALUES (?, ?)", "several keys"),
        ("UPDATE OR IGNORE notes SET id = 1", "UPDATE OR IGNORE"),
        ("DELETE FROM notes WHERE id = 1 LIMIT 1", "DELETE with LIMIT"),
        ("SELECT last_insert_rowid()", "RETURNING"),
        ("SELECT id FROM notes WHERE body GLOB ?", "parameter"),
        ("SELECT id FROM notes WHERE written > datetime(?, '-1 day')", "Date"),
        ("SELECT * FROM json_each(?)", "json_each"),
        ("SELECT rowid FROM User", "rowid"),
        ("SELECT printf('%05d', id) FROM notes", "printf"),
        ("SELECT id FROM notes WHERE id = 1 AND ?", "a condition comes from the code around"),
        ("SELECT FROM", "wanted"),
    ])
    func whatHasNoEqualIsSaid(sql: String, reason: String) {
        let obstacles = rewriter.rewrite(sql).obstacles
        #expect(obstacles.contains { $0.reason.contains(reason) }, "\(obstacles)")
    }

    @Test(arguments: [
        ("SELECT isActive FROM User", "isActive comes as true or false"),
        ("SELECT createdAt FROM User", "createdAt comes as a point in time"),
        ("SELECT id FROM User WHERE createdAt > ?", "hand over a Date"),
        ("SELECT COUNT(*) FROM notes", "COUNT(*) has another name"),
        ("SELECT id FROM notes WHERE done = ?", "hand over true or false"),
        ("SELECT lower(body) AS l FROM notes", "every alphabet"),
        ("SELECT round(id) AS l FROM notes", "the even one"),
        ("SELECT body ->> '$.a' AS k FROM notes", "always a text"),
        ("INSERT OR IGNORE INTO notes (id) VALUES (1)", "NOT NULL or a CHECK"),
        ("SELECT body FROM notes ORDER BY body", "COLLATE \"C\""),
        ("SELECT mail FROM People GROUP BY mail", "tells no cases apart in GROUP BY"),
        ("SELECT n.body FROM notes n, notes m WHERE \"body\" = 1", "ambiguous"),
    ])
    func whatTheCodeAroundShouldKnowIsSaid(sql: String, note: String) {
        let notes = rewriter.rewrite(sql).notes
        #expect(notes.contains { $0.contains(note) }, "\(notes)")
    }

    /// Anything at all, cut anywhere: edits stay in order and within the text.
    @Test func noTextMakesEditsOverlap() {
        let statements = [
            "INSERT OR REPLACE INTO notes (id, body) SELECT id, group_concat(iif(done = 1, max(id, 2), total(id))) FROM User, notes LIMIT 3, -1",
            "SELECT (SELECT datetime(createdAt / 1000, 'unixepoch') FROM User WHERE User.createdAt == \"x\" COLLATE NOCASE) AS 'W' FROM `notes` N",
            "SELECT json_extract(json_extract(data, '$.a'), '$[0]') ->> '$.b' FROM notes WHERE hex(body) LIKE x'00' OR written IS createdAt",
        ]
        for statement in statements {
            let words = statement.split(separator: " ", omittingEmptySubsequences: false)
            for start in words.indices {
                for end in start..<words.count {
                    let sql = words[start...end].joined(separator: " ")
                    let outcome = rewriter.rewrite(sql, numbersParameters: true)
                    var place = 0
                    for edit in outcome.edits {
                        #expect(
                            edit.range.lowerBound >= place && edit.range.upperBound <= sql.utf8.count,
                            "\(sql)")
                        place = edit.range.upperBound
                    }
                }
            }
        }
    }
}

/// The same on a real SQLite and on a real PostgreSQL.
extension ViewDifferenceTests {
    @Test(arguments: [
        "SELECT Id, N + 1 AS M FROM A WHERE ok = 1", "SELECT ifnull(name, 'none') AS k FROM a ORDER BY id",
        "SELECT iif(n > 5, 'big', 'small') AS k, count(*) AS c FROM a GROUP BY k",
        "SELECT id FROM a WHERE name == \"x\"", "SELECT id FROM a WHERE name LIKE 'X'",
        "SELECT id FROM a WHERE name = 'x' COLLATE NOCASE",
        "SELECT id FROM a ORDER BY name COLLATE NOCASE DESC, id LIMIT 1, 2",
        "SELECT id FROM a WHERE n IS NOT 5", "SELECT id FROM a WHERE n IS 5",
        "SELECT total(n) AS t FROM b WHERE id > 90",
        "SELECT max(n, 6) AS k FROM a ORDER BY id", "SELECT min(id, n) AS k FROM a ORDER BY id",
        "SELECT instr(name, 'x') AS k, length(name) AS l FROM a", "SELECT hex(name) AS h FROM a",
        "SELECT sum(ok) AS k FROM a",
        "SELECT a.name, group_concat(note, '+') AS k FROM a JOIN b ON a_id = a.id WHERE b.id > 1 GROUP BY a.name",
        "SELECT id FROM a WHERE ok IN (0)", "SELECT rowid AS r FROM b WHERE b.rowid > 2",
        "SELECT `id`, [n] FROM `a` LIMIT -1 OFFSET 2",
        "WITH T AS (SELECT id AS I FROM a WHERE ok = 1) SELECT T.I FROM T",
        "SELECT substr(name, -1) AS k FROM a",
        "SELECT CAST(n AS TEXT) AS k, CAST('12' AS INTEGER) AS i FROM a",
        "SELECT json_extract('{\"a\": {\"b\": 7}}', '$.a.b') AS k",
        "SELECT '[1, {\"c\": \"x\"}]' ->> '$[1].c' AS k", "SELECT id FROM a WHERE name GLOB '[xy]'",
        "SELECT id FROM a NOT INDEXED WHERE EXISTS (SELECT 1 FROM b WHERE a_id = a.id AND note IS 'p')",
    ])
    func aRewrittenQueryHasTheSameRows(_ sql: String) throws {
        try withBoth { database, connection in
            let rewriter = StatementRewriter(tables: [
                .init(Self.a, target: "a", keys: [["id"]]), .init(Self.b, target: "b", keys: [["id"]]),
            ])
            let outcome = rewriter.rewrite(sql)
            #expect(outcome.obstacles.isEmpty, "\(outcome.obstacles)")
            let expected = try rows(sql, database)
            let found = try rows(outcome.applied(to: sql), connection)
            #expect(
                found.sorted().map(plain) == expected.sorted().map(plain), "→ \(outcome.applied(to: sql))")
        }
    }

    @Test(arguments: [
        "INSERT OR IGNORE INTO a (id, name) VALUES (1, 'other'), (9, 'new')",
        "INSERT OR REPLACE INTO a (id, name, ok) VALUES (1, 'other', 0), (9, 'new', 1)",
        "REPLACE INTO b VALUES (4, 5, 'p', 6)",
        "UPDATE a SET ok = 1, name = ifnull(name, 'none') WHERE n IS NOT 5",
        "DELETE FROM a WHERE ok == 1 AND name LIKE 'X'", "INSERT INTO log SELECT name, N FROM A WHERE ok = 0",
        "UPDATE A SET n = max(n, 6) WHERE Id IN (SELECT A_ID FROM B)",
    ])
    func aRewrittenChangeLeavesTheSameRows(_ sql: String) throws {
        try withBoth { database, connection in
            let rewriter = StatementRewriter(tables: [
                .init(Self.a, target: "a", keys: [["id"]]), .init(Self.b, target: "b", keys: [["id"]]),
                .init(Self.log, target: "log"),
            ])
            let outcome = rewriter.rewrite(sql)
            #expect(outcome.obstacles.isEmpty, "\(outcome.obstacles)")
            try database.execute(sql)
            try connection.execute(outcome.applied(to: sql))
            for table in ["a", "b", "log"] {
                let (expected, found) = (
                    try rows("SELECT * FROM \(table)", database),
                    try rows("SELECT * FROM \(table)", connection)
                )
                #expect(
                    found.sorted().map(plain) == expected.sorted().map(plain), "→ \(outcome.applied(to: sql))"
                )
            }
        }
    }
}
