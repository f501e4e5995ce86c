import Foundation
import MigrationEngine
import Operations
import Postgres

/// Backups and restore drills, for commands and steps.
extension Playbook {
    // MARK: What was written

    /// What step 6.4 has written for the mode's target, as long as it is there.
    public func backupRecord(_ mode: Mode) -> BackupRecord? {
        let url = mode == .live ? liveURL : nil
        let records = journal.entries.filter {
            $0.subject == DatabaseBackupStep.id && $0.mode == mode && $0.kind == .note
        }
        let last = records.lazy.reversed().compactMap {
            $0.data.flatMap { Journal.decode(BackupRecord.self, $0) }
        }
        .first { url == nil || $0.settings.url == url }
        return last.flatMap { $0.files.isEmpty ? nil : $0 }
    }

    /// Writes down what is about to be there, or, without files, that it is gone.
    func noteBackup(_ record: BackupRecord, _ mode: Mode, _ text: String = "the files of the backups") throws
    {
        try journal.add(
            .note, DatabaseBackupStep.id, mode, text,
            evidence: record.files.map { "\($0.path) (sha256 \($0.sha256.prefix(12)))" },
            data: Journal.encode(record))
    }

    func backupDesk(_ context: StepContext) throws -> BackupDesk {
        let state = context.workspace.state
        let isRehearsal = context.mode == .rehearsal
        let target = isRehearsal ? "rehearsal" : liveURL ?? ""
        return BackupDesk(
            server: try context.server(),
            rehearsal: isRehearsal
                ? (state.path, try state.folder("rehearsal/production/backup")) : nil,
            call: HowdahCall(
                program: Self.lastingProgram,
                arguments: [context.workspace.openPath, target, "--state", state.path]),
            source: context.workspace.source.path, statePasswords: "\(state.path)/pgpass",
            cancellation: context.cancellation, progress: context.progress)
    }

    /// howdah's own path, where it lies to stay: not where it was built.
    private static var lastingProgram: String? {
        #if os(Linux)
            let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        #else
            let path = Bundle.main.executablePath
        #endif
        guard let path, path.hasPrefix("/"), !path.contains("/.build/"),
            !path.hasPrefix(FileManager.default.temporaryDirectory.path)
        else { return nil }
        return path
    }

    // MARK: For commands

    /// Asks the mode's target how far it is; throws where it cannot be reached, of which a step would say only that it waits.
    public func reachTarget(_ activity: Activity) throws {
        guard mode == .live || RehearsalCluster.exists(workspace.state) else { return }
        _ = try server(mode, cancellation: activity.cancellation).databaseName()
        lookAtTarget(activity, always: true)
    }

    /// Runs step 6.4 with settings of its own.
    public func runBackups(_ options: BackupOptions, _ activity: Activity) throws {
        try run(DatabaseBackupStep.id, activity, by: DatabaseBackupStep(options: options))
    }

    /// What step 6.4 would do with such settings.
    public func previewBackups(_ options: BackupOptions, _ activity: Activity) throws -> Preview {
        try preview(DatabaseBackupStep.id, activity, by: DatabaseBackupStep(options: options))
    }

    /// What taking the backups away would do, with what builds on them.
    public func previewBackupRemoval(_ activity: Activity) throws -> Preview {
        try DatabaseBackupStep().undoPreview(context(activity)) ?? Preview([])
    }

    /// Makes one more backup, by the script that is there, and looks at it.
    public func backUpNow(_ activity: Activity) throws -> (backup: MadeBackup, finding: BackupFinding) {
        let context = context(activity)
        let desk = try backupDesk(context)
        let settings = try standingRecord(context, desk).settings
        let made = try desk.makeNow(settings)
        let finding = try desk.check(settings)
        try journal.add(
            .note, DatabaseBackupStep.id, mode, "a backup was made: \(made.file)", evidence: finding.lines)
        return (made, finding)
    }

    /// What the newest backup is worth; older than `hours` is stale. Writes nothing.
    public func checkBackups(limit hours: Double, _ activity: Activity) throws -> BackupFinding {
        let context = context(activity)
        guard let record = backupRecord(mode) else { throw Self.noBackups(mode) }
        return try backupDesk(context).check(record.settings, limit: hours)
    }

    /// The record of step 6.4, its files written anew where the place of the database is another one by now.
    func standingRecord(_ context: StepContext, _ desk: BackupDesk) throws -> BackupRecord {
        guard let record = backupRecord(context.mode) else { throw Self.noBackups(context.mode) }
        guard context.mode == .rehearsal else { return record }
        return try desk.refresh(record) { [self] in try noteBackup($0, context.mode) }
    }

    private static func noBackups(_ mode: Mode) -> MigrationError {
        MigrationError(
            .state, "no backups are set up for \(mode == .live ? "this target" : "the rehearsal") yet",
            remedy: "Set them up first: howdah backup PROJECT TARGET, or step 6.4.", exit: .undecided)
    }

    // MARK: Drills

    /// For how many days a drill counts.
    public static var drillDays: Int { Freshness.limits[DrillStep.id]?.days ?? 0 }

    /// The last drill of a new backup that was proven, and when; of this mode, as long as it counts.
    public func lastDrill() -> (report: DrillReport, date: Date)? {
        guard let entry = entry(of: DrillStep.id, mode), entry.kind == .done,
            let report = entry.data.flatMap({ Journal.decode(DrillReport.self, $0) }),
            let date = Freshness.date(entry.time)
        else { return nil }
        return (report, date)
    }

    /// Runs step 6.5: drills a new backup. Throws what kept it from an end.
    public func runDrill(_ activity: Activity) throws -> DrillReport? {
        try run(DrillStep.id, activity, by: DrillStep())
        return entry(of: DrillStep.id, mode)?.data.flatMap { Journal.decode(DrillReport.self, $0) }
    }

    /// What step 6.5 would do.
    public func previewDrill(_ activity: Activity) throws -> Preview {
        try preview(DrillStep.id, activity, by: DrillStep())
    }

    /// Drills a dump that is there. What is found wrong with one of the backups counts as step 6.5's failure; that an older one could be
    /// restored, and what becomes of any other file, is a remark, and renews nothing.
    public func drill(file: String, _ activity: Activity) throws -> DrillReport {
        let context = context(activity)
        let report = try DrillStep.drill(context, file: file).report
        let folder = (absolutePath(file) as NSString).deletingLastPathComponent
        let isBackup = backupRecord(mode)?.settings.folder == folder
        try journal.add(
            report.verdict == .proven || !isBackup ? .note : .failed, DrillStep.id, mode, report.headline,
            evidence: report.lines, data: Journal.encode(report))
        return report
    }
}
