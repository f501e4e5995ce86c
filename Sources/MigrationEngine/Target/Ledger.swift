import Foundation
import Postgres

/// What howdah keeps in the target, in a schema of its own: runs, what they made, and which pieces are loaded.
///
/// `howdah.run` says that a run has begun, and once `finished` is set, how it ended. `howdah.object` has every
/// object that the run made, so that nothing else is ever dropped. `howdah.chunk` has the bounds of every piece
/// before it is loaded; `howdah.ledger` gets a piece's row first in the transaction that loads it, and so holds
/// exactly the pieces whose rows are there.
struct Ledger: Sendable {
    let run: Int

    struct Chunk: Sendable, Equatable {
        let table: String
        let number: Int
        let piece: TablePiece

        /// The piece with what decisions keep out of a table.
        static func kept(_ table: String) -> Chunk { Chunk(table: table, number: -1, piece: .all) }

        var isKept: Bool { number < 0 }
    }

    struct MadeObject: Sendable, Equatable {
        let kind: String
        let name: String
        /// A table's name in the source.
        let source: String?
    }

    private static let tables = """
        CREATE TABLE IF NOT EXISTS howdah.run (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, started timestamptz NOT NULL DEFAULT now(),
            finished timestamptz, outcome text, schema_name text NOT NULL, source text NOT NULL,
            snapshot_sha256 text NOT NULL, writer text NOT NULL);
        CREATE TABLE IF NOT EXISTS howdah.object (
            run bigint NOT NULL REFERENCES howdah.run ON DELETE CASCADE, kind text NOT NULL, name text NOT NULL,
            id oid NOT NULL, PRIMARY KEY (run, kind, name));
        CREATE TABLE IF NOT EXISTS howdah.chunk (
            run bigint NOT NULL REFERENCES howdah.run ON DELETE CASCADE, table_name text NOT NULL, number int NOT NULL,
            first_rowid bigint, last_rowid bigint, PRIMARY KEY (run, table_name, number));
        CREATE TABLE IF NOT EXISTS howdah.ledger (
            run bigint NOT NULL REFERENCES howdah.run ON DELETE CASCADE, table_name text NOT NULL, number int NOT NULL,
            rows bigint, loaded timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (run, table_name, number));
        ALTER TABLE howdah.run ADD COLUMN IF NOT EXISTS constrained timestamptz;
        ALTER TABLE howdah.object ADD COLUMN IF NOT EXISTS source_name text;
        ALTER TABLE howdah.run ADD COLUMN IF NOT EXISTS plan_sha256 text;
        ALTER TABLE howdah.run ADD COLUMN IF NOT EXISTS begun text;
        ALTER TABLE howdah.chunk ADD COLUMN IF NOT EXISTS keys text;
        """ + KeptRows.tables + ";\n" + adoptedTables + "\n" + catchUpTables

    /// Tells our schema from one that the operator made under the same name.
    private static let schemaComment = "made by howdah for its ledger"

    private static func makeTables(_ connection: borrowing Postgres.Connection) throws {
        if try connection.query("SELECT to_regnamespace('howdah') IS NULL").bool(0, 0) {
            try connection.execute(
                "CREATE SCHEMA howdah; COMMENT ON SCHEMA howdah IS \(quoteLiteral(schemaComment))")
        }
        try connection.execute(tables)
    }

    /// Removes the ledger when no run is left in it.
    static func dropTablesIfEmpty(_ connection: borrowing Postgres.Connection) throws {
        guard try connection.query("SELECT NOT EXISTS (SELECT FROM howdah.run)").bool(0, 0) else { return }
        try connection.execute(
            "DROP TABLE IF EXISTS \(catchUpTableNames), \(adoptedTableNames), howdah.replaced, howdah.quarantine, howdah.ledger, howdah.chunk, howdah.object, howdah.run"
        )
        let isOurs = try connection.query(
            """
            SELECT obj_description(oid, 'pg_namespace') = $1
                AND NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid)
            FROM pg_namespace AS n WHERE nspname = 'howdah'
            """, [schemaComment])
        if isOurs.bool(0, 0) { try connection.execute("DROP SCHEMA howdah") }
    }

