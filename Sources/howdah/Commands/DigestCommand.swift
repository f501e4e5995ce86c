import ArgumentParser
import Foundation
import MigrationEngine
import Playbook
import Postgres

struct DigestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "digest",
        abstract: "Print the sha256 of every table and of every binary column, of SQLite and of PostgreSQL.",
        discussion: """
            Both sides print the same lines where they are equal, in the order of the key. --sql writes the queries, with
            which sqlite3, psql and sha256sum give the same digests without howdah.
            """)

    @Argument(help: "A SQLite file, or a project's folder.")
    var source: String

    @Argument(help: "A PostgreSQL URL, connection string or service=NAME; or rehearsal.")
    var target: String = "rehearsal"

    @Option(
        name: .customLong("table"),
        help: ArgumentHelp("Only this table; may be given again.", valueName: "name"))
    var tables: [String] = []

    @Option(
        help: ArgumentHelp(
            "Write the queries for sqlite3 and psql into this folder; nothing is overwritten.",
            valueName: "dir"))
    var sql: String?

    @Option(help: ArgumentHelp("Follow this plan.", valueName: "file"))
    var plan: String?

    @OptionGroup var adopting: AdoptOptions
    @OptionGroup var planning: PlanningOptions
    @OptionGroup var common: CommonOptions

    func run() throws {
        CommandRunner.run(common) { cancellation in
            let target = try Target(target)
            try Workspace.refuseFileOfProject(source, state: common.state)
            let session = try Session(source, common, cancellation)
            let preparation = try session.reporting {
                try session.prepare(
                    planning, planPath: plan, adopting: adopting.adopting(target, cancellation))
            }
            let report = try ReachedTarget(target, session).with { server in
                try session.reporting { try digest(preparation, server, session) }
            }
            if tables.isEmpty {
                try report.keep(
                    in: session.state,
                    name: target.differencesName(schema: planning.namedSchema, in: session.state))
            }
            if common.json {
                Console.json(report)
            } else {
                Console.results(Describe.digests(report))
            }
            if let sql { Console.note("the queries are in \(sql)") }
            return ExitCode(rawValue: report.exit) ?? .failure
        }
    }

    private func digest(
        _ preparation: Preparation, _ server: TargetServer, _ session: Session
    ) throws -> DigestReport {
        let run = DigestRun(
            preparation: preparation, server: server, workers: planning.workerCount,
            cancellation: session.cancellation, progress: session.progress)
        let opening = try run.open(tables: tables)
        if let sql {
            try DigestFiles(preparation: preparation, opening: opening, targetURL: server.conninfo.url)
                .write(to: sql)
        }
        return try run.run(opening)
    }
}

extension Describe {
    /// The digests for people: one line where both sides agree, two where they do not.
    static func digests(_ report: DigestReport) -> [String] {
        let tables = report.tables.flatMap { table in
            digest(table.name, table.digests, table.obstacle ?? undigested(table))
                + [table.scope.map { "    \($0)" }].compactMap(\.self)
                + table.columns.flatMap { digest("\(table.name).\($0.name)", $0.digests, nil) }
                + table.leftOut.map { "    without \($0.column): \($0.reason)" }
        }
        let digested = report.tables.count { $0.digestedColumns > 0 }
        let count = Format.count(digested, "table", "tables")
        let differing = report.tables.filter { !$0.isEqual }.map(\.name)
        return tables + report.leftOutTables.map { "  \($0) is left out by the plan" } + [
            "snapshot \(report.snapshot.time), sha256 \(report.snapshot.sha256)",
            verdict(report, differing, without(report), count),
        ]
    }

    private static func verdict(
        _ report: DigestReport, _ differing: [String], _ without: String, _ count: String
    ) -> String {
        switch report.outcome {
        case .equal:
            "EQUAL\(without): the digests of \(count) are the same on both sides, in \(Format.seconds(report.seconds))"
        case .nothing: "NO DIGEST of any column\(without): rows were counted, and are as many on both sides"
        case .differs: "DIFFERS: \(differing.joined(separator: ", "))\(without)"
        }
    }

    /// Of a table without a digest the rows are counted.
    private static func undigested(_ table: TableDigest) -> String? {
        guard table.digestedColumns == 0 else { return nil }
        return table.isEqual
            ? "no column has a digest; \(Format.count(table.sourceRows, "row", "rows")) on both sides"
            : "no column has a digest; \(Format.count(table.sourceRows, "row", "rows")) in SQLite, \(Format.count(table.targetRows)) in PostgreSQL"
    }

    private static let mostNames = 8

    /// What the verdict says nothing of.
    private static func without(_ report: DigestReport) -> String {
        let columns = report.leftOut ?? []
        guard !columns.isEmpty else { return "" }
        let more = columns.count - mostNames
        let names =
            columns.prefix(mostNames).joined(separator: ", ")
            + (more > 0 ? " and \(Format.count(more, "more column", "more columns"))" : "")
        return ", without \(names), which the proof compares"
    }

    private static func digest(
        _ name: String, _ digests: TableDigest.Pair, _ obstacle: String?
    ) -> [String] {
        if let obstacle { return ["! \(name): \(obstacle)"] }
        let source = digests.source ?? "none"
        return digests.isEqual
            ? ["= \(source)  \(name)"]
            : ["! \(source)  \(name) in SQLite", "! \(digests.target ?? "none")  \(name) in PostgreSQL"]
    }
}

extension Target {
    var mode: Mode { if case .rehearsal = self { .rehearsal } else { .live } }
}
