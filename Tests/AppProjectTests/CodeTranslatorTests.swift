import Foundation
import MigrationEngine
import SQLDialect
import TestSupport
import Testing

@testable import AppProject

/// Statements that are translated within the source files that they stand in.
struct CodeTranslatorTests {
    private static let schema = SchemaNames(
        tables: ["Message"], columns: ["id", "senderId", "isRead"], booleans: ["isRead"],
        rewriter: StatementRewriter(tables: [
            .init(
                SQLRelation(
                    name: "Message", target: "\"public\".\"Message\"",
                    columns: [
                        .init(name: "id", type: .text, affinity: .text, sqlType: "text"),
                        .init(name: "senderId", type: .text, affinity: .text, sqlType: "text"),
                        .init(name: "isRead", type: .boolean, affinity: .numeric, sqlType: "boolean"),
                    ]), target: "Message", keys: [["id"]], notNull: ["id"])
        ]))

    /// The file with every statement translated that can be.
    private func translated(_ code: String, _ path: String) throws -> (code: String, all: [CodeTranslation]) {
        try withTemporaryFolder { folder in
            try code.write(toFile: "\(folder)/\(path)", atomically: true, encoding: .utf8)
            let translator = CodeTranslator(CodeScan(root: folder, schema: Self.schema))
            let all = try translator.translations(of: path)
            let change = try translator.change(path, Set(all.map(\.statement.key)))
            return (change?.after.map { String(decoding: $0, as: UTF8.self) } ?? code, all)
        }
    }

    @Test(arguments: [
        (
            "a.ts",
            "const r = await prisma.$queryRaw`SELECT senderId FROM Message WHERE isRead = 1 AND id = ${id}`; // 1",
            "const r = await prisma.$queryRaw`SELECT \"senderId\" FROM \"Message\" WHERE \"isRead\" = true AND id = ${id}`; // 1"
        ),
        (
            "a.js", "db.prepare('SELECT id FROM Message WHERE senderId = ?').all(x)",
            "db.prepare('SELECT id FROM \"Message\" WHERE \"senderId\" = $1').all(x)"
        ),
        (
            "a.js", "db.prepare(\"SELECT id FROM Message WHERE id == 'it''s'\").all()",
            "db.prepare(\"SELECT id FROM \\\"Message\\\" WHERE id = 'it''s'\").all()"
        ),
        (
            "a.js", "db.all('SELECT id FROM Message ' +\n  'WHERE senderId = ? ' +\n  'LIMIT 5, 10')",
            "db.all('SELECT id FROM \"Message\" ' +\n  'WHERE \"senderId\" = $1 ' +\n  'OFFSET 5 LIMIT 10')"
        ),
        (
            "a.js", "db.run(`INSERT OR IGNORE INTO Message (id)\r\n  VALUES (?)`)\r\n",
            "db.run(`INSERT INTO \"Message\" (id)\r\n  VALUES ($1) ON CONFLICT DO NOTHING`)\r\n"
        ),
        (
            "a.js", "knex.raw('SELECT id FROM Message WHERE id = ?', [1])",
            "knex.raw('SELECT id FROM \"Message\" WHERE id = ?', [1])"
        ),
        (
            "a.py", "cur.execute(\"\"\"SELECT id FROM Message\n  WHERE isRead = 0\"\"\")",
            "cur.execute(\"\"\"SELECT id FROM \"Message\"\n  WHERE \"isRead\" = false\"\"\")"
        ),
        (
            "a.py", "cur.execute('SELECT id FROM Message WHERE senderId = ?', (x,))",
            "cur.execute('SELECT id FROM \"Message\" WHERE \"senderId\" = ?', (x,))"
        ),
        (
            "a.go", "rows, err := db.Query(\"SELECT id FROM Message WHERE senderId = ?\", x)",
            "rows, err := db.Query(\"SELECT id FROM \\\"Message\\\" WHERE \\\"senderId\\\" = $1\", x)"
        ),
        (
            "a.go", "rows, err := db.Query(`SELECT id FROM Message WHERE isRead = 1`)",
            "rows, err := db.Query(`SELECT id FROM \"Message\" WHERE \"isRead\" = true`)"
        ),
        (
            "a.rb", "rows = db.execute(\"SELECT id FROM Message WHERE isRead = 1\")",
            "rows = db.execute(\"SELECT id FROM \\\"Message\\\" WHERE \\\"isRead\\\" = true\")"
        ),
        (
            "a.php", "<?php $db->query('SELECT id FROM Message WHERE isRead = 1');",
            "<?php $db->query('SELECT id FROM \"Message\" WHERE \"isRead\" = true');"
        ),
        (
            "a.java", "st.executeQuery(\"SELECT id FROM Message WHERE isRead = 1\");",
            "st.executeQuery(\"SELECT id FROM \\\"Message\\\" WHERE \\\"isRead\\\" = true\");"
        ),
        (
            "a.js", "db.exec(\"SELECT x'41' AS k FROM Message\")",
            "db.exec(\"SELECT '\\\\x41'::bytea AS k FROM \\\"Message\\\"\")"
        ),
        (
            "a.js", "db.all(\"SELECT senderId FROM \\\"Message\\\"\")",
            "db.all(\"SELECT \\\"senderId\\\" FROM \\\"Message\\\"\")"
        ),
    ])
    func onlyTheBytesOfTheStringChange(path: String, code: String, expected: String) throws {
        let (result, all) = try translated(code, path)
        #expect(result == expected, "\(all.map(\.obstacles))")
    }

