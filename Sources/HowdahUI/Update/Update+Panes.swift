import AppProject
import MigrationEngine
import Operations
import Playbook
import TerminalUI

/// Keys on the panes, with no box over them.
extension Update {
    func performInPane(_ action: Action, _ model: inout AppModel) -> [Effect] {
        if model.monitor != nil { return performInMonitor(action, &model) }
        switch action {
        case .phase1: model.go(to: .phase(1))
        case .phase2: model.go(to: .phase(2))
        case .phase3: model.go(to: .phase(3))
        case .phase4: model.go(to: .phase(4))
        case .phase5: model.go(to: .phase(5))
        case .phase6: model.go(to: .phase(6))
        case .checklist: model.go(to: .checklist)
        case .findings: model.go(to: .findings)
        case .journal: model.go(to: .journal)
        case .rollback: model.go(to: .rollback)
        case .cutover: model.go(to: .cutover)
        case .monitor: return openMonitor(&model)
        case .up: return move(by: -1, &model)
        case .down: return move(by: 1, &model)
        case .pageUp: return move(by: -pageRows(model), &model)
        case .pageDown: return move(by: pageRows(model), &model)
        case .top: return move(by: -1_000_000_000, &model)
        case .bottom: return move(by: 1_000_000_000, &model)
        case .left: step(-1, wraps: false, &model)
        case .right: step(1, wraps: false, &model)
        case .nextPane: step(1, wraps: true, &model)
        case .scrollLeft: model.firstColumn = max(0, model.firstColumn - 1)
        case .scrollRight: model.firstColumn = min(6, model.firstColumn + 1)
        case .open: return open(&model)
        case .tick: return tick(&model)
        case .settle: return settle(&model)
        case .filter:
            prompt(.filter, "Filter", ["Only lines with this; empty shows all."], &model, text: model.filter)
        case .sort:
            model.tableOrder = model.tableOrder.next
            model.toast = Toast("tables: \(model.tableOrder.words)")
        case .note:
            if let step = model.selectedStep {
                prompt(.remark(step.step), "Note: \(step.title)", ["It goes into the journal."], &model)
            }
        case .undo: return undo(&model)
        case .again: return ask(model.selectedStep?.step, &model)
        case .pause:
            model.work?.isPaused.toggle()
            return [.pause]
        case .cancel:
            if model.selectedServiceRuns { return toggleService(&model) }
            return cancel(&model)
        case .diff: model.overlays.append(.statements(table: model.selectedTable ?? "", top: 0))
        case .edit:
            if model.pane == .places, let place = model.selectedPlace { return [.editSource(place.id)] }
            return [.editFile]
        case .translate: return translate(model.selectedPlace?.finding.statement, &model)
        case .translateAll: return translate(nil, &model)
        case .link: link(&model)
        case .start: return toggleService(&model)
        case .rescan where model.pane == .commands: return [.findCommands]
        case .rescan where model.pane == .advice:
            model.isBusy = true
            return [.lookAtAdvice]
        case .rescan where model.pane == .files:
            model.hasAskedForFiles = false
        case .rescan:
            model.work = WorkView(step: "4.1")
            model.book?.setRunning("4.1")
            return [.run("4.1")]
        case .decide: decide(&model)
        case .add: prompt(.item, "A new item", ["What is to be done?"], &model)
        case .copy: return copy(model)
        case .find: prompt(.find, "Find", ["A part of a line; n and N go on."], &model)
        case .findNext: return find(1, &model)
        case .findPrevious: return find(-1, &model)
        case .live: goLive(&model)
        case .command: prompt(.command, "Command", [CommandLine.summary], &model)
        case .help: model.overlays.append(.help(search: TextField(), top: 0))
        case .suspend: return [.suspend]
        case .quit: return quit(&model)
        case .back: back(&model)
        default: break
        }
        return []
    }

    private func pageRows(_ model: AppModel) -> Int { max(1, model.layout.pane.height - 4) }

    /// Moves the selection, or scrolls what is read.
    func move(by rows: Int, _ model: inout AppModel) -> [Effect] {
        if !model.overlays.isEmpty { return scroll(by: rows, &model) }
        if model.monitor != nil { return moveInMonitor(by: rows, &model) }
        if model.pane == .output {
            scrollOutput(by: rows, &model)
            return []
        }
        if model.pane == .commands { model.outputTop = nil }
        model.setList(model.focusedList) { $0.move(by: rows, count: $1) }
        if model.pane == .rail {
            let index = model.list(.rail).selected
            model.section = Section.all[index]
            model.firstColumn = 0
        }
        if model.pane == .tables { model.lists[.columns] = ListState() }
        return []
    }

