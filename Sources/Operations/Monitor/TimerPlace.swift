import Foundation

/// Where this machine keeps what it does by the clock.
public enum TimerPlace: Sendable, Equatable {
    /// A folder of units; `isUser` is the operator's own systemd.
    case systemd(folder: String, isUser: Bool)
    /// A folder like `/etc/cron.d`.
    case cron(folder: String)
    /// Nothing that howdah may write to: the operator adds a line to a crontab.
    case none

    /// What is there, for the user that runs howdah.
    public static func found(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> TimerPlace {
        let isRoot = geteuid() == 0
        // sd_booted(3)
        if access("/run/systemd/system", F_OK) == 0 {
            if isRoot { return .systemd(folder: "/etc/systemd/system", isUser: false) }
            if let runtime = environment["XDG_RUNTIME_DIR"], access("\(runtime)/systemd", F_OK) == 0 {
                let home = environment["HOME"] ?? NSHomeDirectory()
                let base =
                    environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
                    ?? "\(home)/.config"
                return .systemd(folder: "\(base)/systemd/user", isUser: true)
            }
        }
        return isRoot && access("/etc/cron.d", W_OK) == 0 ? .cron(folder: "/etc/cron.d") : .none
    }

    /// Files of a timer in this place, by their paths; empty where there is no such place.
    public func files(_ timer: MonitorTimer) -> [(path: String, content: String)] {
        switch self {
        case .systemd(let folder, _):
            return [
                ("\(folder)/\(timer.name).service", timer.service),
                ("\(folder)/\(timer.name).timer", timer.timer),
            ]
        case .cron(let folder):
            guard let line = timer.cronLine(user: NSUserName()) else { return [] }
            return [("\(folder)/\(timer.name)", "# Written by howdah, step 6.7.\n\(line)\n")]
        case .none: return []
        }
    }

    /// What has the machine take the files up, and what has it let go of them before they are gone.
    public func commands(_ timer: MonitorTimer) -> (start: [[String]], stop: [[String]]) {
        guard case .systemd(_, let isUser) = self else { return ([], []) }
        let systemctl = ["systemctl"] + (isUser ? ["--user"] : [])
        return (
            [systemctl + ["daemon-reload"], systemctl + ["enable", "--now", "\(timer.name).timer"]],
            [systemctl + ["disable", "--now", "\(timer.name).timer"]]
        )
    }
}
