import Postgres

/// The present, or a time from it, in one of the ways in which SQLite's users write it:
/// `datetime('now', '-7 days')`, `strftime('%s', 'now') * 1000`, `CURRENT_TIMESTAMP`, `unixepoch()`.
struct Present {
    private var isDay = false
    private var intervals: [String] = []

    init?(_ expression: Expression, source: (Range<Int>) -> String) {
        switch expression.kind {
        case .now(let date, let time):
            guard date else { return nil }
            isDay = !time
        case .binary(.multiply, let left, let right):
            guard case .integer(1000) = right.kind, Self.isCount(left),
                let inner = Present(left, source: source)
            else { return nil }
            self = inner
        case .cast(let operand, _):
            guard let inner = Present(operand, source: source) else { return nil }
            self = inner
        case .binary(.add, let left, let right), .binary(.subtract, let left, let right):
            // Milliseconds from it.
            guard let inner = Present(left, source: source), let count = Self.number(right),
                case .binary(.multiply, _, _) = left.kind
            else { return nil }
            self = inner
            let isBack = if case .binary(.subtract, _, _) = expression.kind { true } else { false }
            intervals.append("\(isBack ? "-" : "+") interval '\(count) milliseconds'")
        case .call(let call):
            var arguments = call.arguments[...]
            if call.name == "strftime" {
                guard case .text(let format)? = arguments.popFirst()?.kind else { return nil }
                guard
                    ["%s", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%fZ"].contains(format)
                else { return nil }
            } else if !["datetime", "date", "unixepoch"].contains(call.name) {
                return nil
            }
            isDay = call.name == "date"
            if let first = arguments.popFirst() {
                guard case .text(let text) = first.kind, text.lowercased() == "now" else { return nil }
            }
            for argument in arguments {
                guard case .text(let modifier) = argument.kind, let interval = Self.interval(modifier) else {
                    return nil
                }
                intervals.append(interval)
            }
        default: return nil
        }
    }

    /// Whether it counts seconds.
    private static func isCount(_ expression: Expression) -> Bool {
        switch expression.kind {
        case .call(let call):
            if call.name == "unixepoch" { return true }
            if call.name == "strftime", case .text("%s")? = call.arguments.first?.kind { return true }
            return false
        case .cast(let operand, _): return isCount(operand)
        default: return false
        }
    }

    /// A product or sum of whole numbers: `7 * 24 * 60 * 60 * 1000`.
    private static func number(_ expression: Expression) -> Int64? {
        switch expression.kind {
        case .integer(let value): return value
        case .binary(.multiply, let left, let right):
            guard let one = number(left), let other = number(right) else { return nil }
            let (product, overflows) = one.multipliedReportingOverflow(by: other)
            return overflows ? nil : product
        default: return nil
        }
    }

    private static func interval(_ modifier: String) -> String? {
        let parts = modifier.lowercased().split(separator: " ")
        guard parts.count == 2, let count = Int(parts[0].first == "+" ? parts[0].dropFirst() : parts[0])
        else {
            return nil
        }
        let unit = parts[1].hasSuffix("s") ? String(parts[1].dropLast()) : String(parts[1])
        guard ["day", "hour", "minute", "second"].contains(unit) else { return nil }
        return
            "\(count < 0 ? "-" : "+") interval '\(count.magnitude) \(unit)\(count.magnitude == 1 ? "" : "s")'"
    }

    /// A value for a column of timestamps, with a zone or in UTC.
    func sql(isZoned: Bool) -> String {
        var sql = isZoned && !isDay ? "CURRENT_TIMESTAMP" : "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC')"
        if isDay { sql = "date_trunc('day', \(sql.dropFirst().dropLast()))" }
        if !intervals.isEmpty { sql = "(\(([sql] + intervals).joined(separator: " ")))" }
        return isZoned && isDay ? "(\(sql) AT TIME ZONE 'UTC')" : sql
    }
}
