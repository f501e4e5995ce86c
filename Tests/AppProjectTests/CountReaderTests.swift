import Foundation
import Testing

@testable import AppProject

/// What test runners say of themselves, in their own words.
@Suite struct CountReaderTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let output: String
        let expected: TestCounts?

        init(
            _ name: String, _ output: String, _ runner: String?, _ passed: Int = 0, _ failed: Int = 0,
            _ skipped: Int = 0
        ) {
            testDescription = name
            self.output = output
            expected = runner.map { TestCounts(runner: $0, passed: passed, failed: failed, skipped: skipped) }
        }
    }

    static let cases = [
        Case(
            "node, TAP",
            "TAP version 13\n# Subtest: a\nok 1 - a\n1..4\n# tests 4\n# suites 0\n# pass 1\n# fail 1\n# cancelled 0\n# skipped 1\n# todo 1\n# duration_ms 140.738449\n",
            "node", 1, 1, 2),
        Case(
            "node, spec",
            "✔ a (0.5ms)\nℹ tests 4\nℹ suites 0\nℹ pass 1\nℹ fail 1\nℹ cancelled 0\nℹ skipped 1\nℹ todo 1\nℹ duration_ms 91.122459\n",
            "node", 1, 1, 2),
        Case(
            "node, cancelled tests have not passed",
            "# tests 3\n# suites 0\n# pass 1\n# fail 1\n# cancelled 1\n# skipped 0\n# todo 0\n# duration_ms 9\n",
            "node", 1, 2),
        Case(
            "node, several workspaces add up",
            "# tests 2\n# pass 2\n# fail 0\n# duration_ms 5.1\n\n> next\n# tests 3\n# pass 2\n# fail 1\n# duration_ms 7\n",
            "node", 4, 1),
        Case("node without a test", "# tests 0\n# suites 0\n# pass 0\n# fail 0\n# duration_ms 5.5\n", "node"),
        Case(
            "turbo, two packages in turns",
            "web:test: # tests 3\napi:test: # tests 2\nweb:test: # pass 2\napi:test: # pass 2\nweb:test: # fail 1\napi:test: # fail 0\nweb:test: # duration_ms 4\napi:test: # duration_ms 5\n",
            "node", 4, 1),
        Case(
            "pnpm -r, two packages in turns",
            "packages/web test: \u{2139} tests 3\npackages/api test: \u{2139} tests 1\npackages/web test: \u{2139} pass 3\npackages/api test: \u{2139} pass 0\npackages/api test: \u{2139} fail 1\npackages/web test: \u{2139} fail 0\n",
            "node", 3, 1),
        Case(
            "a pipe for each package", "web |       Tests  2 failed | 3 passed (5)\napi  | # tests 0\n",
            "vitest, node", 3, 2),
        Case(
            "turbo with pnpm's own", "web:test: @app/web test: Tests:       1 failed, 3 passed, 4 total\n",
            "jest", 3, 1),
        Case("concurrently", "[api] 4 passed in 0.1s\n", "pytest", 4),
        Case("a summary that another package began", "web:test: # tests 3\napi:test: # pass 3\n", "node", 3),
        Case(
            "a number that no run of tests has is cut off",
            "9223372036854775807 failed, 1 errors in 0.1s\n99999999999999999999999 passed in 1s\n", "pytest",
            999_999_999, 1_000_000_000),
        Case(
            "the same of a summary in lines",
            "# tests 9223372036854775807\n# pass 9223372036854775807\n# fail 9223372036854775807\n# cancelled 9223372036854775807\n",
            "node", 999_999_999, 1_999_999_998),
        Case("a test that prints a count of its own", "# pass 99\n# fail 3\n", nil),
        Case("tape", "TAP version 13\nok 1 a\n1..3\n# tests 3\n# pass  2\n\n# fail  1\n", "node", 2, 1),
        Case(
            "jest",
            "PASS ./a.test.js\nTest Suites: 1 failed, 1 passed, 2 total\nTests:       1 failed, 2 skipped, 1 todo, 3 passed, 7 total\nSnapshots:   0 total\nTime:        0.9 s\n",
            "jest", 3, 1, 3),
        Case("jest without a test", "No tests found, exiting with code 0\n", "jest"),
        Case(
            "vitest",
            " RUN  v1.6.0 /app\n\n Test Files  1 failed | 1 passed (2)\n      Tests  2 failed | 3 passed | 1 skipped (6)\n   Start at  10:00:00\n",
            "vitest", 3, 2, 1),
        Case("vitest without a test", "No test files found, exiting with code 0\n", "vitest"),
        Case("mocha", "\n  3 passing (10ms)\n  1 pending\n  2 failing\n\n  1) a\n", "mocha", 3, 2, 1),
        Case("mocha without a test", "\n\n  0 passing (1ms)\n", "mocha"),
        Case(
            "pytest",
            "========== 1 failed, 1 passed, 1 skipped, 1 xfailed, 1 error in 0.70s ==========\n", "pytest", 1,
            2, 2),
        Case("pytest -q", "1 failed, 1 passed, 1 skipped in 0.54s\n", "pytest", 1, 1, 1),
        Case("pytest, long", "= 12 passed, 3 warnings in 75.02s (0:01:15) =\n", "pytest", 12),
        Case(
            "pytest without a test",
            "============================ no tests ran in 0.50s =============================\n", "pytest"),
        Case(
            "pytest with all deselected",
            "============================ 5 deselected in 0.48s =============================\n", "pytest"),
        Case(
            "unittest", "Ran 4 tests in 0.001s\n\nFAILED (failures=1, skipped=1, expected failures=1)\n",
            "unittest", 1, 1, 2),
        Case(
            "Django", "Found 3 test(s).\n...\nRan 3 tests in 0.012s\n\nOK\nDestroying test database…\n",
            "unittest", 3),
        Case("unittest without a test", "Ran 0 tests in 0.000s\n\nOK\n", "unittest"),
        Case("unittest of Python 3.12 without a test", "Ran 0 tests in 0.000s\n\nNO TESTS RAN\n", "unittest"),
        Case("OK alone says nothing", "OK\n", nil),
        Case("rspec", "Finished in 0.01 seconds\n5 examples, 1 failure, 1 pending\n", "rspec", 3, 1, 1),
        Case("rspec, one", "1 example, 0 failures\n", "rspec", 1),
        Case("rspec without a test", "0 examples, 0 failures\n", "rspec"),
        Case(
            "minitest", "10 runs, 20 assertions, 1 failures, 1 errors, 2 skips\n", "minitest", 6, 2, 2),
        Case(
            "test-unit",
            "3 tests, 3 assertions, 0 failures, 0 errors, 1 pendings, 0 omissions, 0 notifications\n",
            "minitest", 2, 0, 1),
        Case(
            "go -v",
            "=== RUN   TestA\n--- PASS: TestA (0.00s)\n    --- PASS: TestA/sub (0.00s)\n--- FAIL: TestB (0.01s)\n--- SKIP: TestC (0.00s)\nFAIL\nFAIL\texample.com/x\t0.004s\nok  \texample.com/y\t0.002s\n",
            "go", 1, 1, 1),
        Case(
            "go, packages only",
            "ok  \texample.com/a\t0.002s\nok  \texample.com/b\t(cached)\n?   \texample.com/c\t[no test files]\nFAIL\texample.com/d [build failed]\n",
            "go packages", 2, 1),
        Case(
            "go without a test",
            "testing: warning: no tests to run\nPASS\nok  \texample.com/x\t0.002s [no tests to run]\n",
            "go packages"),
        Case(
            "cargo, with the tests of documents",
            "running 3 tests\ntest result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.12s\n\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
            "cargo", 3, 1, 1),
        Case(
            "bun",
            "bun test v1.1.0\n\n 3 pass\n 1 skip\n 1 todo\n 1 fail\n 4 expect() calls\nRan 6 tests across 1 file. [8.00ms]\n",
            "bun", 3, 1, 2),
        Case(
            "playwright",
            "Running 7 tests using 2 workers\n  1 failed\n    [chromium] › a.spec.ts:3:1 › a\n  1 skipped\n  5 passed (3.2s)\n",
            "playwright", 5, 1, 1),
        Case("PHPUnit", "OK (5 tests, 10 assertions)\n", "phpunit", 5),
        Case(
            "PHPUnit with failures",
            "FAILURES!\nTests: 5, Assertions: 10, Failures: 1, Errors: 1, Skipped: 1.\n", "phpunit", 2, 2, 1),
        Case("PHPUnit without a test", "No tests executed!\n", "phpunit"),
        Case("two runners", "      Tests  2 passed (2)\n  1 passed (3.2s)\n", "vitest, playwright", 3),
        Case(
            "a program that counts nothing",
            "building\nall 12 tests of the day passed in spirit\ndone in 3s\n", nil),
        Case("nothing", "", nil),
    ]

    @Test(arguments: cases) func countsAreReadFromARunnersOwnWords(_ one: Case) {
        var reader = CountReader()
        var lines = OutputLines(Secrets(url: nil, folders: []))
        Array(one.output.utf8).withUnsafeBytes { lines.take($0) { line, _ in reader.read(line) } }
        lines.finish { line, _ in reader.read(line) }
        #expect(reader.counts() == one.expected)
    }

    /// Every rule is one that some sample needs.
    @Test func noRuleIsIdle() {
        let lines = Self.cases.flatMap { $0.output.split(separator: "\n").map(String.init) }
        for (index, rule) in CountRule.all.enumerated() {
            #expect(
                lines.contains { rule.sign.isIn(Array($0.utf8)[...]) && rule.fields($0) != nil },
                "rule \(index + 1), of \(rule.runner), knows no line")
        }
    }
}
