import MigrationEngine

/// Makes an insert for a table: a copy of a row that is there, with new values where a unique index asks for them.
///
/// New values are numbers far beyond the largest, texts, UUIDs and the like. Where a unique index is made of nothing but
/// foreign keys (who takes part in what), combinations of parents that no row has yet are taken.
struct InsertBuilder {
    enum Outcome {
        case query(LoadQuery)
        case gap(String)
    }

    private static let templates = 24
    private static let mostCombinations = 512

    let builder: LoadMixBuilder
    let table: LoadTable
    let name: String

    private var database: any LoadDatabase { builder.database }

    func build() throws -> Outcome {
        let (fresh, unsatisfied) = freshColumns()
        var free: [String] = []
        if let index = unsatisfied.first {
            guard index.columns.allSatisfy({ parent(of: $0) != nil }) else {
                return .gap(
                    "no new value can be made for the unique columns \(index.columns.joined(separator: ", "))"
                )
            }
            free = index.columns
        }
        var ranges: [String: (start: Int64, stride: Int64)] = [:]
        for column in fresh where column.category == "N" {
            if let range = try range(of: column) { ranges[column.name] = range }
        }
        let combinations = free.isEmpty ? [[]] : try freeCombinations(free)
        guard !combinations.isEmpty else {
            return .gap(
                "every combination of \(free.joined(separator: ", ")) that was looked at has its row already")
        }
        guard let source = source(after: fresh.count + free.count) else {
            return .gap("nothing names one of its rows")
        }
        let expressions = source.expressions + fresh.map { "x.\(database.name(of: $0.name, in: table))" }
        let rows = try database.sample(expressions, of: table, count: Self.templates, smallest: table.wide)
        let templates = rows.compactMap { row -> [LoadSlot]? in
            let address = row.prefix(source.expressions.count).map { LoadSlot.value($0) }
            var new: [LoadSlot] = []
            for (column, value) in zip(fresh, row.dropFirst(source.expressions.count)) {
                if let made = database.freshValue(for: column, template: value, range: ranges[column.name]) {
                    new.append(.fresh(made))
                } else if value == .null, !column.isNotNull {
                    new.append(.value(.null))
                } else {
                    return nil
                }
            }
            return new + address
        }
        guard !templates.isEmpty else {
            return .gap("no new value can be made for \(fresh.map(\.name).joined(separator: ", "))")
        }
        return try tried(templates, combinations, fresh.count, sql(fresh.map(\.name), free, source.condition))
    }

    private func tried(
        _ templates: [[LoadSlot]], _ combinations: [[LoadValue]], _ freshCount: Int, _ sql: String
    ) throws -> Outcome {
        func row(_ template: [LoadSlot], _ combination: [LoadValue]) -> [LoadSlot] {
            template.prefix(freshCount) + combination.map { .value($0) } + template.dropFirst(freshCount)
        }
        let isDivided = combinations != [[]]
        let count = isDivided ? combinations.count : templates.count
        var pool = (0..<count).map {
            row(templates[$0 % templates.count], combinations[$0 % combinations.count])
        }
        if builder.tries {
            let tried = try builder.attempt(sql, pool, table)
            guard !tried.good.isEmpty else { return .gap(tried.refusal ?? "no row was inserted") }
            let good = Set(tried.good.map { $0 % templates.count })
            pool = pool.indices.filter {
                isDivided ? good.contains($0 % templates.count) : tried.good.contains($0)
            }
            .map { pool[$0] }
        }
        return .query(
            LoadQuery(kind: .insert, table: table.name, sql: sql, pool: pool, isDivided: isDivided))
    }

    private func sql(_ fresh: [String], _ free: [String], _ condition: String) -> String {
        let columns = database.written(table)
        let values = columns.map { column in
            let place = (fresh + free).firstIndex(of: column)
            return place.map { database.fresh($0 + 1, for: column, in: table) }
                ?? "x.\(database.name(of: column, in: table))"
        }
        let names = columns.map { database.name(of: $0, in: table) }
        return "INSERT INTO \(name) (\(names.joined(separator: ", "))) \(database.overriding)"
            + "SELECT \(values.joined(separator: ", ")) FROM \(name) AS x WHERE \(condition)"
    }

