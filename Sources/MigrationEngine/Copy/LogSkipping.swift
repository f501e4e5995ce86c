import Postgres

/// Loading a table in one transaction that makes its file anew: with `wal_level = minimal` the server writes no log of its
/// rows, which is nearly half of its work, and its rows need no vacuum later.
///
/// https://www.postgresql.org/docs/current/populate.html#POPULATE-COPY-FROM. Only one session can load such a table, and
/// after a crash or a cancel it begins anew, so it pays for some tables and not for others.
struct LogSkipping {
    /// Bytes of values below which the server logs the rows all the same (`wal_skip_threshold`), or nearly so.
    static let least = 2 << 20
    /// Bytes of values that may be lost by a crash or a cancel: about a minute's work.
    private static let most = 8 << 30

    private let total: Int
    private let workers: Int

    /// `bytes` are those of all tables that are loaded.
    init(_ bytes: [Int], workers: Int) {
        total = bytes.reduce(0, +)
        self.workers = workers
    }

    /// Whether one session without the log is done with the table no later than its share of all sessions with it: it is
    /// about as fast as two of them.
    func pays(bytes: Int) -> Bool {
        (Self.least...Self.most).contains(bytes) && bytes <= total / workers * 2
    }

    static func isPossible(_ connection: borrowing Postgres.Connection) throws -> Bool {
        try connection.query("SELECT current_setting('wal_level') = 'minimal'").bool(0, 0)
    }

    /// Gives an empty table a new file; returns whether the server will write no log for it. A table into which somebody
    /// else has written is left alone.
    static func renew(_ table: String, _ connection: borrowing Postgres.Connection) throws -> Bool {
        guard try isPossible(connection) else { return false }
        // Nobody adds a row between the look and the end.
        try connection.execute("LOCK TABLE \(table) IN ACCESS EXCLUSIVE MODE")
        guard try !connection.query("SELECT EXISTS (SELECT FROM \(table))").bool(0, 0) else { return false }
        try connection.execute("TRUNCATE \(table)")
        return true
    }
}
