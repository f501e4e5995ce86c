import Postgres

/// Makes what was translated on the target before any row moves, each in a savepoint, and takes all of it back.
///
/// What the server refuses becomes a finding with the server's words and the source as SQLite has it. Without anything
/// translated there is nothing to try.
struct SchemaTrial {
    let plan: MigrationPlan
    let catalog: Catalog

    private var script: SchemaScript { SchemaScript(plan) }

    var isNeeded: Bool {
        !(plan.views ?? []).isEmpty || !(plan.triggers ?? []).isEmpty
            || plan.tables.contains { table in
                !table.isSkipped && !plan.isAdopted(table)
                    && (!(table.checks ?? []).isEmpty || table.columns.contains(where: \.isGenerated)
                        || (table.indexes ?? []).contains { $0.terms != nil || $0.predicate != nil })
            }
    }

    func findings(_ target: borrowing Postgres.Connection) throws -> [Finding] {
        guard isNeeded else { return [] }
        try target.execute("BEGIN")
        do {
            let findings = try attempt(target)
            try target.execute("ROLLBACK")
            return findings
        } catch {
            try? target.execute("ROLLBACK")
            throw error
        }
    }

    private func attempt(_ target: borrowing Postgres.Connection) throws -> [Finding] {
        let schema = quoteIdentifier(plan.schema)
        if try target.query("SELECT to_regnamespace($1) IS NULL", [schema]).bool(0, 0) {
            try target.execute("CREATE SCHEMA \(schema)")
        }
        var plain = plan
        for table in plain.tables.indices {
            for column in plain.tables[table].columns.indices {
                plain.tables[table].columns[column].generated = nil
            }
        }
        for statement in SchemaScript(plain).beforeLoad {
            // What is wrong with a table itself is told by the making of the tables.
            if try refusal(of: statement, target) != nil { return [] }
        }
        var findings: [Finding] = []
        for table in plan.tables where !table.isSkipped && !plan.isAdopted(table) {
            for column in table.columns {
                if let finding = try tryGenerated(column, of: table, target) { findings.append(finding) }
            }
        }
        for (table, statements) in script.keysAndIndexes {
            for statement in statements where statement.kind != .unique {
                if let words = try refusal(of: statement.sql, target) {
                    findings.append(finding(statement, table, words))
                }
            }
        }
        var triggers = (plan.triggers ?? [])[...]
        for statement in script.viewsAndTriggers {
            let table = statement.kind == .view ? nil : triggers.first?.table
            if statement.kind == .trigger { triggers = triggers.dropFirst() }
            guard let words = try refusal(of: statement.sql, target) else { continue }
            // A trigger whose function was refused fails for that.
            if statement.kind == .trigger,
                findings.contains(where: { $0.object == statement.name && $0.table == table })
            {
                continue
            }
            findings.append(finding(statement, table, words))
        }
        return findings
    }

    private func tryGenerated(
        _ column: MigrationPlan.Column, of table: MigrationPlan.Table, _ target: borrowing Postgres.Connection
    ) throws -> Finding? {
        guard let expression = column.generated else { return nil }
        let name = script.qualified(table)
        let sql =
            "ALTER TABLE \(name) DROP COLUMN \(quoteIdentifier(column.targetName)), ADD COLUMN \(script.definition(column))"
        guard let words = try refusal(of: sql, target) else { return nil }
        return Finding(
            .refusedByServer, blocking: true, table: table.name, column: column.name,
            "the server refuses the generated column: \(words); in PostgreSQL's words it is \(expression)",
            choices: [
                Choice(
                    Choice.Word.leaveOut.rawValue,
                    "the values are carried as plain data, and nothing computes them")
            ])
    }

    private func finding(_ statement: SchemaScript.Statement, _ table: String?, _ words: String) -> Finding {
        let source = source(of: statement, table).map { "; in SQLite it is \($0)" } ?? ""
        return Finding(
            .refusedByServer, blocking: true, table: table, object: statement.sourceName,
            "the server refuses the \(statement.kind.rawValue) \(statement.name): \(words)\(source)",
            choices: [.leaveOut("the \(statement.kind.rawValue) \(statement.name)")])
    }

    private func source(of statement: SchemaScript.Statement, _ table: String?) -> String? {
        let name = statement.sourceName
        switch statement.kind {
        case .view: return catalog.views.first { $0.name == name }?.sql
        case .trigger, .function: return catalog.triggers.first { $0.name == name }?.sql
        case .check:
            return plan.tables.first { $0.name == table }?.checks?.first { $0.name == name }?.source
        case .index:
            return catalog.tables.first { $0.name == table }?.indexes.first { $0.name == name }?.sql
        default: return nil
        }
    }

    /// The server's words where it refuses a statement; the transaction goes on either way.
    private func refusal(
        of sql: String, _ target: borrowing Postgres.Connection
    ) throws -> String? {
        try target.execute("SAVEPOINT howdah_trial")
        do {
            _ = try target.query(sql)
            try target.execute("RELEASE SAVEPOINT howdah_trial")
            return nil
        } catch  where error.code == .server {
            try target.execute("ROLLBACK TO SAVEPOINT howdah_trial")
            return error.message
        }
    }
}
