import Foundation
import MigrationEngine
import Operations
import Postgres

/// 5.10: many users at once.
struct LoadStep: StepOperation {
    var options = LoadOptions()

    func preview(_ context: StepContext) throws -> Preview {
        let outline = try test(context).outline()
        let options = options(context)
        let seconds = Format.seconds(options.seconds)
        let target = context.book.targetWords(context.mode)
        var sections = [
            Preview.Section(
                "Asks \(target) by \(Format.count(outline.connections, "connection", "connections")) for \(seconds), then SQLite as much",
                [
                    "\(Format.count(outline.limits.free, "connection is", "connections are")) left: \(outline.limits.words)",
                    options.isScratch
                        ? "writes are committed in a copy of the database, which is dropped afterwards"
                        : "each write is tried before, and rolled back always: neither a row nor a sequence moves",
                    triggers(options),
                    "SQLite is read from the snapshot and written in a private copy of it",
                    "statements end after \(Format.seconds(options.statementTimeout.seconds)), "
                        + "waits for a lock after \(Format.seconds(options.lockTimeout.seconds))",
                ].filter { !$0.isEmpty })
        ]
        for table in Dictionary(grouping: outline.queries, by: \.table).sorted(by: { $0.key < $1.key }) {
            sections.append(.init("Queries of \(table.key)", table.value.map(\.sql), .sql))
        }
        if !outline.gaps.isEmpty {
            sections.append(.init("What is not asked, and why", outline.gaps.map(\.words), .list))
        }
        return Preview(
            sections,
            warning: outline.triggered.isEmpty || options.sparesTriggers
                ? nil
                : "The triggers of \(outline.triggered.joined(separator: ", ")) run too; what one does outside of its "
                    + "transaction is not taken back.")
    }

    /// What is done about tables whose triggers or rules do more than a statement says.
    private func triggers(_ options: LoadOptions) -> String {
        if options.isScratch { return "" }
        return options.isLive
            ? "tables with triggers or rules are only read: what those take from sequences would be missing; --scratch asks them in a copy"
            : "while a table's triggers are tried, the rehearsal's sequences are held, for a moment each"
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let report = try test(context).run()
        var outcome = StepOutcome(evidence: Self.evidence(report), data: Journal.encode(report))
        if report.errors > 0 {
            outcome.failure =
                "\(Format.count(report.errors, "query", "queries")) failed: "
                + report.failures.prefix(3).map { "\(Format.count($0.count)) × \($0.name)" }.joined(
                    separator: ", ")
        } else if report.opened < report.connections {
            outcome.failure = "only \(report.opened) of \(report.connections) connections were opened"
        }
        // What was hardly asked has not been seen to work.
        outcome.open = report.thin?.count ?? 0
        return outcome
    }

    func undoPreview(_ context: StepContext) throws -> Preview? {
        Preview([
            .init(
                "Forgets the figures",
                ["The journal keeps that they were there. The target holds nothing of it."])
        ])
    }

    func undo(_ context: StepContext) throws -> [String] { ["the figures no longer count"] }

    private func options(_ context: StepContext) -> LoadOptions {
        var options = options
        options.isLive = context.mode == .live
        return options
    }

    private func test(_ context: StepContext) throws -> LoadTest {
        guard let plan = try context.book.planIfAny() else {
            throw MigrationError(
                .plan, "there is no plan, so nothing tells which tables were migrated",
                remedy: "Run step 1.7, or howdah migrate.", exit: .undecided)
        }
        let server = try context.server()
        return LoadTest(
            server: server, plan: plan, snapshot: try context.loadedSnapshot(),
            hasLog: context.workspace.source.isWriteAheadLogged(),
            folder: try context.workspace.state.folder("load"),
            options: options(context),
            ledger: context.book.scratchLedger(
                LoadStep.id, server.conninfo.url, context.mode),
            cancellation: context.cancellation, progress: context.progress, gate: context.activity.gate)
    }

    /// The most telling first.
    static func evidence(_ report: LoadReport) -> [String] {
        let rate = Format.count(Int(report.total.perSecond.rounded()))
        var lines = [
            "\(Format.count(report.queries, "query", "queries")) of \(Format.count(report.opened, "user", "users")) at once in "
                + "\(Format.seconds(report.seconds)), \(rate)/s, \(Format.count(report.errors, "error", "errors"))"
        ]
        lines += report.failures.map { failure in
            "\(Format.count(failure.count)) × \(failure.state) \(failure.name): \(failure.sample)"
        }
        lines += (report.thin ?? []).map { "hardly asked, which shows nothing: \($0)" }
        lines += report.table
        lines += report.sqliteFailures.map { "SQLite: \(Format.count($0.count)) × \($0.name) (\($0.state))" }
        lines += report.notices
        return lines + report.gaps.map { "not asked: \($0.words)" }
    }
}

extension Playbook {
    /// Runs step 5.10 with settings of its own.
    public func runLoad(_ options: LoadOptions, _ activity: Activity) throws {
        try run(LoadStep.id, activity, by: LoadStep(options: options))
    }

    /// What step 5.10 would do with such settings.
    public func previewLoad(_ options: LoadOptions, _ activity: Activity) throws -> Preview {
        try preview(LoadStep.id, activity, by: LoadStep(options: options))
    }

    /// The figures of the last load test of this mode, as long as they count.
    public func loadReport() -> LoadReport? {
        guard let entry = entry(of: LoadStep.id, mode), [.done, .failed, .undecided].contains(entry.kind)
        else { return nil }
        return entry.data.flatMap { Journal.decode(LoadReport.self, $0) }
    }
}

extension LoadStep {
    static let id = "5.10"
}
