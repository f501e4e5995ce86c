import MigrationEngine
import SQLDialect

/// What a plan knows of its database, for the rules: names in lower case, and tables for translation.
public struct SchemaNames: Sendable {
    let tables: Set<String>
    let columns: Set<String>
    /// Columns that are boolean in PostgreSQL.
    let booleans: Set<String>
    /// Changes statements into those that the target takes.
    let rewriter: StatementRewriter

    init(tables: Set<String>, columns: Set<String>, booleans: Set<String>, rewriter: StatementRewriter? = nil)
    {
        self.tables = Set(tables.map { $0.lowercased() })
        self.columns = Set(columns.map { $0.lowercased() })
        self.booleans = Set(booleans.map { $0.lowercased() })
        self.rewriter = rewriter ?? StatementRewriter(tables: [])
    }

    public init(_ plan: MigrationPlan, catalog: Catalog? = nil) {
        let columns = plan.tables.flatMap(\.columns)
        self.init(
            tables: Set(plan.tables.flatMap { [$0.name, $0.targetName] }),
            columns: Set(columns.flatMap { [$0.name, $0.targetName] }),
            booleans: Set(columns.filter { $0.postgresType == .boolean }.map(\.name)),
            rewriter: StatementRewriter(tables: plan.codeTables(catalog)))
    }

    func has(_ name: String) -> Bool {
        tables.contains(name.lowercased()) || columns.contains(name.lowercased())
    }
}
