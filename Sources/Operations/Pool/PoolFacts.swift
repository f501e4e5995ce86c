import Foundation
import MigrationEngine
import Postgres

/// What a server says of its connections, and of the machine that it runs on as far as that is known.
public struct PoolFacts: Codable, Sendable, Equatable {
    public struct Application: Codable, Sendable, Equatable {
        public let name: String
        public let count: Int
    }

    /// `server_version_num`.
    public var version: Int
    public var maxConnections: Int
    /// Connections that this user may still open.
    public var free: Int
    /// How `free` comes about.
    public var words: String
    /// Who is connected, the most first.
    public var applications: [Application]
    /// Whether the server runs on this machine.
    public var isLocal: Bool
    /// nil where they are not known.
    public var cores: Int?
    /// Of the machine, in bytes; nil where it is not known.
    public var memory: Int64?
    /// Whether something is between howdah and the server that gives out its connections, as PgBouncer does.
    public var isPooled: Bool
    /// Sessions whose application the role may not see.
    public var hidden: Int

    /// `cores` is the operator's word, and goes before what is found.
    static func read(_ connection: borrowing Postgres.Connection, cores: Int?) throws -> PoolFacts {
        let limits = try LoadLimits.read(connection)
        let row = try connection.query(
            """
            SELECT current_setting('max_connections')::int,
                inet_server_addr() IS NULL OR inet_server_addr() <<= '127.0.0.0/8' OR host(inet_server_addr()) = '::1',
                pg_backend_pid(),
                (SELECT count(*) FROM pg_stat_activity WHERE datid IS NOT NULL AND backend_type IS NULL)
            """)
        // A pooler tells a client a process of its own invention: who cancels by it reaches the pooler.
        let isPooled = row.int(0, 2) != connection.backendProcess
        // Behind a pooler the address is that of the pooler's own connection.
        let isLocal = row.bool(0, 1) && !isPooled && isHere(connection.backendProcess)
        let sessions = try connection.query(
            """
            SELECT coalesce(nullif(application_name, ''), 'no name'), count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
            GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20
            """)
        return PoolFacts(
            version: connection.serverVersion, maxConnections: row.int(0, 0) ?? 0, free: limits.free,
            words: limits.words,
            applications: (0..<sessions.count).map {
                Application(name: sessions.text($0, 0) ?? "", count: sessions.int($0, 1) ?? 0)
            },
            isLocal: isLocal,
            cores: cores ?? (isLocal ? ProcessInfo.processInfo.processorCount : nil),
            memory: isLocal ? Int64(ProcessInfo.processInfo.physicalMemory) : nil, isPooled: isPooled,
            hidden: row.int(0, 3) ?? 0)
    }

    /// Whether a server's process is one of this machine: through a tunnel a distant server calls itself local, too.
    static func isHere(_ process: Int) -> Bool {
        guard process > 0, let id = pid_t(exactly: process), kill(id, 0) == 0 || errno == EPERM else {
            return false
        }
        guard let name = try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8) else {
            return true
        }
        return name.hasPrefix("postgres")
    }
}
