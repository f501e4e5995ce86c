import Foundation
import MigrationEngine
import Postgres

/// One thing that a way back to a moment needs of a server.
struct PointInTimeCheck: Sendable {
    enum Verdict: Sendable, Equatable {
        case good(String)
        case missing(String)
        case remark(String)
        case unseen(String)
    }

    let id: String
    let title: String
    let needed: String
    let reason: String
    /// Below https://www.postgresql.org/docs/current/.
    let source: String
    /// What to set where it is missing, by name; a value that only the operator's own places make is in `archive`.
    var settings: [String] = []
    var needsRestart = false
    var versions = 0..<Int.max
    let judge: @Sendable (PointInTimeFacts) -> Verdict

    func result(_ facts: PointInTimeFacts, archiveCommand: String) -> PointInTimeResult {
        let found: (state: PointInTimeResult.State, value: String) =
            switch judge(facts) {
            case .good(let words): (.good, words)
            case .missing(let words): (.missing, words)
            case .remark(let words): (.remark, words)
            case .unseen(let words): (.unseen, words)
            }
        let lines =
            found.state == .missing
            ? settings.map {
                $0.replacing(Self.archivePlace, with: PointInTimePlaces.configurationValue(archiveCommand))
            } : []
        return PointInTimeResult(
            id: id, title: title, state: found.state, value: found.value, needed: needed, reason: reason,
            source: "https://www.postgresql.org/docs/current/\(source)", settings: lines,
            needsRestart: needsRestart && !lines.isEmpty)
    }

    static let archivePlace = "ARCHIVE_COMMAND"

    /// Most base backups are of the last day, and one of a week makes a restore long.
    private static let oldestBase = 8.0 * 86400
    /// Finished files that may wait while all is well.
    private static let mostWaiting = 3

    /// A setting that must have one of some values.
    private static func setting(_ name: String, _ good: Set<String>)
        -> @Sendable (PointInTimeFacts) -> Verdict
    {
        { facts in
            guard let setting = facts.settings[name] else { return .unseen(unseen(facts)) }
            if good.contains(setting.value) { return .good(setting.value) }
            return .missing(
                setting.value + (setting.isPending ? ", and another value waits for a restart" : ""))
        }
    }

    private static func unseen(_ facts: PointInTimeFacts) -> String {
        "\(facts.user) may not see it: a member of pg_monitor may"
    }

