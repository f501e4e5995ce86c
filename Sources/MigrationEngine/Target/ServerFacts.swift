import Foundation
import Postgres

/// What a server says of itself, and what a migration needs of it.
public struct ServerFacts: Sendable, Equatable {
    /// One fact with whether it is as a migration wants it.
    public struct Fact: Sendable, Equatable {
        public let name: String
        public let value: String
        /// What should be done about it; nil where it is as it should be.
        public let advice: String?
    }

    public let url: String
    public let version: String
    public let facts: [Fact]

    /// Facts that somebody should look at.
    public var doubtful: [Fact] { facts.filter { $0.advice != nil } }
}

extension TargetServer {
    /// Looks at the server; throws as `check` does where it cannot take a migration into `schema`.
    public func facts(schema: String, sourceBytes: Int64) throws -> ServerFacts {
        try withConnection(purpose: "check") { connection in
            try checkFitness(connection, schema: schema)
            let result = try connection.query(
                """
                SELECT current_setting('server_version'),
                    (SELECT datcollate FROM pg_database WHERE datname = current_database()),
                    coalesce((SELECT s.setting FROM pg_settings AS s WHERE s.name = 'TimeZone' AND source = 'session'), ''),
                    (SELECT reset_val FROM pg_settings WHERE name = 'TimeZone'),
                    current_setting('wal_level'), current_setting('max_connections'),
                    coalesce((SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl), ''),
                    pg_size_pretty(pg_database_size(current_database())),
                    coalesce(host(inet_server_addr()), '')
                """)
            func text(_ column: Int) -> String { result.text(0, column) ?? "" }
            let zone = text(3)
            let isRemote = !["", "127.0.0.1", "::1"].contains(text(8))
            let facts = [
                ServerFacts.Fact(name: "reachable", value: "as \(connection.user)", advice: nil),
                .init(name: "version", value: "PostgreSQL \(text(0))", advice: nil),
                .init(name: "encoding", value: connection.parameter("server_encoding") ?? "", advice: nil),
                .init(name: "collation", value: text(1), advice: nil),
                .init(
                    name: "TimeZone", value: zone,
                    advice: ["UTC", "Etc/UTC", "GMT", "Etc/GMT"].contains(zone)
                        ? nil
                        : "dates are shown in that zone: step 1.4 sets UTC for the database, or "
                            + "ALTER DATABASE \(quoteIdentifier(connection.database)) SET timezone = 'UTC'"),
                .init(name: "privileges", value: "may create tables and schemas", advice: nil),
                .init(name: "database", value: "\(connection.database), \(text(7))", advice: nil),
                .init(
                    name: "encryption", value: text(6).isEmpty ? "none" : text(6),
                    advice: isRemote && text(6).isEmpty
                        ? "rows and password go over the network in clear: add sslmode=require" : nil),
                .init(name: "connections", value: "at most \(text(5))", advice: nil),
                .init(name: "wal_level", value: text(4), advice: nil),
                freeSpace(isLocal: !isRemote, sourceBytes: sourceBytes, connection),
            ]
            return ServerFacts(url: conninfo.url, version: text(0), facts: facts)
        }
    }

    /// Free space where the server keeps its data; only a server of this machine lets that be seen.
    private func freeSpace(
        isLocal: Bool, sourceBytes: Int64, _ connection: borrowing Postgres.Connection
    ) -> ServerFacts.Fact {
        let needed = "needs about \(max(1, (sourceBytes * 3) >> 20)) MB"
        let folder = try? connection.query("SELECT current_setting('data_directory')").text(0, 0)
        var space = statvfs()
        guard isLocal, let folder, statvfs(folder, &space) == 0 else {
            return .init(
                name: "free space", value: "cannot be seen from here; the migration \(needed)", advice: nil)
        }
        let free = Int64(space.f_bavail) * Int64(space.f_frsize)
        return .init(
            name: "free space", value: "\(free >> 20) MB; the migration \(needed)",
            advice: free < sourceBytes * 3
                ? "free some space, or let the server keep its data elsewhere" : nil)
    }
}