    /// Begins a run and makes the plan's tables, all or nothing.
    static func begin(
        _ script: SchemaScript, chunks: [Chunk], snapshot: Snapshot, begun: Migration.Begun,
        planSHA256: String,
        _ connection: borrowing Postgres.Connection,
        adopting: (Ledger, borrowing Postgres.Connection) throws -> Void = { _, _ in }
    ) throws -> Ledger {
        let plan = script.plan
        return try connection.transaction { connection in
            try makeTables(connection)
            let hasSchema = try connection.query(
                "SELECT to_regnamespace($1) IS NOT NULL", [quoteIdentifier(plan.schema)]
            ).bool(0, 0)
            let run = try connection.query(
                """
                INSERT INTO howdah.run (schema_name, source, snapshot_sha256, writer, plan_sha256, begun)
                VALUES ($1, $2, $3, $4, $5, $6) RETURNING id
                """,
                [
                    plan.schema, snapshot.source, snapshot.sha256, Writer.current.description, planSHA256,
                    String(decoding: try JSONEncoder().encode(begun), as: UTF8.self),
                ])
            let ledger = Ledger(run: run.int(0, 0) ?? 0)
            if !hasSchema {
                try connection.execute("CREATE SCHEMA \(quoteIdentifier(plan.schema))")
                try ledger.note(
                    "schema", plan.schema, "to_regnamespace", quoteIdentifier(plan.schema), connection)
            }
            // By the protocol that takes one statement only: a plan's text cannot smuggle in a second one.
            for statement in script.beforeLoad { _ = try connection.query(statement) }
            for enumeration in plan.enums where !(plan.adopt ?? false) {
                try ledger.note(
                    "type", enumeration.name, "to_regtype", script.qualified(enumeration.name), connection)
            }
            for table in plan.tables where !table.isSkipped && !plan.isAdopted(table) {
                try ledger.note(
                    "table", table.targetName, "to_regclass", script.qualified(table), connection,
                    source: table.name)
            }
            try adopting(ledger, connection)
            for chunk in chunks { try ledger.note(chunk, connection) }
            return ledger
        }
    }

    /// Notes an object with the server's own number for it: another one may bear its name later.
    /// One that was lost and is made again takes the place of the one before.
    private func note(
        _ kind: String, _ name: String, _ lookup: String, _ qualified: String,
        _ connection: borrowing Postgres.Connection, source: String? = nil
    ) throws {
        _ = try connection.query(
            """
            INSERT INTO howdah.object (run, kind, name, id, source_name)
            VALUES ($1, $2, $3, \(lookup)($4)::oid, $5)
            ON CONFLICT (run, kind, name) DO UPDATE SET id = excluded.id
            """, ["\(run)", kind, name, qualified, source])
    }

    private func note(_ chunk: Chunk, _ connection: borrowing Postgres.Connection) throws {
        var bounds: (first: String?, last: String?, keys: String?)
        switch chunk.piece {
        case .all: break
        case .rowids(let range): (bounds.first, bounds.last) = ("\(range.lowerBound)", "\(range.upperBound)")
        case .keys(let range): bounds.keys = String(decoding: try JSONEncoder().encode(range), as: UTF8.self)
        }
        _ = try connection.query(
            "INSERT INTO howdah.chunk VALUES ($1, $2, $3, $4, $5, $6)",
            ["\(run)", chunk.table, "\(chunk.number)", bounds.first, bounds.last, bounds.keys])
    }

    /// Claims a piece, first in the transaction that loads it: a backend that outlived its client and still holds
    /// the claim makes this wait, and a piece that is there already is refused by the key.
    func claim(_ chunk: Chunk, _ connection: borrowing Postgres.Connection) throws {
        _ = try connection.query(
            "INSERT INTO howdah.ledger (run, table_name, number) VALUES ($1, $2, $3)",
            ["\(run)", chunk.table, "\(chunk.number)"])
    }

