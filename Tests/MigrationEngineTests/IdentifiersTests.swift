import MigrationEngine
import TestSupport
import Testing

/// Names in the target that are spelled otherwise than in the source.
@Suite struct IdentifiersTests {
    private static let script = """
        CREATE TABLE "UserAccount" ("userId" INTEGER PRIMARY KEY, "HTTPServer" TEXT UNIQUE, "is2FA on" BOOLEAN CHECK ("is2FA on" IN (0, 1)));
        CREATE TABLE "Post" (id INTEGER PRIMARY KEY, "authorId" INTEGER REFERENCES "UserAccount" ("userId"));
        CREATE INDEX "Post_authorId_idx" ON "Post" ("authorId"); CREATE VIEW "Names" AS SELECT "userId", "HTTPServer" FROM "UserAccount";
        INSERT INTO "UserAccount" VALUES (1, 'x', 1); INSERT INTO "Post" VALUES (1, 1)
        """

    @Test(arguments: [
        (
            Identifiers.exact,
            [
                "Post.authorId", "Post.id", "UserAccount.HTTPServer", "UserAccount.is2FA on",
                "UserAccount.userId",
            ]
        ),
        (
            .lower,
            [
                "post.authorid", "post.id", "useraccount.httpserver", "useraccount.is2fa on",
                "useraccount.userid",
            ]
        ),
        (
            .snake,
            [
                "post.author_id", "post.id", "user_account.http_server", "user_account.is2_fa_on",
                "user_account.user_id",
            ]
        ),
    ])
    func tablesColumnsAndWhatReadsThemAreSpelledTheSame(_ identifiers: Identifiers, _ columns: [String])
        throws
    {
        var migration = TestMigration()
        migration.identifiers = identifiers
        try migration.migrated(Self.script) { report, conninfo, _ in
            #expect(report.outcome == .proven)
            #expect(report.views.map(\.verdict) == ["equal"])
            let found = try TestServer.rows(
                """
                SELECT table_name || '.' || column_name FROM information_schema.columns AS c JOIN pg_tables AS t
                    ON t.tablename = table_name AND t.schemaname = 'public'
                WHERE table_schema = 'public' ORDER BY (table_name || '.' || column_name) COLLATE "C"
                """, in: conninfo)
            #expect(found == columns)
            let keys = try TestServer.rows(
                "SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('f', 'u') ORDER BY 1",
                in: conninfo)
            #expect(keys.allSatisfy { identifiers == .exact || $0 == $0.lowercased() })
        }
    }

    @Test func namesThatBecomeOneAreAFinding() throws {
        var migration = TestMigration()
        migration.identifiers = .lower
        try migration.migrated(
            "CREATE TABLE t (a INT, \"b\" INT); CREATE TABLE \"t2\" (a INT); CREATE TABLE u (\"größe\" INT)"
        ) {
            report, _, _ in
            #expect(report.outcome == .proven)
        }
        migration.identifiers = .snake
        try migration.migrated("CREATE TABLE \"fooBar\" (\"a b\" INT, a_b INT); CREATE TABLE foo_bar (a INT)")
        { report, _, _ in
            #expect(report.outcome == .undecided)
            #expect(report.findings.map(\.key) == ["name-taken:fooBar.a_b", "name-taken:foo_bar"])
        }
    }
}
