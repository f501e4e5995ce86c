import Testing

@testable import AppProject

struct PackageEditorTests {
    private static let pg = PackageEditor.Package(name: "pg", version: "^8.16.3")

    @Test(arguments: [
        (
            "{\n  \"dependencies\": {\n    \"a\": \"1\",\n    \"z\": \"2\"\n  }\n}\n",
            "{\n  \"dependencies\": {\n    \"a\": \"1\",\n    \"pg\": \"^8.16.3\",\n    \"z\": \"2\"\n  }\n}\n"
        ),
        (
            "{\r\n\t\"dependencies\": {\r\n\t\t\"a\": \"1\"\r\n\t}\r\n}",
            "{\r\n\t\"dependencies\": {\r\n\t\t\"a\": \"1\",\r\n\t\t\"pg\": \"^8.16.3\"\r\n\t}\r\n}"
        ),
        (
            "{\n  \"name\": \"x\"\n}\n",
            "{\n  \"name\": \"x\",\n  \"dependencies\": {\n    \"pg\": \"^8.16.3\"\n  }\n}\n"
        ),
        ("{\n  \"dependencies\": {}\n}\n", "{\n  \"dependencies\": {\n    \"pg\": \"^8.16.3\"\n  }\n}\n"),
        ("{\"dependencies\":{\"a\":\"1\"}}", "{\"dependencies\":{\"a\":\"1\", \"pg\": \"^8.16.3\"}}"),
        (
            "{\n  \"x\": {\"dependencies\": {\"no\": \"1\"}, \"s\": \"\\\"dependencies\\\": {\"},\n  \"dependencies\": {\n    \"z\": \"}\"\n  }\n}\n",
            "{\n  \"x\": {\"dependencies\": {\"no\": \"1\"}, \"s\": \"\\\"dependencies\\\": {\"},\n  \"dependencies\": {\n    \"pg\": \"^8.16.3\",\n    \"z\": \"}\"\n  }\n}\n"
        ),
    ])
    func aPackageIsAddedAndEveryOtherByteStays(before: String, after: String) {
        let edited = PackageEditor.adding([Self.pg], to: Array(before.utf8))
        #expect(edited.map { String(decoding: $0, as: UTF8.self) } == after)
    }

    @Test(arguments: ["", "[]", "{\"dependencies\": []}", "{\"dependencies\": 5}", "{"])
    func whatIsNoManifestIsLeftAlone(text: String) {
        #expect(PackageEditor.adding([Self.pg], to: Array(text.utf8)) == nil)
    }

    @Test(
        arguments: [
            ("{\"dependencies\": {\"@prisma/client\": \"^6.19.0\"}}", [], []),
            ("{\"dependencies\": {\"@prisma/client\": \"^7.1.0\"}}", ["@prisma/adapter-pg"], []),
            (
                "{\"dependencies\": {\"@prisma/client\": \"^7.1.0\", \"@prisma/adapter-pg\": \"^7.1.0\", \"@prisma/adapter-libsql\": \"^7.1.0\"}}",
                [],
                ["@prisma/adapter-libsql"]
            ),
            (
                "{\"dependencies\": {\"better-sqlite3\": \"1\"}, \"devDependencies\": {\"typescript\": \"5\"}}",
                ["pg", "@types/pg"], ["better-sqlite3"]
            ),
            ("{\"dependencies\": {\"sqlite3\": \"1\", \"pg\": \"8\"}}", [], ["sqlite3"]),
        ] as [(String, [String], [String])])
    func whatAProjectLacksFollowsFromWhatItHas(manifest: String, missing: [String], leftOver: [String]) {
        let needs = PackageEditor.needs(of: Array(manifest.utf8))
        #expect(needs.missing.map(\.name) == missing)
        #expect(needs.leftOver == leftOver)
    }
}