    /// To the next pane, or the one before.
    private func step(_ direction: Int, wraps: Bool, _ model: inout AppModel) {
        let panes = model.panes
        guard let index = panes.firstIndex(of: model.pane) else { return }
        let next = index + direction
        if panes.indices.contains(next) {
            model.pane = panes[next]
        } else if wraps {
            model.pane = panes[(next + panes.count) % panes.count]
        }
    }

    private func back(_ model: inout AppModel) {
        if !model.filter.isEmpty {
            model.filter = ""
            model.clampLists()
            return
        }
        switch model.pane {
        case .columns: model.pane = .tables
        case .output: model.pane = .commands
        case .tables, .places, .files, .advice, .commands: model.pane = .main
        default: break
        }
    }

    // MARK: Enter

    private func open(_ model: inout AppModel) -> [Effect] {
        guard model.book != nil else { return openProject(&model) }
        switch (model.pane, model.section) {
        case (.rail, _):
            model.pane = .main
            if let book = model.book, let phase = model.phase, phase.number > 0,
                phase.finished == phase.steps.count
            {
                model.goToNext(book)
            }
        case (.tables, .phase(3)): return openProof(&model)
        case (.tables, _): model.pane = .columns
        case (.columns, _): openColumn(&model)
        case (.commands, _): return openCommand(&model)
        case (.output, _):
            if let state = model.selectedCommand {
                model.overlays.append(.text(CommandWords.box(state, model.feed(state.id))))
            }
        case (.files, _):
            if let file = model.selectedFile {
                model.overlays.append(
                    .text(TextBox(title: "\(file.title): \(file.state.words)", lines: FilesView.lines(file))))
            }
        case (.advice, _):
            if let line = model.selectedAdvice { model.overlays.append(.text(AdviceWords.box(line))) }
        case (.places, _):
            if let place = model.selectedPlace {
                let source = model.source.flatMap { $0.key == place.id ? $0 : nil }
                model.overlays.append(.text(CodeWords.box(place, source)))
            }
        case (_, .phase): return openStep(&model)
        case (_, .checklist): showItem(&model)
        case (_, .findings):
            if let finding = model.selectedFinding { model.overlays.append(.text(Words.finding(finding))) }
        case (_, .journal):
            let index = model.list(.journal).selected
            let entries = model.shownJournal
            if entries.indices.contains(index) {
                model.overlays.append(.text(Words.entry(entries[index])))
            }
        case (_, .rollback) where model.selectedRollback?.step == Phases.rollback.id:
            return ask(Phases.rollback.id, &model)
        case (_, .rollback): return undo(&model)
        }
        return []
    }

    private func openProject(_ model: inout AppModel) -> [Effect] {
        let index = model.list(.projects).selected
        guard let entries = model.projects?.entries, entries.indices.contains(index) else {
            prompt(
                .command, "Open", ["open PATH, a SQLite file or a project's folder"], &model, text: "open ")
            return []
        }
        model.isBusy = true
        return [.open(entries[index].path)]
    }

    private func openStep(_ model: inout AppModel) -> [Effect] {
        guard let line = model.selectedStep, let phase = model.phase, let book = model.book else { return [] }
        switch line.state {
        case .running:
            model.toast = Toast("it runs: p pauses, x cancels", .muted)
        case .done where phase.number > 0 && phase.finished == phase.steps.count && book.next != nil:
            model.goToNext(book)
        case .failed(let reason) where !line.isManual:
            model.overlays.append(
                .failure(
                    FailureBox(
                        step: Words.mayTryAgain(reason) ? line.step : nil, message: reason,
                        remedy: Words.remedy(line),
                        focused: book.mode == .live ? 1 : 0)))
        case .undecided where line.step == "4.3": showPlaces(&model)
        case .undecided where line.step == "5.1": showCommands(&model)
        case .undecided where line.waitsForFindings: model.go(to: .findings)
        case .ready where !line.isManual, .stale where !line.isManual: return ask(line.step, &model)
        default: model.overlays.append(.details(step: line.step, top: 0))
        }
        return []
    }

    /// Asks for a step's preview.
    func ask(_ step: String?, _ model: inout AppModel, isUndo: Bool = false) -> [Effect] {
        // One preview at a time: keys that were typed ahead ask for no second one.
        guard let step, !model.isBusy else { return [] }
        guard model.work == nil else {
            model.toast = Toast("work runs: x cancels it", .warn)
            return []
        }
        model.isBusy = true
        return [.preview(step, isUndo: isUndo)]
    }

