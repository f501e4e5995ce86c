import Foundation
import MigrationEngine
import TestSupport
import Testing

@testable import AppProject

struct PrismaSchemaEditorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let before: String
        let after: String
        var isSeven = false

        init(_ name: String, _ before: String, _ after: String, isSeven: Bool = false) {
            self.name = name
            self.before = before
            self.after = after
            self.isSeven = isSeven
        }

        var testDescription: String { name }
    }

    private static let head =
        "datasource db {\n  provider = \"postgresql\"\n  url      = env(\"DATABASE_URL\")\n}\n"

    static let cases = [
        Case(
            "the provider alone",
            "datasource db {\n  provider = \"sqlite\"\n  url      = env(\"DATABASE_URL\")\n}\n", head
        ),
        Case(
            "a URL that is written there",
            "datasource db {\n  provider = \"sqlite\"\n  url      = \"file:./dev.db\"\n}\n", head),
        Case(
            "without blanks, with comments and CRLF",
            "// provider = \"sqlite\"\r\ndatasource my-db {\r\n\tprovider=\"sqlite\" // sqlite\r\n\turl=\"file:x\"\r\n}\r\n",
            "// provider = \"sqlite\"\r\ndatasource my-db {\r\n\tprovider=\"postgresql\" // sqlite\r\n\turl=env(\"DATABASE_URL\")\r\n}\r\n"
        ),
        Case(
            "sqlite in strings, comments and documentation stays",
            "/* datasource db {\n provider = \"sqlite\" } */\n/// sqlite\nmodel A {\n  id Int @id\n  s String @default(\"provider = \\\"sqlite\\\"\")\n}\ndatasource db {\n  provider = \"sqlite\"\n}\n",
            "/* datasource db {\n provider = \"sqlite\" } */\n/// sqlite\nmodel A {\n  id Int @id\n  s String @default(\"provider = \\\"sqlite\\\"\")\n}\ndatasource db {\n  provider = \"postgresql\"\n}\n"
        ),
        Case(
            "a generator's provider stays",
            "generator client {\n  provider = \"prisma-client-js\"\n}\ndatasource db {\n  provider = \"sqlite\"\n}",
            "generator client {\n  provider = \"prisma-client-js\"\n}\ndatasource db {\n  provider = \"postgresql\"\n}"
        ),
        Case(
            "a byte order mark and a file without its last line end",
            "\u{FEFF}datasource db {\n  provider = \"sqlite\"\n}",
            "\u{FEFF}datasource db {\n  provider = \"postgresql\"\n}"),
        Case(
            "what says PostgreSQL already stays", "datasource db {\n  provider = \"postgres\"\n}\n",
            "datasource db {\n  provider = \"postgres\"\n}\n"),
        Case(
            "with Prisma 7 a URL is not put into the schema",
            "datasource db {\n  provider = \"sqlite\"\n}\n",
            "datasource db {\n  provider = \"postgresql\"\n}\n", isSeven: true),
    ]

    @Test(arguments: cases)
    func onlyWhatIsSQLitesChanges(_ test: Case) {
        let editor = PrismaSchemaEditor(plan: nil, variable: "DATABASE_URL", keepsURLElsewhere: test.isSeven)
        let result = editor.edited(Array(test.before.utf8), models: [])
        #expect(String(decoding: result.bytes, as: UTF8.self) == test.after)
    }

    private func plan(_ columns: [(name: String, type: String, value: String?)]) throws -> MigrationPlan {
        let lines = columns.map { column in
            "      - name: \(column.name)\n        type: \"\(column.type)\"\n"
                + (column.value.map { "        default: \"\($0)\"\n" } ?? "")
        }
        let yaml = """
            version: 1
            snapshot: none
            style: prisma
            schema: public
            enums: []
            tables:
              - name: items
                columns:

            """ + lines.joined()
        let folder = try Workspace(["plan.yaml": yaml])
        return try PlanFile(path: folder["plan.yaml"]).plan
    }

    @Test(arguments: [
        ("Int", "integer", "Int"), ("Int", "bigint", "BigInt"), ("Int?", "bigint", "BigInt?"),
        ("DateTime", "timestamp(3)", "DateTime"),
        ("DateTime", "timestamptz(3)", "DateTime @db.Timestamptz(3)"),
        ("String", "text", "String"), ("String", "uuid", "String @db.Uuid"),
        ("String?", "citext", "String? @db.Citext"),
        ("Decimal", "numeric(65,30)", "Decimal"), ("Decimal", "numeric(12,2)", "Decimal @db.Decimal(12, 2)"),
        ("Json", "json", "Json @db.Json"), ("Boolean", "integer", "Int"),
        ("Float", "double precision", "Float"),
        ("String", "tsvector", "String"),
    ])
    func typesChangeOnlyWhereThePlanAsksForIt(before: String, type: String, after: String) throws {
        func schema(_ type: String) -> String {
            "model Item {\n  id String @id\n  v \(type) // v\n  @@map(\"items\")\n}\n"
        }
        let text = schema(before)
        let editor = PrismaSchemaEditor(
            plan: try plan([("id", "text", nil), ("v", type, nil)]), variable: "U", keepsURLElsewhere: false)
        let models = PrismaSchema(files: [("s", text)]).models
        let result = editor.edited(Array(text.utf8), models: models)
        #expect(String(decoding: result.bytes, as: UTF8.self) == schema(after))
    }

    @Test(arguments: [
        ("(lower(hex(randomblob(16))))", "encode(uuid_send(gen_random_uuid()), 'hex')"),
        ("(datetime('now'))", "now()"), ("(now())", "now()"),
    ])
    func defaultsTakeTheExpressionOfThePlan(before: String, after: String) throws {
        let editor = PrismaSchemaEditor(
            plan: try plan([("id", "text", nil), ("v", "text", after)]), variable: "U",
            keepsURLElsewhere: false)
        func schema(_ value: String) -> String {
            "model items {\n  id String @id\n  v String @default(dbgenerated(\"\(value)\")) @map(\"v\")\n}\n"
        }
        let text = schema(before)
        let result = editor.edited(Array(text.utf8), models: PrismaSchema(files: [("s", text)]).models)
        // What differs by parentheses alone stays.
        let expected = before == "(\(after))" ? before : after
        #expect(String(decoding: result.bytes, as: UTF8.self) == schema(expected))
    }

    @Test("Genuine schemas change as Prisma's own authors would change them", .enabled(if: Golden.isThere))
    func golden() throws {
        let before = try Golden.text("e2ee.sqlite.prisma")
        let editor = PrismaSchemaEditor(plan: nil, variable: "DATABASE_URL", keepsURLElsewhere: false)
        let result = editor.edited(Array(before.utf8), models: PrismaSchema(files: [("s", before)]).models)
        #expect(try String(decoding: result.bytes, as: UTF8.self) == Golden.text("e2ee.postgresql.prisma"))
    }
}
