import Testing

@testable import MigrationEngine

@Suite struct NameMatchTests {
    @Test(
        arguments: [
            (["a", "B"], ["B", "a"], ["a": "a", "B": "B"]),
            (["User"], ["user"], ["User": "user"]),
            (
                ["userID", "fullName"], ["full_name", "user_id"],
                ["userID": "user_id", "fullName": "full_name"]
            ),
            (["user_profile"], ["UserProfile"], ["user_profile": "UserProfile"]),
            (["HTTPServer"], ["http_server"], ["HTTPServer": "http_server"]),
            // The exact name goes first, whoever asks first.
            (["User", "user"], ["user", "USER"], ["user": "user", "User": "USER"]),
            // What two may mean nobody gets.
            (["uSer"], ["user", "USER"], [:]),
            (["a_b", "aB"], ["AB", "x"], ["aB": "AB"]),
            (["a"], ["b"], [:]),
        ] as [([String], [String], [String: String])])
    func namesAreMatchedExactlyThenByCaseThenBySnakeCase(
        source: [String], target: [String], matches: [String: String]
    ) {
        #expect(NameMatch.match(source, target) == matches)
    }

    @Test func whatThePlanNamesIsTaken() {
        #expect(NameMatch.match(["a", "b"], ["a", "c"], fixed: ["b": "a"]) == ["b": "a"])
        #expect(NameMatch.match(["a"], ["a"], fixed: ["a": "gone"]) == [:])
    }
}
