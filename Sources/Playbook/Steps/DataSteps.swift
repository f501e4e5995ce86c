import MigrationEngine
import Postgres

/// 1.8: makes the tables.
struct SchemaStep: StepOperation {
    func preview(_ context: StepContext) throws -> Preview {
        let preparation = try context.preparation()
        if preparation.plan.adopt ?? false {
            let names = preparation.plan.tables.filter { !$0.isSkipped && !($0.make ?? false) }.map(
                \.targetName)
            return Preview([
                .init("Notes tables that are there already, and changes none", names, .list),
                .init("Makes", SchemaScript(preparation.plan).tableStatements, .sql),
                .init("And keeps", ["its own ledger, in a schema named howdah"]),
            ])
        }
        return Preview([
            .init(
                "Runs on \(context.book.targetWords(context.mode))",
                SchemaScript(preparation.plan).tableStatements, .sql),
            .init("And keeps", ["its own ledger, in a schema named howdah"]),
        ])
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let migration = try context.migration()
        let findings = try migration.makeSchema()
        return Self.outcome(migration.preparation, findings)
    }

    /// With findings that only the server could see nothing was made.
    static func outcome(_ preparation: Preparation, _ findings: [Finding] = []) -> StepOutcome {
        guard findings.isEmpty else {
            return StepOutcome(
                evidence: findings.map(\.message), open: findings.count,
                data: Journal.encode(Assessment(preparation, more: findings)))
        }
        let tables = preparation.plan.tables.count { !$0.isSkipped }
        return StepOutcome(
            evidence: [
                "\(Format.count(tables, "table", "tables")) in schema \(preparation.plan.schema)",
                "no keys and indexes yet: step 3.3 makes them, after the rows",
            ])
    }

    func undoPreview(_ context: StepContext) throws -> Preview? {
        guard let status = try context.server().runStatus(schema: context.book.schema) else { return nil }
        return Preview(
            [
                .init(
                    "Drops",
                    [
                        "\(status.madeObjects) objects that howdah made, with \(Format.count(status.rows)) rows of its own"
                    ])
            ],
            warning: "Tables in which somebody else has written stay, and the undo then fails.")
    }

    func undo(_ context: StepContext) throws -> [String] {
        try context.migration().undoSchema()
        return [
            try context.preparation().plan.adopt ?? false
                ? "the target's tables are as they were" : "the tables are gone"
        ]
    }
}

/// 3.2: loads the rows.
struct CopyStep: StepOperation {
    func preview(_ context: StepContext) throws -> Preview {
        let preparation = try context.preparation()
        let loaded = try context.server().runStatus(schema: preparation.plan.schema)?.loadedRows ?? [:]
        let tables = preparation.plan.tables.filter { !$0.isSkipped }
        let rows = tables.map { table in
            [
                table.name, Format.count(preparation.rows[table.name] ?? 0),
                Format.count(loaded[table.name] ?? 0),
            ]
        }
        let there = loaded.values.reduce(0, +)
        return Preview([
            .init(
                "Loads into \(context.book.targetWords(context.mode)), by \(Playbook.workers) connections",
                Format.table([["table", "rows", "there"]] + rows, right: [1, 2]), .list),
            .init(
                there > 0 ? "Goes on" : "Each piece exactly once",
                [
                    there > 0
                        ? "\(Format.count(there)) rows are there already and are not loaded again"
                        : "rows and their line in the ledger come in one transaction; pause with p, cancel with x"
                ]),
        ])
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let migration = try context.migration()
        let schema = migration.preparation.plan.schema
        let before = try migration.server.runStatus(schema: schema)?.rows ?? 0
        let start = ContinuousClock.now
        try context.recording("copy", replacing: ["migrate", "demo", "repair", "proof"]) {
            try migration.loadRows()
        }
        let seconds = (ContinuousClock.now - start).seconds
        return Self.outcome(
            try migration.server.runStatus(schema: schema), before: before, seconds: seconds)
    }

    /// `before` are the rows that were there already.
    static func outcome(_ status: RunStatus?, before: Int, seconds: Double) -> StepOutcome {
        let rows = status?.rows ?? 0
        let now = before > 0 ? "\(Format.count(rows - before)) of them now, " : ""
        return StepOutcome(
            evidence: [
                "\(Format.count(rows, "row", "rows")) in "
                    + Format.count(status?.loadedRows.count ?? 0, "table", "tables"),
                "\(now)in \(Format.seconds(seconds)), run \(status?.run ?? 0) of the ledger",
            ])
    }

    func undoPreview(_ context: StepContext) throws -> Preview? {
        guard let status = try context.server().runStatus(schema: context.book.schema), status.rows > 0 else {
            return nil
        }
        let tables = status.loadedRows.sorted { $0.key < $1.key }.map { [$0.key, Format.count($0.value)] }
        return Preview(
            [
                .init(
                    "Takes out \(Format.count(status.rows)) rows that howdah loaded",
                    Format.table(tables, right: [1]), .list)
            ],
            warning: "A table in which somebody else has written stops it: then nothing is taken out.",
            confirmation: context.mode == .live ? context.book.liveTarget?["dbname"] ?? "yes" : "rehearsal")
    }

    func undo(_ context: StepContext) throws -> [String] {
        try context.migration().undoLoad()
        return [
            try context.preparation().plan.adopt ?? false
                ? "the target's tables hold what they held before" : "the tables are empty"
        ]
    }
}

