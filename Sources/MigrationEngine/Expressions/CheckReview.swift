import SQLite

/// Rows that break a CHECK of their own table: SQLite lets them in by `PRAGMA ignore_check_constraints` and by ALTER TABLE.
enum CheckReview {
    static func findings(
        _ plan: MigrationPlan, _ tables: [Catalog.Table], _ connection: borrowing SQLite.Connection
    ) throws -> [Finding] {
        var findings: [Finding] = []
        for table in tables {
            guard let planned = plan.tables.first(where: { $0.name == table.name }) else { continue }
            for check in planned.checks ?? [] where !(check.notValid ?? false) {
                guard let source = check.source else { continue }
                if let finding = try finding(check, broken(by: source), table, connection) {
                    findings.append(finding)
                }
            }
        }
        return findings
    }

    /// The condition of rows that break a check; NULL breaks none.
    static func broken(by source: String) -> String { "NOT (\(source))" }

    private static func finding(
        _ check: MigrationPlan.Check, _ condition: String, _ table: Catalog.Table,
        _ connection: borrowing SQLite.Connection
    ) throws -> Finding? {
        let naming = RowSamples.naming(table)
        let query = SourceQuery(table, columns: naming)
        let statement = try connection.prepare(query.rows(where: condition))
        var samples = RowSamples()
        var count = 0
        while try statement.step() {
            count += 1
            samples.add(statement, of: table, from: 0)
        }
        guard count > 0 else { return nil }
        var choices: [Choice] = [
            Choice(
                Choice.Word.notValid.rawValue,
                "the check \(check.name) is made NOT VALID: every row is loaded, and only new rows are checked"
            )
        ]
        if RowIdentity(table) != nil { choices.append(.quarantine(count)) }
        choices += [.leaveOut("the check \(check.name)"), .skipTable(table.name)]
        return Finding(
            .checkBroken, blocking: true, table: table.name, object: check.name, count: count,
            sampleRowids: samples.rowids, sampleKeys: samples.keys,
            "\(Format.count(count, "row breaks", "rows break")) the check \(check.name): \(check.source ?? "")",
            choices: choices)
    }
}
