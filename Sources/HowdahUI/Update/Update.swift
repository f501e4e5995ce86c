import MigrationEngine
import Playbook
import TerminalUI

/// What a message changes, and what it asks the runtime to do. Pure: the same model and message give the same answer.
public struct Update {
    let keys: KeyTable<KeyContext, Action>

    public init(keys: KeyTable<KeyContext, Action>) {
        self.keys = keys
    }

    public func callAsFunction(_ model: inout AppModel, _ message: Message) -> [Effect] {
        take(message, &model) + wantSource(&model) + wantFiles(&model) + wantFeed(&model)
    }

    private func take(_ message: Message, _ model: inout AppModel) -> [Effect] {
        switch message {
        case .event(let event, let time): return take(event, time, &model)
        case .book(let book): return show(book, &model)
        case .ended(let step, let isUndo, let book, let problem):
            return ended(step, isUndo, book, problem, &model)
        case .work(let work):
            model.work = work
            return []
        case .previewed(let step, let isUndo, let preview):
            model.isBusy = false
            if model.isQuitting { return [.quit(0)] }
            model.overlays.append(.preview(previewBox(step, isUndo, preview, model)))
            return []
        case .page(let page): return show(page, &model)
        case .foundDifference(let table, let number): return goTo(number, of: table, &model)
        case .files(let files):
            let selected = model.selectedFile?.path
            model.files = files
            if let index = model.shownFiles.firstIndex(where: { $0.path == selected }) {
                model.setList(.files) { $0.select(index, count: $1) }
            }
            model.clampLists()
            return []
        case .source(let source):
            model.source = source
            return []
        case .translation(let key, let preview):
            model.isBusy = false
            if model.isQuitting { return [.quit(0)] }
            var box = previewBox("4.3", false, preview, model)
            box.translation = TranslationSubject(key)
            if !preview.sections.contains(where: { $0.style == .diff }) { box.focused = 1 }
            model.overlays.append(.preview(box))
            return []
        case .copying(let request, let preview):
            model.isBusy = false
            if model.isQuitting { return [.quit(0)] }
            var box = previewBox(Phases.differences, false, preview, model)
            box.request = request
            model.overlays.append(.preview(box))
            return []
        case .feed(let feed):
            let hasEnded = !feed.isRunning && model.feeds[feed.name]?.isRunning ?? false
            model.feeds[feed.name] = feed
            return hasEnded ? [.refresh] : []
        case .ranCommand(let result, let book, let problem):
            return ranCommand(result, book, problem, &model)
        case .problem(let problem):
            model.isBusy = false
            model.wantsLive = false
            if model.isQuitting { return [.quit(0)] }
            if problem.isCancelled {
                model.toast = Toast("cancelled", .warn)
            } else {
                fail(problem, &model)
            }
            return []
        case .monitor(let news): return take(news, &model)
        case .noMonitor(let problem):
            model.monitor = nil
            fail(problem, &model)
            return []
        case .projects(let entries, let isSearching):
            model.projects = ProjectList(entries: entries, isSearching: isSearching)
            return []
        case .askPassword(let url, let isAdmin):
            model.isBusy = false
            model.overlays.append(
                .prompt(
                    PromptBox(
                        purpose: .password(isAdmin: isAdmin), title: "Password",
                        text: ["for \(url)", "It is kept in memory only."],
                        field: TextField(isSecret: true))))
            return []
        case .toast(let text, let role):
            model.isBusy = false
            model.toast = Toast(text, role)
            return []
        }
    }

    // MARK: News

    /// Says what will happen, where nothing has happened yet.
    static func welcome(_ model: inout AppModel) {
        guard let book = model.book, book.journal.isEmpty else { return }
        model.overlays.append(.text(Words.welcome(book)))
    }

    /// Takes the project as it is now; the place in the code that is selected stays it, wherever it stands.
    func set(_ book: BookState, _ model: inout AppModel) {
        let selected = model.selectedPlace?.id
        model.book = book
        guard let selected,
            let index = model.shownPlaces.firstIndex(where: { $0.id == selected && $0.state == .open })
        else { return }
        model.setList(.places) { $0.select(index, count: $1) }
    }

