import AppProject
import MigrationEngine
import Operations

/// 6.1: indexes.
struct IndexStep: FileOperation {
    static let id = "6.1"
    /// Advice to follow; nil is what is chosen.
    var ids: [String]?
    /// Whether schema.prisma gets the lines of the new indexes.
    var editsSchema = true

    var id: String { Self.id }

    // MARK: What would be done

    func preview(_ context: StepContext) throws -> Preview {
        let report = try context.book.lookAtIndexes(context)
        let chosen = try chosen(context)
        var sections: [Preview.Section] = []
        let sql = chosen.flatMap(\.advice.sql)
        sections.append(
            sql.isEmpty
                ? .init("Makes no index", ["nothing is chosen"])
                : .init("Runs on \(context.book.targetWords(context.mode)), one after the other", sql, .sql))
        sections += chosen.map { .init($0.advice.words, Self.details($0.advice), .list) }
        let schema = try schemaEdit(chosen.map(\.advice), context)
        sections += schema.changes.map { .init("\($0.verb) \($0.path)", $0.diff, .diff) }
        let words = try frameworkWords(chosen.map(\.advice), context) + schema.notes
        if !words.isEmpty { sections.append(.init("So that the framework keeps them", words, .list)) }
        let others = context.book.indexAdvice().filter { [.leftOut, .byHand].contains($0.state) }
        sections += others.filter { $0.state == .byHand }.map {
            .init("By hand: \($0.advice.words)", [$0.advice.obstacle ?? ""] + $0.advice.sql, .list)
        }
        let left = others.filter { $0.state == .leftOut }
        if ids == nil, !left.isEmpty {
            sections.append(
                .init("Left out", left.map { "\($0.advice.words): \($0.advice.why)" + note($0) }, .list))
        }
        sections.append(.init("To know", report.notices + Self.manners(context), .list))
        return Preview(sections)
    }

    private func note(_ line: AdviceLine) -> String { line.note.isEmpty ? "" : " — \(line.note)" }

    private static func manners(_ context: StepContext) -> [String] {
        [
            "built CONCURRENTLY: reads and writes go on; a build waits for transactions that are open, 5 minutes at most",
            "what a failed or cancelled build leaves is dropped at once",
        ]
    }

    /// Why, and what it brings.
    static func details(_ advice: IndexAdvice) -> [String] {
        var lines = [advice.why] + advice.evidence
        if let effect = advice.effect {
            lines.append("\(effect.place ?? "a query as"): \(effect.query)")
            lines += ["before: \(Self.words(effect.before))"]
            lines.append(
                effect.after.map { "after: \(Self.words($0)) (\(effect.how))" } ?? "after: \(effect.how)")
        }
        return lines
    }

    private static func words(_ figure: IndexAdvice.Effect.Figure) -> String {
        let cost = "cost \(Format.count(Int(figure.cost.rounded())))"
        return figure.milliseconds.map { "\(cost), \(IndexAdvice.milliseconds($0))" } ?? cost
    }

    // MARK: Choosing

    private func chosen(_ context: StepContext) throws -> [AdviceLine] {
        let lines = context.book.indexAdvice().filter { $0.state != .done }
        guard let ids else { return lines.filter { $0.state == .chosen } }
        return try ids.map { id in
            guard let line = lines.first(where: { $0.id.utf8.elementsEqual(id.utf8) }) else {
                throw Playbook.noAdvice(id)
            }
            if let obstacle = line.advice.obstacle {
                throw MigrationError(
                    .targetUnfit, "\(id): \(obstacle)", remedy: line.advice.sql.joined(separator: ";\n"),
                    exit: .undecided)
            }
            return line
        }
    }

    // MARK: Doing it

    func run(_ context: StepContext) throws -> StepOutcome {
        _ = try context.book.lookAtIndexes(context)
        let chosen = try chosen(context).map(\.advice)
        var done: [IndexAdvice] = []
        var (words, failures): ([String], [String]) = ([], [])
        for (number, advice) in chosen.enumerated() {
            try context.cancellation.check()
            do {
                let build = try self.build(context)
                if chosen.count > 1 {
                    context.progress.say("\(number + 1) of \(chosen.count): \(advice.words)")
                }
                words.append(try build.apply(advice))
                done.append(advice)
            } catch let error as MigrationError where error.code == .target {
                failures.append(error.message)
            }
        }
        let measured = try measured(done, context)
        try keep(measured, context)
        let report = try context.book.lookAtIndexes(context)
        var evidence = [Self.summary(done, report)] + words
        evidence += measured.compactMap { advice in
            advice.effect.map {
                "\(advice.words): \(advice.effectWords), \($0.place ?? "a query by its columns")"
            }
        }
        if editsSchema { evidence += try writeSchema(done, context) }
        evidence += try frameworkWords(done, context).map { "by hand: \($0)" }
        let byHand = context.book.indexAdvice().filter { $0.state == .byHand }
        evidence += byHand.map { "by hand: \($0.advice.words): \($0.advice.obstacle ?? "")" }
        var outcome = StepOutcome(evidence: evidence + failures.map { "failed: \($0)" } + report.notices)
        if !failures.isEmpty { outcome.failure = failures.joined(separator: "; ") }
        // A key without its index is somebody's decision: left out with a reason, it is settled.
        outcome.open = byHand.count { $0.advice.rules.contains(.foreignKey) }
        return outcome
    }

