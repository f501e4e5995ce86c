import Foundation
import MigrationEngine

/// What was written for a database's backups, as the journal keeps it: what an undo may take away, and what it may not.
public struct BackupRecord: Codable, Sendable, Equatable {
    public struct Written: Codable, Sendable, Equatable {
        public let path: String
        /// Of what was written.
        public var sha256: String
        /// Of what was there before, as long as the writing has not ended: who is killed then has left that.
        var before: String?
    }

    public var settings: BackupSettings
    public var files: [Written]
    /// Folders that were not there before, the innermost first.
    public var folders: [String]
    public var scheduler: SystemPlaces.Scheduler
    /// The user's crontab before; nil where it was not touched.
    public var crontabBefore: String?
    /// Whether the schedule was started.
    public var isScheduled: Bool
    /// What the last drill measured, for the guide.
    var times: RestoreGuide.Times?
}

/// A file to be written for backups.
public struct BackupFile: Sendable {
    public let path: String
    public let content: String
    let mode: mode_t
    /// Whether it holds a password, and is never shown.
    public let isSecret: Bool
    /// Whether it starts backups by being there: then it comes last.
    var starts = false

    /// What is shown of it, line by line.
    public var shown: [String] {
        if isSecret { return ["a line of pgpass with the password, which is not shown here"] }
        return content.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }
}

/// Writes the files of a database's backups, has the machine start them every day, and takes all of it away again.
///
/// `note` is called with what is about to be there before it is there; it is on the disk when that returns.
struct BackupInstallation {
    let settings: BackupSettings
    let files: [BackupFile]
    let scheduler: SystemPlaces.Scheduler
    let places: SystemPlaces
    /// What an earlier call has left; nil before.
    let before: BackupRecord?
    let note: (BackupRecord) throws -> Void
    let cancellation: Cancellation

    private var unit: String { ScheduleFiles.unitName(settings) }

    /// The commands by which the schedule is started, as they are shown.
    var commands: [String] {
        switch scheduler {
        case .system, .user:
            starting.map { places.systemctlWords($0).joined(separator: " ") }
        case .crontab: ["crontab: adds these lines, and leaves all others"]
        case .cronFile, .none: []
        }
    }

    /// A timer that runs already takes its new time by a restart.
    private var starting: [[String]] {
        [["daemon-reload"], ["enable", "\(unit).timer"], ["restart", "\(unit).timer"]]
    }

    // MARK: Writing

    /// Writes the files; those of an earlier call that are not among them any more are taken away.
    func write() throws -> BackupRecord {
        try checkFree()
        // What started it before starts it no more.
        if let before, before.isScheduled, before.scheduler != scheduler { _ = try stop(before) }
        let known = Set(before?.folders ?? [])
        var folders: [String] = before?.folders ?? []
        for path in Set(files.map { ($0.path as NSString).deletingLastPathComponent } + [settings.folder])
            .sorted(by: { $0.utf8.count > $1.utf8.count })
        {
            var folder = path
            while folder != "/", access(folder, F_OK) != 0, !known.contains(folder) {
                if !folders.contains(folder) { folders.append(folder) }
                folder = (folder as NSString).deletingLastPathComponent
            }
        }
        let paths = Set(files.map(\.path))
        let left = (before?.files ?? []).filter { !paths.contains($0.path) }
        var record = BackupRecord(
            settings: settings,
            files: left
                + files.map { file in
                    .init(
                        path: file.path, sha256: sha256(of: Array(file.content.utf8)),
                        before: Self.digest(file.path))
                },
            folders: folders.sorted { $0.utf8.count > $1.utf8.count }, scheduler: scheduler,
            crontabBefore: before?.crontabBefore, isScheduled: before?.isScheduled ?? false,
            times: before?.times)
        try note(record)
        try makePrivateFolder(settings.folder)
        for file in files where !file.starts || scheduler == .none { try write(file) }
        for file in left where Self.isUnchanged(file) { unlink(file.path) }
        record.files.removeAll { file in left.contains(file) }
        let later = Set(files.filter { $0.starts && scheduler != .none }.map(\.path))
        for index in record.files.indices where !later.contains(record.files[index].path) {
            record.files[index].before = nil
        }
        try note(record)
        return record
    }

    private func write(_ file: BackupFile) throws {
        try makeFolder((file.path as NSString).deletingLastPathComponent)
        try writeFile(file.path, Array(file.content.utf8), mode: file.mode)
    }

    /// Folders of the system's stay readable for all; those below them are for the owner alone.
    private func makeFolder(_ path: String) throws {
        guard access(path, F_OK) != 0 else { return }
        if path == places.unitFolder(.user) {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } else {
            try makePrivateFolder(path)
        }
    }

