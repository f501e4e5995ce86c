import MigrationEngine
import Operations
import Playbook
import TerminalUI

/// Advice about the target's indexes: the list at the left, why and what it brings at the right.
struct AdviceView {
    let screen: Screen

    private var model: AppModel { screen.model }
    private var look: Look { screen.look }

    func draw(in rect: Rect, _ buffer: inout Buffer) {
        let (left, rest) = rect.splitLeft(CodeView.listWidth(rect.width))
        drawList(in: left, &buffer)
        guard rest.width > 1 else { return }
        let (bar, right) = rest.splitLeft(1)
        for y in 0..<bar.height {
            buffer.write(look.symbols.vertical, in: bar.row(y), style: look.style(.border))
        }
        guard let line = model.selectedAdvice else { return }
        TextView(AdviceWords.explained(line)).draw(in: right.inset(1, 0), on: &buffer, look)
    }

    private func drawList(in rect: Rect, _ buffer: inout Buffer) {
        let advice = model.shownAdvice
        ScrollList(
            count: advice.count, state: model.list(.advice), isFocused: screen.isFocused(.advice),
            empty: Line("no such advice", .muted)
        ) { index in
            let line = advice[index]
            let (sign, role) = AdviceWords.sign(line, look.symbols)
            let effect = line.advice.effectWords
            return Line([
                Span(" \(sign) ", role),
                Span(AdviceWords.name(line.advice), line.state == .chosen ? .title : .muted),
                Span("  " + (effect.isEmpty ? line.advice.why : effect), .muted),
            ])
        }.draw(in: rect, on: &buffer, look)
    }
}

/// Advice in words.
enum AdviceWords {
    static func sign(_ line: AdviceLine, _ symbols: Symbols) -> (String, Role) {
        switch line.state {
        case .chosen: (symbols.ready, .text)
        case .leftOut: (symbols.skipped, .muted)
        case .done: (symbols.done, .ok)
        case .byHand: (symbols.undecided, .warn)
        }
    }

    /// As short as a list needs it.
    static func name(_ advice: IndexAdvice) -> String {
        switch advice.action {
        case .create: "\(advice.table) (\(advice.columns.joined(separator: ", ")))"
        case .drop, .analyze: advice.words
        }
    }

    /// What is to be done, why, and what it brings.
    static func explained(_ line: AdviceLine) -> [Line] {
        let advice = line.advice
        var lines = [Line([Span(advice.words, .title), Span("  " + line.state.words, .muted)])]
        if !line.note.isEmpty { lines.append(Line("note: \(line.note)")) }
        if let obstacle = advice.obstacle { lines.append(Line(obstacle, .warn)) }
        lines += advice.rules.map { Line($0.facts.words, .warn) }
        lines += advice.evidence.map { Line($0) }
        if let effect = advice.effect {
            lines.append(Line([Span(advice.effectWords, .ok), Span("  " + effect.how, .muted)]))
        }
        return lines + advice.sql.map { Line("\($0);", .key) }
    }

    /// All of it, to be read.
    static func box(_ line: AdviceLine) -> TextBox {
        let advice = line.advice
        var lines = explained(line)
        if !advice.undo.isEmpty {
            lines += [Line(), Line("Its undo", .muted)] + advice.undo.map { Line("\($0);", .key) }
        }
        for rule in advice.rules {
            lines += [Line(), Line(rule.facts.reason), Line(rule.facts.source, .muted)]
        }
        if let effect = advice.effect {
            lines += [
                Line(), Line(effect.place ?? "A query by these columns", .muted), Line(effect.query, .key),
            ]
            lines += [Line(), Line("Before", .title)] + effect.before.plan.map { Line($0) }
            lines += [Line(), Line("After", .title)]
            lines += effect.after?.plan.map { Line($0) } ?? [Line(effect.how, .muted)]
        }
        return TextBox(title: line.id, lines: lines)
    }
}
