import Foundation
import SQLite
import Synchronization

/// The rows that a proof found to differ, kept in a file so that any number of them can be paged through.
///
/// Holds keys, columns and hashes, no values: those are read from both sides when they are shown. Any thread may use it; others
/// read while one writes.
public final class DifferenceLog: Sendable {
    /// Rows of one table that are kept; the verdict counts all.
    public static let mostRows = 10_000_000

    struct State: ~Copyable {
        let connection: SQLite.Connection
        /// Rows that one transaction has got so far; nil outside of one.
        var pending: Int?
        /// Numbers of tables and of classes, so that they are looked up once.
        var tables: [String: Int64] = [:]
        var classes: [Class: Int64] = [:]
        var rows: [Int64: Int] = [:]
    }

    /// What rows have in common: how they differ, and in which columns.
    struct Class: Hashable {
        let table: Int64
        let kind: String
        let columns: String
    }

    let state: Mutex<State>
    public let path: String
    /// By which content of the target is known again in a later proof.
    let hash: RowHash
    let seed: Int64

    /// How long a reader waits for a writer, and the other way round.
    private static let patience: Int32 = 10_000

    /// The layout; a file of another one is made anew.
    private static let version = 3

    private static let layout = """
        CREATE TABLE subject (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
        CREATE TABLE class (
            id INTEGER PRIMARY KEY, subject INTEGER NOT NULL, kind TEXT NOT NULL, columns TEXT NOT NULL,
            rows INTEGER NOT NULL, UNIQUE (subject, kind, columns));
        CREATE TABLE part (
            subject INTEGER NOT NULL, number INTEGER NOT NULL, rows INTEGER NOT NULL, PRIMARY KEY (subject, number)
        ) WITHOUT ROWID;
        CREATE TABLE difference (
            subject INTEGER NOT NULL, part INTEGER NOT NULL, number INTEGER NOT NULL, class INTEGER NOT NULL,
            key TEXT NOT NULL, source_rowid INTEGER, target_ctid TEXT, key_texts TEXT, target_hash INTEGER,
            cell_hashes BLOB,
            PRIMARY KEY (subject, part, number)) WITHOUT ROWID;
        CREATE INDEX difference_class ON difference (class);
        CREATE TABLE change (
            subject INTEGER NOT NULL, name TEXT NOT NULL, nature TEXT NOT NULL, rows INTEGER NOT NULL, low REAL, high REAL,
            PRIMARY KEY (subject, name, nature)) WITHOUT ROWID;
        CREATE TABLE proof (
            subject INTEGER PRIMARY KEY, snapshot TEXT NOT NULL, time TEXT NOT NULL, source_rows INTEGER NOT NULL,
            target_rows INTEGER NOT NULL, differences INTEGER NOT NULL, is_whole INTEGER NOT NULL, compared TEXT NOT NULL,
            obstacle TEXT);
        CREATE TABLE seed (value INTEGER NOT NULL);
        """

    /// Opens the file of a state folder, `name.db` in `differences/`.
    public convenience init(_ folder: StateFolder, name: String) throws {
        try self.init(path: "\(try folder.folder("differences"))/\(name).db")
    }

    /// Opens a file, made when absent. One that is made `like` another knows contents by the same hash.
    init(path: String, like other: DifferenceLog? = nil) throws {
        self.path = path
        if access(path, F_OK) != 0 { try writePrivateFile(path, "") }
        let connection = try SQLite.Connection(path: path, mode: .create)
        connection.setBusyTimeout(milliseconds: Self.patience)
        // What it holds can be had again by another proof. A reader never waits for the proof that writes.
        try connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF")
        if try Self.number(connection, "PRAGMA user_version") != Int64(Self.version) {
            try Self.makeAnew(connection)
        }
        if let other {
            try connection.execute("UPDATE seed SET value = \(other.seed)")
        }
        seed = try Self.number(connection, "SELECT value FROM seed")
        hash = RowHash(seed: UInt64(bitPattern: seed))
        state = Mutex(State(connection: connection))
    }

