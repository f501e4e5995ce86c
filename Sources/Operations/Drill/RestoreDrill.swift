import Foundation
import MigrationEngine
import Postgres

/// A restore drill: a backup is restored into a scratch database, which is then held against the original, cell by cell.
///
/// The backup is a real one, made by the script that runs every day, of a snapshot that this keeps open; the proof reads the
/// original by the same snapshot, so that the application may go on writing
/// (https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION). The scratch database is
/// dropped whatever happens; one that a killed drill has left, by the next. Called from a thread that may block.
public struct RestoreDrill: Sendable {
    /// After so many days the timer drills again.
    public static let usualDays = 7

    let desk: BackupDesk
    let settings: BackupSettings
    let ledger: ScratchLedger
    /// A folder that howdah may write to.
    let folder: String
    let workers: Int

    public init(
        desk: BackupDesk, settings: BackupSettings, ledger: ScratchLedger, folder: String, workers: Int
    ) {
        self.desk = desk
        self.settings = settings
        self.ledger = ledger
        self.folder = folder
        self.workers = workers
    }

    private var cancellation: Cancellation { desk.cancellation }

    /// What is drilled: a backup that is made for it, or a file that is there.
    private enum Subject {
        case fresh(MadeBackup)
        /// `isWhole` tells whether it is what the script wrote; nil where nothing tells.
        case file(String, bytes: Int64, isWhole: Bool?)

        var path: String {
            switch self {
            case .fresh(let backup): backup.path
            case .file(let path, _, _): path
            }
        }

        var bytes: Int64 {
            switch self {
            case .fresh(let backup): backup.bytes
            case .file(_, let bytes, _): bytes
            }
        }

        var isFresh: Bool { if case .fresh = self { true } else { false } }
        /// Whether rows that differ may be the application's, written since.
        var mayBeOlder: Bool { if case .file(_, _, true) = self { true } else { false } }
    }

    /// Drills a new backup; `file` a dump that is there, against the database as of now.
    public func run(file: String? = nil) throws -> DrillReport {
        let place = try place()
        let left = try ScratchDatabase.removeLeft(ledger, .drill, on: place, cancellation: cancellation)
        removePasswords()
        try checkSpace()
        let older = try file.map(subject)
        var report = try desk.server.withConnection(purpose: "drill") { holder in
            let snapshot = try Self.begin(holder)
            let before = try SequenceValues(holder)
            let subject = try older ?? .fresh(desk.makeNow(settings, snapshot: snapshot))
            let sequences = (before: before, after: try SequenceValues(holder))
            return try drill(subject, place, snapshot, sequences, holder)
        }
        desk.progress.end()
        report.notes += left
        report.time = Date().formatted(.iso8601)
        return report
    }

    /// Where the database is, with the password that lets in there: a line of a pgpass file may be for that database alone,
    /// and a drill needs others of the same server.
    private func place() throws -> Conninfo {
        let conninfo = desk.server.conninfo
        let password = try desk.server.withConnection(purpose: "drill") { $0.password }
        return password.map { conninfo.setting("password", to: $0) } ?? conninfo
    }

    /// Opens the transaction whose snapshot all others read by.
    private static func begin(_ connection: borrowing Postgres.Connection) throws -> String {
        try connection.execute(
            "SET statement_timeout = '6h'; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        _ = try connection.query(
            "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'transaction_timeout'")
        return try connection.query("SELECT pg_export_snapshot()").text(0, 0) ?? ""
    }

    private func subject(_ file: String) throws -> Subject {
        let path = absolutePath(file)
        var facts = stat()
        guard stat(path, &facts) == 0, access(path, R_OK) == 0 else {
            throw MigrationError(
                .state, "there is no backup \(path), or it cannot be read",
                remedy: "Look into \(settings.folder), and name one of the files there.", exit: .undecided)
        }
        let recorded = DumpFolder.recordedDigest(path)
        let isNamed = DumpFolder(settings).time(of: (path as NSString).lastPathComponent) != nil
        var isWhole: Bool?
        if let recorded {
            let isSame = try sha256(ofFile: path, cancellation: cancellation) == recorded
            isWhole = isSame ? (isNamed ? true : nil) : false
        }
        return .file(path, bytes: Int64(facts.st_size), isWhole: isWhole)
    }

    private static let passwordPrefix = "pgpass-drill-"

