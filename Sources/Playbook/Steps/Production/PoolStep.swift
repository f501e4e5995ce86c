import AppProject
import Foundation
import MigrationEngine
import Operations
import Postgres

/// What the operator says of the server and the application, for the size of a pool.
public struct PoolOptions: Sendable {
    /// Of the server; nil where howdah finds them, or nobody knows.
    public var cores: Int?
    /// How many of the application run at once.
    public var instances: Int

    public init(cores: Int? = nil, instances: Int = 1) {
        self.cores = cores
        self.instances = instances
    }
}

/// 6.2: the pool, and the server's settings.
struct PoolStep: FileOperation {
    static let id = "6.2"
    var options = PoolOptions()
    /// Settings to change, by their ids.
    var settings: [String] = []
    /// Whether the URL in .env gets its parameters.
    var editsURL = true

    var id: String { Self.id }

    func preview(_ context: StepContext) throws -> Preview {
        let report = try context.book.lookAtPool(options, context)
        var sections = [Preview.Section(report.pool.words, report.pool.reasons, .list)]
        let edit = try edit(report, context)
        sections += edit.changes.map { .init("\($0.verb) \($0.path)", $0.diff, .diff) }
        let chosen = try chosen(report)
        if !chosen.isEmpty {
            sections.append(
                .init("Runs on \(context.book.targetWords(context.mode))", chosen.map(\.sql), .sql))
        }
        if edit.changes.isEmpty, chosen.isEmpty {
            sections.append(.init("Changes nothing", ["what howdah may change says already what it should"]))
        }
        let byHand = report.pool.lines + edit.notes + edit.byHand
        if !byHand.isEmpty { sections.append(.init("By hand", byHand, .list)) }
        sections += report.settings.filter { !settings.contains($0.id) }.map {
            .init("\($0.name): \($0.present) → \($0.advised), by hand", Self.details($0), .list)
        }
        return Preview(
            sections,
            warning: try edit.changes.isEmpty
                ? nil : ProjectFolder(context).uncommitted(edit.changes.map(\.path), context))
    }

    static func details(_ setting: SettingAdvice) -> [String] {
        var lines = [
            setting.reason, "\(setting.sql);  (takes effect \(setting.takesEffect))", setting.source,
        ]
        if setting.isOwn { lines.append("howdah advise --apply \(setting.id) sets it") }
        return lines
    }

    private func chosen(_ report: PoolReport) throws -> [SettingAdvice] {
        try settings.map { id in
            guard let setting = report.settings.first(where: { $0.id == id }) else {
                throw Playbook.noAdvice(id)
            }
            return setting
        }
    }

    private func edit(_ report: PoolReport, _ context: StepContext) throws -> ProjectEdit {
        guard editsURL, context.workspace.location.projectDirectory != nil else { return ProjectEdit() }
        return try ProjectFolder(context).editor.urlParameters(report.pool.parameters)
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let report = try context.book.lookAtPool(options, context)
        let chosen = try chosen(report)
        var evidence: [String] = []
        let advisor = try PoolAdvisor(server: context.server(), cancellation: context.cancellation)
        for setting in chosen {
            evidence.append(
                try advisor.apply(setting) { try context.book.note(setting: $0, context.mode) })
        }
        let edit = try edit(report, context)
        let changes = edit.changes.filter { $0.before != $0.after }
        if !changes.isEmpty {
            try ProjectFolder(context).writer.write(changes) {
                try context.book.note(changes: $0, of: id, context.mode)
            }
            evidence += changes.map {
                "\($0.past) \($0.path): \(report.pool.parameters.joined(separator: ", "))"
            }
        }
        let now = chosen.isEmpty ? report : try context.book.lookAtPool(options, context)
        evidence = [now.words] + evidence + report.pool.reasons
        evidence += (report.pool.lines + edit.byHand).map { "by hand: \($0)" } + edit.notes
        evidence += now.settings.map { "by hand: \($0.name): \($0.present) → \($0.advised): \($0.sql)" }
        return StepOutcome(evidence: evidence)
    }

    // MARK: The way back

    func undoPreview(_ context: StepContext) throws -> Preview? {
        var preview = try filesUndoPreview(context)
        let sql = context.book.settingRecords(context.mode).map { PoolAdvisor.undoSQL($0) }
        if !sql.isEmpty { preview.sections.insert(.init("Runs on the target", sql, .sql), at: 0) }
        return preview
    }

