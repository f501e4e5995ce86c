import Foundation
import Testing

@testable import AppProject

struct GitignoreTests {
    @Test(
        arguments: [
            ("*.log", "a.log", false, true), ("*.log", "x/y/a.log", false, true), ("/a", "a", false, true),
            ("/a", "x/a", false, nil),
            ("a/", "a", false, nil), ("a/", "a", true, true), ("a/b", "a/b", false, true),
            ("a/b", "x/a/b", false, nil),
            ("**/b", "x/y/b", false, true), ("a/**", "a/x/y", false, true), ("a/**/b", "a/b", false, true),
            ("a/**/b", "a/x/y/b", false, true),
            ("!a\n", "a", false, false), ("a\n!a", "a", false, false), ("!a\na", "a", false, true),
            ("# a", "# a", false, nil), ("\\#a", "#a", false, true),
            ("a?c", "abc", false, true), ("a?c", "ac", false, nil), ("[a-c].x", "b.x", false, true),
            ("[!a-c].x", "b.x", false, nil),
            ("a ", "a", false, true), ("a\\ ", "a ", false, true), ("*", "a", false, true),
            ("a*c*e", "abcde", false, true), ("a*c*e", "abcd", false, nil),
            ("", "a", false, nil), ("/", "a", false, nil), ("[", "[", false, nil),
        ] as [(String, String, Bool, Bool?)])
    func verdict(patterns: String, path: String, isFolder: Bool, expected: Bool?) {
        #expect(Gitignore(patterns).verdict(path, isFolder: isFolder) == expected)
    }
}
