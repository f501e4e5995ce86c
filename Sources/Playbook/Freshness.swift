import Foundation

/// How long evidence counts that is true for a time only.
enum Freshness {
    struct Limit {
        let days: Int
        /// What has got old, in words.
        let what: String
    }

    static let day = 86400.0

    /// By step. A backup that was restored a month ago says little of those that are made today.
    static let limits: [String: Limit] = ["6.5": Limit(days: 30, what: "the last drill")]

    /// The time of an entry of the journal.
    static func date(_ time: String) -> Date? { try? Date(time, strategy: .iso8601) }

    /// The day until which evidence of a step counts, as 2026-12-27; nil where it counts for ever.
    static func end(_ step: String, from date: Date) -> String? {
        limits[step].map { limit in
            String((date + Double(limit.days) * day).formatted(.iso8601).prefix(10))
        }
    }
}
