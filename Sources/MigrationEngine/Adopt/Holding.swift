import Postgres

/// Holds triggers and foreign keys off in the target, and puts them back; every method runs inside of a transaction.
///
/// A superuser's session goes on as a replica, in which neither fires; the owner takes them away, each with its line in
/// `howdah.held`; others leave them.
struct Holding {
    private let ledger: Ledger
    private let schema: String
    private let mayReplicate: Bool

    init(_ ledger: Ledger, schema: String, _ connection: borrowing Postgres.Connection) throws {
        self.ledger = ledger
        self.schema = schema
        mayReplicate = try TargetCatalogReader.mayReplicate(connection)
    }

    /// For sessions that load where `Hold.Way` is `replica`.
    static let asReplica = "SET session_replication_role = replica"

    /// Takes away what would fire for rows of `tables`, and foreign keys of other tables that refer to those of `parents`.
    func hold(
        _ tables: [Ledger.Adopted], incomingTo parents: [Ledger.Adopted],
        _ connection: borrowing Postgres.Connection
    ) throws {
        guard !tables.isEmpty else { return }
        let ids = Self.list(tables)
        // In a replica only those fire that say so.
        let states = mayReplicate ? "('R', 'A')" : "('O', 'R', 'A')"
        try note(
            """
            SELECT 'trigger', t.tgrelid, t.tgname, t.tgenabled::text, NULL FROM pg_trigger AS t
                JOIN pg_class AS c ON c.oid = t.tgrelid
            WHERE t.tgrelid IN (\(ids)) AND NOT t.tgisinternal AND t.tgenabled IN \(states) AND t.tgparentid = 0
                AND pg_has_role(c.relowner, 'USAGE')
            """, connection)
        if !mayReplicate {
            let incoming = parents.isEmpty ? "" : " OR k.confrelid IN (\(Self.list(parents)))"
            let all = try connection.query(
                "SELECT coalesce(bool_and(pg_has_role(relowner, 'USAGE')), true) FROM pg_class WHERE oid IN (\(ids))"
            )
            // Who owns only some of the tables loads in order.
            guard all.bool(0, 0) else { return try apply(connection) }
            try note(
                """
                SELECT 'foreign key', k.conrelid, k.conname, pg_get_constraintdef(k.oid), obj_description(k.oid, 'pg_constraint')
                FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
                WHERE k.contype = 'f' AND k.conparentid = 0 AND pg_has_role(c.relowner, 'USAGE')
                    AND has_table_privilege(k.confrelid, 'REFERENCES') AND (k.conrelid IN (\(ids))\(incoming))
                """, connection)
            try refuseCascades(to: parents, connection)
        }
        try apply(connection)
    }

    private static func list(_ tables: [Ledger.Adopted]) -> String {
        tables.map(\.id).joined(separator: ", ")
    }

    private func note(_ select: String, _ connection: borrowing Postgres.Connection) throws {
        _ = try connection.query(
            "INSERT INTO howdah.held (run, kind, id, name, definition, remark) SELECT \(ledger.run), h.* FROM (\(select)) "
                + "AS h ON CONFLICT DO NOTHING")
    }

    /// Emptying a parent must not take rows of others with it.
    private func refuseCascades(
        to parents: [Ledger.Adopted], _ connection: borrowing Postgres.Connection
    ) throws {
        guard !parents.isEmpty else { return }
        let result = try connection.query(
            """
            SELECT k.conname, k.conrelid::regclass, k.confrelid::regclass FROM pg_constraint AS k
                JOIN pg_class AS c ON c.oid = k.conrelid
            WHERE k.contype = 'f' AND k.confrelid IN (\(Self.list(parents))) AND k.confdeltype IN ('c', 'n', 'd')
                AND k.conrelid NOT IN (\(Self.list(parents))) AND NOT pg_has_role(c.relowner, 'USAGE') LIMIT 1
            """)
        guard result.count > 0 else { return }
        throw MigrationError(
            .target,
            "rows of \(result.text(0, 2) ?? "") cannot make room: the foreign key \(result.text(0, 0) ?? "") would change rows "
                + "of \(result.text(0, 1) ?? ""), which is not yours",
            remedy: "Do this as a superuser, or as the owner of both tables.")
    }

    private func apply(_ connection: borrowing Postgres.Connection) throws {
        for held in try lines(connection) {
            guard try held.isOn(connection) else { continue }
            try connection.execute(
                held.isTrigger
                    ? "ALTER TABLE \(held.table) DISABLE TRIGGER \(quoteIdentifier(held.name))"
                    : "ALTER TABLE \(held.table) DROP CONSTRAINT \(quoteIdentifier(held.name))")
        }
    }

    /// Lets this transaction change rows without what fires for others.
    func loading(_ connection: borrowing Postgres.Connection) throws {
        if mayReplicate { try connection.execute("SET LOCAL session_replication_role = replica") }
    }

    // MARK: Back

    private struct Line {
        let kind: String
        /// Schema and name; tables that are gone have no line.
        let table: String
        let name: String
        let definition: String
        let remark: String?

        var isTrigger: Bool { kind == "trigger" }

