import SQLDialect
import Testing

@testable import MigrationEngine

@Suite struct CatalogReaderTests {
    @Test(arguments: [
        ("CREATE TABLE t (a INTEGER PRIMARY KEY)", "a"),
        ("CREATE TABLE t (a integer primary key, b)", "a"),
        ("CREATE TABLE t (b, a INTEGER, PRIMARY KEY (a))", "a"),
        ("CREATE TABLE t (b, a INTEGER, PRIMARY KEY (a DESC))", "a"),
        ("CREATE TABLE t (a INTEGER PRIMARY KEY DESC)", nil),
        ("CREATE TABLE t (a INT PRIMARY KEY)", nil),
        ("CREATE TABLE t (a BIGINT NOT NULL PRIMARY KEY)", nil),
        ("CREATE TABLE t (a TEXT PRIMARY KEY)", nil),
        ("CREATE TABLE t (a INT UNIQUE PRIMARY KEY)", nil),
        ("CREATE TABLE t (a INTEGER, b INTEGER, PRIMARY KEY (a, b))", nil),
        ("CREATE TABLE t (a INTEGER PRIMARY KEY) WITHOUT ROWID", nil),
        ("CREATE TABLE t (a INTEGER)", nil),
    ])
    func onlyAnIntegerPrimaryKeyIsTheRowid(sql: String, alias: String?) throws {
        #expect(try readTable(sql).rowidAlias == alias)
    }

    @Test(arguments: [
        ("CREATE TABLE t (a)", false, false), ("CREATE TABLE t (a PRIMARY KEY) WITHOUT ROWID", true, false),
        ("CREATE TABLE t (a INT) STRICT", false, true),
        ("CREATE TABLE t (a INT PRIMARY KEY) STRICT, WITHOUT ROWID", true, true),
    ])
    func tablesTellTheirKind(sql: String, isWithoutRowid: Bool, isStrict: Bool) throws {
        let table = try readTable(sql)
        #expect(table.isWithoutRowid == isWithoutRowid)
        #expect(table.isStrict == isStrict)
    }

    @Test func autoincrementHasItsSequence() throws {
        let catalog = try readCatalog(
            """
            CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT); CREATE TABLE b (id INTEGER PRIMARY KEY);
            CREATE TABLE c (id INTEGER PRIMARY KEY AUTOINCREMENT);
            INSERT INTO a VALUES (7), (900); DELETE FROM a WHERE id = 900; INSERT INTO b VALUES (5)
            """)
        let tables = catalog.tables.filter { $0.name != "sqlite_sequence" }
        #expect(tables.map(\.isAutoincrement) == [true, false, true])
        #expect(tables.map(\.sequence) == [900, nil, nil])
    }

    @Test func aSequenceThatSomebodyWroteATextIntoIsPassedOver() throws {
        let catalog = try readCatalog(
            """
            CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO a VALUES (7);
            UPDATE sqlite_sequence SET seq = 'x'
            """)
        #expect(catalog.tables.first?.sequence == nil)
    }

    @Test func aKeyHasItsColumnsInItsOwnOrder() throws {
        let table = try readTable("CREATE TABLE t (a, b, c, CONSTRAINT k PRIMARY KEY (c, a))")
        #expect(table.primaryKey == ["c", "a"])
        #expect(table.primaryKeyName == "k")
    }