    private func undo(_ model: inout AppModel) -> [Effect] {
        if model.pane == .files {
            if let file = model.selectedFile { confirmTakingBack(file, &model) }
            return []
        }
        if model.section == .rollback {
            guard let step = model.selectedRollback else { return [] }
            if let reason = Availability.reason(.undo, model) {
                model.toast = Toast(reason, .warn)
                return []
            }
            return ask(step.step, &model, isUndo: true)
        }
        return ask(model.selectedStep?.step, &model, isUndo: true)
    }

    private func confirmApplying(_ file: ProjectFile, _ model: inout AppModel) {
        let isLive = model.book?.mode == .live
        model.overlays.append(
            .confirm(
                ConfirmBox(
                    question: .applyFile(file),
                    title:
                        "\(isLive ? "LIVE: " : "")\(file.destination == nil ? "Change" : "Move") \(file.path)?",
                    text: [
                        file.destination.map {
                            "It goes to \($0), as it is; step \(file.step) does the rest."
                        }
                            ?? "This file alone, as its diff shows; step \(file.step) does the rest.",
                        isLive ? "It is the project's own file." : "It is a file of the rehearsal's copy.",
                    ], buttons: ["change", "cancel"], focused: isLive ? 1 : 0)))
    }

    private func confirmTakingBack(_ file: ProjectFile, _ model: inout AppModel) {
        model.overlays.append(
            .confirm(
                ConfirmBox(
                    question: .takeBackFile(file), title: "Bring \(file.path) back?",
                    text: file.state == .edited
                        ? [
                            "It was edited since: those edits are taken out of the file, and kept in the state's originals."
                        ]
                        : ["It is as it was before step \(file.step), byte for byte."],
                    buttons: ["bring back", "cancel"], focused: 1)))
    }

    /// What can be said of a place in the code.
    static let decisions: [(state: CodePlace.State, meaning: String)] = [
        (.accepted, "It stays as it is, knowingly: say why in a note."),
        (.notApplicable, "The rule does not speak of this place: say why in a note."),
        (.fixed, "You have changed it so that it works, though the rule still finds it."),
        (.open, "Nothing is decided."),
    ]

    /// To the places in the code, under the steps of phase 4.
    func showPlaces(_ model: inout AppModel) {
        if model.section != .phase(4) { model.go(to: .phase(4)) }
        if model.showsPlaces { model.pane = .places }
    }

    private func translate(_ statement: String?, _ model: inout AppModel) -> [Effect] {
        guard !model.isBusy else { return [] }
        model.isBusy = true
        return [.previewTranslation(statement: statement)]
    }

    private func openProof(_ model: inout AppModel) -> [Effect] {
        guard let name = model.selectedTable, let table = model.book?.tables.first(where: { $0.name == name })
        else {
            return []
        }
        guard table.verdict == "differs" else {
            model.overlays.append(.text(Words.table(table, model.book)))
            return []
        }
        model.overlays.append(
            .proof(DifferenceBox(table: name, differences: table.differences, kept: table.differences)))
        return [.page(table: name, .all, first: 0)]
    }

    private func openColumn(_ model: inout AppModel) {
        let index = model.list(.columns).selected
        guard let table = model.planTable, table.columns.indices.contains(index) else { return }
        let column = table.columns[index]
        let others = column.alternatives.filter { $0 != column.type }
        guard !others.isEmpty, model.work == nil else {
            model.overlays.append(.text(Words.column(column, table.name)))
            return
        }
        model.overlays.append(
            .choose(
                ChooseBox(
                    purpose: .type(table: table.name, column: column.name),
                    title: "\(table.name).\(column.name)",
                    text: Words.column(column, table.name).lines.map(\.text)
                        + ["", "Every type below holds every value; the plan changes when you take one."],
                    choices: [column.type] + others)))
    }

    // MARK: Ticks, decisions, notes

    private func showItem(_ model: inout AppModel) {
        if let item = model.selectedItem { model.overlays.append(.text(Words.item(item))) }
    }