    func setRows(_ rows: Int, of chunk: Chunk, _ connection: borrowing Postgres.Connection) throws {
        _ = try connection.query(
            "UPDATE howdah.ledger SET rows = $4 WHERE run = $1 AND table_name = $2 AND number = $3",
            ["\(run)", chunk.table, "\(chunk.number)", "\(rows)"])
    }

    /// Adds rows that came back from quarantine to the piece that had put them there.
    func addReturned(_ rows: Int, table: String, _ connection: borrowing Postgres.Connection) throws {
        _ = try connection.query(
            "UPDATE howdah.ledger SET rows = coalesce(rows, 0) + $3 WHERE run = $1 AND table_name = $2 AND number = -1",
            ["\(run)", table, "\(rows)"])
    }

    /// Rows that are loaded, by table.
    func loadedRows(_ connection: borrowing Postgres.Connection) throws -> [String: Int] {
        let result = try connection.query(
            "SELECT table_name, sum(rows) FROM howdah.ledger WHERE run = $1 GROUP BY 1", ["\(run)"])
        var rows: [String: Int] = [:]
        for row in 0..<result.count { rows[result.text(row, 0) ?? ""] = result.int(row, 1) ?? 0 }
        return rows
    }

    /// Tells what the run has loaded apart from any other load: rows that are taken out and loaded anew are another one, and rows that
    /// are carried or repaired later are not.
    func load(_ connection: borrowing Postgres.Connection) throws -> String? {
        try connection.query(
            """
            SELECT format('run %s, begun %s, loaded from %s', id, extract(epoch FROM started),
                (SELECT extract(epoch FROM min(loaded)) FROM howdah.ledger AS l WHERE l.run = r.id))
            FROM howdah.run AS r WHERE id = $1
            """, ["\(run)"]
        ).text(0, 0)
    }

    /// Notes how the run ended. The commit waits for the disk, and with it everything that was loaded before.
    func finish(_ outcome: String, _ connection: borrowing Postgres.Connection) throws {
        try connection.execute("SET synchronous_commit = on")
        _ = try connection.query(
            "UPDATE howdah.run SET finished = now(), outcome = $2 WHERE id = $1", ["\(run)", outcome])
    }

    /// Notes that keys, indexes and foreign keys are there, or that they are gone again.
    func setConstrained(_ isConstrained: Bool, _ connection: borrowing Postgres.Connection) throws {
        _ = try connection.query(
            "UPDATE howdah.run SET constrained = \(isConstrained ? "now()" : "NULL") WHERE id = $1",
            ["\(run)"])
    }

    /// Notes that the run goes on: what it had come to is no longer true.
    func reopen(_ connection: borrowing Postgres.Connection) throws {
        _ = try connection.query(
            "UPDATE howdah.run SET finished = NULL, outcome = NULL WHERE id = $1", ["\(run)"])
    }

    /// Pieces that are not loaded yet, those of a table in their order.
    func pendingChunks(_ connection: borrowing Postgres.Connection) throws -> [Chunk] {
        let result = try connection.query(
            """
            SELECT table_name, number, first_rowid, last_rowid, to_jsonb(c) ->> 'keys' FROM howdah.chunk AS c
            WHERE run = $1 AND NOT EXISTS (SELECT FROM howdah.ledger AS l
                WHERE l.run = c.run AND l.table_name = c.table_name AND l.number = c.number)
            ORDER BY table_name, number
            """, ["\(run)"])
        return try (0..<result.count).map { row in
            var piece = TablePiece.all
            if let keys = result.text(row, 4) {
                piece = .keys(try JSONDecoder().decode(TablePiece.KeyRange.self, from: Data(keys.utf8)))
            } else if let first = result.int(row, 2), let last = result.int(row, 3) {
                piece = .rowids(Int64(first)...Int64(last))
            }
            return Chunk(table: result.text(row, 0) ?? "", number: result.int(row, 1) ?? 0, piece: piece)
        }
    }

