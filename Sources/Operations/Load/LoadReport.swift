import Foundation
import MigrationEngine

/// What a load test measured: a document that the journal keeps.
public struct LoadReport: Codable, Sendable, Equatable {
    /// Times of one kind of query, in milliseconds. Percentiles are at most a thirtieth too large.
    public struct Latency: Codable, Sendable, Equatable {
        public let count: Int
        public let errors: Int
        public let p50: Double
        public let p95: Double
        public let p99: Double
        public let max: Double
        public let perSecond: Double

        enum CodingKeys: String, CodingKey {
            case count, errors, p50, p95, p99, max
            case perSecond = "per_second"
        }
    }

    public struct Kind: Codable, Sendable, Equatable {
        public let kind: LoadKind
        public let postgres: Latency?
        public let sqlite: Latency?
    }

    public struct Failure: Codable, Sendable, Equatable {
        /// SQLSTATE, or SQLite's code.
        public let state: String
        public let name: String
        public let count: Int
        /// One of the messages, without values.
        public let sample: String
    }

    /// What became of what was written.
    public enum Writes: String, Codable, Sendable {
        case rolledBack = "rolled-back"
        case scratch
    }

    public var connections: Int
    /// Sessions that got their connection.
    public var opened: Int
    public var seconds: Double
    public var queries: Int
    public var writes: Writes
    public var kinds: [Kind]
    public var total: Latency
    public var sqliteTotal: Latency?
    public var failures: [Failure]
    public var sqliteFailures: [Failure]
    public var gaps: [LoadGap]
    public var sqliteGaps: [LoadGap]
    /// What else should be known.
    public var notices: [String]
    /// What was asked too seldom to say anything of; nil in documents of before.
    public var thin: [String]?

    enum CodingKeys: String, CodingKey {
        case connections, opened, seconds, queries, writes, kinds, total, failures, gaps, notices, thin
        case sqliteTotal = "sqlite_total"
        case sqliteFailures = "sqlite_failures"
        case sqliteGaps = "sqlite_gaps"
    }

    /// Errors on the target.
    public var errors: Int { failures.reduce(0) { $0 + $1.count } }

    /// The figures of both databases in lines: `kind | PostgreSQL p50 p95 p99 max | SQLite p50 p95`.
    public var table: [String] {
        let head = ["kind", "queries", "errors", "PostgreSQL p50", "p95", "p99", "max", "SQLite p50", "p95"]
        let rows = kinds.map { Self.row($0.kind.words, $0.postgres, $0.sqlite) }
        return Format.table(
            [head] + rows + [Self.row("all", total, sqliteTotal)], right: Set(1...8))
    }

    private static func row(_ name: String, _ latency: Latency?, _ sqlite: Latency?) -> [String] {
        [name, latency.map { Format.count($0.count) } ?? "–", latency.map { Format.count($0.errors) } ?? "–"]
            + [latency?.p50, latency?.p95, latency?.p99, latency?.max, sqlite?.p50, sqlite?.p95].map {
                $0.map(milliseconds) ?? "–"
            }
    }

    static func milliseconds(_ value: Double) -> String {
        let digits = value < 10 ? 2 : value < 100 ? 1 : 0
        return value.formatted(
            .number.precision(.fractionLength(digits)).grouping(.never).locale(
                .init(identifier: "en_US_POSIX"))) + " ms"
    }
}
