import MigrationEngine

/// The application's own pool of connections: how large, and where that is said.
public struct PoolAdvice: Codable, Sendable, Equatable {
    /// What keeps the pool.
    public enum Client: Sendable, Equatable {
        /// With what its URL says now.
        case prisma(major: Int, parameters: [String: String])
        case django, rails
        case other
    }

    /// Connections for each instance of the application.
    public let size: Int
    public let instances: Int
    /// How the size comes about.
    public let reasons: [String]
    /// What the database's URL should say, in order; empty where that says it, or the client does not read it.
    public let parameters: [String]
    /// What is to be written elsewhere.
    public let lines: [String]
    public let facts: PoolFacts

    /// A part of what is free stays so: for psql, backups, and a deployment that runs beside the one before.
    private static let share = 0.8
    /// What a pool gets where the cores are not known: node-postgres' own.
    private static let unknown = 10
    /// Seconds that a query waits for a connection before it fails.
    private static let timeout = 10

    init(_ facts: PoolFacts, client: Client, instances: Int) {
        self.facts = facts
        self.instances = instances
        var reasons: [String] = []
        let wanted: Int
        if let cores = facts.cores {
            wanted = 2 * cores + 1
            reasons.append("2 × \(Format.count(cores, "core", "cores")) + 1 = \(wanted)")
        } else {
            wanted = Self.unknown
            reasons.append(
                "how many cores the server has is not known: \(wanted) is taken; --cores N says it")
        }
        let most = max(1, Int(Double(facts.free) * Self.share) / instances)
        size = min(wanted, most)
        reasons.append(
            "\(facts.free) of \(Format.count(facts.maxConnections, "connection", "connections")) are free (\(facts.words))"
        )
        if size < wanted {
            reasons.append(
                "four fifths of that for \(Format.count(instances, "instance", "instances")): \(most) each, so that \(wanted) would be too many"
            )
        }
        if instances * size > Int(Double(facts.free) * Self.share) {
            reasons.append(
                "\(instances) instances need more than there are: put PgBouncer before the server, or raise max_connections"
            )
        }
        reasons.append(
            facts.isPooled
                ? "a pooler such as PgBouncer is between howdah and the server"
                : "nothing is between howdah and the server; whether the application takes the same way is not known"
        )
        if facts.hidden > 0 {
            reasons.append(
                "\(Format.count(facts.hidden, "session is", "sessions are")) of roles whose work this role may not see (pg_monitor may)"
            )
        }
        self.reasons = reasons
        (parameters, lines) = Self.written(client, size: size, facts)
    }

    /// Where each client is told: parameters of the URL, and lines for elsewhere.
    private static func written(
        _ client: Client, size: Int, _ facts: PoolFacts
    ) -> (parameters: [String], lines: [String]) {
        switch client {
        case .prisma(let major, let present) where major <= 6:
            var wanted = [
                ("connection_limit", "\(size)"), ("pool_timeout", present["pool_timeout"] ?? "\(timeout)"),
            ]
            var lines: [String] = []
            if facts.isPooled {
                wanted.append(("pgbouncer", "true"))
                lines.append(
                    "PgBouncer: in transaction mode Prisma's migrations need a URL of their own: directUrl, straight to the server"
                )
            }
            return (wanted.filter { present[$0.0] != $0.1 }.map { "\($0.0)=\($0.1)" }, lines)
        case .prisma(_, let present):
            var lines = [
                "Prisma 7: the pool is the driver's, where the adapter is made:",
                "  new PrismaPg({ connectionString: process.env.DATABASE_URL, max: \(size), connectionTimeoutMillis: \(timeout * 1000), idleTimeoutMillis: 300_000 })",
            ]
            let ignored = ["connection_limit", "pool_timeout", "pgbouncer"].filter { present[$0] != nil }
            if !ignored.isEmpty {
                lines.append("Prisma 7 does not read \(ignored.joined(separator: ", ")) in the URL any more")
            }
            return ([], lines)
        case .django:
            return (
                [],
                [
                    "Django 5.1 or later, psycopg 3: DATABASES: \"OPTIONS\": {\"pool\": {\"min_size\": 2, \"max_size\": \(size), \"timeout\": \(timeout)}}, and CONN_MAX_AGE: 0",
                    "before: CONN_MAX_AGE: 60 and CONN_HEALTH_CHECKS: True keep one connection a thread: \(size) threads of all workers together",
                ]
                    + (facts.isPooled
                        ? [
                            "PgBouncer in transaction mode: DISABLE_SERVER_SIDE_CURSORS: True, and CONN_MAX_AGE: 0"
                        ] : [])
            )
        case .rails:
            return (
                [],
                [
                    "Rails: config/database.yml: pool: \(size) for each process, and as many RAILS_MAX_THREADS"
                ] + (facts.isPooled ? ["PgBouncer in transaction mode: prepared_statements: false"] : [])
            )
        case .other:
            return (
                [],
                [
                    "the pool's size is \(size), wherever the application sets it: node-postgres max, HikariCP maximumPoolSize, SQLAlchemy pool_size"
                ]
            )
        }
    }

    /// In one line.
    public var words: String {
        "pool of \(size) of \(Format.count(facts.free, "free connection", "free connections"))"
            + (instances > 1 ? ", for each of \(instances) instances" : "")
    }
}
