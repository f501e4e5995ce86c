import Foundation
import MigrationEngine

/// C.1: brings the target up to now, and compares every cell, while the application goes on.
struct CutoverPreparation: StepOperation {
    func preview(_ context: StepContext) throws -> Preview {
        try context.book.refuseSwitched("C.1")
        let base = try context.following().base()
        return Preview([
            .init(
                "While the application goes on",
                [
                    "takes a new snapshot of \(context.workspace.source.path)",
                    "carries what was inserted, changed and deleted since \(base.snapshot.time)",
                    "compares every cell of every table with \(context.book.targetWords(context.mode))",
                ], .list),
            .init(
                "Then C.2 has little left to carry",
                ["It may be run again at any time; the application notices nothing."]),
        ])
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        try context.book.refuseSwitched("C.1")
        let prepared = try context.following().prepare()
        let snapshot = prepared.preparation.snapshot
        guard [.proven, .quarantined].contains(prepared.report.outcome) else {
            let differing = prepared.report.tables.filter { $0.verdict == "differs" }
            return StepOutcome(
                evidence: differing.map {
                    "\($0.name): \(Format.count($0.differences, "row differs", "rows differ"))"
                },
                failure: "the target is not equal to the snapshot of \(snapshot.time)", data: nil)
        }
        try context.book.noteFollowed(
            prepared.preparation, prepared.report, "caught up, while the application ran")
        try context.book.removeOvertaken(by: snapshot)
        return StepOutcome(
            evidence: [
                prepared.outcome.words,
                "every cell of \(Format.count(prepared.report.tables.count, "table", "tables")) equal, as of \(snapshot.time)",
            ] + prepared.outcome.tables.map(Self.line), data: snapshot.sha256)
    }

    static func line(_ table: CatchUp.Outcome.Table) -> String {
        table.isWhole
            ? "\(table.name): loaded again as a whole, \(Format.count(table.compared, "row", "rows"))"
            : "\(table.name): +\(Format.count(table.inserted)) ~\(Format.count(table.updated)) −\(Format.count(table.deleted))"
    }
}

/// C.2: nobody writes any more; the rest is carried and proven, and the settings lead to PostgreSQL.
struct CutoverSwitch: StepOperation {
    /// How long writers may take to end what they have begun.
    private static let patience = Duration.seconds(30)

