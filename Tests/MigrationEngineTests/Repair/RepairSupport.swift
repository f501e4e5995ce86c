import Foundation
import Postgres
import TestSupport

@testable import MigrationEngine

/// A migrated database that somebody damages, and that is repaired.
struct Damaged {
    let source: String
    let folder: String
    let conninfo: Conninfo
    var test = TestMigration()
    var cancellation = Cancellation()
    var patience = Duration.seconds(20)

    /// Migrates a database made from a script, and hands it to `body`.
    static func with(
        _ schema: String, _ test: TestMigration = TestMigration(), _ body: (Damaged) throws -> Void
    ) throws {
        try test.migrated(schema) { report, conninfo, folder in
            guard [.proven, .quarantined].contains(report.outcome) else {
                throw MigrationError(.target, "not migrated: \(report.outcome)", remedy: "")
            }
            try body(
                Damaged(source: "\(folder)/source.db", folder: folder, conninfo: conninfo, test: test))
        }
    }

    func state() throws -> StateFolder {
        try StateFolder.open(source: source, project: nil, override: "\(folder)/state", environment: [:])
    }

    func server() -> TargetServer { TargetServer(conninfo, cancellation: cancellation) }

    func repairer(_ preparation: Preparation? = nil, differences: DifferenceLog? = nil) throws -> Repair {
        var repair = Repair(
            preparation: try preparation
                ?? test.prepare(source, state: "\(folder)/state", target: conninfo),
            history: RepairHistory(try state(), server()), workers: 2, cancellation: cancellation,
            progress: RunProgress(), differences: differences)
        repair.patience = patience
        return repair
    }

    func damage(_ sql: String) throws { try TestServer.execute(sql, in: conninfo) }

    func repair(_ request: RepairRequest = RepairRequest()) throws -> Repair.Outcome {
        let repair = try repairer()
        return try repair.run(repair.preview(request))
    }

    func undo(_ id: String? = nil) throws -> Repair.Outcome {
        let repair = try repairer()
        return try repair.undo(repair.history.undoable(id))
    }

    /// Every row of every table outside of howdah's schema as the server itself writes it, in no order that its place gives.
    func content() throws -> [String: [String]] {
        var content: [String: [String]] = [:]
        for table in try TestServer.rows(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
            in: conninfo)
        {
            content[table] = try TestServer.rows(
                "SELECT encode(record_send(t.*), 'hex') FROM \(table) AS t ORDER BY 1", in: conninfo)
        }
        return content
    }

    /// Keys, checks and triggers of all tables.
    func constraints() throws -> [String] {
        try TestServer.rows(
            """
            SELECT conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated, obj_description(oid, 'pg_constraint')
            FROM pg_constraint WHERE conrelid <> 0 AND connamespace = 'public'::regnamespace
            UNION ALL SELECT tgrelid::regclass, tgname, tgenabled::text, NULL, NULL FROM pg_trigger WHERE NOT tgisinternal
            ORDER BY 1, 2
            """, in: conninfo)
    }

    /// The ledger's counts.
    func counts() throws -> [String] {
        try TestServer.rows(
            "SELECT table_name, sum(rows) FROM howdah.ledger GROUP BY 1 HAVING sum(rows) <> 0 ORDER BY 1",
            in: conninfo)
    }
}
