import SQLite
import Synchronization

/// Takes rows out of a log that are not to be repaired. What its columns' changes come to is not told any more.
extension DifferenceLog {
    /// Keeps the rows of a table that were never right, as an earlier proof tells; returns how many are gone, and how many of those are so
    /// because they were written since in other cells. The earlier log must know contents by the same hash.
    func keepNeverRight(
        _ table: String, since earlier: DifferenceLog
    ) throws -> (gone: Int, mixed: Int) {
        try beside(earlier) { connection in
            try Self.beginNarrowing(connection)
            var mixed = 0
            do {
                let gone = try connection.prepare("INSERT INTO temp.gone VALUES (?1, ?2)")
                let rows = try Self.told(table, connection)
                while try rows.step() {
                    let blame = RowBlame(rows)
                    if blame == .neverRight { continue }
                    if blame == .mixed { mixed += 1 }
                    try gone.bind(rows.int64(7), at: 1)
                    try gone.bind(rows.int64(8), at: 2)
                    try gone.run()
                    gone.reset()
                }
            }
            return (try Self.narrow(table, connection), mixed)
        }
    }

    /// Keeps the rows of a table that differ in another proof too, in whatever way; returns how many are gone, nil where a row of either has
    /// no key by which it is known again.
    func keep(_ table: String, alsoIn other: DifferenceLog) throws -> Int? {
        try beside(other) { connection in
            do {
                let nameless = try connection.prepare(
                    """
                    SELECT EXISTS (SELECT 1 FROM difference
                        WHERE key_texts IS NULL AND subject = (SELECT id FROM subject WHERE name = ?1))
                    OR EXISTS (SELECT 1 FROM earlier.difference
                        WHERE key_texts IS NULL AND subject = (SELECT id FROM earlier.subject WHERE name = ?1))
                    """)
                try nameless.bind(table, at: 1)
                guard try nameless.step(), nameless.int64(0) == 0 else { return nil }
            }
            try Self.beginNarrowing(connection)
            let gone = try connection.prepare(
                """
                \(Self.compared) INSERT INTO temp.gone
                SELECT part, number FROM now WHERE place NOT IN (SELECT place FROM was)
                """)
            try gone.bind(table, at: 1)
            try gone.run()
            return try Self.narrow(table, connection)
        }
    }

    private static func beginNarrowing(_ connection: borrowing SQLite.Connection) throws {
        try connection.execute(
            """
            DROP TABLE IF EXISTS temp.gone;
            CREATE TABLE temp.gone (part INTEGER, number INTEGER, PRIMARY KEY (part, number)) WITHOUT ROWID
            """)
    }

    /// Forgets the rows that are noted as gone. Those that stay are numbered anew: a page begins at a number.
    private static func narrow(_ table: String, _ connection: borrowing SQLite.Connection) throws -> Int {
        guard let id = try known(table, connection), let count = try gone(connection), count > 0 else {
            return 0
        }
        try connection.execute(
            """
            BEGIN IMMEDIATE;
            CREATE TABLE temp.kept AS
            SELECT part, row_number() OVER (PARTITION BY part ORDER BY number) - 1 AS number, class, key, source_rowid, target_ctid,
                key_texts, target_hash, cell_hashes
            FROM main.difference AS d WHERE subject = \(id)
                AND NOT EXISTS (SELECT 1 FROM temp.gone AS g WHERE g.part = d.part AND g.number = d.number);
            DELETE FROM main.difference WHERE subject = \(id);
            INSERT INTO main.difference SELECT \(id), part, number, class, key, source_rowid, target_ctid, key_texts, target_hash,
                cell_hashes FROM temp.kept;
            UPDATE main.class SET rows = (SELECT count(*) FROM main.difference AS d WHERE d.class = main.class.id)
                WHERE subject = \(id);
            DELETE FROM main.part WHERE subject = \(id);
            INSERT INTO main.part SELECT \(id), part, count(*) FROM temp.kept GROUP BY part;
            DELETE FROM main.change WHERE subject = \(id);
            DROP TABLE temp.kept;
            COMMIT
            """)
        return count
    }

    private static func gone(_ connection: borrowing SQLite.Connection) throws -> Int? {
        let count = try connection.prepare("SELECT count(*) FROM temp.gone")
        return try count.step() ? Int(count.int64(0)) : nil
    }
}