    static let table: [PointInTimeCheck] = [
        PointInTimeCheck(
            id: "wal-level", title: "wal_level", needed: "replica or logical",
            reason: "at minimal the log has too little in it to make a base backup good again",
            source: "runtime-config-wal.html#GUC-WAL-LEVEL", settings: ["wal_level = 'replica'"],
            needsRestart: true, judge: setting("wal_level", ["replica", "logical"])),
        PointInTimeCheck(
            id: "archive-mode", title: "archive_mode", needed: "on",
            reason: "finished WAL files are kept only where they are archived",
            source: "runtime-config-wal.html#GUC-ARCHIVE-MODE", settings: ["archive_mode = 'on'"],
            needsRestart: true, judge: setting("archive_mode", ["on", "always"])),
        PointInTimeCheck(
            id: "archive-command", title: "archive_command",
            needed: "a command, or since 15 an archive_library",
            reason: "without one the server keeps every WAL file, until its disk is full",
            source: "continuous-archiving.html#BACKUP-ARCHIVING-WAL",
            settings: ["archive_command = \(archivePlace)"],
            judge: { facts in
                if let library = facts.value("archive_library"), !library.isEmpty {
                    return .good("archive_library \(library)")
                }
                guard let command = facts.value("archive_command") else { return .unseen(unseen(facts)) }
                let isSet = !["", "(disabled)"].contains(command)
                // What it is called with may hold a secret of the operator's.
                return isSet ? .good("set") : .missing(command.isEmpty ? "empty" : command)
            }),
        PointInTimeCheck(
            id: "archive-timeout", title: "archive_timeout", needed: "5 minutes at most",
            reason:
                "a quiet server finishes no file for hours, and what is in it would be lost with the machine",
            source: "runtime-config-wal.html#GUC-ARCHIVE-TIMEOUT", settings: ["archive_timeout = '300s'"],
            judge: { facts in
                guard let text = facts.value("archive_timeout"), let seconds = Int(text) else {
                    return .unseen(unseen(facts))
                }
                let words = seconds == 0 ? "off" : "\(seconds) s"
                return (1...300).contains(seconds) ? .good(words) : .missing(words)
            }),
        PointInTimeCheck(
            id: "archiver", title: "archiving", needed: "the newest attempt worked, and nothing waits",
            reason: "an archive that stopped a week ago looks like one that works",
            source: "monitoring-stats.html#MONITORING-PG-STAT-ARCHIVER-VIEW",
            judge: { facts in
                guard ["on", "always"].contains(facts.value("archive_mode") ?? "") else {
                    return .remark("nothing to look at while archive_mode is off")
                }
                guard let archiver = facts.archiver else { return .unseen(unseen(facts)) }
                let failures = Format.count(archiver.failed, "failure", "failures")
                if archiver.isFailing {
                    return .missing(
                        "the newest attempt failed, with \(archiver.lastFailedName ?? "a file"); \(failures) so far"
                    )
                }
                guard let age = archiver.lastAge, let name = archiver.lastName else {
                    return .missing("no file was archived yet: SELECT pg_switch_wal() makes one")
                }
                let words = "\(name) \(Format.seconds(age)) ago, \(failures) so far"
                guard let waiting = archiver.waiting else {
                    return .good(words + (facts.isStandby ? "; this is a standby" : ""))
                }
                return waiting > mostWaiting
                    ? .missing("\(Format.count(waiting)) finished files wait; the last one: \(words)")
                    : .good(words)
            }),
        PointInTimeCheck(
            id: "wal-senders", title: "max_wal_senders", needed: "2 or more",
            reason: "pg_basebackup takes two connections: one for the files, one for the log meanwhile",
            source: "runtime-config-replication.html#GUC-MAX-WAL-SENDERS", settings: ["max_wal_senders = 10"],
            needsRestart: true,
            judge: { facts in
                guard let text = facts.value("max_wal_senders"), let count = Int(text) else {
                    return .unseen(unseen(facts))
                }
                return count >= 2 ? .good(text) : .missing(text)
            }),
        PointInTimeCheck(
            id: "replication", title: "replication right", needed: "a role that makes base backups",
            reason: "pg_basebackup needs REPLICATION, and a line for it in pg_hba.conf",
            source: "app-pgbasebackup.html",
            judge: { facts in
                facts.mayReplicate
                    ? .good("\(facts.user) has it")
                    : .remark(
                        "\(facts.user) has it not: ALTER ROLE \(quoteIdentifier(facts.user)) REPLICATION, or another role for base backups"
                    )
            }),
        PointInTimeCheck(
            id: "full-page-writes", title: "full_page_writes", needed: "on",
            reason:
                "a page that was half written when the machine stopped is made good from its copy in the log",
            source: "runtime-config-wal.html#GUC-FULL-PAGE-WRITES", settings: ["full_page_writes = 'on'"],
            judge: setting("full_page_writes", ["on"])),
        PointInTimeCheck(
            id: "fsync", title: "fsync", needed: "on",
            reason: "what was committed must be on the disk when the machine stops",
            source: "runtime-config-wal.html#GUC-FSYNC", settings: ["fsync = 'on'"],
            judge: setting("fsync", ["on"])),
        PointInTimeCheck(
            id: "checksums", title: "data checksums", needed: "on",
            reason: "a page that its disk has changed is found before backups hold nothing but such pages",
            source: "checksums.html",
            judge: { facts in
                guard let value = facts.value("data_checksums") else { return .unseen(unseen(facts)) }
                return value == "on"
                    ? .good("on")
                    : .remark("off: pg_checksums --enable turns them on while the server stands still")
            }),
        PointInTimeCheck(
            id: "summaries", title: "summarize_wal", needed: "on, for incremental backups",
            reason:
                "with it a base backup holds only what has changed since the one before (pg_basebackup --incremental)",
            source: "continuous-archiving.html#BACKUP-INCREMENTAL-BACKUP", versions: 170_000..<Int.max,
            judge: { facts in
                guard let value = facts.value("summarize_wal") else { return .unseen(unseen(facts)) }
                return value == "on" ? .good("on") : .remark("off: worth it where base backups are large")
            }),
        PointInTimeCheck(
            id: "space", title: "room for the log", needed: "more free than the log holds",
            reason: "a log that cannot be archived grows until the disk is full, and then the server stops",
            source: "continuous-archiving.html#BACKUP-ARCHIVING-WAL",
            judge: { facts in
                guard let wal = facts.walBytes else { return .unseen(unseen(facts)) }
                let words = "the log holds \(Format.bytes(wal))"
                guard let free = facts.freeBytes else {
                    return .remark("\(words); what is free on the server's disk cannot be seen from here")
                }
                let all = "\(words), \(Format.bytes(free)) are free"
                return free > max(wal, 1 << 30) ? .good(all) : .missing(all)
            }),
        PointInTimeCheck(
            id: "base", title: "base backup", needed: "one of this week",
            reason: "the log alone restores nothing: it is played onto a base backup",
            source: "continuous-archiving.html#BACKUP-BASE-BACKUP",
            judge: { facts in
                guard let folder = facts.baseFolder else {
                    return .missing("none is known: basebackup.sh makes one, --bases DIR names their folder")
                }
                guard let base = facts.base else { return .missing("there is none in \(folder)") }
                let age = Date().timeIntervalSince(base.time)
                let words = "\(base.path), \(Format.count(Int(age / 3600), "hour", "hours")) old"
                return age < oldestBase ? .good(words) : .missing(words)
            }),
    ]
}
