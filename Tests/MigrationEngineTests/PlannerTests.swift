import Foundation
import TestSupport
import Testing

@testable import AppProject
@testable import MigrationEngine

@Suite struct PlannerTests {
    // MARK: Style

    private static let fkey = "CONSTRAINT c_a_fkey FOREIGN KEY (a) REFERENCES p (id)"

    @Test(arguments: [
        ("CREATE TABLE t (a)", Style.plain),
        ("CREATE TABLE t (a); CREATE TABLE _prisma_migrations (id)", .prisma),
        ("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (a, \(fkey))", .prisma),
        (
            "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (a, \(fkey)); CREATE INDEX c_a_idx ON c (a)",
            .prisma
        ),
        (
            "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (a, \(fkey)); CREATE INDEX mine ON c (a)",
            .plain
        ),
        ("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (a, b REFERENCES p, \(fkey))", .plain),
        ("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (a REFERENCES p)", .plain),
    ])
    func namesShowTheStyle(script: String, style: Style) throws {
        #expect(Style.detect(try readCatalog(script), hints: nil).style == style)
    }

    @Test func aSchemaFileDecidesTheStyle() throws {
        let catalog = try readCatalog("CREATE TABLE t (a); CREATE TABLE _prisma_migrations (id)")
        let detected = Style.detect(catalog, hints: SchemaHints(style: .plain, source: "models.py"))
        #expect(detected.style == .plain)
        #expect(detected.evidence == "models.py says so")
    }

    // MARK: Tables

