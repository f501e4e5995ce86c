import Postgres

/// A plan with the names of a target's tables and columns, whoever has made them, and what is to be said about them.
struct TargetMatching {
    /// With what the target calls the tables and columns, and without columns that it lacks.
    private(set) var plan: MigrationPlan
    private(set) var facts = ProofRun.Facts()
    /// By the source's names of tables.
    private(set) var notes: [String: [TableNote]] = [:]
    /// Columns of another type, by table and column.
    private(set) var types: [String: [String: TypeNote]] = [:]
    private(set) var notices: [String] = []
    /// Views of the source's that nothing is compared with.
    private(set) var missingViews: [String] = []

    private let preparation: Preparation
    private let names: TargetNames
    private let schema: TargetSchema
    private let others: [TargetSchema]
    private var unreadable: [String] = []

    /// Reads the target's catalog; throws where we may not read a table that is asked for.
    ///
    /// `schema` is what the operator says, `only` the tables that are asked for.
    init(
        _ preparation: Preparation, hints: SchemaHints?, schema given: String?, only: Set<String>?,
        _ connection: borrowing Postgres.Connection
    ) throws {
        self.preparation = preparation
        plan = preparation.plan
        names = TargetNames(plan: plan, hints: hints)
        let loaded = try Self.loadedSchema(preparation, connection)
        let isLoadedByHowdah = loaded != nil && given ?? loaded == loaded
        let schemas = try TargetSchema.all(connection)
        if let given { try TargetSchema.refuseUnknown(given, connection) }
        let (schema, remark) = try SchemaSearch(names: names, schemas: schemas)
            .choose(planned: plan.schema, given: given, loaded: loaded)
        self.schema = schema
        others = schemas.filter { $0.name != schema.name }
        plan.schema = schema.name
        notices += [remark].compactMap(\.self)
        guard schema.mayBeUsed else {
            throw MigrationError(
                .target, "you may not look into the target's schema \(schema.name)",
                remedy: "GRANT USAGE ON SCHEMA \(quoteIdentifier(schema.name)) TO "
                    + "\(quoteIdentifier(connection.user)), then run this again.")
        }
        let matches = names.tables(in: schema)
        for index in plan.tables.indices {
            let table = plan.tables[index]
            guard !table.isSkipped, only?.contains(table.name) ?? true else { continue }
            guard let name = matches.matches[table.name],
                let found = try TargetColumns.read(name, schema: schema.name, connection)
            else {
                facts.unmatched[table.name] = missing(table, matches.ambiguous[table.name])
                continue
            }
            plan.tables[index].target = name == table.name ? nil : name
            let keys = try TargetKeys.read(name, schema: schema.name, connection)
            try match(index, table, found, keys, connection)
        }
        if !isLoadedByHowdah { findViews(taken: Set(matches.matches.values)) }
        if only == nil { noteOtherTables(matches) }
        try refuseUnreadable(connection.user)
    }

    /// The schema that howdah's ledger, where we may read it, says was loaded from this source, or the plan's where it has a run; nil
    /// where there is no such run.
    private static func loadedSchema(
        _ preparation: Preparation, _ connection: borrowing Postgres.Connection
    ) throws -> String? {
        let mayRead = try connection.query(
            """
            SELECT EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                WHERE n.nspname = 'howdah' AND c.relname = 'run' AND has_schema_privilege(n.oid, 'USAGE')
                    AND has_table_privilege(c.oid, 'SELECT'))
            """
        ).bool(0, 0)
        guard mayRead else { return nil }
        let snapshot = preparation.snapshot
        let runs = try connection.query(
            """
            SELECT schema_name FROM howdah.run WHERE snapshot_sha256 = $1 OR source = $2 OR schema_name = $3
            ORDER BY snapshot_sha256 = $1 DESC, source = $2 DESC, id DESC LIMIT 1
            """, [snapshot.sha256, snapshot.source, preparation.plan.schema])
        return runs.text(0, 0)
    }

    private func missing(_ table: MigrationPlan.Table, _ ambiguous: [String]?) -> String {
        if let ambiguous {
            return
                "which table of the target it is cannot be told (\(ambiguous.joined(separator: ", "))): say so with "
                + "target: in the plan"
        }
        let elsewhere = others.compactMap { other in
            names.tables(in: other).matches[table.name].map { "\(other.name).\($0)" }
        }
        return
            "the table is not in the target: its schema \(schema.name) has none of that name, in any spelling"
            + (elsewhere.isEmpty ? "" : "; there is \(elsewhere.joined(separator: ", "))")
    }

