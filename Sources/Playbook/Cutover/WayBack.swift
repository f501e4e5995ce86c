import AppProject
import Foundation
import MigrationEngine

/// Everything back to SQLite: what the application wrote to PostgreSQL is exported, the settings and the code are brought back byte for byte,
/// the SQLite file holds what it held.
///
/// Each part looks at what is there, and does what is left of it, so that a rollback that was interrupted goes on by being run again. The target
/// keeps its tables: nothing is removed from it.
struct WayBack {
    private let context: StepContext
    private let commands: ApplicationCommands

    init(_ context: StepContext) {
        self.context = context
        commands = ApplicationCommands.read(context.workspace.state)
    }

    private var book: Playbook { context.book }
    private var isLive: Bool { context.mode == .live }

    // MARK: What would be done

    func preview() throws -> Preview {
        guard !isLive || !isNothing else {
            return Preview([.init("Brings back", Self.nothing, .list)])
        }
        var sections: [Preview.Section] = []
        var warning: String?
        var confirmation: String?
        if isLive {
            sections.append(
                .init(
                    "Stops the application",
                    [
                        commands.stop.map { "runs: \($0)" }
                            ?? "by you, before you go on: nothing that it writes meanwhile would be kept"
                    ], .list))
            sections.append(.init("Exports what PostgreSQL has and SQLite has not", [try written()], .list))
            let source = try sourceState()
            sections.append(.init("The SQLite file", [source.words], .list))
            if case .differs(let snapshot, let pages) = source {
                warning =
                    "SQLite was written to after the switch (\(Format.count(pages, "page", "pages"))). What is there is kept aside, and the state of "
                    + "\(snapshot.time) comes back; with --keep-sqlite it stays as it is."
                confirmation = "restore"
            }
        }
        let steps = book.changedSteps.reversed()
        var files: [String] = []
        var conflicts: [String] = []
        for id in steps {
            guard let operation = Playbook.operations[id], let preview = try operation.undoPreview(context)
            else { continue }
            files += preview.sections.flatMap(\.lines)
            if let confirmed = preview.confirmation {
                conflicts.append(preview.warning ?? "")
                confirmation = confirmation ?? confirmed
            }
        }
        sections.append(
            .init("Brings back, byte for byte", files.isEmpty ? ["every file is as it was"] : files, .list))
        if isLive {
            sections.append(
                .init(
                    "Starts the application",
                    [commands.start.map { "runs: \($0)" } ?? "by you: it uses SQLite again"], .list))
        }
        return Preview(
            sections,
            warning: ([warning].compactMap(\.self) + conflicts).isEmpty
                ? nil : ([warning].compactMap(\.self) + conflicts).joined(separator: "\n"),
            confirmation: confirmation)
    }

    /// What becomes of the rows that the target has got since.
    private func written() throws -> String {
        guard !book.ignoresTarget else { return "nothing: the target is left out, as was asked" }
        guard let base = try base() else {
            return "nothing: nothing was switched, and no loaded run is there"
        }
        return
            "compares every row with the snapshot of \(base.snapshot.time), and writes those that differ into \(folder("rows"))-TIME"
    }

    /// What the target was loaded from; nil where nothing can have been written to it. After a switch there must be one.
    private func base() throws -> Following.Base? {
        do {
            let following = try context.following()
            let isSwitched = book.cutoverRecord() != nil
            if isSwitched, let base = try following.remembered() { return base }
            do {
                return try following.base()
            } catch let error as MigrationError where error.code == .interruptedRun && !isSwitched {
                return nil
            }
        } catch {
            let error = Playbook.explained(error)
            throw MigrationError(
                error.code, "what the application wrote to PostgreSQL cannot be exported: \(error.message)",
                remedy: error.remedy + "\nTo go back without those rows, add --without-target.",
                exit: error.exit)
        }
    }

    // MARK: Doing it