    @Test func whatIsLeftOutIsListed() throws {
        let proposal = try propose(
            """
            CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT CHECK (a > 0), b AS (a), c TEXT COLLATE NOCASE);
            CREATE INDEX p ON t (c) WHERE a > 1; CREATE INDEX e ON t (a + 1); CREATE INDEX n ON t (c);
            CREATE VIRTUAL TABLE f USING fts5(body); CREATE VIEW v AS SELECT 1;
            CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END; CREATE TABLE _prisma_migrations (id)
            """)
        let left = proposal.objects.filter { $0.state == .leftOut }
        #expect(
            Set(left.filter(\.isUnexplained).map { "\($0.kind.rawValue) \($0.name)" }) == [
                "collation t.c", "virtual table f",
            ])
        #expect(
            Set(left.filter { !$0.isUnexplained }.map(\.name)) == [
                "sqlite_sequence", "_prisma_migrations", "f_data", "f_idx", "f_content", "f_docsize",
                "f_config",
            ])
        let table = try #require(proposal.plan.tables.first)
        #expect(table.checks?.map(\.expression) == ["\"a\" > 0"])
        #expect(table.column(named: "b")?.generated == "\"a\"")
        #expect(table.indexes?.map(\.name) == ["p", "e", "n"])
        #expect(proposal.plan.views?.map(\.name) == ["v"])
        #expect(proposal.plan.triggers?.map(\.name) == ["g"])
        #expect(proposal.plan.tables.map(\.name) == ["t"])
    }

    @Test func tablesComeInTheOrderOfTheHints() throws {
        let proposal = try propose(
            "CREATE TABLE a (x); CREATE TABLE b (x); CREATE TABLE c (x); CREATE TABLE d (x)",
            hints: SchemaHints(style: .plain, source: "s", tableOrder: ["d", "b", "missing"]))
        #expect(proposal.plan.tables.map(\.name) == ["d", "b", "a", "c"])
    }

    @Test(
        arguments: [
            ("a INTEGER PRIMARY KEY", Style.plain, MigrationPlan.Numbering.identity),
            ("a INTEGER PRIMARY KEY", .prisma, .serial),
            ("a INT PRIMARY KEY", .plain, nil), ("a BIGINT NOT NULL PRIMARY KEY", .prisma, nil),
        ] as [(String, Style, MigrationPlan.Numbering?)])
    func theRowidAliasIsNumbered(column: String, style: Style, numbering: MigrationPlan.Numbering?) throws {
        let proposal = try propose("CREATE TABLE t (\(column))", style: style)
        #expect(proposal.plan.tables.first?.columns.first?.numbering == numbering)
    }

    @Test func aSchemaFileDecidesTheNumbering() throws {
        let hints = SchemaHints(
            style: .prisma, source: "s",
            columns: ["t": ["a": .init(isAutoincrement: false)], "u": ["a": .init(isAutoincrement: true)]])
        let proposal = try propose(
            "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT); CREATE TABLE u (a BIGINT NOT NULL PRIMARY KEY)",
            style: .prisma,
            hints: hints)
        let tables = proposal.plan.tables
        #expect(tables.map { $0.columns[0].numbering } == [nil, .serial])
    }

    @Test func keyColumnsAreNotNull() throws {
        let proposal = try propose("CREATE TABLE t (a TEXT, b TEXT, c TEXT NOT NULL, PRIMARY KEY (b))")
        #expect(proposal.plan.tables.first?.columns.map(\.notNull) == [nil, true, true])
    }

    @Test func moreThanSixteenHundredColumnsBlock() throws {
        let columns = (0...1600).map { "c\($0)" }.joined(separator: ", ")
        let findings = try propose("CREATE TABLE t (\(columns))").findings.filter(\.blocking)
        #expect(findings.map(\.id) == [.tooManyColumns])
        #expect(findings.map(\.count) == [1601])
    }

    @Test(arguments: [
        ("('2024-05-06'), ('2024-05-06 07:08:09'), (5)", Style.prisma, [Finding.ID.dateForms, .dateUnit]),
        ("('2024-05-06 07:08:09.1239')", .prisma, [.datePrecision]), ("(1714979289123)", .prisma, []),
        ("(1714979289)", .prisma, [.dateUnit]), ("('2024-05-06 07:08:09.1239')", .plain, []),
        ("('2024-05-06'), ('2024-05-06 07:08:09')", .plain, [.dateForms]),
    ])
    func whatDatesHoldIsTold(values: String, style: Style, ids: [Finding.ID]) throws {
        let findings = try propose(
            "CREATE TABLE t (c DATETIME); INSERT INTO t VALUES \(values)", style: style
        ).findings
        #expect(findings.map(\.id) == ids)
        #expect(findings.allSatisfy { !$0.blocking })
    }

    // MARK: Names in SQL

    @Test func namesAreQuotedInEveryStatement() throws {
        let plan = try propose(
            """
            CREATE TABLE "a""b" ("c""d" INTEGER PRIMARY KEY, "e f" TEXT, UNIQUE ("e f"));
            CREATE TABLE c (x INTEGER CONSTRAINT "k""1" REFERENCES "a""b" ON DELETE SET NULL ON UPDATE CASCADE
            DEFERRABLE INITIALLY DEFERRED); CREATE INDEX "i""1" ON c (x DESC)
            """
        ).plan
        let script = SchemaScript(plan)
        #expect(
            script.beforeLoad.first == """
                CREATE TABLE "public"."a""b" (
                    "c""d" bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL,
                    "e f" text
                )
                """)
        #expect(
            script.keysAndIndexes.flatMap(\.statements).map(\.sql) == [
                "ALTER TABLE \"public\".\"a\"\"b\" ADD CONSTRAINT \"a\"\"b_pkey\" PRIMARY KEY (\"c\"\"d\")",
                "ALTER TABLE \"public\".\"a\"\"b\" ADD CONSTRAINT \"a\"\"b_e f_key\" UNIQUE (\"e f\")",
                "CREATE INDEX \"i\"\"1\" ON \"public\".\"c\" (\"x\" DESC)",
            ])
        #expect(
            script.foreignKeys.flatMap(\.statements).map(\.sql) == [
                "ALTER TABLE \"public\".\"c\" ADD CONSTRAINT \"k\"\"1\" FOREIGN KEY (\"x\") REFERENCES \"public\".\"a\"\"b\" "
                    + "(\"c\"\"d\") ON DELETE SET NULL ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED NOT VALID"
            ])
        #expect(
            script.foreignKeys.flatMap(\.statements).map(\.validation) == [
                "ALTER TABLE \"public\".\"c\" VALIDATE CONSTRAINT \"k\"\"1\""
            ])
    }
}

/// The reference files beside the package, where they are.
private enum PrismaFiles {
    static let folder = "\(packageFolder())/../shared/reference/prisma"
    static let isThere = FileManager.default.fileExists(atPath: folder)
}

