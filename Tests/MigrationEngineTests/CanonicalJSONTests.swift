import Foundation
import Synchronization
import Testing

@testable import MigrationEngine

@Suite struct CanonicalJSONTests {
    private func bytes(_ text: String) -> [UInt8]? { CanonicalJSON.bytes(of: text.utf8) }

    /// Of an object that has a key twice one value is lost where it becomes a jsonb: SQLite's text has no form then.
    @Test(arguments: [
        ("{\"a\":1,\"a\":2}", true), ("[{\"a\":1,\"b\":{\"c\":1,\"c\":1}}]", true),
        ("{\"a\":1,\"b\":1}", false),
        ("{\"a\":1,\"\\u0061\":2}", true),
    ]) func aKeyThatIsThereTwiceIsRefusedWhereItWouldBeLost(_ text: String, _ isRefused: Bool) {
        #expect((CanonicalJSON.bytes(of: text.utf8, refusesTwins: true) == nil) == isRefused)
        #expect(CanonicalJSON.bytes(of: text.utf8) != nil)
    }

    /// One hostile value must not take the proof with it, on the small stack of a thread.
    @Test func aTextThatIsNestedTooDeepIsRefused() {
        for (levels, isRead) in [(5_000, true), (20_000, false), (500_000, false)] {
            let text = String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
            let done = DispatchSemaphore(value: 0)
            let isNil = Atomic<Bool>(false)
            let thread = Thread {
                isNil.store(CanonicalJSON.bytes(of: text.utf8) == nil, ordering: .relaxed)
                done.signal()
            }
            thread.start()
            #expect(done.wait(timeout: .now() + 30) == .success)
            #expect(isNil.load(ordering: .relaxed) == !isRead, "\(levels) levels")
        }
    }

    @Test(arguments: [
        ("{\"b\":1,\"aa\":2}", "{\"aa\": 2, \"b\": 1}"), ("{\"a\":1,\"a\":2}", "{\"a\":2}"),
        ("1e3", "1000"), ("1.50", "1.5"), ("-0", "0"), ("0.0", "0"), ("100e-2", "1"),
        ("\"\\u0041\\/\"", "\"A/\""), ("\"\\ud83d\\udc18\"", "\"🐘\""),
        ("\"\\n\\t\\b\\f\\r\"", "\"\\u000a\\u0009\\u0008\\u000c\\u000d\""),
        (" [ 1 , 2 ] ", "[1,2]"), ("{\"a\":{\"y\":[],\"x\":{}}}", "{\"a\":{\"x\":{},\"y\":[]}}"),
        ("12345678901234567890.5", "12345678901234567890.50"),
    ])
    func equalValuesHaveEqualBytes(one: String, other: String) {
        #expect(bytes(one) != nil)
        #expect(bytes(one) == bytes(other))
    }

    @Test(arguments: [
        ("1", "\"1\""), ("null", "\"null\""), ("true", "false"), ("[]", "{}"), ("[1,2]", "[2,1]"),
        ("[1,2]", "[12]"),
        ("[[1],2]", "[[1,2]]"), ("{\"a\":1}", "{\"a\":2}"), ("{\"a\":\"b\"}", "{\"ab\":\"\"}"), ("1", "-1"),
        ("1", "10"),
        ("\"é\"", "\"e\u{301}\""), ("\"\"", "null"), ("[\"a\",\"b\"]", "[\"a1:b\"]"), ("[null]", "[]"),
        ("0.1", "0.10000000000000001"),
        ("9007199254740993", "9007199254740992"),
    ])
    func differentValuesHaveDifferentBytes(one: String, other: String) {
        #expect(bytes(one) != nil)
        #expect(bytes(one) != bytes(other))
    }

    @Test(arguments: [
        "", "{", "[1", "[1,", "{\"a\"}", "{\"a\":}", "nul", "\"", "\"\\", "\"\\u", "\"\\u12", "\"\\x\"",
        "1 2", "\"\\ud800\"",
        "\"\\ud800\\", "\"\\ud800\\u", "\"\\ud800\\u0041\"", "\"\\ud800\\n0041\"", "\"\\udc00\"",
        "\"\\u+041\"", "1e", "-",
    ])
    func whatIsNoJSONHasNoBytes(text: String) {
        #expect(bytes(text) == nil)
    }
}
