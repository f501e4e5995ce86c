import Postgres

/// Tables that the caller's transaction writes to while nothing else takes part: locked, their triggers held off, and the foreign keys
/// about them and checks of new rows alone dropped, to be made anew before the end. A rollback brings all of it back.
struct HeldTables {
    /// Foreign keys of the tables and to them, as they were.
    let keys: [TargetForeignKey]
    private let objects: [HeldObject]

    /// `names` are qualified and quoted. Waits for other sessions as long as `lock_timeout` says.
    init(_ names: [String], _ connection: borrowing Postgres.Connection) throws {
        if !names.isEmpty {
            try connection.execute("LOCK TABLE \(names.joined(separator: ", ")) IN ACCESS EXCLUSIVE MODE")
        }
        try Self.refuseTrees(names, connection)
        keys = try TargetForeignKey.read(about: names, connection)
        for key in keys { try key.drop(connection) }
        objects = try names.flatMap { try HeldObject.read(on: $0, connection) }
        for object in objects { _ = try connection.query(object.hold) }
    }

    /// Throws `.targetUnfit` with exit 3 where rows of other tables would take part, which are not held: those that inherit from one of
    /// the tables, and partitions with keys or triggers.
    static func refuseTrees(_ names: [String], _ connection: borrowing Postgres.Connection) throws {
        for name in names {
            let found = try connection.query(
                """
                SELECT c.relkind = 'p', (SELECT min(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = c.oid),
                    c.relispartition,
                    c.relkind = 'p' AND EXISTS (SELECT FROM pg_partition_tree(c.oid) AS p WHERE
                        EXISTS (SELECT FROM pg_trigger WHERE tgrelid = p.relid AND NOT tgisinternal)
                        OR p.relid <> c.oid AND EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
                            AND (conrelid = p.relid OR confrelid = p.relid)))
                FROM pg_class AS c WHERE c.oid = $1::regclass
                """, [name])
            guard found.count == 1 else { continue }
            let isPartitioned = found.bool(0, 0)
            let problem: String? =
                if !isPartitioned, let child = found.text(0, 1) {
                    "\(name) has a table that inherits from it, \(child), whose rows would be taken for its own"
                } else if found.bool(0, 2) {
                    "\(name) is a partition of another table, whose keys and triggers are part of it"
                } else if found.bool(0, 3) {
                    "\(name) is partitioned, and there are triggers, or foreign keys of its partitions, which howdah does not hold off"
                } else {
                    nil
                }
            guard let problem else { continue }
            throw MigrationError(
                .targetUnfit, problem,
                remedy: "Its rows have to be carried over by hand. The target is as it was.",
                exit: .undecided)
        }
    }

    /// Has keys looked at that wait for the end of the transaction: no table is altered before (PostgreSQL refuses it).
    func settle(_ connection: borrowing Postgres.Connection) throws {
        try connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    }

    /// Puts everything back but the foreign keys.
    func releaseObjects(_ connection: borrowing Postgres.Connection) throws {
        for statement in objects.flatMap(\.release) { _ = try connection.query(statement) }
    }

    /// Makes the foreign keys anew, those that were valid with a look at every row, and puts the rest back.
    ///
    /// Throws `.value` with exit 3 where a row would refer to one that is not there.
    func release(_ connection: borrowing Postgres.Connection) throws {
        try settle(connection)
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
        try releaseObjects(connection)
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
        let withObjects = try names.filter { try !HeldObject.read(on: $0, connection).isEmpty }
        for name in Set(withObjects + keys.map(\.table)).sorted() {
            let owner = try connection.query(
                """
                SELECT pg_get_userbyid(relowner) FROM pg_class
                WHERE oid = $1::regclass AND NOT pg_has_role(relowner, 'USAGE')
                """, [name]
            ).text(0, 0)
            guard let owner else { continue }
            throw refuse(
                "does not own \(name), whose foreign keys, triggers or checks have to be held off",
                "Connect as \(owner), who owns it, or as a member of that role.")
        }
    }
}

/// What of a table would take part in rows that are carried over: its triggers, and checks that hold for new rows alone (NOT VALID).
private struct HeldObject {
    let hold: String
    /// Puts it back as it was.
    let release: [String]

    static func read(on table: String, _ connection: borrowing Postgres.Connection) throws -> [HeldObject] {
        let triggers = try connection.query(
            """
            SELECT tgname, tgenabled = 'A' FROM pg_trigger
            WHERE tgrelid = $1::regclass AND NOT tgisinternal AND tgenabled IN ('O', 'A') ORDER BY 1
            """, [table])
        let checks = try connection.query(
            """
            SELECT conname, pg_get_constraintdef(oid), obj_description(oid, 'pg_constraint') FROM pg_constraint
            WHERE conrelid = $1::regclass AND contype = 'c' AND NOT convalidated AND conislocal ORDER BY 1
            """, [table])
        return (0..<triggers.count).map { row in
            let name = quoteIdentifier(triggers.text(row, 0) ?? "")
            return HeldObject(
                hold: "ALTER TABLE \(table) DISABLE TRIGGER \(name)",
                release: [
                    "ALTER TABLE \(table) ENABLE \(triggers.bool(row, 1) ? "ALWAYS " : "")TRIGGER \(name)"
                ])
        }
            + (0..<checks.count).map { row in
                let name = quoteIdentifier(checks.text(row, 0) ?? "")
                let comment = checks.text(row, 2).map {
                    "COMMENT ON CONSTRAINT \(name) ON \(table) IS \(quoteLiteral($0))"
                }
                return HeldObject(
                    hold: "ALTER TABLE \(table) DROP CONSTRAINT \(name)",
                    release: [
                        "ALTER TABLE \(table) ADD CONSTRAINT \(name) \(checks.text(row, 1) ?? "")", comment,
                    ].compactMap(\.self))
            }
    }
}
