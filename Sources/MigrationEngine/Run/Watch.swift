import Foundation
import Postgres

/// The proof of a target that an application writes to by now: what has changed since the first proof is told apart from what was never
/// right.
///
/// The first proof kept which rows differed then, and a hash of what the target held of each: all others were equal.
public struct Watch: Sendable {
    /// What is found of one table.
    public struct Table: Sendable, Equatable {
        public let name: String
        /// Rows that differ as they did in the first proof.
        public var neverRight = 0
        /// Rows that the target has got, that are others, and that it has lost since.
        public var came = 0
        public var changed = 0
        public var went = 0
        /// Rows that differed in the first proof, and are equal now.
        public var cameRight = 0
        /// Keys of the first that were never right.
        public var samples: [String] = []
        /// Why its rows could not be compared, or told apart.
        public var obstacle: String?

        public var changedSince: Int { came + changed + went }
    }

    public struct Report: Sendable {
        /// When the first proof was, UTC.
        public let since: String
        public let tables: [Table]
        public let seconds: Double

        public var isRight: Bool { tables.allSatisfy { $0.neverRight == 0 && $0.obstacle == nil } }
    }

    let preparation: Preparation
    let hints: SchemaHints?
    let server: TargetServer
    let schema: String?
    let workers: Int
    let cancellation: Cancellation
    let progress: RunProgress
    /// What the last proof of the target has kept.
    let log: DifferenceLog

    public init(
        preparation: Preparation, hints: SchemaHints? = nil, server: TargetServer, schema: String? = nil,
        workers: Int, cancellation: Cancellation,
        progress: RunProgress, log: DifferenceLog
    ) {
        self.preparation = preparation
        self.hints = hints
        self.server = server
        self.schema = schema
        self.workers = workers
        self.cancellation = cancellation
        self.progress = progress
        self.log = log
    }

    /// Compares the named tables again, all where none are named; the first proof stays what it was.
    ///
    /// Throws `.state` where no proof of the target by this state of the source is kept.
    public func run(tables names: [String]) throws -> Report {
        let start = ContinuousClock.now
        let first = try FirstProof(
            beside: log, of: preparation, target: server.conninfo.url,
            remedies: (
                none: "Run howdah validate once; --watch tells what changes from then on.",
                other: "Name the state folder that has it with --state DIR, or load the target anew."
            ), exit: .usage)
        let path = (log.path as NSString).deletingPathExtension + "-watch.db"
        let now = try DifferenceLog(path: path, like: first.log)
        let report = try Validation(
            preparation: preparation, hints: hints, server: server, schema: schema, workers: workers,
            cancellation: cancellation, progress: progress, differences: now
        ).run(tables: names, isWatch: true)
        let tables = try report.tables.filter { $0.verdict != "skipped" }.map { line in
            var table = Table(name: line.name)
            table.obstacle = line.reason
            guard table.obstacle == nil else { return table }
            let limit = try first.limit(line.name, now)
            guard limit.obstacle == nil else {
                table.obstacle = !limit.isCompared && line.verdict == "equal" ? nil : limit.obstacle
                return table
            }
            let apart = try now.apart(line.name, from: first.log)
            table.neverRight = apart.neverRight
            table.came = apart.came
            table.changed = apart.changed
            table.went = apart.went
            table.cameRight = apart.cameRight
            table.samples = apart.samples
            if !limit.isWhole { table.obstacle = "the first proof found more rows that differ than are kept" }
            return table
        }
        return Report(since: first.time, tables: tables, seconds: (ContinuousClock.now - start).seconds)
    }
}
