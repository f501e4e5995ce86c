import Postgres
import SQLite

/// Tries values in types that only the server knows, before anything is made: each must come back as it went in.
///
/// Everything happens in temporary tables, in a transaction that is rolled back.
struct TypeTrial {
    let preparation: Preparation
    let cancellation: Cancellation

    func findings(_ target: borrowing Postgres.Connection) throws -> [Finding] {
        var findings: [Finding] = []
        for table in preparation.plan.tables where !table.isSkipped {
            guard let source = preparation.catalog.tables.first(where: { $0.name == table.name }) else {
                continue
            }
            for column in table.columns {
                guard let form = column.foreignForm else { continue }
                if let finding = try finding(source, column, form, target) { findings.append(finding) }
            }
        }
        return findings
    }

    private struct Misfits {
        var count = 0
        var rowids: [Int64] = []
    }

    private func finding(
        _ table: Catalog.Table, _ column: MigrationPlan.Column, _ form: ForeignForm,
        _ target: borrowing Postgres.Connection
    ) throws -> Finding? {
        let misfits: Misfits
        try target.execute("BEGIN")
        do {
            try load(table, column, form, target)
            misfits = try trial(form, target)
            try target.execute("ROLLBACK")
        } catch let error as PostgresError where error.code == .server {
            try target.execute("ROLLBACK")
            throw MigrationError(
                .plan, "\(table.name).\(column.name) cannot be of type \(column.type): \(error.message)",
                remedy: "Correct the type in the plan.", exit: .usage)
        } catch {
            try? target.execute("ROLLBACK")
            throw error
        }
        guard misfits.count > 0 else { return nil }
        return Finding(
            .valueDoesNotFit, blocking: true, table: table.name, column: column.name, count: misfits.count,
            sampleRowids: misfits.rowids,
            "\(misfits.count) values do not come back from \(column.type) as they went in",
            choices: [.type(.text), .skipTable(table.name)])
    }

    /// The column's values as their carrier, with their rowids where there are any.
    private func load(
        _ table: Catalog.Table, _ column: MigrationPlan.Column, _ form: ForeignForm,
        _ target: borrowing Postgres.Connection
    ) throws {
        try target.execute(
            "CREATE TEMP TABLE howdah_trial (value \(form.carrier), row bigint) ON COMMIT DROP")
        let connection = try preparation.data.open()
        let interrupter = connection.interrupter
        let hasRowid = table.rowidName != nil
        try cancellation.whileRegistered({ interrupter.interrupt() }) {
            let statement = try connection.prepare(preparation.data.query(table, columns: [column.name]).all)
            let names = hasRowid ? "value, row" : "value"
            var codes = [ColumnCode(column, enums: [])]
            if hasRowid {
                codes.append(ColumnCode(.init(name: "row", type: "bigint"), enums: []))
            }
            var encoder = RowEncoder(codes)
            encoder.appendHeader()
            _ = try target.copyIn("COPY pg_temp.howdah_trial (\(names)) FROM STDIN (FORMAT binary)") {
                do {
                    while try statement.step() {
                        // What has no text, the check without a server has found.
                        if encoder.encodeRow(statement.handle) != nil { continue }
                        guard encoder.bytes.count >= 1 << 16 else { continue }
                        try target.send(encoder.bytes)
                        encoder.removeAll()
                    }
                } catch let error as SQLiteError where error.isInterrupted {
                    throw MigrationError.cancelled
                }
                encoder.appendTrailer()
                try target.send(encoder.bytes)
            }
        }
    }

    /// All at once where the type takes every value; else one by one.
    private func trial(_ form: ForeignForm, _ target: borrowing Postgres.Connection) throws -> Misfits {
        _ = try target.query("SELECT NULL::\(form.type)")
        let returned = form.read("(\(form.load("value")))")
        try target.execute("SAVEPOINT howdah_all")
        do {
            return try misfits("\(returned) IS DISTINCT FROM value", target)
        } catch let error as PostgresError where error.code == .server {
            try target.execute("ROLLBACK TO SAVEPOINT howdah_all")
        }
        let body = """
            BEGIN RETURN \(returned) IS NOT DISTINCT FROM value; EXCEPTION WHEN OTHERS THEN RETURN false; END
            """
        _ = try target.query(
            """
            CREATE FUNCTION pg_temp.howdah_comes_back(value \(form.carrier)) RETURNS boolean LANGUAGE plpgsql
            AS \(quoteLiteral(body))
            """)
        return try misfits("NOT pg_temp.howdah_comes_back(value)", target)
    }

    private func misfits(
        _ condition: String, _ target: borrowing Postgres.Connection
    ) throws -> Misfits {
        let result = try target.query(
            """
            SELECT count(*), (SELECT string_agg(row::text, ' ') FROM (SELECT row FROM pg_temp.howdah_trial
                WHERE value IS NOT NULL AND \(condition) ORDER BY row LIMIT \(RowSamples.limit)) AS s)
            FROM pg_temp.howdah_trial WHERE value IS NOT NULL AND \(condition)
            """)
        let rowids = (result.text(0, 1) ?? "").split(separator: " ").compactMap { Int64($0) }
        return Misfits(count: result.int(0, 0) ?? 0, rowids: rowids)
    }
}
