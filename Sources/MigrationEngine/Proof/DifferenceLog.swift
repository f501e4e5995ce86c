import Foundation
import SQLite
import Synchronization

/// The rows that a proof found to differ, kept in a file so that any number of them can be paged through.
///
/// Holds keys and columns, no values: those are read from both sides when they are shown. Any thread may use it.
public final class DifferenceLog: Sendable {
    /// Rows of one table that are kept; the verdict counts all.
    public static let mostRows = 100_000

    private struct State: ~Copyable {
        let connection: SQLite.Connection
        var counts: [String: Int] = [:]
        var isWriting = false
    }

    private let state: Mutex<State>

    /// Opens the file of a state folder, `name.db` in `differences/`.
    public init(_ folder: StateFolder, name: String) throws {
        let path = "\(try folder.folder("differences"))/\(name).db"
        if access(path, F_OK) != 0 { try writePrivateFile(path, "") }
        let connection = try SQLite.Connection(path: path, mode: .create)
        // What it holds can be had again by another proof.
        try connection.execute(
            """
            PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY;
            CREATE TABLE IF NOT EXISTS difference (
                table_name TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
                columns TEXT NOT NULL, source_rowid INTEGER, key_texts TEXT, PRIMARY KEY (table_name, number)
            ) WITHOUT ROWID
            """)
        state = Mutex(State(connection: connection))
    }

    /// Forgets the rows of the named tables: they are about to be compared again.
    func clear(_ tables: [String]) throws {
        try state.withLock { state in
            for table in tables {
                let statement = try state.connection.prepare("DELETE FROM difference WHERE table_name = ?1")
                try statement.bind(table, at: 1)
                try statement.run()
                state.counts[table] = 0
            }
        }
    }

    func add(_ difference: RowDifference, of table: String) throws {
        try state.withLock { state in
            let number = state.counts[table, default: 0]
            guard number < Self.mostRows else { return }
            state.counts[table] = number + 1
            if !state.isWriting {
                try state.connection.execute("BEGIN")
                state.isWriting = true
            }
            let statement = try state.connection.prepare(
                "INSERT OR REPLACE INTO difference VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
            try statement.bind(table, at: 1)
            try statement.bind(Int64(number), at: 2)
            try statement.bind(difference.kind.rawValue, at: 3)
            try statement.bind(difference.key, at: 4)
            try statement.bind(Self.text(difference.columns), at: 5)
            if let rowid = difference.place?.rowid { try statement.bind(rowid, at: 6) }
            if let keys = difference.place?.keys { try statement.bind(Self.text(keys), at: 7) }
            try statement.run()
        }
    }

    /// Makes what was added readable.
    func finish() throws {
        try state.withLock { state in
            guard state.isWriting else { return }
            state.isWriting = false
            try state.connection.execute("COMMIT")
        }
    }

    /// Differences of a table from a number on, in the order in which the proof met them.
    public func page(_ table: String, from first: Int, count: Int) throws -> [RowDifference] {
        try state.withLock { state in
            let statement = try state.connection.prepare(
                """
                SELECT kind, key, columns, source_rowid, key_texts FROM difference
                WHERE table_name = ?1 AND number >= ?2 ORDER BY number LIMIT ?3
                """)
            try statement.bind(table, at: 1)
            try statement.bind(Int64(first), at: 2)
            try statement.bind(Int64(count), at: 3)
            var rows: [RowDifference] = []
            while try statement.step() {
                let rowid = statement.isNull(3) ? nil : statement.int64(3)
                rows.append(
                    RowDifference(
                        kind: RowDifference.Kind(rawValue: statement.text(0)) ?? .changed,
                        key: statement.text(1), columns: Self.list(statement.text(2)),
                        place: .init(rowid: rowid, keys: statement.optionalText(4).map(Self.list))))
            }
            return rows
        }
    }

    /// How many rows of a table are kept.
    public func count(_ table: String) throws -> Int {
        try state.withLock { state in
            let statement = try state.connection.prepare(
                "SELECT count(*) FROM difference WHERE table_name = ?1")
            try statement.bind(table, at: 1)
            return try statement.step() ? Int(statement.int64(0)) : 0
        }
    }

    private static func text(_ list: [String]) -> String {
        String(decoding: (try? JSONEncoder().encode(list)) ?? Data("[]".utf8), as: UTF8.self)
    }

    private static func list(_ text: String) -> [String] {
        (try? JSONDecoder().decode([String].self, from: Data(text.utf8))) ?? []
    }
}
