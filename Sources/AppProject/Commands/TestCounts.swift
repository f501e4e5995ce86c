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
    private var open: [String: [CountRule.Field: Int]] = [:]
    private var sums: [String: TestCounts] = [:]
    private var order: [String] = []

    public init() {}

    public mutating func read(_ line: ArraySlice<UInt8>) {
        guard line.count < 400 else { return }
        // A line is made a text only where its bytes have a rule's sign: some programs print a great deal.
        var text: String?
        for rule in CountRule.all where rule.sign.isIn(line) {
            let line = text ?? String(decoding: line, as: UTF8.self)
            text = line
            guard let fields = rule.fields(line) else { continue }
            take(fields, rule)
            return
        }
    }

    private mutating func take(_ fields: [CountRule.Field: Int], _ rule: CountRule) {
        switch rule.part {
        case .whole: add(fields, rule.runner)
        case .begins:
            close(rule.runner)
            open[rule.runner] = fields
        case .continues:
            // Without its beginning it is something else that looks like it.
            guard open[rule.runner] != nil else { return }
            open[rule.runner]?.merge(fields, uniquingKeysWith: +)
        case .ends:
            guard open[rule.runner] != nil else { return }
            open[rule.runner]?.merge(fields, uniquingKeysWith: +)
            close(rule.runner)
        }
    }

    private mutating func close(_ runner: String) {
        guard let fields = open.removeValue(forKey: runner) else { return }
        add(fields, runner)
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
        for runner in open.keys.sorted() { close(runner) }
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
