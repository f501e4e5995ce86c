import Foundation
import MigrationEngine

/// How one database is backed up: all that script, schedule and guide are written from. Holds no password.
public struct BackupSettings: Codable, Sendable, Equatable {
    /// A variable of libpq's with its value.
    public struct Variable: Codable, Sendable, Equatable {
        public let name: String
        public let value: String
    }

    /// What its files are called: letters, digits, `_` and `-`, the same for the same database.
    public let name: String
    /// Where the database is, without a password.
    public let url: String
    public let database: String
    /// Where the backups lie.
    public let folder: String
    /// Where script and password lie.
    public let configFolder: String
    /// How many backups are kept.
    public let keep: Int
    public let schedule: BackupSchedule
    /// By what the script connects.
    public let variables: [Variable]
    /// The server's version when this was written.
    public let serverMajor: Int
    /// Where PostgreSQL's programs were found then: the script looks there too.
    public let programs: String
    /// The pgpass file by which it connects; nil where no password is needed.
    public let passwordFile: String?
    /// The command that drills now and then after a backup; nil where howdah is not installed.
    public let drillCommand: [String]?

    public var scriptPath: String { "\(configFolder)/backup.sh" }
    public var guidePath: String { "\(folder)/RESTORE.md" }

    public static let standardKeep = 14
    public static let mostKept = 10_000

    /// The name for a database: what is left of its own name, and a few digits that tell it from others of that name.
    public static func name(_ database: String, identity: String) -> String {
        let plain = database.utf8.map { byte -> Character in
            let character = Character(Unicode.Scalar(byte))
            return byte < 0x80 && (character.isLetter || character.isNumber || character == "_")
                ? character : "_"
        }
        return String(plain.prefix(40)) + "-" + sha256(of: Array(identity.utf8)).prefix(6)
    }

    /// Everything by which a program of PostgreSQL's connects as the script does, and nothing of the caller's own.
    public func environment(_ own: [String: String]) -> [String: String] {
        var environment = own.filter { !$0.key.hasPrefix("PG") }
        environment["LC_ALL"] = "C"
        for variable in variables { environment[variable.name] = variable.value }
        environment["PGPASSFILE"] = passwordFile
        return environment
    }
}

/// When backups are made.
public struct BackupSchedule: Codable, Sendable, Equatable {
    /// The minute of the day, in the machine's own time; nil leaves it to the machine.
    public let minute: Int?

    public static let daily = BackupSchedule(minute: nil)

    init(minute: Int?) {
        self.minute = minute
    }

    /// Reads `daily`, or `HH:MM`; nil where it is neither.
    public init?(_ text: String) {
        if text == "daily" {
            self = .daily
            return
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2,
            parts.allSatisfy({ $0.count == 2 && $0.allSatisfy { $0.isASCII && $0.isNumber } }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), (0..<24).contains(hour),
            (0..<60).contains(minute)
        else { return nil }
        self.init(minute: hour * 60 + minute)
    }

    public var words: String { minute.map { "every day at \(Self.clock($0))" } ?? "every day" }

    /// As systemd.time(7) has it.
    var calendar: String { minute.map { "*-*-* \(Self.clock($0)):00" } ?? "daily" }

    /// The first two fields of a line of crontab(5).
    var cronFields: String {
        // Most others run at midnight, or on the hour.
        let minute = minute ?? 2 * 60 + 17
        return "\(minute % 60) \(minute / 60)"
    }

    private static func clock(_ minute: Int) -> String {
        String(format: "%02d:%02d", minute / 60, minute % 60)
    }
}
