import Foundation
import MigrationEngine
import Postgres
import TestSupport

/// A source, and a target that somebody else has made and loaded.
struct ForeignTarget {
    let path: String
    let state: String
    let conninfo: Conninfo
    var migration = TestMigration()

    static func with(
        source: String, target: String, _ body: (inout ForeignTarget) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            let path = "\(folder)/app.db"
            try makeDatabase(path, source)
            try TestServer.withDatabase { conninfo in
                try TestServer.execute(target, in: conninfo)
                var made = ForeignTarget(path: path, state: "\(folder)/state", conninfo: conninfo)
                try body(&made)
            }
        }
    }

    func execute(_ sql: String) throws { try TestServer.execute(sql, in: conninfo) }

    func rows(_ sql: String) throws -> [String] { try TestServer.rows(sql, in: conninfo) }

    func validate(_ tables: [String] = [], as role: String? = nil) throws -> MigrationReport {
        let target = role.map { conninfo.setting("user", to: $0) } ?? conninfo
        return try migration.validate(path, state: state, against: target, tables: tables)
    }

    /// Runs `body` with a role that may look into `schema` and SELECT from `tables`, and nothing else.
    func withReader(
        _ schema: String = "public", tables: String = "ALL TABLES IN SCHEMA public",
        _ body: (String) throws -> Void
    ) throws {
        let role = "reader_" + UUID().uuidString.lowercased().replacing("-", with: "").prefix(12)
        try execute("CREATE ROLE \(role) LOGIN; GRANT USAGE ON SCHEMA \(schema) TO \(role)")
        defer { try? execute("DROP OWNED BY \(role); DROP ROLE \(role)") }
        if !tables.isEmpty { try execute("GRANT SELECT ON \(tables) TO \(role)") }
        try body(role)
    }
}

extension MigrationReport {
    func table(_ name: String) -> Table? { tables.first { $0.name == name } }

    /// What is said of a table, without its first words where these are the same for all.
    func notes(_ name: String) -> [String] { (table(name)?.notes ?? []).map(\.text) }

    var verdicts: [String: String] {
        Dictionary(tables.map { ($0.name, $0.verdict) }) { first, _ in first }
    }
}
