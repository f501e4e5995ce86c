import TestSupport
import Testing

@testable import AppProject

/// Lines for indexes in a Prisma schema.
@Suite struct PrismaIndexEditorTests {
    private static let schema = """
        model Message {
          id             Int      @id
          conversationId Int      // of Conversation
          sentAt         DateTime @map("timestamp")

          @@map("messages")
        }
        model Tag { // one line away
          id Int @id
          name String
        }

        """

    private func edited(_ text: String, _ indexes: [DatabaseIndex]) -> PrismaIndexEditor.Result {
        let schema = PrismaSchema(files: [("schema.prisma", text)])
        return PrismaIndexEditor().edited(Array(text.utf8), models: schema.models, adding: indexes)
    }

    private func text(_ result: PrismaIndexEditor.Result) -> String {
        String(decoding: result.bytes, as: UTF8.self)
    }

    private static let message = DatabaseIndex(
        name: "messages_idx", table: "messages", columns: ["conversationId", "timestamp"])

    @Test func aLineIsAddedByTheModelsOwnNamesAndAllElseStays() {
        let result = edited(Self.schema, [Self.message])
        #expect(
            text(result)
                == Self.schema.replacing(
                    "  @@map(\"messages\")\n",
                    with:
                        "  @@map(\"messages\")\n  @@index([conversationId, sentAt], map: \"messages_idx\")\n")
        )
        #expect(result.known == ["messages_idx"] && result.notes.isEmpty)
        #expect(edited(text(result), [Self.message]).bytes == result.bytes, "once is enough")
    }

    @Test func aModelWithoutBlockAttributesGetsABlankLineBefore() {
        let tag = DatabaseIndex(name: "a\"b\\c", table: "Tag", columns: ["name"])
        #expect(
            text(edited(Self.schema, [tag])).hasSuffix(
                "  name String\n\n  @@index([name], map: \"a\\\"b\\\\c\")\n}\n"))
    }

    @Test(arguments: ["\r\n", "\r"]) func theFilesOwnLineEndsAreKept(end: String) {
        let text = Self.schema.replacing("\n", with: end)
        let result = self.text(edited(text, [Self.message]))
        #expect(
            result
                == text.replacing(
                    "  @@map(\"messages\")\(end)",
                    with:
                        "  @@map(\"messages\")\(end)  @@index([conversationId, sentAt], map: \"messages_idx\")\(end)"
                ))
    }

    @Test(arguments: [
        "model Message { id Int @id }", "model Message {\n id Int @id\n",
        "model message {\n  id Int @id\n}\n",
        "model Message {\n  conversationId Int\n  @@map(\"messages\")\n}\n",
    ]) func whatCannotBeChangedSafelyStaysAsItIs(text: String) {
        let result = edited(
            text, [Self.message, DatabaseIndex(name: "x", table: "Message", columns: ["id"])])
        #expect(
            result.bytes == Array(text.utf8) || !result.notes.isEmpty
                || self.text(result).contains("@@index([id]"))
        #expect(PrismaParser(result.bytes).problems.map(\.text) == PrismaParser(text).problems.map(\.text))
    }

    @Test func anIndexThatTheSchemaHasByAnotherNameIsNotAddedAgain() {
        let text = Self.schema.replacing("@@map(", with: "@@index([conversationId, sentAt])\n  @@map(")
        #expect(edited(text, [Self.message]).bytes == Array(text.utf8))
    }
}