    // MARK: Which columns

    /// A column with a new value for every unique index, and the indexes that have none.
    private func freshColumns() -> ([LoadTable.Column], [LoadTable.Index]) {
        let foreign = Set(table.foreignKeys.flatMap(\.columns))
        let written = Set(database.written(table))
        var fresh: [LoadTable.Column] = []
        var unsatisfied: [LoadTable.Index] = []
        for index in table.indexes where index.isUnique {
            if index.columns.contains(where: { name in fresh.contains { $0.name == name } }) { continue }
            let candidates = index.columns.compactMap { table.column($0) }.filter {
                !foreign.contains($0.name) && written.contains($0.name) && FreshValue.isPossible($0)
            }
            if let best = candidates.min(by: { Self.rank($0) < Self.rank($1) }) {
                fresh.append(best)
            } else {
                unsatisfied.append(index)
            }
        }
        return (fresh, unsatisfied)
    }

    private static func rank(_ column: LoadTable.Column) -> Int {
        switch column.category {
        case "N": 0
        case "U": 1
        case "S": 2
        default: 3
        }
    }

    /// Numbers halfway between the largest that is there and the largest that can be, so that an application that goes
    /// on counting meets none of them; nil where too few are left.
    private func range(of column: LoadTable.Column) throws -> (start: Int64, stride: Int64)? {
        let rows = try database.rows("SELECT max(\(database.name(of: column.name, in: table))) FROM \(name)")
        let largest: Int64 =
            switch rows.first?.first {
            case .integer(let value): value
            case .text(let text): Double(text).flatMap { Int64(exactly: $0.rounded(.up)) } ?? 0
            case .real(let value): Int64(exactly: value.rounded(.up)) ?? 0
            default: 0
            }
        let room = database.largest(column) - max(0, largest)
        let stride = room / 2 / Int64(builder.sessions + 1)
        guard stride >= (builder.commits ? 100_000 : 1) else { return nil }
        return (max(0, largest) + room / 2, stride)
    }

    /// How one row is named: by its key, else by where it lies.
    private func source(after count: Int) -> (expressions: [String], condition: String)? {
        if let key = table.key {
            let names = key.map { "x.\(database.name(of: $0, in: table))" }
            let conditions = names.enumerated().map { "\($1) = \(database.placeholder(count + 1 + $0))" }
            return (names, conditions.joined(separator: " AND "))
        }
        return database.rowAddress(of: table, database.placeholder(count + 1)).map {
            ([$0.expression], "\($0.expression) = \($0.value)")
        }
    }

    // MARK: Combinations of parents

    private func parent(of column: String) -> (table: LoadTable, column: String)? {
        let key = table.foreignKeys.first { $0.columns == [column] }
        return key.flatMap { key in
            builder.tables.first { $0.name == key.parent }.map { ($0, key.parentColumns[0]) }
        }
    }

    private func freeCombinations(_ columns: [String]) throws -> [[LoadValue]] {
        // Of one parent all are looked at, of several a few each: their product grows fast.
        let limit = columns.count == 1 ? "" : " LIMIT \(columns.count == 2 ? 64 : 12)"
        var parents: [String] = []
        var taken: [String] = []
        var picked: [String] = []
        for (index, column) in columns.enumerated() {
            guard let parent = parent(of: column), let parentName = database.name(of: parent.table) else {
                return []
            }
            let key = database.name(of: parent.column, in: parent.table)
            parents.append("(SELECT \(key) AS k FROM \(parentName)\(limit)) AS p\(index)")
            taken.append("t.\(database.name(of: column, in: table)) = p\(index).k")
            picked.append("p\(index).k")
        }
        return try database.rows(
            """
            SELECT \(picked.joined(separator: ", ")) FROM \(parents.joined(separator: " CROSS JOIN "))
            WHERE NOT EXISTS (SELECT 1 FROM \(name) AS t WHERE \(taken.joined(separator: " AND ")))
            LIMIT \(Self.mostCombinations)
            """)
    }
}
