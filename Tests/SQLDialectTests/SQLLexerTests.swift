import Testing

@testable import DemoProject
@testable import SQLDialect

@Suite struct SQLLexerTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let sql: String
        let kinds: [SQLToken.Kind]
        let values: [String]

        init(_ sql: String, _ kinds: [SQLToken.Kind], _ values: [String]) {
            self.sql = sql
            self.kinds = kinds
            self.values = values
        }

        var testDescription: String { sql }
    }

    static let cases = [
        Case("'a'", [.text], ["a"]),
        Case("\"a\"", [.quotedName], ["a"]),
        Case("`a`", [.quotedName], ["a"]),
        Case("[a]", [.quotedName], ["a"]),
        Case("'it''s'", [.text], ["it's"]),
        Case("''''", [.text], ["'"]),
        Case("''", [.text], [""]),
        Case("\"a\"\"b\"", [.quotedName], ["a\"b"]),
        Case("`a``b`", [.quotedName], ["a`b"]),
        Case("[a\"b`c'd]", [.quotedName], ["a\"b`c'd"]),
        Case("[a[b]", [.quotedName], ["a[b"]),
        Case("'a--b' '/*c*/'", [.text, .text], ["a--b", "/*c*/"]),
        Case("'a\nb'", [.text], ["a\nb"]),
        Case("a -- b\nc", [.word, .word], ["a", "c"]),
        Case("a -- b", [.word], ["a"]),
        Case("a/* ' \" */b", [.word, .word], ["a", "b"]),
        Case("a/**/b", [.word, .word], ["a", "b"]),
        Case("a/*/b*/c", [.word, .word], ["a", "c"]),
        Case("a /* b", [.word], ["a"]),
        Case("x'0aFF' X''", [.blob, .blob], ["x'0aFF'", "X''"]),
        Case("xy x", [.word, .word], ["xy", "x"]),
        Case("größe_1$ 名前", [.word, .word], ["größe_1$", "名前"]),
        Case(
            "?1 :a @b $c ?", [.parameter, .parameter, .parameter, .parameter, .parameter],
            ["?1", ":a", "@b", "$c", "?"]),
        Case("'a", [.invalid], ["'a"]),
        Case("'a''", [.invalid], ["'a''"]),
        Case("\"a", [.invalid], ["\"a"]),
        Case("`a", [.invalid], ["`a"]),
        Case("[a", [.invalid], ["[a"]),
        Case("x'ab", [.invalid], ["x'ab"]),
        Case("", [], []),
        Case(" \t\r\n", [], []),
    ]

    @Test(arguments: cases)
    func tokensHaveTheirKind(_ test: Case) {
        #expect(SQLLexer.tokens(of: test.sql).map(\.kind) == test.kinds)
    }

    @Test(arguments: cases)
    func valuesLoseTheirQuotes(_ test: Case) {
        #expect(SQLLexer.tokens(of: test.sql).map(\.value) == test.values)
    }

    @Test(arguments: [
        "0", "12", "1.5", ".5", "5.", "1e3", "1E+3", "1.5e-3", "0x1F", "0XaB", "1_000",
    ])
    func numbersAreOneToken(_ sql: String) {
        #expect(SQLLexer.tokens(of: sql) == [SQLToken(kind: .number, source: sql, range: 0..<sql.utf8.count)])
    }

    @Test func anExponentNeedsDigits() {
        #expect(SQLLexer.tokens(of: "1e").map(\.source) == ["1", "e"])
        #expect(SQLLexer.tokens(of: "1e+").map(\.source) == ["1", "e", "+"])
    }

    @Test(arguments: [
        "->>", "||", "<<", ">>", "<=", ">=", "<>", "!=", "==", "->", "+", ".", "(", ";", "~", "%",
    ])
    func operatorsAreOneToken(_ sql: String) {
        #expect(SQLLexer.tokens(of: "a\(sql)b").map(\.source) == ["a", sql, "b"])
    }

    /// A quote and a mark that joins it are one `Character`, and still a quote.
    @Test(arguments: [
        ("'\u{301}a'", "\u{301}a"), ("'a''\u{301}'", "a'\u{301}"), ("\"\u{301}\"", "\u{301}"),
        ("[\u{301}]", "\u{301}"),
        ("'a\"\u{301}'", "a\"\u{301}"),
    ])
    func aCombiningMarkAfterAQuoteIsPartOfTheValue(sql: String, value: String) {
        let first = SQLLexer.tokens(of: sql).first
        #expect(first.map { Array($0.value.utf8) } == Array(value.utf8))
    }

    @Test func wordsCompareWithoutCaseAndQuotedNamesAreNoWords() {
        let tokens = SQLLexer.tokens(of: "check \"CHECK\"")
        #expect(tokens.map { $0.isWord("CHECK") } == [true, false])
    }

    @Test func tokensOfHostileTextFollowEachOtherToItsEnd() {
        let pieces = [
            "'", "\"", "`", "[", "]", "--", "/*", "*/", "\n", "x'", "\0", "é", "🐘", "\u{301}", "0x", "1e",
            ".", "\\", "a", " ",
            "(", ")", "->", "$", "?", "\u{FEFF}", "\r\n",
        ]
        var random = SeededGenerator(seed: 1)
        for _ in 0..<5000 {
            let sql = (0..<random.below(12)).map { _ in pieces[random.below(pieces.count)] }.joined()
            var end = 0
            var covered: [UInt8] = []
            let bytes = Array(sql.utf8)
            for token in SQLLexer.tokens(of: sql) {
                guard token.range.lowerBound >= end, !token.range.isEmpty else {
                    Issue.record("a token of \(sql.debugDescription) begins before the last one ended")
                    return
                }
                _ = token.value
                end = token.range.upperBound
                covered += bytes[token.range]
                if Array(token.source.utf8) != Array(bytes[token.range]) {
                    Issue.record("a token of \(sql.debugDescription) is not its source")
                }
            }
            // What no token covers is white space or comments.
            let rest = bytes.count - covered.count
            // By scalars: a mark that joins the second dash makes one `Character` of them.
            let scalars = String(String.UnicodeScalarView(sql.unicodeScalars.filter { $0 != "\u{301}" }))
            if !scalars.contains("--"), !scalars.contains("/*") {
                let space = bytes.count { $0 == 0x20 || (0x09...0x0D).contains($0) }
                if rest > space { Issue.record("\(sql.debugDescription) is not read to its end") }
            }
        }
    }

    @Test func everyByteAloneIsReadToItsEnd() {
        for byte in UInt8(0)...127 {
            let tokens = SQLLexer.tokens(of: String(Unicode.Scalar(byte)))
            #expect(tokens.count == (byte == 0x20 || (0x09...0x0D).contains(byte) ? 0 : 1))
        }
    }
}
