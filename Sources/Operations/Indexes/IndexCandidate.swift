import MigrationEngine

/// An index that something asks for.
struct IndexCandidate: Equatable {
    let table: String
    var columns: [String]
    /// How many of the columns are compared with a value; what follows is a range, or an order.
    var compared: Int
    var rules: [IndexRule]
    var evidence: [String]
    /// The query that asks for it; nil where many would.
    var query: AdvisedQuery?
    /// Whether few of the rows are left; nil where that is not known.
    var isSelective: Bool?

    /// Whether another index serves this need as well.
    func isCovered(by other: IndexCandidate) -> Bool {
        guard table == other.table, columns.count <= other.columns.count else { return false }
        let leading = Array(other.columns.prefix(columns.count))
        return compared == columns.count ? Set(leading) == Set(columns) : leading == columns
    }

    /// As few indexes as serve every need: one that another covers gives its reasons to that one.
    static func merged(_ candidates: [IndexCandidate]) -> [IndexCandidate] {
        var merged: [IndexCandidate] = []
        // Where two are of one length, what is known before goes first.
        let ordered = candidates.enumerated().sorted {
            ($1.element.columns.count, $0.offset) < ($0.element.columns.count, $1.offset)
        }.map(\.element)
        for candidate in ordered {
            guard let index = merged.firstIndex(where: candidate.isCovered) else {
                merged.append(candidate)
                continue
            }
            merged[index].rules += candidate.rules.filter { !merged[index].rules.contains($0) }
            merged[index].evidence += candidate.evidence.filter { !merged[index].evidence.contains($0) }
            merged[index].query = merged[index].query ?? candidate.query
            if candidate.isSelective == true { merged[index].isSelective = true }
        }
        for index in merged.indices { merged[index].rules.sort { $0.weight < $1.weight } }
        return merged
    }
}

extension IndexRule {
    /// The weightiest first.
    var weight: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// What the catalog by itself says is missing.
struct IndexNeeds {
    let catalog: IndexCatalog
    let limits: IndexLimits

    var candidates: [IndexCandidate] { known + foreignKeys }

    private var known: [IndexCandidate] {
        catalog.tables.filter { !$0.isPartition }.flatMap { table in
            KnownIndex.all.compactMap { known -> IndexCandidate? in
                guard KnownIndex.isSame(table.name, known.table) else { return nil }
                let columns = known.columns.compactMap { wanted in
                    catalog.columns[table.name]?.first { KnownIndex.isSame($0.name, wanted) }?.name
                }
                guard columns.count == known.columns.count,
                    !catalog.isIndexed(columns, compared: known.compared, of: table.name)
                else { return nil }
                return IndexCandidate(
                    table: table.name, columns: columns, compared: known.compared, rules: [.known],
                    evidence: [IndexRule.known.facts.reason])
            }
        }
    }

    private var foreignKeys: [IndexCandidate] {
        catalog.tables.filter { !$0.isPartition }.flatMap { table in
            (catalog.foreignKeys[table.name] ?? []).compactMap { candidate($0, table) }
        }
    }

    private func candidate(
        _ key: IndexCatalog.ForeignKey, _ table: IndexCatalog.Table
    ) -> IndexCandidate? {
        let isIndexed = catalog.isIndexed(key.columns, of: table.name)
        let evidence = "foreign key \(key.name) to \(key.parent) (\(key.columns.joined(separator: ", ")))"
        if let (time, rows) = pages(of: key, table) {
            guard !catalog.isIndexed(key.columns + [time], compared: 1, of: table.name) else { return nil }
            return IndexCandidate(
                table: table.name, columns: key.columns + [time], compared: 1,
                rules: isIndexed ? [.page] : [.foreignKey, .page],
                evidence: [
                    evidence,
                    "\(IndexWords.rows(rows)) for one \(key.columns[0]) on average, by \(time)",
                ])
        }
        guard !isIndexed else { return nil }
        return IndexCandidate(
            table: table.name, columns: key.columns, compared: key.columns.count, rules: [.foreignKey],
            evidence: [evidence])
    }

    /// The time by which a parent's rows are read page by page, with how many a parent has.
    private func pages(
        of key: IndexCatalog.ForeignKey, _ table: IndexCatalog.Table
    ) -> (column: String, rows: Double)? {
        guard key.columns.count == 1, table.rows >= Double(limits.manyRows),
            let parents = catalog.column(key.columns[0], of: table.name)?.values(of: table.rows),
            table.rows / parents >= limits.pageRows,
            let time = catalog.columns[table.name]?.first(where: { column in
                ["D", "N"].contains(column.category) && !key.columns.contains(column.name)
                    && IndexLimits.times.contains(column.name.lowercased().replacing("_", with: ""))
            })
        else { return nil }
        return (time.name, table.rows / parents)
    }
}
