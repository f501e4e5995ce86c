import Testing

@testable import AppProject

/// Compose files, of which only the database's URL changes.
struct ComposeEditorTests {
    private func edited(_ text: String) -> (text: String, lines: [Int], byHand: [Int]) {
        let outcome = ComposeEditor(variable: "DATABASE_URL", database: "dev.db").edited(Array(text.utf8))
        return (String(decoding: outcome.bytes, as: UTF8.self), outcome.lines, outcome.byHand)
    }

    @Test(arguments: [
        ("DATABASE_URL: file:/data/dev.db", "DATABASE_URL: ${DATABASE_URL}"),
        (
            "DATABASE_URL: \"file:/data/dev.db?connection_limit=1\" # the database",
            "DATABASE_URL: \"${DATABASE_URL}\" # the database"
        ),
        ("DATABASE_URL:   'file:./dev.db'\r", "DATABASE_URL:   '${DATABASE_URL}'\r"),
        ("DATABASE_URL: sqlite:data/dev.db", "DATABASE_URL: ${DATABASE_URL}"),
        ("\"DATABASE_URL\": file:dev.db", "\"DATABASE_URL\": ${DATABASE_URL}"),
    ])
    func aMappingTakesTheURLFromTheEnvironment(before: String, after: String) {
        func file(_ line: String) -> String {
            "services:\n  app:\n    image: chat # 1\n    environment:\n      PORT: 3000\n      \(line)\n      KEY: \"s3cret\"\n"
        }
        #expect(edited(file(before)) == (file(after), [6], []))
    }

    @Test(arguments: [
        ("- DATABASE_URL=file:/data/dev.db", "- DATABASE_URL=${DATABASE_URL}"),
        ("- \"DATABASE_URL=file:/data/dev.db\"", "- \"DATABASE_URL=${DATABASE_URL}\""),
    ])
    func aListDoesToo(before: String, after: String) {
        func file(_ line: String) -> String {
            "services:\n  app:\n    environment:\n      - PORT=3000\n      \(line)\n"
        }
        #expect(edited(file(before)) == (file(after), [5], []))
    }

    @Test(arguments: [
        "services:\n  app:\n    environment:\n      # DATABASE_URL: file:/data/dev.db\n      PORT: 1\n",
        "services:\n  app:\n    environment:\n      DATABASE_URL: ${DATABASE_URL}\n",
        "services:\n  app:\n    environment:\n      DATABASE_URL: postgresql://u@db/x\n",
        "services:\n  app:\n    environment:\n      OTHER_DATABASE_URL: file:/data/dev.db\n",
        "services:\n  app:\n    environment: [PORT=1]\n",
    ])
    func allElseStays(text: String) { #expect(edited(text) == (text, [], [])) }

    @Test(arguments: [
        "services:\n  app:\n    environment:\n      DATABASE_URL: file:/data/other.db\n",
        "services:\n  app:\n    environment: \n    - { DATABASE_URL: 'file:./data/dev.db' }\n",
    ])
    func anotherDatabaseIsTold(text: String) { #expect(edited(text) == (text, [], [4])) }

    /// In a block of text the line is a part of a script.
    @Test func whatIsNoValueIsLeftToTheOperator() {
        let text = "services:\n  app:\n    command: |\n      DATABASE_URL=file:/data/dev.db npm start\n"
        #expect(edited(text) == (text, [], [4]))
    }
}