    private static func summary(_ done: [IndexAdvice], _ report: IndexReport) -> String {
        let counts: [(IndexAdvice.Action, String, String)] = [
            (.create, "index made", "indexes made"), (.drop, "index dropped", "indexes dropped"),
            (.analyze, "table analysed", "tables analysed"),
        ]
        let words = counts.compactMap { action, one, many -> String? in
            let count = done.count { $0.action == action }
            return count == 0 ? nil : Format.count(count, one, many)
        }
        let keys = report.notices.first.map { "; \($0)" } ?? ""
        return (words.isEmpty ? "nothing to change" : words.joined(separator: ", ")) + keys
    }

    private func build(_ context: StepContext) throws -> IndexBuild {
        IndexBuild(
            server: try context.server(), ledger: context.book.indexLedger(context.mode),
            cancellation: context.cancellation, progress: context.progress)
    }

    /// The plans after, now that the indexes are there.
    private func measured(_ done: [IndexAdvice], _ context: StepContext) throws -> [IndexAdvice] {
        let made = done.filter { $0.effect != nil }
        guard !made.isEmpty else { return done }
        let planned = try IndexAdvisor(
            server: context.server(), schema: context.book.schema, tries: context.mode == .rehearsal,
            cancellation: context.cancellation
        ).planned(made)
        return done.map { advice in planned.first { $0.id == advice.id } ?? advice }
    }

    private func keep(_ done: [IndexAdvice], _ context: StepContext) throws {
        let state = context.workspace.state
        guard var record = IndexAdviceRecord.read(state, context.mode) else { return }
        record.done.removeAll { old in done.contains { $0.id == old.id } }
        record.done += done
        try record.write(state, context.mode)
    }

    // MARK: The framework's own word

    private func databaseIndexes(_ advice: [IndexAdvice]) -> [DatabaseIndex] {
        advice.filter { $0.action == .create }.map {
            DatabaseIndex(name: $0.index, table: $0.table, columns: $0.columns)
        }
    }

    private func schemaEdit(_ advice: [IndexAdvice], _ context: StepContext) throws -> ProjectEdit {
        guard editsSchema, context.workspace.location.projectDirectory != nil else { return ProjectEdit() }
        return try ProjectFolder(context).editor.indexes(databaseIndexes(advice))
    }

    private func writeSchema(_ advice: [IndexAdvice], _ context: StepContext) throws -> [String] {
        guard context.workspace.location.projectDirectory != nil, !databaseIndexes(advice).isEmpty else {
            return []
        }
        let folder = try ProjectFolder(context)
        let edit = folder.editor.indexes(databaseIndexes(advice))
        let changes = edit.changes.filter { $0.before != $0.after }
        if !changes.isEmpty {
            try folder.writer.write(changes) { try context.book.note(changes: $0, of: id, context.mode) }
        }
        return changes.map { "\($0.past) \($0.path)" } + edit.notes
    }

    /// Lines for the application's own schema, where howdah does not write them.
    private func frameworkWords(_ advice: [IndexAdvice], _ context: StepContext) throws -> [String] {
        let indexes = databaseIndexes(advice)
        guard !indexes.isEmpty, let directory = context.workspace.location.projectDirectory else { return [] }
        var words: [String] = []
        if !editsSchema {
            words += ProjectEditor(directory: directory).indexLines(indexes).map { "schema.prisma, \($0)" }
        }
        for found in context.book.frameworks {
            words += indexes.compactMap { IndexLines.line($0, framework: found.framework.name) }
        }
        return words
    }

    // MARK: The way back

    func undoPreview(_ context: StepContext) throws -> Preview? {
        var preview = try filesUndoPreview(context)
        let sql = try build(context).undoWords()
        if !sql.isEmpty { preview.sections.insert(.init("Runs on the target", sql, .sql), at: 0) }
        return preview
    }

    /// As part of the whole way back, the target is left as it is.
    func takeBack(_ context: StepContext) throws -> [String] {
        guard context.activity.step == id else { return ["the indexes of the target stay"] }
        return try build(context).undo()
    }
}

/// How frameworks that howdah does not edit are told of an index.
enum IndexLines {
    static func line(_ index: DatabaseIndex, framework: String) -> String? {
        switch framework {
        case "Django":
            let fields = index.columns.map { "\"\($0.hasSuffix("_id") ? String($0.dropLast(3)) : $0)\"" }
            // Django keeps 30 characters of a name.
            return
                "the model of \(index.table), class Meta: indexes = [models.Index(fields=[\(fields.joined(separator: ", "))], "
                + "name=\"\(index.name.prefix(30))\")]; then makemigrations, and migrate --fake"
        case "Rails":
            let columns = index.columns.map { ":\($0)" }.joined(separator: ", ")
            return
                "a migration with disable_ddl_transaction!: add_index :\(index.table), [\(columns)], name: \"\(index.name)\", "
                + "algorithm: :concurrently, if_not_exists: true"
        default: return nil
        }
    }
}
