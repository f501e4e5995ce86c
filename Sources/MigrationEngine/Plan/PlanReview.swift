/// Holds an edited plan against the source: nothing may be missing from it without a word, and nothing made up.
enum PlanReview {
    struct Outcome {
        var plan: MigrationPlan
        var findings: [Finding] = []
        var objects: [ObjectState] = []
        /// Columns whose type the operator has changed, by table.
        var changedTypes: [String: Set<String>] = [:]
    }

    /// Reviews `edited` against the plan that the source asks for.
    static func review(_ edited: MigrationPlan, proposed: MigrationPlan) throws -> Outcome {
        var outcome = Outcome(plan: edited)
        let known = Dictionary(proposed.tables.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var seen: Set<String> = []
        for table in edited.tables {
            guard let original = known[table.name] else {
                throw unknown("table \(table.name)")
            }
            guard seen.insert(table.name).inserted else { throw wrong("table \(table.name) is there twice") }
            if table.isSkipped {
                outcome.objects.append(.leftOut(.table, table.name, "by the plan"))
                continue
            }
            try review(
                table, against: original, digest: proposed.sourceSchema ?? "",
                isSameSchema: edited.sourceSchema == proposed.sourceSchema, &outcome)
        }
        for table in proposed.tables where !seen.contains(table.name) {
            outcome.findings.append(
                Finding(
                    .notInPlan, blocking: true, table: table.name,
                    "the plan does not mention the table: add it, with skip: true to leave it out"))
        }
        try reviewViewsAndTriggers(edited, proposed, &outcome)
        return outcome
    }

    private static func review(
        _ table: MigrationPlan.Table, against original: MigrationPlan.Table, digest: String,
        isSameSchema: Bool, _ outcome: inout Outcome
    ) throws {
        let before = outcome.objects.count
        let names = table.columns.map(\.name)
        for column in table.columns {
            guard let other = original.columns.first(where: { $0.name == column.name }) else {
                throw unknown("column \(table.name).\(column.name)")
            }
            if column.type.allSatisfy(\.isWhitespace) {
                throw wrong("column \(table.name).\(column.name) has no type")
            }
            if column.postgresType != other.postgresType || column.integers != other.integers {
                outcome.changedTypes[table.name, default: []].insert(column.name)
            }
            noteChanges(column, other, "\(table.name).\(column.name)", &outcome)
        }
        guard Set(names).count == names.count else { throw wrong("a column of \(table.name) is there twice") }
        for column in original.columns where !names.contains(column.name) {
            outcome.findings.append(
                Finding(
                    .notInPlan, blocking: true, table: table.name, column: column.name,
                    "the plan does not mention the column: add it"))
        }
        try checkReferences(table, names: Set(names))
        noteRemoved(table, original, &outcome)
        // The source has changed since the plan was made: what it lacks may be new, and nobody took it out.
        guard !isSameSchema else { return }
        // Who writes not_null: false has said so.
        let nullable = Set(table.columns.filter { $0.notNull == false }.map { "\(table.name).\($0.name)" })
        for object in outcome.objects[before...]
        where object.state == .leftOut && !(object.kind == .notNull && nullable.contains(object.name)) {
            outcome.findings.append(
                Finding(
                    .notInPlan, blocking: true, table: table.name, object: object.name,
                    "the source's schema is not the one that the plan was made from, and the plan has no "
                        + "\(object.kind.rawValue) \(object.name): add it, or write source_schema: \(digest) "
                        + "at the top of the plan to leave all such out",
                    choices: [.leaveOut("the \(object.kind.rawValue) \(object.name)")]))
        }
    }

    /// Views and triggers that the operator took out, or that are in no source.
    private static func reviewViewsAndTriggers(
        _ edited: MigrationPlan, _ proposed: MigrationPlan, _ outcome: inout Outcome
    ) throws {
        func review(_ kind: ObjectState.Kind, _ had: [String], _ has: [String]) throws {
            for name in has where !had.contains(name) { throw unknown("\(kind.rawValue) \(name)") }
            for name in had where !has.contains(name) {
                outcome.objects.append(.leftOut(kind, name, "by the plan"))
                guard edited.sourceSchema != proposed.sourceSchema else { continue }
                outcome.findings.append(
                    Finding(
                        .notInPlan, blocking: true, object: name,
                        "the source's schema is not the one that the plan was made from, and the plan has no "
                            + "\(kind.rawValue) \(name)", choices: [.leaveOut("the \(kind.rawValue) \(name)")]
                    ))
            }
        }
        try review(.view, (proposed.views ?? []).map(\.name), (edited.views ?? []).map(\.name))
        try review(.trigger, (proposed.triggers ?? []).map(\.name), (edited.triggers ?? []).map(\.name))
    }

    private static func checkReferences(_ table: MigrationPlan.Table, names: Set<String>) throws {
        let lists =
            [table.primaryKey?.columns].compactMap { $0 } + (table.uniques ?? []).map(\.columns)
            + (table.indexes ?? []).filter { $0.terms == nil }.map(\.columns)
            + (table.foreignKeys ?? []).map(\.columns)
        for column in lists.joined() where !names.contains(column) {
            throw unknown("column \(table.name).\(column)")
        }
        if lists.contains(where: \.isEmpty) { throw wrong("a key of \(table.name) has no columns") }
    }

    /// What the operator changed in a column, beside what it holds: listed.
    private static func noteChanges(
        _ column: MigrationPlan.Column, _ original: MigrationPlan.Column, _ place: String,
        _ outcome: inout Outcome
    ) {
        func note(_ kind: ObjectState.Kind, isGone: Bool, _ words: String) {
            outcome.objects.append(
                isGone ? .leftOut(kind, place, "by the plan") : .changed(kind, place, "\(words), by the plan")
            )
        }
        if column.postgresType != original.postgresType {
            note(.column, isGone: false, "\(column.type) instead of \(original.type)")
        }
        if column.defaultValue != original.defaultValue {
            let isGone = column.defaultValue == nil
            note(
                .defaultValue, isGone: isGone,
                "\(column.defaultValue ?? "") instead of \(original.defaultValue ?? "none")")
        }
        if (column.notNull ?? false) != (original.notNull ?? false) {
            note(.notNull, isGone: !(column.notNull ?? false), "added")
        }
        if column.generated != original.generated {
            note(.generatedColumn, isGone: column.generated == nil, column.generated ?? "")
        }
        if column.numbering != original.numbering {
            note(
                .sequence, isGone: column.numbering == nil,
                "\(column.numbering?.rawValue ?? "none") instead of \(original.numbering?.rawValue ?? "none")"
            )
        }
    }

    /// Keys and indexes that the operator took out of the plan: left out, and listed. So are those that were loosened.
    private static func noteRemoved(
        _ table: MigrationPlan.Table, _ original: MigrationPlan.Table, _ outcome: inout Outcome
    ) {
        func note(_ kind: ObjectState.Kind, _ had: [String], _ has: [String]) {
            for name in had where !has.contains(name) {
                outcome.objects.append(.leftOut(kind, name, "by the plan"))
            }
        }
        note(
            .primaryKey, [original.primaryKey?.name].compactMap { $0 },
            [table.primaryKey?.name].compactMap { $0 })
        note(.unique, (original.uniques ?? []).map(\.name), (table.uniques ?? []).map(\.name))
        // The names of checks are their table's own.
        func checks(_ table: MigrationPlan.Table) -> [String] {
            (table.checks ?? []).map { "\(table.name).\($0.name)" }
        }
        note(.check, checks(original), checks(table))
        note(.index, (original.indexes ?? []).map(\.name), (table.indexes ?? []).map(\.name))
        note(.foreignKey, (original.foreignKeys ?? []).map(\.name), (table.foreignKeys ?? []).map(\.name))
        let loose =
            (table.foreignKeys ?? []).filter { $0.notValid ?? false }.map { (.foreignKey, $0.name) }
            + (table.checks ?? []).filter { $0.notValid ?? false }
            .map { (ObjectState.Kind.check, "\(table.name).\($0.name)") }
        for (kind, name) in loose {
            outcome.objects.append(
                .changed(kind, name, "NOT VALID: it holds for new rows alone, by the plan"))
        }
    }

    private static func unknown(_ what: String) -> MigrationError {
        wrong("\(what) is not in the source")
    }

    private static func wrong(_ what: String) -> MigrationError {
        MigrationError(
            .plan, "the plan cannot be run: \(what)",
            remedy: "Correct the plan, or make a new one with howdah plan SOURCE -o FILE.", exit: .usage)
    }
}
