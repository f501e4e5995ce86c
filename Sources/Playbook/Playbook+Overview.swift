import Foundation
import MigrationEngine
import Postgres

extension Playbook {
    /// All that there is to show, at this moment. Reads small files; never waits for a database. `isQuick` leaves the
    /// plan out.
    public func overview(isQuick: Bool = false) -> BookState {
        let mode = mode
        let standing = standing(mode)
        let assessment = assessment(mode)
        let report = report(mode, standing)
        func line(_ phase: Phase) -> BookState.PhaseLine {
            BookState.PhaseLine(
                number: phase.number, title: phase.title, shortTitle: phase.shortTitle,
                steps: phase.steps.map { self.line($0, standing) })
        }
        let phases = Phases.all.map(line)
        let size = try? FileManager.default.attributesOfItem(atPath: workspace.source.path)[.size] as? Int64
        let plan = isQuick ? [] : planTables(assessment)
        var state = BookState(
            title: workspace.title, sourcePath: workspace.source.path, openPath: workspace.openPath,
            sourceBytes: size.flatMap { $0 } ?? 0,
            mode: mode, target: targetWords(mode), liveTarget: liveTarget?.url,
            liveDatabase: liveTarget?["dbname"], rehearsalURL: RehearsalCluster.url(workspace.state),
            phases: phases, cutover: line(Phases.cutover), rollback: self.line(Phases.rollback, standing),
            finish: self.line(Phases.finish, standing), isSourceHeld: hold != nil,
            checklist: checklist(mode, phases),
            findings: assessment?.findings ?? [], tables: tables(plan, assessment, report, standing),
            plan: plan,
            objects: assessment?.objects ?? [], places: isQuick ? [] : codePlaces(),
            journal: journal.entries.reversed(),
            outcome: report?.outcome.rawValue, commands: isQuick ? [] : commandStates(mode))
        if !isQuick { state.advice = indexAdvice() }
        state.isCutoverOpen = cutoverRecord() != nil && self.entry(of: "C.4", .live)?.kind != .done
        state.isTargetInUse = targetInUse(mode) != nil
        return state
    }

    private func line(_ step: Step, _ standing: Standing) -> BookState.StepLine {
        let entry = standing.entries[step.id]
        let isOver = entry.map { [.undone, .unticked].contains($0.kind) } ?? true
        let links = linkWords(step.id, standing.mode)
        return BookState.StepLine(
            step: step.id, title: step.title, state: standing.state(step.id),
            evidence: (isOver ? [] : entry?.evidence ?? []) + links.lines,
            when: isOver ? "" : entry?.time ?? "",
            who: isOver ? "" : entry?.who ?? "", note: entry?.kind == .ticked ? entry?.text ?? "" : "",
            isManual: isByHand(step), canSkip: step.kind != .automatic, byHand: byHand(step),
            undoObstacle: standing.undoObstacle(step.id), contradiction: links.contradiction,
            isOptional: step.isOptional)
    }

    // MARK: What steps left behind

    private func assessment(_ mode: Mode) -> Assessment? {
        var entry: JournalEntry?
        for id in ["1.6", "1.7", "1.8"] {
            guard let newest = self.entry(of: id, mode), [.done, .undecided].contains(newest.kind) else {
                continue
            }
            if newest.data != nil, newest.id > entry?.id ?? 0 { entry = newest }
        }
        return entry?.data.flatMap { Journal.decode(Assessment.self, $0) }
    }

    /// The report of the last proof, while the target still holds what was proven.
    private func report(_ mode: Mode, _ standing: Standing) -> MigrationReport? {
        guard let entry = standing.entries["3.4"], [.done, .failed].contains(entry.kind),
            standing.entries["3.2"]?.kind == .done
        else { return nil }
        return entry.data.flatMap { Journal.decode(MigrationReport.self, $0) }
    }

    private func planTables(_ assessment: Assessment?) -> [BookState.PlanTable] {
        guard assessment != nil || !planText.isEmpty else { return [] }
        let prepared = cachedPreparation
        guard let plan = prepared?.plan ?? (try? PlanFile(path: workspace.state.planPath))?.plan else {
            return []
        }
        let catalog = prepared?.catalog ?? (try? snapshot(mode)?.catalog())
        let statements = SchemaScript(plan).statementsByTable
        let sources = Dictionary((catalog?.tables ?? []).map { ($0.name, $0) }) { first, _ in first }
        return plan.tables.map { table in
            let source = sources[table.name]
            let profile = prepared?.profiles[table.name]
            let indexes = source?.indexes.compactMap(\.sql) ?? []
            return BookState.PlanTable(
                name: table.name, isSkipped: table.isSkipped,
                columns: table.columns.map { Self.column($0, source, profile, plan.style) },
                sourceSQL: ([source?.sql].compactMap(\.self) + indexes).flatMap(Self.lines),
                targetSQL: (statements[table.name] ?? []).flatMap(Self.lines))
        }
    }