    /// What a drill that was killed has left; the state folder's lock keeps others away.
    private func removePasswords() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        where name.hasPrefix(Self.passwordPrefix) {
            unlink("\(folder)/\(name)")
        }
    }

    /// Throws where the server's disk has no room for the database once more, as far as that can be seen from here.
    private func checkSpace() throws {
        let facts = try desk.server.withConnection(purpose: "drill") { try DatabaseFacts($0) }
        var space = statvfs()
        guard let data = facts.dataFolder, statvfs(data, &space) == 0 else { return }
        let free = Int64(space.f_bavail) * Int64(space.f_frsize)
        guard free < facts.bytes else { return }
        throw MigrationError(
            .noSpace,
            "a drill restores \(Format.bytes(facts.bytes)) once more, and \(data) has \(Format.bytes(free)) free",
            remedy: "Free some space on the server's disk, and run the drill again.")
    }

    // MARK: One drill

    private func drill(
        _ subject: Subject, _ place: Conninfo, _ snapshot: String,
        _ sequences: (before: SequenceValues, after: SequenceValues),
        _ holder: borrowing Postgres.Connection
    ) throws -> DrillReport {
        var report = DrillReport(
            verdict: .proven, path: subject.path, bytes: subject.bytes, isFresh: subject.isFresh, tables: [],
            sequences: sequences.before.values.count, objects: 0, problems: [], notes: Self.limits, time: "",
            dumpSeconds: 0, restoreSeconds: 0, proofSeconds: 0)
        if case .fresh(let backup) = subject {
            report.dumpSeconds = backup.seconds
            report.notes += backup.notes
        }
        if case .file(_, _, false) = subject {
            report.verdict = .differs
            report.problems.append(
                "the bytes of the file are not those that were written: its sha256 is another one")
        }
        let scratch = try ScratchDatabase(
            emptyLike: try DatabaseTraits(holder), beside: place, ledger: ledger, cancellation: cancellation)
        do {
            let start = ContinuousClock.now
            if let reason = try restore(subject.path, scratch, holder) {
                report.verdict = .unrestorable
                report.problems.insert(reason, at: 0)
            }
            report.restoreSeconds = (ContinuousClock.now - start).seconds
            CrashPoint.pass("drill restored")
            if report.verdict != .unrestorable {
                let start = ContinuousClock.now
                let proof = RestoreProof(
                    original: TargetServer(place, cancellation: cancellation),
                    restored: TargetServer(scratch.conninfo, cancellation: cancellation), snapshot: snapshot,
                    mayBeOlder: subject.mayBeOlder, folder: folder, workers: workers,
                    cancellation: cancellation,
                    progress: desk.progress)
                try proof.run(sequences, holder, &report)
                report.proofSeconds = (ContinuousClock.now - start).seconds
            }
            try scratch.remove()
        } catch {
            try? scratch.remove()
            throw error
        }
        return report
    }

    /// What a restore with `--no-owner --no-privileges` leaves out: an ordinary role may not give objects to others, and what
    /// the drill is about is the content.
    private static let limits = [
        "owners, rights, publications and subscriptions are not drilled: the backup holds them, and RESTORE.md restores them"
    ]

    /// Restores a dump; returns why it cannot be restored, or nil. Throws where the fault is the server's or the machine's.
    private func restore(
        _ path: String, _ scratch: ScratchDatabase, _ holder: borrowing Postgres.Connection
    ) throws -> String? {
        desk.progress.begin(.restore)
        let programs = try ClientPrograms.find(atLeast: holder.serverVersion / 10000)
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("PG") }
        environment["LC_ALL"] = "C"
        for variable in LibpqVariables.variables(holder.settings) where variable.name != "PGDATABASE" {
            environment[variable.name] = variable.value
        }
        let passwords = "\(folder)/\(Self.passwordPrefix)\(getpid())"
        defer { unlink(passwords) }
        if let password = holder.password {
            let escaped = password.replacing("\\", with: "\\\\").replacing(":", with: "\\:")
            let line = "*:*:*:*:\(escaped)\n"
            try writeFile(passwords, Array(line.utf8), mode: 0o600)
            environment["PGPASSFILE"] = passwords
        }
        var command = programs.command(
            "pg_restore",
            [
                "--exit-on-error", "--no-owner", "--no-privileges", "--no-publications", "--no-subscriptions",
                "--no-security-labels", "--no-password", "--jobs=\(workers)", "--dbname=\(scratch.name)",
                path,
            ], environment: environment)
        command.timeout = .seconds(12 * 3600)
        var output: [UInt8] = []
        let ending = try command.stream(cancellation: cancellation) { bytes in
            if output.count < 1 << 16 { output.append(contentsOf: bytes) }
        }
        if ending.isCancelled { throw MigrationError.cancelled }
        guard ending.status != 0 else { return nil }
        let words = DumpArchive.words(String(decoding: output, as: UTF8.self))
        let elsewhere = [
            "connection to server", "No space left", "could not extend file", "out of memory",
            "permission denied", "must be owner", "must be superuser",
        ]
        if ending.isLate || elsewhere.contains(where: { words.contains($0) }) {
            throw MigrationError(
                .target, "the backup could not be restored, which need not be its fault: \(words)",
                remedy:
                    "Look at the server, its disk, and what the role may do (some extensions ask for a superuser), and run "
                    + "the drill again.")
        }
        return words
    }
}
