import Crypto
import Foundation
import Postgres

/// PostgreSQL's server programs, and the user that they run as.
///
/// PostgreSQL refuses to run as root: its processes run as another user then, who must be able to reach the data.
public struct ServerPrograms {
    /// The folder that they are in.
    public let folder: String
    let user: Command.User?

    public init() throws {
        folder = try ServerBinaries.find()
        user = try Self.serverUser()
    }

    private static func serverUser() throws -> Command.User? {
        guard geteuid() == 0 else { return nil }
        guard let user = Command.User.named("postgres") ?? Command.User.named("nobody") else {
            throw MigrationError(
                .rehearsal,
                "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as",
                remedy: "Run howdah as an ordinary user, or add a user named postgres.")
        }
        return user
    }

    /// Where data lies that belongs to a folder of the state's: in it, or, for root, below `/var/lib/howdah`.
    public func place(for folder: String, kind: String) -> String? {
        guard user != nil else { return nil }
        let digest = SHA256.hash(data: Data(folder.utf8)).prefix(8)
        return "/var/lib/howdah/\(kind)/\(digest.hexadecimal)"
    }

    /// Makes an empty folder that only the servers' user reads.
    public func makeFolder(_ path: String) throws {
        if user != nil {
            let parent = (path as NSString).deletingLastPathComponent
            try FileManager.default.createDirectory(
                atPath: parent, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
        }
        try makePrivateFolder(path)
        try give(path)
    }

    /// Hands a file or a folder to the servers' user.
    public func give(_ path: String) throws {
        guard let user else { return }
        guard chown(path, user.id, user.group) == 0 else {
            throw FileSystemError("giving to \(user.name)", path)
        }
    }

    /// A program of PostgreSQL's, as the servers' user.
    public func command(_ name: String, _ arguments: [String]) -> Command {
        Command(executable: "\(folder)/\(name)", arguments: arguments, user: user)
    }

    /// Any program, as the servers' user.
    public func command(path: String, _ arguments: [String]) -> Command {
        Command(executable: path, arguments: arguments, user: user)
    }

    /// A folder whose path leaves room for a socket's name: 107 bytes are the most.
    public func makeSocketFolder() throws -> String {
        var template = Array("/tmp/howdah-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw FileSystemError("making a folder in", "/tmp") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try give(path)
        return path
    }
}

/// A server of howdah's own, on a socket that only its owner can open and on no port: started and stopped by its data folder.
public struct PrivateCluster {
    /// Part of the socket's name; nothing listens on it.
    public static let port = 5432
    /// Not the name of the ledger's schema: a role finds the schema of its own name first.
    public static let superuser = "rehearsal"

    public let data: String
    private let programs: ServerPrograms
    private let cancellation: Cancellation

    public init(data: String, programs: ServerPrograms, cancellation: Cancellation) {
        self.data = data
        self.programs = programs
        self.cancellation = cancellation
    }

    /// Where it is reached once it runs.
    public static func conninfo(socket: String, database: String) -> Conninfo {
        Conninfo(socketDirectory: socket, port: port, user: superuser, database: database)
    }

    public var isRunning: Bool {
        guard access("\(data)/postmaster.pid", F_OK) == 0 else { return false }
        return (try? control("status", []))?.status == 0
    }

    /// Starts it, and waits until it takes connections, at most so many seconds. Throws `.rehearsal` with its last words.
    public func start(socket: String, seconds: Int = 60, remedy: String) throws {
        let outcome = try control(
            "start", ["-l", "\(data)/server.log", "-o", "-k \(socket) -p \(Self.port)"], seconds: seconds)
        guard outcome.status == 0 else {
            throw MigrationError(
                .rehearsal, "the private PostgreSQL does not start: \(lastWords ?? outcome.output)",
                remedy: remedy)
        }
    }

    /// Stops it; does nothing when it is not running. `fast` waits for a checkpoint, `immediate` leaves the data to a recovery.
    public func stop(_ mode: String = "fast") throws {
        guard isRunning else { return }
        let outcome = try control("stop", ["-m", mode])
        guard outcome.status == 0 || !isRunning else {
            throw MigrationError(
                .rehearsal, "the private PostgreSQL does not stop: \(outcome.output)",
                remedy: "Look for its processes with: ps -ef | grep \(data)")
        }
    }

    /// Copies its data, which must not change meanwhile, into an empty folder of the same user's.
    public func copy(to folder: String) throws {
        #if os(Linux)
            let options = ["-a", "--reflink=auto"]
        #else
            let options = ["-a"]
        #endif
        var command = programs.command(path: "/bin/cp", options + ["\(data)/.", folder])
        command.timeout = .seconds(6 * 3600)
        let outcome = try command.run(cancellation: cancellation)
        guard outcome.status == 0 else {
            throw MigrationError(
                .noSpace, "\(data) cannot be copied to \(folder): \(outcome.output)",
                remedy: "Look for free space and rights there, and run this again.")
        }
    }

    private func control(_ action: String, _ arguments: [String], seconds: Int = 60) throws -> Command.Outcome
    {
        // Stopping must go on after a wish to cancel: that is what it is for.
        let wish = action == "start" ? cancellation : Cancellation()
        var command = programs.command(
            "pg_ctl", [action] + arguments + ["-D", data, "-w", "-t", "\(seconds)", "-s"])
        command.timeout = .seconds(seconds + 60)
        return try command.run(cancellation: wish)
    }

    /// Adds lines to its settings; the last one about a setting counts.
    public func append(configuration: String) throws {
        let path = "\(data)/postgresql.conf"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard descriptor >= 0 else { throw FileSystemError("writing", path) }
        defer { close(descriptor) }
        let count = configuration.withCString { write(descriptor, $0, strlen($0)) }
        guard count == configuration.utf8.count else { throw FileSystemError("writing", path) }
    }

    /// Why it does not run: the first line since its start that says so, or the last one.
    public var lastWords: String? {
        guard let log = FileManager.default.contents(atPath: "\(data)/server.log") else { return nil }
        let lines = String(decoding: log.suffix(16384), as: UTF8.self).split(separator: "\n")
        let start = lines.lastIndex { $0.contains("starting PostgreSQL") } ?? lines.startIndex
        let own = lines[start...]
        return (own.first { $0.contains("FATAL: ") || $0.contains("PANIC: ") } ?? own.last).map(String.init)
    }
}

/// How much files below a folder hold together.
public enum FolderSize {
    /// In bytes; what cannot be read counts nothing.
    public static func bytes(_ path: String) -> Int64 {
        guard let walker = FileManager.default.enumerator(atPath: path) else { return 0 }
        var sum: Int64 = 0
        while walker.nextObject() != nil {
            if walker.fileAttributes?[.type] as? FileAttributeType == .typeRegular {
                sum += walker.fileAttributes?[.size] as? Int64 ?? 0
            }
        }
        return sum
    }
}
