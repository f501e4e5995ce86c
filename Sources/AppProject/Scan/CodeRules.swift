/// What code around the SQL must not do on PostgreSQL. One entry, one subject; each has its cases in the tests.
enum CodeRules {
    static let all = drivers + errors + files + prisma

    private static let prismaDocs = "https://www.prisma.io/docs/orm/"

    private static let drivers = [
        CodeRule(
            "sqlite-driver", .breaks, "a driver of SQLite's",
            "pg, psycopg, the pg gem, PDO's pgsql, pgx, or JDBC's postgresql",
            why: "It opens files, and no server.", link: "https://wiki.postgresql.org/wiki/List_of_drivers",
            [
                .package([
                    "sqlite3", "better-sqlite3", "sqlite", "sql.js", "node:sqlite", "bun:sqlite",
                    "@libsql/client", "libsql",
                    "aiosqlite", "pysqlite3", "drizzle-orm/better-sqlite3", "drizzle-orm/libsql",
                    "knex/lib/dialects/sqlite3",
                    "github.com/mattn/go-sqlite3", "modernc.org/sqlite", "gorm.io/driver/sqlite",
                    "org.sqlite.JDBC",
                    "@databases/sqlite", "sqlite-async",
                ])
            ]),
        CodeRule(
            "sqlite-adapter", .breaks, "Prisma's adapter for SQLite", "PrismaPg of @prisma/adapter-pg",
            why: "The adapter opens a file; PrismaPg takes { connectionString }.",
            link: prismaDocs + "overview/databases/postgresql#using-driver-adapters",
            [
                .package(["@prisma/adapter-better-sqlite3", "@prisma/adapter-libsql", "@prisma/adapter-d1"]),
                .code(["new", "PrismaBetterSqlite3"]), .code(["new", "PrismaBetterSQLite3"]),
                .code(["new", "PrismaLibSql"]),
                .code(["new", "PrismaLibSQL"]),
            ]),
        CodeRule(
            "sqlite-sessions", .breaks, "a session store on SQLite", "connect-pg-simple or the like",
            why: "Sessions stay in a file of their own.",
            link: "https://www.npmjs.com/package/connect-pg-simple",
            [.package(["connect-sqlite3", "better-sqlite3-session-store", "session-file-store-sqlite"])]),
        CodeRule(
            "sqlite-backend", .breaks, "an ORM's setting for SQLite", "the setting for PostgreSQL",
            why: "The ORM chooses its SQL by it.",
            link: "https://docs.djangoproject.com/en/stable/ref/databases/#postgresql-notes",
            [.text(["django.db.backends.sqlite3", "sqlite:///", "sqlite+aiosqlite:", "jdbc:sqlite:"])]),
    ]

    private static let errors = [
        CodeRule(
            "sqlite-error", .breaks, "an error code of SQLite's",
            "the SQLSTATE: 23505, 23503, 23502, or Prisma's P2002, P2003, P2011",
            why: "PostgreSQL's errors have other codes.",
            link: "https://www.postgresql.org/docs/current/errcodes-appendix.html",
            [
                .text([
                    "SQLITE_CONSTRAINT", "SQLITE_READONLY", "SQLITE_ERROR", "SQLITE_CANTOPEN",
                    "SQLITE_MISMATCH",
                ])
            ]),
        CodeRule(
            "sqlite-message", .breaks, "a message of SQLite's", "the SQLSTATE, never the message",
            why: "PostgreSQL says it in other words, and in the server's language.",
            link: "https://www.postgresql.org/docs/current/errcodes-appendix.html",
            [
                .text([
                    "UNIQUE constraint failed", "FOREIGN KEY constraint failed", "NOT NULL constraint failed",
                    "no such table",
                    "no such column",
                ])
            ]),
        CodeRule(
            "sqlite-busy", .silent, "waiting for SQLite's lock", "retry on 40001 and 40P01, Prisma's P2034",
            why:
                "PostgreSQL does not lock the database; transactions that cross fail with serialization errors or deadlocks.",
            link: "https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html",
            [.text(["SQLITE_BUSY", "SQLITE_LOCKED", "database is locked", "P1008"])]),
    ]

    private static let files = [
        CodeRule(
            "database-file", .breaks, "the database as a file", "pg_dump for copies, SELECT 1 for a check",
            why: "There is no file to look at, copy or delete.",
            link: "https://www.postgresql.org/docs/current/app-pgdump.html",
            [
                .string { code, index in
                    let inside = code.bytes[code.tokens[index].inside]
                    guard inside.count < 200, inside.count > 3 else { return false }
                    let text = String(decoding: inside, as: UTF8.self)
                    return [".db", ".sqlite", ".sqlite3", ".db-wal", ".db-shm"].contains {
                        text.hasSuffix($0)
                    } && !text.contains(" ")
                        && !text.hasPrefix("*")
                }
            ]),
        CodeRule(
            "file-url", .breaks, "a file: URL", "a postgresql:// URL",
            why: "Code that looks at the URL, or makes one, must take the new kind.",
            link: prismaDocs + "overview/databases/postgresql#connection-details",
            [
                .string { code, index in
                    let inside = code.bytes[code.tokens[index].inside]
                    guard inside.starts(with: "file:".utf8) || inside.starts(with: "sqlite:".utf8) else {
                        return false
                    }
                    let text = String(decoding: inside.prefix(300), as: UTF8.self)
                    return !text.hasPrefix("file://") && !text.hasPrefix("sqlite:///")
                }
            ]),
        CodeRule(
            "connection-limit", .performance, "connection_limit=1 in the URL",
            "a pool of 2 × cores + 1, or none of it",
            why: "One connection was right for a file; a server serves many at once.",
            link: prismaDocs + "prisma-client/setup-and-configuration/databases-connections/connection-pool",
            [.text(["connection_limit=1"])]),
    ]

