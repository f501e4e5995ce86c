import Testing

@testable import MigrationEngine

@Suite struct JSONTextTests {
    private func check(_ text: String) -> JSONText.Verdict {
        withBytes(text) { JSONText.check($0) }
    }

    @Test(arguments: [
        "null", "true", "false", "0", "-0", "-1.5e+10", "1E5", "\"\"", "{}", "[]", " [ ] ", "\t{\r\n}",
        "[1,2,[3]]",
        "{\"a\":1}", "{ \"a\" : { \"b\" : [ null ] } }", "{\"a\":{\"a\":1},\"b\":{\"a\":2}}", "{\"\":0}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u00e9\\uD83D\\uDC18\"", "\"é🐘\"", "\"\u{7F}\"", "1e131071", "1e-16383", "0.0", "10",
    ])
    func validTextsAreTakenByBoth(text: String) {
        #expect(check(text) == .valid)
    }

    @Test(arguments: [
        "\"\\u0000\"", "\"a\\u0000b\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800x\"", "\"\\ud800\\n\"",
        "\"\\ud800\\ud800\"",
        "\"\\ud83d\\u0041\"", "{\"\\u0000\":1}", "[\"\\udc00\\ud83d\"]", "1e131072", "-1e131072", "1e-16384",
        "1e99999999999999999999", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}",
        "[{\"b\":{\"a\":1,\"a\":1}}]",
    ])
    func whatOnlyJsonTakesIsTold(text: String) {
        #expect(check(text) == .textOnly)
    }

    @Test(arguments: [
        "", " ", "nul", "nulll", "True", "NULL", "undefined", "NaN", "Infinity", "-", "+1", "01", "-01", "1.",
        ".5", "1e", "1e+",
        "0x10", "1 2", "'a'", "\"", "\"a", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u+123\"",
        "\"a\nb\"", "\"\t\"", "\"\0\"",
        "{", "}", "[", "]", "[1", "[1,", "[1,]", "[,1]", "{\"a\"", "{\"a\":", "{\"a\":1,}", "{a:1}", "{1:2}",
        "{\"a\" 1}", "[1 2]",
        "{}{}", "[]x", "// a\n1", "\u{FEFF}1", "\u{A0}1", "\0", "1\0",
    ])
    func whatIsNoJSONIsRefused(text: String) {
        #expect(check(text) == .invalid)
    }

    @Test func nestingHasAnEnd() {
        #expect(check(String(repeating: "[", count: 900) + String(repeating: "]", count: 900)) == .valid)
        #expect(
            check(String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)) == .invalid
        )
    }

    @Test func everyPrefixOfADocumentIsRefused() {
        let document = Array("{\"a\":[1.5e-3,\"\\u00e9\\n\",null,true,false,{\"b\":{}}]}".utf8)
        for length in 0..<document.count {
            let verdict = document[..<length].withUnsafeBufferPointer { JSONText.check($0) }
            if verdict != .invalid { Issue.record("the first \(length) bytes are taken") }
        }
    }
}
