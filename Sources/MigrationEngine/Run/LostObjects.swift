import Postgres

/// What a run has made beside its rows and that is not there as it left it: keys, indexes, checks, foreign keys, views, functions and
/// triggers, and sequences that give numbers that are taken. Only reads.
struct LostObjects {
    let plan: MigrationPlan
    let catalog: Catalog

    private static let reason = "it is no longer in the target"

    /// Keys, indexes, views and triggers.
    func made(_ ledger: Ledger, _ connection: borrowing Postgres.Connection) throws -> [ObjectState] {
        let script = SchemaScript(plan)
        let present = try SchemaScript.Present(schema: plan.schema, connection)
        let onTables = script.missing(script.keysAndIndexes + script.foreignKeys, present)
        let others = try script.missingViewsAndTriggers(ledger, connection).filter { $0.kind != .function }
        return (onTables + others).map { .failed($0.kind, $0.sourceName, Self.reason) }
    }

    /// All of it, sequences too.
    func all(_ ledger: Ledger, _ connection: borrowing Postgres.Connection) throws -> [ObjectState] {
        try made(ledger, connection)
            + Sequences(plan: plan, catalog: catalog).look(connection).objects.filter { $0.state == .failed }
    }
}

extension SchemaScript.Present {
    /// Constraints and indexes in a schema.
    init(schema: String, _ connection: borrowing Postgres.Connection) throws {
        let result = try connection.query(
            """
            SELECT r.relname, c.conname, true FROM pg_constraint AS c JOIN pg_class AS r ON r.oid = c.conrelid
            WHERE c.connamespace = to_regnamespace($1)
            UNION ALL SELECT r.relname, x.relname, false FROM pg_index AS i JOIN pg_class AS r ON r.oid = i.indrelid
                JOIN pg_class AS x ON x.oid = i.indexrelid WHERE x.relnamespace = to_regnamespace($1)
            """, [quoteIdentifier(schema)])
        for row in 0..<result.count {
            let place = SchemaScript.Place(table: result.text(row, 0) ?? "", name: result.text(row, 1) ?? "")
            if result.bool(row, 2) { constraints.insert(place) } else { indexes.insert(place) }
        }
    }
}

extension SchemaScript {
    /// Those of a stage that are not in the target.
    func missing(
        _ stage: [(table: String, statements: [Statement])], _ present: Present
    ) -> [Statement] {
        let names = Dictionary(plan.tables.map { ($0.name, $0.targetName) }) { first, _ in first }
        return stage.flatMap { table, statements in
            statements.filter { !present.has($0, of: names[table] ?? table) }
        }
    }

    /// Views, functions and triggers that the run has not made, or that are gone. A trigger goes with its function.
    func missingViewsAndTriggers(
        _ ledger: Ledger, _ connection: borrowing Postgres.Connection
    ) throws -> [Statement] {
        let made = Set(try ledger.madeObjects(connection).map { "\($0.kind) \($0.name)" })
        let result = try connection.query(
            """
            SELECT tgname FROM pg_trigger AS t JOIN pg_class AS r ON r.oid = t.tgrelid
            WHERE NOT tgisinternal AND r.relnamespace = to_regnamespace($1)
            """, [quoteIdentifier(plan.schema)])
        let triggers = Set((0..<result.count).compactMap { result.text($0, 0) })
        return viewsAndTriggers.filter {
            $0.kind == .trigger
                ? !triggers.contains($0.name) : !made.contains("\($0.kind.rawValue) \($0.name)")
        }
    }
}

extension Migration {
    /// What step 3.3 would run: the statements of what is not in the target, and how many objects are there already.
    public func pendingConstraints() throws -> (statements: [String], there: Int) {
        try server.withConnection(purpose: "status") { connection in
            let ledger = try Ledger.newest(schema: plan.schema, connection) ?? Ledger(run: 0)
            let present = try SchemaScript.Present(schema: plan.schema, connection)
            let keys = script.missing(script.foreignKeys, present)
            let hasLedger = try connection.query("SELECT to_regclass('howdah.object') IS NOT NULL").bool(0, 0)
            let others =
                hasLedger
                ? try script.missingViewsAndTriggers(ledger, connection) : script.viewsAndTriggers
            let first = script.missing(script.keysAndIndexes, present)
            let all =
                (script.keysAndIndexes + script.foreignKeys).reduce(0) { $0 + $1.statements.count }
                + script.viewsAndTriggers.count
            return (
                (first + keys).map(\.sql) + keys.compactMap(\.validation) + others.map(\.sql),
                all - first.count - keys.count - others.count
            )
        }
    }
}
