import Foundation
import MigrationEngine

/// Readings as people read them.
public enum MonitorWords {
    /// 80 as 80, 0.5 as 0.5.
    static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15
            ? String(format: "%.0f", value) : String(format: "%.2f", value)
    }

    /// A value with its unit.
    public static func value(_ value: Double, _ unit: MonitorLimit.Unit) -> String {
        guard value.isFinite else { return "none" }
        switch unit {
        case .percent: return (value < 10 ? short(value) : String(format: "%.0f", value)) + " %"
        case .seconds: return duration(value)
        case .hours: return duration(value * 3600)
        case .days: return value > 9999 ? "years" : "\(Format.count(Int(value))) days"
        case .megabytes: return Format.bytes(Int64(max(0, min(value, 1e12)) * 1_048_576))
        case .megabytesPerSecond: return short(value) + " MB/s"
        case .millions: return "\(Format.count(Int(value.rounded()))) million"
        case .count: return Format.count(Int(value.rounded()))
        }
    }

    /// With one digit after the point, where that is not zero.
    private static func short(_ value: Double) -> String {
        let text = String(format: "%.1f", value)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// 65 s, 12:03 min, 3:20 h, 5 days: two parts at the most.
    public static func duration(_ seconds: Double) -> String {
        let whole = Int(max(0, min(seconds, 1e12)))
        func both(_ large: Int, _ small: Int) -> String { "\(large)" + (small > 0 ? ":\(two(small))" : "") }
        if seconds < 10 { return short(max(0, seconds)) + " s" }
        if whole < 100 { return "\(whole) s" }
        if whole < 3600 { return both(whole / 60, whole % 60) + " min" }
        if whole < 96 * 3600 { return both(whole / 3600, whole / 60 % 60) + " h" }
        return "\(Format.count(whole / 86_400)) days"
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// A reading's value, or that there is none.
    public static func value(_ reading: MonitorReading) -> String {
        reading.value.map { value($0, reading.limit.unit) } ?? "not known"
    }

    /// A reading that is beyond a limit: which, how far, and what it means.
    public static func beyond(_ reading: MonitorReading) -> String {
        let limit = reading.verdict == .critical ? reading.limit.critical : reading.limit.warn
        let bound = limit.map { "limit \(value($0, reading.limit.unit))" } ?? ""
        let detail = reading.detail.isEmpty ? "" : ": \(reading.detail)"
        return "\(reading.limit.id.rawValue) \(value(reading)) (\(bound))\(detail)"
    }

    /// Both limits of one, as 80 %, 95 %.
    public static func limits(_ limit: MonitorLimit) -> String {
        let both = [limit.warn, limit.critical].compactMap { $0.map { value($0, limit.unit) } }
        guard both.count == 2 else { return both.first ?? "off" }
        // A unit that both have is said once.
        let units = both.map { $0.split(separator: " ").dropFirst().joined(separator: " ") }
        let first =
            units[0] == units[1] && !units[0].isEmpty ? both[0].split(separator: " ")[0] : both[0][...]
        return "\(first), \(both[1])"
    }

    /// How fast a database grows; nil before that can be told.
    public static func growth(_ growth: MonitorGrowth) -> String? {
        guard let day = growth.perDay else { return nil }
        func signed(_ bytes: Double) -> String {
            (bytes < 0 ? "-" : "+") + Format.bytes(Int64(abs(bytes)))
        }
        return signed(day) + "/day" + (growth.perWeek.map { ", " + signed($0) + "/week" } ?? "")
    }
}
