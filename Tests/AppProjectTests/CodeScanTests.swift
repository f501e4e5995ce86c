import Foundation
import MigrationEngine
import Testing

@testable import AppProject

struct CodeScanTests {
    private static func rules(in piece: String, schema: SchemaNames? = nil) -> Set<String> {
        let (path, code) = RuleCases.parts(piece)
        let result = CodeScan(root: "/", schema: schema).scan(Array(code.utf8), path: path)
        return Set(result?.findings.map(\.rule) ?? [])
    }

    @Test("Every rule has pieces that it finds and near misses that it passes over")
    func everyRuleHasItsCases() {
        let known = Set(CodeScan.rules.map(\.id))
        #expect(known.count == CodeScan.rules.count)
        #expect(Set(RuleCases.all.map(\.rule)) == known)
        for cases in RuleCases.all { #expect(!cases.hits.isEmpty && !cases.misses.isEmpty, "\(cases.rule)") }
    }

    @Test(arguments: RuleCases.all.flatMap { cases in cases.hits.map { (cases.rule, $0) } })
    func found(rule: String, piece: String) {
        #expect(Self.rules(in: piece).contains(rule), "found: \(Self.rules(in: piece).sorted())")
    }

    @Test(arguments: RuleCases.all.flatMap { cases in cases.misses.map { (cases.rule, $0) } })
    func passedOver(rule: String, piece: String) {
        #expect(!Self.rules(in: piece).contains(rule))
    }

    @Test func precisionAndRecallOverAllPieces() {
        var (found, missed, wrong, passed) = (0, 0, 0, 0)
        for cases in RuleCases.all {
            for piece in cases.hits {
                Self.rules(in: piece).contains(cases.rule) ? (found += 1) : (missed += 1)
            }
            for piece in cases.misses {
                Self.rules(in: piece).contains(cases.rule) ? (wrong += 1) : (passed += 1)
            }
        }
        print(
            "code rules: \(CodeScan.rules.count); recall \(found) of \(found + missed), "
                + "precision \(found) of \(found + wrong), near misses passed over \(passed) of \(passed + wrong)"
        )
        #expect(missed == 0 && wrong == 0)
    }

    @Test func aSchemaTellsNamesFromTextsAndBooleansFromNumbers() {
        let schema = SchemaNames(tables: ["Message"], columns: ["content", "flag", "n"], booleans: ["flag"])
        func rules(_ sql: String) -> Set<String> { Self.rules(in: "db.all(`\(sql)`)", schema: schema) }
        #expect(rules("SELECT n FROM t WHERE n = \"content\"").isDisjoint(with: ["quoted-text"]))
        #expect(rules("SELECT \"n\" FROM t WHERE \"n\" = \"other\"").contains("quoted-text"))
        #expect(rules("SELECT n FROM t WHERE flag = 1").contains("boolean-number"))
        #expect(!rules("SELECT n FROM t WHERE isRead = 1").contains("boolean-number"))
        #expect(rules("SELECT n FROM Message").contains("mixed-case-name"))
        #expect(!rules("SELECT n AS myName FROM t").contains("mixed-case-name"))
    }

    @Test func aFindingTellsItsPlace() throws {
        let project = try Workspace([
            "src/a.ts": "// one\nconst x = 1\n  db.exec(`\n    SELECT 1,\n    ifnull(a, 2) FROM t`)\n"
        ])
        let result = try CodeScan(root: project.path).run(workers: 2, cancellation: Cancellation())
        let finding = try #require(result.findings.first { $0.rule == "ifnull" })
        #expect(finding.path == "src/a.ts" && finding.line == 5 && finding.column == 5)
        #expect(finding.excerpt == "ifnull(a, 2) FROM t`)")
        #expect(result.files == 1 && result.lines == 5)
    }

    @Test func aPlaceKeepsItsNameWhenLinesComeBeforeIt() throws {
        let code = "db.exec('SELECT ifnull(a, 1) FROM t')\ndb.exec('SELECT ifnull(a, 1) FROM t')\n"
        func keys(_ text: String) throws -> [String] {
            let project = try Workspace(["a.ts": text])
            return try CodeScan(root: project.path).run(workers: 1, cancellation: Cancellation()).findings
                .map(\.key)
        }
        let before = try keys(code)
        #expect(Set(before).count == 2)
        #expect(try keys("// more\n\n" + code) == before)
        #expect(try keys(code.replacing("a, 1", with: "a, 2")) != before)
    }

    @Test func whatOthersWroteOrABuildMadeIsLeftOut() throws {
        let sql = "db.exec('PRAGMA x')\n"
        let project = try Workspace([
            "a.ts": sql, "node_modules/b/b.ts": sql, "dist/c.js": sql, "d.min.js": sql,
            ".gitignore": "/ignored\n*.gen.ts\n!keep.gen.ts\n",
            "ignored/e.ts": sql, "f.gen.ts": sql, "keep.gen.ts": sql, "sub/ignored/g.ts": sql,
            "prisma/migrations/1/migration.sql": "PRAGMA x;",
            "h.txt": sql, "sub/.gitignore": "i.ts\n", "sub/i.ts": sql, "binary.js": "\0\0db.exec('PRAGMA x')",
        ])
        let result = try CodeScan(root: project.path).run(workers: 2, cancellation: Cancellation())
        #expect(result.findings.map(\.path) == ["a.ts", "keep.gen.ts", "sub/ignored/g.ts"])
    }

    @Test(arguments: [
        (
            "prisma.$queryRaw<Row[]>`SELECT a FROM t WHERE b = ${c}`", "SELECT a FROM t WHERE b = ?",
            "$queryRaw"
        ),
        ("Prisma.sql`AND a = ${b}`", "AND a = ?", "sql"),
        ("db.prepare('SELECT ' + columns + ' FROM t')", "SELECT ? FROM t", "prepare"),
        ("py|cur.execute('SELECT a '\n  'FROM t')", "SELECT a FROM t", "execute"),
        ("php|<?php $db->query(\"SELECT $a FROM t\");", "SELECT ? FROM t", "query"),
        ("const q = 'SELECT * FROM t'", "SELECT * FROM t", ""),
        ("x('update t set a = 1')", "update t set a = 1", "x"),
    ])
    func statementsAreFoundWithTheirExpressions(piece: String, sql: String, callee: String) throws {
        let (path, code) = RuleCases.parts(piece)
        let bytes = Array(code.utf8)
        let context = CodeContext(
            bytes: bytes, tokens: CodeLexer(bytes, try #require(Language.of(path))).tokens)
        let statements = SQLFinder(code: context).statements().found
        #expect(statements.map(\.sql) == [sql])
        #expect(statements.first?.callee == callee)
    }

    @Test(arguments: [
        "alert('Select a file from the list')", "t('Update your profile, then set a password')",
        "t('Delete from the cart')",
        "t('With great power')", "t('Begin transaction?')", "t('Insert coin')",
        "t('Drop table tennis here!')", "const a = 'selection'",
        "t('select')", "html('<select name=\"x\">')", "t('create table reservations easily.')",
    ])
    func sentencesAreNoStatements(code: String) {
        let bytes = Array(code.utf8)
        let context = CodeContext(bytes: bytes, tokens: CodeLexer(bytes, .javascript).tokens)
        #expect(SQLFinder(code: context).statements().found.map(\.sql) == [])
    }
}