    /// Asks for the lines around the place that is selected, where they are shown and not at hand.
    private func wantSource(_ model: inout AppModel) -> [Effect] {
        guard model.showsPlaces, let place = model.selectedPlace, place.id != model.wantedSource else {
            return []
        }
        model.wantedSource = place.id
        return [.source(place.id)]
    }

    /// Asks for the project's files once phase 2 is shown and nothing runs.
    private func wantFiles(_ model: inout AppModel) -> [Effect] {
        guard model.section == .phase(2), model.book != nil, !model.hasAskedForFiles, model.work == nil,
            !model.isBusy
        else { return [] }
        model.hasAskedForFiles = true
        return [.files]
    }

    private func show(_ book: BookState, _ model: inout AppModel) -> [Effect] {
        let isFirst = model.book?.sourcePath != book.sourcePath
        if model.book?.places != book.places { model.wantedSource = nil }
        if model.book?.mode != book.mode || isFirst {
            model.feeds = model.feeds.filter { !isFirst && $0.value.isRunning }
            model.wantedFeed = nil
        }
        if model.book?.mode != book.mode {
            model.files = nil
            model.hasAskedForFiles = false
        }
        set(book, &model)
        model.isBusy = false
        if isFirst {
            model.files = nil
            model.hasAskedForFiles = false
            model.lists = [:]
            model.go(to: .phase(1))
            model.goToNext(book)
            Self.welcome(&model)
            if book.isCutoverOpen, book.mode == .rehearsal {
                model.toast = Toast(
                    "the application was switched over, and the cutover has not ended: L, then C", .warn)
            }
        }
        model.clampLists()
        if model.wantsLive, book.liveDatabase != nil {
            model.wantsLive = false
            goLive(&model)
        }
        return []
    }

    private func ended(
        _ step: String?, _ isUndo: Bool, _ book: BookState, _ problem: Problem?, _ model: inout AppModel
    ) -> [Effect] {
        let wasThere = step != nil && model.selectedStep?.step == step
        let repaired = model.repairing
        model.repairing = nil
        model.wantedSource = nil
        model.hasAskedForFiles = false
        set(book, &model)
        model.work = nil
        model.isBusy = false
        model.clampLists()
        if model.isQuitting { return [.quit(0)] }
        if let problem {
            if problem.isCancelled {
                model.toast = Toast("cancelled: \(step ?? "the work") is as the list says", .warn)
            } else {
                fail(problem, &model)
            }
            return []
        }
        guard let step, let line = book.step(step) else { return [] }
        if let repaired, step == Phases.differences, !isUndo {
            return show(repaired, after: line, book, &model)
        }
        if isUndo {
            model.toast = Toast("undone: \(step) \(line.title)")
            return []
        }
        switch line.state {
        case .undecided(let count) where step == "4.3":
            model.toast = Toast("\(step) \(line.title): \(line.evidence.first ?? "\(count) open")")
            showPlaces(&model)
        case .undecided where step == "5.1":
            model.toast = Toast("\(step) \(line.title): a command ran no test, and nothing was proven", .warn)
            showCommands(&model)
        case .undecided(let count) where line.waitsForFindings:
            model.overlays.append(.text(Words.undecided(line, count)))
        case .undecided: model.overlays.append(.details(step: step, top: 0))
        case .failed(let reason):
            let again = Words.mayTryAgain(reason) ? step : nil
            fail(Problem(step: again, message: reason, remedy: Words.remedy(line)), &model)
        default:
            model.toast = Toast("\(step) \(line.title): \(line.evidence.first ?? "done")")
            // What was copied again is to be looked at, and can be put back from there.
            if wasThere, step != Phases.differences { goOn(from: line, book, &model) }
            if step == "3.4", book.step("3.4")?.state == .done {
                model.overlays.append(.text(Words.proven(book)))
            }
            if let box = Words.cutover(line) { model.overlays.append(.text(box)) }
        }
        return []
    }

