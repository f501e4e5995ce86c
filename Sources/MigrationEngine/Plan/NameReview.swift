/// Names in the target that PostgreSQL cannot have, or that are taken already: each gets a proposal.
enum NameReview {
    static func findings(_ plan: MigrationPlan) -> [Finding] {
        let tables = plan.tables.filter { !$0.isSkipped }
        var taken = NameSpace()
        for table in tables { _ = taken.claim(table.targetName) }
        var seen: Set<String> = []
        return tables.flatMap { table -> [Finding] in
            var findings: [Finding] = []
            let name = table.targetName
            if let obstacle = Naming.obstacle(name, isColumn: false) {
                findings.append(
                    finding(
                        obstacle.id, table, column: nil, "the name of the table \(name) \(obstacle.why)",
                        proposal: taken.claim(possible(name))))
            } else if !seen.insert(name).inserted {
                findings.append(
                    finding(
                        .nameTaken, table, column: nil,
                        "another table is called \(name) in the target already",
                        proposal: taken.claim(name)))
            }
            return findings + columns(of: table)
        }
    }

    private static func columns(of table: MigrationPlan.Table) -> [Finding] {
        var taken = NameSpace()
        for column in table.columns { _ = taken.claim(column.targetName) }
        var seen: Set<String> = []
        return table.columns.compactMap { column in
            let name = column.targetName
            if let obstacle = Naming.obstacle(name, isColumn: true) {
                return finding(
                    obstacle.id, table, column: column.name,
                    "the name of the column \(name) \(obstacle.why)", proposal: taken.claim(possible(name)))
            }
            guard !seen.insert(name).inserted else { return nil }
            return finding(
                .nameTaken, table, column: column.name,
                "another column of \(table.name) is called \(name) in the target already",
                proposal: taken.claim(name))
        }
    }

    private static func finding(
        _ id: Finding.ID, _ table: MigrationPlan.Table, column: String?, _ message: String, proposal: String
    ) -> Finding {
        Finding(
            id, blocking: true, table: table.name, column: column, message,
            choices: [.rename(proposal), .skipTable(table.name)])
    }

    /// A name that PostgreSQL can have, as near as can be.
    private static func possible(_ name: String) -> String {
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: name.unicodeScalars.filter { $0 != "\0" && $0 != "\u{FEFF}" })
        let kept = Naming.cut(String(scalars), suffix: "")
        if kept.isEmpty { return "unnamed" }
        return Naming.obstacle(kept, isColumn: true) == nil ? kept : Naming.cut(kept, suffix: "_")
    }
}
