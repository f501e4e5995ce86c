import Foundation

/// How many tests a runner says that it has run.
public struct TestCounts: Sendable, Equatable, Codable {
    /// The runner whose words were understood.
    public var runner: String
    public var passed: Int
    public var failed: Int
    public var skipped: Int

    public init(runner: String, passed: Int = 0, failed: Int = 0, skipped: Int = 0) {
        self.runner = runner
        self.passed = passed
        self.failed = failed
        self.skipped = skipped
    }

    /// Tests that did something: what was skipped proves nothing.
    public var isEmpty: Bool { passed + failed == 0 }

    public var words: String {
        var parts = ["\(passed) passed"]
        if failed > 0 { parts.append("\(failed) failed") }
        if skipped > 0 { parts.append("\(skipped) skipped") }
        return parts.joined(separator: ", ")
    }
}

/// Reads counts from a runner's output, line by line, by the table `CountRule.all`. Several runs in one output add up.
public struct CountReader {
    /// What a runner's lines have said since its last summary was complete.
    private var open: [Summary: [CountRule.Field: Int]] = [:]
    private var sums: [String: TestCounts] = [:]
    private var order: [String] = []

    /// A runner's summary under way; several packages that are tested at once write theirs in turns.
    private struct Summary: Hashable {
        let package: String
        let runner: String
    }

    public init() {}

    public mutating func read(_ line: ArraySlice<UInt8>) {
        guard line.count < 400 else { return }
        // A line is made a text only where its bytes have a rule's sign: some programs print a great deal.
        let rules = CountRule.all.filter { $0.sign.isIn(line) }
        guard !rules.isEmpty else { return }
        var text = String(decoding: line, as: UTF8.self)[...]
        var name = ""
        // What tools that run several packages' scripts put before each line is no runner's; turbo's own name may stand before that of pnpm.
        for _ in 0..<3 {
            for rule in rules {
                guard let fields = rule.fields(String(text)) else { continue }
                take(fields, rule, Summary(package: name, runner: rule.runner))
                return
            }
            // `web:test: ` (turbo, lerna), `api test: ` (pnpm), `api | ` (pnpm, docker compose), `[api] ` (concurrently).
            let package = #/[\w@./:#-]+(?: [\w:.-]+)?: |[\w@./:#-]+ +\| ?|\[[\w@./:#-]+\] /#
            guard let prefix = text.prefixMatch(of: package) else { return }
            name += prefix.0
            text = text[prefix.range.upperBound...]
        }
    }

    private mutating func take(
        _ fields: [CountRule.Field: Int], _ rule: CountRule, _ summary: Summary
    ) {
        switch rule.part {
        case .whole: add(fields, rule.runner)
        case .begins:
            close(summary)
            open[summary] = fields
        case .continues:
            // Without its beginning it is something else that looks like it.
            guard open[summary] != nil else { return }
            open[summary]?.merge(fields, uniquingKeysWith: +)
        case .ends:
            guard open[summary] != nil else { return }
            open[summary]?.merge(fields, uniquingKeysWith: +)
            close(summary)
        }
    }

    private mutating func close(_ summary: Summary) {
        guard let fields = open.removeValue(forKey: summary) else { return }
        add(fields, summary.runner)
    }

    private mutating func add(_ fields: [CountRule.Field: Int], _ runner: String) {
        var counts = sums[runner] ?? TestCounts(runner: runner)
        if sums[runner] == nil { order.append(runner) }
        let skipped = fields[.skipped] ?? 0
        let failed = fields[.failed] ?? 0
        counts.skipped += skipped
        counts.failed += failed
        counts.passed += fields[.passed] ?? max(0, (fields[.total] ?? 0) - failed - skipped)
        sums[runner] = counts
    }

    /// What all of it comes to; nil where no runner was understood.
    public mutating func counts() -> TestCounts? {
        for summary in open.keys.sorted(by: { ($0.runner, $0.package) < ($1.runner, $1.package) }) {
            close(summary)
        }
        // Go tells packages where it is not asked to tell tests.
        let runners = order.filter { !($0 == "go packages" && sums["go"] != nil) }
        guard let first = runners.first, var all = sums[first] else { return nil }
        for runner in runners.dropFirst() {
            guard let more = sums[runner] else { continue }
            all.runner += ", \(runner)"
            all.passed += more.passed
            all.failed += more.failed
            all.skipped += more.skipped
        }
        return all
    }
}