    private static func column(
        _ column: MigrationPlan.Column, _ table: Catalog.Table?, _ profile: TableProfile?, _ style: Style
    ) -> BookState.ColumnLine {
        let index = table?.columns.firstIndex { $0.name == column.name }
        let source = index.flatMap { table?.columns[$0] }
        var values: ColumnProfile?
        if let index, let profile, profile.columns.indices.contains(index) { values = profile.columns[index] }
        var alternatives: [String] = []
        if let source, let values {
            alternatives = TypeAlternatives.of(source, values, style: style, table: table)
        }
        return BookState.ColumnLine(
            name: column.name, declared: source?.declaredType ?? "", type: column.type,
            reason: column.reason ?? "", isNotNull: column.notNull ?? false,
            held: values.map { [$0.integers, $0.reals, $0.texts, $0.blobs, $0.nulls] },
            alternatives: alternatives)
    }

    private static func lines(_ sql: String) -> [String] {
        (sql + ";").split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
    }

    private func tables(
        _ plan: [BookState.PlanTable], _ assessment: Assessment?, _ report: MigrationReport?,
        _ standing: Standing
    ) -> [BookState.TableLine] {
        // Before this mode's own profile nothing is known of the rows.
        guard assessment != nil || report != nil else { return [] }
        let loaded: [String: Int] =
            if case .some(.some(let status)) = standing.status { status.loadedRows } else { [:] }
        let digests = tableDigests(standing.mode)
        let verdicts = Dictionary((report?.tables ?? []).map { ($0.name, $0) }) { first, _ in first }
        return plan.map { table in
            let proven = verdicts[table.name]
            var line = BookState.TableLine(
                name: table.name, rows: assessment?.rows[table.name] ?? proven?.sourceRows ?? 0,
                loaded: loaded[table.name] ?? proven?.loadedRows ?? 0, verdict: proven?.verdict,
                differences: proven?.differences ?? 0, isSkipped: table.isSkipped, reason: proven?.reason,
                seconds: proven?.seconds ?? 0)
            line.digest = digests[table.name]
            return line
        }
    }

    // MARK: Checklist

    private func checklist(_ mode: Mode, _ phases: [BookState.PhaseLine]) -> [Checklist.ItemLine] {
        let lines = phases.flatMap(\.steps) + [reportLine(mode)]
        let own = ownItems(mode).map { Checklist.Item(id: $0.id, title: $0.title, links: []) }
        let linked = Set(Checklist.items.flatMap(\.links))
        let newest = Dictionary(uniqueKeysWithValues: linked.map { ($0, entry(of: $0, mode)?.id ?? 0) })
        return (Checklist.items + own).enumerated().map { index, item in
            Checklist.line(
                item, isOwn: index >= Checklist.items.count, steps: lines,
                entry: journal.last("item:\(item.id)", mode) { [.ticked, .unticked].contains($0.kind) },
                newest: newest)
        }
    }

    private func ownItems(_ mode: Mode) -> [(id: String, title: String)] {
        var items: [(id: String, title: String)] = []
        for entry in journal.entries where entry.mode == mode && entry.subject.hasPrefix("item:") {
            let id = String(entry.subject.dropFirst(5))
            if entry.kind == .added { items.append((id, entry.text)) }
            if entry.kind == .removed { items.removeAll { $0.id == id } }
        }
        return items
    }

    // MARK: What the operator writes down

    /// Ticks a step that is done by hand, or an item of the checklist by its name.
    ///
    /// What speaks against it asks for a note: a step that has failed, or an item's steps. The evidence of that moment is kept
    /// with the tick.
    public func tick(_ id: String, note: String) throws {
        let subject = try subject(id)
        let hasNote = !note.trimmingCharacters(in: .whitespacesAndNewlines).isEmpty
        if Phases.step(id) != nil {
            let before = entry(of: id, mode)
            guard case .failed(let reason) = stepState(id, mode) else {
                try journal.add(.ticked, subject, mode, note)
                return
            }
            guard hasNote else { throw Self.needsNote(["\(id) failed: \(reason)"]) }
            try journal.add(
                .ticked, subject, mode, note,
                evidence: ["accepted by hand, though: \(reason)"] + (before?.evidence ?? []),
                data: before?.data)
            return
        }
        guard let item = overview(isQuick: true).checklist.first(where: { $0.id == id }) else { return }
        guard hasNote || item.objections.isEmpty else { throw Self.needsNote(item.objections) }
        let states = Dictionary(item.links.map { ($0.step, $0.state.name) }) { first, _ in first }
        try journal.add(.ticked, subject, mode, note, evidence: item.evidence, basis: states)
    }

