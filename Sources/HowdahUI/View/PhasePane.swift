import MigrationEngine
import Playbook
import TerminalUI

/// A phase: its steps, and under them the selected step's details or the tables.
struct PhasePane {
    let screen: Screen

    private var model: AppModel { screen.model }
    private var look: Look { screen.look }

    func draw(_ buffer: inout Buffer, _ layout: ScreenLayout) {
        guard let phase = model.phase else { return }
        let samples = model.work?.samples ?? []
        let hasRate = phase.number == 3 && samples.count > 1
        let footer =
            hasRate
            ? Sparkline.line(samples, width: 20, look.symbols) + Line(" rows/s", .muted) : Line()
        let inner = screen.frame(
            "\(phase.key) \(phase.title)\(model.filterWords)", layout, footer: footer, &buffer)
        if layout.isCompact,
            [.tables, .columns, .places, .files, .advice, .commands, .output].contains(model.pane)
        {
            drawRest(in: inner, &buffer)
            return
        }
        let hasMore = !layout.isCompact
        let (steps, rest) = layout.divided(steps: phase.steps.count, hasMore: hasMore)
        drawSteps(phase, in: steps, &buffer)
        if hasMore {
            Frame.divide(
                layout.pane, row: steps.maxY - layout.pane.y,
                isFocused: model.pane != .rail && model.overlays.isEmpty,
                on: &buffer, look)
            drawRest(in: rest, &buffer)
        }
    }

    // MARK: Steps

    private func drawSteps(_ phase: BookState.PhaseLine, in rect: Rect, _ buffer: inout Buffer) {
        let column = 2 + (phase.steps.map { TextWidth.cells(head($0)) }.max() ?? 0)
        ScrollList(
            count: phase.steps.count, state: model.list(.steps(phase.number)),
            isFocused: screen.isFocused(.main)
        ) { index in line(phase.steps[index], column: column) }.draw(in: rect, on: &buffer, look)
    }

    private func head(_ step: BookState.StepLine) -> String { "\(step.step) \(step.title)" }

    private func line(_ step: BookState.StepLine, column: Int) -> Line {
        let role = Words.role(step.state)
        let head = head(step)
        let padding = String(repeating: " ", count: max(2, column - TextWidth.cells(head)))
        return Line([
            Span(" " + Words.sign(step.state, look.symbols) + " ", role),
            Span(head, step.state == .running ? .title : .text),
            Span(padding),
            step.contradiction.map { Span($0, .warn) } ?? Span(words(step), role == .ok ? .muted : role),
        ])
    }

    private func words(_ step: BookState.StepLine) -> String {
        if step.state == .running, let work = model.work { return Progress.words(work) }
        if !step.state.words.isEmpty { return step.state.words }
        if case .done = step.state {
            return step.note.isEmpty ? step.evidence.first ?? "done" : step.note
        }
        return step.isManual ? "by hand: Enter says how" : ""
    }

    // MARK: Under the steps

    private func drawRest(in rect: Rect, _ buffer: inout Buffer) {
        if model.showsTables {
            if model.section == .phase(1) {
                PlanView(screen: screen).draw(in: rect, &buffer)
            } else {
                TablesView(screen: screen).draw(in: rect, &buffer)
            }
        } else if model.showsFiles {
            FilesView(screen: screen).draw(in: rect, &buffer)
        } else if model.showsCommands {
            CommandsView(screen: screen).draw(in: rect, &buffer)
        } else if model.showsAdvice {
            AdviceView(screen: screen).draw(in: rect, &buffer)
        } else if model.showsPlaces {
            CodeView(screen: screen).draw(in: rect, &buffer)
        } else if let step = model.selectedStep {
            TextView(Words.details(step).lines).draw(in: rect.inset(1, 0), on: &buffer, look)
        }
    }
}

/// How far work is, in words.
enum Progress {
    static func words(_ work: WorkView) -> String {
        var parts: [String] = []
        if work.isUndo { parts.append("undoing") }
        if work.isCancelling { parts.append("cancelling…") }
        if let waiting = work.waiting, !work.isCancelling { return waiting }
        if work.isPaused { parts.append("paused") }
        switch work.phase {
        case "copy", "proof":
            parts.append("\(Format.count(work.done)) of \(Format.count(work.total)) rows")
            if work.rate > 0, !work.isPaused { parts.append("\(Words.short(work.rate))/s") }
            if let left = work.secondsLeft, !work.isPaused { parts.append("\(Words.clock(left)) left") }
        case "load":
            parts.append(Format.count(work.done, "query", "queries"))
            if work.rate > 0, !work.isPaused { parts.append("\(Words.short(work.rate))/s") }
            parts.append(Format.count(work.errors, "error", "errors"))
        case "profile": parts.append("profile: \(Format.count(work.done)) rows")
        case "snapshot": parts.append("snapshot: \(work.done) %")
        case "": break
        default: parts.append(work.phase)
        }
        if work.phase != "copy", work.phase != "proof" { parts.append(Words.clock(work.elapsed)) }
        return parts.joined(separator: "   ")
    }
}
