import Postgres

/// What the ledger knows of tables that somebody else made and a run loads: what was in them before, and what was held off
/// for the load.
///
/// `howdah.adopted` has a line for each table from the run's beginning. Before the first piece is loaded, one transaction
/// copies rows that are there into `howdah.before_…`, empties tables whose rows are replaced, notes where sequences stand,
/// and holds triggers and foreign keys off: each has its line in `howdah.held` with what puts it back. After the load one
/// transaction puts them back, and taking the run back is one transaction too: whenever howdah or the server is killed,
/// the ledger tells what is off.
extension Ledger {
    static let adoptedTables = """
        CREATE TABLE IF NOT EXISTS howdah.adopted (
            run bigint NOT NULL REFERENCES howdah.run ON DELETE CASCADE, table_name text NOT NULL, source_name text NOT NULL,
            id oid NOT NULL, rows_before bigint NOT NULL, present bigint NOT NULL DEFAULT 0, choice text, copy text,
            ready timestamptz, PRIMARY KEY (run, table_name));
        CREATE TABLE IF NOT EXISTS howdah.held (
            run bigint NOT NULL REFERENCES howdah.run ON DELETE CASCADE, kind text NOT NULL, id oid NOT NULL,
            name text NOT NULL, definition text NOT NULL, remark text, PRIMARY KEY (run, kind, id, name));
        CREATE TABLE IF NOT EXISTS howdah.sequence_before (
            run bigint NOT NULL REFERENCES howdah.run ON DELETE CASCADE, id oid NOT NULL, last_value bigint NOT NULL,
            is_called boolean NOT NULL, PRIMARY KEY (run, id));
        """

    static let adoptedTableNames = "howdah.sequence_before, howdah.held, howdah.adopted"

    /// One adopted table, as the ledger has it.
    struct Adopted: Sendable {
        let name: String
        let source: String
        let id: String
        let rowsBefore: Int
        let choice: String?
        /// The table with the rows that were there; nil where there were none.
        let copy: String?
        let isReady: Bool

        var keepsRows: Bool { choice == Choice.Word.keep.rawValue }
    }

    /// Tables that are still the ones that the run adopted.
    func adopted(schema: String, _ connection: borrowing Postgres.Connection) throws -> [Adopted] {
        guard try Self.hasAdoptedTables(connection) else { return [] }
        let result = try connection.query(
            """
            SELECT table_name, source_name, id, rows_before, choice, copy, ready IS NOT NULL FROM howdah.adopted
            WHERE run = $1 AND id = to_regclass($2 || '.' || quote_ident(table_name))::oid ORDER BY table_name
            """, ["\(run)", quoteIdentifier(schema)])
        return (0..<result.count).map { row in
            Adopted(
                name: result.text(row, 0) ?? "", source: result.text(row, 1) ?? "",
                id: result.text(row, 2) ?? "",
                rowsBefore: result.int(row, 3) ?? 0, choice: result.text(row, 4), copy: result.text(row, 5),
                isReady: result.bool(row, 6))
        }
    }

    private static func hasAdoptedTables(_ connection: borrowing Postgres.Connection) throws -> Bool {
        try connection.query("SELECT to_regclass('howdah.adopted') IS NOT NULL").bool(0, 0)
    }

    /// Rows that were in adopted tables before the run, by the target's name.
    func rowsBefore(_ connection: borrowing Postgres.Connection) throws -> [String: Int] {
        try counts("SELECT table_name, rows_before FROM howdah.adopted WHERE run = $1", connection)
    }

    /// Rows of the source that were in adopted tables already, by the source's name.
    func presentRows(_ connection: borrowing Postgres.Connection) throws -> [String: Int] {
        try counts("SELECT source_name, present FROM howdah.adopted WHERE run = $1", connection)
    }

    private func counts(_ sql: String, _ connection: borrowing Postgres.Connection) throws -> [String: Int] {
        guard try Self.hasAdoptedTables(connection) else { return [:] }
        let result = try connection.query(sql, ["\(run)"])
        return Dictionary(
            (0..<result.count).map { (result.text($0, 0) ?? "", result.int($0, 1) ?? 0) },
            uniquingKeysWith: { first, _ in first })
    }

    /// How many triggers and foreign keys are off.
    func heldCount(_ connection: borrowing Postgres.Connection) throws -> Int {
        guard try Self.hasAdoptedTables(connection) else { return 0 }
        return try connection.query("SELECT count(*) FROM howdah.held WHERE run = $1", ["\(run)"]).int(0, 0)
            ?? 0
    }

