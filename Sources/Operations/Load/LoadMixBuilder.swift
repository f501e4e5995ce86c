import MigrationEngine

/// Makes the mix of queries for one database, from what the target's catalog says and from rows that are there.
///
/// Each write is tried first, in a transaction that is rolled back: rows that it went well with are those that it is
/// asked with; where there is none, the gap says the database's reason.
struct LoadMixBuilder {
    /// Rows of values that a write is tried with until so many went well.
    static let enoughRows = 12
    private static let mostTried = 24
    private static let sampleRows = 256

    let database: any LoadDatabase
    let tables: [LoadTable]
    let sessions: Int
    /// Whether writes are in it.
    let writes: Bool
    /// Without, the mix is only for showing.
    let tries: Bool
    /// Whether written rows stay: then no number may be given twice.
    let commits: Bool
    /// Whether tables with triggers or rules are only read.
    var sparesTriggers = false
    let cancellation: Cancellation

    func build() throws -> LoadMix {
        var mix = LoadMix()
        for table in tables {
            try guarded(table, nil, &mix) { mix in try add(table, to: &mix) }
        }
        return mix
    }

    /// What cannot be prepared is a gap of one table's, and no end of the test; but the wish to stop and a connection that is
    /// lost are.
    private func guarded(
        _ table: LoadTable, _ kind: LoadKind?, _ mix: inout LoadMix, _ body: (inout LoadMix) throws -> Void
    ) throws {
        try cancellation.check()
        do {
            try body(&mix)
        } catch {
            try cancellation.check()
            guard let failure = LoadFailure(preparing: error), !failure.isLost else { throw error }
            mix.gaps.append(
                LoadGap(
                    table: table.name, kind: kind, reason: "it could not be prepared: \(failure.words)"))
        }
    }

    private func add(_ table: LoadTable, to mix: inout LoadMix) throws {
        if let problem = table.problem {
            mix.gaps.append(LoadGap(table: table.name, kind: nil, reason: problem))
            return
        }
        guard let name = database.name(of: table) else {
            mix.gaps.append(LoadGap(table: table.name, kind: nil, reason: "it is not in this database"))
            return
        }
        let asked = unique((table.key ?? []) + table.foreignKeys.flatMap(\.columns))
        let rows = try database.sample(
            asked.map { x($0, table) }, of: table, count: Self.sampleRows, smallest: [])
        guard !rows.isEmpty else {
            mix.gaps.append(LoadGap(table: table.name, kind: nil, reason: "it has no rows"))
            return
        }
        let shape = Shape(table: table, name: name, asked: asked, rows: rows)
        addKey(shape, &mix)
        addPage(shape, &mix)
        for key in table.foreignKeys { addForeignKey(key, shape, &mix) }
        guard writes else { return }
        if table.hasTriggers, sparesTriggers {
            mix.gaps += [LoadKind.insert, .update].map {
                LoadGap(table: table.name, kind: $0, reason: Self.sparedTriggers)
            }
            return
        }
        try guarded(table, .insert, &mix) { try addInsert(shape, &$0) }
        try guarded(table, .update, &mix) { try addUpdate(shape, &$0) }
    }

    private static let sparedTriggers =
        "its triggers or rules could take numbers from sequences, which a rollback does not give back; a scratch copy can be asked"

    /// A table with the values of a few of its rows.
    private struct Shape {
        let table: LoadTable
        let name: String
        let asked: [String]
        let rows: [[LoadValue]]

        /// The values of these columns, each combination once, those with NULL left out.
        func values(_ columns: [String]) -> [[LoadSlot]] {
            let places = columns.compactMap { asked.firstIndex(of: $0) }
            var seen: Set<[LoadValue]> = []
            return rows.compactMap { row in
                let values = places.map { row[$0] }
                guard !values.contains(.null), seen.insert(values).inserted else { return nil }
                return values.map { .value($0) }
            }
        }
    }

    private func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    private func x(_ column: String, _ table: LoadTable, alias: String = "x") -> String {
        "\(alias).\(database.name(of: column, in: table))"
    }

    private func list(_ table: LoadTable, alias: String = "x") -> String {
        table.listed.isEmpty
            ? "1"
            : table.listed.map { name in
                let column = x(name, table, alias: alias)
                guard let listed = table.column(name), listed.isUnbounded else { return column }
                return database.beginning(of: column, listed)
            }.joined(separator: ", ")
    }

    private func condition(_ columns: [String], _ table: LoadTable, alias: String = "x", from first: Int = 1)
        -> String
    {
        columns.enumerated().map { "\(x($1, table, alias: alias)) = \(database.placeholder(first + $0))" }
            .joined(separator: " AND ")
    }

    // MARK: Reads

    private func addKey(_ shape: Shape, _ mix: inout LoadMix) {
        guard let key = shape.table.key else {
            mix.gaps.append(
                LoadGap(
                    table: shape.table.name, kind: .key,
                    reason: "it has neither primary key nor unique columns"))
            return
        }
        mix.queries.append(
            LoadQuery(
                kind: .key, table: shape.table.name,
                sql:
                    "SELECT \(list(shape.table)) FROM \(shape.name) AS x WHERE \(condition(key, shape.table))",
                pool: shape.values(key)))
    }

