import Testing

@testable import AppProject

struct EnvFileTests {
    @Test(
        "A value is read as dotenv reads it",
        arguments: [
            ("A=b", "b"), ("A = b ", "b"), ("export A=b", "b"), ("\tA=b", "b"), ("A: b", "b"), ("A=", ""),
            ("A=b # comment", "b"), ("A=b#comment", "b"), ("A=\"b # c\" # d", "b # c"), ("A='b\\n'", "b\\n"),
            ("A=\"b\\nc\"", "b\nc"), ("A=`b \"c\" 'd'`", "b \"c\" 'd'"), ("A=\"b\nc\"", "b\nc"),
            ("\u{FEFF}A=b", "b"), ("A=b\r\nB=c\r\n", "b"), ("A=x\nA=b", "b"), ("#A=x\nA=b", "b"),
            ("A=\"b", "\"b"), ("A=\"b\" c", "\"b\" c"), ("A=b=c", "b=c"), ("A='b\r\nc'", "b\nc"),
            ("A=file:./dev.db?connection_limit=1", "file:./dev.db?connection_limit=1"),
        ])
    func value(text: String, expected: String) {
        #expect(EnvFile(text)["A"] == expected)
    }

    @Test(
        "What sets nothing is passed over",
        arguments: ["A", "A b", "# A=b", "", "=b", "export", "A :b", "A:b"])
    func nothing(text: String) {
        #expect(EnvFile(text).entries.isEmpty)
    }

    @Test("Lines are counted through values of several lines")
    func lines() {
        let file = EnvFile("# one\nA=\"x\ny\"\n\nB=z\n")
        #expect(file.entries.map(\.name) == ["A", "B"])
        #expect(file.entries.map(\.line) == [2, 5])
    }

    @Test("A quote that is not closed does not swallow the lines after it")
    func unclosed() {
        let file = EnvFile("A=\"x\nB=y\n")
        #expect(file["A"] == "\"x")
        #expect(file["B"] == "y")
    }

    @Test("References are replaced, those to themselves without end")
    func references() {
        let file = EnvFile("DIR=/data\nA=file:${DIR}/$NAME.db\nLOOP=$LOOP\nB=\\$DIR\nC=a${NONE}b")
        #expect(file.expanded("A", environment: ["NAME": "chat"]) == "file:/data/chat.db")
        #expect(file.expanded("LOOP", environment: [:]) != nil)
        #expect(file.expanded("B", environment: [:]) == "$DIR")
        #expect(file.expanded("C", environment: [:]) == "ab")
        #expect(file.expanded("D", environment: [:]) == nil)
    }
}