/// The plan of a database that genuine Prisma made, held against the SQL that Prisma makes for PostgreSQL.
@Suite(.enabled(if: PrismaFiles.isThere))
struct PlannerGoldenTests {

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: "\(PrismaFiles.folder)/\(name)", encoding: .utf8)
    }

    private func plan(_ name: String, hasHints: Bool) throws -> MigrationPlan {
        // A default of Json is written without quotes, and SQLite does not read it.
        let script = try text("\(name).sqlite.sql").replacing(
            "DEFAULT {\"a\": 1}", with: "DEFAULT '{\"a\": 1}'")
        let file = "\(name).sqlite.prisma"
        let hints = PrismaSchema(files: [(name: file, text: try text(file))]).hints(
            source: file, joinsHaveKeys: true)
        return try propose(script, style: .prisma, hints: hasHints ? hints : nil).plan
    }

    /// The statements of Prisma's, without their comments.
    private func golden(_ name: String) throws -> [String] {
        try text("\(name).postgresql.sql").split(separator: "\n").filter { !$0.hasPrefix("--") }.joined(
            separator: "\n"
        )
        .split(separator: ";\n").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: ";\n")) }
    }

    /// The plan as Prisma would write it.
    private func statements(_ plan: MigrationPlan) -> [String] {
        func quoted(_ names: [String]) -> String { names.map { "\"\($0)\"" }.joined(separator: ",") }
        func spaced(_ names: [String]) -> String { names.map { "\"\($0)\"" }.joined(separator: ", ") }
        var out = plan.enums.map { enumeration in
            "CREATE TYPE \"\(enumeration.name)\" AS ENUM (\(enumeration.labels.map { "'\($0)'" }.joined(separator: ", ")))"
        }
        for table in plan.tables {
            var lines = table.columns.map { column in
                var type = column.type.hasPrefix("\"") ? column.type : column.type.uppercased()
                if type.hasPrefix("NUMERIC") { type = type.replacing("NUMERIC", with: "DECIMAL") }
                if column.numbering == .serial { type = type == "BIGINT" ? "BIGSERIAL" : "SERIAL" }
                let value = column.defaultValue.map { " DEFAULT " + $0.replacing("::bytea", with: "") }
                return
                    "    \"\(column.name)\" \(type)\(column.notNull == true ? " NOT NULL" : "")\(value ?? "")"
            }
            if let key = table.primaryKey {
                lines.append("    CONSTRAINT \"\(key.name)\" PRIMARY KEY (\(quoted(key.columns)))")
            }
            out.append("CREATE TABLE \"\(table.name)\" (\n\(lines.joined(separator: ",\n"))\n)")
        }
        for table in plan.tables {
            for index in table.indexes ?? [] {
                let terms = index.columns.map {
                    "\"\($0)\"" + (index.descending?.contains($0) == true ? " DESC" : "")
                }
                let unique = index.unique == true ? "UNIQUE " : ""
                out.append(
                    "CREATE \(unique)INDEX \"\(index.name)\" ON \"\(table.name)\"(\(terms.joined(separator: ", ")))"
                )
            }
        }
        for table in plan.tables {
            for key in table.foreignKeys ?? [] {
                out.append(
                    "ALTER TABLE \"\(table.name)\" ADD CONSTRAINT \"\(key.name)\" FOREIGN KEY (\(spaced(key.columns))) REFERENCES "
                        + "\"\(key.parent)\"(\(spaced(key.parentColumns))) ON DELETE \(key.onDelete ?? "NO ACTION") "
                        + "ON UPDATE \(key.onUpdate ?? "NO ACTION")")
            }
        }
        return out
    }

    @Test func thePlanOfAChatDatabaseIsPrismasOwn() throws {
        #expect(try statements(plan("e2ee", hasHints: true)) == golden("e2ee"))
    }

    @Test func thePlanOfEveryTypeIsPrismasOwn() throws {
        // Lists of scalars are not in SQLite; a default that is an expression is the developer's own for each database.
        let expected = try golden("alltypes").map { statement in
            statement.split(separator: "\n")
                .filter { !$0.contains("\"labels\"") && !$0.contains("\"roles\"") }.joined(separator: "\n")
                .replacing(
                    " DEFAULT gen_random_uuid()",
                    with:
                        " DEFAULT lower(upper(left(replace(gen_random_uuid()::text, '-', ''), 8)) COLLATE \"C\")"
                )
        }
        #expect(try statements(plan("alltypes", hasHints: true)) == expected)
    }

    @Test func withoutASchemaFileOnlyEnumsAndNumbersDiffer() throws {
        func known(_ statements: [String]) -> Set<String> {
            Set(
                statements.map { $0.replacing("\"Role\"", with: "TEXT").replacing("SERIAL", with: "INTEGER") }
                    .filter { !$0.hasPrefix("CREATE TYPE") })
        }
        #expect(try known(statements(plan("e2ee", hasHints: false))) == known(golden("e2ee")))
    }

    @Test func theStyleIsSeenFromTheFileAlone() throws {
        let script = try text("e2ee.sqlite.sql")
        let catalog = try readCatalog(script)
        #expect(
            Style.detect(catalog, hints: nil).style
                == (catalog.tables.flatMap(\.indexes).contains { $0.name == "device_trust" }
                    ? .plain : .prisma))
    }

    @Test func everyForeignKeyOfAChatDatabaseIsPossible() throws {
        #expect(try ForeignKeyReview.findings(plan("e2ee", hasHints: true)) == [])
    }
}
