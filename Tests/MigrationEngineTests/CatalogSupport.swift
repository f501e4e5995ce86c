import SQLite
import TestSupport

@testable import MigrationEngine

/// The catalog of a database that a script makes.
func readCatalog(_ script: String) throws -> Catalog {
    try withTemporaryFolder { folder in
        let path = "\(folder)/a.db"
        try makeDatabase(path, script)
        let connection = try SQLite.Connection(path: path, mode: .readOnly)
        return try CatalogReader.read(connection)
    }
}

/// The first table of a database that a script makes.
func readTable(_ script: String) throws -> Catalog.Table {
    guard let table = try readCatalog(script).tables.first else { throw NoSuchTable() }
    return table
}

struct NoSuchTable: Error {}

/// The catalog and the profiles of a database that a script makes.
func readProfiles(_ script: String) throws -> (catalog: Catalog, profiles: [String: TableProfile]) {
    try withTemporaryFolder { folder in
        let path = "\(folder)/a.db"
        try makeDatabase(path, script)
        let connection = try SQLite.Connection(path: path, mode: .readOnly)
        let catalog = try CatalogReader.read(connection)
        var profiles: [String: TableProfile] = [:]
        for table in catalog.tables {
            profiles[table.name] = try Profiler.profile(table, connection) { _ in }
        }
        return (catalog, profiles)
    }
}

/// What a plan says of a database that a script makes.
func propose(_ script: String, style: Style = .plain, hints: SchemaHints? = nil) throws -> Planner.Proposal {
    let (catalog, profiles) = try readProfiles(script)
    return Planner(
        catalog: catalog, profiles: profiles, style: style, hints: hints, schema: "public", snapshot: "s"
    ).propose()
}

func withBytes<T>(_ text: String, _ body: (UnsafeBufferPointer<UInt8>) throws -> T) rethrows -> T {
    try Array(text.utf8).withUnsafeBufferPointer(body)
}

func parseDate(_ text: String) -> DateText? {
    withBytes(text) { DateText.parse($0) }
}