    /// Notes a table of somebody else's, with its rows and what is decided about them.
    func adopt(
        _ table: MigrationPlan.Table, choice: String?, schema: String,
        _ connection: borrowing Postgres.Connection
    ) throws {
        let name = quoteIdentifier(schema, table.targetName)
        guard try connection.query("SELECT to_regclass($1) IS NOT NULL", [name]).bool(0, 0) else {
            throw MigrationError(
                .target, "the target has no table \(table.targetName) any more",
                remedy: "Plan again with --adopt.", exit: .undecided)
        }
        _ = try connection.query(
            """
            INSERT INTO howdah.adopted (run, table_name, source_name, id, rows_before, choice)
            SELECT $1, $2, $3, to_regclass($4)::oid, count(*), $5 FROM \(name)
            """, ["\(run)", table.targetName, table.name, name, choice])
        _ = try connection.query(
            """
            INSERT INTO howdah.object (run, kind, name, id, source_name) VALUES ($1, 'adopted', $2, to_regclass($3)::oid, $4)
            """, ["\(run)", table.targetName, name, table.name])
    }

    /// Counts rows of a piece that were there already.
    func addPresent(_ rows: Int, of table: String, _ connection: borrowing Postgres.Connection) throws {
        guard rows > 0 else { return }
        _ = try connection.query(
            "UPDATE howdah.adopted SET present = present + $3 WHERE run = $1 AND source_name = $2",
            ["\(run)", table, "\(rows)"])
    }

    // MARK: Before the load

    /// Makes adopted tables ready for the load, all or nothing; once they are, nothing happens.
    func makeReady(schema: String, _ connection: borrowing Postgres.Connection) throws {
        let tables = try adopted(schema: schema, connection).filter { !$0.isReady }
        guard !tables.isEmpty else { return }
        try connection.transaction { connection in
            try lock(tables, schema, connection)
            for table in tables { try checkRows(table, schema, connection) }
            let holding = try Holding(self, schema: schema, connection)
            let replaced = tables.filter { $0.rowsBefore > 0 && !$0.keepsRows }
            try holding.hold(tables, incomingTo: replaced, connection)
            try noteSequences(tables, connection)
            for (number, table) in tables.enumerated() where table.rowsBefore > 0 {
                let copy = "before_\(run)_\(number + 1)"
                try connection.execute(
                    "CREATE TABLE howdah.\(quoteIdentifier(copy)) AS TABLE \(quoteIdentifier(schema, table.name))"
                )
                _ = try connection.query(
                    "UPDATE howdah.adopted SET copy = $3 WHERE run = $1 AND table_name = $2",
                    ["\(run)", table.name, copy])
            }
            try holding.loading(connection)
            // Children first: where nothing is held off, they hold their parents.
            for table in try Self.parentsFirst(replaced, connection).reversed() {
                try connection.execute("DELETE FROM \(quoteIdentifier(schema, table.name))")
            }
            _ = try connection.query("UPDATE howdah.adopted SET ready = now() WHERE run = $1", ["\(run)"])
        }
    }

    private func lock(
        _ tables: [Adopted], _ schema: String, _ connection: borrowing Postgres.Connection
    ) throws {
        let names = tables.map { quoteIdentifier(schema, $0.name) }.joined(separator: ", ")
        if !names.isEmpty { try connection.execute("LOCK TABLE \(names) IN SHARE ROW EXCLUSIVE MODE") }
    }

    private func checkRows(
        _ table: Adopted, _ schema: String, _ connection: borrowing Postgres.Connection
    ) throws {
        let rows = try connection.query("SELECT count(*) FROM \(quoteIdentifier(schema, table.name))").int(
            0, 0)
        guard rows == table.rowsBefore, rows == 0 || table.choice != nil else {
            throw MigrationError(
                .targetNotEmpty,
                "the target's table \(table.name) holds \(rows ?? 0) rows that nobody has decided about",
                remedy:
                    "Nothing else may write to the target meanwhile. Run this again: it says what may be decided.",
                exit: .undecided)
        }
    }

    private func noteSequences(_ tables: [Adopted], _ connection: borrowing Postgres.Connection) throws {
        for table in tables {
            let found = try connection.query(
                """
                SELECT DISTINCT s::oid, s::text FROM pg_attribute AS a
                    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum,
                    LATERAL (SELECT coalesce(pg_get_serial_sequence($1::oid::regclass::text, a.attname),
                        \(TargetCatalogReader.sequenceOfDefault))::regclass) AS q (s)
                WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped AND s IS NOT NULL
                """, [table.id])
            for row in 0..<found.count {
                _ = try connection.query(
                    """
                    INSERT INTO howdah.sequence_before SELECT $1, $2, last_value, is_called FROM \(found.text(row, 1) ?? "")
                    ON CONFLICT DO NOTHING
                    """, ["\(run)", found.text(row, 0)])
            }
        }
    }

