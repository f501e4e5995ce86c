import Foundation
import MigrationEngine
import Postgres

/// A copy of the target's database on the same server, for a load whose writes are committed
/// (https://www.postgresql.org/docs/current/manage-ag-templatedbs.html).
struct ScratchDatabase {
    private static let mark = "howdah: a copy for a load test, to be dropped"

    /// Where the copy is.
    let conninfo: Conninfo
    private let name: String
    private let server: TargetServer

    /// Makes the copy; one that an earlier test left behind goes first. Throws where the server refuses, or somebody else
    /// is connected to the original.
    init(of target: Conninfo, cancellation: Cancellation) throws {
        let original = try TargetServer(target, cancellation: cancellation).withConnection(purpose: "load") {
            $0.database
        }
        let name = Self.name(of: original)
        self.name = name
        conninfo = target.setting("dbname", to: name)
        server = TargetServer(
            target.setting("dbname", to: original == "postgres" ? "template1" : "postgres"),
            cancellation: cancellation)
        try server.withConnection(purpose: "load") { connection in
            let there = try connection.query(
                "SELECT coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = $1",
                [name])
            if there.count > 0 {
                guard there.text(0, 0) == Self.mark else {
                    throw MigrationError(
                        .targetUnfit, "there is a database \(name) already, which howdah has not made",
                        remedy: "Rename it, or run the test without a copy.")
                }
                try connection.execute("DROP DATABASE \(quoteIdentifier(name)) WITH (FORCE)")
            }
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
            do {
                try connection.execute(
                    "COMMENT ON DATABASE \(quoteIdentifier(name)) IS \(quoteLiteral(Self.mark))")
            } catch {
                // Without its mark nobody would know it for howdah's.
                try? remove()
                throw error
            }
        }
    }

    /// What the copy of a database is called: the same each time, so that one that was left behind is found.
    static func name(of original: String) -> String {
        "howdah_load_" + sha256(of: Data(original.utf8)).prefix(12)
    }

    /// Drops the copy, also after a cancellation.
    func remove() throws {
        let server = TargetServer(server.conninfo, cancellation: Cancellation())
        try server.withConnection(purpose: "load") {
            try $0.execute("DROP DATABASE IF EXISTS \(quoteIdentifier(name)) WITH (FORCE)")
        }
    }
}