    func preview(_ context: StepContext) throws -> Preview {
        if let record = context.book.cutoverRecord() {
            return Preview([.init("Has been done", Self.known(record))])
        }
        let commands = ApplicationCommands.read(context.workspace.state)
        var sections = [
            Preview.Section(
                "From here on nobody writes",
                [
                    commands.stop.map { "runs: \($0)" }
                        ?? "Stop the application now, or leave it: what it writes has to wait, and fails after its own patience.",
                    "holds SQLite's write lock on \(context.workspace.source.path), and writes nothing to it",
                ], .list),
            .init(
                "Meanwhile",
                [
                    "compares the file page by page with the last snapshot",
                    "carries the rows that differ, and compares each of their cells, in one transaction",
                    "changes the settings below",
                    commands.start.map { "runs: \($0)" }
                        ?? "then you start the application: it uses PostgreSQL",
                ], .list),
        ]
        let book = context.book
        var part = context
        part.isCutover = true
        for id in book.pendingSettings() {
            guard let operation = Playbook.operations[id], let step = Phases.step(id) else { continue }
            let parts = try operation.preview(part).sections
            // The lines of each file are what the step itself shows.
            let changes = parts.filter { $0.style == .diff }.map(\.title)
            let others = parts.filter { $0.style != .diff }.flatMap {
                [$0.title + ":"] + $0.lines.map { "  \($0)" }
            }
            sections.append(.init("\(id) \(step.title)", changes + others, .list))
        }
        let byHand = book.settingsByHand()
        if !byHand.isEmpty {
            sections.append(
                .init(
                    "By hand, before the application is started",
                    byHand.compactMap { Phases.step($0) }.map { "\($0.id) \($0.title): \($0.purpose)" }, .list
                ))
        }
        return Preview(
            sections,
            warning:
                "If anything fails, what was changed is brought back, and SQLite is as it was. Until C.4, u on this step leads back."
        )
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let book = context.book
        if let record = book.cutoverRecord() {
            return StepOutcome(evidence: Self.known(record), data: Journal.encode(record))
        }
        let commands = ApplicationCommands.read(context.workspace.state)
        let following = try context.following()
        let settings = book.pendingSettings()
        let database = try context.server().identity()
        // The long part, while the application may still write.
        let last = try following.begin(book.cachedPreparation)
        var clock = PartClock()
        var evidence: [String] = []
        if let stop = commands.stop {
            evidence += try ApplicationCommands.run(stop, "stop", context)
            clock.end("stop")
        }
        var done: [String] = []
        do {
            let hold = try SourceHold(
                context.workspace.source, timeout: Self.patience, cancellation: context.cancellation)
            book.keep(hold)
            clock.end("hold")
            let (preparation, outcome) = try following.finish(last, hold)
            clock.end("carry and compare")
            for id in settings {
                done.append(id)
                try context.runPart(id)
            }
            if !settings.isEmpty { clock.end("settings") }
            let standstill = clock.total
            try book.noteFollowed(preparation, nil, "the last one, with nobody writing")
            var record = CutoverRecord(
                snapshot: preparation.snapshot.sha256, time: preparation.snapshot.time,
                standstill: standstill,
                parts: clock.parts, carried: outcome, database: database)
            // From here on it is switched, whatever becomes of the rest: the way back is a whole one.
            try book.journal.add(.note, "C.2", .live, "switched", data: Journal.encode(record))
            let started = start(commands, context)
            clock.end("start")
            if commands.start != nil { record.parts = clock.parts }
            record.startFailure = started.first { $0.hasPrefix("! ") }.map { String($0.dropFirst(2)) }
            let byHand = book.settingsByHand()
            let until =
                settings.isEmpty && !byHand.isEmpty
                ? "until the rest was proven; the settings are yours to change now"
                : "until the settings led to PostgreSQL"
            return StepOutcome(
                evidence: [
                    "nobody could write for \(Format.seconds(standstill)), \(until)",
                    outcome.tables.isEmpty ? outcome.words : outcome.words + ", each of their cells compared",
                    record.parts.map { "\($0.name) \(Format.seconds($0.seconds))" }.joined(separator: ", "),
                ] + evidence + started, data: Journal.encode(record))
        } catch {
            throw failed(error, done, stopped: commands.stop != nil, commands, context)
        }
    }

    /// What there is to say of a switch that was interrupted after it was done.
    private static func known(_ record: CutoverRecord) -> [String] {
        [
            "the settings have led to PostgreSQL since \(record.time); nobody could write for \(Format.seconds(record.standstill))",
            "look whether the application runs; start it otherwise",
        ]
    }

    /// Starts the application on PostgreSQL. It may have written there when its command fails: that is no reason to turn back unasked.
    private func start(_ commands: ApplicationCommands, _ context: StepContext) -> [String] {
        guard let start = commands.start else { return ["start the application now: it uses PostgreSQL"] }
        do {
            return try ApplicationCommands.run(start, "start", context)
        } catch {
            let error = Playbook.explained(error)
            return [
                "! \(error.message)",
                "look whether the application runs; start it by hand, or go back with u on C.2",
            ]
        }
    }

    /// Brings back what was changed, lets writers go on, and says where the application stands.
    private func failed(
        _ error: any Error, _ settings: [String], stopped: Bool, _ commands: ApplicationCommands,
        _ context: StepContext
    ) -> any Error {
        let original = Playbook.explained(error)
        // The wish to cancel has been heard: what follows is the way back from it.
        let back = context.uncancelled
        var notes: [String] = []
        for id in settings.reversed() where !context.book.changes(of: id, .live).isEmpty {
            do {
                try context.book.undoPart(id, back)
            } catch {
                notes.append("step \(id) is not back: \(Playbook.explained(error).message)")
            }
        }
        context.book.keep(nil)
        if stopped, notes.isEmpty {
            do {
                if let start = commands.start {
                    _ = try ApplicationCommands.run(start, "start", back)
                    notes.append("the application runs on SQLite again")
                } else {
                    notes.append("the application is stopped: start it, it uses SQLite as before")
                }
            } catch {
                notes.append("the application could not be started: \(Playbook.explained(error).message)")
            }
        }
        return MigrationError(
            original.code, ([original.message] + notes).joined(separator: "; "),
            remedy: original.remedy + " Nothing was switched.", exit: original.exit)
    }

    func undoPreview(_ context: StepContext) throws -> Preview? { try WayBack(context).preview() }

