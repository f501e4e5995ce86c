import MigrationEngine
import Postgres

/// Where archive, base backups and scripts lie on the server's machine, and how many base backups are kept.
public struct PointInTimePlaces: Codable, Sendable, Equatable {
    public var archive: String
    public var bases: String
    public var keep: Int
    /// Where the two scripts are installed.
    public var scripts: String
    /// Whether the operator has named the folder of base backups, so that it can be looked into.
    public var isNamed: Bool

    /// What a name that is part of a path may hold.
    static func plain(_ name: String) -> String {
        let kept = name.unicodeScalars.filter {
            ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0) || $0 == "_"
                || $0 == "-"
        }
        return kept.isEmpty ? "database" : String(String.UnicodeScalarView(kept).prefix(40))
    }

    /// What is proposed for a database.
    public init(database: String) {
        let name = Self.plain(database)
        archive = "/var/backups/postgresql/\(name)/wal"
        bases = "/var/backups/postgresql/\(name)/base"
        keep = 4
        scripts = "/usr/local/lib/howdah/\(name)"
        isNamed = false
    }

    /// The value of archive_command; `%p` and `%f` are the server's.
    var archiveCommand: String { Self.archiveCommand(script: "\(scripts)/archive-wal.sh") }

    /// The server puts its own words in the place of `%`, a shell reads the rest
    /// (https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-ARCHIVING-WAL).
    static func archiveCommand(script: String) -> String {
        let isPlain = script.utf8.allSatisfy {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || "/._-".utf8.contains($0)
        }
        return "\(isPlain ? script : shellQuoted(script).replacing("%", with: "%%")) \"%p\" \"%f\""
    }

    /// The value of restore_command for an archive.
    static func restoreCommand(archive: String) -> String {
        "cp \(shellQuoted(archive).replacing("%", with: "%%"))/%f \"%p\""
    }

    /// A value in postgresql.conf (https://www.postgresql.org/docs/current/config-setting.html).
    static func configurationValue(_ text: String) -> String {
        "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "''") + "'"
    }
}
