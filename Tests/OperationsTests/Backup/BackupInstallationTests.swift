import Foundation
import MigrationEngine
import Postgres
import TestSupport
import Testing

@testable import Operations

/// What is installed on a machine, and the way back: the machine's own programs are those of a folder that stands for `/`.
@Suite struct BackupInstallationTests {
    @Test func aSystemdOfTheSystemGetsServiceAndTimerAndLosesThemAgain() throws {
        try BackupFixture.with(isRoot: true) { fixture in
            try fixture.plant("systemctl", "[ \"$1\" != is-system-running ] || echo running")
            let record = try fixture.install(
                BackupOptions(schedule: BackupSchedule("03:05")), program: "/opt/how%dah")
            let unit = "howdah-backup-\(record.settings.name)"
            let folder = "\(fixture.root)/etc/systemd/system"
            #expect(fixture.files(folder) == ["\(unit).service", "\(unit).timer"])
            let timer = try String(contentsOfFile: "\(folder)/\(unit).timer", encoding: .utf8)
            #expect(timer.contains("OnCalendar=*-*-* 03:05:00") && timer.contains("Persistent=true"))
            let service = try String(contentsOfFile: "\(folder)/\(unit).service", encoding: .utf8)
            #expect(service.contains("ExecStartPost=\"/opt/how%%dah\" \"drill\" \"/my app\""))
            #expect(
                fixture.calls.suffix(3) == [
                    "systemctl daemon-reload", "systemctl enable \(unit).timer",
                    "systemctl restart \(unit).timer",
                ])
            #expect(record.isScheduled && fixture.dumps(record.settings).count == 1)
            // What was changed since is the operator's.
            try "mine".write(toFile: record.settings.guidePath, atomically: true, encoding: .utf8)
            let shown = fixture.desk().removal(record)
            #expect(shown.contains("keeps \(record.settings.guidePath): it was changed since"))
            let done = try fixture.desk().remove(record)
            #expect(fixture.calls.contains("systemctl disable --now \(unit).timer"))
            #expect(fixture.files(folder).isEmpty)
            #expect(access(record.settings.scriptPath, F_OK) != 0)
            #expect(fixture.files(record.settings.folder).contains("RESTORE.md"))
            #expect(fixture.dumps(record.settings).count == 1)
            #expect(done.last?.hasPrefix("1 backup stays in ") ?? false)
        }
    }

    @Test func aUsersOwnSystemdIsAskedAsTheUser() throws {
        try BackupFixture.with { fixture in
            try fixture.plant("systemctl", "case \"$*\" in *is-system-running) echo degraded; exit 1;; esac")
            let outline = try fixture.desk().outline(.init(), before: nil)
            #expect(outline.scheduler == .user)
            #expect(outline.warnings.contains { $0.contains("loginctl enable-linger") })
            let record = try fixture.install()
            #expect(fixture.files("\(fixture.root)/home/.config/systemd/user").count == 2)
            #expect(
                fixture.calls.contains("systemctl --user enable howdah-backup-\(record.settings.name).timer"))
        }
    }

    @Test func withoutSystemdCronGetsAFileOnceTheFirstBackupIsGood() throws {
        try BackupFixture.with(isRoot: true) { fixture in
            let desk = fixture.desk()
            let outline = try desk.outline(.init(), before: nil)
            #expect(outline.scheduler == .cronFile)
            // The first backup fails: another run is at work.
            try FileManager.default.createDirectory(
                atPath: outline.settings.folder, withIntermediateDirectories: true)
            let lock = open(
                "\(outline.settings.folder)/.\(outline.settings.name).lock", O_CREAT | O_RDWR, 0o600)
            #expect(flock(lock, LOCK_EX) == 0)
            #expect(throws: MigrationError.self) {
                try desk.install(outline, before: nil) { fixture.notes.records.append($0) }
            }
            #expect(fixture.files("\(fixture.root)/etc/cron.d").isEmpty)
            close(lock)
            let record = try fixture.install()
            let name = "howdah-backup-\(record.settings.name)"
            #expect(fixture.files("\(fixture.root)/etc/cron.d") == [name])
            let text = try String(contentsOfFile: "\(fixture.root)/etc/cron.d/\(name)", encoding: .utf8)
            #expect(text.contains("17 2 * * * \(NSUserName()) /bin/sh '"))
            // A new time that was never started leaves the old one as howdah's.
            let again = open("\(outline.settings.folder)/.\(outline.settings.name).lock", O_RDWR)
            #expect(flock(again, LOCK_EX) == 0)
            #expect(throws: MigrationError.self) {
                try fixture.install(BackupOptions(schedule: BackupSchedule("05:00")))
            }
            close(again)
            let later = try fixture.install(BackupOptions(schedule: BackupSchedule("06:00")))
            #expect(later.files.allSatisfy { $0.before == nil && BackupInstallation.isUnchanged($0) })
            #expect(text.contains("my \\%s ro'\\''ot"))
            _ = try fixture.desk().remove(later)
            #expect(fixture.files("\(fixture.root)/etc/cron.d").isEmpty)
        }
    }

    @Test func aUsersCrontabKeepsAllItsOtherLines() throws {
        try BackupFixture.with { fixture in
            try fixture.plant(
                "crontab", "if [ \"$1\" = -l ]; then cat \"$ROOT/tab\"; else cp \"$1\" \"$ROOT/tab\"; fi")
            let own = "MAILTO=me\n# mine\n5 4 * * * /bin/true"
            try own.write(toFile: "\(fixture.root)/tab", atomically: true, encoding: .utf8)
            func tab() throws -> String { try String(contentsOfFile: "\(fixture.root)/tab", encoding: .utf8) }
            let record = try fixture.install()
            #expect(record.crontabBefore == own, "the original is written down")
            #expect(try tab().hasPrefix(own + "\n# howdah-backup-"))
            // Again: once, with the new time; and the original is still that of the first time.
            let again = try fixture.install(BackupOptions(schedule: BackupSchedule("23:59")))
            #expect(again.crontabBefore == own)
            #expect(try tab().components(separatedBy: "/bin/sh").count == 2)
            #expect(try tab().contains("59 23 * * * /bin/sh '"))
            try (tab() + "6 6 * * * /bin/false\n").write(
                toFile: "\(fixture.root)/tab", atomically: true, encoding: .utf8)
            _ = try fixture.desk().remove(again)
            #expect(try tab() == own + "\n6 6 * * * /bin/false\n")
        }
    }

    @Test func aFileThatIsNotHowdahsIsNotOverwritten() throws {
        try BackupFixture.with { fixture in
            try fixture.plant("crontab", "exit 0")
            let record = try fixture.install()
            try "#!/bin/sh\n# mine\n".write(
                toFile: record.settings.scriptPath, atomically: true, encoding: .utf8)
            #expect(throws: MigrationError.self) { try fixture.install(BackupOptions(keep: 3)) }
            #expect(
                try String(contentsOfFile: record.settings.scriptPath, encoding: .utf8)
                    == "#!/bin/sh\n# mine\n")
        }
    }

    @Test func whatIsAboutToBeThereIsWrittenDownBeforeItIsThere() throws {
        try BackupFixture.with { fixture in
            try fixture.plant("crontab", "exit 0")
            let desk = fixture.desk()
            let outline = try desk.outline(.init(), before: nil)
            #expect(fixture.files("\(fixture.root)/home").isEmpty, "an outline writes nothing")
            var wasEmpty: Bool?
            _ = try desk.install(outline, before: nil) { record in
                wasEmpty = wasEmpty ?? fixture.files("\(fixture.root)/home").isEmpty
                #expect(Set(record.files.map(\.path)) == Set(outline.files.map(\.path)))
                if record.isScheduled {
                    #expect(!fixture.calls.contains { $0.contains("crontab.") }, "nothing is started yet")
                }
            }
            #expect(wasEmpty == true)
        }
    }

    @Test func whoIsKilledWhileFilesAreWrittenGoesOnFromThere() throws {
        try BackupFixture.with { fixture in
            try fixture.plant("crontab", "exit 0")
            let record = try fixture.install()
            struct Killed: Error {}
            let desk = fixture.desk()
            let outline = try desk.outline(BackupOptions(keep: 3), before: record)
            #expect(throws: Killed.self) {
                _ = try desk.install(outline, before: record) {
                    fixture.notes.records.append($0)
                    throw Killed()
                }
            }
            // The journal has what was to be written, and the disk what was there before: that is howdah's, too.
            #expect(try fixture.install(BackupOptions(keep: 4)).settings.keep == 4)
            let last = try #require(fixture.notes.last)
            #expect(last.files.allSatisfy { $0.before == nil && BackupInstallation.isUnchanged($0) })
            try "mine".write(toFile: last.settings.scriptPath, atomically: true, encoding: .utf8)
            #expect(throws: MigrationError.self) { try fixture.install(BackupOptions(keep: 5)) }
        }
    }

    @Test func aMachineWithoutSystemdAndCronIsToldSo() throws {
        try BackupFixture.with { fixture in
            let error = #expect(throws: MigrationError.self) {
                try fixture.desk().outline(.init(), before: nil)
            }
            #expect(error?.message.contains("neither a running systemd nor cron") ?? false)
        }
    }
}

