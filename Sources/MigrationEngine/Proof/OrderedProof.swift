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
        var walk = Walk(
            table: table, key: key, DifferenceRecorder(table, part: keys.lowerBound, log: log))
        try walk.advance(statement)
        let column = quoteIdentifier(table.targetColumns[key])
        // The key's index gives the order; sorting would write the table out once more.
        try target.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        var row = BinaryRow(columnCount: table.columns.count)
        var nameless = BinaryRow(columnCount: table.columns.count)
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
        // No range has rows without a key, which only a target that somebody else has made can hold.
        if keys.upperBound == .max {
            try target.copyOut(
                """
                COPY (SELECT \(table.selectList()) FROM \(quoteIdentifier(schema, table.target)) WHERE \(column) IS NULL)
                TO STDOUT (FORMAT binary)
                """
            ) { message in
                guard try nameless.read(message) else { return }
                try walk.noteNameless(nameless, &scratch)
            }
        }
        try walk.finish()
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
    private struct Walk: ~Copyable {
        let table: ProofTable
        let key: Int
        let relation: Relation
        var recorder: DifferenceRecorder
        var verdict = TableVerdict(.equal)
        var hasRow = false
        var sourceKey: Int64 = 0
        private var reported = 0

        init(table: ProofTable, key: Int, _ recorder: consuming DifferenceRecorder) {
            self.recorder = recorder
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

        private mutating func report() {
            table.counters.compared.add(verdict.sourceRows - reported, ordering: .relaxed)
            reported = verdict.sourceRows
        }

        mutating func finish() throws {
            report()
            try recorder.finish()
        }

        private mutating func add(
            _ kind: RowDifference.Kind, _ key: Int64?, _ columns: [String] = [], targetHash: Int64? = nil
        ) throws {
            let difference = RowDifference(
                kind: kind, key: key.map { "\($0)" } ?? "NULL", columns: columns,
                place: .init(keys: key.map { ["\($0)"] }))
            verdict.add(difference)
            try recorder.add(difference, targetHash: targetHash)
        }

        mutating func noteMissing(_ statement: borrowing SQLite.Statement) throws {
            try add(.missing, sourceKey)
            try advance(statement)
        }

        mutating func noteNameless(
            _ row: borrowing BinaryRow, _ scratch: inout Relation.Scratch
        ) throws {
            verdict.targetRows += 1
            try add(.extra, nil, targetHash: hash(row, &scratch))
        }

        mutating func meet(
            _ row: borrowing BinaryRow, _ statement: borrowing SQLite.Statement,
            _ scratch: inout Relation.Scratch
        ) throws {
            verdict.targetRows += 1
            let targetKey = Self.number(row[key])
            while hasRow, sourceKey < targetKey { try noteMissing(statement) }
            guard hasRow, sourceKey == targetKey else {
                try add(.extra, targetKey, targetHash: hash(row, &scratch))
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
                    if recorder.isKept { note(column, row, statement, &scratch) }
                }
                try add(.changed, targetKey, changed, targetHash: hash(row, &scratch))
            }
            try advance(statement)
        }

        /// What has become of a value that differs.
        private mutating func note(
            _ column: Int, _ row: borrowing BinaryRow, _ statement: borrowing SQLite.Statement,
            _ scratch: inout Relation.Scratch
        ) {
            scratch.source.truncate(to: 0)
            scratch.target.truncate(to: 0)
            relation.appendSource(statement.handle, column, &scratch.source)
            relation.appendTarget(row[column], column, &scratch.target)
            recorder.note(Array(scratch.source.bytes)[...], Array(scratch.target.bytes)[...], column: column)
        }

        private func hash(_ row: borrowing BinaryRow, _ scratch: inout Relation.Scratch) -> Int64? {
            guard recorder.isKept else { return nil }
            scratch.target.truncate(to: 0)
            for column in 0..<table.columns.count {
                let field = row[column]
                RowForm.appendCounted(&scratch.target) { relation.appendTarget(field, column, &$0) }
            }
            return recorder.hash(ofTarget: scratch.target.bytes)
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
