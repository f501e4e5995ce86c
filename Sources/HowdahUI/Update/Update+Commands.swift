import AppProject
import MigrationEngine
import Playbook
import TerminalUI

/// Keys among the application's commands.
extension Update {
    /// Asks for what the selected command has written, where it is shown and not at hand.
    func wantFeed(_ model: inout AppModel) -> [Effect] {
        guard model.showsCommands, let state = model.selectedCommand, model.feed(state.id) == nil,
            model.wantedFeed != state.id
        else { return [] }
        model.wantedFeed = state.id
        return [.feed(state.id)]
    }

    /// To the commands, under the steps of phase 5.
    func showCommands(_ model: inout AppModel) {
        if model.section != .phase(5) { model.go(to: .phase(5)) }
        if model.showsCommands { model.pane = .commands }
    }

    // MARK: Runs

    func openCommand(_ model: inout AppModel) -> [Effect] {
        guard let state = model.selectedCommand else { return [] }
        if state.command.kind == .service { return toggleService(&model) }
        guard model.work == nil, !model.isBusy else {
            model.toast = Toast(
                model.feed(state.id)?.isRunning ?? false
                    ? "it runs: x cancels it" : "work runs: x cancels it", .warn)
            return []
        }
        guard model.book?.mode == .live else { return run(command: state.id, &model) }
        model.overlays.append(
            .confirm(
                ConfirmBox(
                    question: .runCommand(state.id), title: "LIVE: run \(state.id)?",
                    text: [
                        "Tests write, and some empty tables first.",
                        "It runs on the live target, \(model.book?.target ?? "").",
                    ], buttons: ["run", "cancel"], focused: 1)))
        return []
    }

    func run(command name: String, _ model: inout AppModel) -> [Effect] {
        model.outputTop = nil
        model.work = WorkView(step: "5.1")
        model.book?.setRunning("5.1")
        return [.runCommand(name)]
    }

    func ranCommand(
        _ result: CommandResult?, _ book: BookState, _ problem: Problem?, _ model: inout AppModel
    ) -> [Effect] {
        set(book, &model)
        model.work = nil
        model.isBusy = false
        model.clampLists()
        if model.isQuitting { return [.quit(0)] }
        if let problem {
            if problem.isCancelled {
                model.toast = Toast("cancelled", .warn)
            } else {
                fail(problem, &model)
            }
        } else if let result {
            let words = [result.outcome.words, result.figures, result.reason].filter { !$0.isEmpty }
            model.toast = Toast(
                "\(result.name): \(words.joined(separator: ", "))", CommandWords.role(result.outcome))
        }
        return []
    }

    func toggleService(_ model: inout AppModel) -> [Effect] {
        guard let state = model.selectedCommand else { return [] }
        if model.selectedServiceRuns {
            model.toast = Toast("stopping \(state.id)", .muted)
            return [.stopService(state.id)]
        }
        guard model.work == nil, !model.isBusy else {
            model.toast = Toast("work runs: it can be started after that", .warn)
            return []
        }
        let isLive = model.book?.mode == .live
        let live = "It works on the live target, \(model.book?.target ?? ""), as the application does."
        if let stale = state.stale {
            model.overlays.append(
                .confirm(
                    ConfirmBox(
                        question: .replaceService(state.id), title: "\(state.id) runs still",
                        text: [
                            "A howdah that was killed has left it running since \(stale.since), as process \(stale.process)."
                        ] + (isLive ? ["Started anew: " + live] : []),
                        buttons: ["end it, start anew", "leave it"], focused: 1)))
            return []
        }
        guard isLive else { return start(service: state.id, &model) }
        model.overlays.append(
            .confirm(
                ConfirmBox(
                    question: .startService(state.id), title: "LIVE: start \(state.id)?", text: [live],
                    buttons: ["start", "cancel"], focused: 1)))
        return []
    }

    func start(service name: String, _ model: inout AppModel) -> [Effect] {
        model.outputTop = nil
        model.isBusy = true
        return [.startService(name, replaces: false)]
    }

    // MARK: Links

    func link(_ model: inout AppModel) {
        guard let state = model.selectedCommand else { return }
        let choices = Playbook.linkableItems.map { item in
            "\(item) \(Phases.step(item)?.title ?? "")"
                + (state.links.contains(item)
                    ? "  (linked)" : state.proposals.contains(item) ? "  (proposed)" : "")
        }
        let first = Playbook.linkableItems.firstIndex {
            state.links.contains($0) || state.proposals.contains($0)
        }
        model.overlays.append(
            .choose(
                ChooseBox(
                    purpose: .link(state.id), title: "Link \(state.id)",
                    text: [
                        "A green run of it ticks the item, a red one takes that tick away. Your own ticks stay.",
                        "Chosen again, a link goes away.",
                    ], choices: choices, list: ListState(selected: first ?? 0))))
    }

    func toggleLink(_ name: String, _ item: String, _ model: inout AppModel) -> [Effect] {
        let isLinked = model.book?.commands.first { $0.id == name }?.links.contains(item) ?? false
        return [.link(item: item, command: name, isLinked: !isLinked)]
    }

    // MARK: Output

    /// At its end the output is followed again.
    func scrollOutput(by rows: Int, _ model: inout AppModel) {
        guard let output = model.selectedFeed?.output else { return }
        let last = max(output.first, output.end - model.outputHeight)
        let top = max(output.first, min((model.outputTop ?? last) + rows, last))
        model.outputTop = top >= last ? nil : top
    }
}

extension AppModel {
    /// Whether the application's commands are drawn under the steps.
    var showsCommands: Bool { section == .phase(5) && !(book?.commands.isEmpty ?? true) }

    var selectedCommand: CommandState? {
        guard showsCommands else { return nil }
        let commands = shownCommands
        let index = list(.commands).selected
        return commands.indices.contains(index) ? commands[index] : nil
    }

    var selectedFeed: CommandFeed? { selectedCommand.flatMap { feed($0.id) } }

    /// What a command writes: of another mode only as long as it runs, since what it came to there says nothing here.
    func feed(_ name: String) -> CommandFeed? {
        feeds[name].flatMap { $0.isRunning || $0.mode == book?.mode ? $0 : nil }
    }

    /// Whether the pane of commands has a service selected that runs.
    var selectedServiceRuns: Bool {
        guard pane == .commands || pane == .output, let state = selectedCommand,
            state.command.kind == .service
        else { return false }
        return feeds[state.id]?.isRunning ?? false
    }

    var runningServices: [String] {
        (book?.commands ?? []).filter { $0.command.kind == .service && feeds[$0.id]?.isRunning ?? false }.map(
            \.id)
    }

    /// Rows of the output, under its own head line.
    var outputHeight: Int {
        guard let phase, !layout.isCompact else { return max(1, layout.pane.height - 3) }
        return max(1, layout.divided(steps: phase.steps.count, hasMore: true).rest.height - 1)
    }
}
