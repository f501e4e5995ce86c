import Postgres

/// Takes howdah's own schema out of a target once nothing needs it any more.
public struct LedgerRemoval: Sendable {
    public struct Facts: Sendable, Equatable {
        public let runs: Int
        /// Rows and values that are nowhere else in the target.
        public let keptRows: Int
        /// Foreign keys whose older rows are still to be looked at.
        public let unvalidated: Int
        /// Triggers and keys of others that are held off.
        public let held: Int
    }

    private let server: TargetServer

    public init(_ server: TargetServer) {
        self.server = server
    }

    /// What it holds; nil where there is none of howdah's.
    public func facts() throws -> Facts? {
        try server.withConnection(purpose: "finish") { connection in
            guard try connection.query("SELECT to_regclass('howdah.run') IS NOT NULL").bool(0, 0) else {
                return nil
            }
            return Facts(
                runs: try Self.count("run", connection),
                keptRows: try Self.count("quarantine", connection) + Self.count("replaced", connection),
                unvalidated: try Self.count("unvalidated", connection),
                held: try Self.count("held", connection))
        }
    }

    /// The rows of one of howdah's tables, which an older ledger may lack.
    private static func count(_ table: String, _ connection: borrowing Postgres.Connection) throws -> Int {
        guard try connection.query("SELECT to_regclass($1) IS NOT NULL", ["howdah.\(table)"]).bool(0, 0)
        else {
            return 0
        }
        return try connection.query("SELECT count(*) FROM howdah.\(table)").int(0, 0) ?? 0
    }

    /// Removes it, all or nothing; the application's tables stay as they are.
    ///
    /// Throws `.state` where it holds what is nowhere else, or what is still to be done.
    public func run() throws {
        guard let facts = try facts() else { return }
        guard facts.keptRows == 0, facts.unvalidated == 0, facts.held == 0 else {
            throw MigrationError(
                .state,
                facts.keptRows > 0
                    ? "\(Format.count(facts.keptRows, "row or value", "rows and values")) that decisions keep out of the tables are only in howdah's schema"
                    : "foreign keys or triggers are still to be put back",
                remedy: facts.keptRows > 0
                    ? "Put them back with howdah repair, or drop the schema howdah yourself when you need them no more."
                    : "Run the cutover's last step again.", exit: .undecided)
        }
        try server.withConnection(purpose: "finish") { connection in
            try server.takeLock(connection)
            try connection.transaction { connection in
                _ = try connection.query("DELETE FROM howdah.run")
                try Ledger.dropTablesIfEmpty(connection)
            }
        }
    }
}
