import AppProject
import Foundation
import MigrationEngine
import Operations
import Postgres

/// 6.6: what the server lacks to be set back to a moment, and in a rehearsal a try of the whole way.
struct PointInTimeStep: StepOperation {
    static let id = "6.6"
    var options = PointInTimeOptions()

    func preview(_ context: StepContext) throws -> Preview {
        let found = try look(context)
        let folder = Self.folder(context)
        var sections = [
            Preview.Section(
                "Looks at \(context.book.targetWords(context.mode)), and changes nothing there",
                found.report.lines)
        ]
        sections += found.files().map { .init("Writes \(folder)/\($0.name)", Self.shown($0.text)) }
        if isDrilling(context) {
            sections.append(
                .init(
                    "Then tries it on a private copy",
                    [
                        "the rehearsal stands still while its data is copied; sessions that are connected to it end",
                        "the copy archives its log, and a base backup is made of it, by the two scripts",
                        "rows of a table are deleted, and another table is dropped, in the copy",
                        "a third server is restored to the moment before, and compared with SQLite in every cell",
                        "a fourth one is restored to the moment after, in which the comparison must find the damage",
                        "all of them are stopped and removed, also after an error; after a kill the next drill does",
                    ]))
        }
        return Preview(sections)
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let found = try look(context)
        var record = PointInTimeRecord(
            places: found.places, report: found.report,
            files: context.book.pointInTimeRecord(context.mode)?.files ?? [:])
        var outcome = StepOutcome(evidence: [])
        if isDrilling(context) {
            if let tables = try drilledTables(context) {
                let report = try drill(tables, context)
                record.drill = report
                outcome.evidence = report.lines
                if !report.isProven { outcome.failure = report.headline }
            } else {
                outcome.evidence = [
                    "no drill yet: the rehearsal holds no rows to bring back; phase 3 loads them"
                ]
                outcome.open = 1
            }
        } else if context.mode == .rehearsal {
            outcome.evidence = ["not tried yet: howdah pitr PROJECT --drill, or this step, tries it"]
            outcome.open = 1
        }
        let sentence = record.drill?.sentence ?? context.book.pointInTimeRecord(.rehearsal)?.drill?.sentence
        outcome.evidence += try write(found.files(drill: sentence), &record, context)
        if context.mode == .live {
            outcome.evidence = found.report.lines + outcome.evidence
            outcome.open = found.report.open
        } else {
            outcome.evidence.append(
                "the private PostgreSQL itself is made for speed, and archives nothing; LIVE looks at your server"
            )
        }
        outcome.data = Journal.encode(record)
        return outcome
    }

    func undoPreview(_ context: StepContext) throws -> Preview? {
        let files = context.book.pointInTimeRecord(context.mode)?.files ?? [:]
        let folder = Self.folder(context)
        return Preview([
            .init(
                "Deletes what is as it was written",
                files.isEmpty
                    ? ["nothing: no file was written"] : files.keys.sorted().map { "\(folder)/\($0)" }, .list),
            .init(
                "Leaves", ["what was set on the server, and the scripts that were installed there: by hand"]),
        ])
    }

    func undo(_ context: StepContext) throws -> [String] {
        let folder = Self.folder(context)
        let files = context.book.pointInTimeRecord(context.mode)?.files ?? [:]
        return try files.sorted { $0.key < $1.key }.compactMap { name, digest in
            let path = "\(folder)/\(name)"
            guard access(path, F_OK) == 0 else { return nil }
            guard Self.digest(path) == digest else { return "\(path) was changed since, and stays" }
            try FileManager.default.removeItem(atPath: path)
            return "\(path) is gone"
        }
    }

    // MARK: Parts

    private func look(_ context: StepContext) throws -> PointInTimeDesk.Result {
        let before = context.book.pointInTimeRecord(context.mode)?.places
        let server = try context.server()
        return try PointInTimeDesk(
            server, places: try options.places(before: before, database: server.databaseName())
        ).look()
    }

    /// A drill belongs to the rehearsal; of a live target's it is only where it is asked for.
    private func isDrilling(_ context: StepContext) -> Bool {
        context.mode == .rehearsal && options.drills
    }

    /// The tables that the drill may damage, nil where nothing was loaded.
    private func drilledTables(_ context: StepContext) throws -> [PointInTimeDrill.Table]? {
        context.book.lookAtTarget(context.activity, always: true)
        guard case .some(.some(let status)) = context.book.status(context.mode), status.stage >= .constrained,
            let plan = try context.book.planIfAny()
        else { return nil }
        return plan.tables.filter { !$0.isSkipped }.map {
            PointInTimeDrill.Table(source: $0.name, schema: plan.schema, name: $0.targetName)
        }
    }

