/// Keys of a plan under which rows that SQLite tells apart could be one.
enum KeyReview {
    /// A primary key, a unique constraint, or a unique index over bare columns and all rows.
    struct Key {
        let name: String
        let columns: [String]
        let isPrimary: Bool
    }

    static func keys(of table: MigrationPlan.Table) -> [Key] {
        [table.primaryKey].compactMap { $0.map { Key(name: $0.name, columns: $0.columns, isPrimary: true) } }
            + (table.uniques ?? []).map { Key(name: $0.name, columns: $0.columns, isPrimary: false) }
            + (table.indexes ?? []).filter { ($0.unique ?? false) && $0.terms == nil && $0.predicate == nil }
            .map { Key(name: $0.name, columns: $0.columns, isPrimary: false) }
    }

    /// The keys whose values must be looked at.
    static func doubtful(
        _ planned: MigrationPlan.Table, _ table: Catalog.Table, _ profile: TableProfile
    ) -> [Key] {
        keys(of: planned).filter { key in
            key.columns.contains { name in
                guard let column = planned.column(named: name),
                    let index = table.columns.firstIndex(where: { $0.name == name }),
                    index < profile.columns.count
                else { return false }
                return KeyCheck.mayMerge(column, profile.columns[index])
            }
        }
    }

    static func finding(
        _ key: Key, _ outcome: KeyCheck.Outcome, _ table: MigrationPlan.Table
    ) -> Finding {
        let types = key.columns.compactMap { name in table.column(named: name).map { "\(name) \($0.type)" } }
        return Finding(
            .keysMerge, blocking: true, table: table.name, object: key.name, count: outcome.count,
            sampleRowids: outcome.samples.rowids, sampleKeys: outcome.samples.keys,
            "\(Format.count(outcome.count, "row has", "rows have")) a key that SQLite tells from another row's and PostgreSQL does not, "
                + "under \(key.isPrimary ? "the primary key" : "the unique") \(key.name) (\(types.joined(separator: ", ")))",
            choices: [
                .quarantine(outcome.count, more: ", the first of each key stays"),
                .leaveOut("the \(key.isPrimary ? "primary key" : "unique") \(key.name)"),
                .skipTable(table.name),
            ])
    }
}
