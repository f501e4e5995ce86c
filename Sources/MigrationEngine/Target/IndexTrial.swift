import Postgres
import SQLite

/// Tries values in the keys and indexes of a plan that may be too long for a row of an index: about 2,704 bytes after a
/// compression that only the server knows.
///
/// Everything happens in temporary tables, in a transaction that is rolled back; only rows with long values are sent.
struct IndexTrial {
    let preparation: Preparation
    let plan: MigrationPlan
    let cancellation: Cancellation

    /// Bytes from which on a row may be too long: a third of a page, less what a row's own fields take.
    static let doubtful = 2600

    struct Key {
        let kind: ObjectState.Kind
        let name: String
        let columns: [String]
    }

    func findings(_ target: borrowing Postgres.Connection) throws -> [Finding] {
        var findings: [Finding] = []
        for table in plan.tables where !table.isSkipped {
            guard let source = preparation.catalog.tables.first(where: { $0.name == table.name }),
                let profile = preparation.profiles[table.name]
            else { continue }
            for key in keys(of: table) where length(key, source, profile) > Self.doubtful {
                if let finding = try finding(key, table, source, target) { findings.append(finding) }
            }
        }
        return findings
    }

    private func keys(of table: MigrationPlan.Table) -> [Key] {
        [table.primaryKey].compactMap {
            $0.map { Key(kind: .primaryKey, name: $0.name, columns: $0.columns) }
        }
            + (table.uniques ?? []).map { Key(kind: .unique, name: $0.name, columns: $0.columns) }
            + (table.indexes ?? []).filter { $0.terms == nil && $0.method == nil }
            .map { Key(kind: $0.unique ?? false ? .unique : .index, name: $0.name, columns: $0.columns) }
    }

    private func length(_ key: Key, _ table: Catalog.Table, _ profile: TableProfile) -> Int {
        key.columns.compactMap { name in
            table.columns.firstIndex { $0.name == name }.flatMap { index in
                index < profile.columns.count ? profile.columns[index].maxBytes : nil
            }
        }.reduce(0, +)
    }

    private func finding(
        _ key: Key, _ table: MigrationPlan.Table, _ source: Catalog.Table,
        _ target: borrowing Postgres.Connection
    ) throws -> Finding? {
        try target.execute("BEGIN")
        defer { try? target.execute("ROLLBACK") }
        try load(key, table, source, target)
        let names = key.columns.map(quoteIdentifier).joined(separator: ", ")
        let body = """
            DECLARE place tid;
            BEGIN
                FOR place IN SELECT ctid FROM pg_temp.howdah_long LOOP
                    BEGIN
                        INSERT INTO pg_temp.howdah_try SELECT \(names) FROM pg_temp.howdah_long WHERE ctid = place;
                    EXCEPTION WHEN program_limit_exceeded THEN
                        INSERT INTO pg_temp.howdah_refused SELECT howdah_row FROM pg_temp.howdah_long WHERE ctid = place;
                    END;
                END LOOP;
            END
            """
        try target.execute(
            """
            CREATE TEMP TABLE howdah_try ON COMMIT DROP AS SELECT \(names) FROM pg_temp.howdah_long WHERE false;
            CREATE INDEX ON pg_temp.howdah_try (\(names));
            CREATE TEMP TABLE howdah_refused (howdah_row bigint) ON COMMIT DROP;
            DO \(quoteLiteral(body))
            """)
        let result = try target.query(
            """
            SELECT count(*), (SELECT string_agg(howdah_row::text, ' ') FROM (
                SELECT howdah_row FROM pg_temp.howdah_refused ORDER BY 1 LIMIT \(RowSamples.limit)) AS s)
            FROM pg_temp.howdah_refused
            """)
        guard let count = result.int(0, 0), count > 0 else { return nil }
        let rowids = (result.text(0, 1) ?? "").split(separator: " ").compactMap { Int64($0) }
        return Finding(
            .indexRowTooLong, blocking: true, table: table.name, object: key.name, count: count,
            sampleRowids: rowids,
            "\(Format.count(count, "row has", "rows have")) values that are too long for the \(key.kind.rawValue) \(key.name): "
                + "a row of an index holds about 2,700 bytes after compression", choices: choices(key, table))
    }

    private func choices(_ key: Key, _ table: MigrationPlan.Table) -> [Choice] {
        // A key of somebody else's stays as it is.
        if plan.isAdopted(table) { return [.skipTable(table.name)] }
        var choices: [Choice] = []
        let type = key.columns.count == 1 ? table.column(named: key.columns[0])?.postgresType : nil
        let isDigestible = [.text, .bytea, .varchar(nil)].contains(type)
        if key.kind == .index, type != nil {
            choices.append(
                Choice(
                    Choice.Word.hash.rawValue,
                    "the index becomes a hash index, which answers = and orders nothing"))
        } else if key.kind == .unique, isDigestible {
            choices.append(
                Choice(
                    Choice.Word.digest.rawValue,
                    "an index over md5 of the value takes its place and keeps it unique"))
        }
        return choices + [.leaveOut("the \(key.kind.rawValue) \(key.name)"), .skipTable(table.name)]
    }

    /// The key's columns of rows with long values, with their rowids where there are any.
    private func load(
        _ key: Key, _ table: MigrationPlan.Table, _ source: Catalog.Table,
        _ target: borrowing Postgres.Connection
    ) throws {
        let columns = key.columns.compactMap { table.column(named: $0) }
        let definitions = columns.map {
            "\(quoteIdentifier($0.name)) \($0.isForeign ? "text" : $0.postgresType.trialSQL)"
        }
        try target.execute(
            "CREATE TEMP TABLE howdah_long (\(definitions.joined(separator: ", ")), howdah_row bigint) ON COMMIT DROP"
        )
        let sum = columns.map {
            "ifnull(length(CAST(\(DecidedTable.alias).\(quoteIdentifier($0.name)) AS BLOB)), 0)"
        }
        .joined(separator: " + ")
        let query = preparation.data.query(source, columns: columns.map(\.name)).rows(
            where: "\(sum) > \(Self.doubtful)")
        let codes = columns.map { column in
            ColumnCode(column, enums: plan.enums, dates: DateReading(style: plan.style, isDecided: true))
        }
        try TrialRows(data: preparation.data, cancellation: cancellation).send(
            query, codes: codes, into: "pg_temp.howdah_long", columns: columns.map(\.name),
            rowColumn: source.rowidName == nil ? nil : "howdah_row", target)
    }
}

extension PostgresType {
    /// The type in a table of a trial's: an enum is not made yet, and its labels are short.
    fileprivate var trialSQL: String {
        if case .enumeration = self { return "text" }
        return sql
    }
}
