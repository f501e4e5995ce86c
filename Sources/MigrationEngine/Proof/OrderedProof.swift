import Postgres
import SQLite
import Synchronization

/// Compares a table with an integer key by walking both sides in the key's order: memory does not grow.
struct OrderedProof {
    let table: ProofTable
    let data: SourceData
    let schema: String
    let keys: ClosedRange<Int64>
    let log: DifferenceLog?

    func run(
        _ source: borrowing SQLite.Connection, _ target: borrowing Postgres.Connection
    ) throws -> TableVerdict {
        guard let key = table.integerKey else {
            preconditionFailure("only tables with an integer key are walked")
        }
        let statement = try prepare(source, key: key)
        var walk = Walk(table: table, key: key, log: log)
        try walk.advance(statement)
        let column = quoteIdentifier(table.targetColumns[key])
        // The key's index gives the order; sorting would write the table out once more.
        try target.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        var row = BinaryRow(columnCount: table.columns.count)
        var scratch = Relation.Scratch()
        try target.copyOut(
            """
            COPY (SELECT \(table.selectList()) FROM \(quoteIdentifier(schema, table.target))
                WHERE \(column) >= \(keys.lowerBound) AND \(column) <= \(keys.upperBound) ORDER BY \(column)
            ) TO STDOUT (FORMAT binary)
            """
        ) { message in
            guard try row.read(message) else { return }
            try walk.meet(row, statement, &scratch)
        }
        while walk.hasRow { try walk.noteMissing(statement) }
        walk.report()
        return walk.verdict
    }

    private func prepare(
        _ source: borrowing SQLite.Connection, key: Int
    ) throws -> SQLite.Statement {
        let query = data.query(table.source, columns: table.columns)
        return table.isKeyRowid
            ? try query.prepare(.rowids(keys), source)
            : try source.prepare(query.ordered(by: table.columns[key]))
    }

    /// The place on both sides.
    private struct Walk {
        let table: ProofTable
        let key: Int
        let relation: Relation
        let log: DifferenceLog?
        var verdict = TableVerdict(.equal)
        var hasRow = false
        var sourceKey: Int64 = 0
        private var reported = 0

        init(table: ProofTable, key: Int, log: DifferenceLog?) {
            self.log = log
            self.table = table
            self.key = key
            relation = Relation(table.codes)
        }

        mutating func advance(_ statement: borrowing SQLite.Statement) throws {
            hasRow = try statement.step()
            guard hasRow else { return }
            sourceKey = statement.int64(Int32(key))
            verdict.sourceRows += 1
            if verdict.sourceRows & 0xFFF == 0 { report() }
        }

        mutating func report() {
            table.counters.compared.add(verdict.sourceRows - reported, ordering: .relaxed)
            reported = verdict.sourceRows
        }

        private mutating func add(_ kind: RowDifference.Kind, _ key: Int64, _ columns: [String] = []) throws {
            let difference = RowDifference(
                kind: kind, key: "\(key)", columns: columns, place: .init(keys: ["\(key)"]))
            verdict.add(difference)
            try log?.add(difference, of: table.source.name)
        }

        mutating func noteMissing(_ statement: borrowing SQLite.Statement) throws {
            try add(.missing, sourceKey)
            try advance(statement)
        }

        mutating func meet(
            _ row: borrowing BinaryRow, _ statement: borrowing SQLite.Statement,
            _ scratch: inout Relation.Scratch
        ) throws {
            verdict.targetRows += 1
            let targetKey = Self.number(row[key])
            while hasRow, sourceKey < targetKey { try noteMissing(statement) }
            guard hasRow, sourceKey == targetKey else {
                try add(.extra, targetKey)
                return
            }
            var isEqual = true
            for column in 0..<table.columns.count
            where !relation.isEqual(statement.handle, column, row[column], &scratch) {
                isEqual = false
                break
            }
            if !isEqual {
                var changed: [String] = []
                for column in 0..<table.columns.count
                where !relation.isEqual(statement.handle, column, row[column], &scratch) {
                    changed.append(table.columns[column])
                }
                try add(.changed, targetKey, changed)
            }
            try advance(statement)
        }

        private static func number(_ field: BinaryRow.Field) -> Int64 {
            switch field.count {
            case 2: Int64(field.integer(Int16.self))
            case 4: Int64(field.integer(Int32.self))
            default: field.integer(Int64.self)
            }
        }
    }
}