/// 3.3: makes keys, indexes, checks, foreign keys, views and triggers.
struct ConstraintsStep: StepOperation {
    func preview(_ context: StepContext) throws -> Preview {
        let pending = try context.migration().pendingConstraints()
        let there = Format.count(pending.there, "key, index or the like is", "keys, indexes and the like are")
        let nothing = pending.there > 0 ? "nothing: none is missing" : "no key and no index is declared"
        return Preview(
            [
                .init(
                    "Runs on \(context.book.targetWords(context.mode))"
                        + (pending.there > 0 ? ", for what is missing" : ""),
                    pending.statements.isEmpty ? [nothing] : pending.statements,
                    pending.statements.isEmpty ? .plain : .sql)
            ] + (pending.there > 0 ? [.init("Leaves as it is", ["\(there) there already"])] : []) + [
                .init("Then", ["sets every sequence past its maximum, tries it, and runs ANALYZE"])
            ])
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let migration = try context.migration()
        let start = ContinuousClock.now
        let made = try migration.makeConstraints()
        let seconds = (ContinuousClock.now - start).seconds
        return Self.outcome(
            migration.preparation.plan, sequences: made.objects.count, made.findings, seconds: seconds)
    }

    static func outcome(
        _ plan: MigrationPlan, sequences: Int, _ findings: [Finding], seconds: Double
    ) -> StepOutcome {
        let count = SchemaScript(plan).constraintStatements.count
        return StepOutcome(
            evidence: [
                Format.count(count, "statement", "statements")
                    + " for keys, indexes, checks, foreign keys, views and triggers",
                "\(Format.count(sequences, "sequence", "sequences")), in \(Format.seconds(seconds))",
            ]
                + findings.map(\.message))
    }

    /// What a look at the target has found of what this step had made; nil where all is there, and nothing was missing before.
    static func outcome(
        _ lost: [ObjectState], by command: String, before: JournalEntry?
    ) -> StepOutcome? {
        let foundBy = "found by howdah \(command)"
        guard !lost.isEmpty else {
            guard before?.kind == .failed, before?.data == Self.lost else { return nil }
            return StepOutcome(evidence: ["all that was made is there again", foundBy])
        }
        let names = lost.map { "\($0.kind.rawValue) \($0.name)" }
        return StepOutcome(
            evidence: lost.map { "\($0.kind.rawValue) \($0.name): \($0.reason ?? "")" } + [foundBy],
            failure: "not as it was made: \(names.joined(separator: ", ")); running this makes it again",
            data: Self.lost)
    }

    private static let lost = "lost"

    func undoPreview(_ context: StepContext) throws -> Preview? {
        let preparation = try context.preparation()
        let statements = SchemaScript(preparation.plan).constraintStatements
        return Preview([.init("Drops what these made; rows stay", statements, .sql)])
    }

    func undo(_ context: StepContext) throws -> [String] {
        try context.migration().undoConstraints()
        return ["keys, indexes, checks, foreign keys, views and triggers are gone; the rows are there"]
    }
}

/// 3.4: compares every cell.
struct ProofStep: StepOperation {
    func preview(_ context: StepContext) throws -> Preview {
        let snapshot = try context.book.snapshot(context.mode)
        return Preview([
            .init(
                "Compares every cell of every table",
                [
                    "the snapshot of \(snapshot?.time ?? "step 1.2")",
                    "with \(context.book.targetWords(context.mode))",
                    "by reading both, and writing to neither",
                ])
        ])
    }

    /// Once the application uses the target rows differ because they should.
    func refuse(_ context: StepContext) throws {
        guard let inUse = context.book.targetInUse(context.mode) else { return }
        throw MigrationError(
            .state, "the proof that counts is the cutover's: \(inUse.words)",
            remedy: "howdah validate --watch tells what has changed since from what was never right.",
            exit: .undecided)
    }

    func run(_ context: StepContext) throws -> StepOutcome {
        let migration = try context.migration()
        return Self.outcome(try context.recording("proof") { try migration.prove() })
    }

    /// What a proof of all tables comes to.
    static func outcome(_ report: MigrationReport) -> StepOutcome {
        var report = report
        let equal = report.tables.count { $0.verdict == "equal" }
        let differing = (report.tables + report.views).filter { $0.verdict == "differs" }
        let views = report.views.count { $0.verdict == "equal" }
        let rows = report.tables.reduce(0) { $0 + $1.loadedRows }
        var outcome = StepOutcome(
            evidence: [
                "\(equal) of \(Format.count(report.tables.count, "table", "tables")) equal, "
                    + Format.count(rows, "row", "rows"),
                "as of the snapshot of \(report.snapshot?.time ?? ""), sha256 \(report.snapshot?.sha256 ?? "")",
            ]
                + (report.views.isEmpty
                    ? []
                    : ["\(views) of \(Format.count(report.views.count, "view", "views")) with equal rows"])
                + report.notices)
        switch report.outcome {
        case .differs:
            outcome.failure = failure(differing)
        case .stale:
            outcome.failure =
                "every cell is proven as of the snapshot, and the source has changed since: the cutover, C, carries that"
        case .undecided where !(report.missingObjects ?? []).isEmpty:
            outcome.evidence.append("keys, indexes or sequences are not as they were made: see 3.3")
        case .undecided:
            outcome.evidence.append("\(report.unexplained.count) objects were left out: 8 shows them")
        default: break
        }
        // What was found before the load is with step 1.7.
        report.findings = []
        outcome.data = Journal.encode(report)
        return outcome
    }
    /// Says how many rows differ, and where.
    static func failure(_ differing: [MigrationReport.Table]) -> String {
        let count = differing.reduce(0) { $0 + $1.differences }
        let names = differing.map(\.name).joined(separator: ", ")
        return "\(Format.count(count, "row differs", "rows differ")) in \(names)"
    }
}
