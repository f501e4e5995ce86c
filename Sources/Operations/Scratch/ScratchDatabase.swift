import Foundation
import MigrationEngine
import Postgres

/// A database of howdah's own on the target's server, which is dropped afterwards.
///
/// Its name is random: no two runs share one, and no database of somebody else's is ever taken for it.
struct ScratchDatabase {
    /// What it is for: its name begins with the word, and who finds it reads what it is.
    enum Purpose: String {
        /// A copy of the target, for a load whose writes are committed
        /// (https://www.postgresql.org/docs/current/manage-ag-templatedbs.html).
        case load
        /// An empty one, for a backup to be restored into.
        case drill

        var comment: String {
            switch self {
            case .load: "howdah: a copy for a load test, to be dropped"
            case .drill: "howdah: a backup restored for a drill, to be dropped"
            }
        }
    }

    /// Where it is.
    let conninfo: Conninfo
    let name: String
    private let purpose: Purpose
    private let ledger: ScratchLedger
    private let server: TargetServer

    /// Makes a copy of the target's database. Throws where the server refuses, or somebody else is connected to it.
    init(of target: Conninfo, ledger: ScratchLedger, cancellation: Cancellation) throws {
        let original = try Self.original(target, .load, cancellation)
        try self.init(.load, target, original, ledger, cancellation) { name in
            "CREATE DATABASE \(quoteIdentifier(name)) TEMPLATE \(quoteIdentifier(original))"
        } explaining: { error in
            MigrationError(
                .targetUnfit, "no copy of \(original) can be made: \(error.message)",
                remedy: error.sqlState == "55006"
                    ? "Others are connected to it: end their sessions, or run the test without a copy, rolled back."
                    : "Give the role CREATEDB, or run the test without a copy, rolled back.")
        }
    }

    /// Makes an empty one with the traits of the target's.
    init(
        emptyLike traits: DatabaseTraits, beside target: Conninfo, ledger: ScratchLedger,
        cancellation: Cancellation
    ) throws {
        let original = try Self.original(target, .drill, cancellation)
        try self.init(.drill, target, original, ledger, cancellation) {
            traits.createSQL($0)
        } explaining: {
            MigrationError(
                .targetUnfit, "no scratch database can be made: \($0.message)",
                remedy:
                    "A drill restores into a database of its own: ALTER ROLE … CREATEDB, for the role of the target."
            )
        }
    }

    private init(
        _ purpose: Purpose, _ target: Conninfo, _ original: String, _ ledger: ScratchLedger,
        _ cancellation: Cancellation, _ statement: (String) -> String,
        explaining: (PostgresError) -> MigrationError
    ) throws {
        let name =
            "howdah_\(purpose.rawValue)_" + (0..<16).map { _ in UInt8.random(in: 0 ... .max) }.hexadecimal
        self.name = name
        self.purpose = purpose
        self.ledger = ledger
        conninfo = target.setting("dbname", to: name)
        server = Self.maintenance(target, original, cancellation)
        try ledger.begin(name)
        do {
            try server.withConnection(purpose: purpose.rawValue) { connection in
                do {
                    try connection.execute(statement(name))
                } catch let error as PostgresError where error.code != .cancelled {
                    throw explaining(error)
                }
                // For people who find it; howdah itself goes by its ledger.
                try? connection.execute(
                    "COMMENT ON DATABASE \(quoteIdentifier(name)) IS \(quoteLiteral(purpose.comment))")
            }
        } catch {
            // A statement whose answer was lost may have made it all the same.
            try? remove()
            throw error
        }
    }

    private static func original(
        _ target: Conninfo, _ purpose: Purpose, _ cancellation: Cancellation
    ) throws -> String {
        try TargetServer(target, cancellation: cancellation)
            .withConnection(purpose: purpose.rawValue) { $0.database }
    }

    /// Another database of the server's, from which scratch databases are made and dropped.
    private static func maintenance(
        _ target: Conninfo, _ original: String, _ cancellation: Cancellation
    ) -> TargetServer {
        TargetServer(
            target.setting("dbname", to: original == "postgres" ? "template1" : "postgres"),
            cancellation: cancellation)
    }

    /// Drops it, also after a cancellation.
    func remove() throws {
        try Self.drop(name, purpose, TargetServer(server.conninfo, cancellation: Cancellation()))
        try ledger.end(name)
    }

    private static func drop(_ name: String, _ purpose: Purpose, _ server: TargetServer) throws {
        try server.withConnection(purpose: purpose.rawValue) {
            try $0.execute("DROP DATABASE IF EXISTS \(quoteIdentifier(name)) WITH (FORCE)")
        }
    }

    /// Drops what runs that were killed have left on the server of a target. Returns why one could not be dropped; it
    /// stays in the ledger.
    static func removeLeft(
        _ ledger: ScratchLedger, _ purpose: Purpose = .load, on target: Conninfo, cancellation: Cancellation
    ) throws -> [String] {
        guard !ledger.left.isEmpty else { return [] }
        let server = maintenance(target, try original(target, purpose, cancellation), cancellation)
        return try ledger.left.compactMap { name in
            try cancellation.check()
            do {
                try drop(name, purpose, server)
                try ledger.end(name)
                return nil
            } catch let error as PostgresError {
                try cancellation.check()
                return "\(name), which an earlier run left, cannot be dropped: \(error.message)"
            } catch let error as MigrationError where error.code != .cancelled {
                return "\(name), which an earlier run left, cannot be dropped: \(error.message)"
            }
        }
    }
}
