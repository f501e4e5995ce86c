import MigrationEngine
import Testing

@testable import AppProject

/// What code calls tables and columns that the database has other names for.
@Suite struct PrismaNamesTests {
    @Test func modelsAndFieldsAreKnownByTheNamesThatTheDatabaseHas() {
        let text = """
            model User {
              id        Int      @id
              createdAt DateTime @map("created_at")
              posts     Post[]
              @@map("users")
            }
            model Post {
              id       Int  @id
              authorId Int  @map("author")
              author   User @relation(fields: [authorId], references: [id])
            }
            """
        let hints = PrismaSchema(files: [(name: "schema.prisma", text: text)]).hints(
            source: "schema.prisma", joinsHaveKeys: true)
        #expect(
            hints.codeNames
                == .init(
                    tables: ["users": "User"],
                    columns: ["users": ["created_at": "createdAt"], "Post": ["author": "authorId"]]))
    }
}
