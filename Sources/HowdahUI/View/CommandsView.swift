import AppProject
import MigrationEngine
import Playbook
import TerminalUI

/// The application's commands at the left, what the selected one writes at the right.
struct CommandsView {
    let screen: Screen

    private var model: AppModel { screen.model }
    private var look: Look { screen.look }

    func draw(in rect: Rect, _ buffer: inout Buffer) {
        let width = CodeView.listWidth(rect.width)
        if width == rect.width, model.pane == .output {
            drawOutput(in: rect, &buffer)
            return
        }
        let (left, rest) = rect.splitLeft(width)
        drawList(in: left, &buffer)
        guard rest.width > 1 else { return }
        let (bar, right) = rest.splitLeft(1)
        for y in 0..<bar.height {
            buffer.write(look.symbols.vertical, in: bar.row(y), style: look.style(.border))
        }
        drawOutput(in: right, &buffer)
    }

    private func drawList(in rect: Rect, _ buffer: inout Buffer) {
        let commands = model.shownCommands
        ScrollList(
            count: commands.count, state: model.list(.commands), isFocused: screen.isFocused(.commands),
            empty: model.empty(Line("no such command", .muted), filtered: "command")
        ) { index in
            let state = commands[index]
            let (sign, role, words) = CommandWords.standing(
                state, model.feed(state.id), look.symbols, mode: model.book?.mode)
            return Line([
                Span(" \(sign) ", role), Span(state.id, state.isLeftOut ? .muted : .text),
                Span("  " + words, role == .ok ? .muted : role),
            ])
        }.draw(in: rect, on: &buffer, look)
    }

    /// The last lines, or those that were scrolled to.
    private func drawOutput(in rect: Rect, _ buffer: inout Buffer) {
        guard let state = model.selectedCommand else { return }
        let (head, rest) = rect.splitTop(1)
        let feed = model.selectedFeed
        buffer.write(
            Line([
                Span(screen.isFocused(.output) ? look.symbols.cursor : " ", .focusedBorder),
                Span(state.command.run, .title), Span("  " + CommandWords.head(state, feed), .muted),
            ]), in: head, look)
        guard let output = feed?.output, !output.lines.isEmpty else {
            let words = feed?.isRunning ?? false ? "nothing was written yet" : "Enter runs it"
            buffer.write(
                Line(" " + (state.command.kind == .service && feed == nil ? "s starts it" : words), .muted),
                in: rest.row(0), look)
            return
        }
        let last = max(output.first, output.end - rest.height)
        let top = max(output.first, min(model.outputTop ?? last, last))
        for (row, line) in output.lines.dropFirst(top - output.first).prefix(rest.height).enumerated() {
            buffer.write(Line(" " + line.replacing("\t", with: "    ")), in: rest.row(row), look)
        }
        let edge = Rect(x: rect.maxX - 1, y: rest.y, width: 1, height: rest.height)
        let isASCII = look.symbols.isASCII
        if top > output.first {
            buffer.write(isASCII ? "^" : "▴", in: edge.row(0), style: look.style(.muted))
        }
        if top < last {
            buffer.write(isASCII ? "v" : "▾", in: edge.row(rest.height - 1), style: look.style(.muted))
        }
    }
}

/// The application's commands, in words.
enum CommandWords {
    static func role(_ outcome: CommandResult.Outcome) -> Role {
        switch outcome {
        case .passed: .ok
        case .empty, .uncounted, .cancelled: .warn
        case .failed, .late, .unable: .error
        }
    }

    /// The sign of a command, its colour, and how it stands.
    static func standing(
        _ state: CommandState, _ feed: CommandFeed?, _ symbols: Symbols, mode: Mode?
    ) -> (String, Role, String) {
        if let feed, feed.isRunning {
            let elsewhere = mode.map { $0 != feed.mode } ?? false ? ", \(feed.mode.rawValue)" : ""
            return (
                symbols.running, .phaseNow,
                (feed.isStopping ? "stopping…" : Words.clock(feed.seconds)) + elsewhere
            )
        }
        if state.stale != nil { return (symbols.undecided, .warn, "left running by a killed howdah") }
        if state.isLeftOut { return (symbols.skipped, .muted, "left out") }
        if state.isInterrupted { return (symbols.stale, .warn, "interrupted") }
        if state.command.kind == .service {
            let failed = state.last.map { $0.outcome != .cancelled } ?? false
            return (symbols.ready, failed ? .warn : .text, failed ? state.last?.reason ?? "" : "service")
        }
        guard let last = state.last else { return (symbols.ready, .text, "not run yet") }
        if state.isOutdated { return (symbols.stale, .warn, "\(last.outcome.words) before, on other rows") }
        let sign =
            switch last.outcome {
            case .passed: symbols.done
            case .empty, .uncounted: symbols.undecided
            case .cancelled: symbols.stale
            case .failed, .late, .unable: symbols.failed
            }
        let figures = last.outcome.isUndecided || last.figures.isEmpty ? last.outcome.words : last.figures
        return (sign, role(last.outcome), figures)
    }

    /// Beside what is run: how it stands, or how it ended.
    static func head(_ state: CommandState, _ feed: CommandFeed?) -> String {
        if let feed, feed.isRunning {
            return feed.isStopping ? "stopping…" : "runs \(Words.clock(feed.seconds))"
        }
        if let end = feed?.end, !end.isEmpty { return end }
        return state.last.map {
            [$0.outcome.words, $0.reason].filter { !$0.isEmpty }.joined(separator: ": ")
        } ?? ""
    }

    /// All of a command, to be read.
    static func box(_ state: CommandState, _ feed: CommandFeed?) -> TextBox {
        var lines = [
            Line(state.command.run, .key),
            Line("in \(state.command.place), found in \(state.command.foundIn)", .muted),
        ]
        if let last = state.last {
            let words = [last.outcome.words, last.figures, last.reason].filter { !$0.isEmpty }
            lines += [
                Line(), Line("\(state.when): \(words.joined(separator: ", "))", role(last.outcome)),
            ]
            if let log = last.log { lines.append(Line("its output: \(log) in the state folder", .muted)) }
        }
        if state.isOutdated {
            lines.append(
                Line(
                    "That was another target, or before the rows were loaded anew: it does not count.", .warn)
            )
        }
        if state.isLeftOut {
            lines += [Line(), Line("A run of all passes it over; Space takes it in again.", .muted)]
        }
        for item in state.links {
            lines += [Line(), Line("Its result ticks \(item) \(Phases.step(item)?.title ?? "").")]
        }
        for item in state.proposals {
            lines += [
                Line(),
                Line("Its name speaks of \(item) \(Phases.step(item)?.title ?? ""): c links it.", .muted),
            ]
        }
        return TextBox(title: state.id, lines: lines)
    }
}
