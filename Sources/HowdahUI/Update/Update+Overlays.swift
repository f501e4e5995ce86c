import MigrationEngine
import Playbook
import TerminalUI

/// Keys in the topmost box.
extension Update {
    func performInOverlay(_ action: Action, _ model: inout AppModel) -> [Effect] {
        guard let top = model.overlays.last else { return [] }
        switch action {
        case .back, .quit:
            if case .themes(_, let original) = top {
                model.overlays.removeLast()
                model.theme = original
                return [.theme(original)]
            }
            model.overlays.removeLast()
            return []
        case .up: return scroll(by: -1, &model)
        case .down: return scroll(by: 1, &model)
        case .pageUp: return scroll(by: -max(1, model.size.height - 6), &model)
        case .pageDown: return scroll(by: max(1, model.size.height - 6), &model)
        case .top: return scroll(by: -1_000_000_000, &model)
        case .bottom: return scroll(by: 1_000_000_000, &model)
        case .nextButton, .nextPane: return focus(1, &model)
        case .previousButton: return focus(-1, &model)
        case .open: return accept(top, &model)
        case .complete: return complete(&model)
        case .help:
            model.overlays.append(.help(search: TextField(), top: 0))
            return []
        default: return performSpecial(action, top, &model)
        }
    }

    /// Keys that only some boxes know.
    private func performSpecial(_ action: Action, _ top: Overlay, _ model: inout AppModel) -> [Effect] {
        switch (action, top) {
        case (.again, .failure(let box)):
            model.overlays.removeLast()
            return ask(box.step, &model)
        case (.copy, .failure(let box)): return [.copy("\(box.step ?? "")\n\(box.message)\n\(box.remedy)")]
        case (.copy, .text(let box)): return [.copy(box.lines.map(\.text).joined(separator: "\n"))]
        case (.copy, .details(let step, _)):
            guard let line = model.book?.step(step) else { return [] }
            return [.copy(Words.details(line).lines.map(\.text).joined(separator: "\n"))]
        case (.copy, .proof(let box)):
            return [.copy("\(box.table) \(box.row?.difference.key ?? "")")]
        case (.tick, .details(let step, _)):
            guard let line = model.book?.step(step), line.isManual, line.state == .ready else { return [] }
            model.overlays.removeLast()
            prompt(
                .note(step), "Tick: \(line.title)", ["A note, such as how you tried it; may be empty."],
                &model)
            return []
        case (.undo, .details(let step, _)):
            guard model.book?.step(step)?.canUndo ?? false else {
                model.toast = Toast("there is nothing to undo, or a later step builds on it", .warn)
                return []
            }
            model.overlays.removeLast()
            return ask(step, &model, isUndo: true)
        case (.again, .details(let step, _)):
            guard model.book?.step(step)?.isManual == false else { return [] }
            model.overlays.removeLast()
            return ask(step, &model)
        case (_, .proof(let box)): return performInProof(action, box, &model)
        case (.nextDifference, .bytes(let box)), (.previousDifference, .bytes(let box)):
            jump(box, isBackward: action == .previousDifference, &model)
            return []
        // Boxes that are only read name keys: those work from there.
        case (_, .text), (_, .details):
            guard Self.leadsElsewhere.contains(action), Availability.reason(action, model) == nil else {
                break
            }
            model.overlays.removeLast()
            return performInPane(action, &model)
        default: break
        }
        model.toast = Toast("not in this box; Esc closes it", .muted)
        return []
    }

    private static let leadsElsewhere: Set<Action> = [
        .phase1, .phase2, .phase3, .phase4, .phase5, .phase6, .checklist, .findings, .journal, .rollback,
        .live, .decide,
        .command,
    ]

    // MARK: Moving

    func scroll(by rows: Int, _ model: inout AppModel) -> [Effect] {
        guard let top = model.overlays.last else { return [] }
        let index = model.overlays.count - 1
        func moved(_ place: Int, _ count: Int) -> Int { max(0, min(place + rows, max(0, count - 1))) }
        switch top {
        case .preview(var box):
            box.top = moved(box.top, Words.preview(box, model.book).count)
            model.overlays[index] = .preview(box)
        case .details(let step, let place):
            let count = model.book?.step(step).map { Words.details($0).lines.count } ?? 0
            model.overlays[index] = .details(step: step, top: moved(place, count))
        case .failure(var box):
            box.top = moved(box.top, 40)
            model.overlays[index] = .failure(box)
        case .confirm(var box):
            box.top = moved(box.top, box.text.count)
            model.overlays[index] = .confirm(box)
        case .help(let search, let place):
            model.overlays[index] = .help(
                search: search, top: moved(place, HelpText.lines(keys, search.text, model).count))
        case .text(var box):
            box.top = moved(box.top, box.lines.count)
            model.overlays[index] = .text(box)
        case .statements(let table, let place):
            model.overlays[index] = .statements(table: table, top: moved(place, 10_000))
        case .themes(var list, let original):
            list.move(by: rows, count: model.themes.count)
            model.overlays[index] = .themes(list, original: original)
            model.theme = model.themes[list.selected]
            return [.theme(model.theme)]
        case .choose(var box):
            box.list.move(by: rows, count: box.choices.count)
            model.overlays[index] = .choose(box)
        case .proof: return moveDifference(by: rows, &model)
        case .bytes(var box):
            box.top = moved(
                box.top, HexView(left: box.left, right: box.right).rows(width: model.size.width - 4))
            model.overlays[index] = .bytes(box)
        case .prompt: break
        }
        return []
    }

