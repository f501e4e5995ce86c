import Foundation
import MigrationEngine

/// The folder in which a database's backups lie, and the names that they have there.
public struct DumpFolder: Sendable {
    /// One backup.
    public struct Dump: Sendable, Equatable {
        public let path: String
        /// When it was begun, as its name says.
        public let time: Date
        public let bytes: Int64

        public var file: String { (path as NSString).lastPathComponent }
    }

    let name: String
    let path: String

    public init(_ settings: BackupSettings) {
        name = settings.name
        path = settings.folder
    }

    /// The backups that are there, the newest first; a file with another name is none.
    public func dumps() -> [Dump] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).compactMap { file in
            guard let time = time(of: file) else { return nil }
            var facts = stat()
            guard stat("\(path)/\(file)", &facts) == 0 else { return nil }
            return Dump(path: "\(path)/\(file)", time: time, bytes: Int64(facts.st_size))
        }.sorted { $0.time > $1.time }
    }

    /// When a backup of this name was begun; nil where the name is none of a backup's.
    func time(of file: String) -> Date? {
        guard file.hasPrefix("\(name)-"), file.hasSuffix(".dump") else { return nil }
        let stamp = file.dropFirst(name.count + 1).dropLast(5)
        let digits = stamp.filter(\.isNumber)
        guard stamp.utf8.count == 16, digits.utf8.count == 14, stamp.dropFirst(8).first == "T",
            stamp.last == "Z"
        else { return nil }
        func part(_ start: Int, _ count: Int) -> Int {
            Int(digits.dropFirst(start).prefix(count)) ?? 0
        }
        var components = DateComponents()
        components.timeZone = TimeZone(secondsFromGMT: 0)
        components.year = part(0, 4)
        components.month = part(4, 2)
        components.day = part(6, 2)
        components.hour = part(8, 2)
        components.minute = part(10, 2)
        components.second = part(12, 2)
        return Calendar(identifier: .gregorian).date(from: components)
    }

    /// The sha256 that the script has put beside a backup; nil where there is none.
    static func recordedDigest(_ path: String) -> String? {
        FileManager.default.contents(atPath: path + ".sha256")
            .map { String(decoding: $0, as: UTF8.self) }?
            .split(separator: " ").first.map(String.init)
    }

    static func lockPath(_ settings: BackupSettings) -> String { "\(settings.folder)/.\(settings.name).lock" }
}
