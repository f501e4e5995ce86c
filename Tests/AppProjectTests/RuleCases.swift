/// Pieces of code for every rule: some that it must find, some that look alike and that it must pass over.
struct RuleCases: Sendable {
    let rule: String
    let hits: [String]
    let misses: [String]

    init(_ rule: String, hits: [String], misses: [String]) {
        self.rule = rule
        self.hits = hits
        self.misses = misses
    }

    /// A piece may begin with the ending of its language: `py|cursor.execute(…)`; otherwise it is TypeScript.
    static func parts(_ piece: String) -> (path: String, code: String) {
        if let match = piece.prefixMatch(of: /(py|rb|php|go|java|sql)\|/) {
            return ("file.\(match.1)", String(piece[match.range.upperBound...]))
        }
        return ("file.ts", piece)
    }

    static let all = statements + names + functions + values + code

    private static let statements = [
        RuleCases(
            "insert-or-replace",
            hits: [
                "db.exec('INSERT OR REPLACE INTO t VALUES (1)')",
                "await prisma.$executeRaw`\n  insert or\n  replace into t (a) values (${x})`",
                "py|cur.execute(\"REPLACE INTO t VALUES (?)\", (1,))", "sql|REPLACE INTO t VALUES (1);",
                "db.run('INSERT ' + 'OR REPLACE INTO t VALUES (1)')",
                "go|db.Exec(`UPDATE OR REPLACE t SET a = 1`)",
            ],
            misses: [
                "// INSERT OR REPLACE INTO t", "db.exec('SELECT replace(a, \\'x\\', \\'y\\') FROM t')",
                "alert('Insert or replace the cartridge')",
                "db.exec(\"INSERT INTO t VALUES ('or replace into')\")",
            ]),
        RuleCases(
            "insert-or-ignore",
            hits: [
                "db.exec('INSERT OR IGNORE INTO t VALUES (1)')",
                "rb|execute <<~SQL\n  INSERT OR IGNORE INTO t VALUES (1)\nSQL",
            ],
            misses: [
                "db.exec('INSERT INTO t (ignore_me) VALUES (1) ON CONFLICT DO NOTHING')",
                "say('insert or ignore')",
            ]),
        RuleCases(
            "conflict-clause",
            hits: [
                "db.exec('INSERT OR ROLLBACK INTO t VALUES (1)')", "db.exec('UPDATE OR FAIL t SET a = 1')",
            ],
            misses: ["db.exec('ROLLBACK'); db.exec('SELECT a FROM t WHERE b OR fail')"]),
        RuleCases(
            "pragma",
            hits: [
                "db.exec('PRAGMA journal_mode = WAL')", "prisma.$queryRaw`PRAGMA foreign_keys`",
                "const q = 'PRAGMA user_version'",
            ],
            misses: [
                "const a = '#pragma once'", "db.exec('SELECT pragma FROM t')", "/* PRAGMA x */ f('no-cache')",
            ]),
        RuleCases(
            "attach", hits: ["db.exec(\"ATTACH DATABASE 'x.db' AS x\")", "db.exec(`VACUUM INTO '${path}'`)"],
            misses: ["mail('Attach the file')", "db.exec('VACUUM')", "db.exec('SELECT attach FROM t')"]),
        RuleCases(
            "begin-immediate",
            hits: ["db.exec('BEGIN IMMEDIATE')", "db.exec('begin exclusive transaction')"],
            misses: ["db.exec('BEGIN')", "say('begin immediately')"]),
        RuleCases(
            "create-trigger",
            hits: [
                "db.exec('CREATE TRIGGER a AFTER INSERT ON t BEGIN DELETE FROM u; END')",
                "sql|CREATE TEMP TRIGGER a AFTER INSERT ON t BEGIN DELETE FROM u; SELECT 1; END;",
            ],
            misses: [
                "db.exec('CREATE TRIGGER a AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()')",
                "db.exec('CREATE TABLE trigger_log (a)')",
            ]),
        RuleCases(
            "autoincrement", hits: ["db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)')"],
            misses: ["id = autoincrement()", "db.exec(\"CREATE TABLE t (a TEXT DEFAULT 'autoincrement')\")"]),
        RuleCases(
            "table-options",
            hits: [
                "db.exec('CREATE TABLE t (a PRIMARY KEY) WITHOUT ROWID')",
                "db.exec('CREATE TABLE t (a INT) STRICT')",
            ],
            misses: ["db.exec('CREATE TABLE t (strict INT)')", "db.exec('SELECT a FROM t WHERE strict = 2')"]),
        RuleCases(
            "indexed-by",
            hits: ["db.exec('SELECT a FROM t INDEXED BY i')", "db.exec('SELECT a FROM t NOT INDEXED')"],
            misses: ["db.exec('SELECT indexed FROM t')", "db.exec('SELECT a FROM t WHERE NOT indexed_at')"]),
        RuleCases(
            "explain-query-plan", hits: ["db.all('EXPLAIN QUERY PLAN SELECT a FROM t')"],
            misses: ["db.all('EXPLAIN SELECT a FROM t')", "log('Explain query plan')"]),
        RuleCases(
            "limit-comma",
            hits: [
                "db.all('SELECT a FROM t LIMIT 10, 20')", "db.all('SELECT a FROM t LIMIT ?, ?')",
                "db.all(`SELECT a FROM t LIMIT ${a}, ${b}`)",
            ],
            misses: [
                "db.all('SELECT a FROM t LIMIT 10 OFFSET 20')",
                "db.all('SELECT (SELECT a FROM t LIMIT 1), 2')",
            ]),
        RuleCases(
            "limit-negative", hits: ["db.all('SELECT a FROM t LIMIT -1')"],
            misses: ["db.all('SELECT a FROM t LIMIT 1')", "db.all('SELECT limit_of - 1 FROM t')"]),
    ]