    private func focus(_ direction: Int, _ model: inout AppModel) -> [Effect] {
        let index = model.overlays.count - 1
        switch model.overlays[index] {
        case .preview(var box):
            box.focused = 1 - box.focused
            model.overlays[index] = .preview(box)
        case .failure(var box):
            if box.step != nil { box.focused = 1 - box.focused }
            model.overlays[index] = .failure(box)
        case .confirm(var box):
            box.focused = (box.focused + direction + box.buttons.count) % box.buttons.count
            model.overlays[index] = .confirm(box)
        case .proof(var box):
            let count = box.row?.cells.count ?? 0
            box.cell = max(0, min(box.cell + direction, count - 1))
            model.overlays[index] = .proof(box)
        default: break
        }
        return []
    }

    // MARK: Enter

    private func accept(_ top: Overlay, _ model: inout AppModel) -> [Effect] {
        switch top {
        case .preview(let box): return accept(box, &model)
        case .failure(let box):
            model.overlays.removeLast()
            return box.focused == 0 ? ask(box.step, &model) : []
        case .confirm(let box): return accept(box, &model)
        case .prompt(let box):
            model.overlays.removeLast()
            return take(box, &model)
        case .themes:
            model.overlays.removeLast()
            model.toast = Toast("theme \(model.theme)")
            return []
        case .choose(let box): return accept(box, &model)
        case .proof(let box): return performInProof(.bytes, box, &model)
        case .details, .help, .text, .statements, .bytes:
            model.overlays.removeLast()
            return []
        }
    }

    /// Says so where something else than what was asked for was typed: Enter then neither does it nor closes the box.
    private func isMistyped(_ field: TextField?, _ expected: String?, _ model: inout AppModel) -> Bool {
        guard let expected, let text = field?.text, !text.isEmpty, text != expected else { return false }
        model.toast = Toast("that is not “\(expected)”; Esc leaves", .warn)
        return true
    }

    private func accept(_ box: PreviewBox, _ model: inout AppModel) -> [Effect] {
        if isMistyped(box.field, box.preview.confirmation, &model) { return [] }
        guard box.focused == 0 else {
            model.overlays.removeLast()
            return []
        }
        if let wanted = box.preview.confirmation, box.field?.text != wanted {
            model.toast = Toast("type “\(wanted)” to go on", .warn)
            return []
        }
        model.overlays.removeLast()
        model.work = WorkView(step: box.step, isUndo: box.isUndo)
        model.book?.setRunning(box.step)
        if let request = box.request {
            // What the proof has found is about to be another.
            if case .proof(let rows) = model.overlays.last { model.repairing = rows }
            model.overlays = []
            return [.copyAgain(request)]
        }
        if let translation = box.translation { return [.translate(statement: translation.key)] }
        return [box.isUndo ? .undo(box.step) : .run(box.step)]
    }

    private func accept(_ box: ConfirmBox, _ model: inout AppModel) -> [Effect] {
        if case .quitWhileHolding = box.question {
            model.overlays.removeLast()
            return box.focused == 1 ? [.quit(0)] : []
        }
        if case .quitWhileWorking = box.question {
            model.overlays.removeLast()
            guard box.focused == 1 else { return [] }
            guard model.work != nil else { return [.quit(0)] }
            model.isQuitting = true
            return cancel(&model)
        }
        if isMistyped(box.field, box.expected, &model) { return [] }
        guard box.focused == 0 else {
            model.overlays.removeLast()
            return []
        }
        if let expected = box.expected, box.field?.text != expected {
            model.toast = Toast("type the database's name, \(expected), to go on", .warn)
            return []
        }
        model.overlays.removeLast()
        switch box.question {
        case .quitWhileWorking, .quitWhileHolding: return []
        case .endSession(let session, let ending): return [.endSession(session, ending)]
        case .goLive: return [.setMode(.live)]
        case .goBackToRehearsal: return [.setMode(.rehearsal)]
        case .untick(let id): return [.untick(id)]
        case .applyFile(let file):
            model.isBusy = true
            return [.applyFile(file)]
        case .takeBackFile(let file):
            model.isBusy = true
            return [.takeBackFile(file)]
        case .runCommand(let name): return run(command: name, &model)
        case .startService(let name): return start(service: name, &model)
        case .replaceService(let name):
            model.isBusy = true
            return [.startService(name, replaces: true)]
        case .skipTable(let name, let isSkipped): return [.editPlan(.skip(table: name, isSkipped))]
        }
    }

