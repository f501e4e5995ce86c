import Testing

@testable import AppProject

struct EnvEditorTests {
    static let url = "postgresql://u:p%40ss@h:5432/d?schema=public"

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let before: String
        let after: String

        init(_ name: String, _ before: String, _ after: String) {
            self.name = name
            self.before = before
            self.after = after.replacing("URL", with: EnvEditorTests.url)
        }

        var testDescription: String { name }
    }

    static let cases = [
        Case("double quotes stay", "A=1\nDB=\"file:./dev.db\"\nB=2\n", "A=1\nDB=\"URL\"\nB=2\n"),
        Case("single quotes stay", "DB='file:./dev.db'", "DB='URL'"),
        Case("back quotes stay", "DB=`file:./dev.db`\n", "DB=`URL`\n"),
        Case("a bare value stays bare", "DB=file:./dev.db\n", "DB=URL\n"),
        Case("a comment after it stays", "DB=file:./dev.db   # ours\n", "DB=URL   # ours\n"),
        Case("a comment after quotes stays", "DB=\"file:./dev.db\" # ours\n", "DB=\"URL\" # ours\n"),
        Case("blanks around the sign stay", "  DB = file:./dev.db  \n", "  DB = URL  \n"),
        Case("export stays", "export DB=file:./dev.db\n", "export DB=URL\n"),
        Case("a colon is a sign too", "DB: file:./dev.db\n", "DB: URL\n"),
        Case("CRLF stays", "A=1\r\nDB=file:./dev.db\r\nB=2\r\n", "A=1\r\nDB=URL\r\nB=2\r\n"),
        Case("a lone CR ends a line", "A=1\rDB=file:./dev.db\rB=2", "A=1\rDB=URL\rB=2"),
        Case("a byte order mark stays", "\u{FEFF}DB=file:./dev.db\n", "\u{FEFF}DB=URL\n"),
        Case(
            "every value that leads there changes", "DB=file:./dev.db\nDB='file:./dev.db'\n",
            "DB=URL\nDB='URL'\n"),
        Case("another database's value stays", "DB=file:./test.db\n", "DB=file:./test.db\n"),
        Case(
            "the name in comments, in strings and in other names is none",
            "# DB=file:./dev.db\nT=\"\nDB=file:./dev.db\n\"\nXDB=file:./dev.db\nDB=file:./dev.db\n",
            "# DB=file:./dev.db\nT=\"\nDB=file:./dev.db\n\"\nXDB=file:./dev.db\nDB=URL\n"),
        Case("a reference is followed", "DIR=.\nDB=file:${DIR}/dev.db\n", "DIR=.\nDB=URL\n"),
        Case("parameters count as the same file", "DB=file:./dev.db?connection_limit=1\n", "DB=URL\n"),
        Case("bytes that are no UTF-8 stay", "A=\u{00FF}\nDB=file:./dev.db\n", "A=\u{00FF}\nDB=URL\n"),
    ]

    @Test(arguments: cases)
    func onlyTheValueChanges(_ test: Case) {
        let result = EnvEditor(variable: "DB", url: Self.url).edited(Array(test.before.utf8), adds: false) {
            DatabaseURL($0)?.path == "./dev.db"
        }
        #expect(String(decoding: result.bytes, as: UTF8.self) == test.after)
        #expect((result.bytes == Array(test.before.utf8)) == result.lines.isEmpty)
    }

    @Test(arguments: [
        Case("after the last line", "A=1\n", "A=1\nDB=\"URL\"\n"),
        Case("after a line without end", "A=1", "A=1\nDB=\"URL\"\n"),
        Case("with the file's own line ends", "A=1\r\nB=2", "A=1\r\nB=2\r\nDB=\"URL\"\r\n"),
        Case("into an empty file", "", "DB=\"URL\"\n"),
    ])
    func aMissingLineIsAdded(_ test: Case) {
        let result = EnvEditor(variable: "DB", url: Self.url).edited(Array(test.before.utf8), adds: true) {
            _ in false
        }
        #expect(String(decoding: result.bytes, as: UTF8.self) == test.after)
    }

    @Test func aQuoteThatTheNewValueHoldsGivesWayToAnother() {
        let result = EnvEditor(variable: "DB", url: "a'b").edited(Array("DB='file:x'\n".utf8), adds: false) {
            _ in true
        }
        #expect(String(decoding: result.bytes, as: UTF8.self) == "DB=\"a'b\"\n")
    }

    @Test func bytesThatAreNoTextStayAsTheyAre() {
        let before: [UInt8] = Array("A=".utf8) + [0xFF, 0xFE, 0x0A] + Array("DB=file:./dev.db\n".utf8)
        let result = EnvEditor(variable: "DB", url: Self.url).edited(before, adds: false) { _ in true }
        #expect(result.bytes.prefix(5) == before.prefix(5))
        #expect(result.lines == [2])
    }
}
