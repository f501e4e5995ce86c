import Foundation
import SQLite
import Synchronization

/// The first proof of what was loaded is kept beside the last one: what differs later, and did not then, has changed since.
extension DifferenceLog {
    /// Where the first proof is kept.
    var firstPath: String { (path as NSString).deletingPathExtension + "-first.db" }

    /// The first proof; nil where none is kept.
    func first() throws -> DifferenceLog? {
        access(firstPath, F_OK) == 0 ? try DifferenceLog(path: firstPath) : nil
    }

    /// Keeps what this log holds as the first proof of a load, where it is that. `load` is the load as the target's ledger tells it apart
    /// from any other, nil where none can be told: then a first proof that is there stays.
    func keepAsFirst(of load: String?) throws {
        if let first = try? first(), try first.hasProof() {
            guard let load, try first.load() != load else { return }
        }
        try becomeFirst(of: load)
    }

    /// Keeps what this log holds as the first proof, whatever was kept before: a proof that has found all equal leaves nothing that was
    /// never right.
    func becomeFirst(of load: String?) throws {
        let temporary = "\(firstPath).\(getpid()).tmp"
        unlink(temporary)
        try state.withLock { state in
            let statement = try state.connection.prepare("VACUUM INTO ?1")
            try statement.bind(temporary, at: 1)
            try statement.run()
        }
        chmod(temporary, 0o600)
        try Self.note(load, in: SQLite.Connection(path: temporary, mode: .readWrite))
        for suffix in ["-wal", "-shm"] { unlink(firstPath + suffix) }
        guard rename(temporary, firstPath) == 0 else { throw FileSystemError("writing", firstPath) }
    }

    /// Which load a first proof is of; nil where that could not be told.
    private func load() throws -> String? {
        try state.withLock { state in
            try state.connection.execute(Self.loadTable)
            let statement = try state.connection.prepare("SELECT identity FROM load")
            return try statement.step() ? statement.optionalText(0) : nil
        }
    }

    private static let loadTable = "CREATE TABLE IF NOT EXISTS load (identity TEXT)"

    private static func note(_ load: String?, in connection: borrowing SQLite.Connection) throws {
        try connection.execute("\(loadTable); DELETE FROM load")
        let statement = try connection.prepare("INSERT INTO load VALUES (?1)")
        try statement.bind(load, at: 1)
        try statement.run()
    }

    private func hasProof() throws -> Bool {
        try state.withLock { state in
            let statement = try state.connection.prepare("SELECT EXISTS (SELECT 1 FROM proof)")
            return try statement.step() && statement.int64(0) == 1
        }
    }

    /// The snapshot that the first proof compared the target with; nil where none is kept.
    public func firstSnapshot() throws -> String? {
        guard let first = try first() else { return nil }
        return try first.state.withLock { state in
            let statement = try state.connection.prepare(
                "SELECT snapshot FROM proof GROUP BY snapshot ORDER BY count(*) DESC LIMIT 1")
            return try statement.step() ? statement.text(0) : nil
        }
    }

    /// Notes that the target has followed the source to a later snapshot, and that what was carried is equal: what differed
    /// otherwise still does. `load` is how the target's ledger tells now what it holds.
    func follow(to snapshot: String, load: String?) throws {
        let first = try first()
        for log in [self, first].compactMap(\.self) {
            try log.state.withLock { state in
                let statement = try state.connection.prepare("UPDATE proof SET snapshot = ?1")
                try statement.bind(snapshot, at: 1)
                try statement.run()
            }
        }
        try first?.state.withLock { try Self.note(load, in: $0.connection) }
    }

    /// Rows of a table that differ now, told apart by an earlier proof.
    struct Apart: Equatable {
        /// Rows that differed in the earlier proof, and of which the target still holds something that was wrong then, or lacks them.
        var neverRight = 0
        /// Rows that were equal then, or of which everything that was wrong has been written again: by what has become of them.
        var came = 0
        var changed = 0
        var went = 0
        /// Rows that differed then, and are equal now.
        var cameRight = 0
        /// Keys of the first that were never right.
        var samples: [String] = []
    }

    /// SQL: by what a row is known again.
    static let placeTerm = "coalesce(nullif(key_texts, ''), key)"

