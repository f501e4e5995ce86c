import Crypto
import Foundation
import Postgres

/// A private PostgreSQL for trying everything first: made by `initdb`, reached through a socket that only its
/// owner can open, on no port, and of no worth to anyone else.
///
/// Its data lies in the state folder, or, for root, below `/var/lib/howdah`: PostgreSQL refuses to run as root, so
/// its processes run as another user, who must be able to reach them. A crash of the host may lose it (fsync is
/// off). Called from one thread; the state folder's lock keeps others away.
public struct RehearsalCluster {
    /// What is kept about a cluster between runs.
    private struct Facts: Codable {
        var data: String
        var socketFolder: String?
        /// Whether it was started to stay, by `howdah rehearsal start`.
        var staysUp: Bool
        /// Whether `initdb` has ended: what it left half done is made anew.
        var isMade: Bool
    }

    /// The database that rehearsals migrate into.
    public static let database = "rehearsal"
    /// Not the name of the ledger's schema: a role finds the schema of its own name first.
    private static let superuser = "rehearsal"
    private static let port = 5432

    private let folder: String
    private let binaries: String
    private let user: Command.User?
    private let cancellation: Cancellation
    private var facts: Facts

    public init(_ state: StateFolder, cancellation: Cancellation) throws {
        folder = try state.folder("rehearsal")
        self.cancellation = cancellation
        binaries = try ServerBinaries.find()
        user = try Self.serverUser()
        let saved = FileManager.default.contents(atPath: "\(folder)/cluster.json")
            .flatMap { try? JSONDecoder().decode(Facts.self, from: $0) }
        facts =
            saved
            ?? Facts(
                data: Self.dataFolder(folder: folder, user: user), socketFolder: nil, staysUp: false,
                isMade: false)
    }

    /// Whether a rehearsal was ever made in this state folder.
    public static func exists(_ state: StateFolder) -> Bool {
        access("\(state.path)/rehearsal/cluster.json", F_OK) == 0
    }

    /// Where a rehearsal is that runs now, as a URL for psql; reads a small file, and starts nothing.
    public static func url(_ state: StateFolder) -> String? {
        guard let data = FileManager.default.contents(atPath: "\(state.path)/rehearsal/cluster.json"),
            let facts = try? JSONDecoder().decode(Facts.self, from: data), let socket = facts.socketFolder,
            access("\(socket)/.s.PGSQL.\(port)", F_OK) == 0
        else { return nil }
        return Conninfo(socketDirectory: socket, port: port, user: superuser, database: database).url
    }

    /// Whether its data is there: somebody may have removed it.
    public var isMade: Bool { facts.isMade && access("\(facts.data)/PG_VERSION", F_OK) == 0 }

    /// Starts the cluster, making it when it is not there; one that runs already is taken.
    ///
    /// `stays` makes later runs leave it up.
    public mutating func start(stays: Bool = false) throws {
        if !isMade { try make() }
        facts.staysUp = facts.staysUp || stays
        if isRunning {
            if let socket = facts.socketFolder, access("\(socket)/.s.PGSQL.\(Self.port)", F_OK) == 0 {
                try save()
                return
            }
            try stop()
            facts.staysUp = stays
        }
        let socket = try makeSocketFolder()
        facts.socketFolder = socket
        try save()
        let outcome = try control([
            "start", "-l", "\(facts.data)/server.log", "-o", "-k \(socket) -p \(Self.port)",
        ])
        guard outcome.status == 0 else {
            throw MigrationError(
                .rehearsal, "the private PostgreSQL does not start: \(lastLogLine() ?? outcome.output)",
                remedy: "Look into \(facts.data)/server.log, or make a new one: howdah rehearsal remove.")
        }
    }

    /// Stops the cluster unless it was started to stay.
    public mutating func stopUnlessKept() throws {
        if !facts.staysUp { try stop() }
    }