    private static func needsNote(_ objections: [String]) -> MigrationError {
        MigrationError(
            .state, "a tick against the evidence needs a note: \(objections.joined(separator: "; "))",
            remedy: "Say with --note why it is in order all the same, or look at the step first.",
            exit: .undecided)
    }

    public func untick(_ id: String) throws {
        try journal.add(.unticked, try subject(id), mode)
    }

    /// Settles a step that does not apply.
    public func skip(_ id: String, reason: String) throws {
        guard let step = Phases.step(id), step.kind != .automatic else {
            throw MigrationError(
                .state, "step \(id) cannot be skipped: later steps build on it", remedy: "Run it.",
                exit: .usage)
        }
        if id == "3.5", case .failed = stepState("3.4", mode) {
            throw MigrationError(
                .state, "the proof found differences, so this step does apply",
                remedy: "Look at them in phase 3; what you accept, tick with a note that says so.",
                exit: .undecided)
        }
        try journal.add(.skipped, step.id, mode, reason)
    }

    /// Writes a remark about any step into the journal; its state stays.
    public func addNote(_ id: String, _ text: String) throws {
        try journal.add(.note, Phases.step(id) == nil ? try subject(id) : id, mode, text)
    }

    /// Adds an item of the operator's own; returns its name.
    @discardableResult
    public func addItem(_ title: String) throws -> String {
        let title = title.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !title.isEmpty else {
            throw MigrationError(
                .state, "an item needs words", remedy: "Say what is to be done.", exit: .usage)
        }
        let number = journal.entries.count { $0.kind == .added } + 1
        let id = "own-\(number)"
        try journal.add(.added, "item:\(id)", mode, title)
        return id
    }

    public func removeItem(_ id: String) throws {
        guard ownItems(mode).contains(where: { $0.id == id }) else {
            throw MigrationError(
                .state, "\(id) is no item of your own", remedy: "Only those can be removed.", exit: .usage)
        }
        try journal.add(.removed, "item:\(id)", mode)
    }

    private func subject(_ id: String) throws -> String {
        if let step = Phases.step(id) {
            guard step.kind != .automatic else {
                throw MigrationError(
                    .state, "step \(id) is howdah's to run: it is ticked by its evidence",
                    remedy: "Run it: howdah step PROJECT \(id) run.", exit: .usage)
            }
            if case .waiting(let reason) = stepState(id, mode) { throw Self.notYet(id, reason) }
            return id
        }
        guard
            Checklist.items.contains(where: { $0.id == id })
                || ownItems(mode).contains(where: { $0.id == id })
        else {
            let known = Checklist.items.map(\.id) + ownItems(mode).map(\.id)
            throw MigrationError(
                .state, "there is no step or item \(id)",
                remedy: "The items are: \(known.joined(separator: ", ")).",
                exit: .usage)
        }
        return "item:\(id)"
    }
}

extension Playbook {
    // MARK: The plan and the rows that differ; may block

    /// Changes the plan; the one before is kept beside it. Step 1.7 then wants to run again.
    public func edit(_ edit: PlanEdit, _ activity: Activity) throws {
        let preparation = try preparation(mode, activity: activity)
        let before = planText
        if !before.isEmpty {
            _ = try workspace.state.folder("plans")
            try workspace.state.write(before, to: "plans/\(PlanFile.digest(before)).yaml")
        }
        try PlanStore(workspace.state).apply(edit, to: preparation)
        try journal.add(.note, "1.7", mode, "plan.yaml changed: \(edit.words)")
    }
}

extension PlanEdit {
    /// For the journal.
    var words: String {
        switch self {
        case .type(let table, let column, let type): "\(table).\(column) becomes \(type)"
        case .drop(let table, let name): "\(name) of \(table) is left out"
        case .nullable(let table, let column): "\(table).\(column) may be NULL"
        case .skip(let table, let isSkipped): "\(table) is \(isSkipped ? "left out" : "taken in again")"
        case .hash(let table, let name): "\(name) of \(table) becomes a hash index"
        case .digest(let table, let name): "\(name) of \(table) becomes an index over md5"
        case .plainData(let table, let column): "\(table).\(column) is carried as plain data"
        case .make(let table): "\(table) is made in the target"
        case .dropView(let name): "the view \(name) is left out"
        case .dropTrigger(let name): "the trigger \(name) is left out"
        case .notValid(let table, let name): "\(name) of \(table) is made NOT VALID"
        case .rename(let table, let column, let name):
            "\([table, column].compactMap(\.self).joined(separator: ".")) is called \(name) in the target"
        case .decide(let decision): "decided \(decision.description)"
        }
    }
}