    /// Throws where a file is in the way that howdah has not written, or that was changed since.
    private func checkFree() throws {
        for file in files where access(file.path, F_OK) == 0 {
            let written = before?.files.first { $0.path == file.path }
            if let written, Self.isUnchanged(written) { continue }
            let content = FileManager.default.contents(atPath: file.path)
            if content.map({ $0.elementsEqual(file.content.utf8) }) ?? false { continue }
            throw MigrationError(
                .state,
                written == nil
                    ? "\(file.path) is there already, and howdah has not written it"
                    : "\(file.path) was changed since howdah wrote it",
                remedy: "Keep what you need of it elsewhere, remove it, and run this again.", exit: .undecided
            )
        }
    }

    /// Whether a file is as howdah wrote it.
    static func isUnchanged(_ file: BackupRecord.Written) -> Bool {
        digest(file.path).map { $0 == file.sha256 || $0 == file.before } ?? false
    }

    private static func digest(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { MigrationEngine.sha256(of: $0) }
    }

    // MARK: The schedule

    /// Has the machine start the script from now on.
    func start(_ record: BackupRecord) throws -> BackupRecord {
        var record = record
        switch scheduler {
        case .system, .user:
            record.isScheduled = true
            try note(record)
            for arguments in starting {
                let outcome = try places.systemctl(arguments, cancellation)
                guard outcome.status == 0 else {
                    throw MigrationError(
                        .state,
                        "\(places.systemctlWords(arguments).joined(separator: " ")) failed: \(outcome.output)",
                        remedy:
                            "The files are there: look at systemctl status \(unit).timer, and run this again."
                    )
                }
            }
        case .crontab:
            let current = try places.crontab(cancellation)
            record.crontabBefore = record.crontabBefore ?? current
            record.isScheduled = true
            try note(record)
            try setCrontab(ScheduleFiles.adding(settings, to: current))
        case .cronFile:
            record.isScheduled = true
            try note(record)
            for file in files where file.starts { try write(file) }
            for index in record.files.indices { record.files[index].before = nil }
            try note(record)
        case .none: break
        }
        return record
    }

    private func setCrontab(_ text: String) throws {
        let path = "\(settings.configFolder)/crontab.\(getpid())"
        try writeFile(path, Array(text.utf8), mode: 0o600)
        defer { unlink(path) }
        try places.setCrontab(file: path, cancellation)
    }

    // MARK: The way back

    /// What `remove` would do, line by line.
    static func removal(_ record: BackupRecord, places: SystemPlaces) -> [String] {
        let unit = ScheduleFiles.unitName(record.settings)
        var lines: [String] = []
        if record.isScheduled {
            switch record.scheduler {
            case .system, .user:
                lines.append(
                    places.systemctlWords(["disable", "--now", "\(unit).timer"]).joined(separator: " "))
            case .crontab: lines.append("takes its lines out of the crontab")
            case .cronFile, .none: break
            }
        }
        return lines
            + record.files.filter { access($0.path, F_OK) == 0 }.map { file in
                isUnchanged(file) ? "removes \(file.path)" : "keeps \(file.path): it was changed since"
            }
    }

    /// Stops the schedule and removes the files that are as they were written; backups stay. Returns what was done.
    func remove(_ record: BackupRecord) throws -> [String] {
        var done: [String] = []
        if record.isScheduled { done += try stop(record) }
        for file in record.files where access(file.path, F_OK) == 0 {
            guard Self.isUnchanged(file) else {
                done.append("\(file.path) stays: it was changed since howdah wrote it")
                continue
            }
            guard unlink(file.path) == 0 else { throw FileSystemError("removing", file.path) }
            done.append("\(file.path) is removed")
        }
        if record.isScheduled, [.system, .user].contains(record.scheduler) {
            _ = try places.systemctl(["daemon-reload"], cancellation)
        }
        for folder in [DumpFolder.lockPath(settings)] { unlink(folder) }
        // Only what is empty goes.
        for folder in record.folders { rmdir(folder) }
        return done
    }

    private func stop(_ record: BackupRecord) throws -> [String] {
        switch record.scheduler {
        case .system, .user:
            let outcome = try places.systemctl(["disable", "--now", "\(unit).timer"], cancellation)
            guard outcome.status == 0 || outcome.output.contains("does not exist") else {
                throw MigrationError(
                    .state, "the timer \(unit).timer cannot be disabled: \(outcome.output)",
                    remedy: "Look at systemctl status \(unit).timer, and run this again.")
            }
            return ["the timer \(unit).timer is disabled"]
        case .crontab:
            let current = try places.crontab(cancellation)
            let rest = ScheduleFiles.removing(settings, from: current)
            guard rest != current else { return [] }
            try setCrontab(rest)
            return ["its lines are taken out of the crontab"]
        case .cronFile, .none: return []
        }
    }
}
