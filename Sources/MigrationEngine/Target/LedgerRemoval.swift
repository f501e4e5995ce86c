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
    private let schema: String

    /// Of the runs into one schema; those of others stay.
    public init(_ server: TargetServer, schema: String) {
        self.server = server
        self.schema = schema
    }

    /// What it holds; nil where there is none of howdah's.
    public func facts() throws -> Facts? {
        try server.withConnection(purpose: "finish") { try facts($0) }
    }

    private func facts(_ connection: borrowing Postgres.Connection) throws -> Facts? {
        guard try connection.query("SELECT to_regclass('howdah.run') IS NOT NULL").bool(0, 0) else {
            return nil
        }
        let runs =
            try connection.query("SELECT count(*) FROM howdah.run WHERE schema_name = $1", [schema]).int(0, 0)
            ?? 0
        guard runs > 0 else { return nil }
        return Facts(
            runs: runs, keptRows: try count("quarantine", connection) + count("replaced", connection),
            unvalidated: try count("unvalidated", connection), held: try count("held", connection))
    }

    /// The rows of one of howdah's tables, which an older ledger may lack.
    private func count(_ table: String, _ connection: borrowing Postgres.Connection) throws -> Int {
        guard try connection.query("SELECT to_regclass($1) IS NOT NULL", ["howdah.\(table)"]).bool(0, 0)
        else {
            return 0
        }
        return try connection.query(
            "SELECT count(*) FROM howdah.\(table) WHERE run IN (SELECT id FROM howdah.run WHERE schema_name = $1)",
            [schema]
        ).int(0, 0) ?? 0
    }

    /// Removes it, all or nothing; the application's tables stay as they are.
    ///
    /// Throws `.state` where it holds what is nowhere else, or what is still to be done.
    public func run() throws {
        try server.withConnection(purpose: "finish") { connection in
            try server.takeLock(connection)
            try connection.transaction { connection in
                guard let facts = try facts(connection) else { return }
                try Self.refuse(facts)
                _ = try connection.query("DELETE FROM howdah.run WHERE schema_name = $1", [schema])
                try Ledger.dropTablesIfEmpty(connection)
            }
        }
    }

    private static func refuse(_ facts: Facts) throws {
        guard facts.keptRows > 0 || facts.unvalidated > 0 || facts.held > 0 else { return }
        throw MigrationError(
            .state,
            facts.keptRows > 0
                ? "\(Format.count(facts.keptRows, "row or value", "rows and values")) that decisions keep out of the tables are only in howdah's schema"
                : "foreign keys or triggers are still to be put back",
            remedy: facts.keptRows > 0
                ? "Put them back with howdah repair, or drop the schema howdah yourself when you need them no more."
                : "Run the cutover's last step again.", exit: .undecided)
    }
}
