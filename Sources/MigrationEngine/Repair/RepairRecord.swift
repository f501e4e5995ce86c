import Foundation

/// What a repair has done, kept beside the rows that it replaced: `repairs/ID/repair.json` in the state folder.
public struct RepairRecord: Codable, Sendable, Equatable {
    public struct Column: Codable, Sendable, Equatable {
        public let name: String
        public let type: String
    }

    public struct Table: Codable, Sendable, Equatable {
        public let name: String
        /// Its name in the target.
        public let target: String
        /// The server's number for it: another table may bear its name later.
        public let relation: Int
        public let way: RepairPreview.Table.Way
        public let missing: Int
        public let changed: Int
        /// Rows that only the target had, and that were removed.
        public let extra: Int
        /// Rows in the two files: as they were before, and digests of what took their place.
        public let before: Int
        public let after: Int
        /// The columns of the rows that were there before; PostgreSQL computes the others.
        public let columns: [Column]
        /// Names of the key's columns in the target; empty of a table that was loaded again as a whole.
        public let key: [String]
        /// What the ledger's count of the table has gained.
        public internal(set) var counted = 0
    }

    public enum State: String, Codable, Sendable {
        /// About to be committed: whether it was, the server tells by the transaction's number.
        case begun
        case done
        case undoing
        case undone
        /// It was begun, and the server has rolled it back.
        case failed
    }

    public let id: String
    /// UTC, ISO 8601.
    public let time: String
    /// Without its password; `rehearsal` for one.
    public let target: String
    /// What tells the database from others, however its URL is spelled; nil in records of before this was kept, and where the server does
    /// not tell.
    public let database: String?
    public let schema: String
    public let snapshotSHA256: String
    public let snapshotTime: String
    public internal(set) var tables: [Table]
    public var state: State
    /// The number of the transaction that did it, and of the one that undid it.
    public var transaction: String
    public var undoTransaction: String?
    public var undoTime: String?

    enum CodingKeys: String, CodingKey {
        case id, time, target, database, schema, tables, state, transaction
        case snapshotSHA256 = "snapshot_sha256"
        case snapshotTime = "snapshot_time"
        case undoTransaction = "undo_transaction"
        case undoTime = "undo_time"
    }

    /// In one line.
    public var words: String {
        tables.map {
            Self.words($0, [($0.missing, "missing"), ($0.changed, "changed"), ($0.extra, "removed")])
        }
        .joined(separator: ", ")
    }

    /// What was done, in one line: `copied again: pet (1 changed); removed: 2 rows of person`.
    public var doneWords: String {
        let copied = tables.filter { $0.way == .whole || $0.missing + $0.changed > 0 }
            .map { Self.words($0, [($0.missing, "missing"), ($0.changed, "changed")]) }
        let removed = tables.filter { $0.way == .rows && $0.extra > 0 }
            .map { "\(Format.count($0.extra, "row", "rows")) of \($0.name)" }
        return [("copied again", copied), ("removed", removed)].filter { !$0.1.isEmpty }
            .map { "\($0): \($1.joined(separator: ", "))" }.joined(separator: "; ")
    }

    private static func words(_ table: Table, _ counts: [(rows: Int, what: String)]) -> String {
        let parts = counts.filter { $0.rows > 0 }.map { "\(Format.count($0.rows)) \($0.what)" }
        return table.name + (table.way == .whole ? " as a whole" : " (\(parts.joined(separator: ", ")))")
    }
}