    private func drill(
        _ tables: [PointInTimeDrill.Table], _ context: StepContext
    ) throws -> PointInTimeDrillReport {
        guard let snapshot = try context.loadedSnapshot() else {
            throw MigrationError(
                .state, "the snapshot that the rehearsal was loaded from is gone",
                remedy: "Load the rehearsal anew, from step 1.2 on.", exit: .undecided)
        }
        let preparation = try context.book.preparation(context.mode, of: snapshot, activity: context.activity)
        let hints = context.workspace.location.hints
        return try PointInTimeDrill(
            context.workspace.state, tables: tables, cancellation: context.cancellation
        ) { server, names in
            try Validation(
                preparation: preparation, hints: hints, server: server, schema: preparation.plan.schema,
                workers: Playbook.workers, cancellation: context.cancellation, progress: context.progress
            ).run(tables: names)
        }.run()
    }

    // MARK: Files

    private static func folder(_ context: StepContext) -> String {
        let state = context.workspace.state.path
        return "\(state)/\(context.mode == .rehearsal ? "rehearsal/" : "")production/point-in-time"
    }

    private static func shown(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    private static func digest(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map {
            PlanFile.digest(String(decoding: $0, as: UTF8.self))
        }
    }

    /// Writes the files; one that was changed since it was written is kept under another name.
    private func write(
        _ files: [(name: String, text: String)], _ record: inout PointInTimeRecord, _ context: StepContext
    ) throws -> [String] {
        let folder = Self.folder(context)
        try makePrivateFolder(folder)
        var evidence: [String] = []
        for (name, text) in files {
            let path = "\(folder)/\(name)"
            let digest = PlanFile.digest(text)
            if let there = Self.digest(path), there != digest, there != record.files[name] {
                let kept = "\(path).\(there.prefix(8))"
                try FileManager.default.moveItem(atPath: path, toPath: kept)
                evidence.append("\(path) was changed by somebody, and is kept as \(kept)")
            }
            try writeFile(path, Array(text.utf8), mode: name.hasSuffix(".sh") ? 0o700 : 0o600)
            record.files[name] = digest
            evidence.append("wrote \(path)")
        }
        return evidence
    }
}

/// What `howdah pitr` is told.
public struct PointInTimeOptions: Sendable {
    public var drills: Bool
    public var archive: String?
    public var bases: String?
    public var keep: Int?

    public init(drills: Bool = true, archive: String? = nil, bases: String? = nil, keep: Int? = nil) {
        self.drills = drills
        self.archive = archive
        self.bases = bases
        self.keep = keep
    }

    /// What is named now counts more than what was named before, and that more than what is proposed.
    func places(before: PointInTimePlaces?, database: String) -> PointInTimePlaces {
        var places = before ?? PointInTimePlaces(database: database)
        if let archive { places.archive = absolutePath(archive) }
        if let bases {
            places.bases = absolutePath(bases)
            places.isNamed = true
        }
        if let keep { places.keep = keep }
        return places
    }
}

/// What step 6.6 keeps.
struct PointInTimeRecord: Codable {
    var places: PointInTimePlaces
    var report: PointInTimeReport
    var drill: PointInTimeDrillReport?
    /// The digests of the files as they were written, by name.
    var files: [String: String]
}

extension Playbook {
    /// What step 6.6 wrote last; nil where it was undone.
    func pointInTimeRecord(_ mode: Mode) -> PointInTimeRecord? {
        let entry = journal.last(PointInTimeStep.id, mode) {
            $0.kind == .undone || $0.data != nil
        }
        return entry?.data.flatMap { Journal.decode(PointInTimeRecord.self, $0) }
    }

    /// What was found last, and the drill, for the command.
    public func pointInTime() -> (report: PointInTimeReport, drill: PointInTimeDrillReport?)? {
        pointInTimeRecord(mode).map { ($0.report, $0.drill) }
    }

    /// Runs step 6.6 with settings of its own.
    public func runPointInTime(_ options: PointInTimeOptions, _ activity: Activity) throws {
        try run(PointInTimeStep.id, activity, by: PointInTimeStep(options: options))
    }

    /// What step 6.6 would do with such settings.
    public func previewPointInTime(_ options: PointInTimeOptions, _ activity: Activity) throws -> Preview {
        try preview(PointInTimeStep.id, activity, by: PointInTimeStep(options: options))
    }
}
