import Foundation
import MigrationEngine

/// A backup that the script has made.
public struct MadeBackup: Codable, Sendable, Equatable {
    public let path: String
    public let bytes: Int64
    public let seconds: Double
    /// What the script said beside it: roles that are not in it, and the like.
    public let notes: [String]

    public var file: String { (path as NSString).lastPathComponent }
}

/// Runs `backup.sh` once, as the machine does every day.
struct BackupRun {
    let settings: BackupSettings
    let cancellation: Cancellation
    let progress: RunProgress

    /// How long a dump may take.
    private static let limit = Duration.seconds(12 * 3600)
    /// Lines of the script's that are kept.
    private static let mostLines = 40

    /// Makes a backup; of the snapshot that another session has exported where one is named. Throws what the script said.
    func make(snapshot: String? = nil) throws -> MadeBackup {
        progress.begin(.backup)
        defer { progress.end() }
        // No more than systemd and cron give it: what works now works then.
        var environment = ["PATH": "/usr/local/bin:/usr/bin:/bin"]
        environment["HOME"] = ProcessInfo.processInfo.environment["HOME"]
        environment["HOWDAH_SNAPSHOT"] = snapshot
        var command = Command("/bin/sh", [settings.scriptPath], in: "/", environment: environment)
        command.timeout = Self.limit
        var output: [UInt8] = []
        let ending = try command.stream(cancellation: cancellation) { bytes in
            if output.count < 1 << 18 { output.append(contentsOf: bytes) }
        }
        if ending.isCancelled { throw MigrationError.cancelled }
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\n").map {
            printable(String($0))
        }
        let good = lines.last { $0.hasPrefix(BackupScript.goodMark) }?.dropFirst(BackupScript.goodMark.count)
        let codes = [BackupScript.Exit.good, BackupScript.Exit.goodWithTrouble]
        guard let good, codes.contains(ending.status) else {
            if ending.status == BackupScript.Exit.locked {
                throw MigrationError(
                    .locked, "another backup of this database is being made", remedy: "Wait for its end.")
            }
            throw failure(lines, ending)
        }
        let path = "\(settings.folder)/\(good)"
        var facts = stat()
        guard stat(path, &facts) == 0 else { throw FileSystemError("reading", path) }
        let mark = "backup of \(settings.name): "
        return MadeBackup(
            path: path, bytes: Int64(facts.st_size), seconds: ending.seconds,
            notes: lines.filter { $0.hasPrefix(mark) }.map { String($0.dropFirst(mark.count)) })
    }

    private func failure(_ lines: [String], _ ending: Command.Ending) -> MigrationError {
        if ending.isLate {
            return MigrationError(
                .state, "the backup was not made within 12 hours, and was ended",
                remedy: "Look what holds it up in pg_stat_activity, and at the disk of \(settings.folder).")
        }
        let mark = "backup of \(settings.name): "
        let own = lines.filter { $0.hasPrefix(mark) }.map { String($0.dropFirst(mark.count)) }
        let others = lines.filter { !$0.hasPrefix(mark) }.prefix(Self.mostLines)
        let reason = own.first { !$0.hasPrefix("what to do: ") } ?? "backup.sh ended with \(ending.status)"
        let words = others.isEmpty ? "" : ": " + others.joined(separator: "; ")
        let remedy = own.first { $0.hasPrefix("what to do: ") }.map { String($0.dropFirst(12)) }
        return MigrationError(
            .state, "no backup was made: \(reason)\(words)",
            remedy: remedy ?? "Run it by hand: sh \(shellQuoted(settings.scriptPath))")
    }
}
