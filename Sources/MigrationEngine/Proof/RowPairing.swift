import Foundation
import SQLite

/// Pairs rows of two sides that are not equal by their keys, in a file: memory does not grow with their number.
///
/// Two passes over both sides fill it. In the first every row that may differ is noted by its digest; equal rows of both sides
/// settle each other. In the second the rows that are left are kept with their cells. Used by one thread.
struct RowPairing: ~Copyable {
    enum Side: Int64 {
        case source = 1
        case target = -1
    }

    /// A row that has no equal on the other side.
    struct Row {
        let cells: KeptCells
        let rowid: Int64?
        let ctid: String?
        let targetHash: Int64?
    }

    private let connection: SQLite.Connection
    private let insertNoted: SQLite.Statement
    private let claim: SQLite.Statement
    private let insertKept: SQLite.Statement

    /// `folder` is one that howdah writes to. The file has no name there: it goes with this value, and with a process that crashes.
    init(folder: String) throws {
        let path = "\(folder)/pairing-\(UUID().uuidString).db"
        try writePrivateFile(path, "")
        defer { unlink(path) }
        let connection = try SQLite.Connection(path: path, mode: .create)
        try connection.execute(
            """
            PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE;
            PRAGMA cache_size = -4000;
            CREATE TABLE noted (high INTEGER NOT NULL, low INTEGER NOT NULL, side INTEGER NOT NULL);
            CREATE TABLE wanted (
                high INTEGER NOT NULL, low INTEGER NOT NULL, balance INTEGER NOT NULL, PRIMARY KEY (high, low)
            ) WITHOUT ROWID;
            CREATE TABLE kept (
                side INTEGER NOT NULL, key BLOB NOT NULL, cells BLOB NOT NULL, source_rowid INTEGER, target_ctid TEXT,
                target_hash INTEGER);
            BEGIN
            """)
        let insertNoted = try connection.prepare("INSERT INTO noted VALUES (?1, ?2, ?3)")
        let claim = try connection.prepare(
            "UPDATE wanted SET balance = balance - ?3 WHERE high = ?1 AND low = ?2 AND balance * ?3 > 0 RETURNING 1"
        )
        let insertKept = try connection.prepare("INSERT INTO kept VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        self.connection = connection
        self.insertNoted = insertNoted
        self.claim = claim
        self.insertKept = insertKept
    }

    /// By which another thread can stop what this one waits for.
    var interrupter: Interrupter { connection.interrupter }

    // MARK: The first pass

    /// Notes a row of one side.
    func note(_ digest: RowHash.Digest, _ side: Side) throws {
        try insertNoted.bind(Int64(bitPattern: digest.high), at: 1)
        try insertNoted.bind(Int64(bitPattern: digest.low), at: 2)
        try insertNoted.bind(side.rawValue, at: 3)
        try insertNoted.run()
    }

    /// Settles equal rows; returns how many are left on each side.
    func settle() throws -> (source: Int, target: Int) {
        try connection.execute(
            """
            INSERT INTO wanted SELECT high, low, sum(side) FROM noted GROUP BY high, low HAVING sum(side) <> 0;
            DROP TABLE noted
            """)
        let left = try connection.prepare(
            "SELECT total(max(balance, 0)), total(max(-balance, 0)) FROM wanted")
        guard try left.step() else { return (0, 0) }
        return (Int(left.double(0)), Int(left.double(1)))
    }

    // MARK: The second pass

    /// Keeps a row, where it is one of those that are left, with what `read` gives of it.
    func keep(
        _ digest: RowHash.Digest, _ side: Side,
        _ read: () throws -> (
            key: [UInt8], cells: UnsafeRawBufferPointer, rowid: Int64?, ctid: String?, hash: Int64?
        )
    ) throws {
        try claim.bind(Int64(bitPattern: digest.high), at: 1)
        try claim.bind(Int64(bitPattern: digest.low), at: 2)
        try claim.bind(side.rawValue, at: 3)
        let isLeft = try claim.step()
        claim.reset()
        guard isLeft else { return }
        let row = try read()
        try insertKept.bind(side.rawValue, at: 1)
        try row.key.withUnsafeBytes { try insertKept.bind(blob: $0, at: 2) }
        try insertKept.bind(blob: row.cells, at: 3)
        try insertKept.bind(row.rowid, at: 4)
        try insertKept.bind(row.ctid, at: 5)
        try insertKept.bind(row.hash, at: 6)
        try insertKept.run()
    }

    // MARK: Pairs

    /// Calls `body` with the rows in the order of their keys; those of one key of both sides together.
    func forEachPair(_ body: (_ source: Row?, _ target: Row?) throws -> Void) throws {
        try connection.execute("CREATE INDEX kept_key ON kept (side, key)")
        let query =
            "SELECT key, cells, source_rowid, target_ctid, target_hash FROM kept WHERE side = ?1 ORDER BY key"
        let ours = try connection.prepare(query)
        try ours.bind(Side.source.rawValue, at: 1)
        let theirs = try connection.prepare(query)
        try theirs.bind(Side.target.rawValue, at: 1)
        var source = try Self.next(ours)
        var target = try Self.next(theirs)
        while source != nil || target != nil {
            let takesSource =
                source.map { one in target.map { !$0.key.lexicographicallyPrecedes(one.key) } ?? true }
                ?? false
            let takesTarget =
                target.map { one in source.map { !$0.key.lexicographicallyPrecedes(one.key) } ?? true }
                ?? false
            try body(takesSource ? source?.row : nil, takesTarget ? target?.row : nil)
            if takesSource { source = try Self.next(ours) }
            if takesTarget { target = try Self.next(theirs) }
        }
    }

    private static func next(_ statement: borrowing SQLite.Statement) throws -> (key: [UInt8], row: Row)? {
        guard try statement.step() else { return nil }
        let row = Row(
            cells: KeptCells(statement.bytes(1)), rowid: statement.optionalInt64(2),
            ctid: statement.optionalText(3), targetHash: statement.optionalInt64(4))
        return (statement.bytes(0), row)
    }
}