    /// To the next step: from the code on, what is left of earlier phases is not looked for.
    private func goOn(from line: BookState.StepLine, _ book: BookState, _ model: inout AppModel) {
        // The cutover and the way back stand by themselves.
        guard let phase = model.phaseNumber else { return }
        guard phase >= 4 || phase == 0 else { return model.goToNext(book) }
        let later = (model.phase?.steps ?? []).drop { $0.step != line.step }.dropFirst()
        if let next = later.first(where: { !$0.isManual && !$0.state.isFinished }) {
            model.select(step: next.step)
        }
    }

    /// An error over the screen; one box at a time.
    func fail(_ problem: Problem, _ model: inout AppModel) {
        model.overlays.removeAll { if case .failure = $0 { true } else { false } }
        model.overlays.append(
            .failure(
                FailureBox(
                    step: problem.step, message: problem.message, remedy: problem.remedy,
                    focused: problem.step == nil || model.book?.mode == .live ? 1 : 0)))
    }

    private func previewBox(_ step: String, _ isUndo: Bool, _ preview: Preview, _ model: AppModel)
        -> PreviewBox
    {
        var preview = preview
        if step == "3.2", !isUndo, model.isBareRemote, model.book?.sourceBytes ?? 0 > 200 << 20 {
            preview.warning =
                "This session ends with its connection: run howdah in tmux or screen. What is loaded then stays, "
                + "and Enter goes on."
        }
        // Where data is real, a careless Enter must do nothing.
        let isCareful = model.book?.mode == .live || isUndo
        return PreviewBox(
            step: step, isUndo: isUndo, preview: preview, focused: isCareful ? 1 : 0,
            field: preview.confirmation.map { _ in TextField() })
    }

    // MARK: Events

    private func take(_ event: Event, _ time: Double, _ model: inout AppModel) -> [Effect] {
        switch event {
        case .resize(let size):
            model.size = size
            model.clampLists()
            return []
        case .resumed: return [.refresh]
        case .paste(let text):
            typeText(text, &model)
            return []
        case .wheel(let rows, _, _):
            model.toast = nil
            return move(by: rows, &model)
        case .click(let x, let y, let isDouble): return click(x, y, isDouble, &model)
        case .key(let key):
            model.toast = nil
            return press(key, time, &model)
        }
    }

    private func press(_ key: Key, _ time: Double, _ model: inout AppModel) -> [Effect] {
        if key == .control("z") { return [.suspend] }
        if model.layout.isTooSmall, ![Key.character("q"), .control("c")].contains(key) { return [] }
        if model.hasField {
            // While typing only keys that edit, and those of the field's own.
            if let action = keys.action(of: key, in: [.field]) { return perform(action, time, &model) }
            let rows: [Key: Int] = [.up: -1, .down: 1, .pageUp: -10, .pageDown: 10]
            if let rows = rows[key] { return scroll(by: rows, &model) }
            editField(key, &model)
            return []
        }
        guard let action = keys.action(of: key, in: model.contexts) else {
            model.toast = Toast("\(key.name) does nothing here; ? shows what does", .muted)
            return []
        }
        return perform(action, time, &model)
    }

    private func perform(_ action: Action, _ time: Double, _ model: inout AppModel) -> [Effect] {
        if action == .interrupt { return interrupt(time, &model) }
        if action == .redraw { return [.redraw] }
        if !model.overlays.isEmpty { return performInOverlay(action, &model) }
        if let reason = Availability.reason(action, model) {
            model.toast = Toast(reason, .warn)
            return []
        }
        return performInPane(action, &model)
    }

    /// Ctrl-C cancels; twice within a second it stops everything in order.
    private func interrupt(_ time: Double, _ model: inout AppModel) -> [Effect] {
        let isSecond = time - model.lastInterrupt < 1
        model.lastInterrupt = time
        if isSecond { return [.quit(130)] }
        if model.hasField {
            model.overlays.removeLast()
            return []
        }
        if model.work != nil {
            model.toast = Toast("cancelling; Ctrl-C again stops howdah", .warn)
            return cancel(&model)
        }
        model.toast = Toast("nothing to cancel; Ctrl-C again, or q, quits", .muted)
        return []
    }

    func cancel(_ model: inout AppModel) -> [Effect] {
        model.work?.isCancelling = true
        return [.cancel]
    }
}
