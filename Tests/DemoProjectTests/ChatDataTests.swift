import Foundation
import SQLite
import Testing

@testable import DemoProject

/// What the rows of the demo are, by questions to its database.
struct ChatDataTests {
    private let scratch = try? Scratch()

    private func make(messages: Int = 3000) throws -> DemoProject.Made {
        try DemoProject.make(in: try #require(scratch)["chat"], options: .init(messages: messages))
    }

    private func ask(_ sql: String, _ made: DemoProject.Made) throws -> [String] {
        let connection = try Connection(path: made.databasePath, mode: .readOnly)
        let statement = try connection.prepare(sql)
        var rows: [String] = []
        while try statement.step() { rows.append(statement.text(0)) }
        return rows
    }

    @Test("The database is sound, at rest, and has the schema of its migration")
    func soundness() throws {
        let made = try make()
        #expect(try ask("PRAGMA integrity_check", made) == ["ok"])
        #expect(try ask("PRAGMA foreign_key_check", made) == [])
        #expect(try ask("PRAGMA journal_mode", made) == ["delete"])
        #expect(try ask("PRAGMA encoding", made) == ["UTF-8"])
        let names =
            "SELECT name || ' ' || sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
        let memory = try Connection(path: try #require(scratch)["migrated.db"], mode: .create)
        let migration = try #require(scratch)["chat/prisma/migrations/20250101000000_init/migration.sql"]
        try memory.execute(String(contentsOfFile: migration, encoding: .utf8))
        let statement = try memory.prepare(names)
        var migrated: [String] = []
        while try statement.step() { migrated.append(statement.text(0)) }
        #expect(try ask(names, made) == migrated)
    }

    @Test("The rows that are told are those that are there", arguments: [1, 19, 3000])
    func counts(messages: Int) throws {
        let made = try make(messages: messages)
        let tables = try ask(
            "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'", made)
        #expect(made.rows.map(\.table).sorted() == tables.sorted())
        for (table, count) in made.rows {
            #expect(try ask("SELECT count(*) FROM \"\(table)\"", made) == ["\(count)"], "\(table)")
        }
        #expect(made.rows.first { $0.table == "Message" }?.count == messages)
    }

    @Test("Every value is of its column's kind")
    func kinds() throws {
        let made = try make()
        let rules = [
            "INTEGER": "typeof(x) = 'integer' AND x BETWEEN -2147483648 AND 2147483647",
            "BIGINT": "typeof(x) = 'integer'", "BOOLEAN": "typeof(x) = 'integer' AND x IN (0, 1)",
            "TEXT": "typeof(x) = 'text' AND instr(x, char(0)) = 0", "BLOB": "typeof(x) = 'blob'",
            "REAL": "typeof(x) = 'real' AND abs(x) < 1.8e308",
            "DECIMAL": "typeof(x) IN ('integer', 'real') AND abs(x) < 1e35",
            "DATETIME": "typeof(x) = 'integer' AND abs(x) < 8640000000000000",
            "JSONB": "json_valid(x) AND typeof(x) IN ('text', 'integer', 'real') AND instr(x, '\\u0000') = 0",
        ]
        for table in made.rows.map(\.table) {
            let columns = try ask("SELECT name || ' ' || type FROM pragma_table_info('\(table)')", made)
            for column in columns {
                let parts = column.split(separator: " ")
                let rule = try #require(rules[String(parts[1])], "\(table).\(column)")
                let wrong = try ask(
                    "SELECT x FROM (SELECT \"\(parts[0])\" AS x FROM \"\(table)\") WHERE x IS NOT NULL AND NOT (\(rule))",
                    made)
                #expect(wrong.isEmpty, "\(table).\(column)")
            }
        }
    }

    @Test("JSON texts are read by another reader as well, so that no half of a pair is in them")
    func json() throws {
        for text in try ask("SELECT DISTINCT metadata FROM Message WHERE typeof(metadata) = 'text'", make()) {
            #expect(throws: Never.self, "\(text)") {
                try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
            }
        }
    }

    @Test("What loses its way elsewhere is in it")
    func coverage() throws {
        let made = try make()
        for question in Self.questions {
            #expect(try !ask(question + " LIMIT 1", made).isEmpty, "\(question)")
        }
    }

    private static let questions = [
        "SELECT 1 FROM Message WHERE length(encryptedContent) = 0",
        "SELECT 1 FROM Message WHERE encryptedContent = zeroblob(64)",
        "SELECT 1 FROM Message WHERE replace(hex(encryptedContent), 'F', '') = '' AND length(encryptedContent) > 0",
        "SELECT 1 FROM Message WHERE CAST(encryptedContent AS TEXT) GLOB 'AAAA*'",
        "SELECT 1 FROM PostQuantumKey WHERE length(encryptedPrivateKey) = 1048576",
        "SELECT 1 FROM PostQuantumKey WHERE length(publicKey) BETWEEN 1184 AND 2592",
        "SELECT 1 FROM Message WHERE content = ''", "SELECT 1 FROM Message WHERE content LIKE '%👨‍👩‍👧‍👦%'",
        "SELECT 1 FROM Message WHERE content LIKE '%' || char(9) || '%'",
        "SELECT 1 FROM Message WHERE content LIKE '%' || char(10) || '%'",
        "SELECT 1 FROM Message WHERE content LIKE '%東京%'",
        "SELECT 1 FROM Message WHERE content LIKE '%שלום%'",
        "SELECT 1 FROM Message WHERE content LIKE '%' || char(769) || '%'",
        "SELECT 1 FROM Message WHERE timestamp < 0", "SELECT 1 FROM Message WHERE timestamp % 1000 <> 0",
        "SELECT 1 FROM Message WHERE score = 4.94065645841246544e-324",
        "SELECT 1 FROM Message WHERE score = 1e308",
        "SELECT 1 FROM Message WHERE score = 0.1", "SELECT 1 FROM Message WHERE score < 0",
        "SELECT 1 FROM Message WHERE typeof(metadata) = 'integer'",
        "SELECT 1 FROM Message WHERE senderId IS NULL",
        "SELECT 1 FROM Message WHERE replyToId IS NOT NULL",
        "SELECT 1 FROM User WHERE quotaBytes = 9223372036854775807",
        "SELECT 1 FROM User WHERE quotaBytes = -9223372036854775808",
        "SELECT 1 FROM User WHERE typeof(credit) = 'integer'",
        "SELECT 1 FROM User WHERE typeof(credit) = 'real'",
        "SELECT 1 FROM ConversationRatchetState WHERE sendingMessageNumber = 2147483647",
        "SELECT 1 FROM sqlite_sequence WHERE name = 'Message' AND seq > (SELECT max(id) FROM Message)",
    ]
}
