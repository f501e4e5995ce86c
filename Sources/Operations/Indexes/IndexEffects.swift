import MigrationEngine
import Postgres

/// Shows what an index changes: the plan of a query that needs it before, and after.
///
/// After is seen by an index that exists for the moment only: built and rolled back in a rehearsal, or hypothetical where the
/// server has hypopg. A live target without it shows the plan before; the one after comes once the index is there.
struct IndexEffects {
    let catalog: IndexCatalog
    let tries: Bool
    let cancellation: Cancellation
    private let planner = QueryPlanner()

    init(catalog: IndexCatalog, tries: Bool, cancellation: Cancellation) {
        self.catalog = catalog
        self.tries = tries
        self.cancellation = cancellation
    }

    private typealias Effect = IndexAdvice.Effect

    func find(
        _ advice: inout IndexAdvice, _ candidate: IndexCandidate, _ connection: borrowing Postgres.Connection
    ) throws {
        do {
            guard let probe = try probe(candidate, connection),
                let before = try readOnly(probe, connection)
            else { return }
            advice.effect = Effect(
                query: probe.sql, place: probe.place, before: before.figure, after: nil,
                how: "the plan after is seen once the index is there")
        } catch let error as PostgresError where error.code == .server || error.code == .cancelled {
            try cancellation.check()
            advice.evidence.append("its effect was not looked at: \(error.message)")
            return
        }
        try findAfter(&advice, candidate, connection)
    }

    // MARK: The query

    /// The code's own query, or one as an application would ask it: by the columns that are compared, newest first by the others.
    private func probe(
        _ candidate: IndexCandidate, _ connection: borrowing Postgres.Connection
    ) throws -> QueryPlanner.Probe? {
        if let query = candidate.query { return .init(sql: query.sql, place: query.place) }
        let compared = candidate.columns.prefix(candidate.compared)
        let order = candidate.columns.dropFirst(candidate.compared).first
        guard !compared.isEmpty else { return nil }
        let table = quoteIdentifier(catalog.schema, candidate.table)
        let wanted = compared.enumerated().map { "x.\(quoteIdentifier($1)) = $\($0 + 1)" }
        var sql = "SELECT * FROM \(table) AS x WHERE \(wanted.joined(separator: " AND "))"
        if let order { sql += " ORDER BY x.\(quoteIdentifier(order)) DESC LIMIT 50" }
        var probe = QueryPlanner.Probe(sql: sql)
        if tries { probe.values = try values(Array(compared), table, connection) }
        return probe
    }

    /// Of a row that is there; they stay out of every plan that is kept.
    private func values(
        _ columns: [String], _ table: String, _ connection: borrowing Postgres.Connection
    ) throws -> [String]? {
        let list = columns.map { "x.\(quoteIdentifier($0))::text" }.joined(separator: ", ")
        let filled = columns.map { "x.\(quoteIdentifier($0)) IS NOT NULL" }.joined(separator: " AND ")
        let row = try connection.query("SELECT \(list) FROM \(table) AS x WHERE \(filled) LIMIT 1")
        let values = columns.indices.compactMap { row.text(0, $0) }
        return values.count == columns.count ? values : nil
    }

    private func readOnly(
        _ probe: QueryPlanner.Probe, _ connection: borrowing Postgres.Connection
    ) throws -> QueryPlan? {
        try connection.execute("BEGIN READ ONLY; SET LOCAL statement_timeout = '10s'")
        do {
            let plan = try planner.plan(probe, runs: tries, connection)
            try connection.execute("ROLLBACK")
            return plan
        } catch let error as PostgresError where error.sqlState == "57014" {
            try connection.execute("ROLLBACK; DEALLOCATE ALL")
            try cancellation.check()
            // Too long to be run: its plan tells enough.
            return try planner.plan(probe, connection)
        } catch {
            try? connection.execute("ROLLBACK; DEALLOCATE ALL")
            throw error
        }
    }

    // MARK: The index

    private func findAfter(
        _ advice: inout IndexAdvice, _ candidate: IndexCandidate, _ connection: borrowing Postgres.Connection
    ) throws {
        let columns = candidate.columns.map(quoteIdentifier).joined(separator: ", ")
        let table = quoteIdentifier(catalog.schema, candidate.table)
        if tries {
            try build(&advice, candidate, "\(table) (\(columns))", connection)
        } else if let function = try hypothetical(connection) {
            try imagine(&advice, candidate, "\(table) (\(columns))", function, connection)
        }
    }

    private func build(
        _ advice: inout IndexAdvice, _ candidate: IndexCandidate, _ place: String,
        _ connection: borrowing Postgres.Connection
    ) throws {
        try connection.execute("BEGIN READ WRITE; SET LOCAL statement_timeout = '120s'")
        defer { try? connection.execute("ROLLBACK; DEALLOCATE ALL") }
        do {
            let name = quoteIdentifier(catalog.schema, advice.index)
            try connection.execute("CREATE INDEX \(quoteIdentifier(advice.index)) ON \(place)")
            // Nothing but the index is new in it.
            try connection.execute("SET TRANSACTION READ ONLY")
            let bytes = try connection.query("SELECT pg_relation_size(to_regclass($1))", [name]).int(0, 0)
            if let bytes, bytes > 0,
                let line = advice.evidence.firstIndex(where: { $0.hasPrefix("the index: ") })
            {
                advice.evidence[line] = "the index: \(Format.bytes(Int64(bytes)))"
            }
            if let probe = try probe(candidate, connection) {
                advice.effect?.after = try planner.plan(probe, runs: true, connection)?.figure
                advice.effect?.how = "the index was built, and rolled back"
            }
        } catch let error as PostgresError where error.code == .server || error.code == .cancelled {
            try cancellation.check()
            advice.effect?.how = "the index could not be tried: \(error.message)"
            if error.sqlState == "54000" { advice.obstacle = "it cannot be built: \(error.message)" }
        }
    }

    /// hypopg's function, in the schema that the extension is in; nil where the server has none.
    private func hypothetical(_ connection: borrowing Postgres.Connection) throws -> String? {
        try connection.query(
            """
            SELECT n.nspname FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace
            WHERE e.extname = 'hypopg' AND has_schema_privilege(n.oid, 'USAGE')
            """
        ).text(0, 0).map { quoteIdentifier($0) }
    }

    private func imagine(
        _ advice: inout IndexAdvice, _ candidate: IndexCandidate, _ place: String, _ schema: String,
        _ connection: borrowing Postgres.Connection
    ) throws {
        do {
            _ = try connection.query(
                "SELECT \(schema).hypopg_create_index($1)", ["CREATE INDEX ON \(place)"])
            defer { try? connection.execute("SELECT \(schema).hypopg_reset()") }
            if let probe = try probe(candidate, connection) {
                advice.effect?.after = try planner.plan(probe, connection)?.figure
                advice.effect?.how = "planned with a hypothetical index (hypopg)"
            }
        } catch let error as PostgresError where error.code == .server {
            advice.effect?.how = "hypopg could not try it: \(error.message)"
        }
    }
}
