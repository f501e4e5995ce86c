import MigrationEngine
import Postgres
import TestSupport

/// A source and a target with tables of its own, as a framework's migrations leave them.
struct AdoptedTarget {
    let path: String
    let state: String
    let conninfo: Conninfo

    static func with(source: String, target: String, _ body: (AdoptedTarget) throws -> Void) throws {
        try withTemporaryFolder { folder in
            try makeDatabase("\(folder)/a.db", source)
            try TestServer.withDatabase { conninfo in
                try TestServer.execute(target, in: conninfo)
                try body(
                    AdoptedTarget(path: "\(folder)/a.db", state: "\(folder)/state", conninfo: conninfo))
            }
        }
    }

    static func migration(_ words: [String] = [], style: Style? = .plain) -> TestMigration {
        var migration = TestMigration(decide: words)
        migration.adopts = true
        migration.style = style
        return migration
    }

    func run(_ words: [String] = [], style: Style? = .plain, as user: String? = nil, restart: Bool = false)
        throws
        -> MigrationReport
    {
        var migration = Self.migration(words, style: style)
        migration.restart = restart
        return try migration.run(
            path, state: state, into: user.map { conninfo.setting("user", to: $0) } ?? conninfo)
    }

    func validate(style: Style? = .plain) throws -> MigrationReport {
        try Self.migration(style: style).validate(path, state: state, against: conninfo)
    }

    func prepare(_ words: [String] = [], style: Style? = .plain, as user: String? = nil) throws -> Preparation
    {
        try Self.migration(words, style: style).prepare(
            path, state: state, target: user.map { conninfo.setting("user", to: $0) } ?? conninfo)
    }

    func rows(_ sql: String) throws -> [String] { try TestServer.rows(sql, in: conninfo) }

    func execute(_ sql: String) throws { try TestServer.execute(sql, in: conninfo) }
}
