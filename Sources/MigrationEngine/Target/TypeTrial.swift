import Postgres
import SQLite

/// Tries values in types that only the server knows, before anything is made: each must come back as it went in.
///
/// Everything happens in temporary tables, in a transaction that is rolled back.
struct TypeTrial {
    let data: SourceData
    let plan: MigrationPlan
    let catalog: Catalog
    let cancellation: Cancellation

    func findings(_ target: borrowing Postgres.Connection) throws -> [Finding] {
        var findings: [Finding] = []
        for table in plan.tables where !table.isSkipped {
            guard let source = catalog.tables.first(where: { $0.name == table.name }) else { continue }
            for column in table.columns where column.isForeign {
                let misfits = try misfits(source, column, domain: nil, isDecided: false, target)
                guard misfits.count > 0 else { continue }
                findings.append(
                    Finding(
                        .valueDoesNotFit, blocking: true, table: table.name, column: column.name,
                        count: misfits.count, sampleRowids: Array(misfits.rowids.prefix(RowSamples.limit)),
                        "\(misfits.count) values do not come back from \(column.type) as they went in",
                        choices: (plan.isAdopted(table) ? [] : [.type(.text)]) + [.skipTable(table.name)]))
            }
        }
        return findings
    }

    /// Values that a type refuses or changes; of rows without a rowid only their number.
    struct Misfits: Sendable {
        var count = 0
        var rowids: [Int64] = []
    }

    /// What is tried of a column: its values in a staging column, and what the server makes of them.
    private struct Trial {
        let code: ColumnCode
        let carrier: String
        /// The type of the target's column.
        let type: String
        let isPlansWord: Bool
        /// SQL over the staging column `value`: what was given, and what comes back.
        let given: String
        let returned: String
    }

    private func trial(_ column: MigrationPlan.Column, domain: String?, isDecided: Bool) -> Trial {
        let code = ColumnCode(
            column, enums: plan.enums, dates: DateReading(style: plan.style, isDecided: isDecided))
        func value(_ made: String) -> String { domain.map { "(\(made))::\($0)" } ?? made }
        guard let form = column.foreignForm else {
            let type = SchemaScript(plan).type(of: column)
            return Trial(
                code: code, carrier: type, type: domain ?? type, isPlansWord: domain == nil,
                given: "value::text",
                returned: "((\(value("value")))::\(type))::text")
        }
        return Trial(
            code: code, carrier: form.carrier, type: domain ?? form.type, isPlansWord: domain == nil,
            given: "value",
            returned: form.read("(\(value(form.load("value"))))"))
    }

    /// The values of a column that its type, or a domain over it, does not take as they are.
    func misfits(
        _ table: Catalog.Table, _ column: MigrationPlan.Column, domain: String?, isDecided: Bool,
        _ target: borrowing Postgres.Connection
    ) throws -> Misfits {
        let trial = trial(column, domain: domain, isDecided: isDecided)
        let misfits: Misfits
        try target.execute("BEGIN")
        do {
            try load(table, column, trial, target)
            misfits = try run(trial, target)
            try target.execute("ROLLBACK")
        } catch let error as PostgresError where error.code == .server {
            try target.execute("ROLLBACK")
            throw MigrationError(
                .plan, "\(table.name).\(column.name) cannot be of type \(trial.type): \(error.message)",
                remedy: "Correct the type in the plan.", exit: .usage)
        } catch {
            try? target.execute("ROLLBACK")
            throw error
        }
        return misfits
    }

    /// The column's values as their carrier, with their rowids where there are any.
    private func load(
        _ table: Catalog.Table, _ column: MigrationPlan.Column, _ trial: Trial,
        _ target: borrowing Postgres.Connection
    ) throws {
        try target.execute(
            "CREATE TEMP TABLE howdah_trial (value \(trial.carrier), row bigint) ON COMMIT DROP")
        try TrialRows(data: data, cancellation: cancellation).send(
            data.query(table, columns: [column.name]).all, codes: [trial.code], into: "pg_temp.howdah_trial",
            columns: ["value"], rowColumn: table.rowidName == nil ? nil : "row", target)
    }

    /// All at once where the type takes every value; else one by one.
    private func run(_ trial: Trial, _ target: borrowing Postgres.Connection) throws -> Misfits {
        // A plan's words go through the protocol that takes one statement only, before any other use.
        if trial.isPlansWord { _ = try target.query("SELECT NULL::\(trial.type)") }
        try target.execute("SAVEPOINT howdah_all")
        do {
            return try misfits("\(trial.returned) IS DISTINCT FROM \(trial.given)", target)
        } catch let error as PostgresError where error.code == .server {
            try target.execute("ROLLBACK TO SAVEPOINT howdah_all")
        }
        let body = """
            BEGIN RETURN \(trial.returned) IS NOT DISTINCT FROM \(trial.given); EXCEPTION WHEN OTHERS THEN RETURN false; END
            """
        _ = try target.query(
            """
            CREATE FUNCTION pg_temp.howdah_comes_back(value \(trial.carrier)) RETURNS boolean LANGUAGE plpgsql
            AS \(quoteLiteral(body))
            """)
        return try misfits("NOT pg_temp.howdah_comes_back(value)", target)
    }

    private func misfits(
        _ condition: String, _ target: borrowing Postgres.Connection
    ) throws -> Misfits {
        let result = try target.query(
            """
            SELECT count(*), string_agg(row::text, ' ' ORDER BY row)
            FROM pg_temp.howdah_trial WHERE value IS NOT NULL AND \(condition)
            """)
        let rowids = (result.text(0, 1) ?? "").split(separator: " ").compactMap { Int64($0) }
        return Misfits(count: result.int(0, 0) ?? 0, rowids: rowids)
    }
}