    @Test func columnsAreReadAsDeclared() throws {
        let table = try readTable(
            """
            CREATE TABLE t (a, b varchar(160) NOT NULL DEFAULT 'it''s', c DECIMAL(10, 2) DEFAULT (1 + 2),
            d TEXT COLLATE NOCASE, e "unsigned big int" DEFAULT -5, f TEXT DEFAULT NULL)
            """)
        #expect(
            table.columns.map(\.declaredType) == [
                "", "varchar(160)", "DECIMAL(10, 2)", "TEXT", "unsigned big int", "TEXT",
            ])
        #expect(table.columns.map(\.isNotNull) == [false, true, false, false, false, false])
        #expect(table.columns.map(\.defaultSQL) == [nil, "'it''s'", "1 + 2", nil, "-5", "NULL"])
        #expect(
            table.columns.map(\.collation) == ["BINARY", "BINARY", "BINARY", "NOCASE", "BINARY", "BINARY"])
    }

    @Test func generatedColumnsAreThereWithTheirExpression() throws {
        let table = try readTable(
            "CREATE TABLE t (a, b AS (a || 'x') VIRTUAL, \"c d\" INT GENERATED ALWAYS AS (a + (1)) STORED, e)"
        )
        #expect(table.columns.map(\.name) == ["a", "b", "c d", "e"])
        #expect(table.columns.map(\.generation) == [nil, "a || 'x'", "a + (1)", nil])
    }

    @Test func checksAreRead() throws {
        let table = try readTable("CREATE TABLE t (a CHECK (a > 0), CONSTRAINT c CHECK (a < 9))")
        #expect(
            table.checks == [.init(name: nil, expression: "a > 0"), .init(name: "c", expression: "a < 9")])
    }

    // MARK: Foreign keys

    @Test func severalKeysKeepTheirNamesAndOrder() throws {
        let table = try readTable(
            """
            CREATE TABLE c (
                a INTEGER CONSTRAINT one REFERENCES p (id) ON DELETE CASCADE,
                b INTEGER REFERENCES p (id) ON UPDATE SET NULL,
                x, y,
                CONSTRAINT three FOREIGN KEY (x, y) REFERENCES q (n, m) ON DELETE SET DEFAULT DEFERRABLE INITIALLY DEFERRED,
                FOREIGN KEY (b) REFERENCES p (id) ON DELETE RESTRICT ON UPDATE CASCADE
            );
            CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE q (m, n, UNIQUE (n, m))
            """)
        #expect(
            table.foreignKeys == [
                .init(
                    name: "one", columns: ["a"], parentTable: "p", parentColumns: ["id"],
                    onUpdate: "NO ACTION",
                    onDelete: "CASCADE", isDeferrable: false, isInitiallyDeferred: false),
                .init(
                    name: nil, columns: ["b"], parentTable: "p", parentColumns: ["id"], onUpdate: "SET NULL",
                    onDelete: "NO ACTION", isDeferrable: false, isInitiallyDeferred: false),
                .init(
                    name: "three", columns: ["x", "y"], parentTable: "q", parentColumns: ["n", "m"],
                    onUpdate: "NO ACTION", onDelete: "SET DEFAULT", isDeferrable: true,
                    isInitiallyDeferred: true),
                .init(
                    name: nil, columns: ["b"], parentTable: "p", parentColumns: ["id"], onUpdate: "CASCADE",
                    onDelete: "RESTRICT", isDeferrable: false, isInitiallyDeferred: false),
            ])
    }

    @Test func aKeyAddedByAlterTableIsPairedWithItsName() throws {
        let table = try readTable(
            """
            CREATE TABLE c (a, CONSTRAINT one FOREIGN KEY (a) REFERENCES p (id));
            CREATE TABLE p (id INTEGER PRIMARY KEY);
            ALTER TABLE c ADD COLUMN b INTEGER CONSTRAINT two REFERENCES p (id)
            """)
        #expect(
            Dictionary(uniqueKeysWithValues: table.foreignKeys.map { ($0.columns, $0.name) }) == [
                ["a"]: "one", ["b"]: "two",
            ])
    }

    @Test(arguments: [
        ("CREATE TABLE p (k INTEGER PRIMARY KEY)", "REFERENCES p", ["k"]),
        ("CREATE TABLE p (\"My Key\" TEXT PRIMARY KEY)", "REFERENCES P", ["My Key"]),
        ("CREATE TABLE p (a, k TEXT)", "REFERENCES p", nil),
        ("CREATE TABLE p (a, b, PRIMARY KEY (b, a))", "REFERENCES p", nil),
        ("CREATE TABLE other (a)", "REFERENCES p", nil),
        ("CREATE TABLE p (k INTEGER PRIMARY KEY)", "REFERENCES p (K)", ["k"]),
        ("CREATE TABLE p (k INTEGER PRIMARY KEY)", "REFERENCES p (x)", ["x"]),
    ])
    func parentColumnsMayBeImplied(parent: String, clause: String, columns: [String]?) throws {
        let table = try readTable("CREATE TABLE c (a \(clause)); \(parent)")
        #expect(table.foreignKeys.map(\.parentColumns) == [columns])
    }

    @Test func impliedColumnsOfACompositeKeyComeInItsOrder() throws {
        let table = try readTable(
            "CREATE TABLE c (a, b, FOREIGN KEY (a, b) REFERENCES p); CREATE TABLE p (x, y, PRIMARY KEY (y, x))"
        )
        #expect(table.foreignKeys.map(\.parentColumns) == [["y", "x"]])
    }

    @Test func namesAreThoseOfTheTablesWhateverTheCaseOfTheKey() throws {
        let table = try readTable(
            "CREATE TABLE c (Owner, FOREIGN KEY (OWNER) REFERENCES pArEnT (ID)); CREATE TABLE Parent (Id INTEGER PRIMARY KEY)"
        )
        #expect(table.foreignKeys.map(\.columns) == [["Owner"]])
        #expect(table.foreignKeys.map(\.parentTable) == ["Parent"])
        #expect(table.foreignKeys.map(\.parentColumns) == [["Id"]])
    }

    /// SQLite folds the case of A to Z only.
    @Test func lettersBeyondASCIIKeepTheirCase() throws {
        let table = try readTable(
            """
            CREATE TABLE c ("É", "é", FOREIGN KEY ("é") REFERENCES "Ö" ("ä"));
            CREATE TABLE "ö" (x PRIMARY KEY); CREATE TABLE "Ö" ("Ä", "ä" PRIMARY KEY); CREATE TABLE "ÖÖ" (y)
            """)
        #expect(table.foreignKeys.map(\.columns) == [["é"]])
        #expect(table.foreignKeys.map(\.parentTable) == ["Ö"])
        #expect(table.foreignKeys.map(\.parentColumns) == [["ä"]])
    }

    @Test func aTableMayReferToItself() throws {
        let table = try readTable(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, parent REFERENCES t ON DELETE SET NULL)")
        #expect(table.foreignKeys.map(\.parentColumns) == [["id"]])
        #expect(table.foreignKeys.map(\.onDelete) == ["SET NULL"])
    }

    // MARK: Indexes

    @Test func indexesTellWhoAskedForThem() throws {
        let table = try readTable(
            """
            CREATE TABLE t (a PRIMARY KEY, b UNIQUE, c, CONSTRAINT u UNIQUE (c, b));
            CREATE INDEX i ON t (c); CREATE UNIQUE INDEX j ON t (b, c)
            """)
        #expect(table.indexes.map(\.origin) == [.primaryKey, .unique, .unique, .createIndex, .createIndex])
        #expect(table.indexes.map(\.constraintName) == [nil, nil, "u", nil, nil])
        #expect(table.indexes.map(\.isUnique) == [true, true, true, false, true])
        #expect(table.indexes.map { $0.sql == nil } == [true, true, true, false, false])
        #expect(table.indexes.suffix(2).map(\.name) == ["i", "j"])
    }

    @Test func termsTellDirectionCollationAndExpression() throws {
        let table = try readTable(
            """
            CREATE TABLE t (a COLLATE NOCASE, b, id INTEGER PRIMARY KEY);
            CREATE INDEX i ON t (a DESC, b COLLATE RTRIM, lower(b), id)
            """)
        #expect(
            table.indexes.first?.terms == [
                .init(column: "a", isDescending: true, collation: "NOCASE"),
                .init(column: "b", isDescending: false, collation: "RTRIM"),
                .init(column: nil, isDescending: false, collation: "BINARY"),
                .init(column: "id", isDescending: false, collation: "BINARY"),
            ])
    }

    @Test func partialIndexesAreTold() throws {
        let table = try readTable(
            "CREATE TABLE t (a, b); CREATE UNIQUE INDEX i ON t (a) WHERE b IS NULL; CREATE INDEX j ON t (a)")
        #expect(table.indexes.map(\.isPartial) == [true, false])
    }

    // MARK: What is no table

    @Test func virtualTablesHaveTheirShadows() throws {
        let catalog = try readCatalog(
            "CREATE VIRTUAL TABLE f USING fts5(body); CREATE TABLE t (a); CREATE VIRTUAL TABLE r USING rtree(id, x0, x1)"
        )
        #expect(catalog.virtualTables.map(\.name) == ["f", "r"])
        #expect(catalog.tables.map(\.name) == ["t"])
        #expect(
            Set(catalog.shadowTables) == [
                "f_data", "f_idx", "f_content", "f_docsize", "f_config", "r_rowid", "r_node", "r_parent",
            ])
    }

    @Test func viewsAndTriggersHaveTheirSource() throws {
        let view = "CREATE VIEW v AS SELECT a FROM t"
        let trigger = "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END"
        let catalog = try readCatalog("CREATE TABLE t (a); \(view); \(trigger)")
        #expect(catalog.views == [.init(name: "v", table: "v", sql: view, columns: ["a"])])
        #expect(catalog.triggers == [.init(name: "g", table: "t", sql: trigger)])
    }

    @Test func aViewThatCannotRunIsNotRun() throws {
        let catalog = try readCatalog(
            "CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t; DROP TABLE t; CREATE TABLE u (b)")
        #expect(catalog.views.map(\.name) == ["v"])
        #expect(catalog.tables.map(\.name) == ["u"])
    }

    @Test func theFileTellsEncodingAndVersion() throws {
        let catalog = try readCatalog(
            "PRAGMA encoding = 'UTF-16le'; PRAGMA user_version = 42; CREATE TABLE \"ü\" (\"ä\")")
        #expect(catalog.encoding == "UTF-16le")
        #expect(catalog.userVersion == 42)
        #expect(catalog.tables.map(\.name) == ["ü"])
    }

    @Test func tablesComeInTheOrderInWhichTheyWereMade() throws {
        let catalog = try readCatalog("CREATE TABLE z (a); CREATE TABLE a (a); CREATE TABLE m (a)")
        #expect(catalog.tables.map(\.name) == ["z", "a", "m"])
    }

    // MARK: Names

    @Test(arguments: [
        "a\"b", "a'b", "a b", "a\nb", "größe", "🐘", "select", "a`b", "a[b", "a]b", "a;--", "\"\u{301}", "%s",
        "?1",
    ])
    func namesAreKeptExactly(name: String) throws {
        let quoted = "\"" + name.unicodeScalars.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\""
        let (catalog, profiles) = try readProfiles(
            """
            CREATE TABLE \(quoted) (\(quoted) INTEGER PRIMARY KEY REFERENCES \(quoted), UNIQUE (\(quoted)));
            INSERT INTO \(quoted) VALUES (5); CREATE INDEX i ON \(quoted) (\(quoted) DESC)
            """)
        let table = try #require(catalog.tables.first)
        let scalars = Array(name.unicodeScalars)
        #expect(Array(table.name.unicodeScalars) == scalars)
        #expect(table.columns.map { Array($0.name.unicodeScalars) } == [scalars])
        #expect(table.rowidAlias == name)
        #expect(table.foreignKeys.map(\.parentColumns) == [[name]])
        #expect(table.indexes.last?.terms.first?.column == name)
        #expect(profiles[name]?.chunkEnds == [5])
    }

    @Test(arguments: [
        ("CREATE TABLE t (a)", "rowid"), ("CREATE TABLE t (RowId)", "_rowid_"),
        ("CREATE TABLE t (rowid, _ROWID_)", "oid"), ("CREATE TABLE t (rowid, oid, _rowid_)", nil),
        ("CREATE TABLE t (rowid TEXT, oid INTEGER PRIMARY KEY, _rowid_)", "oid"),
        ("CREATE TABLE t (a PRIMARY KEY) WITHOUT ROWID", nil),
    ])
    func theRowidIsReadByANameThatNoColumnTook(sql: String, name: String?) throws {
        #expect(try readTable(sql).rowidName == name)
    }

    @Test func aTableWhoseRowidCannotBeNamedIsStillRead() throws {
        let (_, profiles) = try readProfiles(
            "CREATE TABLE t (rowid, oid, _rowid_); INSERT INTO t VALUES ('x', 'y', 'z'), ('x', 'y', 'z')")
        #expect(profiles["t"]?.rows == 2)
        #expect(profiles["t"]?.chunkEnds == [])
    }

    @Test(arguments: [
        ("INT", Affinity.integer), ("CHARINT", .integer), ("FLOATING POINT", .integer),
        ("unsigned big int", .integer),
        ("CHARACTER(20)", .text), ("NVARCHAR(100)", .text), ("longtext", .text), ("CLOB", .text), ("", .blob),
        ("BLOB", .blob), ("longblob", .blob), ("REAL", .real), ("DOUBLE PRECISION", .real), ("FLOAT", .real),
        ("NUMERIC", .numeric), ("DECIMAL(10,5)", .numeric), ("BOOLEAN", .numeric), ("DATETIME", .numeric),
        ("STRING", .numeric), ("byte[]", .numeric), ("ANY", .numeric),
    ])
    func affinityFollowsTheFiveRules(type: String, affinity: Affinity) {
        #expect(Affinity(declaredType: type) == affinity)
    }
}
