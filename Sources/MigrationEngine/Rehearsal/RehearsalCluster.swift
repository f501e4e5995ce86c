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

    private let folder: String
    private let programs: ServerPrograms
    private var cancellation: Cancellation
    private var facts: Facts

    public init(_ state: StateFolder, cancellation: Cancellation) throws {
        folder = try state.folder("rehearsal")
        self.cancellation = cancellation
        programs = try ServerPrograms()
        let saved = FileManager.default.contents(atPath: "\(folder)/cluster.json")
            .flatMap { try? JSONDecoder().decode(Facts.self, from: $0) }
        facts =
            saved
            ?? Facts(
                data: programs.place(for: folder, kind: "rehearsals") ?? "\(folder)/data", socketFolder: nil,
                staysUp: false, isMade: false)
    }

    private var cluster: PrivateCluster {
        PrivateCluster(data: facts.data, programs: programs, cancellation: cancellation)
    }

    /// Whether a rehearsal was ever made in this state folder.
    public static func exists(_ state: StateFolder) -> Bool {
        access("\(state.path)/rehearsal/cluster.json", F_OK) == 0
    }

    /// Where a rehearsal is that runs now, as a URL for psql; reads a small file, and starts nothing.
    public static func url(_ state: StateFolder) -> String? {
        guard let data = FileManager.default.contents(atPath: "\(state.path)/rehearsal/cluster.json"),
            let facts = try? JSONDecoder().decode(Facts.self, from: data), let socket = facts.socketFolder,
            access("\(socket)/.s.PGSQL.\(PrivateCluster.port)", F_OK) == 0
        else { return nil }
        return PrivateCluster.conninfo(socket: socket, database: database).url
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
            if let socket = facts.socketFolder, access("\(socket)/.s.PGSQL.\(PrivateCluster.port)", F_OK) == 0
            {
                try save()
                return
            }
            try stop()
            facts.staysUp = stays
        }
        if let old = facts.socketFolder { try? FileManager.default.removeItem(atPath: old) }
        let socket = try programs.makeSocketFolder()
        facts.socketFolder = socket
        try save()
        try cluster.start(
            socket: socket,
            remedy: "Look into \(facts.data)/server.log, or make a new one: howdah rehearsal remove.")
    }

    /// Stops the cluster unless it was started to stay.
    public mutating func stopUnlessKept() throws {
        if !facts.staysUp { try stop() }
    }

    /// Stops the cluster; does nothing when it is not running.
    public mutating func stop() throws {
        try cluster.stop()
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

    public var isRunning: Bool { cluster.isRunning }

    /// Where to connect while it runs.
    public func conninfo(database: String = Self.database) -> Conninfo? {
        facts.socketFolder.map { PrivateCluster.conninfo(socket: $0, database: database) }
    }

    /// Copies its data while it stands still, and has it run again as it ran before, also after a failure.
    ///
    /// Its settings, made for speed, allow no backup of it while it runs. Sessions that are connected end.
    public mutating func copyData(to folder: String) throws {
        let wasRunning = isRunning
        let stays = facts.staysUp
        let wish = cancellation
        defer { cancellation = wish }
        try stop()
        let copied = Swift.Result { try cluster.copy(to: folder) }
        // What ran before runs again, whatever became of the copy.
        cancellation = Cancellation()
        if wasRunning { try start(stays: stays) }
        try copied.get()
    }

    /// The bytes of its data folder.
    public func dataBytes() -> Int64 { FolderSize.bytes(facts.data) }

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

    private mutating func make() throws {
        try? FileManager.default.removeItem(atPath: facts.data)
        // Whoever is killed before the end has left word of where the data lies.
        facts.isMade = false
        try save()
        defer { if !facts.isMade { try? FileManager.default.removeItem(atPath: facts.data) } }
        try programs.makeFolder(facts.data)
        let outcome = try programs.command(
            "initdb",
            [
                "-D", facts.data, "-U", PrivateCluster.superuser, "-A", "trust", "-E", "UTF8", "--locale=C",
                "--no-sync",
                "--no-instructions",
            ]
        ).run(cancellation: cancellation)
        guard outcome.status == 0 else {
            throw MigrationError(
                .rehearsal, "initdb fails: \(outcome.output)",
                remedy: "Check free space and rights of \(facts.data), or name a server as the target.")
        }
        try cluster.append(configuration: Self.configuration)
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

    private func save() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try writePrivateFile(
            "\(folder)/cluster.json", String(decoding: try encoder.encode(facts), as: UTF8.self) + "\n")
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
