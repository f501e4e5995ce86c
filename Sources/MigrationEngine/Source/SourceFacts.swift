import Foundation
import SQLite

/// What a source says of itself, before anything is copied.
public struct SourceFacts: Sendable, Equatable {
    public let bytes: Int64
    public let logBytes: Int64
    public let pageSize: Int
    public let encoding: String
    public let journalMode: String
    public let tables: Int
    /// What `PRAGMA integrity_check` says; empty where all is well.
    public let problems: [String]
    /// Rows that `PRAGMA foreign_key_check` names, at most `SourceInspection.mostViolations`.
    public let orphans: Int
    public let hasMoreOrphans: Bool
}

extension SourceFacts {
    /// The same of a source that is prepared: its snapshot has passed the checks, and holds the source's own pages.
    public init(_ source: SourceFile, _ preparation: Preparation) throws {
        let print = try source.fingerprint()
        bytes = print.database.size
        logBytes = print.wal?.size ?? 0
        let connection = try preparation.snapshot.open()
        pageSize = Int(try Self.first("PRAGMA page_size", connection)) ?? 0
        encoding = try Self.first("PRAGMA encoding", connection)
        // https://sqlite.org/fileformat.html, "File format version numbers": nothing else is in the file.
        journalMode = source.isWriteAheadLogged() ? "wal" : "delete"
        tables = Int(try Self.first(Self.countOfTables, connection)) ?? 0
        problems = preparation.snapshot.notes
        let found = preparation.findings.filter { $0.id == .orphanRows }.reduce(0) { $0 + $1.count }
        orphans = min(found, SourceInspection.mostViolations)
        hasMoreOrphans = found > SourceInspection.mostViolations
    }

    private static func first(_ sql: String, _ connection: borrowing SQLite.Connection) throws -> String {
        let statement = try connection.prepare(sql)
        return try statement.step() ? statement.text(0) : ""
    }

    fileprivate static let countOfTables =
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
}

/// Looks at a source without writing to it. May take as long as reading the file does; can be cancelled.
public struct SourceInspection {
    static let mostViolations = 1000

    private let source: SourceFile
    private let state: StateFolder
    private let cancellation: Cancellation

    public init(_ source: SourceFile, state: StateFolder, cancellation: Cancellation) {
        self.source = source
        self.state = state
        self.cancellation = cancellation
    }

    /// Throws as `SnapshotStore.take` does where the file cannot be read.
    public func facts() throws -> SourceFacts {
        let print = try source.fingerprint()
        let reader = SourceReader(
            source: source, workFolder: try state.folder("snapshots"), cancellation: cancellation)
        return try reader.read { connection in
            do {
                let problems = try lines("PRAGMA integrity_check(20)", 0, connection).filter { $0 != "ok" }
                let orphans = try lines("PRAGMA foreign_key_check", 0, connection)
                return SourceFacts(
                    bytes: print.database.size, logBytes: print.wal?.size ?? 0,
                    pageSize: Int(try value("PRAGMA page_size", connection)) ?? 0,
                    encoding: try value("PRAGMA encoding", connection),
                    journalMode: try value("PRAGMA journal_mode", connection),
                    tables: Int(try value(SourceFacts.countOfTables, connection)) ?? 0,
                    problems: problems, orphans: min(orphans.count, Self.mostViolations),
                    hasMoreOrphans: orphans.count > Self.mostViolations)
            } catch let error as SQLiteError where error.isInterrupted {
                throw MigrationError.cancelled
            }
        }
    }

    private func value(_ sql: String, _ connection: borrowing SQLite.Connection) throws -> String {
        try lines(sql, 0, connection).first ?? ""
    }

    private func lines(
        _ sql: String, _ column: Int32, _ connection: borrowing SQLite.Connection
    ) throws -> [String] {
        let statement = try connection.prepare(sql)
        var lines: [String] = []
        while lines.count <= Self.mostViolations, try statement.step() {
            lines.append(statement.text(column))
        }
        return lines
    }
}