    private static let prisma = [
        CodeRule(
            "string-filter", .silent, "contains, startsWith, endsWith without mode",
            "mode: 'insensitive' beside it",
            why: "They took a for A on SQLite; on PostgreSQL they do not.",
            link: prismaDocs + "prisma-client/queries/case-sensitivity", languages: ["JavaScript"],
            [
                .place(["contains", "startsWith", "endsWith"]) { code, index in
                    guard code.isSymbol(index + 1, ":"), let open = opening(code, index),
                        let close = code.closing(open)
                    else { return false }
                    return !code.has("mode", in: open..<close)
                }
            ]),
        CodeRule(
            "no-order", .silent, "findMany or findFirst without orderBy", "orderBy with the key",
            why: "SQLite gives rows by their number for the most part; PostgreSQL in any order.",
            link: "https://www.postgresql.org/docs/current/queries-order.html", languages: ["JavaScript"],
            [
                .place(["findMany", "findFirst"]) { code, index in
                    guard code.isSymbol(index - 1, "."), code.isSymbol(index + 1, "("),
                        let close = code.closing(index + 1)
                    else { return false }
                    // What is in a variable cannot be seen.
                    let isSeen = code.isSymbol(index + 2, "{") || close == index + 2
                    return isSeen && !code.has("orderBy", in: index..<close)
                }
            ]),
        CodeRule(
            "transaction", .silent, "a transaction that counts on one writer",
            "isolationLevel: 'Serializable' and a retry, or increment",
            why:
                "SQLite runs one writer at a time; PostgreSQL's default lets two read the same counter and both write it.",
            link: "https://www.postgresql.org/docs/current/transaction-iso.html", languages: ["JavaScript"],
            [
                .place(["$transaction"]) { code, index in
                    guard code.isSymbol(index - 1, "."), code.isSymbol(index + 1, "("),
                        let close = code.closing(index + 1)
                    else { return false }
                    // A list of writes reads nothing in between.
                    return !code.isSymbol(index + 2, "[") && !code.has("isolationLevel", in: index..<close)
                }
            ]),
        CodeRule(
            "json-path", .breaks, "a JSON filter with a path as a text", "path: ['a', 'b']",
            why: "PostgreSQL's filters take the path as an array.",
            link: prismaDocs + "prisma-client/special-fields-and-types/working-with-json-fields",
            languages: ["JavaScript"],
            [
                .place(["path"]) { code, index in
                    code.isSymbol(index + 1, ":") && code.tokens.indices.contains(index + 2)
                        && code.tokens[index + 2].kind == .string
                        && code.bytes[code.tokens[index + 2].inside].starts(with: "$".utf8)
                }
            ]),
        CodeRule(
            "many-clients", .performance, "a PrismaClient made in a function",
            "one client for the whole process",
            why: "Each has a pool of its own, and the server's connections run out (53300).",
            link: prismaDocs
                + "prisma-client/setup-and-configuration/databases-connections#prismaclient-in-long-running-applications",
            languages: ["JavaScript"],
            [
                .place(["PrismaClient"]) { code, index in
                    code.isWord(index - 1, "new") && isInFunction(code, index)
                }
            ]),
    ]

    /// The brace that is open around a place.
    private static func opening(_ code: CodeContext, _ index: Int) -> Int? {
        var depth = 0
        for position in stride(from: index - 1, through: max(0, index - 400), by: -1)
        where code.tokens[position].kind == .symbol {
            if code.isSymbol(position, "}") { depth += 1 }
            if code.isSymbol(position, "{") {
                if depth == 0 { return position }
                depth -= 1
            }
        }
        return nil
    }

    /// The parenthesis that ends a function's parameters before its body, also where a type stands between; nil where
    /// there is none.
    private static func parameters(_ code: CodeContext, before open: Int) -> Int? {
        if code.isSymbol(open - 1, ")") { return open - 1 }
        for place in stride(from: open - 1, through: max(1, open - 24), by: -1) {
            if code.isSymbol(place, ":") { return code.isSymbol(place - 1, ")") ? place - 1 : nil }
            let isType =
                code.tokens[place].kind == .word || code.tokens[place].kind == .string
                || "<>.|[],&".unicodeScalars.contains { code.isSymbol(place, $0) }
            guard isType else { return nil }
        }
        return nil
    }

    /// Whether a place is in the body of a function.
    private static func isInFunction(_ code: CodeContext, _ index: Int) -> Bool {
        var place = index
        while let open = opening(code, place) {
            if code.isSymbol(open - 1, ">"), code.isSymbol(open - 2, "=") { return true }
            if let close = parameters(code, before: open), let head = code.opening(close) {
                let controls = ["if", "for", "while", "switch", "catch"]
                if !controls.contains(code.text(head - 1)) { return true }
            }
            place = open
        }
        return false
    }
}
