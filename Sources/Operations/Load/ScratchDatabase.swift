import Foundation
import MigrationEngine
import Postgres

/// A copy of the target's database on the same server, for a load whose writes are committed
/// (https://www.postgresql.org/docs/current/manage-ag-templatedbs.html).
///
/// Its name is random: no two tests share one, and no database of somebody else's is ever taken for it.
struct ScratchDatabase {
    /// Where the copy is.
    let conninfo: Conninfo
    let name: String
    private let ledger: ScratchLedger
    private let server: TargetServer

    /// Makes the copy. Throws where the server refuses, or somebody else is connected to the original.
    init(of target: Conninfo, ledger: ScratchLedger, cancellation: Cancellation) throws {
        let original = try Self.original(target, cancellation)
        let name = Self.newName()
        self.name = name
        self.ledger = ledger
        conninfo = target.setting("dbname", to: name)
        server = Self.maintenance(target, original, cancellation)
        try ledger.begin(name)
        do {
            try server.withConnection(purpose: "load") { connection in
                do {
                    try connection.execute(
                        "CREATE DATABASE \(quoteIdentifier(name)) TEMPLATE \(quoteIdentifier(original))")
                } catch let error as PostgresError where error.code != .cancelled {
                    throw MigrationError(
                        .targetUnfit, "no copy of \(original) can be made: \(error.message)",
                        remedy: error.sqlState == "55006"
                            ? "Others are connected to it: end their sessions, or run the test without a copy, rolled back."
                            : "Give the role CREATEDB, or run the test without a copy, rolled back.")
                }
                // For people who find it; howdah itself goes by its ledger.
                try? connection.execute(
                    "COMMENT ON DATABASE \(quoteIdentifier(name)) IS 'howdah: a copy for a load test, to be dropped'"
                )
            }
        } catch {
            // A statement whose answer was lost may have made it all the same.
            try? remove()
            throw error
        }
    }

    private static func original(_ target: Conninfo, _ cancellation: Cancellation) throws -> String {
        try TargetServer(target, cancellation: cancellation).withConnection(purpose: "load") { $0.database }
    }

    /// Another database of the server's, from which copies are made and dropped.
    private static func maintenance(
        _ target: Conninfo, _ original: String, _ cancellation: Cancellation
    ) -> TargetServer {
        TargetServer(
            target.setting("dbname", to: original == "postgres" ? "template1" : "postgres"),
            cancellation: cancellation)
    }

    private static func newName() -> String {
        "howdah_load_" + (0..<16).map { _ in UInt8.random(in: 0 ... .max) }.hexadecimal
    }

    /// Drops the copy, also after a cancellation.
    func remove() throws {
        try Self.drop(name, TargetServer(server.conninfo, cancellation: Cancellation()))
        try ledger.end(name)
    }

    private static func drop(_ name: String, _ server: TargetServer) throws {
        try server.withConnection(purpose: "load") {
            try $0.execute("DROP DATABASE IF EXISTS \(quoteIdentifier(name)) WITH (FORCE)")
        }
    }

    /// Drops what tests that were killed have left on the server of a target. Returns why one could not be dropped; it
    /// stays in the ledger.
    static func removeLeft(_ ledger: ScratchLedger, on target: Conninfo, cancellation: Cancellation) throws
        -> [String]
    {
        guard !ledger.left.isEmpty else { return [] }
        let server = maintenance(target, try original(target, cancellation), cancellation)
        return try ledger.left.compactMap { name in
            try cancellation.check()
            do {
                try drop(name, server)
                try ledger.end(name)
                return nil
            } catch let error as PostgresError {
                try cancellation.check()
                return "\(name), a copy that an earlier test left, cannot be dropped: \(error.message)"
            } catch let error as MigrationError where error.code != .cancelled {
                return "\(name), a copy that an earlier test left, cannot be dropped: \(error.message)"
            }
        }
    }
}
