import Postgres
import SQLite

/// What the source's rows lack for tables that the target has already, beyond what is found for any target.
extension DataReview {
    /// Values that only the server can refuse, and rows that break foreign keys which the target has and the source has not.
    func adoptedFindings(_ plan: MigrationPlan, changedTypes: [String: Set<String>]) throws -> [Finding] {
        guard let adoption else { return [] }
        return try plan.adoptedTables.flatMap { table -> [Finding] in
            guard let source = self.table(table.name), adoption.isThere(table) else { return [] }
            let values = try table.columns.compactMap { column in
                try refusedValues(
                    source, table, column, changedTypes[table.name]?.contains(column.name) ?? false, plan)
            }
            let orphans = try (table.foreignKeys ?? []).compactMap { try brokenKey($0, source, table, plan) }
            return values + orphans
        }
    }

    private func refusedValues(
        _ source: Catalog.Table, _ table: MigrationPlan.Table, _ column: MigrationPlan.Column,
        _ isDecided: Bool,
        _ plan: MigrationPlan
    ) throws -> Finding? {
        guard let misfits = try serverMisfits(source, table, column, isDecided: isDecided, plan),
            misfits.count > 0
        else { return nil }
        var choices: [Choice] = []
        if source.rowidName != nil {
            choices.append(.quarantine(misfits.count))
            if table.mayBeNull([column.name]) { choices.append(.setNull(misfits.count)) }
        }
        let type = domain(table, column) ?? column.type
        return Finding(
            .valueDoesNotFit, blocking: true, table: table.name, column: column.name, count: misfits.count,
            sampleRowids: Array(misfits.rowids.prefix(RowSamples.limit)),
            "\(Format.count(misfits.count, "value does", "values do")) not come back from \(type) as they went in, or not get in",
            choices: choices + [.skipTable(table.name)])
    }

    private func domain(_ table: MigrationPlan.Table, _ column: MigrationPlan.Column) -> String? {
        adoption?.target.table(named: table.targetName)?.column(named: column.targetName)?.domain
    }

    /// Values of an adopted table's column that only the server can refuse; nil for others.
    func serverMisfits(
        _ source: Catalog.Table, _ table: MigrationPlan.Table, _ column: MigrationPlan.Column,
        isDecided: Bool,
        _ plan: MigrationPlan
    ) throws -> TypeTrial.Misfits? {
        guard let adoption, plan.isAdopted(table) else { return nil }
        return try adoption.trial.misfits(
            source, column, domain: domain(table, column), isDecided: isDecided, plan)
    }

    /// Orphans of a key that SQLite knows nothing of. Parents whose rows are in the target already are looked at there,
    /// after the load.
    private func brokenKey(
        _ key: MigrationPlan.ForeignKey, _ source: Catalog.Table, _ table: MigrationPlan.Table,
        _ plan: MigrationPlan
    ) throws -> Finding? {
        let isDeclared = source.foreignKeys.contains {
            $0.columns == key.columns && $0.parentTable == key.parent
        }
        guard !isDeclared, let parent = plan.tables.first(where: { $0.name == key.parent }),
            !parent.isSkipped,
            adoption?.rowsBefore[parent.targetName] ?? 0 == 0
        else { return nil }
        func list(_ columns: [String], _ suffix: String) -> String {
            columns.map { quoteIdentifier($0) + suffix }.joined(separator: ", ")
        }
        let present = key.columns.map { "\(quoteIdentifier($0)) IS NOT NULL" }
        let others = key.parentColumns.map { "\(quoteIdentifier($0)) IS NOT NULL" }
        let naming = RowIdentity(source)?.terms.joined(separator: ", ") ?? "NULL"
        let connection = try snapshot.open()
        let interrupter = connection.interrupter
        return try cancellation.whileRegistered({ interrupter.interrupt() }) {
            var count = 0
            var rowids: [Int64] = []
            do {
                let statement = try connection.prepare(
                    """
                    SELECT \(naming) FROM \(quoteIdentifier(source.name)) WHERE \(present.joined(separator: " AND "))
                        AND (\(list(key.columns, " COLLATE BINARY"))) NOT IN (SELECT \(list(key.parentColumns, ""))
                            FROM \(quoteIdentifier(key.parent)) WHERE \(others.joined(separator: " AND ")))
                    """)
                while try statement.step() {
                    count += 1
                    if rowids.count < RowSamples.limit, source.rowidName != nil {
                        rowids.append(statement.int64(0))
                    }
                }
            } catch let error as SQLiteError where error.isInterrupted {
                throw MigrationError.cancelled
            }
            guard count > 0 else { return nil }
            var choices: [Choice] = []
            if RowIdentity(source) != nil {
                choices.append(.quarantine(count, more: ", and rows that refer to them follow"))
                if table.mayBeNull(key.columns) { choices.append(.setNull(count)) }
            }
            return Finding(
                .orphanRows, blocking: true, table: table.name, column: key.columns.joined(separator: ", "),
                object: key.name, count: count, sampleRowids: rowids,
                "\(Format.count(count, "row refers", "rows refer")) to rows of \(key.parent) that are not there, which the target's "
                    + "foreign key \(key.name) refuses",
                choices: choices + [.skipTable(table.name)])
        }
    }
}