    /// Takes out every row that the run loaded; throws where a table holds others.
    func truncate(schema: String, _ connection: borrowing Postgres.Connection) throws {
        try connection.transaction { connection in
            try putBack(schema: schema, connection)
            let made = try madeObjects(connection).filter { $0.kind == "table" }
            let tables = made.map { quoteIdentifier(schema, $0.name) }
            if !tables.isEmpty {
                // Nobody adds a row between the count and the end.
                try connection.execute(
                    "LOCK TABLE \(tables.joined(separator: ", ")) IN ACCESS EXCLUSIVE MODE")
                try refuseOtherRows(schema: schema, connection)
                try connection.execute("TRUNCATE \(tables.joined(separator: ", "))")
            }
            for name in ["ledger", "quarantine", "replaced"] {
                _ = try connection.query("DELETE FROM howdah.\(name) WHERE run = $1", ["\(run)"])
            }
            try reopen(connection)
        }
    }

    /// Throws where somebody else has written to the run's tables.
    func refuseOtherRows(schema: String, _ connection: borrowing Postgres.Connection) throws {
        let foreign = try tablesWithOtherRows(schema: schema, connection)
        guard !foreign.isEmpty else { return }
        throw MigrationError(
            .interruptedRun,
            "somebody else has written to what the run made: \(foreign.joined(separator: ", "))",
            remedy:
                "howdah removes no rows but its own: look at those tables, and empty or drop them yourself.",
            exit: .undecided)
    }

    // MARK: What a run was begun as

    func snapshotSHA256(_ connection: borrowing Postgres.Connection) throws -> String? {
        try fact("snapshot_sha256", connection)
    }

    func planSHA256(_ connection: borrowing Postgres.Connection) throws -> String? {
        try fact("plan_sha256", connection)
    }

    /// nil for runs of before this column's time, and where its form was another.
    func begun(_ connection: borrowing Postgres.Connection) throws -> Migration.Begun? {
        try fact("begun", connection).flatMap {
            try? JSONDecoder().decode(Migration.Begun.self, from: Data($0.utf8))
        }
    }

    /// A column of the run's that older ledgers lack.
    private func fact(_ name: String, _ connection: borrowing Postgres.Connection) throws -> String? {
        try connection.query(
            "SELECT to_jsonb(r) ->> '\(name)' FROM howdah.run AS r WHERE id = $1", ["\(run)"]
        ).text(0, 0)
    }

    // MARK: Runs that did not end well

    /// A run into `schema` that began and was never proven.
    struct Unproven {
        let ledger: Ledger
        let started: String
        /// nil where the run never ended.
        let outcome: String?
    }

    static func unproven(
        schema: String, _ connection: borrowing Postgres.Connection
    ) throws -> Unproven? {
        guard try connection.query("SELECT to_regclass('howdah.run') IS NOT NULL").bool(0, 0) else {
            return nil
        }
        let result = try connection.query(
            """
            SELECT id, to_char(started AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), outcome
            FROM howdah.run WHERE schema_name = $1 AND (finished IS NULL OR outcome IN ('unproven', 'differs'))
            ORDER BY id DESC LIMIT 1
            """, [schema])
        guard let id = result.int(0, 0) else { return nil }
        return Unproven(
            ledger: Ledger(run: id), started: result.text(0, 1) ?? "", outcome: result.text(0, 2))
    }

