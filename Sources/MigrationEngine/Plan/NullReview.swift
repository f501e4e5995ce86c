/// NULLs where a plan allows none: SQLite lets them into keys, and by ALTER TABLE into columns declared NOT NULL.
enum NullReview {
    static func findings(
        _ plan: MigrationPlan, _ tables: [Catalog.Table], _ profiles: [String: TableProfile],
        samples: (Catalog.Table, String) throws -> RowSamples
    ) rethrows -> [Finding] {
        var findings: [Finding] = []
        for table in tables {
            guard let planned = plan.tables.first(where: { $0.name == table.name && !$0.isSkipped }),
                let profile = profiles[table.name]
            else { continue }
            for (column, profile) in zip(table.columns, profile.columns) where profile.nulls > 0 {
                let isKey = planned.primaryKey?.columns.contains(column.name) ?? false
                let isNotNull = planned.columns.first { $0.name == column.name }?.notNull ?? false
                guard isKey || isNotNull else { continue }
                let rows = try samples(table, column.name)
                findings.append(
                    Finding(
                        isKey ? .nullInKey : .nullInNotNull, blocking: true, table: table.name,
                        column: column.name, object: isKey ? planned.primaryKey?.name : nil,
                        count: profile.nulls, sampleRowids: rows.rowids, sampleKeys: rows.keys,
                        "\(Format.count(profile.nulls, "row holds", "rows hold")) NULL in "
                            + (isKey
                                ? "the primary key, which PostgreSQL refuses"
                                : "a column that is to be NOT NULL"),
                        choices: (isKey
                            ? [
                                .quarantine(profile.nulls),
                                .leaveOut("the primary key \(planned.primaryKey?.name ?? "")"),
                            ] : [.nullable, .quarantine(profile.nulls)]) + [.skipTable(table.name)]))
            }
        }
        return findings
    }
}
