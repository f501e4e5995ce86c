import Foundation
import SQLite

/// What has changed in a source between two snapshots, by table; single rows in a file of their own, so that memory does not grow
/// with their number.
public struct SourceChanges: Sendable {
    /// How a table's changes are carried.
    enum Way: Sendable, Equatable {
        /// Rows that are known by their rowids.
        case rows
        /// The table as a whole: its rows have no rowid, or another table holds them.
        case whole
    }

    public struct Table: Sendable, Equatable {
        public let name: String
        let way: Way
        /// Names the file's table.
        let number: Int
        public var inserted = 0
        public var updated = 0
        public var deleted = 0
    }

    /// The name under which the file is attached.
    static let schema = "howdah_changes"

    let path: String
    /// Tables with changes alone.
    public let tables: [Table]

    public var isEmpty: Bool { tables.isEmpty }

    /// Rows that differ; of tables that are carried as a whole nobody has counted them.
    public var rows: Int { tables.reduce(0) { $0 + $1.inserted + $1.updated + $1.deleted } }

    func attach(to connection: borrowing SQLite.Connection) throws(SQLiteError) {
        let statement = try connection.prepare("ATTACH ?1 AS \(Self.schema)")
        try statement.bind(SQLite.Connection.uri(path: path, immutable: true), at: 1)
        try statement.run()
    }

    // MARK: Finding them

    /// Looks through two states of a file whose schema is the same.
    ///
    /// `changed` are the pages that differ, nil where nobody knows them. The file is written to `path`, over an earlier one.
    /// Throws `.undecided` where the schema is another one.
    static func find(
        from older: Snapshot, to newer: Snapshot, changed: PageSet?, path: String, cancellation: Cancellation
    ) throws -> SourceChanges {
        let before = try older.catalog()
        let after = try newer.catalog()
        guard before.digest == after.digest else { throw otherSchema(before, after) }
        for suffix in ["", "-journal"] { unlink(path + suffix) }
        try writePrivateFile(path, "")
        let store = try SQLite.Connection(path: path, mode: .readWrite)
        try store.execute("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; BEGIN")
        let pages = (older: try TreePages(older.path), newer: try TreePages(newer.path))
        let roots = (older: try Self.roots(older), newer: try Self.roots(newer))
        var tables: [Table] = []
        do {
            for (number, table) in after.tables.enumerated() {
                try cancellation.check()
                guard let one = roots.older[table.name], let other = roots.newer[table.name] else { continue }
                guard table.rowidName != nil else {
                    guard try isTouched(pages, one, other, changed) else { continue }
                    tables.append(Table(name: table.name, way: .whole, number: number))
                    continue
                }
                var found = Table(name: table.name, way: .rows, number: number)
                try store.execute(
                    "CREATE TABLE rows_\(number) (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL)")
                let insert = try store.prepare("INSERT OR REPLACE INTO rows_\(number) VALUES (?1, ?2)")
                try RowChanges(
                    older: pages.older, newer: pages.newer, changed: changed, cancellation: cancellation
                )
                .find(olderRoot: one, newerRoot: other) { rowid, kind in
                    insert.reset()
                    try insert.bind(rowid, at: 1)
                    try insert.bind(kind.rawValue, at: 2)
                    try insert.run()
                    switch kind {
                    case .deleted: found.deleted += 1
                    case .updated: found.updated += 1
                    case .inserted: found.inserted += 1
                    }
                }
                if found.inserted + found.updated + found.deleted > 0 { tables.append(found) }
            }
            // Rows of virtual tables lie in tables of their own.
            let shadows = Set(after.shadowTables)
            let isTouchedShadow = try shadows.contains { name in
                guard let one = roots.older[name], let other = roots.newer[name] else { return true }
                return try isTouched(pages, one, other, changed)
            }
            if isTouchedShadow {
                for (number, table) in after.virtualTables.enumerated() {
                    tables.append(Table(name: table.name, way: .whole, number: after.tables.count + number))
                }
            }
        } catch let error as TreePages.Corrupt {
            throw MigrationError(
                .sourceCorrupt, "page \(error.page) of the source cannot be read as what it should be",
                remedy: "Look at the file with PRAGMA integrity_check.", exit: .usage)
        }
        try store.execute("COMMIT")
        return SourceChanges(path: path, tables: tables)
    }

    private static func isTouched(
        _ pages: (older: TreePages, newer: TreePages), _ one: UInt32, _ other: UInt32, _ changed: PageSet?
    ) throws -> Bool {
        guard let changed else { return true }
        return try pages.older.hasPage(of: changed, root: one)
            || pages.newer.hasPage(of: changed, root: other)
    }

    private static func roots(_ snapshot: Snapshot) throws -> [String: UInt32] {
        let connection = try snapshot.open()
        let statement = try connection.prepare(
            "SELECT name, rootpage FROM main.sqlite_schema WHERE type = 'table' AND rootpage > 0")
        var roots: [String: UInt32] = [:]
        while try statement.step() { roots[statement.text(0)] = UInt32(exactly: statement.int64(1)) }
        return roots
    }

    private static func otherSchema(_ before: Catalog, _ after: Catalog) -> MigrationError {
        let old = Dictionary(before.tables.map { ($0.name, $0) }) { first, _ in first }
        let changed =
            after.tables.filter { old[$0.name] != $0 && old[$0.name]?.sql != $0.sql }.map(\.name)
            + Set(old.keys).subtracting(after.tables.map(\.name)).sorted()
        return MigrationError(
            .sourceUnreadable,
            "the source's schema has changed since the target was loaded"
                + (changed.isEmpty ? "" : ": \(changed.prefix(5).joined(separator: ", "))"),
            remedy:
                "Undo steps 3.2 and 1.8, and migrate anew: types, keys and indexes have to be planned for it.",
            exit: .undecided)
    }
}