    /// Stops the cluster; does nothing when it is not running.
    public mutating func stop() throws {
        if isRunning {
            let outcome = try control(["stop", "-m", "fast"])
            guard outcome.status == 0 || !isRunning else {
                throw MigrationError(
                    .rehearsal, "the private PostgreSQL does not stop: \(outcome.output)",
                    remedy: "Look for its processes with: ps -ef | grep \(facts.data)")
            }
        }
        if let socket = facts.socketFolder { try? FileManager.default.removeItem(atPath: socket) }
        facts.socketFolder = nil
        facts.staysUp = false
        if access("\(folder)/cluster.json", F_OK) == 0 { try save() }
    }

    /// Stops the cluster and removes everything of it.
    public mutating func remove() throws {
        try stop()
        for path in [facts.data, "\(folder)/cluster.json"] where access(path, F_OK) == 0 {
            try FileManager.default.removeItem(atPath: path)
        }
    }

    public var isRunning: Bool {
        guard access("\(facts.data)/postmaster.pid", F_OK) == 0 else { return false }
        return (try? control(["status"]))?.status == 0
    }

    /// Where to connect while it runs.
    public func conninfo(database: String = Self.database) -> Conninfo? {
        facts.socketFolder.map {
            Conninfo(socketDirectory: $0, port: Self.port, user: Self.superuser, database: database)
        }
    }

    /// Throws `.noSpace` where a rehearsal of a source of so many bytes would not fit: tables, indexes and log.
    public func checkSpace(forSource bytes: Int64) throws {
        var space = statvfs()
        guard statvfs((facts.data as NSString).deletingLastPathComponent, &space) == 0 else { return }
        let free = Int64(space.f_bavail) * Int64(space.f_frsize)
        let needed = bytes * 3 + (64 << 20)
        guard free < needed else { return }
        throw MigrationError(
            .noSpace,
            "a rehearsal needs about \(needed >> 20) MB, and \(facts.data) has \(free >> 20) MB free",
            remedy:
                "Free some space, put the state on another disk with --state DIR, or name a server as the target."
        )
    }

