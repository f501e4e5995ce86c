import Foundation

/// A line by which a test runner tells how many tests it has run.
struct CountRule: Sendable {
    enum Field: Sendable { case passed, failed, skipped, total }

    /// Whether the line says all, or is one of several that belong together.
    enum Part: Sendable { case whole, begins, continues, ends }

    typealias Fields = [Field: Int]

    let runner: String
    let part: Part
    /// Bytes that every such line has.
    let sign: ByteSearch
    /// What the line says; nil for a line of another kind.
    let fields: @Sendable (String) -> Fields?

    init(
        _ runner: String, _ part: Part, _ sign: String, _ fields: @escaping @Sendable (String) -> Fields?
    ) {
        self.runner = runner
        self.part = part
        self.sign = ByteSearch(sign)
        self.fields = fields
    }

    /// Read from top to bottom: the first that knows a line takes it.
    static let all: [CountRule] =
        node + jest + vitest + mocha + pytest + unittest + rspec + minitest + go + cargo + bun + playwright
        + phpunit

    // MARK: Runners

    /// `# pass 3` in TAP, `ℹ pass 3` in its spec; what was cancelled has not passed.
    private static let node: [CountRule] = [
        CountRule("node", .begins, " tests ") { number($0, /(?:#|ℹ) tests +(\d+)/).map { [.total: $0] } },
        CountRule("node", .continues, " pass ") { number($0, /(?:#|ℹ) pass +(\d+)/).map { [.passed: $0] } },
        CountRule("node", .continues, " fail ") { number($0, /(?:#|ℹ) fail +(\d+)/).map { [.failed: $0] } },
        CountRule("node", .continues, " cancelled ") {
            number($0, /(?:#|ℹ) cancelled +(\d+)/).map { [.failed: $0] }
        },
        CountRule("node", .continues, " skip") {
            number($0, /(?:#|ℹ) skip(?:ped)? +(\d+)/).map { [.skipped: $0] }
        },
        CountRule("node", .continues, " todo ") { number($0, /(?:#|ℹ) todo +(\d+)/).map { [.skipped: $0] } },
        CountRule("node", .ends, " duration_ms ") {
            number($0, /(?:#|ℹ) duration_ms +(\d+)(?:\.\d+)?/).map { _ in [:] }
        },
    ]

    /// `Tests:       1 failed, 2 skipped, 3 passed, 6 total`
    private static let jest = [
        CountRule("jest", .whole, "Tests:") { text in
            text.wholeMatch(of: /Tests: +(\d.*), \d+ total/).map { listed($0.1) }
        },
        CountRule("jest", .whole, "No tests found") { $0.hasPrefix("No tests found") ? [.total: 0] : nil },
    ]

    /// `      Tests  2 failed | 3 passed | 1 skipped (6)`
    private static let vitest = [
        CountRule("vitest", .whole, " Tests ") { text in
            text.wholeMatch(of: /\s*Tests  +(\d.*) \(\d+\)/).map { listed($0.1) }
        },
        CountRule("vitest", .whole, "No test files found") { _ in [.total: 0] },
    ]

    private static let mocha: [CountRule] = [
        CountRule("mocha", .begins, " passing") {
            number($0, /\s+(\d+) passing \(.*\)/).map { [.passed: $0] }
        },
        CountRule("mocha", .continues, " pending") { number($0, /\s+(\d+) pending/).map { [.skipped: $0] } },
        CountRule("mocha", .continues, " failing") { number($0, /\s+(\d+) failing/).map { [.failed: $0] } },
    ]

    /// `=== 1 failed, 2 passed, 1 skipped in 0.12s ===`, with -q without the signs.
    private static let pytest = [
        CountRule("pytest", .whole, " in ") { text in
            if text.wholeMatch(of: /=* ?no tests ran in .*/) != nil { return [.total: 0] }
            let words = /(?:passed|failed|skipped|errors?|deselected|xfailed|xpassed|warnings?)/
            guard let match = text.wholeMatch(of: /=* ?(\d+ [a-z]+(?:, \d+ [a-z]+)*) in [\d.]+s.*/),
                match.1.firstMatch(of: words) != nil
            else { return nil }
            return listed(match.1)
        }
    ]

    /// `Ran 3 tests in 0.001s`, then `OK (skipped=1)` or `FAILED (failures=1, errors=1)`; Django's too.
    private static let unittest: [CountRule] = [
        CountRule("unittest", .begins, "Ran ") { number($0, /Ran (\d+) tests? in .*/).map { [.total: $0] } },
        CountRule("unittest", .ends, "OK", verdict), CountRule("unittest", .ends, "FAILED", verdict),
        CountRule("unittest", .ends, "NO TESTS RAN", verdict),
    ]

    @Sendable private static func verdict(_ text: String) -> Fields? {
        guard
            let match = text.wholeMatch(
                of: /(?:OK|FAILED|NO TESTS RAN)(?: \(([a-z ]+=\d+(?:, [a-z ]+=\d+)*)\))?/)
        else {
            return nil
        }
        return sum(
            (match.1 ?? "").matches(of: /([a-z ]+?)=(\d+)/).map {
                ($0.1.trimmingCharacters(in: .whitespaces), figure($0.2))
            })
    }

    /// `5 examples, 1 failure, 1 pending`
    private static let rspec = [
        CountRule("rspec", .whole, " example") { text in
            text.wholeMatch(of: /(\d+ examples?, \d+ failures?.*)/).map { listed($0.1) }
        }
    ]

    /// `10 runs, 20 assertions, 1 failures, 0 errors, 2 skips`; test-unit says tests, pendings and omissions.
    private static let minitest = [
        CountRule("minitest", .whole, " assertions, ") { text in
            text.wholeMatch(of: /(\d+ (?:runs|tests), \d+ assertions, \d+ failures, \d+ errors, .*)/).map {
                listed($0.1)
            }
        }
    ]

    /// With -v a line for each test; without, one for each package.
    private static let go: [CountRule] = [
        CountRule("go", .whole, "--- ") { text in
            guard let match = text.wholeMatch(of: /--- (PASS|FAIL|SKIP): \S+ \([\d.]+s\)/) else { return nil }
            let field: Field = match.1 == "PASS" ? .passed : match.1 == "FAIL" ? .failed : .skipped
            return [.passed: 0].merging([field: 1]) { $1 }
        },
        CountRule("go packages", .whole, "[no test") { text in
            text.wholeMatch(of: /(?:ok|\?)\s+\S+\s+.*\[no test(?: file)?s.*\]/) == nil ? nil : [.total: 0]
        },
        CountRule("go packages", .whole, "ok") { text in
            text.wholeMatch(of: /ok\s+\S+\t(?:[\d.]+s|\(cached\)).*/) == nil ? nil : [.passed: 1]
        },
        CountRule("go packages", .whole, "FAIL") { text in
            text.wholeMatch(of: /FAIL\t\S+[\t ](?:[\d.]+s|\[.*\])/) == nil ? nil : [.passed: 0, .failed: 1]
        },
    ]

    /// `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s`
    private static let cargo = [
        CountRule("cargo", .whole, "test result: ") { text in
            text.wholeMatch(of: /test result: (?:ok|FAILED)\. (.*) measured; .*/).map { listed($0.1) }
        }
    ]

    /// ` 3 pass`, ` 1 skip`, ` 0 fail`, `Ran 4 tests across 1 file.`
    private static let bun: [CountRule] = [
        CountRule("bun", .begins, " pass") { number($0, #/ (\d+) pass/#).map { [.passed: $0] } },
        CountRule("bun", .continues, " skip") { number($0, #/ (\d+) skip/#).map { [.skipped: $0] } },
        CountRule("bun", .continues, " todo") { number($0, #/ (\d+) todo/#).map { [.skipped: $0] } },
        CountRule("bun", .continues, " fail") { number($0, #/ (\d+) fail/#).map { [.failed: $0] } },
        CountRule("bun", .ends, " across ") { number($0, /Ran (\d+) tests? across .*/).map { _ in [:] } },
    ]

    /// `  1 failed`, `  1 skipped`, `  5 passed (3.2s)`
    private static let playwright: [CountRule] = [
        CountRule("playwright", .whole, " failed") {
            number($0, #/  (\d+) failed/#).map { [.passed: 0, .failed: $0] }
        },
        CountRule("playwright", .whole, " skipped") {
            number($0, #/  (\d+) skipped/#).map { [.passed: 0, .skipped: $0] }
        },
        CountRule("playwright", .whole, " passed (") {
            number($0, #/  (\d+) passed \([\d.]+m?s\)/#).map { [.passed: $0] }
        },
    ]

    /// `OK (5 tests, 10 assertions)`, `Tests: 5, Assertions: 10, Failures: 1, Errors: 1, Skipped: 1.`
    private static let phpunit: [CountRule] = [
        CountRule("phpunit", .whole, "OK (") {
            number($0, /OK \((\d+) tests?, \d+ assertions?\)/).map { [.passed: $0] }
        },
        CountRule("phpunit", .whole, "Assertions: ") { text in
            text.wholeMatch(of: /(Tests: \d+, Assertions: .*)\./).map { match in
                sum(
                    match.1.matches(of: /([A-Z][a-z]+): (\d+)/).map {
                        ($0.1.lowercased(), figure($0.2))
                    })
            }
        },
        CountRule("phpunit", .whole, "No tests executed!") { _ in [.total: 0] },
    ]

    // MARK: Words

    /// What the words beside numbers mean, whichever runner says them. Others say nothing of tests.
    private static let meanings: [String: Field] = [
        "passed": .passed, "xpassed": .passed, "failed": .failed, "failures": .failed, "failure": .failed,
        "error": .failed, "errors": .failed, "unexpected successes": .failed, "skipped": .skipped,
        "skips": .skipped, "pending": .skipped, "pendings": .skipped, "omissions": .skipped,
        "todo": .skipped, "ignored": .skipped, "incomplete": .skipped, "xfailed": .skipped,
        "expected failures": .skipped, "tests": .total, "runs": .total, "examples": .total,
        "example": .total,
    ]

    private static func sum(_ counts: [(word: String, count: Int)]) -> Fields {
        var fields: Fields = [:]
        for (word, count) in counts {
            if let field = meanings[word] { fields[field, default: 0] += count }
        }
        return fields
    }

    /// A list such as `1 failed, 2 passed`; where it tells neither how many passed nor how many there were, none passed.
    private static func listed(_ text: Substring) -> Fields {
        let fields = sum(text.matches(of: /(\d+) ([a-z]+)/).map { (String($0.2), figure($0.1)) })
        return fields[.total] == nil ? fields.merging([.passed: 0]) { one, _ in one } : fields
    }

    /// Whatever a program prints: what no run of tests has is cut off, so that sums stay numbers.
    private static func figure(_ digits: Substring) -> Int {
        digits.count > 9 ? most : Int(digits) ?? 0
    }

    private static let most = 999_999_999

    private static func number(_ text: String, _ pattern: Regex<(Substring, Substring)>) -> Int? {
        text.wholeMatch(of: pattern).map { figure($0.1) }
    }
}
