import MigrationEngine
import Operations
import Playbook
import TerminalUI

/// Keys and news of the live monitor.
extension Update {
    /// Opens the monitor over the phases.
    func openMonitor(_ model: inout AppModel) -> [Effect] {
        guard let book = model.book, model.monitor == nil else { return [] }
        model.monitor = MonitorView(target: book.mode == .live ? book.target : "rehearsal (private)")
        model.lists[.monitor] = nil
        model.filter = ""
        return [.openMonitor]
    }

    func take(_ news: MonitorNews, _ model: inout AppModel) -> [Effect] {
        guard model.monitor != nil else { return [] }
        switch news {
        case .report(let report):
            model.monitor?.take(report)
            followSession(&model)
        case .lost(let failure, let retry):
            model.monitor?.link = .lost(failure, retry: retry)
        case .said(let words): model.toast = Toast(words)
        case .failed(let words):
            fail(
                Problem(
                    step: nil, message: words,
                    remedy:
                        "A role ends sessions of its own, and others' only as a member of pg_signal_backend."),
                &model)
        }
        return []
    }

    /// The session that is selected stays it, wherever it stands now.
    private func followSession(_ model: inout AppModel) {
        if let selected = model.monitor?.selected, let monitor = model.monitor {
            let processes =
                monitor.page == .sessions
                ? monitor.sessions(model.filter).map(\.process)
                : monitor.page == .waiting ? monitor.waiting(model.filter).map(\.node.id) : []
            if let index = processes.firstIndex(of: selected) {
                model.setList(.monitor) { $0.select(index, count: $1) }
                return
            }
        }
        model.setList(.monitor) { $0.select($0.selected, count: $1) }
        let selected = model.selectedSession?.process
        model.monitor?.selected = selected
    }

    func performInMonitor(_ action: Action, _ model: inout AppModel) -> [Effect] {
        switch action {
        case .up: return moveInMonitor(by: -1, &model)
        case .down: return moveInMonitor(by: 1, &model)
        case .pageUp: return moveInMonitor(by: -max(1, model.size.height - 9), &model)
        case .pageDown: return moveInMonitor(by: max(1, model.size.height - 9), &model)
        case .top: return moveInMonitor(by: -1_000_000_000, &model)
        case .bottom: return moveInMonitor(by: 1_000_000_000, &model)
        case .nextPane: turn(to: nil, &model)
        case .waiting: turn(to: .waiting, &model)
        case .readings: turn(to: .readings, &model)
        case .tables: turn(to: .tables, &model)
        case .sort:
            let orders = MonitorView.Order.allCases
            let index = orders.firstIndex(of: model.monitor?.order ?? .activity) ?? 0
            let next = orders[(index + 1) % orders.count]
            model.monitor?.order = next
            model.toast = Toast("sessions: \(next.words)")
            followSession(&model)
        case .filter:
            prompt(.filter, "Filter", ["Only lines with this; empty shows all."], &model, text: model.filter)
        case .find: prompt(.find, "Find", ["A part of a line; n and N go on."], &model)
        case .findNext: return find(1, &model)
        case .findPrevious: return find(-1, &model)
        case .pause:
            let isPaused = !(model.monitor?.isPaused ?? false)
            model.monitor?.isPaused = isPaused
            return [.pauseMonitor(isPaused)]
        case .again: return [.lookAtServer]
        case .open: openLine(&model)
        case .cancel: askEnding(&model)
        case .copy:
            if let session = model.selectedSession { return [.copy(session.query)] }
        case .command: prompt(.command, "Command", [CommandLine.summary], &model)
        case .help: model.overlays.append(.help(search: TextField(), top: 0))
        case .suspend: return [.suspend]
        case .back:
            if !model.filter.isEmpty {
                model.filter = ""
                followSession(&model)
            } else if model.monitor?.page != .sessions {
                turn(to: .sessions, &model)
            } else {
                return leave(&model)
            }
        case .quit: return leave(&model)
        default: break
        }
        return []
    }

    /// Back to the phases, or out where it was opened alone.
    private func leave(_ model: inout AppModel) -> [Effect] {
        guard model.book != nil else { return [.quit(0)] }
        model.monitor = nil
        model.filter = ""
        return [.closeMonitor]
    }