    private func addPage(_ shape: Shape, _ mix: inout LoadMix) {
        guard let column = shape.table.pageColumn else {
            mix.gaps.append(
                LoadGap(
                    table: shape.table.name, kind: .page,
                    reason: "no index leads to the newest: neither a time's nor a key of one column"))
            return
        }
        mix.queries.append(
            LoadQuery(
                kind: .page, table: shape.table.name,
                sql:
                    "SELECT \(list(shape.table)) FROM \(shape.name) AS x ORDER BY \(x(column, shape.table)) DESC LIMIT 50",
                pool: [[]]))
    }

    private func addForeignKey(_ key: LoadTable.ForeignKey, _ shape: Shape, _ mix: inout LoadMix) {
        let table = shape.table
        let values = shape.values(key.columns)
        guard !values.isEmpty else {
            mix.gaps.append(
                LoadGap(
                    table: table.name, kind: .foreignKey, reason: "\(key.name) is NULL in every row looked at"
                ))
            return
        }
        let isIndexed = table.isIndexed(key.columns)
        if isIndexed {
            let order = key.columns.count == 1 ? table.orderColumn(after: key.columns[0]) : nil
            let by = order.map { " ORDER BY \(x($0, table)) DESC" } ?? ""
            mix.queries.append(
                LoadQuery(
                    kind: .foreignKey, table: table.name,
                    sql:
                        "SELECT \(list(table)) FROM \(shape.name) AS x WHERE \(condition(key.columns, table))\(by) LIMIT 50",
                    pool: values))
        } else {
            mix.gaps.append(
                LoadGap(
                    table: table.name, kind: .foreignKey,
                    reason: "\(key.name) has no index: every lookup would read the whole table (step 6.1)"))
        }
        guard let parent = tables.first(where: { $0.name == key.parent && $0.problem == nil }),
            let parentName = database.name(of: parent), key.columns.count == key.parentColumns.count
        else { return }
        let pairs = zip(key.columns, key.parentColumns).map {
            "\(x($0, table)) = \(x($1, parent, alias: "p"))"
        }
        let joined =
            "SELECT \(list(parent, alias: "p")), \(list(table)) FROM \(parentName) AS p JOIN \(shape.name) AS x "
            + "ON \(pairs.joined(separator: " AND ")) WHERE "
        // Without an index the way from a child to its parent is the one that an application can go.
        if isIndexed {
            mix.queries.append(
                LoadQuery(
                    kind: .join, table: table.name,
                    sql: joined + condition(key.parentColumns, parent, alias: "p") + " LIMIT 50", pool: values
                ))
        } else if let own = table.key {
            mix.queries.append(
                LoadQuery(
                    kind: .join, table: table.name, sql: joined + condition(own, table),
                    pool: shape.values(own)))
        }
    }

    // MARK: Writes

    private func addInsert(_ shape: Shape, _ mix: inout LoadMix) throws {
        switch try InsertBuilder(builder: self, table: shape.table, name: shape.name).build() {
        case .query(let query): mix.queries.append(query)
        case .gap(let reason):
            mix.gaps.append(LoadGap(table: shape.table.name, kind: .insert, reason: reason))
        }
    }

    private func addUpdate(_ shape: Shape, _ mix: inout LoadMix) throws {
        func gap(_ reason: String) {
            mix.gaps.append(LoadGap(table: shape.table.name, kind: .update, reason: reason))
        }
        let table = shape.table
        guard let key = table.key else { return gap("it has neither primary key nor unique columns") }
        let bound = Set(
            table.indexes.filter(\.isUnique).flatMap(\.columns) + table.foreignKeys.flatMap(\.columns))
        let indexed = Set(table.indexes.flatMap(\.columns))
        let own = database.written(table).filter { !bound.contains($0) && !table.wide.contains($0) }
        let candidates = own.filter { !indexed.contains($0) } + own.filter(indexed.contains)
        guard !candidates.isEmpty else { return gap("every column is part of a key") }
        var refusal: String?
        for column in candidates.prefix(3) {
            try cancellation.check()
            let name = database.name(of: column, in: table)
            let query = LoadQuery(
                kind: .update, table: table.name,
                sql: "UPDATE \(shape.name) AS x SET \(name) = x.\(name) WHERE \(condition(key, table))",
                pool: shape.values(key))
            guard tries else { return mix.queries.append(query) }
            let tried = try attempt(query.sql, query.pool, table)
            if !tried.good.isEmpty { return mix.queries.append(query) }
            refusal = refusal ?? tried.refusal
        }
        gap(refusal ?? "no row was changed")
    }

    func attempt(
        _ sql: String, _ pool: [[LoadSlot]], _ table: LoadTable
    ) throws -> (good: [Int], refusal: String?) {
        // A range of numbers that no session has.
        var maker = FreshMaker(session: sessions, seed: .random(in: 0 ... .max))
        let rows = pool.prefix(Self.mostTried).map { row in
            row.map { slot in
                switch slot {
                case .value(let value): value
                case .fresh(let fresh): maker.value(fresh)
                }
            }
        }
        return try database.trial(sql, rows, of: table)
    }
}