    private static let names = [
        RuleCases(
            "question-parameter",
            hits: [
                "prisma.$queryRawUnsafe('SELECT a FROM t WHERE b = ?', b)",
                "go|db.Query(\"SELECT a FROM t WHERE b = ?\", b)", "db.prepare('DELETE FROM t WHERE a = ?2')",
            ],
            misses: [
                "prisma.$queryRaw`SELECT a FROM t WHERE b = ${b}`",
                "db.query(\"SELECT a FROM t WHERE b = '?'\")",
                "db.query('SELECT a FROM t WHERE b = $1')", "knex.raw('SELECT a FROM t WHERE b = ?', [b])",
                "java|c.prepareStatement(\"SELECT a FROM t WHERE b = ?\")",
            ]),
        RuleCases(
            "mixed-case-name",
            hits: [
                "db.all('SELECT userId FROM posts')", "db.all('SELECT a FROM Message')",
                "db.all('SELECT m.createdAt FROM m')", "db.exec('insert into UserSession values (1)')",
            ],
            misses: [
                "db.all('SELECT \"userId\" FROM posts')", "db.all('Select a From t')",
                "db.all(\"SELECT a FROM t WHERE b = 'userId'\")",
                "db.all(`SELECT ${userId} FROM t`)", "db.all('SELECT COUNT(*) FROM t')",
                "db.all('SELECT jsonbExtract(a) FROM t')",
            ]),
        RuleCases(
            "reserved-name",
            hits: ["db.all('SELECT a FROM user')", "db.exec('INSERT INTO order VALUES (1)')"],
            misses: [
                "db.all('SELECT a FROM \"user\"')", "db.all('SELECT a FROM users ORDER BY a')",
                "db.all('SELECT a FROM t GROUP BY a')",
            ]),
        RuleCases(
            "quoted-text",
            hits: [
                "db.all('SELECT a FROM t WHERE b = \"abc\"')",
                "db.all('SELECT a FROM t WHERE b IN (\"abc\")')",
                "db.all('SELECT a FROM t WHERE b LIKE \"abc%\"')",
            ],
            misses: [
                "db.all('SELECT \"abc\" FROM t')", "db.all('SELECT a FROM t JOIN u ON t.\"id\" = u.\"tId\"')",
                "db.all('SELECT a FROM \"t\" WHERE \"b\" = \"c\"')",
                "db.all(\"SELECT a FROM t WHERE b = 'abc'\")",
            ]),
        RuleCases(
            "quoted-name", hits: ["db.all('SELECT `a` FROM t')", "db.all('SELECT [a b] FROM t')"],
            misses: [
                "db.all('SELECT \"a\" FROM t')", "db.all(\"SELECT '[a]', '`' FROM t\")",
                "const a = `SELECT 1` + x[0]",
            ]),
        RuleCases(
            "sqlite-master",
            hits: [
                "db.all(\"SELECT name FROM sqlite_master WHERE type = 'table'\")",
                "db.all('SELECT * FROM pragma_table_info(\\'t\\')')",
            ],
            misses: [
                "db.all(\"SELECT 'sqlite_master' FROM t\")", "const name = 'sqlite_master'",
                "db.all('SELECT a FROM my_sqlite_master_copy')",
            ]),
        RuleCases(
            "rowid",
            hits: [
                "db.all('SELECT rowid, a FROM t')", "db.all('SELECT t._rowid_ FROM t')",
                "db.all('DELETE FROM t WHERE oid = 1')",
            ],
            misses: [
                "db.all('SELECT row_id FROM t')", "db.exec('CREATE TABLE t (a PRIMARY KEY) WITHOUT ROWID')",
                "db.all(\"SELECT 'rowid' FROM t\")",
            ]),
    ]

