import MigrationEngine
import TestSupport
import Testing

@testable import AppProject

/// Schemas that genuine Prisma was run on.
@Suite(.enabled(if: Golden.isThere))
struct PrismaHintsTests {
    private func hints(_ name: String, joinsHaveKeys: Bool = true) throws -> SchemaHints {
        let schema = PrismaSchema(files: [(name: name, text: try Golden.text(name))])
        #expect(schema.warnings == [])
        #expect(schema.datasource?.url == .environment("DATABASE_URL"))
        return schema.hints(source: name, joinsHaveKeys: joinsHaveKeys)
    }

    /// The tables in the order in which Prisma makes them.
    private func tables(_ name: String) throws -> [String] {
        try Golden.text(name).split(separator: "\n").compactMap { line in
            line.hasPrefix("CREATE TABLE \"") ? String(line.split(separator: "\"")[1]) : nil
        }
    }

    @Test("Tables come in the order in which Prisma makes them", arguments: ["e2ee", "alltypes"])
    func order(name: String) throws {
        #expect(try hints("\(name).sqlite.prisma").tableOrder == tables("\(name).sqlite.sql"))
    }

    @Test("Join tables are those that get a primary key on PostgreSQL", arguments: ["e2ee", "alltypes"])
    func joinTables(name: String) throws {
        let made = try Golden.text("\(name).postgresql.sql").matches(of: /CONSTRAINT "(.*)_AB_pkey"/).map {
            String($0.1)
        }
        #expect(try hints("\(name).sqlite.prisma").joinTables == Set(made))
        #expect(try hints("\(name).sqlite.prisma", joinsHaveKeys: false).joinTables == [])
    }

    @Test("Numbered columns are those that are SERIAL on PostgreSQL", arguments: ["e2ee", "alltypes"])
    func numbering(name: String) throws {
        var table = ""
        var made: Set<String> = []
        for line in try Golden.text("\(name).postgresql.sql").split(separator: "\n") {
            let names = line.split(separator: "\"")
            if line.hasPrefix("CREATE TABLE") { table = String(names[1]) }
            if line.contains("SERIAL") { made.insert("\(table).\(names[1])") }
        }
        let hinted = try hints("\(name).sqlite.prisma").columns.flatMap { table, columns in
            columns.filter { $0.value.isAutoincrement == true }.map { "\(table).\($0.key)" }
        }
        #expect(Set(hinted) == made)
    }

    @Test("A number that the application gives is not numbered")
    func plainKeys() throws {
        #expect(try hints("alltypes.sqlite.prisma").columns["PlainIntId"]?["id"]?.isAutoincrement == false)
        #expect(try hints("e2ee.sqlite.prisma").columns["DeviceIdentity"]?["id"]?.isAutoincrement == false)
        #expect(try hints("e2ee.sqlite.prisma").columns["users"]?["id"] == nil)
    }

    @Test("Enums have the names and labels of the database")
    func enums() throws {
        let types = try hints("alltypes.sqlite.prisma")
        #expect(types.enums == ["role_type": ["USER", "admin_role"]])
        #expect(types.columns["User"]?["role"]?.enumeration == "role_type")
        let chat = try hints("e2ee.sqlite.prisma")
        #expect(chat.enums == ["Role": ["OWNER", "admin", "MEMBER"]])
        #expect(chat.columns["ConversationParticipant"]?["role"]?.enumeration == "Role")
    }
}
