import Testing

@testable import MigrationEngine

@Suite struct TableDDLTests {
    @Test(arguments: [
        ("CREATE TABLE t (a INTEGER PRIMARY KEY)", nil),
        ("CREATE TABLE t (a INTEGER CONSTRAINT k PRIMARY KEY)", "k"),
        ("CREATE TABLE t (a, b, PRIMARY KEY (a, b))", nil),
        ("CREATE TABLE t (a, b, CONSTRAINT \"k 1\" PRIMARY KEY (a, b))", "k 1"),
        ("CREATE TABLE t (a INTEGER CONSTRAINT n NOT NULL PRIMARY KEY)", nil),
        ("CREATE TABLE t (a, CONSTRAINT u UNIQUE (a), CONSTRAINT [k] PRIMARY KEY (a))", "k"),
    ])
    func thePrimaryKeyHasItsOwnName(sql: String, name: String?) {
        #expect(TableDDL(sql).primaryKeyName == name)
    }

    @Test func uniquesOfColumnsAndTablesComeInTheOrderOfTheText() {
        let ddl = TableDDL(
            "CREATE TABLE t (a UNIQUE, b CONSTRAINT ub UNIQUE, c, UNIQUE (a, \"b c\"), CONSTRAINT uc UNIQUE (c COLLATE NOCASE DESC))"
        )
        #expect(
            ddl.uniques == [
                .init(name: nil, columns: ["a"]), .init(name: "ub", columns: ["b"]),
                .init(name: nil, columns: ["a", "b c"]), .init(name: "uc", columns: ["c"]),
            ])
    }

    @Test func aNameBelongsToOneConstraint() {
        let ddl = TableDDL(
            "CREATE TABLE t (a INTEGER CONSTRAINT k PRIMARY KEY UNIQUE CHECK (a > 0) REFERENCES p)")
        #expect(ddl.primaryKeyName == "k")
        #expect(ddl.uniques == [.init(name: nil, columns: ["a"])])
        #expect(ddl.checks == [.init(name: nil, expression: "a > 0")])
        #expect(ddl.foreignKeys == [.init(name: nil)])
    }

    @Test func aGeneratedColumnTakesItsNameWithIt() {
        let ddl = TableDDL("CREATE TABLE t (a, b CONSTRAINT g AS (a + 1) UNIQUE)")
        #expect(ddl.uniques == [.init(name: nil, columns: ["b"])])
    }

    @Test(arguments: [
        ("CREATE TABLE t (a CHECK (a > 0))", nil, "a > 0"),
        ("CREATE TABLE t (a, CHECK (a IN (1, (2), 3)))", nil, "a IN (1, (2), 3)"),
        ("CREATE TABLE t (a CONSTRAINT c CHECK ((a) <> ')'))", "c", "(a) <> ')'"),
        ("CREATE TABLE t (a, CONSTRAINT c CHECK (a <> \"x)\" /* ) */))", "c", "a <> \"x)\" /* ) */"),
        ("CREATE TABLE t (a NUMERIC(10, 2) DEFAULT (1 + (2)) CHECK (a > 0))", nil, "a > 0"),
        ("CREATE TABLE t (a, CHECK(a) ON CONFLICT FAIL)", nil, "a"),
    ])
    func checksKeepTheirExpressionAsWritten(sql: String, name: String?, expression: String) {
        #expect(TableDDL(sql).checks == [.init(name: name, expression: expression)])
    }

    @Test(arguments: [
        ("", false, false),
        ("DEFERRABLE", true, false),
        ("DEFERRABLE INITIALLY IMMEDIATE", true, false),
        ("DEFERRABLE INITIALLY DEFERRED", true, true),
        ("NOT DEFERRABLE", false, false),
        ("NOT DEFERRABLE INITIALLY DEFERRED", false, false),
        ("ON DELETE SET NULL ON UPDATE NO ACTION DEFERRABLE INITIALLY DEFERRED", true, true),
        ("ON DELETE CASCADE MATCH FULL DEFERRABLE", true, false),
        ("MATCH SIMPLE ON UPDATE SET DEFAULT NOT DEFERRABLE INITIALLY IMMEDIATE", false, false),
    ])
    func deferralIsReadOnColumnsAndOnTables(clause: String, isDeferrable: Bool, isDeferred: Bool) {
        let key = TableDDL.ForeignKey(name: nil, isDeferrable: isDeferrable, isInitiallyDeferred: isDeferred)
        #expect(TableDDL("CREATE TABLE t (a REFERENCES p (id) \(clause), b)").foreignKeys == [key])
        #expect(
            TableDDL("CREATE TABLE t (a, FOREIGN KEY (a) REFERENCES p (id) \(clause))").foreignKeys == [key])
    }

    @Test(arguments: ["DEFERRABLE INITIALLY DEFERRED", "NOT NULL DEFERRABLE INITIALLY DEFERRED"])
    func deferralMayStandApartFromItsReference(clause: String) {
        let ddl = TableDDL("CREATE TABLE t (a REFERENCES p \(clause))")
        #expect(ddl.foreignKeys == [.init(name: nil, isDeferrable: true, isInitiallyDeferred: true)])
    }

    @Test func foreignKeysComeInTheOrderOfTheText() {
        let ddl = TableDDL(
            """
            CREATE TABLE t (
                a CONSTRAINT one REFERENCES p (id) NOT NULL, b REFERENCES p,
                CONSTRAINT three FOREIGN KEY (a, b) REFERENCES "p (x)" (c, d) ON DELETE CASCADE,
                FOREIGN KEY (b) REFERENCES p
            )
            """)
        #expect(ddl.foreignKeys.map(\.name) == ["one", nil, "three", nil])
    }

    @Test func constraintsMayFollowEachOtherWithoutCommas() {
        let ddl = TableDDL(
            """
            CREATE TABLE t (a, b, CONSTRAINT k PRIMARY KEY (a) CONSTRAINT u UNIQUE (b) CHECK (a > 0)
            FOREIGN KEY (a) REFERENCES p (id) ON DELETE SET NULL CONSTRAINT f FOREIGN KEY (b) REFERENCES q DEFERRABLE
            CONSTRAINT last CHECK (b))
            """)
        #expect(ddl.primaryKeyName == "k")
        #expect(ddl.uniques == [.init(name: "u", columns: ["b"])])
        #expect(ddl.checks.map(\.name) == [nil, "last"])
        #expect(ddl.foreignKeys.map(\.name) == [nil, "f"])
        #expect(ddl.foreignKeys.map(\.isDeferrable) == [false, true])
    }

    @Test(arguments: [
        "CREATE TABLE t (a, b AS (a + (1)))",
        "CREATE TABLE t (a, b INT GENERATED ALWAYS AS (a + (1)) STORED)",
        "CREATE TABLE t (a, b INT NOT NULL AS (a + (1)) VIRTUAL)",
    ])
    func generatedColumnsHaveTheirExpression(sql: String) {
        #expect(TableDDL(sql).generated == ["b": "a + (1)"])
    }

    @Test func commentsAreNoPartOfTheStatement() {
        let ddl = TableDDL(
            """
            CREATE TABLE -- (a UNIQUE)
            t ( -- CHECK (1)
                a /* UNIQUE, */ INT, /* ( */
                -- CONSTRAINT no CHECK (2),
                CHECK (a) -- )
            )
            """)
        #expect(
            ddl
                == {
                    var expected = TableDDL("")
                    expected.checks = [.init(name: nil, expression: "a")]
                    return expected
                }())
    }

    @Test(arguments: ["\"CHECK\"", "[unique]", "`references`", "'primary'", "\"a,b\"", "\"a)\""])
    func aQuotedColumnNameIsNoKeyword(name: String) {
        let ddl = TableDDL("CREATE TABLE \"CHECK (x)\" (\(name) INT UNIQUE, b)")
        let bare = String(name.dropFirst().dropLast())
        #expect(
            ddl
                == {
                    var expected = TableDDL("")
                    expected.uniques = [.init(name: nil, columns: [bare])]
                    return expected
                }())
    }

    @Test(arguments: [
        "", "CREATE", "CREATE TABLE t", "CREATE TABLE t (", "CREATE TABLE t (a", "CREATE TABLE t (a CHECK (",
        "CREATE TABLE t (a CONSTRAINT", "CREATE TABLE t (a, CONSTRAINT", "CREATE TABLE t (a, FOREIGN KEY",
        "CREATE TABLE t (a REFERENCES p ON", "CREATE TABLE t (a, UNIQUE (", "CREATE TABLE t (,,,)", ")(",
        "((((",
        "CREATE TABLE t (a, CONSTRAINT x)", "CREATE TABLE t (a 'b", "CREATE TABLE t (a AS",
    ])
    func whatCannotBeFollowedIsReadToItsEnd(sql: String) {
        let ddl = TableDDL(sql)
        #expect(ddl.foreignKeys.count <= 1)
    }
}
