import Foundation
import MigrationEngine
import Postgres

/// Prepares and migrates a file as the commands do, for tests of the engine.
public struct TestMigration {
    public var hints: SchemaHints?
    public var style: Style?
    public var schema = "public"
    public var identifiers = Identifiers.exact
    public var planPath: String?
    public var restart = false
    public var decisions = Decisions()
    public var workers = 2
    public var cancellation = Cancellation()
    /// Loads into tables that the target has already.
    public var adopts = false
    /// What `--schema` says of a target that is only compared.
    public var targetSchema: String?

    public init() {}

    /// With so many workers that no table is loaded as one piece to spare the server its log.
    public static var inPieces: TestMigration {
        var migration = TestMigration()
        migration.workers = 8
        return migration
    }

    /// Decides as `--decide` does, once for each word.
    public init(decide words: [String]) {
        decisions.takesRecommended = words.contains("recommended")
        decisions.given = words.compactMap { Decision($0) }
    }

    /// `target` is where the tables are that are adopted.
    public func prepare(_ path: String, state: String, target: Conninfo? = nil) throws -> Preparation {
        let folder = try StateFolder.open(source: path, project: nil, override: state, environment: [:])
        return try Preparer(
            source: SourceFile(path: path), state: folder, hints: hints, style: style, schema: schema,
            identifiers: identifiers,
            planSource: .file(planPath), decisions: decisions, workers: workers, cancellation: cancellation,
            progress: RunProgress(),
            adopting: Adopting(
                isAsked: adopts, server: target.map { TargetServer($0, cancellation: Cancellation()) })
        ).prepare()
    }

    public func run(_ path: String, state: String, into conninfo: Conninfo) throws -> MigrationReport {
        try Migration(
            preparation: prepare(path, state: state, target: conninfo),
            server: TargetServer(conninfo, cancellation: cancellation), workers: workers, restart: restart,
            isRehearsal: true, cancellation: cancellation, progress: RunProgress()
        ).run()
    }

    public func validate(_ path: String, state: String, against conninfo: Conninfo) throws -> MigrationReport
    {
        try validate(path, state: state, against: conninfo, tables: [])
    }

    public func validate(
        _ path: String, state: String, against conninfo: Conninfo, tables: [String]
    ) throws -> MigrationReport {
        try Validation(
            preparation: prepare(path, state: state, target: conninfo), hints: hints,
            server: TargetServer(conninfo, cancellation: cancellation), schema: targetSchema,
            workers: workers, cancellation: cancellation, progress: RunProgress()
        ).run(tables: tables)
    }

    /// Makes a database from a script, migrates it into a new one of the server's, and hands both to `body`.
    public func migrated<T>(
        _ script: String, _ body: (MigrationReport, Conninfo, _ folder: String) throws -> T
    ) throws -> T {
        try withTemporaryFolder { folder in
            let path = "\(folder)/source.db"
            try makeDatabase(path, script)
            return try TestServer.withDatabase { conninfo in
                try body(run(path, state: "\(folder)/state", into: conninfo), conninfo, folder)
            }
        }
    }
}