    func undo(_ context: StepContext) throws -> [String] { try WayBack(context).run() }
}

/// C.3: tries what the application will do, by the settings that it has.
struct CutoverSmokeTest: StepOperation {
    func preview(_ context: StepContext) throws -> Preview {
        let smoke = ApplicationCommands.read(context.workspace.state).smoke
        return Preview([
            .init(
                "Connects as the application does, by the URL in its settings, and looks",
                [
                    "whether it leads to the database that was proven",
                    "whether it may read and write every table, and take numbers from every sequence",
                    "whether the newest rows can be read", "who else is connected",
                ], .list),
            .init(
                "Then",
                [
                    smoke.map { "runs: \($0)" }
                        ?? "try the application yourself: sign in, read and write a message"
                ],
                .list),
        ])
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        var evidence = try SmokeTest(context).run()
        if let smoke = ApplicationCommands.read(context.workspace.state).smoke {
            evidence += try ApplicationCommands.run(smoke, "try", context, url: context.clientURL().url)
        }
        return StepOutcome(evidence: evidence)
    }
}

/// C.4: the application is on PostgreSQL; writers to SQLite are let go.
struct CutoverEnd: StepOperation {
    func preview(_ context: StepContext) throws -> Preview {
        Preview([
            .init(
                "Ends the cutover",
                [
                    "looks whether anybody has written to SQLite since",
                    "lets go of its write lock",
                    "has the server look at every row of the foreign keys once more",
                ], .list),
            .init(
                "From here on the way back is 0, rollback",
                ["Rows that the application writes to PostgreSQL are then exported first."]),
        ])
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let book = context.book
        guard let record = book.cutoverRecord() else {
            throw MigrationError(
                .state, "nothing was switched yet", remedy: "Run C.2 first.", exit: .undecided)
        }
        let written = try book.pagesWritten(since: record, context.cancellation)
        guard written == 0 else {
            throw MigrationError(
                .sourceBusy,
                "\(context.workspace.source.path) was written to after the switch: \(Format.count(written, "page differs", "pages differ"))",
                remedy:
                    "Something still uses SQLite, and PostgreSQL lacks what it wrote. Stop it; then go back and cut over again: howdah cutover --back --keep-sqlite keeps what SQLite has now.",
                exit: .undecided)
        }
        let keys = try context.following().validateKeys()
        book.keep(nil)
        return StepOutcome(
            evidence: [
                "SQLite holds what it held at \(record.time): nobody has written to it since",
                "nobody could write for \(Format.seconds(record.standstill))",
            ]
                + (keys > 0
                    ? ["\(Format.count(keys, "foreign key", "foreign keys")) looked at once more, every row"]
                    : []))
    }
}

extension Playbook {
    /// Throws where the application is on PostgreSQL already: what SQLite has got since is no business of the target's any more.
    func refuseSwitched(_ id: String) throws {
        guard let record = cutoverRecord() else { return }
        throw MigrationError(
            .state, "\(id) is behind us: the settings have led to PostgreSQL since \(record.time)",
            remedy: "Go on with C.3 and C.4; or back: undo C.2, or 0, rollback.", exit: .undecided)
    }
}

/// How long each part of something took.
struct PartClock {
    private let start = ContinuousClock.now
    private var last = ContinuousClock.now
    private(set) var parts: [CutoverRecord.Part] = []

    mutating func end(_ name: String) {
        let now = ContinuousClock.now
        parts.append(.init(name: name, seconds: ((now - last).seconds * 1000).rounded() / 1000))
        last = now
    }

    /// Seconds until the last part's end.
    var total: Double { ((last - start).seconds * 1000).rounded() / 1000 }
}

extension Playbook {
    /// Pages of the source that differ from what it held at the switch.
    func pagesWritten(since record: CutoverRecord, _ cancellation: Cancellation) throws -> Int {
        let store = try SnapshotStore(workspace.state, cancellation: cancellation)
        guard let snapshot = store.snapshots().last(where: { $0.sha256 == record.snapshot }) else {
            throw MigrationError(
                .state, "the snapshot of \(record.time) is gone from \(workspace.state.path)/snapshots",
                remedy: "Put it back from your backup of that folder.", exit: .undecided)
        }
        if let hold { return try snapshot.changedPages(hold, cancellation: cancellation) }
        return try snapshot.changedPages(workspace.source, cancellation: cancellation)
    }
}
