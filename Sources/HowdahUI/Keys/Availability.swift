import AppProject
import MigrationEngine
import Playbook
import TerminalUI

/// Why an action does nothing at this moment, in words; nil where it does something.
enum Availability {
    static func reason(_ action: Action, _ model: AppModel) -> String? {
        if model.monitor != nil { return Update.monitorReason(action, model) }
        guard model.book != nil || [.open, .help, .quit, .command, .find].contains(action) else {
            return model.book == nil && isAboutBook(action) ? "open a project first" : nil
        }
        switch action {
        case .cancel where model.selectedServiceRuns: return nil
        case .pause, .cancel: return model.work == nil ? "no work runs" : nil
        case .start, .link: return command(action, model)
        case .undo where model.pane == .files: return file(model, isUndo: true)
        case .undo: return undo(model)
        case .again: return again(model)
        case .tick: return tick(model)
        case .settle: return settle(model)
        case .edit where model.pane == .places: return place(model)
        case .translate, .translateAll: return translation(action, model)
        case .rescan: return model.work == nil ? nil : "work runs: x cancels it"
        case .diff, .edit:
            return model.book?.plan.isEmpty ?? true ? "there is no plan yet: step 1.7 makes it" : nil
        case .add: return model.section == .checklist ? nil : "items are added on the checklist: 7"
        case .decide:
            guard let finding = model.selectedFinding else { return "nothing was found" }
            return finding.choices.isEmpty ? "there is nothing to decide about it" : nil
        case .live:
            if model.book?.isSourceHeld ?? false {
                return "a cutover is under way: end it with C.4, or go back"
            }
            return model.work == nil ? nil : "work runs: x cancels it"
        case .monitor:
            return model.section == .phase(6) ? nil : "the monitor belongs to phase 6; :monitor works here"
        case .cutover:
            return model.book?.mode == .live ? nil : "the cutover is of the live target: L goes live first"
        case .findNext, .findPrevious: return model.search.isEmpty ? "nothing was looked for: / does" : nil
        default: return nil
        }
    }

    private static func isAboutBook(_ action: Action) -> Bool {
        switch action {
        case .pause, .cancel, .undo, .link, .start, .again, .tick, .settle, .diff, .edit, .add, .decide,
            .live, .cutover:
            true
        default: false
        }
    }

    private static func subject(_ model: AppModel) -> BookState.StepLine? {
        model.section == .rollback ? model.selectedRollback : model.selectedStep
    }

    private static func undo(_ model: AppModel) -> String? {
        if model.work != nil { return "work runs: x cancels it" }
        guard let step = subject(model) else { return "no step is selected" }
        if step.step == Phases.rollback.id { return "Enter shows the whole way back" }
        return step.undoObstacle
    }

    private static func again(_ model: AppModel) -> String? {
        if model.work != nil { return "work runs: x cancels it" }
        guard let step = model.selectedStep else { return "no step is selected" }
        if step.isManual { return "this one is done by hand" }
        if case .waiting(let reason) = step.state { return reason }
        return step.state == .ready ? "it has not run yet: Enter shows what it would do" : nil
    }

    private static func file(_ model: AppModel, isUndo: Bool) -> String? {
        if model.work != nil { return "work runs: x cancels it" }
        guard let file = model.selectedFile else { return "no file is selected" }
        return isUndo && file.state == .planned ? "it is as it was" : nil
    }

    private static func advice(_ model: AppModel) -> String? {
        if model.work != nil { return "work runs: x cancels it" }
        guard let line = model.selectedAdvice else { return "no advice is selected" }
        return line.state == .done ? "it is done: u on the step takes it back" : nil
    }

    private static func place(_ model: AppModel) -> String? {
        guard let place = model.selectedPlace else { return "no place is selected" }
        return place.isGone ? "it is gone from the code" : nil
    }

    private static func command(_ action: Action, _ model: AppModel) -> String? {
        guard let state = model.selectedCommand else { return "no command is selected" }
        switch (action, state.command.kind) {
        case (.start, .test): return "it ends by itself: Enter runs it"
        case (.link, .service), (.tick, .service): return "a service proves nothing by itself"
        case (.start, .service): return model.selectedServiceRuns || !model.isBusy ? nil : "a moment"
        default: return model.work == nil ? nil : "work runs: x cancels it"
        }
    }

    private static func translation(_ action: Action, _ model: AppModel) -> String? {
        if model.work != nil { return "work runs: x cancels it" }
        if action == .translateAll { return nil }
        guard let place = model.selectedPlace else { return "no place is selected" }
        return place.finding.statement == nil ? "it is no SQL: e opens the editor" : self.place(model)
    }

    private static func tick(_ model: AppModel) -> String? {
        switch (model.section, model.pane) {
        case (.phase(4), .places): return place(model)
        case (.phase(2), .files): return file(model, isUndo: false)
        case (.phase(5), .commands), (.phase(5), .output): return command(.tick, model)
        case (.phase(6), .advice): return advice(model)
        case (.phase(1), .tables):
            return model.work == nil ? nil : "work runs: x cancels it"
        case (.phase, .main):
            guard let step = model.selectedStep else { return "no step is selected" }
            // What failed may be accepted, with a note.
            if case .failed = step.state, step.canSkip { return nil }
            if !step.isManual { return "howdah runs this one: Enter shows what it would do" }
            if case .waiting(let reason) = step.state { return reason }
            return nil
        case (.checklist, _): return nil
        default: return "there is nothing to tick here"
        }
    }

    private static func settle(_ model: AppModel) -> String? {
        guard case .phase = model.section, model.pane == .main, let step = model.selectedStep else {
            return "no step is selected"
        }
        return step.canSkip ? nil : "later steps build on this one: it cannot be left out"
    }
}