    // MARK: One table

    private mutating func match(
        _ index: Int, _ table: MigrationPlan.Table, _ found: TargetColumns, _ keys: TargetKeys,
        _ connection: borrowing Postgres.Connection
    ) throws {
        let name = plan.tables[index].targetName
        note(table.name, Self.place(table, name, found))
        let matches = names.columns(of: table, in: found)
        let lacking = table.columns.filter { matches.matches[$0.name] == nil }
        plan.tables[index].columns = table.columns.compactMap { column in
            guard let name = matches.matches[column.name] else { return nil }
            var matched = column
            matched.target = name == column.name ? nil : name
            return matched
        }
        guard !plan.tables[index].columns.isEmpty else {
            facts.unmatched[table.name] = "the target's table \(name) has none of its columns"
            return
        }
        if !lacking.isEmpty {
            facts.lacking[table.name] = Self.lacking(lacking.map(\.name), matches.ambiguous)
        }
        let present = plan.tables[index].columns
        let used = Set(present.map(\.targetName))
        let hidden = found.columns.filter { used.contains($0.name) && !$0.mayBeRead }.map(\.name)
        if found.hidesRows {
            unreadable.append("\(name): row-level security hides rows of it from you")
        } else if !hidden.isEmpty {
            unreadable.append(
                hidden.count == used.count ? name : "\(name) (\(hidden.joined(separator: ", ")))")
        }
        noteKey(table.name, present, found, keys)
        noteTypes(table.name, present, found)
        let others = found.columns.filter { !used.contains($0.name) }
        if !others.isEmpty, hidden.isEmpty, !found.hidesRows {
            try noteOthers(others, of: table.name, name, found, connection)
        }
    }

    private mutating func note(_ table: String, _ text: String?, column: String? = nil) {
        guard let text else { return }
        notes[table, default: []].append(TableNote(column: column, text))
    }

    /// What the target's table is called, and is, where that is not to be expected.
    private static func place(_ table: MigrationPlan.Table, _ name: String, _ found: TargetColumns) -> String?
    {
        let kind = TargetSchema.words[found.kind]
        if name == table.targetName { return kind.map { "it is \($0) in the target" } }
        return "it is \(kind.map { "\($0), " } ?? "")\(name) in the target"
    }

    private static func lacking(_ columns: [String], _ ambiguous: [String: [String]]) -> String {
        let unclear = columns.compactMap { column in
            ambiguous[column].map {
                "\(column) could be \($0.joined(separator: " or ")): say so with target: in the plan"
            }
        }
        let missing = columns.filter { ambiguous[$0] == nil }
        let words =
            missing.isEmpty
            ? []
            : [
                "the target's table has no \(missing.count == 1 ? "column" : "columns") \(missing.joined(separator: ", "))"
            ]
        return (words + unclear).joined(separator: "; ")
    }

    /// Whether the target keeps the key's rows apart, and in order.
    private mutating func noteKey(
        _ table: String, _ columns: [MigrationPlan.Column], _ found: TargetColumns, _ keys: TargetKeys
    ) {
        let key = preparation.catalog.tables.first { $0.name == table }?.primaryKey ?? []
        guard let first = key.first else { return }
        let targets = key.compactMap { name in columns.first { $0.name == name }?.targetName }
        guard targets.count == key.count else {
            note(
                table,
                "rows are compared without a key, as whole rows: \(key.joined(separator: ", ")) is not all there"
            )
            return
        }
        if !keys.ordered.contains(targets[0]) || !keys.isUnique(targets) { facts.unordered.insert(table) }
        guard !keys.isUnique(targets), TargetSchema.words[found.kind] == nil || found.kind == "p" else {
            return
        }
        note(
            table,
            "nothing keeps rows of the same \(key.joined(separator: ", ")) out of the target: no unique key is over it; "
                + "rows that are there twice are told as extra", column: key.count == 1 ? first : nil)
    }