    private func accept(_ box: ChooseBox, _ model: inout AppModel) -> [Effect] {
        guard box.choices.indices.contains(box.list.selected) else { return [] }
        let choice = box.choices[box.list.selected]
        model.overlays.removeLast()
        switch box.purpose {
        case .type(let table, let column):
            return [.editPlan(.type(table: table, column: column, type: choice))]
        case .place(let place):
            let state = Self.decisions[box.list.selected].state
            guard state == .accepted || state == .notApplicable else {
                return [.settle(place: place.id, state, note: "")]
            }
            prompt(
                .place(place.id, state), "\(place.title): \(state.words)", ["Why? It goes into the journal."],
                &model)
            return []
        case .repair(let requests):
            model.isBusy = true
            return [.previewCopyAgain(requests[box.list.selected])]
        case .differences(let filters):
            return show(filters[box.list.selected], &model)
        case .ending(let session):
            confirm(MonitorText.endings(session)[box.list.selected], of: session, &model)
            return []
        case .link(let name): return toggleLink(name, Playbook.linkableItems[box.list.selected], &model)
        case .finding(let finding):
            guard finding.choices.indices.contains(box.list.selected),
                let edit = PlanEdit(finding.choices[box.list.selected].word, of: finding)
            else { return [] }
            model.isBusy = true
            return [.editPlan(edit)]
        }
    }

    private func take(_ box: PromptBox, _ model: inout AppModel) -> [Effect] {
        let text = box.field.text
        switch box.purpose {
        case .note(let id):
            if text.allSatisfy(\.isWhitespace), !Self.objections(id, model).isEmpty {
                model.toast = Toast("not ticked: a tick against the evidence needs a note", .warn)
                return []
            }
            return [.tick(id, note: text)]
        case .skip(let id): return [.skip(id, reason: text.isEmpty ? "does not apply" : text)]
        case .item: return text.isEmpty ? [] : [.addItem(text)]
        case .remark(let id): return text.isEmpty ? [] : [.note(id, text)]
        case .filter:
            model.filter = text
            model.clampLists()
            return []
        case .target:
            model.wantsLive = !text.isEmpty
            return text.isEmpty ? [] : [.setTarget(text)]
        case .admin: return text.isEmpty ? [] : [.setAdmin(text)]
        case .password(let isAdmin): return [.setPassword(text, isAdmin: isAdmin)]
        case .place(let key, let state): return [.settle(place: key, state, note: text)]
        case .leaveAdvice(let id): return [.choose(advice: id, false, note: text)]
        case .find:
            model.search = text
            return text.isEmpty ? [] : find(1, &model)
        case .findDifference: return findDifference(text, &model)
        case .command: return CommandLine.run(text, self, &model)
        }
    }

    // MARK: Typing

    func typeText(_ text: String, _ model: inout AppModel) {
        changeField(&model) { $0.insert(text) }
    }

    func editField(_ key: Key, _ model: inout AppModel) {
        changeField(&model) { _ = $0.take(key) }
    }

    private func changeField(_ model: inout AppModel, _ change: (inout TextField) -> Void) {
        guard let top = model.overlays.last else { return }
        let index = model.overlays.count - 1
        switch top {
        case .prompt(var box):
            change(&box.field)
            model.overlays[index] = .prompt(box)
        case .preview(var box):
            guard var field = box.field else { return }
            change(&field)
            box.field = field
            // Who has typed it means it.
            box.focused = field.text == box.preview.confirmation ? 0 : 1
            model.overlays[index] = .preview(box)
        case .confirm(var box):
            guard var field = box.field else { return }
            change(&field)
            box.field = field
            box.focused = field.text == box.expected ? 0 : 1
            model.overlays[index] = .confirm(box)
        case .help(var search, _):
            change(&search)
            model.overlays[index] = .help(search: search, top: 0)
        default: break
        }
    }

    private func complete(_ model: inout AppModel) -> [Effect] {
        guard case .prompt(var box) = model.overlays.last, box.purpose == .command else {
            return focus(1, &model)
        }
        box.field = TextField(CommandLine.completed(box.field.text, model))
        model.overlays[model.overlays.count - 1] = .prompt(box)
        return []
    }
}
