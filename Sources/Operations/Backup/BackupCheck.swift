import Foundation
import MigrationEngine
import Postgres

/// What the newest backup of a database is worth at this moment.
public struct BackupFinding: Codable, Sendable, Equatable {
    public enum State: String, Codable, Sendable {
        case good
        /// Older than the limit.
        case stale
        /// There is none.
        case missing
        /// Its bytes are not those that were written, or it cannot be read to its end.
        case damaged
        /// Tables of the database are not in it.
        case incomplete
    }

    public var state: State
    public var path: String?
    public var bytes: Int64?
    /// How old it is.
    public var hours: Double?
    /// How many backups there are.
    public var count: Int
    public var sha256: String?
    public var tables: Int?
    /// Why it is not good.
    public var reasons: [String]
    /// What should be better, though it is good.
    public var warnings: [String]

    public var file: String? { path.map { ($0 as NSString).lastPathComponent } }

    /// All of it in lines, the most telling first.
    public var lines: [String] {
        var lines = reasons
        if let file, let bytes, let hours {
            let age = hours < 1 ? "\(max(0, Int(hours * 60))) min old" : String(format: "%.1f h old", hours)
            let whole = state == .good || state == .stale ? ", readable to its end" : ""
            let counted = tables.map { ", with \(Format.count($0, "table", "tables"))" } ?? ""
            lines.append("\(file): \(Format.bytes(bytes)), \(age)\(whole)\(counted)")
        }
        if let sha256, state == .good || state == .stale { lines.append("sha256 \(sha256)") }
        if count > 0 { lines.append("\(Format.count(count, "backup", "backups")) kept") }
        return lines + warnings
    }
}

/// Looks at the newest backup: its age, its bytes, whether it can be read to its end, and whether every table is in it.
struct BackupCheck {
    let settings: BackupSettings
    /// Older than so many hours is stale.
    let limit: Double
    /// SQLite's file, for the word about disks.
    let source: String?
    let now: Date
    let cancellation: Cancellation

    static let standardLimit = 26.0

    /// `facts` are the database's; nil where it was not asked, and why.
    func finding(_ facts: DatabaseFacts?, unreachable: String? = nil) throws -> BackupFinding {
        let dumps = DumpFolder(settings).dumps()
        var finding = BackupFinding(
            state: .good, path: dumps.first?.path, bytes: dumps.first?.bytes, count: dumps.count, reasons: [],
            warnings: try warnings(facts, unreachable))
        guard let newest = dumps.first else {
            finding.state = .missing
            finding.reasons = [
                access(settings.folder, F_OK) == 0
                    ? "there is no backup in \(settings.folder)"
                    : "the folder \(settings.folder) is not there"
            ]
            return finding
        }
        finding.hours = now.timeIntervalSince(newest.time) / 3600
        try look(newest, facts, &finding)
        if finding.state == .good, let hours = finding.hours, hours > limit {
            finding.state = .stale
            finding.reasons = [
                "the newest backup is \(Int(hours)) h old, and the limit is \(Int(limit)) h: look whether the timer runs"
            ]
        }
        return finding
    }

    private func look(_ dump: DumpFolder.Dump, _ facts: DatabaseFacts?, _ finding: inout BackupFinding) throws
    {
        func damaged(_ reason: String) {
            finding.state = .damaged
            finding.reasons.append(reason)
        }
        guard dump.bytes > 0 else { return damaged("the newest backup is empty: \(dump.path)") }
        let digest: String
        do {
            digest = try sha256(ofFile: dump.path, cancellation: cancellation)
        } catch let error as FileSystemError {
            return damaged("the newest backup cannot be read: \(error)")
        }
        finding.sha256 = digest
        if let recorded = DumpFolder.recordedDigest(dump.path) {
            if recorded != digest {
                damaged("the newest backup holds other bytes than were written: its sha256 is another one")
            }
        } else {
            damaged("the newest backup has no sha256 beside it, so that nothing tells whether it is whole")
        }
        let archive = DumpArchive(
            dump.path, programs: try ClientPrograms.find(atLeast: settings.serverMajor),
            cancellation: cancellation)
        if let reason = try archive.unreadable() {
            return damaged("the newest backup cannot be read to its end: \(reason)")
        }
        guard let facts else { return }
        let missing = try archive.missing(facts.tables)
        finding.tables = facts.tables.count - missing.count
        if !missing.isEmpty, finding.state == .good {
            finding.state = .incomplete
            let names = missing.prefix(5).map(\.words).joined(separator: ", ")
            finding.reasons.append(
                "the newest backup lacks \(Format.count(missing.count, "table", "tables")) of the database, made since "
                    + "or left out: \(names)\(missing.count > 5 ? ", …" : "")")
        }
    }

    // MARK: Disks

    /// What should be better, whatever the backups hold.
    func warnings(_ facts: DatabaseFacts?, _ unreachable: String? = nil) throws -> [String] {
        var warnings = facts?.unseen ?? []
        if let unreachable {
            warnings.append("whether every table is in it was not looked at: \(unreachable)")
        }
        let places = [("the server's data", facts?.dataFolder), ("SQLite's file", source)]
        for (what, path) in places {
            guard let path, let own = Disk(path), let backups = Disk(settings.folder), own == backups else {
                continue
            }
            warnings.append(
                "the backups lie on the same disk as \(what): keep copies on another machine (rsync, restic, …)"
            )
        }
        return warnings
    }
}

/// The disk that a path lies on: two file systems may share one.
struct Disk: Equatable {
    private let name: String

    init?(_ path: String) {
        var facts = stat()
        var path = path
        // What is not there yet will be where its folder is.
        while stat(path, &facts) != 0 {
            let above = (path as NSString).deletingLastPathComponent
            guard above != path, !above.isEmpty else { return nil }
            path = above
        }
        let device = UInt64(facts.st_dev)
        name = Self.disk(device) ?? "\(device)"
    }

    /// The whole disk behind a partition, as Linux names it; nil where that cannot be told.
    private static func disk(_ device: UInt64) -> String? {
        #if os(Linux)
            // makedev(3)
            let major = (device >> 8) & 0xFFF | (device >> 32) & ~0xFFF
            let minor = device & 0xFF | (device >> 12) & ~0xFF & 0xFFFF_FFFF
            guard let real = realpath("/sys/dev/block/\(major):\(minor)", nil) else { return nil }
            defer { free(real) }
            let path = String(cString: real)
            return access("\(path)/partition", F_OK) == 0
                ? (path as NSString).deletingLastPathComponent : path
        #else
            return nil
        #endif
    }
}
