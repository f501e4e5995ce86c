import Postgres

/// Tables that the caller's transaction writes to while nothing else takes part: locked, their triggers held off, and the foreign keys
/// about them dropped, to be made anew before the end. A rollback brings all of it back.
struct HeldTables {
    /// Foreign keys of the tables and to them, as they were.
    let keys: [TargetForeignKey]
    private let triggers: [String]

    /// `names` are qualified and quoted. Waits for other sessions as long as `lock_timeout` says.
    init(_ names: [String], _ connection: borrowing Postgres.Connection) throws {
        if !names.isEmpty {
            try connection.execute("LOCK TABLE \(names.joined(separator: ", ")) IN ACCESS EXCLUSIVE MODE")
        }
        keys = try TargetForeignKey.read(about: names, connection)
        for key in keys { try key.drop(connection) }
        triggers = try names.flatMap { try TargetTriggers.hold(on: $0, connection) }
    }

    func releaseTriggers(_ connection: borrowing Postgres.Connection) throws {
        for trigger in triggers { _ = try connection.query(trigger) }
    }

    /// Makes the foreign keys anew, those that were valid with a look at every row, and lets triggers run again.
    ///
    /// Throws `.value` with exit 3 where a row would refer to one that is not there.
    func release(_ connection: borrowing Postgres.Connection) throws {
        for key in keys {
            do {
                try key.make(isValid: key.isValidated, connection)
            } catch let error as PostgresError where error.sqlState == "23503" {
                throw MigrationError(
                    .value,
                    "rows of \(key.table) would refer to rows of \(key.parent) that are not there (\(key.name))",
                    remedy:
                        "The target is as it was. Repair both tables together, or mend those rows first.",
                    exit: .undecided)
            }
        }
        try releaseTriggers(connection)
    }

    /// Throws `.targetUnfit` where the role may not do all of this: `names` need the rights to read and write, and tables with triggers
    /// or foreign keys an owner. `truncates` says which are emptied at once.
    static func checkRights(
        _ names: [String], truncates: Set<String>, _ connection: borrowing Postgres.Connection
    ) throws {
        let keys = try TargetForeignKey.read(about: names, connection)
        func refuse(_ problem: String, _ remedy: String) -> MigrationError {
            MigrationError(.targetUnfit, "\(connection.user) \(problem)", remedy: remedy)
        }
        for name in names {
            let facts = try connection.query(
                """
                SELECT string_agg(lower(p), ', ') FROM unnest(ARRAY['SELECT', 'INSERT', 'DELETE', 'TRUNCATE']) AS p
                WHERE NOT has_table_privilege($1::regclass, p) AND (p <> 'TRUNCATE' OR $2)
                """, [name, "\(truncates.contains(name))"])
            if let missing = facts.text(0, 0) {
                throw refuse(
                    "may not \(missing) in \(name)",
                    "Name the role that owns the table, or GRANT these rights.")
            }
        }
        let withTriggers = try names.filter { try !TargetTriggers.read(on: $0, connection).isEmpty }
        for name in Set(withTriggers + keys.map(\.table)).sorted() {
            let owner = try connection.query(
                """
                SELECT pg_get_userbyid(relowner) FROM pg_class
                WHERE oid = $1::regclass AND NOT pg_has_role(relowner, 'USAGE')
                """, [name]
            ).text(0, 0)
            guard let owner else { continue }
            throw refuse(
                "does not own \(name), whose foreign keys or triggers have to be held off",
                "Connect as \(owner), who owns it, or as a member of that role.")
        }
    }
}

/// Triggers of the target that would run for rows that are carried over.
enum TargetTriggers {
    struct Trigger {
        let name: String
        /// Whether it fires in sessions of replicas too.
        let isAlways: Bool
    }

    static func read(on table: String, _ connection: borrowing Postgres.Connection) throws -> [Trigger] {
        let found = try connection.query(
            """
            SELECT tgname, tgenabled = 'A' FROM pg_trigger
            WHERE tgrelid = $1::regclass AND NOT tgisinternal AND tgenabled IN ('O', 'A') ORDER BY 1
            """, [table])
        return (0..<found.count).map { Trigger(name: found.text($0, 0) ?? "", isAlways: found.bool($0, 1)) }
    }

    /// Holds off a table's triggers; returns the statements that let them run again.
    static func hold(on table: String, _ connection: borrowing Postgres.Connection) throws -> [String] {
        try read(on: table, connection).map { trigger in
            let name = quoteIdentifier(trigger.name)
            _ = try connection.query("ALTER TABLE \(table) DISABLE TRIGGER \(name)")
            return "ALTER TABLE \(table) ENABLE \(trigger.isAlways ? "ALWAYS " : "")TRIGGER \(name)"
        }
    }
}