    private static func call(_ rule: String, _ hits: [String], misses: [String]) -> RuleCases {
        RuleCases(
            rule, hits: hits.map { "db.all('SELECT \($0) FROM t')" },
            misses: misses.map { "db.all('SELECT \($0) FROM t')" })
    }

    private static let functions = [
        call(
            "strftime", ["strftime(\"%Y\", a)", "STRFTIME (a, b)"], misses: ["strftime", "my_strftime(a)"]),
        call(
            "date-function", ["datetime(a)", "date(a, b)", "time()", "DATETIME()"],
            misses: ["date(a)", "date", "update_time(a, b)"]),
        call("julianday", ["julianday(a) - julianday(b)"], misses: ["julianday", "a_julianday(1)"]),
        call("unixepoch", ["unixepoch()"], misses: ["unixepoch", "unixepoch_ms"]),
        call("ifnull", ["ifnull(a, 0)"], misses: ["coalesce(a, 0)", "ifnull"]),
        call("iif", ["iif(a, 1, 2)"], misses: ["CASE WHEN a THEN 1 END", "iif"]),
        call(
            "scalar-min-max", ["max(a, 0)", "min(a, b, c)"],
            misses: ["max(a)", "min((a))", "max(coalesce(a, 0))"]),
        call(
            "group-concat", ["group_concat(a)", "group_concat(a, b)"],
            misses: ["string_agg(a, b)", "group_concat"]),
        call(
            "json-function", ["json_extract(a, b)", "json_group_array(a)"],
            misses: ["json_agg(a)", "json", "jsonb_set(a, b, c)"]),
        call("binary-function", ["hex(a)", "randomblob(16)"], misses: ["encode(a, b)", "hex", "t.quote"]),
        call("random", ["random()", "abs(random() % 10)"], misses: ["random", "setseed(1)"]),
        call(
            "text-function", ["instr(a, b)", "typeof(a)", "char(65)"],
            misses: ["strpos(a, b)", "CAST(a AS char)", "total"]),
        call("session-function", ["last_insert_rowid()", "changes()"], misses: ["changes", "lastval()"]),
        call(
            "substr-negative", ["substr(a, -3)", "substr(f(a, 1), -3, 2)"],
            misses: ["substr(a, 1)", "substr(a, 1, -1 + 2)", "right(a, 3)"]),
        call("round", ["round(a)", "round(a, 2)"], misses: ["round", "trunc(a)"]),
    ]

