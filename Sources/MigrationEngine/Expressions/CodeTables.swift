import Postgres
import SQLDialect

extension MigrationPlan {
    /// The tables and views as SQL in an application's code sees them, by what the plan says of their types, and the catalog,
    /// where it is at hand, of their collations.
    public func codeTables(_ catalog: Catalog?) -> [StatementRewriter.Table] {
        tables.filter { !$0.isSkipped }.map { table in
            codeTable(table, catalog?.tables.first { $0.name == table.name })
        } + (views ?? []).map(codeTable)
    }

    private func codeTable(_ table: Table, _ source: Catalog.Table?) -> StatementRewriter.Table {
        let key = table.primaryKey?.columns ?? []
        let uniques =
            (table.uniques ?? []).map(\.columns)
            + (table.indexes ?? []).filter { $0.unique == true && $0.predicate == nil && $0.terms == nil }
            .map(\.columns)
        let isNumber =
            key.count == 1 ? table.column(named: key[0]).map { Self.isInteger($0) } ?? false : false
        let relation = SQLRelation(
            name: table.name, target: quoteIdentifier(schema, table.targetName),
            columns: table.columns.map { column in
                var known = codeColumn(column)
                if let declared = source?.columns.first(where: { $0.name == column.name }) {
                    known.collation = declared.collation.uppercased()
                    known.affinity = declared.affinity
                }
                return known
            }, rowidAlias: isNumber ? key[0] : nil)
        return StatementRewriter.Table(
            relation, target: table.targetName, keys: ([key] + uniques).filter { !$0.isEmpty },
            notNull: Set(table.columns.filter { $0.notNull ?? false }.map(\.name)).union(key))
    }

    private func codeTable(_ view: View) -> StatementRewriter.Table {
        StatementRewriter.Table(
            SQLRelation(
                name: view.name, target: quoteIdentifier(schema, view.targetName),
                columns: view.columns.map(codeColumn)), target: view.targetName)
    }

    private static func isInteger(_ column: Column) -> Bool {
        [.smallint, .integer, .bigint].contains(column.postgresType)
    }

    private func codeColumn(_ column: Column) -> SQLRelation.Column {
        var sqlType = column.postgresType.sql
        var affinity = SQLRelation.Affinity.numeric
        var storage = SQLRelation.Storage.exact
        let type: ValueType
        switch column.postgresType {
        case .boolean: type = .boolean
        case .smallint, .integer: (type, affinity) = (.narrow, .integer)
        case .bigint: (type, affinity) = (.integer, .integer)
        case .double: (type, affinity) = (.double, .real)
        case .numeric: type = .numeric
        case .text, .varchar: (type, affinity) = (.text, .text)
        case .bytea: (type, affinity) = (.bytea, .blob)
        case .json, .jsonb: (type, storage, affinity) = (.other("json"), .json, .text)
        case .uuid: (type, affinity) = (.other("uuid"), .text)
        case .enumeration(let name):
            (type, affinity) = (.other("enum"), .text)
            sqlType = quoteIdentifier(schema, name)
        case .timestamp, .timestamptz:
            let unit = column.integers ?? (style == .prisma ? .milliseconds : nil)
            storage = unit.map { .epoch(perSecond: Int(1_000_000 / $0.microseconds)) } ?? .mixed
            type = .other("timestamp")
        case .date: (type, storage) = (.other("date"), .mixed)
        case .time: (type, storage) = (.other("time"), .mixed)
        case .real, .char, .other: (type, storage) = (.other(sqlType), .mixed)
        }
        return SQLRelation.Column(
            name: column.name, target: column.targetName, type: type, storage: storage, affinity: affinity,
            sqlType: sqlType)
    }
}
