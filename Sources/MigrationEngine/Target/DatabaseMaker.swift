import Foundation
import Postgres

/// Makes the database and the role of a target that has neither yet, through an administrator's connection.
///
/// The SQL is shown before it runs, with dots for the password. What was made is told, so that an undo drops that and
/// nothing else. May block.
public struct DatabaseMaker: Sendable {
    public let target: Conninfo
    public let admin: Conninfo
    private let cancellation: Cancellation

    public init(target: Conninfo, admin: Conninfo, cancellation: Cancellation) {
        self.target = target
        self.admin = admin
        self.cancellation = cancellation
    }

    public struct Statement: Sendable, Equatable {
        /// What it makes.
        public enum Object: String, Codable, Sendable {
            case role, database, setting
        }

        public let object: Object
        /// Without the password.
        public let shown: String
        let sql: String
        /// Takes it back; nil for what goes with its object.
        public let undo: String?
    }

    private var database: String { target["dbname"] ?? "" }
    private var role: String { target["user"] ?? "" }
    private var server: TargetServer { TargetServer(admin, cancellation: cancellation) }

    /// A password of 24 random characters that need no escaping anywhere.
    public static func password() -> String {
        let letters = Array("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
        var generator = SystemRandomNumberGenerator()
        return String((0..<24).map { _ in letters[Int.random(in: 0..<letters.count, using: &generator)] })
    }

    /// What is missing on the server, as the statements that make it, in order; empty where nothing is.
    public func missing(password: String) throws -> [Statement] {
        guard !database.isEmpty, !role.isEmpty else {
            throw MigrationError(
                .connection, "\(target.url) does not name both a user and a database",
                remedy: "Write the target as postgresql://user@host/database.", exit: .usage)
        }
        return try server.withConnection(purpose: "administration") { connection in
            let present = try connection.query(
                """
                SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1),
                    EXISTS (SELECT FROM pg_database WHERE datname = $2),
                    EXISTS (SELECT FROM pg_database AS d JOIN pg_db_role_setting AS s ON s.setdatabase = d.oid
                        WHERE d.datname = $2 AND s.setrole = 0 AND 'TimeZone=UTC' = ANY (s.setconfig))
                """, [role, database])
            var statements: [Statement] = []
            let (user, name) = (quoteIdentifier(role), quoteIdentifier(database))
            if !present.bool(0, 0) {
                let sql = "CREATE ROLE \(user) LOGIN PASSWORD "
                statements.append(
                    .init(
                        object: .role, shown: sql + "'••••••••'", sql: sql + quoteLiteral(password),
                        undo: "DROP ROLE \(user)"))
            }
            if !present.bool(0, 1) {
                // Since PostgreSQL 15 only the owner makes tables in public.
                let sql = "CREATE DATABASE \(name) OWNER \(user) TEMPLATE template0 ENCODING 'UTF8'"
                statements.append(
                    .init(object: .database, shown: sql, sql: sql, undo: "DROP DATABASE \(name)"))
            }
            if !present.bool(0, 2) {
                let sql = "ALTER DATABASE \(name) SET timezone = 'UTC'"
                statements.append(
                    .init(
                        object: .setting, shown: sql, sql: sql,
                        undo: present.bool(0, 1) ? "ALTER DATABASE \(name) RESET timezone" : nil))
            }
            return statements
        }
    }

    /// Runs the statements; `done` hears of each one before the next.
    public func run(_ statements: [Statement], done: (Statement) throws -> Void) throws {
        try server.withConnection(purpose: "administration") { connection in
            for statement in statements {
                do {
                    _ = try connection.query(statement.sql)
                } catch let error as PostgresError {
                    throw MigrationError(
                        .target, "\(statement.shown): \(error.message)",
                        remedy: "Name an administrator who may do this, or have it done by one.")
                }
                try done(statement)
            }
        }
    }

    /// Takes back what was made; a database with connections of others, or a role that owns more, is refused by the server.
    public func undo(_ statements: [String]) throws {
        if statements.contains(where: { $0.hasPrefix("DROP DATABASE") }) { try refuseFilled() }
        try server.withConnection(purpose: "administration") { connection in
            for statement in statements {
                do {
                    _ = try connection.query(statement)
                } catch let error as PostgresError {
                    throw MigrationError(
                        .target, "\(statement): \(error.message)",
                        remedy: "Somebody else uses it: look at the message, then undo this step again.")
                }
            }
        }
    }

    private func refuseFilled() throws {
        let inside = TargetServer(admin.setting("dbname", to: database), cancellation: cancellation)
        let names = try inside.withConnection(purpose: "administration") { connection in
            let result = try connection.query(
                """
                SELECT c.oid::regclass FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
                ORDER BY 1 LIMIT 5
                """)
            return (0..<result.count).compactMap { result.text($0, 0) }
        }
        guard !names.isEmpty else { return }
        throw MigrationError(
            .target, "the database \(database) is not empty: it has \(names.joined(separator: ", "))",
            remedy: "Undo step 1.8 first; what others made there is theirs to drop.", exit: .undecided)
    }

    /// The line of a pgpass file (https://www.postgresql.org/docs/current/libpq-pgpass.html).
    public static func passwordLine(_ target: Conninfo, password: String) -> String {
        func field(_ text: String) -> String {
            text.replacing("\\", with: "\\\\").replacing(":", with: "\\:")
        }
        let host = target["host"] ?? "localhost"
        return [
            // libpq looks for the folder of a socket by its path, for its own default folder by localhost.
            host.hasPrefix("/") ? "*" : field(host), field(target["port"] ?? "5432"),
            field(target["dbname"] ?? ""), field(target["user"] ?? ""), password,
        ].joined(separator: ":")
    }
}