    private static func makeAnew(_ connection: borrowing SQLite.Connection) throws {
        try connection.execute("BEGIN IMMEDIATE")
        // Another howdah may have been first.
        guard try number(connection, "PRAGMA user_version") != Int64(version) else {
            return try connection.execute("COMMIT")
        }
        var old: [String] = []
        do {
            let tables = try connection.prepare(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            while try tables.step() { old.append(tables.text(0)) }
        }
        for name in old { try connection.execute("DROP TABLE \"\(name)\"") }
        try connection.execute(layout)
        let seed = try connection.prepare("INSERT INTO seed VALUES (?1)")
        let value = Int64.random(in: Int64.min...Int64.max)
        try seed.bind(value, at: 1)
        try seed.run()
        try connection.execute("PRAGMA user_version = \(version); COMMIT")
    }

    private static func number(_ connection: borrowing SQLite.Connection, _ query: String) throws -> Int64 {
        let statement = try connection.prepare(query)
        return try statement.step() ? statement.int64(0) : 0
    }

    // MARK: Writing

    /// Forgets the rows of the named tables: they are about to be compared again.
    func clear(_ tables: [String]) throws {
        try state.withLock { state in
            for table in tables {
                guard let id = try Self.known(table, state.connection) else { continue }
                for name in ["difference", "class", "part", "change", "proof"] {
                    let statement = try state.connection.prepare("DELETE FROM \(name) WHERE subject = ?1")
                    try statement.bind(id, at: 1)
                    try statement.run()
                }
                state.rows[id] = 0
                state.classes = state.classes.filter { $0.key.table != id }
            }
        }
    }

    /// Adds rows of one piece of a table, in their order within it; of pieces, too, the order is that of their numbers.
    func add(_ entries: [DifferenceRecorder.Entry], of table: String, part: Int64) throws {
        try state.withLock { state in
            try Self.begin(&state)
            let id = try Self.number(of: table, &state)
            let known = state.rows[id] ?? 0
            let kept = entries.prefix(max(0, Self.mostRows - known))
            guard !kept.isEmpty else { return }
            state.rows[id] = known + kept.count
            let first = try Self.rows(in: part, of: id, state.connection)
            let classes = try kept.map { try Self.number(of: $0.difference, in: id, &state) }
            try Self.count(classes, state.connection)
            try Self.insert(kept, classes, id, part, from: first, state.connection)
            let counter = try state.connection.prepare(
                "INSERT INTO part VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET rows = rows + excluded.rows")
            try counter.bind(id, at: 1)
            try counter.bind(part, at: 2)
            try counter.bind(Int64(kept.count), at: 3)
            try counter.run()
            state.pending = (state.pending ?? 0) + kept.count
            // The write-ahead log grows with a transaction.
            if state.pending ?? 0 >= 50_000 { try Self.commit(&state) }
        }
    }

    /// Adds what has become of values, by column.
    func add(_ changes: [ColumnChanges], of table: String) throws {
        try state.withLock { state in
            try Self.begin(&state)
            let id = try Self.number(of: table, &state)
            let statement = try state.connection.prepare(
                """
                INSERT INTO change VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET rows = rows + excluded.rows,
                    low = min(coalesce(low, excluded.low), excluded.low), high = max(coalesce(high, excluded.high), excluded.high)
                """)
            for change in changes {
                for group in change.groups {
                    try statement.bind(id, at: 1)
                    try statement.bind(change.column, at: 2)
                    try statement.bind(group.nature.rawValue, at: 3)
                    try statement.bind(Int64(group.rows), at: 4)
                    try statement.bind(group.low, at: 5)
                    try statement.bind(group.high, at: 6)
                    try statement.run()
                }
            }
        }
    }

    /// Makes what was added readable, and notes which snapshot's tables were compared, and with what: `compared` names the target's
    /// tables and columns.
    func finish(
        _ verdicts: [String: TableVerdict] = [:], snapshot: String = "", compared: [String: [String]] = [:]
    ) throws {
        try state.withLock { state in
            try Self.begin(&state)
            let time = Date().formatted(.iso8601)
            let statement = try state.connection.prepare(
                "INSERT OR REPLACE INTO proof VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")
            for (table, verdict) in verdicts where verdict.verdict != .skipped {
                try statement.bind(try Self.number(of: table, &state), at: 1)
                try statement.bind(snapshot, at: 2)
                try statement.bind(time, at: 3)
                try statement.bind(Int64(verdict.sourceRows), at: 4)
                try statement.bind(Int64(verdict.targetRows), at: 5)
                try statement.bind(Int64(verdict.differences), at: 6)
                let isWhole = !verdict.isTruncated && verdict.differences <= Self.mostRows
                try statement.bind(Int64(isWhole ? 1 : 0), at: 7)
                try statement.bind(Self.text(compared[table] ?? []), at: 8)
                try statement.bind(verdict.obstacle, at: 9)
                try statement.run()
            }
            try Self.commit(&state)
        }
    }

    private static func begin(_ state: inout State) throws {
        guard state.pending == nil else { return }
        try state.connection.execute("BEGIN IMMEDIATE")
        state.pending = 0
    }

    private static func commit(_ state: inout State) throws {
        state.pending = nil
        try state.connection.execute("COMMIT")
    }

    /// The number of a table; nil where nothing was ever found in it.
    static func known(_ table: String, _ connection: borrowing SQLite.Connection) throws -> Int64? {
        let statement = try connection.prepare("SELECT id FROM subject WHERE name = ?1")
        try statement.bind(table, at: 1)
        return try statement.step() ? statement.int64(0) : nil
    }

    private static func number(of table: String, _ state: inout State) throws -> Int64 {
        if let id = state.tables[table] { return id }
        let statement = try state.connection.prepare("INSERT OR IGNORE INTO subject (name) VALUES (?1)")
        try statement.bind(table, at: 1)
        try statement.run()
        let id = try known(table, state.connection) ?? 0
        state.tables[table] = id
        return id
    }

    private static func number(
        of difference: RowDifference, in table: Int64, _ state: inout State
    ) throws -> Int64 {
        let word = Class(table: table, kind: difference.kind.rawValue, columns: text(difference.columns))
        if let id = state.classes[word] { return id }
        let statement = try state.connection.prepare(
            """
            INSERT INTO class (subject, kind, columns, rows) VALUES (?1, ?2, ?3, 0)
            ON CONFLICT DO UPDATE SET rows = rows RETURNING id
            """)
        try statement.bind(table, at: 1)
        try statement.bind(word.kind, at: 2)
        try statement.bind(word.columns, at: 3)
        let id = try statement.step() ? statement.int64(0) : 0
        statement.reset()
        state.classes[word] = id
        return id
    }

    private static func rows(
        in part: Int64, of table: Int64, _ connection: borrowing SQLite.Connection
    ) throws -> Int64 {
        let statement = try connection.prepare("SELECT rows FROM part WHERE subject = ?1 AND number = ?2")
        try statement.bind(table, at: 1)
        try statement.bind(part, at: 2)
        return try statement.step() ? statement.int64(0) : 0
    }

    private static func count(_ classes: [Int64], _ connection: borrowing SQLite.Connection) throws {
        let statement = try connection.prepare("UPDATE class SET rows = rows + ?2 WHERE id = ?1")
        for (id, rows) in Dictionary(classes.map { ($0, 1) }, uniquingKeysWith: +) {
            try statement.bind(id, at: 1)
            try statement.bind(Int64(rows), at: 2)
            try statement.run()
        }
    }

    private static func insert(
        _ entries: ArraySlice<DifferenceRecorder.Entry>, _ classes: [Int64], _ table: Int64, _ part: Int64,
        from first: Int64, _ connection: borrowing SQLite.Connection
    ) throws {
        let statement = try connection.prepare(
            "INSERT INTO difference VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")
        for (index, entry) in entries.enumerated() {
            let difference = entry.difference
            let keys = difference.place?.keys
            try statement.bind(table, at: 1)
            try statement.bind(part, at: 2)
            try statement.bind(first + Int64(index), at: 3)
            try statement.bind(classes[index], at: 4)
            try statement.bind(difference.key, at: 5)
            try statement.bind(difference.place?.rowid, at: 6)
            try statement.bind(difference.place?.ctid, at: 7)
            // Most keys are one text, which stands there already.
            try statement.bind(keys.map { $0 == [difference.key] ? "" : text($0) }, at: 8)
            try statement.bind(entry.targetHash, at: 9)
            try entry.cellHashes.withUnsafeBytes { try statement.bind(blob: $0, at: 10) }
            try statement.run()
        }
    }

    static func text(_ list: [String]) -> String {
        String(decoding: (try? JSONEncoder().encode(list)) ?? Data("[]".utf8), as: UTF8.self)
    }

    static func list(_ text: String) -> [String] {
        (try? JSONDecoder().decode([String].self, from: Data(text.utf8))) ?? []
    }
}