    private func tick(_ model: inout AppModel) -> [Effect] {
        switch (model.section, model.pane) {
        case (.checklist, _):
            guard let item = model.selectedItem else { return [] }
            tick(item.id, item.title, isTicked: item.isTicked, &model)
        case (.phase(2), .files):
            guard let file = model.selectedFile else { return [] }
            if file.state == .planned {
                confirmApplying(file, &model)
            } else {
                confirmTakingBack(file, &model)
            }
        case (.phase(6), .advice):
            guard let line = model.selectedAdvice else { return [] }
            guard line.state != .leftOut else { return [.choose(advice: line.id, true, note: "")] }
            prompt(
                .leaveAdvice(line.id), "Leave out: \(line.advice.words)", ["Why? It goes into the journal."],
                &model)
        case (.phase(5), .commands), (.phase(5), .output):
            guard let state = model.selectedCommand else { return [] }
            return [.leaveOut(state.id, !state.isLeftOut)]
        case (.phase(4), .places):
            guard let place = model.selectedPlace else { return [] }
            model.overlays.append(
                .choose(
                    ChooseBox(
                        purpose: .place(place), title: "\(place.finding.path):\(place.finding.line)",
                        text: ["\(place.title) → \(place.equal)"],
                        choices: Update.decisions.map(\.state.words), details: Update.decisions.map(\.meaning)
                    )))
        case (.phase(1), .tables):
            guard let table = model.planTable else { return [] }
            let isSkipped = !table.isSkipped
            model.overlays.append(
                .confirm(
                    ConfirmBox(
                        question: .skipTable(table.name, isSkipped),
                        title: isSkipped ? "Leave \(table.name) out?" : "Take \(table.name) in again?",
                        text: isSkipped
                            ? ["Its rows are not copied. The plan says so, and so will the report."]
                            : ["Its rows are copied like all others."],
                        buttons: [isSkipped ? "leave out" : "take in", "cancel"], focused: 1)))
        default:
            guard let step = model.selectedStep else { return [] }
            if case .skipped = step.state {
                tick(step.step, step.title, isTicked: true, &model)
            } else {
                tick(step.step, step.title, isTicked: step.state == .done, &model)
            }
        }
        return []
    }

    private func tick(_ id: String, _ title: String, isTicked: Bool, _ model: inout AppModel) {
        if isTicked {
            model.overlays.append(
                .confirm(
                    ConfirmBox(
                        question: .untick(id), title: "Take the tick away?",
                        text: [title, "The journal keeps that it was there."],
                        buttons: ["take away", "keep"],
                        focused: 1)))
        } else {
            let objections = Self.objections(id, model)
            let words =
                objections.isEmpty
                ? ["A note, such as how you tried it; may be empty."]
                : objections + ["A note is needed: why is it in order all the same?"]
            prompt(.note(id), "Tick: \(title)", words, &model)
        }
    }

    /// What speaks against a tick, of an item or of a step.
    static func objections(_ id: String, _ model: AppModel) -> [String] {
        if let item = model.book?.checklist.first(where: { $0.id == id }) { return item.objections }
        guard let step = model.book?.step(id), case .failed = step.state else { return [] }
        return [step.state.words]
    }

    private func settle(_ model: inout AppModel) -> [Effect] {
        guard let step = model.selectedStep else { return [] }
        prompt(.skip(step.step), "Settle: \(step.title)", ["Why does it not apply?"], &model)
        return []
    }

    private func decide(_ model: inout AppModel) {
        guard model.section == .findings, let finding = model.selectedFinding else {
            model.go(to: .findings)
            return
        }
        model.overlays.append(
            .choose(
                ChooseBox(
                    purpose: .finding(finding), title: finding.place,
                    text: Words.finding(finding).lines.prefix { !$0.text.hasPrefix("Choices") }.map(\.text),
                    choices: finding.choices.map { choice in
                        choice.word + (choice == finding.recommended ? "  (recommended)" : "")
                    }, details: finding.choices.map(\.consequence))))
    }

    func prompt(
        _ purpose: PromptBox.Purpose, _ title: String, _ text: [String], _ model: inout AppModel,
        text typed: String = ""
    ) {
        model.overlays.append(
            .prompt(PromptBox(purpose: purpose, title: title, text: text, field: TextField(typed))))
    }

    // MARK: Find and copy

    func find(_ direction: Int, _ model: inout AppModel) -> [Effect] {
        let id = model.focusedList
        let lines = Words.searchable(id, model)
        guard !lines.isEmpty else { return [] }
        let wanted = model.search.lowercased()
        let start = model.list(id).selected
        for offset in 1...lines.count {
            let index = ((start + offset * direction) % lines.count + lines.count) % lines.count
            if lines[index].lowercased().contains(wanted) {
                model.setList(id) { $0.select(index, count: $1) }
                return []
            }
        }
        model.toast = Toast("nothing here has “\(model.search)”", .warn)
        return []
    }

    private func copy(_ model: AppModel) -> [Effect] {
        guard let step = model.selectedStep else { return [] }
        return [.copy(Words.details(step).lines.map(\.text).joined(separator: "\n"))]
    }
}
