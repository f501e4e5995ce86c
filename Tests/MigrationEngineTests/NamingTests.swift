import Testing

@testable import MigrationEngine

@Suite struct NamingTests {
    @Test(arguments: [
        (String(repeating: "a", count: 58), "_pkey", String(repeating: "a", count: 58) + "_pkey"),
        (String(repeating: "a", count: 59), "_pkey", String(repeating: "a", count: 58) + "_pkey"),
        (String(repeating: "a", count: 60), "_key", String(repeating: "a", count: 59) + "_key"),
        (String(repeating: "é", count: 40), "_pkey", String(repeating: "é", count: 29) + "_pkey"),
        (String(repeating: "é", count: 40), "_key", String(repeating: "é", count: 29) + "_key"),
        (String(repeating: "名", count: 30), "_pkey", String(repeating: "名", count: 19) + "_pkey"),
        (String(repeating: "🐘", count: 20), "_idx", String(repeating: "🐘", count: 14) + "_idx"),
        ("x" + String(repeating: "🐘", count: 20), "_fkey", "x" + String(repeating: "🐘", count: 14) + "_fkey"),
        // Cut between the scalars of one character, as both cut.
        (
            String(repeating: "a", count: 57) + "e\u{301}", "_pkey",
            String(repeating: "a", count: 57) + "e_pkey"
        ),
        ("", "_pkey", "_pkey"), ("t", "", "t"),
    ])
    func aNameIsCutBetweenScalarsToSixtyThreeBytes(base: String, suffix: String, name: String) {
        #expect(Naming.cut(base, suffix: suffix) == name)
        #expect(Naming.cut(base, suffix: suffix).utf8.count <= 63)
    }

    /// What Prisma 6.19 makes of these tables, see reference/prisma/alltypes.postgresql.sql.
    @Test(arguments: [
        (
            "AVeryLongModelNameForTestingTheIdentifierLimitOfPostgresDatabases", "_pkey",
            "AVeryLongModelNameForTestingTheIdentifierLimitOfPostgresDa_pkey"
        ),
        (
            "AVeryLongModelNameForTestingTheIdentifierLimitOfPostgresDatabases_anotherVeryLongColumnNameHere_second",
            "_key",
            "AVeryLongModelNameForTestingTheIdentifierLimitOfPostgresDat_key"
        ),
        ("_TagToUser_AB", "_pkey", "_TagToUser_AB_pkey"), ("User_parentId", "_fkey", "User_parentId_fkey"),
    ])
    func namesAreThosePrismaMakes(base: String, suffix: String, name: String) {
        #expect(Naming.cut(base, suffix: suffix) == name)
    }

    @Test(arguments: [
        ("a", false, nil), ("a", true, nil), (String(repeating: "a", count: 63), false, nil),
        (String(repeating: "a", count: 64), false, Finding.ID.nameTooLong),
        (String(repeating: "é", count: 32), false, .nameTooLong), ("", false, .nameNotPossible),
        ("a\0b", false, .nameNotPossible),
        ("ctid", true, .nameNotPossible), ("xmin", true, .nameNotPossible), ("CTID", true, nil),
        ("ctid", false, nil),
        ("select", true, nil), ("oid", true, nil),
    ])
    func namesThatPostgreSQLCannotHaveAreTold(name: String, isColumn: Bool, id: Finding.ID?) {
        #expect(Naming.obstacle(name, isColumn: isColumn)?.id == id)
    }

    /// Swift takes é in one scalar and in two for one text; SQLite and PostgreSQL do not.
    @Test(arguments: [
        "CREATE TABLE \"\u{E9}\" (a); CREATE TABLE \"e\u{301}\" (a)",
        "CREATE TABLE t (\"\u{E9}\", \"e\u{301}\")",
    ])
    func namesThatOnlyTheirCompositionTellsApartAreRefused(sql: String) throws {
        let findings = try propose(sql).findings
        #expect(findings.map(\.id) == [.nameNotPossible])
        #expect(findings.map(\.blocking) == [true])
    }

    @Test func aTakenNameGetsANumber() {
        var names = NameSpace()
        #expect(["i", "i", "i", "i_1", "I"].map { names.claim($0) } == ["i", "i_1", "i_2", "i_1_1", "I"])
    }

    @Test func aNumberedNameStaysWithinSixtyThreeBytes() {
        var names = NameSpace()
        let long = String(repeating: "a", count: 63)
        #expect(names.claim(long) == long)
        #expect(names.claim(long) == String(repeating: "a", count: 61) + "_1")
    }

    @Test(arguments: [
        ("sqlite_sequence", true), ("sqlite_stat1", true), ("_prisma_migrations", true), ("_Migration", true),
        ("d1_migrations", true), ("_cf_KV", true), ("_litestream_seq", true), ("users", false),
        ("migrations", false),
        ("_BlocksToUser", false),
    ])
    func toolsOwnTablesAreKnown(table: String, isKnown: Bool) {
        #expect((Bookkeeping.reason(table) != nil) == isKnown)
    }

    @Test func anIndexThatIsNamedAsATableIsRenamed() throws {
        let proposal = try propose(
            "CREATE TABLE a (x); CREATE TABLE a_pkey (y); CREATE TABLE b (k TEXT PRIMARY KEY); CREATE TABLE b_pkey (x)"
        )
        #expect(proposal.plan.tables.compactMap(\.primaryKey).map(\.name) == ["b_pkey_1"])
        #expect(proposal.findings.map(\.id) == [.renamed])
    }
}
