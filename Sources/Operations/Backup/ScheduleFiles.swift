import Foundation
import MigrationEngine

/// What starts the script every day: a unit and a timer of systemd's, or a line for cron.
enum ScheduleFiles {
    static func unitName(_ settings: BackupSettings) -> String { "howdah-backup-\(settings.name)" }

    // MARK: systemd

    /// The service: https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html.
    ///
    /// A service of the system's own is fenced in as far as a dump allows; in a user's own those fences need rights that
    /// not every machine gives (systemd.exec(5), "Sandboxing"), and it would not start.
    static func service(_ settings: BackupSettings, isSystem: Bool) -> String {
        var lines = [
            "# Written by howdah; howdah backup PROJECT TARGET --remove takes it out.",
            "[Unit]",
            "Description=Backup \(settings.name) of a PostgreSQL database",
        ]
        if isSystem {
            lines += ["Wants=network-online.target", "After=network-online.target postgresql.service"]
        }
        lines += [
            "", "[Service]", "Type=oneshot",
            "ExecStart=/bin/sh \(unitWord(settings.scriptPath, isCommand: true))",
        ]
        if let drill = settings.drillCommand {
            lines += [
                "# Where the last drill is old: the backup is there all the same when it fails, and the unit says so.",
                "ExecStartPost=\(drill.map { unitWord($0, isCommand: true) }.joined(separator: " "))",
            ]
            if let file = settings.passwordFile {
                lines.append("Environment=\(unitWord("PGPASSFILE=\(file)", isCommand: false))")
            }
        }
        lines += ["TimeoutStartSec=12h", "UMask=0077", "Nice=10", "NoNewPrivileges=yes"]
        if isSystem {
            lines += [
                "ProtectSystem=full", "ReadWritePaths=\(unitWord(settings.folder, isCommand: false))",
                "ProtectKernelTunables=yes",
                "ProtectKernelModules=yes", "ProtectControlGroups=yes", "RestrictSUIDSGID=yes",
                "LockPersonality=yes", "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
            ]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The timer: a run that was missed, the machine being off, is made up for.
    static func timer(_ settings: BackupSettings) -> String {
        """
        # Written by howdah; howdah backup PROJECT TARGET --remove takes it out.
        [Unit]
        Description=Backup \(settings.name) of a PostgreSQL database, \(settings.schedule.words)

        [Timer]
        OnCalendar=\(settings.schedule.calendar)
        RandomizedDelaySec=\(settings.schedule.minute == nil ? "1h" : "5min")
        Persistent=true

        [Install]
        WantedBy=timers.target

        """
    }

    // MARK: cron

    /// A line of crontab(5); in a file of /etc/cron.d it also says who runs it.
    static func cronLine(_ settings: BackupSettings, user: String?) -> String {
        var command = "/bin/sh \(shellQuoted(settings.scriptPath))"
        if let drill = settings.drillCommand {
            let access = settings.passwordFile.map { "PGPASSFILE=\(shellQuoted($0)) " } ?? ""
            command += " && \(access)\(drill.map(shellQuoted).joined(separator: " "))"
        }
        // cron takes a bare percent sign for the end of the command.
        command = command.replacing("%", with: "\\%")
        return "\(settings.schedule.cronFields) * * * \(user.map { "\($0) " } ?? "")\(command)"
    }

    static func cronFile(_ settings: BackupSettings, user: String) -> String {
        """
        # Written by howdah; howdah backup PROJECT TARGET --remove takes it out. What fails is mailed to \(user).
        SHELL=/bin/sh
        PATH=/usr/local/bin:/usr/bin:/bin
        \(cronLine(settings, user: user))

        """
    }

    /// The lines between which the user's own crontab has this backup's.
    private static func marks(_ settings: BackupSettings) -> (begin: String, end: String) {
        let name = unitName(settings)
        return ("# \(name) begin, written by howdah", "# \(name) end")
    }

    /// A crontab with this backup's line, once.
    static func adding(_ settings: BackupSettings, to crontab: String) -> String {
        let marks = marks(settings)
        let rest = removing(settings, from: crontab)
        let before = rest.isEmpty || rest.hasSuffix("\n") ? rest : rest + "\n"
        return before
            + [marks.begin, cronLine(settings, user: nil), marks.end].map { $0 + "\n" }.joined()
    }

    /// The same crontab without it.
    static func removing(_ settings: BackupSettings, from crontab: String) -> String {
        let marks = marks(settings)
        var lines = crontab.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        while let begin = lines.firstIndex(of: marks.begin),
            let end = lines[begin...].firstIndex(of: marks.end)
        {
            lines.removeSubrange(begin...end)
        }
        return lines.joined(separator: "\n")
    }
}