    /// Makes the rehearsal's database empty: it holds nothing but the last rehearsal.
    public func resetDatabase() throws {
        guard let conninfo = conninfo(database: "postgres") else { return }
        let server = TargetServer(conninfo, cancellation: cancellation)
        let name = quoteIdentifier(Self.database)
        try server.withConnection(purpose: "rehearsal") { connection in
            try connection.execute("DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
            try connection.execute("CREATE DATABASE \(name) TEMPLATE template0 ENCODING 'UTF8'")
            try connection.execute("ALTER DATABASE \(name) SET timezone = 'UTC'")
        }
    }

    /// Makes the database when it is not there yet.
    public func ensureDatabase() throws {
        guard let conninfo = conninfo(database: "postgres") else { return }
        let server = TargetServer(conninfo, cancellation: cancellation)
        let exists = try server.withConnection(purpose: "rehearsal") { connection in
            try connection.query(
                "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", [Self.database]
            )
            .bool(0, 0)
        }
        if !exists { try resetDatabase() }
    }

    // MARK: Making

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

    private static func dataFolder(folder: String, user: Command.User?) -> String {
        guard user != nil else { return "\(folder)/data" }
        let digest = SHA256.hash(data: Data(folder.utf8)).prefix(8)
        let name = digest.hexadecimal
        return "/var/lib/howdah/rehearsals/\(name)"
    }

    private mutating func make() throws {
        try? FileManager.default.removeItem(atPath: facts.data)
        // Whoever is killed before the end has left word of where the data lies.
        facts.isMade = false
        try save()
        defer { if !facts.isMade { try? FileManager.default.removeItem(atPath: facts.data) } }
        if let user {
            let parent = (facts.data as NSString).deletingLastPathComponent
            try FileManager.default.createDirectory(
                atPath: parent, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
            try makePrivateFolder(facts.data)
            guard chown(facts.data, user.id, user.group) == 0 else {
                throw FileSystemError("giving to \(user.name)", facts.data)
            }
        }
        let outcome = try command(
            "initdb",
            [
                "-D", facts.data, "-U", Self.superuser, "-A", "trust", "-E", "UTF8", "--locale=C",
                "--no-sync",
                "--no-instructions",
            ]
        ).run(cancellation: cancellation)
        guard outcome.status == 0 else {
            throw MigrationError(
                .rehearsal, "initdb fails: \(outcome.output)",
                remedy: "Check free space and rights of \(facts.data), or name a server as the target.")
        }
        try append(Self.configuration, to: "\(facts.data)/postgresql.conf")
        facts.isMade = true
        try save()
    }

    /// Nothing here must survive the host: durability is traded for speed.
    private static let configuration = """

        # howdah's rehearsal
        listen_addresses = ''
        unix_socket_permissions = 0700
        fsync = off
        full_page_writes = off
        synchronous_commit = off
        wal_level = minimal
        max_wal_senders = 0
        max_wal_size = 4GB
        shared_buffers = 128MB
        timezone = 'UTC'
        log_timezone = 'UTC'

        """

    private func append(_ text: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard descriptor >= 0 else { throw FileSystemError("writing", path) }
        defer { close(descriptor) }
        let count = text.withCString { write(descriptor, $0, strlen($0)) }
        guard count == text.utf8.count else { throw FileSystemError("writing", path) }
    }

    private func save() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try writePrivateFile(
            "\(folder)/cluster.json", String(decoding: try encoder.encode(facts), as: UTF8.self) + "\n")
    }

    // MARK: Running

    /// A folder whose path leaves room for a socket's name: 107 bytes are the most.
    private func makeSocketFolder() throws -> String {
        if let old = facts.socketFolder { try? FileManager.default.removeItem(atPath: old) }
        var template = Array("/tmp/howdah-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw FileSystemError("making a folder in", "/tmp") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if let user, chown(path, user.id, user.group) != 0 {
            throw FileSystemError("giving to \(user.name)", path)
        }
        return path
    }

    private func command(_ name: String, _ arguments: [String]) -> Command {
        Command(executable: "\(binaries)/\(name)", arguments: arguments, user: user)
    }

    private func control(_ arguments: [String]) throws -> Command.Outcome {
        // Stopping must go on after a wish to cancel: that is what it is for.
        let wish = arguments.first == "start" ? cancellation : Cancellation()
        return try command("pg_ctl", arguments + ["-D", facts.data, "-w", "-t", "60", "-s"]).run(
            cancellation: wish)
    }

    private func lastLogLine() -> String? {
        guard let log = FileManager.default.contents(atPath: "\(facts.data)/server.log") else { return nil }
        return String(decoding: log.suffix(4096), as: UTF8.self).split(separator: "\n").last.map(String.init)
    }
}

/// Where PostgreSQL's server programs are.
enum ServerBinaries {
    /// The folder with `initdb` and `pg_ctl`, of the newest version; distributions keep them out of PATH.
    static func find(environment: [String: String] = ProcessInfo.processInfo.environment) throws -> String {
        var folders: [String] = []
        if let named = environment["HOWDAH_PG_BINDIR"] { folders.append(named) }
        for root in ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"] {
            let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? [])
                .filter { root.hasSuffix("postgresql") || $0.hasPrefix("postgresql") }
                .sorted { $0.compare($1, options: .numeric) == .orderedDescending }
            folders += versions.map { "\(root)/\($0)/bin" }
        }
        folders += (environment["PATH"] ?? "").split(separator: ":").map(String.init)
        folders += ["/usr/pgsql/bin", "/usr/local/pgsql/bin", "/usr/libexec/postgresql"]
        for folder in folders
        where ["initdb", "pg_ctl"].allSatisfy({ access("\(folder)/\($0)", X_OK) == 0 }) { return folder }
        throw MigrationError(
            .rehearsal, "no PostgreSQL server is installed here: initdb was not found",
            remedy:
                "Install it (Debian, Ubuntu: apt-get install postgresql; macOS: brew install postgresql), say where "
                + "it is with HOWDAH_PG_BINDIR, or name a server as the target.")
    }
}
