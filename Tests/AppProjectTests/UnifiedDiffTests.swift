import Foundation
import Testing

@testable import AppProject

struct UnifiedDiffTests {
    @Test(
        arguments: [
            ("a\nb\nc\n", "a\nB\nc\n", ["@@ -1,3 +1,3 @@", " a", "-b", "+B", " c"]),
            ("a\n", "a", ["@@ -1 +1 @@", "-a", "+a", "\\ No newline at end of file"]),
            ("a\r\nb\r\n", "a\r\nB\r\n", ["@@ -1,2 +1,2 @@", " a", "-b", "+B"]),
            ("a\r\n", "a\n", ["@@ -1 +1 @@", "-a", "+a"]),
            (
                "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
                ["@@ -2,7 +2,7 @@", " 2", " 3", " 4", "-5", "+x", " 6", " 7", " 8"]
            ),
        ] as [(String, String, [String])])
    func changedLinesStandBesideTheirNeighbours(before: String, after: String, hunks: [String]) {
        #expect(UnifiedDiff.lines(path: "f", before: before, after: after) == ["--- a/f", "+++ b/f"] + hunks)
    }

    @Test func aFileThatComesOrGoesIsNamedAgainstNothing() {
        #expect(
            UnifiedDiff.lines(path: "f", before: nil, after: "a\n") == [
                "--- /dev/null", "+++ b/f", "@@ -0,0 +1 @@", "+a",
            ])
        #expect(
            UnifiedDiff.lines(path: "f", before: "a\n", after: nil) == [
                "--- a/f", "+++ /dev/null", "@@ -1 +0,0 @@", "-a",
            ])
        #expect(UnifiedDiff.lines(path: "f", before: "a", after: "a").isEmpty)
    }

    /// `patch`, where it is installed, is the judge; else the head of every hunk is counted.
    @Test func everyHunkHasTheLinesThatItsHeadCounts() throws {
        var seed: UInt64 = 7
        func random(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % bound
        }
        for _ in 0..<200 {
            let before = (0..<random(30)).map { _ in "\(random(6))\n" }.joined()
            let after = (0..<random(30)).map { _ in "\(random(6))\n" }.joined()
            let lines = UnifiedDiff.lines(path: "f", before: before, after: after)
            var rebuilt: [String] = []
            var old = before.split(separator: "\n").map(String.init)[...]
            var position = 1
            for line in lines.dropFirst(2) {
                if let head = line.wholeMatch(of: /@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/) {
                    let start = Int(head.1) ?? 0
                    let first = head.2 == "0" ? start + 1 : start
                    while position < first, let line = old.popFirst() {
                        rebuilt.append(line)
                        position += 1
                    }
                } else {
                    let text = String(line.dropFirst())
                    if line.first != "+" {
                        #expect(old.popFirst() == text)
                        position += 1
                    }
                    if line.first != "-" { rebuilt.append(text) }
                }
            }
            #expect(rebuilt + old == after.split(separator: "\n").map(String.init))
        }
    }
}
