import AppProject
import ArgumentParser
import Foundation
import MigrationEngine
import Playbook

extension RowDifference.Kind: ExpressibleByArgument {}

struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show the rows in which a target differs from a SQLite database, with both values.",
        discussion: """
            Compares the tables first, unless --last is given: then it shows what the last proof of this target found, with the
            values that both sides hold now. Ends with 0 where nothing differs, with 4 where something does, and with 3 where a table was never compared; with 2 where a row is named by
            --key that does not differ. Of values over 4 MB the beginning is shown.
            """)

    @Argument(help: "A SQLite file, or a project's folder.")
    var source: String

    @Argument(help: "A PostgreSQL URL, connection string or service=NAME; or rehearsal.")
    var target: String = "rehearsal"

    @Option(
        name: .customLong("table"),
        help: ArgumentHelp("Only this table; may be given again.", valueName: "name"))
    var tables: [String] = []

    @Option(help: ArgumentHelp("Only rows that differ in this column.", valueName: "name"))
    var column: String?

    @Option(help: "Only rows of this kind: changed, missing (in PostgreSQL) or extra (in PostgreSQL only).")
    var kind: RowDifference.Kind?

    @Option(
        name: .customLong("key"),
        help: ArgumentHelp(
            "Only the row with this key, as it is shown, or as a JSON array of its texts; may be given again.",
            valueName: "key"))
    var keys: [String] = []

    @Option(help: ArgumentHelp("Only rows whose key has this in it.", valueName: "text"))
    var find: String?

    @Option(help: ArgumentHelp("Rows of each table that are shown; 0 is all of them.", valueName: "n"))
    var limit = 20

    @Option(help: "text, csv or json.")
    var format: DifferenceFormat?

    @Flag(help: "Show what the last proof found, without comparing again.")
    var last = false

    @Option(help: ArgumentHelp("Follow this plan.", valueName: "file"))
    var plan: String?

    @OptionGroup var adopting: AdoptOptions
    @OptionGroup var planning: PlanningOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if limit < 0 { throw ValidationError("--limit takes a number of rows; 0 is all of them") }
        if !keys.isEmpty, tables.count != 1 { throw ValidationError("--key needs one --table") }
        if !keys.isEmpty, column != nil || kind != nil || find != nil {
            throw ValidationError("--key excludes --column, --kind and --find")
        }
        if common.json, let format, format != .json {
            throw ValidationError("--json and --format \(format.rawValue) differ")
        }
    }

    func run() throws {
        CommandRunner.run(common) { cancellation in
            let target = try Target(target)
            try Workspace.refuseFileOfProject(source, state: common.state)
            let session = try Session(source, common, cancellation)
            let preparation = try session.reporting {
                try session.prepare(
                    planning, planPath: plan, adopting: adopting.adopting(target, cancellation))
            }
            let log = try DifferenceLog(
                session.state, name: target.differencesName(schema: planning.namedSchema, in: session.state))
            return try ReachedTarget(target, session).with { server in
                let validation = Validation(
                    preparation: preparation, hints: session.location.hints, server: server,
                    schema: planning.namedSchema, workers: planning.workerCount,
                    cancellation: cancellation, progress: session.progress, differences: log)
                let report = last ? nil : try session.reporting { try validation.run(tables: tables) }
                let matched = try validation.matched(tables: tables)
                let reader = RowPairReader(preparation: matched, server: server)
                return try show(matched.plan, report, log, reader, cancellation)
            }
        }
    }

    private func show(
        _ plan: MigrationPlan, _ report: MigrationReport?, _ log: DifferenceLog,
        _ reader: RowPairReader, _ cancellation: Cancellation
    ) throws -> ExitCode {
        let filter = DifferenceFilter(column: column, kind: kind)
        let chosen = try chosen(plan.tables, log)
        let named = try keys.isEmpty ? nil : log.rows(keys, of: tables.first ?? "")
        var output = DifferenceOutput(common.json ? .json : format ?? .text)
        output.begin()
        var outcome = DifferenceOutcome()
        for table in chosen {
            let verdict = report?.tables.first { $0.name == table.name }
            let proof = try log.proof(of: table.name)
            let reason = last ? proof?.obstacle : verdict?.reason
            let summary = try log.summary(table.name, columns: table.columns.map(\.name))
            let heading = DifferenceHeading(
                table: table.name, summary: summary,
                matching: try named?.count ?? log.count(table.name, filter: filter),
                rows: verdict?.sourceRows ?? proof?.sourceRows, provenAt: last ? proof?.time : nil,
                reason: reason, isKnown: report != nil || proof != nil)
            outcome.note(heading)
            output.begin(heading)
            var shown = 0
            var found = 0
            let most = limit == 0 ? Int.max : limit
            if let named {
                for row in try reader.read(Array(named.prefix(most)), of: table.name) {
                    output.row(row, of: table.name)
                    shown += 1
                }
                output.end(heading, shown: shown, of: named.count)
                continue
            }
            try reader.forEachRow(of: table.name, in: log, filter: filter, limit: find == nil ? most : .max) {
                row in
                try cancellation.check()
                if let find, !row.difference.key.localizedStandardContains(find) { return }
                found += 1
                guard shown < most else { return }
                shown += 1
                output.row(row, of: table.name)
            }
            output.end(heading, shown: shown, of: find == nil ? heading.matching : found)
        }
        for view in try tables.isEmpty ? differingViews(plan, report, log) : [] {
            outcome.differs = true
            output.remark("view \(view.name): differs\(view.reason.map { ", \($0)" } ?? "")")
        }
        output.end(outcome)
        return outcome.exit
    }

    /// Views whose rows differ; of those no row is kept.
    private func differingViews(
        _ plan: MigrationPlan, _ report: MigrationReport?, _ log: DifferenceLog
    ) throws -> [(name: String, reason: String?)] {
        if let report { return report.views.filter { $0.verdict == "differs" }.map { ($0.name, $0.reason) } }
        return try (plan.views ?? []).compactMap { view in
            guard let proof = try log.proof(of: view.name), proof.differences > 0 || proof.obstacle != nil
            else { return nil }
            return (view.name, proof.obstacle)
        }
    }

    /// The tables that are asked for; all that were compared where none is.
    private func chosen(_ planned: [MigrationPlan.Table], _ log: DifferenceLog) throws -> [MigrationPlan
        .Table]
    {
        for name in tables where !planned.contains(where: { $0.name == name }) {
            throw MigrationError(
                .plan, "the source has no table \(name)",
                remedy: "Its tables are: \(planned.map(\.name).sorted().joined(separator: ", ")).",
                exit: .usage)
        }
        let chosen = planned.filter { tables.isEmpty ? !$0.isSkipped : tables.contains($0.name) }
        if let column, !chosen.contains(where: { $0.columns.contains { $0.name == column } }) {
            throw MigrationError(
                .plan, "no table that is shown has a column \(column)",
                remedy: "Name a column as SQLite spells it.", exit: .usage)
        }
        if last, try !chosen.contains(where: { try log.proof(of: $0.name) != nil }) {
            throw MigrationError(
                .state, "no proof of this target is kept yet",
                remedy: "Run this without --last, or howdah validate.", exit: .usage)
        }
        return chosen
    }
}
