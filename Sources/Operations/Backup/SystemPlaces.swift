import Foundation
import MigrationEngine

/// Where a machine wants what runs on it every day: folders of systemd's, of cron's, and of one's own.
public struct SystemPlaces: Sendable {
    /// What starts the script.
    public enum Scheduler: String, Codable, Sendable {
        /// A unit and a timer of the system's own.
        case system
        /// Those of a user.
        case user
        /// A file in /etc/cron.d.
        case cronFile = "cron-file"
        /// The user's crontab.
        case crontab
        /// A rehearsal: files are written, and nothing is started.
        case none
    }

    /// A folder that stands for `/` in tests; empty otherwise.
    let root: String
    let home: String
    let isRoot: Bool
    let environment: [String: String]

    public init(root: String = "", home: String, isRoot: Bool, environment: [String: String]) {
        self.root = root
        self.home = home
        self.isRoot = isRoot
        self.environment = environment
    }

    /// This machine, as this user sees it. A test's own program is sent to a folder by `HOWDAH_ROOT`; nothing of it is in a
    /// released one.
    public static func current() -> SystemPlaces {
        let environment = ProcessInfo.processInfo.environment
        var root = ""
        #if DEBUG
            root = environment["HOWDAH_ROOT"] ?? ""
        #endif
        let home = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? NSHomeDirectory()
        return SystemPlaces(root: root, home: root + home, isRoot: geteuid() == 0, environment: environment)
    }

    private var configHome: String {
        let named = environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        return root.isEmpty ? named ?? "\(home)/.config" : "\(home)/.config"
    }

    func configFolder(_ name: String) -> String {
        isRoot ? "\(root)/etc/howdah/backup/\(name)" : "\(configHome)/howdah/backup/\(name)"
    }

    func backupFolder(_ name: String) -> String {
        isRoot ? "\(root)/var/backups/howdah/\(name)" : "\(home)/backups/\(name)"
    }

    func unitFolder(_ scheduler: Scheduler) -> String {
        scheduler == .system ? "\(root)/etc/systemd/system" : "\(configHome)/systemd/user"
    }

    func cronPath(_ unit: String) -> String { "\(root)/etc/cron.d/\(unit)" }

    /// What this machine has to start a script every day; nil where it has nothing.
    func scheduler(cancellation: Cancellation) -> Scheduler? {
        // sd_booted(3)
        if access("\(root)/run/systemd/system", F_OK) == 0, program("systemctl") != nil {
            let answer = try? systemctl(["is-system-running"], cancellation).output
            let state = (answer ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
            if ["initializing", "starting", "running", "degraded", "maintenance"].contains(state) {
                return isRoot ? .system : .user
            }
        }
        if isRoot, access("\(root)/etc/cron.d", F_OK) == 0 { return .cronFile }
        return program("crontab") == nil ? nil : .crontab
    }

    // MARK: Programs

    private func program(_ name: String) -> String? {
        ["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin"].map { "\(root)\($0)/\(name)" }
            .first { access($0, X_OK) == 0 }
    }

    /// systemctl's words, as they are shown and run.
    func systemctlWords(_ arguments: [String]) -> [String] {
        ["systemctl"] + (isRoot ? [] : ["--user"]) + arguments
    }

    func systemctl(_ arguments: [String], _ cancellation: Cancellation) throws -> Command.Outcome {
        try run("systemctl", Array(systemctlWords(arguments).dropFirst()), cancellation)
    }

    /// The user's crontab; empty where there is none.
    func crontab(_ cancellation: Cancellation) throws -> String {
        let outcome = try run("crontab", ["-l"], cancellation)
        if outcome.status == 0 { return outcome.output }
        // Without one it ends with 1, and says so.
        guard outcome.output.contains("no crontab") else {
            throw MigrationError(
                .state, "the crontab cannot be read: \(outcome.output)",
                remedy: "Look whether crontab -l works for you, and run this again.")
        }
        return ""
    }

    func setCrontab(file: String, _ cancellation: Cancellation) throws {
        let outcome = try run("crontab", [file], cancellation)
        guard outcome.status == 0 else {
            throw MigrationError(
                .state, "the crontab cannot be written: \(outcome.output)",
                remedy: "Look whether you may use cron (cron.allow), and run this again.")
        }
    }

    private func run(
        _ name: String, _ arguments: [String], _ cancellation: Cancellation
    ) throws -> Command.Outcome {
        guard let path = program(name) else {
            throw MigrationError(
                .state, "there is no \(name) on this machine", remedy: "Install it, and run this again.")
        }
        var command = Command(
            path, arguments, in: "/", environment: environment.merging(["LC_ALL": "C"]) { $1 })
        command.timeout = .seconds(60)
        return try command.run(cancellation: cancellation)
    }
}
