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

    @Test func whatSeveralNamesCouldMeanIsTold() {
        #expect(NameMatch(["uSer"], ["user", "USER", "x"]).ambiguous == ["uSer": ["USER", "user"]])
        // Two of the source's for one of the target's.
        let shared = NameMatch(["aB", "AB"], ["ab"])
        #expect(shared.matches == [:] && shared.ambiguous == ["aB": ["ab"], "AB": ["ab"]])
        // What another one has taken is no candidate.
        #expect(NameMatch(["User", "user"], ["user", "USER"]).ambiguous == [:])
    }

    @Test func otherNamesCountWhereTheirOwnFindNothing() {
        let aliases: [String: Set<String>] = ["users": ["User"], "a": ["b"]]
        #expect(NameMatch(["users"], ["user"], aliases: aliases).matches == ["users": "user"])
        #expect(NameMatch(["users"], ["users", "User"], aliases: aliases).matches == ["users": "users"])
        #expect(NameMatch(["a", "b"], ["b"], aliases: aliases).matches == ["b": "b"])
    }
}