    /// Tables in an order in which each comes after those that it refers to, as far as there is one.
    private static func parentsFirst(
        _ tables: [Adopted], _ connection: borrowing Postgres.Connection
    ) throws -> [Adopted] {
        let result = try connection.query(
            "SELECT conrelid, confrelid FROM pg_constraint WHERE contype = 'f' AND conrelid <> confrelid")
        var parents: [String: Set<String>] = [:]
        for row in 0..<result.count {
            parents[result.text(row, 0) ?? "", default: []].insert(result.text(row, 1) ?? "")
        }
        var waiting = tables
        var ordered: [Adopted] = []
        while !waiting.isEmpty {
            let ids = Set(waiting.map(\.id))
            let free = waiting.filter { parents[$0.id]?.isDisjoint(with: ids) ?? true }
            let next = free.isEmpty ? waiting : free
            ordered += next
            waiting.removeAll { table in next.contains { $0.id == table.id } }
        }
        return ordered
    }

    // MARK: After the load

    /// Puts triggers and foreign keys back, and holds rows that were loaded without them against the foreign keys.
    func release(schema: String, _ connection: borrowing Postgres.Connection) throws {
        let tables = try adopted(schema: schema, connection)
        guard !tables.isEmpty else { return }
        try connection.transaction { connection in
            let holding = try Holding(self, schema: schema, connection)
            try holding.release(connection)
            try holding.checkForeignKeys(tables, connection)
        }
    }

    // MARK: The way back

    /// Adopted tables that hold other rows than those that were there and those that the run loaded.
    func adoptedWithOtherRows(
        schema: String, loaded: [String: Int], _ connection: borrowing Postgres.Connection
    ) throws -> [String] {
        try adopted(schema: schema, connection).filter { table in
            let stays = table.isReady && !table.keepsRows ? 0 : table.rowsBefore
            let rows = try connection.query("SELECT count(*) FROM \(quoteIdentifier(schema, table.name))")
                .int(0, 0)
            return rows != stays + (loaded[table.source] ?? 0)
        }.map(\.name)
    }

    /// Brings adopted tables back to what they were; inside of a transaction. Throws where others have written to them.
    func putBack(schema: String, _ connection: borrowing Postgres.Connection) throws {
        let tables = try adopted(schema: schema, connection).filter(\.isReady)
        guard !tables.isEmpty else { return }
        try lock(tables, schema, connection)
        try refuseOtherRows(schema: schema, connection)
        let holding = try Holding(self, schema: schema, connection)
        let loaded = try loadedRows(connection)
        let changed = tables.filter { loaded[$0.source] ?? 0 > 0 || ($0.rowsBefore > 0 && !$0.keepsRows) }
        try holding.hold(changed, incomingTo: changed, connection)
        try holding.loading(connection)
        let ordered = try Self.parentsFirst(changed, connection)
        try empty(ordered, schema, connection)
        for table in ordered { try refill(table, schema, connection) }
        _ = try connection.query(
            """
            SELECT setval(s.id::regclass, s.last_value, s.is_called) FROM howdah.sequence_before AS s
                JOIN pg_class AS c ON c.oid = s.id WHERE s.run = $1
            """, ["\(run)"])
        try holding.release(connection)
        for copy in tables.compactMap(\.copy) {
            try connection.execute("DROP TABLE IF EXISTS howdah.\(quoteIdentifier(copy))")
        }
        _ = try connection.query("DELETE FROM howdah.sequence_before WHERE run = $1", ["\(run)"])
        _ = try connection.query(
            "UPDATE howdah.adopted SET ready = NULL, copy = NULL, present = 0 WHERE run = $1", ["\(run)"])
    }

    /// At once where that may be, row by row where other tables refer to these or rights are missing.
    private func empty(
        _ tables: [Adopted], _ schema: String, _ connection: borrowing Postgres.Connection
    ) throws {
        let names = tables.map { quoteIdentifier(schema, $0.name) }
        guard !names.isEmpty else { return }
        try connection.execute("SAVEPOINT howdah_empty")
        guard let error = Self.failure("TRUNCATE \(names.joined(separator: ", "))", connection) else {
            return
        }
        guard error.code == .server else { throw error }
        try connection.execute("ROLLBACK TO SAVEPOINT howdah_empty")
        for name in names.reversed() { try connection.execute("DELETE FROM \(name)") }
    }

    /// Why a statement did not go through; nil where it did.
    static func failure(_ sql: String, _ connection: borrowing Postgres.Connection) -> PostgresError? {
        do {
            _ = try connection.query(sql)
            return nil
        } catch {
            return error
        }
    }

    private func refill(
        _ table: Adopted, _ schema: String, _ connection: borrowing Postgres.Connection
    ) throws {
        guard let copy = table.copy else { return }
        let result = try connection.query(
            """
            SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
            WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
            """, [table.id])
        let columns = result.text(0, 0) ?? ""
        try connection.execute(
            """
            INSERT INTO \(quoteIdentifier(schema, table.name)) (\(columns)) OVERRIDING SYSTEM VALUE
            SELECT \(columns) FROM howdah.\(quoteIdentifier(copy))
            """)
    }
}
