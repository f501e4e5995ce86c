import Foundation
import MigrationEngine

/// A command that the machine runs every few minutes while no screen is open: as units of systemd, or as a line of cron's.
///
/// The command and the environment hold no password: that comes from a pgpass or a service file.
public struct MonitorTimer: Sendable, Equatable {
    /// Of the units: letters, digits and `-`.
    public let name: String
    /// The program with its arguments, from the root of the file system.
    public let command: [String]
    public let environment: [String: String]
    public let minutes: Int

    public init(database: String, command: [String], environment: [String: String] = [:], minutes: Int = 5) {
        let plain = database.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        name = "howdah-monitor-" + String(plain.prefix(40))
        self.command = command
        self.environment = environment
        self.minutes = minutes
    }

    // MARK: systemd (systemd.service(5), systemd.timer(5))

    /// A look ends with 3 where something is beyond a limit: the unit has failed then, and OnFailure is started.
    public var service: String {
        let settings = environment.sorted { $0.key < $1.key }
            .map { "Environment=\(unitWord("\($0.key)=\($0.value)", isCommand: false))\n" }.joined()
        return """
            # Written by howdah, step 6.7. Its output is in: journalctl -u \(name)
            [Unit]
            Description=howdah looks whether PostgreSQL is within its limits
            # Whoever is to hear of trouble:
            #OnFailure=your-notification@%n.service

            [Service]
            Type=oneshot
            TimeoutStartSec=2min
            \(settings)ExecStart=\(command.map { unitWord($0, isCommand: true) }.joined(separator: " "))

            """
    }

    public var timer: String {
        """
        # Written by howdah, step 6.7.
        [Unit]
        Description=howdah looks at PostgreSQL every \(minutes) minutes

        [Timer]
        OnCalendar=*:0/\(minutes)
        RandomizedDelaySec=10

        [Install]
        WantedBy=timers.target

        """
    }

    // MARK: cron (crontab(5))

    /// A line for `crontab -e`, or with a user for a file of `/etc/cron.d`. Within the limits it prints nothing, so that
    /// cron mails only what is beyond them. nil where a word has a line break, which cron cannot hold.
    public func cronLine(user: String? = nil) -> String? {
        let words =
            environment.sorted { $0.key < $1.key }.map { "\($0.key)=\(shellQuoted($0.value))" }
            + command.map { shellQuoted($0) }
        let line = words.joined(separator: " ")
        guard !line.contains("\n") else { return nil }
        return "*/\(minutes) * * * * " + (user.map { "\($0) " } ?? "") + line.replacing("%", with: "\\%")
    }
}