    private mutating func noteTypes(
        _ table: String, _ columns: [MigrationPlan.Column], _ found: TargetColumns
    ) {
        guard let source = preparation.catalog.tables.first(where: { $0.name == table }),
            let profile = preparation.profiles[table]
        else { return }
        let types = found.types
        for column in columns {
            guard let type = types[column.targetName], let index = source.position(of: column.name),
                index < profile.columns.count
            else { continue }
            var actual = column
            actual.type = type.sql
            let unit = column.integers ?? ProofRun.unit(of: actual, profile.columns[index], plan.style)
            self.types[table, default: [:]][column.name] = TypeNote(
                .init(
                    column: column, type: type, profile: profile.columns[index], style: plan.style, unit: unit
                ))
        }
    }

    // MARK: What only the target has

    /// Bytes of a table whose other columns are looked into.
    private static let mostBytes = 64 << 20

    private mutating func noteOthers(
        _ columns: [TargetColumns.Column], of table: String, _ name: String, _ found: TargetColumns,
        _ connection: borrowing Postgres.Connection
    ) throws {
        let qualified = quoteIdentifier(schema.name, name)
        let readable = columns.filter { $0.mayBeRead && !$0.isGenerated }
        var values: [String: String] = [:]
        let isCheap =
            try found.isPlain && !readable.isEmpty
            && connection.query("SELECT pg_table_size(to_regclass($1))", [qualified]).int(0, 0) ?? .max
                <= Self.mostBytes
        if isCheap {
            let terms = readable.map { column in
                let name = quoteIdentifier(column.name)
                return "count(\(name)), coalesce(min(\(name)::text) = max(\(name)::text), false)"
            }
            let result = try connection.query(
                "SELECT count(*), \(terms.joined(separator: ", ")) FROM \(qualified)")
            let rows = result.int(0, 0) ?? 0
            for (index, column) in readable.enumerated() {
                let count = result.int(0, 1 + 2 * index) ?? 0
                values[column.name] =
                    count == 0
                    ? "NULL in every row"
                    : count == rows && result.bool(0, 2 + 2 * index)
                        ? "the same value in every row"
                        : "\(Format.count(count, "value", "values")) in \(Format.count(rows, "row", "rows"))"
            }
        }
        for column in columns {
            let content = column.isGenerated ? "PostgreSQL computes it" : values[column.name]
            note(
                table, "the source has no column \(column.name)\(content.map { ": \($0)" } ?? "")",
                column: column.name)
        }
    }

    private mutating func noteOtherTables(_ matches: NameMatch) {
        let skipped = preparation.plan.tables.filter { $0.isSkipped || matches.matches[$0.name] == nil }
        let free = schema.tables.filter { !matches.matches.values.contains($0) }
        let left = Set(NameMatch.match(skipped.map(\.name), free).values)
        let named = free.filter { !left.contains($0) && !FrameworkTables.keepsOwn($0) }
        guard !named.isEmpty else { return }
        let some = named.prefix(Self.mostNames).joined(separator: ", ")
        let rest = named.count > Self.mostNames ? " and \(named.count - Self.mostNames) more" : ""
        notices.append(
            "the target has \(Format.count(named.count, "table", "tables")) that the source has not: \(some)\(rest)"
        )
    }

    private static let mostNames = 20

    /// A target of somebody else's need not have the source's views: those that it has are compared.
    private mutating func findViews(taken: Set<String>) {
        let matches = names.views(in: schema).matches
        plan.views = (plan.views ?? []).compactMap { view in
            guard let name = matches[view.name], !taken.contains(name) else {
                missingViews.append(view.name)
                return nil
            }
            var matched = view
            matched.target = name == view.name ? nil : name
            return matched
        }
    }

    private func refuseUnreadable(_ user: String) throws {
        guard !unreadable.isEmpty else { return }
        throw MigrationError(
            .target,
            "you may not read \(Format.count(unreadable.count, "table", "tables")) of the target, and nothing was compared: "
                + unreadable.joined(separator: "; "),
            remedy: "GRANT SELECT ON \(unreadable.count == 1 ? "it" : "them"), or ON ALL TABLES IN SCHEMA "
                + "\(quoteIdentifier(schema.name)), TO \(quoteIdentifier(user)); a policy asks for the owner or for BYPASSRLS. "
                + "With --table only the tables that you name are compared.")
    }
}