    /// Rows that differ now, each with what the earlier proof says of the row with its key. Of rows without a key only the content tells
    /// which they are.
    static let compared = """
        WITH now AS MATERIALIZED (
            SELECT d.part, d.number, c.kind, c.columns, d.key, coalesce(nullif(d.key_texts, ''), d.key) AS place, d.key_texts IS NULL AS is_nameless,
                d.target_hash, d.cell_hashes
            FROM difference AS d JOIN class AS c ON c.id = d.class
            WHERE d.subject = (SELECT id FROM subject WHERE name = ?1)),
        was AS MATERIALIZED (
            SELECT c.kind, c.columns, coalesce(nullif(d.key_texts, ''), d.key) AS place, d.target_hash, d.cell_hashes
            FROM earlier.difference AS d JOIN earlier.class AS c ON c.id = d.class
            WHERE d.subject = (SELECT id FROM earlier.subject WHERE name = ?1)
            GROUP BY place, CASE WHEN d.key_texts IS NULL THEN d.target_hash END)
        """

    /// Tells a table's rows apart. The earlier log must know contents by the same hash.
    func apart(_ table: String, from earlier: DifferenceLog) throws -> Apart {
        try beside(earlier) { try Self.apart(table, $0) }
    }

    /// What the last proofs have found to differ in all, told apart by the first proof.
    public struct SinceFirst: Sendable, Equatable {
        public var neverRight = 0
        public var changed = 0
    }

    /// nil where a table that differs cannot be told apart: the first proof has not compared it, or not the same.
    public func sinceFirst(_ tables: [String]) throws -> SinceFirst? {
        guard let first = try first(), first.seed == seed else { return nil }
        var since = SinceFirst()
        for table in tables {
            guard let now = try proof(of: table), now.obstacle == nil, now.isWhole,
                let then = try first.proof(of: table), then.obstacle == nil, then.isWhole,
                then.snapshot == now.snapshot, then.compared.first == now.compared.first,
                Set(now.compared).isSubset(of: then.compared)
            else { return nil }
            let apart = try apart(table, from: first)
            since.neverRight += apart.neverRight
            since.changed += apart.came + apart.changed + apart.went
        }
        return since
    }

    /// Calls `body` with the other log attached as `earlier`.
    func beside<T: Sendable>(
        _ other: DifferenceLog, _ body: (borrowing SQLite.Connection) throws -> T
    ) throws -> T {
        try state.withLock { state in
            let attach = try state.connection.prepare("ATTACH ?1 AS earlier")
            try attach.bind(other.path, at: 1)
            try attach.run()
            do {
                let result = try body(state.connection)
                try state.connection.execute("DETACH earlier")
                return result
            } catch {
                try? state.connection.execute("DETACH earlier")
                throw error
            }
        }
    }

    private static func apart(_ table: String, _ connection: borrowing SQLite.Connection) throws -> Apart {
        var apart = Apart()
        do {
            let rows = try Self.told(table, connection)
            while try rows.step() {
                if RowBlame(rows) != .written {
                    apart.neverRight += 1
                    if apart.samples.count < TableVerdict.mostSamples { apart.samples.append(rows.text(6)) }
                    continue
                }
                switch RowDifference.Kind(rawValue: rows.text(0)) {
                case .extra?: apart.came += 1
                case .missing?: apart.went += 1
                default: apart.changed += 1
                }
            }
        }
        let right = try connection.prepare(
            "\(compared) SELECT count(DISTINCT was.place) FROM was LEFT JOIN now ON now.place = was.place WHERE now.place IS NULL"
        )
        try right.bind(table, at: 1)
        if try right.step() { apart.cameRight = Int(right.int64(0)) }
        apart.cameRight += try mended(table, connection)
        return apart
    }

    /// The rows that differ now beside what they were: kind, columns and cells' hashes of either, the key, the place in the
    /// log, and the rows' hashes.
    static func told(
        _ table: String, _ connection: borrowing SQLite.Connection
    ) throws -> SQLite.Statement {
        let rows = try connection.prepare(
            """
            \(compared) SELECT now.kind, now.columns, now.cell_hashes, was.kind, was.columns, was.cell_hashes, now.key,
                now.part, now.number, now.target_hash, was.target_hash
            FROM now LEFT JOIN was ON was.place = now.place AND (NOT now.is_nameless OR was.target_hash IS now.target_hash)
            """)
        try rows.bind(table, at: 1)
        return rows
    }
}