    /// As part of the whole way back, the target is left as it is.
    func takeBack(_ context: StepContext) throws -> [String] {
        let records = context.book.settingRecords(context.mode)
        guard !records.isEmpty else { return [] }
        guard context.activity.step == id else { return ["the settings of the target stay"] }
        let advisor = try PoolAdvisor(server: context.server(), cancellation: context.cancellation)
        return try records.reversed().map { record in
            try advisor.undo(record) { try context.book.note(setting: $0, context.mode) }
        }
    }
}

extension Playbook {
    private func poolFile(_ mode: Mode) -> String { "advice/pool-\(mode.rawValue).json" }

    /// What the last look at this mode's server came to; nil before one.
    public var poolReport: PoolReport? {
        FileManager.default.contents(atPath: "\(workspace.state.path)/\(poolFile(mode))").flatMap {
            try? JSONDecoder().decode(PoolReport.self, from: $0)
        }
    }

    /// Looks at the server's connections and settings, and keeps what it finds.
    @discardableResult
    public func lookAtPool(_ options: PoolOptions, _ activity: Activity) throws -> PoolReport {
        try lookAtPool(options, context(activity))
    }

    func lookAtPool(_ options: PoolOptions, _ context: StepContext) throws -> PoolReport {
        let report = try PoolAdvisor(server: context.server(), cancellation: context.cancellation).report(
            client: try poolClient(context), cores: options.cores, instances: options.instances)
        _ = try workspace.state.folder("advice")
        try workspace.state.write(Journal.encode(report), to: poolFile(context.mode))
        return report
    }

    private func poolClient(_ context: StepContext) throws -> PoolAdvice.Client {
        guard workspace.location.projectDirectory != nil else { return .other }
        let editor = try ProjectFolder(context).editor
        if let major = editor.prismaMajor {
            return .prisma(
                major: major, parameters: editor.databaseURL.map { URLParameters.of($0.url) } ?? [:])
        }
        let names = frameworks.map(\.framework.name)
        return names.contains("Django") ? .django : names.contains("Rails") ? .rails : .other
    }

    // MARK: Settings that were changed

    private struct SettingNote: Codable {
        let target: String
        let setting: SettingRecord
    }

    private func settingTarget(_ mode: Mode) -> String {
        mode == .rehearsal ? mode.rawValue : liveTarget?.url ?? ""
    }

    func note(setting record: SettingRecord, _ mode: Mode) throws {
        try journal.add(
            .note, PoolStep.id, mode, "\(record.name): \(record.isUndone ? "as it was" : record.after)",
            data: Journal.encode(SettingNote(target: settingTarget(mode), setting: record)))
    }

    /// Settings of the mode's database that howdah has changed and not put back, oldest first, each with its first value.
    func settingRecords(_ mode: Mode) -> [SettingRecord] {
        var records: [SettingRecord] = []
        for entry in journal.entries
        where entry.subject == PoolStep.id && entry.kind == .note && entry.mode == mode {
            guard let note = entry.data.flatMap({ Journal.decode(SettingNote.self, $0) }),
                note.target == settingTarget(mode)
            else { continue }
            let record = note.setting
            let first = records.first { $0.name == record.name }
            records.removeAll { $0.name == record.name }
            guard !record.isUndone else { continue }
            records.append(
                SettingRecord(
                    name: record.name, database: record.database,
                    before: first.map(\.before) ?? record.before, after: record.after, isUndone: false))
        }
        return records
    }

    // MARK: The command

    /// What step 6.2 would do with such settings.
    public func previewPool(
        _ options: PoolOptions, settings: [String], editsURL: Bool, _ activity: Activity
    ) throws -> Preview {
        try preview(
            PoolStep.id, activity, by: PoolStep(options: options, settings: settings, editsURL: editsURL))
    }

    /// Runs step 6.2 with such settings.
    public func followPool(
        _ options: PoolOptions, settings: [String], editsURL: Bool, _ activity: Activity
    ) throws {
        try run(PoolStep.id, activity, by: PoolStep(options: options, settings: settings, editsURL: editsURL))
    }
}
