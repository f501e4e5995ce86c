import Postgres

/// Makes the sequences of numbered columns go on after the largest number ever given.
struct Sequences {
    struct Outcome {
        var objects: [ObjectState] = []
        var findings: [Finding] = []
    }

    let plan: MigrationPlan
    let catalog: Catalog

    /// Sets every sequence past the largest id and past what SQLite had given, then takes a number from it, which must be free,
    /// and sets it again. No transaction undoes what a sequence has given, so that the caller may have one or none.
    func advance(_ connection: borrowing Postgres.Connection) throws -> Outcome {
        var outcome = Outcome()
        for table in plan.tables where !table.isSkipped {
            for column in table.columns where column.numbering != nil {
                try advance(table, column, &outcome, connection)
            }
        }
        return outcome
    }

    /// Looks whether every sequence is past the largest number, and changes nothing.
    func look(_ connection: borrowing Postgres.Connection) throws -> Outcome {
        var outcome = Outcome()
        for table in plan.tables where !table.isSkipped {
            for column in table.columns where column.numbering != nil {
                let name = quoteIdentifier(plan.schema, table.targetName)
                let place = "\(table.name).\(column.name)"
                guard let sequence = try Self.sequence(of: column, in: name, connection) else {
                    outcome.objects.append(.failed(.sequence, place, "it is no longer in the target"))
                    continue
                }
                let isPast = try connection.query(
                    """
                    SELECT coalesce(pg_sequence_last_value(to_regclass($1)), 0)
                        >= coalesce((SELECT max(\(quoteIdentifier(column.targetName))) FROM \(name)), 0)
                    """, [sequence]
                ).bool(0, 0)
                outcome.objects.append(
                    isPast
                        ? .carried(.sequence, place)
                        : .failed(
                            .sequence, place, "it gives numbers that are taken: somebody has set it back"))
            }
        }
        return outcome
    }

    /// The sequence that numbers a column; nil where none does.
    private static func sequence(
        of column: MigrationPlan.Column, in table: String, _ connection: borrowing Postgres.Connection
    ) throws -> String? {
        try connection.query(
            """
            SELECT coalesce(pg_get_serial_sequence($1, $2), (SELECT \(TargetCatalogReader.sequenceOfDefault)
                FROM pg_attrdef AS d JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
                WHERE d.adrelid = to_regclass($1) AND a.attname = $2))
            """, [table, column.targetName]
        ).text(0, 0)
    }

    private func advance(
        _ table: MigrationPlan.Table, _ column: MigrationPlan.Column, _ outcome: inout Outcome,
        _ connection: borrowing Postgres.Connection
    ) throws {
        let name = quoteIdentifier(plan.schema, table.targetName)
        let place = "\(table.name).\(column.name)"
        guard let sequence = try Self.sequence(of: column, in: name, connection) else {
            throw MigrationError(
                .target, "\(place) has no sequence, though it was made with one",
                remedy: "Look at the table in psql; somebody may have changed it meanwhile.")
        }
        let facts = try connection.query(
            """
            SELECT (SELECT max(\(quoteIdentifier(column.targetName))) FROM \(name)),
                (SELECT seqmax FROM pg_sequence WHERE seqrelid = to_regclass($1)), pg_sequence_last_value(to_regclass($1))
            """, [sequence])
        let given = catalog.tables.first { $0.name == table.name }?.sequence ?? 0
        // What a sequence of somebody else's has given is never given again.
        let before = plan.isAdopted(table) ? Int64(facts.text(0, 2) ?? "") ?? 0 : 0
        let largest = max(Int64(facts.text(0, 0) ?? "") ?? 0, given, before, 0)
        let maximum = Int64(facts.text(0, 1) ?? "") ?? .max
        func set(_ connection: borrowing Postgres.Connection) throws {
            _ = try connection.query(
                "SELECT setval($1::regclass, $2, $3)",
                [sequence, "\(min(max(largest, 1), maximum))", largest >= 1 ? "true" : "false"])
        }
        try set(connection)
        guard largest < maximum else {
            outcome.findings.append(
                Finding(
                    .sequenceExhausted, blocking: false, table: table.name, column: column.name,
                    "the largest number \(largest) is the last that the sequence can give: inserts without a number fail"
                ))
            outcome.objects.append(.changed(.sequence, place, "it has no number left"))
            return
        }
        let next = try connection.query(
            """
            SELECT s.number, EXISTS (SELECT FROM \(name) AS t WHERE t.\(quoteIdentifier(column.targetName)) = s.number)
            FROM nextval($1::regclass) AS s (number)
            """, [sequence])
        let number = Int64(next.text(0, 0) ?? "") ?? 0
        let isTaken = next.bool(0, 1)
        guard number > largest, !isTaken else {
            throw MigrationError(
                .target, "the sequence of \(place) gives \(number), and \(largest) was given before",
                remedy: "Nothing else may write to the target during the migration; run this again.")
        }
        try set(connection)
        outcome.objects.append(.carried(.sequence, place))
    }
}
