import Foundation
import MigrationEngine
import Postgres

/// What a look at a server's connections and settings came to.
public struct PoolReport: Codable, Sendable, Equatable {
    public let pool: PoolAdvice
    public let settings: [SettingAdvice]

    /// The most telling first.
    public var words: String {
        pool.words + "; "
            + (settings.isEmpty
                ? "no setting is worth changing"
                : Format.count(settings.count, "setting worth changing", "settings worth changing"))
    }
}

/// Looks at a server's connections and settings, and changes settings of its database on the operator's word.
///
/// Called from a thread that may block; every statement ends after a while, and can be cancelled.
public struct PoolAdvisor: Sendable {
    let server: TargetServer
    let cancellation: Cancellation

    public init(server: TargetServer, cancellation: Cancellation) {
        self.server = server
        self.cancellation = cancellation
    }

    /// `cores` is the operator's word on the server's; `instances` is how many of the application run.
    public func report(client: PoolAdvice.Client, cores: Int?, instances: Int) throws -> PoolReport {
        try asking { connection in
            let facts = try PoolFacts.read(connection, cores: cores)
            return PoolReport(
                pool: PoolAdvice(facts, client: client, instances: instances),
                settings: try ServerSettings().advice(facts, connection))
        }
    }

    /// Sets one setting of the database. `note` gets the record before; it must be on the disk when it returns.
    public func apply(_ advice: SettingAdvice, note: (SettingRecord) throws -> Void) throws -> String {
        guard advice.isOwn else {
            throw MigrationError(
                .targetUnfit, "\(advice.name) is a setting of the server, which howdah does not change",
                remedy: "Have an administrator run: \(advice.sql); it takes effect \(advice.takesEffect).",
                exit: .undecided)
        }
        return try asking { connection in
            let database = connection.database
            try note(
                SettingRecord(
                    name: advice.name, database: database, before: try own(advice.name, connection),
                    after: advice.advised, isUndone: false))
            try connection.execute(advice.sql)
            return "\(advice.name) is \(advice.advised) in new sessions of \(database), was \(advice.present)"
        }
    }

    /// Puts a setting back as it was; one that was changed since stays.
    public func undo(_ record: SettingRecord, note: (SettingRecord) throws -> Void) throws -> String {
        try asking { connection in
            var record = record
            let now = try own(record.name, connection)
            let isOurs = now == record.after
            if isOurs { try connection.execute(Self.undoSQL(record)) }
            record.isUndone = true
            try note(record)
            if isOurs { return "\(record.name) is as it was" }
            return now == record.before
                ? "\(record.name) is as it was already" : "\(record.name) stays: it was changed since"
        }
    }

    public static func undoSQL(_ record: SettingRecord) -> String {
        let database = "ALTER DATABASE \(quoteIdentifier(record.database))"
        return record.before.map { "\(database) SET \(record.name) = \(quoteLiteral($0))" }
            ?? "\(database) RESET \(record.name)"
    }

    /// The database's own value; nil where it has none.
    private func own(_ name: String, _ connection: borrowing Postgres.Connection) throws -> String? {
        try connection.query(
            """
            SELECT substr(c, strpos(c, '=') + 1) FROM pg_db_role_setting AS s
                JOIN pg_database AS d ON d.oid = s.setdatabase AND d.datname = current_database(), unnest(s.setconfig) AS c
            WHERE s.setrole = 0 AND lower(split_part(c, '=', 1)) = lower($1)
            """, [name]
        ).text(0, 0)
    }

    private func asking<T>(_ body: (borrowing Postgres.Connection) throws -> T) throws -> T {
        do {
            return try server.withConnection(purpose: "advice") { connection in
                try connection.execute("SET statement_timeout = '30s'; SET lock_timeout = '5s'")
                return try body(connection)
            }
        } catch is PostgresError where cancellation.isCancelled {
            throw MigrationError.cancelled
        }
    }
}
