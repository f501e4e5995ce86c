import MigrationEngine

extension SQLiteLoad {
    /// The tables with the indexes that SQLite has: the target may have others since, and has those of its own constraints.
    func withOwnIndexes(_ tables: [LoadTable]) -> [LoadTable] {
        tables.map { table in
            guard let source = source(table), let planned = planned(table) else { return table }
            var table = table
            let names = Dictionary(planned.columns.map { ($0.name, $0.targetName) }) { first, _ in
                first
            }
            var indexes = source.indexes.compactMap { Self.index($0, names) }
            let key = source.primaryKey.compactMap { names[$0] }
            if !key.isEmpty, key.count == source.primaryKey.count, !indexes.contains(where: \.isPrimary) {
                indexes.insert(
                    LoadTable.Index(
                        isUnique: true, isPrimary: true, isPartial: false, columns: key, leading: key), at: 0)
            }
            // Which columns an expression is made of only the target's catalog tells: no row may break such an index either.
            indexes += table.indexes.filter { $0.isUnique && !$0.isPlain }.map {
                LoadTable.Index(
                    isUnique: true, isPrimary: false, isPartial: $0.isPartial, columns: $0.columns,
                    leading: [])
            }
            table.indexes = indexes
            return table
        }
    }

    /// nil for one that begins with an expression.
    private static func index(_ index: Catalog.Index, _ names: [String: String]) -> LoadTable.Index? {
        let columns = index.terms.map { $0.column.flatMap { names[$0] } }
        let leading = columns.prefix { $0 != nil }.compactMap(\.self)
        guard !leading.isEmpty else { return nil }
        // One with an expression behind is good for looking up, and says nothing of its columns being unique.
        return LoadTable.Index(
            isUnique: index.isUnique && leading.count == columns.count,
            isPrimary: index.origin == .primaryKey, isPartial: index.isPartial, columns: leading,
            leading: leading)
    }
}