    @Test(arguments: [
        "const sql = 'SELECT id FROM Message WHERE isRead = 1'; if (x) sql += ' AND id = 2'; db.all(sql)",
        "let sql = 'SELECT id FROM Message WHERE isRead = 1'; db.all(sql + ' LIMIT 1')",
        "db.all('SELECT id FROM Message WHERE isRead = ?' + (x ? ' AND id = ?' : ''), [1])",
        "db.all('SELECT id FROM Message WHERE ' + parts.join(' AND '))",
    ])
    func aStatementThatGoesOnElsewhereStays(code: String) throws {
        #expect(try translated(code, "a.js").code == code)
    }

    @Test(arguments: [
        (
            "db.all('/* unread */ SELECT id FROM Message')",
            "db.all('/* unread */ SELECT id FROM \"Message\"')"
        ),
        ("db.all(`-- unread\nSELECT id FROM Message`)", "db.all(`-- unread\nSELECT id FROM \"Message\"`)"),
        ("db.all('-- unread\\nSELECT id FROM Message')", "db.all('-- unread\\nSELECT id FROM \"Message\"')"),
    ])
    func aStatementMayBeginWithAComment(code: String, expected: String) throws {
        #expect(try translated(code, "a.js").code == expected)
    }

    @Test(arguments: [
        // A name that goes over two strings, and one that the string cannot hold.
        (
            "a.js",
            "db.all('SELECT id FROM Message WHERE id IN (SELECT id FROM Message LIMIT 5' + ', 10)' + more)"
        ),
        ("a.js", "db.all(`SELECT ${columns} FROM Message WHERE changes() = 1`)"),
        ("a.js", "db.prepare('SELECT id FROM Message WHERE id = :id')"),
    ])
    func whatCannotBeWrittenStaysAsItIs(path: String, code: String) throws {
        let (result, all) = try translated(code, path)
        #expect(result == code || all.allSatisfy(\.obstacles.isEmpty))
        #expect(all.allSatisfy { $0.obstacles.isEmpty || !$0.isOffered })
    }

    @Test func onlyTheStatementsThatAreChosenChange() throws {
        try withTemporaryFolder { folder in
            let code = "db.all('SELECT senderId FROM Message')\ndb.all('SELECT isRead FROM Message')\n"
            try code.write(toFile: "\(folder)/a.js", atomically: true, encoding: .utf8)
            let translator = CodeTranslator(CodeScan(root: folder, schema: Self.schema))
            let all = try translator.translations(of: "a.js")
            let change = try #require(try translator.change("a.js", [all[1].statement.key]))
            #expect(
                change.after.map { String(decoding: $0, as: UTF8.self) }
                    == "db.all('SELECT senderId FROM Message')\ndb.all('SELECT \"isRead\" FROM \"Message\"')\n"
            )
            #expect(try translator.change("a.js", ["other"]) == nil)
        }
    }

    @Test func equalStatementsOfOneFileHaveKeysOfTheirOwnWhateverStandsAbove() throws {
        func keys(_ code: String) -> [String] {
            CodeScan(root: "/", schema: Self.schema).scan(Array(code.utf8), path: "a.js")?.statements.map(
                \.key) ?? []
        }
        let line = "db.all('SELECT id FROM t')\n"
        let two = keys(line + line)
        #expect(Set(two).count == 2)
        #expect(keys("// more\n\n" + line + line) == two)
    }
}
