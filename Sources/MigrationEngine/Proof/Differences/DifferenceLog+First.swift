import Foundation
import SQLite
import Synchronization

/// The first proof of a target by a snapshot is kept beside the last one: what differs later, and did not then, has changed since.
extension DifferenceLog {
    /// Where the first proof is kept.
    var firstPath: String { (path as NSString).deletingPathExtension + "-first.db" }

    /// The first proof; nil where none is kept.
    func first() throws -> DifferenceLog? {
        access(firstPath, F_OK) == 0 ? try DifferenceLog(path: firstPath) : nil
    }

    /// Keeps what this log holds as the first proof, where there is none by the same snapshot. `isFresh` says that the target has
    /// just been loaded: then it takes the place of any other.
    func keepAsFirst(snapshot: String, isFresh: Bool) throws {
        if !isFresh, let first = try? first(), try first.isOf(snapshot) { return }
        let temporary = "\(firstPath).\(getpid()).tmp"
        unlink(temporary)
        try state.withLock { state in
            let statement = try state.connection.prepare("VACUUM INTO ?1")
            try statement.bind(temporary, at: 1)
            try statement.run()
        }
        chmod(temporary, 0o600)
        for suffix in ["-wal", "-shm"] { unlink(firstPath + suffix) }
        guard rename(temporary, firstPath) == 0 else { throw FileSystemError("writing", firstPath) }
    }

    private func isOf(_ snapshot: String) throws -> Bool {
        try state.withLock { state in
            let statement = try state.connection.prepare(
                "SELECT EXISTS (SELECT 1 FROM proof WHERE snapshot = ?1)")
            try statement.bind(snapshot, at: 1)
            return try statement.step() && statement.int64(0) == 1
        }
    }

    /// Notes that the target has followed the source to a later snapshot, and that what was carried is equal: what differed
    /// otherwise still does.
    func follow(to snapshot: String) throws {
        for log in [self, try first()].compactMap(\.self) {
            try log.state.withLock { state in
                let statement = try state.connection.prepare("UPDATE proof SET snapshot = ?1")
                try statement.bind(snapshot, at: 1)
                try statement.run()
            }
        }
    }

    /// Rows of a table that differ now, told apart by an earlier proof.
    struct Apart: Equatable {
        /// As they were in the earlier proof, content and all.
        var neverRight = 0
        /// Rows that were equal then, or others than now: by what has become of them.
        var came = 0
        var changed = 0
        var went = 0
        /// Rows that differed then, and are equal now.
        var cameRight = 0
        /// Keys of the first that were never right.
        var samples: [String] = []
    }

    /// Rows that differ now and then, the same ones by what they differ in and by what the target holds of them.
    private static let compared = """
        WITH now AS MATERIALIZED (
            SELECT c.kind, d.key, d.target_hash FROM difference AS d JOIN class AS c ON c.id = d.class
            WHERE d.subject = (SELECT id FROM subject WHERE name = ?1)),
        was AS MATERIALIZED (
            SELECT DISTINCT c.kind, d.key, d.target_hash FROM earlier.difference AS d JOIN earlier.class AS c ON c.id = d.class
            WHERE d.subject = (SELECT id FROM earlier.subject WHERE name = ?1)),
        told AS (
            SELECT now.kind, now.key, was.key IS NOT NULL AS is_old FROM now LEFT JOIN was
            ON was.kind = now.kind AND was.key = now.key AND was.target_hash IS now.target_hash)
        """

    /// Tells a table's rows apart. The earlier log must know contents by the same hash.
    func apart(_ table: String, from earlier: DifferenceLog) throws -> Apart {
        try state.withLock { state in
            let attach = try state.connection.prepare("ATTACH ?1 AS earlier")
            try attach.bind(earlier.path, at: 1)
            try attach.run()
            do {
                let apart = try Self.apart(table, state.connection)
                try state.connection.execute("DETACH earlier")
                return apart
            } catch {
                try? state.connection.execute("DETACH earlier")
                throw error
            }
        }
    }

    private static func apart(_ table: String, _ connection: borrowing SQLite.Connection) throws -> Apart {
        var apart = Apart()
        let counts = try connection.prepare(
            "\(compared) SELECT kind, is_old, count(*) FROM told GROUP BY kind, is_old")
        try counts.bind(table, at: 1)
        while try counts.step() {
            let rows = Int(counts.int64(2))
            switch (counts.int64(1), RowDifference.Kind(rawValue: counts.text(0))) {
            case (1, _): apart.neverRight += rows
            case (_, .extra?): apart.came += rows
            case (_, .missing?): apart.went += rows
            default: apart.changed += rows
            }
        }
        let right = try connection.prepare(
            "\(compared) SELECT count(DISTINCT was.key) FROM was LEFT JOIN now ON now.key = was.key WHERE now.key IS NULL"
        )
        try right.bind(table, at: 1)
        if try right.step() { apart.cameRight = Int(right.int64(0)) }
        let samples = try connection.prepare(
            "\(compared) SELECT key FROM told WHERE is_old LIMIT \(TableVerdict.mostSamples)")
        try samples.bind(table, at: 1)
        while try samples.step() { apart.samples.append(samples.text(0)) }
        return apart
    }
}
