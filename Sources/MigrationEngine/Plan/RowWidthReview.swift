import Postgres
import SQLite

/// Rows that are wider than a page of PostgreSQL's even when every long value is moved out of it.
///
/// https://www.postgresql.org/docs/current/storage-toast.html: a value that is moved out leaves 18 bytes. What alignment adds
/// is not counted, so that only rows that surely fail are found.
enum RowWidthReview {
    /// Bytes of a page that one row may take (MaxHeapTupleSize).
    static let widest = 8160
    private static let pointer = 18

    static func findings(
        _ plan: MigrationPlan, _ tables: [Catalog.Table], _ connection: borrowing SQLite.Connection
    ) throws -> [Finding] {
        var findings: [Finding] = []
        for table in tables {
            guard let planned = plan.tables.first(where: { $0.name == table.name }),
                let condition = tooWide(planned)
            else { continue }
            let query = SourceQuery(table, columns: RowSamples.naming(table))
            let statement = try connection.prepare(query.rows(where: condition))
            var samples = RowSamples()
            var count = 0
            while try statement.step() {
                count += 1
                samples.add(statement, of: table, from: 0)
            }
            guard count > 0 else { continue }
            let choices: [Choice] = RowIdentity(table) == nil ? [] : [.quarantine(count)]
            findings.append(
                Finding(
                    .rowTooWide, blocking: true, table: table.name, count: count,
                    sampleRowids: samples.rowids,
                    sampleKeys: samples.keys,
                    "\(Format.count(count, "row is", "rows are")) wider than a page of PostgreSQL's (\(widest) bytes), also with "
                        + "every long value moved out of it", choices: choices + [.skipTable(table.name)]))
        }
        return findings
    }

    /// The condition, over the source's table, of rows that are too wide; nil where no row can be.
    static func tooWide(_ table: MigrationPlan.Table) -> String? {
        let widths = table.columns.map { width($0.postgresType) ?? pointer }
        let header = 24 + (table.columns.count + 7) / 8
        guard header + widths.reduce(0, +) > widest else { return nil }
        let terms = table.columns.map { column -> String in
            let name = "\(DecidedTable.alias).\(quoteIdentifier(column.name))"
            let width =
                width(column.postgresType).map(String.init)
                ?? "min(length(CAST(\(name) AS BLOB)) + 1, \(pointer))"
            return "CASE WHEN typeof(\(name)) = 'null' THEN 0 ELSE \(width) END"
        }
        // In groups: SQLite takes no expression that is over 1,000 levels deep.
        let groups = stride(from: 0, to: terms.count, by: 50).map { start in
            "(" + terms[start..<min(start + 50, terms.count)].joined(separator: " + ") + ")"
        }
        return "\(header) + \(groups.joined(separator: " + ")) > \(widest)"
    }

    /// Bytes of a type whose values have all one length.
    private static func width(_ type: PostgresType) -> Int? {
        switch type {
        case .boolean: 1
        case .smallint: 2
        case .integer, .date, .enumeration: 4
        case .bigint, .double, .timestamp, .timestamptz, .time: 8
        case .uuid: 16
        default: nil
        }
    }
}
