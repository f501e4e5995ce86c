import Foundation
import MigrationEngine
import SQLite

/// How fast a database grows.
public struct MonitorGrowth: Sendable, Equatable {
    /// Bytes; nil before six hours of history, and before a week of it.
    public var perDay: Double?
    public var perWeek: Double?

    public init(perDay: Double? = nil, perWeek: Double? = nil) {
        self.perDay = perDay
        self.perWeek = perWeek
    }

    /// Days until so many bytes are used up; nil where it does not grow, or a day of history is not there yet.
    func daysUntilFull(_ free: Int64?) -> Double? {
        guard let free, let perDay, perDay > 0 else { return nil }
        return Double(free) / perDay
    }
}

/// Figures of earlier samples, in `monitor.db` of a state folder: numbers only, never the text of a query.
///
/// A sample a minute at the most; after a week one an hour stays, after 60 days one a day. Several processes may write.
/// Used by one thread.
public final class MonitorHistory {
    /// What is kept of one sample.
    public struct Point: Sendable, Equatable {
        /// Seconds since 1970.
        public var time: Int
        public var size: Int64?
        public var connections: Int
        public var transactions: Double?
        public var cacheHits: Double?
        public var slow: Int

        public init(
            time: Int, size: Int64?, connections: Int, transactions: Double? = nil, cacheHits: Double? = nil,
            slow: Int = 0
        ) {
            self.time = time
            self.size = size
            self.connections = connections
            self.transactions = transactions
            self.cacheHits = cacheHits
            self.slow = slow
        }
    }

    static let name = "monitor.db"
    private static let day = 86_400
    private let connection: SQLite.Connection

    /// Opens or makes the file in a state folder. Throws `SQLiteError`.
    public init(_ state: StateFolder) throws {
        let path = "\(state.path)/\(Self.name)"
        let isNew = access(path, F_OK) != 0
        connection = try SQLite.Connection(path: path, mode: .create)
        connection.setBusyTimeout(milliseconds: 2000)
        if isNew { chmod(path, 0o600) }
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS sample (
                server TEXT NOT NULL, time INTEGER NOT NULL, size INTEGER, connections INTEGER NOT NULL,
                transactions REAL, cache_hits REAL, slow INTEGER NOT NULL, PRIMARY KEY (server, time)) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS last (server TEXT PRIMARY KEY, counters TEXT NOT NULL) WITHOUT ROWID
            """)
    }

    /// Keeps a sample, and thins out what is old; `counters` are where the next differences begin.
    public func add(_ point: Point, counters: MonitorCounters?, server: String) throws {
        let statement = try connection.prepare("INSERT OR REPLACE INTO sample VALUES (?, ?, ?, ?, ?, ?, ?)")
        try statement.bind(server, at: 1)
        try statement.bind(Int64(point.time), at: 2)
        try statement.bind(point.size, at: 3)
        try statement.bind(Int64(point.connections), at: 4)
        try statement.bind(point.transactions, at: 5)
        try statement.bind(point.cacheHits, at: 6)
        try statement.bind(Int64(point.slow), at: 7)
        try statement.run()
        if let counters {
            let text = String(decoding: try JSONEncoder().encode(counters), as: UTF8.self)
            let last = try connection.prepare("INSERT OR REPLACE INTO last VALUES (?, ?)")
            try last.bind(server, at: 1)
            try last.bind(text, at: 2)
            try last.run()
        }
        try thin(now: point.time)
    }

    /// One an hour after a week, one a day after 60 days: the first of each stays.
    private func thin(now: Int) throws {
        try connection.execute(
            """
            DELETE FROM sample WHERE time < \(now - 7 * Self.day) AND (server, time) NOT IN (
                SELECT server, min(time) FROM sample WHERE time < \(now - 7 * Self.day)
                GROUP BY server, CASE WHEN time < \(now - 60 * Self.day) THEN time / 86400 * 24 ELSE time / 3600 END)
            """)
    }

    /// The counters of the last sample that was kept; nil before one.
    public func lastCounters(_ server: String) throws -> MonitorCounters? {
        let statement = try connection.prepare("SELECT counters FROM last WHERE server = ?")
        try statement.bind(server, at: 1)
        guard try statement.step() else { return nil }
        return try? JSONDecoder().decode(MonitorCounters.self, from: Data(statement.text(0).utf8))
    }

    /// Samples from a time on, oldest first.
    public func points(_ server: String, since: Int) throws -> [Point] {
        let statement = try connection.prepare(
            """
            SELECT time, size, connections, transactions, cache_hits, slow FROM sample
            WHERE server = ? AND time >= ? ORDER BY time
            """)
        try statement.bind(server, at: 1)
        try statement.bind(Int64(since), at: 2)
        var points: [Point] = []
        while try statement.step() {
            points.append(
                Point(
                    time: Int(statement.int64(0)), size: statement.optionalInt64(1),
                    connections: Int(statement.int64(2)), transactions: statement.optionalDouble(3),
                    cacheHits: statement.optionalDouble(4), slow: Int(statement.int64(5))))
        }
        return points
    }

    /// How fast a database has grown in the last week, and in the last four.
    public func growth(_ server: String, now: Int) throws -> MonitorGrowth {
        let points = try points(server, since: now - 28 * Self.day).filter { $0.size != nil }
        func rate(of days: Int, atLeast hours: Int) -> Double? {
            let shown = points.filter { $0.time >= now - days * Self.day }
            guard let first = shown.first, let last = shown.last, let before = first.size,
                let after = last.size,
                last.time - first.time >= hours * 3600
            else { return nil }
            return Double(after - before) / Double(last.time - first.time) * Double(Self.day)
        }
        return MonitorGrowth(
            perDay: rate(of: 7, atLeast: 6), perWeek: rate(of: 28, atLeast: 6 * 24).map { $0 * 7 })
    }
}