/// The texts for systemd and cron.
@Suite struct ScheduleFilesTests {
    static func settings(_ folder: String, script: String = "/etc/howdah/backup/x") -> BackupSettings {
        BackupSettings(
            name: "chat-123456", url: "postgresql://h/chat", database: "chat", folder: folder,
            configFolder: script,
            keep: 14, schedule: .daily, variables: [], serverMajor: 15, programs: "/usr/bin",
            passwordFile: "/etc/a b/%p",
            drillCommand: ["/opt/ho\"w$dah", "drill", "/my 100% app", "postgresql://u@h/a%20b"])
    }

    @Test(
        .enabled(if: access("/usr/bin/systemd-analyze", X_OK) == 0),
        arguments: ["/var/backups/x", "/var/back ups/50% \"$HOME\" it's"])
    func systemdTakesTheUnits(folder: String) throws {
        try withTemporaryFolder { temporary in
            let settings = Self.settings(folder)
            // verify looks for the programs, too.
            let service = ScheduleFiles.service(settings, isSystem: true)
                .replacing(unitWord("/opt/ho\"w$dah", isCommand: true), with: "/bin/true")
            try service.write(toFile: "\(temporary)/x.service", atomically: true, encoding: .utf8)
            try ScheduleFiles.timer(settings).write(
                toFile: "\(temporary)/x.timer", atomically: true, encoding: .utf8)
            let verify = Command(
                "/usr/bin/systemd-analyze",
                ["verify", "--man=no", "\(temporary)/x.service", "\(temporary)/x.timer"],
                in: "/", environment: ["PATH": "/usr/bin:/bin"])
            let outcome = try verify.run(cancellation: Cancellation())
            let complaints = outcome.output.split(separator: "\n").filter {
                $0.contains("x.service") || $0.contains("x.timer")
            }
            #expect(complaints.isEmpty && outcome.status == 0, "\(outcome.output)")
        }
    }

