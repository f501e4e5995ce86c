import Foundation
import MigrationEngine
import Operations

/// What the monitor prints; never the text of a query, since timers write it to logs.
enum MonitorLines {
    /// What is beyond a limit first, then every reading, then what could not be seen.
    static func once(_ report: MonitorReport) -> [String] {
        var lines = report.beyond.map { "\($0.verdict.rawValue)  \(MonitorWords.beyond($0))" }
        if !lines.isEmpty { lines.append("") }
        lines += [head(report), ""]
        lines += Format.table(
            report.readings.map { reading in
                [
                    sign(reading.verdict), reading.limit.id.rawValue, MonitorWords.value(reading),
                    MonitorWords.limits(reading.limit), reading.gap ?? reading.detail,
                ]
            }, right: [2])
        lines += [""] + facts(report)
        if !report.unseen.isEmpty { lines += ["not seen:"] + report.unseen.map { "  \($0)" } }
        return lines
    }

    /// A few lines a sample.
    static func block(_ report: MonitorReport) -> [String] {
        [report.sample.time.formatted(.iso8601) + "  " + head(report)] + facts(report).map { "  \($0)" }
            + report.beyond.map { "  \($0.verdict.rawValue)  \(MonitorWords.beyond($0))" }
    }

    private static func sign(_ verdict: MonitorVerdict) -> String {
        verdict == .unknown ? "?" : verdict.rawValue
    }

    private static func head(_ report: MonitorReport) -> String {
        let server = report.sample.server
        return "\(report.target)  PostgreSQL \(server.version)\(server.isStandby ? " standby" : ""), "
            + "up \(MonitorWords.duration(server.upSeconds))"
    }

    private static func facts(_ report: MonitorReport) -> [String] {
        let sample = report.sample
        let states: [(MonitorSession.State, String)] = [
            (.active, "active"), (.idle, "idle"), (.inTransaction, "idle in transaction"),
            (.failedTransaction, "in a failed transaction"), (.hidden, "hidden"),
        ]
        let counts = states.map { ($1, sample.count($0)) }.filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }
        var lines = [
            "\(Format.count(sample.connections, "connection", "connections")) of \(sample.server.maxConnections)"
                + (counts.isEmpty ? "" : ": \(counts.joined(separator: ", "))")
        ]
        if let rates = report.rates {
            lines.append(
                String(format: "%.1f transactions/s, ", rates.transactions)
                    + "\(Format.count(Int(rates.rowsRead))) rows/s read, \(Format.count(Int(rates.rowsWritten))) written, "
                    + (rates.cacheHits.map { String(format: "%.1f %% cache hits, ", $0) } ?? "")
                    + "over \(MonitorWords.duration(rates.seconds))")
        } else if let gap = report.rateGap {
            lines.append("no rates: \(gap)")
        }
        if let size = sample.storage?.size {
            let growth = MonitorWords.growth(report.growth).map { ", \($0)" } ?? ""
            let tables = (sample.storage?.tables ?? []).prefix(3)
                .map { "\($0.name) about \(Format.bytes($0.bytes))" }
            lines.append(
                "\(sample.server.database) has \(Format.bytes(size))\(growth)"
                    + (tables.isEmpty ? "" : "; largest: \(tables.joined(separator: ", "))"))
        }
        return lines
    }
}

/// What `monitor --json` prints.
struct MonitorDocument: Encodable {
    struct Reading: Encodable {
        let id: String
        let words: String
        /// nil where it is not known, or without a bound.
        let value: Double?
        let unit: String
        let verdict: MonitorVerdict
        let warn: Double?
        let critical: Double?
        let detail: String
        let missing: String?
        let source: String
    }

    struct Table: Encodable {
        let name: String
        let bytes: Int64
        let live_rows: Int
        let dead_rows: Int
        let vacuumed: String
    }

    let command = "monitor"
    let outcome: String
    let exit: Int32
    let target: String
    let time: String
    let server: MonitorSample.Server?
    /// Sessions of clients by their state.
    let connections: [String: Int]
    let size_bytes: Int64?
    let growth_bytes_per_day: Double?
    let transactions_per_second: Double?
    let tables: [Table]
    let readings: [Reading]
    let unseen: [String]

    init(_ report: MonitorReport, _ exit: ExitCode) {
        let sample = report.sample
        outcome =
            report.beyond.first?.verdict == .critical
            ? "critical" : report.beyond.isEmpty ? "within limits" : "warning"
        self.exit = exit.rawValue
        target = report.target
        time = sample.time.formatted(.iso8601)
        server = sample.server
        var counts: [String: Int] = [:]
        for state in MonitorSession.State.allCases where sample.count(state) > 0 {
            counts[state.rawValue] = sample.count(state)
        }
        connections = counts
        size_bytes = sample.storage?.size
        growth_bytes_per_day = report.growth.perDay
        transactions_per_second = report.rates?.transactions
        tables = (sample.storage?.tables ?? []).map {
            Table(
                name: $0.name, bytes: $0.bytes, live_rows: $0.live, dead_rows: $0.dead, vacuumed: $0.vacuumed)
        }
        readings = report.readings.map { reading in
            Reading(
                id: reading.limit.id.rawValue, words: reading.limit.words,
                value: reading.value.flatMap { $0.isFinite ? $0 : nil }, unit: reading.limit.unit.rawValue,
                verdict: reading.verdict, warn: reading.limit.warn, critical: reading.limit.critical,
                detail: reading.detail, missing: reading.gap, source: reading.limit.source)
        }
        unseen = report.unseen
    }

    /// Of a server that has no connection left.
    init(full failure: MonitorFailure, _ target: String) {
        outcome = "critical"
        exit = ExitCode.undecided.rawValue
        self.target = target
        time = Date().formatted(.iso8601)
        server = nil
        connections = [:]
        size_bytes = nil
        growth_bytes_per_day = nil
        transactions_per_second = nil
        tables = []
        let limit = MonitorLimits()[.connections]
        readings = [
            Reading(
                id: limit.id.rawValue, words: limit.words, value: 100, unit: limit.unit.rawValue,
                verdict: .critical, warn: limit.warn, critical: limit.critical, detail: failure.message,
                missing: nil, source: limit.source)
        ]
        unseen = ["everything else: the server lets nobody in"]
    }
}