    /// Tables of the run's that hold other rows than it loaded: somebody else has written to them.
    func tablesWithOtherRows(schema: String, _ connection: borrowing Postgres.Connection) throws -> [String] {
        let loaded = try loadedRows(connection)
        return try madeObjects(connection).filter { $0.kind == "table" }.filter { object in
            let table = quoteIdentifier(schema, object.name)
            guard try connection.query("SELECT to_regclass($1) IS NOT NULL", [table]).bool(0, 0) else {
                return false
            }
            let rows = try connection.query("SELECT count(*) FROM \(table)").int(0, 0)
            return rows != loaded[object.source ?? object.name] ?? 0
        }.map(\.name) + adoptedWithOtherRows(schema: schema, loaded: loaded, connection)
    }

    /// What this run made and is still there under its name: in the order in which it may be dropped.
    func madeObjects(_ connection: borrowing Postgres.Connection) throws -> [MadeObject] {
        let result = try connection.query(
            """
            SELECT o.kind, o.name, to_jsonb(o) ->> 'source_name' FROM howdah.object AS o JOIN howdah.run AS r ON r.id = o.run
            WHERE run = $1 AND o.id = CASE kind
                WHEN 'schema' THEN to_regnamespace(quote_ident(name))::oid
                WHEN 'function' THEN
                    to_regprocedure(quote_ident(schema_name) || '.' || quote_ident(name) || '()')::oid
                WHEN 'type' THEN to_regtype(quote_ident(schema_name) || '.' || quote_ident(name))::oid
                ELSE to_regclass(quote_ident(schema_name) || '.' || quote_ident(name))::oid END
            ORDER BY kind = 'schema', kind = 'type', name
            """, ["\(run)"])
        return (0..<result.count).map {
            .init(kind: result.text($0, 0) ?? "", name: result.text($0, 1) ?? "", source: result.text($0, 2))
        }
    }

    /// Notes a view or a function, so that it can be taken back; a trigger goes with its function.
    func note(
        _ statement: SchemaScript.Statement, _ script: SchemaScript,
        _ connection: borrowing Postgres.Connection
    ) throws {
        switch statement.kind {
        case .view:
            try note(
                "view", statement.name, "to_regclass", script.qualified(statement.name), connection,
                source: statement.source)
        case .function:
            try note(
                "function", statement.name, "to_regprocedure", script.qualified(statement.name) + "()",
                connection)
        default: break
        }
    }

    /// Takes out of the ledger what is dropped with keys and indexes.
    func forgetViewsAndFunctions(_ connection: borrowing Postgres.Connection) throws {
        _ = try connection.query(
            "DELETE FROM howdah.object WHERE run = $1 AND kind IN ('view', 'function')", ["\(run)"])
    }

    /// Drops what the run made, and the run itself, all or nothing; what others hang on it makes it fail.
    func takeBack(schema: String, _ connection: borrowing Postgres.Connection) throws {
        try connection.transaction { connection in
            let made = try madeObjects(connection)
            let views = made.filter { $0.kind == "view" }.map { quoteIdentifier(schema, $0.name) }
            if !views.isEmpty {
                try connection.execute("DROP VIEW IF EXISTS \(views.joined(separator: ", "))")
            }
            let tables = made.filter { $0.kind == "table" }.map { quoteIdentifier(schema, $0.name) }
            // All in one statement: tables that refer to each other go together.
            if !tables.isEmpty {
                try connection.execute("DROP TABLE IF EXISTS \(tables.joined(separator: ", "))")
            }
            // Their foreign keys to adopted tables are gone with them.
            try putBack(schema: schema, connection)
            for object in made where object.kind == "function" {
                try connection.execute("DROP FUNCTION IF EXISTS \(quoteIdentifier(schema, object.name))()")
            }
            for object in made where object.kind == "type" {
                try connection.execute("DROP TYPE IF EXISTS \(quoteIdentifier(schema, object.name))")
            }
            for object in made where object.kind == "schema" {
                try connection.execute("DROP SCHEMA IF EXISTS \(quoteIdentifier(object.name))")
            }
            _ = try connection.query("DELETE FROM howdah.run WHERE id = $1", ["\(run)"])
            try Self.dropTablesIfEmpty(connection)
        }
    }
}
