import MigrationEngine
import Testing

@testable import AppProject

struct PrismaSchemaTests {
    private func schema(_ text: String) -> PrismaSchema {
        PrismaSchema(files: [(name: "schema.prisma", text: text)])
    }

    @Test("Braces and comment signs in strings and comments end nothing")
    func strings() {
        let schema = schema(
            """
            model A { // }
              id   String @id @default("} // \\" /* {") /// model X {
              /* }
                 model B {
              */
              name String
            }
            enum E {
              X @map("} y")
            }
            """)
        #expect(schema.warnings == [])
        #expect(schema.models.map(\.name) == ["A"])
        #expect(schema.models.first?.fields.map(\.name) == ["id", "name"])
        #expect(schema.enums.first?.labels == ["} y"])
    }

    @Test("Every kind of line end counts", arguments: ["\n", "\r\n", "\r"])
    func lineEnds(end: String) {
        let lines = [
            "\u{FEFF}datasource db {", "provider=\"sqlite\"", "url=env( \"X\" )", "}", "model A{",
            "id Int@id", "}", "?",
        ]
        let schema = schema(lines.joined(separator: end))
        #expect(schema.datasource?.provider == "sqlite")
        #expect(schema.datasource?.url == .environment("X"))
        #expect(schema.models.first?.fields.first?.isID == true)
        #expect(
            schema.warnings == ["schema.prisma:8: not understood and passed over: a block is expected here"])
    }

    @Test("A field tells its type, its column and its key")
    func fields() throws {
        let model = try #require(
            schema(
                """
                model A {
                  id    Int      @id @default(autoincrement()) @map("a_id")
                  count BigInt?  @default(-12)
                  at    DateTime @default(dbgenerated("datetime('now', ')')")) @db.Timestamp(3)
                  bs    B[]
                  raw   Unsupported("circle(1, 2)")?
                  @@index([count(sort: Desc), at(ops: raw("x"))], map: "i")
                  @@map("as")
                }
                """
            ).models.first)
        #expect(model.table == "as")
        #expect(model.fields.map(\.column) == ["a_id", "count", "at", "bs", "raw"])
        #expect(model.fields.map(\.type) == ["Int", "BigInt", "DateTime", "B", "Unsupported"])
        #expect(model.fields.map(\.isOptional) == [false, true, false, false, true])
        #expect(model.fields.map(\.isList) == [false, false, false, true, false])
        #expect(model.fields.map(\.isAutoincrement) == [true, false, false, false, false])
    }

    @Test("A key of one field by @@id is that field's, one of several is nobody's")
    func compoundKeys() {
        let schema = schema(
            "model A {\na Int\n@@id([a])\n}\nmodel B {\na Int\nb Int\n@@id(fields: [a, b], map: \"k\")\n}")
        #expect(schema.models.map { $0.fields.map(\.isID) } == [[true], [false, false]])
    }

    @Test(
        "What cannot be read costs a warning with its line, and nothing else",
        arguments: [
            ("model A {\n  id Int @id(\n  b String\n}", 2), ("model A {\n  = 5\n  b String\n}", 2),
            ("nonsense\nmodel A {\n  b String\n}", 1), ("model A {\n  b String\n  x \"y\n}", 3),
            ("model A {\n  b String\n", 1), ("model A {\n  b String\nmodel B {\n}", 1),
            ("model A {\n  b String\n}\n/* open", 4), ("model A {\n  b String\n  c Int ; d\n}", 3),
            ("model A {\n  b String\n}\nmodel A {\n}", 4), ("model A {\n  b String\n}\ntype X = Int", 4),
            ("model A {\n  b String\n  c Int @x(" + String(repeating: "[", count: 100_000) + "\n}", 3),
        ])
    func warnings(text: String, line: Int) {
        let schema = schema(text)
        #expect(schema.models.first?.fields.contains { $0.name == "b" } == true)
        #expect(schema.warnings.first?.hasPrefix("schema.prisma:\(line): ") == true)
    }

    @Test("Strange content of every kind is survived")
    func strange() throws {
        let text =
            "model A {\n id Int @id @default(autoincrement())\n s String @default(\"\\ud83d\\u00\\q\")\n}\nenum E {\n A @map(\"a\")\n}"
        let bytes = Array(text.utf8)
        for end in 0...bytes.count { _ = schema(String(decoding: bytes[..<end], as: UTF8.self)) }
        for index in bytes.indices {
            for byte in [0, 0x0A, 0x22, 0x28, 0x29, 0x5C, 0x7B, 0x7D, 0xFF] as [UInt8] {
                var changed = bytes
                changed[index] = byte
                _ = schema(String(decoding: changed, as: UTF8.self))
            }
        }
        let noise = schema(
            String(decoding: (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 167) }, as: UTF8.self))
        #expect(noise.warnings.count <= 11)
        #expect(schema("").warnings == [])
    }

    @Test("Escapes in strings are resolved, half a pair is replaced")
    func escapes() {
        let text = #"datasource d {"# + "\n" + #"url = "a\n\"\\\u00e9\ud83d\ude00\ud83dx""# + "\n}"
        #expect(schema(text).datasource?.url == .literal("a\n\"\\é😀\u{FFFD}x"))
    }

    @Test(
        "Implicit many-to-many relations have a table, others none",
        arguments: [
            ("model A {\nbs B[]\n}\nmodel B {\nas A[]\n}", ["_AToB"]),
            ("model B {\nas A[]\n@@map(\"x\")\n}\nmodel A {\nbs B[]\n}", ["_AToB"]),
            ("model A {\nbs B[] @relation(\"R\")\n}\nmodel B {\nas A[] @relation(name: \"R\")\n}", ["_R"]),
            ("model A {\nx A[] @relation(\"Self\")\ny A[] @relation(\"Self\")\n}", ["_Self"]),
            (
                "model A {\nchildren A[] @relation(\"T\")\nparent A? @relation(\"T\", fields: [p], references: [id])\n}",
                []
            ),
            ("model A {\nbs B[]\n}\nmodel B {\na A @relation(fields: [i], references: [id])\n}", []),
            ("model A {\nbs B[] @relation(\"R\")\n}\nmodel B {\nas A[] @relation(\"S\")\n}", []),
            ("model A {\nroles Role[]\nx Missing[]\n}\nenum Role {\nX\n}", []),
            (
                "model A {\nb B[] @relation(\"Z\")\nc B[]\n}\nmodel B {\nd A[]\ne A[] @relation(\"Z\")\n}",
                ["_AToB", "_Z"]
            ),
        ])
    func joinTables(text: String, expected: [String]) {
        #expect(schema(text).joinTables == expected)
    }

    @Test("Several files count as one, and a warning names its own")
    func severalFiles() {
        let schema = PrismaSchema(files: [
            (name: "a.prisma", text: "model A {\n  role Role\n  bs B[]\n}"),
            (name: "b.prisma", text: "\n?\nmodel B {\n  as A[]\n}\nenum Role {\n  X\n}"),
            (name: "c.prisma", text: "datasource db {\n  provider = \"sqlite\"\n  url = \"file:./x.db\"\n}"),
        ])
        let hints = schema.hints(source: "prisma", joinsHaveKeys: true)
        #expect(hints.columns["A"]?["role"]?.enumeration == "Role")
        #expect(hints.tableOrder == ["A", "B", "_AToB"])
        #expect(schema.datasource?.file == "c.prisma")
        #expect(schema.warnings.map { $0.prefix(11) } == ["b.prisma:2:"])
    }

    @Test("Views are no tables")
    func views() {
        let schema = schema("view V {\n  id Int @id\n  r R\n}\nmodel A {\n  id Int @id\n}\nenum R {\n  X\n}")
        let hints = schema.hints(source: "s", joinsHaveKeys: true)
        #expect(hints.tableOrder == ["A"])
        #expect(hints.columns["V"] == nil)
    }
}
