import MigrationEngine
import Postgres

/// How a load test is run.
public struct LoadOptions: Sendable {
    public static let mostConnections = 1000
    public static let mostSeconds = 3600.0

    /// Users at once; nil takes eight, or as many as the server has left.
    public var connections: Int?
    public var seconds: Double
    /// Whether writes are committed, in a copy of the database that is dropped afterwards. Without it each write is
    /// rolled back in the target.
    public var isScratch: Bool
    /// Whether an application may be at work in the target: then nothing is done that its users would wait for.
    public var isLive = false
    public var statementTimeout = Duration.seconds(10)
    public var lockTimeout = Duration.seconds(2)

    public init(connections: Int? = nil, seconds: Double = 10, isScratch: Bool = false) {
        self.connections = connections
        self.seconds = seconds
        self.isScratch = isScratch
    }

    /// A howdah that is stopped in the middle of a transaction must not keep its locks: the server ends the session.
    private static let idleMilliseconds = 5000

    /// Whether tables with triggers or rules are only read: what those take from sequences is not given back, and to hold the
    /// sequences meanwhile would keep the application waiting.
    public var sparesTriggers: Bool { isLive && !isScratch }

    /// What sessions set; the schema's own names are found as the application finds them.
    var settings: String {
        """
        SET statement_timeout = \(Int(statementTimeout.seconds * 1000)); SET lock_timeout = \(Int(lockTimeout.seconds * 1000));
        SET idle_in_transaction_session_timeout = \(Self.idleMilliseconds); SET datestyle = 'ISO'; SET intervalstyle = 'postgres';
        SET extra_float_digits = 1; SET bytea_output = 'hex'; SET standard_conforming_strings = on
        """
    }
}

/// How many connections a server still takes.
public struct LoadLimits: Sendable, Equatable {
    /// Further connections of this user to this database.
    public let free: Int
    /// Why not more, in words.
    public let words: String

    /// Asks the server: its own limit, what is reserved and in use, and the limits of the database and of the role.
    static func read(_ connection: borrowing Postgres.Connection) throws -> LoadLimits {
        let result = try connection.query(
            """
            SELECT current_setting('max_connections')::int,
                CASE WHEN r.rolsuper THEN 0 ELSE current_setting('superuser_reserved_connections')::int
                    + coalesce(current_setting('reserved_connections', true)::int, 0) END,
                (SELECT count(*) FROM pg_stat_activity WHERE datid IS NOT NULL),
                CASE WHEN d.datconnlimit >= 0 AND NOT r.rolsuper THEN d.datconnlimit - (SELECT count(*) FROM pg_stat_activity
                    WHERE datid = d.oid) END,
                CASE WHEN r.rolconnlimit >= 0 AND NOT r.rolsuper THEN r.rolconnlimit - (SELECT count(*) FROM pg_stat_activity
                    WHERE usesysid = r.oid AND datid IS NOT NULL) END
            FROM pg_roles AS r, pg_database AS d WHERE r.rolname = current_user AND d.datname = current_database()
            """)
        let (all, reserved, used) = (result.int(0, 0) ?? 100, result.int(0, 1) ?? 3, result.int(0, 2) ?? 0)
        var free = all - reserved - used
        var words = "max_connections is \(all), \(reserved) reserved, \(used) in use"
        for (column, what) in [(3, "the database"), (4, "the role")] {
            guard let left = result.int(0, column) else { continue }
            words += "; \(what)'s own limit leaves \(max(0, left))"
            free = min(free, left)
        }
        return LoadLimits(free: max(0, free), words: words)
    }

    /// How many connections a test opens; throws where more are asked for than there are.
    func connections(_ asked: Int?) throws -> Int {
        guard free > 0 else {
            throw MigrationError(
                .targetUnfit, "the server has no connection left: \(words)",
                remedy: "End sessions that are not needed, or raise the limit.")
        }
        guard let asked else { return min(8, free) }
        guard asked <= free else {
            throw MigrationError(
                .targetUnfit, "\(asked) connections are asked for, and the server has \(free) left: \(words)",
                remedy: "Ask for \(free) at most, or raise the limit.", exit: .usage)
        }
        return asked
    }
}
