/// What PostgreSQL asks of a foreign key and SQLite does not: a parent that is there and unique, types that compare.
enum ForeignKeyReview {
    static func findings(_ plan: MigrationPlan) -> [Finding] {
        let tables = Dictionary(
            plan.tables.filter { !$0.isSkipped }.map { ($0.name, $0) },
            uniquingKeysWith: { first, _ in first })
        return plan.tables.filter { !$0.isSkipped }.flatMap { table in
            (table.foreignKeys ?? []).compactMap { finding($0, of: table, tables) }
        }
    }

    private static func finding(
        _ key: MigrationPlan.ForeignKey, of table: MigrationPlan.Table,
        _ tables: [String: MigrationPlan.Table]
    ) -> Finding? {
        func finding(_ id: Finding.ID, _ message: String) -> Finding {
            Finding(
                id, blocking: true, table: table.name, column: key.columns.joined(separator: ", "),
                object: key.name, message, choices: [.leaveOut("the foreign key \(key.name)")])
        }
        guard let parent = tables[key.parent] else {
            return finding(
                .foreignKeyParentMissing,
                "foreign key \(key.name) refers to \(key.parent), which is not carried over")
        }
        let names = Set(parent.columns.map(\.name))
        guard !key.parentColumns.isEmpty, key.parentColumns.count == key.columns.count,
            key.parentColumns.allSatisfy(names.contains)
        else {
            return finding(
                .foreignKeyParentMissing,
                "foreign key \(key.name) refers to columns that \(key.parent) does not have")
        }
        guard isUnique(Set(key.parentColumns), in: parent) else {
            return finding(
                .foreignKeyParentNotUnique,
                "foreign key \(key.name) refers to columns of \(key.parent) that no key makes unique")
        }
        for (child, parentColumn) in zip(key.columns, key.parentColumns) {
            guard let own = table.columns.first(where: { $0.name == child })?.postgresType,
                let other = parent.columns.first(where: { $0.name == parentColumn })?.postgresType,
                own.family != other.family
            else { continue }
            return finding(
                .foreignKeyTypes,
                "foreign key \(key.name) joins \(own.sql) with \(other.sql), which PostgreSQL does not compare; "
                    + "give both columns one type")
        }
        return nil
    }

    private static func isUnique(_ columns: Set<String>, in table: MigrationPlan.Table) -> Bool {
        let keys = [table.primaryKey].compactMap { $0?.columns } + (table.uniques ?? []).map(\.columns)
        // PostgreSQL takes neither an index on expressions nor a partial one for the columns themselves.
        let indexes = (table.indexes ?? []).filter { index in
            (index.unique ?? false) && index.terms == nil && index.predicate == nil
        }.map(\.columns)
        return (keys + indexes).contains { Set($0) == columns }
    }
}