        func isOn(_ connection: borrowing Postgres.Connection) throws -> Bool {
            let sql =
                isTrigger
                ? "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass($1) AND tgname = $2 AND tgenabled <> 'D')"
                : "SELECT EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass($1) AND conname = $2)"
            return try connection.query(sql, [table, name]).bool(0, 0)
        }

        /// Whether there is something to put back: a trigger that somebody has dropped meanwhile stays dropped.
        func isOff(_ connection: borrowing Postgres.Connection) throws -> Bool {
            guard isTrigger else { return try !isOn(connection) }
            return try connection.query(
                "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass($1) AND tgname = $2 AND tgenabled = 'D')",
                [table, name]
            ).bool(0, 0)
        }
    }

    private func lines(_ connection: borrowing Postgres.Connection) throws -> [Line] {
        let result = try connection.query(
            """
            SELECT h.kind, format('%s.%I', c.relnamespace::regnamespace, c.relname), h.name, h.definition, h.remark
            FROM howdah.held AS h JOIN pg_class AS c ON c.oid = h.id WHERE h.run = $1 ORDER BY h.kind, h.name
            """, ["\(ledger.run)"])
        return (0..<result.count).map { row in
            Line(
                kind: result.text(row, 0) ?? "", table: result.text(row, 1) ?? "",
                name: result.text(row, 2) ?? "",
                definition: result.text(row, 3) ?? "", remark: result.text(row, 4))
        }
    }

    /// Puts back what is off, as it was; a foreign key holds every row again, or this throws.
    func release(_ connection: borrowing Postgres.Connection) throws {
        if mayReplicate { try connection.execute("SET LOCAL session_replication_role = origin") }
        for held in try lines(connection) where try held.isOff(connection) {
            let name = quoteIdentifier(held.name)
            if held.isTrigger {
                let words = ["A": "ENABLE ALWAYS", "R": "ENABLE REPLICA"][held.definition] ?? "ENABLE"
                try connection.execute("ALTER TABLE \(held.table) \(words) TRIGGER \(name)")
                continue
            }
            try restore(held, name, connection)
        }
        _ = try connection.query("DELETE FROM howdah.held WHERE run = $1", ["\(ledger.run)"])
    }

    private func restore(
        _ held: Line, _ name: String, _ connection: borrowing Postgres.Connection
    ) throws {
        let sql = "ALTER TABLE \(held.table) ADD CONSTRAINT \(name) \(held.definition)"
        if let error = Ledger.failure(sql, connection) {
            guard error.sqlState == "23503" else { throw error }
            throw Self.broken(held.name, held.table, error.detail ?? error.message)
        }
        if let remark = held.remark {
            try connection.execute(
                "COMMENT ON CONSTRAINT \(name) ON \(held.table) IS \(quoteLiteral(remark))")
        }
    }

    private static func broken(_ name: String, _ table: String, _ why: String) -> MigrationError {
        MigrationError(
            .target,
            "the foreign key \(name) of \(table) does not hold for the rows that were loaded: \(why)",
            remedy: "Correct the rows in the source, load their parents too, or decide about the rows.")
    }

    /// Counts rows that no parent holds: a replica's session has looked at none.
    func checkForeignKeys(_ tables: [Ledger.Adopted], _ connection: borrowing Postgres.Connection) throws {
        guard mayReplicate, !tables.isEmpty else { return }
        let ids = Self.list(tables)
        // A key that was NOT VALID says nothing of rows that were there before.
        let keys = try connection.query(
            """
            SELECT k.conname, format('%s.%I', c.relnamespace::regnamespace, c.relname),
                format('%s.%I', p.relnamespace::regnamespace, p.relname),
                (SELECT string_agg(format('c.%I IS NOT NULL', a.attname), \
            CASE k.confmatchtype WHEN 'f' THEN ' OR ' ELSE ' AND ' END)
                    FROM pg_attribute AS a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)),
                (SELECT string_agg(format('p.%I OPERATOR(%s) c.%I', q.attname,
                        o.oprnamespace::regnamespace || '.' || o.oprname, a.attname), ' AND ')
                    FROM unnest(k.conkey, k.confkey, k.conpfeqop) AS n (child, parent, operator)
                    JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = n.child
                    JOIN pg_attribute AS q ON q.attrelid = k.confrelid AND q.attnum = n.parent
                    JOIN pg_operator AS o ON o.oid = n.operator)
            FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_class AS p ON p.oid = k.confrelid
            WHERE k.contype = 'f' AND k.conparentid = 0 AND (k.conrelid IN (\(ids)) OR k.confrelid IN (\(ids)))
                AND k.convalidated
            """)
        for row in 0..<keys.count {
            let (name, child, parent) = (
                keys.text(row, 0) ?? "", keys.text(row, 1) ?? "", keys.text(row, 2) ?? ""
            )
            let orphans = try connection.query(
                """
                SELECT count(*) FROM \(child) AS c WHERE (\(keys.text(row, 3) ?? "true"))
                    AND NOT EXISTS (SELECT FROM \(parent) AS p WHERE \(keys.text(row, 4) ?? "true"))
                """
            ).int(0, 0)
            guard let orphans, orphans > 0 else { continue }
            throw Self.broken(
                name, child,
                "\(Format.count(orphans, "row refers", "rows refer")) to rows of \(parent) that are not there"
            )
        }
    }
}