    /// Moves the selection, by keys or by the wheel.
    func moveInMonitor(by rows: Int, _ model: inout AppModel) -> [Effect] {
        model.setList(.monitor) { $0.move(by: rows, count: $1) }
        let selected = model.selectedSession?.process
        model.monitor?.selected = selected
        return []
    }

    /// To a page, back from it to the sessions, or to the next one.
    private func turn(to page: MonitorView.Page?, _ model: inout AppModel) {
        guard let now = model.monitor?.page else { return }
        let pages = MonitorView.Page.allCases
        let next = page ?? pages[((pages.firstIndex(of: now) ?? 0) + 1) % pages.count]
        model.monitor?.page = next == now ? .sessions : next
        model.lists[.monitor] = nil
        // Who holds up the others comes first, whoever was selected before.
        if model.monitor?.page == .waiting { model.monitor?.selected = nil }
        followSession(&model)
    }

    private func openLine(_ model: inout AppModel) {
        guard let monitor = model.monitor else { return }
        let index = model.list(.monitor).selected
        if case .lost(let failure, _) = monitor.link, model.monitorCount == 0 {
            model.overlays.append(.text(MonitorText.box(failure)))
            return
        }
        switch monitor.page {
        case .sessions, .waiting:
            if let session = model.selectedSession { model.overlays.append(.text(MonitorText.box(session))) }
        case .readings:
            let readings = monitor.readings(model.filter)
            if readings.indices.contains(index) {
                model.overlays.append(.text(MonitorText.box(readings[index])))
            }
        case .tables:
            let tables = monitor.tables(model.filter)
            if tables.indices.contains(index) { model.overlays.append(.text(MonitorText.box(tables[index]))) }
        }
    }

    // MARK: Ending a session

    private func askEnding(_ model: inout AppModel) {
        guard let session = model.selectedSession else { return }
        let endings = MonitorText.endings(session)
        model.overlays.append(
            .choose(
                ChooseBox(
                    purpose: .ending(session), title: "Session \(session.process)",
                    text: [session.who, MonitorText.state(session)], choices: endings.map(MonitorText.choice),
                    details: endings.map(MonitorText.consequence))))
    }

    /// Shows what would be run; the focus is on leaving it.
    func confirm(_ ending: SessionEnding, of session: MonitorSession, _ model: inout AppModel) {
        model.overlays.append(
            .confirm(
                ConfirmBox(
                    question: .endSession(session, ending),
                    title:
                        "\(ending == .cancel ? "Cancel the statement of" : "End") session \(session.process)?",
                    text: [
                        "SELECT pg_\(ending.rawValue)_backend(\(session.process))", session.who,
                        MonitorText.state(session), String(MonitorText.oneLine(session.query).prefix(200)),
                        "",
                        MonitorText.consequence(ending),
                    ].filter { !$0.isEmpty },
                    buttons: [ending == .cancel ? "cancel it" : "end it", "leave it"],
                    focused: 1)))
    }

    /// Why a key does nothing while the monitor is shown; nil where it does something.
    static func monitorReason(_ action: Action, _ model: AppModel) -> String? {
        switch action {
        case .up, .down, .pageUp, .pageDown, .top, .bottom, .nextPane, .waiting, .readings, .tables, .filter,
            .find, .pause, .command, .help, .suspend, .back, .quit, .redraw, .interrupt:
            return nil
        case .findNext, .findPrevious: return model.search.isEmpty ? "nothing was looked for: / does" : nil
        case .sort: return model.monitor?.page == .sessions ? nil : "the sessions are sorted: Esc shows them"
        case .again: return model.monitor?.isPaused ?? false ? "it is paused: p goes on" : nil
        case .open:
            if case .lost = model.monitor?.link { return nil }
            return model.monitorCount == 0 ? "nothing is selected" : nil
        case .copy: return model.selectedSession == nil ? "no session is selected" : nil
        case .cancel:
            guard model.selectedSession != nil else { return "no session is selected" }
            return model.monitor?.link == .live ? nil : "the server does not answer"
        default: return model.book == nil ? "this is the monitor alone" : "the monitor is open: Esc closes it"
        }
    }
}
