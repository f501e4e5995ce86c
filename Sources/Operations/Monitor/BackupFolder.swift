import Foundation
import MigrationEngine

/// The folder of a database's backups, as far as their age goes: files NAME-YYYYMMDDTHHMMSSZ.dump.
public struct BackupFolder: Sendable, Equatable {
    public let path: String

    public init(_ path: String) {
        self.path = path
    }

    /// When the newest backup was made, by its name; nil where there is none. Throws where the folder cannot be read.
    public func newest() throws -> Date? {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: path).compactMap(Self.time).max()
        } catch {
            throw FileSystemError("reading", path, code: access(path, F_OK) == 0 ? EACCES : ENOENT)
        }
    }

    /// The time in a backup's name; nil for other files, and those that are not whole yet.
    static func time(of name: String) -> Date? {
        guard let match = name.wholeMatch(of: #/.+-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.dump/#) else {
            return nil
        }
        return try? Date(
            "\(match.1)-\(match.2)-\(match.3)T\(match.4):\(match.5):\(match.6)Z", strategy: .iso8601)
    }

    /// The same in SQL, of a folder that the server can read: seconds since the newest; NULL where there is none.
    func ageQuery(literal: String) -> String {
        """
        SELECT extract(epoch FROM clock_timestamp() - max(to_timestamp(
            substring(name FROM '-([0-9]{8}T[0-9]{6})Z[.]dump$'), 'YYYYMMDD"T"HH24MISS')::timestamp AT TIME ZONE 'UTC'))
            AS seconds FROM pg_ls_dir(\(literal)) AS name
        """
    }
}
