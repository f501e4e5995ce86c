import Foundation
import MigrationEngine
import SQLite
import Synchronization

/// One thing that happened, as it was written down.
public struct JournalEntry: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// Written before anything is changed: without its `done` the work was interrupted.
        case started, undoing
        /// Files are about to be written: what they hold now, and will hold.
        case changing
        case done, failed, cancelled, undecided, undone
        case ticked, unticked, skipped, note
        /// An item of the operator's own on the checklist, and its end.
        case added, removed
        /// A place in the code was decided about, or is open again.
        case settled, reopened
        /// One of the application's commands was started, and came to its end.
        case launched, ran
        /// An item is ticked by a command from now on, or is not any more.
        case linked, unlinked
        /// The target was named; rehearsal or live was chosen.
        case target, mode

        /// Whether it leaves the state of a step as it is.
        var isRemark: Bool { [.note, .changing, .launched, .ran, .linked, .unlinked].contains(self) }
    }

    public let id: Int
    /// UTC, ISO 8601.
    public let time: String
    public let who: String
    public let mode: Mode
    /// A step's number, `item:NAME` of the checklist, or `book`.
    public let subject: String
    public let kind: Kind
    /// In words.
    public let text: String
    public let evidence: [String]
    /// What the step looked at, by `Step.Basis`.
    let basis: [String: String]
    /// A document of the step's own.
    let data: String?
}

/// What happened in a project, in `journal.db` of its state folder: nothing is changed in it, only added.
///
/// Each entry is on the disk before the call returns, so that after a crash the journal tells what had begun. Any
/// thread may use it. Never holds a password.
public final class Journal: Sendable {
    private final class Writer {
        let connection: SQLite.Connection

        init(_ connection: consuming SQLite.Connection) {
            self.connection = connection
        }
    }

    private struct State {
        /// nil where the journal is only read.
        let writer: Writer?
        var entries: [JournalEntry]
    }

    private let state: Mutex<State>
    let who: String

    /// Opens the journal for reading and writing; without `isWriter`, for reading what is there.
    public init(_ folder: StateFolder, who: String, isWriter: Bool = true) throws {
        self.who = who
        let path = "\(folder.path)/journal.db"
        guard isWriter || access(path, F_OK) == 0 else {
            state = Mutex(State(writer: nil, entries: []))
            return
        }
        let isNew = access(path, F_OK) != 0
        let connection = try SQLite.Connection(path: path, mode: isWriter ? .create : .readOnly)
        connection.setBusyTimeout(milliseconds: 2000)
        if isNew { chmod(path, 0o600) }
        if isWriter {
            try connection.execute(
                """
                PRAGMA synchronous = FULL;
                CREATE TABLE IF NOT EXISTS entry (
                    id INTEGER PRIMARY KEY, time TEXT NOT NULL, who TEXT NOT NULL, mode TEXT NOT NULL,
                    subject TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, evidence TEXT NOT NULL,
                    basis TEXT NOT NULL, data TEXT)
                """)
        }
        let entries = try Self.read(connection)
        if isWriter {
            state = Mutex(State(writer: Writer(connection), entries: entries))
        } else {
            state = Mutex(State(writer: nil, entries: entries))
        }
    }

    private static func read(_ connection: borrowing SQLite.Connection) throws -> [JournalEntry] {
        let statement = try connection.prepare("SELECT * FROM entry ORDER BY id")
        var entries: [JournalEntry] = []
        while try statement.step() {
            // An entry of a newer howdah's is left to that one.
            guard let mode = Mode(rawValue: statement.text(3)),
                let kind = JournalEntry.Kind(rawValue: statement.text(5))
            else { continue }
            entries.append(
                JournalEntry(
                    id: Int(statement.int64(0)), time: statement.text(1), who: statement.text(2), mode: mode,
                    subject: statement.text(4), kind: kind, text: statement.text(6),
                    evidence: decode([String].self, statement.text(7)) ?? [],
                    basis: decode([String: String].self, statement.text(8)) ?? [:],
                    data: statement.optionalText(9)))
        }
        return entries
    }

    /// All entries, oldest first.
    public var entries: [JournalEntry] { state.withLock { $0.entries } }

    /// The newest entry about a subject that matches.
    func last(_ subject: String, _ mode: Mode, where isWanted: (JournalEntry) -> Bool = { _ in true })
        -> JournalEntry?
    {
        entries.last { $0.subject == subject && $0.mode == mode && isWanted($0) }
    }

    /// Writes an entry; it is on the disk when this returns.
    @discardableResult
    func add(
        _ kind: JournalEntry.Kind, _ subject: String, _ mode: Mode, _ text: String = "",
        evidence: [String] = [],
        basis: [String: String] = [:], data: String? = nil
    ) throws -> JournalEntry {
        let time = Date().formatted(.iso8601)
        return try state.withLock { state in
            guard let writer = state.writer else {
                throw MigrationError(
                    .state, "the journal is open for reading only", remedy: "Close the other howdah first.")
            }
            let statement = try writer.connection.prepare(
                """
                INSERT INTO entry (time, who, mode, subject, kind, text, evidence, basis, data)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING id
                """)
            let values = [
                time, who, mode.rawValue, subject, kind.rawValue, text, Self.encode(evidence),
                Self.encode(basis),
            ]
            for (index, value) in values.enumerated() { try statement.bind(value, at: Int32(index + 1)) }
            if let data { try statement.bind(data, at: 9) }
            guard try statement.step() else { preconditionFailure("an insert returns its row") }
            let id = Int(statement.int64(0))
            while try statement.step() {}
            let entry = JournalEntry(
                id: id, time: time, who: who, mode: mode, subject: subject, kind: kind, text: text,
                evidence: evidence, basis: basis, data: data)
            state.entries.append(entry)
            return entry
        }
    }

    static func encode(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }

    static func decode<T: Decodable>(_ type: T.Type, _ text: String) -> T? {
        try? JSONDecoder().decode(type, from: Data(text.utf8))
    }
}