    @Test(arguments: [
        ("daily", "daily", "17 2"), ("00:00", "*-*-* 00:00:00", "0 0"), ("23:59", "*-*-* 23:59:00", "59 23"),
    ])
    func aTimeIsThatOfBoth(text: String, calendar: String, cron: String) throws {
        let schedule = try #require(BackupSchedule(text))
        #expect(schedule.calendar == calendar && schedule.cronFields == cron)
    }

    @Test(arguments: ["", "24:00", "7:30", "07:60", "hourly", "07:30:00", "-1:30", "+1:30", "٠٧:٣٠"])
    func whatIsNoTimeIsNone(text: String) {
        #expect(BackupSchedule(text) == nil)
    }

    @Test func aWordOfAUnitIsNotExpanded() {
        #expect(unitWord("a b\"c\\d%e$f", isCommand: true) == "\"a b\\\"c\\\\d%%e$$f\"")
        #expect(unitWord("a$b%", isCommand: false) == "\"a$b%%\"", "Environment= expands no variable")
    }

    @Test(arguments: [
        ("chat", "chat-"), ("a'b \"c $(x)", "a_b__c___x_-"), ("../..", "_____-"), ("größe", "gr____e-"),
        (String(repeating: "x", count: 63), String(repeating: "x", count: 40) + "-"),
    ])
    func namesOfFilesAreMadeOfPlainLetters(database: String, beginning: String) {
        let name = BackupSettings.name(database, identity: "one")
        #expect(name.hasPrefix(beginning) && name.utf8.allSatisfy { $0 < 0x80 })
        #expect(name != BackupSettings.name(database, identity: "two"))
    }
}
