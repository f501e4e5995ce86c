/// What PostgreSQL asks of keys and indexes and SQLite does not: columns that can be ordered, and few enough.
///
/// https://www.postgresql.org/docs/current/indexes-multicolumn.html
enum IndexReview {
    static let mostColumns = 32

    static func findings(_ plan: MigrationPlan) -> [Finding] {
        plan.tables.filter { !$0.isSkipped }.flatMap { table in
            keys(of: table).flatMap { name, columns in findings(name, columns, table) }
        }
    }

    private static func keys(of table: MigrationPlan.Table) -> [(name: String, columns: [String])] {
        [table.primaryKey].compactMap { $0.map { ($0.name, $0.columns) } }
            + (table.uniques ?? []).map { ($0.name, $0.columns) }
            + (table.indexes ?? []).map { ($0.name, $0.columns) }
    }

    private static func findings(
        _ name: String, _ columns: [String], _ table: MigrationPlan.Table
    ) -> [Finding] {
        var findings = columns.compactMap { column -> Finding? in
            guard table.columns.first(where: { $0.name == column })?.postgresType == .json else { return nil }
            return Finding(
                .notIndexable, blocking: true, table: table.name, column: column, object: name,
                "\(name) is over a column of type json, which PostgreSQL cannot order",
                choices: [.type(.text), .type(.jsonb), .leaveOut(name)])
        }
        if columns.count > mostColumns {
            findings.append(
                Finding(
                    .notIndexable, blocking: true, table: table.name, object: name, count: columns.count,
                    "\(name) has \(columns.count) columns, and PostgreSQL's limit is \(mostColumns)",
                    choices: [.leaveOut(name)]))
        }
        return findings
    }
}