    func run() throws -> [String] {
        var done: [String] = []
        if isLive {
            guard !isNothing else { return Self.nothing }
            if let stop = commands.stop {
                done += try part("stop the application") {
                    try ApplicationCommands.run(stop, "stop", context)
                }
            }
            do {
                done += try part("rows of PostgreSQL") { try export() }
            } catch {
                throw unexported(error)
            }
        }
        for id in book.changedSteps.reversed() {
            done += try part("step \(id)") {
                try book.undoPart(id, context)
                return [
                    "\(id): " + (book.entry(of: id, context.mode)?.evidence.joined(separator: ", ") ?? "back")
                ]
            }
        }
        guard isLive else { return done + (try verify()) }
        done += try part("the SQLite file") { try restore() }
        done += try verify()
        // From here on SQLite is the application's again: run once more, this must not put it back once more.
        book.keep(nil)
        try book.forgetCutover(context.mode)
        guard let start = commands.start else {
            return done + ["start the application: it uses SQLite again"]
        }
        do {
            return done
                + (try part("start the application") { try ApplicationCommands.run(start, "start", context) })
        } catch {
            // All else is back: that stays so, and is said.
            return done + [
                "! \(Playbook.explained(error).message)",
                "start the application by hand: it uses SQLite again",
            ]
        }
    }

    private var isNothing: Bool { book.changedSteps.isEmpty && book.cutoverRecord() == nil }

    private static let nothing = [
        "nothing to bring back: no file is changed, and nothing was switched",
        "no row of PostgreSQL is exported: howdah diff shows what it has and SQLite has not",
    ]

    /// Nothing is changed yet: the application goes on as it was.
    private func unexported(_ error: any Error) -> MigrationError {
        let original = Playbook.explained(error)
        guard commands.stop != nil else { return original }
        var words = "the application is stopped"
        if let start = commands.start {
            do {
                _ = try ApplicationCommands.run(start, "start", context.uncancelled)
                words = "the application was started again, as it was"
            } catch {
                words =
                    "the application is stopped, and could not be started: \(Playbook.explained(error).message)"
            }
        }
        return MigrationError(
            original.code, "\(original.message); nothing was changed; \(words)", remedy: original.remedy,
            exit: original.exit)
    }

    /// Does a part, and notes it: after a crash the journal tells how far it was.
    private func part(_ name: String, _ body: () throws -> [String]) throws -> [String] {
        try context.cancellation.check()
        CrashPoint.pass("\(name) before")
        let done = try body()
        CrashPoint.pass("\(name) after")
        try book.journal.add(.note, "R", context.mode, name, evidence: done)
        return done
    }

    private func folder(_ name: String) -> String {
        "\(context.workspace.state.path)/rollback/\(name)"
    }

    private func export() throws -> [String] {
        guard !book.ignoresTarget, let base = try base() else { return [] }
        try refuseConnected()
        let following = try context.following()
        let rows = try RowsSince(
            preparation: following.preparation(base, base.snapshot), server: following.server,
            state: context.workspace.state, workers: Playbook.workers, cancellation: context.cancellation,
            progress: context.progress)
        let tables = try rows.count()
        let unknown = try rows.unknownTables()
        let notes =
            unknown.isEmpty
            ? []
            : [
                "tables that the plan does not know stay in PostgreSQL alone: \(unknown.joined(separator: ", "))"
            ]
        guard !tables.isEmpty else { return ["PostgreSQL has no row that SQLite has not"] + notes }
        let time = Date().formatted(.iso8601).replacing(":", with: "-")
        let folder = folder("rows-\(time)")
        let written = try rows.write(tables, to: folder)
        try context.workspace.state.write(
            Journal.encode(
                Manifest(snapshot: base.snapshot.sha256, time: time, tables: written, unknownTables: unknown))
                + "\n",
            to: "rollback/rows-\(time)/manifest.json")
        return ["rows that PostgreSQL has and SQLite has not are in \(folder)"] + written.map(Self.line)
            + notes
    }

    private static func line(_ table: RowsSince.Table) -> String {
        if let obstacle = table.obstacle { return "\(table.name): not exported: \(obstacle)" }
        if table.isWhole { return "\(table.name): the whole table, since its rows cannot be told one by one" }
        return
            "\(table.name): \(Format.count(table.inserted)) new, \(Format.count(table.changed)) changed, \(Format.count(table.deleted)) deleted"
    }