    private static let values = [
        RuleCases(
            "boolean-number",
            hits: [
                "db.all('SELECT a FROM t WHERE isRead = 1')", "db.all('UPDATE t SET active = 0')",
                "db.all('SELECT a FROM t WHERE \"isRead\" = 0')",
            ],
            misses: [
                "db.all('SELECT a FROM t WHERE count = 1')", "db.all('SELECT a FROM t WHERE isRead = true')",
                "db.all('SELECT a FROM t WHERE active = 10')",
            ]),
        RuleCases(
            "glob",
            hits: [
                "db.all(\"SELECT a FROM t WHERE a GLOB 'x*'\")", "db.all('SELECT a FROM f WHERE f MATCH ?')",
            ],
            misses: [
                "db.all('SELECT glob(a, b) FROM t')", "db.all(\"SELECT a FROM t WHERE a = 'GLOB'\")",
                "glob('*.ts')",
            ]),
        RuleCases(
            "like", hits: ["db.all(\"SELECT a FROM t WHERE a LIKE 'x%'\")"],
            misses: [
                "db.all(\"SELECT a FROM t WHERE a ILIKE 'x%'\")", "db.all('SELECT likes FROM t')",
                "say('Select what you like from it')",
            ]),
        RuleCases(
            "collate", hits: ["db.all('SELECT a FROM t ORDER BY a COLLATE NOCASE')"],
            misses: ["db.all('SELECT a FROM t ORDER BY a COLLATE \"C\"')", "db.all('SELECT nocase FROM t')"]),
        RuleCases(
            "double-equals", hits: ["db.all('SELECT a FROM t WHERE a == 1')"],
            misses: [
                "if (a == 1) db.all('SELECT a FROM t WHERE a = 1')",
                "db.all(\"SELECT a FROM t WHERE a = '=='\")", "db.all(`SELECT a FROM t WHERE a = ${b == 1}`)",
            ]),
        RuleCases(
            "is-value",
            hits: [
                "db.all('SELECT a FROM t WHERE a IS 5')", "db.all(`SELECT a FROM t WHERE a IS NOT ${b}`)",
            ],
            misses: [
                "db.all('SELECT a FROM t WHERE a IS NOT NULL')",
                "db.all('SELECT a FROM t WHERE a IS DISTINCT FROM 5')",
            ]),
        RuleCases(
            "cast-text", hits: ["db.all('SELECT CAST(a AS INTEGER) FROM t')"],
            misses: ["db.all('SELECT CAST(a AS TEXT) FROM t')", "db.all('SELECT a AS integer FROM t')"]),
        RuleCases(
            "epoch-number", hits: ["db.all(\"SELECT strftime('%Y', ts / 1000, 'unixepoch') FROM t\")"],
            misses: ["db.all('SELECT bytes / 1000 FROM t')", "db.all(\"SELECT strftime('%Y', ts) FROM t\")"]),
    ]

