import MigrationEngine
import Postgres

/// What an application's own queries ask for: each is planned, never run, and where the planner reads all of a large table to
/// find a few rows, the columns of the filter are an index that is missing.
struct QueryNeeds {
    let catalog: IndexCatalog
    let limits: IndexLimits

    /// What the queries ask for, and those that the server would not plan.
    func candidates(
        _ queries: [AdvisedQuery], _ planner: QueryPlanner, _ connection: borrowing Postgres.Connection
    ) throws -> (candidates: [IndexCandidate], refused: [String]) {
        var candidates: [IndexCandidate] = []
        var refused: [String] = []
        for query in queries {
            let probe = QueryPlanner.Probe(sql: query.sql, place: query.place)
            do {
                guard let plan = try planner.plan(probe, connection) else { continue }
                candidates += plan.filteredScans.compactMap { candidate($0.node, $0.order, query) }
            } catch let error as PostgresError where error.code == .server {
                refused.append("\(query.place): not planned: \(error.message)")
            }
        }
        return (candidates, refused)
    }

    func candidate(_ node: PlanNode, _ order: [String], _ query: AdvisedQuery) -> IndexCandidate? {
        guard let name = node.relation, node.schema == nil || node.schema == catalog.schema,
            let table = catalog.table(name), table.rows >= Double(limits.manyRows), let filter = node.filter
        else { return nil }
        let alias = node.alias ?? name
        let conditions = FilterConditions(filter, alias: alias).conditions.filter { condition in
            guard let column = catalog.column(condition.column, of: name) else { return false }
            return column.isIndexable && (!condition.isCast || column.type == "varchar")
                && (column.width ?? 0) <= limits.widest
        }
        let equal = unique(conditions.filter { $0.comparison == .equal }.map(\.column))
        var columns = Array(equal.sorted { rank($0, table) < rank($1, table) }.prefix(2))
        let compared = columns.count
        let sorted = order.first.flatMap { FilterConditions.column(ofSortKey: $0, alias: alias) }
        let range = conditions.first { $0.comparison == .range }?.column
        // An order after equal columns is read from the index; after a range it is not.
        if let next = (columns.isEmpty ? range : sorted ?? range), !columns.contains(next),
            catalog.column(next, of: name)?.isIndexable ?? false
        {
            columns.append(next)
        }
        let isIndexed = catalog.isIndexed(columns, compared: compared, of: name)
        guard !columns.isEmpty, !isIndexed else { return nil }
        let part = table.rows > 0 ? node.rows / table.rows : 1
        let target = table.parent ?? name
        return IndexCandidate(
            table: target, columns: columns, compared: compared, rules: [.query],
            evidence: [
                "\(query.place) reads all \(IndexWords.rows(table.rows)) of \(name) for about \(IndexWords.rows(node.rows))"
            ], query: query, isSelective: part <= limits.selective)
    }

    private func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    /// A foreign key's column first, since its index serves that too; then what tells more rows apart.
    private func rank(_ column: String, _ table: IndexCatalog.Table) -> (Int, Double, String) {
        let isKey = (catalog.foreignKeys[table.name] ?? []).contains { $0.columns == [column] }
        let values = catalog.column(column, of: table.name)?.values(of: table.rows) ?? 0
        return (isKey ? 0 : 1, -values, column)
    }
}

/// Has the server plan statements. Values never come into a plan: the plans are those for any value.
struct QueryPlanner {
    /// A statement to plan.
    struct Probe {
        let sql: String
        /// Where it comes from; nil for one that stands for many.
        var place: String?
        /// Values to run it with; it is only planned without.
        var values: [String]?
    }

    private static let name = "howdah_probe"

    /// What the session must have set.
    static let settings = "SET plan_cache_mode = force_generic_plan"

    /// Plans a statement; with `runs`, where it has values, runs it too. nil where the server's answer is not understood.
    func plan(
        _ probe: Probe, runs: Bool = false, _ connection: borrowing Postgres.Connection
    ) throws -> QueryPlan? {
        // By the extended protocol, which takes one statement: nothing of the code's is ever run.
        try connection.prepare(probe.sql, name: Self.name)
        defer { try? connection.execute("DEALLOCATE \(Self.name)") }
        let count =
            try connection.query(
                "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = $1",
                [Self.name]
            ).int(0, 0) ?? 0
        let values = probe.values.map { $0.map(quoteLiteral) } ?? Array(repeating: "NULL", count: count)
        let list = values.isEmpty ? "" : "(\(values.joined(separator: ", ")))"
        let options = runs && probe.values != nil ? ", ANALYZE, TIMING off" : ""
        return QueryPlan(
            try connection.query("EXPLAIN (FORMAT JSON, VERBOSE\(options)) EXECUTE \(Self.name)\(list)").text(
                0, 0))
    }

    /// The planner's word on a query at this moment; nil where the server would not plan it.
    func figure(_ sql: String, _ connection: borrowing Postgres.Connection) throws -> IndexAdvice.Effect
        .Figure?
    {
        do {
            return try plan(.init(sql: sql), connection)?.figure
        } catch let error as PostgresError where error.code == .server {
            return nil
        }
    }
}