    /// Throws where somebody is connected who may write what the export no longer sees.
    private func refuseConnected() throws {
        guard commands.stop == nil, !book.toleratesConnections else { return }
        let others = try SmokeTest.othersConnected(context.server())
        guard others > 0 else { return }
        throw MigrationError(
            .state,
            "\(Format.count(others, "connection", "connections")) of others to the target: what they write from here on would be in no file",
            remedy: "Stop the application, and run this again. Where they only read, add --connected.",
            exit: .undecided)
    }

    private struct Manifest: Encodable {
        let snapshot: String
        let time: String
        let tables: [RowsSince.Table]
        let unknownTables: [String]
    }

    // MARK: The SQLite file

    private enum SourceState {
        /// It is the application's own: nothing was switched.
        case own
        case asSwitched(String)
        /// As the operator wishes.
        case kept
        case differs(Snapshot, pages: Int)
        case missing(Snapshot)

        var words: String {
            switch self {
            case .own: "stays as it is: the application has written to it all the time"
            case .kept: "stays as it is now, with what was written to it after the switch"
            case .asSwitched(let time): "holds what it held at the switch, \(time): it stays as it is"
            case .differs(let snapshot, _): "is put back to \(snapshot.time)"
            case .missing(let snapshot): "is gone: the snapshot of \(snapshot.time) takes its place"
            }
        }
    }

    private func sourceState() throws -> SourceState {
        let store = try SnapshotStore(context.workspace.state, cancellation: context.cancellation)
        let record = book.cutoverRecord()
        let snapshots = store.snapshots()
        let wanted =
            record.flatMap { record in snapshots.last { $0.sha256 == record.snapshot } } ?? snapshots.last
        guard access(context.workspace.source.path, F_OK) == 0 else {
            guard let wanted else {
                throw MigrationError(
                    .sourceNotFound,
                    "\(context.workspace.source.path) is gone, and there is no snapshot of it",
                    remedy: "Restore it from your own backup.")
            }
            return .missing(wanted)
        }
        guard let record else { return .own }
        if book.keepsSource { return .kept }
        let pages = try book.pagesWritten(since: record, context.cancellation)
        guard pages > 0, let wanted else { return .asSwitched(record.time) }
        return .differs(wanted, pages: pages)
    }

    private func restore() throws -> [String] {
        let state = try sourceState()
        let snapshot: Snapshot
        switch state {
        case .own, .asSwitched, .kept: return ["\(context.workspace.source.path) \(state.words)"]
        case .differs(let wanted, _), .missing(let wanted): snapshot = wanted
        }
        // What is held by this howdah counts as open.
        book.keep(nil)
        let time = Date().formatted(.iso8601).replacing(":", with: "-")
        return try SourceReplacement(
            path: context.workspace.source.path, snapshot: snapshot, cancellation: context.cancellation
        ).run(keepingIn: folder("sqlite-\(time)"))
    }

    // MARK: Looking at it

    /// What is there now, part by part.
    private func verify() throws -> [String] {
        let left = book.changedSteps
        guard left.isEmpty else {
            throw MigrationError(
                .projectFile, "not back yet: the files of \(left.joined(separator: ", "))",
                remedy: "Run the rollback again.")
        }
        guard isLive, let record = book.cutoverRecord(), !book.keepsSource else {
            return ["every file of the project is as it was"]
        }
        let pages = try book.pagesWritten(since: record, context.cancellation)
        guard pages == 0 else {
            throw MigrationError(
                .sourceBusy,
                "\(context.workspace.source.path) is being written to: it is not as it was at the switch",
                remedy: "Stop the application, and run the rollback again.", exit: .undecided)
        }
        return [
            "every file of the project is as it was", "SQLite holds what it held at the switch, page by page",
        ]
    }
}

/// R: the whole way back, at any moment.
struct RollbackStep: StepOperation {
    func preview(_ context: StepContext) throws -> Preview { try WayBack(context).preview() }

    func run(_ context: StepContext) throws -> StepOutcome {
        StepOutcome(evidence: try WayBack(context).run())
    }
}

extension Playbook {
    /// After a rollback the steps of a cutover have not been done.
    func forgetCutover(_ mode: Mode) throws {
        for step in Phases.cutover.steps {
            guard let entry = entry(of: step.id, mode), ![.undone, .unticked].contains(entry.kind) else {
                continue
            }
            try journal.add(.undone, step.id, mode, "by the rollback")
        }
    }
}
