import Foundation
import MigrationEngine
import Postgres

/// Makes the roles of least privilege in one database, and takes them back.
///
/// Called from a thread that may block. All or nothing: each way is one transaction.
public struct RoleMaker: Sendable {
    private let server: TargetServer
    private let schema: String
    private let options: RoleOptions
    /// What was made here before.
    private let earlier: RoleRecord?

    /// `server` connects to the database itself, as somebody who may make roles.
    public init(_ server: TargetServer, schema: String, options: RoleOptions, earlier: RoleRecord?) {
        self.server = server
        self.schema = schema
        self.options = options
        self.earlier = earlier
    }

    /// What would be run; reads the server's catalog alone.
    public func plan() throws -> RolePlan {
        try server.withConnection(purpose: "roles") { connection in
            try connection.execute("SET statement_timeout = '60s'")
            let names = try options.names(database: connection.database)
            let facts = try RoleFacts.read(schema: schema, names: Array(names.values), connection)
            let made = earlier?.database == connection.database ? earlier?.made ?? [] : []
            return try RolePlan(facts, schema: schema, options: options, made: Set(made))
        }
    }

    /// Runs a plan. `passwords` are those of new roles, by name: the server gets their verifiers alone, never one of them.
    ///
    /// `begun` gets, before anything is changed, what the undo would take back; it is on the disk when it returns.
    public func apply(
        _ plan: RolePlan, passwords: [String: String], begun: (RoleRecord) throws -> Void
    ) throws {
        try server.withConnection(purpose: "roles") { connection in
            try begun(plan.record.following(earlier))
            try Self.transaction(connection) { connection in
                for statement in plan.statements { try Self.run(statement.sql, connection) }
                for (name, password) in passwords.sorted(by: { $0.key < $1.key }) {
                    let verifier = try connection.passwordVerifier(password, role: name)
                    try Self.run(
                        "ALTER ROLE \(quoteIdentifier(name)) PASSWORD \(quoteLiteral(verifier))", connection,
                        shown: "ALTER ROLE \(quoteIdentifier(name)) PASSWORD …")
                }
            }
        }
    }

    /// What the undo would run, roles that are gone left out.
    public func undoStatements(_ record: RoleRecord) throws -> [String] {
        try server.withConnection(purpose: "roles") { try statements(record, $0) }
    }

    /// Drops the roles that were made, and nothing else: one that is connected, has members, or owns anything is refused.
    public func undo(_ record: RoleRecord) throws -> [String] {
        try server.withConnection(purpose: "roles") { connection in
            let statements = try statements(record, connection)
            try refuseUsed(record, connection)
            try Self.transaction(connection) { connection in
                for sql in statements { try Self.run(sql, connection) }
            }
            return statements
        }
    }

    private func statements(
        _ record: RoleRecord, _ connection: borrowing Postgres.Connection
    ) throws -> [String] {
        guard connection.database == record.database else {
            throw MigrationError(
                .target, "the roles were made in \(record.database), and this is \(connection.database)",
                remedy: "Name the target that they were made in.", exit: .usage)
        }
        let result = try connection.query(
            """
            SELECT rolname, rolsuper, pg_has_role(oid, 'USAGE'), rolname = current_user FROM pg_roles
            """)
        var there: Set<String> = []
        var mine: Set<String> = []
        var isSuperuser = false
        for row in 0..<result.count {
            let name = result.text(row, 0) ?? ""
            there.insert(name)
            if result.bool(row, 2) { mine.insert(name) }
            if result.bool(row, 3) { isSuperuser = result.bool(row, 1) }
        }
        let made = record.made.filter(there.contains)
        // Only a member takes back what concerns another role's tables; the membership goes with the role.
        let joins = isSuperuser ? [] : made.filter { !mine.contains($0) }
        return joins.map { "GRANT \(quoteIdentifier($0)) TO CURRENT_USER" }
            + record.undo.filter { $0.roles.allSatisfy(there.contains) }.map(\.sql)
            + made.map { "DROP ROLE \(quoteIdentifier($0))" }
    }

    private func refuseUsed(_ record: RoleRecord, _ connection: borrowing Postgres.Connection) throws {
        for name in record.made {
            let used = try connection.query(
                """
                SELECT count(*) FROM pg_stat_activity WHERE usename = $1 AND pid <> pg_backend_pid()
                """, [name])
            let sessions = used.int(0, 0) ?? 0
            let members = try members(of: name, but: record, connection)
            guard sessions > 0 || !members.isEmpty else { continue }
            throw MigrationError(
                .target,
                sessions > 0
                    ? "\(Format.count(sessions, "session of", "sessions of")) \(name) \(sessions == 1 ? "is" : "are") connected"
                    : "\(name) was given to \(members.joined(separator: ", "))",
                remedy: sessions > 0
                    ? "Stop what connects as \(name), then undo again. Nothing was changed."
                    : "REVOKE it from them, then undo again. Nothing was changed.", exit: .undecided)
        }
    }

    /// Who has a role, but for whom the undo itself takes it from.
    private func members(
        of name: String, but record: RoleRecord, _ connection: borrowing Postgres.Connection
    ) throws -> [String] {
        let result = try connection.query(
            """
            SELECT m.rolname FROM pg_auth_members AS a JOIN pg_roles AS g ON g.oid = a.roleid
            JOIN pg_roles AS m ON m.oid = a.member WHERE g.rolname = $1 AND m.rolname <> current_user ORDER BY 1
            """, [name])
        return (0..<result.count).compactMap { result.text($0, 0) }.filter { member in
            !record.undo.contains {
                $0.sql == "REVOKE \(quoteIdentifier(name)) FROM \(quoteIdentifier(member))"
            }
        }
    }

    private static func transaction(
        _ connection: borrowing Postgres.Connection, _ body: (borrowing Postgres.Connection) throws -> Void
    ) throws {
        try connection.transaction { connection in
            // Others wait behind a lock that is waited for.
            try connection.execute("SET LOCAL statement_timeout = '60s'; SET LOCAL lock_timeout = '5s'")
            try body(connection)
        }
    }

    /// By the protocol that takes one statement only.
    private static func run(
        _ sql: String, _ connection: borrowing Postgres.Connection, shown: String? = nil
    ) throws {
        do {
            _ = try connection.query(sql)
        } catch {
            guard error.code == .server else { throw error }
            throw MigrationError(
                .target,
                "\(shown ?? sql): \(error.message)" + (error.detail.map { " (\($0))" } ?? ""),
                remedy: remedy(error), exit: error.sqlState == "2BP01" ? .undecided : .failure)
        }
    }

    private static func remedy(_ error: PostgresError) -> String {
        switch error.sqlState {
        case "42501":
            "Nothing was changed. Name an administrator who may do it with --admin URL, or have one run the SQL that "
                + "howdah roles prints."
        case "2BP01":
            "Nothing was changed. It is in use: hand what a role owns to another one with REASSIGN OWNED BY, then undo "
                + "again."
        case "55P03": "Nothing was changed. Somebody holds a lock on a table: run this again a little later."
        default: "Nothing was changed."
        }
    }
}