    private static let code = [
        RuleCases(
            "sqlite-driver",
            hits: [
                "import Database from 'better-sqlite3'", "const sqlite = require('sqlite3').verbose()",
                "import { DatabaseSync } from 'node:sqlite'",
                "knex({ client: 'sqlite3' })", "py|import sqlite3", "py|from sqlite3 import connect",
                "rb|gem 'sqlite3'", "go|import _ \"github.com/mattn/go-sqlite3\"",
                "await import('better-sqlite3')", "java|Class.forName(\"org.sqlite.JDBC\")",
            ],
            misses: [
                "import pg from 'pg'", "say('sqlite3')", "// import Database from 'better-sqlite3'",
                "py|sqlite3_name = 1", "const name = 'better-sqlite3'",
            ]),
        RuleCases(
            "sqlite-adapter",
            hits: [
                "import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'",
                "const a = new PrismaLibSQL({ url })",
            ],
            misses: ["import { PrismaPg } from '@prisma/adapter-pg'", "class PrismaLibSQLHelper {}"]),
        RuleCases(
            "sqlite-sessions", hits: ["const store = require('connect-sqlite3')(session)"],
            misses: ["const store = require('connect-pg-simple')(session)"]),
        RuleCases(
            "sqlite-backend",
            hits: [
                "py|DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3'}}",
                "py|create_engine('sqlite:///app.db')", "java|String u = \"jdbc:sqlite:app.db\";",
            ],
            misses: [
                "py|DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql'}}", "py|x = 'sqlite'",
            ]),
        RuleCases(
            "sqlite-error",
            hits: [
                "if (e.code === 'SQLITE_CONSTRAINT_UNIQUE') f()",
                "if (e.errno === sqlite.SQLITE_CONSTRAINT) f()",
            ],
            misses: ["if (e.code === '23505') f()", "const SQLITE_PATH_NAME = 1"]),
        RuleCases(
            "sqlite-message", hits: ["if (e.message.includes('UNIQUE constraint failed')) f()"],
            misses: ["if (e.message.includes('unique')) f()", "// UNIQUE constraint failed"]),
        RuleCases(
            "sqlite-busy",
            hits: [
                "if (e.code === 'SQLITE_BUSY') retry()", "if (/x/.test('database is locked')) f()",
                "if (e.code == 'P1008') f()",
            ],
            misses: ["if (e.code === 'P2034') retry()", "say('the door is locked')"]),
        RuleCases(
            "database-file",
            hits: [
                "fs.copyFileSync('prisma/dev.db', target)", "if (fs.existsSync(`${dir}/app.sqlite`)) f()",
            ],
            misses: ["const name = '*.db'", "say('open the .db')", "import x from './db'", "f('thumbs.dbx')"]),
        RuleCases(
            "file-url",
            hits: [
                "const url = process.env.DATABASE_URL ?? 'file:./dev.db'", "if (url.startsWith('file:')) f()",
                "connect('sqlite:data')",
            ],
            misses: ["const url = 'file:///tmp/a.txt'", "say('a file: b')", "const url = 'postgresql://h/d'"]),
        RuleCases(
            "connection-limit", hits: ["const url = 'file:./dev.db?connection_limit=1'"],
            misses: ["const url = 'postgresql://h/d?connection_limit=10&x'".replacing("=10", with: "=20")]),
        RuleCases(
            "string-filter",
            hits: [
                "prisma.user.findMany({ orderBy: { id: 'asc' }, where: { name: { contains: word } } })",
                "const where = { name: { startsWith: a } }",
            ],
            misses: [
                "const where = { name: { contains: a, mode: 'insensitive' } }",
                "if (text.startsWith('a')) f()", "const x = a ? contains : b",
            ]),
        RuleCases(
            "no-order", hits: ["prisma.user.findMany()", "prisma.user.findFirst({ where: { a } })"],
            misses: [
                "prisma.user.findMany({ orderBy: { id: 'asc' } })", "prisma.user.findMany(options)",
                "findMany()", "prisma.user.findUnique({ where: { a } })",
            ]),
        RuleCases(
            "transaction", hits: ["prisma.$transaction(async (tx) => { await tx.a.update({}) })"],
            misses: [
                "prisma.$transaction([a, b])", "prisma.$transaction(f, { isolationLevel: 'Serializable' })",
                "const $transaction = 1",
            ]),
        RuleCases(
            "json-path", hits: ["const where = { meta: { path: '$.a.b', equals: 1 } }"],
            misses: ["const where = { meta: { path: ['a', 'b'], equals: 1 } }", "router({ path: '/a' })"]),
        RuleCases(
            "many-clients",
            hits: [
                "export function make() { return new PrismaClient() }",
                "const f = async () => { const p = new PrismaClient(); }",
            ],
            misses: [
                "export const prisma = new PrismaClient()",
                "if (!global.p) { global.p = new PrismaClient() }", "function f() { return PrismaClient }",
            ]),
    ]
}
